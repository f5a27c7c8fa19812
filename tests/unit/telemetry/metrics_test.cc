#include "telemetry/metrics.h"

#include <sstream>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>

#include "telemetry/metric_names.h"
#include "telemetry/version.h"

namespace telemetry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Without the process' own, whose values nobody knows beforehand.
std::string ours_of(const Metrics& metrics) {
  std::istringstream in(metrics.exposition());
  std::string out;
  for (std::string line; std::getline(in, line);) {
    if (line.find("process_") == std::string::npos) out += line + '\n';
  }
  return out;
}

TEST(Metrics, AreExposedInPrometheusFormat) {
  Metrics metrics;
  const auto frames =
      metrics.counters("pbxgw_frames_total", "Messages from PBXs.", {"vendor", "kind"});
  frames.at({"vodia", "call"}).add();
  frames.at({"acme", "ping\n\"\\"}).add(2);
  metrics.counter("pbxgw_gaps_total", "Losses.");
  metrics.gauge("pbxgw_outbox_depth", "Events that wait.").set(7);
  metrics.gauge("pbxgw_seen_timestamp_seconds", "When.")
      .set(std::chrono::system_clock::time_point(1'700'000'000s + 500ms));
  const auto renew = metrics.histograms("pbxgw_lease_renew_seconds", "How long a renewal takes.",
                                        {"vendor"}, {0.1, 1});
  renew.at({"vodia"}).observe(50ms);
  renew.at({"vodia"}).observe(0.5);
  renew.at({"vodia"}).observe(2s);

  EXPECT_EQ(ours_of(metrics), R"(# HELP pbxgw_build_info What this process was built as; always 1.
# TYPE pbxgw_build_info gauge
pbxgw_build_info{version=")" + std::string(version()) +
                                  R"("} 1
# HELP pbxgw_frames_total Messages from PBXs.
# TYPE pbxgw_frames_total counter
pbxgw_frames_total{kind="call",vendor="vodia"} 1
pbxgw_frames_total{kind="ping\n\"\\",vendor="acme"} 2
# HELP pbxgw_gaps_total Losses.
# TYPE pbxgw_gaps_total counter
pbxgw_gaps_total 0
# HELP pbxgw_lease_renew_seconds How long a renewal takes.
# TYPE pbxgw_lease_renew_seconds histogram
pbxgw_lease_renew_seconds_count{vendor="vodia"} 3
pbxgw_lease_renew_seconds_sum{vendor="vodia"} 2.55
pbxgw_lease_renew_seconds_bucket{vendor="vodia",le="0.1"} 1
pbxgw_lease_renew_seconds_bucket{vendor="vodia",le="1"} 2
pbxgw_lease_renew_seconds_bucket{vendor="vodia",le="+Inf"} 3
# HELP pbxgw_outbox_depth Events that wait.
# TYPE pbxgw_outbox_depth gauge
pbxgw_outbox_depth 7
# HELP pbxgw_seen_timestamp_seconds When.
# TYPE pbxgw_seen_timestamp_seconds gauge
pbxgw_seen_timestamp_seconds 1700000000.5
)");
}

TEST(Metrics, IncludeTheUsualOnesOfAProcess) {
  const auto text = Metrics().exposition();
  for (auto name : {"process_cpu_seconds_total", "process_resident_memory_bytes",
                    "process_virtual_memory_bytes", "process_open_fds", "process_max_fds",
                    "process_start_time_seconds"}) {
    EXPECT_THAT(text, HasSubstr("\n" + std::string(name) + " ")) << name;
  }
}

TEST(Metrics, AreListedWithOrWithoutASeries) {
  Metrics metrics;
  metrics.counters("pbxgw_frames_total", "Messages from PBXs.", {"vendor", {"kind", 3}});
  metrics.histogram("pbxgw_lease_renew_seconds", "How long a renewal takes.", {0.1, 1});
  const auto text = metrics.reference();
  EXPECT_THAT(text, StartsWith("| Metric | Kind | Labels (values at most) | What it is |\n"
                               "|---|---|---|---|\n"
                               "| `pbxgw_build_info` | gauge | `version` (50) | What this"));
  EXPECT_THAT(text, HasSubstr("\n| `pbxgw_frames_total` | counter | `vendor` (50), `kind` (3) | "
                              "Messages from PBXs. |\n"
                              "| `pbxgw_lease_renew_seconds` | histogram | | How long a renewal "
                              "takes. |\n"
                              "| `pbxgw_probe_ok` | gauge | `probe` (3) | "));
  EXPECT_THAT(text, HasSubstr("\n| `process_cpu_seconds_total` | counter | | "));
  EXPECT_THAT(metrics.exposition(), Not(HasSubstr("pbxgw_frames_total")));
}

TEST(Metrics, ShareASeriesAmongItsHandles) {
  Metrics metrics;
  const auto family = metrics.counters("pbxgw_a_total", "A.", {"kind"});
  const auto one = family.at({"x"});
  family.at({"x"}).add(3);
  EXPECT_EQ(one.value(), 3);
}

TEST(Metrics, BoundEachLabel) {
  Metrics metrics;
  const auto family = metrics.gauges("pbxgw_links", "Links.", {{"tenant", 2}, "state"});
  for (int i = 0; i < 1'000; ++i) {
    family.at({"tenant-" + std::to_string(i), "up"}).add(1);
    family.at({"tenant-" + std::to_string(i), "down"}).add(1);
  }
  EXPECT_EQ(family.at({"tenant-1", "up"}).value(), 1);
  EXPECT_EQ(family.at({"other", "up"}).value(), 998);
  const auto text = metrics.exposition();
  EXPECT_THAT(text, HasSubstr(R"(pbxgw_links{state="down",tenant="other"} 998)"));
  EXPECT_THAT(text, Not(HasSubstr("tenant-2")));
}

TEST(Metrics, RefuseWhatOnlyABugAsksFor) {
  Metrics metrics;
  const auto family = metrics.counters("pbxgw_a_total", "A.", {"kind"});
  EXPECT_THROW(family.at({}), std::logic_error);
  EXPECT_THROW(family.at({"x", "y"}), std::logic_error);
  EXPECT_THROW(metrics.counter("pbxgw_a_total", "A."), std::logic_error);
  EXPECT_THROW(metrics.gauge("pbxgw_a_total", "A."), std::logic_error);
  EXPECT_THROW(metrics.gauge("pbxgw_build_info", "A."), std::logic_error);
  EXPECT_THROW(metrics.histogram("pbxgw_b_seconds", "B.", {1, 1}), std::logic_error);
}

TEST(Metrics, MayBeUsedByManyThreads) {
  Metrics metrics;
  const auto family = metrics.counters("pbxgw_a_total", "A.", {{"kind", 3}});
  const auto times = metrics.histogram("pbxgw_a_seconds", "A.", latency_buckets());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto own = family.at({std::to_string(i % 2)});
      for (int j = 0; j < 1'000; ++j) {
        own.add();
        times.observe(1ms);
        if (j % 100 == 0) metrics.exposition();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(family.at({"0"}).value(), 2'000);
  EXPECT_THAT(metrics.exposition(), HasSubstr("pbxgw_a_seconds_count 4000\n"));
}

TEST(MetricNames, FollowTheRules) {
  const auto problem = [](MetricKind kind, std::string_view name,
                          const std::vector<std::string>& labels = {}) {
    return naming_problem(kind, name, "Help.", labels);
  };
  using enum MetricKind;
  EXPECT_EQ(problem(counter, "pbxgw_frames_total", {"vendor", "kind"}), "");
  EXPECT_EQ(problem(gauge, "pbxgw_outbox_bytes"), "");
  EXPECT_EQ(problem(histogram, "pbxgw_command_seconds"), "");

  EXPECT_EQ(problem(counter, "frames_total"), "the name does not begin with pbxgw_");
  EXPECT_EQ(problem(counter, "pbxgw_Frames_total"), "the name is not in snake_case");
  EXPECT_EQ(problem(counter, "pbxgw_frames__total"), "the name is not in snake_case");
  EXPECT_EQ(problem(counter, "pbxgw_frames:total"), "the name is not in snake_case");
  EXPECT_EQ(problem(counter, ""), "the name is not in snake_case");
  EXPECT_EQ(problem(counter, "pbxgw_frames"), "a counter's name ends in _total");
  EXPECT_EQ(problem(gauge, "pbxgw_frames_total"), "only a counter's name ends in _total");
  EXPECT_EQ(problem(histogram, "pbxgw_command_ms"), "not a base unit: ms");
  EXPECT_EQ(problem(gauge, "pbxgw_buffer_kilobytes"), "not a base unit: kilobytes");
  EXPECT_EQ(problem(gauge, "pbxgw_depth_gauge"), "the name says its kind: gauge");
  EXPECT_EQ(problem(gauge, "pbxgw_link_count"), "_count is a histogram's own suffix");
  EXPECT_EQ(problem(gauge, "pbxgw_links", {"Vendor"}), "a label is not in snake_case: Vendor");
  EXPECT_EQ(problem(gauge, "pbxgw_links", {"__x"}), "a label is not in snake_case: __x");
  EXPECT_EQ(problem(gauge, "pbxgw_links", {"le"}), "a label is Prometheus' own: le");
  EXPECT_EQ(problem(gauge, "pbxgw_links", {"a", "a"}), "two labels of the same name: a");
  EXPECT_EQ(naming_problem(gauge, "pbxgw_links", "", {}), "no help text");
}

}  // namespace
}  // namespace telemetry
