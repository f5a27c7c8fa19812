#include "support.h"

// The base layer, where the PBX is logged in to.
namespace simulator::innovaphone {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

constexpr std::string_view kRefused = R"({"mt":"AppLoginResult"})";
constexpr std::string_view kIn = R"({"mt":"AppLoginResult","ok":true})";

TEST(LoginTest, LetsInWhoeverHasThePassword) {
  World world;
  world.open();
  EXPECT_THAT(world.answer(R"({"mt":"AppChallenge","user":"x","appObj":"gateway"})"),
              MatchesRegex(R"(\{"mt":"AppChallengeResult","challenge":"[0-9a-f]{16}"\})"));
  LoginFields fields;
  fields.app = "gateway";
  EXPECT_EQ(world.answer(World::login_text(world.challenge(), fields, "secret")), kIn);
  EXPECT_TRUE(world.wire.in.contains(World::kApp));
  EXPECT_EQ(world.dialect().counters().logins_ok, 1u);
  const auto connections = world.dialect().connections();
  ASSERT_EQ(connections.size(), 1u);
  EXPECT_EQ(connections[0].kind, "app");
  EXPECT_TRUE(connections[0].logged_in);
}

TEST(LoginTest, RefusesAndStaysOpen) {
  World world;
  world.open();
  LoginFields fields;
  fields.app = "gateway";
  EXPECT_EQ(world.answer(World::login_text(world.challenge(), fields, "wrong")), kRefused);
  fields.app = "nobody";
  EXPECT_EQ(world.answer(World::login_text(world.challenge(), fields, "secret")), kRefused);
  fields.app = "gateway";
  const auto challenge = world.challenge();
  EXPECT_EQ(world.answer(World::login_text(challenge, fields, "secret")), kIn);
  EXPECT_EQ(world.answer(World::login_text(challenge, fields, "secret")), kRefused) << "used";
  EXPECT_EQ(world.dialect().counters().logins_refused, 3u);
  EXPECT_THAT(world.wire.closed, IsEmpty());
}

TEST(LoginTest, TakesInfoAsItStands) {
  World world;
  const auto try_info = [&](std::string_view said, std::string_view hashed) {
    world.open();
    LoginFields fields;
    fields.app = "gateway";
    fields.info = std::string(hashed);
    const auto digest = login_digest(fields, world.challenge(), "secret");
    return world.answer(R"({"info":)" + std::string(said) +
                        R"(,"key":"ff","mt":"AppLogin","app":"gateway","digest":")" + digest +
                        R"(","sip":null})");
  };
  EXPECT_EQ(try_info("{}", "{}"), kIn);
  EXPECT_EQ(try_info(R"({"b":1,"a":"x&<y>"})", R"({"b":1,"a":"x&<y>"})"), kIn);
  EXPECT_EQ(try_info(R"({ "b":1 })", R"({ "b":1 })"), kIn);
  EXPECT_EQ(try_info(R"({ "b" : "\/\u00e4" })", R"({"b":"/ä"})"), kIn);
  EXPECT_EQ(try_info(R"({"b":1,"a":2})", R"({"a":2,"b":1})"), kRefused);
}

// Two of the vendor's samples have the place of info in the text, also without one.
TEST(LoginTest, TakesAnEmptyInfo) {
  World world;
  world.open();
  LoginFields fields;
  fields.app = "gateway";
  fields.info = "";
  EXPECT_EQ(world.answer(World::login_text(world.challenge(), fields, "secret")), kIn);
}

TEST(LoginTest, HasChallengesOfOtherShapes) {
  auto settings = gamma();
  settings.innovaphone.variants.challenge = Variants::Challenge::number;
  settings.innovaphone.challenge_size = 9;
  World numbers(settings);
  numbers.open();
  EXPECT_THAT(numbers.answer(R"({"mt":"AppChallenge","src":"s"})"),
              MatchesRegex(R"(\{"mt":"AppChallengeResult","src":"s","challenge":[1-9][0-9]{8}\})"));
  EXPECT_EQ(numbers.log_in(2), kIn);

  settings.innovaphone.variants.challenge = Variants::Challenge::hex;
  settings.innovaphone.challenge_size = 1;
  World short_ones(settings);
  EXPECT_EQ(short_ones.log_in(), kIn);
}

TEST(LoginTest, FailsInTheFormThatIsWanted) {
  auto settings = gamma();
  const auto refusal = [&] {
    World world(settings);
    world.open();
    LoginFields fields;
    const auto text = world.answer(World::login_text(world.challenge(), fields, "x"));
    return text + (world.wire.closed.contains(World::kApp) ? " closed" : "");
  };
  settings.innovaphone.variants.failure = Variants::Failure::ok_false;
  EXPECT_EQ(refusal(), R"({"mt":"AppLoginResult","ok":false})");
  settings.innovaphone.variants.failure = Variants::Failure::error;
  settings.innovaphone.variants.close_refused = true;
  EXPECT_EQ(refusal(), R"({"mt":"AppLoginResult","error":1,"errorText":"digest mismatch"} closed)");
}

