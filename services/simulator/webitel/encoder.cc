#include "simulator/webitel/encoder.h"

#include <chrono>
#include <ctime>
#include <utility>

namespace simulator::webitel {

using engine::kOutside;
using engine::TimePoint;

namespace {

std::int64_t seconds(TimePoint::duration span) {
  return std::chrono::duration_cast<std::chrono::seconds>(span).count();
}

// "2026-11-22T10:00:00.5Z"
std::string rfc3339(std::int64_t millis) {
  const std::time_t whole = millis / 1'000;
  std::tm parts{};
  gmtime_r(&whole, &parts);
  char text[32];
  const auto size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::string out(text, size);
  const std::string rest = std::to_string(millis % 1'000 + 1'000).substr(1);
  return out + "." + rest + "Z";
}

json::value object_or_null(const std::optional<Party>& party) {
  return party ? json::value(party->object()) : json::value(nullptr);
}
json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object variables_of(const Channel& channel) {
  json::object all;
  for (const auto& [name, value] : channel.variables) all[name] = value;
  return all;
}

// The engine's answers have no room for "unset" in numbers.
TimePoint::duration talk_of(const Channel& channel, TimePoint now) {
  return channel.answered ? now - *channel.answered : TimePoint::duration{};
}

}  // namespace

json::object call_item(const Pbx& pbx, const Channel& it, TimePoint now) {
  const auto millis = [&](const std::optional<TimePoint>& at) {
    return at ? pbx.millis(*at) : std::int64_t{0};
  };
  json::object item{{"id", it.id},
                    {"app_id", pbx.settings.media_node},
                    {"state", it.state},
                    {"timestamp", rfc3339(pbx.millis(it.at))},
                    {"type", "call"},
                    {"parent_id", text_or_null(it.parent)},
                    {"direction", it.outbound ? "outbound" : "inbound"},
                    {"destination", it.destination},
                    {"from", it.from.object()},
                    {"to", object_or_null(it.to)},
                    {"variables", variables_of(it)},
                    {"created_at", pbx.millis(it.created)},
                    {"answered_at", millis(it.answered)},
                    {"bridged_at", millis(it.bridged_at)},
                    {"hangup_at", millis(it.ended)},
                    {"joined_at", 0},
                    {"leaving_at", 0},
                    {"reporting_at", 0},
                    {"queue_bridged_at", 0},
                    {"hold_sec", seconds(it.held_for(now))},
                    {"duration", 0},
                    {"wait_sec", 0},
                    {"bill_sec", 0},
                    {"bridged_id", text_or_null(it.bridged)}};
  for (const auto key :
       {"queue", "task", "contact_id", "hide_number", "display", "hold", "blind_transfer", "user",
        "extension", "gateway", "member", "team", "agent", "supervisor", "queue_wait_sec",
        "queue_duration_sec", "reporting_sec"}) {
    item[key] = nullptr;
  }
  return item;
}

json::object active_call(const Pbx& pbx, const Channel& it, TimePoint now) {
  const auto millis = [&](const std::optional<TimePoint>& at) {
    return at ? std::to_string(pbx.millis(*at)) : std::string("0");
  };
  const TimePoint end = it.ended.value_or(now);
  const User* user = pbx.channels.user_of(it);
  json::object call{{"id", it.id},
                    {"app_id", pbx.settings.media_node},
                    {"state", it.state},
                    {"timestamp", millis(it.at)},
                    {"type", "call"},
                    {"parent_id", it.parent},
                    {"user", nullptr},
                    {"extension", ""},
                    {"gateway", nullptr},
                    {"direction", it.outbound ? "outbound" : "inbound"},
                    {"destination", it.destination},
                    {"from", it.from.object()},
                    {"to", object_or_null(it.to)},
                    {"variables", variables_of(it)},
                    {"created_at", millis(it.created)},
                    {"answered_at", millis(it.answered)},
                    {"bridged_at", millis(it.bridged_at)},
                    {"duration", seconds(end - it.created)},
                    {"hold_sec", seconds(it.held_for(end))},
                    {"wait_sec", seconds(it.answered.value_or(end) - it.created)},
                    {"bill_sec", seconds(talk_of(it, end))},
                    {"queue", nullptr},
                    {"member", nullptr},
                    {"team", nullptr},
                    {"agent", nullptr},
                    {"joined_at", "0"},
                    {"leaving_at", "0"},
                    {"reporting_at", "0"},
                    {"queue_bridged_at", "0"},
                    {"queue_wait_sec", 0},
                    {"queue_duration_sec", 0},
                    {"display", it.display},
                    {"supervisor", json::array()},
                    {"blind_transfer", ""},
                    {"bridged_id", it.bridged}};
  if (user) {
    call["user"] = json::object{{"id", std::to_string(user->id)}, {"name", user->name}};
    call["extension"] = it.number;
  }
  if (it.extension == kOutside) call["gateway"] = json::object{{"id", "1"}, {"name", "trunk"}};
  return call;
}

json::value tidied(const Pbx& pbx, json::value value) {
  if (pbx.settings.variants.defaults == Variants::Defaults::shown) return value;
  if (json::array* list = value.if_array()) {
    for (json::value& each : *list) each = tidied(pbx, std::move(each));
  }
  json::object* object = value.if_object();
  if (!object) return value;
  json::object rest;
  for (auto& [key, member] : *object) {
    json::value it = tidied(pbx, std::move(member));
    const bool nothing = it.is_null() || it == json::value("") || it == json::value("0") ||
                         it == json::value(0) || it == json::value(false) ||
                         (it.is_array() && it.get_array().empty() && key != "items") ||
                         (it.is_object() && it.get_object().empty());
    if (!nothing) rest[key] = std::move(it);
  }
  return rest;
}

}  // namespace simulator::webitel
