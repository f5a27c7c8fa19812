#include "call/tracker.h"

#include "dialogue.h"

namespace call {
namespace {

using enum ConnectionState;

class Calls : public Dialogue {};

TEST_F(Calls, TellsABasicCall) {
  EXPECT_THAT(see(view("K", {calling("201", initiated)})),
              ElementsAre("c1-1-1 serviceInitiated newCall"));
  EXPECT_THAT(see(view("K", {calling("201", connected)})),
              ElementsAre("c1-1-1 originated newCall"));
  EXPECT_THAT(see(view("K", {calling("201", connected), called("202", alerting)})),
              ElementsAre("c1-1-2 delivered newCall"));
  EXPECT_EQ(event(0).call.connections.size(), 2u);
  EXPECT_THAT(see(view("K", {calling("201", connected), called("202", connected)})),
              ElementsAre("c1-1-2 established newCall"));
  EXPECT_THAT(
      see(view("K", {calling("201", connected), called("202", null, Cause::normal_clearing)})),
      ElementsAre("c1-1-2 connectionCleared normalClearing"));
  EXPECT_EQ(event(0).call.connections.at(1).state, null);
  EXPECT_THAT(
      see(view("K", {calling("201", null)})),
      ElementsAre("c1-1-1 connectionCleared normalClearing", "c1-1 callCleared normalClearing"));
  EXPECT_EQ(event(1).call.connections.size(), 1u);
  EXPECT_EQ(event(1).call.connections.front().number, 1u);
  EXPECT_TRUE(tracker_.book().calls.empty());
}

TEST_F(Calls, TellsNothingTwice) {
  const auto talk = view("K", {calling("201", connected), called("202", connected)});
  EXPECT_EQ(see(talk).size(), 3u);
  EXPECT_THAT(see(talk), IsEmpty());
  EXPECT_THAT(see(view("K", {talk.legs[1], talk.legs[0]})), IsEmpty());
  EXPECT_THAT(see_all(std::vector{talk}), IsEmpty());
}

TEST_F(Calls, FillsInWhatThePbxLeftOut) {
  EXPECT_THAT(see(view("K", {called("202", hold), calling("201", connected)})),
              ElementsAre("c1-1-1 originated newCall", "c1-1-2 delivered newCall inferred",
                          "c1-1-2 established newCall inferred", "c1-1-2 held normal"));
  EXPECT_EQ(event(3).call.connections.at(1).since, now_);
}

TEST_F(Calls, OffersThenRings) {
  Leg offered = called("202", alerting);
  offered.offered = true;
  see(view("K", {calling("201", connected)}));
  EXPECT_THAT(see(view("K", {calling("201", connected), offered})),
              ElementsAre("c1-1-2 offered newCall"));
  EXPECT_THAT(see(view("K", {calling("201", connected), called("202", alerting)})),
              ElementsAre("c1-1-2 delivered newCall"));
  EXPECT_THAT(see(view("K", {calling("201", connected), offered})),
              ElementsAre("c1-1-2 callInformation normal"));
  EXPECT_TRUE(connection("c1-1", 2).offered);
}

TEST_F(Calls, RingsTheCallersOwnPhoneFirst) {
  EXPECT_THAT(see(view("K", {calling("201", alerting, Cause::make_call)})),
              ElementsAre("c1-1-1 delivered makeCall"));
  EXPECT_THAT(see(view("K", {calling("201", connected)})),
              ElementsAre("c1-1-1 originated newCall"));
}

TEST_F(Calls, EndsAMissedCallInOne) {
  see(view("K", {calling("+491", connected), called("202", alerting)}));
  EXPECT_THAT(
      see(view("K", {calling("+491", null, Cause::call_cancelled), called("202", null)})),
      ElementsAre("c1-1-1 connectionCleared callCancelled",
                  "c1-1-2 connectionCleared normalClearing", "c1-1 callCleared callCancelled"));
}

TEST_F(Calls, EndsACallWhoseViewIsEmpty) {
  see(view("K", {calling("+491", connected), called("202", connected)}));
  EXPECT_THAT(see(view("K", {})), ElementsAre("c1-1-1 connectionCleared normalClearing",
                                              "c1-1-2 connectionCleared normalClearing",
                                              "c1-1 callCleared normalClearing"));
}

TEST_F(Calls, FailsBeforeItEndsIfNobodyAnswered) {
  see(view("K", {calling("201", connected), called("+491", alerting)}));
  EXPECT_THAT(see(view("K", {calling("201", connected), called("+491", null, Cause::busy)})),
              ElementsAre("c1-1-2 failed busy inferred", "c1-1-2 connectionCleared busy"));
  Leg caller = calling("201", null);
  caller.vendor_cause = {"USER_BUSY", 17, 486};
  EXPECT_THAT(see(view("K", {caller})),
              ElementsAre("c1-1-1 failed busy inferred", "c1-1-1 connectionCleared busy",
                          "c1-1 callCleared busy"));
  EXPECT_EQ(event(2).vendor_cause, caller.vendor_cause);
}

TEST_F(Calls, DoesNotFailAfterATalk) {
  see(view("K", {calling("201", connected), called("+491", connected)}));
  EXPECT_THAT(see(view("K", {calling("201", connected),
                             called("+491", null, Cause::network_out_of_order)})),
              ElementsAre("c1-1-2 connectionCleared networkOutOfOrder"));
  EXPECT_THAT(see(view("K", {calling("201", null, Cause::network_out_of_order)})),
              ElementsAre("c1-1-1 connectionCleared networkOutOfOrder",
                          "c1-1 callCleared networkOutOfOrder"));
}

TEST_F(Calls, FailsInPlainSightToo) {
  see(view("K", {calling("201", connected)}));
  EXPECT_THAT(see(view("K", {calling("201", fail, Cause::number_unallocated)})),
              ElementsAre("c1-1-1 failed numberUnallocated"));
  EXPECT_THAT(see(view("K", {calling("201", null, Cause::number_unallocated)})),
              ElementsAre("c1-1-1 connectionCleared numberUnallocated",
                          "c1-1 callCleared numberUnallocated"));
}

TEST_F(Calls, BeginsAnotherConnectionWhereNoStepLeadsOn) {
  see(view("K", {calling("201", connected), called("202", fail, Cause::busy)}));
  EXPECT_THAT(see(view("K", {calling("201", connected), called("202", connected)})),
              ElementsAre("c1-1-2 connectionCleared normalClearing inferred",
                          "c1-1-3 delivered newCall inferred", "c1-1-3 established newCall"));
  EXPECT_EQ(tracker_.find_leg("leg-202").second->number, 3u);
}

TEST_F(Calls, HoldsAndRetrieves) {
  see(view("K", {calling("201", connected), called("202", connected)}));
  EXPECT_THAT(see(view("K", {calling("201", connected), called("202", hold)})),
              ElementsAre("c1-1-2 held normal"));
  EXPECT_THAT(see(view("K", {calling("201", connected), called("202", connected)})),
              ElementsAre("c1-1-2 retrieved normal"));
}

TEST_F(Calls, AnswersARecallWithoutOriginatingAgain) {
  see(view("K", {calling("201", connected), called("202", connected)}));
  see(view("K", {calling("201", hold), called("202", connected)}));
  EXPECT_THAT(see(view("K", {calling("201", alerting, Cause::recall), called("202", connected)})),
              ElementsAre("c1-1-1 delivered recall"));
  EXPECT_THAT(see(view("K", {calling("201", connected), called("202", connected)})),
              ElementsAre("c1-1-1 established newCall"));
}

TEST_F(Calls, TellsWhereADivertedCallGoes) {
  see(view("K", {calling("+491", connected), called("201", alerting)}));
  EXPECT_THAT(
      see(view("K", {calling("+491", connected), called("201", null, Cause::call_forward_no_answer),
                     called("202", alerting, Cause::call_forward_no_answer)})),
      ElementsAre("c1-1-2 diverted callForwardNoAnswer to 202",
                  "c1-1-2 connectionCleared callForwardNoAnswer",
                  "c1-1-3 delivered callForwardNoAnswer"));
}

TEST_F(Calls, LivesOnWhenItsOnlyDeviceDiverts) {
  see(view("K", {called("201", alerting)}));
  EXPECT_THAT(see(view("K", {called("201", null, Cause::redirected), called("202", alerting)})),
              ElementsAre("c1-1-1 diverted redirected to 202",
                          "c1-1-1 connectionCleared redirected", "c1-1-2 delivered newCall"));
}

TEST_F(Calls, TellsABlindTransfer) {
  see(view("K", {calling("+491", connected), called("201", connected)}));
  EXPECT_THAT(
      see(view("K", {calling("+491", connected), called("201", null, Cause::single_step_transfer),
                     called("202", alerting)})),
      ElementsAre("c1-1-2 transferred singleStepTransfer to 202",
                  "c1-1-2 connectionCleared singleStepTransfer", "c1-1-3 delivered newCall"));
}

// 201 talks to +491, consults 202, and connects the two: the PBX moves 202's leg.
TEST_F(Calls, TellsAnAttendedTransferOnce) {
  see(view("A", {calling("+491", connected), called("201", connected)}));
  see(view("A", {calling("+491", connected), called("201", hold)}));
  see(view("B", {named(calling("201", connected), "second"), called("202", connected)}));
  EXPECT_THAT(see(view("A", {calling("+491", connected), called("201", null, Cause::transfer),
                             called("202", connected)})),
              ElementsAre("c1-2-2 connectionCleared transfer", "c1-1-2 transferred transfer to 202",
                          "c1-1-2 connectionCleared transfer"));
  EXPECT_EQ(event(1).call.connections.size(), 3u);
  EXPECT_EQ(find_connection(event(1).call, 3)->state, connected);
  EXPECT_THAT(see(view("B", {named(calling("201", null, Cause::transfer), "second")})),
              ElementsAre("c1-2-1 transferred transfer", "c1-2-1 connectionCleared transfer",
                          "c1-2 callCleared transfer"));
  EXPECT_EQ(call("c1-1").connections.size(), 2u);
}

// The same, as a PBX tells it that lets the second call survive.
TEST_F(Calls, AbsorbsTheCallWhoseKeyItTakes) {
  see(view("A", {calling("+491", connected), called("201", hold)}));
  see(view("B", {named(calling("201", connected), "second"), called("202", connected)}));
  EXPECT_THAT(see(view("B", {calling("+491", connected), called("202", connected)})),
              ElementsAre("c1-2-2 connectionCleared transfer", "c1-2-1 connectionCleared transfer",
                          "c1-2 callCleared transfer", "c1-1-2 connectionCleared normalClearing",
                          "c1-1-3 transferred transfer"));
  EXPECT_EQ(call("c1-1").key, "B");
  EXPECT_THAT(see(view("A", {})), IsEmpty());
}

TEST_F(Calls, EndsALegInTheCallItIsKnownIn) {
  see(view("A", {calling("+491", connected), called("201", connected)}));
  see(view("B", {calling("202", connected), called("203", alerting)}));
  EXPECT_THAT(see(view("A", {calling("+491", connected), called("201", connected),
                             called("203", null, Cause::busy)})),
              ElementsAre("c1-2-2 failed busy inferred", "c1-2-2 connectionCleared busy"));
}

TEST_F(Calls, BringsAHeldLegOverOnHold) {
  see(view("A", {calling("+491", connected)}));
  see(view("B", {calling("201", connected), called("202", hold)}));
  EXPECT_THAT(see(view("A", {calling("+491", connected), called("202", hold)})),
              ElementsAre("c1-2-2 connectionCleared transfer", "c1-1-2 transferred transfer",
                          "c1-1-2 held normal"));
}

TEST_F(Calls, TellsAConference) {
  see(view("A", {calling("+491", connected), called("201", connected)}));
  see(view("B", {named(calling("201", connected), "second"), called("202", connected)}));
  EXPECT_THAT(see(view("A", {calling("+491", connected), called("201", connected),
                             called("202", connected)})),
              ElementsAre("c1-2-2 connectionCleared conference", "c1-1-3 conferenced conference"));
  EXPECT_THAT(see(view("B", {})), ElementsAre("c1-2-1 connectionCleared normalClearing",
                                              "c1-2 callCleared normalClearing"));
  EXPECT_THAT(see(view("A", {calling("+491", connected), called("202", connected)})),
              ElementsAre("c1-1-2 connectionCleared normalClearing"));
}

TEST_F(Calls, TellsThatItIsRecorded) {
  Leg recorded = called("201", connected);
  recorded.recording = true;
  see(view("A", {calling("+491", connected), called("201", connected)}));
  EXPECT_THAT(see(view("A", {calling("+491", connected), recorded})),
              ElementsAre("c1-1-2 recordingStarted normal"));
  recorded.recording.reset();  // nobody says that it has stopped
  EXPECT_THAT(see(view("A", {calling("+491", connected), recorded})), ElementsAre());
  EXPECT_THAT(see(view("A", {calling("+491", connected), called("201", connected)})),
              ElementsAre("c1-1-2 recordingStopped normal"));
}

TEST_F(Calls, TellsInformationAloneOnlyIfNothingElseCarriesIt) {
  auto ringing = view("A", {calling("+491", connected), called("201", alerting)});
  see(ringing);
  ringing.legs[0].party.name = "Erika";
  EXPECT_THAT(see(ringing), ElementsAre("c1-1-1 callInformation normal"));
  EXPECT_EQ(event(0).call.connections.front().party.name, "Erika");
  ringing.dialled = "4711";
  ringing.legs[1].party.name = "Max";
  EXPECT_THAT(see(ringing), ElementsAre("c1-1 callInformation normal"));
  ringing.data["order"] = "17";
  ringing.legs[1].state = connected;
  EXPECT_THAT(see(ringing), ElementsAre("c1-1-2 established newCall"));
  EXPECT_EQ(event(0).call.data.at("order"), "17");
  ringing.dialled.clear();  // no longer told is not unsaid
  EXPECT_THAT(see(ringing), IsEmpty());
  ringing.key = "B";
  EXPECT_THAT(see(ringing), ElementsAre("c1-1 callInformation normal"));
  EXPECT_EQ(call("c1-1").key, "B");
}

TEST_F(Calls, DoesNotMentionWhatEndedBeforeItWasKnown) {
  EXPECT_THAT(see(view("A", {})), IsEmpty());
  EXPECT_THAT(see(view("A", {calling("201", null), called("202", null)})), IsEmpty());
  EXPECT_EQ(tracker_.book().calls_made, 0u);
}

TEST_F(Calls, IgnoresLegsWithoutIdAndTheSecondOfTwins) {
  EXPECT_THAT(see(view("A", {named(calling("201", connected), ""), called("202", alerting),
                             called("202", connected)})),
              ElementsAre("c1-1-1 delivered newCall"));
  see(view("B", {calling("203", connected), called("204", alerting)}));
  EXPECT_THAT(
      see(view("A", {called("202", alerting), called("204", connected), called("204", alerting)})),
      ElementsAre("c1-2-2 connectionCleared transfer", "c1-1-2 transferred transfer"));
}

TEST_F(Calls, NeverGivesAConnectionsNumberAgain) {
  see(view("A", {calling("+491", connected), called("201", alerting)}));
  see(view("A", {calling("+491", connected)}));
  EXPECT_THAT(see(view("A", {calling("+491", connected), called("201", alerting)})),
              ElementsAre("c1-1-3 delivered newCall"));
}

TEST_F(Calls, EndsWhatACompleteListLacks) {
  const auto a = view("A", {calling("201", connected)}), b = view("B", {calling("202", connected)});
  EXPECT_THAT(see_all(std::vector{a, b}),
              ElementsAre("c1-1-1 originated newCall", "c1-2-1 originated newCall"));
  EXPECT_THAT(see_all(std::vector{b}), ElementsAre("c1-1-1 connectionCleared normalClearing",
                                                   "c1-1 callCleared normalClearing"));
  EXPECT_THAT(
      see_all(std::vector<CallView>{}),
      ElementsAre("c1-2-1 connectionCleared normalClearing", "c1-2 callCleared normalClearing"));
}

TEST_F(Calls, KnowsWhereACallComesFrom) {
  see(view("A", {calling("201", connected), called("202", alerting)}));
  EXPECT_EQ(call("c1-1").direction, Direction::internal);
  see(view("B", {calling("+491", connected), called("Q1", queued)}));
  EXPECT_EQ(call("c1-2").direction, Direction::inbound);
  see(view("C", {calling("203", connected)}));
  EXPECT_EQ(call("c1-3").direction, Direction::internal);
  see(view("C", {calling("203", connected), called("+492", alerting)}));
  EXPECT_EQ(call("c1-3").direction, Direction::outbound);
  see(view("B", {called("204", connected), calling("+491", null), called("+493", connected)}));
  EXPECT_EQ(call("c1-2").direction, Direction::inbound);
}

TEST_F(Calls, TracksSoManyLegsAndNoMore) {
  CallView crowd = view("A", {});
  for (std::size_t i = 0; i < kConnectionsMax + 10; ++i) {
    crowd.legs.push_back(called(std::to_string(1'000 + i), alerting));
  }
  EXPECT_EQ(see(crowd).size(), kConnectionsMax);
  EXPECT_THAT(see(crowd), IsEmpty());
  crowd.legs.erase(crowd.legs.begin(), crowd.legs.begin() + 1);
  EXPECT_EQ(see(crowd).size(), 2u);  // one goes, and makes room for another
}

TEST_F(Calls, NumbersAndDatesEachEvent) {
  const Time pbx_time = Time{} + std::chrono::hours(1);
  const auto events =
      tracker_.apply(CallSeen{view("A", {calling("201", connected), called("202", alerting)})},
                     Context{Time{} + std::chrono::hours(2), pbx_time, "request-1"});
  ASSERT_EQ(events.size(), 2u);
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].epoch, 1u);
    EXPECT_EQ(events[i].sequence, i + 1);
    EXPECT_EQ(events[i].received, Time{} + std::chrono::hours(2));
    EXPECT_EQ(events[i].pbx_time, pbx_time);
    EXPECT_EQ(events[i].request_id, "request-1");
    EXPECT_EQ(events[i].origin, Origin::live);
  }
  const auto link = tracker_.link({LinkState::up, "", "", std::nullopt}, next());
  ASSERT_EQ(link.size(), 1u);
  EXPECT_EQ(link[0].sequence, 3u);
  EXPECT_EQ(line_of(link[0]), "link up");
}

TEST_F(Calls, AllowsWhatTheDevicesConnectionsAllowTogether) {
  see(device("201"));
  see(view("A", {calling("+491", connected), called("201", connected)}));
  EXPECT_TRUE(connection("c1-1", 2).allowed.has(Service::hold_call));
  EXPECT_FALSE(connection("c1-1", 2).allowed.has(Service::transfer_call));
  EXPECT_TRUE(connection("c1-1", 1).allowed.empty());
  see(view("A", {calling("+491", connected), called("201", hold)}));
  see(view("B", {named(calling("201", connected), "second"), called("202", alerting)}));
  EXPECT_TRUE(connection("c1-1", 2).allowed.has(Service::transfer_call));
  EXPECT_TRUE(connection("c1-2", 1).allowed.has(Service::transfer_call));
  EXPECT_EQ(connection("c1-2", 2).allowed, ServiceSet{Service::directed_pickup_call});
  see(view("B", {}));
  EXPECT_FALSE(connection("c1-1", 2).allowed.has(Service::transfer_call));
  see_all(std::vector<Device>{});
  EXPECT_TRUE(connection("c1-1", 2).allowed.empty());
}

}  // namespace
}  // namespace call
