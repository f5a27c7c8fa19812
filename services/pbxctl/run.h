#pragma once

#include <string>
#include <vector>

#include "pbxctl/options.h"

namespace pbxctl {

// The program: parses the arguments (without argv[0]), does what they say, and returns the exit
// status. Also reads the environment's PBXGW_SERVER, PBXGW_TENANT and NO_COLOR.
int run(const std::vector<std::string>& arguments, const Terminal& terminal);

}  // namespace pbxctl
