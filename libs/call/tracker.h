#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "call/command.h"
#include "call/event.h"
#include "call/index.h"
#include "call/model.h"
#include "call/permission.h"

namespace call {

// When something arrived, and what of ours caused it.
struct Context {
  Time now{};
  std::optional<Time> pbx_time;
  std::string request_id;
};

class Scribe;

// At most so many connections in a call; further legs are not tracked. Each event carries the call
// with all of them, so that a conference of n costs n * n.
inline constexpr std::size_t kConnectionsMax = 256;

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
//
// Whose view is it? The known call's that has one of its legs (a calling leg first), else the one's
// with its key, else a new call's. What leg and key say may differ, because PBXs join calls:
//  - a leg known in another call has moved: it is cleared there (cause transfer or conference), and
//    comes up here, in the state it is in, with one Transferred for all that moved, or one
//    Conferenced if three or more then talk or are on hold. If a leg that ends here says that it
//    transferred, the Transferred is that one's. Who comes up on hold is told as Held right after.
//  - a known call whose key the view has, though its legs are in another one, is absorbed by that
//    one: it ends.
// In a resync a leg with an unknown id takes the place of one that is missing, if role and device
// are the same, because some PBXs number legs anew for each connection to them; and a call that
// shares nothing but its key is another call.
class Tracker {
 public:
  Tracker(std::span<const Capability> capabilities, std::uint64_t epoch);
  Tracker(Tracker&&) = default;
  Tracker& operator=(Tracker&&) = default;

  // After a takeover: what consumers have been told by the owner before. Before any event. Calls
  // and devices keep their ids; sequence and calls_made begin anew, unless the epoch is the same.
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
  class Telling;

  // Calls: tracker.cc.
  void see(const CallView& view, Scribe& scribe);
  void see_changed(Entry& entry, const CallView& view, Scribe& scribe);
  Entry* owner_of(const CallView& view) const;
  Entry& open(const CallView& view, Time now);
  void end_unseen_calls(std::uint64_t since, Scribe& scribe);

  // Devices: devices.cc.
  void see(const Device& device, Scribe& scribe);
  void remove(const DeviceId& device, Scribe& scribe);
  void end_unseen_devices(std::uint64_t since, Scribe& scribe);

  // What can be asked for on the connection now; `call` is the one it is in, or a copy of it.
  ServiceSet allowed(const CallId& call, const Connection& connection) const;
  ServiceSet allowed(const CallId& call, const Connection& connection, const Desk* desk) const;
  // Sets what is allowed on a device's connections anew: one of them, or the device, has changed.
  void allow_at(const Desk* desk);

  Permissions permissions_;
  Book book_;
  Index index_;
  std::uint64_t round_ = 1;      // grows with every complete list and every resync
  std::uint64_t resync_ = 0;     // the round the resync began with; 0 while there is none
  bool directory_seen_ = false;  // a device was seen in this resync
};

}  // namespace call
