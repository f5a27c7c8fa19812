#pragma once

#include <string>
#include <string_view>

namespace telemetry {

// Appends `text` as a JSON string, quotes and all. What is no valid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// The length of the UTF-8 character that `text` begins with; 0 if it begins with none.
std::size_t utf8_length(std::string_view text);

}  // namespace telemetry
