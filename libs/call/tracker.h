#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "call/command.h"
#include "call/event.h"
#include "call/model.h"

namespace call {

// When something arrived, and what of ours caused it.
struct Context {
  Time now{};
  std::optional<Time> pbx_time;
  std::string request_id;
};

// Everything the tracker knows, as values: what a checkpoint keeps and a takeover restores, and
// what consumers believe once they have all events up to `sequence`.
struct Book {
  std::uint64_t epoch = 0, sequence = 0;  // of the last event
  std::uint64_t calls_made = 0;  // in this epoch; the next call is c<epoch>-<calls_made + 1>
  std::map<CallId, Call> calls;
  std::map<DeviceId, Device> devices;
};

// Turns what a PBX says *is* into what happened: CSTA events, numbered. One for each tenant, for as
// long as its lease is held; a reconnect keeps it. Pure: time is an argument.
//
// The rules it keeps, whatever comes in:
//  - a connection takes only legal steps; what the PBX left out is filled in and marked inferred;
//  - the same thing seen twice makes no event;
//  - each connection gets exactly one ConnectionCleared, each call exactly one CallCleared, last;
//  - no event without a cause;
//  - between begin_resync() and end_resync() events are marked resync, and end_resync() ends what
//    was not seen in between.
class Tracker {
 public:
  Tracker(std::span<const Capability> capabilities, std::uint64_t epoch);

  // After a takeover: what consumers have been told by the owner before. Before any event.
  void restore(Book book);

  std::vector<Event> apply(const Observation& seen, const Context& context);
  std::vector<Event> link(LinkEvent link, const Context& context);

  void begin_resync();
  std::vector<Event> end_resync(const Context& context);

  // After a loss: `gap`, then what leads from `published`, which consumers still believe, to what
  // is true now; a call that came and went in between is the gap's alone. `published` is a copy of
  // book() from before the first lost event.
  std::vector<Event> heal(const Book& published, StreamGap gap, const Context& context);

  const Book& book() const { return book_; }
  const Call* find(const CallId& call) const;
  const Device* find(const DeviceId& device) const;
  // The call and connection that a leg is now; nullptr if unknown.
  std::pair<const Call*, const Connection*> find_leg(const std::string& leg) const;
  // The PBX command for a request, or why not: unknown ids, a service that the vendor does not
  // offer, or a state that does not allow it (the detail names the state found and those needed).
  std::variant<Command, Refusal> resolve(const Request& request) const;

 private:
  struct Impl;
  Book book_;
};

}  // namespace call
