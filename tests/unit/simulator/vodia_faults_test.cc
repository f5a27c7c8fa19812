#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/document.h"
#include "simulator/scenario/faults.h"
#include "simulator/state_json.h"
#include "vodia_support.h"

namespace simulator {
namespace {

using engine::HttpAnswer;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr const char* kWatch = R"({"action":"domain-calls","subscribe":true})";

class VodiaFaultsTest : public testing::Test {
 protected:
  // As a scenario or a request says it.
  void change(const std::string& yaml) {
    auto document = config::Document::parse(yaml, "test", {});
    const auto faults = scenario::read_faults(document.root());
    const auto problems = document.finish();
    ASSERT_TRUE(problems.empty()) << problems.front().text();
    ASSERT_EQ(scene.stage.change_faults(faults, scene.now), "");
  }
  engine::ConnectionId watch(const std::string& extension = "504") {
    const auto who = scene.open(extension);
    scene.say(who, kWatch);
    scene.heard(who);
    return who;
  }

  VodiaScene scene;
};

TEST_F(VodiaFaultsTest, RefusesSomeLogins) {
  change("{forbidden: 2}");
  EXPECT_EQ(VodiaScene::brief(scene.log_in("501", "agent-501")), "200 false");
  EXPECT_EQ(VodiaScene::brief(scene.log_in("501", "agent-501")), "200 false");
  EXPECT_EQ(scene.log_in("501", "agent-501").body.size(), 22u);
  change("{login_not_found: 1}");
  EXPECT_EQ(scene.log_in("501", "agent-501").status, 404u);
  EXPECT_EQ(scene.log_in("501", "agent-501").status, 200u);
}

TEST_F(VodiaFaultsTest, AnswersLoginsTooLateForTheirToken) {
  change("{login_delay: 11s}");
  const auto answer =
      scene.ask("POST", "/rest/system/session",
                R"({"name":"3rd","domain":"acme.example","username":"501"})", VodiaScene::admin());
  EXPECT_EQ(answer.after, 11s);
  scene.wait(answer.after);
  const auto token = std::string(boost::json::parse(answer.reply.body).as_string());
  EXPECT_EQ(VodiaScene::brief(scene.activate(token)), "200 false");
  EXPECT_EQ(scene.ask("GET", "/rest/system/session").after, 0ms);
}

TEST_F(VodiaFaultsTest, RefusesSomeUpgrades) {
  const auto session = scene.session("501");
  change("{refuse_upgrades: 1}");
  const auto refused = scene.knock(session).reply;
  EXPECT_EQ(refused.status, 401u);
  EXPECT_EQ(refused.body, "");
  EXPECT_EQ(scene.knock(session).kind, HttpAnswer::Kind::accept);
}

TEST_F(VodiaFaultsTest, DropsRequestsAndCutsReplies) {
  change("{drop_requests: 1, truncated_replies: 1}");
  EXPECT_EQ(scene.ask("GET", "/").kind, HttpAnswer::Kind::drop);
  EXPECT_EQ(scene.log_in("501", "agent-501").body.size(), 11u);
  EXPECT_EQ(scene.log_in("501", "agent-501").body.size(), 22u);
}

TEST_F(VodiaFaultsTest, GoesSilentAndResetsWhoWasThere) {
  const auto who = watch();
  change("{silent: true}");
  EXPECT_THAT(scene.wire.silent, ElementsAre(who));
  EXPECT_EQ(scene.ask("GET", "/").kind, HttpAnswer::Kind::never);
  scene.call("501", "502");
  scene.say(who, kWatch);
  EXPECT_THAT(scene.heard(who), IsEmpty());
  scene.wait(5min);
  EXPECT_TRUE(scene.wire.closed.empty());
  scene.stage.clear_faults(scene.now);
  EXPECT_THAT(scene.wire.dropped, ElementsAre(who));
}

TEST_F(VodiaFaultsTest, LosesSocketsOnceTheyAreOpen) {
  change("{drop_before_init: 1}");
  const auto first = scene.open("501"), second = scene.open("502");
  EXPECT_THAT(scene.wire.dropped, ElementsAre(first));
  scene.say(second, kWatch);
  EXPECT_THAT(scene.told(second), ElementsAre("calls"));
}

TEST_F(VodiaFaultsTest, RevokesSessionsWithAWordOrWithout) {
  const auto who = watch();
  const auto session = scene.session("501");
  change("{revoke: close}");
  EXPECT_EQ(scene.wire.closed[who], 1008);
  EXPECT_EQ(scene.knock(session).reply.status, 401u);

  const auto other = watch("503");
  change("{revoke: quiet}");
  scene.call("501", "502");
  scene.say(other, kWatch);
  EXPECT_THAT(scene.heard(other), IsEmpty());
  EXPECT_FALSE(scene.wire.closed.contains(other));
  EXPECT_EQ(scene.get("/rest/user/503@acme.example/calls", VodiaScene::cookie(session)).status,
            401u);
}

TEST_F(VodiaFaultsTest, ListsCallsTwiceOrNotAtAll) {
  const auto who = watch();
  change("{double_entries: 1}");
  scene.call("501", "502");
  EXPECT_THAT(scene.told(who), ElementsAre("calls 501>502 alerting 501,*502 | "
                                           "501>502 alerting 501,*502"));
  change("{missing_entries: 1}");
  ASSERT_FALSE(scene.tenant().answer("502", scene.now));
  EXPECT_THAT(scene.told(who), ElementsAre("calls"));
  scene.say(who, kWatch);
  EXPECT_THAT(scene.told(who), ElementsAre("calls 501>502 connected 501,502 since 0000.000"));
}

TEST_F(VodiaFaultsTest, MakesNoise) {
  const auto who = watch();
  change(
      "{noise: [unknown_action, unknown_type, invalid_json, not_an_object, truncated, "
      "oversized], oversized_bytes: 100}");
  EXPECT_THAT(scene.told(who), ElementsAre("! queue-statistics", "! mwi", "! not an object",
                                           "! not an object", "! not an object", "! notice"));
  change("{noise_every: 1, duplicate: 1}");
  scene.call("501", "502");
  EXPECT_EQ(scene.heard(who).size(), 3u);
}

TEST_F(VodiaFaultsTest, TellsEverythingLate) {
  const auto who = watch();
  change("{delay: 300ms}");
  scene.call("501", "502");
  EXPECT_THAT(scene.told(who), IsEmpty());
  scene.wait(299ms);
  EXPECT_THAT(scene.told(who), IsEmpty());
  scene.wait(1ms);
  EXPECT_THAT(scene.told(who), ElementsAre("calls 501>502 alerting 501,*502"));
}

TEST_F(VodiaFaultsTest, IgnoresActionsAndSaysTheyWereDone) {
  scene.talk("501", "502");
  const auto body = R"({"hangup":")" + scene.call_id() + "\"}";
  change("{actions: ignore}");
  EXPECT_EQ(scene.control("501", body), "200 true");
  change("{actions: error}");
  EXPECT_EQ(scene.control("501", body), "200 false");
  EXPECT_EQ(scene.tenant().call_count(), 1u);
}

TEST_F(VodiaFaultsTest, InventsAccounts) {
  change("{init_extensions: 2000}");
  const auto list = VodiaScene::parsed(
      scene.get("/rest/user/501@acme.example/accounts?type=extensions", VodiaScene::admin()));
  EXPECT_EQ(list.as_array().size(), 2000u);
  auto settings = vodia_tenant(vodia::Profile::v67);
  VodiaScene old(std::move(settings));
  auto faults = old.stage.dialect().faults();
  faults.init_extensions = 2000;
  old.stage.dialect().set_faults(faults, old.now);
  const auto frames = old.heard(old.open("501"));
  EXPECT_EQ(boost::json::parse(frames.at(0)).at("accounts").as_array().size(), 2000u);
  EXPECT_GT(frames.at(0).size(), 250'000u);
}

TEST_F(VodiaFaultsTest, RestartsWithOtherIdsAndWithoutSessions) {
  const auto who = watch();
  const auto session = scene.session("501");
  scene.talk("501", "502");
  const auto before = scene.call_id();
  change("{restart: true, calls_survive: true}");
  EXPECT_THAT(scene.wire.dropped, ElementsAre(who));
  EXPECT_EQ(scene.knock(session).reply.status, 401u);
  EXPECT_NE(scene.call_id(), before);
  EXPECT_EQ(scene.control("501", R"({"hangup":")" + before + "\"}"), "200 false");
  change("{restart: true}");
  EXPECT_EQ(scene.tenant().call_count(), 0u);
  const auto again = watch();
  scene.call("501", "502");
  EXPECT_THAT(scene.told(again), ElementsAre("calls 501>502 alerting 501,*502"));
}

TEST_F(VodiaFaultsTest, ShowsItsStateToTests) {
  const auto who = watch();
  change("{missing_entries: always, login_delay: 2s}");
  const auto state = state_json(scene.stage, scene.now);
  EXPECT_EQ(state.at("vendor"), "vodia");
  EXPECT_EQ(state.at("faults").at("missing_entries"), "always");
  EXPECT_EQ(state.at("faults").at("login_delay_ms"), 2000);
  EXPECT_EQ(state.at("connections").at(0).at("id").to_number<engine::ConnectionId>(), who);
  EXPECT_EQ(state.at("connections").at(0).at("extension"), "504");
  EXPECT_EQ(state.at("counters").at("actions").at("domain-calls"), 1);
}

// The same seed gives the same frames, session ids included.
TEST_F(VodiaFaultsTest, IsTheSameEveryTime) {
  const auto run = [] {
    VodiaScene one;
    std::vector<std::string> all{one.log_in("501", "agent-501").body};
    const auto who = one.open("504");
    one.say(who, kWatch);
    one.talk("501", "502");
    for (auto& frame : one.heard(who)) all.push_back(std::move(frame));
    return all;
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace simulator
