#include "support.h"

// What watchers of users hear of calls, and what they can do about them: the sequences of the
// protocol's description, both legs.
namespace simulator::innovaphone {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CallsTest : public testing::Test {
 protected:
  void start(TenantSettings settings = gamma()) {
    world = std::make_unique<World>(std::move(settings));
    world->log_in();
    world->watch({"201", "202", "203"});
  }
  void SetUp() override { start(); }

  // 201 (handle 1, call 1) talks to 202 (handle 2, call 2).
  void connect() {
    ASSERT_TRUE(world->tenant().originate("201", "202", {}, world->now));
    ASSERT_FALSE(world->tenant().answer("202", world->now));
    world->told();
  }
  // 201 has also called 203 (201's call 3, 203's call 4), and 202 waits.
  void consult() {
    connect();
    ASSERT_TRUE(world->tenant().originate("201", "203", {}, world->now));
    ASSERT_FALSE(world->tenant().answer("203", world->now));
    world->told();
  }
  std::vector<std::string> done(const std::string& mt, const std::string& fields) {
    world->rcc(mt, fields);
    return world->told();
  }

  std::unique_ptr<World> world;
};

TEST_F(CallsTest, TellsOfACallMessageByMessage) {
  world->say(R"({"mt":"UserCall","api":"RCC","src":"c","user":1,"e164":"202"})");
  const auto leg = world->tenant().extension(0).legs[0];
  const auto conf = world->dialect().id_of(*world->tenant().find_leg(leg));
  EXPECT_EQ(conf.size(), 32u);
  const std::string caller = R"({"mt":"CallInfo","api":"RCC","user":1,"call":1,"conf":")" + conf;
  const std::string callee = R"({"mt":"CallInfo","api":"RCC","user":2,"call":2,"conf":")" + conf;
  const std::string to_202 =
      R"("peer":{"cn":"User 202","dn":"User 202","h323":"user202","e164":"202"},)";
  const std::string to_201 =
      R"("peer":{"cn":"User 201","dn":"User 201","h323":"user201","e164":"201"},)";
  EXPECT_THAT(
      world->heard(),
      ElementsAre(R"({"mt":"UserCallResult","api":"RCC","src":"c","call":1})",
                  caller + R"(","state":1,"peer":{"e164":"202","h323":""},"msg":"x-setup"})",
                  callee + R"(","state":129,)" + to_201 + R"("msg":"r-setup"})",
                  caller + R"(","state":4,)" + to_202 + R"("msg":"r-alert"})",
                  callee + R"(","state":132,)" + to_201 + R"("msg":"x-alert"})"));
  world->rcc("UserConnect", R"("call":2)");
  EXPECT_THAT(world->heard(),
              ElementsAre(R"({"mt":"UserConnectResult","api":"RCC"})",
                          callee + R"(","state":133,)" + to_201 + R"("msg":"x-conn"})",
                          caller + R"(","state":5,)" + to_202 + R"("msg":"r-conn"})"));
  world->rcc("UserClear", R"("call":1,"cause":"16","user":1)");
  const std::string cause = R"("info":[{"type":"cause","vali":16,"vals":"Normal call clearing"}]})";
  EXPECT_THAT(world->heard(),
              ElementsAre(R"({"mt":"UserClearResult","api":"RCC"})",
                          caller + R"(","state":7,)" + to_202 + R"("msg":"x-rel",)" + cause,
                          caller + R"(","state":7,)" + to_202 + R"("msg":"del","del":true})",
                          callee + R"(","state":134,)" + to_201 + R"("msg":"r-disc",)" + cause,
                          callee + R"(","state":134,)" + to_201 + R"("msg":"r-rel",)" + cause,
                          callee + R"(","state":134,)" + to_201 + R"("msg":"del","del":true})"));
}

TEST_F(CallsTest, TellsOfOutsideParties) {
  EXPECT_THAT(
      done("UserCall", R"("user":1,"e164":"0600111222")"),
      ElementsAre("UserCallResult 1", "1.1 1 x-setup 0600111222", "1.1 3 r-call-proc 0600111222"));
  world->wait(500ms);
  EXPECT_THAT(world->told(), ElementsAre("1.1 4 r-alert 0600111222"));
  world->wait(3s);
  EXPECT_THAT(world->told(), ElementsAre("1.1 5 r-conn 0600111222"));
  ASSERT_FALSE(world->tenant().hang_up("0600111222", world->now));
  EXPECT_THAT(world->told(), ElementsAre("1.1 6 r-disc 0600111222 cause 16",
                                         "1.1 6 r-rel 0600111222 cause 16", "1.1 6 del"));
}

