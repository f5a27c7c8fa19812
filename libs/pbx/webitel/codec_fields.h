#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pbx/webitel/codec.h"
#include "pbx/webitel/fields.h"

// What the readers of a socket's messages and of lists share. Included by .cc files only.
namespace pbx::webitel {

inline std::string text_in(simdjson::ondemand::value& it) {
  const auto text = text_of(it);
  return text ? std::string(shortened(*text, kTextMax)) : std::string();
}
// Empty if it is too long: cut, it would be another one.
inline std::string id_in(simdjson::ondemand::value& it) {
  const auto text = text_of(it);
  return text && text->size() <= kIdMax ? std::string(*text) : std::string();
}
// Whole numbers, quoted or not; 0 for everything else: a CallItem's time stamp is RFC 3339.
inline std::int64_t integer_in(simdjson::ondemand::value& it) {
  const auto text = text_of(it);
  std::int64_t number = 0;
  if (!text) return 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
  return failure == std::errc{} && end == text->data() + text->size() ? number : 0;
}
inline bool flag_in(simdjson::ondemand::value& it) {
  const auto text = text_of(it);
  return text && flag_of(*text).value_or(false);
}

inline std::optional<End> end_in(simdjson::ondemand::value& it) {
  End end;
  const bool read = visit_fields(it, [&](std::string_view key, simdjson::ondemand::value& field) {
    if (key == "type") end.type = text_in(field);
    if (key == "number") end.number = text_in(field);
    if (key == "name") end.name = text_in(field);
    if (key == "id") end.id = id_in(field);
  });
  if (!read) return std::nullopt;
  return end;
}

inline Way way_of(std::string_view word) {
  if (word == "inbound") return Way::inbound;
  if (word == "outbound") return Way::outbound;
  return Way::unknown;
}

}  // namespace pbx::webitel
