#include "pbx/innovaphone/tenant.h"

namespace pbx::innovaphone {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What consumers are told of calls.
struct InnovaphoneCalls : Innovaphone {
  void SetUp() override { come_up(); }
  auto events() { return pbx().take_events(); }
};

TEST_F(InnovaphoneCalls, AnInternalOneIsOneCallWithTwoLegs) {
  talk("201", "202", "A", 1);
  EXPECT_THAT(events(), ElementsAre("originated 201", "delivered 202", "established 202"));
  call("202", 1, "A", 135, "", "x-rel", cause(16));
  call("201", 1, "A", 6, "", "r-disc", cause(16));
  del("202", 1, "A", 135);
  del("201", 1, "A", 6);
  EXPECT_THAT(events(),
              ElementsAre("connectionCleared 202", "connectionCleared 201", "callCleared"));
  EXPECT_TRUE(pbx().tracker.book().calls.empty());
}

TEST_F(InnovaphoneCalls, ThePartyOutsideHasALegOfItsOwn) {
  talk("+34600111222", "201", "A", 1);
  EXPECT_THAT(events(), ElementsAre("originated +34600111222", "delivered 201", "established 201"));
  call("201", 1, "A", 134, "", "r-disc", cause(16));
  EXPECT_EQ(events().size(), 3u);
  talk("202", "0600333444", "B", 2);
  EXPECT_THAT(events(),
              ElementsAre("originated 202", "delivered 0600333444", "established 0600333444"));
  call("202", 2, "B", 7, "", "x-rel", cause(16));
  EXPECT_EQ(events().size(), 3u);
}

TEST_F(InnovaphoneCalls, BusyFailsUntilTheCallerHangsUp) {
  call("201", 1, "A", 1, "202", "x-setup");
  call("201", 1, "A", 6, "202", "r-disc", cause(17));
  EXPECT_THAT(events(), ElementsAre("originated 201", "failed 201 (busy)"));
  del("201", 1, "A", 6);
  EXPECT_THAT(events(), ElementsAre("connectionCleared 201 (busy)", "callCleared (busy)"));
}

TEST_F(InnovaphoneCalls, RefusedAtThePhoneFailsAtTheCaller) {
  ring("201", "202", "A", 1);
  events();
  call("202", 1, "A", 135, "", "x-rel", cause(21));
  call("201", 1, "A", 6, "", "r-disc", cause(21));
  del("202", 1, "A", 135);
  del("201", 1, "A", 6);
  EXPECT_THAT(events(), ElementsAre("connectionCleared 202", "failed 201 (blocked)",
                                    "connectionCleared 201 (blocked)", "callCleared (blocked)"));
}

TEST_F(InnovaphoneCalls, NobodyAnswers) {
  ring("201", "202", "A", 1);
  events();
  call("202", 1, "A", 134, "", "r-rel", cause(102));
  call("201", 1, "A", 6, "", "r-disc", cause(19));
  del("202", 1, "A", 134);
  del("201", 1, "A", 6);
  EXPECT_THAT(
      events(),
      ElementsAre("connectionCleared 202 (callNotAnswered)", "failed 201 (callNotAnswered)",
                  "connectionCleared 201 (callNotAnswered)", "callCleared (callNotAnswered)"));
}

TEST_F(InnovaphoneCalls, TheCallerGivesUp) {
  ring("201", "202", "A", 1);
  events();
  call("201", 1, "A", 7, "", "x-rel", cause(16));
  call("202", 1, "A", 134, "", "r-rel", cause(16));
  EXPECT_THAT(events(),
              ElementsAre("connectionCleared 201", "connectionCleared 202", "callCleared"));
}

TEST_F(InnovaphoneCalls, TheCallerOutsideGivesUp) {
  ring("0600111222", "202", "A", 1);
  events();
  call("202", 1, "A", 134, "", "r-rel", cause(16));
  del("202", 1, "A", 134);
  EXPECT_THAT(events(), IsEmpty());  // it may ring elsewhere now
  pbx().pass(1s);
  EXPECT_EQ(events().size(), 3u);
}

TEST_F(InnovaphoneCalls, HoldingIsToldOfTheOneWhoHolds) {
  talk("201", "202", "A", 1);
  events();
  call("202", 1, "A", 389, "", "update");
  call("201", 1, "A", 517, "", "r-held");
  EXPECT_THAT(events(), ElementsAre("held 202"));
  call("202", 1, "A", 133, "", "update");
  call("201", 1, "A", 5, "", "r-retrieved");
  EXPECT_THAT(events(), ElementsAre("retrieved 202"));
}

TEST_F(InnovaphoneCalls, ThePartyOutsideMayHoldToo) {
  talk("0600111222", "201", "A", 1);
  events();
  call("201", 1, "A", 133 + 512, "", "r-held");
  EXPECT_THAT(events(), ElementsAre("held 0600111222"));
  call("201", 1, "A", 133, "", "r-retrieved");
  EXPECT_THAT(events(), ElementsAre("retrieved 0600111222"));
}

TEST_F(InnovaphoneCalls, AWaitingCallRings) {
  talk("201", "202", "A", 1);
  events();
  call("203", 2, "B", 1, "202", "x-setup");
  call("202", 2, "B", 129 + 1024, "203", "r-setup");
  EXPECT_THAT(events(), ElementsAre("originated 203", "delivered 202"));
}

TEST_F(InnovaphoneCalls, SeveralDevicesOfAUserAreOneLeg) {
  call("201", 1, "A", 1, "202", "x-setup");
  call("202", 1, "A", 132, "201", "x-alert");
  call("202", 2, "A", 132, "201", "x-alert");
  EXPECT_THAT(events(), ElementsAre("originated 201", "delivered 202"));
  call("202", 2, "A", 133, "201", "x-conn");
  call("202", 1, "A", 134, "", "r-rel", cause(26));
  del("202", 1, "A", 134);
  call("201", 1, "A", 5, "202", "r-conn");
  EXPECT_THAT(events(), ElementsAre("established 202"));
}

// ---- Transfers.

TEST_F(InnovaphoneCalls, ATransferIsToldWhenTheTransferringLegsEndFirst) {
  talk("201", "202", "A", 1);
  call("202", 1, "A", 389, "", "update");
  talk("202", "203", "B", 2);
  events();
  del("202", 1, "A", 389);
  del("202", 2, "B", 5);
  EXPECT_THAT(events(), IsEmpty());
  call("201", 1, "A", 5, "203", "r-ct", no("ct", "202"));
  EXPECT_THAT(events(), ElementsAre("connectionCleared 203 (transfer)", "transferred 202",
                                    "connectionCleared 202 (transfer)", "connectionCleared 202",
                                    "callCleared"));
  call("203", 2, "B", 133, "201", "r-ct", no("ct", "202"));
  EXPECT_THAT(events(), IsEmpty());
  call("203", 2, "B", 135, "", "x-rel", cause(16));
  call("201", 1, "A", 6, "", "r-disc", cause(16));
  EXPECT_THAT(events(),
              ElementsAre("connectionCleared 203", "connectionCleared 201", "callCleared"));
}

TEST_F(InnovaphoneCalls, ATransferIsToldWhenTheOthersAreToldFirst) {
  talk("201", "202", "A", 1);
  call("202", 1, "A", 389, "", "update");
  talk("202", "203", "B", 2);
  events();
  call("203", 2, "B", 133, "201", "r-ct", no("ct", "202"));
  call("201", 1, "A", 5, "203", "r-ct", no("ct", "202"));
  del("202", 1, "A", 389);
  del("202", 2, "B", 5);
  EXPECT_THAT(events(), ElementsAre("connectionCleared 203 (transfer)", "transferred 202",
                                    "connectionCleared 202 (transfer)", "connectionCleared 202",
                                    "callCleared"));
  pbx().pass(1s);
  EXPECT_EQ(pbx().tracker.book().calls.size(), 1u);
  EXPECT_THAT(events(), IsEmpty());
}

TEST_F(InnovaphoneCalls, ATransferIsToldWhenOneConferenceIdSurvives) {
  talk("201", "202", "A", 1);
  call("202", 1, "A", 389, "", "update");
  talk("202", "203", "B", 2);
  events();
  del("202", 1, "A", 389);
  del("202", 2, "B", 5);
  call("201", 1, "B", 5, "203", "r-ct", no("ct", "202"));
  call("203", 2, "B", 133, "201", "r-ct", no("ct", "202"));
  EXPECT_THAT(events(), ElementsAre("connectionCleared 203 (transfer)", "transferred 202",
                                    "connectionCleared 202 (transfer)", "connectionCleared 202",
                                    "callCleared"));
}

TEST_F(InnovaphoneCalls, ATransferBeforeTheAnswerKeepsRinging) {
  talk("201", "202", "A", 1);
  call("202", 1, "A", 389, "", "update");
  ring("202", "203", "B", 2);
  events();
  del("202", 1, "A", 389);
  del("202", 2, "B", 4);
  call("201", 1, "A", 5, "203", "r-ct", no("ct", "202"));
  call("203", 2, "B", 132, "201", "r-ct", no("ct", "202"));
  EXPECT_THAT(events(),
              ElementsAre("transferred 202", "connectionCleared 202 (transfer)", "delivered 203",
                          "connectionCleared 202", "connectionCleared 203", "callCleared"));
  call("203", 2, "B", 133, "201", "x-conn");
  EXPECT_THAT(events(), ElementsAre("established 203"));
}

TEST_F(InnovaphoneCalls, ATransferOfAPartyOutside) {
  talk("0600111222", "202", "A", 1);
  call("202", 1, "A", 389, "", "update");
  talk("202", "203", "B", 2);
  events();
  del("202", 1, "A", 389);
  del("202", 2, "B", 5);
  call("203", 2, "B", 133, "0600111222", "r-ct", no("ct", "202"));
  EXPECT_THAT(events(), ElementsAre("connectionCleared 203 (transfer)", "transferred 202",
                                    "connectionCleared 202 (transfer)", "connectionCleared 202",
                                    "callCleared"));
  call("203", 2, "B", 135, "", "x-rel", cause(16));
  EXPECT_THAT(events(),
              ElementsAre("connectionCleared 0600111222", "connectionCleared 203", "callCleared"));
}

TEST_F(InnovaphoneCalls, ATransferToAPartyOutside) {
  talk("201", "202", "A", 1);
  call("202", 1, "A", 389, "", "update");
  talk("202", "0600111222", "B", 2);
  events();
  del("202", 1, "A", 389);
  del("202", 2, "B", 5);
  call("201", 1, "A", 5, "0600111222", "r-ct", no("ct", "202"));
  EXPECT_THAT(events(), ElementsAre("connectionCleared 0600111222 (transfer)", "transferred 202",
                                    "connectionCleared 202 (transfer)", "connectionCleared 202",
                                    "callCleared"));
}

TEST_F(InnovaphoneCalls, ASingleStepTransfer) {
  talk("201", "202", "A", 1);
  events();
  del("202", 1, "A", 133);
  call("203", 2, "A", 129, "201", "r-setup", no("ct", "202"));
  call("203", 2, "A", 132, "201", "x-alert");
  call("201", 1, "A", 5, "203", "r-ct", no("ct", "202"));
  EXPECT_THAT(events(), ElementsAre("transferred 202 (singleStepTransfer)",
                                    "connectionCleared 202 (singleStepTransfer)", "delivered 203"));
  call("203", 2, "A", 133, "201", "x-conn");
  EXPECT_THAT(events(), ElementsAre("established 203"));
}

TEST_F(InnovaphoneCalls, ASingleStepTransferOutOfTheHouse) {
  talk("201", "202", "A", 1);
  events();
  del("202", 1, "A", 133, no("xfer", "0600333444"));
  call("201", 1, "A", 4, "0600333444", "r-ct", no("ct", "202"));
  EXPECT_THAT(events(),
              ElementsAre("transferred 202 (singleStepTransfer)",
                          "connectionCleared 202 (singleStepTransfer)", "delivered 0600333444"));
  call("201", 1, "A", 5, "0600333444", "r-conn");
  EXPECT_THAT(events(), ElementsAre("established 0600333444"));
}

// ---- Calls that come up elsewhere.

TEST_F(InnovaphoneCalls, ADeflectedOneIsDiverted) {
  ring("201", "202", "A", 1);
  events();
  del("202", 1, "A", 132);
  call("203", 2, "A", 129, "201", "r-setup", no("leg2", "202"));
  call("203", 2, "A", 132, "201", "x-alert");
  EXPECT_THAT(events(),
              ElementsAre("diverted 202", "connectionCleared 202 (redirected)", "delivered 203"));
}

TEST_F(InnovaphoneCalls, AForwardedOneSaysSo) {
  call("201", 1, "A", 1, "202", "x-setup");
  call("203", 2, "A", 129, "201", "r-setup", no("leg2", "202"));
  call("203", 2, "A", 132, "201", "x-alert");
  call("201", 1, "A", 4, "202", "r-alert");
  EXPECT_THAT(events(), ElementsAre("originated 201", "delivered 203 (callForward)"));
  call("203", 2, "A", 133, "201", "x-conn");
  EXPECT_THAT(events(), ElementsAre("established 203"));
}

// With TableUsers it is known what is forwarded where.
struct InnovaphoneForwards : Innovaphone {
  void SetUp() override {
    settings.set("directory", std::string("auto"));
    come_up();
  }
  void forward(std::string_view type) {
    pbx().hear(R"({"mt":"ReplicateStartResult","api":"PbxTableUsers","src":"dir","columns":{}})");
    pbx().hear(R"({"mt":"ReplicateNextResult","api":"PbxTableUsers","src":"dir","columns":)"
               R"({"guid":"g202","h323":"u202","cn":"User 202","e164":"202","cds":[{"type":")" +
               std::string(type) + R"(","e164":"203"}]}})");
    pbx().hear(R"({"mt":"ReplicateNextResult","api":"PbxTableUsers","src":"dir"})");
  }
  auto events() { return pbx().take_events(); }
};

