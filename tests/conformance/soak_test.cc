#include "conformance/suite.h"
#include "simulator/engine/random.h"

namespace conformance {
namespace {

namespace engine = simulator::engine;

using Soak = Conformance;

constexpr Millis kLasts = std::chrono::seconds(6'000);

struct Result {
  std::string story;
  unsigned compared = 0, cuts = 0;
};

// An office at work, with links that are lost, owners that change, and a PBX that restarts.
Result work(const pbx::Vendor& vendor, const Bench& bench, std::uint64_t seed) {
  Gateway gateway(vendor, bench);
  gateway.connect();
  engine::Random random(seed);
  simulator::scenario::TrafficOptions traffic;
  traffic.calls_per_second = 0.15;
  traffic.seed = seed;
  traffic.lasts = kLasts;
  traffic.held = 30;
  traffic.transferred = 25;
  gateway.pbx().start_traffic(traffic, gateway.now());

  Result result;
  const auto until = gateway.now() + kLasts;
  while (gateway.now() < until) {
    gateway.wait(Millis(1'000 + random.below(10'000)));
    const auto seen = gateway.frames();
    const bool settled = gateway.pause();
    // Nothing was on its way: what consumers believe has to be true.
    const bool quiet = bench.lag > bench.lag.zero() || seen == gateway.frames();
    if (gateway.is_up() && settled && quiet) {
      ++result.compared;
      EXPECT_EQ(differences(gateway), "")
          << "seed " << seed << " at " << gateway.now().time_since_epoch().count();
      if (testing::Test::HasFailure()) return result;
    }
    const auto fate = random.below(20);
    if (fate < 3) {
      ++result.cuts;
      if (fate == 1) gateway.change_owner();
      gateway.cut_after(random.below(8), Millis(random.below(20'000)));
    } else if (fate == 3) {
      ++result.cuts;
      gateway.happen({.restart = true, .calls_survive = random.below(2) == 0, .noise = {}});
    } else if (fate == 4) {
      gateway.save_checkpoint();
    }
  }
  EXPECT_TRUE(gateway.wait_until([&] { return gateway.phones().call_count() == 0; }, 10min));
  if (!gateway.is_up()) gateway.connect();
  gateway.wait(10s);
  EXPECT_EQ(differences(gateway), "") << "seed " << seed;
  EXPECT_EQ(unfinished(gateway), "") << "seed " << seed;
  result.story = story_of(gateway.told());
  return result;
}

TEST_P(Soak, EndsInTheTruth) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const Result result = work(vendor(), bench(), seed);
    if (HasFailure()) return;
    EXPECT_GT(result.compared, 100u);
    EXPECT_GT(result.cuts, 20u);
  }
}

TEST_P(Soak, IsTheSameEachTime) {
  const Result first = work(vendor(), bench(), 7);
  EXPECT_EQ(work(vendor(), bench(), 7).story, first.story);
}

CONFORMANCE_OF_ALL_VENDORS(Soak);

}  // namespace
}  // namespace conformance
