#pragma once

#include <optional>
#include <string>

namespace call {

// Why something happened: the subset of CSTA's EventCause (ECMA-285) that PBXs give us reason to
// use. The number is CSTA's own, so that a CSTA XML facade stays possible.
enum class Cause {
  unspecified = 0,  // only inside: an event that leaves the tracker never carries it

  // Normal end.
  normal_clearing = 48,
  normal = 78,
  call_cancelled = 5,
  call_not_answered = 10,
  timeout = 56,
  alert_time_expired = 60,
  queue_cleared = 82,
  switching_function_terminated = 54,

  // Busy, refused.
  busy = 3,
  do_not_disturb = 14,
  blocked = 35,
  acd_busy = 57,
  no_available_agents = 23,
  lockout = 18,

  // The number.
  dest_not_obtainable = 13,
  incompatible_destination = 15,
  number_changed = 50,
  invalid_number_format = 69,
  number_unallocated = 81,
  dest_out_of_order = 65,
  dest_detected = 64,
  reorder_tone = 29,

  // Network, resources.
  network_congestion = 20,
  network_not_obtainable = 21,
  network_signal = 46,
  network_dialling = 76,
  network_out_of_order = 77,
  resources_not_available = 30,
  trunks_busy = 33,
  selected_trunk_busy = 85,
  overflow = 26,
  maintenance = 19,

  // Forwarded, diverted.
  call_forward_immediate = 6,
  call_forward_busy = 7,
  call_forward_no_answer = 8,
  call_forward = 9,
  redirected = 28,
  call_pickup = 11,
  distributed = 38,
  entering_distribution = 42,
  recall = 27,
  recall_busy = 111,
  recall_no_answer = 113,

  // Features.
  alternate = 2,
  call_back = 4,
  camp_on = 12,
  conference = 63,
  consultation = 37,
  key_operation = 17,
  make_call = 44,
  new_call = 22,
  override_ = 24,
  park = 25,
  transfer = 32,
  single_step_transfer = 52,
  single_step_conference = 51,
  intrude = 68,
  join_call = 70,
  active_participation = 1,
  silent_participation = 31,
};

// "normalClearing": CSTA's spelling.
const char* name_of(Cause cause) noexcept;

// A call left the device unanswered for another one: its leg ends with Diverted before the terminal
// event.
bool is_diversion(Cause cause) noexcept;
// A party left the call by joining the others: its leg ends with Transferred before the terminal
// event.
bool is_transfer(Cause cause) noexcept;
// The call could not be put through (busy or refused, the number, the network): a leg that ends so
// before it ever talked has Failed before the terminal event.
bool is_failure(Cause cause) noexcept;

// The cause in the PBX's own words, beside ours: nothing that the PBX said is thrown away.
struct VendorCause {
  std::string text;
  std::optional<int> q850;
  std::optional<int> sip_status;

  bool operator==(const VendorCause&) const = default;
};

// What a Q.850 release cause means in CSTA's terms; `normal` if the number tells nothing.
Cause cause_of_q850(int q850) noexcept;

}  // namespace call
