#pragma once

#include <chrono>

#include "control/core.h"
#include "control/event_filter.h"

namespace control {

// For operators: whose watch is ended since he takes nothing. He himself is told by its status. A
// few lines for one principal, then how many there were.
void log_slow_watcher(const Caller& caller, const EventFilter& filter,
                      std::chrono::steady_clock::duration idle);

}  // namespace control
