#include <algorithm>
#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

// The Innova360 side, as the protocol document has it.
namespace simulator {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class Innova360Test : public testing::Test {
 protected:
  static TenantSettings with(std::string_view variant, std::string_view value) {
    auto settings = small_tenant();
    EXPECT_EQ(innova360::set_variant(settings.innova360.variants, variant, value), "");
    return settings;
  }
  static json::object parsed(const std::string& frame) { return json::parse(frame).as_object(); }
  static json::object init_of(Scene& scene, std::string_view path = "/ws") {
    const engine::ConnectionId who = 77;
    scene.open(who, path);
    scene.say(who, path == "/ws" ? R"({"type":"auth-plain","user":"boss","passwd":"secret"})"
                                 : R"({"type":"auth-plain","user":"201","passwd":"agent-201"})");
    const auto frames = scene.heard(who);
    EXPECT_EQ(frames.size(), 3u);
    return parsed(frames.back());
  }
  static void talk(Scene& scene) {
    ASSERT_TRUE(scene.tenant().originate("201", "202", {}, scene.now));
    ASSERT_EQ(scene.tenant().answer("202", scene.now), base::Error());
  }
};

// Section 2.

TEST_F(Innova360Test, WelcomesThenLogsInThenTellsTheState) {
  Scene scene;
  scene.open(1, "/ws");
  EXPECT_THAT(scene.heard(),
              ElementsAre(R"({"servername":"BOBIf","version":"1.0","type":"welcome",)"
                          R"("auth":"required","server":"s1"})"));
  scene.say(1, R"({"type":"auth-plain","user":"boss","passwd":"secret"})");
  const auto frames = scene.heard();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_THAT(frames[0], StartsWith(R"({"type":"auth-resp","auth":"ok","extension":"","agent":"",)"
                                    R"("server":"s1","token":")"));
  EXPECT_EQ(parsed(frames[1])["type"], "init");
  EXPECT_EQ(parsed(frames[1])["data"].as_array().size(), 4u);
  EXPECT_TRUE(scene.wire.in.contains(1));
}

TEST_F(Innova360Test, RefusesAndLetsTryAgainOnTheSameSocket) {
  Scene scene;
  scene.open(1, "/ws");
  scene.heard();
  scene.say(1, R"({"type":"auth-plain","user":"boss","passwd":"wrong"})");
  EXPECT_THAT(scene.heard(),
              ElementsAre(R"({"type":"auth-resp","auth":"forbidden","server":"s1"})"));
  scene.say(1, R"({"type":"auth-plain","user":"boss","passwd":"secret"})");
  EXPECT_THAT(scene.told(), ElementsAre("! auth-resp", "! init"));
  EXPECT_THAT(scene.wire.dropped, IsEmpty());
}

TEST_F(Innova360Test, RefusesTheOtherKindsCredentials) {
  Scene scene;
  scene.open(1, "/agent");
  scene.open(2, "/ws");
  scene.say(1, R"({"type":"auth-plain","user":"boss","passwd":"secret"})");
  scene.say(2, R"({"type":"auth-plain","user":"201","passwd":"agent-201"})");
  EXPECT_THAT(scene.heard(1)[1], HasSubstr("forbidden"));
  EXPECT_THAT(scene.heard(2)[1], HasSubstr("forbidden"));
  EXPECT_EQ(scene.stage.dialect().counters().logins_refused, 2u);
}

TEST_F(Innova360Test, IgnoresEverythingBeforeTheLogin) {
  Scene scene;
  scene.open(1, "/agent");
  scene.heard();
  scene.say(1, R"({"type":"action","action":"call","phone":"202"})");
  scene.say(1, "nonsense");
  EXPECT_THAT(scene.heard(), IsEmpty());
  EXPECT_EQ(scene.tenant().call_count(), 0u);
  EXPECT_EQ(scene.stage.dialect().counters().frames_ignored, 2u);
}

// Section 9: the example, frame by frame.

TEST_F(Innova360Test, SpeaksTheDocumentsExample) {
  auto settings = small_tenant();
  Scene scene(std::move(settings));
  scene.supervise();
  // Ids begin at 11 in the example: five calls came before.
  for (int i = 0; i < 5; ++i) {
    talk(scene);
    ASSERT_EQ(scene.tenant().hang_up("202", scene.now), base::Error());
  }
  scene.heard();
  talk(scene);
  ASSERT_EQ(scene.tenant().hold("202", scene.now), base::Error());
  ASSERT_EQ(scene.tenant().retrieve("202", scene.now), base::Error());
  ASSERT_EQ(scene.tenant().hang_up("202", scene.now), base::Error());

  // The example shows one extension-status and leaves the others out; they are checked below.
  std::vector<std::string> frames, left_out;
  for (auto& frame : scene.heard()) {
    const bool status = frame.find("extension-status") != std::string::npos;
    (status && frames.size() != 1 ? left_out : frames).push_back(std::move(frame));
  }
  EXPECT_THAT(
      frames,
      ElementsAre(
          R"({"type":"update","action":"new-call","server":"s1","extension":"201","callid":"1760000000.11","direction":"out","phonea":"201","phoneb":"202","dida":"","didb":""})",
          R"({"type":"update","action":"extension-status","server":"s1","extension":"201","status":"1"})",
          R"({"type":"update","action":"new-call","server":"s1","extension":"202","callid":"1760000000.12","direction":"in","phonea":"201","phoneb":"202","dida":"","didb":""})",
          R"({"type":"update","action":"call-state","extension":"201","callid":"1760000000.11","state":"4","statedesc":"Ring"})",
          R"({"type":"update","action":"call-state","extension":"202","callid":"1760000000.12","state":"5","statedesc":"Ringing"})",
          R"({"type":"update","action":"call-state","extension":"202","callid":"1760000000.12","state":"6","statedesc":"Up"})",
          R"({"type":"update","action":"call-state","extension":"201","callid":"1760000000.11","state":"6","statedesc":"Up"})",
          R"({"type":"update","action":"start-moh","server":"s1","extension":"202","callid":"1760000000.12"})",
          R"({"type":"update","action":"stop-moh","server":"s1","extension":"202","callid":"1760000000.12"})",
          R"({"type":"update","action":"hangup","server":"s1","extension":"202","callid":"1760000000.12","cause":"16"})",
          R"({"type":"update","action":"hangup","server":"s1","extension":"201","callid":"1760000000.11","cause":"16"})"));
  std::vector<std::string> statuses;
  for (const auto& frame : left_out) statuses.push_back(Scene::brief(frame));
  EXPECT_THAT(statuses, ElementsAre("extension-status 202 8", "extension-status 202 1",
                                    "extension-status 202 16", "extension-status 202 1",
                                    "extension-status 202 0", "extension-status 201 0"));
}

// Sections 4 and 6.

TEST_F(Innova360Test, AnAgentsCallRingsItsOwnPhoneFirst) {
  Scene scene;
  scene.supervise();
  scene.attend("201");
  scene.say(201, R"({"type":"action","action":"call","phone":"2 02","customfield1":"ticket 7"})");
  EXPECT_THAT(scene.told(),
              ElementsAre("new-call 201 out", "call-state 201 Ringing", "extension-status 201 8"));
  scene.wait(800ms);
  EXPECT_THAT(scene.told(),
              ElementsAre("call-state 201 Up", "extension-status 201 1", "call-state 201 Dialing",
                          "new-call 202 in", "call-state 201 Ring", "call-state 202 Ringing",
                          "extension-status 202 8"));
  scene.wait(3s);
  EXPECT_THAT(scene.told(),
              ElementsAre("call-state 202 Up", "call-state 201 Up", "extension-status 202 1"));
  const auto& counters = scene.stage.dialect().counters();
  EXPECT_EQ(counters.originates, 1u);
  ASSERT_EQ(counters.last_originations.size(), 1u);
  EXPECT_EQ(counters.last_originations[0].to, "202");
  EXPECT_THAT(counters.last_originations[0].user_data, ElementsAre("ticket 7"));
}

TEST_F(Innova360Test, AnAgentSeesItsOwnExtensionOnly) {
  Scene scene;
  scene.attend("202");
  talk(scene);
  EXPECT_THAT(scene.told(202),
              ElementsAre("new-call 202 in", "call-state 202 Ringing", "extension-status 202 8",
                          "call-state 202 Up", "extension-status 202 1"));
  EXPECT_EQ(init_of(scene, "/agent")["data"].as_array().size(), 1u);
}

TEST_F(Innova360Test, AnAgentTransfersAndHangsUpWhatIsItsOwn) {
  Scene scene;
  scene.supervise();
  scene.attend("201");
  scene.attend("203");
  talk(scene);
  scene.heard();
  const auto id = scene.stage.dialect().id_of(*scene.tenant().find_leg(1));
  scene.say(203, R"({"type":"action","action":"hangup","call":[")" + id + "\"]}");
  EXPECT_THAT(scene.told(), IsEmpty());
  scene.say(201, R"({"type":"action","action":"hangup","call":")" + id + "\"}");  // no list
  EXPECT_THAT(scene.told(), IsEmpty());
  scene.say(201, R"({"type":"action","action":"hangup","call":["1.1"]})");
  EXPECT_THAT(scene.told(), IsEmpty());
  scene.say(201,
            R"({"type":"action","action":"blindtransfer","call":")" + id + R"(","phone":"204"})");
  EXPECT_THAT(scene.told(),
              ElementsAre("hangup 201 16", "extension-status 201 0", "new-call 204 in",
                          "call-state 204 Ringing", "extension-status 204 8"));
  scene.say(203, R"({"type":"action","action":"call","phone":"201"})");
  const auto second = scene.stage.dialect().id_of(
      *scene.tenant().find_leg(scene.tenant().extension(2).legs.front()));
  scene.heard();
  scene.say(203, R"({"type":"action","action":"hangup","call":[")" + second + R"(","9.9"]})");
  EXPECT_THAT(scene.told(), ElementsAre("hangup 203 16", "extension-status 203 0"));
}

