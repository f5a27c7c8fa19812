#include "support.h"

namespace simulator::webitel {
namespace {

constexpr ConnectionId kGateway = World::kGateway;

class Login : public testing::Test {
 protected:
  World it;
};

TEST_F(Login, SaysHelloBeforeTheAnswer) {
  it.open(201);
  it.challenge(201, "token-201");
  const auto frames = it.frames(201);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].at("event"), "hello");
  EXPECT_EQ(frames[0].at("seq"), 0);
  const auto& data = frames[0].at("data").as_object();
  EXPECT_EQ(data.at("sock_id").as_string().size(), 26u);
  EXPECT_FALSE(data.contains("ping_interval"));
  EXPECT_EQ(data.at("use_cc"), true);
  EXPECT_EQ(data.at("use_chat"), false);
  const auto& session = data.at("session").as_object();
  EXPECT_EQ(session.at("user_id"), 10);
  EXPECT_EQ(session.at("domain_id"), 1);
  EXPECT_EQ(session.at("token"), "token-201");
  EXPECT_EQ(session.at("role_ids").as_array().at(0), 10);
  EXPECT_EQ(frames[1], (json::object{{"status", "OK"}, {"seq_reply", 1}}));
  EXPECT_TRUE(it.wire.in.contains(201));
}

TEST_F(Login, IsPossibleOnAllPaths) {
  it.open(1, "/ws/websocket");
  it.open(2, "/ws//websocket");
  it.open(3, "/websocket?application_name=gateway&ver=1.0");
  const auto other = it.dialect().on_http({"GET", "/ws/other", "", {}, true}, it.now);
  EXPECT_EQ(other.reply.status, 404u);
}

TEST_F(Login, IsRefusedForTokensThatAreNone) {
  it.open(201);
  it.challenge(201, "nonsense");
  EXPECT_THAT(it.told(201), ElementsAre("FAIL 1 app.session.unauthenticated 401"));
  it.challenge(201, "token-201");  // the socket stays open
  EXPECT_EQ(it.told(201).size(), 2u);
}

TEST_F(Login, IsRefusedWithoutALicence) {
  auto settings = office();
  settings.webitel.unlicensed = {"203"};
  World other(std::move(settings));
  other.open(203);
  other.challenge(203, "token-203");
  EXPECT_THAT(other.told(203), ElementsAre("FAIL 1 api.context.permissions.license 412"));
}

TEST_F(Login, WithoutATokenDropsTheConnection) {
  it.open(201);
  it.say(201, "authentication_challenge", R"({"token":17})");
  EXPECT_THAT(it.heard(201), IsEmpty());
  EXPECT_TRUE(it.wire.dropped.contains(201));
}

TEST_F(Login, IsNotAnsweredASecondTime) {
  it.log_in(201);
  it.challenge(201, "token-201");
  EXPECT_THAT(it.heard(201), IsEmpty());
  EXPECT_FALSE(it.wire.dropped.contains(201));
}

TEST_F(Login, HasToComeInTime) {
  it.open(201);
  it.log_in(202);
  it.wait(19'999ms);
  EXPECT_FALSE(it.wire.dropped.contains(201));
  it.wait(1ms);
  EXPECT_TRUE(it.wire.dropped.contains(201));
  EXPECT_FALSE(it.wire.dropped.contains(202));
}

TEST_F(Login, IsNeededForEverythingElse) {
  it.open(201);
  EXPECT_EQ(it.result(201, "subscribe_call"),
            "api.web_socket_router.not_authenticated.app_error 500");
  EXPECT_EQ(it.result(201, "ping"), "api.web_socket_router.not_authenticated.app_error 500");
  auto settings = office();
  settings.webitel.variants.unauthenticated = Variants::Unauthenticated::older;
  World older(std::move(settings));
  older.open(201);
  EXPECT_EQ(older.result(201, "ping"), "api.web_socket_router.not_authenticated.app_error 401");
}

TEST_F(Login, EndsWhenATokenIsRevokedAndNobodyRemembersIt) {
  it.subscribe(201);
  it.stage.dialect().happen({.revoke = engine::Revoke::close, .noise = {}}, it.now);
  const auto frames = it.frames(201);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].at("event"), "error");
  EXPECT_EQ(frames[0].at("seq"), 1);
  EXPECT_EQ(it.result(201, "ping"), "api.web_socket_router.not_authenticated.app_error 500");
  it.talk("201", "202");
  EXPECT_THAT(it.heard(201), IsEmpty());
  EXPECT_FALSE(it.wire.dropped.contains(201));
}

// Whoever logs in again on the same socket hears everything twice.
TEST_F(Login, OnTheSameSocketAgainDoublesEvents) {
  it.subscribe(201);
  it.dialect().happen({.revoke = engine::Revoke::quiet, .noise = {}}, it.now);
  it.challenge(201, "token-201");
  it.heard(201);
  ASSERT_TRUE(it.tenant().originate("201", "203", {}, it.now));
  EXPECT_THAT(it.told(201), ElementsAre("201 ringing outbound 203", "201 ringing outbound 203"));
}

class Frames : public testing::Test {
 protected:
  Frames() { it.log_in(201); }
  World it;
};

TEST_F(Frames, WithoutActionOrNumberAreRefused) {
  it.say_text(201, R"({"seq":5})");
  EXPECT_THAT(it.told(201), ElementsAre("FAIL 5 api.web_socket_router.no_action.app_error 400"));
  it.say_text(201, R"({"action":"ping"})");
  const auto frames = it.frames(201);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_FALSE(frames[0].contains("seq_reply"));
  EXPECT_EQ(frames[0].at("error").as_object().at("id"), "api.web_socket_router.bad_seq.app_error");
  EXPECT_EQ(it.result(201, "dance"), "api.web_socket_router.bad_action.app_error 400");
}

TEST_F(Frames, ThatCannotBeDecodedAreIgnored) {
  for (const auto* text : {"", "{", "[]", "7", R"({"seq":1,"action":"ping","data":[]})",
                           R"({"seq":1,"action":"ping","data":"x"})",
                           R"({"seq":"1","action":"ping"})", R"({"seq":1,"action":7})"}) {
    it.say_text(201, text);
  }
  EXPECT_THAT(it.heard(201), IsEmpty());
  it.say_text(201, R"({"seq":9,"action":"ping","data":null})");
  EXPECT_THAT(it.told(201), ElementsAre(HasSubstr("OK 9 {\"pong\":1")));
}

TEST_F(Frames, ThatAreTooLargeEndTheConnection) {
  it.say_text(201, std::string((256 << 10) + 1, ' '));
  EXPECT_TRUE(it.wire.dropped.contains(201));
}

TEST_F(Frames, AreEscapedAsGoDoes) {
  const auto reply = [&] {
    it.say(201, "latency_ack", R"({"client_ts":"<a&b>"})");
    return it.heard(201).at(0);
  };
  EXPECT_THAT(reply(), HasSubstr(R"(\u003ca\u0026b\u003e)"));
}

TEST_F(Frames, OfLatencyAreAnswered) {
  EXPECT_EQ(it.ask(201, "ping", R"({"ping":1})").at("pong"), 1);
  EXPECT_TRUE(it.ask(201, "latency_start").contains("server_ts"));
  const auto ack = it.ask(201, "latency_ack", R"({"client_ts":5})");
  EXPECT_EQ(ack.at("client_ts"), 5);
  EXPECT_TRUE(ack.contains("server_ack_ts"));
}

}  // namespace
}  // namespace simulator::webitel
