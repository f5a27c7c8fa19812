#include "call/fold.h"

#include <algorithm>
#include <charconv>

#include "base/overloaded.h"

namespace call {
namespace {

bool may_appear(const CallEvent& event) {
  return event.type == CallEventType::transferred || event.type == CallEventType::conferenced;
}

// The state that the event puts its connection in; nothing if it leaves it as it is.
std::optional<ConnectionState> entered_by(CallEventType type) {
  switch (type) {
    case CallEventType::service_initiated: return ConnectionState::initiated;
    case CallEventType::offered:
    case CallEventType::delivered: return ConnectionState::alerting;
    case CallEventType::originated:
    case CallEventType::established:
    case CallEventType::retrieved: return ConnectionState::connected;
    case CallEventType::held: return ConnectionState::hold;
    case CallEventType::queued: return ConnectionState::queued;
    case CallEventType::failed: return ConnectionState::fail;
    case CallEventType::connection_cleared: return ConnectionState::null;
    default: return std::nullopt;
  }
}

// The n of "c<epoch>-<n>"; 0 if it is of another epoch.
std::uint64_t count_of(const CallId& id, std::uint64_t epoch) {
  const std::string prefix = "c" + std::to_string(epoch) + "-";
  if (id.str().compare(0, prefix.size(), prefix) != 0) return 0;
  std::uint64_t count = 0;
  std::from_chars(id.str().data() + prefix.size(), id.str().data() + id.str().size(), count);
  return count;
}

std::string describe(const CallEvent& event) {
  return std::string(name_of(event.type)) + " of " + connection_id(event.call.id, event.connection);
}

}  // namespace

Fold::Fold(Book checkpoint) : book_(std::move(checkpoint)), begun_(true), complete_(true) {}

std::vector<std::string> Fold::apply(const Event& event) {
  Violations violations;
  if (begun_ && event.epoch < book_.epoch) {
    violations.push_back("epoch " + std::to_string(event.epoch) +
                         " is over: " + std::to_string(book_.epoch) + " has begun");
    return violations;
  }
  if (begun_ && event.epoch == book_.epoch && event.sequence <= book_.sequence) return violations;
  follow(event, violations);
  std::visit([&](const auto& body) { fold(body, violations); }, event.body);
  return violations;
}

// Nothing is missing before it, or a gap says so.
void Fold::follow(const Event& event, Violations& violations) {
  if (!begun_) {
    begun_ = true;
    complete_ = event.sequence == 1;
  } else {
    const bool same = event.epoch == book_.epoch;
    std::uint64_t expected = same ? book_.sequence + 1 : 1;
    if (const auto* gap = std::get_if<StreamGap>(&event.body)) {
      if (gap->last_sequence < gap->first_sequence) {
        violations.push_back("a gap that ends before it begins");
      } else if (gap->first_sequence <= expected && gap->last_sequence >= expected) {
        expected = gap->last_sequence + 1;
      }
    }
    if (event.sequence != expected) {
      violations.push_back("sequence " + std::to_string(event.sequence) + " instead of " +
                           std::to_string(expected));
    }
    if (!same) book_.calls_made = 0;
  }
  book_.epoch = event.epoch;
  book_.sequence = event.sequence;
}

void Fold::fold(const CallEvent& event, Violations& violations) {
  const auto complain = [&](const std::string& what) {
    violations.push_back(describe(event) + ": " + what);
  };
  const CallId& id = event.call.id;
  if (event.cause == Cause::unspecified) complain("has no cause");
  if (ended_calls_.contains(id)) complain("comes after the call was cleared");

  const auto known = book_.calls.find(id);
  const Call none;
  const Call& before = known == book_.calls.end() ? none : known->second;
  // Without its beginning a call may be in any state.
  const bool strange = known == book_.calls.end() && !complete_;
  auto& ended = ended_connections_[id];
  book_.calls_made = std::max(book_.calls_made, count_of(id, book_.epoch));

  if (event.type == CallEventType::call_cleared) {
    if (known == book_.calls.end() && complete_) complain("is of an unknown call");
    if (!before.connections.empty()) complain("leaves connections behind");
    book_.calls.erase(id);
    ended_connections_.erase(id);
    if (ended_calls_.insert(id).second) ended_in_order_.push_back(id);
    if (ended_in_order_.size() > kEndedMax) {
      ended_calls_.erase(ended_in_order_.front());
      ended_in_order_.pop_front();
    }
    return;
  }

  const Connection* subject = find_connection(event.call, event.connection);
  const auto entered = entered_by(event.type);
  if (subject == nullptr && (event.connection != 0 || entered)) complain("is of no connection");
  if (subject != nullptr && entered && subject->state != *entered) {
    complain(std::string("leaves its connection ") + name_of(subject->state));
  }

  for (const Connection& connection : before.connections) {
    if (find_connection(event.call, connection.number) == nullptr) {
      complain("connection " + std::to_string(connection.number) + " is gone without an end");
    }
  }
  for (const Connection& connection : event.call.connections) {
    const Connection* was = find_connection(before, connection.number);
    const ConnectionState from = was == nullptr ? ConnectionState::null : was->state;
    const std::string which = "connection " + std::to_string(connection.number);
    if (ended.contains(connection.number)) complain(which + " has ended before");
    if (strange) continue;
    if (was == nullptr && !ended.empty() && connection.number < *ended.rbegin()) {
      complain(which + " is new, with an old number");
    }
    if (&connection == subject && entered) {
      const bool rings = event.type == CallEventType::delivered && was != nullptr && was->offered &&
                         !connection.offered;
      if (!is_legal(from, connection.state) && !(from == connection.state && rings)) {
        complain(std::string("from ") + name_of(from) + " to " + name_of(connection.state));
      }
    } else if (was == nullptr ? !may_appear(event) : from != connection.state) {
      complain(which + " changes without an event of its own");
    } else if (was == nullptr && !is_legal(ConnectionState::null, connection.state)) {
      complain(which + " appears " + name_of(connection.state));
    }
    if (was != nullptr && was->recording != connection.recording &&
        connection.state != ConnectionState::null &&
        !(&connection == subject && (event.type == CallEventType::recording_started ||
                                     event.type == CallEventType::recording_stopped))) {
      complain(which + " changes its recording without an event of its own");
    }
  }

  Call& call = book_.calls[id];
  call = event.call;
  if (event.type == CallEventType::connection_cleared) {
    ended.insert(event.connection);
    std::erase_if(call.connections,
                  [&](const Connection& it) { return it.number == event.connection; });
  }
}

void Fold::fold(const DeviceEvent& event, Violations& violations) {
  const auto complain = [&](const char* what) {
    violations.push_back("device " + event.device.id.str() + ": " + name_of(event.type) + what);
  };
  const bool known = book_.devices.contains(event.device.id);
  if (event.type == DeviceEventType::added) {
    if (known) complain(" of a known one");
  } else if (!known && complete_) {
    complain(" of an unknown one");
  }
  if (event.type == DeviceEventType::removed) {
    book_.devices.erase(event.device.id);
  } else {
    book_.devices[event.device.id] = event.device;
  }
}

void Fold::fold(const LinkEvent& event, Violations&) { link_ = event; }

void Fold::fold(const StreamGap& gap, Violations&) {
  gaps_.push_back(gap);
  if (gaps_.size() > kGapsMax) gaps_.pop_front();
}

}  // namespace call
