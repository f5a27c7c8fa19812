#include "support.h"

namespace simulator::webitel {
namespace {

class AgentsOfATenant : public testing::Test {
 protected:
  AgentsOfATenant() {
    it.log_in(201);
    it.say(201, "cc_agent_subscribe_status", R"({"agent_id":101})");
    it.told(201);
  }
  World it;
};

TEST_F(AgentsOfATenant, HaveASession) {
  const auto session = it.ask(201, "cc_agent_session");
  EXPECT_EQ(session.at("agent_id"), 101);
  EXPECT_EQ(session.at("status"), "offline");
  EXPECT_EQ(session.at("channels").as_array().size(), 1u);
  EXPECT_EQ(it.ask(201, "cc_agent_tasks", R"({"agent_id":101})").at("items"), json::array());
  it.log_in(203);
  EXPECT_EQ(it.result(203, "cc_agent_session"), "User.valid.agent_id 404");
}

TEST_F(AgentsOfATenant, HaveNoneWithoutTheLicence) {
  auto settings = office();
  settings.webitel.products = {"CALL_MANAGER"};
  World other(std::move(settings));
  other.log_in(201);
  EXPECT_EQ(other.result(201, "cc_agent_session"), "api.context.permissions.app_error 403");
}

TEST_F(AgentsOfATenant, ComeGoAndPause) {
  it.say(201, "cc_agent_online", R"({"agent_id":101,"on_demand":true})");
  const auto frames = it.frames(201);
  ASSERT_EQ(frames.size(), 2u);
  const auto& data = frames[0].at("data").as_object();
  EXPECT_EQ(frames[0].at("user_id"), 10);
  EXPECT_EQ(data.at("status"), "online");
  EXPECT_EQ(data.at("on_demand"), true);
  EXPECT_EQ(data.at("channels").as_array().at(0).as_object().at("state"), "waiting");
  it.say(201, "cc_agent_pause", R"({"agent_id":101,"payload":"Lunch"})");
  EXPECT_THAT(it.told(201), ElementsAre("agent 101 pause Lunch", "OK 4"));
  it.say(201, "cc_agent_offline", R"({"agent_id":101})");
  EXPECT_THAT(it.told(201), ElementsAre("agent 101 offline ", "OK 5"));
  EXPECT_EQ(it.result(201, "cc_agent_offline", R"({"agent_id":101})"),
            "app.agent.logout.app_err 400");
  EXPECT_EQ(it.result(201, "cc_agent_pause", R"({"agent_id":101})"), "app.agent.pause.app_err 400");
  EXPECT_EQ(it.result(201, "cc_agent_online", R"({"agent_id":"101"})"),
            "api.websocket_handler.invalid_param.app_error 400");
  EXPECT_EQ(it.result(201, "cc_agent_online", R"({"agent_id":999})"),
            "store.sql_agent.get.app_error 404");
}

TEST_F(AgentsOfATenant, AreSetByOthersAndToldToTheirOwnersOnly) {
  it.log_in(202);
  it.say(202, "cc_agent_subscribe_status", R"({"agent_id":101})");  // it is its own that it gets
  it.told(202);
  it.say(202, "cc_agent_online", R"({"agent_id":101})");
  EXPECT_THAT(it.told(202), ElementsAre("OK 3"));
  EXPECT_THAT(it.told(201), ElementsAre("agent 101 online "));
  EXPECT_EQ(it.rest("PATCH", "/call_center/agents/102/status", R"({"status":"online"})"),
            "200 {\"status\":\"OK\"}");
  EXPECT_THAT(it.told(202), ElementsAre("agent 102 online "));
  EXPECT_EQ(it.error("PATCH", "/call_center/agents/102/status", R"({"status":"online"})"),
            "400 app.agent.login.app_err 400");
  EXPECT_EQ(it.error("PATCH", "/call_center/agents/9/status", R"({"status":"online"})"),
            "500 store.sql_agent.get.app_error 404");
}

TEST_F(AgentsOfATenant, AreListed) {
  ASSERT_EQ(it.result(201, "cc_agent_online", R"({"agent_id":101})"), "");
  it.wait(5s);
  const auto all = it.items("/call_center/agents");
  ASSERT_EQ(all.size(), 2u);
  const auto& agent = all[0].as_object();
  EXPECT_EQ(agent.at("id"), "101");
  EXPECT_EQ(agent.at("user").as_object().at("id"), "10");
  EXPECT_EQ(agent.at("extension"), "201");
  EXPECT_EQ(agent.at("status"), "online");
  EXPECT_EQ(agent.at("status_duration"), "5");
  EXPECT_EQ(it.items("/call_center/agents?user_id=11").size(), 1u);
  EXPECT_EQ(it.items("/call_center/agents?extension=203").size(), 0u);
  EXPECT_THAT(it.rest("GET", "/call_center/agents/102"), HasSubstr("\"status\":\"offline\""));
  EXPECT_GT(it.items("/call_center/agents/101/pause_causes").size(), 0u);
}

TEST_F(AgentsOfATenant, WaitForTheNextCall) {
  it.say(201, "cc_agent_waiting", R"({"agent_id":101,"channel":"call"})");
  const auto frames = it.frames(201);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].at("event"), "channel");
  EXPECT_EQ(frames[0].at("data").as_object().at("status"), "waiting");
  EXPECT_TRUE(frames[1].at("data").as_object().contains("timestamp"));
}

// Without a phone and a socket an agent is offline within a minute and a half.
TEST_F(AgentsOfATenant, GoOfflineIfNothingOfTheirsCouldRing) {
  ASSERT_FALSE(it.tenant().set_registered("201", false, it.now));
  ASSERT_EQ(it.result(201, "cc_agent_online", R"({"agent_id":101})"), "");
  it.wait(5min);
  EXPECT_EQ(it.items("/call_center/agents")[0].as_object().at("status"), "online");
  it.dialect().on_closed_at(201, it.now);
  it.wait(89s);
  EXPECT_EQ(it.items("/call_center/agents")[0].as_object().at("status"), "online");
  it.wait(2s);
  EXPECT_EQ(it.items("/call_center/agents")[0].as_object().at("status"), "offline");
}

}  // namespace
}  // namespace simulator::webitel
