#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

// JSON as this vendor's servers write and read it, and small things about URLs.
namespace simulator::webitel {

namespace json = boost::json;

// As Go writes it: with <, > and & as \u003c and so on, and a newline at the end.
std::string go_text(const json::value& value);

// A field of the wrong type is as good as absent.
std::optional<std::int64_t> number_at(const json::object& object, std::string_view key);
std::optional<bool> boolean_at(const json::object& object, std::string_view key);
std::string text_at(const json::object& object, std::string_view key);  // "" if it is none
const json::object* object_at(const json::object& object, std::string_view key);

// Where REST takes either: "17" or 17. Nothing if it is neither.
std::optional<std::int64_t> id_from(const json::value* value);
std::optional<std::int64_t> integer_from(std::string_view text);

// "a=1&b=2": the values of that name, decoded, in their order.
std::vector<std::string> query_values(std::string_view query, std::string_view name);
// "/api/calls//active": decoded, without empty ones. Empty if it cannot be decoded.
std::vector<std::string> path_parts(std::string_view path);

}  // namespace simulator::webitel
