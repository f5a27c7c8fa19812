#include "conformance/scenarios.h"

namespace conformance {
namespace {

constexpr const char* kCaller = "+34600111222";  // outside
constexpr const char* kOther = "+34600333444";
constexpr const char* kQueue = "600";  // where the vendor has one
constexpr const char* kOrbit = "700";

void talk(Office& office, const char* from, const char* to) {
  office.dial(from, to);
  office.answer(to);
}

// ---- One call.

void cleared_by_called(Office& office) {
  talk(office, "201", "202");
  office.hang_up("202");
}
void cleared_by_calling(Office& office) {
  talk(office, "201", "202");
  office.hang_up("201");
}
void from_outside(Office& office) {
  talk(office, kCaller, "201");
  office.hang_up("201");
}
void to_outside(Office& office) {
  talk(office, "201", kOther);
  office.hang_up(kOther);
}
void network_drop(Office& office) {
  talk(office, "201", "202");
  office.gateway().cut(5s);
  office.wait(10s);
  office.hang_up("202");
}
void recording(Office& office) {
  talk(office, "201", "202");
  office.record("202", true);
  office.record("202", false);
  office.hang_up("201");
}

// ---- Nobody answers.

void busy(Office& office) {
  office.set_busy("202", true);
  office.dial("201", "202");
  office.wait(5s);  // the tone
}
void unallocated(Office& office) { office.dial("201", "999"); }
void congestion(Office& office) {
  office.dial("201", kOther, {simulator::engine::Outcome::congestion, {}, {}});
}
void rejected(Office& office) {
  office.dial("201", "202");
  office.hang_up("202");
}
void not_answered(Office& office) {
  office.dial("201", "202");
  office.wait(30s);
}
void caller_abandons(Office& office) {
  office.dial("201", "202");
  office.hang_up("201");
}
void outside_caller_abandons(Office& office) {
  office.dial(kCaller, "202");
  office.hang_up(kCaller);
}

// ---- Two calls of one device.

void call_waiting(Office& office) {
  talk(office, "201", "202");
  talk(office, "203", "202");
  office.hang_up("203");
  office.retrieve("202");
  office.hang_up("201");
}
void hold_and_retrieve(Office& office) {
  talk(office, "201", "202");
  office.hold("202");
  office.retrieve("202");
  office.hang_up("202");
}
void consulted_answers(Office& office) {
  talk(office, "201", "202");
  talk(office, "202", "203");
  office.hang_up("203");
  office.retrieve("202");
  office.hang_up("202");
}
void consulted_does_not_answer(Office& office) {
  talk(office, "201", "202");
  office.dial("202", "203");
  office.hang_up("202");
  office.retrieve("202");
  office.hang_up("202");
}

// ---- Transfers.

void single_step(Office& office) {
  talk(office, "201", "202");
  office.single_step_transfer("202", "203");
  office.wait(5s);
  office.hang_up("203");
}
void single_step_from_outside(Office& office) {
  talk(office, kCaller, "202");
  office.single_step_transfer("202", "203");
  office.wait(5s);
  office.hang_up("203");
}
void single_step_to_outside(Office& office) {
  talk(office, "201", "202");
  office.single_step_transfer("202", kOther);
  office.wait(10s);
  office.hang_up("201");
}
void at_the_phone(Office& office) {
  talk(office, "201", "202");
  office.transfer("202", "203");
  office.answer("203");
  office.hang_up("203");
}
void two_step_after_answer(Office& office) {
  talk(office, "201", "202");
  talk(office, "202", "203");
  office.complete_transfer("202");
  office.hang_up("201");
}
void two_step_before_answer(Office& office) {
  talk(office, "201", "202");
  office.dial("202", "203");
  office.complete_transfer("202");
  office.answer("203");
  office.hang_up("201");
}
void mute(Office& office) {
  talk(office, "201", "202");
  Gateway& gateway = office.gateway();
  (void)gateway.phones().originate("202", "203", {}, gateway.now());
  office.complete_transfer("202");
  office.answer("203");
  office.hang_up("201");
}
void anti_tromboning(Office& office) {
  talk(office, kCaller, "201");
  office.transfer("201", kOther);  // both parties are outside now: nobody of ours is in it
  office.wait(10s);
}

// ---- Conferences.

void conference(Office& office) {
  talk(office, "201", "202");
  talk(office, "202", "203");
  office.conference("202");
  office.hang_up("203");
  office.hang_up("201");
}
void merge(Office& office) {
  talk(office, "202", "201");
  talk(office, "203", "201");
  office.conference("201");
  office.hang_up("203");
  office.hang_up("201");
}

// ---- Calls that come up elsewhere.

void pickup(Office& office) {
  office.dial("201", "202");
  office.wait(8s);
  office.pick_up("203", "202");
  office.hang_up("203");
}
void deflected(Office& office) {
  office.dial("201", "202");
  office.deflect("202", "203");
  office.answer("203");
  office.hang_up("203");
}
void forward_immediate(Office& office) {
  office.forward("202", {"203", "", ""});
  office.dial("201", "202");
  office.answer("203");
  office.hang_up("203");
}
void forward_busy(Office& office) {
  office.forward("202", {"", "203", ""});
  office.set_busy("202", true);
  office.dial("201", "202");
  office.answer("203");
  office.hang_up("203");
}
void forward_dnd(Office& office) {
  office.forward("202", {"", "203", ""});
  office.set_do_not_disturb("202", true);
  office.dial("201", "202");
  office.answer("203");
  office.hang_up("203");
}
void forward_no_answer(Office& office) {
  office.forward("202", {"", "", "203"});
  office.dial("201", "202");
  office.wait(20s);
  office.answer("203");
  office.hang_up("203");
}

void abandons_queued(Office& office) {
  office.dial(kCaller, kQueue);
  office.wait(5s);
  office.hang_up(kCaller);
}
void two_step_to_queue(Office& office) {
  talk(office, kCaller, "202");
  office.dial("202", kQueue);
  office.complete_transfer("202");
  office.hang_up(kCaller);
}
void parked(Office& office) {
  talk(office, "201", "202");
  office.transfer("202", kOrbit);
  office.wait(5s);
  office.pick_up("203", kOrbit);
  office.hang_up("203");
}

// csta.md section 9 names them; more besides do no harm.
constexpr Scenario kScenarios[] = {
    {"make, answer, clear: by the called", cleared_by_called, R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, connectionCleared
      A      callCleared)"},
    {"make, answer, clear: by the calling", cleared_by_calling, R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, connectionCleared
      A      callCleared)"},
    {"make, answer, clear: from outside", from_outside, R"(
      A +34600111222  originated, connectionCleared
      A 201           delivered, established, connectionCleared
      A               callCleared)"},
    {"make, answer, clear: to outside", to_outside, R"(
      A 201           originated, connectionCleared
      A +34600333444  delivered, established, connectionCleared
      A               callCleared)"},
    {"network drop in mid-call", network_drop, R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, connectionCleared
      A      callCleared)"},
    {"recording", recording, R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, recordingStarted, recordingStopped, connectionCleared
      A      callCleared)"},

    {"busy", busy, R"(
      A 201  originated, failed(busy), connectionCleared(busy)
      A      callCleared(busy))"},
    {"unallocated", unallocated, R"(
      A 201  originated, failed(numberUnallocated), connectionCleared(numberUnallocated)
      A      callCleared(numberUnallocated))"},
    {"congestion", congestion, R"(
      A 201  originated, failed(networkCongestion), connectionCleared(networkCongestion)
      A      callCleared(networkCongestion))"},
    {"rejected", rejected, R"(
      A 201  originated, failed(blocked), connectionCleared(blocked)
      A 202  delivered, connectionCleared
      A      callCleared(blocked))"},
    {"no answer", not_answered, R"(
      A 201  originated, failed(callNotAnswered), connectionCleared(callNotAnswered)
      A 202  delivered, connectionCleared(callNotAnswered)
      A      callCleared(callNotAnswered))"},
    {"caller abandons", caller_abandons, R"(
      A 201  originated, connectionCleared
      A 202  delivered, connectionCleared
      A      callCleared)"},
    {"caller abandons: from outside", outside_caller_abandons, R"(
      A +34600111222  originated, connectionCleared
      A 202           delivered, connectionCleared
      A               callCleared)"},
    {"caller abandons while queued", abandons_queued, R"(
      A +34600111222  originated, connectionCleared
      A 600           queued, connectionCleared
      A               callCleared)",
     true},

