#include "support.h"

// PbxTableUsers, PbxAdminApi and PbxApi.
namespace simulator::innovaphone {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class DirectoryTest : public testing::Test {
 protected:
  void start(TenantSettings settings = gamma()) {
    world = std::make_unique<World>(std::move(settings));
    world->log_in();
    users = std::make_unique<Users>(world->stage.settings().innovaphone, world->tenant());
  }
  void SetUp() override { start(); }
  std::vector<std::string> said(std::string_view text) {
    world->say(text);
    world->wait();
    return world->heard();
  }
  std::string guid(engine::ExtensionIndex index) const { return (*users)[index].guid; }

  std::unique_ptr<World> world;
  std::unique_ptr<Users> users;
};

TEST_F(DirectoryTest, ReplicatesOneRowAtATime) {
  auto settings = gamma();
  settings.engine.extensions = {"201", "202"};
  start(settings);
  EXPECT_THAT(
      said(
          R"({"mt":"ReplicateStart","api":"PbxTableUsers","src":"dir","add":true,"del":true,"columns":{"guid":{},"cn":{},"e164":{},"loc":{},"pwd":{},"cds":{"update":true}},"pseudo":[""]})"),
      ElementsAre(
          R"({"mt":"ReplicateStartResult","api":"PbxTableUsers","src":"dir","columns":{"guid":{},"cn":{},"e164":{},"loc":{},"cds":{"update":true}}})"))
      << "no password";
  const std::string next = R"({"mt":"ReplicateNext","api":"PbxTableUsers","src":"dir"})";
  const std::string row =
      R"({"mt":"ReplicateNextResult","api":"PbxTableUsers","src":"dir","columns":)";
  EXPECT_THAT(said(next), ElementsAre(row + R"({"guid":")" + guid(0) +
                                      R"(","cn":"User 201","e164":"201","loc":"master"}})"));
  // A change in the middle of the list: the whole row.
  ASSERT_FALSE(world->tenant().set_forwarding("201", {"202", "", "203456"}, world->now));
  EXPECT_THAT(
      world->heard(),
      ElementsAre(
          R"({"mt":"ReplicateUpdate","api":"PbxTableUsers","src":"dir","columns":{"guid":")" +
          guid(0) +
          R"(","cn":"User 201","e164":"201","loc":"master","cds":[{"type":"cfu","e164":"202"},{"type":"cfnr","e164":"203456"}]}})"));
  EXPECT_THAT(said(next), ElementsAre(HasSubstr("User 202")));
  EXPECT_THAT(said(next),
              ElementsAre(R"({"mt":"ReplicateNextResult","api":"PbxTableUsers","src":"dir"})"));
  ASSERT_FALSE(world->tenant().set_forwarding("202", {}, world->now));
  EXPECT_THAT(world->heard(), ElementsAre(HasSubstr(R"("e164":"202","loc":"master"}})")));
}

TEST_F(DirectoryTest, ReplicatesNothingElseThanUsers) {
  said(R"({"mt":"ReplicateStart","api":"PbxTableUsers","columns":{"cn":{}},"pseudo":["app"]})");
  EXPECT_THAT(said(R"({"mt":"ReplicateNext","api":"PbxTableUsers"})"),
              ElementsAre(R"({"mt":"ReplicateNextResult","api":"PbxTableUsers"})"));
  start();
  EXPECT_THAT(said(R"({"mt":"ReplicateNext","api":"PbxTableUsers"})"),
              ElementsAre(HasSubstr("not started")));
  EXPECT_THAT(said(R"({"mt":"ReplicateUpdate","api":"PbxTableUsers","columns":{}})"), IsEmpty());
}

TEST_F(DirectoryTest, SearchesUsers) {
  EXPECT_THAT(
      said(R"({"mt":"SearchUsers","api":"PbxAdminApi","src":"s","cn":"","limit":1})"),
      ElementsAre(
          R"({"mt":"SearchUsersResult","api":"PbxAdminApi","src":"s","user":[{"cn":"User 201","dn":"User 201","guid":")" +
          guid(0) + R"(","h323":"user201","emails":[{"email":"user201@example.com"}]}]})"));
  const auto rest = said(R"({"mt":"SearchUsers","api":"PbxAdminApi","cn":"User 202"})").at(0);
  EXPECT_THAT(rest, Not(HasSubstr("User 202")));
  EXPECT_THAT(rest, HasSubstr("User 204"));
  EXPECT_THAT(said(R"({"mt":"SearchUsers","api":"PbxAdminApi","cn":"User 204"})"),
              ElementsAre(R"({"mt":"SearchUsersResult","api":"PbxAdminApi"})"));
  EXPECT_THAT(
      said(R"({"mt":"SearchUsers","api":"PbxAdminApi","cn":"User 204","includeMatch":true})").at(0),
      HasSubstr("User 204"));
}

