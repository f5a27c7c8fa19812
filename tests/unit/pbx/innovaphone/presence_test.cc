#include "pbx/innovaphone/presence.h"

#include <algorithm>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

namespace pbx::innovaphone {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

// ---- Which of the contacts counts. ----

std::string seen_as(const std::vector<PresenceItem>& items) {
  const auto view = view_of(items);
  return view.text + (view.note.empty() ? "" : " (" + view.note + ")") +
         (view.do_not_disturb ? "!" : "");
}

TEST(PresenceOf, IsWhatTheUserHasSet) {
  EXPECT_EQ(seen_as({}), "available");
  EXPECT_EQ(seen_as({{"tel:", "", "open", ""}}), "available");
  EXPECT_EQ(seen_as({{"tel:", "busy", "closed", "in a meeting"}}), "busy (in a meeting)");
  EXPECT_EQ(seen_as({{"tel:", "dnd", "closed", ""}}), "dnd!");
  EXPECT_EQ(seen_as({{"im:", "away", "open", "x"}, {"tel:", "lunch", "open", "y"}}), "lunch (y)");
  EXPECT_EQ(seen_as({{"tel:", "", "open", "back at 3"}}), "available (back at 3)");
}

TEST(PresenceOf, IsWhatThePbxSeesIfTheUserHasSetNothing) {
  EXPECT_EQ(seen_as({{"tel:", "", "open", ""}, {"im:", "on-the-phone", "open", ""}}),
            "on-the-phone");
  EXPECT_EQ(seen_as({{"calendar:", "busy", "", "Board"}, {"im:", "away", "", ""}}), "away");
  EXPECT_EQ(seen_as({{"calendar:", "busy", "", "Board"}, {"im:", "", "open", ""}}), "busy (Board)");
  EXPECT_EQ(seen_as({{"cal:", "busy", "", ""}}), "busy");
  EXPECT_EQ(seen_as({{"new:", "holiday", "", ""}}), "holiday");
  EXPECT_EQ(seen_as({{"new:", "holiday", "", ""}, {"cal:", "busy", "", ""}}), "busy");
}

TEST(PresenceOf, IsTheNewestOfAContact) {
  EXPECT_EQ(seen_as({{"tel:", "away", "", ""}, {"tel:", "dnd", "", ""}}), "away");
  EXPECT_EQ(seen_as({{"tel:", "", "open", ""}, {"tel:", "dnd", "", ""}}), "available");
}

TEST(PresenceOf, IsOfflineIfAllIsClosed) {
  EXPECT_EQ(seen_as({{"im:", "", "closed", ""}}), "offline");
  EXPECT_EQ(seen_as({{"im:", "", "closed", ""}, {"tel:", "", "open", ""}}), "available");
}

// ---- How it is asked for. ----

// The users of a PBX, asked about with two requests at a time.
class Watching : public testing::Test {
 protected:
  void add(const std::string& guid, const std::string& sip, const std::string& number = "") {
    take(presence.add(guid, sip, number, now));
  }
  void remove(const std::string& guid) { take(presence.remove(guid, now)); }
  void hear(std::string_view text) {
    const auto frame = parse(text);
    ASSERT_TRUE(frame.has_value()) << text;
    take(presence.on_frame(*frame, now));
  }
  void answer(const std::string& guid, const std::string& more = "") {
    hear(R"({"mt":"SubscribePresenceResult","api":"PbxApi","src":"pre:)" + guid + '"' + more + '}');
  }
  void update(const std::string& guid, const std::string& activity) {
    hear(R"({"mt":"PresenceUpdate","api":"PbxApi","src":"pre:)" + guid +
         R"(","presence":[{"contact":"tel:","activity":")" + activity + R"("}]})");
  }
  void pass(std::chrono::milliseconds span) {
    now += span;
    if (presence.deadline() <= now) {
      take(presence.on_tick(now));
      EXPECT_GT(presence.deadline(), now);
    }
  }
  // Texts as "+alice", "-alice".
  void take(Presence::Step step) {
    for (const std::string& text : step.texts) {
      const bool plus = text.find("\"SubscribePresence\"") != std::string::npos;
      const auto at = text.rfind(':') + 2;
      sent.push_back((plus ? '+' : '-') + text.substr(at, text.size() - at - 2));
    }
    if (step.change) {
      seen.push_back(step.change->guid + ' ' + (step.change->now ? step.change->now->text : "?"));
    }
    if (!step.unavailable.empty()) seen.push_back(step.unavailable);
    last = std::move(step);
  }
  std::vector<std::string> take_sent() { return std::exchange(sent, {}); }
  std::vector<std::string> take_seen() { return std::exchange(seen, {}); }

  TimePoint now{1h};
  Presence presence{{10s, 2, 4}};
  std::vector<std::string> sent, seen;
  Presence::Step last;
};

