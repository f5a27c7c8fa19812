#include "pbx/webitel/commander.h"

namespace pbx::webitel {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST_F(WebitelCommands, MakeACallThatItsEventProvesBeforeTheReply) {
  const auto id = ask(to("+34 911-222", {{"order_id", "7\""}}));
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests.front().limit, 90s);  // until somebody has picked up
  EXPECT_EQ(line_of(requests.front()),
            R"(POST /calls {"from":{"extension":"101"},"destination":"+34911222",)"
            R"("params":{"variables":{"order_id":"7\""}}})");
  EXPECT_TRUE(commands.wants_calls());
  EXPECT_FALSE(commands.wants_calls());
  rings_out("a", "10", "+34911222");
  EXPECT_EQ(verdict(id), "ok a");
  EXPECT_THAT(causes, ElementsAre(id));
  EXPECT_EQ(views.back().legs.front().cause, call::Cause::make_call);
  active("a");
  answer(200, R"({"id":"a"})");
  EXPECT_EQ(verdict(id), "ok a");
  EXPECT_EQ(commands.deadline(), TimePoint::max());
}

TEST_F(WebitelCommands, MakeACallWhoseReplyComesFirst) {
  const auto id = ask(to("202"));
  commands.wants_calls();
  answer(200, R"({"id":"a"})");
  EXPECT_EQ(verdict(id), "open");  // not before there is such a leg
  EXPECT_TRUE(commands.wants_calls());
  rings_out("x", "10", "909");  // somebody else's
  EXPECT_EQ(verdict(id), "open");
  rings_out("a", "10", "202");
  EXPECT_EQ(verdict(id), "ok a");
}

TEST_F(WebitelCommands, MakeACallThatOnlyAListTellsOf) {
  const auto id = ask(to("0034911222"));
  LegRow row;
  row.id = "a";
  row.app_id = "fs-01";
  row.user = "10";
  row.way = Way::outbound;
  row.step = Step::ringing;
  row.destination = "34911222";
  row.created_at = 1;
  take(legs.on_all_legs({row}, Legs::Coverage::whole, now, now));
  EXPECT_EQ(verdict(id), "ok a");
  EXPECT_THAT(causes, ElementsAre(id));
}

TEST_F(WebitelCommands, TakeNoLegForTheirsThatWasThereBeforeOrIsAnothersOrGoesElsewhere) {
  rings_out("old", "10", "202");
  const auto id = ask(to("202"));
  active("old");
  rings_out("b", "11", "202");
  rings_out("c", "10", "303");
  rings_in("d", "10");
  EXPECT_EQ(verdict(id), "open");
  EXPECT_THAT(causes, IsEmpty());
  const auto second = ask(to("202"));
  rings_out("e", "10", "202");
  EXPECT_EQ(verdict(id), "ok e");
  active("e");
  EXPECT_EQ(verdict(second), "open");  // one leg is one command's
  rings_out("f", "10", "202");
  EXPECT_EQ(verdict(second), "ok f");
}

TEST_F(WebitelCommands, TellWhyACallWasNotMade) {
  const auto verdict_of = [&](unsigned status, std::string body) {
    const auto id = ask(to("202"));
    answer(status, std::move(body));
    return verdict(id);
  };
  EXPECT_EQ(verdict_of(500, R"({"id":"external.new_call.app_error","code":500,)"
                            R"("detail":"to 34911222: USER_NOT_REGISTERED"})"),
            "pbx_refused: the PBX could not make the call: USER_NOT_REGISTERED");
  EXPECT_EQ(verdict_of(403, R"({"id":"api.context.permissions.app_error","code":403,)"
                            R"("detail":"userId=1, permission=calls access=create"})"),
            "permission_denied: the service user lacks the permission calls create");
  EXPECT_EQ(verdict_of(500, R"({"id":"api.context.session_expired.app_error","code":401,)"
                            R"("detail":"token=s3rv1cet0kens3rv1cet0ken00"})"),
            "credentials_refused: the PBX no longer takes the service user's token");
  EXPECT_EQ(verdict_of(400, R"({"id":"app.call.create.valid.agent","code":400})"),
            "pbx_refused: the agent is in a call");
  EXPECT_EQ(verdict_of(429, ""), "too_many_requests: the PBX takes no more requests for now");
  EXPECT_EQ(verdict_of(500, "oops"), "pbx_refused: the PBX answered with status 500");
  const auto unsent = ask(to("202"));
  answer(Errc::connect_failed);
  EXPECT_THAT(verdict(unsent), StartsWith("pbx_disconnected"));
}

