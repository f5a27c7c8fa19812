#include "support.h"

namespace simulator::webitel {
namespace {

// What clients do on the socket.
class Commands : public testing::Test {
 protected:
  Commands() {
    it.subscribe(201);
    it.subscribe(202);
    it.subscribe(203);
  }
  engine::LegState state_at(std::string_view extension) {
    const auto& legs = it.tenant().extension(it.tenant().find_extension(extension)).legs;
    return it.tenant().find_leg(legs.at(0))->state;
  }
  World it;
};

TEST_F(Commands, InviteIsAnsweredOnceTheOwnPhoneHasBeenPickedUp) {
  it.say(201, "call_invite",
         R"({"destination":"+34 600-111-222","params":{"variables":{"crm":"17"}}})");
  auto ringing = it.frames(201);
  ASSERT_EQ(ringing.size(), 1u);
  const auto data = ringing[0].at("data").as_object().at("call").as_object().at("data").as_object();
  EXPECT_EQ(data.at("destination"), "+34600111222");
  EXPECT_EQ(data.at("originate"), true);
  EXPECT_EQ(data.at("params").as_object().at("autoAnswer"), "true");
  EXPECT_EQ(data.at("payload").as_object().at("crm"), "17");
  it.wait(799ms);
  EXPECT_THAT(it.told(201), IsEmpty());
  it.wait(1ms);
  EXPECT_THAT(it.told(201),
              ElementsAre("201 active", "OK 3 {\"id\":\"" + it.leg_at("201") + "\"}"));
  it.wait(5s);  // far away somebody answers by himself
  EXPECT_THAT(it.told(201), ElementsAre("201 bridge +34600111222"));
  EXPECT_EQ(it.dialect().counters().originates, 1u);
}

TEST_F(Commands, InviteFailsIfTheOwnPhoneIsNotPickedUp) {
  it.say(201, "call_invite", R"({"destination":"202","params":{"disableAutoAnswer":true}})");
  it.wait(59s);
  it.told(201);
  it.wait(1s);
  EXPECT_THAT(it.told(201),
              ElementsAre("201 hangup NO_ANSWER 487 F", "FAIL 3 external.new_call.app_error 500"));
  it.say(201, "call_invite",
         R"({"destination":"202","params":{"disableAutoAnswer":true,"timeout":5}})");
  it.wait(4'999ms);
  it.told(201);
  it.wait(1ms);
  EXPECT_THAT(it.told(201),
              ElementsAre(HasSubstr("NO_ANSWER"), "FAIL 4 external.new_call.app_error 500"));
}

TEST_F(Commands, InviteFailsAtOnceIfThereIsNoPhone) {
  it.tenant().set_registered("201", false, it.now);
  it.say(201, "call_invite", R"({"destination":"202"})");
  const auto frame = it.frames(201).at(0);
  EXPECT_THAT(World::text(frame.at("error").as_object(), "detail"),
              HasSubstr("USER_NOT_REGISTERED"));
  EXPECT_EQ(it.result(201, "call_invite", R"({"destination":17})"),
            "api.websocket_handler.invalid_param.app_error 400");
  it.log_in(World::kGateway);  // has no phone at all
  EXPECT_EQ(it.result(World::kGateway, "call_invite", R"({"destination":"202"})"),
            "external.new_call.app_error 500");
}

TEST_F(Commands, CallUserNamesAUser) {
  it.say(201, "call_user", R"({"toUserId":11})");
  it.wait(800ms);
  EXPECT_THAT(it.told(201), testing::Contains("OK 3 {\"call_id\":\"" + it.leg_at("201") + "\"}"));
  EXPECT_THAT(it.told(202), ElementsAre("202 ringing inbound 202"));
  EXPECT_EQ(it.result(201, "call_user", R"({"toUserId":"11"})"),
            "api.websocket_handler.invalid_param.app_error 400");
}

TEST_F(Commands, HangUpEndsCallsAndIsAlwaysOk) {
  it.talk("201", "202");
  const auto id = it.leg_at("202");
  it.told(202);
  EXPECT_EQ(it.result(202, "call_hangup", World::leg(id)), "");
  EXPECT_EQ(it.tenant().call_count(), 0u);
  EXPECT_EQ(it.result(202, "call_hangup", World::leg(id)), "");
}

TEST_F(Commands, HangUpWithACauseRejects) {
  ASSERT_TRUE(it.tenant().originate("201", "202", {}, it.now));
  it.told(201);
  it.told(202);
  it.say(202, "call_hangup", World::leg(it.leg_at("202"), R"(,"cause":"USER_BUSY")"));
  EXPECT_THAT(it.told(202), ElementsAre("202 hangup USER_BUSY 486 B", "OK 3"));
}

TEST_F(Commands, WantTheLegAndItsNode) {
  it.talk("201", "202");
  const auto id = it.leg_at("202");
  for (const auto* action : {"call_hangup", "call_hold", "call_unhold", "call_dtmf", "call_mute"}) {
    EXPECT_EQ(it.result(202, action, R"({"id":")" + id + "\"}"),
              "api.websocket_handler.invalid_param.app_error 400")
        << action;
    EXPECT_EQ(it.result(202, action, R"({"id":17,"app_id":"fs-01"})"),
              "api.websocket_handler.invalid_param.app_error 400")
        << action;
    EXPECT_EQ(it.result(202, action, R"({"id":")" + id + R"(","app_id":"fs-99"})"),
              "call.get_client_by_id.not_found 404")
        << action;
  }
}

TEST_F(Commands, HoldAndUnholdAreOkWhateverComesOfThem) {
  it.talk("201", "202");
  const auto id = it.leg_at("202");
  it.told(202);
  it.say(202, "call_hold", World::leg(id));
  EXPECT_THAT(it.told(202), ElementsAre("202 hold", "OK 3"));
  it.say(202, "call_hold", World::leg(id));
  EXPECT_THAT(it.told(202), ElementsAre("OK 4"));
  it.say(202, "call_unhold", World::leg(id));
  EXPECT_THAT(it.told(202), ElementsAre("202 active", "OK 5"));
  it.say(202, "call_hold", World::leg("nobody"));
  EXPECT_THAT(it.told(202), ElementsAre("OK 6"));
}

// Nobody checks whose leg it is; but only its owner is told.
TEST_F(Commands, WorkOnAnybodysLeg) {
  it.talk("201", "202");
  it.told(202);
  EXPECT_EQ(it.result(203, "call_hold", World::leg(it.leg_at("202"))), "");
  EXPECT_THAT(it.told(202), ElementsAre("202 hold"));
  EXPECT_EQ(it.result(203, "call_hangup", World::leg(it.leg_at("202"))), "");
  EXPECT_EQ(it.tenant().call_count(), 0u);
}

TEST_F(Commands, DtmfTakesTheFirstCharacter) {
  it.talk("201", "202");
  it.told(202);
  it.say(202, "call_dtmf", World::leg(it.leg_at("202"), R"(,"dtmf":"57")"));
  EXPECT_THAT(it.told(202), ElementsAre("202 dtmf 5", "OK 3"));
  EXPECT_EQ(it.result(202, "call_dtmf", World::leg(it.leg_at("202"), R"(,"dtmf":"")")),
            "api.websocket_handler.invalid_param.app_error 400");
}

TEST_F(Commands, MuteWantsABoolean) {
  it.talk("201", "202");
  const auto id = it.leg_at("202");
  EXPECT_EQ(it.result(202, "call_mute", World::leg(id, R"(,"mute":true)")), "");
  EXPECT_EQ(it.result(202, "call_mute", World::leg(id, R"(,"mute":"true")")),
            "api.websocket_handler.invalid_param.app_error 400");
}

TEST_F(Commands, BlindTransferSendsTheOtherParty) {
  it.talk("201", "202");
  it.told(202);
  it.say(202, "call_blind_transfer", R"({"id":")" + it.leg_at("202") + R"(","destination":"203"})");
  EXPECT_THAT(it.told(202), ElementsAre("202 hangup BLIND_TRANSFER 200 B", "OK 3"));
  EXPECT_THAT(it.told(203), ElementsAre("203 ringing inbound 203"));
  EXPECT_EQ(it.result(202, "call_blind_transfer_ext", R"({"id":"gone","destination":"203"})"),
            "store.sql_call.get_instance.app_error 404");
}

TEST_F(Commands, BlindTransferOfWhatRingsDeflectsIt) {
  ASSERT_TRUE(it.tenant().originate("201", "202", {}, it.now));
  it.told(202);
  it.say(202, "call_blind_transfer", R"({"id":")" + it.leg_at("202") + R"(","destination":"203"})");
  EXPECT_THAT(it.told(202), ElementsAre("202 hangup ORIGINATOR_CANCEL 487 B", "OK 3"));
  EXPECT_THAT(it.told(203), ElementsAre("203 ringing inbound 203"));
}

TEST_F(Commands, BridgeJoinsThePartners) {
  it.talk("201", "202");
  it.talk("202", "203");
  const std::string from = it.first_leg_at("202"), to = it.leg_at("202");
  it.told(202);
  it.told(201);
  const auto wish = [](const std::string& a, const std::string& b) {
    return R"({"from_id":")" + a + R"(","to_id":")" + b + "\"}";
  };
  EXPECT_EQ(it.result(202, "call_bridge", wish(from, "nobody")),
            "external.bridge_call.app_error 500");
  EXPECT_EQ(it.result(202, "call_bridge", R"({"from_id":"x"})"),
            "api.websocket_handler.invalid_param.app_error 400");
  it.say(202, "call_bridge", wish(from, to));
  EXPECT_THAT(it.told(202), ElementsAre(HasSubstr("ATTENDED_TRANSFER"),
                                        HasSubstr("ATTENDED_TRANSFER"), HasSubstr("OK")));
  EXPECT_THAT(it.told(201), ElementsAre("201 bridge 203"));
}

TEST_F(Commands, BridgeWantsBothToTalk) {
  it.talk("201", "202");
  ASSERT_TRUE(it.tenant().originate("202", "203", {}, it.now));
  EXPECT_EQ(it.result(202, "call_bridge",
                      R"({"from_id":")" + it.first_leg_at("202") + R"(","to_id":")" +
                          it.leg_at("202") + "\"}"),
            "external.bridge_call.app_error 500");
}

