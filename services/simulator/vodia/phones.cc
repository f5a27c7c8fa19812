#include "simulator/vodia/phones.h"

#include <utility>

namespace simulator::vodia {

using engine::ExtensionIndex;
using engine::Leg;
using engine::LegState;
using engine::TimePoint;

namespace {

const std::string& number_of(const Pbx& pbx, ExtensionIndex who) {
  return pbx.tenant.extension(who).number;
}

// What rings at `number`, or with an empty one anywhere.
bool pick_up(Pbx& pbx, ExtensionIndex who, std::string_view number, TimePoint now) {
  const std::string& own = number_of(pbx, who);
  if (!number.empty()) return !pbx.tenant.pick_up(own, number, now);
  for (const auto& each : pbx.tenant.extensions()) {
    if (each.number != own && !pbx.tenant.pick_up(own, each.number, now)) return true;
  }
  return false;
}

bool dial_star(Pbx& pbx, ExtensionIndex who, std::string_view to, TimePoint now) {
  const std::string_view rest = to.substr(3);
  if (to.starts_with("*87")) return pick_up(pbx, who, rest, now);
  if (to.starts_with("*78") || to.starts_with("*79")) {
    pbx.set_do_not_disturb(who, to.starts_with("*78"), now);
    return true;
  }
  if (to.starts_with("*72") || to.starts_with("*73")) {
    engine::Forwarding forwarding = pbx.tenant.extension(who).forwarding;
    forwarding.always = to.starts_with("*72") ? rest : "";
    return !pbx.tenant.set_forwarding(number_of(pbx, who), std::move(forwarding));
  }
  return false;
}

}  // namespace

const Leg* own_leg(const Pbx& pbx, ExtensionIndex who, std::string_view id) {
  for (const auto leg_id : pbx.tenant.extension(who).legs) {
    const Leg* leg = pbx.tenant.find_leg(leg_id);
    if (pbx.calls.id_of(leg->call) == id) return leg;
  }
  return nullptr;
}

std::string remote_party(const Pbx& pbx, ExtensionIndex who, std::string_view id) {
  const Leg* leg = own_leg(pbx, who, id);
  if (!leg) return {};
  if (const Leg* other = pbx.tenant.partner_of(*leg)) return other->number;
  return leg->outgoing ? leg->to : leg->from;
}

bool dial(Pbx& pbx, ExtensionIndex who, Dial how, std::string_view to, std::string note,
          TimePoint now) {
  const std::string own = number_of(pbx, who);
  auto& counters = pbx.counters;
  ++counters.originates;
  auto& last = counters.last_originations;
  if (last.size() == engine::Counters::kLastOriginationsMax) last.erase(last.begin());
  std::vector<std::string> notes;
  if (!note.empty()) notes.push_back(std::move(note));
  last.push_back({own, std::string(to), std::move(notes)});

  if (to.size() >= 3 && to.starts_with('*')) return dial_star(pbx, who, to, now);
  if (pbx.settings.type_of(to) == kOrbits && !pbx.tenant.take_over(own, to, now)) return true;
  const auto plan = pbx.tenant.plan_for(to);
  const auto leg = how == Dial::phone ? pbx.tenant.originate(own, to, plan, now)
                                      : pbx.tenant.call_back(own, to, plan, now);
  return leg.has_value();
}

bool answer(Pbx& pbx, ExtensionIndex who, std::string_view id, TimePoint now) {
  const Leg* leg = own_leg(pbx, who, id);
  return leg && !pbx.tenant.answer(number_of(pbx, who), now, leg->id);
}

bool hang_up(Pbx& pbx, ExtensionIndex who, std::string_view id, TimePoint now) {
  const Leg* leg = own_leg(pbx, who, id);
  return leg && !pbx.tenant.hang_up(number_of(pbx, who), now, leg->id);
}

bool reject(Pbx& pbx, ExtensionIndex who, std::string_view id, TimePoint now) {
  const Leg* leg = own_leg(pbx, who, id);
  if (!leg || leg->state != LegState::ringing) return false;
  return !pbx.tenant.hang_up(number_of(pbx, who), now, leg->id);
}

bool hold(Pbx& pbx, ExtensionIndex who, std::string_view id, TimePoint now) {
  const Leg* leg = own_leg(pbx, who, id);
  return leg && !pbx.tenant.hold(number_of(pbx, who), now, leg->id);
}

bool resume(Pbx& pbx, ExtensionIndex who, std::string_view id, TimePoint now) {
  const Leg* leg = own_leg(pbx, who, id);
  return leg && !pbx.tenant.retrieve(number_of(pbx, who), now, leg->id);
}

bool toggle_hold(Pbx& pbx, ExtensionIndex who, std::string_view id, TimePoint now) {
  const Leg* leg = own_leg(pbx, who, id);
  if (!leg) return false;
  return leg->held ? resume(pbx, who, id, now) : hold(pbx, who, id, now);
}

bool transfer(Pbx& pbx, ExtensionIndex who, std::string_view id, std::string_view to,
              TimePoint now) {
  const Leg* leg = own_leg(pbx, who, id);
  if (!leg) return false;
  const std::string own = number_of(pbx, who);
  const auto plan = pbx.tenant.plan_for(to);
  if (leg->state == LegState::ringing && !leg->callback) {
    return !pbx.tenant.deflect(own, to, plan, now, leg->id);
  }
  return !pbx.tenant.transfer(own, to, plan, now, leg->id);
}

bool join(Pbx& pbx, ExtensionIndex who, std::string_view id, std::string_view other_id,
          TimePoint now) {
  const Leg* first = own_leg(pbx, who, id);
  const Leg* second = own_leg(pbx, who, other_id);
  if (!first || !second || first == second) return false;
  return !pbx.tenant.attended_transfer(number_of(pbx, who), now);
}

bool record(Pbx& pbx, ExtensionIndex who, std::string_view id, bool on, TimePoint now) {
  const Leg* leg = own_leg(pbx, who, id);
  return leg && !pbx.tenant.record(number_of(pbx, who), on, now, leg->id);
}

}  // namespace simulator::vodia