TEST(LoginTest, ConfinesToAUserFrom13r3On) {
  auto settings = gamma();
  World world(settings);
  EXPECT_EQ(world.log_in(1, "gateway"), kIn);  // the object itself
  EXPECT_EQ(world.log_in(2, "user202"), kIn);
  EXPECT_EQ(world.log_in(3, "stranger"), kRefused);
  world.rcc("Initialize", R"("src":"i")", 2);
  EXPECT_THAT(world.told(2), ElementsAre("UserInfo 202", "InitializeResult"));
  world.rcc("UserInitialize", R"("cn":"User 201")", 2);
  EXPECT_THAT(world.heard(2), ElementsAre(R"({"mt":"UserInitializeResult","api":"RCC"})"));
  world.say(R"({"mt":"GetPbxConfig","api":"PbxAdminApi"})", 2);
  EXPECT_THAT(world.heard(2), IsEmpty()) << "not for users";
  EXPECT_EQ(world.answer(R"({"mt":"GetPbxConfig","api":"PbxAdminApi"})", 1),
            R"({"mt":"GetPbxConfigResult","api":"PbxAdminApi","loc":"master"})");

  settings.innovaphone.profile = Profile::v13r2;
  World old(settings);
  EXPECT_EQ(old.log_in(1, "user202"), kIn);
  old.rcc("Initialize", R"("src":"i")");
  EXPECT_EQ(old.told().size(), 5u) << "unrestricted";
}

TEST(LoginTest, LetsUsersInWithTheirOwnPassword) {
  World world;
  world.open();
  LoginFields fields;
  fields.sip = "user203";
  EXPECT_EQ(world.answer(World::login_text(world.challenge(), fields, "agent-203")), kIn);
  EXPECT_EQ(world.dialect().connections()[0].extension, "203");
}

TEST(LoginTest, AnswersOnlyToWhatIsGranted) {
  auto settings = gamma();
  settings.innovaphone.apps[0].apis = {"RCC"};
  World world(settings);
  world.say(R"({"mt":"Initialize","api":"RCC"})");
  EXPECT_THAT(world.heard(), IsEmpty()) << "nobody there";
  world.open();
  world.say(R"({"mt":"Initialize","api":"RCC"})");
  EXPECT_THAT(world.heard(), IsEmpty()) << "not logged in";
  world.log_in();
  world.say(R"({"mt":"SubscribePresence","api":"PbxApi","sip":"user201"})");
  world.say(R"({"mt":"Surprise","api":"RCC"})");
  world.say(R"({"mt":"Surprise"})");
  world.say("not json");
  EXPECT_THAT(world.heard(), IsEmpty());

  settings.innovaphone.variants.ungranted = Variants::Ungranted::error;
  World strict(settings);
  strict.log_in();
  EXPECT_EQ(strict.answer(R"({"mt":"SubscribePresence","api":"PbxApi","src":"p"})"),
            R"({"mt":"SubscribePresenceResult","api":"PbxApi","src":"p","error":"not granted"})");
}

TEST(LoginTest, EchoesKeepAlive) {
  World world;
  world.log_in();
  EXPECT_EQ(world.answer(R"({"mt":"KeepAlive"})"), R"({"mt":"KeepAlive"})");
}

TEST(LoginTest, ClosesOverMessagesTooLong) {
  World world;
  world.log_in();
  world.say(R"({"mt":"KeepAlive","x":")" + std::string(65'535, 'x') + "\"}");
  EXPECT_EQ(world.wire.closed[World::kApp], 1009);
  EXPECT_THAT(world.dialect().connections(), IsEmpty());
}

TEST(LoginTest, KnowsItsPathsOnly) {
  auto settings = gamma();
  settings.innovaphone.pbxs = {{"master", "PBX0", {}}, {"branch", "PBX1", {"203"}}};
  World world(settings);
  const auto status = [&](const std::string& path, bool upgrade) {
    const auto answer = world.dialect().on_http({"GET", path, "", {}, upgrade}, world.now);
    return answer.kind == engine::HttpAnswer::Kind::accept ? 101 : int(answer.reply.status);
  };
  EXPECT_EQ(status("/PBX0/APPS/websocket", true), 101);
  EXPECT_EQ(status("/PBX1/APPS/websocket?x=1", true), 101);
  EXPECT_EQ(status("/PBX2/APPS/websocket", true), 404);
  EXPECT_EQ(status("/PBX0/APPS/websocket", false), 404);
  EXPECT_EQ(status("/", true), 404);
}

}  // namespace
}  // namespace simulator::innovaphone
