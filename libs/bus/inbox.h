#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "bus/connection.h"
#include "bus/handles.h"

namespace bus {

// Answers to what a connection sends, taken on its executor as soon as they are read, in order:
// without cnats' delivery thread, whose every message costs two switches between threads. Looking
// for answers costs a lock after each read, so it is for the few subscriptions that get most of
// the messages; Feed is for all others, and for other executors.
//
// Not for what must not be lost: what was read together with the end of the connection is dropped.
// Nor for those who must know which of their requests nobody serves: cnats keeps that to itself.
// Lives on the connection's executor, as does every call.
class Inbox {
 public:
  struct Handlers {
    std::function<void(MessageHandle)> on_message;
    // One of the requests whose answers were to come here is served by nobody.
    std::function<void()> on_no_responders;
  };

  // Subscribes now, if there is a connection, and again with every new one. invalid_argument for a
  // subject that cannot be one. A handler may destroy the inbox; none is called after that.
  static base::Result<std::unique_ptr<Inbox>> open(std::shared_ptr<Connection> connection,
                                                   std::string subject, Handlers handlers);
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

 private:
  struct State;
  Inbox(std::shared_ptr<Connection> connection, std::shared_ptr<State> state,
        std::uint64_t restorer, std::uint64_t poller)
      : connection_(std::move(connection)),
        state_(std::move(state)),
        restorer_(restorer),
        poller_(poller) {}

  std::shared_ptr<Connection> connection_;
  std::shared_ptr<State> state_;
  std::uint64_t restorer_, poller_;
};

// Messages that nobody needs any more. cnats frees each on a thread of its own, which it wakes when
// there is something to free: given many at a time, it is woken once for them.
class SpentMessages {
 public:
  void add(MessageHandle message) {
    bytes_ += static_cast<std::size_t>(natsMsg_GetDataLength(message.get()));
    messages_.push_back(std::move(message));
    if (messages_.size() < kMessagesMax && bytes_ < kBytesMax) return;
    messages_.clear();
    bytes_ = 0;
  }

 private:
  static constexpr std::size_t kMessagesMax = 64, kBytesMax = 64u << 10;
  std::vector<MessageHandle> messages_;
  std::size_t bytes_ = 0;
};

}  // namespace bus