TEST_F(Innova360Test, IsSilentOnATransferOfAnUnansweredCall) {
  Scene scene;
  scene.supervise();
  scene.attend("202");
  ASSERT_TRUE(scene.tenant().originate("201", "202", {}, scene.now));
  scene.heard();
  scene.heard(202);
  scene.say(202, R"({"type":"action","action":"blindtransfer","call":")" +
                     scene.stage.dialect().id_of(*scene.tenant().find_leg(2)) +
                     R"(","phone":"204"})");
  EXPECT_THAT(scene.told(), IsEmpty());
  EXPECT_THAT(scene.told(202), IsEmpty());
}

TEST_F(Innova360Test, IgnoresASupervisorsActions) {
  Scene scene;
  scene.supervise();
  scene.say(1, R"({"type":"action","action":"call","phone":"202"})");
  EXPECT_EQ(scene.tenant().call_count(), 0u);
  EXPECT_THAT(scene.heard(), IsEmpty());
  EXPECT_EQ(scene.stage.dialect().counters().actions.at("call"), 1u);
}

TEST_F(Innova360Test, ShowsNothingOfTrunks) {
  Scene scene;
  scene.supervise();
  ASSERT_TRUE(scene.tenant().originate("+34911222333", "201", {}, scene.now));
  EXPECT_THAT(scene.told(),
              ElementsAre("new-call 201 in", "call-state 201 Ringing", "extension-status 201 8"));
}

