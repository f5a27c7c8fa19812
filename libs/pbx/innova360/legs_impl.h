#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "pbx/innova360/legs.h"

// Inside legs*.cc.
//
// The story of a leg. An outgoing one takes part from its first message on: CSTA counts a caller as
// connected once it dials. If a command made it, the PBX rings the caller's own phone first, and
// the same leg then says Ringing and Up of that phone (`prompting`: the connection is initiated)
// before it says Dialing, Ring and Up of the other end. An incoming one is not shown until it
// rings, which a PBX may leave out: after a second we take it as said. Whatever came before, hangup
// ends a leg, and what still comes for it is dropped for a minute.
namespace pbx::innova360 {

// Transferred legs end, and their successors begin, within this.
inline constexpr std::chrono::seconds kTransferWindow{3};
// How long a transferred party waits for its new partner.
inline constexpr std::chrono::seconds kSuccessorWindow{5};

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};
template <class T>
using ByText = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

enum class Music {
  none,
  undecided,  // on hold, but the side that holds is not known yet
  decided,
};

struct Group;

struct Leg {
  std::string id, extension, callid;
  Ends ends;
  bool ends_known = false;  // false: it came into being by a call-state
  std::string bridge;
  TimePoint created{};
  Group* group = nullptr;

  call::ConnectionState state = call::ConnectionState::null;
  call::Cause cause = call::Cause::unspecified;
  call::VendorCause vendor_cause;
  bool shown = false;      // in views
  bool made = false;       // by our `call` action
  bool prompting = false;  // what it says is about the caller's own phone
  bool answered = false;   // talks or has talked
  bool partnered = false;  // another extension's leg has been in its call
  Step last = Step::unknown;
  Step in_snapshot = Step::unknown;  // as the snapshot has it that is being read

  std::optional<bool> recording = false;  // nothing: a snapshot had it, and does not say
  bool held = false;
  Music music = Music::none;
  bool music_in_snapshot = false;  // it was playing already
  std::string held_by_music;       // the id of the leg that our music put on hold

  std::string transferred_to;                                      // the far end's new number
  call::ConnectionState far_wanted = call::ConnectionState::null;  // once it is sure to have no leg
  TimePoint offer_due = TimePoint::max(), far_due = TimePoint::max(), hold_due = TimePoint::max();
};

// The party at the other end, where the PBX shows no leg for it.
struct Far {
  std::string id;
  call::Party party;
  call::Role role = call::Role::called;
  call::ConnectionState state = call::ConnectionState::null;
  bool held = false;
};

// A leg of the call was, or may have been, transferred: whose call goes on, and where to.
struct Transfer {
  std::string leg, transferor;
  std::string destination;  // bare; empty if we did not ask for it
  TimePoint sent{}, until{};
};

struct Arrival {
  TimePoint at;
  std::string leg, from;  // `from`: the caller's number, bare
};

struct Group {
  std::string key;
  std::vector<Leg*> legs;
  std::optional<Far> far;
  std::string dialled;
  bool answered = false;
  std::optional<Transfer> transfer;
  std::vector<call::Leg> parting;  // have ended, and are to be shown so once
};

// Both numbers, bare: what two legs of one call have in common; empty if one is withheld.
std::string phones_of(const Ends& ends);
// That it is a caller who says this.
bool suggests_caller(Step step);

// As it is shown: with hold, which is of its state but not in it.
call::Leg shown_leg(const Leg& leg);
call::Leg shown_far(const Far& far);
call::Leg ended(call::Leg leg, call::Cause cause, const call::VendorCause& vendor_cause);

struct Legs::Impl {
  ByText<std::unique_ptr<Leg>> legs;
  ByText<std::unique_ptr<Group>> groups;
  ByText<std::vector<Leg*>> by_callid, by_phones;
  ByText<std::vector<Leg*>> by_caller;  // outgoing ones, by extension
  ByText<bool> extensions;              // that the PBX shows us; whether one says it holds
  // That the snapshot which is being read shows idle, or with their legs.
  std::unordered_set<std::string> shown_in_full;
  std::multimap<TimePoint, std::string> timers;  // of legs and groups, by id or key
  std::deque<Arrival> arrived;                   // incoming legs of the last seconds
  std::vector<Group*> transferring;
  std::deque<std::pair<TimePoint, std::string>> ended_order;
  ByText<TimePoint> ended_ids;
  Views views;

