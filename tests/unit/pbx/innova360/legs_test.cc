#include "pbx/innova360/tenant.h"

// From legs to calls: what the PBX says of legs, and what consumers are told of calls.
namespace pbx::innova360 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Innova360Legs : Innova360 {
  void SetUp() override { log_in(); }
  std::vector<std::string> events() { return pbx().take_events(); }
  std::size_t calls() { return pbx().tracker.book().calls.size(); }
};

TEST_F(Innova360Legs, ShowTheFarEndOfACallOutside) {
  new_call("201", "1", "out", "201", "+34 600 000 000");
  EXPECT_THAT(events(), ElementsAre("originated 201"));
  state("201", "1", "Dialing");
  EXPECT_THAT(events(), IsEmpty());
  state("201", "1", "Ring");
  EXPECT_THAT(events(), ElementsAre("delivered +34 600 000 000"));
  state("201", "1", "Up");
  EXPECT_THAT(events(), ElementsAre("established +34 600 000 000"));
  about("start-record", "201", "1");
  EXPECT_THAT(events(), ElementsAre("recordingStarted 201"));
  about("end-record", "201", "1");
  EXPECT_THAT(events(), ElementsAre("recordingStopped 201"));
  hangup("201", "1");
  EXPECT_THAT(events(), ElementsAre("connectionCleared 201", "connectionCleared +34 600 000 000",
                                    "callCleared"));
  EXPECT_EQ(calls(), 0u);
}

TEST_F(Innova360Legs, ShowTheCallerOfACallFromOutside) {
  new_call("202", "1", "in", "600", "202");
  EXPECT_THAT(events(), IsEmpty());
  state("202", "1", "Ringing");
  EXPECT_THAT(events(), ElementsAre("originated 600", "delivered 202"));
  state("202", "1", "Up");
  EXPECT_THAT(events(), ElementsAre("established 202"));
  EXPECT_EQ(pbx().tracker.book().calls.begin()->second.direction, call::Direction::inbound);
  hangup("202", "1");
  EXPECT_THAT(events(),
              ElementsAre("connectionCleared 600", "connectionCleared 202", "callCleared"));
}

TEST_F(Innova360Legs, ShowACallerWhoWithholdsTheNumber) {
  new_call("202", "1", "in", "anonymous", "202");
  state("202", "1", "Ringing");
  EXPECT_THAT(events(), ElementsAre("originated ?", "delivered 202"));
}

TEST_F(Innova360Legs, RingAfterASecondIfNobodySaysSo) {
  new_call("202", "1", "in", "600", "202");
  pbx().pass(999ms);
  EXPECT_THAT(events(), IsEmpty());
  pbx().pass(1ms);
  EXPECT_THAT(events(), ElementsAre("originated 600", "delivered 202"));
  state("202", "1", "Ringing");
  EXPECT_THAT(events(), IsEmpty());
}

TEST_F(Innova360Legs, AreMissedWhenTheyEndUnanswered) {
  new_call("202", "1", "in", "600", "202");
  hangup("202", "1");
  EXPECT_THAT(events(), ElementsAre("originated 600", "delivered 202", "connectionCleared 600",
                                    "connectionCleared 202", "callCleared"));
}

TEST_F(Innova360Legs, AreDivertedWhenAnsweredElsewhere) {
  new_call("201", "1", "out", "201", "900");
  new_call("202", "2", "in", "201", "900");
  new_call("203", "3", "in", "201", "900");
  state("202", "2", "Ringing");
  state("203", "3", "Ringing");
  state("203", "3", "Up");
  events();
  EXPECT_EQ(calls(), 1u);  // a group rings: one call with several called
  hangup("202", "2", "26");
  EXPECT_THAT(events(),
              ElementsAre("diverted 202 (callPickup)", "connectionCleared 202 (callPickup)"));
}

