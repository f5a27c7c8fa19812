#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "support/tracker_script.h"

namespace {

// Thousands of PBXs that make no sense: whatever they say, consumers are promised the same.
TEST(TrackerProperty, KeepsItsPromisesWhateverComesIn) {
  for (std::uint32_t seed = 0; seed < 1'000; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::uint8_t> bytes(100 + random() % 700);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    ASSERT_EQ(support::play_tracker_script(bytes), "") << "seed " << seed;
  }
}

}  // namespace
