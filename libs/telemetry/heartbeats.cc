#include "telemetry/heartbeats.h"

#include <utility>

namespace telemetry {

Heartbeats::Beat::Beat(std::shared_ptr<Shared> shared, std::list<Loop>::iterator loop)
    : shared_(std::move(shared)), loop_(loop) {}

Heartbeats::Beat::~Beat() {
  if (!shared_) return;
  const std::lock_guard lock(shared_->mutex);
  shared_->loops.erase(loop_);
}

void Heartbeats::Beat::tick(TimePoint now) {
  loop_->last.store(now.time_since_epoch().count(), std::memory_order_relaxed);
}

Heartbeats::Heartbeats(std::chrono::milliseconds limit)
    : limit_(limit), shared_(std::make_shared<Shared>()) {}

Heartbeats::Beat Heartbeats::add(std::string name, TimePoint now) {
  const std::lock_guard lock(shared_->mutex);
  auto& loop = shared_->loops.emplace_back();
  loop.name = std::move(name);
  loop.last = now.time_since_epoch().count();
  return Beat(shared_, std::prev(shared_->loops.end()));
}

std::optional<std::string> Heartbeats::stuck(TimePoint now) const {
  std::string found;
  const std::lock_guard lock(shared_->mutex);
  for (const auto& loop : shared_->loops) {
    const TimePoint last{TimePoint::duration(loop.last.load(std::memory_order_relaxed))};
    if (now - last <= limit_) continue;
    const auto silent = std::chrono::floor<std::chrono::seconds>(now - last);
    found += (found.empty() ? "" : ", ") + loop.name + " has not turned for " +
             std::to_string(silent.count()) + " s";
  }
  if (found.empty()) return std::nullopt;
  return found;
}

Check Heartbeats::check() const {
  return [copy = *this] { return copy.stuck(std::chrono::steady_clock::now()); };
}

}  // namespace telemetry
