#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "call/model.h"
#include "pbx/innovaphone/codec.h"
#include "pbx/innovaphone/states.h"
#include "pbx/innovaphone/users.h"
#include "pbx/session.h"

namespace pbx::innovaphone {

// How many legs we keep; a PBX that claims more has lost its way, and the rest is not followed.
inline constexpr std::size_t kLegsMax = 50'000;

// What is done to a leg by a command of ours: says why it ends, if the PBX does not.
enum class Doing { nothing, clear, transfer, single_step, deflect, park, pickup };

// RCC speaks of handles: one user's part in a call, as one socket knows it. This joins them into
// calls by `conf`, gives the parties that are nobody of ours a leg, and finds out why a leg ended
// whose PBX just says that it is gone. The rules are in README.md, "From handles to calls".
//
// Lives as long as a session, over all its sockets. Each function returns the calls that are no
// longer as they were, whole; a leg that has just ended is in its call once more, with the reason.
class Legs {
 public:
  using Views = std::vector<call::CallView>;
  using Guid = std::string;

  struct Handle {
    LinkId link = 0;
    int user = 0, call = 0;
    auto operator<=>(const Handle&) const = default;
  };
  // What is known of a leg, for commands. Valid until the next call of a non-const function.
  struct Known {
    Handle handle;          // call 0: its socket is gone
    std::string_view guid;  // whose it is
    std::string_view key;   // of its call
    call::Role role;
    call::ConnectionState state;  // as consumers know it
  };
  struct Options {
    std::chrono::milliseconds patience{300};  // for the reason of an end
  };

  Legs(Options options, const Users& users);
  ~Legs();

  // `guid`: whose handle it is.
  Views on_call(const Handle& handle, const Guid& guid, const CallInfo& info, TimePoint now);
  Views on_tick(TimePoint now);
  TimePoint deadline() const;

  // The user is followed no more: its legs end.
  Views on_user_gone(const Guid& guid, TimePoint now);
  // Names have changed: parties may be somebody else.
  Views on_users();

  // A socket is lost: its handles mean nothing any more, the legs stay until confirm().
  void on_link_lost(LinkId link);
  // The socket's users have been initialised, and what is not told again by now has ended.
  Views confirm(LinkId link, TimePoint now);
  // The user's legs that this socket, and not only one before it, has told.
  std::size_t legs_of(const Guid& guid) const;

  // All there is; before the first of them nothing is told.
  Views begin();

  // A new call on this handle is the effect of a MakeCall: the user's phone may be called first.
  void expect_made(const Handle& handle);
  void expect(const std::string& leg, Doing doing);
  void forget(const std::string& leg);

  std::optional<Known> find(std::string_view leg) const;
  // The leg of this handle; empty if there is none.
  std::string leg_of(const Handle& handle) const;
  // The handles of the user's legs: those that talk, those on hold.
  void count(const Guid& guid, unsigned& talking, unsigned& holding) const;
  std::size_t size() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pbx::innovaphone
