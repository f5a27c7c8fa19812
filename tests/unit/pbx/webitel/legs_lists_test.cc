#include "pbx/webitel/legs.h"
#include "pbx/webitel/tenant.h"

// What consumers are told of calls that lists show, alone or beside sockets.
namespace pbx::webitel {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct WebitelListedLegs : Webitel {
  std::size_t calls() { return pbx().tracker.book().calls.size(); }
};

Row a(std::string state = "ringing", std::string bridged = {}) {
  return {"A",    "10",   "outbound", std::move(state),   "2011",
          "2010", "2011", {},         std::move(bridged), {}};
}
Row b(std::string state = "ringing", std::string bridged = {}) {
  return {"B",    "11",   "inbound", std::move(state),   "2011",
          "2010", "2011", "A",       std::move(bridged), {}};
}

TEST_F(WebitelListedLegs, TellsAnInternalCallFromTheLists) {
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

TEST_F(WebitelListedLegs, TellsACallFromOutsideWhetherItsTrunkIsListedOrNot) {
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

TEST_F(WebitelListedLegs, TellsACallToOutsideWhetherItsTrunkIsListedOrNot) {
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

TEST_F(WebitelListedLegs, TakesAHangupInAListForTheEnd) {
  log_in();
  snapshot({a("bridge", "B"), b("bridge", "A")});
  events();
  snapshot({a("hangup"), b("hangup")});
  EXPECT_THAT(events(), Contains("callCleared"));
  snapshot({a("hangup"), b("hangup")});
  EXPECT_THAT(events(), IsEmpty());
}

TEST_F(WebitelListedLegs, GuessesABlindTransferFromTheLists) {
  log_in();
  snapshot({a("bridge", "B"), b("bridge", "A")});
  events();
  const Row c{"C", "12", "inbound", "ringing", "2012", "2010", "2012", "A", {}, {}};
  snapshot({a("bridge", ""), c});
  EXPECT_THAT(events(),
              ElementsAre("transferred 2011 (singleStepTransfer)",
                          "connectionCleared 2011 (singleStepTransfer)", "delivered 2012"));
}

TEST_F(WebitelListedLegs, GuessesAnAttendedTransferFromTheLists) {
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

TEST_F(WebitelListedLegs, JoinsTwoTreesThatAreBridged) {
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

TEST_F(WebitelListedLegs, LetsNoListUndoAnEvent) {
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

TEST_F(WebitelListedLegs, DoesNotEndWhatBeganAfterTheListWasAskedFor) {
  log_in_with_users();
  pbx().pass(2s);
  own(10, "ringing", "A", outbound("2010", "2011"));
  events();
  answer("GET /api/calls/active", 200, items(""));
  EXPECT_THAT(events(), IsEmpty());
  EXPECT_EQ(calls(), 1u);
}

TEST_F(WebitelListedLegs, RepairsWhatALostSubscriptionHasNotTold) {
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

TEST_F(WebitelListedLegs, BelievesARowThatIsNewerThanTheEvent) {
  log_in_with_users();
  talk();
  events();
  pbx().pass(250ms);
  Row held = b("hold", "A");
  held.more = R"(,"timestamp":")" + std::to_string(clock + 1'000) + '"';
  answer("GET /api/calls/active", 200, items(rows_of({a("bridge", "B"), held})));
  EXPECT_THAT(events(), ElementsAre("held 2011"));
}

TEST_F(WebitelListedLegs, ReadsTheCallsSoonWhenItCannotSeeWhomSomebodyCalls) {
  log_in_with_users();
  pbx().pass(2s);
  answer("GET /api/calls/active", 200, items(""));
  own(10, "ringing", "A", outbound("2010", "2012"));
  pbx().pass(250ms);
  EXPECT_TRUE(is_asked("GET /api/calls/active"));
}

TEST_F(WebitelListedLegs, AsksForALegWhoseBeginningItHasMissed) {
  log_in_with_users();
  own(10, "active", "A");
  EXPECT_THAT(events(), IsEmpty());
  snapshot({a("bridge", "B"), b("bridge", "A")});
  EXPECT_THAT(events(), ElementsAre("originated 2010", "delivered 2011", "established 2011"));
}

TEST_F(WebitelListedLegs, FindsALegThatTheSubscriptionShows) {
  log_in_with_users();
  pbx().pass(1s);
  grant(
      "call_by_user",
      items(
          R"({"id":"A","app_id":"fs-1","state":"ringing","timestamp":"2026-11-22T12:00:00Z","direction":"outbound","destination":"2011","from":{"type":"user","number":"2010"},"to":null,"parent_id":null,"answered_at":0,"hangup_at":0})"),
      links[0]);
  EXPECT_THAT(events(), ElementsAre("originated 2010"));
}

TEST_F(WebitelListedLegs, SettlesAnEndOnlyOnceItIsSureInAListOfPages) {
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

TEST_F(WebitelListedLegs, KeepsItsLegsWithinALimit) {
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
