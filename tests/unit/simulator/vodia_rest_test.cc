#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/vodia/calls.h"
#include "vodia_support.h"

namespace simulator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using vodia::Profile;

class VodiaRestTest : public testing::Test {
 protected:
  static VodiaScene::Headers tenant_admin() {
    return VodiaScene::basic("admin@acme.example", "tenant-demo");
  }
  boost::json::value ask(const std::string& path, VodiaScene::Headers who = VodiaScene::admin()) {
    return VodiaScene::parsed(scene.get(path, std::move(who)));
  }
  unsigned status(const std::string& path, VodiaScene::Headers who) {
    return scene.get(path, std::move(who)).status;
  }
  std::string calls() { return VodiaScene::brief_calls(ask("/rest/user/501@acme.example/calls")); }

  VodiaScene scene;
  static constexpr const char* kUser = "/rest/user/501%40acme.example";
  static constexpr const char* kDomain = "/rest/domain/acme.example";
};

TEST_F(VodiaRestTest, AsksForCredentials) {
  const auto reply = scene.get(std::string(kUser) + "/calls");
  EXPECT_EQ(reply.status, 401u);
  EXPECT_THAT(VodiaScene::header(reply, "WWW-Authenticate"), HasSubstr("Basic"));
  EXPECT_EQ(status(std::string(kUser) + "/calls", VodiaScene::basic("501", "wrong")), 401u);
  EXPECT_EQ(status(std::string(kUser) + "/calls", VodiaScene::cookie("stale")), 401u);
}

TEST_F(VodiaRestTest, TakesCookiesAndCredentials) {
  const auto path = std::string(kUser) + "/calls";
  EXPECT_EQ(status(path, VodiaScene::as("501")), 200u);
  EXPECT_EQ(status(path, VodiaScene::cookie(scene.session("501"))), 200u);
  EXPECT_EQ(status(path, VodiaScene::admin()), 200u);
}

TEST_F(VodiaRestTest, LetsNobodyDoWhatIsNotHis) {
  const auto path = std::string(kUser) + "/calls";
  EXPECT_EQ(status(path, VodiaScene::as("502")), 403u);
  EXPECT_EQ(status(path, tenant_admin()), 403u);
  EXPECT_EQ(status("/rest/system/status", tenant_admin()), 403u);
  EXPECT_EQ(status("/rest/system/status", VodiaScene::admin()), 200u);
  EXPECT_EQ(status(std::string(kDomain) + "/users", VodiaScene::as("501")), 403u);
  EXPECT_EQ(status(std::string(kDomain) + "/users", tenant_admin()), 200u);
  EXPECT_EQ(status("/rest/domain/acme.example/user_settings/501", VodiaScene::as("501")), 200u);
  EXPECT_EQ(status("/rest/domain/acme.example/user_settings/502", VodiaScene::as("501")), 403u);
}

TEST_F(VodiaRestTest, SaysWhatThereIsNot) {
  EXPECT_EQ(status("/rest/user/599@acme.example/calls", VodiaScene::admin()), 404u);
  EXPECT_EQ(status("/rest/user/501@other/calls", VodiaScene::admin()), 404u);
  EXPECT_EQ(status("/rest/domain/other/users", VodiaScene::admin()), 404u);
  EXPECT_EQ(status("/rest/nothing", VodiaScene::admin()), 404u);
  EXPECT_EQ(scene.post(std::string(kUser) + "/calls", "[", VodiaScene::as("501")).status, 400u);
}

TEST_F(VodiaRestTest, ListsAccountsWithTheirState) {
  ASSERT_FALSE(scene.tenant().set_registered("502", false, scene.now));
  ASSERT_FALSE(scene.tenant().set_do_not_disturb("503", true, scene.now));
  scene.talk("501", "504");
  const auto list = ask(std::string(kUser) + "/accounts?type=extensions");
  ASSERT_EQ(list.as_array().size(), 4u);
  EXPECT_EQ(list.at(0).at("name"), "501");
  EXPECT_EQ(list.at(0).at("displayname"), "Extension 501");
  EXPECT_EQ(list.at(0).at("connected"), true);
  EXPECT_EQ(list.at(1).at("registered"), false);
  EXPECT_EQ(list.at(2).at("dnd"), true);
  EXPECT_EQ(ask(std::string(kUser) + "/accounts").as_array().size(), 6u);
  EXPECT_EQ(ask(std::string(kUser) + "/accounts?type=acds").at(0).at("name"), "700");
}

