#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "call/model.h"

namespace call {

// CSTA's call-control events, and after them the few that CSTA has elsewhere or not at all.
enum class CallEventType {
  service_initiated,
  originated,
  digits_dialed,
  network_reached,
  offered,
  delivered,
  queued,
  established,
  held,
  retrieved,
  diverted,
  conferenced,
  transferred,
  failed,
  connection_cleared,
  call_cleared,
  bridged,
  call_information,  // data or a party's name or number changed
  recording_started,
  recording_stopped,
};

// CSTA's logical-device events, and the life of a device in the directory.
enum class DeviceEventType {
  added,
  removed,
  back_in_service,
  out_of_service,
  activity_changed,
  do_not_disturb,
  forwarding,
  presence_state,
  agent_state,
  information,  // name or control changed
};

enum class LinkState {
  unowned,     // no connector holds the tenant
  connecting,  // resolve, connect, TLS, upgrade
  logging_in,
  synchronizing,  // logged in, waiting for the first snapshot
  up,
  backing_off,   // down, will try again at a known time
  awaiting_pbx,  // it is the PBX that dials, and it has not yet
};

// "MakeCall"-like names for subjects, metrics and ce-type: "established", "connectionCleared".
const char* name_of(CallEventType type) noexcept;
const char* name_of(DeviceEventType type) noexcept;
const char* name_of(LinkState state) noexcept;

// The cause of an event when the PBX gives none.
Cause default_cause(CallEventType type) noexcept;

struct CallEvent {
  CallEventType type = CallEventType::call_information;
  Call call;                   // after the event
  unsigned connection = 0;     // whose event it is; 0 for call_cleared
  std::optional<Party> other;  // diverted, transferred: where to, if known
  Cause cause = Cause::normal;
  VendorCause vendor_cause;
  bool inferred = false;  // a step that the PBX left out and the tracker filled in
};

struct DeviceEvent {
  DeviceEventType type = DeviceEventType::information;
  Device device;  // after the event; before it for `removed`
};

struct LinkEvent {
  LinkState state = LinkState::connecting;
  std::string reason;  // an Errc's name; empty for up
  std::string detail;  // a sentence for operators, without secrets
  std::optional<Time> retry_at;
};

// Events that were made but never published, because an outbox was full for too long. What lives is
// told again after it, marked as resync.
struct StreamGap {
  std::uint64_t first_sequence = 0, last_sequence = 0;  // both lost, and all between
  Time since{}, until{};
  std::string reason;  // "outbox_full", "outbox_age"
};

enum class Origin { live, resync };

struct Event {
  std::uint64_t epoch = 0, sequence = 0;  // sequence: +1 within an epoch, from 1
  Origin origin = Origin::live;
  Time received{};  // by our clock
  std::optional<Time> pbx_time;
  std::string request_id;  // of the command that caused it, if one did
  std::variant<CallEvent, DeviceEvent, LinkEvent, StreamGap> body;
};

}  // namespace call
