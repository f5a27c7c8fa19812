#include <charconv>
#include <utility>

#include <boost/json.hpp>

#include "simulator/vodia/rest.h"

// What an extension's user sets: do not disturb, forwarding, and the rest.
namespace simulator::vodia {

namespace json = boost::json;
using engine::HttpReply;

namespace {

constexpr std::size_t kValueMax = 256;

// Looking at them does not make any.
Pbx::Preferences preferences_of(const RestCall& call) {
  const auto it = call.pbx.preferences.find(call.account);
  return it == call.pbx.preferences.end() ? Pbx::Preferences() : it->second;
}

HttpReply show_dnd(const RestCall& call) {
  const auto& extension = call.pbx.tenant.extension(call.account);
  const auto it = preferences_of(call);
  std::string expires;
  if (it.dnd_end != engine::TimePoint::max()) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(it.dnd_end - call.now);
    expires = std::to_string(left.count());
  }
  return json_reply({{"state", call.pbx.encoder.boolean(extension.do_not_disturb)},
                     {"reason", it.dnd_reason},
                     {"expires", expires},
                     {"destination", ""},
                     {"hint", ""}});
}

// What a PBX that carries nothing out answers; nothing: it does.
std::optional<HttpReply> spoilt(const RestCall& call) {
  using Actions = engine::Faults::Actions;
  if (call.pbx.faults.actions == Actions::execute) return std::nullopt;
  return json_reply(call.pbx.faults.actions == Actions::ignore);
}

HttpReply set_dnd(const RestCall& call) {
  if (auto reply = spoilt(call)) return *reply;
  const std::string state = call.text("state");
  if (state != "true" && state != "false") return bare_reply(400);
  call.pbx.set_do_not_disturb(call.account, state == "true", call.now);
  auto& it = call.pbx.preferences[call.account];
  if (state == "true") it.dnd_reason = call.text("reason").substr(0, kValueMax);
  const std::string expires = call.text("expires");
  std::int64_t seconds = 0;
  const auto parsed = std::from_chars(expires.data(), expires.data() + expires.size(), seconds);
  if (state == "true" && parsed.ec == std::errc() && seconds > 0 && seconds < 10'000'000) {
    it.dnd_end = call.now + std::chrono::seconds(seconds);
  }
  return json_reply(true);
}

HttpReply show_settings(const RestCall& call) {
  const auto& extension = call.pbx.tenant.extension(call.account);
  json::object out;
  const auto preferences = preferences_of(call);
  for (const auto& [key, value] : preferences.others) out[key] = value;
  out["dnd"] = extension.do_not_disturb ? "true" : "false";
  out["cfa"] = extension.forwarding.always;
  out["cfb"] = extension.forwarding.busy;
  out["cfn"] = extension.forwarding.no_answer;
  return json_reply(out);
}

bool change(const RestCall& call, const std::string& key, const std::string& value) {
  auto& pbx = call.pbx;
  if (value.size() > kValueMax || key.size() > kValueMax) return false;
  if (key == "dnd") {
    pbx.set_do_not_disturb(call.account, value == "true", call.now);
    return true;
  }
  engine::Forwarding forwarding = pbx.tenant.extension(call.account).forwarding;
  std::string* target = key == "cfa"   ? &forwarding.always
                        : key == "cfb" ? &forwarding.busy
                        : key == "cfn" ? &forwarding.no_answer
                                       : nullptr;
  if (target) {
    *target = value;
    return !pbx.tenant.set_forwarding(call.number(), std::move(forwarding));
  }
  auto& others = pbx.preferences[call.account].others;
  if (others.size() >= Pbx::Preferences::kOthersMax && !others.contains(key)) return false;
  others[key] = value;
  return true;
}

// Only what is named changes.
HttpReply set_settings(const RestCall& call) {
  if (auto reply = spoilt(call)) return *reply;
  bool done = true;
  for (const auto& [key, value] : call.body) {
    done = change(call, std::string(key), call.text(key)) && done;
  }
  return json_reply(done);
}

// {"table":"users","settings":[{"name":…,"value":…}]}
HttpReply set_table(const RestCall& call) {
  if (auto reply = spoilt(call)) return *reply;
  const json::value* list = call.body.if_contains("settings");
  if (!list || !list->is_array()) return bare_reply(400);
  bool done = true;
  for (const json::value& item : list->get_array()) {
    if (!item.is_object()) return bare_reply(400);
    const RestCall inner{call.pbx,     call.http, call.now,         call.who,
                         call.account, call.rest, item.get_object()};
    done = change(inner, inner.text("name"), inner.text("value")) && done;
  }
  return json_reply(done);
}

HttpReply star_codes(const RestCall&) {
  return json_reply({{"forward", "*72"},
                     {"forward_off", "*73"},
                     {"dnd", "*78"},
                     {"dnd_off", "*79"},
                     {"pickup", "*87"}});
}

// {"type":"accounts","action":"reset_dnd","selected":"100 101"}
HttpReply domain_action(const RestCall& call) {
  const std::string action = call.text("action"), selected = call.text("selected");
  for (std::size_t at = 0; at < selected.size();) {
    const auto end = std::min(selected.find(' ', at), selected.size());
    const auto extension = call.pbx.user(selected.substr(at, end - at));
    at = end + 1;
    if (extension == engine::kOutside) continue;
    const auto& number = call.pbx.tenant.extension(extension).number;
    if (action == "reset_dnd") call.pbx.set_do_not_disturb(extension, false, call.now);
    if (action == "reset_cfwd") (void)call.pbx.tenant.set_forwarding(number, {});
    if (action == "clear_reg") (void)call.pbx.tenant.set_registered(number, false, call.now);
  }
  return json_reply(json::object());
}

}  // namespace

std::span<const RestRoute> preference_routes() {
  constexpr std::string_view kFlat = "/rest/domain/{domain}/user_settings/{ext}";
  constexpr std::string_view kTable = "/rest/domain/{domain}/account/{ext}/user_settings";
  static constexpr RestRoute kRoutes[] = {
      {"GET", "/rest/user/{account}/dnd", Needs::itself, show_dnd},
      {"POST", "/rest/user/{account}/dnd", Needs::itself, set_dnd},
      {"GET", kFlat, Needs::itself_or_tenant, show_settings},
      {"POST PUT", kFlat, Needs::itself_or_tenant, set_settings},
      {"GET", kTable, Needs::itself_or_tenant, show_settings},
      {"POST PUT", kTable, Needs::itself_or_tenant, set_table},
      {"GET", "/rest/user/{account}/starcodes", Needs::itself, star_codes},
      {"POST", "/rest/domain/{domain}/domain_action", Needs::tenant, domain_action},
  };
  return kRoutes;
}

}  // namespace simulator::vodia
