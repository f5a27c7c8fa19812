#include "support.h"

// Sockets that the PBX opens: it is who logs in, and whose APIs are used.
namespace simulator::innovaphone {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TenantSettings dialling() {
  auto settings = gamma();
  auto& app = settings.innovaphone.apps[0];
  app.websocket = true;
  app.url = "https://gw.example.net/innovaphone/acme/inbound";
  app.apis = {"PbxTableUsers", "RCC", "PbxApi"};
  return settings;
}

class DialOutTest : public testing::Test {
 protected:
  static constexpr ConnectionId kFirst = 1000;

  void start(TenantSettings settings = dialling()) {
    world = std::make_unique<World>(std::move(settings));
    world->wait();
  }
  void SetUp() override { start(); }
  // The other side has taken the connection; what the PBX says then.
  std::vector<std::string> taken(ConnectionId id = kFirst) {
    world->dialect().on_open(id, "", false, world->now);
    return world->heard(id);
  }
  std::string login(const std::string& challenge, ConnectionId id = kFirst) {
    const auto all = reply(R"({"mt":"AppChallengeResult","challenge":)" + challenge + "}", id);
    return all.empty() ? "" : all.front();
  }
  std::vector<std::string> reply(const std::string& text, ConnectionId id = kFirst) {
    world->say(text, id);
    return world->heard(id);
  }
  // Whether a gateway that knows the password would let this login in.
  static bool proven(const std::string& text, const std::string& challenge) {
    const auto message = parse_message(text);
    return message && text_at(message->body, "digest") ==
                          login_digest(fields_of(*message), challenge, "secret");
  }
  static LoginFields fields_of(const Message& message) {
    LoginFields it;
    it.app = text_at(message.body, "app");
    it.domain = text_at(message.body, "domain");
    it.sip = text_at(message.body, "sip");
    it.guid = text_at(message.body, "guid");
    it.dn = text_at(message.body, "dn");
    if (const auto info = raw_member(message.text, "info")) it.info = std::string(*info);
    return it;
  }
  void set_faults(const engine::Faults& faults) { world->dialect().set_faults(faults, world->now); }
  void lose(ConnectionId id = kFirst) { world->dialect().on_closed_at(id, world->now); }