TEST_F(CallsTest, TellsOfCallsThatComeToNothing) {
  EXPECT_THAT(
      done("UserCall", R"("user":1,"e164":"9")"),
      ElementsAre("UserCallResult 1", "1.1 1 x-setup 9", "1.1 6 r-disc 9 cause 1", "1.1 6 del"));
  ASSERT_FALSE(world->tenant().set_forced_busy("202", true, world->now));
  EXPECT_THAT(done("UserCall", R"("user":1,"h323":"user202")"),
              ElementsAre("UserCallResult 2", "1.2 1 x-setup 202", "1.2 6 r-disc 202 cause 17"));
  world->wait(1500ms);
  EXPECT_THAT(world->told(), ElementsAre("1.2 6 del"));
  EXPECT_THAT(done("UserCall", R"("user":1,"cn":"Nobody")"),
              ElementsAre("UserCallResult 3", "1.3 1 x-setup ", "1.3 2 r-setup-ack "));
  done("UserClear", R"("call":3)");
  EXPECT_THAT(done("UserCall", R"("user":9,"e164":"202")"), ElementsAre("UserCallResult"));
  ASSERT_FALSE(world->tenant().set_registered("201", false, world->now));
  EXPECT_THAT(done("UserCall", R"("user":1,"e164":"202")"), ElementsAre("UserCallResult"));
}

TEST_F(CallsTest, TellsOfRejectedAbandonedAndUnansweredCalls) {
  ASSERT_TRUE(world->tenant().originate("201", "202", {}, world->now));
  world->told();
  EXPECT_THAT(done("UserClear", R"("call":2,"cause":17)"),
              ElementsAre("UserClearResult", "2.2 135 x-rel 201 cause 17", "2.2 135 del",
                          "1.1 6 r-disc 202 cause 17", "1.1 6 del"));
  ASSERT_TRUE(world->tenant().originate("201", "202", {}, world->now));
  world->told();
  EXPECT_THAT(done("UserClear", R"("call":3)"),
              ElementsAre("UserClearResult", "1.3 7 x-rel 202 cause 16", "1.3 7 del",
                          "2.4 134 r-rel 201 cause 16", "2.4 134 del"));
  ASSERT_TRUE(world->tenant().originate("201", "202", {}, world->now));
  world->told();
  world->wait(60s);
  EXPECT_THAT(world->told(), ElementsAre("2.6 134 r-rel 201 cause 19", "2.6 134 del",
                                         "1.5 6 r-disc 202 cause 19", "1.5 6 del"));
}

TEST_F(CallsTest, HoldsAndRetrieves) {
  connect();
  EXPECT_THAT(done("UserHold", R"("call":1,"remote":true)"),
              ElementsAre("UserHoldResult", "1.1 261 update 202", "2.2 645 r-held 201"));
  EXPECT_THAT(done("UserRetrieve", R"("call":1)"),
              ElementsAre("UserRetrieveResult", "1.1 5 update 202", "2.2 133 r-retrieved 201"));
  EXPECT_THAT(done("UserHold", R"("call":2)"),
              ElementsAre("UserHoldResult", "2.2 389 update 201", "1.1 517 r-held 202"));
}

TEST_F(CallsTest, TransfersAfterAConsultation) {
  connect();
  EXPECT_THAT(done("UserCall", R"("user":1,"e164":"203")"),
              ElementsAre("UserCallResult 3", "1.3 1 x-setup 203", "1.1 261 update 202",
                          "2.2 645 r-held 201", "3.4 129 r-setup 201", "1.3 4 r-alert 203",
                          "3.4 132 x-alert 201"));
  done("UserConnect", R"("call":4)");
  const auto conf = [&](std::string_view number) {
    const auto& extension = world->tenant().extension(world->tenant().find_extension(number));
    return world->dialect().id_of(*world->tenant().find_leg(extension.legs[0]));
  };
  const auto stays = conf("202");
  EXPECT_NE(conf("203"), stays);
  world->rcc("UserTransfer", R"("a":1,"b":3)");
  const auto frames = world->heard();
  std::vector<std::string> all;
  for (const auto& frame : frames) all.push_back(World::brief(frame));
  EXPECT_THAT(all, ElementsAre("UserTransferResult", "1.1 261 update 202 xfer=203", "1.1 261 del",
                               "1.3 5 update 203 xfer=202", "1.3 5 del", "2.2 133 r-ct 203 ct=201",
                               "3.4 133 r-ct 202 ct=201"));
  EXPECT_THAT(frames[5], HasSubstr(stays));
  EXPECT_THAT(frames[6], HasSubstr(stays)) << "both have one conf now";
}

