#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vodia_support.h"

namespace simulator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using vodia::Profile;

// The signalling of browsers as phones, as 501.
class VodiaSoftphonesTest : public testing::Test {
 protected:
  explicit VodiaSoftphonesTest(Profile profile = Profile::v70)
      : VodiaSoftphonesTest(vodia_tenant(profile)) {}
  explicit VodiaSoftphonesTest(TenantSettings settings) : scene(std::move(settings)) {
    who = scene.open("501");
    scene.heard(who);
  }
  void say(const std::string& text) {
    std::string json = text;
    std::replace(json.begin(), json.end(), '\'', '"');
    scene.say(who, json);
  }
  // "sdp 183 callid", "invitesdp", "candidate", "bye 415", "sip-busy 486"; remembers the call's id.
  std::vector<std::string> told(engine::ConnectionId of = 0) {
    std::vector<std::string> all;
    for (const auto& frame : scene.heard(of ? of : who)) {
      const auto parsed = boost::json::parse(frame);
      const auto& it = parsed.as_object();
      const auto* action = it.if_contains("action");
      std::string out = action ? std::string(action->as_string()) : std::string(it.begin()->key());
      if (const auto* code = it.if_contains("code")) out += " " + boost::json::serialize(*code);
      if (const auto* id = it.if_contains("callid")) call_id = id->as_string();
      if (const auto* number = it.if_contains("cseq")) cseq = boost::json::serialize(*number);
      all.push_back(std::move(out));
    }
    return all;
  }
  bool talking() {
    const auto& legs = scene.tenant().extension(0).legs;
    return legs.size() == 1 && scene.tenant().find_leg(legs[0])->connected;
  }
  void call(const std::string& to) {
    say("{'action':'sdp-packet','to':'" + to + "','callid':'mine@app','sdp':'v=0'}");
  }
  void answer_offer() {
    say("{'action':'sdp-200ok','callid':'" + call_id + "','cseq':" + cseq +
        ",'sdp':{'type':'answer','sdp':'v=0'}}");
  }

  VodiaScene scene;
  engine::ConnectionId who = 0;
  std::string call_id, cseq;
};

TEST_F(VodiaSoftphonesTest, AnswersACallersOfferWithOneOfItsOwn) {
  call("502");
  EXPECT_THAT(told(), ElementsAre("sdp 183", "candidate"));
  EXPECT_NE(call_id, "mine@app");
  EXPECT_NE(call_id, scene.call_id());
  answer_offer();
  say("{'action':'ice-candidate','callid':'mine@app','candidate':null}");
  ASSERT_FALSE(scene.tenant().answer("502", scene.now));
  EXPECT_THAT(told(), ElementsAre("sdp 200"));
  say("{'action':'sip-ack','callid':'" + call_id + "'}");
  EXPECT_TRUE(talking());
  say("{'action':'sip-bye','callid':'mine@app','caller':'true'}");  // its first id is as good
  EXPECT_THAT(told(), ElementsAre("bye-response"));
  EXPECT_EQ(scene.tenant().call_count(), 0u);
}

