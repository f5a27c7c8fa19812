#include "telemetry/process_metrics.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

namespace telemetry {
namespace {

std::string content_of(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

prometheus::MetricFamily family_of(std::string name, std::string help, prometheus::MetricType type,
                                   double value) {
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  return {std::move(name), std::move(help), type, {std::move(metric)}};
}

// Seconds since 1970; it does not change while the system runs.
std::optional<double> boot_time() {
  const auto text = content_of("/proc/stat");
  const auto at = text.find("\nbtime ");
  if (at == std::string::npos) return std::nullopt;
  return std::strtod(text.c_str() + at + 7, nullptr);
}

std::optional<double> open_files() {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error)) {
    ++count;
  }
  if (error) return std::nullopt;
  return count - 1;  // the one that reads the folder
}

}  // namespace

std::optional<ProcessStat> process_stat_from(std::string_view text) {
  // The second field is the program's name in parentheses, and may itself contain both.
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  text.remove_prefix(name_end + 1);
  ProcessStat stat;
  for (int field = 3; field <= 24; ++field) {
    const auto start = text.find_first_not_of(" \n");
    if (start == std::string_view::npos) return std::nullopt;
    text.remove_prefix(start);
    const auto word = text.substr(0, text.find_first_of(" \n"));
    text.remove_prefix(word.size());
    if (field < 14) continue;
    double number = 0;
    if (std::from_chars(word.data(), word.data() + word.size(), number).ec != std::errc()) {
      return std::nullopt;
    }
    switch (field) {
      case 14:
      case 15: stat.cpu_ticks += number; break;
      case 22: stat.start_ticks = number; break;
      case 23: stat.virtual_bytes = number; break;
      case 24: stat.resident_pages = number; break;
      default: break;
    }
  }
  return stat;
}

std::vector<prometheus::MetricFamily> process_metrics() {
  using prometheus::MetricType;
  static const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  static const double page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE));
  static const auto boot = boot_time();

  std::vector<prometheus::MetricFamily> all;
  if (const auto stat = process_stat_from(content_of("/proc/self/stat"))) {
    all.push_back(family_of("process_cpu_seconds_total",
                            "Total user and system CPU time spent in seconds.", MetricType::Counter,
                            stat->cpu_ticks / ticks));
    all.push_back(family_of("process_resident_memory_bytes", "Resident memory size in bytes.",
                            MetricType::Gauge, stat->resident_pages * page_bytes));
    all.push_back(family_of("process_virtual_memory_bytes", "Virtual memory size in bytes.",
                            MetricType::Gauge, stat->virtual_bytes));
    if (boot) {
      all.push_back(family_of("process_start_time_seconds",
                              "Start time of the process since unix epoch in seconds.",
                              MetricType::Gauge, *boot + stat->start_ticks / ticks));
    }
  }
  if (const auto open = open_files()) {
    all.push_back(family_of("process_open_fds", "Number of open file descriptors.",
                            MetricType::Gauge, *open));
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    all.push_back(family_of("process_max_fds", "Maximum number of open file descriptors.",
                            MetricType::Gauge, static_cast<double>(limit.rlim_cur)));
  }
  return all;
}

}  // namespace telemetry
