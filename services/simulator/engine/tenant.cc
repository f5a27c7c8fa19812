#include "simulator/engine/tenant.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace simulator::engine {
namespace {

using namespace std::chrono_literals;

constexpr int kForwardsMax = 5;  // a ring of forwardings ends in congestion
constexpr std::size_t kNumberMax = 64;
constexpr auto kRejectAfter = 2s;           // unless the plan says when
constexpr auto kOutsideOnlyFor = 60s;       // a call that nobody of ours is in any more
constexpr auto kAnswerByDefault = 3'000ms;  // where no rule fits

bool fits(std::string_view pattern, std::string_view number) {
  if (pattern.ends_with('*')) return number.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == number;
}

}  // namespace

Tenant::Tenant(TenantOptions options, Listener& listener)
    : options_(std::move(options)), listener_(listener) {
  extensions_.reserve(options_.extensions.size() + options_.orbits.size());
  for (auto& number : options_.extensions) {
    extensions_.emplace_back().number = std::move(number);
  }
  for (auto& number : options_.orbits) {
    Extension& orbit = extensions_.emplace_back();
    orbit.number = std::move(number);
    orbit.orbit = true;
  }
  options_.extensions = {};
  options_.orbits = {};
  by_number_.resize(extensions_.size());
  std::iota(by_number_.begin(), by_number_.end(), ExtensionIndex{0});
  std::sort(by_number_.begin(), by_number_.end(), [&](ExtensionIndex a, ExtensionIndex b) {
    return extensions_[a].number < extensions_[b].number;
  });
}

// Looking things up.

ExtensionIndex Tenant::find_extension(std::string_view number) const {
  const auto it = std::lower_bound(by_number_.begin(), by_number_.end(), number,
                                   [&](ExtensionIndex index, std::string_view wanted) {
                                     return extensions_[index].number < wanted;
                                   });
  if (it == by_number_.end() || extensions_[*it].number != number) return kOutside;
  return *it;
}

const Leg* Tenant::find_leg(LegId id) const {
  const auto it = legs_.find(id);
  return it == legs_.end() ? nullptr : &it->second;
}

Leg* Tenant::leg_of(LegId id) {
  const auto it = legs_.find(id);
  return it == legs_.end() ? nullptr : &it->second;
}

const Call* Tenant::find_call(CallId id) const {
  const auto it = calls_.find(id);
  return it == calls_.end() ? nullptr : &it->second;
}

const Leg* Tenant::partner_of(const Leg& leg) const {
  const Call* call = find_call(leg.call);
  if (!call) return nullptr;
  for (const LegId id : call->legs) {
    if (id != leg.id) return find_leg(id);
  }
  return nullptr;
}

std::vector<const Call*> Tenant::calls() const {
  std::vector<const Call*> all;
  all.reserve(calls_.size());
  for (const auto& [id, call] : calls_) all.push_back(&call);
  std::sort(all.begin(), all.end(), [](const Call* a, const Call* b) { return a->id < b->id; });
  return all;
}

bool Tenant::is_number(std::string_view text) const {
  if (text.empty() || text.size() > kNumberMax) return false;
  return text.find_first_not_of("0123456789+*#") == std::string_view::npos ||
         find_extension(text) != kOutside;
}

Plan Tenant::plan_for(std::string_view to) const {
  for (const auto& rule : options_.answers) {
    if (fits(rule.to, to)) return rule.plan;
  }
  Plan plan;
  plan.answer_after = kAnswerByDefault;
  return plan;
}

base::Result<ExtensionIndex> Tenant::add_extension(std::string_view number) {
  if (number.empty() || number.size() > kNumberMax ||
      number.find_first_not_of("0123456789") != std::string_view::npos) {
    return base::Errc::invalid_argument;
  }
  if (find_extension(number) != kOutside) return base::Errc::already_exists;
  if (extensions_.size() >= kExtensionsMax) return base::Errc::too_many_requests;
  const auto index = static_cast<ExtensionIndex>(extensions_.size());
  extensions_.emplace_back().number = number;
  const auto place = std::lower_bound(by_number_.begin(), by_number_.end(), number,
                                      [&](ExtensionIndex each, std::string_view wanted) {
                                        return extensions_[each].number < wanted;
                                      });
  by_number_.insert(place, index);
  ++changes_;
  return index;
}