TEST_F(Innova360Legs, FailWhenTheDestinationIsBusy) {
  new_call("201", "1", "out", "201", "600");
  state("201", "1", "Dialing");
  state("201", "1", "Busy");
  EXPECT_THAT(events(), ElementsAre("originated 201", "failed 201 (busy)"));
  hangup("201", "1", "17");
  EXPECT_THAT(events(), ElementsAre("connectionCleared 201 (busy)", "callCleared (busy)"));
}

TEST_F(Innova360Legs, FailWithTheCauseOfAnUnansweredCall) {
  new_call("201", "1", "out", "201", "202");
  new_call("202", "2", "in", "201", "202");
  state("202", "2", "Ringing");
  events();
  hangup("202", "2", "19");
  EXPECT_THAT(events(), ElementsAre("connectionCleared 202 (callNotAnswered)"));
  hangup("201", "1", "19");
  EXPECT_THAT(events(),
              ElementsAre("failed 201 (callNotAnswered)", "connectionCleared 201 (callNotAnswered)",
                          "callCleared (callNotAnswered)"));
}

TEST_F(Innova360Legs, DoNotFailWhenTheCallerGivesUp) {
  new_call("201", "1", "out", "201", "600");
  state("201", "1", "Ring");
  events();
  hangup("201", "1", "16");
  EXPECT_THAT(events(),
              ElementsAre("connectionCleared 201", "connectionCleared 600", "callCleared"));
}

TEST_F(Innova360Legs, FailOnceWhenACalleeRejects) {
  new_call("201", "1", "out", "201", "202");
  new_call("202", "2", "in", "201", "202");
  state("202", "2", "Ringing");
  events();
  hangup("202", "2", "17");
  EXPECT_THAT(events(), ElementsAre("connectionCleared 202"));
  hangup("201", "1", "17");
  EXPECT_THAT(events(), ElementsAre("failed 201 (busy)", "connectionCleared 201 (busy)",
                                    "callCleared (busy)"));
}

// ---- Joining. ----

TEST_F(Innova360Legs, AreOneCallWhicheverComesFirst) {
  new_call("202", "2", "in", "201", "202");
  state("202", "2", "Ringing");
  EXPECT_THAT(events(), ElementsAre("delivered 202"));
  new_call("201", "1", "out", "201", "202");
  EXPECT_THAT(events(), ElementsAre("originated 201"));
  EXPECT_EQ(calls(), 1u);
}

TEST_F(Innova360Legs, AreOneCallWithTheSameIdWhateverTheyShow) {
  new_call("201", "7", "out", "201", "900");
  pbx().pass(1min);
  new_call("202", "7", "in", "+34600", "202");
  state("202", "7", "Up");
  EXPECT_EQ(calls(), 1u);
  hangup("202", "7");
  hangup("201", "7");
  EXPECT_EQ(calls(), 0u);
}

TEST_F(Innova360Legs, AreOneCallWhenOneShowsAPublicNumber) {
  new_call("201", "1", "out", "201", "202");
  update("new-call", "202",
         R"(,"callid":"2","direction":"in","phonea":"201","phoneb":"+34 910 202","dida":"",)"
         R"("didb":"+34910202")");
  state("202", "2", "Ringing");
  EXPECT_EQ(calls(), 1u);
}

