#include "pbx/innova360/legs.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>

// The story of a leg. An outgoing one takes part from its first message on: CSTA counts a caller as
// connected once it dials. If a command made it, the PBX rings the caller's own phone first, and
// the same leg then says Ringing and Up of that phone (`prompting`: the connection is initiated)
// before it says Dialing, Ring and Up of the other end. An incoming one is not shown until it
// rings, which a PBX may leave out: after a second we take it as said. Whatever came before, hangup
// ends a leg, and what still comes for it is dropped for a minute.
namespace pbx::innova360 {
namespace {

using call::Cause;
using call::ConnectionState;
using call::Role;
using namespace std::chrono_literals;

constexpr auto kJoinWindow = 5s;  // two legs of one call begin within this
constexpr auto kTransferWindow =
    3s;  // a transferred leg ends, or its successor begins, within this
constexpr auto kSuccessorWindow = 5s;  // how long a transferred party waits for its new partner
constexpr auto kOfferPatience = 1s;    // an incoming leg that does not say Ringing rings after this
constexpr auto kLegPatience = 1s;      // an extension that has no leg of its own gets one of ours
constexpr auto kHoldPatience =
    500ms;  // the extension-status that tells who holds comes within this
constexpr auto kEndedMemory = 1min;
constexpr std::size_t kEndedMax = 10'000;

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

  ConnectionState state = ConnectionState::null;
  Cause cause = Cause::unspecified;
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

  std::string transferred_to;                          // the far end's new number
  ConnectionState far_wanted = ConnectionState::null;  // once it is sure to have no leg
  TimePoint offer_due = TimePoint::max(), far_due = TimePoint::max(), hold_due = TimePoint::max();
};

// The party at the other end, where the PBX shows no leg for it.
struct Far {
  std::string id;
  call::Party party;
  Role role = Role::called;
  ConnectionState state = ConnectionState::null;
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

call::Leg shown_leg(const Leg& leg) {
  call::Leg out;
  out.id = leg.id;
  out.party = {call::DeviceId(leg.extension), call::DeviceKind::extension, leg.extension, {}};
  out.role = leg.ends.outgoing ? Role::calling : Role::called;
  out.state =
      leg.held && leg.state == ConnectionState::connected ? ConnectionState::hold : leg.state;
  out.recording = leg.recording;
  out.cause = leg.cause;
  out.vendor_cause = leg.vendor_cause;
  return out;
}

call::Leg shown_far(const Far& far) {
  call::Leg out;
  out.id = far.id;
  out.party = far.party;
  out.role = far.role;
  out.state =
      far.held && far.state == ConnectionState::connected ? ConnectionState::hold : far.state;
  return out;
}

call::Leg ended(call::Leg leg, Cause cause, const call::VendorCause& vendor_cause) {
  leg.state = ConnectionState::null;
  leg.cause = cause;
  leg.vendor_cause = vendor_cause;
  return leg;
}

bool is_withheld(std::string_view number) {
  constexpr std::array<std::string_view, 7> kWords{"",         "anonymous", "unknown",    "private",
                                                   "withheld", "anonimo",   "desconocido"};
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
    return std::equal(number.begin(), number.end(), word.begin(), word.end(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
  });
}

// A caller who gave up is no failure, even where nobody had answered.
bool tells_failure(Cause cause) {
  return cause != Cause::unspecified && cause != Cause::normal_clearing && cause != Cause::normal &&
         cause != Cause::call_cancelled && !call::is_transfer(cause);
}

// Whose public number is its own side's is the extension itself.
Ends own_side_named(Ends ends, const std::string& extension) {
  std::string& own = ends.outgoing ? ends.phone_a : ends.phone_b;
  const std::string& did = ends.outgoing ? ends.did_a : ends.did_b;
  if (!did.empty() && bare_number(own) == bare_number(did)) own = extension;
  return ends;
}

std::string phones_of(const Ends& ends) {
  std::string a = bare_number(ends.phone_a), b = bare_number(ends.phone_b);
  return a.empty() || b.empty() ? std::string() : a + '>' + b;
}

bool suggests_caller(Step step) {
  return step == Step::off_hook || step == Step::dialing || step == Step::ring;
}

}  // namespace

std::string leg_id(std::string_view extension, std::string_view callid) {
  std::string id;
  id.reserve(extension.size() + 1 + callid.size());
  return id.append(extension).append("/").append(callid);
}

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

