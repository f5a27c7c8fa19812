#include "pbx/webitel/commands.h"

#include <memory>
#include <optional>

#include "pbx/webitel/parts.h"

namespace pbx::webitel {
namespace {

using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using Kind = LegEvent::Kind;

struct WebitelCommands : Parts {
  // What was told, and which command was named as its cause: "a hangup transfer by 1".
  void take(Legs::Output seen) {
    for (Legs::Seen& it : seen) {
      if (const auto cause = commands.cause_of(it)) causes.push_back(*cause);
      views.push_back(it.view);
    }
    Effects effects;
    commands.review(now, effects);
    keep(effects);
  }
  void event(LegEvent it) {
    it.app_id = "fs-01";
    it.told_at = ++clock;
    take(legs.on_event(it, now));
  }
  LegEvent leg(Kind kind, std::string id, std::string user = "10") {
    LegEvent it;
    it.kind = kind;
    it.id = std::move(id);
    it.user = std::move(user);
    return it;
  }
  void rings_out(const std::string& id, const std::string& user, const std::string& number,
                 bool originate = true) {
    LegEvent it = leg(Kind::ringing, id, user);
    it.way = Way::outbound;
    it.destination = number;
    it.from = {"user", user == "10" ? "101" : "102", "", user};
    it.originate = originate;
    event(it);
  }
  void rings_in(const std::string& id, const std::string& user, const std::string& parent = "") {
    LegEvent it = leg(Kind::ringing, id, user);
    it.way = Way::inbound;
    it.parent = parent;
    it.destination = user == "11" ? "102" : "101";
    it.from = {"gateway", "34911555", "", ""};
    it.to = End{"user", it.destination, "", user};
    event(it);
  }
  void active(const std::string& id, const std::string& user = "10") {
    event(leg(Kind::active, id, user));
  }
  void bridge(const std::string& id, const std::string& other, const std::string& user = "10") {
    LegEvent it = leg(Kind::bridge, id, user);
    it.bridged = other;
    event(it);
  }
  void holds(const std::string& id) { event(leg(Kind::hold, id)); }
  void hangs_up(const std::string& id, std::string cause = "NORMAL_CLEARING",
                const std::string& user = "10") {
    LegEvent it = leg(Kind::hangup, id, user);
    it.cause = std::move(cause);
    event(it);
  }
  // A call that 101 is in and talks.
  void talk(const std::string& id) {
    rings_in(id, "10");
    active(id);
    take_texts();
  }

  call::CommandId ask(const call::Command& command, std::chrono::milliseconds limit = 2min) {
    const call::CommandId id = ++last;
    Effects effects;
    commands.ask(id, command, now + limit, now, effects);
    keep(effects);
    return id;
  }
  // To the request on the socket with this number; 0: the one made last.
  void ok(std::uint64_t request = 0, std::string data = {}) {
    reply({request == 0 ? socket.last() : request, true, std::move(data), 0, {}, {}});
  }
  void fail(unsigned code, std::string id, std::string detail = {}, std::uint64_t request = 0) {
    reply({request == 0 ? socket.last() : request,
           false,
           {},
           code,
           std::move(id),
           std::move(detail)});
  }
  void reply(const SocketReply& it) {
    Effects effects;
    EXPECT_TRUE(commands.on_reply(it, now, effects));
    keep(effects);
  }
  void answer(unsigned status, std::string body = {}) {
    Effects effects;
    EXPECT_TRUE(
        commands.on_http(take_request().id, HttpReply{status, {}, std::move(body)}, now, effects));
    keep(effects);
  }
  void answer(Errc failure) {
    Effects effects;
    EXPECT_TRUE(commands.on_http(take_request().id, base::Error(failure), now, effects));
    keep(effects);
  }
  void review() {
    Effects effects;
    commands.review(now, effects);
    keep(effects);
  }
  void pass(std::chrono::milliseconds span) {
    const TimePoint until = now + span;
    while (commands.deadline() <= until) {
      now = std::max(now, commands.deadline());
      Effects effects;
      commands.on_tick(now, effects);
      keep(effects);
      if (commands.deadline() <= now) {
        ADD_FAILURE() << "a deadline did not move on";
        break;
      }
    }
    now = until;
  }
  std::string verdict(call::CommandId id) {
    if (const auto it = answers.find(id); it != answers.end()) {
      if (const auto* outcome = std::get_if<call::Outcome>(&it->second.front());
          outcome && it->second.size() == 1) {
        return "ok " + outcome->leg;
      }
      return words_of(it->second);
    }
    return "open";
  }
  static call::Target target(std::string leg, const char* device = "101") {
    return {"", std::move(leg), call::DeviceId(device)};
  }
  static call::MakeCall to(std::string number, std::map<std::string, std::string> data = {}) {
    return {call::DeviceId("101"), std::move(number), std::move(data)};
  }

