#pragma once

#include <span>
#include <string>
#include <vector>

#include "call/history.h"
#include "pbx/webitel/directory.h"
#include "pbx/webitel/history_codec.h"

namespace pbx::webitel {

// The calls of `found`, in its order; `others` are legs of the same time, some of which may belong
// to them, and may repeat them. Pure.
std::vector<call::PastCall> past_calls_of(std::span<const PastLeg> found,
                                          std::span<const PastLeg> others,
                                          const Directory& directory);

}  // namespace pbx::webitel
