#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "call/model.h"
#include "pbx/innova360/codec.h"
#include "pbx/session.h"

namespace pbx::innova360 {

// How many legs we keep; a PBX that claims more has lost its way, and the rest is not followed.
inline constexpr std::size_t kLegsMax = 50'000;

// "201/1760000000.11": a leg as the gateway knows it.
std::string leg_id(std::string_view extension, std::string_view callid);

// Innova360 speaks of legs: one extension's part in a call, under an id of its own. This joins them
// into calls, gives the party at the other end of a call a leg where the PBX shows none, and
// decides which side holds. The rules are in README.md, "From legs to calls".
//
// Lives as long as a session, which feeds it every message of the supervisor. Each function returns
// the calls that are no longer as they were, whole; a leg that has just ended is in its call once
// more, with the reason. Pure but for its own memory; time is an argument.
class Legs {
 public:
  using Views = std::vector<call::CallView>;

  // What is known of a leg, for commands. Valid until the next call of a non-const function.
  struct Known {
    std::string_view extension, callid;
    const Ends* ends;
    bool answered;  // talks or has talked
    Step step;
  };

  Legs();
  ~Legs();

  // All there is. The result is complete: any other call has ended. Legs that were known before are
  // recognized by their ids.
  Views on_init(const Init& init, TimePoint now);
  // `commanded`: this is the effect of our `call` action.
  Views on_new_call(const NewCall& event, bool commanded, TimePoint now);
  Views on_call_state(const CallState& event, TimePoint now);
  Views on_hangup(const Hangup& event, TimePoint now);
  Views on_music(const MusicOnHold& event, TimePoint now);
  Views on_recording(const Recording& event, TimePoint now);
  Views on_extension_status(const ExtensionStatus& event, TimePoint now);
  Views on_tick(TimePoint now);
  TimePoint deadline() const;

  // Our blind transfer of this leg was sent.
  void transferring(std::string_view leg, std::string_view destination, TimePoint now);

  std::optional<Known> find(std::string_view leg) const;
  // Whether a new-call of this leg would be news: it is neither known nor ended a short while ago.
  bool is_new(std::string_view leg, TimePoint now) const;
  std::size_t size() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pbx::innova360