TEST_F(Innova360Legs, AreTwoCallsWhenTheyAreMoreThanFiveSecondsApart) {
  new_call("201", "1", "out", "201", "202");
  state("201", "1", "Up");
  pbx().pass(5'001ms);
  new_call("202", "2", "in", "201", "202");
  state("202", "2", "Ringing");
  EXPECT_EQ(calls(), 2u);
}

TEST_F(Innova360Legs, AreOneCallForAsLongAsTheCallerWaits) {
  new_call("201", "1", "out", "201", "202");
  new_call("202", "2", "in", "201", "202");
  state("202", "2", "Ringing");
  state("201", "1", "Ring");
  pbx().pass(30s);
  events();
  new_call("203", "3", "in", "201", "202");  // picks it up
  hangup("202", "2", "26");
  state("203", "3", "Up");
  state("201", "1", "Up");
  EXPECT_THAT(events(),
              ElementsAre("diverted 202 (callPickup)", "connectionCleared 202 (callPickup)",
                          "delivered 203", "established 203"));
  EXPECT_EQ(calls(), 1u);
}

TEST_F(Innova360Legs, FollowAWaitingCallerToAnotherNumber) {
  new_call("201", "1", "out", "201", "202");
  new_call("203", "3", "in", "201", "203");  // 202 is forwarded
  state("201", "1", "Ring");
  state("203", "3", "Ringing");
  EXPECT_THAT(events(), ElementsAre("originated 201", "delivered 203"));
  hangup("203", "3", "19");  // and so is 203
  new_call("204", "4", "in", "201", "204");
  state("204", "4", "Up");
  state("201", "1", "Up");
  EXPECT_THAT(events(), ElementsAre("connectionCleared 203 (callNotAnswered)", "delivered 204",
                                    "established 204"));
  pbx().pass(5'001ms);
  new_call("202", "2", "in", "201", "202");  // 201 does not wait any more
  state("202", "2", "Ringing");
  EXPECT_EQ(calls(), 2u);
}

TEST_F(Innova360Legs, DoNotTakeACallerFromACallOutside) {
  new_call("201", "1", "out", "201", "600");
  state("201", "1", "Ring");
  new_call("203", "3", "in", "201", "203");
  state("203", "3", "Ringing");
  EXPECT_EQ(calls(), 2u);
}

TEST_F(Innova360Legs, AreTwoCallsWhenTwoPairsTalkAtOnce) {
  talk();
  new_call("203", "21", "out", "203", "204");
  new_call("204", "22", "in", "203", "204");
  state("204", "22", "Ringing");
  EXPECT_EQ(calls(), 2u);
}

TEST_F(Innova360Legs, StandInForAnExtensionThatShowsNoLeg) {
  new_call("201", "1", "out", "201", "202");
  state("201", "1", "Ring");
  EXPECT_THAT(events(), ElementsAre("originated 201"));
  pbx().pass(1s);
  EXPECT_THAT(events(), ElementsAre("delivered 202"));
  state("201", "1", "Up");
  EXPECT_THAT(events(), ElementsAre("established 202"));
}

TEST_F(Innova360Legs, DropAGroupsNumberWhenAnExtensionTakesItsPlace) {
  new_call("201", "1", "out", "201", "900");
  state("201", "1", "Ring");
  EXPECT_THAT(events(), ElementsAre("originated 201", "delivered 900"));
  new_call("202", "2", "in", "201", "900");
  EXPECT_THAT(events(), ElementsAre("diverted 900", "connectionCleared 900 (redirected)"));
  state("202", "2", "Up");
  EXPECT_THAT(events(), ElementsAre("delivered 202", "established 202"));
}

TEST_F(Innova360Legs, AreCreatedByACallStateWithUnknownParties) {
  state("202", "1", "Up");
  EXPECT_THAT(events(), ElementsAre("delivered 202", "established 202"));
  new_call("202", "1", "in", "600", "202");  // overtaken on its way
  EXPECT_THAT(events(), ElementsAre("originated 600"));
  state("201", "2", "Dialing");
  EXPECT_THAT(events(), ElementsAre("originated 201"));
  new_call("201", "2", "out", "201", "700");
  state("201", "2", "Ring");
  EXPECT_THAT(events(), testing::Contains("delivered 700"));
}

TEST_F(Innova360Legs, ShowTheFarEndOnceALateNewCallNamesIt) {
  state("201", "1", "Ring");
  EXPECT_THAT(events(), ElementsAre("originated 201"));
  new_call("201", "1", "out", "201", "600");
  EXPECT_THAT(events(), ElementsAre("delivered 600"));
}

TEST_F(Innova360Legs, DoNotReviveWhatHasEnded) {
  new_call("201", "1", "out", "201", "600");
  hangup("201", "1");
  events();
  state("201", "1", "Up");
  new_call("201", "1", "out", "201", "600");
  about("start-moh", "201", "1");
  EXPECT_THAT(events(), IsEmpty());
  hangup("202", "9");  // overtook its call
  new_call("202", "9", "in", "600", "202");
  state("202", "9", "Ringing");
  pbx().pass(2s);
  EXPECT_THAT(events(), IsEmpty());
  pbx().pass(1min);
  new_call("201", "1", "out", "201", "600");
  EXPECT_THAT(events(), ElementsAre("originated 201"));
}

TEST_F(Innova360Legs, IgnoreStatesThatOvertookOneAnother) {
  talk();
  state("202", "12", "Ringing");
  state("201", "11", "Ring");
  state("201", "11", "Dialing");
  state("201", "11", "nonsense");
  EXPECT_THAT(events(), IsEmpty());
}

// ---- Hold. ----

TEST_F(Innova360Legs, AreHeldByTheSideWhoseStatusSaysSo) {
  talk();
  about("start-moh", "202", "12");
  EXPECT_THAT(events(), IsEmpty());
  status("202", "16");
  EXPECT_THAT(events(), ElementsAre("held 202"));
  about("stop-moh", "202", "12");
  EXPECT_THAT(events(), ElementsAre("retrieved 202"));
}

TEST_F(Innova360Legs, AreHeldByTheSideWhoseStatusSaidSoBefore) {
  talk();
  status("201", "17");
  about("start-moh", "202", "12");
  EXPECT_THAT(events(), ElementsAre("held 201"));
}

TEST_F(Innova360Legs, AreHeldByTheOtherPartyIfNoStatusSaysSo) {
  talk();
  about("start-moh", "202", "12");
  status("202", "1");
  pbx().pass(500ms);
  EXPECT_THAT(events(), ElementsAre("held 201"));
  status("202", "16");
  EXPECT_THAT(events(), IsEmpty());
  state("202", "12", "Up");
  EXPECT_THAT(events(), ElementsAre("retrieved 201"));
  about("stop-moh", "202", "12");
  EXPECT_THAT(events(), IsEmpty());
}

TEST_F(Innova360Legs, AreHeldByAnOutsideParty) {
  new_call("201", "1", "out", "201", "600");
  state("201", "1", "Up");
  events();
  about("start-moh", "201", "1");
  pbx().pass(500ms);
  EXPECT_THAT(events(), ElementsAre("held 600"));
  hangup("201", "1");
  EXPECT_EQ(calls(), 0u);
}

// ---- Transfers. ----

TEST_F(Innova360Legs, AreTransferredFromAPhoneToALegThatCameBefore) {
  talk();
  new_call("203", "13", "in", "201", "203");
  state("203", "13", "Ringing");
  EXPECT_THAT(events(), ElementsAre("delivered 203"));
  hangup("202", "12");
  EXPECT_EQ(calls(), 1u);
  EXPECT_THAT(events(),
              ElementsAre("connectionCleared 203 (transfer)", "callCleared (transfer)",
                          "transferred 202", "connectionCleared 202 (singleStepTransfer)"));
  state("203", "13", "Up");
  EXPECT_THAT(events(), ElementsAre("established 203"));
  hangup("203", "13");
  hangup("201", "11");
  EXPECT_EQ(calls(), 0u);
}

TEST_F(Innova360Legs, AreTransferredFromAPhoneToALegThatComesAfter) {
  talk();
  hangup("202", "12");
  EXPECT_THAT(events(), ElementsAre("connectionCleared 202"));
  new_call("203", "13", "in", "201", "203");
  state("203", "13", "Ringing");
  EXPECT_THAT(events(), ElementsAre("delivered 203"));
  EXPECT_EQ(calls(), 1u);
}

TEST_F(Innova360Legs, AreNotTransferredByANewCallOfTheSameCaller) {
  talk();
  new_call("201", "21", "out", "201", "203");  // a second line
  new_call("203", "22", "in", "201", "203");
  state("203", "22", "Ringing");
  hangup("202", "12");
  EXPECT_EQ(calls(), 2u);
  hangup("201", "11");
  EXPECT_EQ(calls(), 1u);
}

TEST_F(Innova360Legs, DoNotTakeALaterCallForATransfer) {
  talk();
  hangup("202", "12");
  pbx().pass(5'001ms);
  new_call("203", "13", "in", "201", "203");
  state("203", "13", "Ringing");
  EXPECT_EQ(calls(), 2u);
}

// ---- Snapshots. ----

TEST_F(Innova360Legs, AreReadFromASnapshotAsTheyAre) {
  pbx().hear(R"({"type":"init","data":[
    {"Extension":"202","Status":"1","Calls":[{"CallID":"12","CallDirection":"in","PhoneA":"201",
      "PhoneB":"202","Status":"6","Hold":"no"}]},
    {"Extension":"201","Status":"16","Calls":[{"CallID":"11","CallDirection":"out","PhoneA":"201",
      "PhoneB":"202","Status":"6","Hold":true}]},
    {"Extension":"203","Status":"8","Calls":{"13":{"CallDirection":"in","PhoneA":"600",
      "PhoneB":"203","StatusDesc":"Ringing"}}}]})");
  EXPECT_THAT(events(),
              testing::UnorderedElementsAre("originated 201", "held 201", "delivered 202",
                                            "established 202", "originated 600", "delivered 203"));
  EXPECT_EQ(calls(), 2u);
  EXPECT_EQ(pbx().tracker.find_leg("201/11").first->key, "201/11");
}

TEST_F(Innova360Legs, FollowAWaitingCallerInASnapshotToo) {
  pbx().hear(R"({"type":"init","data":{
    "201":{"Status":"1","Calls":{"1":{"CallDirection":"out","PhoneA":"201","PhoneB":"202",
      "Status":"4"}}},
    "202":{"Status":"0","Calls":{}},
    "203":{"Status":"8","Calls":{"3":{"CallDirection":"in","PhoneA":"201","PhoneB":"203",
      "Status":"5"}}},
    "204":{"Status":"1","Calls":{"4":{"CallDirection":"in","PhoneA":"201","PhoneB":"204",
      "Status":"6"}}}}})");  // 201 is out of this one, which was transferred
  EXPECT_THAT(events(), testing::UnorderedElementsAre("originated 201", "delivered 203",
                                                      "delivered 204", "established 204"));
  EXPECT_EQ(calls(), 2u);
}

