#pragma once

#include <span>
#include <string>
#include <string_view>

namespace telemetry {

enum class MetricKind { counter, gauge, histogram };

// Why a metric of ours may not be called this: the rules of `promtool check metrics`, and our own
// prefix. Empty if it may.
std::string naming_problem(MetricKind kind, std::string_view name, std::string_view help,
                           std::span<const std::string> labels);

}  // namespace telemetry
