#pragma once

#include <optional>
#include <vector>

#include "call/difference.h"
#include "call/scribe.h"
#include "call/tracker.h"

namespace call {

// Why, in the PBX's words; nothing if it was silent. Points into the observation.
struct Reason {
  Cause cause = Cause::unspecified;
  const VendorCause* vendor = nullptr;
};
// A cause that the PBX gave as a Q.850 number only is translated.
Reason reason_of(const Leg& leg) noexcept;

// Changes one call of the book and tells consumers so, event by event. Lives as long as one
// observation; the call is gone after close_if_empty() or end_all() returned true.
class Tracker::Telling {
 public:
  Telling(Tracker& tracker, Entry& entry, Scribe& scribe)
      : tracker_(tracker), entry_(entry), call_(*entry.call), scribe_(scribe) {}

  // Party, role, number dialled, data, key. Told with the next event, or by tell_information() if
  // there is none.
  void note(const CallView& view);
  void note(Connection& connection, const Leg& leg);
  void tell_information();

  // A leg that is new here, from null to the state it is in.
  void enter(const Leg& leg);
  // A leg that is known here, to the state it is in.
  void change(unsigned number, const Leg& leg);
  // A leg that is over; `other` is where it went, if somewhere.
  void end(unsigned number, const Leg& leg, const std::optional<Party>& other);
  // Without a word about where to.
  void clear(unsigned number, const Reason& reason);
  // Legs that were in other calls until now. `subject` is the connection that transferred them, and
  // `other` who came; 0: the first that came.
  void join(const std::vector<const Leg*>& moved, CallEventType type, unsigned subject,
            const std::optional<Party>& other);

  bool close_if_empty();
  // Everybody has left.
  void end_all(const Reason& reason = {});

 private:
  void walk(unsigned number, const Steps& steps, const Reason& reason);
  CallEvent& tell(CallEventType type, unsigned connection, const Reason& reason);
  bool is_unexplained_end(CallEventType type, const Reason& reason) const;
  Cause cause_of(CallEventType type, const Reason& reason) const;
  Connection* add(const Leg& leg);
  void settle(Connection& connection);
  bool talked(unsigned number) const;
  bool others_talked(unsigned number) const;

  Tracker& tracker_;
  Entry& entry_;
  Call& call_;
  Scribe& scribe_;
  bool told_ = false;                // there was an event
  bool information_ = false;         // something changed that is none by itself
  std::optional<unsigned> subject_;  // of the information: whose, if only one's
  Connection last_;                  // the one that ended last, and why
  Reason last_reason_;
};

}  // namespace call
