#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

namespace telemetry {

// The process_* metrics that every Prometheus client library exports, as they are right now. What
// /proc does not tell is left out.
std::vector<prometheus::MetricFamily> process_metrics();

// Of /proc/<pid>/stat, in the kernel's units.
struct ProcessStat {
  double cpu_ticks = 0;    // user and system
  double start_ticks = 0;  // since the system was started
  double virtual_bytes = 0;
  double resident_pages = 0;
};
// Nothing if the text is no such file's. Pure.
std::optional<ProcessStat> process_stat_from(std::string_view text);

}  // namespace telemetry
