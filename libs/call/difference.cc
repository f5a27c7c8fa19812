#include "call/difference.h"

namespace call {
namespace {

using enum ConnectionState;

CallEventType entering(Role role, ConnectionState from, const Aspects& to, bool talked) {
  switch (to.state) {
    case null: return CallEventType::connection_cleared;
    case initiated: return CallEventType::service_initiated;
    case alerting: return to.offered ? CallEventType::offered : CallEventType::delivered;
    case connected:
      if (from == hold) return CallEventType::retrieved;
      return role == Role::calling && !talked ? CallEventType::originated
                                              : CallEventType::established;
    case hold: return CallEventType::held;
    case queued: return CallEventType::queued;
    case fail: return CallEventType::failed;
  }
  return CallEventType::call_information;
}

// The states to enter, `to` the last.
using Route = boost::container::static_vector<ConnectionState, 4>;

Route route_of(Role role, ConnectionState from, ConnectionState to, Detour detour) {
  const auto states = path(role, from, to);
  if (detour == Detour::new_connection || states.size() < 2 || states.front() != null) {
    return {states.begin(), states.end()};
  }
  const auto rest = path(role, queued, to);
  Route route{queued};
  route.insert(route.end(), rest.begin(), rest.end());
  return route;
}

}  // namespace

Aspects aspects_of(const Leg& leg, const Aspects& known) noexcept {
  return {leg.state, leg.offered && leg.state == alerting,
          leg.recording.value_or(known.recording) && leg.state != null};
}

Aspects aspects_of(const Connection& connection) noexcept {
  return {connection.state, connection.offered, connection.recording};
}

Steps difference(Role role, const Aspects& told, const Aspects& now, Past past, Detour detour) {
  Steps steps;
  Aspects at = told;
  if (past.failing && now.state == null && at.state != null && at.state != fail) {
    at = {fail, false, at.recording};
    steps.push_back({CallEventType::failed, at, true});
  }
  if (at.state != now.state) {
    const Route route = route_of(role, at.state, now.state, detour);
    for (std::size_t i = 0; i < route.size(); ++i) {
      const bool last = i + 1 == route.size();
      const Aspects next{route[i], last && now.offered, route[i] != null && at.recording};
      steps.push_back({entering(role, at.state, next, past.talked), next, !last});
      if (next.state == connected) past.talked = true;
      if (next.state == null) past.talked = false;
      at = next;
    }
  } else if (at.offered && !now.offered) {
    at.offered = false;
    steps.push_back({CallEventType::delivered, at, false});
  }
  if (at.recording != now.recording) {
    at.recording = now.recording;
    steps.push_back(
        {now.recording ? CallEventType::recording_started : CallEventType::recording_stopped, at,
         false});
  }
  return steps;
}

bool has_talked(Role role, ConnectionState state) noexcept {
  return state == connected || state == hold || (role == Role::calling && state == queued);
}

}  // namespace call