  // ---- Small words. ----
  Leg* leg_of(std::string_view id) const;
  bool is_extension(std::string_view number) const { return extensions.contains(number); }
  bool holds(std::string_view extension) const;
  void learn(const std::string& extension);
  void wake(TimePoint& due, TimePoint when, const std::string& id);
  static bool is_alone(const Leg& leg) { return leg.group->legs.size() == 1; }
  call::Party party_of(const std::string& number) const;
  static bool is_shown(const Group& group);

  // Nothing, as long as there is nobody to be shown.
  void show(Group& group);
  Views take_views() { return std::exchange(views, {}); }

  // ---- Beginnings. ----
  Leg& add_leg(const std::string& extension, const std::string& callid, TimePoint now);
  void set_ends(Leg& leg, const Ends& ends);

  // A caller whose call has not been answered yet: however long that takes, nobody calls twice at
  // once.
  static bool waits(const Leg& leg);
  // Whether `leg` is not answered either, and so can be what a waiting caller waits for.
  static bool is_awaited(const Leg& leg) { return !leg.answered && leg.in_snapshot != Step::up; }

  // The call of the extension that `leg` shows as its caller, if that one waits for an answer and
  // there is nobody else in it: what it dialled was forwarded, deflected or not answered, and
  // rings here now, under another number.
  Group* waiting_call_of(const Leg& leg) const;

  // The call that `leg` is a part of, if another leg is known to be; `by_transfer` if it takes the
  // place of one that was transferred.
  Group* group_of(const Leg& leg, bool& by_transfer) const;

  // The far end's place is taken by a leg of the PBX's own.
  void take_far_away(Group& group, const Leg& joined, bool by_transfer);
  Group& new_group(Leg& leg);
  void put(Leg& leg, Group& group);

  // Joins a leg that has no call yet, or is alone in its own, to the call it belongs to.
  void join(Leg& leg);

  // All legs of `from` go over to `into`; what stood for a far end there has no place any more.
  void merge(Group& into, Group& from);
  void drop(Group& group);

  // ---- The party at the other end. ----
  void put_far(Leg& leg, const std::string& number, call::ConnectionState state);

  // An extension is given a moment to show a leg of its own.
  bool may_have_leg(const Leg& leg, const std::string& number) const;
  // A snapshot that shows an extension idle, or in other calls, shows that it is not in this one
  // (any more), whatever number was dialled. Who took its place does not show.
  bool is_elsewhere(const std::string& number) const { return shown_in_full.contains(number); }

  // The caller of an incoming leg takes part from the start.
  void add_caller(Leg& leg, bool patient, TimePoint now);

  // An outgoing leg says how far its other end is. Whether that changed anything.
  bool progress(Leg& leg, call::ConnectionState state, bool patient, TimePoint now);

  // ---- Middles. ----
  bool set_state(Leg& leg, call::ConnectionState state,
                 call::Cause cause = call::Cause::unspecified);

  // CSTA calls it initiated for as long as the caller's own phone rings.
  bool own_phone(Leg& leg, Step step);
  bool outgoing_step(Leg& leg, Step step, Step before, bool patient, TimePoint now);
  bool incoming_step(Leg& leg, Step step);
  bool take_step(Leg& leg, Step step, bool patient, TimePoint now);

  // ---- Hold. ----

  // Puts the side that holds on hold: `own`, or else the other party.
  void decide_hold(Leg& leg, bool own);

  // Whether the extension-status of either side tells already who holds.
  bool decide_hold_by_status(Leg& leg);
  bool stop_music(Leg& leg);

  // ---- Endings. ----
  void remember_ended(const std::string& id, TimePoint now);
  bool has_ended(std::string_view id, TimePoint now) const;
  void unlink(ByText<std::vector<Leg*>>& index, const std::string& key, Leg& leg);
  void remove(Leg& leg, TimePoint now);

  // A leg that has just come in for a party that `leg` leaves behind: the successor of a leg that
  // was transferred from a phone, announced before the transferring leg ended.
  Leg* successor_of(const Leg& leg, TimePoint now) const;
  void expect_successor(Group& group, Transfer transfer);

  // Why the leg ended, in the light of what else happened.
  static call::Cause ending_of(const Leg& leg, const Hangup& event, bool transferred);
  void hang_up(Leg& leg, const Hangup& event, TimePoint now);

  // ---- What was waited for. ----
  void settle(Leg& leg, TimePoint now);
  void settle(Group& group, TimePoint now);
};

}  // namespace pbx::innova360
