#include "support.h"

// The list of users, their lamps, and handles.
namespace simulator::innovaphone {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string info_of(World& world, std::string_view number, const std::string& rest) {
  const Users users(world.stage.settings().innovaphone, world.tenant());
  const auto index = users.of_number(number);
  const auto n = std::string(number);
  return R"({"mt":"UserInfo","api":"RCC","src":"i",)" + rest + R"("guid":")" + users[index].guid +
         R"(","cn":"User )" + n + R"(","dn":"User )" + n + R"(","h323":"user)" + n +
         R"(","e164":")" + n + R"(","node":"root","pbx":"master","regs":[{"hw":"hw-user)" + n +
         R"("}])";
}

TEST(RccTest, TellsUsersBeforeTheResult) {
  World world;
  world.log_in();
  world.rcc("Initialize", R"("src":"i")");
  EXPECT_THAT(world.heard(),
              ElementsAre(info_of(world, "201", "") + "}", info_of(world, "202", "") + "}",
                          info_of(world, "203", "") + "}", info_of(world, "204", "") + "}",
                          R"({"mt":"InitializeResult","api":"RCC","src":"i"})"));
}

TEST(RccTest, PacesTheList) {
  auto settings = gamma();
  settings.engine.extensions.clear();
  for (int i = 0; i < 120; ++i) settings.engine.extensions.push_back(std::to_string(1000 + i));
  World world(settings);
  world.log_in();
  world.rcc("Initialize", R"("src":"i")");
  EXPECT_EQ(world.heard().size(), 50u);
  world.wait(19ms);
  EXPECT_THAT(world.heard(), IsEmpty());
  // News of those that have been told come in between; the others are told as they are then.
  ASSERT_TRUE(world.tenant().originate("1001", "1110", {}, world.now));
  EXPECT_THAT(world.told(), ElementsAre("UserInfo 1001 channel 1"));
  world.wait(1ms);
  EXPECT_EQ(world.heard().size(), 50u);
  world.wait(20ms);
  const auto rest = world.told();
  ASSERT_EQ(rest.size(), 21u);
  EXPECT_EQ(rest[10], "UserInfo 1110 channel 1 alert 1");
  EXPECT_EQ(rest.back(), "InitializeResult");
}

TEST(RccTest, TakesAGentlerPace) {
  World world;
  world.log_in();
  world.rcc("Initialize", R"("limit":"3")");
  EXPECT_THAT(world.told(), ElementsAre("UserInfo 201", "UserInfo 202", "UserInfo 203"));
  world.wait(20ms);
  EXPECT_THAT(world.told(), ElementsAre("UserInfo 204", "InitializeResult"));
}

TEST(RccTest, ShowsWhomTheAppIsAssignedTo) {
  auto settings = gamma();
  settings.innovaphone.apps[0].users = {"202", "204"};
  settings.innovaphone.apps[0].group = {"203"};
  World world(settings);
  world.log_in();
  world.rcc("Initialize", "\"limit\":0");
  EXPECT_THAT(world.told(), ElementsAre("UserInfo 202", "UserInfo 204", "InitializeResult"));
  world.rcc("Initialize", R"("grp":true)");
  EXPECT_THAT(world.told(), ElementsAre("UserInfo 203", "InitializeResult"));
  world.rcc("UserInitialize", R"("cn":"User 203")");
  EXPECT_THAT(world.heard(), ElementsAre(R"({"mt":"UserInitializeResult","api":"RCC"})"));
}

TEST(RccTest, TellsLampsOncePerInstant) {
  World world;
  world.log_in();
  world.rcc("Initialize", R"("src":"i")");
  world.heard();
  ASSERT_TRUE(world.tenant().originate("201", "202", {}, world.now));
  world.wait();
  EXPECT_THAT(
      world.heard(),
      ElementsAre(info_of(world, "201", R"("update":"update",)") + R"(,"channel":1})",
                  info_of(world, "202", R"("update":"update",)") + R"(,"channel":1,"alert":1})"));
  ASSERT_FALSE(world.tenant().answer("202", world.now));
  EXPECT_THAT(world.told(), ElementsAre("UserInfo 202 channel 1"));
  ASSERT_FALSE(world.tenant().hold("202", world.now));
  EXPECT_THAT(world.told(), IsEmpty()) << "the lamp is the same";
  ASSERT_FALSE(world.tenant().hang_up("202", world.now));
  EXPECT_THAT(world.told(), ElementsAre("UserInfo 201", "UserInfo 202"));
  ASSERT_FALSE(world.tenant().set_registered("203", false, world.now));
  EXPECT_THAT(world.told(), ElementsAre("UserInfo 203 gone"));
}