  Leg* leg_of(std::string_view id) const {
    const auto it = legs.find(id);
    return it == legs.end() ? nullptr : it->second.get();
  }
  bool is_extension(std::string_view number) const { return extensions.contains(number); }
  bool holds(std::string_view extension) const {
    const auto it = extensions.find(extension);
    return it != extensions.end() && it->second;
  }
  void learn(const std::string& extension) {
    if (extensions.size() < kLegsMax) extensions.emplace(extension, false);
  }
  void wake(TimePoint& due, TimePoint when, const std::string& id) {
    due = when;
    timers.emplace(when, id);
  }
  static bool is_alone(const Leg& leg) { return leg.group->legs.size() == 1; }

  call::Party party_of(const std::string& number) const {
    if (is_withheld(number)) return {{}, call::DeviceKind::outside, {}, {}};
    return {call::DeviceId(number),
            is_extension(number) ? call::DeviceKind::extension : call::DeviceKind::outside,
            number,
            {}};
  }

  static bool is_shown(const Group& group) {
    return std::any_of(group.legs.begin(), group.legs.end(),
                       [](const Leg* leg) { return leg->shown; });
  }

  // Nothing, as long as there is nobody to be shown.
  void show(Group& group) {
    if (group.parting.empty() && !is_shown(group)) return;
    call::CallView& view = views.emplace_back();
    view.key = group.key;
    view.dialled = group.dialled;
    view.legs = std::exchange(group.parting, {});
    for (const Leg* leg : group.legs) {
      if (leg->shown) view.legs.push_back(shown_leg(*leg));
    }
    if (group.far) view.legs.push_back(shown_far(*group.far));
    std::stable_partition(view.legs.begin(), view.legs.end(),
                          [](const call::Leg& leg) { return leg.role == Role::calling; });
  }
  Views take_views() { return std::exchange(views, {}); }

  // ---- Beginnings. ----

  Leg& add_leg(const std::string& extension, const std::string& callid, TimePoint now) {
    learn(extension);
    std::string id = leg_id(extension, callid);
    Leg& leg = *(legs[id] = std::make_unique<Leg>());
    leg.id = std::move(id);
    leg.extension = extension;
    leg.callid = callid;
    leg.created = now;
    by_callid[callid].push_back(&leg);
    return leg;
  }

  void set_ends(Leg& leg, const Ends& ends) {
    leg.ends = own_side_named(ends, leg.extension);
    leg.ends_known = true;
    if (auto phones = phones_of(leg.ends); !phones.empty()) {
      by_phones[std::move(phones)].push_back(&leg);
    }
    if (leg.ends.outgoing) {
      by_caller[bare_number(leg.extension)].push_back(&leg);
      return;
    }
    while (!arrived.empty() && arrived.front().at + kTransferWindow < leg.created) {
      arrived.pop_front();
    }
    arrived.push_back({leg.created, leg.id, bare_number(leg.ends.phone_a)});
  }

  // A caller whose call has not been answered yet: however long that takes, nobody calls twice at
  // once.
  static bool waits(const Leg& leg) {
    if (!leg.ends.outgoing || !leg.ends_known || leg.prompting || leg.group->answered) return false;
    if (leg.last != Step::unknown) return leg.state == ConnectionState::connected;
    // Up is an answer; Ringing is said of the own phone, if it comes first.
    return leg.in_snapshot != Step::up && leg.in_snapshot != Step::ringing &&
           leg.in_snapshot != Step::busy;
  }

  // Whether `leg` is not answered either, and so can be what a waiting caller waits for.
  static bool is_awaited(const Leg& leg) { return !leg.answered && leg.in_snapshot != Step::up; }

  // The call of the extension that `leg` shows as its caller, if that one waits for an answer and
  // there is nobody else in it: what it dialled was forwarded, deflected or not answered, and
  // rings here now, under another number.
  Group* waiting_call_of(const Leg& leg) const {
    const auto it = by_caller.find(bare_number(leg.ends.phone_a));
    if (it == by_caller.end() || !is_awaited(leg)) return nullptr;
    for (const Leg* caller : it->second) {
      if (caller->extension == leg.extension || !caller->group || caller->group == leg.group ||
          !waits(*caller) || !is_alone(*caller)) {
        continue;
      }
      const auto& far = caller->group->far;
      if (!far || far->party.kind == call::DeviceKind::extension) return caller->group;
    }
    return nullptr;
  }

