#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/vodia/route.h"
#include "simulator/vodia/sessions.h"
#include "vodia_support.h"

namespace simulator {
namespace {

using engine::HttpAnswer;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using vodia::Profile;

class VodiaLoginTest : public testing::Test {
 protected:
  VodiaScene scene;

  static constexpr const char* kSession = "/rest/system/session";
  static boost::json::object about(VodiaScene& it, const std::string& session) {
    return VodiaScene::parsed(it.get(kSession, VodiaScene::cookie(session))).as_object();
  }
};

TEST_F(VodiaLoginTest, TellsItsVersionOnEveryAnswer) {
  EXPECT_EQ(VodiaScene::header(scene.get("/"), "Server"), "PBX/70.3");
  EXPECT_EQ(VodiaScene::header(scene.get("/nowhere"), "Server"), "PBX/70.3");
  EXPECT_EQ(VodiaScene::header(scene.knock("").reply, "Server"), "PBX/70.3");
  VodiaScene old(vodia_tenant(Profile::v67));
  EXPECT_EQ(VodiaScene::header(old.get("/"), "Server"), "PBX/67.0.5 (Debian64)");
}

TEST_F(VodiaLoginTest, GivesASessionForAPassword) {
  const auto reply = scene.log_in("501@acme.example", "agent-501");
  EXPECT_EQ(reply.status, 200u);
  EXPECT_EQ(reply.body.size(), 22u);  // twenty characters in quotes
  const auto id = std::string(VodiaScene::parsed(reply).as_string());
  EXPECT_EQ(VodiaScene::session_of(reply), id);
  EXPECT_THAT(VodiaScene::header(reply, "Set-Cookie"),
              HasSubstr("; Path=/; SameSite=Strict; Secure; HttpOnly"));
  const auto session = about(scene, id);
  EXPECT_EQ(session.at("type"), "user");
  EXPECT_EQ(session.at("cuser"), "501");
  EXPECT_EQ(session.at("cdomain"), "acme.example");
}

TEST_F(VodiaLoginTest, KnowsTheDomainOfAnAccountWithoutOne) {
  EXPECT_EQ(scene.log_in("501", "agent-501").body.size(), 22u);
  EXPECT_EQ(about(scene, VodiaScene::session_of(scene.log_in("admin", "admin-demo"))).at("type"),
            "admin");
  EXPECT_EQ(about(scene, VodiaScene::session_of(scene.log_in("admin@acme.example", "tenant-demo")))
                .at("type"),
            "domain");
}

TEST_F(VodiaLoginTest, SaysFalseToAWrongPassword) {
  EXPECT_EQ(VodiaScene::brief(scene.log_in("501", "agent-502")), "200 false");
  EXPECT_EQ(VodiaScene::brief(scene.log_in("599", "agent-599")), "200 false");
  EXPECT_EQ(VodiaScene::brief(scene.log_in("501@other", "agent-501")), "200 false");
  EXPECT_EQ(VodiaScene::brief(scene.log_in("800", "agent-800")), "200 false");  // park
  VodiaScene old(vodia_tenant(Profile::legacy2016));
  EXPECT_EQ(VodiaScene::brief(old.log_in("501", "no")), "200 \"\"");
  EXPECT_EQ(scene.stage.dialect().counters().logins_refused, 4u);
}

TEST_F(VodiaLoginTest, SetsNoCookieIn2016) {
  VodiaScene old(vodia_tenant(Profile::legacy2016));
  const auto reply = old.log_in("501", "agent-501");
  EXPECT_EQ(VodiaScene::header(reply, "Set-Cookie"), "");
  EXPECT_EQ(about(old, std::string(VodiaScene::parsed(reply).as_string())).at("cuser"), "501");
}

TEST_F(VodiaLoginTest, MayHavePasswordsSwitchedOff) {
  auto settings = vodia_tenant();
  settings.vodia.variants.password_login = false;
  VodiaScene other(std::move(settings));
  EXPECT_EQ(VodiaScene::brief(other.log_in("501", "agent-501")), "200 false");
  EXPECT_NE(other.session("501"), "");
}

TEST_F(VodiaLoginTest, ActivatesATokenOnce) {
  const auto token = scene.token("502");
  EXPECT_EQ(token.size(), vodia::Sessions::kIdSize);
  EXPECT_EQ(scene.knock(token).kind, HttpAnswer::Kind::reply);  // it is no session yet
  const auto reply = scene.activate(token);
  EXPECT_EQ(VodiaScene::brief(reply), "200 true");
  EXPECT_EQ(about(scene, VodiaScene::session_of(reply)).at("cuser"), "502");
  EXPECT_EQ(VodiaScene::brief(scene.activate(token)), "200 false");
}

TEST_F(VodiaLoginTest, ForgetsATokenAfterTenSeconds) {
  const auto early = scene.token("501"), late = scene.token("501");
  scene.wait(10s);
  EXPECT_EQ(VodiaScene::brief(scene.activate(early)), "200 true");
  scene.wait(1ms);
  EXPECT_EQ(VodiaScene::brief(scene.activate(late)), "200 false");
}

TEST_F(VodiaLoginTest, MintsTokensForTheAdministratorOnly) {
  const std::string body = R"({"name":"3rd","domain":"acme.example","username":"501"})";
  EXPECT_EQ(VodiaScene::brief(scene.post(kSession, body)), "200 false");
  EXPECT_EQ(VodiaScene::brief(scene.post(kSession, body, VodiaScene::basic("admin", "no"))),
            "200 false");
  EXPECT_EQ(VodiaScene::brief(scene.post(kSession, body, VodiaScene::as("501"))), "200 false");
}

TEST_F(VodiaLoginTest, SaysThatThereIsNoSuchAccount) {
  const auto mint = [&](const std::string& body) {
    return scene.post(kSession, body, VodiaScene::admin()).status;
  };
  EXPECT_EQ(mint(R"({"name":"3rd","domain":"acme.example","username":"599"})"), 404u);
  EXPECT_EQ(mint(R"({"name":"3rd","domain":"other","username":"501"})"), 404u);
  EXPECT_EQ(mint(R"({"name":"3rd","domain":"acme.example"})"), 200u);
  EXPECT_EQ(mint(R"({"name":"3rd","admin":true})"), 200u);
  EXPECT_EQ(mint(R"({"name":"3rd"})"), 404u);
  EXPECT_EQ(mint("{"), 400u);
}

TEST_F(VodiaLoginTest, PutsATokenInOtherWords) {
  auto settings = vodia_tenant();
  settings.vodia.variants.token = vodia::Variants::Token::object;
  VodiaScene object(settings);
  const std::string body = R"({"name":"3rd","domain":"acme.example","username":"501"})";
  EXPECT_THAT(object.post(kSession, body, VodiaScene::admin()).body, StartsWith(R"({"session":")"));
  settings.vodia.variants.token = vodia::Variants::Token::bare;
  VodiaScene bare(settings);
  EXPECT_EQ(bare.post(kSession, body, VodiaScene::admin()).body.size(), vodia::Sessions::kIdSize);
}

TEST_F(VodiaLoginTest, TellsStrangersWhatItCanDoAndNoMore) {
  const auto session = about(scene, "");
  EXPECT_TRUE(session.contains("password_policy"));
  EXPECT_FALSE(session.contains("cuser"));
  EXPECT_FALSE(session.contains("type"));
}

TEST_F(VodiaLoginTest, LogsOut) {
  const auto who = scene.open("501");
  const auto session = scene.session("501");
  const auto id = scene.knock(session).visitor;
  scene.stage.dialect().on_open(9, id, false, scene.now);
  EXPECT_EQ(VodiaScene::brief(scene.ask("DELETE", kSession, "", VodiaScene::cookie(session)).reply),
            "200 true");
  EXPECT_FALSE(about(scene, session).contains("cuser"));
  EXPECT_THAT(scene.wire.closed, testing::ElementsAre(testing::Pair(9, 1008)));
  EXPECT_FALSE(scene.wire.closed.contains(who));  // another session of the same extension
  EXPECT_EQ(scene.ask("DELETE", kSession).reply.status, 401u);
}

TEST_F(VodiaLoginTest, MayLogOutSocketsInSilence) {
  auto settings = vodia_tenant();
  settings.vodia.variants.logout = vodia::Variants::Logout::quiet;
  VodiaScene quiet(std::move(settings));
  const auto session = quiet.session("501");
  quiet.stage.dialect().on_open(9, session, false, quiet.now);
  quiet.say(9, R"({"action":"domain-calls","subscribe":true})");
  EXPECT_THAT(quiet.told(9), testing::ElementsAre("calls"));
  quiet.ask("DELETE", kSession, "", VodiaScene::cookie(session));
  quiet.call("501", "502");
  quiet.say(9, R"({"action":"domain-calls","subscribe":true})");
  EXPECT_THAT(quiet.told(9), testing::IsEmpty());
  EXPECT_TRUE(quiet.wire.closed.empty());
}

TEST_F(VodiaLoginTest, WantsASecondFactorFromSome) {
  auto settings = vodia_tenant();
  settings.vodia.second_factor = {"503"};
  VodiaScene strict(std::move(settings));
  const auto session = VodiaScene::session_of(strict.log_in("503", "agent-503"));
  EXPECT_FALSE(about(strict, session).contains("cuser"));
  EXPECT_EQ(strict.knock(session).reply.status, 401u);
  const auto second = [&](const std::string& code) {
    return VodiaScene::brief(strict.post("/rest/system/2nd",
                                         R"({"method":"login-app","token":")" + code + "\"}",
                                         VodiaScene::cookie(session)));
  };
  EXPECT_EQ(second("000000"), "200 false");
  EXPECT_EQ(second("123456"), "200 true");
  EXPECT_EQ(strict.knock(session).kind, HttpAnswer::Kind::accept);
  EXPECT_EQ(about(strict, strict.session("503")).at("cuser"), "503");  // a token needs none
}

TEST_F(VodiaLoginTest, KeepsAsManySessionsAsItMay) {
  vodia::Sessions sessions("mark", 1);
  const auto first = sessions.open({{vodia::Scope::system}});
  for (std::size_t i = 1; i < vodia::Sessions::kSessionsMax; ++i) sessions.open({});
  EXPECT_EQ(sessions.who(first).scope, vodia::Scope::system);
  EXPECT_THAT(sessions.open({}), StartsWith("mark"));
  EXPECT_EQ(sessions.who(first).scope, vodia::Scope::nobody);
  EXPECT_EQ(sessions.size(), vodia::Sessions::kSessionsMax);
}

TEST_F(VodiaLoginTest, RefusesForeignPages) {
  const auto reply = scene.ask("OPTIONS", "/rest/system/session").reply;
  EXPECT_EQ(reply.status, 403u);
  const auto with_origin = scene.get("/", {{"origin", "https://app.example"}});
  EXPECT_EQ(VodiaScene::header(with_origin, "Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(VodiaScene::header(with_origin, "Access-Control-Allow-Credentials"), "true");
}

TEST_F(VodiaLoginTest, LetsOnlyTheCookiesExtensionIn) {
  const auto session = scene.session("501");
  const auto knock = [&](const std::string& query) { return scene.knock(session, query); };
  EXPECT_EQ(knock("").kind, HttpAnswer::Kind::accept);
  EXPECT_EQ(knock("?domain=acme.example&user=501").kind, HttpAnswer::Kind::accept);
  EXPECT_EQ(knock("?domain=acme.example&user=502").reply.status, 401u);
  EXPECT_EQ(knock("?domain=other&user=501").reply.status, 401u);
  EXPECT_EQ(scene.knock("", "?domain=acme.example&user=501").reply.status, 401u);
  EXPECT_EQ(scene.knock(VodiaScene::session_of(scene.log_in("admin", "admin-demo"))).reply.status,
            401u);
  EXPECT_EQ(scene.ask("GET", "/", "", VodiaScene::cookie(session), true).kind,
            HttpAnswer::Kind::accept);
  EXPECT_EQ(scene.ask("GET", "/else", "", VodiaScene::cookie(session), true).reply.status, 404u);
}

// Whose a request is, behind one port.
TEST_F(VodiaLoginTest, FindsWhomARequestIsFor) {
  const auto of = [](const std::string& method, const std::string& target,
                     const std::string& body = {}, VodiaScene::Headers headers = {},
                     bool upgrade = false) {
    const auto it = vodia::addressee_of({method, target, body, std::move(headers), upgrade});
    return it.domain + "/" + it.session;
  };
  EXPECT_EQ(of("POST", kSession, R"({"name":"3rd","domain":"d1"})"), "d1/");
  EXPECT_EQ(of("PUT", kSession, R"({"name":"auth","value":"501@d1 abc"})"), "d1/");
  EXPECT_EQ(of("POST", kSession, R"({"name":"session","value":"0001x"})"), "/0001x");
  EXPECT_EQ(of("GET", kSession, "", {{"cookie", "a=b; session=0002y"}}), "/0002y");
  EXPECT_EQ(of("GET", "/rest/user/501%40d2/calls"), "d2/");
  EXPECT_EQ(of("GET", "/rest/domain/d3/cdrs?size=1"), "d3/");
  EXPECT_EQ(of("GET", "/rest/domain/self/cdrs", "", {{"cookie", "session=0002y"}}), "/0002y");
  EXPECT_EQ(of("GET", "/websocket?domain=d%34&user=1", "", {}, true), "d4/");
  EXPECT_EQ(of("GET", "/remote_call.htm?user=501%40d5&dest=1"), "d5/");
  EXPECT_EQ(of("GET", "/rest/system/status", "", VodiaScene::basic("501@d6", "x")), "d6/");
  EXPECT_EQ(of("POST", kSession, "{{{"), "/");
}

TEST_F(VodiaLoginTest, ReadsTextsOfTheWire) {
  EXPECT_EQ(vodia::md5_hex("agent-501").size(), 32u);
  EXPECT_EQ(vodia::md5_hex(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(vodia::base64_decoded("YTpi"), "a:b");
  EXPECT_EQ(vodia::base64_decoded("YWI="), "ab");
  EXPECT_EQ(vodia::base64_decoded("*"), std::nullopt);
  EXPECT_EQ(vodia::percent_decoded("a%40b"), "a@b");
  EXPECT_EQ(vodia::percent_decoded("a%4"), std::nullopt);
  EXPECT_EQ(vodia::percent_decoded("%zz"), std::nullopt);
  EXPECT_EQ(vodia::query_value("a=1&b=%2B34&c", "b"), "+34");
  EXPECT_EQ(vodia::query_value("a=1&b=2&c", "c"), "");
  EXPECT_EQ(vodia::cookie_value("x=1; session=\"q\" ;y", "session"), "q");
}

}  // namespace
}  // namespace simulator
