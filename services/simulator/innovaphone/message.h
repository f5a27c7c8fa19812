#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace simulator::innovaphone {

namespace json = boost::json;

// One message of a client: a JSON object with `mt`, as tolerant of what is in it as a PBX is.
struct Message {
  std::string_view text;  // as it came
  json::object body;
  std::string mt, api;
  json::value src;  // null: none
};

// None if it is no JSON object, or has no `mt`. `text` has to outlive what is returned.
std::optional<Message> parse_message(std::string_view text);

// Members that are missing, null or of another kind are empty, 0, false. Numbers may be in quotes.
std::string text_at(const json::object& object, std::string_view key);
std::int64_t number_at(const json::object& object, std::string_view key,
                       std::int64_t otherwise = 0);
bool flag_at(const json::object& object, std::string_view key);

// The beginning of an answer, or of what a request has caused: `mt`, `api` and `src`, as far as
// there are any.
json::object indication(std::string_view mt, std::string_view api, const json::value& src);
json::object result_of(const Message& request);

// Adds what is not empty, 0 or false: the PBX leaves those out.
void put(json::object& object, std::string_view key, std::string_view text);
void put(json::object& object, std::string_view key, const std::string& text);
void put(json::object& object, std::string_view key, const char* text);
void put(json::object& object, std::string_view key, std::int64_t number);
void put(json::object& object, std::string_view key, bool on);
void put(json::object& object, std::string_view key, json::array list);

}  // namespace simulator::innovaphone
