#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "telemetry/health.h"

namespace telemetry {

// Tells event loops that turn from one that hangs. Each loop has a timer that ticks, far more often
// than `limit`; a loop that does not is stuck in some handler. Thread-safe.
class Heartbeats {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

 private:
  struct Loop {
    std::string name;
    std::atomic<TimePoint::rep> last;
  };
  struct Shared {
    std::mutex mutex;
    std::list<Loop> loops;
  };

 public:
  // One loop's place in the list, for as long as the loop is meant to run.
  class Beat {
   public:
    Beat(Beat&&) noexcept = default;
    Beat& operator=(Beat&&) = delete;
    ~Beat();
    void tick(TimePoint now);

   private:
    friend class Heartbeats;
    Beat(std::shared_ptr<Shared> shared, std::list<Loop>::iterator loop);
    std::shared_ptr<Shared> shared_;  // null if moved from
    std::list<Loop>::iterator loop_;
  };

  explicit Heartbeats(std::chrono::milliseconds limit = std::chrono::seconds(10));

  Beat add(std::string name, TimePoint now);

  // Which loops have not ticked for longer than the limit, and for how long; nothing if all have.
  std::optional<std::string> stuck(TimePoint now) const;

  // stuck(), now: for Probe::liveness. It keeps what it needs alive.
  Check check() const;

 private:
  std::chrono::milliseconds limit_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace telemetry