TEST_F(InnovaphoneForwards, AreToldWithTheirReason) {
  forward("cfu");
  call("201", 1, "A", 1, "202", "x-setup");
  call("203", 2, "A", 132, "201", "x-alert", no("leg2", "202"));
  EXPECT_THAT(events(), ElementsAre("originated 201", "delivered 203 (callForwardImmediate)"));
}
TEST_F(InnovaphoneForwards, WhenBusy) {
  forward("cfb");
  call("201", 1, "A", 1, "202", "x-setup");
  call("203", 2, "A", 132, "201", "x-alert", no("leg2", "202"));
  EXPECT_THAT(events(), ElementsAre("originated 201", "delivered 203 (callForwardBusy)"));
}
TEST_F(InnovaphoneForwards, WhenNotAnswered) {
  forward("cfnr");
  ring("201", "202", "A", 1);
  events();
  call("202", 1, "A", 134, "", "r-rel", cause(16));
  del("202", 1, "A", 134);
  call("203", 2, "A", 129, "201", "r-setup", no("leg2", "202"));
  call("203", 2, "A", 132, "201", "x-alert");
  EXPECT_THAT(events(), ElementsAre("diverted 202 (callForwardNoAnswer)",
                                    "connectionCleared 202 (callForwardNoAnswer)",
                                    "delivered 203 (callForwardNoAnswer)"));
}

