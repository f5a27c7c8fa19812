#pragma once

#include <boost/container/static_vector.hpp>

#include "call/event.h"
#include "call/model.h"

// From what consumers were told of a connection to what is true now.
namespace call {

// The part of a connection that events are about.
struct Aspects {
  ConnectionState state = ConnectionState::null;
  bool offered = false;    // only while alerting
  bool recording = false;  // never in null

  bool operator==(const Aspects&) const = default;
};
Aspects aspects_of(const Connection& connection) noexcept;
// Of what the PBX does not say of the leg, what is known of it.
Aspects aspects_of(const Leg& leg, const Aspects& known = {}) noexcept;

// One event. After a connection_cleared that is not the last step the others are those of a new
// connection, because no legal path leads on with the old one.
struct Step {
  CallEventType type = CallEventType::call_information;
  Aspects after;
  bool inferred = false;

  bool operator==(const Step&) const = default;
};
// The longest: restarted, rung, answered, held, recorded.
using Steps = boost::container::static_vector<Step, 6>;

// How to get round a step that no legal path allows.
enum class Detour {
  new_connection,   // end it, and begin another one
  same_connection,  // through queued: it is known to be the same, and so to have passed through it
};

struct Past {
  bool talked = false;   // was connected before: a calling device then does not originate again
  bool failing = false;  // ends without having got through: Failed comes first
};

// Pure. Empty if there is nothing to tell. A connection that is offered again after it rang makes
// no step: it is news of the kind of call_information.
Steps difference(Role role, const Aspects& told, const Aspects& now, Past past = {},
                 Detour detour = Detour::new_connection);

// Whether a connection in this state must have been connected before, so far as the state tells.
bool has_talked(Role role, ConnectionState state) noexcept;

// What to tell of a device, in the order of the enumeration. Empty if only the vendor's own words
// changed.
using DeviceEvents = boost::container::static_vector<DeviceEventType, 8>;
DeviceEvents difference(const Device& told, const Device& now);

}  // namespace call
