#pragma once

#include <string>
#include <string_view>

#include <google/protobuf/message.h>

namespace pbxctl {

// The message as proto3 JSON, on one line.
std::string json_line(const google::protobuf::Message& message);
// The object `object` with `name` in front of its members; `value` is JSON.
std::string with_member(std::string_view name, std::string_view value, std::string_view object);
// `text` as a JSON string, with its quotes.
std::string json_text(const std::string& text);

}  // namespace pbxctl
