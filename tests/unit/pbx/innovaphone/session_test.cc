#include "pbx/innovaphone/tenant.h"

namespace pbx::innovaphone {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct InnovaphoneSession : Innovaphone {
  const call::Device* device(std::string_view id) {
    return pbx().tracker.find(call::DeviceId(std::string(id)));
  }
  std::string ended() {
    return pbx().given_up.size() == 1 ? base::name_of(pbx().given_up[0].why) : "not";
  }
  std::vector<std::string> sent(LinkId link = kPrimary) { return pbx().take_sent(link); }
};

// ---- The login and the lists, every step of which can fail.

TEST_F(InnovaphoneSession, DialsLogsInAndListsUsers) {
  pbx().start();
  EXPECT_EQ(pbx().opened.at(0).second.host, "pbx.test");
  EXPECT_EQ(pbx().opened.at(0).second.port, "443");
  EXPECT_EQ(pbx().opened.at(0).second.target, "/PBX0/APPS/websocket");
  EXPECT_THAT(sent(), ElementsAre(R"({"mt":"AppChallenge"})"));
  pbx().hear(R"({"mt":"AppChallengeResult","challenge":"0123456789abcdef"})");
  EXPECT_THAT(sent().at(0), HasSubstr(R"("mt":"AppLogin","app":"gateway")"));
  pbx().hear(R"({"mt":"AppLoginResult","ok":true})");
  EXPECT_THAT(sent(), ElementsAre(R"({"mt":"Initialize","api":"RCC","src":"i"})"));
  list();
  const auto asked = sent();
  ASSERT_EQ(asked.size(), 5u);
  EXPECT_EQ(asked[0],
            R"({"mt":"UserInitialize","api":"RCC","src":"u/g201","cn":"User 201","xfer":true})");
  EXPECT_FALSE(pbx().ready);
  initialize_all();
  EXPECT_TRUE(pbx().ready);
  EXPECT_THAT(pbx().stages,
              ElementsAre(call::LinkState::logging_in, call::LinkState::synchronizing));
  ASSERT_NE(device("201"), nullptr);
  EXPECT_TRUE(device("201")->controllable);
  EXPECT_EQ(device("201")->name, "Name 201");
  EXPECT_EQ(device("201")->activity, call::Activity::idle);
}

TEST_F(InnovaphoneSession, EndsIfNoChallengeComes) {
  pbx().start();
  pbx().pass(11s);
  EXPECT_EQ(ended(), "timed_out");
}
TEST_F(InnovaphoneSession, EndsIfTheLoginIsRefused) {
  pbx().start();
  pbx().hear(R"({"mt":"AppChallengeResult","challenge":"0123456789abcdef"})");
  pbx().hear(R"({"mt":"AppLoginResult"})");
  EXPECT_EQ(ended(), "login_rejected");
  EXPECT_EQ(pbx().given_up[0].retry_after, 60s);
}
TEST_F(InnovaphoneSession, EndsIfTheLoginIsNotAnswered) {
  pbx().start();
  pbx().hear(R"({"mt":"AppChallengeResult","challenge":"0123456789abcdef"})");
  pbx().pass(11s);
  EXPECT_EQ(ended(), "timed_out");
}
TEST_F(InnovaphoneSession, EndsIfTheListDoesNotEnd) {
  log_in();
  pbx().hear(user("201"));
  while (pbx().given_up.empty() && pbx().now < TimePoint(2h)) {
    pbx().pass(10s);
    pbx().hear(R"({"mt":"KeepAlive"})");
  }
  EXPECT_EQ(ended(), "timed_out");
  EXPECT_THAT(pbx().given_up[0].detail, HasSubstr("grant RCC"));
}
TEST_F(InnovaphoneSession, EndsIfInitializeIsRefused) {
  log_in();
  pbx().hear(R"({"mt":"InitializeResult","api":"RCC","src":"i","error":"no"})");
  EXPECT_EQ(ended(), "pbx_refused");
}

TEST_F(InnovaphoneSession, GoesOnWithoutUsersWhoCannotBeWatched) {
  log_in();
  list();
  for (auto number : {"201", "202", "203"}) initialize(number);
  pbx().hear(R"({"mt":"UserInitializeResult","api":"RCC","src":"u/g204"})");
  pbx().pass(11s);
  EXPECT_TRUE(pbx().ready);
  EXPECT_FALSE(device("204")->controllable);  // refused
  EXPECT_FALSE(device("205")->controllable);  // not answered
  EXPECT_EQ(pbx().notes.size(), 2u);
}

TEST_F(InnovaphoneSession, AsksForSoManyUsersAtATime) {
  settings.set("initialize_batch", std::int64_t{2});
  log_in();
  sent();
  list();
  EXPECT_EQ(sent().size(), 2u);
  initialize("201");
  EXPECT_EQ(sent().size(), 1u);
}

TEST_F(InnovaphoneSession, KeepsWhatComesBeforeTheVerdict) {
  pbx().start();
  pbx().hear(R"({"mt":"AppChallengeResult","challenge":"0123456789abcdef"})");
  pbx().hear(user("201"));
  pbx().hear(R"({"mt":"AppLoginResult","ok":true})");
  pbx().hear(R"({"mt":"InitializeResult","api":"RCC","src":"i"})");
  initialize("201");
  EXPECT_TRUE(pbx().ready);
  EXPECT_NE(device("201"), nullptr);
}

// ---- What is there already.

TEST_F(InnovaphoneSession, WaitsForCallsThatUsersHave) {
  log_in();
  pbx().hear(user("201", R"(,"channel":1)"));
  pbx().hear(user("202", R"(,"channel":1)"));
  pbx().hear(R"({"mt":"InitializeResult","api":"RCC","src":"i"})");
  initialize("201");
  initialize("202");
  EXPECT_FALSE(pbx().ready);
  call("201", 1, "A", 5, "202", "update");
  EXPECT_FALSE(pbx().ready);
  call("202", 1, "A", 133, "201", "update");
  EXPECT_TRUE(pbx().ready);
  EXPECT_EQ(pbx().tracker.book().calls.size(), 1u);
}

TEST_F(InnovaphoneSession, DoesNotWaitForThemForever) {
  log_in();
  pbx().hear(user("201", R"(,"channel":1)"));
  pbx().hear(R"({"mt":"InitializeResult","api":"RCC","src":"i"})");
  initialize("201");
  pbx().pass(5s);
  EXPECT_TRUE(pbx().ready);
}

TEST_F(InnovaphoneSession, TakesCallsBeforeTheHandleOfTheirUser) {
  log_in();
  list();
  for (auto number : {"201", "202", "203", "204"}) initialize(number);
  call("205", 1, "A", 5, "0600111222", "update");
  initialize("205");
  EXPECT_TRUE(pbx().ready);
  EXPECT_EQ(pbx().tracker.book().calls.size(), 1u);
}

// ---- Users come, go and change.

TEST_F(InnovaphoneSession, TellsWhatUsersDo) {
  come_up();
  pbx().hear(user("201", R"(,"update":"upd","regs":[{"hw":"a"}],"alert":1)"));
  EXPECT_EQ(device("201")->activity, call::Activity::ringing);
  pbx().hear(user("201", R"(,"update":"upd","regs":[{"hw":"a"}],"channel":1)"));
  EXPECT_EQ(device("201")->activity, call::Activity::busy);
  pbx().hear(user("201", R"(,"update":"upd")"));
  EXPECT_EQ(device("201")->availability, call::Availability::out_of_service);
}

TEST_F(InnovaphoneSession, FollowsUsersWhoComeAndGo) {
  come_up();
  pbx().hear(user("206", R"(,"update":"add","regs":[{"hw":"a"}])"));
  EXPECT_THAT(sent().at(0), HasSubstr(R"("cn":"User 206")"));
  EXPECT_FALSE(device("206")->controllable);
  initialize("206");
  EXPECT_TRUE(device("206")->controllable);
  talk("206", "201", "A", 1);
  pbx().hear(user("206", R"(,"update":"del")"));
  EXPECT_EQ(sent().at(0), R"({"mt":"UserEnd","api":"RCC","src":"e","user":6})");
  EXPECT_EQ(device("206"), nullptr);
  EXPECT_EQ(pbx().tracker.find_leg("A/g206").first, nullptr);
}

TEST_F(InnovaphoneSession, ANewNumberIsANewDevice) {
  come_up();
  pbx().hear(R"({"mt":"UserInfo","api":"RCC","src":"i","update":"x","guid":"g201","cn":"User 201",)"
             R"("h323":"u201","e164":"299","regs":[{"hw":"a"}]})");
  EXPECT_EQ(device("201"), nullptr);
  ASSERT_NE(device("299"), nullptr);
  EXPECT_TRUE(device("299")->controllable);
}

TEST_F(InnovaphoneSession, ALateHandleIsAHandle) {
  log_in();
  list();
  pbx().pass(30s);
  ASSERT_TRUE(pbx().ready);
  EXPECT_FALSE(device("201")->controllable);
  initialize("201");
  EXPECT_TRUE(device("201")->controllable);
  pbx().take_events();
  talk("201", "0600111222", "A", 1);
  EXPECT_NE(pbx().tracker.find_leg("A/g201").second, nullptr);
}

TEST_F(InnovaphoneSession, NamesUsersWhoShareANumberByTheirLogin) {
  log_in();
  pbx().hear(user("201"));
  pbx().hear(
      R"({"mt":"UserInfo","api":"RCC","guid":"x","cn":"Other","h323":"other","e164":"201"})");
  pbx().hear(R"({"mt":"UserInfo","api":"RCC","guid":"y","cn":"Third","h323":"other"})");
  pbx().hear(
      R"({"mt":"UserInfo","api":"RCC","guid":"z","cn":"Queue","e164":"600","pseudo":"waiting"})");
  pbx().hear(R"({"mt":"InitializeResult","api":"RCC","src":"i"})");
  for (auto src : {"g201", "x", "y"}) {
    pbx().hear(R"({"mt":"UserInitializeResult","api":"RCC","src":"u/)" + std::string(src) +
               R"(","user":)" + std::to_string(src[0]) + "}");
  }
  ASSERT_TRUE(pbx().ready);
  EXPECT_EQ(device("201"), nullptr);
  EXPECT_NE(device("u201"), nullptr);
  EXPECT_NE(device("other"), nullptr);
  EXPECT_NE(device("Third"), nullptr);
  ASSERT_NE(device("600"), nullptr);
  EXPECT_EQ(device("600")->kind, call::DeviceKind::queue);
  EXPECT_FALSE(device("600")->controllable);
}

