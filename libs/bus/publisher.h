#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "base/backoff.h"
#include "base/result.h"
#include "bus/connection.h"

namespace bus {

// Something to be stored in a stream, once.
struct Message {
  std::string subject;
  std::string id;  // Nats-Msg-Id: the stream forgets it after its duplicate_window
  std::string payload;
  const char* content_type = nullptr;  // a literal, or null for none: each header costs about 1 µs
  // The caller's own, handed back with the acknowledgement or the loss.
  std::uint64_t number = 0;
  TimePoint received{};
};

struct Ack {
  std::uint64_t sequence = 0;  // in the stream
  bool duplicate = false;      // a copy sent before was stored under this sequence
};

// Consecutive messages of one lane that will not be stored, or not for sure.
struct Loss {
  base::Error
      why;  // timed_out: older than LaneLimits::age_max; message_too_big: the server's limit
  std::size_t count = 0;
  std::uint64_t first_number = 0, last_number = 0;
  std::string first_id, last_id;
  bool first_may_be_stored = false;  // it was sent, and no answer came
};

struct LaneLimits {
  std::size_t messages_max = 10'000;
  std::size_t bytes_max = 16u << 20;
  std::chrono::milliseconds age_max{0};  // 0: keep until stored
};

struct PublisherOptions {
  std::string stream;  // where the subjects are stored; for looking up what became of a message
  // The stream's. After half of it a message is looked up before it is sent again.
  std::chrono::milliseconds duplicate_window{120'000};
  LaneLimits lane;
  std::size_t bytes_max = 64u << 20;  // of all lanes together
  std::size_t in_flight_max = 1'000;
  std::chrono::milliseconds ack_timeout{2'000};
  // The first two retries come after retry_wait (NATS ADR-22), then they back off.
  std::chrono::milliseconds retry_wait{250};
  base::Backoff backoff{std::chrono::milliseconds(500), std::chrono::milliseconds(2'000)};
};

// For metrics. Counts since the start, and the state at the time of asking.
struct PublisherStatistics {
  std::uint64_t attempts = 0;
  std::uint64_t acks = 0;
  std::uint64_t duplicates = 0;  // acks of what was stored by an earlier attempt
  std::uint64_t retries = 0;     // attempts after a message's first
  std::uint64_t lookups = 0;
  std::uint64_t lost = 0;
  std::uint64_t refused = 0;  // offers, for lack of space
  struct {
    std::uint64_t timed_out = 0;
    std::uint64_t no_responders = 0;  // no stream, or it has no leader
    std::uint64_t disconnected = 0;   // while the answer was awaited
    std::uint64_t rejected = 0;       // JetStream said no, for instance for lack of space
    std::uint64_t not_sent = 0;       // cnats said no
  } failures;
  std::size_t lanes = 0;
  std::size_t depth = 0, bytes = 0, in_flight = 0;
  std::chrono::system_clock::time_point oldest{};  // of what is queued; the epoch if nothing is
};

// A FIFO of messages to one stream. Exactly one is on its way at any time, and nothing later goes
// out before it is known to be stored, so the stream holds them in this order, whatever fails and
// however often. Lives on the publisher's executor, as does every call and callback. Destroyed with
// messages in it, it forgets them: the one on its way may still be stored.
class Lane {
 public:
  struct Handlers {
    std::function<void(const Message&, Ack)> on_ack;  // in order, once for each
    std::function<void()> on_space;                   // after a refused offer, once half is free
    std::function<void(const Loss&)> on_loss;
    // Asked right before each send, if given. False: this lane sends nothing any more; what is
    // queued stays until the lane is destroyed. For self-fencing, which must hold even if the
    // process slept.
    std::function<bool()> may_send;
  };

  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // Queues the message, or refuses it if that would exceed a limit, the lane's or the publisher's.
  bool offer(Message message);

  std::size_t depth() const;
  std::size_t bytes() const;
  // Waits until the lane is empty: true, or false at the deadline.
  boost::asio::awaitable<bool> drained(std::chrono::milliseconds deadline);

 private:
  friend class Publisher;
  struct State;
  explicit Lane(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

// Publishes to JetStream through one connection, on its executor, where all members are called: in
// order within a lane, and any number of lanes side by side. Outlives nothing: lanes may be
// destroyed before or after it, but do nothing more after.
class Publisher {
 public:
  Publisher(std::shared_ptr<Connection> connection, PublisherOptions options);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  std::unique_ptr<Lane> open_lane(Lane::Handlers handlers);

  PublisherStatistics statistics() const;
  // Waits until all lanes are empty: true, or false at the deadline.
  boost::asio::awaitable<bool> drained(std::chrono::milliseconds deadline);

 private:
  friend class Lane;
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bus
