#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "pbx/innova360/legs_impl.h"

// Which legs are one call.
namespace pbx::innova360 {

using call::Cause;
using call::ConnectionState;
using call::Role;
using namespace std::chrono_literals;

namespace {

constexpr auto kJoinWindow = 5s;   // two legs of one call begin within this
constexpr auto kLegPatience = 1s;  // an extension that has no leg of its own gets one of ours

// Whose public number is its own side's is the extension itself.
Ends own_side_named(Ends ends, const std::string& extension) {
  std::string& own = ends.outgoing ? ends.phone_a : ends.phone_b;
  const std::string& did = ends.outgoing ? ends.did_a : ends.did_b;
  if (!did.empty() && bare_number(own) == bare_number(did)) own = extension;
  return ends;
}

}  // namespace

std::string phones_of(const Ends& ends) {
  std::string a = bare_number(ends.phone_a), b = bare_number(ends.phone_b);
  return a.empty() || b.empty() ? std::string() : a + '>' + b;
}

// ---- Beginnings. ----

Leg& Legs::Impl::add_leg(const std::string& extension, const std::string& callid, TimePoint now) {
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

void Legs::Impl::set_ends(Leg& leg, const Ends& ends) {
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

bool Legs::Impl::waits(const Leg& leg) {
  if (!leg.ends.outgoing || !leg.ends_known || leg.prompting || leg.group->answered) return false;
  if (leg.last != Step::unknown) return leg.state == ConnectionState::connected;
  // Up is an answer; Ringing is said of the own phone, if it comes first.
  return leg.in_snapshot != Step::up && leg.in_snapshot != Step::ringing &&
         leg.in_snapshot != Step::busy;
}

Group* Legs::Impl::waiting_call_of(const Leg& leg) const {
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

Group* Legs::Impl::group_of(const Leg& leg, bool& by_transfer) const {
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
    if (group == leg.group || leg.created > transfer.until || leg.extension == transfer.transferor)
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

void Legs::Impl::take_far_away(Group& group, const Leg& joined, bool by_transfer) {
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

Group& Legs::Impl::new_group(Leg& leg) {
  std::string key = leg.id;
  while (groups.contains(key)) key += '+';
  Group& group = *(groups[key] = std::make_unique<Group>());
  group.key = std::move(key);
  put(leg, group);
  return group;
}

void Legs::Impl::put(Leg& leg, Group& group) {
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

void Legs::Impl::join(Leg& leg) {
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

void Legs::Impl::merge(Group& into, Group& from) {
  if (from.far && is_shown(from)) {
    into.parting.push_back(ended(shown_far(*from.far), Cause::unspecified, {}));
  }
  std::move(from.parting.begin(), from.parting.end(), std::back_inserter(into.parting));
  for (Leg* leg : std::exchange(from.legs, {})) put(*leg, into);
  into.answered |= from.answered;
  drop(from);
}

void Legs::Impl::drop(Group& group) {
  std::erase(transferring, &group);
  groups.erase(groups.find(group.key));
}

// ---- The party at the other end. ----

void Legs::Impl::put_far(Leg& leg, const std::string& number, ConnectionState state) {
  leg.group->far = Far{leg.id + "/far", party_of(number),
                       leg.ends.outgoing ? Role::called : Role::calling, state, false};
}

bool Legs::Impl::may_have_leg(const Leg& leg, const std::string& number) const {
  return number != leg.extension && is_extension(number);
}

void Legs::Impl::add_caller(Leg& leg, bool patient, TimePoint now) {
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

bool Legs::Impl::progress(Leg& leg, ConnectionState state, bool patient, TimePoint now) {
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

}  // namespace pbx::innova360
