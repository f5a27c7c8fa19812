#include "pbx/webitel/commander.h"

namespace pbx::webitel {
namespace {

using testing::IsEmpty;
using testing::StartsWith;

TEST_F(WebitelCommands, SetDoNotDisturb) {
  const auto id = ask(call::SetDoNotDisturb{call::DeviceId("101"), true});
  EXPECT_EQ(line_of(requests.front()), R"(PATCH /users/10/presence {"status":"dnd"})");
  review();
  EXPECT_EQ(verdict(id), "open");
  answer(200, "{}");
  EXPECT_EQ(verdict(id), "open");
  EXPECT_TRUE(commands.wants_people());
  EXPECT_FALSE(commands.wants_people());
  presence("{sip,dnd}");
  review();
  EXPECT_EQ(verdict(id), "ok ");
  const auto off = ask(call::SetDoNotDisturb{call::DeviceId("101"), false});
  EXPECT_EQ(line_of(requests.front()), R"(PATCH /users/10/presence {"status":""})");
  answer(Errc::link_lost);  // and was carried out
  presence("sip");
  review();
  EXPECT_EQ(verdict(off), "ok ");
}

TEST_F(WebitelCommands, FailAtEachStepOfDoNotDisturb) {
  const auto id = [&](bool on = true) {
    return ask(call::SetDoNotDisturb{call::DeviceId("101"), on});
  };
  const auto denied = id();
  answer(403, R"({"detail":"permission=users access=update","code":403})");
  EXPECT_EQ(verdict(denied),
            "permission_denied: the service user lacks the permission users update");
  // It is off already, but that does not mean that the PBX will take it.
  const auto off = id(false);
  review();
  EXPECT_EQ(verdict(off), "open");
  answer(403, "");
  EXPECT_THAT(verdict(off), StartsWith("permission_denied"));
  const auto missing = id();
  answer(404, "");
  EXPECT_THAT(verdict(missing), StartsWith("resource_not_found"));
  const auto nothing = id();
  answer(200, "");
  pass(5s);
  EXPECT_THAT(verdict(nothing), StartsWith("effect_not_seen"));
  const auto as_it_was = id(false);
  answer(Errc::timed_out);
  EXPECT_EQ(verdict(as_it_was), "ok ");  // no list would tell anything new
  const auto lost = id();
  answer(Errc::timed_out);
  EXPECT_TRUE(commands.wants_people());
  review();
  pass(5s);
  EXPECT_THAT(verdict(lost), StartsWith("outcome_unknown"));
  EXPECT_THAT(verdict(ask(call::SetDoNotDisturb{call::DeviceId("9"), true})),
              StartsWith("device_not_found"));
}

TEST_F(WebitelCommands, SetAgentStates) {
  const auto set = [&](call::AgentState state, std::string reason = {}) {
    return ask(call::SetAgentState{call::DeviceId("101"), state, std::move(reason)});
  };
  const auto ready = set(call::AgentState::ready);
  EXPECT_EQ(line_of(requests.front()), R"(PATCH /call_center/agents/5/status {"status":"online"})");
  answer(200, R"({"status":"OK"})");
  EXPECT_EQ(verdict(ready), "open");
  EXPECT_TRUE(commands.wants_people());
  agents("online", "", "bridged");  // and got a call at once
  review();
  EXPECT_EQ(verdict(ready), "ok ");

  const auto pause = set(call::AgentState::not_ready, "lunch");
  EXPECT_EQ(line_of(requests.front()),
            R"(PATCH /call_center/agents/5/status {"status":"pause","payload":"lunch"})");
  answer(200, "");
  agents("pause", "other");
  review();
  EXPECT_EQ(verdict(pause), "open");
  agents("pause", "lunch");
  review();
  EXPECT_EQ(verdict(pause), "ok ");

  const auto off = set(call::AgentState::logged_off, "tired");
  EXPECT_EQ(line_of(requests.front()),
            R"(PATCH /call_center/agents/5/status {"status":"offline"})");
  agents("offline", "");
  review();
  EXPECT_EQ(verdict(off), "open");  // the effect before the reply
  answer(200, "");
  EXPECT_EQ(verdict(off), "ok ");
}

TEST_F(WebitelCommands, TellWhyAnAgentsStateWasNotSet) {
  const auto set = [&](call::AgentState state, std::string reason = {}) {
    return ask(call::SetAgentState{call::DeviceId("101"), state, std::move(reason)});
  };
  const auto already = set(call::AgentState::logged_off);
  answer(500, R"({"id":"app.agent.logout.app_err","code":400,"detail":"already"})");
  EXPECT_EQ(verdict(already), "ok ");
  const auto rejected = set(call::AgentState::ready);
  answer(500, R"({"id":"app.agent.login.app_err","code":400,"detail":"no"})");
  EXPECT_EQ(verdict(rejected), "pbx_refused: the PBX did not make the agent ready");
  const auto policy = set(call::AgentState::not_ready, "lunch");
  answer(500, R"({"id":"app.agent.set_pause.not_allow","code":400})");
  EXPECT_EQ(verdict(policy), "pbx_refused: the agent's team does not allow this pause now");
  const auto nothing = set(call::AgentState::ready);
  answer(200, R"({"status":"OK"})");
  pass(5s);
  EXPECT_THAT(verdict(nothing), StartsWith("effect_not_seen"));
  for (const auto state : {call::AgentState::busy, call::AgentState::working_after_call}) {
    EXPECT_THAT(verdict(set(state)), StartsWith("invalid_argument: agent_state: cannot be asked"));
  }
  EXPECT_THAT(verdict(ask(call::SetAgentState{call::DeviceId("102"), call::AgentState::ready, {}})),
              StartsWith("resource_not_found"));
  EXPECT_THAT(verdict(ask(call::SetAgentState{call::DeviceId("9"), call::AgentState::ready, {}})),
              StartsWith("device_not_found"));
}

TEST_F(WebitelCommands, SayWhatTheyCannot) {
  talk("a");
  EXPECT_THAT(verdict(ask(call::AnswerCall{target("a")})), StartsWith("feature_not_supported"));
  EXPECT_THAT(verdict(ask(call::ParkCall{target("a"), "1"})), StartsWith("feature_not_supported"));
  EXPECT_THAT(texts, IsEmpty());
}

TEST_F(WebitelCommands, AreLimitedInNumber) {
  for (const char* number : {"1", "2", "3", "4"}) EXPECT_EQ(verdict(ask(to(number))), "open");
  EXPECT_THAT(verdict(ask(to("5"))), StartsWith("too_many_requests"));
  pass(90s);
  for (call::CommandId id = 1; id <= 4; ++id) {
    EXPECT_THAT(verdict(id), StartsWith("outcome_unknown"));
  }
}

TEST_F(WebitelCommands, ForgetRepliesThatNeverCome) {
  talk("a");
  for (int i = 0; i < 200; ++i) {
    ask(call::HoldCall{target("a")});
    pass(5s);
  }
  Effects effects;
  EXPECT_FALSE(commands.on_reply({1, true, {}, 0, {}, {}}, now, effects));
  ok(200);
  EXPECT_EQ(answers.size(), 200u);
}

}  // namespace
}  // namespace pbx::webitel
