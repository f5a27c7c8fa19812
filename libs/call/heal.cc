#include <iterator>
#include <set>

#include "call/difference.h"
#include "call/scribe.h"
#include "call/tracker.h"

namespace call {
namespace {

// Whether consumers would notice. What is allowed changes without events.
bool differ(Connection told, const Connection& now) {
  told.allowed = now.allowed;
  return told != now;
}

// Takes one call from what consumers believe to what is true. `allow` says what can be asked for on
// a connection.
template <class Allow>
class Healing {
 public:
  Healing(Call told, Scribe& scribe, Allow allow)
      : call_(std::move(told)), scribe_(scribe), allow_(std::move(allow)) {}

  // The call is over, and nobody knows how.
  void end() {
    Connection last;
    while (!call_.connections.empty()) last = clear(0);
    call_.connections.push_back(std::move(last));
    mark(tell(CallEventType::call_cleared, 0, Cause::normal));
  }

  void lead_to(const Call& now) {
    // What makes no events by itself comes first, so that the others carry it.
    note(now);
    for (Connection& told : call_.connections) {
      if (const Connection* it = find_connection(now, told.number)) note(told, *it);
    }
    for (std::size_t i = 0; i < call_.connections.size();) {
      if (find_connection(now, call_.connections[i].number) == nullptr) {
        clear(i);
      } else {
        ++i;
      }
    }
    for (const Connection& it : now.connections) {
      const Connection* told = find_connection(call_, it.number);
      if (told == nullptr) {
        Connection& fresh = call_.connections.emplace_back(it);
        fresh.state = ConnectionState::null;
        fresh.offered = fresh.recording = false;
        walk(it, difference(it.role, {}, aspects_of(it)));
      } else {
        walk(it, steps(*told, it));
      }
    }
    if (untold_) tell(CallEventType::call_information, 0, Cause::normal);
  }

 private:
  static Steps steps(const Connection& told, const Connection& now) {
    return difference(now.role, aspects_of(told), aspects_of(now),
                      {has_talked(now.role, told.state), false}, Detour::same_connection);
  }

  void note(const Call& now) {
    const auto set = [this](auto& told, const auto& value) {
      if (told == value) return;
      told = value;
      untold_ = true;
    };
    set(call_.key, now.key);
    set(call_.direction, now.direction);
    set(call_.dialled, now.dialled);
    set(call_.data, now.data);
    set(call_.created, now.created);
    set(call_.connections_made, now.connections_made);
  }

  void note(Connection& told, const Connection& now) {
    if (!differ(told, now)) return;
    untold_ = true;
    if (steps(told, now).empty()) {
      told = now;
      return;
    }
    told.leg = now.leg;
    told.party = now.party;
    told.role = now.role;
  }

  void walk(const Connection& now, const Steps& steps) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const Step& step = steps[i];
      Connection& told = *find_connection(call_, now.number);
      const bool entered = told.state != step.after.state;
      const bool arrived = entered && step.after.state == now.state;
      const Cause cause = arrived ? now.cause : default_cause(step.type);
      told.state = step.after.state;
      told.offered = step.after.offered;
      told.recording = step.after.recording;
      if (entered) {
        told.cause = cause;
        told.since = scribe_.now();
      }
      told.allowed = allow_(told);
      if (i + 1 == steps.size()) told = now;
      tell(step.type, now.number, cause).inferred = step.inferred;
    }
  }

  Connection clear(std::size_t at) {
    Connection& connection = call_.connections[at];
    connection.state = ConnectionState::null;
    connection.offered = connection.recording = false;
    connection.cause = Cause::normal;
    connection.since = scribe_.now();
    connection.allowed = {};
    mark(tell(CallEventType::connection_cleared, connection.number, Cause::normal));
    Connection cleared = std::move(connection);
    call_.connections.erase(call_.connections.begin() + static_cast<std::ptrdiff_t>(at));
    return cleared;
  }

  CallEvent& tell(CallEventType type, unsigned connection, Cause cause) {
    untold_ = false;
    CallEvent& event = scribe_.call(type, call_);
    event.connection = connection;
    event.cause = cause;
    return event;
  }
  static void mark(CallEvent& event) { event.vendor_cause.text = "resync"; }

  Call call_;
  Scribe& scribe_;
  Allow allow_;
  bool untold_ = false;
};

template <class Map>
std::set<typename Map::key_type> ids_of(const Map& one, const Map& other) {
  std::set<typename Map::key_type> ids;
  for (const auto& [id, value] : one) ids.insert(id);
  for (const auto& [id, value] : other) ids.insert(id);
  return ids;
}

}  // namespace

std::vector<Event> Tracker::heal(const Book& published, StreamGap gap, const Context& context) {
  Scribe scribe(book_, context, Origin::resync);
  scribe.gap(std::move(gap));

  for (const CallId& id : ids_of(published.calls, book_.calls)) {
    const auto told = published.calls.find(id);
    const auto now = book_.calls.find(id);
    Call start;
    if (told != published.calls.end()) {
      start = told->second;
    } else {
      start = now->second;
      start.connections.clear();
    }
    Healing healing(std::move(start), scribe,
                    [&](const Connection& connection) { return allowed(id, connection); });
    if (now == book_.calls.end()) {
      healing.end();
    } else {
      healing.lead_to(now->second);
    }
  }

  for (const DeviceId& id : ids_of(published.devices, book_.devices)) {
    const auto told = published.devices.find(id);
    const auto now = book_.devices.find(id);
    if (now == book_.devices.end()) {
      scribe.device(DeviceEventType::removed, told->second);
    } else if (told == published.devices.end()) {
      scribe.device(DeviceEventType::added, now->second);
    } else {
      for (DeviceEventType type : difference(told->second, now->second)) {
        scribe.device(type, now->second);
      }
    }
  }
  return scribe.take();
}

}  // namespace call
