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
}

void configure(pbx::Settings& settings) {
  settings.set("app_object", std::string("gateway"));
  settings.set("password", std::string(kPassword));
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

}  // namespace

extern const Bench kInnovaphone, kInnovaphoneInbound;
const Bench kInnovaphone{.name = "innovaphone",
                         .vendor = "innovaphone",
                         .equip = equip_outbound,
                         .configure = configure_outbound};
const Bench kInnovaphoneInbound{.name = "innovaphone_inbound",
                                .vendor = "innovaphone",
                                .equip = equip_inbound,
                                .configure = configure_inbound};

}  // namespace conformance
