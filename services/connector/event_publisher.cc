#include "connector/event_publisher.h"

#include <utility>

#include "wire/subjects.h"

namespace connector {

EventPublisher::EventPublisher(bus::Publisher& publisher, const base::TenantId& tenant,
                               const Config& config, std::atomic<std::size_t>& total_bytes,
                               Handlers handlers)
    : tenant_(tenant),
      limits_(config.outbox),
      content_type_(wire::content_type(config.format)),
      total_bytes_(total_bytes),
      encoder_(tenant, config.domain, config.format) {
  auto on_ack = [this, stored = std::move(handlers.stored)](const bus::Message& message,
                                                            bus::Ack ack) {
    pop();
    stored({message.number, ack.sequence, message.received});
  };
  auto on_loss = [this, refused = std::move(handlers.refused)](const bus::Loss& loss) {
    for (std::size_t i = 0; i < loss.count; ++i) pop();
    refused(loss.first_number, loss.last_number);
  };
  lane_ = publisher.open_lane({.on_ack = std::move(on_ack),
                               .on_space = {},
                               .on_loss = std::move(on_loss),
                               .may_send = std::move(handlers.may_send)});
}

EventPublisher::~EventPublisher() { total_bytes_ -= bytes_; }

void EventPublisher::pop() {
  bytes_ -= queued_.front().bytes;
  total_bytes_ -= queued_.front().bytes;
  queued_.pop_front();
}

const char* EventPublisher::full(TimePoint now) const {
  if (queued_.size() >= limits_.events_max || bytes_ >= limits_.bytes_max ||
      total_bytes_ >= limits_.total_bytes_max) {
    return "outbox_full";
  }
  return aged(now) ? "outbox_age" : nullptr;
}

bool EventPublisher::aged(TimePoint now) const {
  return limits_.age_max.count() > 0 && !queued_.empty() &&
         now - queued_.front().since >= limits_.age_max;
}

bool EventPublisher::has_half(TimePoint now) const {
  return !aged(now) && queued_.size() <= limits_.events_max / 2 &&
         bytes_ <= limits_.bytes_max / 2 && total_bytes_ < limits_.total_bytes_max;
}

void EventPublisher::publish(std::span<const call::Event> events, TimePoint received) {
  const auto now = std::chrono::steady_clock::now();
  for (const call::Event& event : events) {
    bus::Message message{wire::event_subject(tenant_, event),
                         encoder_.message_id(event),
                         std::string(encoder_.encode(event)),
                         content_type_,
                         event.sequence,
                         received};
    queued_.push_back({now, message.payload.size()});
    bytes_ += message.payload.size();
    total_bytes_ += message.payload.size();
    lane_->offer(std::move(message));  // never refused: our limits are checked before, by full()
  }
}

}  // namespace connector