TEST_F(VodiaRestTest, KnowsTheTenantsDirectory) {
  const std::string domain = kDomain;
  EXPECT_EQ(ask(domain + "/extensions").as_array().size(), 4u);
  EXPECT_EQ(ask(domain + "/extensions?account=502").at("name"), "502");
  EXPECT_EQ(ask(domain + "/users").at(4).at("usertype"), "orbits");
  EXPECT_EQ(ask(domain + "/registrations").as_array().size(), 4u);
  EXPECT_EQ(ask(std::string(kUser) + "/registration").at(0).at("extension"), "501");
  EXPECT_EQ(ask(domain + "/status/extensions"), 4);
  EXPECT_EQ(ask(domain + "/orbits").at(0).at("account"), "800");
  EXPECT_EQ(ask("/rest/system/status").at("version"), "PBX/70.3");
  EXPECT_EQ(ask("/rest/system/domains").at(0).at("name"), "acme.example");
}

TEST_F(VodiaRestTest, DialsFromThePhoneAndHangsUp) {
  EXPECT_EQ(scene.control("501", R"({"remote-dial":"502","name":"Bob"})"), "200 true");
  EXPECT_EQ(calls(), "calls 501>502 alerting 501,*502");
  EXPECT_EQ(ask(std::string(kUser) + "/calls").at(0).at("now"), "1760000000.000");
  const auto id = scene.call_id();
  EXPECT_EQ(scene.control("502", R"({"reject":")" + id + "\"}"), "200 true");
  EXPECT_EQ(calls(), "calls");
  EXPECT_EQ(scene.control("501", R"({"hangup":")" + id + "\"}"), "200 false");
  const auto& counters = scene.stage.dialect().counters();
  EXPECT_EQ(counters.originates, 1u);
  EXPECT_EQ(counters.last_originations.at(0).user_data, std::vector<std::string>{"Bob"});
  EXPECT_EQ(counters.actions.at("hangup"), 1u);
}

TEST_F(VodiaRestTest, AnswersHoldsAndResumes) {
  scene.call("502", "501");
  const auto id = scene.call_id();
  EXPECT_EQ(scene.control("501", R"({"reject":"other@pbx"})"), "200 false");
  EXPECT_EQ(scene.control("501", R"({"remote-answer":")" + id + "\"}"), "200 true");
  EXPECT_EQ(scene.control("501", R"({"reject":")" + id + "\"}"), "200 false");  // too late
  EXPECT_EQ(scene.control("501", R"({"remote-hold":")" + id + "\"}"), "200 true");
  scene.wait();
  EXPECT_EQ(calls(), "calls 502>501 holding 502,501 since 0000.000");
  EXPECT_EQ(scene.control("501", R"({"remote-hold":")" + id + "\"}"), "200 false");
  EXPECT_EQ(scene.control("501", R"({"remote-resume":")" + id + "\"}"), "200 true");
  EXPECT_EQ(scene.control("501", R"({"hangup":")" + id + "\"}"), "200 true");
  EXPECT_EQ(calls(), "calls");
}

TEST_F(VodiaRestTest, IsSeenOnTheSocketAtOnce) {
  const auto who = scene.open("504");
  scene.say(who, R"({"action":"domain-calls","subscribe":true})");
  scene.control("501", R"({"remote-dial":"502"})");
  EXPECT_THAT(scene.told(who), ElementsAre("calls", "calls 501>502 alerting 501,*502"));
}

