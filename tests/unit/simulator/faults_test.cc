#include "simulator/scenario/faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/document.h"
#include "support.h"

namespace simulator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FaultsTest : public testing::Test {
 protected:
  // As a scenario or a request says it.
  static std::string change(Scene& scene, const std::string& yaml) {
    auto document = config::Document::parse(yaml, "test", {});
    const auto faults = scenario::read_faults(document.root());
    const auto problems = document.finish();
    if (!problems.empty()) return problems.front().text();
    return scene.stage.change_faults(faults, scene.now);
  }
  static void log_in(Scene& scene, engine::ConnectionId who = 1) {
    scene.open(who, "/ws");
    scene.say(who, R"({"type":"auth-plain","user":"boss","passwd":"secret"})");
  }
  static void call(Scene& scene) {
    ASSERT_TRUE(scene.tenant().originate("201", "202", {}, scene.now));
  }
};

TEST_F(FaultsTest, LeavesTheWelcomeOut) {
  auto settings = small_tenant();
  settings.own_listener = true;
  Scene scene(std::move(settings));
  ASSERT_EQ(change(scene, "{no_welcome: true}"), "");
  scene.open(1, "/ws");
  EXPECT_THAT(scene.heard(), IsEmpty());
  scene.stage.clear_faults(scene.now);
  scene.open(2, "/ws");
  EXPECT_THAT(scene.told(2), ElementsAre("! welcome"));
}

TEST_F(FaultsTest, NeedsAListenerOfItsOwnForSome) {
  Scene scene;
  EXPECT_THAT(change(scene, "{no_welcome: true}"), HasSubstr("give it a port"));
  EXPECT_THAT(change(scene, "{refuse_connections: true}"), HasSubstr("give it a port"));
}

TEST_F(FaultsTest, RefusesConnectionsUntilTakenBack) {
  auto settings = small_tenant();
  settings.own_listener = true;
  Scene scene(std::move(settings));
  ASSERT_EQ(change(scene, "{refuse_connections: true}"), "");
  ASSERT_EQ(change(scene, "{refuse_connections: true}"), "");
  scene.stage.clear_faults(scene.now);
  EXPECT_THAT(scene.wire.refusals, ElementsAre(true, false));
}

TEST_F(FaultsTest, ForbidsSoManyLogins) {
  Scene scene;
  ASSERT_EQ(change(scene, "{forbidden: 2}"), "");
  log_in(scene, 1);
  log_in(scene, 2);
  log_in(scene, 3);
  EXPECT_THAT(scene.heard(1)[1], HasSubstr("forbidden"));
  EXPECT_THAT(scene.heard(2)[1], HasSubstr("forbidden"));
  EXPECT_EQ(scene.heard(3).size(), 3u);
  ASSERT_EQ(change(scene, "{forbidden: always}"), "");
  for (engine::ConnectionId who = 4; who < 20; ++who) {
    log_in(scene, who);
    EXPECT_THAT(scene.heard(who)[1], HasSubstr("forbidden"));
  }
}

TEST_F(FaultsTest, DropsBetweenLoginAndState) {
  Scene scene;
  ASSERT_EQ(change(scene, "{drop_before_init: 1}"), "");
  log_in(scene, 1);
  EXPECT_THAT(scene.told(1), ElementsAre("! welcome", "! auth-resp"));
  EXPECT_TRUE(scene.wire.dropped.contains(1));
  log_in(scene, 2);
  EXPECT_EQ(scene.heard(2).size(), 3u);
}

TEST_F(FaultsTest, DropsEverybodyAtOnce) {
  Scene scene;
  scene.supervise(1);
  scene.attend("201");
  scene.open(3, "/ws");  // not logged in
  ASSERT_EQ(change(scene, "{drop_all: true}"), "");
  EXPECT_THAT(scene.wire.dropped, ElementsAre(1, 3, 201));
  EXPECT_THAT(scene.stage.dialect().connections(), IsEmpty());
}

TEST_F(FaultsTest, GoesSilentAndResetsWhatWasOnceItSpeaksAgain) {
  Scene scene;
  scene.supervise(1);
  ASSERT_EQ(change(scene, "{silent: true}"), "");
  EXPECT_THAT(scene.wire.silent, ElementsAre(1));
  call(scene);
  scene.open(2, "/ws");
  EXPECT_THAT(scene.wire.silent, ElementsAre(1, 2));
  scene.say(2, R"({"type":"auth-plain","user":"boss","passwd":"secret"})");
  EXPECT_THAT(scene.heard(1), IsEmpty());
  EXPECT_THAT(scene.heard(2), IsEmpty());
  scene.stage.clear_faults(scene.now);
  EXPECT_THAT(scene.wire.dropped, ElementsAre(1, 2));
  log_in(scene, 3);
  EXPECT_EQ(scene.heard(3).size(), 3u);
}

TEST_F(FaultsTest, DelaysEveryFrameAndKeepsTheirOrder) {
  Scene scene;
  scene.supervise();
  ASSERT_EQ(change(scene, "{delay_ms: 100}"), "");
  call(scene);
  EXPECT_THAT(scene.heard(), IsEmpty());
  scene.wait(50ms);
  scene.stage.clear_faults(scene.now);
  ASSERT_EQ(scene.tenant().answer("202", scene.now), base::Error());
  EXPECT_THAT(scene.heard(), IsEmpty());  // not before those that wait
  scene.wait(50ms);
  const auto told = scene.told();
  ASSERT_EQ(told.size(), 9u);
  EXPECT_EQ(told.front(), "new-call 201 out");
  EXPECT_EQ(told.back(), "extension-status 202 1");
}

