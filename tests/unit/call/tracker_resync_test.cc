#include "dialogue.h"

namespace call {
namespace {

using enum ConnectionState;

class Resync : public Dialogue {
 protected:
  Resync() {
    see_all(std::vector{device("201"), device("202")});
    see(view("A", {calling("+491", connected), called("201", alerting)}));
    see(view("B", {calling("202", connected), called("+492", connected)}));
    tracker_.begin_resync();
  }
};

TEST_F(Resync, TellsOnlyTheDifference) {
  EXPECT_THAT(
      see(view("A", {calling("+491", connected), called("201", hold)})),
      ElementsAre("c1-1-2 established newCall inferred resync", "c1-1-2 held normal resync"));
  EXPECT_THAT(see(view("C", {calling("203", connected)})),
              ElementsAre("c1-3-1 originated newCall resync"));
  EXPECT_THAT(end_resync(), ElementsAre("c1-2-1 connectionCleared normal resync",
                                        "c1-2-2 connectionCleared normal resync",
                                        "c1-2 callCleared normal resync"));
  EXPECT_EQ(event(2).vendor_cause.text, "resync");
  EXPECT_THAT(see(view("C", {calling("203", hold)})), ElementsAre("c1-3-1 held normal"));
}

TEST_F(Resync, EndsEverythingAfterAPbxRestart) {
  EXPECT_EQ(end_resync().size(), 6u);
  EXPECT_TRUE(tracker_.book().calls.empty());
  EXPECT_THAT(end_resync(), IsEmpty());
}

TEST_F(Resync, KeepsTheDirectoryIfNobodyShowedOne) {
  end_resync();
  EXPECT_EQ(tracker_.book().devices.size(), 2u);
}

TEST_F(Resync, RemovesTheDevicesThatDidNotComeBack) {
  see(view("A", {calling("+491", connected), called("201", alerting)}));
  see(view("B", {calling("202", connected), called("+492", connected)}));
  EXPECT_THAT(see(device("202")), IsEmpty());
  EXPECT_THAT(end_resync(), ElementsAre("201 removed resync"));
}

TEST_F(Resync, AsksTheEndedLegWhy) {
  EXPECT_THAT(see(view("B", {calling("202", connected), called("+492", null, Cause::timeout)})),
              ElementsAre("c1-2-2 connectionCleared timeout resync"));
}

TEST_F(Resync, KnowsALegAgainThatThePbxNumberedAnew) {
  EXPECT_THAT(see(view("A", {named(calling("+491", connected), "new-1"),
                             named(called("201", connected), "new-2")})),
              ElementsAre("c1-1-2 established newCall resync"));
  EXPECT_EQ(tracker_.find_leg("new-2").second->number, 2u);
  EXPECT_EQ(tracker_.find_leg("leg-201").first, nullptr);
}

TEST_F(Resync, TakesAKeyUsedAgainForAnotherCall) {
  EXPECT_THAT(see(view("A", {calling("204", connected)})),
              ElementsAre("c1-1-1 connectionCleared normal resync",
                          "c1-1-2 connectionCleared normal resync",
                          "c1-1 callCleared normal resync", "c1-3-1 originated newCall resync"));
}

TEST_F(Resync, StartsOverWhenTheLinkDropsInBetween) {
  see(view("A", {calling("+491", connected), called("201", alerting)}));
  tracker_.begin_resync();
  see(view("B", {calling("202", connected), called("+492", connected)}));
  EXPECT_THAT(end_resync(), ElementsAre("c1-1-1 connectionCleared normal resync",
                                        "c1-1-2 connectionCleared normal resync",
                                        "c1-1 callCleared normal resync"));
}

class Takeover : public Dialogue {};

TEST_F(Takeover, GoesOnWithWhatConsumersKnow) {
  see(device("201"));
  see(view("A", {calling("+491", connected), called("201", alerting)}));
  see(view("A", {calling("+491", connected), called("201", alerting), called("202", alerting)}));
  see(view("A", {calling("+491", connected), called("201", alerting)}));
  see(view("B", {calling("202", connected)}));

  tracker_ = Tracker(every_service(), 2);
  tracker_.restore(consumer_.book());
  tracker_.begin_resync();
  EXPECT_THAT(see(view("A", {calling("+491", connected), called("201", connected)})),
              ElementsAre("c1-1-2 established newCall resync"));
  EXPECT_EQ(last_.front().epoch, 2u);
  EXPECT_EQ(last_.front().sequence, 1u);
  EXPECT_TRUE(event(0).call.connections.at(1).allowed.has(Service::hold_call));
  // The next number and the next call are new ones, though nobody here has seen the old ones end.
  EXPECT_THAT(see(view("A", {calling("+491", connected), called("201", connected),
                             called("203", alerting)})),
              ElementsAre("c1-1-4 delivered newCall resync"));
  EXPECT_THAT(see(view("C", {calling("204", connected)})),
              ElementsAre("c2-1-1 originated newCall resync"));
  EXPECT_THAT(end_resync(), ElementsAre("c1-2-1 connectionCleared normal resync",
                                        "c1-2 callCleared normal resync"));
}

TEST_F(Takeover, OfItsOwnEpochContinuesTheNumbers) {
  see(view("A", {calling("201", connected)}));
  tracker_ = Tracker(every_service(), 1);
  tracker_.restore(consumer_.book());
  EXPECT_THAT(see(view("B", {calling("202", connected)})),
              ElementsAre("c1-2-1 originated newCall"));
  EXPECT_EQ(last_.front().sequence, 2u);
}

}  // namespace
}  // namespace call
