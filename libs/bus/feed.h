#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "bus/connection.h"
#include "bus/handles.h"

namespace bus {

// How much a feed may hold that its handler has not taken yet.
struct FeedLimits {
  std::size_t messages_max = 65'536;
  std::size_t bytes_max = 64u << 20;
};

// One NATS subscription whose messages arrive on an executor, in order. cnats' delivery thread puts
// them into a bounded queue; the executor is woken once for all that came in the meantime. The
// handler is never called after the feed was destroyed on that executor, whatever is still queued.
class Feed {
 public:
  struct Handlers {
    std::function<void(MessageHandle)> on_message;  // on the executor
    // Instead, for a message that found the queue full. On cnats' thread, which serves every
    // subscription of the process: return at once.
    std::function<void(natsConnection*, const natsMsg&)> on_overflow;
  };
  // Subscribes now, if there is a connection, and again with every new one. Any thread.
  // invalid_argument for a subject that cannot be one.
  static base::Result<std::unique_ptr<Feed>> subscribe(std::shared_ptr<Connection> connection,
                                                       boost::asio::any_io_executor executor,
                                                       std::string subject, Handlers handlers,
                                                       FeedLimits limits = {});
  ~Feed();
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

 private:
  struct State;
  Feed(std::shared_ptr<Connection> connection, std::shared_ptr<State> state, std::uint64_t restorer)
      : connection_(std::move(connection)), state_(std::move(state)), restorer_(restorer) {}

  std::shared_ptr<Connection> connection_;
  std::shared_ptr<State> state_;
  std::uint64_t restorer_;
};

}  // namespace bus