TEST_F(FaultsTest, RepeatsEvents) {
  Scene scene;
  scene.supervise();
  ASSERT_EQ(change(scene, "{duplicate: 1}"), "");
  ASSERT_EQ(scene.tenant().set_registered("201", false, scene.now), base::Error());
  EXPECT_THAT(scene.told(), ElementsAre("extension-status 201 4", "extension-status 201 4"));
}

TEST_F(FaultsTest, LetsHangUpsOvertakeCallStates) {
  Scene scene;
  scene.supervise();
  ASSERT_EQ(change(scene, "{reorder_hangup: 200ms}"), "");
  call(scene);
  ASSERT_EQ(scene.tenant().hang_up("201", scene.now), base::Error());
  scene.wait(200ms);
  EXPECT_THAT(scene.told(),
              ElementsAre("new-call 201 out", "extension-status 201 1", "new-call 202 in",
                          "extension-status 202 8", "hangup 201 16", "extension-status 201 0",
                          "hangup 202 16", "extension-status 202 0", "call-state 201 Ring",
                          "call-state 202 Ringing"));
}

TEST_F(FaultsTest, SaysWhatNobodyUnderstands) {
  Scene scene;
  scene.supervise();
  ASSERT_EQ(change(scene,
                   "{noise: [unknown_action, unknown_type, invalid_json, not_an_object, "
                   "truncated, oversized], oversized_bytes: 100}"),
            "");
  EXPECT_THAT(scene.told(), ElementsAre("queue-stats ", "! notice", "! not an object",
                                        "! not an object", "! not an object", "! notice"));
  ASSERT_EQ(change(scene, "{noise: [oversized]}"), "");
  EXPECT_GT(scene.heard().front().size(), 5u << 20);
  ASSERT_EQ(change(scene, "{noise_every: 2}"), "");
  call(scene);
  EXPECT_EQ(scene.heard().size(), 9u);  // six events and three
}

TEST_F(FaultsTest, FillsTheFirstPicture) {
  Scene scene;
  ASSERT_EQ(change(scene, "{init_extensions: 5000}"), "");
  log_in(scene);
  const auto init = boost::json::parse(scene.heard()[2]);
  EXPECT_EQ(init.at("data").as_array().size(), 5000u);
}

TEST_F(FaultsTest, ForgetsItsCallsAndIdsAtARestart) {
  Scene scene;
  scene.supervise();
  call(scene);
  ASSERT_EQ(change(scene, "{restart: true}"), "");
  EXPECT_TRUE(scene.wire.dropped.contains(1));
  EXPECT_EQ(scene.tenant().call_count(), 0u);
  EXPECT_EQ(scene.status("201"), "idle");
}

TEST_F(FaultsTest, GivesSurvivingCallsOtherIdsAtARestart) {
  Scene scene;
  call(scene);
  const auto before = scene.stage.dialect().id_of(*scene.tenant().find_leg(1));
  ASSERT_EQ(change(scene, "{restart: true, calls_survive: true}"), "");
  EXPECT_EQ(scene.tenant().call_count(), 1u);
  EXPECT_NE(scene.stage.dialect().id_of(*scene.tenant().find_leg(1)), before);
}

TEST_F(FaultsTest, IgnoresOrRefusesActions) {
  Scene scene;
  scene.attend("201");
  const std::string action = R"({"type":"action","action":"call","phone":"202"})";
  ASSERT_EQ(change(scene, "{actions: ignore}"), "");
  scene.say(201, action);
  EXPECT_THAT(scene.heard(201), IsEmpty());
  ASSERT_EQ(change(scene, "{actions: error}"), "");
  scene.say(201, action);
  EXPECT_THAT(
      scene.heard(201),
      ElementsAre(R"({"type":"action-resp","action":"call","error":"action not allowed"})"));
  EXPECT_EQ(scene.tenant().call_count(), 0u);
  EXPECT_EQ(scene.stage.dialect().counters().actions.at("call"), 2u);
}

TEST_F(FaultsTest, LeavesNewCallOutOrSendsItLate) {
  Scene scene;
  scene.supervise();
  ASSERT_EQ(change(scene, "{new_call: missing}"), "");
  call(scene);
  EXPECT_THAT(scene.told(), ElementsAre("extension-status 201 1", "call-state 201 Ring",
                                        "call-state 202 Ringing", "extension-status 202 8"));
  ASSERT_EQ(change(scene, "{new_call: late, new_call_delay_ms: 300}"), "");
  ASSERT_TRUE(scene.tenant().originate("203", "204", {}, scene.now));
  EXPECT_EQ(scene.heard().size(), 4u);
  scene.wait(300ms);
  EXPECT_THAT(scene.told(), ElementsAre("new-call 203 out", "new-call 204 in"));
}

TEST_F(FaultsTest, ChangesOnlyWhatIsNamed) {
  Scene scene;
  ASSERT_EQ(change(scene, "{forbidden: 3}"), "");
  ASSERT_EQ(change(scene, "{delay: 5ms}"), "");
  EXPECT_EQ(scene.stage.dialect().faults().forbidden, 3u);
  EXPECT_EQ(scene.stage.dialect().faults().delay, 5ms);
  scene.stage.clear_faults(scene.now);
  EXPECT_EQ(scene.stage.dialect().faults(), engine::Faults());
}

}  // namespace
}  // namespace simulator
