#pragma once

#include <functional>
#include <vector>

#include "config/section.h"
#include "simulator/engine/faults.h"

namespace simulator::scenario {

// What a step or a request says about faults: those it names change, the others stay.
struct FaultChange {
  std::vector<std::function<void(engine::Faults&)>> changes;
  engine::Incident incident;
  bool needs_listener = false;  // refuse_connections or no_welcome, which no shared port can do

  engine::Faults applied_to(engine::Faults faults) const {
    for (const auto& change : changes) change(faults);
    return faults;
  }
};

FaultChange read_faults(const config::Section& section);

}  // namespace simulator::scenario
