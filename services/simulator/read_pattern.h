#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/section.h"
#include "simulator/engine/pattern.h"

namespace simulator {

// A text that is each extension's own: with {extension} in it.
engine::ExtensionPattern read_pattern(const config::Section& section, std::string_view key,
                                      const char* otherwise, std::string_view doc);
// A list of extensions; none if it is not there.
std::vector<std::string> read_numbers(const config::Section& section, std::string_view key,
                                      std::string_view doc);

}  // namespace simulator
