#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "call/model.h"
#include "pbx/session.h"
#include "pbx/webitel/directory.h"
#include "pbx/webitel/rows.h"

namespace pbx::webitel {

// How many legs we keep; a PBX that claims more has lost its way, and the rest is not followed.
inline constexpr std::size_t kLegsMax = 20'000;

// Which legs there are, and which of them are one call. A leg is one user's part in a call, with an
// id of the PBX's; legs point to each other (parent_id, bridged_id), and what hangs together is one
// call. A party without a leg that the PBX shows us (somebody outside) gets one of ours, made of
// what the user's leg says of its other end. The rules are in README.md, "From legs to calls".
//
// Two kinds of sources are merged: events, which are of single users' sockets and tell everything,
// and lists, which tell what is, some time after they were asked for. A list repairs and completes
// what events told, but never undoes an event that is later than it.
//
// Lives as long as a session. Each function returns the calls that are no longer as they were.
// Pure but for its own memory; time is an argument.
class Legs {
 public:
  // A call that is no longer as it was, whole; a leg that has just ended is in it once more, with
  // the reason.
  struct Seen {
    call::CallView view;
  };
  using Output = std::vector<Seen>;

  explicit Legs(const Directory& directory);
  ~Legs();

  Output on_event(const LegEvent& event, TimePoint now);
  // All legs of the user, as his socket told; asked for at `asked`.
  Output on_own_legs(std::string_view user, const std::vector<LegRow>& rows, TimePoint asked,
                     TimePoint now);
  using Coverage = webitel::Coverage;
  // All legs of the tenant.
  Output on_all_legs(const std::vector<LegRow>& rows, Coverage coverage, TimePoint asked,
                     TimePoint now);
  // The directory's generation has changed: who is an extension, and who is outside?
  Output on_directory(TimePoint now);
  Output on_tick(TimePoint now);
  TimePoint deadline() const;

  // All there are, as they were told last.
  std::vector<call::CallView> all() const;

  // Whether a socket tells of this user's legs: then only that socket can say that one has ended
  // which no list of the tenant ever had.
  void set_watched(std::string_view user, bool watched);

  // What a command of ours is about to do; forgotten at `until`, or when the PBX has refused it. It
  // explains what a list cannot: why a leg is gone, and that a new one was made by request.
  enum class Doing { transfer, join, deflect };
  void expect(std::string_view leg, Doing doing, TimePoint until);
  void expect_none(std::string_view leg);
  void expect_made(std::string_view user, TimePoint until);

  // What is known of a leg, for commands. Valid until the next call of a non-const function.
  struct Known {
    std::string_view id;         // the PBX's: what goes into commands (webitel.md 3.5)
    std::string_view app_id;     // goes with it; empty: not told yet, and only REST can do without
    std::string_view user;       // whose leg it is; empty: nobody's (a trunk's)
    std::string_view extension;  // his
    std::string_view key;        // CallView::key of its call
    std::string_view bridged;    // the leg it is joined to; empty: none
    call::Role role;
    call::ConnectionState state;
    bool originate;  // made by request: webitel.md 3.4
    bool answered;   // or picked up, if it was made by request
  };
  // By the id that it has in views, or the PBX's own, which is the same but for parties that we had
  // to give one. Nothing: it has ended, never was, or the PBX has not told its id.
  std::optional<Known> find(std::string_view leg) const;
  // The legs of this user, the oldest first: the PBX's ids.
  std::vector<std::string> of_user(std::string_view user) const;
  std::vector<call::ConnectionState> states_of(std::string_view user) const;
  // Whether a list of the tenant would tell more than is known now: true once after each event
  // that left something open.
  bool wants_list();

  std::size_t size() const;
  // Legs that were beyond kLegsMax, so far.
  std::size_t left_out() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pbx::webitel
