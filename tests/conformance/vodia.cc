#include <algorithm>
#include <array>

#include "conformance/bench.h"

// Vodia's benches: three servers that differ in what they tell, and how.
namespace conformance {
namespace {

using simulator::vodia::Profile;

template <Profile profile>
void equip(simulator::TenantSettings& office) {
  office.vendor = simulator::Vendor::vodia;
  office.vodia.profile = profile;
  office.vodia.domain = "office.example";
  office.vodia.admin_user = "admin";
  office.vodia.admin_password = "secret";
  office.vodia.accounts = {{"600", "acds", "Support"}, {"700", "orbits", "Parking"}};
  office.engine.orbits = {"600", "700"};  // a queue without agents keeps calls, as an orbit does
}

void configure(pbx::Settings& settings, std::span<const std::string>) {
  settings.set("host", std::string("pbx.example"));
  settings.set("domain", std::string("office.example"));
  settings.set("user", std::string("208"));
  settings.set("admin_user", std::string("admin"));
  settings.set("admin_password", std::string("secret"));
}

// Servers that do not push the tenant's calls are asked for them.
void configure_legacy(pbx::Settings& settings, std::span<const std::string> extensions) {
  configure(settings, extensions);
  settings.set("poll", std::chrono::milliseconds(1'000));
}
void configure_2016(pbx::Settings& settings, std::span<const std::string> extensions) {
  configure_legacy(settings, extensions);
  std::map<std::string, pbx::Account> accounts;
  for (const std::string& number : extensions)
    accounts[number] = {number, "agent-" + number, false};
  settings.set("extensions", std::move(accounts));
  settings.set("path", std::string("/"));
  settings.set("login", std::string("password"));
  settings.set("password", std::string("agent-208"));
}
constexpr std::chrono::milliseconds kLegacyPause{3'500}, kLegacyLag{2'500};

constexpr BlindSpots kModernBlind{
    .recording_in_snapshots = "An entry says nothing of it when nobody is recorded.",
    .recorders = "A call's entry says that it is recorded, not at which extension.",
    .roles_of_joined = "An entry has one calling and one called number.",
    .failures = "There is no state for it: the entry stays as it was until it is gone.",
    .refusing = "An account is shown as busy when it is in a call.",
};
constexpr BlindSpots kLegacyBlind{
    .recording_in_snapshots = kModernBlind.recording_in_snapshots,
    .recorders = kModernBlind.recorders,
    .holder = "A state of hold is a call's, and only modern servers can be asked whose.",
    .roles_of_joined = kModernBlind.roles_of_joined,
    .third_parties = "An entry has a calling and a called number, and no list of extensions.",
    .failures = kModernBlind.failures,
    .refusing = kModernBlind.refusing,
};

// ---- What they tell otherwise, all of them.

constexpr const char* kNoReason =
    "A call that ends vanishes from the list; no reason is told, nor that it has failed before.";
constexpr const char* kTooShort = "It is over before a list could show it.";
constexpr const char* kNoForwarding = "An entry does not say that it was forwarded, or why.";
constexpr const char* kEnds = R"(
      A 201  originated, connectionCleared
      A 202  delivered, connectionCleared
      A      callCleared)";
constexpr const char* kForwarded = R"(
      A 201  originated, connectionCleared
      A 203  delivered, established, connectionCleared
      A      callCleared)";

constexpr std::array<Otherwise, 12> kAllOtherwise{{
    {"recording", R"(
      A 201  originated, recordingStarted, recordingStopped, connectionCleared
      A 202  delivered, established, connectionCleared
      A      callCleared)",
     "An entry says that it is recorded, not at which extension: the calling one stands for it."},
    {"busy", kEnds, kNoReason},
    {"unallocated", "", kTooShort},
    {"congestion", "", kTooShort},
    {"rejected", kEnds, kNoReason},
    {"no answer", kEnds, kNoReason},
    {"single-step transfer: at the phone", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, transferred, connectionCleared(transfer)
      A 203  delivered, established, connectionCleared
      A      callCleared)",
     "One party is replaced by another: of what kind the transfer was only our own command tells."},
    {"trunk anti-tromboning", R"(
      A +34600111222  originated
      A 201           delivered, established, transferred, connectionCleared(transfer)
      A +34600333444  delivered)",
     "A call stays in the list when nobody of ours is in it any more."},
    {"forward: immediate", kForwarded, kNoForwarding},
    {"forward: busy", kForwarded, kNoForwarding},
    {"forward: do not disturb", kForwarded, kNoForwarding},
    {"forward: no answer", R"(
      A 201  originated, connectionCleared
      A 202  delivered, diverted, connectionCleared(redirected)
      A 203  delivered, established, connectionCleared
      A      callCleared)",
     kNoForwarding},
}};