TEST_F(WebitelCommands, WaitForTheEffectOfACallWhoseReplyIsLost) {
  const auto broken_off = ask(to("202"));
  answer(Errc::link_lost);
  EXPECT_EQ(verdict(broken_off), "open");
  EXPECT_TRUE(commands.wants_calls());
  rings_out("a", "10", "202");
  EXPECT_EQ(verdict(broken_off), "ok a");

  const auto unreadable = ask(to("203"));
  answer(200, "{}");
  const auto gateway = ask(to("204"));
  answer(504, "<html>");
  const auto silent = ask(to("205"));
  const auto nothing = ask(to("206"));
  requests.erase(requests.begin());
  answer(200, R"({"id":"never-seen"})");
  pass(5s);
  EXPECT_THAT(verdict(nothing), StartsWith("effect_not_seen"));
  EXPECT_EQ(verdict(silent), "open");
  pass(85s);
  EXPECT_THAT(verdict(unreadable), StartsWith("outcome_unknown"));
  EXPECT_THAT(verdict(gateway), StartsWith("outcome_unknown"));
  EXPECT_THAT(verdict(silent), StartsWith("outcome_unknown"));
}

TEST_F(WebitelCommands, RefuseWhatCannotBeDialled) {
  for (const char* number : {"", " - ", "bob2", "+", "1;2", "\"1"}) {
    EXPECT_THAT(verdict(ask(to(number))), StartsWith("invalid_argument: destination: ")) << number;
  }
  EXPECT_THAT(verdict(ask(to(std::string(65, '1')))), StartsWith("invalid_argument"));
  EXPECT_EQ(verdict(ask(to("202", {{"sip_auto_answer,x", "1"}}))),
            "invalid_argument: data: the name 'sip_auto_answer,x' must be of letters, digits and "
            "underscores, 64 at most");
  EXPECT_THAT(verdict(ask(to("202", {{std::string(65, 'a'), "1"}}))), StartsWith("invalid"));
  EXPECT_EQ(verdict(ask(call::MakeCall{call::DeviceId("999"), "202", {}})),
            "device_not_found: no user of the PBX has this extension");
  EXPECT_EQ(verdict(ask(to("202"), 0ms)), "timed_out: no time was left to do it in");
  EXPECT_THAT(requests, IsEmpty());
}

TEST_F(WebitelCommands, HangUpWithTheCauseOfTheDirection) {
  rings_in("in", "10");
  const auto reject = ask(call::ClearConnection{target("in")});
  EXPECT_THAT(take_texts(), ElementsAre(R"({"seq":1,"action":"call_hangup","data":{"id":"in",)"
                                        R"("app_id":"fs-01","cause":"USER_BUSY"}})"));
  ok();
  EXPECT_EQ(verdict(reject), "open");  // accepted, not happened
  EXPECT_TRUE(commands.wants_calls());
  hangs_up("in", "USER_BUSY");
  EXPECT_EQ(verdict(reject), "ok in");
  EXPECT_EQ(causes.back(), reject);

  rings_out("out", "10", "202", false);
  ask(call::ClearConnection{target("out")});
  EXPECT_THAT(take_texts(), ElementsAre(HasSubstr(R"("cause":"ORIGINATOR_CANCEL")")));
  talk("b");
  const auto end = ask(call::ClearConnection{target("b")});
  EXPECT_THAT(take_texts(), ElementsAre(testing::Not(HasSubstr("cause"))));
  hangs_up("b");
  EXPECT_EQ(verdict(end), "ok b");
  ok();  // the reply may come after the effect
  EXPECT_EQ(verdict(end), "ok b");
}

TEST_F(WebitelCommands, EndAllLegsOfACall) {
  rings_out("a", "10", "102", false);
  rings_in("b", "11", "a");
  active("b", "11");
  bridge("a", "b");
  const auto id = ask(call::ClearCall{{target("a"), target("b", "102"), target("gone")}});
  EXPECT_THAT(take_texts(), ElementsAre(HasSubstr(R"("id":"a")"), HasSubstr(R"("id":"b")")));
  fail(404, "call.get_client_by_id.not_found", "", 1);  // the other's may do
  EXPECT_EQ(verdict(id), "open");
  hangs_up("a");
  EXPECT_EQ(verdict(id), "open");
  hangs_up("b", "NORMAL_CLEARING", "11");
  EXPECT_EQ(verdict(id), "ok ");
  EXPECT_THAT(verdict(ask(call::ClearCall{{target("gone")}})), StartsWith("call_not_found"));
}