TEST_F(DirectoryTest, ShowsAndChangesObjects) {
  EXPECT_THAT(
      said(
          R"({"mt":"UpdateObject","api":"PbxAdminApi","guid":")" + guid(1) +
          R"(","cds":[{"type":"cfu","ep":[{"h323":"user203"}]},{"type":"cfb","ep":[{"e164":"204"}]}]})"),
      ElementsAre(R"({"mt":"UpdateObjectResult","api":"PbxAdminApi"})"));
  EXPECT_EQ(world->tenant().extension(1).forwarding.always, "203");
  EXPECT_EQ(world->tenant().extension(1).forwarding.busy, "204");
  EXPECT_THAT(
      said(R"({"mt":"GetObject","api":"PbxAdminApi","cn":"User 202"})").at(0),
      HasSubstr(
          R"("cds":[{"type":"cfu","ep":[{"e164":"203"}]},{"type":"cfb","ep":[{"e164":"204"}]}])"));
  EXPECT_THAT(said(R"({"mt":"UpdateObject","api":"PbxAdminApi","guid":"?"})"),
              ElementsAre(HasSubstr("not found")));
  EXPECT_THAT(
      said(
          R"({"mt":"UpdateObject","api":"PbxAdminApi","h323":"user202","cds":[{"type":"cfu","e164":"x y"}]})"),
      ElementsAre(HasSubstr("invalid destination")));
}

