#include "simulator/vodia/client_frames.h"

#include <boost/json.hpp>

namespace simulator::vodia {
namespace {

namespace json = boost::json;

std::string text_of(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_int64()) return std::to_string(value.get_int64());
  if (value.is_uint64()) return std::to_string(value.get_uint64());
  if (value.is_bool()) return value.get_bool() ? "true" : "false";
  return {};
}

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value ? text_of(*value) : std::string();
}

std::vector<std::string> texts_at(const json::object& object, std::string_view key) {
  std::vector<std::string> all;
  const json::value* value = object.if_contains(key);
  if (!value || !value->is_array()) return all;
  for (const auto& item : value->get_array()) {
    if (all.size() >= kLampsMax) break;
    if (auto text = text_of(item); !text.empty()) all.push_back(std::move(text));
  }
  return all;
}

// A session description: the text itself, or {type, sdp}. A candidate: {candidate, …}, or null.
std::string wrapped_text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  const json::object* inner = value ? value->if_object() : nullptr;
  return inner ? text_at(*inner, key) : text_at(object, key);
}

}  // namespace

ClientFrame parse_client_frame(std::string_view text) {
  ClientFrame frame;
  if (text.size() > kClientFrameMax) return frame;
  boost::system::error_code not_json;
  const json::value document = json::parse({text.data(), text.size()}, not_json);
  const json::object* object = not_json ? nullptr : document.if_object();
  if (!object) return frame;
  frame.action = text_at(*object, "action");
  frame.subscribe = text_at(*object, "subscribe") != "false";
  frame.add = texts_at(*object, "add");
  frame.remove = texts_at(*object, "remove");
  frame.id = text_at(*object, "id");
  frame.id2 = text_at(*object, "id2");
  frame.from = text_at(*object, "from");
  frame.to = text_at(*object, "to");
  frame.start_stop = text_at(*object, "startstop");
  frame.connected = text_at(*object, "connected");
  frame.source = text_at(*object, "src");
  frame.destination = text_at(*object, "dest");
  frame.message = text_at(*object, "message");
  frame.call_id = text_at(*object, "callid");
  frame.cseq = text_at(*object, "cseq");
  frame.sdp = wrapped_text_at(*object, "sdp");
  frame.candidate = wrapped_text_at(*object, "candidate");
  frame.hold_command = text_at(*object, "holdcmd");
  frame.code = text_at(*object, "code");
  return frame;
}

}  // namespace simulator::vodia
