#include "conformance/bench.h"

// Webitel's benches: one whose users have no sockets of their own, so that their calls are read in
// lists, and one in which every user has one.
namespace conformance {
namespace {

void equip(simulator::TenantSettings& office) {
  office.vendor = simulator::Vendor::webitel;
  office.webitel.token = "gateway-token";
  office.engine.orbits = {"600", "700"};
  for (const std::string& number : office.engine.extensions) {
    if (number < "600") office.webitel.agents.push_back(number);
  }
}

void configure(pbx::Settings& settings, std::span<const std::string>) {
  settings.set("host", std::string("pbx.example"));
  settings.set("token", std::string("gateway-token"));
  settings.set("snapshot_interval", std::chrono::milliseconds(1'000));
  settings.set("people_interval", std::chrono::milliseconds(1'000));
}
void configure_users(pbx::Settings& settings, std::span<const std::string> extensions) {
  configure(settings, extensions);
  std::map<std::string, std::string> tokens;
  for (const std::string& number : extensions) tokens[number] = "token-" + number;
  settings.set("user_sockets", std::string("listed"));
  settings.set("user_tokens", std::move(tokens));
}

// What is not told is in the next list; that a leg is gone, in the one after it.
constexpr std::chrono::milliseconds kPause{3'500}, kLag{2'500};

// ---- What nobody can see, with or without sockets.

constexpr const char* kNoConference =
    "Webitel has no conferences; phones that make one tell the "
    "PBX nothing of it.";
constexpr const char* kNoQueueLeg =
    "A call that waits in a queue is nobody's leg; who waits is seen when an agent's phone rings.";
constexpr const char* kNoForwarding = "A leg does not say that it was forwarded, or why.";
constexpr const char* kNoParking = "Webitel has no places to park calls at.";

constexpr const char* kBothUp = "Two legs can be joined when both are answered (call_bridge).";

constexpr BlindSpots kBlind{
    .joins =
        "Until it is answered, a leg that a transfer has joined points to the one that made it.",
    .recordings = "A leg says that it was recorded when it has ended.",
    .conferences = kNoConference,
    .failures = "A leg says that the call has failed when it ends, after the tone.",
    .parked_at = kNoParking,
    .refusing = "Presence says that somebody talks, and not that a phone refuses calls.",
};

constexpr const char* kNods = "OK says that a command was taken, not that anything came of it.";

constexpr NotOffered kNotOffered[] = {
    {"mute transfer", kBothUp, true},
    {"two-step transfer: completed before the answer", kBothUp, true},
    {"caller abandons while queued", kNoQueueLeg},
    {"two-step transfer: to an ACD", kNoQueueLeg},
    {"two-step transfer: to a routing point", kNoQueueLeg},
    {"single-step conference", kNoConference},
    {"blind conference", kNoConference},
    {"park and retrieve", kNoParking},
    {"pickup: group", "A leg that was picked off says so, and not by whose button."},
};

// ---- What is told otherwise, with sockets and without.

constexpr const char* kLater = "A leg says that it was recorded when it has ended.";
constexpr const char* kStillThere =
    "A call stays in the list when nobody of ours is in it any more.";
constexpr Otherwise kRecording{"recording", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, connectionCleared
      A      callCleared)",
                               kLater};
constexpr Otherwise kTromboning{"trunk anti-tromboning", R"(
      A +34600111222  originated
      A 201           delivered, established, transferred(singleStepTransfer), connectionCleared(singleStepTransfer)
      A +34600333444  delivered)",
                                kStillThere};
constexpr Otherwise kConference{"conference", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, held, retrieved, connectionCleared
      A      callCleared
      B 202  originated, connectionCleared
      B 203  delivered, established, connectionCleared
      B      callCleared)",
                                kNoConference};
constexpr Otherwise kMerge{"conference of two incoming calls by merge", R"(
      A 202  originated, connectionCleared
      A 201  delivered, established, held, retrieved, connectionCleared
      A      callCleared
      B 203  originated, connectionCleared
      B 201  delivered, established, connectionCleared
      B      callCleared)",
                           kNoConference};

constexpr Otherwise kForwardImmediate{"forward: immediate", R"(
      A 201  originated, connectionCleared
      A 203  delivered, established, connectionCleared
      A      callCleared)",
                                      kNoForwarding};
constexpr Otherwise kForwardBusy{"forward: busy", kForwardImmediate.told, kNoForwarding};
constexpr Otherwise kForwardRefused{"forward: do not disturb", kForwardImmediate.told,
                                    kNoForwarding};

constexpr Otherwise kTwoStep{"two-step transfer: completed after the answer", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, held, transferred, connectionCleared(transfer)
      A 203  connectionCleared
      A      callCleared
      B 202  originated, connectionCleared
      B 203  delivered, established, connectionCleared(transfer)
      B      callCleared(transfer))",
                             "Both legs of who transferred end by it; the last one's reason is the "
                             "call's."};

