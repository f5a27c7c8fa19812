#pragma once

#include "pbx/vendor.h"

namespace pbx::vodia {

// This vendor's row of the registry.
Vendor vendor();

}  // namespace pbx::vodia