  // The call that `leg` is a part of, if another leg is known to be; `by_transfer` if it takes the
  // place of one that was transferred.
  Group* group_of(const Leg& leg, bool& by_transfer) const {
    by_transfer = false;
    if (const auto it = by_callid.find(leg.callid); it != by_callid.end()) {
      for (const Leg* other : it->second) {
        if (other != &leg && other->group && other->group != leg.group) return other->group;
      }
    }
    if (!leg.ends_known) return nullptr;
    Group* found = nullptr;
    if (const auto it = by_phones.find(phones_of(leg.ends)); it != by_phones.end()) {
      for (const Leg* other : it->second) {
        const auto apart = leg.created > other->created ? leg.created - other->created
                                                        : other->created - leg.created;
        if (other == &leg || !other->group || other->group == leg.group ||
            other->ends.outgoing == leg.ends.outgoing || other->extension == leg.extension ||
            (apart > kJoinWindow && !(waits(*other) && is_awaited(leg)))) {
          continue;
        }
        // The latest of those still without a partner, or of all: a group rings many extensions.
        if (!found || is_alone(*other) || found->legs.size() > 1) found = other->group;
      }
    }
    if (found || leg.ends.outgoing) return found;
    if (Group* waiting = waiting_call_of(leg)) return waiting;
    const std::string from = bare_number(leg.ends.phone_a), to = bare_number(leg.ends.phone_b);
    for (Group* group : transferring) {
      const Transfer& transfer = *group->transfer;
      if (group == leg.group || leg.created > transfer.until ||
          leg.extension == transfer.transferor)
        continue;
      bool from_here = from == transfer.transferor && !transfer.destination.empty();
      for (const Leg* other : group->legs) from_here |= from == other->extension;
      if (transfer.destination.empty()) {
        if (from_here) found = group;
        continue;
      }
      from_here |= group->far && from == bare_number(group->far->party.number);
      const bool to_there = to == transfer.destination || leg.extension == transfer.destination;
      if (from_here && to_there) found = group;
    }
    by_transfer = found != nullptr;
    return found;
  }

  // The far end's place is taken by a leg of the PBX's own.
  void take_far_away(Group& group, const Leg& joined, bool by_transfer) {
    if (!group.far) return;
    const bool same = group.far->party.device.str() == joined.extension;
    if (by_transfer && !same) return;
    // If not the same, it was a group's or a forwarded number, which turns out to mean this one.
    if (is_shown(group)) {
      group.parting.push_back(
          ended(shown_far(*group.far), same ? Cause::unspecified : Cause::redirected, {}));
    }
    group.far.reset();
  }

  Group& new_group(Leg& leg) {
    std::string key = leg.id;
    while (groups.contains(key)) key += '+';
    Group& group = *(groups[key] = std::make_unique<Group>());
    group.key = std::move(key);
    put(leg, group);
    return group;
  }

  void put(Leg& leg, Group& group) {
    leg.group = &group;
    group.legs.push_back(&leg);
    if (group.legs.size() > 1) {
      for (Leg* member : group.legs) member->partnered = true;
    }
    if (leg.ends.outgoing) {
      if (!leg.ends.phone_b.empty()) group.dialled = leg.ends.phone_b;
    } else if (group.dialled.empty()) {
      group.dialled = leg.ends.did_b.empty() ? leg.ends.phone_b : leg.ends.did_b;
    }
  }

  // Joins a leg that has no call yet, or is alone in its own, to the call it belongs to.
  void join(Leg& leg) {
    bool by_transfer = false;
    Group* group = group_of(leg, by_transfer);
    if (!group) {
      if (!leg.group) new_group(leg);
      return;
    }
    if (leg.group) {
      merge(*group, *leg.group);
    } else {
      put(leg, *group);
    }
    take_far_away(*group, leg, by_transfer);
  }

  // All legs of `from` go over to `into`; what stood for a far end there has no place any more.
  void merge(Group& into, Group& from) {
    if (from.far && is_shown(from)) {
      into.parting.push_back(ended(shown_far(*from.far), Cause::unspecified, {}));
    }
    std::move(from.parting.begin(), from.parting.end(), std::back_inserter(into.parting));
    for (Leg* leg : std::exchange(from.legs, {})) put(*leg, into);
    into.answered |= from.answered;
    drop(from);
  }

  void drop(Group& group) {
    std::erase(transferring, &group);
    groups.erase(groups.find(group.key));
  }

  // ---- The party at the other end. ----

