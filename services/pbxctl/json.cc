#include "pbxctl/json.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

namespace pbxctl {

std::string json_line(const google::protobuf::Message& message) {
  std::string out;
  // Fails for an Any of a type that is not linked in; then there is nothing better to show.
  if (!google::protobuf::util::MessageToJsonString(message, &out).ok()) return "{}";
  return out;
}

std::string with_member(std::string_view name, std::string_view value, std::string_view object) {
  std::string out = "{\"";
  out.append(name).append("\":").append(value);
  const auto rest = object.substr(1);
  if (rest != "}") out += ',';
  return out.append(rest);
}

std::string json_text(const std::string& text) {
  google::protobuf::Value value;
  value.set_string_value(text);
  return json_line(value);
}

}  // namespace pbxctl