TEST_F(Innova360Legs, DoNotPutAnIdleExtensionInACallOfASnapshot) {
  pbx().hear(R"({"type":"init","data":{
    "201":{"Status":"1","Calls":{"1":{"CallDirection":"out","PhoneA":"201","PhoneB":"202",
      "Status":"6"}}},
    "202":{"Status":"0","Calls":{}},
    "203":{"Status":"1","Calls":{"3":{"CallDirection":"in","PhoneA":"202","PhoneB":"203",
      "Status":"6"}}},
    "204":{"Status":"1","Calls":{"4":{"CallDirection":"out","PhoneA":"204","PhoneB":"205",
      "Status":"6"}}},
    "205":{"Status":"1","Calls":{}}}})");  // busy, but its leg is not shown
  EXPECT_THAT(events(),
              testing::UnorderedElementsAre("originated 201", "delivered 203", "established 203",
                                            "originated 204", "delivered 205", "established 205"));
}

TEST_F(Innova360Legs, AreJoinedByTheirBridge) {
  pbx().hear(R"({"type":"init","data":{
    "201":{"Calls":{"1":{"CallDirection":"out","PhoneA":"201","PhoneB":"900","Status":"6",
      "Bridge":"2"}}},
    "202":{"Calls":{"2":{"CallDirection":"in","PhoneA":"600","PhoneB":"202","Status":"6"}}},
    "203":{"Calls":{"3":{"CallDirection":"out","PhoneA":"203","PhoneB":"901","Status":"6",
      "Bridge":"b7"}}},
    "204":{"Calls":{"4":{"CallDirection":"in","PhoneA":"601","PhoneB":"204","Status":"6",
      "Bridge":"b7"}}}}})");
  EXPECT_EQ(calls(), 2u);
  EXPECT_EQ(pbx().tracker.find_leg("201/1").first, pbx().tracker.find_leg("202/2").first);
  EXPECT_EQ(pbx().tracker.find_leg("203/3").first, pbx().tracker.find_leg("204/4").first);
}