// Changing things, and telling.

void Tenant::tell(Change::Kind kind, const Leg& leg, TimePoint now, Cause cause) {
  ++changes_;
  listener_.on_change({kind, now, leg.extension, find_call(leg.call), &leg, cause, manner_});
}

void Tenant::set_state(Leg& leg, LegState state, TimePoint now) {
  if (leg.state == state) return;
  leg.state = state;
  tell(Change::Kind::leg_state, leg, now);
}

void Tenant::set_held(Leg& leg, bool held, TimePoint now) {
  if (leg.held == held) return;
  leg.held = held;
  tell(held ? Change::Kind::held : Change::Kind::retrieved, leg, now);
}

void Tenant::set_recording(Leg& leg, bool on, TimePoint now) {
  if (leg.recording == on) return;
  leg.recording = on;
  tell(on ? Change::Kind::record_started : Change::Kind::record_stopped, leg, now);
}

// Works out an extension's status, and tells if it is another one now.
void Tenant::settle(ExtensionIndex index, TimePoint now) {
  if (index == kOutside) return;
  Extension& extension = extensions_[index];
  bool ringing = false, talking = false, holding = false;
  for (const LegId id : extension.legs) {
    const Leg& leg = legs_.at(id);
    if (leg.state == LegState::ringing) {
      ringing = true;
    } else if (leg.held) {
      holding = true;
    } else {
      talking = true;
    }
  }
  Status status = extension.forced_busy ? Status::busy : Status::idle;
  if (!extension.registered) {
    status = Status::unavailable;
  } else if (ringing) {
    status = talking || holding ? Status::in_use_ringing : Status::ringing;
  } else if (holding) {
    status = talking ? Status::in_use_hold : Status::hold;
  } else if (talking) {
    status = Status::in_use;
  }
  if (status == extension.status) return;
  extension.status = status;
  ++changes_;
  listener_.on_change({Change::Kind::status, now, index});
}

Call& Tenant::add_call(const Plan& plan, TimePoint now) {
  const CallId id = ++last_call_;
  Call& call = calls_[id];
  call.id = id;
  call.created = now;
  call.plan = plan;
  return call;
}

Leg& Tenant::add_leg(Call& call, ExtensionIndex extension, std::string_view number, bool outgoing,
                     std::string_view from, std::string_view to, TimePoint now, bool callback) {
  const LegId id = ++last_leg_;
  Leg& leg = legs_[id];
  leg.id = id;
  leg.call = leg.first_call = call.id;
  leg.extension = extension;
  leg.number = number;
  leg.outgoing = outgoing;
  leg.callback = callback;
  leg.from = from;
  leg.to = to;
  leg.created = now;
  leg.call_created = call.created;
  const std::string& prefix = options_.did_prefix;
  if (!prefix.empty() && extension != kOutside) {
    // Public numbers matter only towards the public.
    const bool other_outside = find_extension(outgoing ? to : from) == kOutside;
    if (other_outside) (outgoing ? leg.did_from : leg.did_to) = prefix + leg.number;
  }
  call.legs.push_back(id);
  if (extension != kOutside) {
    extensions_[extension].legs.push_back(id);
  } else {
    outside_[leg.number].push_back(id);
  }
  tell(Change::Kind::leg_added, leg, now);
  return leg;
}

// Takes the leg out of its call, which may be left with one leg, or none.
void Tenant::end_leg(Leg& leg, Cause cause, TimePoint now) {
  const LegId id = leg.id;
  const ExtensionIndex index = leg.extension;
  set_recording(leg, false, now);
  tell(Change::Kind::leg_ended, leg, now, cause);
  std::erase(calls_.at(leg.call).legs, id);
  if (index != kOutside) {
    std::erase(extensions_[index].legs, id);
  } else if (const auto it = outside_.find(leg.number); it != outside_.end()) {
    std::erase(it->second, id);
    if (it->second.empty()) outside_.erase(it);
  }
  legs_.erase(id);
  settle(index, now);
}