TEST_F(CallsTest, MayKeepTheConfOfTheConsultation) {
  auto settings = gamma();
  settings.innovaphone.variants.transfer_conf = Variants::TransferConf::kept;
  start(settings);
  consult();
  const auto& leg = *world->tenant().find_leg(world->tenant().extension(2).legs[0]);
  const auto conf = world->dialect().id_of(leg);
  world->rcc("UserTransfer", R"("a":1,"b":3)");
  EXPECT_THAT(world->heard().back(), HasSubstr(conf));
}

TEST_F(CallsTest, TransfersWhatStillRings) {
  connect();
  ASSERT_TRUE(world->tenant().originate("201", "203", {}, world->now));
  world->told();
  EXPECT_THAT(done("UserTransfer", R"("a":1,"b":3)"),
              ElementsAre("UserTransferResult", "1.1 261 update 202 xfer=203", "1.1 261 del",
                          "1.3 4 update 203 xfer=202", "1.3 4 del", "2.2 133 r-ct 203 ct=201",
                          "3.4 132 r-ct 202 ct=201"));
  EXPECT_THAT(done("UserConnect", R"("call":4)"),
              ElementsAre("UserConnectResult", "3.4 133 x-conn 202", "2.2 133 update 203"));
}

TEST_F(CallsTest, TransfersInOneStep) {
  connect();
  EXPECT_THAT(
      done("UserRedirect", R"("call":1,"e164":"203")"),
      ElementsAre("UserRedirectResult", "1.1 5 update 202 xfer=203", "1.1 5 del",
                  "3.3 129 r-setup 202 ct=201", "2.2 133 r-ct 203 ct=201", "3.3 132 x-alert 202"));
  EXPECT_THAT(done("UserConnect", R"("call":3)"),
              ElementsAre("UserConnectResult", "3.3 133 x-conn 202", "2.2 133 update 203"));
  EXPECT_THAT(done("UserRedirect", R"("call":1,"e164":"203")"),
              ElementsAre("UserRedirectResult call_not_found"));
  EXPECT_THAT(done("UserReroute", R"("call":2,"cn":"Nobody")"),
              ElementsAre("UserRerouteResult invalid_argument"));
}

TEST_F(CallsTest, DivertsWhatRings) {
  ASSERT_TRUE(world->tenant().originate("201", "202", {}, world->now));
  world->told();
  EXPECT_THAT(
      done("UserRedirect", R"("call":2,"h323":"user203")"),
      ElementsAre("UserRedirectResult", "2.2 132 del", "3.3 129 r-setup 201 leg2=202 leg2orig=202",
                  "1.1 4 r-facility 203 leg1=202", "3.3 132 x-alert 201"));
}

TEST_F(CallsTest, ObeysForwardingsOrNot) {
  ASSERT_FALSE(world->tenant().set_forwarding("202", {"203", "", ""}, world->now));
  EXPECT_THAT(done("UserCall", R"("user":1,"e164":"202")"),
              Contains("3.2 129 r-setup 201 leg2=202 leg2orig=202"));
  done("UserClear", R"("call":1)");
  EXPECT_THAT(done("UserCall", R"("user":1,"e164":"202","ftyNoCF":true)"),
              Contains("2.4 129 r-setup 201"));
  done("UserClear", R"("call":3)");
  ASSERT_TRUE(world->tenant().originate("201", "204", {}, world->now));
  world->rcc("UserInitialize", R"("cn":"User 204")");
  world->told();
  EXPECT_THAT(done("UserRedirect", R"("call":6,"e164":"202")"),
              Contains("2.7 129 r-setup 201 leg2=204 leg2orig=204"));
  EXPECT_THAT(done("UserReroute", R"("call":7,"e164":"202")"), Not(Contains(HasSubstr("2.8"))));
}

TEST_F(CallsTest, ForwardsWhatNobodyAnswers) {
  ASSERT_FALSE(world->tenant().set_forwarding("202", {"", "", "203"}, world->now));
  ASSERT_TRUE(world->tenant().originate("201", "202", {}, world->now));
  world->told();
  world->wait(60s);
  EXPECT_THAT(world->told(), ElementsAre("2.2 132 del", "3.3 129 r-setup 201 leg2=202 leg2orig=202",
                                         "1.1 4 r-facility 203 leg1=202", "3.3 132 x-alert 201"));
}

