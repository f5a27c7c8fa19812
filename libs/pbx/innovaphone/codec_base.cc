// AppWebsocket's own messages, as the one who logs in and as the one who was dialled hear them.
#include <algorithm>
#include <iterator>
#include <utility>

#include "pbx/innovaphone/codec_parts.h"
#include "pbx/json.h"

namespace pbx::innovaphone {
namespace {

using simdjson::ondemand::array;
using simdjson::ondemand::value;

// What people read of an error, and what names a PBX.
constexpr std::size_t kWordsMax = 120;
// A firmware has about ten APIs; a list without an end is no list of them.
constexpr std::size_t kApisMax = 64;

std::string cut(std::string_view text) { return std::string(shortened(text, kWordsMax)); }

void take(std::string& into, value& field) {
  if (const auto text = text_of(field)) into = cut(*text);
}

void take_challenge(Challenge& challenge, std::string_view key, value& field) {
  // Not cut: another challenge would be signed. Login has its limit.
  if (key != "challenge") return;
  if (const auto text = text_of(field)) challenge.text = *text;
}

void take_result(LoginResult& result, std::string_view key, value& field) {
  const bool text_too = key == "errorText";
  if (key != "ok" && key != "error" && !text_too) return;
  const auto text = text_of(field);
  if (!text) return;
  if (key == "ok") {
    result.ok = flag_of(*text).value_or(false);
  } else if (!text->empty()) {
    if (!result.error.empty()) result.error += text_too ? ": " : " ";
    result.error += cut(*text);
  }
}

void take_apis(std::vector<std::string>& apis, value& field) {
  array list;
  if (field.get_array().get(list)) return;
  apis.clear();
  for (auto element : list) {
    value item;
    if (element.get(item)) return;
    const auto text = text_of(item);
    if (text && !text->empty() && apis.size() < kApisMax) apis.push_back(cut(*text));
  }
}

void take_info(PbxInfo& info, std::string_view key, value& field) {
  constexpr std::pair<std::string_view, std::string PbxInfo::*> kTexts[] = {
      {"domain", &PbxInfo::domain},   {"pbx", &PbxInfo::pbx},     {"pbxDns", &PbxInfo::dns},
      {"version", &PbxInfo::version}, {"build", &PbxInfo::build},
  };
  if (key == "apis") return take_apis(info.apis, field);
  const auto* found = std::find_if(std::begin(kTexts), std::end(kTexts),
                                   [&](const auto& it) { return it.first == key; });
  if (found != std::end(kTexts)) take(info.*found->second, field);
}

void take_app(AppInfo& info, std::string_view key, value& field) {
  if (key == "app") take(info.app, field);
}

// The message as a `Body`, whose fields `take_field` knows.
template <class Body>
bool read(std::string_view text, Frame& frame,
          void (*take_field)(Body&, std::string_view, value&)) {
  Body body;
  if (auto document = JsonParser::of_this_thread().parse(text)) {
    (void)for_each_field(*document,
                         [&](std::string_view key, value& it) { take_field(body, key, it); });
  }
  frame.body = std::move(body);
  return true;
}

}  // namespace

bool parse_base(std::string_view mt, std::string_view text, Frame& frame) {
  if (mt == "AppChallengeResult") return read(text, frame, take_challenge);
  if (mt == "AppLoginResult") return read(text, frame, take_result);
  if (mt == "PbxInfo") return read(text, frame, take_info);
  if (mt == "AppInfo") return read(text, frame, take_app);
  if (mt == "CheckBuild") {
    frame.body = CheckBuild{};
    return true;
  }
  if (mt == "KeepAlive") {
    frame.body = KeepAlive{};
    return true;
  }
  return false;
}

}  // namespace pbx::innovaphone
