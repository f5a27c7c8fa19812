#include "pbx/webitel/command_codec.h"

#include <algorithm>

#include "pbx/webitel/fields.h"

namespace pbx::webitel {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A leg's id is a UUID (webitel.md 3.2), or at least looks like a name.
bool is_leg(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
}

}  // namespace

std::optional<std::string> dialled_number(std::string_view number) {
  if (number.size() > kNumberMax) return std::nullopt;
  std::string dialled;
  for (char c : number) {
    const bool dials = is_digit(c) || c == '*' || c == '#' || (c == '+' && dialled.empty());
    if (dials) {
      dialled += c;
    } else if (std::string_view(" -./()").find(c) == std::string_view::npos) {
      return std::nullopt;
    }
  }
  if (dialled.empty() || dialled == "+") return std::nullopt;
  return dialled;
}

bool is_same_number(std::string_view one, std::string_view other) {
  constexpr std::size_t kSuffixLeast = 7;
  if (one == other) return true;
  return std::min(one.size(), other.size()) >= kSuffixLeast &&
         (one.ends_with(other) || other.ends_with(one));
}

bool is_variable(std::string_view name) {
  constexpr std::size_t kNameMax = 64;
  return !name.empty() && name.size() <= kNameMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
         });
}

std::string shown_name(std::string_view name) {
  std::string shown = cut(name, 64);
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E) c = '?';
  }
  return shown;
}

std::string make_call_body(std::string_view extension, std::string_view number,
                           const std::map<std::string, std::string>& variables) {
  JsonObject body;
  body.raw("from", JsonObject().text("extension", extension).take()).text("destination", number);
  if (!variables.empty()) {
    JsonObject all;
    for (const auto& [name, value] : variables) all.text(name, value);
    body.raw("params", JsonObject().raw("variables", all.take()).take());
  }
  return body.take();
}

std::optional<std::string> made_leg(std::string_view body) {
  auto document = JsonParser::of_this_thread().parse(body);
  if (!document) return std::nullopt;
  std::optional<std::string> leg;
  for_each_field(*document, [&](std::string_view key, simdjson::ondemand::value& field) {
    if (key != "id") return;
    const auto text = text_of(field);
    if (text && is_leg(*text)) leg = std::string(*text);
  });
  return leg;
}

std::string leg_data(std::string_view id, std::string_view app_id) {
  return JsonObject().text("id", id).text("app_id", app_id).take();
}

std::string hangup_data(std::string_view id, std::string_view app_id, std::string_view cause) {
  JsonObject data;
  data.text("id", id).text("app_id", app_id);
  if (!cause.empty()) data.text("cause", cause);
  return data.take();
}

std::string digit_data(std::string_view id, std::string_view app_id, char digit) {
  return JsonObject()
      .text("id", id)
      .text("app_id", app_id)
      .text("dtmf", std::string_view(&digit, 1))
      .take();
}

std::string transfer_data(std::string_view id, std::string_view number) {
  return JsonObject().text("id", id).text("destination", number).take();
}

std::string bridge_data(std::string_view from, std::string_view to) {
  return JsonObject().text("from_id", from).text("to_id", to).take();
}

std::string presence_body(bool do_not_disturb) {
  return do_not_disturb ? R"({"status":"dnd"})" : R"({"status":""})";
}

std::optional<std::string_view> status_word(call::AgentState state) {
  switch (state) {
    case call::AgentState::ready: return "online";
    case call::AgentState::not_ready: return "pause";
    case call::AgentState::logged_off: return "offline";
    default: return std::nullopt;
  }
}

std::string agent_status_body(std::string_view status, std::string_view reason) {
  JsonObject body;
  body.text("status", status);
  if (!reason.empty()) body.text("payload", reason);
  return body.take();
}

}  // namespace pbx::webitel