// ---- With sockets.

constexpr const char* kCancelled = "The PBX says that the caller gave up.";

constexpr Otherwise kWithSockets[] = {
    kRecording,
    kTromboning,
    kConference,
    kMerge,
    kForwardImmediate,
    kForwardBusy,
    kForwardRefused,
    {"caller abandons", R"(
      A 201  originated, connectionCleared(callCancelled)
      A 202  delivered, connectionCleared(callCancelled)
      A      callCleared(callCancelled))",
     kCancelled},
    {"caller abandons: from outside", R"(
      A +34600111222  originated, connectionCleared
      A 202           delivered, connectionCleared(callCancelled)
      A               callCleared)",
     kCancelled},
    {"hold and retrieve: the consulted party does not answer", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, held, retrieved, connectionCleared
      A      callCleared
      B 202  originated, connectionCleared(callCancelled)
      B 203  delivered, connectionCleared(callCancelled)
      B      callCleared(callCancelled))",
     kCancelled},
    kTwoStep,
    {"forward: no answer", R"(
      A 201  originated, connectionCleared
      A 202  delivered, connectionCleared(callNotAnswered)
      A 203  delivered, established, connectionCleared
      A      callCleared)",
     kNoForwarding},
};

// ---- Without.

constexpr const char* kNoReason = "A list does not say why a leg has ended.";
constexpr const char* kTooShort = "It is over before a list could show it.";
constexpr const char* kEnds = R"(
      A 201  originated, connectionCleared
      A 202  delivered, connectionCleared
      A      callCleared)";
constexpr const char* kElsewhere = R"(
      A 201  originated, connectionCleared
      A 202  delivered, connectionCleared
      A 203  delivered, established, connectionCleared
      A      callCleared)";

constexpr Otherwise kWithout[] = {
    kRecording,
    kTromboning,
    kConference,
    kMerge,
    kForwardImmediate,
    kForwardBusy,
    kForwardRefused,
    {"busy", R"(
      A 201  originated, connectionCleared
      A      callCleared)",
     kNoReason},
    {"unallocated", "", kTooShort},
    {"congestion", "", kTooShort},
    {"rejected", kEnds, kNoReason},
    {"no answer", kEnds, kNoReason},
    kTwoStep,
    {"pickup: directed", kElsewhere, kNoReason},
    {"deflect", kElsewhere, kNoReason},
    {"forward: no answer", kElsewhere, kNoReason},
};

}  // namespace

extern const Bench kWebitel, kWebitelUsers;
const Bench kWebitel{.name = "webitel",
                     .vendor = "webitel",
                     .equip = equip,
                     .configure = configure,
                     .blind_spots = kBlind,
                     .otherwise = kWithout,
                     .not_offered = kNotOffered,
                     .nods = kNods,
                     .pause = kPause,
                     .lag = kLag};
const Bench kWebitelUsers{.name = "webitel_users",
                          .vendor = "webitel",
                          .equip = equip,
                          .configure = configure_users,
                          .blind_spots = kBlind,
                          .otherwise = kWithSockets,
                          .not_offered = kNotOffered,
                          .nods = kNods,
                          .pause = kPause,
                          .lag = kLag};

}  // namespace conformance
