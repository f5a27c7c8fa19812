#include "bus/feed.h"

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "bus/link.h"
#include "bus/status.h"

namespace bus {

namespace asio = boost::asio;

// Shared by the feed, by what it posted, and by cnats, whose share ends with the subscription's
// "complete" callback.
struct Feed::State : std::enable_shared_from_this<State> {
  State(asio::any_io_executor where, std::string about, Handlers what, FeedLimits how_much)
      : executor(std::move(where)),
        subject(std::move(about)),
        on_message(std::make_shared<OnMessage>(std::move(what.on_message))),
        on_overflow(std::move(what.on_overflow)),
        limits(how_much) {}

  using OnMessage = std::function<void(MessageHandle)>;
  const asio::any_io_executor executor;
  const std::string subject;
  // Gone with the feed, on the executor; whatever it owns must not die on cnats' thread.
  std::shared_ptr<const OnMessage> on_message;
  const std::function<void(natsConnection*, const natsMsg&)> on_overflow;
  const FeedLimits limits;
  std::atomic<bool> alive = true;

  std::mutex mutex;
  std::vector<MessageHandle> queue;
  std::size_t bytes = 0;

  std::mutex subscription_mutex;
  std::uint64_t link = 0;  // to which the subscription belongs
  natsSubscription* subscription = nullptr;

  natsStatus subscribe(Link& to) {
    const std::lock_guard lock(subscription_mutex);
    if (!alive || link == to.id()) return NATS_OK;
    natsSubscription_Destroy(std::exchange(subscription, nullptr));
    auto share = std::make_unique<std::shared_ptr<State>>(shared_from_this());
    natsStatus status = natsConnection_Subscribe(&subscription, to.handle(), subject.c_str(),
                                                 &State::on_cnats_message, share.get());
    if (status != NATS_OK) return status;
    link = to.id();
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

  static void on_cnats_message(natsConnection* connection, natsSubscription*, natsMsg* raw,
                               void* closure) {
    auto& self = **static_cast<std::shared_ptr<State>*>(closure);
    self.put(connection, MessageHandle(raw));
  }

  void put(natsConnection* connection, MessageHandle message) {
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
      if (on_overflow) on_overflow(connection, *message);
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
                                                    std::string subject, Handlers handlers,
                                                    FeedLimits limits) {
  auto state =
      std::make_shared<State>(std::move(executor), std::move(subject), std::move(handlers), limits);
  // First this, so that no link is missed; State::subscribe() sees to it that none is taken twice.
  const auto restorer = connection->add_restorer([weak = std::weak_ptr(state)](Link& link) {
    if (const auto it = weak.lock()) it->subscribe(link);
  });
  const auto link = connection->link();
  std::unique_ptr<Feed> feed(new Feed(std::move(connection), state, restorer));
  if (const auto status = link ? state->subscribe(*link) : NATS_OK;
      status != NATS_OK && status != NATS_CONNECTION_CLOSED) {
    return to_error(status);
  }
  return feed;
}

Feed::~Feed() {
  connection_->drop_restorer(restorer_);
  state_->alive = false;
  state_->on_message.reset();
  state_->unsubscribe();
}

}  // namespace bus