TEST_F(InnovaphoneCalls, APickedUpOneIsDivertedToTheOneWhoTookIt) {
  ring("201", "202", "A", 1);
  events();
  del("202", 1, "A", 134, cause(26));
  call("203", 2, "A", 133, "201", "x-conn", no("picking"));
  EXPECT_THAT(events(),
              ElementsAre("diverted 202 (callPickup)", "connectionCleared 202 (callPickup)",
                          "delivered 203", "established 203"));
}

TEST_F(InnovaphoneCalls, AParkedOneWaitsAtItsDevice) {
  talk("201", "202", "A", 1);
  events();
  call("202", 1, "A", 134, "", "r-rel", no("parked-to", "202"));
  del("202", 1, "A", 134);
  EXPECT_THAT(events(), ElementsAre("connectionCleared 202 (park)"));
  call("202", 2, "A", 136, "201", "update");
  EXPECT_THAT(events(), ElementsAre("queued 202"));
  call("203", 2, "A", 133, "201", "x-conn", no("picking"));
  del("202", 2, "A", 136);
  EXPECT_THAT(events(), ElementsAre("delivered 203", "established 203", "diverted 202 (callPickup)",
                                    "connectionCleared 202 (callPickup)"));
}

TEST_F(InnovaphoneCalls, AParkedOneWaitsAtItsObject) {
  talk("201", "202", "A", 1);
  events();
  call("202", 1, "A", 134, "", "r-rel", no("parked-to", "700"));
  call("202", 2, "A", 136, "201", "update");
  EXPECT_THAT(events(), ElementsAre("connectionCleared 202 (park)", "queued 700"));
}