TEST_F(Innova360Legs, KeepTheirIdsOverAReconnect) {
  talk();
  new_call("203", "13", "in", "600", "203");
  state("203", "13", "Up");
  events();
  test::Dialogue again(vendor(), settings);
  again.tracker.restore(pbx().tracker.book());
  again.start();
  again.hear_all({kWelcome, kGranted, R"({"type":"init","data":{
    "201":{"Status":"1","Calls":{"11":{"CallDirection":"out","PhoneA":"201","PhoneB":"202",
      "Status":"6"}}},
    "202":{"Status":"1","Calls":{"12":{"CallDirection":"in","PhoneA":"201","PhoneB":"202",
      "Status":"6"}}},
    "203":{"Status":"1","Calls":{"13":{"CallDirection":"in","PhoneA":"600","PhoneB":"203",
      "Status":"6"}}},
    "204":{"Status":"0"}}})"});
  EXPECT_THAT(again.take_events(), IsEmpty());
}

TEST_F(Innova360Legs, AreRecordedOverAReconnect) {
  talk();
  about("start-record", "202", "12");
  EXPECT_THAT(events(), ElementsAre("recordingStarted 202"));
  test::Dialogue again(vendor(), settings);
  again.tracker.restore(pbx().tracker.book());
  again.start();
  again.hear_all({kWelcome, kGranted, R"({"type":"init","data":{
    "201":{"Status":"1","Calls":{"11":{"CallDirection":"out","PhoneA":"201","PhoneB":"202",
      "Status":"6"}}},
    "202":{"Status":"1","Calls":{"12":{"CallDirection":"in","PhoneA":"201","PhoneB":"202",
      "Status":"6"}}},
    "203":{"Status":"0"},"204":{"Status":"0"}}})"});
  EXPECT_THAT(again.take_events(), IsEmpty());
  again.hear(R"({"type":"update","action":"end-record","extension":"202","callid":"12"})");
  EXPECT_THAT(again.take_events(), ElementsAre("recordingStopped 202"));
}