TEST_F(Commands, SetParamsComesBackAtTheEnd) {
  it.talk("201", "202");
  EXPECT_EQ(it.result(202, "call_set_params",
                      R"({"id":")" + it.leg_at("202") + R"(","variables":{"a":"b"}})"),
            "");
  ASSERT_FALSE(it.tenant().hang_up("201", it.now));
  const auto frame = it.frames(202).at(0);
  const auto& call = frame.at("data").as_object().at("call").as_object();
  EXPECT_EQ(call.at("data").as_object().at("payload"), (json::object{{"a", "b"}}));
}

TEST_F(Commands, EavesdroppingIsNotToBeHad) {
  it.talk("201", "202");
  const auto wish = R"({"id":")" + it.leg_at("202") + "\"}";
  EXPECT_EQ(it.result(203, "call_eavesdrop", wish), "external.new_call.app_error 500");
  EXPECT_EQ(it.result(203, "call_eavesdrop", R"({"id":"x"})"),
            "store.sql_call.get_instance.app_error 404");
}

TEST_F(Commands, NeedPermission) {
  auto settings = office();
  settings.webitel.user_permissions = {};
  World other(std::move(settings));
  other.log_in(201);
  for (const auto* action : {"subscribe_call", "un_subscribe_call", "call_by_user", "call_invite",
                             "call_blind_transfer", "call_eavesdrop"}) {
    EXPECT_EQ(other.result(201, action, R"({"id":"x","destination":"202"})"),
              "api.context.permissions.app_error 403")
        << action;
  }
  other.talk("201", "202");  // these are not looked at
  EXPECT_EQ(other.result(201, "call_hold", World::leg(other.leg_at("201"))), "");
}

TEST_F(Commands, DeviceOfTheUserIsToldWithItsPassword) {
  const auto device = it.ask(201, "user_default_device", R"({"name":"sip"})");
  EXPECT_EQ(device.at("authorization_user"), "201");
  EXPECT_EQ(device.at("password"), "agent-201");
  EXPECT_EQ(it.result(201, "sip_proxy", "{}"), "api.websocket_handler.invalid_param.app_error 400");
  EXPECT_EQ(it.result(201, "sip_proxy", R"({"data":"x"})"), "");
}

}  // namespace
}  // namespace simulator::webitel
