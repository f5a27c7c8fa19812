#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "pbx/json.h"

// What the readers of Vodia's words share. Included by .cc files only, as json.h.
namespace pbx::vodia {

// With one of these a message has no action, or it does not count. The order is the protocol's.
inline constexpr std::string_view kFlatKeys[] = {
    "sdp",      "invitesdp", "candidate",      "bye",  "ringtones",
    "response", "cancel",    "cancelresponse", "info", "change"};

// Its place in a list of names; -1 if it is none of them.
template <std::size_t kSize>
int rank_of(const std::string_view (&names)[kSize], std::string_view key) {
  const auto found = std::find(std::begin(names), std::end(names), key);
  return found == std::end(names) ? -1 : static_cast<int>(found - std::begin(names));
}

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

// Unix seconds with a fraction, as microseconds. Nothing for 0 and "": not yet.
inline std::optional<std::int64_t> microseconds_of(std::string_view text) {
  text = trimmed(text);
  double seconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!(seconds > 0) || seconds > 1e11) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(seconds * 1e6));
}

}  // namespace pbx::vodia
