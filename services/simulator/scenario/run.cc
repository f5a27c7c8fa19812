#include "simulator/scenario/run.h"

#include <algorithm>
#include <utility>

#include "base/overloaded.h"

namespace simulator::scenario {
namespace {

using engine::TimePoint;

// Steps of one strand in one instant: more is a loop that never waits.
constexpr int kStepsAtOnceMax = 100'000;

std::string check(const Expect& expect, const engine::Tenant& tenant) {
  const auto index = tenant.find_extension(expect.extension);
  if (index == engine::kOutside) return "there is no extension " + expect.extension;
  const auto& it = tenant.extension(index);
  if (expect.status && *expect.status != name_of(it.status)) {
    return "expected status " + *expect.status + ", it is " + std::string(name_of(it.status));
  }
  if (expect.calls && *expect.calls != static_cast<std::int64_t>(it.legs.size())) {
    return "expected " + std::to_string(*expect.calls) + " calls, it has " +
           std::to_string(it.legs.size());
  }
  return {};
}

}  // namespace

Run::Run(std::shared_ptr<const Scenario> scenario, TimePoint start)
    : scenario_(std::move(scenario)), random_(scenario_->seed) {
  strands_.push_back({{{&scenario_->steps}}, start, nullptr, 0});
}

TimePoint Run::deadline() const {
  TimePoint due = TimePoint::max();
  if (state_ != State::running) return due;
  for (const Strand& strand : strands_) {
    if (strand.children == 0) due = std::min(due, strand.resume);
  }
  return due;
}

void Run::advance(Target& target, TimePoint now) {
  while (state_ == State::running) {
    const auto next =
        std::min_element(strands_.begin(), strands_.end(), [](const Strand& a, const Strand& b) {
          if ((a.children == 0) != (b.children == 0)) return a.children == 0;
          return a.resume < b.resume;
        });
    if (next->children != 0 || next->resume > now) return;
    proceed(*next, target, next->resume);
    if (!next->done()) continue;
    if (Strand* parent = next->parent) {
      --parent->children;
      parent->resume = std::max(parent->resume, next->resume);
      strands_.erase(next);
    } else {
      state_ = state_ == State::running ? State::finished : state_;
    }
  }
}

// Until the strand waits, or ends.
void Run::proceed(Strand& strand, Target& target, TimePoint now) {
  for (int i = 0; i < kStepsAtOnceMax; ++i) {
    leave_finished(strand);
    if (strand.done() || strand.children > 0 || strand.resume > now) return;
    Level& level = strand.levels.back();
    const Step& step = (*level.steps)[level.next++];
    const std::string wrong = perform(strand, step, target, now);
    ++steps_done_;
    if (wrong.empty()) continue;
    if (why_.empty()) why_ = step.where + ": " + wrong;
    if (!scenario_->go_on) {
      state_ = State::failed;
      return;
    }
  }
  why_ = "more than " + std::to_string(kStepsAtOnceMax) + " steps without a wait";
  state_ = State::failed;
}

void Run::leave_finished(Strand& strand) {
  while (!strand.done()) {
    Level& level = strand.levels.back();
    if (level.next < level.steps->size()) return;
    if (level.rounds_left == 1 || level.steps->empty()) {
      strand.levels.pop_back();
    } else {
      if (level.rounds_left > 0) --level.rounds_left;
      level.next = 0;
    }
  }
}

std::string Run::perform(Strand& strand, const Step& step, Target& target, TimePoint now) {
  return std::visit(
      base::overloaded{
          [&](const Operation& it) -> std::string {
            const auto error = scenario::perform(it, target.tenant(), now);
            if (!error) return {};
            return std::string(name_of(it.verb)) + " " + it.device + ": " + explain(error);
          },
          [&](const Wait& it) -> std::string {
            const auto span = static_cast<std::uint64_t>((it.most - it.least).count()) + 1;
            strand.resume =
                now + it.least + engine::Millis(static_cast<std::int64_t>(random_.below(span)));
            return {};
          },
          [&](const SetFaults& it) { return target.change_faults(it.change, now); },
          [&](const ClearFaults&) -> std::string {
            target.clear_faults(now);
            return {};
          },
          [&](const TrafficOptions& it) -> std::string {
            target.start_traffic(it, now);
            return {};
          },
          [&](const StopTraffic&) -> std::string {
            target.stop_traffic();
            return {};
          },
          [&](const Repeat& it) -> std::string {
            strand.levels.push_back({&it.steps, 0, it.times});
            return {};
          },
          [&](const Together& it) -> std::string {
            for (const Steps& branch : it.branches) {
              strands_.push_back({{{&branch}}, now, &strand, 0});
              ++strand.children;
            }
            return {};
          },
          [&](const Expect& it) { return check(it, target.tenant()); },
      },
      step.deed);
}

}  // namespace simulator::scenario
