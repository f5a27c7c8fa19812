#include "telemetry/health.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "telemetry/json.h"

namespace telemetry {

void Health::add(Probe probe, std::string name, Check check) {
  const std::lock_guard lock(mutex_);
  entries_.push_back({probe, std::move(name), std::move(check)});
}

std::vector<CheckResult> Health::results(Probe probe) const {
  std::unique_lock lock(mutex_);
  const auto entries = entries_;
  lock.unlock();  // a check may take its own locks, or add another check
  std::vector<CheckResult> results;
  for (const auto& entry : entries) {
    if (entry.probe != probe) continue;
    try {
      results.push_back({entry.name, entry.check()});
    } catch (const std::exception& e) {
      results.push_back({entry.name, std::string("the check itself failed: ") + e.what()});
    }
  }
  return results;
}

bool all_well(const std::vector<CheckResult>& results) {
  return std::none_of(results.begin(), results.end(),
                      [](const CheckResult& it) { return it.why_not.has_value(); });
}

std::string json_of(const std::vector<CheckResult>& results) {
  std::string out =
      all_well(results) ? R"({"status":"ok","checks":[)" : R"({"status":"failed","checks":[)";
  bool first = true;
  for (const auto& it : results) {
    if (!std::exchange(first, false)) out += ',';
    out += R"({"name":)";
    append_json_string(out, it.name);
    out += it.why_not ? R"(,"ok":false,"reason":)" : R"(,"ok":true)";
    if (it.why_not) append_json_string(out, *it.why_not);
    out += '}';
  }
  return out + "]}\n";
}

}  // namespace telemetry