TEST(RccTest, GivesHandles) {
  World world;
  world.log_in();
  EXPECT_EQ(
      world.answer(R"({"mt":"UserInitialize","api":"RCC","src":"u","cn":"User 201","xfer":true})"),
      R"({"mt":"UserInitializeResult","api":"RCC","src":"u","user":1,"prefixIntl":"00","prefixNtl":"0","country":"49","maxIntern":3})");
  EXPECT_THAT(world.answer(R"({"mt":"UserInitialize","api":"RCC","cn":"User 201"})"),
              StartsWith(R"({"mt":"UserInitializeResult","api":"RCC","user":2,)"));
  EXPECT_EQ(world.answer(R"({"mt":"UserInitialize","api":"RCC","cn":"201"})"),
            R"({"mt":"UserInitializeResult","api":"RCC"})");
  EXPECT_EQ(world.answer(R"({"mt":"UserEnd","api":"RCC","user":"1","src":"e"})"),
            R"({"mt":"UserEndResult","api":"RCC","src":"e"})");
  EXPECT_THAT(world.answer(R"({"mt":"UserInitialize","api":"RCC","cn":"User 202"})"),
              HasSubstr(R"("user":3,)"))
      << "never again";
  EXPECT_EQ(
      world.answer(R"({"mt":"Devices","api":"RCC","cn":"User 201"})"),
      R"({"mt":"DevicesResult","api":"RCC","devices":[{"hw":"hw-user201","text":"IP phone"}]})");
}

TEST(RccTest, TellsRunningCallsToNewHandles) {
  auto settings = gamma();
  World world(settings);
  world.log_in();
  ASSERT_TRUE(world.tenant().originate("201", "202", {}, world.now));
  ASSERT_FALSE(world.tenant().answer("202", world.now));
  world.wait(5s);
  world.rcc("UserInitialize", R"("cn":"User 202","src":"u")");
  const auto all = world.heard();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(World::brief(all[1]), "1.1 133 update 201");
  EXPECT_THAT(all[1], HasSubstr(R"("time":5,)"));
  EXPECT_THAT(all[1], HasSubstr(R"("src":"u",)"));

  settings.innovaphone.variants.running_calls = false;
  World silent(settings);
  silent.log_in();
  ASSERT_TRUE(silent.tenant().originate("201", "202", {}, silent.now));
  silent.watch({"202"});
  ASSERT_FALSE(silent.tenant().answer("202", silent.now));
  EXPECT_THAT(silent.told(), ElementsAre("1.1 133 x-conn 201"))
      << "the first of a call, in any state";
}

TEST(RccTest, FollowsOneDeviceOnlyIfThereIsOne) {
  World world;
  world.log_in();
  world.rcc("UserInitialize", R"("cn":"User 201","hw":"elsewhere")");
  EXPECT_THAT(world.heard()[0], HasSubstr(R"("user":1,)"));
  world.rcc("UserInitialize", R"("cn":"User 201","hw":"hw-user201")");
  world.heard();
  ASSERT_TRUE(world.tenant().originate("201", "202", {}, world.now));
  EXPECT_THAT(world.told(), ElementsAre("2.1 1 x-setup 202", "2.1 4 r-alert 202"));
}

TEST(RccTest, ControlsUsersWhereTheyLive) {
  auto settings = gamma();
  settings.innovaphone.pbxs = {{"master", "PBX0", {}}, {"branch", "PBX1", {"203"}}};
  World world(settings);
  world.log_in();
  world.rcc("UserInitialize", R"("cn":"User 203")");
  EXPECT_THAT(world.heard(), ElementsAre(R"({"mt":"UserInitializeResult","api":"RCC"})"));
  world.rcc("Initialize", R"("src":"i")");
  const auto users = world.heard();
  EXPECT_THAT(users[1], HasSubstr(R"("pbx":"master")"));
  EXPECT_THAT(users[2], HasSubstr(R"("pbx":"branch")"));

  world.open(2, "/PBX1/APPS/websocket");
  LoginFields fields;
  fields.app = "gateway";
  world.answer(World::login_text(world.challenge(2), fields, "secret"), 2);
  world.rcc("UserInitialize", R"("cn":"User 203")", 2);
  EXPECT_THAT(world.heard(2)[0], HasSubstr(R"("user":1,)"));

  settings.innovaphone.variants.foreign_users = Variants::ForeignUsers::hidden;
  World apart(settings);
  apart.log_in();
  apart.rcc("Initialize", R"("src":"i")");
  EXPECT_EQ(apart.told().size(), 4u);
}

TEST(RccTest, FollowsTheWholePbx) {
  World world;
  world.log_in();
  world.rcc("Initialize", R"("src":"i","calls":true)");
  world.heard();
  const Users users(world.stage.settings().innovaphone, world.tenant());
  ASSERT_TRUE(world.tenant().originate("+34600111222", "202", {}, world.now));
  const auto id =
      world.dialect().id_of(*world.tenant().find_leg(world.tenant().extension(1).legs[0]));
  const auto ringing = world.heard();
  ASSERT_EQ(ringing.size(), 3u);
  EXPECT_THAT(ringing[0], StartsWith(R"({"mt":"CallAdd","api":"RCC","src":"i","guid":")" +
                                     users[1].guid + R"(","cn":"User 202","call":1,"state":129,)" +
                                     R"("conf-id":")" + id + R"(","call-id":")"));
  EXPECT_EQ(
      ringing[1],
      R"({"mt":"CallUpdate","api":"RCC","src":"i","call":1,"msg":"x-setup","local":{"h323":"","e164":"+34600111222"},"remote":{"h323":"user202","e164":"202"}})");
  ASSERT_FALSE(world.tenant().answer("202", world.now));
  ASSERT_FALSE(world.tenant().hang_up("202", world.now));
  EXPECT_THAT(world.told(), ElementsAre("CallUpdate 1 r-conn", "CallUpdate 1 r-rel", "CallDel 1"));
}

}  // namespace
}  // namespace simulator::innovaphone
