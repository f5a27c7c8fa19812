#include "pbx/innovaphone/replication.h"

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
using testing::Not;
using namespace std::chrono_literals;

constexpr std::string_view kNext = R"({"mt":"ReplicateNext","api":"PbxTableUsers","src":"dir"})";
constexpr std::string_view kStarted =
    R"({"mt":"ReplicateStartResult","api":"PbxTableUsers","src":"dir","columns":{"guid":{}}})";
constexpr std::string_view kEnd =
    R"({"mt":"ReplicateNextResult","api":"PbxTableUsers","src":"dir"})";

std::string row(std::string_view mt, std::string_view columns) {
  return R"({"mt":")" + std::string(mt) + R"(","api":"PbxTableUsers","src":"dir","columns":{)" +
         std::string(columns) + "}}";
}

// The directory of a PBX, told by it row by row.
class Directory : public testing::Test {
 protected:
  Directory() { sent.push_back(replication.begin(now)); }

  void hear(std::string_view text) {
    const auto frame = parse(text);
    ASSERT_TRUE(frame.has_value()) << text;
    ASSERT_TRUE(Replication::concerns(*frame)) << text;
    take(replication.on_frame(*frame, now));
  }
  void pass(std::chrono::milliseconds span) {
    now += span;
    if (replication.deadline() <= now) take(replication.on_tick(now));
  }
  void take(Replication::Step step) {
    if (!step.text.empty()) sent.push_back(step.text);
    if (step.row) seen.push_back(step.row->guid + ' ' + step.row->cn);
    if (!step.deleted.empty()) seen.push_back('-' + step.deleted);
    if (step.complete) seen.push_back("complete");
    if (!step.unavailable.empty()) seen.push_back("unavailable: " + step.unavailable);
    last = std::move(step);
  }
  std::vector<std::string> take_sent() { return std::exchange(sent, {}); }
  std::vector<std::string> take_seen() { return std::exchange(seen, {}); }

  TimePoint now{1h};
  Replication replication{{10s, 3}};
  std::vector<std::string> sent, seen;
  Replication::Step last;
};

TEST_F(Directory, IsReadRowByRow) {
  const auto started = take_sent();
  ASSERT_EQ(started.size(), 1u);
  EXPECT_EQ(
      started[0],
      R"({"mt":"ReplicateStart","api":"PbxTableUsers","src":"dir","add":true,"del":true,)"
      R"("columns":{"guid":{},"h323":{},"cn":{},"dn":{},"e164":{},"node":{},"loc":{},"pseudo":{},)"
      R"("hide":{},"cds":{},"cfpr":{}},"pseudo":[""]})");
  EXPECT_THAT(started[0], Not(HasSubstr("pwd")));
  hear(kStarted);
  EXPECT_THAT(take_sent(), ElementsAre(kNext));
  EXPECT_THAT(take_seen(), IsEmpty());
  hear(row("ReplicateNextResult", R"("guid":"1","cn":"Alice")"));
  EXPECT_THAT(take_sent(), ElementsAre(kNext));
  hear(row("ReplicateNextResult", R"("guid":"2","cn":"Bob")"));
  EXPECT_THAT(take_sent(), ElementsAre(kNext));
  EXPECT_EQ(replication.state(), Replication::State::listing);
  hear(kEnd);
  EXPECT_THAT(take_sent(), IsEmpty());
  EXPECT_THAT(take_seen(), ElementsAre("1 Alice", "2 Bob", "complete"));
  EXPECT_EQ(replication.state(), Replication::State::complete);
  EXPECT_EQ(replication.deadline(), TimePoint::max());
  EXPECT_EQ(replication.rows(), 2u);
}

TEST_F(Directory, ReadsWhatARowSays) {
  hear(kStarted);
  hear(row("ReplicateNextResult",
           R"("guid":"8e7c","h323":"alice","cn":"Alice A","dn":"Alice","e164":"201",)"
           R"("node":"root","loc":"master","pwd":"c0ffee","hide":"true","emails":[{"email":"x"}],)"
           R"("cds":[{"type":"cfu","e164":"55"},{"type":"cfb","h323":"bob","bool":"night"},)"
           R"({"type":"cfnr","e164":"7","src":"<s e=\"1\"/>","precedence":1}])"));
  ASSERT_TRUE(last.row.has_value());
  EXPECT_EQ(last.row->guid, "8e7c");
  EXPECT_EQ(last.row->h323, "alice");
  EXPECT_EQ(last.row->cn, "Alice A");
  EXPECT_EQ(last.row->dn, "Alice");
  EXPECT_EQ(last.row->e164, "201");
  EXPECT_EQ(last.row->node, "root");
  EXPECT_EQ(last.row->loc, "master");
  EXPECT_EQ(last.row->pseudo, "");
  EXPECT_TRUE(last.row->hide);
  EXPECT_THAT(last.row->diversions,
              ElementsAre(Diversion{"cfu", "55", "", false}, Diversion{"cfb", "", "bob", true},
                          Diversion{"cfnr", "7", "", true}));
}

