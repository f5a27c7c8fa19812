#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/document.h"
#include "simulator/scenario/faults.h"
#include "simulator/scenario/operation.h"
#include "simulator/scenario/traffic.h"

// The scenario language; scenarios/README.md teaches it.
namespace simulator::scenario {

struct Step;
using Steps = std::vector<Step>;

struct Wait {
  engine::Millis least, most;  // somewhere between, by the scenario's seed
};
struct SetFaults {
  FaultChange change;
};
struct ClearFaults {};
struct StopTraffic {};
struct Repeat {
  std::uint64_t times;  // 0: for ever
  Steps steps;
};
struct Together {
  std::vector<Steps> branches;  // goes on once the last one is through
};
struct Expect {
  std::string extension;
  std::optional<std::string> status;
  std::optional<std::int64_t> calls;
};
using Deed = std::variant<Operation, Wait, SetFaults, ClearFaults, TrafficOptions, StopTraffic,
                          Repeat, Together, Expect>;

struct Step {
  std::string where;  // "scenarios[0].steps[3]", for reports
  Deed deed;
};

struct Scenario {
  std::string name;
  std::vector<std::string> tenants;  // empty: all of them
  std::uint64_t seed = 1;
  bool go_on = false;  // past steps that fail
  Steps steps;
};

inline constexpr std::size_t kScenariosMax = 100;
inline constexpr std::size_t kStepsMax = 10'000;
inline constexpr int kNestingMax = 8;

// All scenarios of a file's text, or what is wrong with it: file, line, what, and what is expected.
struct Parsed {
  std::vector<std::shared_ptr<const Scenario>> scenarios;
  std::vector<config::Problem> problems;
};
Parsed parse_scenarios(const std::string& text, const std::string& file);

}  // namespace simulator::scenario