TEST_F(InnovaphoneCalls, OneThatLeavesOurSightIsTransferredFirst) {
  talk("0600111222", "201", "A", 1);
  events();
  del("201", 1, "A", 133, no("xfer", "0600333444"));
  pbx().pass(1s);
  EXPECT_THAT(events(), ElementsAre("transferred 201 (singleStepTransfer)",
                                    "connectionCleared 201 (singleStepTransfer)",
                                    "connectionCleared 0600111222", "callCleared"));
}

// ---- What is missing, or comes twice.

TEST_F(InnovaphoneCalls, AnIdThatComesLateIsWaitedFor) {
  call("201", 1, "", 1, "202", "x-setup");
  EXPECT_THAT(events(), IsEmpty());
  call("201", 1, "A", 3, "202", "r-call-proc");
  call("202", 1, "", 132, "201", "x-alert");
  call("202", 1, "A", 132, "201", "x-alert");
  call("201", 1, "", 4, "202", "r-alert");
  EXPECT_THAT(events(), ElementsAre("originated 201", "delivered 202"));
  EXPECT_EQ(pbx().tracker.find_leg("A/g201").second->party.device.str(), "201");
}

TEST_F(InnovaphoneCalls, AnIdThatNeverComesIsNotWaitedForForever) {
  call("201", 1, "", 1, "0600111222", "x-setup");
  pbx().pass(1s);
  EXPECT_THAT(events(), ElementsAre("originated 201"));
  del("201", 1, "", 7);
  pbx().pass(1s);
  EXPECT_THAT(events(), ElementsAre("connectionCleared 201", "callCleared"));
}