TEST_F(VodiaRestTest, TransfersBlindAttendedAndWhileItRings) {
  scene.talk("501", "502");
  auto id = scene.call_id();
  EXPECT_EQ(scene.control("502", R"({"transfer":")" + id + R"(","number":"503"})"), "200 true");
  EXPECT_EQ(calls(), "calls 501>503 alerting 501,*503");
  EXPECT_EQ(scene.control("503", R"({"transfer":")" + id + R"(","number":"504"})"), "200 true");
  EXPECT_EQ(calls(), "calls 501>504 alerting 501,*504");
  ASSERT_FALSE(scene.tenant().answer("504", scene.now));
  scene.talk("504", "503");
  const auto second = scene.call_id();
  EXPECT_EQ(scene.control("504", R"({"transfer":")" + id + R"(","id":"x@pbx"})"), "200 false");
  EXPECT_EQ(scene.control("504", R"({"transfer":")" + id + R"(","id":")" + second + "\"}"),
            "200 true");
  scene.wait();
  EXPECT_EQ(calls(), "calls 501>503 connected 501,503 since 0000.000");
}

TEST_F(VodiaRestTest, DialsStarCodes) {
  scene.call("501", "502");
  EXPECT_EQ(scene.control("503", R"({"remote-dial":"*87502"})"), "200 true");
  scene.wait();
  EXPECT_EQ(calls(), "calls 501>503 connected 501,503 since 0000.000");
  EXPECT_EQ(scene.control("504", R"({"remote-dial":"*78"})"), "200 true");
  EXPECT_TRUE(scene.tenant().extension(3).do_not_disturb);
  EXPECT_EQ(scene.control("504", R"({"remote-dial":"*72503"})"), "200 true");
  EXPECT_EQ(scene.tenant().extension(3).forwarding.always, "503");
  EXPECT_EQ(scene.control("504", R"({"remote-dial":"*99"})"), "200 false");
}

TEST_F(VodiaRestTest, NotesWhatIsSaidOfACall) {
  scene.talk("501", "502");
  const auto id = scene.call_id();
  EXPECT_EQ(scene.control("501", R"({"id":")" + id + R"(","category":"sales"})"), "200 true");
  EXPECT_EQ(ask(std::string(kUser) + "/calls").at(0).at("cmc"), "sales");
  EXPECT_EQ(scene.control("501", R"({"id":"x","comment":"?"})"), "200 false");
  EXPECT_EQ(scene.control("501", R"({"sing":"x"})"), "400");
}

TEST_F(VodiaRestTest, CallsFromTheBrowserWithThePhoneFirst) {
  const std::string path = "/remote_call.htm?user=501%40acme.example&dest=502";
  EXPECT_EQ(scene.get(path).status, 401u);
  EXPECT_EQ(status(path, VodiaScene::as("502")), 401u);
  EXPECT_EQ(status(path, VodiaScene::as("501")), 200u);
  EXPECT_EQ(calls(), "calls 501>502 alerting *501");
  scene.wait(800ms);
  EXPECT_EQ(calls(), "calls 501>502 alerting 501,*502");
}

TEST_F(VodiaRestTest, TakesCredentialsInTheAddress) {
  const std::string path = "/remote_call.htm?user=501%40acme.example&dest=502&connect=true&auth=";
  EXPECT_EQ(scene.get(path + "501%40acme.example%3Awrong").status, 401u);
  EXPECT_EQ(scene.get(path + "501%40acme.example%3Aagent-501").status, 200u);
  const auto hashed = [&](const std::string& time) {
    const auto hash = vodia::md5_hex("501@acme.exampleagent-501502" + time + "60");
    return scene.get(path + hash + "&extension=true&time=" + time + "&duration=60").status;
  };
  EXPECT_EQ(hashed("1759999990"), 200u);
  EXPECT_EQ(hashed("1759999900"), 401u);  // over
}

TEST_F(VodiaRestTest, SetsDoNotDisturbForAWhile) {
  const auto path = std::string(kUser) + "/dnd";
  const auto set = scene.post(path, R"({"state":true,"reason":"Lunch","expires":"3600"})",
                              VodiaScene::as("501"));
  EXPECT_EQ(VodiaScene::brief(set), "200 true");
  scene.wait(600s);
  EXPECT_EQ(ask(path).at("state"), true);
  EXPECT_EQ(ask(path).at("reason"), "Lunch");
  EXPECT_EQ(ask(path).at("expires"), "3000");
  scene.wait(3000s);
  EXPECT_EQ(ask(path).at("state"), false);
  EXPECT_EQ(scene.post(path, R"({"state":"?"})", VodiaScene::as("501")).status, 400u);
}

