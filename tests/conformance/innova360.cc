#include "conformance/bench.h"

// Innova360's bench.
namespace conformance {
namespace {

void equip(simulator::TenantSettings& office) {
  office.innova360.supervisor_user = "boss";
  office.innova360.supervisor_password = "secret";
}

void configure(pbx::Settings& settings, std::span<const std::string> extensions) {
  settings.set("user", std::string("boss"));
  settings.set("password", std::string("secret"));
  std::map<std::string, pbx::Account> agents;
  for (const std::string& number : extensions) {
    agents[number] = {number, "agent-" + number, false};
  }
  settings.set("agents", std::move(agents));
}

constexpr const char* kJoins =
    "No message says who talks to whom: the parties stay where they began until they hang up, or "
    "until a snapshot shows their Bridge.";
constexpr const char* kForwards = "No message says that a call was forwarded, or why.";
constexpr const char* kAtThePhone =
    "The transferring leg's hangup comes before anything that could tell it from another.";
constexpr const char* kParticipants =
    "The protocol has no message for a conference, and none for who joined it.";
constexpr const char* kExtensionsOnly = "The protocol shows extensions only.";

constexpr const char* kConsultationAlone = R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, held, retrieved, connectionCleared
      A      callCleared
      B 202  originated, connectionCleared
      B 203  delivered, established, connectionCleared
      B      callCleared)";
constexpr const char* kForwarded = R"(
      A 201  originated, connectionCleared
      A 203  delivered, established, connectionCleared
      A      callCleared)";

constexpr Otherwise kOtherwise[] = {
    {"unallocated", R"(
      A 201  originated, failed(destNotObtainable), connectionCleared(destNotObtainable)
      A      callCleared(destNotObtainable))",
     "The protocol's description gives cause 1 this meaning."},
    {"single-step transfer: outbound", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, transferred(singleStepTransfer), connectionCleared(singleStepTransfer)
      A      callCleared)",
     "The party outside has no leg, and the leg that stays says nothing of its new partner."},
    {"single-step transfer: at the phone", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, connectionCleared
      A 203  delivered, established, connectionCleared
      A      callCleared)",
     kAtThePhone},
    {"trunk anti-tromboning", R"(
      A +34600111222  originated, connectionCleared
      A 201           delivered, established, connectionCleared
      A               callCleared)",
     kAtThePhone},
    {"mute transfer", kConsultationAlone, kJoins},
    {"two-step transfer: completed after the answer", kConsultationAlone, kJoins},
    {"two-step transfer: completed before the answer", kConsultationAlone, kJoins},
    {"deflect", R"(
      A 201  originated, connectionCleared
      A 202  delivered, diverted(callPickup), connectionCleared(callPickup)
      A 203  delivered, established, connectionCleared
      A      callCleared)",
     "Cause 26, answered elsewhere, is all that is said."},
    {"forward: immediate", kForwarded, kForwards},
    {"forward: busy", kForwarded, kForwards},
    {"forward: do not disturb", kForwarded, kForwards},
    {"forward: no answer", R"(
      A 201  originated, connectionCleared
      A 202  delivered, connectionCleared(callNotAnswered)
      A 203  delivered, established, connectionCleared
      A      callCleared)",
     kForwards},
};

constexpr NotOffered kNotOffered[] = {
    {"caller abandons while queued", kExtensionsOnly},
    {"two-step transfer: to an ACD", kExtensionsOnly},
    {"two-step transfer: to a routing point", kExtensionsOnly},
    {"park and retrieve", kExtensionsOnly},
    {"pickup: group", "Groups are not shown; at the phones it is a directed pickup."},
    {"conference", kParticipants},
    {"single-step conference", kParticipants},
    {"blind conference", kParticipants},
    {"conference of two incoming calls by merge", kParticipants},
};

// What the documentation leaves open. Not among them: Bridge as a bridge's id or as a flag, which
// does not say with whom a transferred party rings.
using V = simulator::innova360::Variants;
template <auto V::*field, auto value>
constexpr Variant variant(const char* name) {
  return {name,
          [](simulator::TenantSettings& office) { office.innova360.variants.*field = value; }};
}
constexpr Variant kVariants[] = {
    variant<&V::data, V::Container::keyed>("data: keyed"),
    variant<&V::calls, V::Container::keyed>("calls: keyed"),
    variant<&V::calls, V::Container::object>("calls: object"),
    variant<&V::no_calls, V::NoCalls::absent>("no_calls: absent"),
    variant<&V::no_calls, V::NoCalls::null>("no_calls: null"),
    variant<&V::numbers, V::Numbers::numbers>("numbers: numbers"),
    variant<&V::booleans, V::Booleans::yes>("booleans: yes"),
    variant<&V::booleans, V::Booleans::digit>("booleans: digit"),
    variant<&V::status, V::Words::text>("status: text"),
    variant<&V::status, V::Words::constant>("status: constant"),
    variant<&V::call_state, V::CallState::number>("call_state: number"),
    variant<&V::call_state, V::CallState::text>("call_state: text"),
    variant<&V::cause, V::Words::text>("cause: text"),
    variant<&V::direction, V::Direction::spanish>("direction: spanish"),
    variant<&V::direction, V::Direction::unknown>("direction: unknown"),
    variant<&V::server, false>("server: false"),
    variant<&V::callback_progress, false>("callback_progress: false"),
    variant<&V::call_ids, V::CallIds::call>("call_ids: call"),
    variant<&V::auth_ok, V::AuthOk::auth_ok>("auth_ok: auth-ok"),
    variant<&V::music, V::Music::heard>("music: heard"),
    variant<&V::supervisor_extension, V::Presence::account>("supervisor_extension: account"),
};

}  // namespace

extern const Bench kInnova360;
const Bench kInnova360{
    .name = "innova360",
    .vendor = "innova360",
    .equip = equip,
    .configure = configure,
    .blind_spots = {.joins = "No message says who talks to whom; Bridge in a snapshot does.",
                    .outside_of_transfers = "No message says to whom outside a call was "
                                            "transferred.",
                    .recording_in_snapshots = "A snapshot's calls have no such field.",
                    .outside_calls = "Only legs of extensions are told."},
    .otherwise = kOtherwise,
    .not_offered = kNotOffered,
    .variants = kVariants};

}  // namespace conformance
