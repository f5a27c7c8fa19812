#include <utility>

#include "simulator/engine/tenant.h"

// What people (and clients) do at a tenant. What follows from it is in tenant.cc.
namespace simulator::engine {
namespace {

using base::Errc;
using base::Error;

int talking(const Leg& leg) {
  if (leg.state != LegState::up || !leg.connected) return 0;
  return leg.held ? 1 : 2;
}
int talking_not_held(const Leg& leg) { return talking(leg) == 2 ? 1 : 0; }
int held(const Leg& leg) { return leg.held ? 1 : 0; }
int ringing(const Leg& leg) { return leg.state == LegState::ringing ? 1 : 0; }
int ringing_from_elsewhere(const Leg& leg) { return ringing(leg) && !leg.callback ? 1 : 0; }
int dials(const Leg& leg) { return leg.state == LegState::initial && leg.outgoing ? 1 : 0; }
int any(const Leg& leg) { return leg.held ? 1 : 2; }

}  // namespace

base::Result<Leg*> Tenant::pick(std::string_view device, LegId leg, int (*fitness)(const Leg&)) {
  const std::vector<LegId>* candidates = nullptr;
  if (const auto index = find_extension(device); index != kOutside) {
    candidates = &extensions_[index].legs;
  } else if (const auto it = outside_.find(std::string(device)); it != outside_.end()) {
    candidates = &it->second;
  }
  if (!candidates) return Errc::device_not_found;

  Leg* best = nullptr;
  int best_fitness = 0;
  bool seen = false;
  for (auto it = candidates->rbegin(); it != candidates->rend(); ++it) {
    if (leg != 0 && *it != leg) continue;
    seen = true;
    Leg& candidate = legs_.at(*it);
    if (const int fit = fitness(candidate); fit > best_fitness) {
      best = &candidate;
      best_fitness = fit;
    }
  }
  if (best) return best;
  return seen ? Errc::incorrect_state : Errc::call_not_found;
}

base::Result<Extension*> Tenant::extension_named(std::string_view number) {
  const auto index = find_extension(number);
  if (index == kOutside) return Errc::device_not_found;
  return &extensions_[index];
}

Error Tenant::may_call(const Extension& extension) const {
  if (!extension.registered) return Errc::device_out_of_service;
  if (extension.legs.size() >= options_.lines) return Errc::incorrect_state;
  if (calls_.size() >= options_.calls_max) return Errc::too_many_requests;
  return {};
}

base::Result<LegId> Tenant::originate(std::string_view from, std::string_view to, const Plan& plan,
                                      TimePoint now) {
  if (!is_number(from) || !is_number(to)) return Errc::invalid_argument;
  if (calls_.size() >= options_.calls_max) return Errc::too_many_requests;
  const auto index = find_extension(from);
  if (index != kOutside) {
    if (auto error = may_call(extensions_[index])) return error;
  } else if (find_extension(to) == kOutside) {
    return Errc::device_not_found;  // nobody of ours would be in it
  }
  Call& call = add_call(plan, now);
  Leg& caller = add_leg(call, index, from, true, from, to, now);
  const LegId id = caller.id;
  hold_others(caller, now);
  settle(index, now);
  route(call, caller, to, now);
  return id;
}

base::Result<LegId> Tenant::call_back(std::string_view extension, std::string_view to,
                                      const Plan& plan, TimePoint now, bool by_itself) {
  auto found = extension_named(extension);
  if (!found) return found.error();
  if (!is_number(to)) return Errc::invalid_argument;
  if (auto error = may_call(**found)) return error;
  Call& call = add_call(plan, now);
  Leg& leg = add_leg(call, find_extension(extension), extension, true, extension, to, now, true);
  set_state(leg, LegState::ringing, now);
  settle(leg.extension, now);
  schedule(Timer::Kind::give_up, now + options_.ring_timeout, leg.id);
  if (by_itself && options_.callback_answer) {
    schedule(Timer::Kind::answer, now + *options_.callback_answer, leg.id);
  }
  return leg.id;
}

base::Result<LegId> Tenant::seize(std::string_view extension, TimePoint now) {
  auto found = extension_named(extension);
  if (!found) return found.error();
  if (auto error = may_call(**found)) return error;
  Call& call = add_call({}, now);
  const Leg& leg = add_leg(call, find_extension(extension), extension, true, extension, "", now);
  hold_others(leg, now);
  settle(leg.extension, now);
  return leg.id;
}

Error Tenant::dial(std::string_view extension, std::string_view digits, TimePoint now, LegId leg) {
  if (auto found = extension_named(extension); !found) return found.error();
  auto found = pick(extension, leg, dials);
  if (!found) return found.error();
  Leg& caller = **found;
  const std::string to = caller.to + std::string(digits);
  if (digits.empty() || !is_number(to)) return Errc::invalid_argument;
  caller.to = to;
  tell(Change::Kind::dialled, caller, now);
  if (find_extension(to) == kOutside && to.size() < options_.outside_digits_min) return {};
  Call& call = calls_.at(caller.call);
  call.plan = plan_for(to);
  route(call, caller, to, now);
  return {};
}

Error Tenant::answer(std::string_view device, TimePoint now, LegId leg) {
  auto found = pick(device, leg, ringing);
  if (!found) return found.error();
  answer_leg(**found, now);
  return {};
}

Error Tenant::hang_up(std::string_view device, TimePoint now, LegId leg,
                      std::optional<Cause> cause) {
  auto found = pick(device, leg, any);
  if (!found) return found.error();
  const bool refuses = ringing_from_elsewhere(**found);
  const Cause usual = refuses ? Cause::rejected : Cause::normal;
  hang_up_leg(**found, cause.value_or(usual), now, Manner::own);
  return {};
}

Error Tenant::hold(std::string_view device, TimePoint now, LegId leg) {
  auto found = pick(device, leg, talking_not_held);
  if (!found) return found.error();
  set_held(**found, true, now);
  settle((*found)->extension, now);
  return {};
}

Error Tenant::retrieve(std::string_view device, TimePoint now, LegId leg) {
  auto found = pick(device, leg, held);
  if (!found) return found.error();
  hold_others(**found, now);
  set_held(**found, false, now);
  settle((*found)->extension, now);
  return {};
}

Error Tenant::transfer(std::string_view device, std::string_view to, const Plan& plan,
                       TimePoint now, LegId leg) {
  if (!is_number(to)) return Errc::invalid_argument;
  auto found = pick(device, leg, talking);
  if (!found) return found.error();
  Call& call = calls_.at((*found)->call);
  const Leg* other = partner_of(**found);
  if (call.legs.size() != 2 || !other) return Errc::incorrect_state;
  const LegId rest = other->id;
  const auto where = find_extension(to);
  const bool parks = where != kOutside && extensions_[where].orbit;
  manner_ = parks ? Manner::parked : Manner::transferred;
  set_held(**found, false, now);
  call.transferred = true;
  call.transferred_by = (*found)->number;
  call.transferred_to = to;
  call.diverted_by.clear();
  call.plan = plan;
  call.end_timer = 0;
  end_leg(**found, Cause::normal, now);
  route(call, legs_.at(rest), to, now);
  manner_ = Manner::plain;
  return {};
}

Error Tenant::deflect(std::string_view device, std::string_view to, const Plan& plan, TimePoint now,
                      LegId leg) {
  if (!is_number(to)) return Errc::invalid_argument;
  auto found = pick(device, leg, ringing_from_elsewhere);
  if (!found) return found.error();
  Call& call = calls_.at((*found)->call);
  const Leg* other = partner_of(**found);
  if (!other) return Errc::incorrect_state;
  const LegId caller = other->id;
  call.plan = plan;
  call.diverted_by.push_back((*found)->number);
  manner_ = Manner::diverted;
  end_leg(**found, Cause::elsewhere, now);
  manner_ = Manner::plain;
  route(call, legs_.at(caller), to, now);
  return {};
}

// The leg to go on with (the held one, or the older), and the other.
base::Result<std::pair<Leg*, Leg*>> Tenant::two_legs(std::string_view device) {
  auto extension = extension_named(device);
  if (!extension) return extension.error();
  const auto& legs = (*extension)->legs;
  if (legs.empty()) return Errc::call_not_found;
  if (legs.size() != 2) return Errc::incorrect_state;
  Leg* first = leg_of(legs[0]);
  Leg* second = leg_of(legs[1]);
  if (second->held && !first->held) std::swap(first, second);
  if (first->call == second->call || !talking(*first) || !partner_of(*first) ||
      !partner_of(*second)) {
    return Errc::incorrect_state;
  }
  return std::pair(first, second);
}

Error Tenant::attended_transfer(std::string_view device, TimePoint now) {
  auto legs = two_legs(device);
  if (!legs) return legs.error();
  auto [first, second] = *legs;
  Call& call = calls_.at(first->call);
  const CallId consultation = second->call;
  if (ringing(*second) || call.legs.size() != 2 || calls_.at(consultation).legs.size() != 2) {
    return Errc::incorrect_state;
  }
  const Plan plan = calls_.at(consultation).plan;
  manner_ = Manner::transferred;
  set_held(*first, false, now);
  set_held(*second, false, now);
  call.transferred = true;
  call.transferred_by = first->number;
  call.transferred_to = partner_of(*second)->number;
  calls_.at(consultation).transferred_to = partner_of(*first)->number;
  call.diverted_by.clear();
  call.plan = plan;
  call.end_timer = 0;
  end_leg(*first, Cause::normal, now);
  end_leg(*second, Cause::normal, now);
  move_legs(consultation, call);
  bool ours = false;
  bool talks = true;
  for (const LegId id : call.legs) {
    const Leg& leg = legs_.at(id);
    ours = ours || leg.extension != kOutside;
    talks = talks && leg.state == LegState::up;
  }
  for (const LegId id : call.legs) tell(Change::Kind::joined, legs_.at(id), now);
  manner_ = Manner::plain;
  if (!talks) return {};  // the plan goes on once it is answered
  if (plan.duration) {
    schedule_end(call, now + *plan.duration);
  } else if (!ours) {
    schedule_end(call, now + Millis(60'000));
  }
  return {};
}

Error Tenant::conference(std::string_view device, TimePoint now) {
  auto legs = two_legs(device);
  if (!legs) return legs.error();
  auto [first, second] = *legs;
  if (!talking(*second)) return Errc::incorrect_state;
  Call& call = calls_.at(first->call);
  const CallId other = second->call;
  manner_ = Manner::conference;
  set_held(*first, false, now);
  set_held(*second, false, now);
  call.conference = true;
  end_leg(*second, Cause::normal, now);
  move_legs(other, call);
  for (const LegId id : call.legs) tell(Change::Kind::joined, legs_.at(id), now);
  manner_ = Manner::plain;
  return {};
}

Error Tenant::pick_up(std::string_view extension, std::string_view ringing_at, TimePoint now) {
  auto who = extension_named(extension);
  if (!who) return who.error();
  if (auto error = may_call(**who)) return error;
  const auto where = find_extension(ringing_at);
  if (where != kOutside && extensions_[where].orbit) return take_over(extension, ringing_at, now);
  auto found = pick(ringing_at, 0, ringing_from_elsewhere);
  if (!found) return found.error();
  Leg& old = **found;
  Call& call = calls_.at(old.call);
  manner_ = Manner::picked_up;
  Leg& leg = add_leg(call, find_extension(extension), extension, false, old.from, old.to, now);
  end_leg(old, Cause::elsewhere, now);
  manner_ = Manner::plain;
  answer_leg(leg, now);
  return {};
}

Error Tenant::take_over(std::string_view extension, std::string_view from, TimePoint now) {
  auto who = extension_named(extension);
  if (!who) return who.error();
  if (auto error = may_call(**who)) return error;
  auto found = pick(from, 0, talking);
  if (!found) return found.error();
  Leg& old = **found;
  Call& call = calls_.at(old.call);
  manner_ = Manner::picked_up;
  Leg& leg = add_leg(call, find_extension(extension), extension, false, old.from, old.to, now);
  end_leg(old, Cause::elsewhere, now);
  manner_ = Manner::plain;
  answer_leg(leg, now);
  return {};
}

Error Tenant::record(std::string_view device, bool on, TimePoint now, LegId leg) {
  auto found = pick(device, leg, talking);
  if (!found) return found.error();
  if ((*found)->recording == on) return Errc::incorrect_state;
  set_recording(**found, on, now);
  return {};
}

Error Tenant::set_registered(std::string_view extension, bool on, TimePoint now) {
  auto found = extension_named(extension);
  if (!found) return found.error();
  (*found)->registered = on;
  settle(find_extension(extension), now);
  return {};
}

Error Tenant::set_do_not_disturb(std::string_view extension, bool on, TimePoint now) {
  auto found = extension_named(extension);
  if (!found) return found.error();
  if (std::exchange((*found)->do_not_disturb, on) == on) return {};
  ++changes_;
  listener_.on_change({Change::Kind::do_not_disturb, now, find_extension(extension)});
  return {};
}

Error Tenant::set_forced_busy(std::string_view extension, bool on, TimePoint now) {
  auto found = extension_named(extension);
  if (!found) return found.error();
  (*found)->forced_busy = on;
  settle(find_extension(extension), now);
  return {};
}

Error Tenant::set_forwarding(std::string_view extension, Forwarding forwarding, TimePoint now) {
  auto found = extension_named(extension);
  if (!found) return found.error();
  for (const auto* number : {&forwarding.always, &forwarding.busy, &forwarding.no_answer}) {
    if (!number->empty() && !is_number(*number)) return Errc::invalid_argument;
  }
  (*found)->forwarding = std::move(forwarding);
  ++changes_;
  listener_.on_change({Change::Kind::forwarding, now, find_extension(extension)});
  return {};
}

}  // namespace simulator::engine
