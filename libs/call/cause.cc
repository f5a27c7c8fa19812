#include "call/cause.h"

namespace call {

const char* name_of(Cause cause) noexcept {
  switch (cause) {
    case Cause::unspecified: return "unspecified";
    case Cause::normal_clearing: return "normalClearing";
    case Cause::normal: return "normal";
    case Cause::call_cancelled: return "callCancelled";
    case Cause::call_not_answered: return "callNotAnswered";
    case Cause::timeout: return "timeout";
    case Cause::alert_time_expired: return "alertTimeExpired";
    case Cause::queue_cleared: return "queueCleared";
    case Cause::switching_function_terminated: return "switchingFunctionTerminated";
    case Cause::busy: return "busy";
    case Cause::do_not_disturb: return "doNotDisturb";
    case Cause::blocked: return "blocked";
    case Cause::acd_busy: return "aCDBusy";
    case Cause::no_available_agents: return "noAvailableAgents";
    case Cause::lockout: return "lockout";
    case Cause::dest_not_obtainable: return "destNotObtainable";
    case Cause::incompatible_destination: return "incompatibleDestination";
    case Cause::number_changed: return "numberChanged";
    case Cause::invalid_number_format: return "invalidNumberFormat";
    case Cause::number_unallocated: return "numberUnallocated";
    case Cause::dest_out_of_order: return "destOutOfOrder";
    case Cause::dest_detected: return "destDetected";
    case Cause::reorder_tone: return "reorderTone";
    case Cause::network_congestion: return "networkCongestion";
    case Cause::network_not_obtainable: return "networkNotObtainable";
    case Cause::network_signal: return "networkSignal";
    case Cause::network_dialling: return "networkDialling";
    case Cause::network_out_of_order: return "networkOutOfOrder";
    case Cause::resources_not_available: return "resourcesNotAvailable";
    case Cause::trunks_busy: return "trunksBusy";
    case Cause::selected_trunk_busy: return "selectedTrunkBusy";
    case Cause::overflow: return "overflow";
    case Cause::maintenance: return "maintenance";
    case Cause::call_forward_immediate: return "callForwardImmediate";
    case Cause::call_forward_busy: return "callForwardBusy";
    case Cause::call_forward_no_answer: return "callForwardNoAnswer";
    case Cause::call_forward: return "callForward";
    case Cause::redirected: return "redirected";
    case Cause::call_pickup: return "callPickup";
    case Cause::distributed: return "distributed";
    case Cause::entering_distribution: return "enteringDistribution";
    case Cause::recall: return "recall";
    case Cause::recall_busy: return "recallBusy";
    case Cause::recall_no_answer: return "recallNoAnswer";
    case Cause::alternate: return "alternate";
    case Cause::call_back: return "callBack";
    case Cause::camp_on: return "campOn";
    case Cause::conference: return "conference";
    case Cause::consultation: return "consultation";
    case Cause::key_operation: return "keyOperation";
    case Cause::make_call: return "makeCall";
    case Cause::new_call: return "newCall";
    case Cause::override_: return "override";
    case Cause::park: return "park";
    case Cause::transfer: return "transfer";
    case Cause::single_step_transfer: return "singleStepTransfer";
    case Cause::single_step_conference: return "singleStepConference";
    case Cause::intrude: return "intrude";
    case Cause::join_call: return "joinCall";
    case Cause::active_participation: return "activeParticipation";
    case Cause::silent_participation: return "silentParticipation";
  }
  return "unspecified";
}

bool is_diversion(Cause cause) noexcept {
  switch (cause) {
    case Cause::call_forward_immediate:
    case Cause::call_forward_busy:
    case Cause::call_forward_no_answer:
    case Cause::call_forward:
    case Cause::redirected:
    case Cause::call_pickup:
    case Cause::distributed:
    case Cause::entering_distribution: return true;
    default: return false;
  }
}

bool is_transfer(Cause cause) noexcept {
  return cause == Cause::transfer || cause == Cause::single_step_transfer;
}

bool is_failure(Cause cause) noexcept {
  switch (cause) {
    case Cause::busy:
    case Cause::do_not_disturb:
    case Cause::blocked:
    case Cause::acd_busy:
    case Cause::no_available_agents:
    case Cause::lockout:
    case Cause::dest_not_obtainable:
    case Cause::incompatible_destination:
    case Cause::number_changed:
    case Cause::invalid_number_format:
    case Cause::number_unallocated:
    case Cause::dest_out_of_order:
    case Cause::reorder_tone:
    case Cause::network_congestion:
    case Cause::network_not_obtainable:
    case Cause::network_signal:
    case Cause::network_out_of_order:
    case Cause::resources_not_available:
    case Cause::trunks_busy:
    case Cause::selected_trunk_busy:
    case Cause::maintenance: return true;
    default: return false;
  }
}

Cause cause_of_q850(int q850) noexcept {
  switch (q850) {
    case 1: return Cause::number_unallocated;
    case 2: return Cause::network_not_obtainable;   // no route to the transit network
    case 3: return Cause::dest_not_obtainable;      // no route to the destination
    case 4: return Cause::reorder_tone;             // send special information tone
    case 5: return Cause::invalid_number_format;    // misdialled trunk prefix
    case 6: return Cause::resources_not_available;  // channel unacceptable
    case 8:
    case 9: return Cause::override_;  // pre-emption
    case 16: return Cause::normal_clearing;
    case 17: return Cause::busy;
    case 18: return Cause::dest_not_obtainable;  // no user responding: not even ringing
    case 19: return Cause::call_not_answered;    // rang, was not answered
    case 20: return Cause::dest_out_of_order;    // subscriber absent: not registered
    case 21: return Cause::blocked;              // call rejected
    case 22: return Cause::number_changed;
    case 23: return Cause::redirected;
    case 25: return Cause::network_not_obtainable;  // exchange routing error
    case 26: return Cause::redirected;              // non-selected: answered elsewhere
    case 27: return Cause::dest_out_of_order;
    case 28: return Cause::invalid_number_format;
    case 29: return Cause::resources_not_available;  // facility rejected
    case 34: return Cause::trunks_busy;              // no channel available
    case 38:
    case 39: return Cause::network_out_of_order;
    case 41:                                          // temporary failure
    case 42: return Cause::network_congestion;        // switching equipment congestion
    case 43: return Cause::network_signal;            // access information discarded
    case 44: return Cause::selected_trunk_busy;       // requested channel not available
    case 46: return Cause::blocked;                   // precedence call blocked
    case 47:                                          // resources unavailable
    case 49:                                          // quality of service not available
    case 50: return Cause::resources_not_available;   // facility not subscribed
    case 52:                                          // outgoing calls barred
    case 53:                                          // outgoing calls barred within the group
    case 54:                                          // incoming calls barred
    case 55:                                          // incoming calls barred within the group
    case 57: return Cause::blocked;                   // bearer capability not authorized
    case 58:                                          // bearer capability not available now
    case 63: return Cause::resources_not_available;   // service not available
    case 65: return Cause::incompatible_destination;  // bearer capability not implemented
    case 66:                                          // channel type not implemented
    case 69:                                          // facility not implemented
    case 70:                                          // restricted bearer only
    case 79: return Cause::resources_not_available;   // service not implemented
    case 87: return Cause::blocked;                   // not a member of the closed group
    case 88: return Cause::incompatible_destination;
    case 90: return Cause::number_unallocated;      // closed user group does not exist
    case 91: return Cause::network_not_obtainable;  // invalid transit network
    case 95:                                        // what follows: protocol errors
    case 96:
    case 97:
    case 98:
    case 99:
    case 100:
    case 101:
    case 103:
    case 110:
    case 111: return Cause::network_signal;
    case 102: return Cause::timeout;  // recovery on timer expiry
    default: return Cause::normal;
  }
}

}  // namespace call