TEST_F(InnovaphoneSession, LeavesUsersBeyondTheLimitOut) {
  settings.set("users_max", std::int64_t{3});
  log_in();
  list();
  EXPECT_EQ(pbx().notes.size(), 1u);
  for (auto number : {"201", "202", "203"}) initialize(number);
  EXPECT_TRUE(pbx().ready);
  EXPECT_EQ(pbx().tracker.book().devices.size(), 3u);
}

// ---- Silence.

TEST_F(InnovaphoneSession, SaysSomethingAndNoticesSilence) {
  come_up();
  pbx().pass(31s);
  EXPECT_THAT(sent(), ElementsAre(R"({"mt":"KeepAlive"})"));
  pbx().hear(R"({"mt":"KeepAlive"})");
  EXPECT_THAT(sent(), ElementsAre(R"({"mt":"KeepAlive"})"));
  pbx().pass(90s);
  EXPECT_EQ(ended(), "ping_timed_out");
}

TEST_F(InnovaphoneSession, AsksWhatIsSurelyAnsweredBeforeItGivesUp) {
  come_up();
  for (int i = 0; i < 10; ++i) {
    pbx().pass(61s);
    const auto texts = sent();
    ASSERT_THAT(texts, testing::Contains(HasSubstr(R"("mt":"Devices","api":"RCC","src":"k")")));
    pbx().hear(R"({"mt":"DevicesResult","api":"RCC","src":"k","devices":[{"hw":"a"}]})");
  }
  EXPECT_EQ(ended(), "not");
}