TEST_F(InnovaphoneCalls, UnknownStepsAndMessagesLeaveALegAsItWas) {
  talk("201", "202", "A", 1);
  events();
  call("201", 1, "A", 15, "202", "r-miracle");
  call("201", 1, "A", 5, "202", "x-progress", R"("dtmf":"12")");
  call("201", 1, "A", 5, "202", "r-user-info", R"("info":[{"type":"uui","vals":"hello"}])");
  EXPECT_THAT(events(), IsEmpty());
}

TEST_F(InnovaphoneCalls, WhatEndedIsNotBroughtBackByItsLastWords) {
  talk("201", "202", "A", 1);
  call("202", 1, "A", 135, "", "x-rel", cause(16));
  call("201", 1, "A", 6, "", "r-disc", cause(16));
  events();
  call("202", 1, "A", 135, "", "x-rel", cause(16));
  del("202", 1, "A", 135);
  del("201", 1, "A", 6);
  del("201", 1, "A", 6);
  pbx().pass(1s);
  EXPECT_THAT(events(), IsEmpty());
}

// Whether handles are used again on their socket is not documented.
TEST_F(InnovaphoneCalls, WhatIsSaidOfAHandleAfterItsEndIsOld) {
  come_up();
  talk("201", "0600111222", "A", 1);
  del("201", 1, "A", 5);
  pbx().pass(1s);
  EXPECT_TRUE(pbx().tracker.book().calls.empty());
  call("201", 1, "A", 5, "0600111222", "update");
  pbx().pass(1s);
  EXPECT_TRUE(pbx().tracker.book().calls.empty());
  talk("201", "0600111222", "B", 1);
  EXPECT_EQ(pbx().tracker.book().calls.size(), 1u);
}

}  // namespace
}  // namespace pbx::innovaphone
