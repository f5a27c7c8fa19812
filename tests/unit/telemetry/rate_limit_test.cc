#include "telemetry/rate_limit.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>

namespace telemetry {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::FieldsAre;
using testing::IsEmpty;

struct RateLimitTest : testing::Test {
  RateLimit limit{2, 10s, 3};
  RateLimit::TimePoint now{};

  std::optional<std::uint64_t> pass(std::string_view key) { return limit.pass(key, now); }
};

TEST_F(RateLimitTest, LetsTheFirstThroughAndCountsTheRest) {
  EXPECT_EQ(pass("a"), 0u);
  EXPECT_EQ(pass("a"), 0u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(pass("a"), std::nullopt);
  now += 9s;
  EXPECT_EQ(pass("a"), std::nullopt);
  now += 1s;
  EXPECT_EQ(pass("a"), 6u);
  EXPECT_EQ(pass("a"), 0u);
  EXPECT_EQ(pass("a"), std::nullopt);
}

TEST_F(RateLimitTest, GivesEachKeyItsOwn) {
  for (int i = 0; i < 5; ++i) pass("a");
  EXPECT_EQ(pass("b"), 0u);
}

TEST_F(RateLimitTest, TellsWhatAFloodThatEndedHeldBack) {
  for (int i = 0; i < 5; ++i) pass("a");
  pass("b");
  EXPECT_THAT(limit.take_suppressed(now), IsEmpty());
  now += 10s;
  EXPECT_THAT(limit.take_suppressed(now), ElementsAre(FieldsAre("a", 3u)));
  EXPECT_THAT(limit.take_suppressed(now), IsEmpty());
  EXPECT_EQ(pass("a"), 0u);
}

TEST_F(RateLimitTest, LetsKeysBeyondTheLimitShare) {
  for (auto key : {"a", "b", "c"}) pass(key);
  EXPECT_EQ(pass("d"), 0u);
  EXPECT_EQ(pass("e"), 0u);
  EXPECT_EQ(pass("f"), std::nullopt);
  EXPECT_EQ(pass("a"), 0u);
  now += 10s;
  EXPECT_EQ(pass("g"), 0u);  // those before are over
  EXPECT_THAT(limit.take_suppressed(now), ElementsAre(FieldsAre("other", 1u)));
}

TEST_F(RateLimitTest, CountsOverThreads) {
  std::atomic<int> passed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 500; ++j) passed += limit.pass("a", now).has_value() ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(passed, 2);
  EXPECT_THAT(limit.take_suppressed(now + 10s), ElementsAre(FieldsAre("a", 1'998u)));
}

}  // namespace
}  // namespace telemetry