TEST_F(VodiaRestTest, KeepsUserSettings) {
  const auto path = std::string(kDomain) + "/user_settings/501";
  const auto set = [&](const std::string& method, const std::string& at, const std::string& body) {
    return VodiaScene::brief(scene.ask(method, at, body, tenant_admin()).reply);
  };
  EXPECT_EQ(set("POST", path, R"({"dnd":"true","cfb":"502","cfn_timeout":15})"), "200 true");
  EXPECT_EQ(set("PUT", path, R"({"cfa":"not a number"})"), "200 false");
  auto settings = ask(path);
  EXPECT_EQ(settings.at("dnd"), "true");
  EXPECT_EQ(settings.at("cfb"), "502");
  EXPECT_EQ(settings.at("cfa"), "");
  EXPECT_EQ(settings.at("cfn_timeout"), "15");
  const auto table = std::string(kDomain) + "/account/501/user_settings";
  EXPECT_EQ(set("POST", table, R"({"table":"users","settings":[{"name":"dnd","value":"false"}]})"),
            "200 true");
  EXPECT_EQ(VodiaScene::parsed(
                scene.get("/rest/domain/self/account/self/user_settings", VodiaScene::as("501")))
                .at("dnd"),
            "false");
  EXPECT_EQ(set("POST", std::string(kDomain) + "/domain_action",
                R"({"type":"accounts","action":"reset_cfwd","selected":"501 502"})"),
            "200 {}");
  EXPECT_EQ(ask(path).at("cfb"), "");
  EXPECT_EQ(ask(std::string(kUser) + "/starcodes").at("pickup"), "*87");
}

TEST_F(VodiaRestTest, RefusesMoreSettingsThanItMayKeep) {
  boost::json::object many;
  for (int i = 0; i <= 100; ++i) many["key" + std::to_string(i)] = "x";
  EXPECT_EQ(VodiaScene::brief(scene.post(std::string(kDomain) + "/user_settings/501",
                                         boost::json::serialize(many), tenant_admin())),
            "200 false");
}

// ---- What was

TEST_F(VodiaRestTest, RemembersCallsThatAreOver) {
  scene.talk("501", "502");
  scene.wait(5s);
  ASSERT_FALSE(scene.tenant().hang_up("501", scene.now));
  scene.wait();
  scene.call("+34600111222", "501");
  scene.wait(2s);
  ASSERT_FALSE(scene.tenant().hang_up("+34600111222", scene.now));
  scene.wait();

  const auto cdrs = ask(std::string(kDomain) + "/cdrs");
  ASSERT_EQ(cdrs.as_array().size(), 2u);
  EXPECT_EQ(cdrs.at(0).at("from"), "<sip:+34600111222@acme.example;user=phone>");
  EXPECT_EQ(cdrs.at(0).at("connect"), "");
  EXPECT_EQ(cdrs.at(0).at("trunks").as_array().size(), 1u);
  EXPECT_EQ(cdrs.at(1).at("id"), 1);
  EXPECT_EQ(cdrs.at(1).at("connect"), "1760000000.000");
  EXPECT_EQ(cdrs.at(1).at("end"), "1760000005.000");
  EXPECT_EQ(boost::json::serialize(cdrs.at(1).at("extensions")), "[501,502]");
  EXPECT_EQ(ask(std::string(kDomain) + "/cdr?id=2").at("id"), 2);
  EXPECT_EQ(status(std::string(kDomain) + "/cdr?id=3", VodiaScene::admin()), 404u);

  const auto history = ask(std::string(kUser) + "/history");
  EXPECT_EQ(history.at("total"), 2);
  EXPECT_EQ(history.at("missed"), 1);
  EXPECT_TRUE(history.at("categories").is_string());
  EXPECT_EQ(history.at("data").at(0).at("inbound"), true);
  EXPECT_EQ(history.at("data").at(0).at("external"), true);
  EXPECT_EQ(history.at("data").at(1).at("inbound"), false);
}

