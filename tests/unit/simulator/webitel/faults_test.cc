#include "support.h"

namespace simulator::webitel {
namespace {

using engine::Faults;

class WebitelFaults : public testing::Test {
 protected:
  WebitelFaults() { it.subscribe(201); }
  void call() { ASSERT_TRUE(it.tenant().originate("201", "202", {}, it.now)); }
  World it;
};

TEST_F(WebitelFaults, LoginsAreRefusedInEachWay) {
  it.faults([](Faults& faults) {
    faults.forbidden = 1;
    faults.unlicensed = 1;
    faults.login_unavailable = 1;
  });
  it.open(202);
  for (const auto* what :
       {"FAIL 1 app.session.app_error 500", "FAIL 2 app.session.unauthenticated 401",
        "FAIL 3 api.context.permissions.license 412"}) {
    it.challenge(202, "token-202");
    EXPECT_THAT(it.told(202), ElementsAre(what));
  }
  it.challenge(202, "token-202");
  EXPECT_EQ(it.told(202).size(), 2u);
}

TEST_F(WebitelFaults, ConnectionsAreLostOrSilentAfterTheLogin) {
  it.faults([](Faults& faults) { faults.drop_before_init = 1; });
  it.open(202);
  it.challenge(202, "token-202");
  EXPECT_TRUE(it.wire.dropped.contains(202));
  it.faults([](Faults& faults) { faults.no_welcome = true; });
  it.open(203);
  it.challenge(203, "token-203");
  EXPECT_THAT(it.heard(203), IsEmpty());
}

TEST_F(WebitelFaults, SubscriptionsAreLostUntilTheNext) {
  it.dialect().happen({.lose_subscriptions = true, .noise = {}}, it.now);
  call();
  EXPECT_THAT(it.told(201), IsEmpty());
  EXPECT_EQ(it.ask(201, "subscribe_call").at("items").as_array().size(), 1u);
  ASSERT_FALSE(it.tenant().answer("202", it.now));
  EXPECT_THAT(it.told(201), ElementsAre("201 active", "201 bridge 202"));
}

TEST_F(WebitelFaults, SessionsExpireInSilence) {
  it.dialect().happen({.revoke = engine::Revoke::quiet, .noise = {}}, it.now);
  call();
  EXPECT_THAT(it.told(201), IsEmpty());
  it.say(201, "ping");
  EXPECT_THAT(it.told(201),
              ElementsAre("FAIL 3 api.web_socket_router.not_authenticated.app_error 500"));
  EXPECT_FALSE(it.wire.dropped.contains(201));
}

TEST_F(WebitelFaults, EventsAreLostWithTheirNumber) {
  it.faults([](Faults& faults) { faults.lost_events = 1; });
  call();
  EXPECT_THAT(it.frames(201), IsEmpty());
  ASSERT_FALSE(it.tenant().answer("202", it.now));
  EXPECT_EQ(it.frames(201).at(0).at("seq"), 2);
}

TEST_F(WebitelFaults, EventsComeTwiceEachWithItsNumber) {
  it.faults([](Faults& faults) { faults.duplicate = 1; });
  call();
  const auto frames = it.frames(201);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].at("seq"), 1);
  EXPECT_EQ(frames[1].at("seq"), 2);
  EXPECT_EQ(frames[0].at("data"), frames[1].at("data"));
}

TEST_F(WebitelFaults, DataIsATextAsOnTheInside) {
  it.faults([](Faults& faults) { faults.text_data = true; });
  call();
  const auto frame = it.frames(201).at(0);
  EXPECT_TRUE(frame.at("data").as_object().at("call").as_object().at("data").is_string());
}

TEST_F(WebitelFaults, FillersAreFourNuls) {
  it.faults([](Faults& faults) { faults.filler = true; });
  call();
  const auto all = it.heard(201);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1], std::string(4, '\0'));
}

TEST_F(WebitelFaults, CommandsAreIgnoredOrRefused) {
  it.talk("201", "202");
  const auto id = it.leg_at("201");
  it.told(201);
  it.faults([](Faults& faults) { faults.actions = Faults::Actions::ignore; });
  EXPECT_EQ(it.result(201, "call_hold", World::leg(id)), "");
  EXPECT_EQ(it.rest("PATCH", "/calls/active/" + id + "/hold", "{}"), "200 {}");
  EXPECT_THAT(it.rest("POST", "/calls", R"({"from":{"extension":"203"},"destination":"202"})"),
              HasSubstr("200 {\"id\""));
  EXPECT_FALSE(it.ask(201, "call_invite", R"({"destination":"203"})").at("id").as_string().empty());
  EXPECT_EQ(it.items("/calls/active?state=hold").size(), 0u);
  EXPECT_EQ(it.tenant().call_count(), 1u);
  it.faults([](Faults& faults) { faults.actions = Faults::Actions::error; });
  EXPECT_EQ(it.result(201, "call_hold", World::leg(id)), "external.call.app_error 500");
  EXPECT_EQ(it.result(201, "call_invite", R"({"destination":"203"})"),
            "external.call.app_error 500");
  EXPECT_EQ(it.error("DELETE", "/calls/active/" + id), "500 external.call.app_error 500");
  EXPECT_EQ(it.ask(201, "call_by_user").at("items").as_array().size(), 1u);  // no command
}