TEST_F(Innova360Test, TellsOfRecordings) {
  auto settings = small_tenant();
  settings.engine.record_all = true;
  Scene scene(std::move(settings));
  scene.attend("201");
  talk(scene);
  ASSERT_EQ(scene.tenant().hang_up("201", scene.now), base::Error());
  EXPECT_THAT(scene.told(201),
              ElementsAre("new-call 201 out", "extension-status 201 1", "call-state 201 Ring",
                          "call-state 201 Up", "start-record 201", "end-record 201",
                          "hangup 201 16", "extension-status 201 0"));
}

// Section 3.1.

TEST_F(Innova360Test, DescribesCallsInTheFirstPicture) {
  Scene scene;
  talk(scene);
  ASSERT_EQ(scene.tenant().hold("202", scene.now), base::Error());
  auto entry = init_of(scene)["data"].at(1).as_object();
  EXPECT_EQ(json::serialize(entry),
            R"({"Extension":"202","Status":"16","Hint":"SIP/202","Calls":[{"Monitored":true,)"
            R"("CallID":"1760000000.2","CallDirection":"in","PhoneA":"201","PhoneB":"202",)"
            R"("DIDA":"","DIDB":"","Status":"6","StatusDesc":"Up","Bridge":"1760000000.1",)"
            R"("Hold":true}]})");
}

// Section 9's variants: each name, each value, and what it looks like in init or in an update.

