#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace simulator {
namespace {

using scenario::TrafficOptions;

class TrafficTest : public testing::Test {
 protected:
  static TenantSettings big_tenant() {
    auto settings = small_tenant();
    settings.engine.extensions.clear();
    for (int i = 1000; i < 3000; ++i) settings.engine.extensions.push_back(std::to_string(i));
    return settings;
  }
  static TrafficOptions busy_office() {
    TrafficOptions options;
    options.calls_per_second = 20;
    options.seed = 5;
    options.lasts = 60s;
    options.ring_most = 5s;
    options.talk_most = 20s;
    return options;
  }
  static std::vector<std::string> frames_of(const TrafficOptions& options, engine::Millis step) {
    Scene scene(big_tenant());
    scene.supervise();
    scene.stage.start_traffic(options, scene.now);
    for (engine::Millis time{0}; time < 3min; time += step) scene.wait(step);
    return scene.heard();
  }
};

TEST_F(TrafficTest, IsTheSameForTheSameSeedHoweverTimeIsSliced) {
  const auto once = frames_of(busy_office(), 10ms);
  EXPECT_GT(once.size(), 5'000u);
  EXPECT_EQ(frames_of(busy_office(), 10ms), once);
  EXPECT_EQ(frames_of(busy_office(), 7s), once);
  auto other = busy_office();
  other.seed = 6;
  EXPECT_NE(frames_of(other, 10ms), once);
}

TEST_F(TrafficTest, IsAMixOfEverything) {
  std::map<std::string, int> seen;
  for (const auto& frame : frames_of(busy_office(), 1s)) {
    const auto brief = Scene::brief(frame);
    const auto first = brief.find(' ');
    const auto second = brief.find(' ', first + 1);
    ++seen[brief.substr(0, first) + (second == std::string::npos ? "" : brief.substr(second))];
  }
  for (const auto* kind :
       {"new-call in", "new-call out", "call-state Dialing", "call-state Ring",
        "call-state Ringing", "call-state Up", "call-state Busy", "hangup 16", "hangup 17",
        "hangup 21", "start-moh", "stop-moh", "start-record", "end-record", "extension-status 0",
        "extension-status 1", "extension-status 8", "extension-status 16"}) {
    EXPECT_GT(seen[kind], 10) << kind;
  }
  // Everything that began has ended.
  EXPECT_EQ(seen["new-call in"] + seen["new-call out"],
            seen["hangup 16"] + seen["hangup 17"] + seen["hangup 19"] + seen["hangup 21"]);
}

TEST_F(TrafficTest, EndsWhenItsTimeIsOver) {
  Scene scene(big_tenant());
  scene.stage.start_traffic(busy_office(), scene.now);
  scene.wait(60s);
  const auto started = scene.stage.traffic()->started();
  EXPECT_NEAR(static_cast<double>(started), 1'200, 120);
  scene.wait(2min);
  EXPECT_EQ(scene.stage.traffic()->started(), started);
  EXPECT_TRUE(scene.stage.traffic()->over());
  EXPECT_EQ(scene.tenant().call_count(), 0u);
}

TEST_F(TrafficTest, ReachesARateOfEvents) {
  Scene scene(big_tenant());
  TrafficOptions options;
  options.events_per_second = 1'000;
  options.ring_least = options.ring_most = 500ms;
  options.talk_least = 1s;
  options.talk_most = 3s;
  scene.stage.start_traffic(options, scene.now);
  scene.wait(20s);
  const auto before = scene.stage.dialect().counters().events;
  scene.wait(60s);
  const auto after = scene.stage.dialect().counters().events;
  EXPECT_NEAR(static_cast<double>(after - before) / 60, 1'000, 100);
}

TEST_F(TrafficTest, LeavesCallsOutWhenEverybodyTalks) {
  Scene scene;  // four extensions
  TrafficOptions options;
  options.calls_per_second = 100;
  scene.stage.start_traffic(options, scene.now);
  scene.wait(60s);
  EXPECT_GT(scene.stage.traffic()->left_out(), 1'000u);
  EXPECT_LE(scene.tenant().call_count(), 4u);
}

}  // namespace
}  // namespace simulator