TEST_F(WebitelFaults, AnswersComeLateOrOutOfOrder) {
  it.faults([](Faults& faults) { faults.late_answers = 2; });
  it.say(201, "latency_start");
  it.say(201, "latency_start");
  it.say(201, "latency_start");
  EXPECT_THAT(it.told(201), ElementsAre(HasSubstr("OK 3"), HasSubstr("OK 5")));
  it.wait(1s);
  EXPECT_THAT(it.told(201), ElementsAre(HasSubstr("OK 4")));
  it.faults([](Faults& faults) { faults = {}; });
  it.faults([](Faults& faults) { faults.results_late = 300ms; });
  it.talk("201", "202");
  it.told(201);
  it.say(201, "call_hold", World::leg(it.leg_at("201")));
  EXPECT_THAT(it.told(201), ElementsAre("201 hold"));
  it.wait(300ms);
  EXPECT_THAT(it.told(201), ElementsAre("OK 6"));
}

TEST_F(WebitelFaults, RingingIsMissingOrHangUpsOvertake) {
  it.faults([](Faults& faults) { faults.new_call = Faults::NewCall::missing; });
  it.talk("201", "202");
  EXPECT_THAT(it.told(201), ElementsAre("201 active", "201 bridge 202"));
  it.faults([](Faults& faults) { faults.reorder_hangup = 300ms; });
  ASSERT_FALSE(it.tenant().hold("201", it.now));
  ASSERT_FALSE(it.tenant().hang_up("201", it.now));
  EXPECT_THAT(it.told(201), ElementsAre("201 hangup NORMAL_CLEARING 200 A"));
  it.wait(300ms);
  EXPECT_THAT(it.told(201), ElementsAre("201 hold"));
}

TEST_F(WebitelFaults, SocketsAreClosedWithoutAStatusOrDropped) {
  it.log_in(202);
  it.dialect().happen({.close_empty = true, .noise = {}}, it.now);
  EXPECT_EQ(it.wire.closed[201], engine::kNoStatus);
  it.log_in(203);
  it.dialect().happen({.drop_all = true, .noise = {}}, it.now);
  EXPECT_TRUE(it.wire.dropped.contains(203));
  EXPECT_FALSE(it.wire.dropped.contains(201));
  EXPECT_THAT(it.dialect().connections(), IsEmpty());
}

TEST_F(WebitelFaults, NoiseIsNoEvent) {
  it.dialect().happen({.noise = {engine::Noise::invalid_json, engine::Noise::unknown_action}},
                      it.now);
  EXPECT_EQ(it.heard(201).size(), 2u);
  call();
  EXPECT_EQ(it.frames(201).at(0).at("seq"), 1);
}

TEST_F(WebitelFaults, SilenceHoldsForRequestsToo) {
  it.faults([](Faults& faults) { faults.silent = true; });
  EXPECT_TRUE(it.wire.silent.contains(201));
  EXPECT_EQ(it.request("GET", "/calls/active").kind, engine::HttpAnswer::Kind::never);
  it.say(201, "ping");
  EXPECT_THAT(it.heard(201), IsEmpty());
  it.faults([](Faults& faults) { faults.silent = false; });
  EXPECT_TRUE(it.wire.dropped.contains(201));
}

TEST_F(WebitelFaults, RequestsAndListsAreSpoilt) {
  it.talk("201", "202");
  it.faults([](Faults& faults) {
    faults.double_entries = 1;
    faults.missing_entries = 0;
  });
  EXPECT_EQ(it.items("/calls/active").size(), 4u);
  it.faults([](Faults& faults) { faults.missing_entries = 1; });
  EXPECT_EQ(it.items("/calls/active").size(), 1u);
  it.faults([](Faults& faults) {
    faults.drop_requests = 1;
    faults.truncated_replies = 1;
  });
  EXPECT_EQ(it.request("GET", "/calls/active").kind, engine::HttpAnswer::Kind::drop);
  boost::system::error_code wrong;
  (void)json::parse(it.request("GET", "/calls/active").reply.body, wrong);
  EXPECT_TRUE(wrong);
  EXPECT_EQ(it.items("/calls/active").size(), 2u);
}

}  // namespace
}  // namespace simulator::webitel
