#include "call/fold.h"

#include "dialogue.h"

namespace call {
namespace {

using enum ConnectionState;
using testing::HasSubstr;

class Folding : public Dialogue {
 protected:
  Folding() {
    for (const auto& seen :
         {view("A", {calling("201", connected)}),
          view("A", {calling("201", connected), called("202", alerting)}),
          view("A", {calling("201", connected), called("202", connected)}), view("A", {})}) {
      for (Event& event : tracker_.apply(CallSeen{seen}, next())) story_.push_back(event);
    }
  }

  // The story with one event altered: what the consumer has to say about it.
  template <class Change>
  std::string first_violation(Change change) {
    auto events = story_;
    change(events);
    Fold fold{Book{}};
    for (const Event& event : events) {
      const auto violations = fold.apply(event);
      if (!violations.empty()) return violations.front();
    }
    return "";
  }
  static CallEvent& body(Event& event) { return std::get<CallEvent>(event.body); }
  static void renumber(std::vector<Event>& events) {
    for (std::size_t i = 0; i < events.size(); ++i) events[i].sequence = i + 1;
  }

  std::vector<Event> story_;
};

TEST_F(Folding, HasNothingToSayAboutATrueStory) {
  ASSERT_EQ(story_.size(), 6u);
  EXPECT_EQ(first_violation([](auto&) {}), "");
}

TEST_F(Folding, SkipsWhatItHasHadBefore) {
  EXPECT_EQ(first_violation([](auto& events) { events.insert(events.begin() + 2, events[0]); }),
            "");
}

TEST_F(Folding, SeesAHole) {
  EXPECT_THAT(first_violation([](auto& events) { events.erase(events.begin() + 1); }),
              HasSubstr("sequence 3 instead of 2"));
}

TEST_F(Folding, AcceptsAHoleThatAGapExplains) {
  Fold fold{Book{}};
  Event event;
  event.epoch = 1;
  event.sequence = 6;
  event.body = StreamGap{1, 5, {}, {}, "outbox_full"};
  EXPECT_THAT(fold.apply(event), IsEmpty());
  EXPECT_EQ(fold.gaps().size(), 1u);
  event.sequence = 9;
  event.body = StreamGap{8, 8, {}, {}, "outbox_full"};  // and 7?
  EXPECT_EQ(fold.apply(event).size(), 1u);
}

TEST_F(Folding, SeesAStepThatIsLeftOut) {
  EXPECT_THAT(first_violation([](auto& events) {
                events.erase(events.begin() + 1);
                body(events[1]).type = CallEventType::held;
                for (auto& it : body(events[1]).call.connections) {
                  if (it.number == 2) it.state = hold;
                }
                renumber(events);
              }),
              HasSubstr("from null to hold"));
}

TEST_F(Folding, SeesAnEventAfterTheLast) {
  EXPECT_THAT(first_violation([](auto& events) {
                events.push_back(events[4]);
                renumber(events);
              }),
              HasSubstr("comes after the call was cleared"));
  EXPECT_THAT(first_violation([](auto& events) {
                events.push_back(events[5]);
                renumber(events);
              }),
              HasSubstr("comes after the call was cleared"));
}

TEST_F(Folding, SeesASecondEndOfAConnection) {
  EXPECT_THAT(first_violation([](auto& events) {
                events.insert(events.begin() + 4, events[3]);
                renumber(events);
              }),
              HasSubstr("has ended before"));
}

TEST_F(Folding, SeesACallThatLeavesConnectionsBehind) {
  EXPECT_THAT(first_violation([](auto& events) {
                events.erase(events.begin() + 4);
                renumber(events);
              }),
              HasSubstr("leaves connections behind"));
}

TEST_F(Folding, SeesAConnectionThatChangesOrGoesInSilence) {
  EXPECT_THAT(
      first_violation([](auto& events) { body(events[1]).call.connections[0].state = hold; }),
      HasSubstr("changes without an event of its own"));
  EXPECT_THAT(first_violation([](auto& events) {
                auto& connections = body(events[1]).call.connections;
                connections.erase(connections.begin());
              }),
              HasSubstr("is gone without an end"));
  EXPECT_THAT(
      first_violation([](auto& events) { body(events[1]).call.connections[0].recording = true; }),
      HasSubstr("changes its recording"));
}

TEST_F(Folding, SeesAnEventWithoutCauseOrOfAnotherStateOrOfNobody) {
  EXPECT_THAT(first_violation([](auto& events) { body(events[0]).cause = Cause::unspecified; }),
              HasSubstr("has no cause"));
  EXPECT_THAT(first_violation([](auto& events) { body(events[1]).type = CallEventType::held; }),
              HasSubstr("leaves its connection alerting"));
  EXPECT_THAT(first_violation([](auto& events) { body(events[1]).connection = 7; }),
              HasSubstr("is of no connection"));
}

TEST_F(Folding, ComesInTheMiddleWithoutComplaint) {
  Fold fold;
  for (std::size_t i = 2; i < story_.size(); ++i) {
    EXPECT_THAT(fold.apply(story_[i]), IsEmpty()) << i;
  }
  EXPECT_TRUE(fold.book().calls.empty());
}

TEST_F(Folding, RefusesAnEpochThatIsOver) {
  Event event = story_.front();
  Book later;
  later.epoch = 2;
  Fold fold(later);
  EXPECT_EQ(fold.apply(event).size(), 1u);
  EXPECT_TRUE(fold.book().calls.empty());
}

TEST_F(Folding, BeginsEachEpochAtOne) {
  Fold fold{Book{}};
  EXPECT_THAT(fold.apply(story_[0]), IsEmpty());
  Event event = story_[1];
  event.epoch = 2;
  EXPECT_EQ(fold.apply(event).size(), 1u);
  event.epoch = 3;
  event.sequence = 1;
  event.body = LinkEvent{LinkState::up, "", "", std::nullopt};
  EXPECT_THAT(fold.apply(event), IsEmpty());
  EXPECT_EQ(fold.link()->state, LinkState::up);
}

TEST_F(Folding, KnowsDevicesByTheirLife) {
  Fold fold{Book{}};
  Event event;
  event.epoch = event.sequence = 1;
  event.body = DeviceEvent{DeviceEventType::removed, device("201")};
  EXPECT_EQ(fold.apply(event).size(), 1u);
  event.sequence = 2;
  event.body = DeviceEvent{DeviceEventType::added, device("201")};
  EXPECT_THAT(fold.apply(event), IsEmpty());
  event.sequence = 3;
  EXPECT_EQ(fold.apply(event).size(), 1u);
}

TEST_F(Folding, RemembersOnlySoManyGaps) {
  Fold fold{Book{}};
  Event event;
  event.epoch = 1;
  for (std::uint64_t i = 0; i < Fold::kGapsMax + 5; ++i) {
    event.sequence = 2 * i + 2;
    event.body = StreamGap{2 * i + 1, 2 * i + 1, {}, {}, "outbox_full"};
    EXPECT_THAT(fold.apply(event), IsEmpty());
  }
  EXPECT_EQ(fold.gaps().size(), Fold::kGapsMax);
}

}  // namespace
}  // namespace call
