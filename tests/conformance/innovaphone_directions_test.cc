#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/suite.h"
#include "pbxgw/v1/event.pb.h"
#include "wire/events.h"

// Whether we dial an innovaphone or it dials us: consumers are told the same.
namespace conformance {
namespace {

const Bench kDialled = [] {
  for (const Bench* it : benches()) {
    if (std::string_view(it->name) == "innovaphone") return *it;
  }
  throw std::logic_error("there is no bench of innovaphone");
}();

// The same PBX, but for who dials.
const Bench& dialling() {
  static const Bench made = [] {
    Bench bench = kDialled;
    bench.name = "innovaphone that dials us";
    bench.equip = [](simulator::TenantSettings& office) {
      kDialled.equip(office);
      office.innovaphone.apps.front().url = "https://gateway.example/office/inbound";
      office.innovaphone.apps.front().websocket = true;
    };
    bench.configure = [](pbx::Settings& settings, std::span<const std::string> extensions) {
      kDialled.configure(settings, extensions);
      settings.set("direction", std::string("inbound"));
      settings.set("url_path", std::string("/office"));
      settings.set("gather", std::chrono::milliseconds(0));
    };
    return bench;
  }();
  return made;
}

// Every event about calls and devices, whole: but for its number, which counts link events too, and
// its time.
std::vector<std::string> events_of(const Bench& bench, const Scenario& scenario) {
  Gateway gateway(*pbx::find_vendor(bench.vendor), bench);
  gateway.connect();
  Office office(gateway);
  scenario.play(office);
  office.go_home();
  std::vector<std::string> events;
  for (const Gateway::Told& it : gateway.told()) {
    if (std::holds_alternative<call::LinkEvent>(it.event.body)) continue;
    pbxgw::v1::Event event;
    wire::to_proto(base::TenantId("office"), it.event, event);
    event.clear_sequence();
    event.clear_receive_time();
    if (event.has_call_event()) {
      pbxgw::v1::Call& call = *event.mutable_call_event()->mutable_call();
      call.clear_create_time();
      for (auto& connection : *call.mutable_connections()) connection.clear_state_time();
    }
    events.push_back(event.DebugString());
  }
  return events;
}

TEST(InnovaphoneDirections, TellTheSame) {
  for (const Scenario& it : scenarios()) {
    if (!can_run(kDialled, it)) continue;
    SCOPED_TRACE(it.name);
    const auto dialled = events_of(kDialled, it);
    EXPECT_GT(dialled.size(), 0u);
    EXPECT_EQ(dialled, events_of(dialling(), it));
  }
}

// Off-hook first, and then digit by digit: what no other vendor's PBX shows.
TEST(InnovaphoneOverlap, IsToldAsItIsDialled) {
  Gateway gateway(*pbx::find_vendor(kDialled.vendor), kDialled);
  gateway.connect();
  Office office(gateway);
  auto& phones = gateway.phones();
  ASSERT_TRUE(phones.seize("201", gateway.now()));
  gateway.pause();
  EXPECT_EQ(story_of(gateway.told()), "A 201 serviceInitiated\n");
  for (const char* digits : {"2", "0", "2"}) {
    EXPECT_FALSE(phones.dial("201", digits, gateway.now()));
    gateway.pause();
  }
  office.answer("202");
  office.hang_up("202");
  EXPECT_EQ(story_of(gateway.told()), tidy(R"(
      A 201  serviceInitiated, originated, connectionCleared
      A 202  delivered, established, connectionCleared
      A      callCleared)"));
  office.go_home();
}

}  // namespace
}  // namespace conformance
