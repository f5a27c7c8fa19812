#include "simulator/innovaphone/calls.h"

#include <algorithm>
#include <utility>

namespace simulator::innovaphone {

using engine::Cause;
using engine::Change;
using engine::ExtensionIndex;
using engine::kOutside;
using engine::Leg;
using engine::LegState;
using engine::Manner;
using engine::Millis;
using engine::TimePoint;

namespace {

constexpr std::int64_t kSetupAck = 2, kCallProc = 3, kAlert = 4, kConnected = 5,
                       kDisconnectSent = 6, kDisconnectReceived = 7, kParked = 8;
constexpr std::int64_t kIncoming = 128, kHeld = 256, kHeldByPeer = 512, kWaiting = 1024;

json::array cause_info(Cause cause) {
  const auto value = static_cast<std::int64_t>(cause);
  json::object info{{"type", "cause"}, {"vali", value}};
  put(info, "vals", cause_text(value));
  return {std::move(info)};
}

std::string_view text_of(const json::object& party, std::string_view key) {
  const auto* value = party.if_contains(json::string_view(key.data(), key.size()));
  const auto* text = value ? value->if_string() : nullptr;
  return text ? std::string_view(text->data(), text->size()) : std::string_view();
}

json::object short_party(const json::object& party) {
  json::object it;
  for (const auto key : {"h323", "e164"}) {
    const auto text = text_of(party, key);
    it[key] = json::string_view(text.data(), text.size());
  }
  return it;
}

}  // namespace

std::string_view cause_text(std::int64_t cause) {
  switch (cause) {
    case 1: return "Unallocated (unassigned) number";
    case 16: return "Normal call clearing";
    case 17: return "User busy";
    case 18: return "No user responding";
    case 19: return "No answer from user (user alerted)";
    case 20: return "Subscriber absent";
    case 21: return "Call rejected";
    case 26: return "Non-selected user clearing";
    case 34: return "No circuit/channel available";
    default: return {};
  }
}

// Who is who.

bool Calls::is_orbit(const Leg& leg) const {
  return leg.extension != kOutside && pbx_.tenant.extension(leg.extension).orbit;
}

json::object Calls::party(std::string_view number) const {
  json::object it;
  const auto e164 = json::string_view(number.data(), number.size());
  const auto index = pbx_.users.of_number(number);
  if (index == kOutside) {
    it["e164"] = e164;
    it["h323"] = "";
    return it;
  }
  const User& user = pbx_.users[index];
  put(it, "cn", user.cn);
  put(it, "dn", user.dn);
  it["h323"] = user.h323;
  it["e164"] = e164;
  return it;
}

json::object Calls::party_as(std::string_view type, std::string_view number) const {
  json::object it;
  it["type"] = json::string_view(type.data(), type.size());
  for (const auto& [key, value] : party(number)) it[key] = value;
  return it;
}

// Keeps the last one that was known when there is nobody any more, or only a place to wait.
void Calls::look_at_peer(View& view, const Leg& leg) const {
  const Leg* partner = pbx_.tenant.partner_of(leg);
  if (partner && !is_orbit(*partner)) view.peer = party(partner->number);
}

Calls::View* Calls::view_of(const Leg* leg) {
  const auto it = leg ? views_.find(leg->id) : views_.end();
  return it == views_.end() ? nullptr : &it->second;
}

std::int64_t Calls::state_of(const View& view, const Leg& leg) const {
  std::int64_t state = view.low + (view.incoming ? kIncoming : 0);
  if (leg.held || view.left_held) state += kHeld;
  if (view.waiting && view.low <= kAlert) state += kWaiting;
  if (view.low != kConnected) return state;
  if (const auto* call = pbx_.tenant.find_call(leg.call)) {
    const bool waits = std::any_of(call->legs.begin(), call->legs.end(), [&](engine::LegId id) {
      const Leg* other = pbx_.tenant.find_leg(id);
      return id != leg.id && other && (other->held || is_orbit(*other));
    });
    if (waits) state += kHeldByPeer;
  }
  return state;
}

// What happens.

void Calls::on_change(const Change& change) {
  if (!change.leg) return;
  switch (change.kind) {
    case Change::Kind::leg_added: return added(change);
    case Change::Kind::leg_state: return changed(change);
    case Change::Kind::leg_ended: return ended(change);
    case Change::Kind::joined: return joined(change);
    case Change::Kind::held:
    case Change::Kind::retrieved: return held(change);
    case Change::Kind::dialled: return dialled(change);
    default: return;
  }
}

void Calls::added(const Change& change) {
  const Leg& leg = *change.leg;
  const engine::Call& call = *change.call;
  const bool parks = is_orbit(leg);
  if (leg.extension != kOutside) {
    View& view = views_[leg.id];
    view.user = leg.extension;
    if (parks) {
      view.user = park_at_ != kOutside ? park_at_ : pbx_.users.of_number(call.transferred_by);
      park_at_ = kOutside;
    }
    view.conf = leg.call;
    view.incoming = !leg.outgoing || leg.callback;
    view.waiting = view.incoming && pbx_.tenant.extension(leg.extension).legs.size() > 1;
    view.peer = leg.outgoing ? json::object{{"e164", leg.to}, {"h323", ""}} : party(leg.from);
    look_at_peer(view, leg);
    Words words{view.incoming ? "r-setup" : "x-setup"};
    if (change.manner == Manner::picked_up) {
      words.no.push_back(json::object{{"type", "picking"}});
    } else if (!leg.outgoing) {
      if (!call.diverted_by.empty()) {
        words.no.push_back(party_as("leg2", call.diverted_by.back()));
        words.no.push_back(party_as("leg2orig", call.diverted_by.front()));
      }
      if (change.manner == Manner::transferred) {
        words.no.push_back(party_as("ct", call.transferred_by));
      }
    }
    if (parks) {
      view.low = kParked;
      words = {"update"};
    }
    tell(view, leg, words, change.at);
    if (leg.outgoing && leg.to.empty()) {
      view.low = kSetupAck;
      tell(view, leg, {"r-setup-ack"}, change.at);
    }
  }

  const Leg* other = pbx_.tenant.partner_of(leg);
  View* others = view_of(other);
  if (!others || leg.outgoing) return;
  if (parks) {
    others->parked = true;
    const auto user = views_[leg.id].user;
    json::array no;
    if (user != kOutside) no.push_back(party_as("parked-to", pbx_.users.number(user)));
    if (user != kOutside) others->peer = party(pbx_.users.number(user));
    return tell(*others, *other, {"r-held", std::move(no)}, change.at);
  }
  if (change.manner == Manner::transferred) {
    look_at_peer(*others, *other);
    return tell(*others, *other, {"r-ct", {party_as("ct", call.transferred_by)}}, change.at);
  }
  if (change.manner != Manner::picked_up && !call.diverted_by.empty()) {
    look_at_peer(*others, *other);
    return tell(*others, *other, {"r-facility", {party_as("leg1", call.diverted_by.back())}},
                change.at);
  }
}

void Calls::changed(const Change& change) {
  const Leg& leg = *change.leg;
  View* view = view_of(&leg);
  if (!view) return;
  look_at_peer(*view, leg);
  if (is_orbit(leg)) return;
  // The phone of a call-back has been called itself, and stays connected whatever comes then.
  const bool calls = leg.outgoing && !leg.callback;
  switch (leg.state) {
    case LegState::initial: return;
    case LegState::dialing:
      if (calls) view->low = kCallProc;
      return tell(*view, leg, {"r-call-proc"}, change.at);
    case LegState::ring_back:
      if (calls) view->low = kAlert;
      return tell(*view, leg, {"r-alert"}, change.at);
    case LegState::ringing: view->low = kAlert; return tell(*view, leg, {"x-alert"}, change.at);
    case LegState::up: {
      view->low = kConnected;
      const bool by_peer = calls || (leg.callback && leg.connected);
      return tell(*view, leg, {by_peer ? "r-conn" : "x-conn"}, change.at);
    }
    case LegState::busy:
      view->low = kDisconnectSent;
      return tell(*view, leg, {"r-disc", {}, cause_info(Cause::busy)}, change.at);
  }
}

void Calls::ended(const Change& change) {
  const Leg& leg = *change.leg;
  View* view = view_of(&leg);
  if (!view) return;
  const engine::Call& call = *change.call;
  const auto info = cause_info(change.cause);
  look_at_peer(*view, leg);
  switch (change.manner) {
    case Manner::own:
      if (view->low == kDisconnectSent) break;
      view->low = kDisconnectReceived;
      tell(*view, leg, {"x-rel", {}, info}, change.at);
      break;
    case Manner::parked: {
      const auto user = park_at_ != kOutside ? park_at_ : pbx_.users.of_number(call.transferred_by);
      json::array no;
      if (user != kOutside) no.push_back(party_as("parked-to", pbx_.users.number(user)));
      view->low = kDisconnectSent;
      tell(*view, leg, {"r-rel", std::move(no), info}, change.at);
      break;
    }
    case Manner::transferred:
      for (auto& [id, socket] : pbx_.sockets) {
        const auto it = socket.by_extension.find(view->user);
        if (it == socket.by_extension.end()) continue;
        for (const auto user : it->second) {
          Monitor& monitor = socket.monitors.at(user);
          if (!monitor.follows) continue;
          const Words words{"update", {party_as("xfer", call.transferred_to)}};
          tell(socket, monitor, user, *view, leg, words, change.at, false);
        }
      }
      break;
    case Manner::picked_up:
      if (view->low == kParked) break;
      view->low = kDisconnectSent;
      tell(*view, leg, {"r-rel", {}, cause_info(Cause::elsewhere)}, change.at);
      break;
    case Manner::diverted:
    case Manner::conference: break;
    case Manner::plain: {
      const bool connected = view->low == kConnected;
      const bool called = view->incoming && !connected;
      if (view->low == kDisconnectSent) break;
      view->low = kDisconnectSent;
      if (!called) tell(*view, leg, {"r-disc", {}, info}, change.at);
      if (called || connected) tell(*view, leg, {"r-rel", {}, info}, change.at);
      break;
    }
  }
  Words last{"del"};
  last.del = true;
  tell(*view, leg, last, change.at);
  views_.erase(leg.id);
}

void Calls::joined(const Change& change) {
  const Leg& leg = *change.leg;
  View* view = view_of(&leg);
  if (!view || is_orbit(leg)) return;
  const Leg* partner = pbx_.tenant.partner_of(leg);
  if (!partner || is_orbit(*partner) || change.manner == Manner::conference) return;
  look_at_peer(*view, leg);
  if (change.manner == Manner::transferred) {
    if (pbx_.settings.variants.transfer_conf == Variants::TransferConf::joined) {
      view->conf = leg.call;
    }
    return tell(*view, leg, {"r-ct", {party_as("ct", change.call->transferred_by)}}, change.at);
  }
  const bool parked = std::exchange(view->parked, false);
  tell(*view, leg, {parked ? "r-retrieved" : "update"}, change.at);
}

void Calls::held(const Change& change) {
  View* own = view_of(change.leg);
  if (change.manner == Manner::transferred || change.manner == Manner::parked) {
    if (own) own->left_held = true;
    return;
  }
  const bool on = change.kind == Change::Kind::held;
  if (own) tell(*own, *change.leg, {"update"}, change.at);
  for (const auto id : change.call->legs) {
    const Leg* other = id == change.leg->id ? nullptr : pbx_.tenant.find_leg(id);
    View* view = view_of(other);
    if (!view || view->low != kConnected) continue;
    tell(*view, *other, {on ? "r-held" : "r-retrieved"}, change.at);
  }
}

void Calls::dialled(const Change& change) {
  View* view = view_of(change.leg);
  if (!view) return;
  view->peer["e164"] = change.leg->to;
  tell(*view, *change.leg, {"x-info"}, change.at);
}

void Calls::tell_digits(const Leg& from, std::string_view digits, TimePoint now) {
  const Leg* other = pbx_.tenant.partner_of(from);
  View* view = view_of(other);
  if (!view || is_orbit(*other)) return;
  Words words{"r-info"};
  words.digits = digits;
  tell(*view, *other, words, now);
}

void Calls::tell_user_info(const Leg& from, std::string_view text, TimePoint now) {
  const Leg* other = pbx_.tenant.partner_of(from);
  View* view = view_of(other);
  if (!view || is_orbit(*other)) return;
  json::object info{{"type", "uui"}};
  put(info, "vals", text);
  tell(*view, *other, {"r-user-info", {}, {std::move(info)}}, now);
}

void Calls::tell_running(Socket& socket, std::int64_t user, TimePoint now) {
  Monitor& monitor = socket.monitors.at(user);
  const auto tell_of = [&](ExtensionIndex extension) {
    for (const auto id : pbx_.tenant.extension(extension).legs) {
      const auto view = views_.find(id);
      if (view == views_.end() || view->second.user != monitor.extension) continue;
      const Leg& leg = *pbx_.tenant.find_leg(id);
      tell(socket, monitor, user, view->second, leg, {"update"}, now, false);
    }
  };
  tell_of(monitor.extension);
  for (auto orbit = pbx_.users.size(); orbit < pbx_.tenant.extensions().size(); ++orbit) {
    tell_of(orbit);
  }
}

// Telling it.

void Calls::tell(View& view, const Leg& leg, const Words& words, TimePoint at) {
  const bool first = !std::exchange(view.told, true);
  for (auto& [id, socket] : pbx_.sockets) {
    if (socket.list.calls) stream(socket, view, leg, words, at);
    const auto it = socket.by_extension.find(view.user);
    if (it == socket.by_extension.end()) continue;
    for (const auto user : it->second) {
      tell(socket, socket.monitors.at(user), user, view, leg, words, at, first);
    }
  }
}

void Calls::tell(Socket& socket, Monitor& monitor, std::int64_t user, const View& view,
                 const Leg& leg, const Words& words, TimePoint at, bool first) {
  if (monitor.deaf) return;
  const engine::Faults& faults = pbx_.faults;
  auto [it, is_new] = monitor.calls.try_emplace(leg.id, 0);
  if (is_new) {
    it->second = ++socket.last_call;
    monitor.newest = {leg.id, it->second};
    socket.calls[it->second] = {user, leg.id};
  }
  const std::int64_t call = it->second;
  if (!monitor.twins.empty() && words.msg != "x-alert") {
    end_twin(socket, monitor, user, view, leg, at);
  }
  Millis after{0};
  bool missing = false;
  if (first && faults.new_call == engine::Faults::NewCall::missing) missing = true;
  if (first && faults.new_call == engine::Faults::NewCall::late) after = faults.new_call_delay;
  if (!words.del) after = std::max(after, faults.reorder_hangup);
  if (!missing) {
    outlet_.tell(socket, call_info(monitor, user, call, view, leg, words, at, first), at, after);
  }
  if (faults.two_devices && first && words.msg == "r-setup") {
    monitor.twins[leg.id] = ++socket.last_call;
  }
  if (const auto twin = monitor.twins.find(leg.id); twin != monitor.twins.end()) {
    outlet_.tell(socket, call_info(monitor, user, twin->second, view, leg, words, at, first), at);
  }
  if (!words.del) return;
  socket.calls.erase(call);
  monitor.calls.erase(leg.id);
}

// The user's other device stops ringing.
void Calls::end_twin(Socket& socket, Monitor& monitor, std::int64_t user, const View& view,
                     const Leg& leg, TimePoint at) {
  const auto twin = monitor.twins.find(leg.id);
  if (twin == monitor.twins.end()) return;
  View released = view;
  released.low = kDisconnectSent;
  const Words why{"r-rel", {}, cause_info(Cause::elsewhere)};
  outlet_.tell(socket, call_info(monitor, user, twin->second, released, leg, why, at, false), at);
  Words last{"del"};
  last.del = true;
  outlet_.tell(socket, call_info(monitor, user, twin->second, released, leg, last, at, false), at);
  monitor.twins.erase(twin);
}

json::object Calls::call_info(const Monitor& monitor, std::int64_t user, std::int64_t call,
                              const View& view, const Leg& leg, const Words& words, TimePoint at,
                              bool first) const {
  const engine::Faults& faults = pbx_.faults;
  json::object it = indication("CallInfo", "RCC", monitor.src);
  it["user"] = user;
  it["call"] = call;
  if (!(first && faults.missing_conf)) it["conf"] = pbx_.conf_of(view.conf);
  it["state"] = state_of(view, leg);
  if (pbx_.knows(Profile::v13r3)) {
    const auto span = std::chrono::duration_cast<std::chrono::seconds>(at - leg.created);
    put(it, "time", std::int64_t{span.count()});
  }
  it["peer"] = view.peer;
  put(it, "no", words.no);
  const bool known = words.del || !faults.unknown_messages;
  put(it, "msg", known ? words.msg : std::string_view("y-news"));
  if (pbx_.knows(Profile::v13r2)) put(it, "dtmf", words.digits);
  put(it, "info", words.info);
  put(it, "del", words.del);
  return it;
}

// Here the prefix of `msg` is the phone's: the other way round.
void Calls::stream(Socket& socket, const View& view, const Leg& leg, const Words& words,
                   TimePoint at) {
  if (!pbx_.shows(socket, view.user)) return;
  const User& user = pbx_.users[view.user];
  auto [it, is_new] = socket.stream_calls.try_emplace(leg.id, 0);
  if (is_new) {
    it->second = ++socket.last_stream_call;
    json::object add = indication("CallAdd", "RCC", socket.list.src);
    add["guid"] = user.guid;
    add["cn"] = user.cn;
    add["call"] = it->second;
    add["state"] = state_of(view, leg);
    add["conf-id"] = pbx_.conf_of(view.conf);
    add["call-id"] = pbx_.conf_of(leg.id).substr(0, 16);
    outlet_.tell(socket, add, at);
  }
  const std::int64_t call = it->second;
  if (words.del) {
    socket.stream_calls.erase(it);
    json::object del = indication("CallDel", "RCC", socket.list.src);
    del["call"] = call;
    return outlet_.tell(socket, del, at);
  }
  std::string msg(words.msg);
  if (msg.starts_with("x-")) {
    msg.front() = 'r';
  } else if (msg.starts_with("r-")) {
    msg.front() = 'x';
  }
  json::object update = indication("CallUpdate", "RCC", socket.list.src);
  update["call"] = call;
  update["msg"] = msg;
  update["local"] = short_party(view.peer);
  update["remote"] = short_party(party(pbx_.users.number(view.user)));
  outlet_.tell(socket, update, at);
}

}  // namespace simulator::innovaphone
