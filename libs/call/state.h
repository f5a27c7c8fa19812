#pragma once

#include <array>
#include <optional>
#include <span>

namespace call {

// The part one device has in one call (ECMA-269).
enum class ConnectionState {
  null,       // no relation: before the start and after the end
  initiated,  // off-hook or prompted, no destination yet
  alerting,   // being offered the call: ringing, or offered before it rings
  connected,  // takes part actively
  hold,       // has parked its part; the others may go on
  queued,     // waits in a group, an ACD queue or a park slot
  fail,       // progress stopped (busy, unobtainable, congestion); the leg still exists
};
inline constexpr std::array kConnectionStates{ConnectionState::null,     ConnectionState::initiated,
                                              ConnectionState::alerting, ConnectionState::connected,
                                              ConnectionState::hold,     ConnectionState::queued,
                                              ConnectionState::fail};

// "connected".
const char* name_of(ConnectionState state) noexcept;

// Whether CSTA allows the step. The table is in state.cc, and is ours to keep: it was drawn up from
// the standard's text and is unverified against its diagram. Staying is not a step.
bool is_legal(ConnectionState from, ConnectionState to) noexcept;

// Which end of the call a connection is.
enum class Role { calling, called };

// The states that a connection passes on its way, `to` included and last: what a PBX that jumped
// has left out. Consumers see an answered call ring first, and a failed one not come back to life:
// a step that no legal path allows goes through null, which means a new connection of the same
// device.
std::span<const ConnectionState> path(Role role, ConnectionState from, ConnectionState to) noexcept;

}  // namespace call
