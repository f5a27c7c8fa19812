#include "pbx/innova360/words.h"

#include <optional>

#include "pbx/json.h"

namespace pbx::innova360 {
namespace {

using call::Activity;
using call::Availability;
using call::Cause;

template <class Meaning>
struct Word {
  std::string_view folded;  // as pbx::folded() leaves it
  Meaning meaning;
};

template <class Meaning, std::size_t N>
std::optional<Meaning> look_up(const Word<Meaning> (&words)[N], std::string_view text) {
  const std::string word = folded(text);
  for (const auto& it : words) {
    if (it.folded == word) return it.meaning;
  }
  return std::nullopt;
}

constexpr Word<Step> kSteps[] = {
    {"down", Step::down},
    {"rsrvd", Step::reserved},
    {"reserved", Step::reserved},
    {"offhook", Step::off_hook},
    {"descolgado", Step::off_hook},
    {"dialing", Step::dialing},
    {"dialling", Step::dialing},
    {"dialingoffhook", Step::dialing},
    {"marcando", Step::dialing},
    {"llamando", Step::dialing},
    {"ring", Step::ring},
    {"ringing", Step::ringing},
    {"sonando", Step::ringing},
    {"timbrando", Step::ringing},
    {"up", Step::up},
    {"answered", Step::up},
    {"connected", Step::up},
    {"contestada", Step::up},
    {"conectada", Step::up},
    {"conectado", Step::up},
    {"establecida", Step::up},
    {"hablando", Step::up},
    {"enllamada", Step::up},
    {"busy", Step::busy},
    {"ocupado", Step::busy},
    {"comunicando", Step::busy},
    {"prering", Step::pre_ring},
};

// Asterisk's AST_STATE_*, by number; 8 is "Dialing Offhook".
constexpr Step kStepsByNumber[] = {Step::down,    Step::reserved, Step::off_hook, Step::dialing,
                                   Step::ring,    Step::ringing,  Step::up,       Step::busy,
                                   Step::dialing, Step::pre_ring};

std::optional<Step> known_step(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (auto number = number_of(text)) {
    if (*number < 0 || *number >= static_cast<int>(std::size(kStepsByNumber))) return std::nullopt;
    return kStepsByNumber[*number];
  }
  return look_up(kSteps, text);
}

struct Meaning {
  Availability availability;
  Activity activity;
};
constexpr Meaning kIdle{Availability::in_service, Activity::idle};
constexpr Meaning kBusy{Availability::in_service, Activity::busy};
constexpr Meaning kRinging{Availability::in_service, Activity::ringing};
constexpr Meaning kBusyAndRinging{Availability::in_service, Activity::busy_and_ringing};
constexpr Meaning kHolding{Availability::in_service, Activity::holding};
constexpr Meaning kOutOfService{Availability::out_of_service, Activity::unknown};

constexpr Word<Meaning> kExtensionStates[] = {
    // Asterisk's extension states, by number.
    {"0", kIdle},
    {"1", kBusy},
    {"2", kBusy},
    {"4", kOutOfService},
    {"8", kRinging},
    {"9", kBusyAndRinging},
    {"16", kHolding},
    {"17", kHolding},
    // By name, with those of its device states.
    {"idle", kIdle},
    {"notinuse", kIdle},
    {"inuse", kBusy},
    {"busy", kBusy},
    {"unavailable", kOutOfService},
    {"ringing", kRinging},
    {"inuse+ringing", kBusyAndRinging},
    {"inuseringing", kBusyAndRinging},
    {"ringinuse", kBusyAndRinging},
    {"hold", kHolding},
    {"onhold", kHolding},
    {"inusehold", kHolding},
    {"removed", kOutOfService},
    {"deactivated", kOutOfService},
    {"down", kOutOfService},
    {"invalid", kOutOfService},
    // In Spanish.
    {"libre", kIdle},
    {"disponible", kIdle},
    {"enuso", kBusy},
    {"ocupado", kBusy},
    {"ocupada", kBusy},
    {"caida", kOutOfService},
    {"caido", kOutOfService},
    {"nodisponible", kOutOfService},
    {"sonando", kRinging},
    {"enespera", kHolding},
};

constexpr Word<int> kCauses[] = {
    // Asterisk's texts of Q.850 causes.
    {"normalclearing", 16},
    {"normal", 16},
    {"userbusy", 17},
    {"busy", 17},
    {"nouserresponding", 18},
    {"nouserresponse", 18},
    {"useralertingnoanswer", 19},
    {"noanswer", 19},
    {"subscriberabsent", 20},
    {"callrejected", 21},
    {"rejected", 21},
    {"numberchanged", 22},
    {"answeredelsewhere", 26},
    {"destinationoutoforder", 27},
    {"invalidnumberformat", 28},
    {"unallocated", 1},
    {"unallocatedunassignednumber", 1},
    {"unallocatednumber", 1},
    {"circuitchannelcongestion", 34},
    {"circuitcongestion", 34},
    {"congestion", 34},
    {"networkoutoforder", 38},
    {"temporaryfailure", 41},
    {"normaltemporaryfailure", 41},
    {"switchingequipmentcongestion", 42},
    {"switchcongestion", 42},
    {"unknown", 0},
    // In Spanish.
    {"finnormal", 16},
    {"colgado", 16},
    {"ocupado", 17},
    {"comunicando", 17},
    {"nocontesta", 19},
    {"sinrespuesta", 19},
    {"rechazada", 21},
    {"rechazado", 21},
    {"contestadaenotro", 26},
    {"numeronoexiste", 1},
    {"congestionada", 34},
    {"desconocida", 0},
};

// What the protocol document says of a number; for others, what Q.850 means in CSTA.
Cause meaning_of(int q850) {
  switch (q850) {
    case 0: return Cause::unspecified;
    case 1: return Cause::dest_not_obtainable;
    case 16: return Cause::normal_clearing;
    case 17: return Cause::busy;
    case 18:
    case 19: return Cause::call_not_answered;
    case 20: return Cause::dest_out_of_order;
    case 34:
    case 38:
    case 41:
    case 42: return Cause::network_congestion;
    default: return call::cause_of_q850(q850);
  }
}

bool begins(std::string_view word, std::string_view start) { return word.starts_with(start); }

}  // namespace

bool outgoing_of(std::string_view direction, std::string_view extension, std::string_view phone_a,
                 std::string_view phone_b) {
  const std::string word = folded(direction);
  if (begins(word, "in") || begins(word, "ent") || begins(word, "rec")) return false;
  if (begins(word, "out") || begins(word, "sal") || begins(word, "ori")) return true;
  if (extension == phone_a) return true;
  if (extension == phone_b) return false;
  return false;
}

Step step_of(std::string_view state, std::string_view description) {
  if (auto step = known_step(state)) return *step;
  return known_step(description).value_or(Step::unknown);
}

ExtensionState extension_state_of(std::string_view status) {
  ExtensionState state;
  state.raw = shortened(status, kWordsMax);
  std::optional<Meaning> meaning;
  if (auto number = number_of(status)) {
    // Numbers below zero are Asterisk's "removed" and "deactivated".
    meaning = *number == -1 || *number == -2 ? std::optional(kOutOfService)
                                             : look_up(kExtensionStates, std::to_string(*number));
  } else {
    meaning = look_up(kExtensionStates, status);
  }
  if (meaning) {
    state.availability = meaning->availability;
    state.activity = meaning->activity;
  }
  return state;
}

std::pair<Cause, call::VendorCause> cause_of(std::string_view cause) {
  call::VendorCause raw;
  raw.text = shortened(cause, kWordsMax);
  if (auto number = number_of(cause)) {
    if (*number > 0 && *number <= 127) raw.q850 = *number;
    return {*number >= 0 && *number <= 127 ? meaning_of(*number) : Cause::unspecified, raw};
  }
  if (auto number = look_up(kCauses, cause)) {
    if (*number > 0) raw.q850 = *number;
    return {meaning_of(*number), raw};
  }
  return {Cause::unspecified, raw};
}

std::string bridge_of(std::string_view bridge) {
  if (bridge.empty() || bridge.size() > kCallIdMax || flag_of(bridge)) return {};
  return std::string(bridge);
}

}  // namespace pbx::innova360
