#include "base/backoff.h"

#include <algorithm>

namespace base {

std::chrono::milliseconds delay_of(const Backoff& backoff, unsigned attempt, std::uint64_t random) {
  constexpr unsigned kDoublingsMax = 20;  // beyond any sensible `most`, and far from overflow
  const auto doubled = backoff.first.count() << std::min(attempt, kDoublingsMax);
  const auto span = std::clamp<std::int64_t>(doubled, 0, backoff.most.count());
  const auto half = span / 2;
  return std::chrono::milliseconds(
      span - half + static_cast<std::int64_t>(random % static_cast<std::uint64_t>(half + 1)));
}

}  // namespace base
