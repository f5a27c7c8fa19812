#pragma once

#include <chrono>

namespace support {

// How long a test waits for what has to happen before it fails: only a failing test waits so long,
// and machines are busy. Nothing is asserted about how long it took.
inline constexpr std::chrono::seconds kPatience{60};

}  // namespace support