  void put_far(Leg& leg, const std::string& number, ConnectionState state) {
    leg.group->far = Far{leg.id + "/far", party_of(number),
                         leg.ends.outgoing ? Role::called : Role::calling, state, false};
  }

  // An extension is given a moment to show a leg of its own.
  bool may_have_leg(const Leg& leg, const std::string& number) const {
    return number != leg.extension && is_extension(number);
  }

  // A snapshot that shows an extension idle, or in other calls, shows that it is not in this one
  // (any more), whatever number was dialled. Who took its place does not show.
  bool is_elsewhere(const std::string& number) const { return shown_in_full.contains(number); }

  // The caller of an incoming leg takes part from the start.
  void add_caller(Leg& leg, bool patient, TimePoint now) {
    if (leg.ends.outgoing || !leg.ends_known || !is_alone(leg) || leg.partnered || leg.group->far)
      return;
    if (is_elsewhere(leg.ends.phone_a)) return;
    if (patient && may_have_leg(leg, leg.ends.phone_a)) {
      leg.far_wanted = ConnectionState::connected;
      wake(leg.far_due, now + kLegPatience, leg.id);
    } else {
      put_far(leg, leg.ends.phone_a, ConnectionState::connected);
    }
  }

  // An outgoing leg says how far its other end is. Whether that changed anything.
  bool progress(Leg& leg, ConnectionState state, bool patient, TimePoint now) {
    if (!is_alone(leg)) return false;  // that leg speaks for itself
    if (auto& far = leg.group->far) {
      if (far->role == Role::calling || far->state == state) return false;
      if (far->state == ConnectionState::connected) return false;  // overtaken on its way
      far->state = state;
      return true;
    }
    if (leg.partnered && leg.transferred_to.empty()) return false;  // we do not know who that is
    const std::string& number = leg.transferred_to.empty() ? leg.ends.phone_b : leg.transferred_to;
    if (number.empty() || is_elsewhere(number)) return false;
    if (patient && may_have_leg(leg, number)) {
      if (leg.far_wanted != ConnectionState::connected) leg.far_wanted = state;
      if (leg.far_due == TimePoint::max()) wake(leg.far_due, now + kLegPatience, leg.id);
      return false;
    }
    put_far(leg, number, state);
    return true;
  }

  // ---- Middles. ----

  bool set_state(Leg& leg, ConnectionState state, Cause cause = Cause::unspecified) {
    leg.shown = true;
    if (leg.state == state) return false;
    leg.state = state;
    leg.cause = cause;
    return true;
  }

  // CSTA calls it initiated for as long as the caller's own phone rings.
  bool own_phone(Leg& leg, Step step) {
    switch (step) {
      case Step::up:
      case Step::dialing:
      case Step::ring: leg.prompting = false; return set_state(leg, ConnectionState::connected);
      case Step::busy: return set_state(leg, ConnectionState::fail, Cause::busy);
      default: return false;
    }
  }

  bool outgoing_step(Leg& leg, Step step, Step before, bool patient, TimePoint now) {
    const bool first = before != Step::dialing && before != Step::ring && before != Step::up;
    if (step == Step::ringing && first && !leg.prompting && before != Step::busy) {
      leg.prompting = true;  // a call that somebody else's click made
    }
    bool changed = false;
    if (leg.prompting) {
      changed = own_phone(leg, step);
      if (leg.prompting || step == Step::up) return changed;
    }
    switch (step) {
      case Step::ring:
      case Step::ringing: changed |= progress(leg, ConnectionState::alerting, patient, now); break;
      case Step::up:
        leg.answered = leg.group->answered = true;
        changed |= progress(leg, ConnectionState::connected, patient, now);
        break;
      case Step::busy: changed |= set_state(leg, ConnectionState::fail, Cause::busy); break;
      default: break;
    }
    return changed;
  }

  bool incoming_step(Leg& leg, Step step) {
    switch (step) {
      case Step::ringing:
        if (leg.answered || leg.state == ConnectionState::fail) return false;
        return set_state(leg, ConnectionState::alerting);
      case Step::up:
        leg.answered = leg.group->answered = true;
        return set_state(leg, ConnectionState::connected);
      case Step::busy: return set_state(leg, ConnectionState::fail, Cause::busy);
      default: return false;
    }
  }

  bool take_step(Leg& leg, Step step, bool patient, TimePoint now) {
    if (step == Step::unknown) return false;
    bool changed = step == Step::up && leg.music != Music::none && stop_music(leg);
    if (step == leg.last) return changed;
    const Step before = std::exchange(leg.last, step);
    changed |= leg.ends.outgoing ? outgoing_step(leg, step, before, patient, now)
                                 : incoming_step(leg, step);
    return changed;
  }

