#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "pbx/innova360/legs_impl.h"

namespace pbx::innova360 {

using call::Cause;
using call::ConnectionState;
using call::Role;
using namespace std::chrono_literals;

namespace {

constexpr auto kOfferPatience = 1s;  // an incoming leg that does not say Ringing rings after this
constexpr auto kHoldPatience =
    500ms;  // the extension-status that tells who holds comes within this

bool is_withheld(std::string_view number) {
  constexpr std::array<std::string_view, 7> kWords{"",         "anonymous", "unknown",    "private",
                                                   "withheld", "anonimo",   "desconocido"};
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
    return std::equal(number.begin(), number.end(), word.begin(), word.end(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
  });
}

}  // namespace

std::string leg_id(std::string_view extension, std::string_view callid) {
  std::string id;
  id.reserve(extension.size() + 1 + callid.size());
  return id.append(extension).append("/").append(callid);
}

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

// ---- Small words. ----

Leg* Legs::Impl::leg_of(std::string_view id) const {
  const auto it = legs.find(id);
  return it == legs.end() ? nullptr : it->second.get();
}

bool Legs::Impl::holds(std::string_view extension) const {
  const auto it = extensions.find(extension);
  return it != extensions.end() && it->second;
}

void Legs::Impl::learn(const std::string& extension) {
  if (extensions.size() < kLegsMax) extensions.emplace(extension, false);
}

void Legs::Impl::wake(TimePoint& due, TimePoint when, const std::string& id) {
  due = when;
  timers.emplace(when, id);
}

call::Party Legs::Impl::party_of(const std::string& number) const {
  if (is_withheld(number)) return {{}, call::DeviceKind::outside, {}, {}};
  return {call::DeviceId(number),
          is_extension(number) ? call::DeviceKind::extension : call::DeviceKind::outside,
          number,
          {}};
}

bool Legs::Impl::is_shown(const Group& group) {
  return std::any_of(group.legs.begin(), group.legs.end(),
                     [](const Leg* leg) { return leg->shown; });
}

void Legs::Impl::show(Group& group) {
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

// ---- What the PBX says. ----

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