// ---- And those before 69.

constexpr const char* kNoHolder =
    "A state of hold is a call's, and these servers cannot be asked whose.";
constexpr const char* kTwoEnds = "An entry has two ends, and no list of extensions.";

constexpr std::array<Otherwise, 8> kLegacyOnly{{
    {"call waiting", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, connectionCleared
      A      callCleared
      B 203  originated, connectionCleared
      B 202  delivered, established, connectionCleared
      B      callCleared)",
     kNoHolder},
    {"hold and retrieve", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, connectionCleared
      A      callCleared)",
     kNoHolder},
    {"hold and retrieve: the consulted party answers", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, connectionCleared
      A      callCleared
      B 202  originated, connectionCleared
      B 203  delivered, established, connectionCleared
      B      callCleared)",
     kNoHolder},
    {"hold and retrieve: the consulted party does not answer", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, connectionCleared
      A      callCleared
      B 202  originated, connectionCleared
      B 203  delivered, connectionCleared
      B      callCleared)",
     kNoHolder},
    {"two-step transfer: completed after the answer", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, transferred, connectionCleared(transfer)
      A 203  connectionCleared
      A      callCleared
      B 202  originated, connectionCleared
      B 203  delivered, established, connectionCleared(transfer)
      B      callCleared)",
     kNoHolder},
    {"two-step transfer: completed before the answer", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, transferred, connectionCleared(transfer)
      A 203  delivered, established, connectionCleared
      A      callCleared
      B 202  originated, connectionCleared
      B 203  delivered, connectionCleared
      B      callCleared)",
     kNoHolder},
    {"conference", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, connectionCleared
      A      callCleared
      B 202  originated, connectionCleared
      B 203  delivered, established, connectionCleared
      B      callCleared)",
     kTwoEnds},
    {"conference of two incoming calls by merge", R"(
      A 202  originated, connectionCleared
      A 201  delivered, established, connectionCleared
      A      callCleared
      B 203  originated, connectionCleared
      B 201  delivered, established, connectionCleared
      B      callCleared)",
     kTwoEnds},
}};

constexpr auto kLegacyOtherwise = [] {
  std::array<Otherwise, kAllOtherwise.size() + kLegacyOnly.size()> all{};
  std::copy(kAllOtherwise.begin(), kAllOtherwise.end(), all.begin());
  std::copy(kLegacyOnly.begin(), kLegacyOnly.end(), all.begin() + kAllOtherwise.size());
  return all;
}();

constexpr const char* kSilent = "The socket has no answers to what is said on it.";

constexpr call::Service kLackedByModern[] = {call::Service::start_recording,
                                             call::Service::stop_recording};

constexpr NotOffered kNotOffered[] = {
    {"two-step transfer: to a routing point", "No account of a Vodia's is one."},
    {"single-step conference", "The protocol has no message for a conference."},
    {"blind conference", "The protocol has no message for a conference."},
    {"pickup: group", "The lists show a directed pickup."},
};

Bench legacy(const char* name, decltype(Bench::equip) equip, decltype(Bench::configure) configure) {
  return {.name = name,
          .vendor = "vodia",
          .equip = equip,
          .configure = configure,
          .blind_spots = kLegacyBlind,
          .otherwise = kLegacyOtherwise,
          .not_offered = kNotOffered,
          .silent = kSilent,
          .pause = kLegacyPause,
          .lag = kLegacyLag};
}

}  // namespace

extern const Bench kVodia70, kVodia67, kVodia2016;
const Bench kVodia70{.name = "vodia_v70",
                     .vendor = "vodia",
                     .equip = equip<Profile::v70>,
                     .configure = configure,
                     .blind_spots = kModernBlind,
                     .otherwise = kAllOtherwise,
                     .not_offered = kNotOffered,
                     .lacks = kLackedByModern};
const Bench kVodia67 = legacy("vodia_v67", equip<Profile::v67>, configure_legacy);
const Bench kVodia2016 = legacy("vodia_legacy2016", equip<Profile::legacy2016>, configure_2016);

}  // namespace conformance