  // ---- Hold. ----

  // Puts the side that holds on hold: `own`, or else the other party.
  void decide_hold(Leg& leg, bool own) {
    leg.music = Music::decided;
    leg.hold_due = TimePoint::max();
    Leg* holder = own ? &leg : nullptr;
    if (!own) {
      for (Leg* other : leg.group->legs) {
        if (other != &leg && other->state == ConnectionState::connected) holder = other;
      }
      if (auto& far = leg.group->far; !holder && far && far->state == ConnectionState::connected) {
        far->held = true;
        leg.held_by_music = far->id;
        return;
      }
    }
    if (!holder) holder = &leg;
    holder->held = true;
    leg.held_by_music = holder->id;
  }

  // Whether the extension-status of either side tells already who holds.
  bool decide_hold_by_status(Leg& leg) {
    if (holds(leg.extension)) {
      decide_hold(leg, true);
      return true;
    }
    for (const Leg* other : leg.group->legs) {
      if (other == &leg || !holds(other->extension)) continue;
      decide_hold(leg, false);
      return true;
    }
    return false;
  }

  bool stop_music(Leg& leg) {
    if (leg.music == Music::undecided) {
      // It was too short for us to learn whose hold it was, but it was one.
      decide_hold(leg, false);
      show(*leg.group);
    }
    leg.music = Music::none;
    leg.music_in_snapshot = false;
    if (auto& far = leg.group->far; far && far->id == leg.held_by_music) far->held = false;
    if (Leg* holder = leg_of(leg.held_by_music)) holder->held = false;
    return true;
  }

  // ---- Endings. ----

  void remember_ended(const std::string& id, TimePoint now) {
    while (!ended_order.empty() &&
           (ended_order.front().first + kEndedMemory <= now || ended_order.size() >= kEndedMax)) {
      ended_ids.erase(ended_order.front().second);
      ended_order.pop_front();
    }
    if (ended_ids.emplace(id, now).second) ended_order.emplace_back(now, id);
  }
  bool has_ended(std::string_view id, TimePoint now) const {
    const auto it = ended_ids.find(id);
    return it != ended_ids.end() && now < it->second + kEndedMemory;
  }

  void unlink(ByText<std::vector<Leg*>>& index, const std::string& key, Leg& leg) {
    const auto it = index.find(key);
    if (it == index.end()) return;
    std::erase(it->second, &leg);
    if (it->second.empty()) index.erase(it);
  }

  void remove(Leg& leg, TimePoint now) {
    remember_ended(leg.id, now);
    if (leg.music == Music::decided) stop_music(leg);
    std::erase(leg.group->legs, &leg);
    unlink(by_callid, leg.callid, leg);
    if (leg.ends_known) unlink(by_phones, phones_of(leg.ends), leg);
    if (leg.ends.outgoing) unlink(by_caller, bare_number(leg.extension), leg);
    legs.erase(legs.find(leg.id));
  }

  // A leg that has just come in for a party that `leg` leaves behind: the successor of a leg that
  // was transferred from a phone, announced before the transferring leg ended.
  Leg* successor_of(const Leg& leg, TimePoint now) const {
    if (leg.group->legs.size() == 1) return nullptr;  // it leaves nobody behind
    for (auto it = arrived.rbegin(); it != arrived.rend(); ++it) {
      if (it->at + kTransferWindow < now) break;
      const auto& stay = leg.group->legs;
      if (std::none_of(stay.begin(), stay.end(), [&](const Leg* other) {
            return other != &leg && other->extension == it->from;
          })) {
        continue;
      }
      Leg* other = leg_of(it->leg);
      if (other && other->group != leg.group && is_alone(*other) && !other->partnered) return other;
    }
    return nullptr;
  }

  void expect_successor(Group& group, Transfer transfer) {
    timers.emplace(transfer.until, group.key);
    if (!group.transfer) transferring.push_back(&group);
    group.transfer = std::move(transfer);
  }

  // Why the leg ended, in the light of what else happened.
  static Cause ending_of(const Leg& leg, const Hangup& event, bool transferred) {
    if (transferred) return Cause::single_step_transfer;
    if (leg.ends.outgoing || leg.answered) return event.cause;
    if (event.vendor_cause.q850 == 26) return Cause::call_pickup;  // answered elsewhere
    // It is the caller's leg that fails; this one was missed.
    return call::is_failure(event.cause) && leg.state != ConnectionState::fail
               ? Cause::normal_clearing
               : event.cause;
  }

