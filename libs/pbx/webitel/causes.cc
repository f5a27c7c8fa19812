#include "pbx/webitel/causes.h"

#include <utility>

namespace pbx::webitel {

using call::Cause;

// Where the protocol document names a coarser cause than CSTA has (UNALLOCATED_NUMBER), CSTA's own
// is taken, which the other vendors' consumers get for the same Q.850 cause.
Cause cause_of(std::string_view name) {
  constexpr std::pair<std::string_view, Cause> kCauses[] = {
      {"NORMAL_CLEARING", Cause::normal_clearing},
      {"NORMAL_UNSPECIFIED", Cause::normal},
      {"USER_BUSY", Cause::busy},
      {"NO_ANSWER", Cause::call_not_answered},
      {"NO_USER_RESPONSE", Cause::call_not_answered},
      {"ALLOTTED_TIMEOUT", Cause::call_not_answered},
      {"PROGRESS_TIMEOUT", Cause::call_not_answered},
      {"CALL_REJECTED", Cause::blocked},
      {"USER_CHALLENGE", Cause::blocked},
      {"ORIGINATOR_CANCEL", Cause::call_cancelled},
      {"USER_NOT_REGISTERED", Cause::dest_out_of_order},
      {"SUBSCRIBER_ABSENT", Cause::dest_out_of_order},
      {"DESTINATION_OUT_OF_ORDER", Cause::dest_out_of_order},
      {"UNALLOCATED_NUMBER", Cause::number_unallocated},
      {"INVALID_NUMBER_FORMAT", Cause::invalid_number_format},
      {"NUMBER_CHANGED", Cause::number_changed},
      {"NO_ROUTE_DESTINATION", Cause::dest_not_obtainable},
      {"NO_ROUTE_TRANSIT_NET", Cause::network_not_obtainable},
      {"INCOMPATIBLE_DESTINATION", Cause::incompatible_destination},
      {"BLIND_TRANSFER", Cause::single_step_transfer},
      {"ATTENDED_TRANSFER", Cause::transfer},
      {"REDIRECTION_TO_NEW_DESTINATION", Cause::redirected},
      {"LOSE_RACE", Cause::call_pickup},
      {"PICKED_OFF", Cause::call_pickup},
      {"OUTGOING_CALL_BARRED", Cause::blocked},
      {"INCOMING_CALL_BARRED", Cause::blocked},
      {"BEARERCAPABILITY_NOTAUTH", Cause::blocked},
      {"NORMAL_CIRCUIT_CONGESTION", Cause::trunks_busy},
      {"SWITCH_CONGESTION", Cause::network_congestion},
      {"NORMAL_TEMPORARY_FAILURE", Cause::network_congestion},
      {"NETWORK_OUT_OF_ORDER", Cause::network_out_of_order},
      {"GATEWAY_DOWN", Cause::network_out_of_order},
      {"MEDIA_TIMEOUT", Cause::network_not_obtainable},
      {"RECOVERY_ON_TIMER_EXPIRE", Cause::timeout},
      {"SYSTEM_SHUTDOWN", Cause::resources_not_available},
      {"MANAGER_REQUEST", Cause::normal_clearing},
  };
  for (const auto& [its_name, cause] : kCauses) {
    if (name == its_name) return cause;
  }
  return Cause::unspecified;
}

}  // namespace pbx::webitel
