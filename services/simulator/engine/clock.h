#pragma once

#include <cstdint>

#include "simulator/engine/types.h"

namespace simulator::engine {

// What time it is at a PBX, for those protocols that tell it.
struct Clock {
  TimePoint start{};
  std::int64_t unix_start = 1'760'000'000;  // seconds, at `start`

  std::int64_t unix_millis(TimePoint at) const {
    return unix_start * 1'000 + std::chrono::duration_cast<Millis>(at - start).count();
  }
};

}  // namespace simulator::engine
