#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/ids.h"
#include "bus/publisher.h"
#include "call/event.h"
#include "connector/config.h"
#include "wire/events.h"

namespace connector {

// One tenant's events on their way to JetStream: bounded, in order, encoded here. Lives as long as
// the tenant's lease, on its owner's executor.
class EventPublisher {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Stored {
    std::uint64_t sequence;         // the event's
    std::uint64_t stream_sequence;  // where JetStream put it
    TimePoint received;             // when the frame behind it arrived
  };
  struct Handlers {
    std::function<void(const Stored&)> stored;
    // False from the moment on that another connector may own the tenant: asked before each send.
    std::function<bool()> may_send;
    // Never stored, since the server takes no message of this size.
    std::function<void(std::uint64_t first_sequence, std::uint64_t last_sequence)> refused;
  };

  // `total_bytes` counts what all publishers of the process hold.
  EventPublisher(bus::Publisher& publisher, const base::TenantId& tenant, const Config& config,
                 std::atomic<std::size_t>& total_bytes, Handlers handlers);
  ~EventPublisher();

  // Why the next events must not be published ("outbox_full", "outbox_age"); nullptr: there is
  // room. The events of one observation are taken whole, so the bound may be exceeded by those of
  // one.
  const char* full(TimePoint now) const;
  // Room again after having been full: half of it, so that one does not go in and out of a gap.
  bool has_half(TimePoint now) const;

  // Queues all of them, in order. `received` is handed back when they are stored; how long they
  // wait is counted from now.
  void publish(std::span<const call::Event> events, TimePoint received);

  std::size_t depth() const { return queued_.size(); }
  boost::asio::awaitable<bool> drained(std::chrono::milliseconds deadline) {
    return lane_->drained(deadline);
  }

 private:
  base::TenantId tenant_;
  const OutboxConfig& limits_;
  const char* content_type_;
  std::atomic<std::size_t>& total_bytes_;
  wire::EventEncoder encoder_;
  struct Queued {
    TimePoint since;
    std::size_t bytes;
  };
  void pop();
  bool aged(TimePoint now) const;

  std::deque<Queued> queued_;  // one for each message of the lane
  std::size_t bytes_ = 0;
  std::unique_ptr<bus::Lane> lane_;
};

}  // namespace connector