TEST_F(Watching, AsksInTheWordsOfThePbx) {
  add("g1", "alice");
  EXPECT_THAT(
      last.texts,
      ElementsAre(R"({"mt":"SubscribePresence","api":"PbxApi","src":"pre:g1","sip":"alice"})"));
  add("g2", "", "202");
  EXPECT_THAT(
      last.texts,
      ElementsAre(R"({"mt":"SubscribePresence","api":"PbxApi","src":"pre:g2","num":"202"})"));
  remove("g2");
  EXPECT_THAT(
      last.texts,
      ElementsAre(R"({"mt":"UnsubscribePresence","api":"PbxApi","src":"pre:g2","num":"202"})"));
  add("g3", "");  // nothing to ask by
  EXPECT_THAT(last.texts, IsEmpty());
}

TEST_F(Watching, AsksForAFewAtATime) {
  for (const char* name : {"a", "b", "c", "d"}) add(name, name);
  EXPECT_THAT(take_sent(), ElementsAre("+a", "+b"));
  EXPECT_EQ(presence.waiting(), 2u);
  answer("b");
  EXPECT_THAT(take_sent(), ElementsAre("+c"));
  answer("b");  // twice
  EXPECT_THAT(take_sent(), IsEmpty());
  answer("a");
  EXPECT_THAT(take_sent(), ElementsAre("+d"));
  answer("c");
  answer("d");
  EXPECT_THAT(take_sent(), IsEmpty());
  EXPECT_EQ(presence.waiting(), 0u);
  EXPECT_EQ(presence.deadline(), TimePoint::max());
}

TEST_F(Watching, TellsWhosePresenceItIs) {
  add("a", "alice");
  add("b", "bob");
  update("b", "away");  // before the answer
  answer("a");
  hear(R"({"mt":"PresenceState","api":"PbxApi","src":"pre:a","up":true,"sip":"alice"})");
  EXPECT_THAT(take_seen(), ElementsAre("b away"));
  update("a", "");
  update("a", "dnd");
  EXPECT_TRUE(last.change->now->do_not_disturb);
  hear(R"({"mt":"PresenceState","api":"PbxApi","src":"pre:a"})");
  EXPECT_THAT(take_seen(), ElementsAre("a available", "a dnd", "a ?"));
  update("nobody", "away");
  hear(R"({"mt":"PresenceUpdate","api":"PbxApi","src":"x","presence":[]})");
  EXPECT_THAT(take_seen(), IsEmpty());
}

TEST_F(Watching, IsNotThereIfNobodyAnswers) {
  for (const char* name : {"a", "b", "c"}) add(name, name);
  (void)take_sent();
  pass(9s);
  EXPECT_THAT(take_seen(), IsEmpty());
  pass(1s);
  EXPECT_THAT(take_seen(), ElementsAre(HasSubstr("is it ticked")));
  EXPECT_TRUE(presence.unavailable());
  EXPECT_EQ(presence.deadline(), TimePoint::max());
  add("d", "d");
  answer("a");
  pass(1h);
  EXPECT_THAT(take_sent(), IsEmpty());
  EXPECT_THAT(take_seen(), IsEmpty());
}

