#pragma once

#include <string>
#include <string_view>

namespace pbxctl {

// A random UUID, version 4.
std::string new_request_id();
// Whether it is one, in the usual 36 characters.
bool is_request_id(std::string_view text);

}  // namespace pbxctl
