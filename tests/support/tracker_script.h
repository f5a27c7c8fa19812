#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace support {

// Plays what the bytes say to a tracker: observations of any sense or none, resyncs, takeovers,
// losses with their healing. A consumer folds all events. Returns the first broken promise, with
// the step at which it broke; empty if all were kept. The property test feeds it random bytes, the
// fuzzer its own.
std::string play_tracker_script(std::span<const std::uint8_t> bytes);

}  // namespace support
