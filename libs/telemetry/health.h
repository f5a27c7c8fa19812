#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace telemetry {

// What an orchestrator asks, and what it does about a no.
enum class Probe {
  startup,    // configuration read, listeners up; until then the other two are not asked
  liveness,   // the event loops turn; no: the process is killed. Never depends on others
  readiness,  // it can do its job; no: it gets no new work
};

// Returns why not, in words; nothing if all is well. Called on a thread of the admin server, and
// expected to look at a few values, not to wait.
using Check = std::function<std::optional<std::string>()>;

struct CheckResult {
  std::string name;
  std::optional<std::string> why_not;
};

// The checks of a process. Thread-safe. What a check refers to has to outlive the admin server.
class Health {
 public:
  void add(Probe probe, std::string name, Check check);

  // One result for each check, in the order they were added. A check that throws says no.
  std::vector<CheckResult> results(Probe probe) const;

 private:
  struct Entry {
    Probe probe;
    std::string name;
    Check check;
  };
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
};

bool all_well(const std::vector<CheckResult>& results);
// {"status":"ok"|"failed","checks":[{"name":"nats","ok":false,"reason":"…"}]}
std::string json_of(const std::vector<CheckResult>& results);

}  // namespace telemetry
