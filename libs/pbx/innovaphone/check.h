#pragma once

#include <vector>

#include "pbx/settings.h"

namespace pbx::innovaphone {

// What of the settings does not go together; for Vendor::check.
std::vector<Mistake> check(const Settings& settings);

}  // namespace pbx::innovaphone