TEST_F(VodiaSoftphonesTest, DropsACallerThatDoesNotAnswerTheOffer) {
  call("502");
  EXPECT_THAT(told(), ElementsAre("sdp 183", "candidate"));
  ASSERT_FALSE(scene.tenant().answer("502", scene.now));
  EXPECT_THAT(told(), ElementsAre("bye 415"));
  EXPECT_EQ(scene.tenant().call_count(), 0u);
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(VodiaSoftphonesTest, SaysWhyACallCannotBe) {
  ASSERT_FALSE(scene.tenant().set_do_not_disturb("502", true, scene.now));
  call("502");
  EXPECT_THAT(told(), ElementsAre("sip-busy 486"));
  scene.wait(2s);
  EXPECT_THAT(told(), ElementsAre("bye 486"));
  call("99");
  EXPECT_THAT(told(), ElementsAre("bye 404"));
}

TEST_F(VodiaSoftphonesTest, RingsOnceItIsRegistered) {
  scene.call("502", "501");
  EXPECT_THAT(told(), IsEmpty());
  ASSERT_FALSE(scene.tenant().hang_up("502", scene.now));
  say("{'action':'sip-register','useragent':'test'}");
  EXPECT_THAT(told(), ElementsAre("sip-register"));
  scene.call("502", "501");
  EXPECT_THAT(told(), ElementsAre("invitesdp", "candidate"));
  say("{'action':'sip-ringing','callid':'" + call_id + "','cseq':" + cseq + "}");
  answer_offer();
  EXPECT_TRUE(talking());
  say("{'action':'wrtc-hold','callid':'" + call_id + "','holdcmd':'sendonly'}");
  EXPECT_TRUE(scene.tenant().find_leg(scene.tenant().extension(0).legs[0])->held);
  say("{'action':'wrtc-hold','callid':'" + call_id + "','holdcmd':'sendrecv'}");
  EXPECT_FALSE(scene.tenant().find_leg(scene.tenant().extension(0).legs[0])->held);
  ASSERT_FALSE(scene.tenant().hang_up("502", scene.now));
  EXPECT_THAT(told(), ElementsAre("bye"));
  say("{'action':'bye-response','callid':'" + call_id + "','cseq':" + cseq + "}");
}

TEST_F(VodiaSoftphonesTest, TellsWhoCalls) {
  say("{'action':'sip-register'}");
  told();
  scene.call("+34600111222", "501");
  const auto frames = scene.heard(who);
  const auto invite = boost::json::parse(frames.at(0));
  EXPECT_EQ(invite.at("from"), "<sip:+34600111222@acme.example;user=phone>");
  EXPECT_EQ(invite.at("from-number"), "+34600111222");
  EXPECT_EQ(invite.at("to"), R"("Extension 501" <sip:501@acme.example>)");
  EXPECT_THAT(std::string(invite.at("invitesdp").as_string()), HasSubstr("a=setup:actpass"));
}

TEST_F(VodiaSoftphonesTest, MayBeRefusedInEitherWay) {
  say("{'action':'sip-register'}");
  told();
  for (const std::string action : {"sip-busy", "sip-bye"}) {
    scene.call("502", "501");
    told();
    say("{'action':'" + action + "','callid':'" + call_id + "','code':603}");
    EXPECT_EQ(scene.tenant().call_count(), 0u);
    scene.wire.take(who);
  }
}

TEST_F(VodiaSoftphonesTest, CancelsWhatTheCallerGivesUpAndWhatOthersAnswer) {
  say("{'action':'sip-register'}");
  const auto session = scene.session("501");
  scene.stage.dialect().on_open(77, session, false, scene.now);
  scene.say(77, R"({"action":"sip-register"})");
  told();
  scene.wire.take(77);
  scene.call("502", "501");
  EXPECT_THAT(told(77), ElementsAre("invitesdp", "candidate"));
  EXPECT_THAT(told(), ElementsAre("invitesdp", "candidate"));
  answer_offer();
  EXPECT_THAT(told(77), ElementsAre("cancel"));
  EXPECT_THAT(told(), IsEmpty());
  ASSERT_FALSE(scene.tenant().hang_up("502", scene.now));
  EXPECT_THAT(told(), ElementsAre("bye"));
  scene.call("502", "501");
  ASSERT_FALSE(scene.tenant().hang_up("502", scene.now));
  EXPECT_THAT(told(), ElementsAre("invitesdp", "candidate", "cancel"));
}

TEST_F(VodiaSoftphonesTest, TransfersAndRecordsByItsOwnId) {
  call("502");
  told();
  answer_offer();
  ASSERT_FALSE(scene.tenant().answer("502", scene.now));
  told();
  say("{'action':'rec-call','id':'" + call_id + "','startstop':'on'}");
  EXPECT_THAT(told(), ElementsAre("rec-start"));
  say("{'action':'blind-transfer2','id':'" + call_id + "','from':'501','to':'503'}");
  EXPECT_THAT(told(), ElementsAre("rec-stop", "bye"));
  EXPECT_EQ(scene.tenant().extension(2).legs.size(), 1u);
}

TEST_F(VodiaSoftphonesTest, HangsUpWhenItsSocketIsLost) {
  call("502");
  told();
  scene.stage.dialect().on_closed(who);
  scene.wait();
  EXPECT_EQ(scene.tenant().call_count(), 0u);
}

class VodiaOldSoftphonesTest : public VodiaSoftphonesTest {
 protected:
  VodiaOldSoftphonesTest() : VodiaSoftphonesTest(Profile::v67) {}
  // Without what 67 pushes besides.
  std::vector<std::string> media() {
    auto all = told();
    std::erase_if(
        all, [](const auto& it) { return it.starts_with("user-state") || it == "call-state"; });
    return all;
  }
};

TEST_F(VodiaOldSoftphonesTest, AnswersACallersOffer) {
  call("502");
  EXPECT_THAT(media(), ElementsAre("sdp 183", "candidate"));
  EXPECT_EQ(call_id, "mine@app");
  ASSERT_FALSE(scene.tenant().answer("502", scene.now));
  EXPECT_THAT(media(), ElementsAre("sdp 200"));
  EXPECT_TRUE(talking());
}

class VodiaOldestSoftphonesTest : public VodiaSoftphonesTest {
 protected:
  VodiaOldestSoftphonesTest() : VodiaSoftphonesTest(Profile::legacy2016) {}
};

TEST_F(VodiaOldestSoftphonesTest, HasOneCallWithoutAnId) {
  say("{'action':'sip-register'}");
  told();
  scene.call("502", "501");
  EXPECT_THAT(told(), ElementsAre("invitesdp", "candidate"));
  EXPECT_EQ(call_id, "");
  say("{'action':'sdp-200ok','sdp':{'type':'answer','sdp':'v=0'}}");
  EXPECT_TRUE(talking());
  say("{'action':'sip-bye'}");
  EXPECT_THAT(told(), ElementsAre("bye-response"));
}

TenantSettings in_other_words() {
  auto settings = vodia_tenant();
  settings.vodia.variants.same_call_id = true;
  settings.vodia.variants.candidate_pairs = true;
  settings.vodia.variants.code_in_bye = true;
  settings.vodia.variants.cancel = vodia::Variants::Cancel::action;
  return settings;
}

class VodiaOtherSoftphonesTest : public VodiaSoftphonesTest {
 protected:
  VodiaOtherSoftphonesTest() : VodiaSoftphonesTest(in_other_words()) {}
};

TEST_F(VodiaOtherSoftphonesTest, PutsTheSameInOtherWords) {
  say("{'action':'sip-register'}");
  told();
  scene.call("502", "501");
  const auto frames = scene.heard(who);
  EXPECT_EQ(boost::json::parse(frames.at(0)).at("callid").as_string(), scene.call_id());
  EXPECT_EQ(boost::json::serialize(boost::json::parse(frames.at(1)).at("adr")),
            R"([["192.0.2.10",49152],["10.0.0.5",49154]])");
  ASSERT_FALSE(scene.tenant().hang_up("502", scene.now));
  EXPECT_THAT(scene.heard(who), ElementsAre(HasSubstr(R"({"action":"cancel","callid":)")));
  call("502");
  told();
  answer_offer();
  ASSERT_FALSE(scene.tenant().answer("502", scene.now));
  ASSERT_FALSE(scene.tenant().hang_up("502", scene.now));
  EXPECT_THAT(told(), ElementsAre("sdp 200", "bye 200"));
}

}  // namespace
}  // namespace simulator
