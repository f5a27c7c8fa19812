#include "call/telling.h"

#include <algorithm>

namespace call {
namespace {

bool says_nothing(Cause cause) {
  return cause == Cause::unspecified || cause == Cause::normal || cause == Cause::normal_clearing;
}

Connection connection_of(const Leg& leg, unsigned number) {
  Connection connection;
  connection.number = number;
  connection.leg = leg.id;
  connection.party = leg.party;
  connection.role = leg.role;
  return connection;
}

}  // namespace

Reason reason_of(const Leg& leg) noexcept {
  Reason reason{leg.cause, &leg.vendor_cause};
  if (reason.cause == Cause::unspecified && leg.vendor_cause.q850) {
    reason.cause = cause_of_q850(*leg.vendor_cause.q850);
  }
  return reason;
}

void Tracker::Telling::note(const CallView& view) {
  const auto changed = [this] {
    information_ = true;
    subject_ = 0;
  };
  if (view.key != call_.key) {
    tracker_.index_.set_key(entry_, view.key);
    changed();
  }
  // A PBX that no longer tells the number does not unsay it.
  if (!view.dialled.empty() && view.dialled != call_.dialled) {
    call_.dialled = view.dialled;
    changed();
  }
  if (view.data != call_.data) {
    call_.data = view.data;
    changed();
  }
  if (const Direction direction = direction_of(call_.direction, view.legs);
      direction != call_.direction) {
    call_.direction = direction;
    changed();
  }
}

void Tracker::Telling::note(Connection& connection, const Leg& leg) {
  const bool offered_again = connection.state == ConnectionState::alerting &&
                             leg.state == ConnectionState::alerting && leg.offered &&
                             !connection.offered;
  if (connection.leg == leg.id && connection.party == leg.party && connection.role == leg.role &&
      !offered_again) {
    return;
  }
  tracker_.index_.remove(entry_, connection);
  const DeviceId before = connection.party.device;
  connection.leg = leg.id;
  connection.party = leg.party;
  connection.role = leg.role;
  if (offered_again) connection.offered = true;
  tracker_.index_.add(entry_, connection);
  tracker_.allow_at(tracker_.index_.desk(before));
  settle(connection);
  subject_ = information_ && subject_ != connection.number ? 0 : connection.number;
  information_ = true;
}

void Tracker::Telling::tell_information() {
  if (!information_ || told_) return;
  tell(CallEventType::call_information, subject_.value_or(0), {});
}

void Tracker::Telling::enter(const Leg& leg) {
  const Connection* connection = add(leg);
  if (connection == nullptr) return;
  walk(connection->number, difference(leg.role, {}, aspects_of(leg)), reason_of(leg));
}

void Tracker::Telling::change(unsigned number, const Leg& leg) {
  const Connection* connection = find_connection(call_, number);
  const Aspects told = aspects_of(*connection), now = aspects_of(leg, told);
  if (told == now) return;
  walk(number, difference(leg.role, told, now, {talked(number), false}), reason_of(leg));
}

void Tracker::Telling::end(unsigned number, const Leg& leg, const std::optional<Party>& other) {
  const Reason reason = reason_of(leg);
  if (is_diversion(reason.cause)) {
    tell(CallEventType::diverted, number, reason).other = other;
  } else if (is_transfer(reason.cause)) {
    tell(CallEventType::transferred, number, reason).other = other;
  }
  clear(number, reason);
}

void Tracker::Telling::clear(unsigned number, const Reason& reason) {
  const Connection& connection = *find_connection(call_, number);
  const bool failing =
      is_failure(reason.cause) &&
      (!talked(number) || (connection.role == Role::calling && !others_talked(number)));
  walk(number, difference(connection.role, aspects_of(connection), {}, {false, failing}), reason);
}

void Tracker::Telling::join(const std::vector<const Leg*>& moved, CallEventType type,
                            unsigned subject, const std::optional<Party>& other) {
  std::vector<std::pair<unsigned, const Leg*>> held;
  for (const Leg* leg : moved) {
    Connection* connection = add(*leg);
    if (connection == nullptr) break;
    Aspects aspects = aspects_of(*leg);
    if (aspects.state == ConnectionState::hold) {
      aspects.state = ConnectionState::connected;
      held.emplace_back(connection->number, leg);
    }
    connection->state = aspects.state;
    connection->offered = aspects.offered;
    connection->recording = aspects.recording;
    const Cause cause = reason_of(*leg).cause;
    connection->cause = cause != Cause::unspecified ? cause : default_cause(type);
    connection->since = scribe_.now();
    if (has_talked(leg->role, aspects.state)) entry_.talked.push_back(connection->number);
    settle(*connection);
    if (subject == 0) subject = connection->number;
  }
  if (subject == 0) return;
  tell(type, subject, {}).other = other;
  for (const auto& [number, leg] : held) change(number, *leg);
}

bool Tracker::Telling::close_if_empty() {
  if (!call_.connections.empty()) return false;
  call_.connections.push_back(std::move(last_));
  tell(CallEventType::call_cleared, 0, last_reason_);
  call_.connections.clear();
  const CallId id = call_.id;
  tracker_.index_.close(entry_);
  tracker_.book_.calls.erase(id);
  return true;
}

void Tracker::Telling::end_all(const Reason& reason) {
  while (!call_.connections.empty()) clear(call_.connections.front().number, reason);
  close_if_empty();
}

void Tracker::Telling::walk(unsigned number, const Steps& steps, const Reason& reason) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    Connection& connection = *find_connection(call_, number);
    const bool entered = step.after.state != connection.state;
    // What the PBX said explains where it arrived, not what lay on the way.
    const bool explained = entered ? !step.inferred || step.type == CallEventType::failed
                                   : step.type == CallEventType::delivered;
    const Reason why = explained ? reason : Reason{};
    connection.state = step.after.state;
    connection.offered = step.after.offered;
    connection.recording = step.after.recording;
    if (entered) {
      connection.since = scribe_.now();
      connection.cause = cause_of(step.type, why);
      if (connection.state == ConnectionState::connected && !talked(number)) {
        entry_.talked.push_back(number);
      }
    }
    settle(connection);
    tell(step.type, number, why).inferred = step.inferred;
    if (connection.state != ConnectionState::null) continue;

