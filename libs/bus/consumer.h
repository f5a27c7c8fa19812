#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "bus/connection.h"
#include "bus/feed.h"
#include "bus/requests.h"

namespace bus {

// Where in the stream to begin.
struct Start {
  enum class Kind {
    sequence,          // with this one; 0 for whatever is the first
    fresh,             // with what is stored from now on
    last_per_subject,  // with the last message of every subject
  };
  Kind kind = Kind::fresh;
  std::uint64_t sequence = 0;
};

struct ConsumerOptions {
  std::string stream;
  std::string filter;  // subjects; "pbx.v1.events.acme.>"
  Start start;
  FeedLimits limits;
  // How often a server that has nothing to deliver says so. After two of them were missed the
  // consumer begins again.
  std::chrono::milliseconds heartbeat{5'000};
};

// A message out of a stream. Valid while the handler it was given to runs.
class Delivery {
 public:
  // Null if `message` is not one that JetStream delivered.
  static std::optional<Delivery> read(natsMsg* message);

  std::string_view subject() const { return natsMsg_GetSubject(message_); }
  std::string_view payload() const;
  std::string_view header(const char* name) const;  // empty if it has none of that name
  std::uint64_t sequence() const { return sequence_; }
  // How many follow that are stored already, as the server counts them: 2.9 sometimes one too many.
  std::uint64_t pending() const { return pending_; }
  std::chrono::system_clock::time_point stored() const { return stored_; }
  std::uint64_t consumer_sequence() const { return consumer_sequence_; }  // +1 with each delivery

 private:
  natsMsg* message_ = nullptr;
  std::uint64_t sequence_ = 0, pending_ = 0, consumer_sequence_ = 0;
  std::chrono::system_clock::time_point stored_{};
};

// Reads a stream in order and without gaps, from a given point on and then live, over reconnects
// and server restarts: it asks for a new delivery from where it is whenever it misses a message or
// the server's heartbeat. The server keeps no state for it that would outlive it. Everything about
// it happens on one executor: open() is awaited there, its handlers are called there, it is
// destroyed there, and after that no handler is called.
class OrderedConsumer {
 public:
  struct Handlers {
    std::function<void(const Delivery&)> on_message;
    // Once: all that was stored when it was opened has been delivered.
    std::function<void()> on_caught_up;
    // It has ended, and delivers no more. overloaded: more than `limits` waited for on_message.
    // marker_expired: messages it had not seen yet were removed from the stream. The text is for an
    // operator.
    std::function<void(base::Error why, const std::string& detail)> on_end;
  };

  // Handlers may be called before this returns. Fails with marker_expired if the stream does not
  // hold start.sequence any more, or if it is beyond the next one; key_not_found if there is no
  // such stream; otherwise as requests fail, with bus_unavailable for a silent JetStream.
  static boost::asio::awaitable<base::Result<std::unique_ptr<OrderedConsumer>>> open(
      std::shared_ptr<Requests> requests, boost::asio::any_io_executor executor,
      ConsumerOptions options, Handlers handlers, std::string& why);
  ~OrderedConsumer();
  OrderedConsumer(const OrderedConsumer&) = delete;
  OrderedConsumer& operator=(const OrderedConsumer&) = delete;

 private:
  struct Impl;
  explicit OrderedConsumer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace bus
