#include "simulator/engine/sound.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace simulator::engine {
namespace {

constexpr std::uint32_t kRate = 48'000, kFrame = 4, kHeader = 44;

std::uint32_t frames_of(Millis length) {
  constexpr std::int64_t kMillisMax = 120'000;
  const auto millis = std::clamp<std::int64_t>(length.count(), 0, kMillisMax);
  return static_cast<std::uint32_t>(millis * kRate / 1'000);
}

void append_number(std::string& out, std::uint32_t number, int bytes) {
  for (; bytes > 0; --bytes, number >>= 8) out += static_cast<char>(number & 0xFF);
}

}  // namespace

std::string wav_tone(Millis length, std::uint64_t number) {
  const std::uint32_t frames = frames_of(length);
  std::string out = "RIFF";
  append_number(out, kHeader - 8 + frames * kFrame, 4);
  out += "WAVEfmt ";
  append_number(out, 16, 4);
  append_number(out, 1, 2);  // PCM
  append_number(out, 2, 2);
  append_number(out, kRate, 4);
  append_number(out, kRate * kFrame, 4);
  append_number(out, kFrame, 2);
  append_number(out, 16, 2);
  out += "data";
  append_number(out, frames * kFrame, 4);
  const double step = 2 * std::numbers::pi * static_cast<double>(300 + number % 50 * 10) / kRate;
  for (std::uint32_t i = 0; i < frames; ++i) {
    const auto sample = static_cast<std::uint32_t>(std::lround(8'000 * std::sin(step * i)));
    append_number(out, sample, 2);
    append_number(out, sample, 2);
  }
  return out;
}

std::size_t wav_size(Millis length) { return kHeader + frames_of(length) * std::size_t{kFrame}; }

}  // namespace simulator::engine
