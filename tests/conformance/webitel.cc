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

}  // namespace

extern const Bench kWebitel, kWebitelUsers;
const Bench kWebitel{.name = "webitel",
                     .vendor = "webitel",
                     .equip = equip,
                     .configure = configure,
                     .pause = std::chrono::milliseconds(8'000),
                     .lag = std::chrono::milliseconds(6'000)};
const Bench kWebitelUsers{.name = "webitel_users",
                          .vendor = "webitel",
                          .equip = equip,
                          .configure = configure_users,
                          .pause = std::chrono::milliseconds(8'000),
                          .lag = std::chrono::milliseconds(6'000)};

}  // namespace conformance
