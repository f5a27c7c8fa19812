#include "pbx/innova360/tenant.h"

namespace pbx::innova360 {
namespace {

using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Innova360Commands : Innova360 {
  call::MakeCall make_call(const char* device, const char* destination) {
    return {call::DeviceId(device), destination, {}};
  }
  // A command for which 201's agent is open and has nothing else to do.
  void open_agent(const char* extension) {
    const auto id = pbx().ask(make_call(extension, "999"), 30s);
    agent_ready(extension);
    new_call(extension, "open", "out", extension, "999");
    hangup(extension, "open");
    ASSERT_EQ(pbx().verdict(id), std::string("ok ") + extension + "/open");
    pbx().take_events();
    pbx().take_sent(last_link());
  }
  std::string detail(call::CommandId id) {
    const auto* reply = pbx().reply(id);
    return reply ? std::get<call::Refusal>(*reply).detail : "";
  }
};

TEST_F(Innova360Commands, MakeACallFromLoginToConversation) {
  log_in();
  const auto id = pbx().ask(make_call("201", "+34 600"));
  EXPECT_EQ(pbx().opened.back().second.target, "/agent");
  agent_welcome();
  EXPECT_THAT(pbx().take_sent(last_link()),
              ElementsAre(R"({"type":"auth-plain","user":"u201","passwd":"p201"})"));
  agent_granted("201");
  EXPECT_THAT(pbx().take_sent(last_link()), IsEmpty());
  agent_init("201");
  EXPECT_THAT(pbx().take_sent(last_link()),
              ElementsAre(R"({"type":"action","action":"call","phone":"+34 600"})"));
  EXPECT_EQ(pbx().verdict(id), "open");

  new_call("201", "1", "out", "201", "+34600", last_link());  // an agent proves nothing
  EXPECT_EQ(pbx().verdict(id), "open");
  new_call("201", "1", "out", "201", "+34600");
  EXPECT_EQ(pbx().verdict(id), "ok 201/1");
  EXPECT_THAT(pbx().take_events(), ElementsAre("serviceInitiated 201 (makeCall) by 1"));
  state("201", "1", "Ringing");
  EXPECT_THAT(pbx().take_events(), IsEmpty());
  state("201", "1", "Up");
  EXPECT_THAT(pbx().take_events(), ElementsAre("originated 201"));
  state("201", "1", "Dialing");
  state("201", "1", "Ring");
  EXPECT_THAT(pbx().take_events(), ElementsAre("delivered +34600"));
  state("201", "1", "Up");
  EXPECT_THAT(pbx().take_events(), ElementsAre("established +34600"));
}

TEST_F(Innova360Commands, MakeACallThatTheOwnPhoneDoesNotAnswer) {
  log_in();
  pbx().ask(make_call("201", "202"));
  agent_ready("201");
  new_call("201", "1", "out", "201", "202");
  state("201", "1", "Ringing");
  hangup("201", "1", "19");
  EXPECT_THAT(
      pbx().take_events(),
      ElementsAre("serviceInitiated 201 (makeCall) by 1", "failed 201 (callNotAnswered)",
                  "connectionCleared 201 (callNotAnswered)", "callCleared (callNotAnswered)"));
}

TEST_F(Innova360Commands, MakeACallFromAPhoneThatDialsByItself) {
  log_in();
  pbx().ask(make_call("201", "600"));
  agent_ready("201");
  new_call("201", "1", "out", "201", "600");
  state("201", "1", "Dialing");
  state("201", "1", "Up");
  EXPECT_THAT(pbx().take_events(),
              ElementsAre("serviceInitiated 201 (makeCall) by 1", "originated 201", "delivered 600",
                          "established 600"));
}

TEST_F(Innova360Commands, MakeACallWithTheTwoFieldsOfTheCallLog) {
  log_in();
  pbx().ask(
      call::MakeCall{call::DeviceId("201"), "600", {{"customfield1", "a"}, {"customfield2", "b"}}});
  agent_ready("201");
  EXPECT_THAT(pbx().take_sent(last_link()),
              ElementsAre(HasSubstr(R"("customfield1":"a","customfield2":"b")")));
  const auto id = pbx().ask(call::MakeCall{call::DeviceId("201"), "600", {{"order", "1"}}});
  EXPECT_EQ(pbx().verdict(id), "invalid_argument");
}

TEST_F(Innova360Commands, AreNotProvenByAnotherCall) {
  log_in();
  const auto id = pbx().ask(make_call("201", "600"));
  agent_ready("201");
  new_call("201", "1", "out", "201", "700");
  new_call("202", "2", "out", "202", "600");
  EXPECT_EQ(pbx().verdict(id), "open");
  EXPECT_THAT(pbx().take_events(), ElementsAre("originated 201", "originated 202"));
  pbx().pass(29'999ms);
  EXPECT_EQ(pbx().verdict(id), "open");
  pbx().pass(1ms);
  EXPECT_EQ(pbx().verdict(id), "effect_not_seen");
}

TEST_F(Innova360Commands, ClearAConnection) {
  log_in();
  talk();
  const auto id = pbx().ask(call::ClearConnection{target("202/12")});
  agent_ready("202");
  EXPECT_THAT(pbx().take_sent(last_link()),
              ElementsAre(R"({"type":"action","action":"hangup","call":["12"]})"));
  hangup("202", "12");
  EXPECT_EQ(pbx().verdict(id), "ok 202/12");
  hangup("201", "11");
  EXPECT_THAT(pbx().take_events(),
              ElementsAre("connectionCleared 202 by 1", "connectionCleared 201", "callCleared"));
}

TEST_F(Innova360Commands, ClearACallWithTheLegsThatCanAct) {
  log_in();
  talk();
  const auto id = pbx().ask(call::ClearCall{{target("201/11"), target("202/12")}});
  ASSERT_THAT(pbx().opened, SizeIs(3));
  agent_ready("202");
  EXPECT_THAT(pbx().take_sent(last_link()), SizeIs(1));
  hangup("202", "12");
  EXPECT_EQ(pbx().verdict(id), "open");
  hangup("201", "11");  // with its partner, before its own agent was ready
  EXPECT_EQ(pbx().verdict(id), "ok ");
}

TEST_F(Innova360Commands, ClearACallOfOneWhoCannotAct) {
  log_in();
  new_call("204", "1", "out", "204", "201");
  new_call("201", "2", "in", "204", "201");
  state("201", "2", "Up");
  const auto id = pbx().ask(call::ClearCall{{target("204/1"), target("201/2")}});
  agent_ready("201");
  hangup("201", "2");
  EXPECT_EQ(pbx().verdict(id), "ok ");
  const auto other = pbx().ask(call::ClearCall{{target("204/1")}});
  EXPECT_EQ(pbx().verdict(other), "credentials_missing");
  EXPECT_EQ(pbx().verdict(pbx().ask(call::ClearCall{})), "call_not_found");
}

TEST_F(Innova360Commands, ClearACallWhenOneOfItsAgentsFails) {
  log_in();
  talk();
  const auto id = pbx().ask(call::ClearCall{{target("201/11"), target("202/12")}});
  const LinkId first = pbx().opened[1].first, second = pbx().opened[2].first;
  pbx().lose(first);
  EXPECT_EQ(pbx().verdict(id), "open");
  pbx().lose(second);
  EXPECT_EQ(pbx().verdict(id), "pbx_disconnected");
}

TEST_F(Innova360Commands, TransferACallBlindly) {
  log_in();
  talk();
  const auto id = pbx().ask(call::SingleStepTransferCall{target("202/12"), "203"});
  agent_ready("202");
  EXPECT_THAT(
      pbx().take_sent(last_link()),
      ElementsAre(R"({"type":"action","action":"blindtransfer","call":"12","phone":"203"})"));
  hangup("202", "12");
  EXPECT_EQ(pbx().verdict(id), "ok 202/12");
  EXPECT_THAT(pbx().take_events(), ElementsAre("transferred 202 (singleStepTransfer) by 1",
                                               "connectionCleared 202 (singleStepTransfer) by 1"));
  new_call("203", "13", "in", "201", "203");
  state("203", "13", "Ringing");
  state("203", "13", "Up");
  EXPECT_THAT(pbx().take_events(), ElementsAre("delivered 203", "established 203"));
  EXPECT_THAT(pbx().tracker.book().calls, SizeIs(1));
}

TEST_F(Innova360Commands, TransferACallWhoseNewLegComesFirst) {
  log_in();
  talk();
  pbx().ask(call::SingleStepTransferCall{target("202/12"), "203"});
  agent_ready("202");
  new_call("203", "13", "in", "202", "203");
  state("203", "13", "Ringing");
  hangup("202", "12");
  EXPECT_THAT(pbx().take_events(),
              ElementsAre("delivered 203", "transferred 202 (singleStepTransfer) by 1",
                          "connectionCleared 202 (singleStepTransfer) by 1"));
  EXPECT_THAT(pbx().tracker.book().calls, SizeIs(1));
}

TEST_F(Innova360Commands, TransferACallerFromOutsideWhoStaysInTheCall) {
  log_in();
  new_call("202", "12", "in", "600", "202");
  state("202", "12", "Up");
  pbx().take_events();
  pbx().ask(call::SingleStepTransferCall{target("202/12"), "203"});
  agent_ready("202");
  hangup("202", "12");
  EXPECT_THAT(pbx().take_events(), ElementsAre("transferred 202 (singleStepTransfer) by 1",
                                               "connectionCleared 202 (singleStepTransfer) by 1"));
  new_call("203", "13", "in", "600", "203");
  state("203", "13", "Up");
  EXPECT_THAT(pbx().take_events(), ElementsAre("delivered 203", "established 203"));
  hangup("203", "13");
  EXPECT_THAT(pbx().take_events(),
              ElementsAre("connectionCleared 600", "connectionCleared 203", "callCleared"));
}

TEST_F(Innova360Commands, TransferACallerOutOfSight) {
  log_in();
  new_call("202", "12", "in", "600", "202");
  state("202", "12", "Up");
  pbx().ask(call::SingleStepTransferCall{target("202/12"), "700"});
  agent_ready("202");
  hangup("202", "12");
  pbx().take_events();
  pbx().pass(5s);
  EXPECT_THAT(pbx().take_events(),
              ElementsAre("connectionCleared 600 (normal)", "callCleared (normal)"));
}

TEST_F(Innova360Commands, TransferOnlyWhatIsAnswered) {
  log_in();
  new_call("202", "12", "in", "600", "202");
  state("202", "12", "Ringing");
  EXPECT_EQ(pbx().verdict(pbx().ask(call::SingleStepTransferCall{target("202/12"), "203"})),
            "incorrect_state");
}

TEST_F(Innova360Commands, AreRefusedForWhatTheProtocolLacks) {
  log_in();
  talk();
  const call::Target it = target("202/12");
  const call::DeviceId device("202");
  const call::Command commands[] = {
      call::AnswerCall{it},
      call::HoldCall{it},
      call::RetrieveCall{it},
      call::AlternateCall{it, it},
      call::ReconnectCall{it, it},
      call::ConsultationCall{it, "203"},
      call::TransferCall{it, it},
      call::DeflectCall{it, "203"},
      call::ConferenceCall{it, it},
      call::DirectedPickupCall{device, it},
      call::ParkCall{it, "1"},
      call::GenerateDigits{it, "1"},
      call::StartRecording{it},
      call::StopRecording{it},
      call::AssociateData{it, {}},
      call::SetDoNotDisturb{device, true},
      call::SetForwarding{device, {}},
      call::SetPresence{device, "away", ""},
      call::SetAgentState{device, call::AgentState::ready, ""},
  };
  for (const call::Command& command : commands) {
    EXPECT_EQ(pbx().verdict(pbx().ask(command)), "feature_not_supported") << command.index();
  }
  EXPECT_THAT(pbx().opened, SizeIs(1));
}

TEST_F(Innova360Commands, AreRefusedForWhoCannotActAndWhatIsNotThere) {
  log_in();
  talk();
  new_call("201", "1", "out", "201", "600");
  state("201", "1", "Up");
  EXPECT_EQ(pbx().verdict(pbx().ask(make_call("204", "600"))), "credentials_missing");
  EXPECT_EQ(pbx().verdict(pbx().ask(make_call("201", ""))), "invalid_argument");
  EXPECT_EQ(pbx().verdict(pbx().ask(make_call("201", " - "))), "invalid_argument");
  EXPECT_EQ(pbx().verdict(pbx().ask(make_call("201", "6\n7"))), "invalid_argument");
  EXPECT_EQ(pbx().verdict(pbx().ask(call::ClearConnection{{"", "202/99", {}}})),
            "connection_not_found");
  EXPECT_EQ(pbx().verdict(pbx().ask(call::ClearConnection{target("201/1/far")})),
            "credentials_missing");
  EXPECT_EQ(pbx().verdict(pbx().ask(make_call("201", "600"), 0s)), "timed_out");
  EXPECT_THAT(pbx().opened, SizeIs(1));
}

TEST_F(Innova360Commands, AreRefusedBeforeTheLoginIsComplete) {
  pbx().start();
  pbx().hear_all({kWelcome, kGranted});
  EXPECT_EQ(pbx().verdict(pbx().ask(make_call("201", "600"))), "pbx_disconnected");
}

TEST_F(Innova360Commands, AreRefusedWhenTooManyWait) {
  settings.set("commands_max", std::int64_t{2});
  log_in();
  const auto first = pbx().ask(make_call("201", "600"));
  pbx().ask(make_call("201", "601"));
  EXPECT_EQ(pbx().verdict(pbx().ask(make_call("202", "600"))), "too_many_requests");
  pbx().lose(last_link());
  EXPECT_EQ(pbx().verdict(first), "pbx_disconnected");
  const auto later = pbx().ask(make_call("202", "600"));
  EXPECT_EQ(pbx().verdict(later), "open");
}

// ---- What can go wrong on the way, step by step. ----

TEST_F(Innova360Commands, FailAtWhicheverStepTheAgentConnectionIsLost) {
  for (int steps = 0; steps < 4; ++steps) {
    SCOPED_TRACE(steps);
    test::Dialogue other(vendor(), settings);
    other.start();
    other.hear_all({kWelcome, kGranted, kFourIdle});
    const auto id = other.ask(make_call("201", "600"));
    const LinkId link = other.opened.back().first;
    if (steps > 0) other.open(link);
    if (steps > 1) other.hear(kWelcome, link);
    if (steps > 2) other.hear(R"({"type":"auth-resp","auth":"ok","extension":"201"})", link);
    other.lose(link, Errc::connect_failed);
    EXPECT_EQ(other.verdict(id), "pbx_disconnected");
    EXPECT_THAT(std::get<call::Refusal>(*other.reply(id)).detail, HasSubstr("connect_failed"));
    // The next one tries again.
    other.ask(make_call("201", "600"));
    EXPECT_NE(other.opened.back().first, link);
  }
}

TEST_F(Innova360Commands, FailAtWhicheverStepTheAgentConnectionStops) {
  const char* const kStages[] = {"did not open", "not welcomed", "no answer", "no snapshot"};
  for (std::size_t steps = 0; steps < 4; ++steps) {
    SCOPED_TRACE(steps);
    test::Dialogue other(vendor(), settings);
    other.start();
    other.hear_all({kWelcome, kGranted, kFourIdle});
    const auto id = other.ask(make_call("201", "600"));
    const LinkId link = other.opened.back().first;
    if (steps > 0) other.open(link);
    if (steps > 1) other.hear(kWelcome, link);
    if (steps > 2) other.hear(R"({"type":"auth-resp","auth":"ok","extension":"201"})", link);
    other.pass(9'999ms);
    EXPECT_EQ(other.verdict(id), "open");
    other.pass(1ms);
    EXPECT_EQ(other.verdict(id), "pbx_disconnected");
    EXPECT_THAT(std::get<call::Refusal>(*other.reply(id)).detail, HasSubstr(kStages[steps]));
    EXPECT_THAT(other.closed, ElementsAre(link));
  }
}

TEST_F(Innova360Commands, FailWhenTheAgentIsNotWelcomedFirst) {
  log_in();
  const auto id = pbx().ask(make_call("201", "600"));
  pbx().open(last_link());
  pbx().hear(R"({"type":"hello"})", last_link());
  EXPECT_EQ(pbx().verdict(id), "pbx_disconnected");
  EXPECT_THAT(pbx().closed, ElementsAre(last_link()));
}

TEST_F(Innova360Commands, AreOnlyTriedAgainAfterAWhileIfCredentialsAreRefused) {
  log_in();
  const auto id = pbx().ask(make_call("201", "600"));
  agent_welcome();
  pbx().hear(kForbidden, last_link());
  EXPECT_EQ(pbx().verdict(id), "credentials_refused");
  EXPECT_THAT(pbx().closed, ElementsAre(last_link()));
  EXPECT_THAT(pbx().given_up, IsEmpty());  // the supervisor has credentials of its own
  const auto opened = pbx().opened.size();
  pbx().pass(9min);
  EXPECT_EQ(pbx().verdict(pbx().ask(make_call("201", "600"))), "credentials_refused");
  EXPECT_EQ(pbx().verdict(pbx().ask(make_call("202", "600"))), "open");
  EXPECT_EQ(pbx().opened.size(), opened + 1);
  pbx().pass(1min);
  EXPECT_EQ(pbx().verdict(pbx().ask(make_call("201", "600"))), "open");
}

TEST_F(Innova360Commands, DoNotActAsAnotherExtension) {
  log_in();
  const auto id = pbx().ask(make_call("201", "600"));
  agent_welcome();
  agent_granted("203");
  EXPECT_EQ(pbx().verdict(id), "credentials_refused");
  EXPECT_THAT(detail(id), HasSubstr("another extension"));
}

TEST_F(Innova360Commands, TellWhatThePbxSaysAgainstThem) {
  log_in();
  open_agent("201");
  const auto id = pbx().ask(make_call("201", "600"));
  const auto next = pbx().ask(make_call("201", "601"));
  pbx().hear(R"({"type":"error","message":"no permission"})", last_link());
  EXPECT_EQ(pbx().verdict(id), "pbx_refused");
  EXPECT_THAT(detail(id), HasSubstr("no permission"));
  EXPECT_EQ(pbx().verdict(next), "open");
  EXPECT_THAT(pbx().take_sent(last_link()), SizeIs(2));
}

TEST_F(Innova360Commands, AreNotSeenToHaveAnEffectIfThePbxIsSilent) {
  log_in();
  talk();
  const auto clear = pbx().ask(call::ClearConnection{target("202/12")});
  agent_ready("202");
  pbx().pass(4'999ms);
  EXPECT_EQ(pbx().verdict(clear), "open");
  pbx().pass(1ms);
  EXPECT_EQ(pbx().verdict(clear), "effect_not_seen");
  const auto hasty = pbx().ask(call::ClearConnection{target("202/12")}, 2s);
  pbx().pass(2s);
  EXPECT_EQ(pbx().verdict(hasty), "effect_not_seen");
}

TEST_F(Innova360Commands, AreUnknownIfTheConnectionIsLostAfterTheyWereSent) {
  log_in();
  talk();
  const auto id = pbx().ask(call::ClearConnection{target("202/12")});
  agent_ready("202");
  pbx().lose(last_link());
  EXPECT_EQ(pbx().verdict(id), "open");
  pbx().pass(5s);
  EXPECT_EQ(pbx().verdict(id), "outcome_unknown");
}

TEST_F(Innova360Commands, AreProvenEvenAfterTheConnectionIsLost) {
  log_in();
  talk();
  const auto id = pbx().ask(call::ClearConnection{target("202/12")});
  agent_ready("202");
  const auto next = pbx().ask(make_call("202", "600"));
  pbx().lose(last_link());
  EXPECT_EQ(pbx().verdict(next), "pbx_disconnected");
  hangup("202", "12");
  EXPECT_EQ(pbx().verdict(id), "ok 202/12");
}

TEST_F(Innova360Commands, AreLateIfTheAgentIsNotReadyInTheCallersTime) {
  log_in();
  const auto id = pbx().ask(make_call("201", "600"), 3s);
  agent_welcome();
  pbx().pass(3s);
  EXPECT_EQ(pbx().verdict(id), "timed_out");
  agent_granted("201");
  pbx().take_sent(last_link());
  agent_init("201");
  EXPECT_THAT(pbx().take_sent(last_link()), IsEmpty());  // nobody waits for it any more
}

TEST_F(Innova360Commands, AreDoneWhenTheLegEndsByItself) {
  log_in();
  talk();
  const auto clear = pbx().ask(call::ClearConnection{target("202/12")});
  const auto transfer = pbx().ask(call::SingleStepTransferCall{target("202/12"), "203"});
  hangup("202", "12");
  EXPECT_EQ(pbx().verdict(clear), "ok 202/12");
  EXPECT_EQ(pbx().verdict(transfer), "connection_not_found");
  EXPECT_THAT(pbx().take_events(), ElementsAre("connectionCleared 202"));
}

TEST_F(Innova360Commands, AreDoneWhenASecondSnapshotShowsSo) {
  log_in();
  talk();
  const auto id = pbx().ask(call::ClearConnection{target("202/12")});
  agent_ready("202");
  pbx().hear(kFourIdle);
  EXPECT_EQ(pbx().verdict(id), "ok 202/12");
}

// ---- Agents' connections. ----

TEST_F(Innova360Commands, GoOneByOneForEachExtension) {
  log_in();
  const auto first = pbx().ask(make_call("201", "600"));
  const auto second = pbx().ask(make_call("201", "601"));
  EXPECT_THAT(pbx().opened, SizeIs(2));
  agent_ready("201");
  EXPECT_THAT(pbx().take_sent(last_link()), ElementsAre(HasSubstr("600")));
  new_call("201", "1", "out", "201", "601");  // by hand: the second was not sent yet
  EXPECT_EQ(pbx().verdict(second), "open");
  new_call("201", "2", "out", "201", "600");
  EXPECT_EQ(pbx().verdict(first), "ok 201/2");
  EXPECT_THAT(pbx().take_sent(last_link()), ElementsAre(HasSubstr("601")));
  new_call("201", "3", "out", "201", "601");
  EXPECT_EQ(pbx().verdict(second), "ok 201/3");
}

TEST_F(Innova360Commands, KeepTheirConnectionForAWhile) {
  log_in();
  open_agent("201");
  const LinkId link = last_link();
  pbx().pass(4min);
  pbx().ask(make_call("201", "600"), 30s);
  EXPECT_EQ(last_link(), link);
  new_call("201", "1", "out", "201", "600");
  pbx().pass(4min);
  EXPECT_THAT(pbx().closed, IsEmpty());
  pbx().pass(1min);
  EXPECT_THAT(pbx().closed, ElementsAre(link));
  pbx().ask(make_call("201", "600"), 30s);
  EXPECT_NE(last_link(), link);
}

TEST_F(Innova360Commands, CloseTheirConnectionAtOnceIfSoConfigured) {
  settings.set("agent_idle", std::chrono::milliseconds(0));
  log_in();
  const auto id = pbx().ask(make_call("201", "600"));
  agent_ready("201");
  pbx().pass(10s);
  EXPECT_THAT(pbx().closed, IsEmpty());  // not settled yet
  new_call("201", "1", "out", "201", "600");
  EXPECT_EQ(pbx().verdict(id), "ok 201/1");
  EXPECT_THAT(pbx().closed, ElementsAre(last_link()));
}

TEST_F(Innova360Commands, MakeRoomByClosingWhatWasNotUsedForLongest) {
  settings.set("agents_max", std::int64_t{2});
  log_in();
  open_agent("201");
  const LinkId first = last_link();
  pbx().pass(1s);
  open_agent("202");
  pbx().pass(1s);
  const auto id = pbx().ask(make_call("203", "600"));
  EXPECT_THAT(pbx().closed, ElementsAre(first));
  EXPECT_EQ(pbx().verdict(id), "open");
}

TEST_F(Innova360Commands, AreRefusedRatherThanCloseAConnectionInUse) {
  settings.set("agents_max", std::int64_t{1});
  log_in();
  pbx().ask(make_call("201", "600"));
  EXPECT_EQ(pbx().verdict(pbx().ask(make_call("202", "600"))), "too_many_requests");
  agent_ready("201");
  EXPECT_EQ(pbx().verdict(pbx().ask(make_call("202", "600"))), "too_many_requests");
  EXPECT_THAT(pbx().closed, IsEmpty());
}

TEST_F(Innova360Commands, KeepPinnedConnectionsOpen) {
  settings.set("agents", std::map<std::string, Account>{{"201", {"u201", "p201", true}}});
  log_in();
  ASSERT_THAT(pbx().opened, SizeIs(2));
  agent_ready("201");
  pbx().pass(24h);
  EXPECT_THAT(pbx().closed, IsEmpty());
  pbx().lose(last_link());
  EXPECT_THAT(pbx().opened, SizeIs(2));
  pbx().pass(1s);
  ASSERT_THAT(pbx().opened, SizeIs(3));
  pbx().lose(last_link(), Errc::connect_failed);
  pbx().pass(2s);
  EXPECT_THAT(pbx().opened, SizeIs(4));
  agent_welcome();
  pbx().hear(kForbidden, last_link());
  pbx().pass(599s);
  EXPECT_THAT(pbx().opened, SizeIs(4));
  pbx().pass(2s);
  EXPECT_THAT(pbx().opened, SizeIs(5));
}

TEST_F(Innova360Commands, NameALegAsTheAgentsConnectionKnowsIt) {
  log_in();
  talk();
  pbx().ask(call::ClearConnection{target("202/12")});
  agent_ready("202", R"([{"CallID":"a7","CallDirection":"in","PhoneA":"201","PhoneB":"202",)"
                     R"("Status":"6"}])");
  EXPECT_THAT(pbx().take_sent(last_link()), ElementsAre(HasSubstr(R"(["a7"])")));
}

TEST_F(Innova360Commands, NameALegByTheSupervisorsIdIfThatIsKnownOrNothingIs) {
  log_in();
  talk();
  pbx().ask(call::ClearConnection{target("202/12")});
  agent_ready("202", R"([{"CallID":"a7","CallDirection":"in","PhoneA":"201","PhoneB":"202",)"
                     R"("Status":"6"},{"CallID":"12","CallDirection":"in","PhoneA":"201",)"
                     R"("PhoneB":"202","Status":"6"}])");
  EXPECT_THAT(pbx().take_sent(last_link()), ElementsAre(HasSubstr(R"(["12"])")));
  pbx().ask(call::ClearConnection{target("201/11")});
  agent_ready("201");
  EXPECT_THAT(pbx().take_sent(last_link()), ElementsAre(HasSubstr(R"(["11"])")));
}

TEST_F(Innova360Commands, ListenToAgentsForNothingElse) {
  log_in();
  open_agent("201");
  pbx().seen.clear();
  const LinkId link = last_link();
  new_call("201", "1", "out", "201", "600", link);
  update("hangup", "201", R"(,"callid":"1")", link);
  update("extension-status", "201", R"(,"status":"1")", link);
  pbx().hear("nonsense", link);
  pbx().hear(kForbidden, link + 7);  // no link of ours
  EXPECT_THAT(pbx().seen, IsEmpty());
  EXPECT_THAT(pbx().notes, SizeIs(1));
}

}  // namespace
}  // namespace pbx::innova360