void Tenant::end_rest(CallId id, Cause cause, TimePoint now) {
  Call& call = calls_.at(id);
  while (!call.legs.empty()) end_leg(legs_.at(call.legs.front()), cause, now);
  calls_.erase(id);
}

void Tenant::hang_up_leg(Leg& leg, Cause cause, TimePoint now, Manner manner) {
  const CallId call = leg.call;
  manner_ = manner;
  end_leg(leg, cause, now);
  manner_ = Manner::plain;
  if (calls_.at(call).legs.size() < 2) end_rest(call, cause, now);
}

void Tenant::forget_calls() {
  calls_.clear();
  legs_.clear();
  outside_.clear();
  timers_ = {};
  for (Extension& extension : extensions_) {
    extension.legs.clear();
    extension.status = !extension.registered   ? Status::unavailable
                       : extension.forced_busy ? Status::busy
                                               : Status::idle;
  }
}

void Tenant::move_legs(CallId from, Call& to) {
  for (const LegId id : calls_.at(from).legs) {
    legs_.at(id).call = to.id;
    to.legs.push_back(id);
  }
  calls_.erase(from);
}

// As phones do it: whoever talks to one puts the other on hold.
void Tenant::hold_others(const Leg& leg, TimePoint now) {
  if (leg.extension == kOutside) return;
  for (const LegId id : extensions_[leg.extension].legs) {
    Leg& other = legs_.at(id);
    if (id != leg.id && other.state == LegState::up && other.connected) set_held(other, true, now);
  }
}

// How a call finds its way.

void Tenant::route(Call& call, Leg& caller, std::string_view to, TimePoint now, int forwards) {
  if (forwards > kForwardsMax) return refuse(call, caller, Cause::congestion, now);
  const Outcome outcome = call.plan.outcome;
  if (outcome == Outcome::unallocated) return refuse(call, caller, Cause::unallocated, now);
  if (outcome == Outcome::congestion) return refuse(call, caller, Cause::congestion, now);

  if (const auto index = find_extension(to); index != kOutside) {
    const Extension& extension = extensions_[index];
    const Forwarding& forwarding = extension.forwarding;
    const bool direct = call.plan.direct && forwards == 0;
    if (!direct && !forwarding.always.empty()) {
      call.diverted_by.push_back(extension.number);
      return route(call, caller, forwarding.always, now, forwards + 1);
    }
    if (!extension.registered) return refuse(call, caller, Cause::absent, now);
    if (extension.do_not_disturb || extension.forced_busy || outcome == Outcome::busy ||
        extension.legs.size() >= options_.lines) {
      if (direct || forwarding.busy.empty()) return refuse(call, caller, Cause::busy, now);
      call.diverted_by.push_back(extension.number);
      return route(call, caller, forwarding.busy, now, forwards + 1);
    }
    Leg& callee =
        add_leg(call, index, extension.number, false, caller.number, extension.number, now);
    return ring(call, caller, callee, now);
  }

  if (!is_number(to) || to.size() < options_.outside_digits_min) {
    return refuse(call, caller, Cause::unallocated, now);
  }
  if (!caller.connected) set_state(caller, LegState::dialing, now);
  const Leg& callee = add_leg(call, kOutside, to, false, caller.number, to, now);
  schedule(Timer::Kind::progress, now + options_.post_dial, callee.id);
}

void Tenant::ring(Call& call, Leg& caller, Leg& callee, TimePoint now) {
  if (!caller.connected) set_state(caller, LegState::ring_back, now);
  set_state(callee, LegState::ringing, now);
  settle(callee.extension, now);
  schedule(Timer::Kind::give_up, now + options_.ring_timeout, callee.id);
  const Plan& plan = call.plan;
  if (callee.extension != kOutside && extensions_[callee.extension].orbit) {
    schedule(Timer::Kind::answer, now, callee.id);
  } else if (plan.outcome == Outcome::answer && plan.answer_after) {
    schedule(Timer::Kind::answer, now + *plan.answer_after, callee.id);
  } else if (plan.outcome == Outcome::reject) {
    schedule(Timer::Kind::reject, now + plan.answer_after.value_or(kRejectAfter), callee.id);
  }
}