TEST_F(InnovaphoneSession, AnswersAKeepAliveButNotAnAnswer) {
  come_up();
  pbx().hear(R"({"mt":"KeepAlive"})");
  EXPECT_EQ(sent().size(), 1u);
  pbx().hear(R"({"mt":"KeepAlive"})");
  EXPECT_EQ(sent().size(), 0u);
  pbx().pass(2s);
  pbx().hear(R"({"mt":"KeepAlive"})");
  EXPECT_EQ(sent().size(), 1u);
}

TEST_F(InnovaphoneSession, BearsNonsense) {
  come_up();
  pbx().hear("{");
  pbx().hear(R"({"mt":"Miracle","api":"RCC"})");
  pbx().hear(R"({"mt":"Error","text":"what?"})");
  pbx().hear(R"({"mt":"CallInfo","api":"RCC","user":99,"call":1,"state":1})");
  EXPECT_TRUE(pbx().given_up.empty());
}

// ---- PBXs that dial us.

struct InnovaphoneInbound : InnovaphoneSession {
  static constexpr LinkId kOne = kFirstArrived, kTwo = kFirstArrived + 1, kAgain = kTwo + 1;
  void SetUp() override { settings.set("direction", std::string("inbound")); }

  void arrive(LinkId link, std::string_view name, std::string_view via = "gateway") {
    pbx().arrive(link,
                 {std::string(name), std::string(via), R"({"mt":"AppLoginResult","ok":true})"});
  }
  void introduce(LinkId link, std::string_view name, std::string_view apis = R"("RCC","PbxApi")") {
    pbx().hear(R"({"mt":"PbxInfo","pbx":")" + std::string(name) + R"(","apis":[)" +
                   std::string(apis) + "]}",
               link);
  }
  // "201" and "202" live at one, "203" at two.
  void list_two(LinkId link) {
    pbx().hear(user("201", R"(,"pbx":"one","regs":[{"hw":"a"}])"), link);
    pbx().hear(user("202", R"(,"pbx":"one","regs":[{"hw":"a"}])"), link);
    pbx().hear(user("203", R"(,"pbx":"two","regs":[{"hw":"a"}])"), link);
    pbx().hear(R"({"mt":"InitializeResult","api":"RCC","src":"i"})", link);
  }
  void come_up_two() {
    pbx().begin();
    arrive(kOne, "one");
    introduce(kOne, "one");
    list_two(kOne);
    initialize("201", kOne);
    initialize("202", kOne);
    EXPECT_FALSE(pbx().ready);  // somebody lives at two
    arrive(kTwo, "two");
    introduce(kTwo, "two");
    list_two(kTwo);
    initialize("203", kTwo);
    ASSERT_TRUE(pbx().ready);
    pbx().take_events();
    pbx().take_sent(kOne);
    pbx().take_sent(kTwo);
  }
};

