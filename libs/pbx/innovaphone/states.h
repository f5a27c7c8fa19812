#pragma once

#include <optional>

#include "call/state.h"

// What a CallInfo's `state` says of a user's part in a call. The low four bits are the step, the
// rest flags, seen from the PBX towards the phone: 128 is a call that comes in.
namespace pbx::innovaphone {

enum class Low {
  init,
  setup,
  setup_ack,
  call_proc,
  alert,
  connected,
  disc_sent,
  disc_received,
  parked
};
inline constexpr int kLowBits = 15;
inline constexpr int kIncoming = 128;
inline constexpr int kHeldByUser = 256;
inline constexpr int kHeldByPeer = 512;
inline constexpr int kWaiting = 1024;

// Nothing: a step that we do not know.
constexpr std::optional<Low> low_of(int state) noexcept {
  const int low = state & kLowBits;
  return low <= static_cast<int>(Low::parked) ? std::optional(static_cast<Low>(low)) : std::nullopt;
}

// What was before, as far as it matters.
struct Past {
  call::Role role = call::Role::called;
  bool answered = false;  // talked before: a step back to ringing is its peer's
  bool has_peer = true;   // somebody was dialled
  bool failing = false;   // the PBX gave a reason other than a normal end
  bool prompted = false;  // a MakeCall of ours: the caller's own phone is called first
};

enum class Standing {
  unchanged,  // nothing that we know
  hidden,     // on its way to the phone, which does nothing yet
  initiated,  // off-hook or prompted
  alerting,
  connected,
  held,  // by the user
  parked,
  failed,         // the caller hears why
  ended_by_peer,  // the PBX has ended it towards the phone
  ended_by_user,
};

// One outcome for every state and every past.
constexpr Standing standing_of(int state, const Past& past) noexcept {
  const bool calling = past.role == call::Role::calling;
  const auto low = low_of(state);
  if (!low) return Standing::unchanged;
  switch (*low) {
    case Low::disc_sent:
      return calling && !past.answered && past.failing ? Standing::failed : Standing::ended_by_peer;
    case Low::disc_received: return Standing::ended_by_user;
    case Low::parked: return Standing::parked;
    default: break;
  }
  if ((calling && *low != Low::init && !past.prompted) || past.answered || *low == Low::connected) {
    if ((state & kHeldByUser) != 0) return Standing::held;
  }
  if (past.answered || *low == Low::connected) return Standing::connected;
  if (!calling) {
    // A knock on a line that is taken is all the ringing there will be.
    const bool rings = *low == Low::alert || (state & kWaiting) != 0;
    return rings ? Standing::alerting : Standing::hidden;
  }
  if (past.prompted) return Standing::initiated;
  if (*low == Low::alert) return Standing::connected;
  if (*low == Low::init || *low == Low::setup_ack || !past.has_peer) return Standing::initiated;
  return Standing::connected;
}

constexpr bool is_over(Standing it) noexcept {
  return it == Standing::ended_by_peer || it == Standing::ended_by_user;
}

}  // namespace pbx::innovaphone
