#pragma once

#include "pbx/vendor.h"

namespace pbx::webitel {

// This vendor's row of the registry.
Vendor vendor();

}  // namespace pbx::webitel
