#pragma once

#include <string_view>

namespace telemetry {

// What this program was built as ("0.1.0"): for --version, pbxgw_build_info and the first log line.
std::string_view version();

}  // namespace telemetry
