#include "pbx/webitel/tenant.h"

// What lists do not show: legs that have ended, or are still to be told of, and other ends.
namespace pbx::webitel {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using WebitelAbsence = Webitel;

Row a(std::string state = "ringing", std::string bridged = {}) {
  return {"A",    "10",   "outbound", std::move(state),   "2011",
          "2010", "2011", {},         std::move(bridged), {}};
}
Row b(std::string state = "ringing", std::string bridged = {}) {
  return {"B",    "11",   "inbound", std::move(state),   "2011",
          "2010", "2011", "A",       std::move(bridged), {}};
}

// Sockets may be slower than lists: it is theirs to say why.
TEST_F(WebitelAbsence, WaitsForTheSocketToSayWhyALegHasEnded) {
  log_in_with_users();
  own(10, "ringing", "A", outbound("2010", "2011"));
  snapshot({a()});
  pbx().pass(2s);
  events();
  snapshot({});
  EXPECT_THAT(events(), IsEmpty());
  pbx().pass(400ms);
  own(10, "hangup", "A", R"(,"cause":"USER_BUSY","sip":486)");
  EXPECT_THAT(events(), Contains("failed 2010 (busy)"));
}

// The trunk's leg would end first otherwise, and the call for no reason.
TEST_F(WebitelAbsence, WaitsWithTheOtherLegsOfTheCall) {
  log_in_with_users();
  own(11, "ringing", "B", inbound("+34600111222", "2011", "T"));
  const Row trunk{"T", "", "inbound", "ringing", "2011", "+34600111222", {}, {}, {}, {}};
  snapshot({trunk, {"B", "11", "inbound", "ringing", "2011", "+34600111222", "2011", "T", {}, {}}});
  pbx().pass(2s);
  events();
  snapshot({});
  EXPECT_THAT(events(), IsEmpty());
  own(11, "hangup", "B", R"(,"cause":"ORIGINATOR_CANCEL","sip":487)");
  EXPECT_THAT(events(), ElementsAre("connectionCleared 2011 (callCancelled)"));
  pbx().pass(1s);
  answer("GET /api/calls/active", 200, items(""));
  EXPECT_THAT(events(), ElementsAre("connectionCleared +34600111222", "callCleared"));
}

TEST_F(WebitelAbsence, ForgetsThatALegWasMissingOnce) {
  log_in_with_users();
  own(10, "ringing", "A", outbound("2010", "2011"));
  snapshot({a()});
  pbx().pass(2s);
  events();
  snapshot({});
  pbx().pass(1s);
  answer("GET /api/calls/active", 200, items(rows_of({a()})));
  snapshot({});
  EXPECT_THAT(events(), IsEmpty());
}

// 2010's own leg ended before the first list; 2012 rings for somebody else by now.
TEST_F(WebitelAbsence, MakesNoCallerOfAUserWhoseLegTheSameListLacks) {
  log_in({{"C", "12", "inbound", "ringing", "2012", "2010", "2012", "A", {}, {}}});
  EXPECT_THAT(pbx().tracker.book().calls.begin()->second.connections, testing::SizeIs(1));
  EXPECT_EQ(pbx().tracker.find_leg("A").first, nullptr);
}

TEST_F(WebitelAbsence, EndsACallerThatASocketToldOfIfNoListHasIt) {
  log_in_with_users();
  own(12, "ringing", "C", inbound("2010", "2012", "A"));
  EXPECT_THAT(events(), ElementsAre("originated 2010", "delivered 2012"));
  snapshot({{"C", "12", "inbound", "ringing", "2012", "2010", "2012", "A", {}, {}}});
  EXPECT_THAT(events(), ElementsAre("connectionCleared 2010"));
}

TEST_F(WebitelAbsence, TakesACallerThatTheNextListHas) {
  log_in();
  snapshot({{"C", "12", "inbound", "ringing", "2012", "2010", "2012", "A", {}, {}}});
  EXPECT_THAT(events(), ElementsAre("delivered 2012"));
  snapshot({{"A", "10", "outbound", "ringing", "2012", "2010", "2012", {}, {}, {}},
            {"C", "12", "inbound", "ringing", "2012", "2010", "2012", "A", {}, {}}});
  EXPECT_THAT(events(), ElementsAre("originated 2010"));
}

// A blind transfer: 2011 has left, and 2012 rings for 2010.
TEST_F(WebitelAbsence, MakesNoOtherEndOfALegWhosePlaceSomebodyTakes) {
  log_in(
      {a("bridge", "B"), {"C", "12", "inbound", "ringing", "2012", "2010", "2012", "A", {}, {}}});
  const auto& calls = pbx().tracker.book().calls;
  ASSERT_EQ(calls.size(), 1u);
  std::vector<std::string> devices;
  for (const auto& each : calls.begin()->second.connections) {
    devices.push_back(each.party.device.str());
  }
  EXPECT_THAT(devices, UnorderedElementsAre("2010", "2012"));
}

// A trunk's leg need not be listed.
TEST_F(WebitelAbsence, KeepsTheOtherEndOfALegThatCallsNobodyElse) {
  log_in({{"A", "10", "outbound", "bridge", "+34600111222", "2010", {}, {}, "X", {}}});
  EXPECT_THAT(pbx().tracker.book().calls.begin()->second.connections, testing::SizeIs(2));
}

// It was in the call already, as the other end of somebody's.
TEST_F(WebitelAbsence, TellsThatAUserIsBusyWhoseLegOnlyAListShows) {
  log_in_with_users();
  own(11, "ringing", "B", inbound("2010", "2011", "A"));
  events();
  ASSERT_EQ(pbx().tracker.find_leg("A").first != nullptr, true);
  EXPECT_EQ(pbx().tracker.book().devices.at(call::DeviceId("2010")).activity, call::Activity::idle);
  snapshot({a(), b()});
  EXPECT_EQ(pbx().tracker.book().devices.at(call::DeviceId("2010")).activity, call::Activity::busy);
}

}  // namespace
}  // namespace pbx::webitel
