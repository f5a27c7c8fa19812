#include "simulator/innovaphone/rcc.h"

#include <algorithm>
#include <utility>

namespace simulator::innovaphone {

using engine::Change;
using engine::ExtensionIndex;
using engine::kOutside;
using engine::LegState;
using engine::Millis;
using engine::TimePoint;

namespace {

constexpr Millis kTick{20};
constexpr std::uint64_t kIdle = 1;             // a lamp: registered, no calls
constexpr std::size_t kMonitorsMax = 200'000;  // of a socket; UserInitialize fails beyond

}  // namespace

void Rcc::on_change(const Change& change) {
  if (change.extension >= pbx_.users.size()) return;
  dirty_.try_emplace(change.extension, change.at);
}

TimePoint Rcc::deadline() const {
  TimePoint due = TimePoint::max();
  for (const auto& [user, since] : dirty_) due = std::min(due, since);
  for (const auto& [id, socket] : pbx_.sockets) {
    if (socket.list.running) due = std::min(due, socket.list.due);
  }
  return due;
}

void Rcc::advance(TimePoint now) {
  for (const auto& [user, since] : std::exchange(dirty_, {})) {
    const auto lamp = lamp_of(user);
    auto& shown = lamps_.try_emplace(user, kIdle).first->second;
    if (std::exchange(shown, lamp) == lamp) continue;
    for (const auto& [id, socket] : pbx_.sockets) {
      const Socket::List& list = socket.list;
      const bool told = list.asked && (!list.running || user < list.next);
      if (!told || !pbx_.shows(socket, user, list.group)) continue;
      outlet_.tell(socket, user_info(socket, user, true), since);
    }
  }
  for (auto& [id, socket] : pbx_.sockets) {
    while (socket.list.running && socket.list.due <= now) continue_list(socket, socket.list.due);
  }
}

void Rcc::look_again() {
  for (auto& [user, lamp] : lamps_) lamp = lamp_of(user);
}

// The users, and then the result.

void Rcc::initialize(Socket& socket, const Message& request, TimePoint now) {
  Socket::List& list = socket.list;
  list = {};
  list.asked = list.running = true;
  list.group = flag_at(request.body, "grp");
  list.calls = flag_at(request.body, "calls") && socket.confined == kOutside;
  list.src = request.src;
  const auto most = static_cast<std::int64_t>(pbx_.settings.list_size);
  const auto limit = number_at(request.body, "limit", most);
  list.per_tick = limit > 0 ? std::min(limit, most) : most;
  list.due = now;
  continue_list(socket, now);
}

void Rcc::continue_list(Socket& socket, TimePoint now) {
  Socket::List& list = socket.list;
  const ExtensionIndex real = pbx_.users.size();
  const ExtensionIndex end = std::max(real, ExtensionIndex{pbx_.faults.init_extensions});
  for (std::int64_t sent = 0; list.next < end && sent < list.per_tick; ++list.next) {
    if (list.next < real && !pbx_.shows(socket, list.next, list.group)) continue;
    outlet_.tell(socket, user_info(socket, list.next, false), now);
    ++sent;
  }
  list.due = now + kTick;
  if (list.next < end) return;
  list.running = false;
  if (pbx_.faults.no_welcome) return;
  outlet_.tell(socket, indication("InitializeResult", "RCC", list.src), now);
}

// Of users beyond the last one nothing is true but their names: filling, for those who asked.
json::object Rcc::user_info(const Socket& socket, ExtensionIndex index, bool update) const {
  json::object it = indication("UserInfo", "RCC", socket.list.src);
  if (update) it["update"] = pbx_.faults.unknown_updates ? "y-news" : "update";
  if (index >= pbx_.users.size()) {
    const auto number = std::to_string(9'000'000 + std::uint64_t{index});
    it["guid"] = pbx_.conf_of(index);
    it["cn"] = "Filling " + number;
    it["h323"] = "filling" + number;
    it["e164"] = number;
    it["pbx"] = pbx_.settings.pbxs[socket.pbx].name;
    return it;
  }
  const User& user = pbx_.users[index];
  const auto& extension = pbx_.tenant.extension(index);
  it["guid"] = user.guid;
  it["cn"] = user.cn;
  put(it, "dn", user.dn);
  it["h323"] = user.h323;
  it["e164"] = extension.number;
  it["node"] = "root";
  it["pbx"] = pbx_.settings.pbxs[user.pbx].name;
  if (extension.registered) it["regs"] = json::array{json::object{{"hw", user.hw}}};
  put(it, "channel", static_cast<std::int64_t>(extension.legs.size()));
  put(it, "alert", ringing_at(index));
  return it;
}

std::int64_t Rcc::ringing_at(ExtensionIndex user) const {
  const auto& legs = pbx_.tenant.extension(user).legs;
  return std::count_if(legs.begin(), legs.end(), [&](engine::LegId leg) {
    return pbx_.tenant.find_leg(leg)->state == LegState::ringing;
  });
}

std::uint64_t Rcc::lamp_of(ExtensionIndex user) const {
  const auto& extension = pbx_.tenant.extension(user);
  return (extension.registered ? kIdle : 0) | extension.legs.size() << 1 |
         static_cast<std::uint64_t>(ringing_at(user)) << 32;
}

// Handles of users.

void Rcc::initialize_user(Socket& socket, const Message& request, TimePoint now) {
  const auto index = pbx_.users.of_cn(text_at(request.body, "cn"));
  json::object result = result_of(request);
  const bool here = index != kOutside && pbx_.users[index].pbx == socket.pbx;
  if (!here || !pbx_.shows(socket, index) || socket.monitors.size() >= kMonitorsMax) {
    return outlet_.answer(socket, result, now);
  }
  const std::int64_t handle = ++socket.last_user;
  Monitor& monitor = socket.monitors[handle];
  monitor.extension = index;
  monitor.src = request.src;
  monitor.follows = flag_at(request.body, "xfer");
  const auto hw = text_at(request.body, "hw");
  monitor.deaf = !hw.empty() && hw != pbx_.users[index].hw;
  socket.by_extension[index].push_back(handle);

  const Settings& settings = pbx_.settings;
  result["user"] = handle;
  put(result, "prefixIntl", "00");
  put(result, "prefixNtl", "0");
  put(result, "area", settings.area);
  put(result, "country", settings.country);
  if (pbx_.knows(Profile::v13r3)) {
    result["maxIntern"] = static_cast<std::int64_t>(pbx_.users.number(index).size());
  }
  outlet_.answer(socket, result, now);
  if (settings.variants.running_calls) calls_.tell_running(socket, handle, now);
}

void Rcc::end_user(Socket& socket, const Message& request, TimePoint now) {
  const auto handle = number_at(request.body, "user");
  if (const auto it = socket.monitors.find(handle); it != socket.monitors.end()) {
    for (const auto& [leg, call] : it->second.calls) socket.calls.erase(call);
    const auto of = socket.by_extension.find(it->second.extension);
    std::erase(of->second, handle);
    if (of->second.empty()) socket.by_extension.erase(of);
    socket.monitors.erase(it);
  }
  outlet_.answer(socket, result_of(request), now);
}

void Rcc::list_devices(Socket& socket, const Message& request, TimePoint now) {
  json::object result = result_of(request);
  const auto index = pbx_.users.of_cn(text_at(request.body, "cn"));
  if (index != kOutside && pbx_.shows(socket, index)) {
    result["devices"] =
        json::array{json::object{{"hw", pbx_.users[index].hw}, {"text", "IP phone"}}};
  }
  outlet_.answer(socket, result, now);
}

// What can be done with calls.

// One row per operation. `perform` may add to the result.
struct Rcc::Operation {
  struct At {
    Pbx& pbx;
    Calls& calls;
    Socket& socket;
    const Message& request;
    json::object& result;
    TimePoint now;

