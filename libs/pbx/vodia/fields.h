#pragma once

#include <string>
#include <string_view>

#include "pbx/json.h"

// What the readers of Vodia's words share. Included by .cc files only, as json.h.
namespace pbx::vodia {

inline simdjson::ondemand::json_type type_of(simdjson::ondemand::value& it) {
  using simdjson::ondemand::json_type;
  json_type type = json_type::null;
  if (it.type().get(type)) return json_type::null;
  return type;
}

inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

inline std::string cut(std::string_view text, std::size_t most) {
  return std::string(shortened(text, most));
}

}  // namespace pbx::vodia
