#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "bus/connection.h"
#include "bus/event_loop.h"
#include "bus/identity.h"

namespace bus {

// One connection to one server, until it breaks. A Connection makes one after the other, because
// cnats cannot reconnect by itself on an event loop (see EventLoop).
class Link {
 public:
  // Called on cnats' threads, with `disconnected` as the last.
  using OnEvent = std::function<void(ConnectionEvent event, std::string why)>;
  // Called on the executor each time something was received.
  using AfterRead = std::function<void()>;

  // Waits for the server. Null, and `status` and `why`, if it cannot be had.
  static std::shared_ptr<Link> connect(std::uint64_t id, boost::asio::any_io_executor executor,
                                       std::shared_ptr<std::atomic<std::uint64_t>> up,
                                       const Options& options,
                                       std::shared_ptr<const Identity> identity, OnEvent on_event,
                                       AfterRead after_read, natsStatus& status, std::string& why);
  // Does not wait if the link is broken already. Not on cnats' threads.
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  std::uint64_t id() const { return id_; }
  std::string url() const;
  // cnats' functions that do not wait may be called on any thread; those that do, by the worker.
  natsConnection* handle() const { return handle_; }
  EventLoop& loop() { return *loop_; }
  // For JetStream. By the worker; null if there is no memory.
  jsCtx* context();
  // Has the server send us something.
  void ping();
  // Closes it; whoever waits in cnats for an answer gets an error. Any thread but cnats'.
  void shut();

 private:
  Link(std::uint64_t id, std::shared_ptr<const Identity> identity, OnEvent on_event)
      : id_(id), identity_(std::move(identity)), on_event_(std::move(on_event)) {}
  natsStatus bind(natsOptions* options);

  const std::uint64_t id_;
  const std::shared_ptr<const Identity> identity_;  // cnats' copy of the options points to it
  const OnEvent on_event_;
  std::shared_ptr<EventLoop> loop_;
  natsConnection* handle_ = nullptr;
  natsSubscription* pings_ = nullptr;
  std::string ping_inbox_;
  jsCtx* context_ = nullptr;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
};

}  // namespace bus
