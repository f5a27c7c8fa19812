#include "pbx/vodia/tenant.h"

namespace pbx::vodia {
namespace {

using base::Errc;
using call::DeviceId;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct VodiaCommands : Vodia {
  // The only request there is: where it goes, and what it says.
  std::string asked() {
    if (pbx().requests.size() != 1) return std::to_string(pbx().requests.size()) + " requests";
    const SendHttp& it = pbx().requests.front();
    EXPECT_EQ(header(it.where, "Authorization"), "Basic YWRtaW46cjAwdA==");
    return it.method + ' ' + it.where.target + ' ' + it.body;
  }
  // 501 talks to 502 (on hold), and to 503.
  void consult() {
    Entry held = talking("a@pbx");
    calls({held});
    const auto id = pbx().ask(call::HoldCall{target("a@pbx/501")});
    held.state = "holding";
    calls({held});
    answer(200, "true");
    ASSERT_EQ(pbx().verdict(id), "ok a@pbx/501");
    calls({held, second()});
    pbx().take_events();
  }
  static Entry held() {
    Entry entry = talking("a@pbx");
    entry.state = "holding";
    return entry;
  }
  static Entry second() { return {"b@pbx", "501", "503", "connected", {"501", "503"}, {}}; }
};

TEST_F(VodiaCommands, MakeACall) {
  log_in_modern();
  const auto id = pbx().ask(call::MakeCall{DeviceId("501"), "0600 111-222", {}});
  EXPECT_EQ(asked(), R"(POST /rest/user/501%40t.example/calls {"remote-dial":"0600 111-222"})");
  answer(200, "true");
  calls({{"x@pbx", "502", "503", "alerting", {"502", "503"}, {}}});  // somebody else's
  EXPECT_EQ(pbx().verdict(id), "open");
  pbx().take_events();
  calls({{"x@pbx", "502", "503", "alerting", {"502", "503"}, {}},
         {"a@pbx", "501", "0600111222", "alerting", {"501"}, {}}});
  EXPECT_EQ(pbx().verdict(id), "ok a@pbx/501");
  EXPECT_THAT(pbx().take_events(),
              ElementsAre("originated 501 (makeCall) by 1", "delivered 0600111222 by 1"));
}

TEST_F(VodiaCommands, MakeACallByClickToDialIfTheServerKnowsNothingElse) {
  log_in_modern();
  const auto id = pbx().ask(call::MakeCall{DeviceId("501"), "502", {}});
  answer(404, "");
  EXPECT_EQ(asked(), "GET /remote_call.htm?user=501%40t.example&dest=502&connect=true ");
  answer(200, "");
  calls({ringing()});
  EXPECT_EQ(pbx().verdict(id), "ok a@pbx/501");
}

TEST_F(VodiaCommands, MakeACallOnALegacyServer) {
  log_in_legacy();
  const auto own = pbx().ask(call::MakeCall{DeviceId("500"), "502", {}});
  EXPECT_THAT(pbx().take_sent(kPrimary), ElementsAre(R"({"action":"make-call","to":"502"})"));
  const auto others = pbx().ask(call::MakeCall{DeviceId("501"), "502", {}});
  EXPECT_EQ(asked(), "GET /remote_call.htm?user=501%40t.example&dest=502&connect=true ");
  answer(200, "");
  domain_state({ringing(), {"b@pbx", "500", "502", "alerting", {"500", "502"}, {}}});
  EXPECT_EQ(pbx().verdict(own), "ok b@pbx/500");
  EXPECT_EQ(pbx().verdict(others), "ok a@pbx/501");
}

TEST_F(VodiaCommands, AnswerRejectAndHangUp) {
  log_in_modern();
  calls({ringing()});
  const auto answered = pbx().ask(call::AnswerCall{target("a@pbx/502")});
  EXPECT_EQ(asked(), R"(POST /rest/user/502%40t.example/calls {"remote-answer":"a@pbx"})");
  answer(200, "true");
  EXPECT_EQ(pbx().verdict(answered), "open");  // until it is seen
  calls({talking()});
  EXPECT_EQ(pbx().verdict(answered), "ok a@pbx/502");

  const auto cleared = pbx().ask(call::ClearConnection{target("a@pbx/501")});
  EXPECT_EQ(asked(), R"(POST /rest/user/501%40t.example/calls {"hangup":"a@pbx"})");
  answer(200, "true");
  pbx().take_events();
  calls({});  // expected, and so believed at once
  EXPECT_EQ(pbx().verdict(cleared), "ok a@pbx/501");
  EXPECT_THAT(pbx().take_events(), Contains("connectionCleared 501 by 2"));

  calls({ringing("b@pbx")});
  const auto rejected = pbx().ask(call::ClearConnection{target("b@pbx/502")});
  EXPECT_EQ(asked(), R"(POST /rest/user/502%40t.example/calls {"reject":"b@pbx"})");
  answer(200, "");  // says nothing, refuses nothing
  calls({});
  EXPECT_EQ(pbx().verdict(rejected), "ok b@pbx/502");
}

TEST_F(VodiaCommands, ClearAWholeCall) {
  log_in_modern();
  talk();
  const auto id = pbx().ask(call::ClearCall{{target("a@pbx/501"), target("a@pbx/502")}});
  ASSERT_THAT(pbx().requests, SizeIs(2));
  answer(200, "true");
  answer(200, "false");  // it is gone already
  EXPECT_EQ(pbx().verdict(id), "open");
  calls({});
  EXPECT_EQ(pbx().verdict(id), "ok ");
}

TEST_F(VodiaCommands, HoldTellsWhoHoldsAndRetrieve) {
  log_in_modern();
  talk();
  const auto hold = pbx().ask(call::HoldCall{target("a@pbx/502")});
  EXPECT_EQ(asked(), R"(POST /rest/user/502%40t.example/calls {"remote-hold":"a@pbx"})");
  answer(200, "true");
  calls({held()});
  EXPECT_EQ(pbx().verdict(hold), "ok a@pbx/502");
  EXPECT_THAT(pbx().take_events(), ElementsAre("held 502 by 1"));
  calls({held()});  // and it is remembered
  const auto retrieve = pbx().ask(call::RetrieveCall{target("a@pbx/502")});
  EXPECT_EQ(asked(), R"(POST /rest/user/502%40t.example/calls {"remote-resume":"a@pbx"})");
  answer(200, "true");
  calls({talking()});
  EXPECT_EQ(pbx().verdict(retrieve), "ok a@pbx/502");
  EXPECT_THAT(pbx().take_events(), ElementsAre("retrieved 502 by 2"));
}

TEST_F(VodiaCommands, NeverPressALegacyHoldSwitchTwice) {
  log_in_legacy();
  domain_state({talking()});
  const auto hold = pbx().ask(call::HoldCall{target("a@pbx/501")});
  const LinkId portal = open_portal("501");
  EXPECT_THAT(pbx().take_sent(portal), ElementsAre(R"({"action":"hold-call","id":"a@pbx"})"));
  domain_state({held()});
  EXPECT_EQ(pbx().verdict(hold), "ok a@pbx/501");
  const auto again = pbx().ask(call::HoldCall{target("a@pbx/501")});
  EXPECT_EQ(pbx().verdict(again), "incorrect_state");
  EXPECT_THAT(pbx().take_sent(portal), IsEmpty());
  const auto back = pbx().ask(call::RetrieveCall{target("a@pbx/501")});
  EXPECT_THAT(pbx().take_sent(portal), ElementsAre(R"({"action":"hold-call","id":"a@pbx"})"));
  domain_state({talking()});
  EXPECT_EQ(pbx().verdict(back), "ok a@pbx/501");
}

TEST_F(VodiaCommands, TransferBlindly) {
  log_in_modern();
  talk();
  const auto id = pbx().ask(call::SingleStepTransferCall{target("a@pbx/501"), "503"});
  EXPECT_EQ(asked(),
            R"(POST /rest/user/501%40t.example/calls {"transfer":"a@pbx","number":"503"})");
  answer(200, "true");
  Entry call = talking();
  call.from = "502";
  call.to = "503";
  call.extensions = {"502", "503"};
  calls({call});
  EXPECT_EQ(pbx().verdict(id), "ok a@pbx/501");
  EXPECT_THAT(pbx().take_events(), ElementsAre("transferred 501 (singleStepTransfer) by 1",
                                               "connectionCleared 501 (singleStepTransfer) by 1",
                                               "delivered 503 by 1", "established 503 by 1"));
}

TEST_F(VodiaCommands, TransferWithConsultation) {
  log_in_modern();
  calls({talking()});
  const auto consulted = pbx().ask(call::ConsultationCall{target("a@pbx/501"), "503"});
  EXPECT_THAT(asked(), HasSubstr(R"({"remote-hold":"a@pbx"})"));
  answer(200, "true");
  calls({held()});
  EXPECT_THAT(asked(), HasSubstr(R"({"remote-dial":"503"})"));
  answer(200, "true");
  calls({held(), second()});
  EXPECT_EQ(pbx().verdict(consulted), "ok b@pbx/501");
  pbx().take_events();

  const auto id = pbx().ask(call::TransferCall{target("b@pbx/501"), target("a@pbx/501")});
  EXPECT_EQ(asked(), R"(POST /rest/user/501%40t.example/calls {"transfer":"a@pbx","id":"b@pbx"})");
  answer(200, "true");
  Entry joined{"a@pbx", "502", "503", "connected", {"502", "503"}, {}};
  calls({joined});
  EXPECT_EQ(pbx().verdict(id), "ok b@pbx/501");
  EXPECT_THAT(pbx().take_events(), Contains("transferred 501 by 2"));
  EXPECT_THAT(pbx().tracker.book().calls, SizeIs(1));
}

TEST_F(VodiaCommands, SpeakToLegacyServersOnTheSocketOfWhoeverActs) {
  log_in_legacy();
  domain_state({ringing()});
  pbx().ask(call::AnswerCall{target("a@pbx/502")});
  const LinkId bob = open_portal("502");
  EXPECT_THAT(pbx().take_sent(bob), ElementsAre(R"({"action":"accept-call","id":"a@pbx"})"));
  pbx().ask(call::DeflectCall{target("a@pbx/502"), "503"});
  pbx().ask(call::ClearConnection{target("a@pbx/502")});
  EXPECT_THAT(pbx().take_sent(bob),
              ElementsAre(R"({"action":"blind-transfer","id":"a@pbx","from":"501","to":"503"})",
                          R"({"action":"clear-call","id":"a@pbx","connected":"false"})"));
  pbx().ask(call::ClearConnection{target("a@pbx/501")});
  const LinkId ann = open_portal("501");
  EXPECT_NE(ann, bob);
  EXPECT_THAT(pbx().take_sent(ann),
              ElementsAre(R"({"action":"clear-call","id":"a@pbx","connected":"true"})"));
  domain_state({talking(), second()});
  pbx().ask(call::HoldCall{target("a@pbx/501")});
  domain_state({held(), second()});
  pbx().take_sent(ann);
  pbx().ask(call::TransferCall{target("b@pbx/501"), target("a@pbx/501")});
  EXPECT_THAT(pbx().take_sent(ann),
              ElementsAre(R"({"action":"att-transfer","id":"a@pbx","from":"502",)"
                          R"("id2":"b@pbx","to":"503"})"));
  pbx().pass(30s);
}

TEST_F(VodiaCommands, DeflectAndPickUp) {
  log_in_modern();
  calls({ringing()});
  const auto deflected = pbx().ask(call::DeflectCall{target("a@pbx/502"), "503"});
  EXPECT_THAT(asked(), HasSubstr(R"({"transfer":"a@pbx","number":"503"})"));
  answer(200, "true");
  Entry call = ringing();
  call.to = "503";
  call.extensions = {"501", "*503"};
  calls({call});
  EXPECT_EQ(pbx().verdict(deflected), "ok a@pbx/502");

  const auto picked = pbx().ask(call::DirectedPickupCall{DeviceId("502"), target("a@pbx/503")});
  EXPECT_EQ(asked(), R"(POST /rest/user/502%40t.example/calls {"remote-dial":"*87503"})");
  answer(200, "true");
  pbx().take_events();
  call.state = "connected";
  call.extensions = {"501", "502"};
  calls({call});
  EXPECT_EQ(pbx().verdict(picked), "ok ");
  EXPECT_THAT(pbx().take_events(), Contains("diverted 503 (callPickup) by 2"));
}

TEST_F(VodiaCommands, Park) {
  log_in_legacy();
  domain_state({talking()});
  const auto nowhere = pbx().ask(call::ParkCall{target("a@pbx/501"), ""});
  EXPECT_EQ(pbx().verdict(nowhere), "invalid_argument");
  const auto id = pbx().ask(call::ParkCall{target("a@pbx/501"), "800"});
  domain_state({{"a@pbx", "502", "800", "connected", {"502"}, {}}});
  EXPECT_EQ(pbx().verdict(id), "ok a@pbx/501");
}

TEST_F(VodiaCommands, RecordWhereTheServerCan) {
  log_in_legacy();
  Entry call = talking();
  call.more = R"(,"rec":"")";
  domain_state({call});
  const auto id = pbx().ask(call::StartRecording{target("a@pbx/502")});
  EXPECT_THAT(pbx().take_sent(open_portal("502")),
              ElementsAre(R"({"action":"rec-call","id":"a@pbx","startstop":"on"})"));
  call.more = R"(,"rec":"adhoc")";
  pbx().take_events();
  domain_state({call});
  EXPECT_EQ(pbx().verdict(id), "ok a@pbx/502");
  EXPECT_THAT(pbx().take_events(), ElementsAre("recordingStarted 502 by 1"));
}

TEST_F(VodiaCommands, RefuseToRecordWhereItCannot) {
  log_in_modern();
  talk();
  EXPECT_EQ(pbx().verdict(pbx().ask(call::StartRecording{target("a@pbx/501")})),
            "feature_not_supported");
  EXPECT_THAT(pbx().requests, IsEmpty());
}

TEST_F(VodiaCommands, SetDoNotDisturb) {
  log_in_modern();
  const auto id = pbx().ask(call::SetDoNotDisturb{DeviceId("501"), true});
  EXPECT_EQ(asked(), R"(POST /rest/user/501%40t.example/dnd {"state":true})");
  answer(200, "{}");
  EXPECT_EQ(pbx().verdict(id), "open");
  EXPECT_THAT(pbx().requests.at(0).where.target, HasSubstr("/accounts"));  // to see it
  answer(200, R"([{"name":"501","displayname":"Ann","dnd":"true","registered":true}])");
  EXPECT_EQ(pbx().verdict(id), "ok ");
}

TEST_F(VodiaCommands, SetDoNotDisturbOnALegacyServer) {
  log_in_legacy();
  const auto id = pbx().ask(call::SetDoNotDisturb{DeviceId("501"), true});
  EXPECT_EQ(asked(), R"(PUT /rest/domain/t.example/user_settings/501 {"dnd":"true"})");
  answer(200, "true");
  pbx().hear(R"({"action":"user-state","account":"501","type":"extensions","dnd":"true"})");
  EXPECT_EQ(pbx().verdict(id), "ok ");
}

TEST_F(VodiaCommands, SetForwardingAndReadItBack) {
  log_in_modern();
  const auto set = [&](call::ForwardingType type, std::string destination, std::string_view back) {
    const auto id = pbx().ask(call::SetForwarding{DeviceId("501"), {type, std::move(destination)}});
    if (pbx().requests.empty()) return pbx().verdict(id);
    answer(200, "true");
    EXPECT_EQ(pbx().requests.at(0).method, "GET");
    answer(200, back);
    return pbx().verdict(id);
  };
  EXPECT_EQ(set(call::ForwardingType::busy, "502", R"({"cfa":"","cfb":"502","cfn":""})"), "ok ");
  EXPECT_THAT(pbx().tracker.book().devices.at(DeviceId("501")).forwardings,
              ElementsAre(call::Forwarding{call::ForwardingType::busy, "502"}));
  EXPECT_EQ(set(call::ForwardingType::busy, "", R"({"cfa":"","cfb":"","cfn":""})"), "ok ");
  EXPECT_EQ(set(call::ForwardingType::immediate, "9", R"({"cfa":""})"), "effect_not_seen");
  EXPECT_EQ(set(call::ForwardingType::no_answer, "9", "nonsense"), "outcome_unknown");
  EXPECT_EQ(set(call::ForwardingType::busy_internal, "9", ""), "feature_not_supported");
}

TEST_F(VodiaCommands, TellWhyTheyFailed) {
  log_in_modern();
  talk();
  const std::pair<std::pair<unsigned, std::string_view>, std::string_view> kCases[] = {
      {{200, "false"}, "pbx_refused"},    {{200, "\"false\""}, "pbx_refused"},
      {{401, ""}, "credentials_refused"}, {{403, ""}, "permission_denied"},
      {{404, ""}, "call_not_found"},      {{429, ""}, "too_many_requests"},
      {{500, ""}, "pbx_refused"},
  };
  for (const auto& [reply, verdict] : kCases) {
    const auto id = pbx().ask(call::HoldCall{target("a@pbx/501")});
    answer(reply.first, reply.second);
    EXPECT_EQ(pbx().verdict(id), verdict) << reply.first << reply.second;
  }
  const auto unsent = pbx().ask(call::HoldCall{target("a@pbx/501")});
  answer(Errc::connect_failed);
  EXPECT_EQ(pbx().verdict(unsent), "pbx_disconnected");
  const auto lost = pbx().ask(call::HoldCall{target("a@pbx/501")});
  answer(Errc::timed_out);
  EXPECT_EQ(pbx().verdict(lost), "open");  // it may have been carried out
  pbx().pass(5s);
  EXPECT_EQ(pbx().verdict(lost), "outcome_unknown");
  pbx().requests.clear();
  const auto unseen = pbx().ask(call::HoldCall{target("a@pbx/501")});
  answer(200, "true");
  pbx().pass(5s);
  EXPECT_EQ(pbx().verdict(unseen), "effect_not_seen");
  EXPECT_EQ(pbx().verdict(pbx().ask(call::HoldCall{{"z@pbx", "z@pbx/501", DeviceId("501")}})),
            "call_not_found");
  EXPECT_EQ(pbx().verdict(pbx().ask(call::MakeCall{DeviceId("501"), " - ", {}})),
            "invalid_argument");
  EXPECT_EQ(pbx().verdict(pbx().ask(call::MakeCall{DeviceId("501"), "1", {{"a", "b"}}})),
            "invalid_argument");
  EXPECT_EQ(pbx().verdict(pbx().ask(call::GenerateDigits{target("a@pbx/501"), "1"})),
            "feature_not_supported");
  EXPECT_EQ(pbx().verdict(pbx().ask(call::MakeCall{DeviceId("501"), "1", {}}, 0ms)), "timed_out");
}

TEST_F(VodiaCommands, FailWhenTheCallEndsBefore) {
  log_in_modern();
  calls({ringing()});
  const auto id = pbx().ask(call::AnswerCall{target("a@pbx/502")});
  answer(200, "true");
  calls_for_sure({});
  EXPECT_EQ(pbx().verdict(id), "call_not_found");
}

TEST_F(VodiaCommands, LogInAgainWhenTheSessionOfTheirCookieHasExpired) {
  settings.set("admin_user", std::string());
  pbx().begin();
  answer(200, kToken);
  pbx().open(kPrimary);
  calls({});
  answer_directory();
  const auto id = pbx().ask(call::MakeCall{DeviceId("500"), "502", {}});
  EXPECT_EQ(header(pbx().requests.at(0).where, "Cookie"), "session=abcdefghij0123456789");
  answer(401, "");
  EXPECT_EQ(pbx().verdict(id), "credentials_refused");
  EXPECT_THAT(pbx().requests.at(0).body, HasSubstr(R"("name":"auth")"));
  answer(200, R"("ABCDEFGHIJ0123456789")");
  calls({});
  pbx().ask(call::MakeCall{DeviceId("500"), "502", {}});
  EXPECT_EQ(header(pbx().requests.at(0).where, "Cookie"), "session=ABCDEFGHIJ0123456789");
  pbx().pass(1min);
}

TEST_F(VodiaCommands, AreLimitedInNumber) {
  settings.set("commands_max", std::int64_t{2});
  log_in_modern();
  pbx().ask(call::MakeCall{DeviceId("501"), "1", {}});
  pbx().ask(call::MakeCall{DeviceId("501"), "2", {}});
  EXPECT_EQ(pbx().verdict(pbx().ask(call::MakeCall{DeviceId("501"), "3", {}})),
            "too_many_requests");
  pbx().pass(30s);
  EXPECT_EQ(pbx().verdict(1), "outcome_unknown");
}

}  // namespace
}  // namespace pbx::vodia
