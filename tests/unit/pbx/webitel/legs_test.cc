#include "pbx/webitel/legs.h"

#include "pbx/webitel/tenant.h"

// What consumers are told of calls, from sockets and from lists.
namespace pbx::webitel {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

struct WebitelLegs : Webitel {
  std::size_t calls() { return pbx().tracker.book().calls.size(); }
};

// ---- From sockets.

TEST_F(WebitelLegs, TellsAnInternalCall) {
  log_in_with_users();
  own(10, "ringing", "A", outbound("2010", "2011"));
  own(11, "ringing", "B", inbound("2010", "2011", "A"));
  EXPECT_THAT(events(), ElementsAre("originated 2010", "delivered 2011"));
  own(10, "progress", "A");
  EXPECT_THAT(events(), IsEmpty());
  own(11, "active", "B");
  own(11, "bridge", "B", bridged("A", "2010"));
  own(10, "active", "A");
  own(10, "bridge", "A", bridged("B", "2011"));
  EXPECT_THAT(events(), ElementsAre("established 2011"));
  own(11, "hold", "B");
  own(11, "active", "B");
  EXPECT_THAT(events(), ElementsAre("held 2011", "retrieved 2011"));
  own(10, "hangup", "A", R"(,"cause":"NORMAL_CLEARING","sip":200)");
  own(11, "hangup", "B", R"(,"cause":"NORMAL_CLEARING","sip":200)");
  EXPECT_THAT(events(),
              ElementsAre("connectionCleared 2010", "connectionCleared 2011", "callCleared"));
  EXPECT_EQ(calls(), 0u);
}

TEST_F(WebitelLegs, TellsItInWhateverOrderTheSocketsDo) {
  log_in_with_users();
  own(11, "ringing", "B", inbound("2010", "2011", "A"));
  EXPECT_THAT(events(), ElementsAre("originated 2010", "delivered 2011"));
  own(10, "ringing", "A", outbound("2010", "2011"));
  EXPECT_THAT(events(), Not(Contains(HasSubstr("Cleared"))));
  own(10, "bridge", "A", bridged("B", "2011"));
  own(11, "bridge", "B", bridged("A", "2010"));
  EXPECT_THAT(events(), ElementsAre("established 2011"));
  EXPECT_EQ(calls(), 1u);
}

TEST_F(WebitelLegs, TellsTheSameOnceIfTwoSocketsTellIt) {
  log_in_with_users();
  const LinkId own_link = links[0];
  own(10, "ringing", "A", outbound("2010", "+34600111222"));
  own(10, "progress", "A");
  own(10, "active", "A");
  own(10, "bridge", "A", bridged("X", "+34600111222"));
  own(10, "hold", "A");
  own(10, "active", "A");
  EXPECT_THAT(events(), ElementsAre("originated 2010", "delivered +34600111222",
                                    "established +34600111222", "held 2010", "retrieved 2010"));
  clock -= 60;
  for (const char* name : {"progress", "active", "bridge", "hold", "active"}) {
    clock += name == std::string_view("bridge") ? 0 : 0;
    leg("10", name, "A", name == std::string_view("bridge") ? bridged("X", "+34600111222") : "",
        own_link == links[1] ? links[0] : links[1]);
  }
  EXPECT_THAT(events(), IsEmpty());
}

TEST_F(WebitelLegs, TellsACallToSomebodyOutside) {
  log_in_with_users();
  own(10, "ringing", "A", outbound("2010", "+34600111222"));
  EXPECT_THAT(events(), ElementsAre("originated 2010"));
  own(10, "progress", "A");
  EXPECT_THAT(events(), ElementsAre("delivered +34600111222"));
  own(10, "active", "A");
  own(10, "bridge", "A", bridged("X", "+34600111222"));
  EXPECT_THAT(events(), ElementsAre("established +34600111222"));
  own(10, "hangup", "A", R"(,"cause":"NORMAL_CLEARING")");
  EXPECT_THAT(events(), ElementsAre("connectionCleared 2010", "connectionCleared +34600111222",
                                    "callCleared"));
}

TEST_F(WebitelLegs, TellsACallFromSomebodyOutside) {
  log_in_with_users();
  own(11, "ringing", "B", inbound("+34600111222", "2011", "T"));
  EXPECT_THAT(events(), ElementsAre("originated +34600111222", "delivered 2011"));
  EXPECT_EQ(pbx().tracker.book().calls.begin()->second.direction, call::Direction::inbound);
  own(11, "active", "B");
  own(11, "bridge", "B", bridged("T", "+34600111222"));
  EXPECT_THAT(events(), ElementsAre("established 2011"));
  own(11, "hangup", "B", R"(,"cause":"NORMAL_CLEARING")");
  EXPECT_THAT(events(), ElementsAre("connectionCleared +34600111222", "connectionCleared 2011",
                                    "callCleared"));
}

TEST_F(WebitelLegs, TellsACallMadeByRequest) {
  log_in_with_users();
  own(10, "ringing", "A", outbound("2010", "+34600111222", R"(,"originate":true,"params":{})"));
  EXPECT_THAT(events(), ElementsAre("serviceInitiated 2010"));
  own(10, "progress", "A");  // of its own phone
  EXPECT_THAT(events(), IsEmpty());
  own(10, "active", "A");
  EXPECT_THAT(events(), ElementsAre("originated 2010"));
  own(10, "progress", "A");
  own(10, "bridge", "A", bridged("X", "+34600111222"));
  EXPECT_THAT(events(), ElementsAre("delivered +34600111222", "established +34600111222"));
}

TEST_F(WebitelLegs, KeepsNumbersThatAreMasked) {
  log_in_with_users();
  own(11, "ringing", "B",
      R"(,"direction":"inbound","destination":"2011","hide_number":true,"from":{"number":"*****67"},"to":{"number":"2011"},"parent_id":"T")");
  EXPECT_THAT(events(), ElementsAre("originated *****67", "delivered 2011"));
}

TEST_F(WebitelLegs, TellsWhyACallCameToNothing) {
  struct Case {
    const char* cause;
    const char* told;
  };
  log_in_with_users();
  for (const Case& it : {Case{"USER_BUSY", "busy"}, Case{"UNALLOCATED_NUMBER", "numberUnallocated"},
                         Case{"NO_ANSWER", "callNotAnswered"}, Case{"CALL_REJECTED", "blocked"},
                         Case{"SWITCH_CONGESTION", "networkCongestion"}}) {
    const std::string id = std::string("A-") + it.cause;
    own(10, "ringing", id, outbound("2010", "2011"));
    events();
    own(10, "hangup", id, R"(,"cause":")" + std::string(it.cause) + R"(","sip":486)");
    const std::string why = std::string(" (") + it.told + ")";
    EXPECT_THAT(events(), ElementsAre("failed 2010" + why, "connectionCleared 2010" + why,
                                      "callCleared" + why));
  }
  own(10, "ringing", "C", outbound("2010", "2011"));
  events();
  own(10, "hangup", "C", R"(,"cause":"ORIGINATOR_CANCEL","sip":487)");
  EXPECT_THAT(events(),
              ElementsAre("connectionCleared 2010 (callCancelled)", "callCleared (callCancelled)"));
  own(10, "ringing", "D", outbound("2010", "2011"));
  own(10, "hangup", "D", R"(,"cause":"SOMETHING_NEW","sip":599)");
  EXPECT_THAT(events(), Contains("connectionCleared 2010"));
}

TEST_F(WebitelLegs, TellsWhoAnsweredForAGroup) {
  log_in_with_users();
  own(10, "ringing", "B1", inbound("+34600111222", "2010", "T"));
  own(11, "ringing", "B2", inbound("+34600111222", "2011", "T"));
  EXPECT_EQ(calls(), 1u);
  events();
  own(11, "active", "B2");
  own(10, "hangup", "B1", R"(,"cause":"LOSE_RACE")");
  own(11, "bridge", "B2", bridged("T", "+34600111222"));
  EXPECT_THAT(events(), ElementsAre("established 2011", "diverted 2010 (callPickup)",
                                    "connectionCleared 2010 (callPickup)"));
}

TEST_F(WebitelLegs, TellsABlindTransfer) {
  log_in_with_users();
  talk();
  events();
  own(11, "hangup", "B", R"(,"cause":"BLIND_TRANSFER")");
  EXPECT_THAT(events(), ElementsAre("transferred 2011 (singleStepTransfer)",
                                    "connectionCleared 2011 (singleStepTransfer)"));
  own(12, "ringing", "C", inbound("2010", "2012", "A"));
  own(12, "active", "C");
  own(12, "bridge", "C", bridged("A", "2010"));
  own(10, "bridge", "A", bridged("C", "2012"));
  EXPECT_THAT(events(), ElementsAre("delivered 2012", "established 2012"));
  EXPECT_EQ(calls(), 1u);
  own(12, "hangup", "C", R"(,"cause":"NORMAL_CLEARING")");
  own(10, "hangup", "A", R"(,"cause":"NORMAL_CLEARING")");
  EXPECT_THAT(events(),
              ElementsAre("connectionCleared 2012", "connectionCleared 2010", "callCleared"));
}

TEST_F(WebitelLegs, TellsABlindTransferOfSomebodyOutside) {
  log_in_with_users();
  own(11, "ringing", "B", inbound("+34600111222", "2011", "T"));
  own(11, "active", "B");
  own(11, "bridge", "B", bridged("T", "+34600111222"));
  events();
  own(11, "hangup", "B", R"(,"cause":"BLIND_TRANSFER")");
  own(12, "ringing", "C", inbound("+34600111222", "2012", "T"));
  EXPECT_THAT(events(),
              ElementsAre("transferred 2011 (singleStepTransfer)",
                          "connectionCleared 2011 (singleStepTransfer)", "delivered 2012"));
  EXPECT_EQ(calls(), 1u);
  own(12, "hangup", "C", R"(,"cause":"ORIGINATOR_CANCEL")");
  EXPECT_EQ(calls(), 0u);
}

TEST_F(WebitelLegs, LetsSomebodyOutsideGoWhoWasTransferredOutOfSight) {
  log_in_with_users();
  own(11, "ringing", "B", inbound("+34600111222", "2011", "T"));
  own(11, "active", "B");
  own(11, "bridge", "B", bridged("T", "+34600111222"));
  own(11, "hangup", "B", R"(,"cause":"BLIND_TRANSFER")");
  events();
  pbx().pass(4s);
  EXPECT_EQ(calls(), 1u);
  pbx().pass(1s);
  EXPECT_THAT(events(), ElementsAre("connectionCleared +34600111222", "callCleared"));
}

TEST_F(WebitelLegs, TellsADeflectedCall) {
  log_in_with_users();
  own(10, "ringing", "A", outbound("2010", "2011"));
  own(11, "ringing", "B", inbound("2010", "2011", "A"));
  events();
  own(11, "hangup", "B", R"(,"cause":"BLIND_TRANSFER")");
  own(12, "ringing", "C", inbound("2010", "2012", "A"));
  EXPECT_THAT(events(), ElementsAre("diverted 2011", "connectionCleared 2011 (redirected)",
                                    "delivered 2012"));
}

// 2010 and 2011 talk (A, B); 2011 holds, and talks to 2012 (C, D).
struct WebitelConsultation : WebitelLegs {
  void consult() {
    log_in_with_users();
    talk();
    own(11, "hold", "B");
    own(11, "ringing", "C", outbound("2011", "2012"));
    own(12, "ringing", "D", inbound("2011", "2012", "C"));
    own(12, "active", "D");
    own(12, "bridge", "D", bridged("C", "2011"));
    own(11, "active", "C");
    own(11, "bridge", "C", bridged("D", "2012"));
    events();
    ASSERT_EQ(calls(), 2u);
  }
  void hang_up_first() {
    own(11, "hangup", "B", R"(,"cause":"ATTENDED_TRANSFER","transfer_from":"D")");
  }
  void hang_up_second() {
    own(11, "hangup", "C", R"(,"cause":"ATTENDED_TRANSFER","transfer_to":"A")");
  }
  void join() {
    own(10, "bridge", "A", bridged("D", "2012"));
    own(12, "bridge", "D", bridged("A", "2010"));
  }
  static auto told() {
    return ElementsAre("connectionCleared 2011", "connectionCleared 2012 (transfer)",
                       "callCleared (transfer)", "transferred 2011",
                       "connectionCleared 2011 (transfer)");
  }
};

TEST_F(WebitelConsultation, TellsAnAttendedTransfer) {
  consult();
  hang_up_first();
  hang_up_second();
  join();
  EXPECT_THAT(events(), told());
  ASSERT_EQ(calls(), 1u);
  own(10, "hangup", "A", R"(,"cause":"NORMAL_CLEARING")");
  own(12, "hangup", "D", R"(,"cause":"NORMAL_CLEARING")");
  EXPECT_THAT(events(),
              ElementsAre("connectionCleared 2010", "connectionCleared 2012", "callCleared"));
}

TEST_F(WebitelConsultation, TellsItTheSameIfTheSecondLegEndsFirst) {
  consult();
  hang_up_second();
  hang_up_first();
  join();
  EXPECT_THAT(events(), told());
  EXPECT_EQ(calls(), 1u);
}

TEST_F(WebitelConsultation, TellsItTheSameIfThePartnersSaySoFirst) {
  consult();
  join();
  hang_up_first();
  hang_up_second();
  EXPECT_THAT(events(), told());
  EXPECT_EQ(calls(), 1u);
}

TEST_F(WebitelConsultation, GoesBackToTheFirstCall) {
  consult();
  own(11, "hangup", "C", R"(,"cause":"NORMAL_CLEARING")");
  own(12, "hangup", "D", R"(,"cause":"NORMAL_CLEARING")");
  own(11, "active", "B");
  EXPECT_THAT(events(), ElementsAre("connectionCleared 2011", "connectionCleared 2012",
                                    "callCleared", "retrieved 2011"));
}

// ---- From lists.

Row a(std::string state = "ringing", std::string bridged = {}) {
  return {"A",    "10",   "outbound", std::move(state),   "2011",
          "2010", "2011", {},         std::move(bridged), {}};
}
Row b(std::string state = "ringing", std::string bridged = {}) {
  return {"B",    "11",   "inbound", std::move(state),   "2011",
          "2010", "2011", "A",       std::move(bridged), {}};
}

TEST_F(WebitelLegs, TellsAnInternalCallFromTheLists) {
  log_in();
  snapshot({a(), b()});
  EXPECT_THAT(events(), ElementsAre("originated 2010", "delivered 2011"));
  snapshot({a("bridge", "B"), b("bridge", "A")});
  EXPECT_THAT(events(), ElementsAre("established 2011"));
  snapshot({a("bridge", "B"), b("hold", "A")});
  EXPECT_THAT(events(), ElementsAre("held 2011"));
  snapshot({a("bridge", "B"), b("active", "A")});
  EXPECT_THAT(events(), ElementsAre("retrieved 2011"));
  snapshot({});
  EXPECT_THAT(events(),
              ElementsAre("connectionCleared 2010", "connectionCleared 2011", "callCleared"));
}

TEST_F(WebitelLegs, TellsACallFromOutsideWhetherItsTrunkIsListedOrNot) {
  log_in();
  const Row trunk{"T", "", "inbound", "bridge", "2011", "+34600111222", {}, {}, "B", {}};
  const Row own{"B", "11", "inbound", "bridge", "2011", "+34600111222", "2011", "T", "T", {}};
  snapshot({own});
  EXPECT_THAT(events(),
              ElementsAre("originated +34600111222", "delivered 2011", "established 2011"));
  snapshot({own, trunk});
  EXPECT_THAT(events(), IsEmpty());
  snapshot({trunk});
  EXPECT_THAT(events(), ElementsAre("connectionCleared 2011"));
  snapshot({});
  EXPECT_THAT(events(), ElementsAre("connectionCleared +34600111222", "callCleared"));
}

TEST_F(WebitelLegs, TellsACallToOutsideWhetherItsTrunkIsListedOrNot) {
  log_in();
  Row own{"A", "10", "outbound", "progress", "+34600111222", "2010", "+34600111222", {}, {}, {}};
  snapshot({own});
  EXPECT_THAT(events(), ElementsAre("originated 2010", "delivered +34600111222"));
  const Row trunk{"X", "", "outbound", "ringing", "+34600111222", "2010", "+34600111222",
                  "A", {}, {}};
  snapshot({own, trunk});
  EXPECT_THAT(events(), IsEmpty());
  own.state = "bridge";
  own.bridged = "X";
  snapshot({own, trunk});
  EXPECT_THAT(events(), ElementsAre("established +34600111222"));
  snapshot({});
  EXPECT_THAT(events(), Contains("callCleared"));
}

TEST_F(WebitelLegs, TakesAHangupInAListForTheEnd) {
  log_in();
  snapshot({a("bridge", "B"), b("bridge", "A")});
  events();
  snapshot({a("hangup"), b("hangup")});
  EXPECT_THAT(events(), Contains("callCleared"));
  snapshot({a("hangup"), b("hangup")});
  EXPECT_THAT(events(), IsEmpty());
}

TEST_F(WebitelLegs, GuessesABlindTransferFromTheLists) {
  log_in();
  snapshot({a("bridge", "B"), b("bridge", "A")});
  events();
  const Row c{"C", "12", "inbound", "ringing", "2012", "2010", "2012", "A", {}, {}};
  snapshot({a("bridge", ""), c});
  EXPECT_THAT(events(),
              ElementsAre("transferred 2011 (singleStepTransfer)",
                          "connectionCleared 2011 (singleStepTransfer)", "delivered 2012"));
}

TEST_F(WebitelLegs, GuessesAnAttendedTransferFromTheLists) {
  log_in();
  const Row c{"C", "11", "outbound", "bridge", "2012", "2011", "2012", {}, "D", {}};
  Row d{"D", "12", "inbound", "bridge", "2012", "2011", "2012", "C", "C", {}};
  snapshot({a("bridge", "B"), b("hold", "A")});
  snapshot({a("bridge", "B"), b("hold", "A"), c, d});
  events();
  d.bridged = "A";
  snapshot({a("bridge", "D"), d});
  EXPECT_THAT(events(), ElementsAre("connectionCleared 2011", "connectionCleared 2012 (transfer)",
                                    "callCleared (transfer)", "transferred 2011",
                                    "connectionCleared 2011 (transfer)"));
  EXPECT_EQ(calls(), 1u);
}

TEST_F(WebitelLegs, JoinsTwoTreesThatAreBridged) {
  log_in();
  // An agent's leg that a queue has made, and a customer's that waited.
  const Row member{"M",       "",
                   "inbound", "active",
                   "600",     "+34600111222",
                   {},        {},
                   {},        R"(,"queue":{"id":"3","name":"sales"})"};
  snapshot({member});
  EXPECT_THAT(events(), ElementsAre("originated +34600111222"));
  Row agent{"B", "11", "inbound", "ringing", "2011", "+34600111222", "2011", {}, {}, {}};
  snapshot({member, agent});
  EXPECT_EQ(calls(), 2u);
  agent.state = "bridge";
  agent.bridged = "M";
  snapshot({member, agent});
  EXPECT_EQ(calls(), 1u);
  EXPECT_EQ(pbx().tracker.book().calls.begin()->second.data.at("queue"), "sales");
}

// ---- Both.

TEST_F(WebitelLegs, LetsNoListUndoAnEvent) {
  log_in_with_users();
  talk();
  events();
  pbx().pass(250ms);  // asked for right after the events
  answer("GET /api/calls/active", 200, items(rows_of({a(), b()})));
  EXPECT_THAT(events(), IsEmpty());
  own(11, "hold", "B");
  own(10, "hangup", "A", R"(,"cause":"NORMAL_CLEARING")");
  events();
  pbx().pass(250ms);
  answer("GET /api/calls/active", 200, items(rows_of({a("bridge", "B"), b("bridge", "A")})));
  EXPECT_THAT(events(), IsEmpty());  // A has ended, and B holds
}

TEST_F(WebitelLegs, DoesNotEndWhatBeganAfterTheListWasAskedFor) {
  log_in_with_users();
  pbx().pass(2s);
  own(10, "ringing", "A", outbound("2010", "2011"));
  events();
  answer("GET /api/calls/active", 200, items(""));
  EXPECT_THAT(events(), IsEmpty());
  EXPECT_EQ(calls(), 1u);
}

TEST_F(WebitelLegs, RepairsWhatALostSubscriptionHasNotTold) {
  log_in_with_users();
  talk();
  events();
  snapshot({a("bridge", "B"), b("bridge", "A")});
  EXPECT_THAT(events(), IsEmpty());
  snapshot({a("bridge", "B"), b("hold", "A")});
  EXPECT_THAT(events(), ElementsAre("held 2011"));
  snapshot({});
  EXPECT_THAT(events(), IsEmpty());  // their sockets may be about to say why
  pbx().pass(1s);
  answer("GET /api/calls/active", 200, items(""));
  EXPECT_THAT(events(), Contains("callCleared"));
}

TEST_F(WebitelLegs, BelievesARowThatIsNewerThanTheEvent) {
  log_in_with_users();
  talk();
  events();
  pbx().pass(250ms);
  Row held = b("hold", "A");
  held.more = R"(,"timestamp":")" + std::to_string(clock + 1'000) + '"';
  answer("GET /api/calls/active", 200, items(rows_of({a("bridge", "B"), held})));
  EXPECT_THAT(events(), ElementsAre("held 2011"));
}

