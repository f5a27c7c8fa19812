#include <algorithm>
#include <iterator>
#include <utility>

#include "pbx/innovaphone/codec_impl.h"

// AppWebsocket's own messages, as the one who logs in and the one who was dialled hear them.
namespace pbx::innovaphone {
namespace {

using base::Errc;
using simdjson::ondemand::value;

using Taken = base::Result<std::optional<Body>>;

Taken read_challenge(simdjson::ondemand::object& fields) {
  Challenge challenge;
  const bool whole = for_each_field(fields, [&](std::string_view key, value& field) {
    // Not cut short by anything that is signed: Login has its own, lower limit.
    if (key == "challenge") challenge.text = text_in(field);
  });
  if (!whole) return Errc::bad_frame;
  return std::optional<Body>(std::move(challenge));
}

Taken read_login_result(simdjson::ondemand::object& fields) {
  LoginResult result;
  std::string error_text;
  const bool whole = for_each_field(fields, [&](std::string_view key, value& field) {
    if (key == "ok") {
      result.ok = flag_in(field);
    } else if (key == "error") {
      result.error = text_in(field, kIdMax);
    } else if (key == "errorText") {
      error_text = text_in(field, kIdMax);
    }
  });
  if (!whole) return Errc::bad_frame;
  if (!error_text.empty()) {
    if (!result.error.empty()) result.error += ": ";
    result.error += error_text;
  }
  return std::optional<Body>(std::move(result));
}

Taken read_pbx_info(simdjson::ondemand::object& fields) {
  constexpr std::pair<std::string_view, std::string PbxInfo::*> kTexts[] = {
      {"domain", &PbxInfo::domain},   {"pbx", &PbxInfo::pbx},     {"pbxDns", &PbxInfo::dns},
      {"version", &PbxInfo::version}, {"build", &PbxInfo::build},
  };
  PbxInfo info;
  bool right = true;
  const bool whole = for_each_field(fields, [&](std::string_view key, value& field) {
    if (key == "apis") {
      info.apis.clear();
      const auto add = [&](value& it) {
        if (auto api = text_in(it, kIdMax); !api.empty()) info.apis.push_back(std::move(api));
      };
      right = for_each_element(field, add) && right;
      return;
    }
    const auto* it = std::find_if(std::begin(kTexts), std::end(kTexts),
                                  [&](const auto& row) { return row.first == key; });
    if (it != std::end(kTexts)) info.*it->second = text_in(field);
  });
  if (!whole || !right) return Errc::bad_frame;
  return std::optional<Body>(std::move(info));
}

Taken read_app_info(simdjson::ondemand::object& fields) {
  AppInfo info;
  const bool whole = for_each_field(fields, [&](std::string_view key, value& field) {
    if (key == "app") info.app = text_in(field);
  });
  if (!whole) return Errc::bad_frame;
  return std::optional<Body>(std::move(info));
}

}  // namespace

Read read_base(Message& message) {
  if (!message.api.empty()) return std::optional<Body>();
  if (message.mt == "AppChallengeResult") return read_challenge(message.fields);
  if (message.mt == "AppLoginResult") return read_login_result(message.fields);
  if (message.mt == "PbxInfo") return read_pbx_info(message.fields);
  if (message.mt == "AppInfo") return read_app_info(message.fields);
  if (message.mt == "CheckBuild") return std::optional<Body>(CheckBuild{});
  if (message.mt == "KeepAlive") return std::optional<Body>(KeepAlive{});
  return std::optional<Body>();
}

}  // namespace pbx::innovaphone
