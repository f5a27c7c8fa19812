#include "conformance/bench.h"

// Webitel's benches: one whose users have no sockets of their own, so that their calls are read in
// lists, and one in which every user has one.
namespace conformance {
namespace {

void equip(simulator::TenantSettings& office) {
  office.vendor = simulator::Vendor::webitel;
  office.webitel.token = "gateway-token";
  office.engine.orbits = {"600", "700"};
}

void configure(pbx::Settings& settings, std::span<const std::string>) {
  settings.set("host", std::string("pbx.example"));
  settings.set("token", std::string("gateway-token"));
}
void configure_users(pbx::Settings& settings, std::span<const std::string> extensions) {
  configure(settings, extensions);
  std::map<std::string, std::string> tokens;
  for (const std::string& number : extensions) tokens[number] = "token-" + number;
  settings.set("user_sockets", std::string("listed"));
  settings.set("user_tokens", std::move(tokens));
}

// ---- What nobody can see, with or without sockets.

constexpr const char* kNoConference =
    "Webitel has no conferences; phones that make one tell the "
    "PBX nothing of it.";
constexpr const char* kNoQueueLeg =
    "A call that waits in a queue is nobody's leg; who waits is seen when an agent's phone rings.";
constexpr const char* kNoForwarding = "A leg does not say that it was forwarded, or why.";
constexpr const char* kNoParking = "Webitel has no places to park calls at.";
constexpr const char* kUserLegs = "Legs are told of users; the trunk's are in lists only.";

constexpr BlindSpots kBlind{
    .joins = kNoConference,
    .recordings = "A leg says that it was recorded when it has ended.",
    .outside_calls = kUserLegs,
    .parked_at = kNoParking,
    .refusing = "Presence says that somebody talks, and not that a phone refuses calls.",
};

constexpr NotOffered kNotOffered[] = {
    {"caller abandons while queued", kNoQueueLeg},
    {"two-step transfer: to an ACD", kNoQueueLeg},
    {"two-step transfer: to a routing point", kNoQueueLeg},
    {"single-step conference", kNoConference},
    {"blind conference", kNoConference},
    {"park and retrieve", kNoParking},
    {"pickup: group", "A leg that was picked off says so, and not by whose button."},
};

}  // namespace

extern const Bench kWebitel, kWebitelUsers;
const Bench kWebitel{.name = "webitel",
                     .vendor = "webitel",
                     .equip = equip,
                     .configure = configure,
                     .blind_spots = kBlind,
                     .not_offered = kNotOffered,
                     .pause = std::chrono::milliseconds(8'000),
                     .lag = std::chrono::milliseconds(6'000)};
const Bench kWebitelUsers{.name = "webitel_users",
                          .vendor = "webitel",
                          .equip = equip,
                          .configure = configure_users,
                          .blind_spots = kBlind,
                          .not_offered = kNotOffered,
                          .pause = std::chrono::milliseconds(8'000),
                          .lag = std::chrono::milliseconds(6'000)};

}  // namespace conformance