TEST_F(WebitelLegs, ReadsTheCallsSoonWhenItCannotSeeWhomSomebodyCalls) {
  log_in_with_users();
  pbx().pass(2s);
  answer("GET /api/calls/active", 200, items(""));
  own(10, "ringing", "A", outbound("2010", "2012"));
  pbx().pass(250ms);
  EXPECT_TRUE(is_asked("GET /api/calls/active"));
}

TEST_F(WebitelLegs, AsksForALegWhoseBeginningItHasMissed) {
  log_in_with_users();
  own(10, "active", "A");
  EXPECT_THAT(events(), IsEmpty());
  snapshot({a("bridge", "B"), b("bridge", "A")});
  EXPECT_THAT(events(), ElementsAre("originated 2010", "delivered 2011", "established 2011"));
}

TEST_F(WebitelLegs, FindsALegThatTheSubscriptionShows) {
  log_in_with_users();
  pbx().pass(1s);
  grant(
      "call_by_user",
      items(
          R"({"id":"A","app_id":"fs-1","state":"ringing","timestamp":"2026-11-22T12:00:00Z","direction":"outbound","destination":"2011","from":{"type":"user","number":"2010"},"to":null,"parent_id":null,"answered_at":0,"hangup_at":0})"),
      links[0]);
  EXPECT_THAT(events(), ElementsAre("originated 2010"));
}

