#include "conformance/bench.h"

// innovaphone's benches: one PBX that we dial, and a master and a slave that dial us.
namespace conformance {
namespace {

using simulator::innovaphone::AppObject;
using simulator::innovaphone::PbxSettings;
using simulator::innovaphone::Profile;

constexpr const char* kPassword = "app-secret";

AppObject& equip(simulator::TenantSettings& office) {
  office.vendor = simulator::Vendor::innovaphone;
  office.innovaphone.profile = Profile::v14r1;
  office.innovaphone.domain = "office.example";
  office.engine.orbits = {"700"};
  AppObject app;
  app.name = "gateway";
  app.password = kPassword;
  office.innovaphone.apps = {app};
  return office.innovaphone.apps.front();
}

void equip_outbound(simulator::TenantSettings& office) { equip(office); }
void equip_inbound(simulator::TenantSettings& office) {
  AppObject& app = equip(office);
  app.url = "https://gateway.example/office/inbound";
  app.websocket = true;
  PbxSettings slave;
  slave.name = "slave";
  slave.module = "PBX1";
  slave.users = {"203", "205", "207"};
  office.innovaphone.pbxs.push_back(slave);
  office.innovaphone.redial = std::chrono::milliseconds(300);  // soon back, as we are elsewhere
}

void configure(pbx::Settings& settings) {
  settings.set("app_object", std::string("gateway"));
  settings.set("password", std::string(kPassword));
  settings.set("initialize_limit", std::chrono::milliseconds(10'000));
}
void configure_outbound(pbx::Settings& settings, std::span<const std::string>) {
  configure(settings);
  settings.set("host", std::string("pbx.example"));
}
void configure_inbound(pbx::Settings& settings, std::span<const std::string>) {
  configure(settings);
  settings.set("direction", std::string("inbound"));
  settings.set("url_path", std::string("/office"));
  settings.set("domain", std::string("office.example"));
  settings.set("pbxs", std::string("master slave"));
}

constexpr const char* kUsersOnly = "RCC shows users only: a waiting queue is an object of its own.";
constexpr const char* kConferences =
    "CallInfo does not show a three-party conference on a phone: each leg stays as it was.";

constexpr BlindSpots kBlind{
    .joins = kConferences,
    .outside_of_transfers =
        "Of whom a call was transferred to outside nothing is told but the "
        "number.",
    .recordings = "RCC has no message for it.",
    .outside_calls = "CallInfo is told of users' legs.",
    .parked_at = "Calls are parked at a user, not at a number of the position's own.",
    .refusing = "UserInfo counts calls, and does not say that a phone refuses them.",
};

constexpr Otherwise kOtherwise[] = {
    {"mute transfer", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, held, transferred, connectionCleared(transfer)
      A 203  delivered, established, connectionCleared
      A      callCleared
      B 202  originated, connectionCleared
      B 203  delivered, connectionCleared
      B      callCleared)",
     "The phone makes a second call, and connects the two while it rings."},
    {"park and retrieve", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, connectionCleared(park)
      A 202  queued, diverted(callPickup), connectionCleared(callPickup)
      A 203  delivered, established, connectionCleared
      A      callCleared)",
     "Calls are parked at a user, not at a number of the position's own."},
    {"recording", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, connectionCleared
      A      callCleared)",
     "RCC has no message for it."},
    {"congestion", R"(
      A 201  originated, failed(trunksBusy), connectionCleared(trunksBusy)
      A      callCleared(trunksBusy))",
     "The network's cause is 34, no circuit available."},
    {"conference", R"(
      A 201  originated, connectionCleared
      A 202  delivered, established, held, retrieved, connectionCleared
      A      callCleared
      B 202  originated, connectionCleared
      B 203  delivered, established, connectionCleared
      B      callCleared)",
     kConferences},
    {"conference of two incoming calls by merge", R"(
      A 202  originated, connectionCleared
      A 201  delivered, established, held, retrieved, connectionCleared
      A      callCleared
      B 203  originated, connectionCleared
      B 201  delivered, established, connectionCleared
      B      callCleared)",
     kConferences},
    {"forward: do not disturb", R"(
      A 201  originated, connectionCleared
      A 203  delivered(callForwardBusy), established, connectionCleared
      A      callCleared)",
     "Who refuses calls is busy to callers, and his forwarding is the one for that."},
};

constexpr NotOffered kNotOffered[] = {
    {"caller abandons while queued", kUsersOnly},
    {"two-step transfer: to an ACD", kUsersOnly},
    {"two-step transfer: to a routing point", kUsersOnly},
    {"single-step conference", kConferences},
    {"blind conference", kConferences},
    {"pickup: group", "RCC tells a group's pickup as a directed one."},
};

// What the documentation leaves open.
using V = simulator::innovaphone::Variants;
template <auto V::*field, auto value>
constexpr Variant variant(const char* name) {
  return {name,
          [](simulator::TenantSettings& office) { office.innovaphone.variants.*field = value; }};
}
constexpr Variant kVariants[] = {
    variant<&V::challenge, V::Challenge::number>("challenge: number"),
    variant<&V::failure, V::Failure::error>("failure: error"),
    variant<&V::foreign_users, V::ForeignUsers::hidden>("foreign_users: hidden"),
    variant<&V::app_info_first, true>("app_info_first: true"),
    variant<&V::keep_alive, false>("keep_alive: false"),
};

}  // namespace

extern const Bench kInnovaphone, kInnovaphoneInbound;
const Bench kInnovaphone{.name = "innovaphone",
                         .vendor = "innovaphone",
                         .equip = equip_outbound,
                         .configure = configure_outbound,
                         .blind_spots = kBlind,
                         .otherwise = kOtherwise,
                         .not_offered = kNotOffered,
                         .slot = "0",
                         .variants = kVariants};
const Bench kInnovaphoneInbound{.name = "innovaphone_inbound",
                                .vendor = "innovaphone",
                                .equip = equip_inbound,
                                .configure = configure_inbound,
                                .blind_spots = kBlind,
                                .otherwise = kOtherwise,
                                .not_offered = kNotOffered,
                                .slot = "0",
                                .dials = true,
                                .variants = kVariants};

}  // namespace conformance
