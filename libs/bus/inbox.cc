#include "bus/inbox.h"

#include <utility>

#include "bus/link.h"
#include "bus/status.h"

namespace bus {

struct Inbox::State {
  std::string subject;
  Handlers handlers;
  std::uint64_t link = 0;  // to which the subscription belongs
  natsSubscription* subscription = nullptr;
  bool alive = true;

  natsStatus subscribe(Link& to) {
    if (link == to.id()) return NATS_OK;
    natsSubscription_Destroy(std::exchange(subscription, nullptr));
    const auto status = natsConnection_SubscribeSync(&subscription, to.handle(), subject.c_str());
    if (status == NATS_OK) link = to.id();
    return status;
  }

  void take_all() {
    // Asked how many there are, because to be told that there are none costs an error message.
    int waiting = 0;
    if (natsSubscription_GetPending(subscription, &waiting, nullptr) != NATS_OK) return;
    for (; alive && waiting > 0; --waiting) {
      natsMsg* raw = nullptr;
      const auto status = natsSubscription_NextMsg(&raw, subscription, 0);
      if (status == NATS_NO_RESPONDERS) {
        handlers.on_no_responders();
      } else if (status == NATS_OK) {
        handlers.on_message(MessageHandle(raw));
      } else {
        return;
      }
    }
  }
};

base::Result<std::unique_ptr<Inbox>> Inbox::open(std::shared_ptr<Connection> connection,
                                                 std::string subject, Handlers handlers) {
  auto state = std::make_shared<State>();
  state->subject = std::move(subject);
  state->handlers = std::move(handlers);
  const auto restorer = connection->add_restorer([state](Link& link) {
    if (state->alive) state->subscribe(link);
  });
  // Held by what is called, so that it outlives an inbox that its handler destroys.
  const auto poller = connection->add_poller([state] {
    if (state->subscription != nullptr) state->take_all();
  });
  const auto link = connection->link();
  std::unique_ptr<Inbox> inbox(new Inbox(std::move(connection), state, restorer, poller));
  if (const auto status = link ? state->subscribe(*link) : NATS_OK;
      status != NATS_OK && status != NATS_CONNECTION_CLOSED) {
    return to_error(status);
  }
  return inbox;
}

Inbox::~Inbox() {
  state_->alive = false;
  connection_->drop_restorer(restorer_);
  connection_->drop_poller(poller_);
  natsSubscription_Destroy(std::exchange(state_->subscription, nullptr));
}

}  // namespace bus