TEST_F(Watching, PassesOverWhoIsNotAnswered) {
  for (const char* name : {"a", "b", "c", "d"}) add(name, name);
  (void)take_sent();
  pass(5s);
  answer("b");
  EXPECT_THAT(take_sent(), ElementsAre("+c"));
  pass(5s);  // a
  EXPECT_THAT(take_sent(), ElementsAre("+d"));
  EXPECT_FALSE(presence.unavailable());
  EXPECT_EQ(presence.refused(), 1u);
  pass(5s);  // c
  pass(5s);  // d
  EXPECT_EQ(presence.refused(), 3u);
  EXPECT_EQ(presence.waiting(), 0u);
  update("a", "away");  // it has heard us after all
  EXPECT_THAT(take_seen(), ElementsAre("a away"));
}

TEST_F(Watching, PassesOverWhomThePbxRefuses) {
  for (const char* name : {"a", "b", "c"}) add(name, name);
  (void)take_sent();
  answer("a", R"(,"error":1,"errorText":"no such user")");
  EXPECT_THAT(take_sent(), ElementsAre("+c"));
  EXPECT_EQ(presence.refused(), 1u);
  EXPECT_THAT(take_seen(), IsEmpty());
}

TEST_F(Watching, FollowsWhoeverIsNamedAnew) {
  for (const char* name : {"a", "b", "c"}) add(name, name);
  (void)take_sent();
  add("a", "a");
  EXPECT_THAT(take_sent(), IsEmpty());
  add("c", "C");  // not asked yet
  EXPECT_THAT(take_sent(), IsEmpty());
  add("a", "A");
  EXPECT_THAT(take_sent(), ElementsAre("-a", "+C"));
  answer("b");
  EXPECT_THAT(take_sent(), ElementsAre("+A"));
}

TEST_F(Watching, ForgetsWhoHasGone) {
  for (const char* name : {"a", "b", "c", "d"}) add(name, name);
  (void)take_sent();
  remove("c");
  EXPECT_THAT(take_sent(), IsEmpty());
  remove("a");
  EXPECT_THAT(take_sent(), ElementsAre("-a", "+d"));
  remove("a");
  update("a", "away");
  EXPECT_THAT(take_sent(), IsEmpty());
  EXPECT_THAT(take_seen(), IsEmpty());
  EXPECT_EQ(presence.users(), 2u);
}

TEST_F(Watching, HasALimit) {
  for (const char* name : {"a", "b", "c", "d", "e"}) add(name, name);
  EXPECT_EQ(presence.users(), 4u);
  remove("a");
  add("e", "e");
  EXPECT_EQ(presence.users(), 4u);
}

TEST_F(Watching, AsksForFiveThousandInTurn) {
  Presence many({10s, 50, 5'000});
  std::deque<std::string> open;
  std::size_t asked = 0, most = 0;
  const auto count = [&](const Presence::Step& step) {
    for (const std::string& text : step.texts) open.push_back(parse(text)->src);
    asked += step.texts.size();
    most = std::max(most, open.size());
  };
  for (int i = 0; i < 5'000; ++i) {
    const std::string name = std::to_string(i);
    count(many.add(name, name, "", now));
  }
  while (!open.empty()) {
    const std::string src = open.front();
    open.pop_front();
    count(many.on_frame(
        *parse(R"({"mt":"SubscribePresenceResult","api":"PbxApi","src":")" + src + "\"}"), now));
  }
  EXPECT_EQ(asked, 5'000u);
  EXPECT_EQ(most, 50u);
  EXPECT_EQ(many.waiting(), 0u);
  EXPECT_EQ(many.deadline(), TimePoint::max());
}

}  // namespace
}  // namespace pbx::innovaphone
