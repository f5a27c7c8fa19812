#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "control/answer.h"
#include "control/core.h"
#include "control/event_filter.h"

namespace control {

// How far the events of a tenant are told: everything up to `sequence` of `epoch`.
struct Position {
  std::uint64_t epoch = 0, sequence = 0;

  auto operator<=>(const Position&) const = default;
};

// The state of one tenant as its owner told it. Calls and devices come in pages asked for one after
// the other, so that each kind is told up to a position of its own, that of its first page: events
// after it may be in a later page already, but none is missing.
struct TenantState {
  base::TenantId tenant;
  std::vector<pbxgw::v1::Snapshot> parts;  // at least one; each within gRPC's message limit
  Position calls, devices;
};

// Asks for everything that `filter` lets through.
boost::asio::awaitable<Answer<TenantState>> snapshot_of(Core& core, const EventFilter& filter,
                                                        base::TenantId tenant, Caller caller);

// The part that stands for a tenant which could not be asked.
pbxgw::v1::Snapshot unreachable_part(const Core& core, const base::TenantId& tenant);

}  // namespace control
