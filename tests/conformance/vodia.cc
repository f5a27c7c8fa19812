#include "conformance/bench.h"

// Vodia's bench.
namespace conformance {
namespace {

void equip(simulator::TenantSettings& office) {
  office.vendor = simulator::Vendor::vodia;
  office.vodia.domain = "office.example";
  office.vodia.admin_user = "admin";
  office.vodia.admin_password = "secret";
}

void configure(pbx::Settings& settings, std::span<const std::string>) {
  settings.set("host", std::string("pbx.example"));
  settings.set("domain", std::string("office.example"));
  settings.set("user", std::string("208"));
  settings.set("admin_user", std::string("admin"));
  settings.set("admin_password", std::string("secret"));
}

constexpr std::span<const Otherwise> kOtherwise;
constexpr std::span<const NotOffered> kNotOffered;

}  // namespace

extern const Bench kVodia;
const Bench kVodia{"vodia", equip, configure, {}, kOtherwise, kNotOffered, {}};

}  // namespace conformance
