#include "dialogue.h"

namespace call {
namespace {

using enum ConnectionState;

class Heal : public Dialogue {
 protected:
  Heal() {
    see_all(std::vector{device("201"), device("202")});
    see(view("A", {calling("+491", connected), called("201", alerting)}));
    see(view("B", {calling("202", connected), called("+492", alerting)}));
    published_ = tracker_.book();
  }

  // What consumers do not get to hear.
  void lose(const CallView& view) { tracker_.apply(CallSeen{view}, next()); }
  void lose(std::vector<Device> devices) {
    tracker_.apply(DevicesSeen{std::move(devices)}, next());
  }

  Lines heal() {
    StreamGap gap;
    gap.first_sequence = published_.sequence + 1;
    gap.last_sequence = tracker_.book().sequence;
    auto lines = fold(tracker_.heal(published_, gap, next()));
    auto told = consumer_.book().calls, now = tracker_.book().calls;
    for (auto* calls : {&told, &now}) {
      for (auto& [id, call] : *calls) {
        for (Connection& connection : call.connections) connection.allowed = {};
      }
    }
    EXPECT_EQ(told, now);
    EXPECT_EQ(consumer_.book().devices, tracker_.book().devices);
    return lines;
  }

  Book published_;
};

TEST_F(Heal, TellsWhatWasLostAndWhatIsTrueNow) {
  lose(view("A", {calling("+491", connected), called("201", connected)}));
  lose(view("A", {calling("+491", connected), called("201", hold)}));
  lose(view("B", {}));
  lose(view("C", {calling("203", connected), called("204", hold)}));
  lose(view("D", {calling("205", connected)}));
  lose(view("D", {}));
  EXPECT_THAT(
      heal(),
      ElementsAre("gap 7-18 resync", "c1-1-2 established newCall inferred resync",
                  "c1-1-2 held normal resync", "c1-2-1 connectionCleared normal resync",
                  "c1-2-2 connectionCleared normal resync", "c1-2 callCleared normal resync",
                  "c1-3-1 originated newCall resync", "c1-3-2 delivered newCall inferred resync",
                  "c1-3-2 established newCall inferred resync", "c1-3-2 held normal resync"));
  EXPECT_EQ(last_.back().sequence, tracker_.book().sequence);
}

TEST_F(Heal, ClearsTheConnectionsThatWereReplaced) {
  lose(view("A", {calling("+491", connected), called("203", alerting)}));
  EXPECT_THAT(heal(), ElementsAre("gap 7-8 resync", "c1-1-2 connectionCleared normal resync",
                                  "c1-1-3 delivered newCall resync"));
}

TEST_F(Heal, LeadsAConnectionThroughTheQueueThatItMustHavePassed) {
  see(view("B", {calling("202", connected), called("+492", fail, Cause::busy)}));
  published_ = tracker_.book();
  lose(view("B", {calling("202", connected), called("+492", queued, Cause::camp_on)}));
  lose(view("B", {calling("202", connected), called("+492", connected)}));
  EXPECT_THAT(heal(), ElementsAre("gap 8-9 resync", "c1-2-2 queued normal inferred resync",
                                  "c1-2-2 established newCall resync"));
}

TEST_F(Heal, TellsOfAStateThatIsTheSameAgain) {
  lose(view("A", {calling("+491", hold), called("201", alerting)}));
  lose(view("A", {calling("+491", connected), called("201", alerting)}));
  EXPECT_THAT(heal(), ElementsAre("gap 7-8 resync", "c1-1 callInformation normal resync"));
}

TEST_F(Heal, TellsInformationWithTheNextEventOrAlone) {
  auto renamed = view("A", {calling("+491", connected), called("201", alerting)});
  renamed.legs[0].party.name = "Erika";
  lose(renamed);
  auto answered = view("B", {calling("202", connected), called("+492", connected)});
  answered.data["order"] = "17";
  lose(answered);
  EXPECT_THAT(heal(), ElementsAre("gap 7-8 resync", "c1-1 callInformation normal resync",
                                  "c1-2-2 established newCall resync"));
  EXPECT_EQ(event(2).call.data.at("order"), "17");
}

TEST_F(Heal, TellsOfDevicesToo) {
  Device busy = device("202");
  busy.activity = Activity::busy;
  lose({busy, device("203")});
  EXPECT_THAT(heal(), ElementsAre("gap 7-9 resync", "201 removed resync",
                                  "202 activityChanged resync", "203 added resync"));
}

}  // namespace
}  // namespace call