TEST_F(WebitelCommands, HoldAndRetrieve) {
  talk("a");
  const auto hold = ask(call::HoldCall{target("a")});
  EXPECT_THAT(take_texts(),
              ElementsAre(R"({"seq":1,"action":"call_hold","data":{"id":"a","app_id":"fs-01"}})"));
  holds("a");
  EXPECT_EQ(verdict(hold), "ok a");
  EXPECT_THAT(verdict(ask(call::HoldCall{target("a")})), StartsWith("incorrect_state"));
  const auto back = ask(call::RetrieveCall{target("a")});
  EXPECT_THAT(take_texts(), ElementsAre(HasSubstr("call_unhold")));
  ok();
  active("a");
  EXPECT_EQ(verdict(back), "ok a");
  EXPECT_THAT(verdict(ask(call::RetrieveCall{target("a")})), StartsWith("incorrect_state"));
  EXPECT_THAT(causes, ElementsAre(hold, back));
}

TEST_F(WebitelCommands, FailAtEachStepOfAHold) {
  talk("a");
  const auto id = [&] { return ask(call::HoldCall{target("a")}); };
  const auto nothing_happens = id();
  ok();
  pass(5s);
  EXPECT_EQ(verdict(nothing_happens),
            "effect_not_seen: the PBX took it, but it had no visible effect");
  const auto silent = id();
  pass(5s);
  EXPECT_THAT(verdict(silent), StartsWith("outcome_unknown"));
  ok();  // too late: nobody waits any more
  const auto short_of_time = ask(call::HoldCall{target("a")}, 1s);
  pass(1s);
  EXPECT_THAT(verdict(short_of_time), StartsWith("outcome_unknown"));
  const auto missing = id();
  fail(404, "call.get_client_by_id.not_found");
  EXPECT_THAT(verdict(missing), StartsWith("call_not_found"));
  const auto denied = id();
  fail(403, "api.context.permissions.app_error", "userId=1, permission=calls access=update");
  EXPECT_THAT(verdict(denied), HasSubstr("permission_denied"));
  const auto expired = id();
  fail(500, "api.web_socket_router.not_authenticated.app_error");
  EXPECT_THAT(verdict(expired), StartsWith("credentials_refused"));
  const auto odd = id();
  fail(400, "api.websocket_handler.invalid_param.app_error", "8kfu3oq1hb8kfu3oq1hb");
  EXPECT_EQ(verdict(odd),
            "pbx_refused: the PBX refused it: api.websocket_handler.invalid_param.app_error");
  const auto late = id();
  hangs_up("a");
  EXPECT_EQ(verdict(late), "call_not_found: the call ended before it could be done");
  EXPECT_THAT(verdict(id()), StartsWith("call_not_found"));
  Effects effects;
  EXPECT_FALSE(commands.on_reply({999, true, {}, 0, {}, {}}, now, effects));
  EXPECT_FALSE(commands.on_http(999, HttpReply{200, {}, {}}, now, effects));
}

TEST_F(WebitelCommands, LeavesNothingExpectedOfWhatThePbxRefused) {
  const auto row = [](const char* id) {
    LegRow it;
    it.id = id;
    it.app_id = "fs-01";
    it.user = "10";
    it.way = Way::outbound;
    it.step = Step::ringing;
    it.destination = "102";
    return it;
  };
  const auto refused = ask(to("102"));
  answer(500, R"({"id":"external.new_call.app_error","detail":"USER_BUSY","code":500})");
  EXPECT_THAT(verdict(refused), HasSubstr("pbx_refused"));
  // Dialled on the phone, a moment later.
  take(legs.on_all_legs({row("P")}, Coverage::whole, now, now));
  EXPECT_FALSE(legs.find("P")->originate);
  // While one is still under way, it is still awaited.
  take(legs.on_all_legs({}, Coverage::whole, now + 1s, now + 1s));
  ask(to("102"));
  const auto second = ask(to("103"));
  std::swap(requests[0], requests[1]);
  answer(500, R"({"id":"app.call.create.valid.busy","detail":"d","code":500})");
  EXPECT_THAT(verdict(second), HasSubstr("pbx_refused"));
  take(legs.on_all_legs({row("Q")}, Coverage::whole, now + 2s, now + 2s));
  EXPECT_TRUE(legs.find("Q")->originate);
}

}  // namespace
}  // namespace pbx::webitel
