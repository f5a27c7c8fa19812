#pragma once

#include "config/section.h"
#include "simulator/webitel/settings.h"

namespace simulator {

webitel::Settings read_webitel(const config::Section& section);

}  // namespace simulator
