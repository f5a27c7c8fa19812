#include "pbx/webitel/legs.h"

#include "pbx/webitel/tenant.h"

// What consumers are told of calls that sockets tell of.
namespace pbx::webitel {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct WebitelLegs : Webitel {
  std::size_t calls() { return pbx().tracker.book().calls.size(); }
};

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

}  // namespace
}  // namespace pbx::webitel