// The number cannot be reached. May end `caller` and `call`.
void Tenant::refuse(Call& call, Leg& caller, Cause cause, TimePoint now) {
  if (caller.connected || cause != Cause::busy) return hang_up_leg(caller, cause, now);
  set_state(caller, LegState::busy, now);
  schedule_end(call, now + options_.busy_tone);
}

void Tenant::answer_leg(Leg& leg, TimePoint now) {
  hold_others(leg, now);
  Call& call = calls_.at(leg.call);
  set_state(leg, LegState::up, now);
  if (leg.callback && !leg.connected) {
    settle(leg.extension, now);
    set_state(leg, LegState::dialing, now);
    const std::string to = leg.to;
    return route(call, leg, to, now);
  }
  leg.connected = true;
  for (const LegId id : call.legs) {
    Leg& other = legs_.at(id);
    if (id == leg.id || other.state == LegState::ringing) continue;
    if (other.connected) {
      tell(Change::Kind::joined, other, now);
    } else {
      other.connected = true;
      set_state(other, LegState::up, now);
    }
  }
  bool ours = false;
  for (const LegId id : call.legs) {
    Leg& each = legs_.at(id);
    settle(each.extension, now);
    ours = ours || each.extension != kOutside;
    if (options_.record_all && each.extension != kOutside && each.state == LegState::up) {
      set_recording(each, true, now);
    }
  }
  if (call.plan.duration) {
    schedule_end(call, now + *call.plan.duration);
  } else if (!ours) {
    schedule_end(call, now + kOutsideOnlyFor);
  }
}

// Time.

std::uint64_t Tenant::schedule(Timer::Kind kind, TimePoint at, std::uint64_t id) {
  timers_.push({at, ++last_timer_, kind, id});
  return last_timer_;
}

void Tenant::schedule_end(Call& call, TimePoint at) {
  call.end_timer = schedule(Timer::Kind::end, at, call.id);
}

TimePoint Tenant::deadline() const { return timers_.empty() ? TimePoint::max() : timers_.top().at; }

void Tenant::advance(TimePoint now) {
  while (!timers_.empty() && timers_.top().at <= now) {
    const Timer timer = timers_.top();
    timers_.pop();
    fire(timer);
  }
}

// Timers are not taken back: those whose leg has gone, or gone on, do nothing.
void Tenant::fire(const Timer& timer) {
  if (timer.kind == Timer::Kind::end) {
    const auto it = calls_.find(timer.id);
    if (it == calls_.end() || it->second.end_timer != timer.order) return;
    Leg& last = legs_.at(it->second.legs.back());
    const Cause cause = last.state == LegState::busy ? Cause::busy : Cause::normal;
    const CallId call = last.call;
    manner_ = Manner::own;
    end_leg(last, cause, timer.at);
    manner_ = Manner::plain;
    return end_rest(call, cause, timer.at);
  }

  Leg* leg = leg_of(timer.id);
  if (!leg) return;
  Call& call = calls_.at(leg->call);
  Leg* caller = nullptr;
  if (const Leg* partner = partner_of(*leg)) caller = leg_of(partner->id);

  if (timer.kind == Timer::Kind::progress) {
    if (leg->state != LegState::initial || !caller) return;
    if (call.plan.outcome != Outcome::busy) return ring(call, *caller, *leg, timer.at);
    end_leg(*leg, Cause::busy, timer.at);
    return refuse(call, *caller, Cause::busy, timer.at);
  }
  if (leg->state != LegState::ringing) return;
  if (timer.kind == Timer::Kind::answer) return answer_leg(*leg, timer.at);
  if (timer.kind == Timer::Kind::reject) {
    return hang_up_leg(*leg, Cause::rejected, timer.at, Manner::own);
  }

  // give_up
  if (leg->extension != kOutside && !leg->callback && caller) {
    const std::string& to = extensions_[leg->extension].forwarding.no_answer;
    if (!to.empty() && !call.plan.direct) {
      call.diverted_by.push_back(leg->number);
      manner_ = Manner::diverted;
      end_leg(*leg, Cause::no_answer, timer.at);
      manner_ = Manner::plain;
      return route(call, *caller, to, timer.at, 1);
    }
  }
  hang_up_leg(*leg, Cause::no_answer, timer.at);
}

}  // namespace simulator::engine