TEST_F(CallsTest, PicksUp) {
  ASSERT_TRUE(world->tenant().originate("201", "202", {}, world->now));
  world->told();
  EXPECT_THAT(
      done("UserPickup", R"("user":3,"cn":"User 202")"),
      ElementsAre("UserPickupResult 3", "3.3 129 r-setup 201 picking", "2.2 134 r-rel 201 cause 26",
                  "2.2 134 del", "3.3 133 x-conn 201", "1.1 5 r-conn 203"));
  ASSERT_TRUE(world->tenant().originate("+34600111222", "202", {}, world->now));
  world->told();
  EXPECT_THAT(done("UserPickup", R"("user":1)"), Contains("UserPickupResult 5")) << "anything";
  EXPECT_THAT(done("UserPickup", R"("user":1)"), ElementsAre("UserPickupResult"));
  EXPECT_THAT(done("UserPickup", R"("user":1,"cn":"Nobody")"), ElementsAre("UserPickupResult"));
}

TEST_F(CallsTest, ParksAndUnparks) {
  connect();
  EXPECT_THAT(done("UserPark", R"("call":2,"position":-1)"),
              ElementsAre("UserParkResult 3", "2.2 134 r-rel 201 parked-to=202 cause 16",
                          "2.2 134 del", "2.3 136 update 201", "1.1 517 r-held 202 parked-to=202"));
  EXPECT_THAT(done("UserPickup", R"("user":3,"call":3)"),
              ElementsAre("UserPickupResult 4", "3.4 129 r-setup 201 picking", "2.3 136 del",
                          "3.4 133 x-conn 201", "1.1 5 r-retrieved 203"));
  EXPECT_THAT(done("UserPark", R"("call":4,"cn":"User 202","position":"5")"),
              ElementsAre("UserParkResult", "3.4 134 r-rel 201 parked-to=202 cause 16",
                          "3.4 134 del", "2.5 136 update 201", "1.1 517 r-held 202 parked-to=202"))
      << "whose handle is another user's";
  ASSERT_EQ(world->tenant().extension(world->tenant().find_extension("park5")).legs.size(), 1u);
  ASSERT_FALSE(world->tenant().hang_up("201", world->now));
  EXPECT_THAT(world->told(), ElementsAre("1.1 7 x-rel 202 cause 16", "1.1 7 del",
                                         "2.5 134 r-rel 201 cause 16", "2.5 134 del"));
}

TEST_F(CallsTest, HasNoMorePositionsThanItHas) {
  auto settings = gamma();
  settings.innovaphone.park_positions = 1;
  start(settings);
  connect();
  EXPECT_THAT(done("UserPark", R"("call":2,"position":1)"), ElementsAre("UserParkResult"));
  EXPECT_THAT(done("UserPark", R"("call":2)"), Contains("UserParkResult 3"));
  ASSERT_TRUE(world->tenant().originate("202", "203", {}, world->now));
  ASSERT_FALSE(world->tenant().answer("203", world->now));
  world->told();
  EXPECT_THAT(done("UserPark", R"("call":5)"), ElementsAre("UserParkResult"));
}

