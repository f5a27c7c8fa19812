#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "call/cause.h"
#include "call/service.h"
#include "call/state.h"

// The call model, in the words of ECMA CSTA: what a PBX can say, and what we know.
namespace call {

using base::CallId;
using base::DeviceId;
using Time = std::chrono::system_clock::time_point;

enum class DeviceKind { extension, outside, group, queue, park, trunk, unknown };

// Who takes part: a device of the PBX, or somebody outside.
struct Party {
  DeviceId device;  // the extension's number; for an outside party the number as dialled or shown
  DeviceKind kind = DeviceKind::unknown;
  std::string number;  // as shown to people; empty if withheld
  std::string name;    // display name, if the PBX gives one

  bool operator==(const Party&) const = default;
};

// ---- What an adapter reports: what the PBX says *is*, not what changed. ----

// One device's part in one call, as the PBX has it now.
struct Leg {
  std::string id;  // the PBX's (or the adapter's) id of this leg: unique in the tenant while it
                   // lives, and the same after a reconnect if the PBX keeps its ids
  Party party;
  Role role = Role::called;
  ConnectionState state = ConnectionState::null;  // null: it has just ended, because of `cause`
  bool offered = false;                           // alerting, but not ringing yet
  std::optional<bool> recording = false;  // nothing: the PBX does not say; it stays as it was
  Cause cause = Cause::unspecified;       // why it is in this state, if the PBX told
  VendorCause vendor_cause;

  bool operator==(const Leg&) const = default;
};

// A whole call as the PBX has it now: a leg that was there and is missing has ended.
struct CallView {
  std::string key;                          // the PBX's id of the call, or the adapter's
  std::vector<Leg> legs;                    // the calling one first, if there is one
  std::string dialled;                      // the number first dialled, if known
  std::map<std::string, std::string> data;  // attached by AssociateData or the PBX

  bool operator==(const CallView&) const = default;
};

enum class Availability { unknown, in_service, out_of_service };
enum class Activity { unknown, idle, ringing, busy, busy_and_ringing, holding };
enum class ForwardingType {
  immediate,
  busy,
  no_answer,
  do_not_disturb,
  immediate_internal,
  busy_internal,
  no_answer_internal,
  immediate_external,
  busy_external,
  no_answer_external,
};
struct Forwarding {
  ForwardingType type = ForwardingType::immediate;
  std::string destination;  // empty: switched off

  bool operator==(const Forwarding&) const = default;
};
enum class AgentState { unknown, logged_off, not_ready, ready, busy, working_after_call };

// A device as the PBX has it now. An empty optional: the PBX does not say.
struct Device {
  DeviceId id;
  DeviceKind kind = DeviceKind::extension;
  std::string name;
  Availability availability = Availability::unknown;
  Activity activity = Activity::unknown;
  std::optional<bool> do_not_disturb;
  std::vector<Forwarding> forwardings;
  std::optional<std::string> presence;  // "available", "away", … and the vendor's own
  std::optional<AgentState> agent_state;
  std::string agent_reason;   // a pause's cause, if any
  std::string vendor_status;  // raw, as the PBX put it
  bool controllable = false;  // commands can act on it: credentials are there, if it needs its own

  bool operator==(const Device&) const = default;
};

struct CallSeen {
  CallView call;
};
struct CallsSeen {
  std::vector<CallView> calls;
};  // complete: any other call has ended
struct DeviceSeen {
  Device device;
};
struct DevicesSeen {
  std::vector<Device> devices;
};  // complete: any other device is gone
using Observation = std::variant<CallSeen, CallsSeen, DeviceSeen, DevicesSeen>;

// ---- What the tracker knows, and consumers see. ----

// One device's part in one call. Its id is (call, number): a device that leaves a call and comes
// back has a new connection.
struct Connection {
  unsigned number = 0;  // from 1, unique in the call
  std::string leg;      // the PBX's id, as in Leg
  Party party;
  Role role = Role::called;
  ConnectionState state = ConnectionState::null;
  bool offered = false;
  bool recording = false;
  Cause cause = Cause::unspecified;
  Time since{};        // in this state
  ServiceSet allowed;  // what can be asked for on it now

  bool operator==(const Connection&) const = default;
};

enum class Direction { internal, inbound, outbound };

struct Call {
  CallId id;
  std::string key;  // the PBX's, as in CallView
  Direction direction = Direction::internal;
  std::string dialled;
  std::vector<Connection> connections;  // in the call, and in a terminal event the one just ended
  std::map<std::string, std::string> data;
  Time created{};
  unsigned connections_made = 0;  // the highest number given: none is given twice in a call

  bool operator==(const Call&) const = default;
};

// The connection with this number; nullptr if it is not, or no longer, in the call.
const Connection* find_connection(const Call& call, unsigned number) noexcept;
Connection* find_connection(Call& call, unsigned number) noexcept;

// What a call is by the parties in it. Never goes back: a call that came from outside stays inbound
// when the outside party has left, so pass what it was before.
Direction direction_of(Direction before, const std::vector<Leg>& legs) noexcept;

// "c12-7-1": call c12-7, connection 1. DNS-like, for resource names.
std::string connection_id(const CallId& call, unsigned number);

}  // namespace call
