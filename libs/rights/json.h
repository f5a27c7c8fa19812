#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

// For .cc files only: slow to compile.
namespace rights {

// Nothing if `text` is not just one JSON object in UTF-8, or nests deeper than 16. Of a name that
// comes twice the last one counts, as RFC 7519 allows.
inline std::optional<boost::json::object> object_from(std::string_view text) {
  boost::json::parse_options strict;
  strict.max_depth = 16;
  boost::json::error_code error;
  auto value = boost::json::parse({text.data(), text.size()}, error, {}, strict);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

// Null if there is none, or it is no text.
inline const boost::json::string* text_in(const boost::json::object& in, std::string_view name) {
  const auto* value = in.if_contains({name.data(), name.size()});
  return value ? value->if_string() : nullptr;
}

inline bool has(const boost::json::object& in, std::string_view name) {
  return in.contains({name.data(), name.size()});
}

}  // namespace rights
