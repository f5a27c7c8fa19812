#include "pbx/webitel/commander.h"

namespace pbx::webitel {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST_F(WebitelCommands, AlternateTwoCalls) {
  talk("one");
  holds("one");
  talk("two");
  const auto id = ask(call::AlternateCall{target("two"), target("one")});
  EXPECT_THAT(take_texts(), ElementsAre(HasSubstr(R"("call_hold","data":{"id":"two")")));
  ok();
  EXPECT_THAT(texts, IsEmpty());
  holds("two");
  EXPECT_THAT(take_texts(), ElementsAre(HasSubstr(R"("call_unhold","data":{"id":"one")")));
  EXPECT_EQ(verdict(id), "open");
  active("one");
  EXPECT_EQ(verdict(id), "ok one");
}

TEST_F(WebitelCommands, FailAtEachStepOfAnAlternation) {
  talk("one");
  holds("one");
  talk("two");
  const auto id = [&] { return ask(call::AlternateCall{target("two"), target("one")}); };
  const auto first = id();
  fail(404, "call.get_client_by_id.not_found");
  EXPECT_THAT(verdict(first), StartsWith("call_not_found: the PBX"));
  const auto unseen = id();
  ok();
  pass(5s);
  EXPECT_THAT(verdict(unseen), StartsWith("effect_not_seen"));
  const auto second = id();
  const std::uint64_t request = socket.last();
  holds("two");
  fail(500, "late", "", request);  // the first step's: it has worked all the same
  EXPECT_EQ(verdict(second), "open");
  fail(404, "call.get_client_by_id.not_found");
  EXPECT_THAT(verdict(second), StartsWith("call_not_found: after the first step: the PBX"));
  active("two");
  const auto third = id();
  holds("two");
  ok();
  pass(5s);
  EXPECT_THAT(verdict(third), StartsWith("effect_not_seen"));
  active("two");
  const auto fourth = id();
  holds("two");
  hangs_up("one");
  EXPECT_THAT(verdict(fourth), StartsWith("call_not_found: the held call ended"));
  EXPECT_THAT(verdict(id()), StartsWith("call_not_found"));
}

TEST_F(WebitelCommands, ReconnectTheHeldCall) {
  talk("one");
  holds("one");
  talk("two");
  const auto id = ask(call::ReconnectCall{target("two"), target("one")});
  EXPECT_THAT(take_texts(), ElementsAre(HasSubstr(R"("call_hangup","data":{"id":"two")")));
  hangs_up("two");
  EXPECT_THAT(take_texts(), ElementsAre(HasSubstr(R"("call_unhold","data":{"id":"one")")));
  ok();
  active("one");
  EXPECT_EQ(verdict(id), "ok one");
  talk("three");
  EXPECT_THAT(verdict(ask(call::ReconnectCall{target("three"), target("one")})),
              StartsWith("incorrect_state"));
}

TEST_F(WebitelCommands, ConsultSomebodyAndTransfer) {
  talk("one");
  const auto consulted = ask(call::ConsultationCall{target("one"), "103"});
  EXPECT_THAT(take_texts(), ElementsAre(HasSubstr("call_hold")));
  EXPECT_THAT(requests, IsEmpty());
  ok();
  holds("one");
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(line_of(requests.front()),
            R"(POST /calls {"from":{"extension":"101"},"destination":"103"})");
  rings_out("two", "10", "103");
  EXPECT_EQ(verdict(consulted), "ok two");
  answer(200, R"({"id":"two"})");
  active("two");
  bridge("two", "c");

  const auto moved = ask(call::TransferCall{target("two"), target("one")});
  EXPECT_THAT(take_texts(),
              ElementsAre(HasSubstr(R"("call_bridge","data":{"from_id":"one","to_id":"two"})")));
  ok();
  hangs_up("one", "ATTENDED_TRANSFER");
  hangs_up("two", "ATTENDED_TRANSFER");
  EXPECT_EQ(verdict(moved), "ok two");
}

TEST_F(WebitelCommands, FailAtEachStepOfAConsultation) {
  talk("one");
  const auto id = [&] { return ask(call::ConsultationCall{target("one"), "103"}); };
  const auto not_held = id();
  ok();
  pass(5s);
  EXPECT_THAT(verdict(not_held), StartsWith("effect_not_seen"));
  const auto refused = id();
  fail(404, "call.get_client_by_id.not_found");
  EXPECT_THAT(verdict(refused), StartsWith("call_not_found"));
  const auto not_made = id();
  holds("one");
  answer(500, R"({"id":"external.new_call.app_error","detail":"NO_ANSWER"})");
  EXPECT_EQ(verdict(not_made), "pbx_refused: the PBX could not make the call: NO_ANSWER");
  const auto held = id();  // it is already
  EXPECT_THAT(requests, testing::SizeIs(1));
  pass(90s);
  EXPECT_THAT(verdict(held), StartsWith("outcome_unknown"));
  requests.clear();
  EXPECT_THAT(verdict(ask(call::ConsultationCall{target("one"), "?"})),
              StartsWith("invalid_argument"));
  active("one");
  const auto ended = id();
  hangs_up("one");
  EXPECT_EQ(verdict(ended), "call_not_found: the call ended before it could be held");
}

TEST_F(WebitelCommands, RefuseToJoinWhatThePbxCannot) {
  talk("one");
  holds("one");
  talk("two");
  const auto id = ask(call::TransferCall{target("two"), target("one")});
  fail(500, "external.bridge_call.app_error", "Invalid id");
  EXPECT_EQ(verdict(id),
            "pbx_refused: the PBX could not join the two: both other parties have to be connected");
}

TEST_F(WebitelCommands, TransferBlindlyAndDeflect) {
  talk("a");
  const auto moved = ask(call::SingleStepTransferCall{target("a"), "103"});
  EXPECT_THAT(
      take_texts(),
      ElementsAre(HasSubstr(R"("call_blind_transfer","data":{"id":"a","destination":"103"})")));
  ok();
  hangs_up("a", "BLIND_TRANSFER");
  EXPECT_EQ(verdict(moved), "ok a");
  EXPECT_EQ(views.back().legs.back().cause, call::Cause::single_step_transfer);

  rings_in("b", "10");
  const auto away = ask(call::DeflectCall{target("b"), "103"});
  EXPECT_THAT(take_texts(), ElementsAre(HasSubstr(R"("destination":"103")")));
  hangs_up("b", "ORIGINATOR_CANCEL");
  EXPECT_EQ(verdict(away), "ok b");
  EXPECT_EQ(views.back().legs.back().cause, call::Cause::redirected);

  rings_in("c", "10");
  const auto queued = ask(call::DeflectCall{target("c"), "103"});
  fail(400, "app.call.transfer");
  EXPECT_THAT(verdict(queued), StartsWith("incorrect_state"));
  EXPECT_THAT(verdict(ask(call::DeflectCall{target("c"), "x"})), StartsWith("invalid_argument"));
}

TEST_F(WebitelCommands, SendOneDigitAfterTheOther) {
  talk("a");
  const auto id = ask(call::GenerateDigits{target("a"), "5#"});
  EXPECT_THAT(
      take_texts(),
      ElementsAre(HasSubstr(R"("call_dtmf","data":{"id":"a","app_id":"fs-01","dtmf":"5"})")));
  ok();
  EXPECT_THAT(take_texts(), ElementsAre(HasSubstr(R"("dtmf":"#")")));
  EXPECT_EQ(verdict(id), "open");
  ok();
  EXPECT_EQ(verdict(id), "ok a");

  const auto lost = ask(call::GenerateDigits{target("a"), "12"});
  ok();
  pass(5s);
  EXPECT_THAT(verdict(lost), StartsWith("outcome_unknown"));
  const auto refused = ask(call::GenerateDigits{target("a"), "12"});
  ok();
  fail(404, "call.get_client_by_id.not_found");
  EXPECT_THAT(verdict(refused), StartsWith("call_not_found"));
  EXPECT_THAT(verdict(ask(call::GenerateDigits{target("a"), "1x"})),
              StartsWith("invalid_argument: digits: "));
  const auto cut = ask(call::GenerateDigits{target("a"), "12"});
  hangs_up("a");
  EXPECT_EQ(verdict(cut), "call_not_found: the call ended before all digits were sent");
}

}  // namespace
}  // namespace pbx::webitel