TEST_F(Directory, IsKeptUpToDateAlsoWhileItIsListed) {
  hear(kStarted);
  (void)take_sent();
  hear(row("ReplicateUpdate", R"("guid":"2","cn":"Bob")"));
  hear(row("ReplicateDel", R"("guid":"3")"));
  EXPECT_THAT(take_sent(), IsEmpty());  // one ReplicateNext waits, and still does
  hear(row("ReplicateNextResult", R"("guid":"1","cn":"Alice")"));
  EXPECT_THAT(take_sent(), ElementsAre(kNext));
  hear(kEnd);
  hear(row("ReplicateAdd", R"("guid":"4","cn":"Dora")"));
  hear(row("ReplicateUpdate", R"("guid":"1","cn":"Alicia")"));
  hear(row("ReplicateDel", R"("guid":"4")"));
  EXPECT_THAT(take_seen(),
              ElementsAre("2 Bob", "-3", "1 Alice", "complete", "4 Dora", "1 Alicia", "-4"));
  EXPECT_THAT(take_sent(), IsEmpty());
}

TEST_F(Directory, CanBeEmpty) {
  hear(kStarted);
  hear(kEnd);
  EXPECT_THAT(take_seen(), ElementsAre("complete"));
}

TEST_F(Directory, PassesOverARowOfNobody) {
  hear(kStarted);
  hear(row("ReplicateNextResult", R"("cn":"Nobody")"));
  (void)take_sent();
  hear(row("ReplicateNextResult", R"("guid":"1","cn":"Alice")"));
  EXPECT_THAT(take_sent(), ElementsAre(kNext));
  EXPECT_THAT(take_seen(), ElementsAre("1 Alice"));
  EXPECT_FALSE(parse(row("ReplicateUpdate", R"("cn":"Nobody")")).has_value());
  EXPECT_FALSE(parse(R"({"mt":"ReplicateDel","api":"PbxTableUsers"})").has_value());
}

// Each step fails in turn.
TEST_F(Directory, IsNotThereIfThePbxDoesNotAnswer) {
  pass(9s);
  EXPECT_THAT(take_seen(), IsEmpty());
  pass(1s);
  EXPECT_THAT(take_seen(), ElementsAre(HasSubstr("unavailable: the PBX does not answer")));
  EXPECT_EQ(replication.state(), Replication::State::unavailable);
  EXPECT_EQ(replication.deadline(), TimePoint::max());
  hear(kStarted);  // too late
  EXPECT_EQ(take_sent().size(), 1u);
  EXPECT_THAT(take_seen(), IsEmpty());
}

TEST_F(Directory, IsNotThereIfThePbxRefuses) {
  hear(
      R"({"mt":"ReplicateStartResult","api":"PbxTableUsers","src":"dir","error":"no","errorText":"x"})");
  EXPECT_THAT(take_seen(), ElementsAre(HasSubstr("no: x")));
  EXPECT_EQ(replication.state(), Replication::State::unavailable);
}

TEST_F(Directory, BreaksOffIfThePbxDoes) {
  hear(kStarted);
  pass(9s);
  hear(row("ReplicateNextResult", R"("guid":"1","cn":"Alice")"));
  pass(9s);
  EXPECT_THAT(take_seen(), ElementsAre("1 Alice"));
  pass(1s);
  EXPECT_THAT(take_seen(), ElementsAre(HasSubstr("broke off")));
  (void)take_sent();
  // What is said unasked still counts; the list does not go on.
  hear(row("ReplicateUpdate", R"("guid":"1","cn":"Alicia")"));
  hear(row("ReplicateNextResult", R"("guid":"2","cn":"Bob")"));
  EXPECT_THAT(take_seen(), ElementsAre("1 Alicia"));
  EXPECT_THAT(take_sent(), IsEmpty());
}

TEST_F(Directory, BreaksOffAtAnError) {
  hear(kStarted);
  hear(R"({"mt":"ReplicateNextResult","api":"PbxTableUsers","src":"dir","error":7})");
  EXPECT_THAT(take_seen(), ElementsAre(HasSubstr("broke off: 7")));
}

TEST_F(Directory, EndsAtItsLimit) {
  hear(kStarted);
  for (int i = 0; i < 3; ++i) hear(row("ReplicateNextResult", R"("guid":"1","cn":"A")"));
  EXPECT_EQ(take_seen().size(), 3u);
  hear(row("ReplicateNextResult", R"("guid":"1","cn":"A")"));
  EXPECT_THAT(take_seen(), ElementsAre(HasSubstr("does not end")));
}

TEST_F(Directory, AsksOnceForEachAnswer) {
  hear(kStarted);
  hear(kStarted);
  EXPECT_EQ(take_sent().size(), 2u);
  hear(kEnd);
  hear(kEnd);
  EXPECT_THAT(take_seen(), ElementsAre("complete"));
}

TEST_F(Directory, KnowsItsFrames) {
  const auto concerns = [](std::string_view text) { return Replication::concerns(*parse(text)); };
  EXPECT_TRUE(concerns(R"({"mt":"ReplicateNextResult","api":"PbxTableUsers"})"));
  EXPECT_FALSE(concerns(R"({"mt":"ReplicateNextResult","api":"PbxTableUsers","src":"x"})"));
  EXPECT_FALSE(concerns(R"({"mt":"ReplicateNextResult","api":"RCC","src":"dir"})"));
}

}  // namespace
}  // namespace pbx::innovaphone