    {"call waiting", call_waiting, R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, held, retrieved, connectionCleared
      A      callCleared
      B 203  originated, connectionCleared
      B 202  delivered, established, connectionCleared
      B      callCleared)"},
    {"hold and retrieve", hold_and_retrieve, R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, held, retrieved, connectionCleared
      A      callCleared)"},
    {"hold and retrieve: the consulted party answers", consulted_answers, R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, held, retrieved, connectionCleared
      A      callCleared
      B 202  originated, connectionCleared
      B 203  delivered, established, connectionCleared
      B      callCleared)"},
    {"hold and retrieve: the consulted party does not answer", consulted_does_not_answer, R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, held, retrieved, connectionCleared
      A      callCleared
      B 202  originated, connectionCleared
      B 203  delivered, connectionCleared
      B      callCleared)"},

    {"single-step transfer: in", single_step_from_outside, R"(
      A +34600111222  originated, connectionCleared
      A 202           delivered, established, transferred(singleStepTransfer), connectionCleared(singleStepTransfer)
      A 203           delivered, established, connectionCleared
      A               callCleared)"},
    {"single-step transfer: internal", single_step, R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, transferred(singleStepTransfer), connectionCleared(singleStepTransfer)
      A 203  delivered, established, connectionCleared
      A      callCleared)"},
    {"single-step transfer: outbound", single_step_to_outside, R"(
      A 201           originated, connectionCleared
      A 202           delivered, established, transferred(singleStepTransfer), connectionCleared(singleStepTransfer)
      A +34600333444  delivered, established, connectionCleared
      A               callCleared)"},
    {"single-step transfer: at the phone", at_the_phone, R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, transferred(singleStepTransfer), connectionCleared(singleStepTransfer)
      A 203  delivered, established, connectionCleared
      A      callCleared)"},
    {"mute transfer", mute, R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, transferred, connectionCleared(transfer)
      A 203  delivered, established, connectionCleared
      A      callCleared)"},
    {"two-step transfer: completed after the answer", two_step_after_answer, R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, held, transferred, connectionCleared(transfer)
      A 203  connectionCleared
      A      callCleared
      B 202  originated, connectionCleared
      B 203  delivered, established, connectionCleared(transfer)
      B      callCleared)"},
    {"two-step transfer: completed before the answer", two_step_before_answer, R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, held, transferred, connectionCleared(transfer)
      A 203  delivered, established, connectionCleared
      A      callCleared
      B 202  originated, connectionCleared
      B 203  delivered, connectionCleared
      B      callCleared)"},
    {"two-step transfer: to an ACD", two_step_to_queue, R"(
      A +34600111222  originated, connectionCleared
      A 202           delivered, established, held, transferred, connectionCleared(transfer)
      A 600           queued, connectionCleared
      A               callCleared
      B 202           originated, connectionCleared
      B 600           queued, connectionCleared
      B               callCleared)",
     true},
    {"two-step transfer: to a routing point", nullptr, nullptr},
    {"trunk anti-tromboning", anti_tromboning, R"(
      A +34600111222  originated, connectionCleared
      A 201           delivered, established, transferred(singleStepTransfer), connectionCleared(singleStepTransfer)
      A               callCleared)"},