struct VariantCase {
  const char *name, *value;
  const char* in_init;    // a part of it, while 201 talks to 202, who holds; empty: not looked at
  const char* in_update;  // a part of one of the call's updates

  friend void PrintTo(const VariantCase& it, std::ostream* out) {
    *out << it.name << '_' << it.value;
  }
};

class Innova360VariantTest : public Innova360Test,
                             public testing::WithParamInterface<VariantCase> {};

TEST_P(Innova360VariantTest, LooksAsTheDocumentAllows) {
  const auto& it = GetParam();
  Scene scene(with(it.name, it.value));
  scene.supervise();
  talk(scene);
  ASSERT_EQ(scene.tenant().hold("202", scene.now), base::Error());
  const auto init = json::serialize(init_of(scene));
  ASSERT_EQ(scene.tenant().hang_up("202", scene.now), base::Error());
  std::string updates;
  for (const auto& frame : scene.heard()) updates += frame + '\n';
  EXPECT_THAT(init, HasSubstr(it.in_init));
  EXPECT_THAT(updates, HasSubstr(it.in_update));
}

INSTANTIATE_TEST_SUITE_P(
    All, Innova360VariantTest,
    testing::Values(
        VariantCase{"data", "array", R"("data":[{"Extension":"201")", ""},
        VariantCase{"data", "keyed", R"("data":{"201":{"Extension":"201")", ""},
        VariantCase{"data", "object", R"("data":[{"Extension":"201")", ""},
        VariantCase{"calls", "array", R"("Calls":[{"Monitored")", ""},
        VariantCase{"calls", "keyed", R"("Calls":{"1760000000.1":{"Monitored")", ""},
        VariantCase{"calls", "object", R"("Calls":{"Monitored")", ""},
        VariantCase{"no_calls", "empty", R"("Hint":"SIP/203","Calls":[]})", ""},
        VariantCase{"no_calls", "null", R"("Hint":"SIP/203","Calls":null})", ""},
        VariantCase{"no_calls", "text", R"("Hint":"SIP/203","Calls":""})", ""},
        VariantCase{"no_calls", "absent", R"("Hint":"SIP/203"})", ""},
        VariantCase{"numbers", "strings", R"("PhoneA":"201")", R"("callid":"1760000000.1")"},
        VariantCase{"numbers", "numbers", R"("PhoneA":201)", R"("callid":176000000000001,)"},
        VariantCase{"booleans", "native", R"("Monitored":true)", ""},
        VariantCase{"booleans", "text", R"("Monitored":"true")", ""},
        VariantCase{"booleans", "number", R"("Monitored":1)", ""},
        VariantCase{"booleans", "digit", R"("Hold":"0")", ""},
        VariantCase{"booleans", "yes", R"("Hold":"yes")", ""},
        VariantCase{"status", "number", R"("Status":"16")", R"("status":"8")"},
        VariantCase{"status", "text", R"("Status":"Hold")", R"("status":"Ringing")"},
        VariantCase{"status", "constant", R"("Status":"ONHOLD")", R"("status":"NOT_INUSE")"},
        VariantCase{"status", "spanish", R"("Status":"en espera")", R"("status":"sonando")"},
        VariantCase{"call_state", "both", R"("Status":"6","StatusDesc":"Up")",
                    R"("state":"5","statedesc":"Ringing")"},
        VariantCase{"call_state", "number", R"("Status":"6","StatusDesc":"")",
                    R"("state":"5","statedesc":"")"},
        VariantCase{"call_state", "text", R"("Status":"Up","StatusDesc":"Up")",
                    R"("state":"Ringing","statedesc":"Ringing")"},
        VariantCase{"cause", "number", "", R"("cause":"16")"},
        VariantCase{"cause", "text", "", R"("cause":"Normal Clearing")"},
        VariantCase{"direction", "in_out", R"("CallDirection":"out")", R"("direction":"in")"},
        VariantCase{"direction", "incoming", R"("CallDirection":"Outgoing")",
                    R"("direction":"Incoming")"},
        VariantCase{"direction", "inbound", R"("CallDirection":"outbound")",
                    R"("direction":"inbound")"},
        VariantCase{"direction", "spanish", R"("CallDirection":"saliente")",
                    R"("direction":"entrante")"},
        VariantCase{"direction", "recibida", R"("CallDirection":"originada")",
                    R"("direction":"recibida")"},
        VariantCase{"direction", "unknown", R"("CallDirection":"tx")", R"("direction":"")"},
        VariantCase{"server", "true", R"(],"server":"s1"})", R"("server":"s1")"},
        VariantCase{"server", "false", R"(}]})", R"("action":"new-call","extension")"},
        VariantCase{"call_ids", "leg", "", R"("extension":"202","callid":"1760000000.2")"},
        VariantCase{"call_ids", "call", "", R"("extension":"202","callid":"1760000000.1")"},
        VariantCase{"bridge", "leg", R"("Bridge":"1760000000.2")", ""},
        VariantCase{"bridge", "call", R"("Bridge":"bridge-1")", ""},
        VariantCase{"bridge", "flag", R"("Bridge":true)", ""},
        VariantCase{"music", "holder", "",
                    R"("action":"start-moh","server":"s1","extension":"202")"},
        VariantCase{"music", "heard", "",
                    R"("action":"start-moh","server":"s1","extension":"201")"}));

