#include "simulator/innova360/client_frames.h"

#include <optional>
#include <utility>

#include <boost/json.hpp>

namespace simulator::innova360 {
namespace {

namespace json = boost::json;

// Ids and numbers are texts; whoever sends them as JSON numbers is understood as well.
std::optional<std::string> text_of(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_int64()) return std::to_string(value.get_int64());
  if (value.is_uint64()) return std::to_string(value.get_uint64());
  return std::nullopt;
}

std::optional<std::string> text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value ? text_of(*value) : std::nullopt;
}

std::string without_separators(std::string text) {
  std::erase_if(text,
                [](char c) { return std::string_view(" -()./").find(c) != std::string::npos; });
  return text;
}

ClientFrame parse_action(const json::object& object) {
  auto action = text_at(object, "action").value_or("");
  auto phone = text_at(object, "phone");
  if (action == "call") {
    if (!phone) return UnknownFrame{};
    CallAction frame{without_separators(std::move(*phone)), {}};
    for (const auto* key : {"customfield1", "customfield2"}) {
      if (auto text = text_at(object, key)) frame.user_data.push_back(std::move(*text));
    }
    return frame;
  }
  if (action == "blindtransfer") {
    auto call = text_at(object, "call");
    if (!call || !phone) return UnknownFrame{};
    return BlindTransferAction{std::move(*call), without_separators(std::move(*phone))};
  }
  if (action == "hangup") {
    const json::value* list = object.if_contains("call");
    if (!list || !list->is_array() || list->get_array().size() > kHangupsMax) {
      return UnknownFrame{};  // also for one call it has to be a list
    }
    HangupAction frame;
    for (const auto& item : list->get_array()) {
      if (auto call = text_of(item)) frame.calls.push_back(std::move(*call));
    }
    return frame;
  }
  return UnknownFrame{std::move(action)};
}

}  // namespace

ClientFrame parse_client_frame(std::string_view text) {
  if (text.size() > kClientFrameMax) return UnknownFrame{};
  boost::system::error_code not_json;
  const json::value document = json::parse({text.data(), text.size()}, not_json);
  const json::object* object = not_json ? nullptr : document.if_object();
  if (!object) return UnknownFrame{};
  const auto type = text_at(*object, "type");
  if (type == "action") return parse_action(*object);
  if (type == "auth-plain") {
    auto user = text_at(*object, "user");
    auto password = text_at(*object, "passwd");
    if (user && password) return AuthPlain{std::move(*user), std::move(*password)};
  }
  return UnknownFrame{};
}

}  // namespace simulator::innova360
