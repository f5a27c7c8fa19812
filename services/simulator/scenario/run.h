#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "simulator/engine/random.h"
#include "simulator/scenario/scenario.h"

namespace simulator::scenario {

// What a scenario acts on: one tenant, and everything around it.
class Target {
 public:
  virtual ~Target() = default;
  virtual engine::Tenant& tenant() = 0;
  // What cannot be done at this tenant, in words; empty if all could.
  virtual std::string change_faults(const FaultChange& change, engine::TimePoint now) = 0;
  virtual void clear_faults(engine::TimePoint now) = 0;
  virtual void start_traffic(const TrafficOptions& options, engine::TimePoint now) = 0;
  virtual void stop_traffic() = 0;
};

// One scenario under way at one tenant. Pure, and driven as the tenant is.
class Run {
 public:
  enum class State { running, finished, failed };

  Run(std::shared_ptr<const Scenario> scenario, engine::TimePoint start);

  engine::TimePoint deadline() const;  // max() once it is over
  void advance(Target& target, engine::TimePoint now);

  State state() const { return state_; }
  // Of the steps that failed: the first, where and why. With `on_failure: continue` also of a run
  // that goes on.
  const std::string& why() const { return why_; }
  std::uint64_t steps_done() const { return steps_done_; }
  const Scenario& scenario() const { return *scenario_; }

 private:
  struct Level {
    const Steps* steps;
    std::size_t next = 0;
    std::uint64_t rounds_left = 1;  // 0: for ever
  };
  // A line of steps; `together` forks more, and waits for them.
  struct Strand {
    std::vector<Level> levels;
    engine::TimePoint resume;
    Strand* parent = nullptr;
    std::size_t children = 0;
    bool done() const { return levels.empty(); }
  };

  void proceed(Strand& strand, Target& target, engine::TimePoint now);
  std::string perform(Strand& strand, const Step& step, Target& target, engine::TimePoint now);
  void leave_finished(Strand& strand);

  std::shared_ptr<const Scenario> scenario_;
  engine::Random random_;
  std::list<Strand> strands_;
  State state_ = State::running;
  std::string why_;
  std::uint64_t steps_done_ = 0;
};

}  // namespace simulator::scenario