    {"conference", conference, R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, held, retrieved, connectionCleared
      A 203  conferenced, connectionCleared
      A      callCleared
      B 202  originated, connectionCleared
      B 203  delivered, established, connectionCleared(conference)
      B      callCleared)"},
    {"single-step conference", nullptr, nullptr},
    {"blind conference", nullptr, nullptr},
    {"conference of two incoming calls by merge", merge, R"(
      A 202  originated, connectionCleared
      A 201  delivered, established, held, retrieved, connectionCleared
      A 203  conferenced, connectionCleared
      A      callCleared
      B 203  originated, connectionCleared(conference)
      B 201  delivered, established, connectionCleared
      B      callCleared)"},

    {"park and retrieve", parked, R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, connectionCleared(park)
      A 700  queued, diverted(callPickup), connectionCleared(callPickup)
      A 203  delivered, established, connectionCleared
      A      callCleared)",
     true},
    {"pickup: directed", pickup, R"(
      A 201  originated, connectionCleared
      A 202  delivered, diverted(callPickup), connectionCleared(callPickup)
      A 203  delivered, established, connectionCleared
      A      callCleared)"},
    {"pickup: group", nullptr, nullptr},
    {"deflect", deflected, R"(
      A 201  originated, connectionCleared
      A 202  delivered, diverted, connectionCleared(redirected)
      A 203  delivered, established, connectionCleared
      A      callCleared)"},
    {"forward: immediate", forward_immediate, R"(
      A 201  originated, connectionCleared
      A 203  delivered(callForwardImmediate), established, connectionCleared
      A      callCleared)"},
    {"forward: busy", forward_busy, R"(
      A 201  originated, connectionCleared
      A 203  delivered(callForwardBusy), established, connectionCleared
      A      callCleared)"},
    {"forward: do not disturb", forward_dnd, R"(
      A 201  originated, connectionCleared
      A 203  delivered(callForward), established, connectionCleared
      A      callCleared)"},
    {"forward: no answer", forward_no_answer, R"(
      A 201  originated, connectionCleared
      A 202  delivered, diverted(callForwardNoAnswer), connectionCleared(callForwardNoAnswer)
      A 203  delivered(callForwardNoAnswer), established, connectionCleared
      A      callCleared)"},
};

}  // namespace

std::span<const Scenario> scenarios() { return kScenarios; }

bool can_run(const Bench& bench, const Scenario& scenario) {
  return scenario.play && !(scenario.with_accounts && not_offered(bench, scenario.name));
}

const Scenario* find_scenario(std::string_view name) {
  for (const Scenario& it : kScenarios) {
    if (it.name == name) return &it;
  }
  return nullptr;
}

}  // namespace conformance