TEST_F(Innova360Test, LeavesTheExtensionToTheKeyIfSo) {
  auto settings = with("data", "keyed");
  ASSERT_EQ(innova360::set_variant(settings.innova360.variants, "extension_field", "false"), "");
  Scene scene(std::move(settings));
  EXPECT_THAT(json::serialize(init_of(scene)), HasSubstr(R"("201":{"Status":"0")"));
}

TEST_F(Innova360Test, GivesAnAgentsOneExtensionBareIfSo) {
  Scene scene(with("data", "object"));
  EXPECT_EQ(init_of(scene, "/agent")["data"].as_object()["Extension"], "201");
}

TEST_F(Innova360Test, SpellsASuccessfulLoginAsSet) {
  Scene scene(with("auth_ok", "auth-ok"));
  scene.open(1, "/ws");
  scene.say(1, R"({"type":"auth-plain","user":"boss","passwd":"secret"})");
  EXPECT_THAT(scene.heard()[1], StartsWith(R"({"type":"auth-ok",)"));
}

TEST_F(Innova360Test, SaysAsMuchOfASupervisorsExtensionAsSet) {
  const auto answer = [](Scene scene) {
    scene.open(1, "/ws");
    scene.say(1, R"({"type":"auth-plain","user":"boss","passwd":"secret"})");
    return scene.heard()[1];
  };
  EXPECT_THAT(answer(Scene(with("supervisor_extension", "absent"))),
              testing::Not(HasSubstr("extension")));
  EXPECT_THAT(answer(Scene(with("supervisor_extension", "account"))),
              HasSubstr(R"("extension":"boss","agent":"boss")"));
}

TEST_F(Innova360Test, ShowsNoProgressAfterACallBackIfSo) {
  Scene scene(with("callback_progress", "false"));
  scene.attend("201");
  scene.say(201, R"({"type":"action","action":"call","phone":"202"})");
  scene.wait(800ms);
  EXPECT_EQ(init_of(scene, "/agent")["data"].at(0).at("Calls").at(0).at("StatusDesc"), "Up");
  scene.wait(10s);
  EXPECT_THAT(scene.told(201),
              ElementsAre("new-call 201 out", "call-state 201 Ringing", "extension-status 201 8",
                          "call-state 201 Up", "extension-status 201 1"));
}

TEST_F(Innova360Test, NamesWhatCanBeSet) {
  innova360::Variants variants;
  EXPECT_THAT(innova360::set_variant(variants, "nope", "x"), HasSubstr("callback_progress"));
  EXPECT_THAT(innova360::set_variant(variants, "data", "x"), HasSubstr("array, keyed, object"));
}

TEST_F(Innova360Test, KeepsACallsIdThroughATransfer) {
  Scene scene(with("call_ids", "call"));
  scene.supervise();
  talk(scene);
  ASSERT_TRUE(scene.tenant().originate("202", "203", {}, scene.now));
  ASSERT_EQ(scene.tenant().answer("203", scene.now), base::Error());
  ASSERT_EQ(scene.tenant().attended_transfer("202", scene.now), base::Error());
  scene.heard();
  ASSERT_EQ(scene.tenant().hang_up("203", scene.now), base::Error());
  EXPECT_THAT(scene.heard().front(), HasSubstr(R"("extension":"203","callid":"1760000000.2")"));
}

}  // namespace
}  // namespace simulator
