#include "simulator/vodia/encoder.h"

#include <cstdio>
#include <utility>

#include <boost/json.hpp>

namespace simulator::vodia {

namespace json = boost::json;
using engine::Call;
using engine::Extension;
using engine::ExtensionIndex;
using engine::Leg;
using engine::LegState;

namespace {

constexpr std::size_t kFillFrom = 900'000;  // numbers of invented accounts

bool talks(const Leg& leg) { return leg.state == LegState::up && leg.connected; }

bool is_ringing(const Leg& leg) { return leg.state == LegState::ringing; }

}  // namespace

std::string Encoder::party(std::string_view number) const {
  const std::string text(number);
  if (settings_.variants.parties == Variants::Parties::bare) return text;
  if (tenant_.find_extension(number) == engine::kOutside) {
    return "<sip:" + text + '@' + settings_.domain + ";user=phone>";
  }
  return '"' + settings_.name_of(number) + "\" <sip:" + text + '@' + settings_.domain + '>';
}

json::value Encoder::boolean(bool value) const {
  if (settings_.variants.booleans == Variants::Booleans::text) return value ? "true" : "false";
  return value;
}

std::string Encoder::time_text(engine::TimePoint at) const {
  const auto millis = settings_.clock.unix_millis(at);
  char text[40];
  std::snprintf(text, sizeof text, "%lld.%03d", static_cast<long long>(millis / 1'000),
                static_cast<int>(millis % 1'000));
  return text;
}

json::value Encoder::time(engine::TimePoint at) const {
  if (settings_.variants.times == Variants::Times::text) return json::string(time_text(at));
  return static_cast<double>(settings_.clock.unix_millis(at)) / 1'000;
}

// Calls.

// Whoever of them holds, it is one word here.
std::string_view Encoder::state_in_tenant(const Call& call) const {
  std::size_t talking = 0;
  bool held = false;
  for (const auto id : call.legs) {
    const Leg& leg = *tenant_.find_leg(id);
    if (!talks(leg)) continue;
    ++talking;
    held = held || leg.held;
  }
  if (talking < 2) return "alerting";
  return held ? "holding" : "connected";
}

std::string_view Encoder::state_at(const Leg& leg) const {
  const std::string_view waiting = settings_.modern() ? "alerting" : "ringback";
  if (is_ringing(leg)) return "alerting";
  if (!talks(leg)) return waiting;
  if (leg.held) return "holding";
  const Call& call = *tenant_.find_call(leg.call);
  bool somebody = false, held = false;
  for (const auto id : call.legs) {
    const Leg& other = *tenant_.find_leg(id);
    if (id == leg.id || !talks(other)) continue;
    somebody = true;
    held = held || other.held;
  }
  if (!somebody) return waiting;
  return held ? "onhold" : "connected";
}

json::object Encoder::call(const Call& call, ExtensionIndex viewer) const {
  const bool modern = settings_.modern();
  const Parties parties = parties_of(call, tenant_);
  const CallRecord* record = calls_.find(call.id);
  json::object out{
      {"id", calls_.id_of(call.id)}, {"from", party(parties.from)}, {"to", party(parties.to)}};
  if (modern) {
    const auto name = [&](const std::string& number) {
      const bool ours = tenant_.find_extension(number) != engine::kOutside;
      return ours ? settings_.name_of(number) : std::string();
    };
    out["from-number"] = parties.from;
    out["from-name"] = name(parties.from);
    out["to-number"] = parties.to;
    out["to-name"] = name(parties.to);
  }

  std::string_view state = state_in_tenant(call);
  bool recording = false;
  json::array extensions;
  for (const auto id : call.legs) {
    const Leg& leg = *tenant_.find_leg(id);
    recording = recording || leg.recording;
    if (leg.extension == engine::kOutside) continue;
    if (leg.extension == viewer) state = state_at(leg);
    const bool mark = is_ringing(leg) && settings_.variants.ringing_mark;
    extensions.emplace_back((mark ? "*" : "") + leg.number);
  }
  bool new_word = modern;
  if (settings_.variants.state_key != Variants::StateKey::profile) {
    new_word = settings_.variants.state_key == Variants::StateKey::state;
  }
  out[new_word ? "state" : "callstate"] = state;
  if (modern) out["extension"] = std::move(extensions);
  out["start"] = time(call.created);
  out["connect"] = record && record->connect ? time(*record->connect) : json::value("");
  out["cmc"] = record ? record->category : "";
  if (recording) out["rec"] = "adhoc";
  return out;
}

json::array Encoder::calls(ExtensionIndex viewer) const {
  json::array list;
  if (viewer == kWholeTenant) {
    for (const Call* each : tenant_.calls()) {
      if (!each->legs.empty()) list.push_back(call(*each, viewer));
    }
    return list;
  }
  for (const auto id : tenant_.extension(viewer).legs) {
    list.push_back(call(*tenant_.find_call(tenant_.find_leg(id)->call), viewer));
  }
  return list;
}

std::string Encoder::call_state(ExtensionIndex viewer, Spoilt spoilt) const {
  json::array list = calls(viewer);
  if (spoilt.missing_one && !list.empty()) list.erase(list.begin());
  if (spoilt.doubled) {
    const json::array again = list;
    list.insert(list.end(), again.begin(), again.end());
  }
  json::object frame{{"action", "call-state"}};
  if (settings_.variants.one_call == Variants::OneCall::object && list.size() == 1) {
    frame["calls"] = std::move(list.front());
  } else {
    frame["calls"] = std::move(list);
  }
  return json::serialize(frame);
}

// Accounts.

json::object Encoder::account(const Extension& it) const {
  json::object out{{"account", it.number},
                   {"name", settings_.name_of(it.number)},
                   {"type", settings_.type_of(it.number)},
                   {"domain", settings_.domain},
                   {"registered", boolean(it.registered)},
                   {"dnd", boolean(it.do_not_disturb)},
                   {"chatstatus", it.registered ? "online" : "offline"}};
  if (!it.legs.empty()) out["code"] = std::to_string(it.legs.size());
  return out;
}

std::string Encoder::domain_state(std::size_t accounts_min) const {
  json::array accounts;
  for (const Extension& it : tenant_.extensions()) accounts.push_back(account(it));
  for (const Account& it : settings_.accounts) {
    if (tenant_.find_extension(it.number) != engine::kOutside) continue;  // calls can stay there
    accounts.push_back({{"account", it.number},
                        {"name", it.name},
                        {"type", it.type},
                        {"domain", settings_.domain},
                        {"registered", boolean(false)},
                        {"dnd", boolean(false)},
                        {"chatstatus", ""},
                        {"calls", json::array()}});
  }
  while (accounts.size() < accounts_min) {
    Extension invented;
    invented.number = std::to_string(kFillFrom + accounts.size());
    accounts.push_back(account(invented));
  }
  return json::serialize(json::object{{"action", "domain-state"},
                                      {"accounts", std::move(accounts)},
                                      {"calls", calls(kWholeTenant)},
                                      {"messages", 0}});
}

std::string Encoder::user_state(const Extension& extension) const {
  json::object frame{{"action", "user-state"}};
  for (const auto& [key, value] : account(extension)) frame[key] = value;
  return json::serialize(frame);
}

std::string Encoder::lamp(const Extension& extension) const {
  std::string_view state = "idle";
  for (const auto id : extension.legs) state = state_at(*tenant_.find_leg(id));
  return json::serialize(
      json::object{{"action", "blf"}, {"account", extension.number}, {"state", state}});
}

json::array Encoder::orbit_list() const {
  json::array list;
  for (const Extension& it : tenant_.extensions()) {
    if (settings_.type_of(it.number) != kOrbits) continue;
    const ExtensionIndex index = tenant_.find_extension(it.number);
    list.push_back(
        {{"account", it.number}, {"name", settings_.name_of(it.number)}, {"calls", calls(index)}});
  }
  return list;
}

std::string Encoder::orbits() const {
  return json::serialize(json::object{{"action", "orbit-state"}, {"orbits", orbit_list()}});
}

std::string Encoder::ring_tones() const {
  return R"({"ringtones":[{"name":"Default","file":"default.wav"},{"name":"Bell","file":"bell.wav"}]})";
}

std::string Encoder::noise(engine::Noise kind, std::size_t oversized_bytes) const {
  using engine::Noise;
  switch (kind) {
    case Noise::unknown_action:
      return R"({"action":"queue-statistics","account":"700","waiting":3})";
    case Noise::unknown_type: return R"({"mwi":"true","new":"2"})";
    case Noise::invalid_json: return R"({'action':'call-state','calls':[],})";
    case Noise::not_an_object: return R"(["call-state",[]])";
    case Noise::truncated: return R"({"action":"call-state","calls":[{"id":"abcdefgh)";
    case Noise::oversized:
      return R"({"action":"notice","text":")" + std::string(oversized_bytes, 'x') + "\"}";
  }
  return {};
}

}  // namespace simulator::vodia
