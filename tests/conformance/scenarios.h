#pragma once

#include <span>
#include <string_view>

#include "conformance/office.h"

namespace conformance {

// What people do, and what consumers are told of it: the table is in scenarios.cc.
struct Scenario {
  const char* name;
  // nullptr: the simulator's phones cannot do it yet. Every vendor says so then, and why.
  void (*play)(Office& office);
  // A line for each connection: its call (A is the first), its device, its events in their order;
  // and one for each call's end. In brackets a cause that is not the usual one of its event.
  // nullptr: to be written down with the first vendor that shows it.
  const char* told;
  // Who has no queue and no park orbit cannot run it: it is left out where it is not offered.
  bool with_accounts = false;
};

std::span<const Scenario> scenarios();
const Scenario* find_scenario(std::string_view name);
// Whether it can be run on this bench: also if the vendor does not show what the phones do.
bool can_run(const Bench& bench, const Scenario& scenario);

}  // namespace conformance
