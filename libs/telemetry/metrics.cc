#include "telemetry/metrics.h"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <utility>

#include <prometheus/family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "telemetry/metric_names.h"
#include "telemetry/process_metrics.h"
#include "telemetry/version.h"

namespace telemetry {
namespace {

constexpr std::string_view kOther = "other";

template <class Series>
struct Traits;
template <>
struct Traits<Counter> {
  using Metric = prometheus::Counter;
  static constexpr auto kKind = MetricKind::counter;
  static auto build() { return prometheus::BuildCounter(); }
};
template <>
struct Traits<Gauge> {
  using Metric = prometheus::Gauge;
  static constexpr auto kKind = MetricKind::gauge;
  static auto build() { return prometheus::BuildGauge(); }
};
template <>
struct Traits<Histogram> {
  using Metric = prometheus::Histogram;
  static constexpr auto kKind = MetricKind::histogram;
  static auto build() { return prometheus::BuildHistogram(); }
};

// Orders label values, whether they are held as strings or as views.
struct ValuesLess {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return std::lexicographical_compare(
        a.begin(), a.end(), b.begin(), b.end(),
        [](std::string_view x, std::string_view y) { return x < y; });
  }
};

}  // namespace

template <class Series>
struct Family<Series>::Impl {
  using Metric = typename Traits<Series>::Metric;

  prometheus::Family<Metric>& family;
  std::vector<Label> labels;
  std::vector<double> buckets;  // of a histogram

  std::mutex mutex;
  std::vector<std::set<std::string, std::less<>>> values;  // seen so far, of each label
  std::map<std::vector<std::string>, Metric*, ValuesLess> series;

  Impl(prometheus::Family<Metric>& in, std::vector<Label> names, std::vector<double> bounds)
      : family(in), labels(std::move(names)), buckets(std::move(bounds)), values(labels.size()) {}

  Metric* at(std::span<const std::string_view> wanted) {
    if (wanted.size() != labels.size()) {
      throw std::logic_error(family.GetName() + ": not one value for each label");
    }
    const std::lock_guard lock(mutex);
    if (auto it = series.find(wanted); it != series.end()) return it->second;
    std::vector<std::string> bounded;
    prometheus::Labels named;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      auto& seen = values[i];
      std::string value(wanted[i]);
      if (!seen.contains(value)) {
        if (seen.size() < labels[i].values_max) {
          seen.insert(value);
        } else {
          value = kOther;
        }
      }
      named.emplace(labels[i].name, value);
      bounded.push_back(std::move(value));
    }
    auto [it, fresh] = series.emplace(std::move(bounded), nullptr);
    if (fresh) {
      if constexpr (std::is_same_v<Series, Histogram>) {
        it->second = &family.Add(named, buckets);
      } else {
        it->second = &family.Add(named);
      }
    }
    return it->second;
  }
};

template <class Series>
Series Family<Series>::at(std::initializer_list<std::string_view> values) const {
  return Series(impl_->at({values.begin(), values.size()}));
}

template class Family<Counter>;
template class Family<Gauge>;
template class Family<Histogram>;

namespace {

// What the reference says of a metric.
struct Described {
  std::string_view kind;
  std::string help;
  std::vector<Label> labels;
};

std::string_view name_of(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter: return "counter";
    case MetricKind::gauge: return "gauge";
    case MetricKind::histogram: return "histogram";
  }
  return {};
}

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  mutable std::mutex mutex;
  std::map<std::string, Described, std::less<>> described;  // by name
  std::optional<Family<Gauge>> probes;

  template <class Series>
  Family<Series> family(std::string_view name, std::string_view help, std::vector<Label> labels,
                        std::vector<double> buckets) {
    std::vector<std::string> label_names;
    for (const auto& label : labels) label_names.push_back(label.name);
    auto problem = naming_problem(Traits<Series>::kKind, name, help, label_names);
    const bool rising =
        std::adjacent_find(buckets.begin(), buckets.end(), std::greater_equal<>()) == buckets.end();
    if (!rising) problem = "the buckets do not rise";
    const std::lock_guard lock(mutex);
    const Described it{name_of(Traits<Series>::kKind), std::string(help), labels};
    if (!described.emplace(name, it).second) problem = "declared twice";
    if (!problem.empty()) throw std::logic_error(std::string(name) + ": " + problem);
    auto& registered =
        Traits<Series>::build().Name(std::string(name)).Help(std::string(help)).Register(registry);
    using FamilyImpl = typename Family<Series>::Impl;
    return Family<Series>(
        std::make_shared<FamilyImpl>(registered, std::move(labels), std::move(buckets)));
  }
};

std::vector<double> latency_buckets() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
}

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {
  gauges("pbxgw_build_info", "What this process was built as; always 1.", {"version"})
      .at({version()})
      .set(1);
  impl_->probes = gauges("pbxgw_probe_ok", "1 while this probe says yes, else 0.", {{"probe", 3}});
}

Metrics::~Metrics() = default;

Counter Metrics::counter(std::string_view name, std::string_view help) {
  return impl_->family<Counter>(name, help, {}, {}).at({});
}

Gauge Metrics::gauge(std::string_view name, std::string_view help) {
  return impl_->family<Gauge>(name, help, {}, {}).at({});
}

Histogram Metrics::histogram(std::string_view name, std::string_view help,
                             std::vector<double> buckets) {
  return impl_->family<Histogram>(name, help, {}, std::move(buckets)).at({});
}

Family<Counter> Metrics::counters(std::string_view name, std::string_view help,
                                  std::vector<Label> labels) {
  return impl_->family<Counter>(name, help, std::move(labels), {});
}

Family<Gauge> Metrics::gauges(std::string_view name, std::string_view help,
                              std::vector<Label> labels) {
  return impl_->family<Gauge>(name, help, std::move(labels), {});
}

Family<Histogram> Metrics::histograms(std::string_view name, std::string_view help,
                                      std::vector<Label> labels, std::vector<double> buckets) {
  return impl_->family<Histogram>(name, help, std::move(labels), std::move(buckets));
}

const Family<Gauge>& Metrics::probes() const { return *impl_->probes; }

std::string Metrics::exposition() const {
  auto families = impl_->registry.Collect();
  for (auto& family : process_metrics()) families.push_back(std::move(family));
  std::sort(families.begin(), families.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (auto& family : families) {
    std::sort(family.metric.begin(), family.metric.end(),
              [](const auto& a, const auto& b) { return a.label < b.label; });
  }
  return prometheus::TextSerializer().Serialize(families);
}

std::string Metrics::reference() const {
  std::unique_lock lock(impl_->mutex);
  auto all = impl_->described;
  lock.unlock();
  for (auto& family : process_metrics()) {
    const auto kind =
        family.type == prometheus::MetricType::Counter ? MetricKind::counter : MetricKind::gauge;
    all.emplace(std::move(family.name), Described{name_of(kind), std::move(family.help), {}});
  }
  std::string out = "| Metric | Kind | Labels (values at most) | What it is |\n|---|---|---|---|\n";
  for (const auto& [name, it] : all) {
    out += "| `" + name + "` | " + std::string(it.kind) + " | ";
    for (const auto& label : it.labels) {
      out += (&label == &it.labels.front() ? "`" : ", `") + label.name + "` (" +
             std::to_string(label.values_max) + ")";
    }
    out += (it.labels.empty() ? "| " : " | ") + it.help + " |\n";
  }
  return out;
}

}  // namespace telemetry