  void hang_up(Leg& leg, const Hangup& event, TimePoint now) {
    Group& group = *leg.group;
    const bool talked = leg.answered || (leg.ends.outgoing && group.answered);
    const bool asked = group.transfer && group.transfer->leg == leg.id &&
                       !group.transfer->destination.empty() &&
                       now <= group.transfer->sent + kTransferWindow;
    Leg* successor = talked && !asked ? successor_of(leg, now) : nullptr;
    const Cause cause = ending_of(leg, event, asked || successor);

    bool failed = leg.state == ConnectionState::fail;
    if (!leg.ends.outgoing && !leg.shown) {  // a call too short to have rung
      set_state(leg, ConnectionState::alerting);
      show(group);
    } else if (leg.ends.outgoing && !talked && !failed && tells_failure(cause)) {
      failed = true;
      set_state(leg, ConnectionState::fail, cause);
      leg.vendor_cause = event.vendor_cause;
      show(group);
    }

    group.parting.push_back(ended(shown_leg(leg), cause, event.vendor_cause));
    const std::string id = leg.id, extension = leg.extension;
    remove(leg, now);
    if (group.legs.empty() && !(asked && group.far)) {
      if (group.far) {
        const bool own_reason = failed || call::is_diversion(cause) || call::is_transfer(cause);
        group.parting.push_back(ended(shown_far(*group.far),
                                      own_reason ? Cause::normal_clearing : cause,
                                      event.vendor_cause));
        group.far.reset();
      }
      show(group);
      drop(group);
      return;
    }
    if (asked) {
      group.transfer->until = now + kSuccessorWindow;
      timers.emplace(group.transfer->until, group.key);
      if (!is_extension(group.transfer->destination)) {
        for (Leg* stays : group.legs) stays->transferred_to = group.transfer->destination;
      }
    } else if (successor) {
      merge(group, *successor->group);
    } else if (talked && group.legs.size() == 1) {
      expect_successor(group, {id, extension, {}, now, now + kSuccessorWindow});
    }
    show(group);
  }

  // ---- What was waited for. ----

  void settle(Leg& leg, TimePoint now) {
    bool changed = false;
    if (leg.offer_due <= now) {
      leg.offer_due = TimePoint::max();
      if (!leg.shown) changed |= set_state(leg, ConnectionState::alerting);
    }
    if (leg.far_due <= now) {
      leg.far_due = TimePoint::max();
      if (is_alone(leg) && !leg.partnered && !leg.group->far) {
        put_far(leg, leg.ends.outgoing ? leg.ends.phone_b : leg.ends.phone_a, leg.far_wanted);
        changed |= leg.shown;
      }
    }
    if (leg.hold_due <= now && leg.music == Music::undecided) {
      decide_hold(leg, false);
      changed = true;
    }
    if (changed) show(*leg.group);
  }

  void settle(Group& group, TimePoint now) {
    if (!group.transfer || group.transfer->until > now) return;
    group.transfer.reset();
    std::erase(transferring, &group);
    if (!group.legs.empty()) return;
    // Nobody we can see took the transferred party over: it talks to somebody outside, unseen.
    group.parting.push_back(
        ended(shown_far(*std::exchange(group.far, std::nullopt)), Cause::normal, {}));
    show(group);
    drop(group);
  }
};

Legs::Legs() : impl_(std::make_unique<Impl>()) {}
Legs::~Legs() = default;