  std::unique_ptr<World> world;
};

TEST_F(DialOutTest, TakesTheSocketFromTheUrl) {
  EXPECT_THAT(world->wire.dialled, ElementsAre("wss://gw.example.net/innovaphone/acme"));
  EXPECT_EQ(app_url("http://10.0.0.1:8080/inbound").socket, "ws://10.0.0.1:8080");
  EXPECT_EQ(app_url("http://10.0.0.1:8080/inbound").app, "inbound");
  EXPECT_EQ(app_url("nothing").socket, "");
}

TEST_F(DialOutTest, LogsInAndIntroducesItself) {
  EXPECT_THAT(taken(), ElementsAre(R"({"mt":"AppChallenge"})"));
  const auto said = login(R"("16d7dbbcccb63612")");
  EXPECT_THAT(said, StartsWith(R"({"mt":"AppLogin","sip":"gateway","guid":")"));
  EXPECT_THAT(said, HasSubstr(R"(","dn":"gateway","digest":")"));
  EXPECT_THAT(
      said,
      testing::EndsWith(
          R"(","domain":"example.com","app":"inbound","info":{"appobj":"gateway","appdn":"gateway","appurl":"https://gw.example.net/innovaphone/acme/inbound","pbx":"master","cn":"gateway","apps":[]}})"));
  EXPECT_TRUE(proven(said, "16d7dbbcccb63612"));
  EXPECT_THAT(
      reply(R"({"mt":"AppLoginResult","ok":true,"app":"inbound"})"),
      ElementsAre(
          R"({"mt":"PbxInfo","domain":"example.com","pbx":"master","pbxDns":"pbx.example.com","apis":["PbxTableUsers","RCC","PbxApi"],"version":"13r3","build":"137766"})",
          R"({"mt":"AppInfo","app":"inbound"})"));
  EXPECT_THAT(reply(R"({"mt":"AppInfoResult","api":"","app":"inbound","info":{}})"), IsEmpty());
  EXPECT_THAT(reply(R"({"mt":"Error","text":"what?"})"), IsEmpty());
  EXPECT_THAT(reply(R"({"mt":"Initialize","api":"RCC","src":"i"})").back(),
              HasSubstr("InitializeResult"));
  EXPECT_THAT(reply(R"({"mt":"GetPbxConfig","api":"PbxAdminApi"})"), IsEmpty()) << "not granted";
  EXPECT_THAT(reply(R"({"mt":"KeepAlive"})"), ElementsAre(R"({"mt":"KeepAlive"})"));
  EXPECT_EQ(world->dialect().connections()[0].kind, "dialled");
  world->wait(1h);
  EXPECT_EQ(world->wire.dialled.size(), 1u);
}

TEST_F(DialOutTest, TakesNumbersAsChallenges) {
  taken();
  EXPECT_TRUE(proven(login("1234567"), "1234567"));
}

TEST_F(DialOutTest, ServesNothingBeforeItIsIn) {
  taken();
  EXPECT_THAT(reply(R"({"mt":"Initialize","api":"RCC"})"), IsEmpty());
}

TEST_F(DialOutTest, TriesForEver) {
  lose();  // nobody took it
  world->wait(1999ms);
  EXPECT_EQ(world->wire.dialled.size(), 1u);
  world->wait(1ms);
  EXPECT_EQ(world->wire.dialled.size(), 2u);
  taken(1001);
  lose(1001);
  world->wait(2s);
  EXPECT_EQ(world->wire.dialled.size(), 3u);
  EXPECT_THAT(world->dialect().connections(), IsEmpty());
}

TEST_F(DialOutTest, LeavesWhoeverRefusesIt) {
  taken();
  login(R"("1")");
  EXPECT_THAT(reply(R"({"mt":"AppLoginResult","ok":false})"), IsEmpty());
  EXPECT_EQ(world->wire.closed[kFirst], 1000);
  lose();  // as the socket's end is reported
  world->wait(2s);
  EXPECT_EQ(world->wire.dialled.size(), 2u);
}

TEST_F(DialOutTest, HasASocketForEachPbxAndApp) {
  auto settings = dialling();
  settings.innovaphone.pbxs = {{"master", "PBX0", {}}, {"branch", "PBX1", {"203"}}};
  auto second = settings.innovaphone.apps[0];
  second.name = "other";
  second.url = "http://gw/other/x";
  settings.innovaphone.apps.push_back(second);
  second.name = "quiet";
  second.websocket = false;
  settings.innovaphone.apps.push_back(second);
  start(settings);
  EXPECT_THAT(world->wire.dialled,
              ElementsAre("wss://gw.example.net/innovaphone/acme", "ws://gw/other",
                          "wss://gw.example.net/innovaphone/acme", "ws://gw/other"));
  taken(1002);
  const auto said = login(R"("1")", 1002);
  EXPECT_THAT(said, HasSubstr(R"("pbx":"branch")"));
  EXPECT_THAT(reply(R"({"mt":"AppLoginResult","ok":true})", 1002)[0],
              HasSubstr(R"("pbx":"branch")"));
  EXPECT_THAT(reply(R"({"mt":"UserInitialize","api":"RCC","cn":"User 203"})", 1002)[0],
              HasSubstr(R"("user":1)"));
  EXPECT_THAT(reply(R"({"mt":"UserInitialize","api":"RCC","cn":"User 201"})", 1002)[0],
              Not(HasSubstr(R"("user")")));
}

TEST_F(DialOutTest, MaySayAppInfoFirst) {
  auto settings = dialling();
  settings.innovaphone.variants.app_info_first = true;
  settings.innovaphone.profile = Profile::v13r1;
  start(settings);
  taken();
  login(R"("1")");
  const auto said = reply(R"({"mt":"AppLoginResult","ok":true})");
  EXPECT_THAT(said, ElementsAre(HasSubstr("AppInfo"), HasSubstr("PbxInfo")));
  EXPECT_THAT(said[1], Not(HasSubstr("version")));
}

TEST_F(DialOutTest, LogsInWrongly) {
  engine::Faults faults;
  faults.wrong_digest = 1;
  faults.replayed_login = 1;
  set_faults(faults);
  taken();
  EXPECT_FALSE(proven(login(R"("1")"), "1")) << "replayed: one for another challenge";
  world->say(R"({"mt":"AppLoginResult"})", kFirst);
  world->wait(2s);
  taken(1001);
  EXPECT_TRUE(proven(login(R"("2")", 1001), "2"));

  faults = {};
  faults.wrong_domain = 1;
  set_faults(faults);
  world->say(R"({"mt":"AppLoginResult"})", 1001);
  world->wait(2s);
  taken(1002);
  const auto elsewhere = login(R"("3")", 1002);
  EXPECT_THAT(elsewhere, HasSubstr(R"("domain":"elsewhere.example.com")"));
  EXPECT_TRUE(proven(elsewhere, "3"));

  faults = {};
  faults.wrong_digest = engine::Faults::kAlways;
  set_faults(faults);
  EXPECT_FALSE(proven(login(R"("4")", 1002), "4"));
}

TEST_F(DialOutTest, ReplaysTheLoginOfAnEarlierChallenge) {
  taken();
  const auto first = login(R"("1")");
  engine::Faults faults;
  faults.replayed_login = 1;
  set_faults(faults);
  lose();
  world->wait(2s);
  taken(1001);
  EXPECT_EQ(login(R"("2")", 1001), first);
}

TEST_F(DialOutTest, ComesAsAPerson) {
  engine::Faults faults;
  faults.persons_login = 1;
  set_faults(faults);
  taken();
  const auto said = login(R"("1")");
  EXPECT_TRUE(proven(said, "1"));
  EXPECT_THAT(
      said,
      StartsWith(R"({"mt":"AppLogin","app":"inbound","domain":"example.com","sip":"user201",)"));
  EXPECT_THAT(said, HasSubstr(R"("cn":"User 201","groups":[],"apps":[]},"digest":")"));
  EXPECT_THAT(said, testing::EndsWith(R"(","pbxObj":"gateway"})"));
}

TEST_F(DialOutTest, SaysNothingOrLate) {
  engine::Faults faults;
  faults.no_login = true;
  set_faults(faults);
  EXPECT_THAT(taken(), IsEmpty());
  faults = {};
  faults.login_delay = 11s;
  set_faults(faults);
  EXPECT_EQ(login(R"("1")"), "");
  world->wait(11s);
  EXPECT_THAT(world->heard(kFirst), ElementsAre(HasSubstr("AppLogin")));
}

TEST_F(DialOutTest, OpensDuplicates) {
  taken();
  engine::Faults faults;
  faults.duplicate_sockets = 2;
  set_faults(faults);
  world->wait();
  EXPECT_EQ(world->wire.dialled.size(), 3u);
  taken(1001);
  taken(1002);
  EXPECT_EQ(world->dialect().connections().size(), 3u);
  set_faults({});
  EXPECT_THAT(world->wire.dropped, ElementsAre(1001, 1002));
  EXPECT_EQ(world->dialect().connections().size(), 1u);
  world->dialect().on_open(1003, "", false, world->now);
  EXPECT_TRUE(world->wire.dropped.contains(1003)) << "nobody wants it any more";
}

TEST_F(DialOutTest, ComesBackAfterSilenceAndLoss) {
  taken();
  engine::Faults faults;
  faults.silent = true;
  set_faults(faults);
  EXPECT_TRUE(world->wire.silent.contains(kFirst));
  EXPECT_EQ(login(R"("1")"), "");
  set_faults({});
  EXPECT_TRUE(world->wire.dropped.contains(kFirst));
  world->wait(2s);
  EXPECT_EQ(world->wire.dialled.size(), 2u);
  taken(1001);
  engine::Incident incident;
  incident.drop_all = true;
  world->dialect().happen(incident, world->now);
  EXPECT_TRUE(world->wire.dropped.contains(1001));
  world->wait(2s);
  EXPECT_EQ(world->wire.dialled.size(), 3u);
}

}  // namespace
}  // namespace simulator::innovaphone
