#include "bus/feed.h"

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "bus/status.h"

namespace bus {

namespace asio = boost::asio;

// Shared by the feed, by what it posted, and by cnats, whose share ends with the subscription's
// "complete" callback.
struct Feed::State : std::enable_shared_from_this<State> {
  State(asio::any_io_executor where, Handlers what, FeedLimits how_much)
      : executor(std::move(where)),
        on_message(std::make_shared<OnMessage>(std::move(what.on_message))),
        on_overflow(std::move(what.on_overflow)),
        limits(how_much) {}

  using OnMessage = std::function<void(MessageHandle)>;
  const asio::any_io_executor executor;
  // Gone with the feed, on the executor; whatever it owns must not die on cnats' thread.
  std::shared_ptr<const OnMessage> on_message;
  const std::function<void(const natsMsg&)> on_overflow;
  const FeedLimits limits;
  std::atomic<bool> alive = true;

  std::mutex mutex;
  std::vector<MessageHandle> queue;
  std::size_t bytes = 0;

  std::mutex subscription_mutex;  // held while cnats is called, which may take a while
  natsSubscription* subscription = nullptr;

  natsStatus subscribe(natsConnection* connection, const std::string& subject) {
    const std::lock_guard lock(subscription_mutex);
    if (!alive) return NATS_OK;
    auto share = std::make_unique<std::shared_ptr<State>>(shared_from_this());
    natsStatus status = natsConnection_Subscribe(&subscription, connection, subject.c_str(),
                                                 &State::on_cnats_message, share.get());
    if (status != NATS_OK) return status;
    status = natsSubscription_SetOnCompleteCB(
        subscription, [](void* closure) { delete static_cast<std::shared_ptr<State>*>(closure); },
        share.get());
    // Should this ever fail, the share is leaked: cnats may still use it.
    share.release();
    return status;
  }

  void unsubscribe() {
    const std::lock_guard lock(subscription_mutex);
    natsSubscription_Destroy(std::exchange(subscription, nullptr));
  }

  static void on_cnats_message(natsConnection*, natsSubscription*, natsMsg* raw, void* closure) {
    auto& self = **static_cast<std::shared_ptr<State>*>(closure);
    self.put(MessageHandle(raw));
  }

  void put(MessageHandle message) {
    if (!alive) return;
    const auto size = static_cast<std::size_t>(natsMsg_GetDataLength(message.get()));
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex);
      if (queue.size() < limits.messages_max && bytes + size <= limits.bytes_max) {
        was_empty = queue.empty();
        bytes += size;
        queue.push_back(std::move(message));
      }
    }
    if (message) {
      if (on_overflow) on_overflow(*message);
    } else if (was_empty) {
      asio::post(executor, [self = shared_from_this()] { self->take(); });
    }
  }

  void take() {
    std::vector<MessageHandle> taken;
    {
      const std::lock_guard lock(mutex);
      taken.swap(queue);
      bytes = 0;
    }
    const auto handler = on_message;  // which may destroy the feed
    for (auto& message : taken) {
      if (!alive) return;
      (*handler)(std::move(message));
    }
  }
};

base::Result<std::unique_ptr<Feed>> Feed::subscribe(std::shared_ptr<Connection> connection,
                                                    asio::any_io_executor executor,
                                                    const std::string& subject, Handlers handlers,
                                                    FeedLimits limits) {
  auto state = std::make_shared<State>(std::move(executor), std::move(handlers), limits);
  if (!connection->connected()) {
    // Jobs must not own the connection, and need not: they end before its handle does.
    connection->worker().post(
        [state, handle = connection->handle(), subject] { state->subscribe(handle, subject); });
  } else if (const auto status = state->subscribe(connection->handle(), subject);
             status != NATS_OK) {
    return to_error(status);
  }
  return std::unique_ptr<Feed>(new Feed(std::move(connection), std::move(state)));
}

Feed::~Feed() {
  state_->alive = false;
  state_->on_message.reset();
  if (connection_->connected()) {
    state_->unsubscribe();
  } else {
    connection_->worker().post([state = state_] { state->unsubscribe(); });
  }
}

}  // namespace bus
