#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

// Single fields out of the JSON that JetStream sends, whose objects have names enough to be told
// apart without regard to nesting. Names are given with their quotes: within a string value a quote
// is written \", so `"name"` cannot be part of one.
namespace bus {

// What follows the colon after the first field of that name.
inline std::optional<std::string_view> json_value(std::string_view json,
                                                  std::string_view quoted_name) {
  const auto at = json.find(quoted_name);
  if (at == std::string_view::npos) return std::nullopt;
  json.remove_prefix(at + quoted_name.size());
  const auto colon = json.find_first_not_of(" \t\r\n");
  if (colon == std::string_view::npos || json[colon] != ':') return std::nullopt;
  json.remove_prefix(colon + 1);
  const auto start = json.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return std::nullopt;
  return json.substr(start);
}

template <class Number>
std::optional<Number> json_number(std::string_view json, std::string_view quoted_name) {
  const auto text = json_value(json, quoted_name);
  Number number{};
  if (!text) return std::nullopt;
  if (std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc{}) {
    return std::nullopt;
  }
  return number;
}

// Up to the first quote, escaped or not; empty if it is no string.
inline std::string json_string(std::string_view json, std::string_view quoted_name) {
  const auto text = json_value(json, quoted_name);
  if (!text || text->front() != '"') return {};
  return std::string(text->substr(1, text->find('"', 1) - 1));
}

}  // namespace bus