    if (talked(number)) {
      std::erase(entry_.talked, number);
      entry_.ended_talked = true;
    }
    tracker_.index_.remove(entry_, connection);
    last_ = std::move(connection);
    call_.connections.erase(call_.connections.begin() + (&connection - call_.connections.data()));
    if (!says_nothing(why.cause) || says_nothing(last_reason_.cause)) last_reason_ = why;
    if (i + 1 == steps.size()) return;

    // The same leg goes on as another connection.
    Leg leg;
    leg.id = last_.leg;
    leg.party = last_.party;
    leg.role = last_.role;
    number = add(leg)->number;
  }
}

CallEvent& Tracker::Telling::tell(CallEventType type, unsigned connection, const Reason& reason) {
  told_ = true;
  CallEvent& event = scribe_.call(type, call_);
  event.connection = connection;
  event.cause = cause_of(type, reason);
  if (reason.vendor != nullptr) event.vendor_cause = *reason.vendor;
  if (is_unexplained_end(type, reason) && event.vendor_cause.text.empty()) {
    event.vendor_cause.text = "resync";
  }
  return event;
}

// It ended while we were away, and nobody knows how.
bool Tracker::Telling::is_unexplained_end(CallEventType type, const Reason& reason) const {
  return scribe_.origin() == Origin::resync && reason.cause == Cause::unspecified &&
         (type == CallEventType::connection_cleared || type == CallEventType::call_cleared);
}

Cause Tracker::Telling::cause_of(CallEventType type, const Reason& reason) const {
  if (reason.cause != Cause::unspecified) return reason.cause;
  return is_unexplained_end(type, reason) ? Cause::normal : default_cause(type);
}

// nullptr if the call is full.
Connection* Tracker::Telling::add(const Leg& leg) {
  if (call_.connections.size() >= kConnectionsMax) return nullptr;
  Connection& connection =
      call_.connections.emplace_back(connection_of(leg, ++call_.connections_made));
  connection.since = scribe_.now();
  tracker_.index_.add(entry_, connection);
  return &connection;
}

// What can be asked for changes with the connection, and on the device's others too.
void Tracker::Telling::settle(Connection& connection) {
  const Desk* desk = tracker_.index_.desk(connection);
  if (desk != nullptr && desk->places.size() > 1) {
    tracker_.allow_at(desk);
  } else {
    connection.allowed = tracker_.allowed(call_.id, connection, desk);
  }
}

bool Tracker::Telling::talked(unsigned number) const {
  return std::find(entry_.talked.begin(), entry_.talked.end(), number) != entry_.talked.end();
}

bool Tracker::Telling::others_talked(unsigned number) const {
  return entry_.ended_talked || std::any_of(entry_.talked.begin(), entry_.talked.end(),
                                            [number](unsigned it) { return it != number; });
}

}  // namespace call
