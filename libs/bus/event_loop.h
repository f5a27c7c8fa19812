#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <nats/nats.h>

namespace bus {

// Lets one executor do all the reading and writing of one cnats connection, in place of cnats' own
// reader and flusher threads: a publish only appends to cnats' buffer, and all that was published
// in one turn of the loop goes out with one write. It polls a duplicate of cnats' socket, so
// neither a socket closed by cnats nor one with the same number opened later can confuse the
// poller.
//
// It serves one socket. cnats must not be let to reconnect by itself: on an event loop its parser
// would go on in the middle of the message that broke off (nats.c issue 1007, in all versions).
//
// cnats calls attach(), want_read(), want_write() and detach() with its connection locked, on
// whatever thread; they only set flags and post. The socket itself is touched on the executor only.
class EventLoop : public std::enable_shared_from_this<EventLoop> {
 public:
  // `up` is set from `id` to 0 as soon as the socket is found broken.
  // `after_read` is called on the executor each time cnats has taken what was received.
  EventLoop(std::uint64_t id, boost::asio::any_io_executor executor,
            std::shared_ptr<std::atomic<std::uint64_t>> up, std::function<void()> after_read)
      : id_(id),
        executor_(std::move(executor)),
        up_(std::move(up)),
        after_read_(std::move(after_read)) {}

  // Has `options` call this object, which has to live until the connection is closed.
  natsStatus bind(natsOptions* options);

  // Whether there is a socket with a NATS server at its other end.
  bool polling() const { return polling_; }
  // Whether anything was received since the last time this was asked.
  bool heard() { return heard_.exchange(false); }

  // As if the peer had vanished: cnats finds the socket closed. Any thread.
  void drop();
  // No call to cnats is made by this object any more once this returns. Any thread, but not from
  // within cnats' callbacks.
  void stop();

 private:
  natsStatus attach(natsConnection* connection, natsSock socket);
  natsStatus want_read(bool wanted);
  natsStatus want_write(bool wanted);
  void broken();
  void wait_read();
  void on_readable();
  void flush();

  const std::uint64_t id_;
  boost::asio::any_io_executor executor_;
  std::shared_ptr<std::atomic<std::uint64_t>> up_;
  const std::function<void()> after_read_;
  std::atomic<bool> polling_ = false;
  std::atomic<bool> writing_ = false;  // cnats has bytes for us to write
  std::atomic<bool> heard_ = false;

  std::mutex mutex_;  // never taken by cnats' callbacks: cnats' lock is inside it
  bool stopped_ = false;
  natsConnection* connection_ = nullptr;
  std::optional<boost::asio::posix::stream_descriptor> descriptor_;
};

}  // namespace bus
