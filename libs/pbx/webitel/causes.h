#pragma once

#include <optional>
#include <string_view>

#include "call/cause.h"

namespace pbx::webitel {

// What the name of a FreeSWITCH hangup cause means (webitel.md 7.3); unspecified for one that is
// not known.
call::Cause cause_of(std::string_view name);

}  // namespace pbx::webitel