TEST_F(WebitelLegs, SettlesAnEndOnlyOnceItIsSureInAListOfPages) {
  log_in();
  snapshot({a("bridge", "B"), b("bridge", "A")});
  events();
  for (std::size_t turn = 0; turn < 2; ++turn) {
    EXPECT_EQ(calls(), 1u + turn);
    pbx().pass(2s);
    answer("GET /api/calls/active?page=1", 200,
           items(rows_of({{"Z", "12", "outbound", "ringing", "999", "2012", {}, {}, {}, {}}}),
                 R"(,"next":true)"));
    answer("GET /api/calls/active?page=2", 200, items(""));
    events();
  }
  EXPECT_EQ(calls(), 1u);  // 2012's
  EXPECT_EQ(pbx().tracker.find_leg("A").first, nullptr);
}

TEST_F(WebitelLegs, KeepsItsLegsWithinALimit) {
  Directory directory;
  Legs legs(directory);
  std::vector<LegRow> rows(kLegsMax + 5);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].id = std::to_string(i);
    rows[i].user = std::to_string(i);
    rows[i].way = Way::outbound;
    rows[i].step = Step::ringing;
  }
  const TimePoint now{1h};
  EXPECT_THAT(legs.on_all_legs(rows, Legs::Coverage::whole, now, now), SizeIs(kLegsMax));
  EXPECT_EQ(legs.left_out(), 5u);
  EXPECT_EQ(legs.size(), kLegsMax);
  legs.on_all_legs({}, Legs::Coverage::cut, now + 2s, now + 2s);
  EXPECT_EQ(legs.size(), kLegsMax);  // a list that was cut says nothing of what it lacks
  legs.on_all_legs({}, Legs::Coverage::whole, now + 4s, now + 4s);
  EXPECT_EQ(legs.size(), 0u);
}

}  // namespace
}  // namespace pbx::webitel
