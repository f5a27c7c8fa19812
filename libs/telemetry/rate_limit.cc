#include "telemetry/rate_limit.h"

#include <utility>

namespace telemetry {
namespace {
constexpr std::string_view kOther = "other";
}  // namespace

RateLimit::RateLimit(unsigned count_max, std::chrono::milliseconds interval, std::size_t keys_max)
    : count_max_(count_max), interval_(interval), keys_max_(keys_max) {}

std::optional<std::uint64_t> RateLimit::pass(std::string_view key, TimePoint now) {
  const std::lock_guard lock(mutex_);
  auto it = windows_.find(key);
  if (it == windows_.end() && windows_.size() >= keys_max_) {
    // Those that are over and owe no report can go.
    std::erase_if(windows_, [&](const auto& entry) {
      return entry.second.until <= now && entry.second.suppressed == 0;
    });
    if (windows_.size() >= keys_max_) {
      key = kOther;
      it = windows_.find(key);
    }
  }
  if (it == windows_.end()) {
    it = windows_.emplace(std::string(key), Window{now + interval_}).first;
  }
  auto& window = it->second;
  if (window.until <= now) {
    window.until = now + interval_;
    window.passed = 0;
  }
  if (window.passed >= count_max_) {
    ++window.suppressed;
    return std::nullopt;
  }
  ++window.passed;
  return std::exchange(window.suppressed, 0);
}

std::vector<RateLimit::Suppressed> RateLimit::take_suppressed(TimePoint now) {
  const std::lock_guard lock(mutex_);
  std::vector<Suppressed> taken;
  std::erase_if(windows_, [&](auto& entry) {
    if (entry.second.until > now) return false;
    if (entry.second.suppressed > 0) taken.push_back({entry.first, entry.second.suppressed});
    return true;
  });
  return taken;
}

}  // namespace telemetry
