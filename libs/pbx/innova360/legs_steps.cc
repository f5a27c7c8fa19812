#include <algorithm>
#include <chrono>
#include <utility>

#include "pbx/innova360/legs_impl.h"

// What happens to a leg, from its first step to its end.
namespace pbx::innova360 {

using call::Cause;
using call::ConnectionState;
using namespace std::chrono_literals;

namespace {

constexpr auto kEndedMemory = 1min;
constexpr std::size_t kEndedMax = 10'000;

// A caller who gave up is no failure, even where nobody had answered.
bool tells_failure(Cause cause) {
  return cause != Cause::unspecified && cause != Cause::normal_clearing && cause != Cause::normal &&
         cause != Cause::call_cancelled && !call::is_transfer(cause);
}

}  // namespace

bool suggests_caller(Step step) {
  return step == Step::off_hook || step == Step::dialing || step == Step::ring;
}

// ---- Middles. ----

bool Legs::Impl::set_state(Leg& leg, ConnectionState state, Cause cause) {
  leg.shown = true;
  if (leg.state == state) return false;
  leg.state = state;
  leg.cause = cause;
  return true;
}

bool Legs::Impl::own_phone(Leg& leg, Step step) {
  switch (step) {
    case Step::up:
    case Step::dialing:
    case Step::ring: leg.prompting = false; return set_state(leg, ConnectionState::connected);
    case Step::busy: return set_state(leg, ConnectionState::fail, Cause::busy);
    default: return false;
  }
}

bool Legs::Impl::outgoing_step(Leg& leg, Step step, Step before, bool patient, TimePoint now) {
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

bool Legs::Impl::incoming_step(Leg& leg, Step step) {
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

bool Legs::Impl::take_step(Leg& leg, Step step, bool patient, TimePoint now) {
  if (step == Step::unknown) return false;
  bool changed = step == Step::up && leg.music != Music::none && stop_music(leg);
  if (step == leg.last) return changed;
  const Step before = std::exchange(leg.last, step);
  changed |=
      leg.ends.outgoing ? outgoing_step(leg, step, before, patient, now) : incoming_step(leg, step);
  return changed;
}

// ---- Hold. ----

void Legs::Impl::decide_hold(Leg& leg, bool own) {
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

bool Legs::Impl::decide_hold_by_status(Leg& leg) {
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

bool Legs::Impl::stop_music(Leg& leg) {
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

void Legs::Impl::remember_ended(const std::string& id, TimePoint now) {
  while (!ended_order.empty() &&
         (ended_order.front().first + kEndedMemory <= now || ended_order.size() >= kEndedMax)) {
    ended_ids.erase(ended_order.front().second);
    ended_order.pop_front();
  }
  if (ended_ids.emplace(id, now).second) ended_order.emplace_back(now, id);
}

bool Legs::Impl::has_ended(std::string_view id, TimePoint now) const {
  const auto it = ended_ids.find(id);
  return it != ended_ids.end() && now < it->second + kEndedMemory;
}

void Legs::Impl::unlink(ByText<std::vector<Leg*>>& index, const std::string& key, Leg& leg) {
  const auto it = index.find(key);
  if (it == index.end()) return;
  std::erase(it->second, &leg);
  if (it->second.empty()) index.erase(it);
}

void Legs::Impl::remove(Leg& leg, TimePoint now) {
  remember_ended(leg.id, now);
  if (leg.music == Music::decided) stop_music(leg);
  std::erase(leg.group->legs, &leg);
  unlink(by_callid, leg.callid, leg);
  if (leg.ends_known) unlink(by_phones, phones_of(leg.ends), leg);
  if (leg.ends.outgoing) unlink(by_caller, bare_number(leg.extension), leg);
  legs.erase(legs.find(leg.id));
}

Leg* Legs::Impl::successor_of(const Leg& leg, TimePoint now) const {
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

void Legs::Impl::expect_successor(Group& group, Transfer transfer) {
  timers.emplace(transfer.until, group.key);
  if (!group.transfer) transferring.push_back(&group);
  group.transfer = std::move(transfer);
}

Cause Legs::Impl::ending_of(const Leg& leg, const Hangup& event, bool transferred) {
  if (transferred) return Cause::single_step_transfer;
  if (leg.ends.outgoing || leg.answered) return event.cause;
  if (event.vendor_cause.q850 == 26) return Cause::call_pickup;  // answered elsewhere
  // It is the caller's leg that fails; this one was missed.
  return call::is_failure(event.cause) && leg.state != ConnectionState::fail
             ? Cause::normal_clearing
             : event.cause;
}

void Legs::Impl::hang_up(Leg& leg, const Hangup& event, TimePoint now) {
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
      group.parting.push_back(ended(
          shown_far(*group.far), own_reason ? Cause::normal_clearing : cause, event.vendor_cause));
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

void Legs::Impl::settle(Leg& leg, TimePoint now) {
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

void Legs::Impl::settle(Group& group, TimePoint now) {
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

}  // namespace pbx::innova360