TEST_F(VodiaRestTest, TurnsPagesAndStaysWithinLimits) {
  for (int i = 0; i < 5; ++i) {
    scene.call("501", "502");
    ASSERT_FALSE(scene.tenant().hang_up("501", scene.now));
    scene.wait(1s);
  }
  const auto ids = [&](const std::string& query) {
    std::string all;
    const auto list = ask(std::string(kDomain) + "/cdrs?" + query);
    for (const auto& it : list.as_array()) {
      all += std::to_string(it.at("id").to_number<int>());
    }
    return all;
  };
  EXPECT_EQ(ids("size=2"), "54");
  EXPECT_EQ(ids("size=2&page=3"), "1");
  EXPECT_EQ(ids("size=2&page=9"), "");
  EXPECT_EQ(ids("start=2&end=4"), "432");
  EXPECT_EQ(ids("start=20251009&end=20251009"), "54321");
  EXPECT_EQ(ids("start=20251010"), "");
}

TEST_F(VodiaRestTest, ForgetsTheOldestCalls) {
  for (std::size_t i = 0; i < vodia::Calls::kEndedMax + 1; ++i) {
    scene.call("501", "502");
    ASSERT_FALSE(scene.tenant().hang_up("501", scene.now));
    scene.wait();
  }
  EXPECT_EQ(status(std::string(kDomain) + "/cdr?id=1", VodiaScene::admin()), 404u);
  EXPECT_EQ(ask(std::string(kDomain) + "/cdr?id=2").at("id"), 2);
}

TEST_F(VodiaRestTest, KeepsRecordings) {
  scene.talk("501", "502");
  ASSERT_FALSE(scene.tenant().record("501", true, scene.now));
  scene.wait(3s);
  ASSERT_FALSE(scene.tenant().hang_up("501", scene.now));
  scene.wait();
  const auto recordings = ask(std::string(kDomain) + "/recs");
  ASSERT_EQ(recordings.as_array().size(), 1u);
  EXPECT_EQ(recordings.at(0).at("duration"), 3);
  EXPECT_EQ(ask(std::string(kDomain) + "/recs/recs"), 1);
  EXPECT_EQ(ask("/rest/user/503@acme.example/recs").as_array().size(), 0u);
  EXPECT_THAT(scene.get(std::string(kUser) + "/recs?id=1", VodiaScene::as("501")).body,
              testing::StartsWith("RIFF"));
  const auto sound = scene.get(std::string(kDomain) + "/recs?id=1", VodiaScene::admin());
  EXPECT_EQ(sound.body.size(), 44u + 3 * 48'000 * 4);
  EXPECT_EQ(status("/audio.wav?type=recording&id=rec-1.wav", VodiaScene::admin()), 404u);
}

TEST_F(VodiaRestTest, ListsRecordingsIn2016ByTheirIds) {
  VodiaScene old(vodia_tenant(Profile::legacy2016));
  old.talk("501", "502");
  ASSERT_FALSE(old.tenant().record("501", true, old.now));
  ASSERT_FALSE(old.tenant().hang_up("501", old.now));
  old.wait();
  EXPECT_EQ(VodiaScene::brief(old.get(std::string(kDomain) + "/recs", tenant_admin())), "200 [1]");
  const auto details =
      VodiaScene::parsed(old.get(std::string(kDomain) + "/recs/1,7", tenant_admin()));
  ASSERT_EQ(details.as_array().size(), 1u);
  EXPECT_EQ(details.at(0).at("file"), "rec-1.wav");
  EXPECT_THAT(old.get("/audio.wav?type=recording&id=rec-1.wav", VodiaScene::admin()).body,
              testing::StartsWith("RIFF"));
  EXPECT_EQ(old.get("/audio.wav?type=recording&id=rec-2.wav", VodiaScene::admin()).status, 404u);
  EXPECT_EQ(old.get("/audio.wav?type=recording&id=rec-1.wav", {}).status, 401u);
}

}  // namespace
}  // namespace simulator