  Commands commands{{90s, 5s, 4}, rest, socket, legs, directory};
  std::vector<call::CommandId> causes;
  std::vector<call::CallView> views;
  call::CommandId last = 0;
  std::int64_t clock = 1'795'250'277'000;
};

// ---- Calls.

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

// ---- Two steps.

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

// ---- Devices.

TEST_F(WebitelCommands, SetDoNotDisturb) {
  const auto id = ask(call::SetDoNotDisturb{call::DeviceId("101"), true});
  EXPECT_EQ(line_of(requests.front()), R"(PATCH /users/10/presence {"status":"dnd"})");
  review();
  EXPECT_EQ(verdict(id), "open");
  answer(200, "{}");
  EXPECT_EQ(verdict(id), "open");
  EXPECT_TRUE(commands.wants_people());
  EXPECT_FALSE(commands.wants_people());
  presence("{sip,dnd}");
  review();
  EXPECT_EQ(verdict(id), "ok ");
  const auto off = ask(call::SetDoNotDisturb{call::DeviceId("101"), false});
  EXPECT_EQ(line_of(requests.front()), R"(PATCH /users/10/presence {"status":""})");
  answer(Errc::link_lost);  // and was carried out
  presence("sip");
  review();
  EXPECT_EQ(verdict(off), "ok ");
}

TEST_F(WebitelCommands, FailAtEachStepOfDoNotDisturb) {
  const auto id = [&](bool on = true) {
    return ask(call::SetDoNotDisturb{call::DeviceId("101"), on});
  };
  const auto denied = id();
  answer(403, R"({"detail":"permission=users access=update","code":403})");
  EXPECT_EQ(verdict(denied),
            "permission_denied: the service user lacks the permission users update");
  // It is off already, but that does not mean that the PBX will take it.
  const auto off = id(false);
  review();
  EXPECT_EQ(verdict(off), "open");
  answer(403, "");
  EXPECT_THAT(verdict(off), StartsWith("permission_denied"));
  const auto missing = id();
  answer(404, "");
  EXPECT_THAT(verdict(missing), StartsWith("resource_not_found"));
  const auto nothing = id();
  answer(200, "");
  pass(5s);
  EXPECT_THAT(verdict(nothing), StartsWith("effect_not_seen"));
  const auto lost = id();
  answer(Errc::timed_out);
  EXPECT_TRUE(commands.wants_people());
  review();
  pass(5s);
  EXPECT_THAT(verdict(lost), StartsWith("outcome_unknown"));
  EXPECT_THAT(verdict(ask(call::SetDoNotDisturb{call::DeviceId("9"), true})),
              StartsWith("device_not_found"));
}

TEST_F(WebitelCommands, SetAgentStates) {
  const auto set = [&](call::AgentState state, std::string reason = {}) {
    return ask(call::SetAgentState{call::DeviceId("101"), state, std::move(reason)});
  };
  const auto ready = set(call::AgentState::ready);
  EXPECT_EQ(line_of(requests.front()), R"(PATCH /call_center/agents/5/status {"status":"online"})");
  answer(200, R"({"status":"OK"})");
  EXPECT_EQ(verdict(ready), "open");
  EXPECT_TRUE(commands.wants_people());
  agents("online", "", "bridged");  // and got a call at once
  review();
  EXPECT_EQ(verdict(ready), "ok ");

  const auto pause = set(call::AgentState::not_ready, "lunch");
  EXPECT_EQ(line_of(requests.front()),
            R"(PATCH /call_center/agents/5/status {"status":"pause","payload":"lunch"})");
  answer(200, "");
  agents("pause", "other");
  review();
  EXPECT_EQ(verdict(pause), "open");
  agents("pause", "lunch");
  review();
  EXPECT_EQ(verdict(pause), "ok ");

  const auto off = set(call::AgentState::logged_off, "tired");
  EXPECT_EQ(line_of(requests.front()),
            R"(PATCH /call_center/agents/5/status {"status":"offline"})");
  agents("offline", "");
  review();
  EXPECT_EQ(verdict(off), "open");  // the effect before the reply
  answer(200, "");
  EXPECT_EQ(verdict(off), "ok ");
}

TEST_F(WebitelCommands, TellWhyAnAgentsStateWasNotSet) {
  const auto set = [&](call::AgentState state, std::string reason = {}) {
    return ask(call::SetAgentState{call::DeviceId("101"), state, std::move(reason)});
  };
  const auto already = set(call::AgentState::logged_off);
  answer(500, R"({"id":"app.agent.logout.app_err","code":400,"detail":"already"})");
  EXPECT_EQ(verdict(already), "ok ");
  const auto rejected = set(call::AgentState::ready);
  answer(500, R"({"id":"app.agent.login.app_err","code":400,"detail":"no"})");
  EXPECT_EQ(verdict(rejected), "pbx_refused: the PBX did not make the agent ready");
  const auto policy = set(call::AgentState::not_ready, "lunch");
  answer(500, R"({"id":"app.agent.set_pause.not_allow","code":400})");
  EXPECT_EQ(verdict(policy), "pbx_refused: the agent's team does not allow this pause now");
  const auto nothing = set(call::AgentState::ready);
  answer(200, R"({"status":"OK"})");
  pass(5s);
  EXPECT_THAT(verdict(nothing), StartsWith("effect_not_seen"));
  for (const auto state : {call::AgentState::busy, call::AgentState::working_after_call}) {
    EXPECT_THAT(verdict(set(state)), StartsWith("invalid_argument: agent_state: cannot be asked"));
  }
  EXPECT_THAT(verdict(ask(call::SetAgentState{call::DeviceId("102"), call::AgentState::ready, {}})),
              StartsWith("resource_not_found"));
  EXPECT_THAT(verdict(ask(call::SetAgentState{call::DeviceId("9"), call::AgentState::ready, {}})),
              StartsWith("device_not_found"));
}

TEST_F(WebitelCommands, SayWhatTheyCannot) {
  talk("a");
  EXPECT_THAT(verdict(ask(call::AnswerCall{target("a")})), StartsWith("feature_not_supported"));
  EXPECT_THAT(verdict(ask(call::ParkCall{target("a"), "1"})), StartsWith("feature_not_supported"));
  EXPECT_THAT(texts, IsEmpty());
}

TEST_F(WebitelCommands, AreLimitedInNumber) {
  for (const char* number : {"1", "2", "3", "4"}) EXPECT_EQ(verdict(ask(to(number))), "open");
  EXPECT_THAT(verdict(ask(to("5"))), StartsWith("too_many_requests"));
  pass(90s);
  for (call::CommandId id = 1; id <= 4; ++id) {
    EXPECT_THAT(verdict(id), StartsWith("outcome_unknown"));
  }
}

TEST_F(WebitelCommands, ForgetRepliesThatNeverCome) {
  talk("a");
  for (int i = 0; i < 200; ++i) {
    ask(call::HoldCall{target("a")});
    pass(5s);
  }
  Effects effects;
  EXPECT_FALSE(commands.on_reply({1, true, {}, 0, {}, {}}, now, effects));
  ok(200);
  EXPECT_EQ(answers.size(), 200u);
}

}  // namespace
}  // namespace pbx::webitel
