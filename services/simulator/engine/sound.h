#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "simulator/engine/types.h"

namespace simulator::engine {

// What was recorded, as a file: 48 kHz, 16 bit, two channels, with a tone that tells one `number`
// from the next. Longer than two minutes it does not get.
std::string wav_tone(Millis length, std::uint64_t number);
// Of such a file, in bytes.
std::size_t wav_size(Millis length);

}  // namespace simulator::engine
