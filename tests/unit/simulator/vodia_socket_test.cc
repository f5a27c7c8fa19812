#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/vodia/client_frames.h"
#include "vodia_support.h"

namespace simulator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using vodia::Profile;

constexpr const char* kWatch = R"({"action":"domain-calls","subscribe":true})";

TenantSettings with(const std::function<void(vodia::Settings&)>& change,
                    Profile profile = Profile::v70) {
  auto settings = vodia_tenant(profile);
  change(settings.vodia);
  return settings;
}

class VodiaSocketTest : public testing::Test {
 protected:
  VodiaScene scene;
};

TEST_F(VodiaSocketTest, SaysNothingUntilItIsAsked) {
  const auto who = scene.open("501");
  scene.talk("502", "503");
  EXPECT_THAT(scene.told(who), IsEmpty());
  scene.say(who, kWatch);
  EXPECT_THAT(scene.told(who), ElementsAre("calls 502>503 connected 502,503 since 0000.000"));
}

// The vendor's own example.
TEST_F(VodiaSocketTest, ShowsACallFromItsStartToItsEnd) {
  const auto who = scene.open("504");
  scene.say(who, kWatch);
  EXPECT_THAT(scene.told(who), ElementsAre("calls"));
  scene.wait(120ms);
  scene.call("501", "502");
  EXPECT_THAT(scene.told(who), ElementsAre("calls 501>502 alerting 501,*502"));
  scene.wait(4'380ms);
  ASSERT_FALSE(scene.tenant().answer("502", scene.now));
  EXPECT_THAT(scene.told(who), ElementsAre("calls 501>502 connected 501,502 since 0004.500"));
  ASSERT_FALSE(scene.tenant().hold("501", scene.now));
  EXPECT_THAT(scene.told(who), ElementsAre("calls 501>502 holding 501,502 since 0004.500"));
  ASSERT_FALSE(scene.tenant().retrieve("501", scene.now));
  EXPECT_THAT(scene.told(who), ElementsAre("calls 501>502 connected 501,502 since 0004.500"));
  ASSERT_FALSE(scene.tenant().hang_up("501", scene.now));
  EXPECT_THAT(scene.told(who), ElementsAre("calls"));
}

TEST_F(VodiaSocketTest, PutsAnEntryAsTheModernServerDoes) {
  const auto who = scene.open("504");
  scene.call("501", "502");
  scene.say(who, kWatch);
  const auto frame = boost::json::parse(scene.heard(who).at(0));
  const auto& call = frame.at("calls").at(0).as_object();
  EXPECT_THAT(std::string(call.at("id").as_string()), MatchesRegex("[A-Za-z0-9]{12}@pbx"));
  EXPECT_EQ(call.at("from"), R"("Extension 501" <sip:501@acme.example>)");
  EXPECT_EQ(call.at("to-number"), "502");
  EXPECT_EQ(call.at("to-name"), "Extension 502");
  EXPECT_EQ(call.at("start"), "1760000000.000");
  EXPECT_EQ(call.at("connect"), "");
  EXPECT_EQ(call.at("cmc"), "");
  EXPECT_FALSE(call.contains("callstate"));
}

TEST_F(VodiaSocketTest, PutsAnEntryAsOlderServersDo) {
  VodiaScene old(vodia_tenant(Profile::v67));
  const auto who = old.open("501");
  old.wire.take(who);
  old.call("501", "+34600111222");
  old.wait(500ms);
  const auto frames = old.heard(who);
  const auto frame = boost::json::parse(frames.at(frames.size() - 2));
  const auto& call = frame.at("calls").at(0).as_object();
  EXPECT_EQ(call.at("callstate"), "ringback");
  EXPECT_EQ(call.at("to"), "<sip:+34600111222@acme.example;user=phone>");
  EXPECT_FALSE(call.contains("state"));
  EXPECT_FALSE(call.contains("from-number"));
  EXPECT_FALSE(call.contains("extension"));
}

TEST_F(VodiaSocketTest, PutsTheSameInOtherWords) {
  VodiaScene other(with([](vodia::Settings& it) {
    it.variants.one_call = vodia::Variants::OneCall::object;
    it.variants.parties = vodia::Variants::Parties::bare;
    it.variants.times = vodia::Variants::Times::number;
    it.variants.state_key = vodia::Variants::StateKey::callstate;
    it.variants.ringing_mark = false;
  }));
  const auto who = other.open("504");
  other.say(who, kWatch);
  other.call("501", "502");
  const auto frames = other.heard(who);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(VodiaScene::brief(frames[0]), "calls");
  EXPECT_EQ(VodiaScene::brief(frames[1]), "one 501>502 alerting 501,502");
  EXPECT_EQ(boost::json::parse(frames[1]).at("calls").at("start"), 1'760'000'000.0);
  other.call("503", "+34600111222");
  EXPECT_THAT(other.told(who), ElementsAre("calls 501>502 alerting 501,502 | "
                                           "503>+34600111222 alerting 503"));
}

TEST_F(VodiaSocketTest, ShowsAnExtensionItsOwnCallsOnly) {
  const auto holder = scene.open("501"), other = scene.open("502"), third = scene.open("503");
  for (const auto who : {holder, other, third}) {
    scene.say(who, R"({"action":"own-calls","subscribe":true})");
    EXPECT_THAT(scene.told(who), ElementsAre("calls"));
  }
  scene.call("501", "502");
  EXPECT_THAT(scene.told(holder), ElementsAre("calls 501>502 alerting 501,*502"));
  EXPECT_THAT(scene.told(other), ElementsAre("calls 501>502 alerting 501,*502"));
  ASSERT_FALSE(scene.tenant().answer("502", scene.now));
  ASSERT_FALSE(scene.tenant().hold("501", scene.now));
  EXPECT_THAT(scene.told(holder), ElementsAre("calls 501>502 holding 501,502 since 0000.000"));
  EXPECT_THAT(scene.told(other), ElementsAre("calls 501>502 onhold 501,502 since 0000.000"));
  ASSERT_FALSE(scene.tenant().hang_up("502", scene.now));
  EXPECT_THAT(scene.told(holder), ElementsAre("calls"));
  EXPECT_THAT(scene.told(third), IsEmpty());
}

TEST_F(VodiaSocketTest, StopsASubscriptionAndRepeatsOne) {
  const auto who = scene.open("504");
  scene.say(who, kWatch);
  scene.say(who, kWatch);
  EXPECT_THAT(scene.told(who), ElementsAre("calls", "calls"));
  scene.say(who, R"({"action":"domain-calls","subscribe":false})");
  scene.call("501", "502");
  EXPECT_THAT(scene.told(who), IsEmpty());
}

TEST_F(VodiaSocketTest, TellsWhatHappensAtOnceInOneList) {
  const auto who = scene.open("504");
  scene.say(who, kWatch);
  scene.talk("501", "502");
  ASSERT_FALSE(scene.tenant().transfer("502", "503", {}, scene.now));
  EXPECT_THAT(scene.told(who), ElementsAre("calls", "calls 501>503 alerting 501,*503"));
}

TEST_F(VodiaSocketTest, CollectsChangesForAsLongAsItIsTold) {
  VodiaScene slow(with([](vodia::Settings& it) { it.push_delay = 50ms; }));
  const auto who = slow.open("504");
  slow.say(who, kWatch);
  slow.call("501", "502");
  EXPECT_THAT(slow.told(who), ElementsAre("calls"));
  slow.wait(30ms);
  ASSERT_FALSE(slow.tenant().answer("502", slow.now));
  slow.wait(20ms);
  EXPECT_THAT(slow.told(who), ElementsAre("calls 501>502 connected 501,502 since 0000.050"));
}

TEST_F(VodiaSocketTest, JoinsTwoCallsUnderTheOlderId) {
  const auto who = scene.open("504");
  scene.say(who, kWatch);
  scene.talk("501", "502");
  scene.wait(1s);
  const auto first = scene.call_id();
  scene.talk("502", "503");
  scene.wait(1s);
  scene.wire.take(who);
  ASSERT_FALSE(scene.tenant().attended_transfer("502", scene.now));
  const auto frames = scene.heard(who);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(VodiaScene::brief(frames[0]), "calls 501>503 connected 501,503 since 0000.000");
  EXPECT_EQ(boost::json::parse(frames[0]).at("calls").at(0).at("id").as_string(), first);
}

TEST_F(VodiaSocketTest, LightsTheLampsThatWereAskedFor) {
  const auto who = scene.open("504");
  scene.say(who, R"({"action":"blf","add":["501","502","599"]})");
  EXPECT_THAT(scene.told(who), ElementsAre("lamp 501 idle", "lamp 502 idle"));
  scene.talk("502", "503");
  EXPECT_THAT(scene.told(who), ElementsAre("lamp 502 connected"));
  scene.say(who, R"({"action":"blf","remove":["502"]})");
  ASSERT_FALSE(scene.tenant().hang_up("502", scene.now));
  EXPECT_THAT(scene.told(who), IsEmpty());
}

TEST_F(VodiaSocketTest, ShowsWhatIsParked) {
  const auto who = scene.open("504");
  scene.say(who, R"({"action":"orbit-calls","subscribe":true})");
  EXPECT_THAT(scene.heard(who),
              ElementsAre(HasSubstr(R"("account":"800","name":"Park","calls":[])")));
  scene.talk("501", "502");
  const auto id = scene.call_id();
  EXPECT_EQ(scene.control("502", R"({"transfer":")" + id + R"(","number":"800"})"), "200 true");
  EXPECT_THAT(scene.heard(who), testing::Contains(HasSubstr(id)));
  EXPECT_EQ(scene.control("503", R"({"remote-dial":"800"})"), "200 true");
  EXPECT_THAT(scene.heard(who), ElementsAre(HasSubstr(R"("calls":[])")));
  scene.say(who, kWatch);
  EXPECT_THAT(scene.told(who), ElementsAre("calls 501>503 connected 501,503 since 0000.000"));
}

TEST_F(VodiaSocketTest, ListsRingTones) {
  const auto who = scene.open("504");
  scene.say(who, R"({"action":"ringtones"})");
  EXPECT_THAT(scene.told(who), ElementsAre("! ringtones"));
}

TEST_F(VodiaSocketTest, ClosesWhoSaysNothingForTwoMinutes) {
  const auto who = scene.open("501");
  scene.wait(119s);
  scene.say(who, R"({"action":"avoid-disconnect"})");
  scene.wait(119s);
  EXPECT_TRUE(scene.wire.closed.empty());
  scene.wait(1s);
  EXPECT_EQ(scene.wire.closed[who], 1001);
  EXPECT_THAT(scene.stage.dialect().connections(), IsEmpty());
}

TEST_F(VodiaSocketTest, IgnoresWhatItDoesNotKnow) {
  const auto who = scene.open("501");
  for (const auto* text : {"{", "[]", "1", "{}", R"({"action":7})", R"({"action":"teleport"})",
                           R"({"action":"get-users"})", R"({"action":"make-call","to":"502"})"}) {
    scene.say(who, text);
  }
  EXPECT_THAT(scene.told(who), IsEmpty());
  EXPECT_EQ(scene.stage.dialect().counters().frames_ignored, 8u);
  EXPECT_EQ(scene.tenant().call_count(), 0u);
}

TEST_F(VodiaSocketTest, ReadsNoFrameThatIsTooLarge) {
  const std::string text =
      R"({"action":"blf","add":[")" + std::string(vodia::kClientFrameMax, '5') + "\"]}";
  EXPECT_EQ(vodia::parse_client_frame(text).action, "");
  EXPECT_EQ(vodia::parse_client_frame(R"({"action":"x","sdp":{"type":"offer","sdp":"v=0"}})").sdp,
            "v=0");
}

// ---- Older servers

TEST_F(VodiaSocketTest, PushesAccountsUnaskedIn67) {
  VodiaScene old(vodia_tenant(Profile::v67));
  const auto who = old.open("501");
  const auto frames = old.heard(who);
  ASSERT_EQ(frames.size(), 1u);
  const auto state = boost::json::parse(frames[0]);
  EXPECT_EQ(state.at("action"), "domain-state");
  const auto& accounts = state.at("accounts").as_array();
  ASSERT_EQ(accounts.size(), 6u);
  EXPECT_EQ(accounts[0].at("account"), "501");
  EXPECT_EQ(accounts[0].at("name"), "Extension 501");
  EXPECT_EQ(accounts[0].at("type"), "extensions");
  EXPECT_EQ(accounts[0].at("registered"), true);
  EXPECT_FALSE(accounts[0].as_object().contains("code"));
  EXPECT_EQ(accounts[4].at("type"), "orbits");
  EXPECT_EQ(accounts[5].at("type"), "acds");
  EXPECT_EQ(state.at("calls").as_array().size(), 0u);

  old.call("502", "503");
  EXPECT_THAT(old.told(who), ElementsAre("account 502 busy", "account 503 busy"));
  ASSERT_FALSE(old.tenant().hang_up("502", old.now));
  ASSERT_FALSE(old.tenant().set_do_not_disturb("502", true, old.now));
  ASSERT_FALSE(old.tenant().set_registered("504", false, old.now));
  EXPECT_THAT(old.told(who), ElementsAre("account 502 dnd", "account 503", "account 504 gone"));
}

TEST_F(VodiaSocketTest, AnswersGetUsersAndGetCallsIn2016) {
  VodiaScene old(vodia_tenant(Profile::legacy2016));
  const auto who = old.open("501");
  EXPECT_THAT(old.told(who), IsEmpty());
  old.say(who, R"({"action":"get-users"})");
  old.say(who, R"({"action":"get-calls"})");
  old.say(who, kWatch);
  EXPECT_THAT(old.told(who), ElementsAre("! domain-state", "calls"));
  old.call("502", "501");
  EXPECT_THAT(old.told(who),
              ElementsAre("calls 502>501 alerting", "account 501 busy", "account 502 busy"));
}

TEST_F(VodiaSocketTest, MayPushAccountsInModernServersToo) {
  VodiaScene both(with([](vodia::Settings& it) {
    it.variants.domain_state = true;
    it.variants.booleans = vodia::Variants::Booleans::text;
  }));
  const auto who = both.open("501");
  const auto frames = both.heard(who);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(boost::json::parse(frames[0]).at("accounts").at(0).at("registered"), "true");
  ASSERT_FALSE(both.tenant().set_do_not_disturb("502", true, both.now));
  EXPECT_THAT(both.told(who), ElementsAre("account 502 dnd"));
}

// ---- Phones, as the portal of 2016 controls them

class VodiaPortalTest : public VodiaSocketTest {
 protected:
  VodiaPortalTest() : old(vodia_tenant(Profile::legacy2016)), who(old.open("501")) {
    old.say(who, R"({"action":"get-calls"})");
    old.heard(who);
  }
  // "{'action':'clear-call','id':ID}"
  void say(std::string text, const std::string& id, const std::string& id2 = {}) {
    std::replace(text.begin(), text.end(), '\'', '"');
    for (const auto& [place, value] : {std::pair("ID2", id2), std::pair("ID", id)}) {
      if (const auto at = text.find(place); at != std::string::npos) {
        text.replace(at, std::string_view(place).size(), '"' + value + '"');
      }
    }
    old.say(who, text);
  }

  VodiaScene old;
  engine::ConnectionId who;
};

TEST_F(VodiaPortalTest, MakesACallWithTheOwnPhoneFirst) {
  say("{'action':'make-call','to':'502'}", "");
  EXPECT_THAT(old.told(who), ElementsAre("calls 501>502 alerting"));
  old.wait(800ms);
  EXPECT_THAT(old.told(who), ElementsAre("calls 501>502 ringback"));
  old.wait(3s);
  EXPECT_THAT(old.told(who), ElementsAre("calls 501>502 connected since 0003.800"));
  EXPECT_EQ(old.stage.dialect().counters().originates, 1u);
}

TEST_F(VodiaPortalTest, AnswersHoldsAndClears) {
  old.call("502", "501");
  EXPECT_THAT(old.told(who), ElementsAre("calls 502>501 alerting"));
  const auto id = old.call_id();
  say("{'action':'accept-call','id':ID}", id);
  EXPECT_THAT(old.told(who), ElementsAre("calls 502>501 connected since 0000.000"));
  say("{'action':'hold-call','id':ID}", id);
  EXPECT_THAT(old.told(who), ElementsAre("calls 502>501 holding since 0000.000"));
  say("{'action':'hold-call','id':ID}", id);
  EXPECT_THAT(old.told(who), ElementsAre("calls 502>501 connected since 0000.000"));
  say("{'action':'clear-call','id':'nobody@pbx','connected':'true'}", "");
  EXPECT_THAT(old.told(who), IsEmpty());
  say("{'action':'clear-call','id':ID,'connected':'true'}", id);
  EXPECT_THAT(old.told(who), ElementsAre("calls"));
}

TEST_F(VodiaPortalTest, TransfersToWhomTheClientSaysItTalksTo) {
  old.talk("502", "501");
  old.heard(who);
  const auto id = old.call_id();
  say("{'action':'blind-transfer','id':ID,'from':'504','to':'503'}", id);
  EXPECT_THAT(old.told(who), IsEmpty());
  say("{'action':'blind-transfer','id':ID,'from':'502','to':'503'}", id);
  EXPECT_THAT(old.told(who), ElementsAre("calls"));
  EXPECT_EQ(old.tenant().calls().at(0)->legs.size(), 2u);
}

TEST_F(VodiaPortalTest, JoinsBothCalls) {
  old.talk("502", "501");
  const auto first = old.call_id();
  old.wait(1s);
  old.talk("501", "503");
  const auto second = old.call_id();
  old.wait(1s);
  old.wire.take(who);
  say("{'action':'att-transfer','id':ID,'from':'502','id2':ID2,'to':'504'}", first, second);
  EXPECT_THAT(old.told(who), IsEmpty());
  say("{'action':'att-transfer','id':ID,'from':'502','id2':ID2,'to':'503'}", first, second);
  EXPECT_THAT(old.told(who), ElementsAre("calls"));
  EXPECT_EQ(old.tenant().call_count(), 1u);
}

TEST_F(VodiaPortalTest, RecordsAndSaysSo) {
  old.talk("501", "502");
  old.heard(who);
  const auto id = old.call_id();
  say("{'action':'rec-call','id':ID,'startstop':'on'}", id);
  EXPECT_THAT(old.told(who),
              ElementsAre("! rec-start", "calls 501>502 connected since 0000.000 rec adhoc"));
  say("{'action':'rec-call','id':ID,'startstop':'off'}", id);
  EXPECT_THAT(old.told(who), ElementsAre("! rec-stop", "calls 501>502 connected since 0000.000"));
}

TEST_F(VodiaPortalTest, CarriesChats) {
  const auto peer = old.open("502");
  say("{'action':'chat','src':'501','dest':'502','message':'hi'}", "");
  EXPECT_THAT(old.heard(peer),
              ElementsAre(R"({"action":"chat","src":"501","dest":"501","message":"hi"})"));
}

}  // namespace
}  // namespace simulator
