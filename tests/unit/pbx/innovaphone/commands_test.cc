#include <algorithm>

#include "pbx/innovaphone/tenant.h"

namespace pbx::innovaphone {
namespace {

using call::DeviceId;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// What commands send, and when they are done. Each is given what may go wrong, too.
struct InnovaphoneCommands : Innovaphone {
  void SetUp() override { come_up(); }

  // What was sent last, without its `src`, which result() needs.
  std::string sent() {
    const auto texts = pbx().take_sent(kPrimary);
    if (texts.empty()) return "";
    std::string text = texts.back();
    const auto from = text.find(R"("src":")");
    if (from == text.npos) return text;
    const auto end = text.find('"', from + 7);
    src = text.substr(from + 7, end - from - 7);
    return text.erase(from, end + 2 - from);
  }
  // The answer to that.
  void result(std::string_view mt, std::string_view more = {}, std::string_view api = "RCC") {
    pbx().hear(R"({"mt":")" + std::string(mt) + R"(Result","api":")" + std::string(api) +
               R"(","src":")" + src + '"' + std::string(more) + "}");
  }
  void result(std::string_view mt, int call_number) {
    result(mt, R"(,"call":)" + std::to_string(call_number));
  }
  // 202 talks to 203 (B), and has 201 on hold (A).
  void talk_to_two() {
    talk("201", "202", "A", 1);
    call("202", 1, "A", 389, "", "update");
    talk("202", "203", "B", 2);
    pbx().take_events();
  }
  std::string src;
};

// ---- MakeCall.

TEST_F(InnovaphoneCommands, MakeCallIsDoneWhenItsCallIsThere) {
  const auto id = pbx().ask(call::MakeCall{DeviceId("201"), "(0600) 111-222", {}});
  EXPECT_EQ(sent(), R"({"mt":"UserCall","api":"RCC","user":1,"e164":"0600111222"})");
  result("UserCall", 7);
  EXPECT_EQ(pbx().verdict(id), "open");
  call("201", 7, "A", 1, "0600111222", "x-setup");
  EXPECT_EQ(pbx().verdict(id), "ok A/g201");
  EXPECT_THAT(pbx().take_events(), ElementsAre("originated 201 (makeCall) by 1"));
}

TEST_F(InnovaphoneCommands, MakeCallMayShowItsCallBeforeTheAnswer) {
  const auto id = pbx().ask(call::MakeCall{DeviceId("201"), "202", {}});
  sent();
  call("201", 7, "A", 1, "202", "x-setup");
  EXPECT_EQ(pbx().verdict(id), "ok A/g201");
  result("UserCall", 7);
  EXPECT_THAT(pbx().take_events(), ElementsAre("originated 201 (makeCall) by 1"));
}

TEST_F(InnovaphoneCommands, MakeCallIsNotDoneByAnotherCallOfTheUsers) {
  const auto id = pbx().ask(call::MakeCall{DeviceId("201"), "202", {}});
  sent();
  call("201", 6, "A", 1, "203", "x-setup");
  call("201", 5, "B", 132, "202", "x-alert");
  EXPECT_EQ(pbx().verdict(id), "open");
  result("UserCall", 7);
  call("201", 7, "C", 1, "202", "x-setup");
  EXPECT_EQ(pbx().verdict(id), "ok C/g201");
}

TEST_F(InnovaphoneCommands, MakeCallMayRingTheOwnPhoneFirst) {
  const auto id = pbx().ask(call::MakeCall{DeviceId("201"), "0600111222", {}});
  sent();
  result("UserCall", 7);
  call("201", 7, "A", 132, "0600111222", "x-alert");
  EXPECT_EQ(pbx().verdict(id), "ok A/g201");
  EXPECT_THAT(pbx().take_events(), ElementsAre("serviceInitiated 201 (makeCall) by 1"));
  call("201", 7, "A", 133, "0600111222", "x-conn");
  EXPECT_THAT(pbx().take_events(),
              ElementsAre("originated 201", "delivered 0600111222", "established 0600111222"));
}

TEST_F(InnovaphoneCommands, MakeCallIsRefusedByACallZero) {
  const auto id = pbx().ask(call::MakeCall{DeviceId("201"), "202", {}});
  sent();
  result("UserCall");
  EXPECT_EQ(pbx().verdict(id), "pbx_refused");
}

TEST_F(InnovaphoneCommands, MakeCallWithoutAnswerOrEffectSaysWhich) {
  const auto unanswered = pbx().ask(call::MakeCall{DeviceId("201"), "202", {}});
  sent();
  const auto accepted = pbx().ask(call::MakeCall{DeviceId("203"), "202", {}});
  sent();
  result("UserCall", 9);
  pbx().pass(31s);
  EXPECT_EQ(pbx().verdict(unanswered), "outcome_unknown");
  EXPECT_EQ(pbx().verdict(accepted), "effect_not_seen");
}

TEST_F(InnovaphoneCommands, MakeCallTakesNoDataAndNoNonsense) {
  EXPECT_EQ(pbx().verdict(pbx().ask(call::MakeCall{DeviceId("201"), "202", {{"a", "b"}}})),
            "invalid_argument");
  EXPECT_EQ(pbx().verdict(pbx().ask(call::MakeCall{DeviceId("201"), "- -", {}})),
            "invalid_argument");
  EXPECT_EQ(pbx().verdict(pbx().ask(call::MakeCall{DeviceId("999"), "202", {}})),
            "device_not_found");
  EXPECT_EQ(sent(), "");
}

TEST_F(InnovaphoneCommands, MakeCallDialsNames) {
  pbx().ask(call::MakeCall{DeviceId("201"), "u202", {}});
  EXPECT_EQ(sent(), R"({"mt":"UserCall","api":"RCC","user":1,"h323":"u202"})");
}

// ---- On one call.

TEST_F(InnovaphoneCommands, AnswerCallIsDoneWhenConnected) {
  ring("201", "202", "A", 1);
  const auto id = pbx().ask(call::AnswerCall{target("A/g202")});
  EXPECT_EQ(sent(), R"({"mt":"UserConnect","api":"RCC","user":2,"call":1})");
  result("UserConnect");
  EXPECT_EQ(pbx().verdict(id), "open");
  call("202", 1, "A", 133, "", "x-conn");
  EXPECT_EQ(pbx().verdict(id), "ok A/g202");
}

TEST_F(InnovaphoneCommands, AnswerCallComesTooLateIfTheCallerHasGone) {
  ring("201", "202", "A", 1);
  const auto id = pbx().ask(call::AnswerCall{target("A/g202")});
  call("201", 1, "A", 7, "", "x-rel", cause(16));
  call("202", 1, "A", 134, "", "r-rel", cause(16));
  EXPECT_EQ(pbx().verdict(id), "call_not_found");
}

TEST_F(InnovaphoneCommands, ClearConnectionHangsUpAndRefuses) {
  talk("201", "202", "A", 1);
  const auto id = pbx().ask(call::ClearConnection{target("A/g202")});
  EXPECT_EQ(sent(), R"({"mt":"UserClear","api":"RCC","user":2,"call":1,"cause":16})");
  pbx().take_events();
  del("202", 1, "A", 133);
  EXPECT_EQ(pbx().verdict(id), "ok A/g202");
  EXPECT_THAT(pbx().take_events(), ElementsAre("connectionCleared 202 by 1"));
  ring("203", "204", "B", 2);
  pbx().ask(call::ClearConnection{target("B/g204")});
  EXPECT_EQ(sent(), R"({"mt":"UserClear","api":"RCC","user":4,"call":2,"cause":21})");
}

TEST_F(InnovaphoneCommands, ClearCallEndsAllItsLegs) {
  talk("201", "202", "A", 1);
  const auto id = pbx().ask(call::ClearCall{{target("A/g201"), target("A/g202")}});
  EXPECT_EQ(pbx().take_sent(kPrimary).size(), 2u);
  call("201", 1, "A", 7, "", "x-rel");
  EXPECT_EQ(pbx().verdict(id), "open");
  call("202", 1, "A", 134, "", "r-rel");
  EXPECT_EQ(pbx().verdict(id), "ok A/g201");
}

TEST_F(InnovaphoneCommands, HoldAndRetrieveAreDoneWhenTheFlagShowsIt) {
  talk("201", "202", "A", 1);
  const auto hold = pbx().ask(call::HoldCall{target("A/g202")});
  EXPECT_EQ(sent(), R"({"mt":"UserHold","api":"RCC","user":2,"call":1,"remote":true})");
  result("UserHold");
  EXPECT_EQ(pbx().verdict(hold), "open");
  call("202", 1, "A", 389, "", "update");
  EXPECT_EQ(pbx().verdict(hold), "ok A/g202");
  const auto retrieve = pbx().ask(call::RetrieveCall{target("A/g202")});
  EXPECT_EQ(sent(), R"({"mt":"UserRetrieve","api":"RCC","user":2,"call":1})");
  call("202", 1, "A", 133, "", "update");
  EXPECT_EQ(pbx().verdict(retrieve), "ok A/g202");
}

TEST_F(InnovaphoneCommands, AResultWithAnErrorIsARefusal) {
  talk("201", "202", "A", 1);
  const auto id = pbx().ask(call::SingleStepTransferCall{target("A/g202"), "999"});
  sent();
  result("UserRedirect", R"(,"error":"no such destination")");
  EXPECT_EQ(pbx().verdict(id), "pbx_refused");
  EXPECT_THAT(std::get<call::Refusal>(*pbx().reply(id)).detail, HasSubstr("no such destination"));
  // And its end is not taken for a transfer later.
  pbx().take_events();
  call("202", 1, "A", 135, "", "x-rel", cause(16));
  EXPECT_THAT(pbx().take_events(), ElementsAre("connectionCleared 202"));
}

TEST_F(InnovaphoneCommands, SingleStepTransferIsDoneWhenTheLegIsGone) {
  talk("201", "202", "A", 1);
  pbx().take_events();
  const auto id = pbx().ask(call::SingleStepTransferCall{target("A/g202"), "203"});
  EXPECT_EQ(sent(), R"({"mt":"UserRedirect","api":"RCC","user":2,"call":1,"e164":"203"})");
  result("UserRedirect");
  del("202", 1, "A", 133);
  call("203", 2, "A", 132, "201", "x-alert");
  pbx().pass(1s);
  EXPECT_EQ(pbx().verdict(id), "ok A/g202");
  EXPECT_THAT(pbx().take_events(),
              ElementsAre("delivered 203 by 1", "transferred 202 (singleStepTransfer) by 1",
                          "connectionCleared 202 (singleStepTransfer) by 1"));
}

TEST_F(InnovaphoneCommands, DeflectCallIsADiversion) {
  ring("201", "202", "A", 1);
  pbx().take_events();
  const auto id = pbx().ask(call::DeflectCall{target("A/g202"), "203"});
  EXPECT_EQ(sent(), R"({"mt":"UserRedirect","api":"RCC","user":2,"call":1,"e164":"203"})");
  del("202", 1, "A", 132);
  call("203", 2, "A", 132, "201", "x-alert", no("leg2", "202"));
  EXPECT_EQ(pbx().verdict(id), "ok A/g202");
  EXPECT_THAT(pbx().take_events(),
              ElementsAre("diverted 202 by 1", "connectionCleared 202 (redirected) by 1",
                          "delivered 203 by 1"));
}

TEST_F(InnovaphoneCommands, ParkCallIsDoneWhenItIsParked) {
  talk("201", "202", "A", 1);
  const auto id = pbx().ask(call::ParkCall{target("A/g202"), ""});
  EXPECT_EQ(sent(), R"({"mt":"UserPark","api":"RCC","user":2,"call":1,"position":-1})");
  result("UserPark", 5);
  pbx().take_events();
  del("202", 1, "A", 133, no("parked-to", "202"));
  EXPECT_EQ(pbx().verdict(id), "ok A/g202");
  EXPECT_THAT(pbx().take_events(), ElementsAre("connectionCleared 202 (park) by 1"));
}

TEST_F(InnovaphoneCommands, ParkCallTakesAPositionOrAnObject) {
  talk("201", "202", "A", 1);
  pbx().ask(call::ParkCall{target("A/g202"), "3"});
  EXPECT_EQ(sent(), R"({"mt":"UserPark","api":"RCC","user":2,"call":1,"position":3})");
  pbx().ask(call::ParkCall{target("A/g202"), "205"});
  EXPECT_EQ(sent(),
            R"({"mt":"UserPark","api":"RCC","user":2,"call":1,"cn":"User 205","position":-1})");
  pbx().ask(call::ParkCall{target("A/g202"), "Park 1"});
  EXPECT_EQ(sent(),
            R"({"mt":"UserPark","api":"RCC","user":2,"call":1,"cn":"Park 1","position":-1})");
}

TEST_F(InnovaphoneCommands, GenerateDigitsIsDoneWhenItIsAnswered) {
  talk("201", "202", "A", 1);
  const auto id = pbx().ask(call::GenerateDigits{target("A/g202"), "12#"});
  EXPECT_EQ(sent(), R"({"mt":"UserDTMF","api":"RCC","user":2,"call":1,"dtmf":"12#"})");
  EXPECT_EQ(pbx().verdict(id), "open");
  result("UserDTMF");
  EXPECT_EQ(pbx().verdict(id), "ok A/g202");
}

TEST_F(InnovaphoneCommands, DirectedPickupIsDoneWhenThePickerTalks) {
  ring("201", "202", "A", 1);
  pbx().take_events();
  const auto id = pbx().ask(call::DirectedPickupCall{DeviceId("203"), target("A/g202")});
  EXPECT_EQ(sent(), R"({"mt":"UserPickup","api":"RCC","user":3,"call":1})");
  result("UserPickup", 2);
  del("202", 1, "A", 134);
  EXPECT_EQ(pbx().verdict(id), "open");
  call("203", 2, "A", 133, "201", "x-conn", no("picking"));
  EXPECT_EQ(pbx().verdict(id), "ok A/g203");
  EXPECT_THAT(pbx().take_events(), ElementsAre("diverted 202 (callPickup) by 1",
                                               "connectionCleared 202 (callPickup) by 1",
                                               "delivered 203 by 1", "established 203 by 1"));
}

// ---- On two calls.

TEST_F(InnovaphoneCommands, ConsultationHoldsAndThenDials) {
  talk("201", "202", "A", 1);
  const auto id = pbx().ask(call::ConsultationCall{target("A/g202"), "203"});
  EXPECT_THAT(sent(), HasSubstr("UserHold"));
  result("UserHold");
  EXPECT_EQ(sent(), "");
  call("202", 1, "A", 389, "", "update");
  EXPECT_EQ(sent(), R"({"mt":"UserCall","api":"RCC","user":2,"e164":"203"})");
  result("UserCall", 2);
  EXPECT_EQ(pbx().verdict(id), "open");
  call("202", 2, "B", 1, "203", "x-setup");
  EXPECT_EQ(pbx().verdict(id), "ok B/g202");
}

TEST_F(InnovaphoneCommands, TransferIsDoneWhenBothLegsAreGone) {
  talk_to_two();
  const auto id = pbx().ask(call::TransferCall{target("B/g202"), target("A/g202")});
  EXPECT_EQ(sent(), R"({"mt":"UserTransfer","api":"RCC","user":2,"a":1,"b":2})");
  result("UserTransfer");
  del("202", 1, "A", 389);
  del("202", 2, "B", 5);
  call("201", 1, "A", 5, "203", "r-ct", no("ct", "202"));
  EXPECT_EQ(pbx().verdict(id), "ok B/g202");
  EXPECT_THAT(pbx().take_events(),
              ElementsAre("connectionCleared 203 (transfer) by 1", "transferred 202 by 1",
                          "connectionCleared 202 (transfer) by 1", "connectionCleared 202 by 1",
                          "callCleared by 1"));
}

TEST_F(InnovaphoneCommands, AlternateHoldsAndThenRetrieves) {
  talk_to_two();
  const auto id = pbx().ask(call::AlternateCall{target("B/g202"), target("A/g202")});
  EXPECT_EQ(sent(), R"({"mt":"UserHold","api":"RCC","user":2,"call":2,"remote":true})");
  call("202", 2, "B", 261, "", "update");
  EXPECT_EQ(sent(), R"({"mt":"UserRetrieve","api":"RCC","user":2,"call":1})");
  EXPECT_EQ(pbx().verdict(id), "open");
  call("202", 1, "A", 133, "", "update");
  EXPECT_EQ(pbx().verdict(id), "ok B/g202");
}

TEST_F(InnovaphoneCommands, ReconnectClearsAndThenRetrieves) {
  talk_to_two();
  const auto id = pbx().ask(call::ReconnectCall{target("B/g202"), target("A/g202")});
  EXPECT_EQ(sent(), R"({"mt":"UserClear","api":"RCC","user":2,"call":2,"cause":16})");
  call("202", 2, "B", 7, "", "x-rel");
  EXPECT_EQ(sent(), R"({"mt":"UserRetrieve","api":"RCC","user":2,"call":1})");
  call("202", 1, "A", 133, "", "update");
  EXPECT_EQ(pbx().verdict(id), "ok A/g202");
}

// ---- On devices.

TEST_F(InnovaphoneCommands, PresenceAndForwardingAreDoneWhenTheyAreAnswered) {
  const auto presence = pbx().ask(call::SetPresence{DeviceId("201"), "away", "lunch"});
  EXPECT_THAT(sent(), HasSubstr(R"("activity":"away")"));
  result("SetPresence", "", "PbxApi");
  EXPECT_EQ(pbx().verdict(presence), "ok ");
  const auto forwarding =
      pbx().ask(call::SetForwarding{DeviceId("201"), {call::ForwardingType::busy, "203"}});
  EXPECT_THAT(sent(), HasSubstr(R"("type":"cfb")"));
  result("AddDiversion", R"(,"ok":true)", "PbxApi");
  EXPECT_EQ(pbx().verdict(forwarding), "ok ");
}

TEST_F(InnovaphoneCommands, AnApiThatIsNotGrantedDoesNotAnswer) {
  const auto id = pbx().ask(call::SetDoNotDisturb{DeviceId("201"), true});
  pbx().pass(11s);
  EXPECT_EQ(pbx().verdict(id), "outcome_unknown");
  EXPECT_THAT(std::get<call::Refusal>(*pbx().reply(id)).detail, HasSubstr("PbxApi"));
}

// ---- Limits.

TEST_F(InnovaphoneCommands, HaveALimit) {
  for (int i = 0; i < 1'000; ++i) pbx().ask(call::MakeCall{DeviceId("201"), "202", {}});
  EXPECT_EQ(pbx().verdict(pbx().ask(call::MakeCall{DeviceId("201"), "202", {}})),
            "too_many_requests");
  EXPECT_EQ(pbx().verdict(pbx().ask(call::MakeCall{DeviceId("201"), "202", {}}, 0s)), "timed_out");
  pbx().pass(31s);
  EXPECT_EQ(pbx().replies.size(), 1'002u);
}

}  // namespace
}  // namespace pbx::innovaphone
