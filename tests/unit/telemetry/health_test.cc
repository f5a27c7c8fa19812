#include "telemetry/health.h"

#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>

#include "telemetry/heartbeats.h"

namespace telemetry {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::FieldsAre;
using testing::IsEmpty;
using testing::Optional;

TEST(Health, AnswersEachProbeFromItsOwnChecks) {
  Health health;
  health.add(Probe::readiness, "nats", [] { return std::optional<std::string>("not connected"); });
  health.add(Probe::readiness, "grpc", [] { return std::nullopt; });
  health.add(Probe::liveness, "loops", [] { return std::nullopt; });

  const auto ready = health.results(Probe::readiness);
  EXPECT_THAT(ready, ElementsAre(FieldsAre("nats", Optional(std::string("not connected"))),
                                 FieldsAre("grpc", std::nullopt)));
  EXPECT_FALSE(all_well(ready));
  EXPECT_EQ(json_of(ready),
            R"({"status":"failed","checks":[{"name":"nats","ok":false,"reason":"not connected"},)"
            R"({"name":"grpc","ok":true}]})"
            "\n");
  EXPECT_TRUE(all_well(health.results(Probe::liveness)));
  EXPECT_THAT(health.results(Probe::startup), IsEmpty());
  EXPECT_EQ(json_of({}), "{\"status\":\"ok\",\"checks\":[]}\n");
}

TEST(Health, TakesACheckThatThrowsForANo) {
  Health health;
  health.add(Probe::liveness, "x",
             []() -> std::optional<std::string> { throw std::runtime_error("oh"); });
  EXPECT_THAT(health.results(Probe::liveness),
              ElementsAre(FieldsAre("x", Optional(std::string("the check itself failed: oh")))));
}

struct HeartbeatsTest : testing::Test {
  Heartbeats beats{10s};
  Heartbeats::TimePoint now{1h};
};

TEST_F(HeartbeatsTest, NameTheLoopsThatAreStuck) {
  auto one = beats.add("io-1", now);
  auto two = beats.add("io-2", now);
  EXPECT_EQ(beats.stuck(now + 10s), std::nullopt);
  one.tick(now + 5s);
  EXPECT_EQ(beats.stuck(now + 10'001ms), "io-2 has not turned for 10 s");
  EXPECT_EQ(beats.stuck(now + 20s), "io-1 has not turned for 15 s, io-2 has not turned for 20 s");
  one.tick(now + 20s);
  two.tick(now + 20s);
  EXPECT_EQ(beats.stuck(now + 30s), std::nullopt);
}

TEST_F(HeartbeatsTest, ForgetLoopsThatEnded) {
  {
    auto one = beats.add("io-1", now);
    auto moved = std::move(one);
    EXPECT_NE(beats.stuck(now + 11s), std::nullopt);
  }
  EXPECT_EQ(beats.stuck(now + 11s), std::nullopt);
}

TEST_F(HeartbeatsTest, AreACheckThatOutlivesThem) {
  Check check;
  {
    Heartbeats mine(10s);
    check = mine.check();
    auto beat = mine.add("io-1", std::chrono::steady_clock::now());
    EXPECT_EQ(check(), std::nullopt);
    beat.tick(std::chrono::steady_clock::now() - 11s);
    EXPECT_NE(check(), std::nullopt);
  }
  EXPECT_EQ(check(), std::nullopt);
}

TEST_F(HeartbeatsTest, MayTickWhileTheyAreAsked) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 200; ++j) {
        auto beat = beats.add("io", now);
        beat.tick(now + 1s);
        EXPECT_EQ(beats.stuck(now + 2s), std::nullopt);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace telemetry
