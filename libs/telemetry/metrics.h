#pragma once

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

namespace telemetry {

// Handles to one time series each: a pointer, to be kept where the events are counted. Any thread
// may use them, for as long as the Metrics they come from.

class Counter {
 public:
  explicit Counter(prometheus::Counter* series) : series_(series) {}
  void add(double by = 1) const { series_->Increment(by); }
  double value() const { return series_->Value(); }

 private:
  prometheus::Counter* series_;
};

class Gauge {
 public:
  explicit Gauge(prometheus::Gauge* series) : series_(series) {}
  void set(double value) const { series_->Set(value); }
  void add(double by) const { series_->Increment(by); }
  // Seconds since 1970: ages are exported as the time they began, so that a process that hangs does
  // not export a fine age for ever.
  void set(std::chrono::system_clock::time_point time) const {
    series_->Set(std::chrono::duration<double>(time.time_since_epoch()).count());
  }
  double value() const { return series_->Value(); }

 private:
  prometheus::Gauge* series_;
};

class Histogram {
 public:
  explicit Histogram(prometheus::Histogram* series) : series_(series) {}
  void observe(double value) const { series_->Observe(value); }
  template <class Rep, class Period>
  void observe(std::chrono::duration<Rep, Period> duration) const {
    series_->Observe(std::chrono::duration<double>(duration).count());
  }

 private:
  prometheus::Histogram* series_;
};

// A dimension. The first `values_max` different values get series of their own; any further one is
// counted as "other", so that no peer can make us export without end.
struct Label {
  std::string name;
  std::size_t values_max;

  Label(const char* label, std::size_t most = 50) : name(label), values_max(most) {}
};

// One metric with labels.
template <class Series>
class Family {
 public:
  // The series with these label values, in the order of the labels. Thread-safe, but it locks and
  // searches: keep what it returns. Throws std::logic_error if it is not one value per label.
  Series at(std::initializer_list<std::string_view> values) const;

  struct Impl;
  explicit Family(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};
extern template class Family<Counter>;
extern template class Family<Gauge>;
extern template class Family<Histogram>;

// In seconds: from half a millisecond, what a command costs us, to the ten seconds it may take.
std::vector<double> latency_buckets();

// All metrics of a process. A service declares its own in one struct, made at start; each name once
// and by the rules of metric_names.h, else std::logic_error. pbxgw_build_info, pbxgw_probe_ok and
// the usual process_* are there from the beginning.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  Counter counter(std::string_view name, std::string_view help);
  Gauge gauge(std::string_view name, std::string_view help);
  Histogram histogram(std::string_view name, std::string_view help, std::vector<double> buckets);

  Family<Counter> counters(std::string_view name, std::string_view help, std::vector<Label> labels);
  Family<Gauge> gauges(std::string_view name, std::string_view help, std::vector<Label> labels);
  Family<Histogram> histograms(std::string_view name, std::string_view help,
                               std::vector<Label> labels, std::vector<double> buckets);

  // pbxgw_probe_ok, for the admin server, which knows what the probes say.
  const Family<Gauge>& probes() const;

  // Everything in Prometheus' text format 0.0.4, sorted by name and labels. Thread-safe.
  std::string exposition() const;
  // What there is, with or without a series, as a table of Markdown sorted by name. Thread-safe.
  std::string reference() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace telemetry
