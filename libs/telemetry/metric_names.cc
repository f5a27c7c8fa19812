#include "telemetry/metric_names.h"

#include <algorithm>
#include <array>
#include <vector>

namespace telemetry {
namespace {

bool is_snake_case(std::string_view text) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789_";
  return !text.empty() && text.front() >= 'a' && text.front() <= 'z' && text.back() != '_' &&
         text.find("__") == std::string_view::npos &&
         text.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::vector<std::string_view> words_of(std::string_view name) {
  std::vector<std::string_view> words;
  while (true) {
    const auto end = name.find('_');
    words.push_back(name.substr(0, end));
    if (end == std::string_view::npos) return words;
    name.remove_prefix(end + 1);
  }
}

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& all, std::string_view word) {
  return std::find(all.begin(), all.end(), word) != all.end();
}

constexpr std::array<std::string_view, 22> kOtherUnits{
    "ms",        "us",    "ns",      "millis",      "milliseconds", "microseconds",
    "minutes",   "hours", "days",    "nanoseconds", "kb",           "mb",
    "gb",        "kib",   "mib",     "gib",         "kilobytes",    "megabytes",
    "gigabytes", "bits",  "percent", "percentage"};
constexpr std::array<std::string_view, 5> kKinds{"counter", "gauge", "histogram", "summary",
                                                 "metric"};
constexpr std::array<std::string_view, 3> kSeriesSuffixes{"count", "sum", "bucket"};
// Prometheus itself puts these on what it scrapes or computes.
constexpr std::array<std::string_view, 5> kReservedLabels{"le", "quantile", "job", "instance",
                                                          "exported"};

}  // namespace

std::string naming_problem(MetricKind kind, std::string_view name, std::string_view help,
                           std::span<const std::string> labels) {
  if (!is_snake_case(name)) return "the name is not in snake_case";
  if (!name.starts_with("pbxgw_")) return "the name does not begin with pbxgw_";
  const auto words = words_of(name);
  for (const auto word : words) {
    if (contains(kOtherUnits, word)) return "not a base unit: " + std::string(word);
    if (contains(kKinds, word)) return "the name says its kind: " + std::string(word);
  }
  const bool total = words.back() == "total";
  if (kind == MetricKind::counter && !total) return "a counter's name ends in _total";
  if (kind != MetricKind::counter && total) return "only a counter's name ends in _total";
  if (contains(kSeriesSuffixes, words.back())) {
    return "_" + std::string(words.back()) + " is a histogram's own suffix";
  }
  if (help.empty()) return "no help text";
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!is_snake_case(labels[i])) return "a label is not in snake_case: " + labels[i];
    if (contains(kReservedLabels, labels[i])) return "a label is Prometheus' own: " + labels[i];
    if (std::count(labels.begin(), labels.end(), labels[i]) > 1) {
      return "two labels of the same name: " + labels[i];
    }
  }
  return {};
}

}  // namespace telemetry
