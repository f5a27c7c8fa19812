#include "simulator/innovaphone/presence.h"

#include <algorithm>

namespace simulator::innovaphone {

using engine::Change;
using engine::ExtensionIndex;
using engine::kOutside;
using engine::TimePoint;

namespace {

constexpr std::string_view kApi = "PbxApi";
constexpr std::size_t kTextMax = 1'000;  // of an activity and its note; longer ones are refused
constexpr std::size_t kWatchesMax = 200'000;

void put_error(json::object& result, std::string_view text) {
  result["error"] = 1;
  put(result, "errorText", text);
}

std::string engine::Forwarding::*field_of(std::string_view type) {
  if (type == "cfu") return &engine::Forwarding::always;
  if (type == "cfb") return &engine::Forwarding::busy;
  if (type == "cfnr") return &engine::Forwarding::no_answer;
  return nullptr;
}

}  // namespace

ExtensionIndex Presence::named(const Socket& socket, const Message& request) const {
  const auto sip = text_at(request.body, "sip");
  const auto guid = text_at(request.body, "guid");
  const auto index = !sip.empty()    ? pbx_.users.of_h323(sip)
                     : !guid.empty() ? pbx_.users.of_guid(guid)
                                     : pbx_.users.of_number(text_at(request.body, "num"));
  return pbx_.shows(socket, index) ? index : kOutside;
}

// The newest first: a call is newer than what somebody has set.
json::array Presence::items_of(ExtensionIndex user) const {
  json::array items;
  if (!pbx_.tenant.extension(user).legs.empty()) {
    items.push_back(
        json::object{{"contact", "tel:"}, {"activity", "on-the-phone"}, {"status", "closed"}});
  }
  const auto it = notes_.find(user);
  const Note note = it == notes_.end() ? Note{} : it->second;
  json::object own{{"contact", "tel:"}, {"activity", note.activity}};
  own["status"] = note.activity.empty() ? "open" : "closed";
  put(own, "note", note.note);
  items.push_back(std::move(own));
  return items;
}

bool Presence::answer(Socket& socket, const Message& request, TimePoint now) {
  const auto& mt = request.mt;
  if (mt == "SubscribePresence") return subscribe(socket, request, now), true;
  if (mt == "UnsubscribePresence") return unsubscribe(socket, request, now), true;
  if (mt == "SetPresence") return set(socket, request, now), true;
  if (mt == "GetNodeInfo") {
    json::object result = result_of(request);
    result["name"] = "root";
    result["prefix_intl"] = "00";
    result["prefix_ntl"] = "0";
    result["country_code"] = pbx_.settings.country;
    return outlet_.answer(socket, result, now), true;
  }
  const bool diversion = mt == "AddDiversion" || mt == "DelDiversion" || mt == "GetDiversion";
  if (!diversion || !pbx_.knows(Profile::v14r1)) return false;
  return divert(socket, request, now), true;
}

void Presence::subscribe(Socket& socket, const Message& request, TimePoint now) {
  const auto user = named(socket, request);
  json::object result = result_of(request);
  if (user == kOutside || watched_[user].watches.size() >= kWatchesMax) {
    put_error(result, "not found");
    return outlet_.answer(socket, result, now);
  }
  outlet_.answer(socket, result, now);
  Watched& watched = watched_[user];
  const json::array items = items_of(user);
  watched.watches.push_back({socket.id, request.src});
  watched.last = json::serialize(items);
  const User& who = pbx_.users[user];
  json::object state = indication("PresenceState", kApi, request.src);
  state["up"] = true;
  state["sip"] = who.h323;
  state["num"] = pbx_.users.number(user);
  put(state, "dn", who.dn);
  state["email"] = who.h323 + '@' + pbx_.settings.domain;
  outlet_.tell(socket, state, now);
  json::object update = indication("PresenceUpdate", kApi, request.src);
  update["presence"] = items;
  outlet_.tell(socket, update, now);
}

void Presence::unsubscribe(Socket& socket, const Message& request, TimePoint now) {
  const auto user = named(socket, request);
  if (const auto it = watched_.find(user); it != watched_.end()) {
    std::erase_if(it->second.watches, [&](const Watch& watch) {
      return watch.connection == socket.id && watch.src == request.src;
    });
    if (it->second.watches.empty()) watched_.erase(it);
  }
  outlet_.answer(socket, result_of(request), now);
}

void Presence::set(Socket& socket, const Message& request, TimePoint now) {
  const auto user = named(socket, request);
  const auto activity = text_at(request.body, "activity");
  const auto note = text_at(request.body, "note");
  json::object result = result_of(request);
  if (user == kOutside) {
    put_error(result, "not found");
  } else if (activity.size() > kTextMax || note.size() > kTextMax) {
    put_error(result, "too long");
  } else if (activity == "on-the-phone") {
    put_error(result, "cannot be set");
  } else {
    notes_[user] = {activity, note};
    dirty_.try_emplace(user, now);
    if (pbx_.settings.variants.presence_dnd) {
      const auto number = pbx_.users.number(user);
      (void)pbx_.tenant.set_do_not_disturb(number, activity == "dnd", now);
    }
  }
  outlet_.answer(socket, result, now);
}

void Presence::divert(Socket& socket, const Message& request, TimePoint now) {
  const auto user = named(socket, request);
  const auto type = text_at(request.body, "type");
  const auto field = field_of(type);
  json::object result = result_of(request);
  if (user == kOutside || !field) {
    put_error(result, user == kOutside ? "not found" : "unknown type");
  } else if (request.mt == "GetDiversion") {
    put(result, "num", pbx_.tenant.extension(user).forwarding.*field);
  } else {
    std::string to = text_at(request.body, "ep-num");
    if (to.empty()) {
      const auto index = pbx_.users.of_h323(text_at(request.body, "ep-sip"));
      if (index != kOutside) to = pbx_.users.number(index);
    }
    const bool adds = request.mt == "AddDiversion";
    engine::Forwarding forwarding = pbx_.tenant.extension(user).forwarding;
    forwarding.*field = adds ? to : std::string();
    const auto number = pbx_.users.number(user);
    const bool done =
        !(adds && to.empty()) && !pbx_.tenant.set_forwarding(number, std::move(forwarding), now);
    if (done) {
      result["ok"] = true;
    } else {
      put_error(result, "invalid destination");
    }
  }
  outlet_.answer(socket, result, now);
}

void Presence::on_change(const Change& change) {
  const ExtensionIndex user = change.extension;
  if (user >= pbx_.users.size()) return;
  if (change.kind == Change::Kind::do_not_disturb) {
    const bool on = pbx_.tenant.extension(user).do_not_disturb;
    std::string& activity = notes_[user].activity;
    if (on) activity = "dnd";
    if (!on && activity == "dnd") activity.clear();
  }
  if (watched_.contains(user)) dirty_.try_emplace(user, change.at);
}

void Presence::on_closed(engine::ConnectionId connection) {
  for (auto it = watched_.begin(); it != watched_.end();) {
    std::erase_if(it->second.watches,
                  [&](const Watch& watch) { return watch.connection == connection; });
    it = it->second.watches.empty() ? watched_.erase(it) : std::next(it);
  }
}

TimePoint Presence::deadline() const {
  TimePoint due = TimePoint::max();
  for (const auto& [user, since] : dirty_) due = std::min(due, since);
  return due;
}

// What is the same as before is not told again.
void Presence::advance(TimePoint) {
  for (const auto& [user, since] : std::exchange(dirty_, {})) {
    const auto it = watched_.find(user);
    if (it == watched_.end()) continue;
    const json::array items = items_of(user);
    std::string text = json::serialize(items);
    if (std::exchange(it->second.last, text) == text) continue;
    for (const Watch& watch : it->second.watches) {
      const auto socket = pbx_.sockets.find(watch.connection);
      if (socket == pbx_.sockets.end()) continue;
      json::object update = indication("PresenceUpdate", kApi, watch.src);
      update["presence"] = items;
      outlet_.tell(socket->second, update, since);
    }
  }
}

}  // namespace simulator::innovaphone
