#include "telemetry/version.h"

namespace telemetry {

std::string_view version() { return PBXGW_VERSION; }

}  // namespace telemetry
