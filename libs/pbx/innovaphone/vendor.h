#pragma once

#include "pbx/vendor.h"

namespace pbx::innovaphone {

// This vendor's row of the registry.
Vendor vendor();

}  // namespace pbx::innovaphone