TEST_F(Innova360Legs, AreRetrievedWhicheverLegASnapshotShowedOnHold) {
  pbx().hear(R"({"type":"init","data":{
    "201":{"Status":"1","Calls":{"11":{"CallDirection":"out","PhoneA":"201","PhoneB":"202",
      "Status":"6","Hold":false}}},
    "202":{"Status":"16","Calls":{"12":{"CallDirection":"in","PhoneA":"201","PhoneB":"202",
      "Status":"6","Hold":true}}}}})");
  events();
  about("stop-moh", "201", "11");  // who heard it
  EXPECT_THAT(events(), ElementsAre("retrieved 202"));
}

TEST_F(Innova360Legs, AreThreeInAConference) {
  pbx().hear(R"({"type":"init","data":{
    "201":{"Calls":{"9":{"CallDirection":"out","PhoneA":"201","PhoneB":"202","Status":"6"}}},
    "202":{"Calls":{"9":{"CallDirection":"in","PhoneA":"201","PhoneB":"202","Status":"6"}}},
    "203":{"Calls":{"9":{"CallDirection":"in","PhoneA":"201","PhoneB":"203","Status":"6"}}}}})");
  EXPECT_EQ(calls(), 1u);
  EXPECT_THAT(pbx().tracker.book().calls.begin()->second.connections, SizeIs(3));
}

}  // namespace
}  // namespace pbx::innova360
