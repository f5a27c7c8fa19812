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
  settings.set("path", std::string("/"));
}
constexpr std::chrono::milliseconds kLegacyPause{3'500};

constexpr BlindSpots kModernBlind{
    .recorders = "A call's entry says that it is recorded, not at which extension.",
    .roles_in_conferences = "An entry has one calling and one called number.",
    .failures = "There is no state for it: the entry stays as it was until it is gone.",
    .refusing = "An account is shown as busy when it is in a call.",
};
constexpr BlindSpots kLegacyBlind{
    .recorders = kModernBlind.recorders,
    .holder = "A state of hold is a call's, and only modern servers can be asked whose.",
    .roles_in_conferences = kModernBlind.roles_in_conferences,
    .third_parties = "An entry has a calling and a called number, and no list of extensions.",
    .failures = kModernBlind.failures,
    .refusing = kModernBlind.refusing,
};

constexpr std::span<const Otherwise> kOtherwise;
constexpr std::span<const NotOffered> kNotOffered;

}  // namespace

extern const Bench kVodia70;
const Bench kVodia70{"vodia_v70", "vodia",      equip<Profile::v70>, configure,
                     kModernBlind, kOtherwise, kNotOffered};
extern const Bench kVodia67;
const Bench kVodia67{"vodia_v67",  "vodia",    equip<Profile::v67>, configure_legacy,
                     kLegacyBlind, kOtherwise, kNotOffered,         {},
                     kLegacyPause};
extern const Bench kVodia2016;
const Bench kVodia2016{"vodia_legacy2016", "vodia",    equip<Profile::legacy2016>, configure_2016,
                       kLegacyBlind,       kOtherwise, kNotOffered,                {},
                       kLegacyPause};

}  // namespace conformance
