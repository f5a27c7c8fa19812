#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "bus/connection.h"
#include "bus/feed.h"

namespace bus {

// What a request sends.
struct Outgoing {
  std::string subject;
  std::string payload;
  std::vector<std::pair<const char*, std::string>> headers;  // names are literals
};

// Requests and their replies, any number at once over one inbox, and no thread waits for any of
// them. Lives as long as its connection is used; destroying it ends what is pending. A coroutine
// that waits for a reply may itself be what keeps this object and the connection alive: so whoever
// has made it calls close() before the executor goes, and then nothing of them outlives that.
//
// A request fails with
//   owner_moving       nobody serves the subject (NATS: "no responders")
//   timed_out          no reply in time; whether the request was heard is not known
//   bus_unavailable    not connected, so it was not sent
//   too_many_requests  `pending_max` wait already, here or at the one who serves the subject
//   message_too_big    beyond what the server takes
//   shutting_down      closed, or being destroyed
class Requests {
 public:
  using Done = std::function<void(base::Result<std::string> reply)>;

  // On the connection's executor, or before that runs.
  explicit Requests(std::shared_ptr<Connection> connection, std::size_t pending_max = 10'000);
  ~Requests();  // on the connection's executor, or once that has stopped
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;

  // Fails what is pending, and every request from now on. Like the destructor, on the connection's
  // executor, or once that has stopped.
  void close();

  // Any thread. `done` is called exactly once, on the connection's executor, never from within this
  // call. For gRPC's threads, among others.
  void request(Outgoing request, Duration timeout, Done done);

  // On any executor; ends at its timeout at the latest, and cannot be cancelled before.
  boost::asio::awaitable<base::Result<std::string>> request(std::string subject,
                                                            std::string payload, Duration timeout);
  boost::asio::awaitable<base::Result<std::string>> request(Outgoing request, Duration timeout);

  std::size_t pending() const;  // any thread
  const std::shared_ptr<Connection>& connection() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// A request as the one who serves it sees it. Move it to where the answer is found.
class Request {
 public:
  Request(MessageHandle message, std::shared_ptr<Connection> connection)
      : message_(std::move(message)), connection_(std::move(connection)) {}

  std::string_view subject() const { return natsMsg_GetSubject(message_.get()); }
  std::string_view payload() const;
  std::string_view reply_subject() const;  // empty if nobody waits for an answer
  // Any thread; once. Lost if there is no connection: the caller's timeout tells it.
  void respond(std::string bytes) const;

 private:
  MessageHandle message_;
  std::shared_ptr<Connection> connection_;
};

// Ends when destroyed, on the executor it was made with: the handler is not called after that.
class Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::unique_ptr<Feed> feed) : feed_(std::move(feed)) {}
  explicit operator bool() const { return feed_ != nullptr; }

 private:
  std::unique_ptr<Feed> feed_;
};

// Serves `subject`: calls `handler` for each request, on `executor`. Beyond `limits` requests are
// answered with too_many_requests. On the connection's executor, or before that runs.
base::Result<Subscription> serve(const std::shared_ptr<Connection>& connection,
                                 const std::string& subject, boost::asio::any_io_executor executor,
                                 std::function<void(Request)> handler,
                                 FeedLimits limits = {.messages_max = 1'024,
                                                      .bytes_max = 8u << 20});

}  // namespace bus
