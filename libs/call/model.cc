#include "call/model.h"

#include <algorithm>

namespace call {

const Connection* find_connection(const Call& call, unsigned number) noexcept {
  for (const Connection& connection : call.connections) {
    if (connection.number == number) return &connection;
  }
  return nullptr;
}

Connection* find_connection(Call& call, unsigned number) noexcept {
  for (Connection& connection : call.connections) {
    if (connection.number == number) return &connection;
  }
  return nullptr;
}

Direction direction_of(Direction before, const std::vector<Leg>& legs) noexcept {
  if (before != Direction::internal) return before;
  const auto outside = [&](Role role) {
    return std::any_of(legs.begin(), legs.end(), [role](const Leg& leg) {
      return leg.role == role && leg.party.kind == DeviceKind::outside;
    });
  };
  if (outside(Role::calling)) return Direction::inbound;
  if (outside(Role::called)) return Direction::outbound;
  return Direction::internal;
}

std::string connection_id(const CallId& call, unsigned number) {
  return call.str() + '-' + std::to_string(number);
}

}  // namespace call
