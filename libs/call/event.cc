#include "call/event.h"

namespace call {

const char* name_of(CallEventType type) noexcept {
  switch (type) {
    case CallEventType::service_initiated: return "serviceInitiated";
    case CallEventType::originated: return "originated";
    case CallEventType::digits_dialed: return "digitsDialed";
    case CallEventType::network_reached: return "networkReached";
    case CallEventType::offered: return "offered";
    case CallEventType::delivered: return "delivered";
    case CallEventType::queued: return "queued";
    case CallEventType::established: return "established";
    case CallEventType::held: return "held";
    case CallEventType::retrieved: return "retrieved";
    case CallEventType::diverted: return "diverted";
    case CallEventType::conferenced: return "conferenced";
    case CallEventType::transferred: return "transferred";
    case CallEventType::failed: return "failed";
    case CallEventType::connection_cleared: return "connectionCleared";
    case CallEventType::call_cleared: return "callCleared";
    case CallEventType::bridged: return "bridged";
    case CallEventType::call_information: return "callInformation";
    case CallEventType::recording_started: return "recordingStarted";
    case CallEventType::recording_stopped: return "recordingStopped";
  }
  return "callInformation";
}

const char* name_of(DeviceEventType type) noexcept {
  switch (type) {
    case DeviceEventType::added: return "added";
    case DeviceEventType::removed: return "removed";
    case DeviceEventType::back_in_service: return "backInService";
    case DeviceEventType::out_of_service: return "outOfService";
    case DeviceEventType::activity_changed: return "activityChanged";
    case DeviceEventType::do_not_disturb: return "doNotDisturb";
    case DeviceEventType::forwarding: return "forwarding";
    case DeviceEventType::presence_state: return "presenceState";
    case DeviceEventType::agent_state: return "agentState";
    case DeviceEventType::information: return "information";
  }
  return "information";
}

const char* name_of(LinkState state) noexcept {
  switch (state) {
    case LinkState::unowned: return "unowned";
    case LinkState::connecting: return "connecting";
    case LinkState::logging_in: return "loggingIn";
    case LinkState::synchronizing: return "synchronizing";
    case LinkState::up: return "up";
    case LinkState::backing_off: return "backingOff";
    case LinkState::awaiting_pbx: return "awaitingPbx";
  }
  return "unowned";
}

Cause default_cause(CallEventType type) noexcept {
  switch (type) {
    case CallEventType::service_initiated:
    case CallEventType::originated:
    case CallEventType::digits_dialed:
    case CallEventType::network_reached:
    case CallEventType::offered:
    case CallEventType::delivered:
    case CallEventType::established: return Cause::new_call;
    case CallEventType::diverted: return Cause::redirected;
    case CallEventType::conferenced: return Cause::conference;
    case CallEventType::transferred: return Cause::transfer;
    case CallEventType::connection_cleared:
    case CallEventType::call_cleared: return Cause::normal_clearing;
    case CallEventType::queued:
    case CallEventType::held:
    case CallEventType::retrieved:
    case CallEventType::failed:
    case CallEventType::bridged:
    case CallEventType::call_information:
    case CallEventType::recording_started:
    case CallEventType::recording_stopped: return Cause::normal;
  }
  return Cause::normal;
}

}  // namespace call