TEST_F(CallsTest, PassesDigitsAndTextsOn) {
  connect();
  EXPECT_THAT(done("UserDTMF", R"("call":1,"dtmf":"12#")"),
              ElementsAre("UserDTMFResult", "2.2 133 r-info 201 dtmf 12#"));
  EXPECT_THAT(done("UserDTMF", R"("call":1,"dtmf":"1","recv":true)"),
              ElementsAre("UserDTMFResult"));
  EXPECT_THAT(done("UserUUI", R"("call":2,"uui":"hello")"),
              ElementsAre("UserUUIResult", "1.1 5 r-user-info 202 uui hello"));
}

TEST_F(CallsTest, ControlsPhones) {
  consult();
  EXPECT_THAT(done("UserRc", R"("call":3,"rc":8)"), ElementsAre("UserRcResult"));
  EXPECT_TRUE(world->tenant().find_leg(world->tenant().extension(0).legs[1])->recording);
  EXPECT_THAT(done("UserRc", R"("call":3,"rc":9)"), ElementsAre("UserRcResult"));
  EXPECT_THAT(
      done("UserRc", R"("call":3,"rc":10)"),
      ElementsAre("UserRcResult", "1.1 5 update 202", "2.2 133 r-retrieved 201", "1.3 5 del"));
  EXPECT_TRUE(world->tenant().calls().front()->conference);
}

TEST_F(CallsTest, AcceptsWhatChangesNothing) {
  connect();
  for (const auto* mt : {"UserMediaTransfer", "UserCtComplete", "UserCtrlCall", "UserRc"}) {
    EXPECT_THAT(done(mt, R"("call":1,"a":1,"b":2,"rc":14)"),
                ElementsAre(std::string(mt) + "Result"));
  }
  for (const auto* mt : {"UserConnect", "UserClear", "UserHold", "UserRetrieve", "UserTransfer",
                         "UserDTMF", "UserUUI", "UserInfo", "UserRc", "UserPark"}) {
    EXPECT_THAT(done(mt, R"("call":77,"a":1,"b":77,"rc":10)"),
                ElementsAre(std::string(mt) + "Result"))
        << "of no call";
  }
}

TEST_F(CallsTest, DialsInOverlap) {
  ASSERT_TRUE(world->tenant().seize("201", world->now));
  EXPECT_THAT(world->told(), ElementsAre("1.1 1 x-setup ", "1.1 2 r-setup-ack "));
  ASSERT_FALSE(world->tenant().dial("201", "20", world->now));
  EXPECT_THAT(world->told(), ElementsAre("1.1 2 x-info 20"));
  EXPECT_THAT(done("UserInfo", R"("call":1,"cdpn":"2")"),
              ElementsAre("UserInfoResult", "1.1 2 x-info 202", "2.2 129 r-setup 201",
                          "1.1 4 r-alert 202", "2.2 132 x-alert 201"));
  EXPECT_EQ(world->tenant().dial("201", "2", world->now), base::Errc::incorrect_state);
}

TEST_F(CallsTest, RingsTheOwnPhoneFirstIfItIsAnotherMakers) {
  auto settings = gamma();
  settings.innovaphone.variants.own_phone_first = true;
  start(settings);
  EXPECT_THAT(done("UserCall", R"("user":1,"e164":"202")"),
              ElementsAre("UserCallResult 1", "1.1 129 r-setup 202", "1.1 132 x-alert 202"));
  EXPECT_THAT(done("UserConnect", R"("call":1)"),
              ElementsAre("UserConnectResult", "1.1 133 x-conn 202", "1.1 133 r-call-proc 202",
                          "2.2 129 r-setup 201", "1.1 133 r-alert 202", "2.2 132 x-alert 201"));
  EXPECT_THAT(done("UserConnect", R"("call":2)"),
              ElementsAre("UserConnectResult", "2.2 133 x-conn 201", "1.1 133 r-conn 202"));
}

TEST_F(CallsTest, MarksCallsThatWait) {
  connect();
  ASSERT_TRUE(world->tenant().originate("203", "202", {}, world->now));
  EXPECT_THAT(world->told(), Contains("2.4 1156 x-alert 203"));  // 128 + 1024 + 4
}

TEST_F(CallsTest, GivesEachHandleItsOwnCalls) {
  world->rcc("UserInitialize", R"("cn":"User 201","src":"again")");
  world->heard();
  ASSERT_TRUE(world->tenant().originate("201", "204", {}, world->now));
  EXPECT_THAT(world->told(), ElementsAre("1.1 1 x-setup 204", "4.2 1 x-setup 204",
                                         "1.1 4 r-alert 204", "4.2 4 r-alert 204"));
  world->rcc("UserEnd", R"("user":1)");
  world->heard();
  ASSERT_FALSE(world->tenant().hang_up("201", world->now));
  EXPECT_THAT(world->told(), ElementsAre("4.2 7 x-rel 204 cause 16", "4.2 7 del"));
}

TEST_F(CallsTest, HasTimeFrom13r3On) {
  connect();
  world->wait(7s);
  world->rcc("UserHold", R"("call":1)");
  EXPECT_THAT(world->heard()[1], HasSubstr(R"("time":7,)"));
  auto settings = gamma();
  settings.innovaphone.profile = Profile::v13r1;
  start(settings);
  connect();
  world->wait(7s);
  world->rcc("UserDTMF", R"("call":1,"dtmf":"1")");
  const auto digits = world->heard()[1];
  EXPECT_THAT(digits, Not(HasSubstr("time")));
  EXPECT_THAT(digits, Not(HasSubstr("dtmf"))) << "13r2";
}

}  // namespace
}  // namespace simulator::innovaphone