    std::int64_t number(std::string_view key) const { return number_at(request.body, key); }
    std::string text(std::string_view key) const { return text_at(request.body, key); }
    // The leg of a handle, null if there is none (any more).
    const engine::Leg* leg(std::string_view key = "call") const {
      const auto it = socket.calls.find(number(key));
      return it == socket.calls.end() ? nullptr : pbx.tenant.find_leg(it->second.second);
    }
    const std::string& own(const engine::Leg& leg) const { return leg.number; }
    // The one of `user`, or else of `call`'s; null if there is none.
    const Monitor* monitor() const {
      if (number("user") != 0) return socket.monitor(number("user"));
      const auto it = socket.calls.find(number("call"));
      return it == socket.calls.end() ? nullptr : socket.monitor(it->second.first);
    }
    // Whom that stands for; kOutside if for nobody.
    ExtensionIndex user() const {
      const Monitor* it = monitor();
      return it ? it->extension : kOutside;
    }
    // The number that e164, h323 or cn names; empty if it names nobody.
    std::string destination() const {
      if (auto e164 = text("e164"); !e164.empty()) return e164;
      const auto h323 = text("h323");
      const auto index = h323.empty() ? pbx.users.of_cn(text("cn")) : pbx.users.of_h323(h323);
      return index == kOutside ? std::string() : pbx.users.number(index);
    }
    engine::Plan plan(const std::string& to, bool direct) const {
      engine::Plan plan = pbx.tenant.plan_for(to);
      plan.direct = direct;
      return plan;
    }
    // The result's `call`: the handle that a new leg of `whose` has got. It may have gone already.
    void put_call(const Monitor& whose, engine::LegId leg) const {
      if (whose.newest.first == leg) put(result, "call", whose.newest.second);
    }
  };
  std::string_view name;
  void (*perform)(const At& at);
};

namespace {

using At = Rcc::Operation::At;

void call(const At& at) {
  const auto user = at.user();
  const auto to = at.destination();
  if (user == kOutside) return;
  const auto own = at.pbx.users.number(user);
  auto& counters = at.pbx.counters;
  ++counters.originates;
  auto& last = counters.last_originations;
  if (last.size() == engine::Counters::kLastOriginationsMax) last.erase(last.begin());
  last.push_back({own, to, {}});
  const auto plan = at.plan(to, flag_at(at.request.body, "ftyNoCF"));
  const bool phone_first = at.pbx.settings.variants.own_phone_first;
  const auto leg = to.empty()    ? at.pbx.tenant.seize(own, at.now)
                   : phone_first ? at.pbx.tenant.call_back(own, to, plan, at.now)
                                 : at.pbx.tenant.originate(own, to, plan, at.now);
  if (leg) at.put_call(*at.monitor(), *leg);
}

void clear(const At& at) {
  const auto* leg = at.leg();
  if (!leg) return;
  const auto cause = at.number("cause");
  const bool given = cause > 0 && cause < 128;
  const auto why = given ? std::optional(static_cast<engine::Cause>(cause)) : std::nullopt;
  (void)at.pbx.tenant.hang_up(std::string(leg->number), at.now, leg->id, why);
}

void transfer(const At& at) {
  const auto* a = at.leg("a");
  const auto* b = at.leg("b");
  if (!a || !b || a == b || a->extension != b->extension) return;
  (void)at.pbx.tenant.attended_transfer(std::string(a->number), at.now);
}

void send_on(const At& at, bool direct) {
  const auto* leg = at.leg();
  const auto to = at.destination();
  base::Error error = base::Errc::call_not_found;
  if (leg && to.empty()) error = base::Errc::invalid_argument;
  if (leg && !to.empty()) {
    const std::string own = leg->number;
    const auto plan = at.plan(to, direct);
    error = leg->state == LegState::ringing
                ? at.pbx.tenant.deflect(own, to, plan, at.now, leg->id)
                : at.pbx.tenant.transfer(own, to, plan, at.now, leg->id);
  }
  if (error) at.result["error"] = base::name_of(error);
}

// What rings at `where`, or without one anywhere.
bool pick_up(const At& at, const std::string& own, const std::string& where) {
  auto& tenant = at.pbx.tenant;
  if (!where.empty()) return !tenant.pick_up(own, where, at.now);
  for (const auto& each : tenant.extensions()) {
    if (each.orbit || each.number == own) continue;
    if (!tenant.pick_up(own, std::string(each.number), at.now)) return true;
  }
  return false;
}

void pickup(const At& at) {
  const Monitor* monitor = at.monitor();
  if (!monitor) return;
  const auto own = at.pbx.users.number(monitor->extension);
  std::string where;
  if (at.number("call") != 0) {
    const auto* leg = at.leg();
    if (!leg) return;
    where = leg->number;
  } else if (const auto cn = at.text("cn"); !cn.empty()) {
    const auto index = at.pbx.users.of_cn(cn);
    if (index == kOutside) return;
    where = at.pbx.users.number(index);
  }
  if (!pick_up(at, own, where)) return;
  at.put_call(*monitor, at.pbx.tenant.extension(monitor->extension).legs.back());
}

void park(const At& at) {
  const auto* leg = at.leg();
  if (!leg) return;
  auto& tenant = at.pbx.tenant;
  const auto position = number_at(at.request.body, "position", -1);
  std::string orbit;
  for (std::size_t i = 0; i < at.pbx.settings.park_positions && orbit.empty(); ++i) {
    if (position >= 0 && static_cast<std::size_t>(position) != i) continue;
    const auto index = tenant.find_extension(park_orbit(i));
    if (index != kOutside && tenant.extension(index).legs.empty()) orbit = park_orbit(i);
  }
  auto where = leg->extension;
  if (const auto cn = at.text("cn"); !cn.empty()) where = at.pbx.users.of_cn(cn);
  if (orbit.empty() || where == kOutside) return;
  const auto handle = at.socket.calls.at(at.number("call"));
  at.calls.park_at(where);
  const base::Error error = tenant.transfer(std::string(leg->number), orbit, {}, at.now, leg->id);
  at.calls.park_at(kOutside);
  if (error) return;
  const auto parked = tenant.extension(tenant.find_extension(orbit)).legs.front();
  const Monitor* monitor = at.socket.monitor(handle.first);
  const auto it = monitor->calls.find(parked);
  if (it != monitor->calls.end()) put(at.result, "call", it->second);
}

void send_digits(const At& at) {
  const auto* leg = at.leg();
  const auto digits = at.text("dtmf");
  if (!leg || digits.empty() || flag_at(at.request.body, "recv")) return;
  at.calls.tell_digits(*leg, digits, at.now);
}

void send_user_info(const At& at) {
  const auto* leg = at.leg();
  if (!leg || flag_at(at.request.body, "recv")) return;
  at.calls.tell_user_info(*leg, at.text("uui"), at.now);
}

void control_phone(const At& at) {
  const auto* leg = at.leg();
  if (!leg) return;
  const std::string own = leg->number;
  switch (at.number("rc")) {
    case 8: return (void)at.pbx.tenant.record(own, true, at.now, leg->id);
    case 9: return (void)at.pbx.tenant.record(own, false, at.now, leg->id);
    case 10: return (void)at.pbx.tenant.conference(own, at.now);
    default: return;
  }
}

void nothing(const At&) {}

constexpr Rcc::Operation kOperations[] = {
    {"UserCall", call},
    {"UserConnect",
     [](const At& at) {
       const auto* leg = at.leg();
       if (leg) (void)at.pbx.tenant.answer(std::string(leg->number), at.now, leg->id);
     }},
    {"UserClear", clear},
    {"UserHold",
     [](const At& at) {
       const auto* leg = at.leg();
       if (leg) (void)at.pbx.tenant.hold(std::string(leg->number), at.now, leg->id);
     }},
    {"UserRetrieve",
     [](const At& at) {
       const auto* leg = at.leg();
       if (leg) (void)at.pbx.tenant.retrieve(std::string(leg->number), at.now, leg->id);
     }},
    {"UserTransfer", transfer},
    {"UserRedirect", [](const At& at) { send_on(at, true); }},
    {"UserReroute", [](const At& at) { send_on(at, false); }},
    {"UserMediaTransfer", nothing},
    {"UserPickup", pickup},
    {"UserPark", park},
    {"UserDTMF", send_digits},
    {"UserUUI", send_user_info},
    {"UserInfo",
     [](const At& at) {
       const auto* leg = at.leg();
       if (!leg) return;
       (void)at.pbx.tenant.dial(std::string(leg->number), at.text("cdpn"), at.now, leg->id);
     }},
    {"UserRc", control_phone},
    {"UserCtComplete", nothing},
    {"UserCtrlCall", nothing},
};

}  // namespace

bool Rcc::answer(Socket& socket, const Message& request, TimePoint now) {
  if (request.mt == "Initialize") return initialize(socket, request, now), true;
  if (request.mt == "UserInitialize") return initialize_user(socket, request, now), true;
  if (request.mt == "UserEnd") return end_user(socket, request, now), true;
  if (request.mt == "Devices") return list_devices(socket, request, now), true;
  for (const Operation& each : kOperations) {
    if (each.name != request.mt) continue;
    if (pbx_.faults.actions == engine::Faults::Actions::ignore) return true;
    json::object result = result_of(request);
    if (pbx_.faults.actions == engine::Faults::Actions::error) {
      result["error"] = "refused";
    } else {
      each.perform({pbx_, calls_, socket, request, result, now});
    }
    outlet_.answer(socket, result, now);
    return true;
  }
  return false;
}

}  // namespace simulator::innovaphone
