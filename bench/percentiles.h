#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace bench {

// Every delay of a run, so that the far percentiles are counted and not guessed.
class Delays {
 public:
  void add(std::chrono::nanoseconds delay) { all_.push_back(delay.count()); }
  std::size_t count() const { return all_.size(); }

  // `"count":…,"p50_us":…,"p99_us":…,"p999_us":…,"max_us":…`
  std::string json() {
    std::sort(all_.begin(), all_.end());
    char text[160];
    std::snprintf(text, sizeof(text),
                  R"("count":%zu,"p50_us":%.1f,"p99_us":%.1f,"p999_us":%.1f,"max_us":%.1f)",
                  all_.size(), at(0.5), at(0.99), at(0.999), at(1));
    return text;
  }

 private:
  double at(double share) const {
    if (all_.empty()) return 0;
    const auto index = static_cast<std::size_t>(share * static_cast<double>(all_.size()));
    return static_cast<double>(all_[std::min(index, all_.size() - 1)]) / 1e3;
  }

  std::vector<std::int64_t> all_;
};

}  // namespace bench
