#include "simulator/innovaphone/message.h"

#include <charconv>
#include <utility>

namespace simulator::innovaphone {

std::optional<Message> parse_message(std::string_view text) {
  boost::system::error_code wrong;
  json::value value = json::parse(json::string_view(text.data(), text.size()), wrong);
  if (wrong || !value.is_object()) return std::nullopt;
  Message message;
  message.text = text;
  message.body = std::move(value.get_object());
  message.mt = text_at(message.body, "mt");
  message.api = text_at(message.body, "api");
  if (const auto* src = message.body.if_contains("src")) message.src = *src;
  if (message.mt.empty()) return std::nullopt;
  return message;
}

std::string text_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(json::string_view(key.data(), key.size()));
  if (!value) return {};
  if (const auto* text = value->if_string()) return std::string(text->data(), text->size());
  if (value->is_number()) return json::serialize(*value);
  return {};
}

std::int64_t number_at(const json::object& object, std::string_view key, std::int64_t otherwise) {
  const auto* value = object.if_contains(json::string_view(key.data(), key.size()));
  if (!value) return otherwise;
  if (const auto* number = value->if_int64()) return *number;
  const auto* text = value->if_string();
  if (!text) return otherwise;
  std::int64_t number = otherwise;
  const auto [end, wrong] = std::from_chars(text->data(), text->data() + text->size(), number);
  return wrong == std::errc() && end == text->data() + text->size() ? number : otherwise;
}

bool flag_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(json::string_view(key.data(), key.size()));
  if (!value) return false;
  if (const auto* flag = value->if_bool()) return *flag;
  if (const auto* text = value->if_string()) return *text == "true";
  return number_at(object, key) != 0;
}

json::object indication(std::string_view mt, std::string_view api, const json::value& src) {
  json::object it;
  it["mt"] = json::string_view(mt.data(), mt.size());
  put(it, "api", api);
  if (!src.is_null()) it["src"] = src;
  return it;
}

json::object result_of(const Message& request) {
  return indication(request.mt + "Result", request.api, request.src);
}

void put(json::object& object, std::string_view key, std::string_view text) {
  if (text.empty()) return;
  object[json::string_view(key.data(), key.size())] = json::string_view(text.data(), text.size());
}

void put(json::object& object, std::string_view key, const std::string& text) {
  put(object, key, std::string_view(text));
}

void put(json::object& object, std::string_view key, const char* text) {
  put(object, key, std::string_view(text));
}

void put(json::object& object, std::string_view key, std::int64_t number) {
  if (number != 0) object[json::string_view(key.data(), key.size())] = number;
}

void put(json::object& object, std::string_view key, bool on) {
  if (on) object[json::string_view(key.data(), key.size())] = true;
}

void put(json::object& object, std::string_view key, json::array list) {
  if (!list.empty()) object[json::string_view(key.data(), key.size())] = std::move(list);
}

}  // namespace simulator::innovaphone
