#pragma once

#include <span>

#include "call/service.h"

namespace pbx::webitel {

// One row for each call::Service, in its order.
std::span<const call::Capability> capabilities() noexcept;

}  // namespace pbx::webitel
