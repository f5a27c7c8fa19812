#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "pbx/innovaphone/codec.h"
#include "pbx/json.h"

// What the readers of innovaphone's words share. Included by codec*.cc only, as json.h.
namespace pbx::innovaphone {

using Body = decltype(Frame::body);

// One message's type, and its fields, which can be read once.
struct Message {
  std::string_view api, mt;
  simdjson::ondemand::object& fields;
};

// Each reads the messages of some APIs: nothing if it is none of them, whose fields it then leaves
// alone; bad_frame if it is malformed. parse() asks them in this order.
using Read = base::Result<std::optional<Body>>;
Read read_base(Message& message);      // AppWebsocket itself
Read read_table(Message& message);     // PbxTableUsers
Read read_presence(Message& message);  // PbxApi, of presence
Read read_rcc(Message& message);       // RCC, and the Result of everything that nobody else knows

// Of a name, a number, a reason; and of an id.
inline constexpr std::size_t kTextMax = 512;
inline constexpr std::size_t kIdMax = 128;
// Of the elements of a list within one message.
inline constexpr std::size_t kListMax = 64;

inline simdjson::ondemand::json_type type_of(simdjson::ondemand::value& it) {
  using simdjson::ondemand::json_type;
  json_type type = json_type::null;
  if (it.type().get(type)) return json_type::null;
  return type;
}

// Empty for what has no text.
inline std::string text_in(simdjson::ondemand::value& it, std::size_t most = kTextMax) {
  const auto text = text_of(it);
  return text ? std::string(shortened(*text, most)) : std::string();
}
inline int number_in(simdjson::ondemand::value& it) {
  const auto text = text_of(it);
  return text ? number_of(*text).value_or(0) : 0;
}
inline bool flag_in(simdjson::ondemand::value& it) {
  const auto text = text_of(it);
  return text && flag_of(*text).value_or(false);
}

// Calls visit(element&) for each element of a list; of what is no list, for nothing. False if it is
// malformed. Elements beyond `most` are left out.
template <class Visit>
bool for_each_element(simdjson::ondemand::value& it, Visit&& visit, std::size_t most = kListMax) {
  if (type_of(it) != simdjson::ondemand::json_type::array) return true;
  simdjson::ondemand::array items;
  if (it.get_array().get(items)) return false;
  std::size_t count = 0;
  for (auto item : items) {
    simdjson::ondemand::value element;
    if (item.get(element)) return false;
    if (++count <= most) visit(element);
  }
  return true;
}

// Calls visit(key, value&) for each field of what may be an object. False if it is malformed.
template <class Visit>
bool for_each_field_in(simdjson::ondemand::value& it, Visit&& visit) {
  if (type_of(it) != simdjson::ondemand::json_type::object) return true;
  simdjson::ondemand::object fields;
  return !it.get_object().get(fields) && for_each_field(fields, visit);
}

}  // namespace pbx::innovaphone
