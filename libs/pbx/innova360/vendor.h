#pragma once

#include "pbx/vendor.h"

namespace pbx::innova360 {

// This vendor's row of the registry.
Vendor vendor();

}  // namespace pbx::innova360
