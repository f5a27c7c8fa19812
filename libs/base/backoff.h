#pragma once

#include <chrono>
#include <cstdint>

namespace base {

// How long to wait before trying again: doubling from `first` to `most`, each time somewhere in the
// upper half of that span, so that a thousand links dropped at once do not come back at once.
struct Backoff {
  std::chrono::milliseconds first{1'000};
  std::chrono::milliseconds most{30'000};
};

// `attempt` counts from 0; `random` is any number, fresh for each call. Pure.
std::chrono::milliseconds delay_of(const Backoff& backoff, unsigned attempt, std::uint64_t random);

}  // namespace base
