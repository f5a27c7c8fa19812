#include "pbx/innovaphone/texts.h"

#include "pbx/json.h"

namespace pbx::innovaphone {

std::string message(std::string_view mt, std::string_view api, std::string_view src,
                    std::span<const Field> fields) {
  std::string text = R"({"mt":)";
  append_json(text, mt);
  const auto add = [&](std::string_view name, std::string_view value, bool raw) {
    text += ',';
    append_json(text, name);
    text += ':';
    if (raw) {
      text += value;
    } else {
      append_json(text, value);
    }
  };
  if (!api.empty()) add("api", api, false);
  if (!src.empty()) add("src", src, false);
  for (const Field& field : fields) {
    if (!field.raw || !field.value.empty()) add(field.name, field.value, field.raw);
  }
  text += '}';
  return text;
}

}  // namespace pbx::innovaphone
