#include "support.h"

namespace simulator::webitel {
namespace {

// What owners of legs are told of calls that people make at their phones.
class Calls : public testing::Test {
 protected:
  Calls() {
    it.subscribe(201);
    it.subscribe(202);
    it.subscribe(203);
  }
  World it;
};

TEST_F(Calls, BetweenTwoExtensionsAreToldToEachOfThem) {
  ASSERT_TRUE(it.tenant().originate("201", "202", {}, it.now));
  EXPECT_THAT(it.told(201), ElementsAre("201 ringing outbound 202"));
  EXPECT_THAT(it.told(202), ElementsAre("202 ringing inbound 202"));
  ASSERT_FALSE(it.tenant().answer("202", it.now));
  EXPECT_THAT(it.told(201), ElementsAre("201 active", "201 bridge 202"));
  EXPECT_THAT(it.told(202), ElementsAre("202 active", "202 bridge 201"));
  ASSERT_FALSE(it.tenant().hang_up("202", it.now));
  EXPECT_THAT(it.told(201), ElementsAre("201 hangup NORMAL_CLEARING 200 B"));
  EXPECT_THAT(it.told(202), ElementsAre("202 hangup NORMAL_CLEARING 200 B"));
  EXPECT_THAT(it.told(203), IsEmpty());
}

TEST_F(Calls, AreWrittenInTheTypesOfTheDocument) {
  ASSERT_TRUE(it.tenant().originate("201", "202", {}, it.now));
  const auto frame = it.frames(202).at(0);
  EXPECT_EQ(frame.at("event"), "call");
  EXPECT_EQ(frame.at("seq"), 1);
  EXPECT_FALSE(frame.contains("user_id"));
  const auto& call = frame.at("data").as_object().at("call").as_object();
  EXPECT_EQ(call.at("id"), json::value(it.leg_at("202")));
  EXPECT_EQ(call.at("timestamp"), "1760000000000");
  EXPECT_EQ(call.at("domain_id"), "1");
  EXPECT_EQ(call.at("user_id"), "11");
  EXPECT_EQ(call.at("app_id"), "fs-01");
  const auto& data = call.at("data").as_object();
  EXPECT_EQ(data.at("user_id"), 11);
  EXPECT_EQ(data.at("parent_id"), json::value(it.leg_at("201")));
  EXPECT_EQ(
      data.at("from"),
      (json::object{{"type", "user"}, {"number", "201"}, {"name", "User 201"}, {"id", "10"}}));
  EXPECT_EQ(data.at("to").as_object().at("number"), "202");
  EXPECT_FALSE(data.contains("originate"));
}

TEST_F(Calls, FromATrunkAreToldToTheCalledAlone) {
  it.log_in(World::kGateway);
  it.say(World::kGateway, "subscribe_call");
  it.heard(World::kGateway);
  it.talk("+34600111222", "201");
  EXPECT_THAT(it.told(201),
              ElementsAre("201 ringing inbound 201", "201 active", "201 bridge +34600111222"));
  ASSERT_FALSE(it.tenant().hang_up("+34600111222", it.now));
  EXPECT_THAT(it.told(201), ElementsAre("201 hangup NORMAL_CLEARING 200 A"));
  EXPECT_THAT(it.told(World::kGateway), IsEmpty());
}

TEST_F(Calls, AtAnExtensionThatNobodyHasAreToldToNobody) {
  it.talk("201", "204");
  EXPECT_THAT(it.told(201),
              ElementsAre("201 ringing outbound 204", "201 active", "201 bridge 204"));
}

TEST_F(Calls, TellProgressOnlyIfItIsSwitchedOn) {
  auto settings = office();
  settings.webitel.variants.progress = true;
  World other(std::move(settings));
  other.subscribe(201);
  ASSERT_TRUE(other.tenant().originate("201", "202", {}, other.now));
  EXPECT_THAT(other.told(201), ElementsAre("201 ringing outbound 202", "201 progress"));
}

TEST_F(Calls, AreHeldAndActiveAgain) {
  it.talk("201", "202");
  it.told(202);
  it.told(201);
  ASSERT_FALSE(it.tenant().hold("202", it.now));
  ASSERT_FALSE(it.tenant().retrieve("202", it.now));
  EXPECT_THAT(it.told(202), ElementsAre("202 hold", "202 active"));
  EXPECT_THAT(it.told(201), IsEmpty());
}

TEST_F(Calls, EndForTheReasonThatTheyHave) {
  const auto last = [&](ConnectionId who) {
    const auto all = it.told(who);
    return all.empty() ? "" : all.back();
  };
  ASSERT_TRUE(it.tenant().originate("201", "202", {}, it.now));
  ASSERT_FALSE(it.tenant().hang_up("202", it.now));
  EXPECT_EQ(last(201), "201 hangup CALL_REJECTED 603 B");
  EXPECT_EQ(last(202), "202 hangup CALL_REJECTED 603 B");
  ASSERT_TRUE(it.tenant().originate("201", "202", {}, it.now));
  ASSERT_FALSE(it.tenant().hang_up("201", it.now));
  EXPECT_EQ(last(201), "201 hangup ORIGINATOR_CANCEL 487 A");
  EXPECT_EQ(last(202), "202 hangup ORIGINATOR_CANCEL 487 A");
  ASSERT_TRUE(it.tenant().originate("201", "202", {}, it.now));
  it.wait(60s);
  EXPECT_EQ(last(201), "201 hangup NO_ANSWER 487 F");
  ASSERT_TRUE(it.tenant().originate("201", "999", {}, it.now));
  EXPECT_EQ(last(201), "201 hangup UNALLOCATED_NUMBER 404 F");
  ASSERT_FALSE(it.tenant().set_registered("202", false, it.now));
  ASSERT_TRUE(it.tenant().originate("201", "202", {}, it.now));
  EXPECT_EQ(last(201), "201 hangup USER_NOT_REGISTERED 480 F");
  ASSERT_FALSE(it.tenant().set_forced_busy("203", true, it.now));
  ASSERT_TRUE(it.tenant().originate("201", "203", {}, it.now));
  it.wait(1'500ms);
  EXPECT_THAT(last(201), HasSubstr("201 hangup USER_BUSY 486"));
}

TEST_F(Calls, ThatArePickedUpSayWhere) {
  ASSERT_TRUE(it.tenant().originate("201", "202", {}, it.now));
  it.told(201);
  ASSERT_FALSE(it.tenant().pick_up("203", "202", it.now));
  EXPECT_THAT(it.told(202), ElementsAre("202 ringing inbound 202", HasSubstr("PICKED_OFF")));
  EXPECT_THAT(it.told(203), ElementsAre("203 ringing inbound 203", "203 active", "203 bridge 201"));
  EXPECT_THAT(it.told(201), ElementsAre("201 active", "201 bridge 203"));
}

TEST_F(Calls, AreTransferredBlind) {
  it.talk("201", "202");
  const auto caller = it.leg_at("201");
  it.told(201);
  it.told(202);
  ASSERT_FALSE(it.tenant().transfer("202", "203", {}, it.now));
  EXPECT_THAT(it.told(202), ElementsAre("202 hangup BLIND_TRANSFER 200 B"));
  const auto ringing = it.frames(203).at(0);
  const auto& call = ringing.at("data").as_object().at("call").as_object();
  EXPECT_EQ(call.at("data").as_object().at("parent_id"), json::value(caller));
  ASSERT_FALSE(it.tenant().answer("203", it.now));
  EXPECT_THAT(it.told(201), ElementsAre("201 bridge 203"));
  EXPECT_THAT(it.told(203), ElementsAre("203 active", "203 bridge 201"));
}

TEST_F(Calls, AreTransferredAttended) {
  it.talk("201", "202");
  const auto caller = it.leg_at("201");
  it.talk("202", "203");
  const auto consulted = it.leg_at("203");
  it.told(201);
  it.told(203);
  it.told(202);
  ASSERT_FALSE(it.tenant().attended_transfer("202", it.now));
  const auto ends = it.frames(202);
  ASSERT_EQ(ends.size(), 2u);
  const auto data = [&](std::size_t at) {
    return ends[at].at("data").as_object().at("call").as_object().at("data").as_object();
  };
  EXPECT_EQ(data(0).at("cause"), "ATTENDED_TRANSFER");
  EXPECT_EQ(data(0).at("transfer_from"), json::value(consulted));
  EXPECT_EQ(data(1).at("cause"), "ATTENDED_TRANSFER");
  EXPECT_EQ(data(1).at("transfer_to"), json::value(caller));
  EXPECT_THAT(it.told(201), ElementsAre("201 bridge 203"));
  EXPECT_THAT(it.told(203), ElementsAre("203 bridge 201"));
}

TEST_F(Calls, AreTransferredBeforeTheConsultedAnswers) {
  it.talk("201", "202");
  ASSERT_TRUE(it.tenant().originate("202", "203", {}, it.now));
  it.told(201);
  it.told(203);
  ASSERT_FALSE(it.tenant().attended_transfer("202", it.now));
  EXPECT_THAT(it.told(201), IsEmpty());
  ASSERT_FALSE(it.tenant().answer("203", it.now));
  EXPECT_THAT(it.told(201), ElementsAre("201 bridge 203"));
  EXPECT_THAT(it.told(203), ElementsAre("203 active", "203 bridge 201"));
}

// The phone mixes: for the switch it has two calls all the time.
TEST_F(Calls, StayTwoInAConferenceAtThePhone) {
  it.talk("201", "202");
  it.talk("202", "203");
  for (const auto who : {201u, 202u, 203u}) it.told(who);
  ASSERT_FALSE(it.tenant().conference("202", it.now));
  EXPECT_THAT(it.told(202), ElementsAre("202 active"));  // the first is no longer held
  EXPECT_EQ(it.items("/calls/active?user_id=11").size(), 2u);
  ASSERT_FALSE(it.tenant().hang_up("203", it.now));
  EXPECT_THAT(it.told(203), ElementsAre("203 hangup NORMAL_CLEARING 200 B"));
  EXPECT_THAT(it.told(202), ElementsAre("202 hangup NORMAL_CLEARING 200 B"));
  EXPECT_EQ(it.items("/calls/active?user_id=11").size(), 1u);
  ASSERT_FALSE(it.tenant().hang_up("202", it.now));
  EXPECT_TRUE(it.items("/calls/active").empty());
}

TEST_F(Calls, GoOnBetweenTheOthersOfAConference) {
  for (const char* leaves : {"201", "202"}) {
    it.talk("201", "202");
    it.talk("202", "203");
    ASSERT_FALSE(it.tenant().conference("202", it.now));
    for (const auto who : {201u, 202u, 203u}) it.told(who);
    ASSERT_FALSE(it.tenant().hang_up(leaves, it.now));
    EXPECT_EQ(it.items("/calls/active").size(), 2u) << leaves;
    EXPECT_THAT(it.told(202), testing::Contains("202 hangup NORMAL_CLEARING 200 " +
                                                std::string(leaves[2] == '1' ? "A" : "B")))
        << leaves;
    ASSERT_FALSE(it.tenant().hang_up("203", it.now));
    EXPECT_TRUE(it.items("/calls/active").empty()) << leaves;
  }
}

TEST_F(Calls, ThatAreParkedHaveNobodyToTalkTo) {
  auto settings = office();
  settings.engine.orbits = {"700"};
  World other(std::move(settings));
  other.subscribe(201);
  other.subscribe(203);
  other.talk("201", "202");
  ASSERT_FALSE(other.tenant().transfer("202", "700", {}, other.now));
  other.wait(1s);
  other.told(201);
  EXPECT_EQ(other.items("/calls/active").size(), 1u);
  ASSERT_FALSE(other.tenant().pick_up("203", "700", other.now));
  EXPECT_THAT(other.told(201), ElementsAre("201 bridge 203"));
  EXPECT_THAT(other.told(203),
              ElementsAre("203 ringing inbound 203", "203 active", "203 bridge 201"));
}

TEST_F(Calls, ThatAreDialledDigitByDigitBeginWithTheLast) {
  ASSERT_TRUE(it.tenant().seize("201", it.now));
  ASSERT_FALSE(it.tenant().dial("201", "20", it.now));
  EXPECT_THAT(it.told(201), IsEmpty());
  ASSERT_FALSE(it.tenant().dial("201", "2", it.now));
  EXPECT_THAT(it.told(201), ElementsAre("201 ringing outbound 202"));
}

TEST_F(Calls, AreToldToAllSocketsOfTheUser) {
  it.open(2);
  it.challenge(2, "token-201");
  it.heard(2);
  ASSERT_TRUE(it.tenant().originate("201", "202", {}, it.now));
  EXPECT_EQ(it.told(2).size(), 1u);  // the other one has subscribed
  it.say(2, "un_subscribe_call");
  it.heard(2);
  ASSERT_FALSE(it.tenant().hang_up("201", it.now));
  EXPECT_THAT(it.told(2), IsEmpty());
}

TEST_F(Calls, AreNotToldBeforeTheBindingStands) {
  auto settings = office();
  settings.webitel.bind_delay = 300ms;
  World other(std::move(settings));
  other.subscribe(201);
  ASSERT_TRUE(other.tenant().originate("201", "202", {}, other.now));
  EXPECT_THAT(other.told(201), IsEmpty());
  other.wait(300ms);
  ASSERT_FALSE(other.tenant().answer("202", other.now));
  EXPECT_EQ(other.told(201).size(), 2u);
}

TEST_F(Calls, ComeBackFromSubscribingAgain) {
  it.talk("201", "202");
  it.wait(5s);
  const auto items = it.ask(201, "subscribe_call").at("items").as_array();
  ASSERT_EQ(items.size(), 1u);
  const auto& item = items[0].as_object();
  EXPECT_EQ(item.at("id"), json::value(it.leg_at("201")));
  EXPECT_EQ(item.at("state"), "bridge");
  EXPECT_EQ(item.at("bridged_id"), json::value(it.leg_at("202")));
  EXPECT_EQ(item.at("answered_at"), 1'760'000'000'500);
  EXPECT_EQ(item.at("hangup_at"), 0);
  EXPECT_TRUE(item.at("queue").is_null());
  EXPECT_THAT(World::text(item, "timestamp"), testing::EndsWith("Z"));
  EXPECT_EQ(it.ask(203, "call_by_user").at("items"), json::array());
}

TEST_F(Calls, SayWhereTheirRecordingIs) {
  it.talk("201", "202");
  ASSERT_FALSE(it.tenant().record("202", true, it.now));
  ASSERT_FALSE(it.tenant().record("202", false, it.now));
  const auto id = it.leg_at("202");
  ASSERT_FALSE(it.tenant().hang_up("201", it.now));
  EXPECT_EQ(it.ask(202, "call_recordings", R"({"id":")" + id + "\"}").at("file_id"), 9'001);
  EXPECT_EQ(it.ask(202, "call_recordings", R"({"id":"nobody"})").at("file_id"), 0);
}

TEST_F(Calls, GetOtherIdsInARestartThatTheySurvive) {
  it.talk("201", "202");
  const auto before = it.leg_at("201");
  it.dialect().happen({.restart = true, .calls_survive = true, .noise = {}}, it.now);
  const auto all = it.items("/calls/active?user_id=10");
  ASSERT_EQ(all.size(), 1u);
  EXPECT_NE(all[0].as_object().at("id"), json::value(before));
  EXPECT_EQ(all[0].as_object().at("id"), json::value(it.leg_at("201")));
  EXPECT_EQ(all[0].as_object().at("bridged_id"), json::value(it.leg_at("202")));
}

}  // namespace
}  // namespace simulator::webitel