TEST_F(DirectoryTest, TellsAboutItself) {
  auto settings = gamma();
  settings.innovaphone.apps[0].url = "https://gw.example.net/acme/inbound";
  start(settings);
  EXPECT_THAT(said(R"({"mt":"GetNormalizedNumber","api":"PbxAdminApi","cn":"User 202"})"),
              ElementsAre(HasSubstr(R"("number":"202")")));
  EXPECT_THAT(said(R"({"mt":"GetLocation","api":"PbxAdminApi","loc":"master"})"),
              ElementsAre(HasSubstr(R"("module":"PBX0")")));
  EXPECT_THAT(
      said(R"({"mt":"MonitorConfig","api":"PbxAdminApi","src":"m"})"),
      ElementsAre(
          R"({"mt":"MonitorConfigResult","api":"PbxAdminApi","src":"m"})",
          R"({"mt":"MonitorConfigInfo","api":"PbxAdminApi","src":"m","domain":"example.com","pbx":"master","dns":"pbx.example.com"})"));
  EXPECT_THAT(said(R"({"mt":"GetAppObjects","api":"PbxAdminApi","uri":"https://gw"})"),
              ElementsAre(HasSubstr(
                  R"("app":"inbound","url":"https://gw.example.net/acme/inbound","guid")")));
  LoginFields fields;
  fields.app = "gateway";
  fields.domain = "example.com";
  EXPECT_THAT(said(R"({"mt":"GetAppLogin","api":"PbxAdminApi","app":"gateway","challenge":"77"})"),
              ElementsAre(HasSubstr(login_digest(fields, "77", "secret"))));
  settings.innovaphone.profile = Profile::v13r1;
  start(settings);
  EXPECT_THAT(said(R"({"mt":"GetLocation","api":"PbxAdminApi","loc":"master"})"), IsEmpty());
}

TEST_F(DirectoryTest, TellsPresence) {
  EXPECT_THAT(
      said(R"({"mt":"SubscribePresence","api":"PbxApi","src":"g","sip":"user201"})"),
      ElementsAre(
          R"({"mt":"SubscribePresenceResult","api":"PbxApi","src":"g"})",
          R"({"mt":"PresenceState","api":"PbxApi","src":"g","up":true,"sip":"user201","num":"201","dn":"User 201","email":"user201@example.com"})",
          R"({"mt":"PresenceUpdate","api":"PbxApi","src":"g","presence":[{"contact":"tel:","activity":"","status":"open"}]})"));
  EXPECT_THAT(
      said(
          R"({"mt":"SetPresence","api":"PbxApi","src":"s","sip":"user201","contact":"tel:","activity":"away","note":"lunch"})"),
      ElementsAre(
          R"({"mt":"SetPresenceResult","api":"PbxApi","src":"s"})",
          R"({"mt":"PresenceUpdate","api":"PbxApi","src":"g","presence":[{"contact":"tel:","activity":"away","status":"closed","note":"lunch"}]})"));
  ASSERT_TRUE(world->tenant().originate("201", "202", {}, world->now));
  world->wait();
  EXPECT_THAT(
      world->heard(),
      ElementsAre(
          R"({"mt":"PresenceUpdate","api":"PbxApi","src":"g","presence":[{"contact":"tel:","activity":"on-the-phone","status":"closed"},{"contact":"tel:","activity":"away","status":"closed","note":"lunch"}]})"));
  said(R"({"mt":"UnsubscribePresence","api":"PbxApi","src":"g","sip":"user201"})");
  ASSERT_FALSE(world->tenant().hang_up("201", world->now));
  world->wait();
  EXPECT_THAT(world->heard(), IsEmpty());
  EXPECT_THAT(said(R"({"mt":"SubscribePresence","api":"PbxApi","num":"999"})"),
              ElementsAre(HasSubstr(R"("error":1,"errorText":"not found")")));
  EXPECT_THAT(said(R"({"mt":"SetPresence","api":"PbxApi","num":"201","activity":"on-the-phone"})"),
              ElementsAre(HasSubstr("cannot be set")));
}

TEST_F(DirectoryTest, RefusesCallsWhileNotToBeDisturbed) {
  said(R"({"mt":"SubscribePresence","api":"PbxApi","src":"g","num":"202"})");
  said(R"({"mt":"SetPresence","api":"PbxApi","guid":")" + guid(1) + R"(","activity":"dnd"})");
  EXPECT_TRUE(world->tenant().extension(1).do_not_disturb);
  ASSERT_FALSE(world->tenant().set_do_not_disturb("202", false, world->now));
  world->wait();
  EXPECT_THAT(world->heard(), ElementsAre(HasSubstr(R"("activity":"")")));
  auto settings = gamma();
  settings.innovaphone.variants.presence_dnd = false;
  start(settings);
  said(R"({"mt":"SetPresence","api":"PbxApi","num":"202","activity":"dnd"})");
  EXPECT_FALSE(world->tenant().extension(1).do_not_disturb);
}

TEST_F(DirectoryTest, HasDiversionsFrom14r1On) {
  const std::string add =
      R"({"mt":"AddDiversion","api":"PbxApi","sip":"user201","type":"cfb","ep-num":"204"})";
  EXPECT_THAT(said(add), IsEmpty()) << "13r3";
  auto settings = gamma();
  settings.innovaphone.profile = Profile::v14r1;
  start(settings);
  EXPECT_THAT(said(add), ElementsAre(R"({"mt":"AddDiversionResult","api":"PbxApi","ok":true})"));
  EXPECT_EQ(world->tenant().extension(0).forwarding.busy, "204");
  EXPECT_THAT(said(R"({"mt":"GetDiversion","api":"PbxApi","sip":"user201","type":"cfb"})"),
              ElementsAre(R"({"mt":"GetDiversionResult","api":"PbxApi","num":"204"})"));
  EXPECT_THAT(said(R"({"mt":"DelDiversion","api":"PbxApi","sip":"user201","type":"cfb"})"),
              ElementsAre(R"({"mt":"DelDiversionResult","api":"PbxApi","ok":true})"));
  EXPECT_THAT(said(R"({"mt":"GetDiversion","api":"PbxApi","sip":"user201","type":"cfb"})"),
              ElementsAre(R"({"mt":"GetDiversionResult","api":"PbxApi"})"));
  EXPECT_THAT(said(R"({"mt":"AddDiversion","api":"PbxApi","sip":"user201","type":"cfx"})"),
              ElementsAre(HasSubstr("unknown type")));
  EXPECT_THAT(said(R"({"mt":"AddDiversion","api":"PbxApi","sip":"user201","type":"cfu"})"),
              ElementsAre(HasSubstr("invalid destination")));
}

}  // namespace
}  // namespace simulator::innovaphone
