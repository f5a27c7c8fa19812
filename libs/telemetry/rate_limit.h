#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace telemetry {

// Lets the first few of many through: for log lines that a PBX can cause as often as it likes. Each
// key (a tenant, say) has its own allowance. Thread-safe; time is an argument.
//
//   if (auto suppressed = limit.pass(tenant, now)) {
//     log::warning("malformed message", {{"tenant", tenant}, {"suppressed", *suppressed}});
//   }
class RateLimit {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // `count_max` in each `interval`, which begins with the first of them. Beyond `keys_max` keys at
  // a time, the further ones share one allowance.
  RateLimit(unsigned count_max, std::chrono::milliseconds interval, std::size_t keys_max = 1'000);

  // Nothing if this one is to be dropped; else how many were since the last that passed.
  std::optional<std::uint64_t> pass(std::string_view key, TimePoint now);

  struct Suppressed {
    std::string key;  // "other" for those that share
    std::uint64_t count;
  };
  // What was dropped in intervals that are over, and not told by pass(): to be asked for now and
  // then, because a flood may end without a line after it.
  std::vector<Suppressed> take_suppressed(TimePoint now);

 private:
  struct Window {
    TimePoint until;
    unsigned passed = 0;
    std::uint64_t suppressed = 0;
  };

  const unsigned count_max_;
  const std::chrono::milliseconds interval_;
  const std::size_t keys_max_;
  std::mutex mutex_;
  std::map<std::string, Window, std::less<>> windows_;
};

}  // namespace telemetry