Legs::Views Legs::on_init(const Init& init, TimePoint now) {
  Impl& it = *impl_;
  std::unordered_set<std::string> there;
  std::vector<std::pair<Leg*, const LegState*>> seen;
  std::unordered_map<std::string, Leg*> by_bridge;

  it.extensions.clear();
  for (const Extension& extension : init.extensions) {
    it.extensions[extension.number] = extension.state.activity == call::Activity::holding;
    if (!extension.legs.empty() || extension.state.activity == call::Activity::idle) {
      it.shown_in_full.insert(extension.number);
    }
    for (const LegState& state : extension.legs) {
      std::string id = leg_id(extension.number, state.callid);
      if (it.legs.size() < kLegsMax || it.legs.contains(id)) there.insert(std::move(id));
    }
  }
  // Gone first, so that nobody is joined to what is not there any more.
  std::vector<Leg*> vanished;
  for (const auto& [id, leg] : it.legs) {
    if (!there.contains(id)) vanished.push_back(leg.get());
  }
  for (Leg* leg : vanished) {
    Group& group = *leg->group;
    it.remove(*leg, now);
    if (group.legs.empty()) it.drop(group);
  }

  for (const Extension& extension : init.extensions) {
    for (const LegState& state : extension.legs) {
      const std::string id = leg_id(extension.number, state.callid);
      Leg* leg = it.leg_of(id);
      if (!leg) {
        if (!there.contains(id) || it.legs.size() >= kLegsMax) continue;
        leg = &it.add_leg(extension.number, state.callid, now);
        leg->recording.reset();
        it.set_ends(*leg, state.ends);
      }
      leg->bridge = state.bridge;
      leg->in_snapshot = state.step;
      seen.emplace_back(leg, &state);
    }
  }
  // Callers first: their leg names the call, before and after a reconnect.
  std::stable_partition(seen.begin(), seen.end(),
                        [](const auto& each) { return each.first->ends.outgoing; });
  for (auto [leg, state] : seen) {
    if (!leg->group) it.join(*leg);
  }
  for (auto [leg, state] : seen) {
    if (leg->bridge.empty()) continue;
    const auto linked = it.by_callid.find(leg->bridge);
    Leg* other = linked != it.by_callid.end() ? linked->second.front()
                                              : by_bridge.emplace(leg->bridge, leg).first->second;
    if (other->group != leg->group) {
      Group& smaller = other->ends.outgoing ? *leg->group : *other->group;
      it.merge(&smaller == leg->group ? *other->group : *leg->group, smaller);
    }
  }
  for (auto [leg, state] : seen) {
    if (leg->ends.outgoing) leg->shown = true;
    if (leg->ends.outgoing && leg->state == ConnectionState::null) {
      it.set_state(*leg, ConnectionState::connected);
    }
    it.add_caller(*leg, false, now);
    it.take_step(*leg, state->step, false, now);
    if (!leg->shown) it.wake(leg->offer_due, now + kOfferPatience, leg->id);
    if (!state->hold) {
      if (leg->music != Music::none) it.stop_music(*leg);
    } else if (leg->music == Music::none && leg->state == ConnectionState::connected) {
      if (!it.decide_hold_by_status(*leg)) it.decide_hold(*leg, false);
      leg->music_in_snapshot = true;
    }
  }
  it.shown_in_full.clear();
  it.views.clear();
  for (const auto& [key, group] : it.groups) it.show(*group);
  return it.take_views();
}

Legs::Views Legs::on_new_call(const NewCall& event, bool commanded, TimePoint now) {
  Impl& it = *impl_;
  const std::string id = leg_id(event.extension, event.callid);
  if (it.has_ended(id, now)) return {};
  Leg* leg = it.leg_of(id);
  if (leg && leg->ends_known) return {};  // said twice
  if (!leg && it.legs.size() >= kLegsMax) return {};

  const bool late = leg != nullptr;  // its call-state overtook it
  if (!leg) leg = &it.add_leg(event.extension, event.callid, now);
  it.set_ends(*leg, event.ends);
  if (late && leg->group->dialled.empty()) leg->group->dialled = event.ends.phone_b;
  if (!late || Impl::is_alone(*leg)) it.join(*leg);

  if (event.ends.outgoing) {
    leg->made |= commanded;
    leg->prompting |= commanded && leg->last == Step::unknown;
    if (!late) {
      it.set_state(*leg, commanded ? ConnectionState::initiated : ConnectionState::connected,
                   commanded ? Cause::make_call : Cause::unspecified);
    }
    // What it has said of its far end, before that had a number.
    if (late && !leg->prompting && (leg->last == Step::ring || leg->last == Step::ringing)) {
      it.progress(*leg, ConnectionState::alerting, true, now);
    } else if (late && leg->answered) {
      it.progress(*leg, ConnectionState::connected, true, now);
    }
  } else {
    it.add_caller(*leg, true, now);
    if (!leg->shown) it.wake(leg->offer_due, now + kOfferPatience, leg->id);
  }
  if (leg->shown || !leg->group->parting.empty()) it.show(*leg->group);
  return it.take_views();
}

