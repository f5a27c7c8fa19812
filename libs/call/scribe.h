#pragma once

#include <utility>
#include <vector>

#include "call/event.h"
#include "call/tracker.h"

namespace call {

// Numbers and dates the events of one call to the tracker. Lives as long as that call.
class Scribe {
 public:
  Scribe(Book& book, const Context& context, Origin origin)
      : book_(book), context_(context), origin_(origin) {}

  Time now() const { return context_.now; }
  Origin origin() const { return origin_; }

  // `call` is copied: the event keeps it as it is now. `connection` is still to be filled in.
  CallEvent& call(CallEventType type, const Call& call) {
    auto& event = write().body.emplace<CallEvent>();
    event.type = type;
    event.call = call;
    event.cause = default_cause(type);
    return event;
  }
  void device(DeviceEventType type, const Device& device) {
    write().body.emplace<DeviceEvent>(DeviceEvent{type, device});
  }
  void link(LinkEvent link) { write().body.emplace<LinkEvent>(std::move(link)); }
  void gap(StreamGap gap) { write().body.emplace<StreamGap>(std::move(gap)); }

  std::vector<Event> take() { return std::move(events_); }

 private:
  Event& write() {
    Event& event = events_.emplace_back();
    event.epoch = book_.epoch;
    event.sequence = ++book_.sequence;
    event.origin = origin_;
    event.received = context_.now;
    event.pbx_time = context_.pbx_time;
    event.request_id = context_.request_id;
    return event;
  }

  Book& book_;
  const Context& context_;
  const Origin origin_;
  std::vector<Event> events_;
};

}  // namespace call