TEST_F(InnovaphoneInbound, WaitsForThePbxAndWelcomesIt) {
  pbx().begin();
  EXPECT_THAT(pbx().stages, ElementsAre(call::LinkState::awaiting_pbx));
  EXPECT_TRUE(pbx().opened.empty());
  arrive(kOne, "one");
  EXPECT_THAT(sent(kOne), ElementsAre(R"({"mt":"AppLoginResult","ok":true})"));
  pbx().hear(R"({"mt":"AppInfo","app":"inbound","src":"x"})", kOne);
  EXPECT_THAT(
      sent(kOne),
      ElementsAre(
          R"({"mt":"AppInfoResult","src":"x","app":"inbound","info":{"hidden":true,"apis":{}},"serviceInfo":{}})"));
  introduce(kOne, "one");
  EXPECT_THAT(sent(kOne), ElementsAre(R"({"mt":"Initialize","api":"RCC","src":"i"})"));
  list(kOne);
  initialize_all(kOne);
  EXPECT_TRUE(pbx().ready);
}

TEST_F(InnovaphoneInbound, NeedsRccToBeGranted) {
  pbx().begin();
  arrive(kOne, "one");
  introduce(kOne, "one", R"("PbxApi")");
  EXPECT_EQ(ended(), "login_rejected");
}

TEST_F(InnovaphoneInbound, GivesUpOnAPbxThatDoesNotSayWhoItIs) {
  pbx().begin();
  arrive(kOne, "one");
  pbx().pass(11s);
  EXPECT_EQ(ended(), "timed_out");
}

TEST_F(InnovaphoneInbound, WaitsForTheHomesOfUsersAsLongAsGatherSays) {
  pbx().begin();
  arrive(kOne, "one");
  introduce(kOne, "one");
  list_two(kOne);
  initialize("201", kOne);
  initialize("202", kOne);
  EXPECT_FALSE(pbx().ready);
  pbx().pass(5s);
  EXPECT_TRUE(pbx().ready);
  EXPECT_EQ(device("203")->availability, call::Availability::unknown);
  EXPECT_EQ(pbx().verdict(pbx().ask(call::MakeCall{call::DeviceId("203"), "201", {}})),
            "pbx_disconnected");
}

TEST_F(InnovaphoneInbound, FollowsEachUserWhereHeLives) {
  come_up_two();
  EXPECT_TRUE(device("203")->controllable);
  pbx().ask(call::MakeCall{call::DeviceId("203"), "201", {}});
  EXPECT_EQ(sent(kOne).size(), 0u);
  EXPECT_EQ(sent(kTwo).size(), 1u);
  // A call over both.
  call("203", 1, "A", 1, "201", "x-setup", {}, kTwo);
  call("201", 1, "A", 132, "203", "x-alert", {}, kOne);
  EXPECT_EQ(pbx().take_events().size(), 2u);
  EXPECT_EQ(pbx().tracker.book().calls.size(), 1u);
}