Legs::Views Legs::on_call_state(const CallState& event, TimePoint now) {
  Impl& it = *impl_;
  const std::string id = leg_id(event.extension, event.callid);
  if (it.has_ended(id, now)) return {};
  Leg* leg = it.leg_of(id);
  bool changed = false;
  if (!leg) {
    if (it.legs.size() >= kLegsMax) return {};
    leg = &it.add_leg(event.extension, event.callid, now);
    leg->ends.outgoing = suggests_caller(event.step);
    it.join(*leg);
    if (leg->ends.outgoing) {
      changed = it.set_state(*leg, ConnectionState::connected);
    } else {
      it.wake(leg->offer_due, now + kOfferPatience, leg->id);
    }
  }
  changed |= it.take_step(*leg, event.step, true, now);
  if (changed || !leg->group->parting.empty()) it.show(*leg->group);
  return it.take_views();
}

Legs::Views Legs::on_hangup(const Hangup& event, TimePoint now) {
  Impl& it = *impl_;
  const std::string id = leg_id(event.extension, event.callid);
  if (Leg* leg = it.leg_of(id)) {
    it.hang_up(*leg, event, now);
  } else {
    it.remember_ended(id, now);  // what comes late is late
  }
  return it.take_views();
}

Legs::Views Legs::on_music(const MusicOnHold& event, TimePoint now) {
  Impl& it = *impl_;
  Leg* leg = it.leg_of(leg_id(event.extension, event.callid));
  if (leg && !event.on && leg->music == Music::none) {
    // A snapshot may have shown the same hold at the other leg: at who holds, not at who hears it.
    for (Leg* other : leg->group->legs) {
      if (other->music_in_snapshot) leg = other;
    }
  }
  if (!leg || event.on == (leg->music != Music::none)) return {};
  if (!event.on) {
    it.stop_music(*leg);
  } else if (!it.decide_hold_by_status(*leg)) {
    leg->music = Music::undecided;
    it.wake(leg->hold_due, now + kHoldPatience, leg->id);
    return {};
  }
  it.show(*leg->group);
  return it.take_views();
}

Legs::Views Legs::on_recording(const Recording& event, TimePoint) {
  Impl& it = *impl_;
  Leg* leg = it.leg_of(leg_id(event.extension, event.callid));
  if (!leg || leg->recording == event.on) return {};
  leg->recording = event.on;
  if (leg->shown) it.show(*leg->group);
  return it.take_views();
}

Legs::Views Legs::on_extension_status(const ExtensionStatus& event, TimePoint) {
  Impl& it = *impl_;
  it.learn(event.extension);
  const auto known = it.extensions.find(event.extension);
  if (known == it.extensions.end()) return {};
  const bool holding = event.state.activity == call::Activity::holding;
  if (known->second == holding) return {};
  known->second = holding;
  if (!holding) return {};
  // Only a leg with a timer can be undecided.
  for (const auto& [due, id] : it.timers) {
    Leg* leg = it.leg_of(id);
    if (!leg || leg->music != Music::undecided) continue;
    if (it.decide_hold_by_status(*leg)) it.show(*leg->group);
  }
  return it.take_views();
}

Legs::Views Legs::on_tick(TimePoint now) {
  Impl& it = *impl_;
  while (!it.timers.empty() && it.timers.begin()->first <= now) {
    const std::string id = std::move(it.timers.extract(it.timers.begin()).mapped());
    if (Leg* leg = it.leg_of(id)) it.settle(*leg, now);
    if (const auto group = it.groups.find(id); group != it.groups.end()) {
      it.settle(*group->second, now);
    }
  }
  return it.take_views();
}

TimePoint Legs::deadline() const {
  return impl_->timers.empty() ? TimePoint::max() : impl_->timers.begin()->first;
}

void Legs::transferring(std::string_view id, std::string_view destination, TimePoint now) {
  Leg* leg = impl_->leg_of(id);
  if (!leg) return;
  impl_->expect_successor(*leg->group, {leg->id, leg->extension, bare_number(destination), now,
                                        now + kSuccessorWindow});
}

std::optional<Legs::Known> Legs::find(std::string_view id) const {
  const Leg* leg = impl_->leg_of(id);
  if (!leg) return std::nullopt;
  return Known{leg->extension, leg->callid, &leg->ends,
               leg->answered || (leg->ends.outgoing && leg->group->answered), leg->last};
}

bool Legs::is_new(std::string_view id, TimePoint now) const {
  return !impl_->leg_of(id) && !impl_->has_ended(id, now);
}

std::size_t Legs::size() const { return impl_->legs.size(); }

}  // namespace pbx::innova360
