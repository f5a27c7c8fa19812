#include "telemetry/process_metrics.h"

#include <ctime>
#include <map>
#include <string>

#include <gtest/gtest.h>

namespace telemetry {
namespace {

TEST(ProcessMetrics, ReadTheKernelsLine) {
  const auto stat = process_stat_from(
      "4711 (a) R (b) S 1 2 3 0 -1 4194560 5 6 7 8 150 50 0 0 20 0 4 0 123456 1048576 42 "
      "18446744073709551615 1 1 0 0\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->cpu_ticks, 200);
  EXPECT_EQ(stat->start_ticks, 123'456);
  EXPECT_EQ(stat->virtual_bytes, 1'048'576);
  EXPECT_EQ(stat->resident_pages, 42);
}

TEST(ProcessMetrics, DoWithoutALineTheyCannotRead) {
  for (auto text :
       {"", "1 (a", "1 (a) S 1 2", "1 (a) S 1 2 3 4 5 6 7 8 9 10 x 1 1 1 1 1 1 1 1 1 1"}) {
    EXPECT_FALSE(process_stat_from(text)) << text;
  }
}

TEST(ProcessMetrics, AreThisProcesses) {
  std::map<std::string, double> values;
  for (const auto& family : process_metrics()) {
    ASSERT_EQ(family.metric.size(), 1u);
    const auto& metric = family.metric[0];
    values[family.name] =
        family.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value;
  }
  EXPECT_EQ(values.size(), 6u);
  EXPECT_GT(values["process_resident_memory_bytes"], 1 << 20);
  EXPECT_GT(values["process_virtual_memory_bytes"], values["process_resident_memory_bytes"]);
  EXPECT_GE(values["process_open_fds"], 3);
  EXPECT_GE(values["process_max_fds"], values["process_open_fds"]);
  EXPECT_NEAR(values["process_start_time_seconds"], static_cast<double>(std::time(nullptr)), 3'600);
}

}  // namespace
}  // namespace telemetry