TEST_F(InnovaphoneInbound, ListsOfSeveralPbxsMayComeAtOnce) {
  pbx().begin();
  for (const auto& [link, name] : {std::pair(kOne, "one"), std::pair(kTwo, "two")}) {
    arrive(link, name);
    introduce(link, name);
    pbx().take_sent(link);
  }
  for (const LinkId link : {kOne, kTwo}) {
    pbx().hear(user("201", R"(,"pbx":"one")"), link);
    pbx().hear(user("203", R"(,"pbx":"two")"), link);
  }
  for (const LinkId link : {kOne, kTwo}) {
    pbx().hear(R"({"mt":"InitializeResult","api":"RCC","src":"i"})", link);
  }
  EXPECT_THAT(sent(kOne), ElementsAre(HasSubstr(R"("cn":"User 201")")));
  EXPECT_THAT(sent(kTwo), ElementsAre(HasSubstr(R"("cn":"User 203")")));
}

TEST_F(InnovaphoneInbound, KeepsTheCallsOfAPbxThatIsAway) {
  come_up_two();
  call("203", 1, "A", 5, "0600111222", "r-conn", {}, kTwo);
  pbx().take_events();
  const auto command = pbx().ask(call::MakeCall{call::DeviceId("203"), "201", {}});
  pbx().lose(kTwo);
  EXPECT_EQ(pbx().verdict(command), "outcome_unknown");
  EXPECT_TRUE(pbx().given_up.empty());
  EXPECT_EQ(device("203")->availability, call::Availability::unknown);
  EXPECT_FALSE(device("203")->controllable);
  EXPECT_TRUE(device("201")->controllable);
  EXPECT_THAT(pbx().take_events(), IsEmpty());
  const auto clear = pbx().ask(call::ClearConnection{target("A/g203")});
  EXPECT_EQ(pbx().verdict(clear), "pbx_disconnected");

  arrive(kAgain, "two");
  introduce(kAgain, "two");
  list_two(kAgain);
  pbx().hear(user("203", R"(,"pbx":"two","channel":1,"update":"x")"), kAgain);
  initialize("203", kAgain);
  call("203", 8, "A", 5, "0600111222", "update", {}, kAgain);
  pbx().pass(10s);
  EXPECT_THAT(pbx().take_events(), IsEmpty());
  EXPECT_TRUE(device("203")->controllable);
  pbx().lose(kOne);
  pbx().lose(kAgain);
  EXPECT_EQ(ended(), "link_lost");
}

TEST_F(InnovaphoneInbound, EndsCallsThatAreNotToldAgain) {
  come_up_two();
  call("203", 1, "A", 5, "0600111222", "r-conn", {}, kTwo);
  pbx().take_events();
  pbx().lose(kTwo);
  arrive(kAgain, "two");
  introduce(kAgain, "two");
  list_two(kAgain);
  initialize("203", kAgain);
  EXPECT_EQ(pbx().take_events().size(), 3u);
  EXPECT_TRUE(pbx().tracker.book().calls.empty());
}

TEST_F(InnovaphoneInbound, WhoeverTellsOfANewUserFirst) {
  come_up_two();
  for (const LinkId link : {kOne, kTwo}) {
    pbx().hear(user("204", R"(,"pbx":"two","update":"x")"), link);
  }
  EXPECT_THAT(sent(kTwo),
              testing::Contains(HasSubstr(R"("UserInitialize","api":"RCC","src":"u/g204")")));
  EXPECT_THAT(sent(kOne), IsEmpty());
}

TEST_F(InnovaphoneInbound, ForgetsWhomAPbxDoesNotListAgain) {
  come_up_two();
  call("203", 1, "A", 5, "0600111222", "r-conn", {}, kTwo);
  pbx().take_events();
  pbx().lose(kTwo);
  EXPECT_NE(device("203"), nullptr);
  arrive(kAgain, "two");
  introduce(kAgain, "two");
  pbx().hear(R"({"mt":"InitializeResult","api":"RCC","src":"i"})", kAgain);
  pbx().pass(10s);
  EXPECT_EQ(device("203"), nullptr);
  EXPECT_TRUE(pbx().tracker.book().calls.empty());
}

TEST_F(InnovaphoneInbound, TheSamePbxReplacesItself) {
  come_up_two();
  arrive(kAgain, "two");
  EXPECT_THAT(pbx().closed, ElementsAre(kTwo));
  EXPECT_TRUE(pbx().given_up.empty());
  EXPECT_EQ(sent(kAgain).size(), 1u);
}

TEST_F(InnovaphoneInbound, AnotherAppObjectOfTheSamePbxIsTurnedAway) {
  come_up_two();
  arrive(kAgain, "two", "another");
  EXPECT_THAT(pbx().closed, ElementsAre(kAgain));
  EXPECT_EQ(pbx().notes.size(), 1u);
  EXPECT_TRUE(device("203")->controllable);
}

}  // namespace
}  // namespace pbx::innovaphone
