#include "simulator/webitel/phones.h"

#include <algorithm>
#include <utility>

namespace simulator::webitel {

using base::Errc;
using engine::Change;
using engine::kOutside;
using engine::LegState;
using engine::TimePoint;

namespace {

// Why the switch did not even begin.
std::string_view cause_of(const base::Error& why) {
  if (why == Errc::incorrect_state) return "USER_BUSY";
  if (why == Errc::invalid_argument) return "INVALID_NUMBER_FORMAT";
  if (why == Errc::too_many_requests) return "NORMAL_TEMPORARY_FAILURE";
  return "USER_NOT_REGISTERED";
}

}  // namespace

Phones::Wrong Phones::invite(const User& user, const Invitation& wish, const Asker& asker,
                             TimePoint now) {
  ++counters_.originates;
  auto& last = counters_.last_originations;
  if (last.size() >= engine::Counters::kLastOriginationsMax) last.erase(last.begin());
  engine::Origination record{user.extension, wish.destination, {}};
  for (const auto& [name, value] : wish.click.variables) record.user_data.push_back(value);
  last.push_back(std::move(record));

  const auto index = accounts_.extension_of(user);
  if (index == kOutside) return problems::new_call("USER_NOT_REGISTERED");
  channels_.expect(wish.click);
  const auto leg =
      tenant_.call_back(tenant_.extension(index).number, wish.destination,
                        tenant_.plan_for(wish.destination), now, wish.click.auto_answer);
  channels_.expect(std::nullopt);
  if (!leg) return problems::new_call(cause_of(leg.error()));
  Waiting& waiting = waiting_[*leg];
  waiting.asker = asker;
  waiting.key = wish.key;
  if (wish.timeout) waiting.give_up = now + *wish.timeout;
  return std::nullopt;
}

Phones::Wrong Phones::hang_up(std::string_view id, const std::string& cause, TimePoint now) {
  const Channel* channel = channels_.find(id);
  // Of a phone's second call in a conference the switch knows only the other end.
  if (channel && channel->leg == 0) channel = channels_.find(channel->bridged);
  if (!channel || channel->leg == 0) return std::nullopt;
  const std::string number = channel->number;
  channels_.force_cause(cause, false);
  (void)tenant_.hang_up(number, now, channel->leg);
  channels_.force_cause("", false);
  return std::nullopt;
}

Phones::Wrong Phones::hold(std::string_view id, bool on, TimePoint now) {
  const Channel* channel = channels_.find(id);
  if (!channel || channel->leg == 0) return std::nullopt;
  const std::string number = channel->number;
  (void)(on ? tenant_.hold(number, now, channel->leg)
            : tenant_.retrieve(number, now, channel->leg));
  return std::nullopt;
}

Phones::Wrong Phones::dial_tone(std::string_view id, std::string digit, TimePoint now) {
  const Channel* channel = channels_.find(id);
  if (!channel) return problems::no_call();
  if (settings_.variants.dtmf == Variants::Dtmf::same) {
    channels_.tell(*channel, "dtmf", {{"digit", std::move(digit)}}, now);
  }
  return std::nullopt;
}

Phones::Wrong Phones::mute(std::string_view id, bool on) {
  Channel* channel = channels_.find(id);
  if (!channel) return problems::no_call();
  channel->muted = on;
  return std::nullopt;
}

Phones::Wrong Phones::transfer(std::string_view id, const std::string& to, TimePoint now) {
  const Channel* channel = channels_.find(id);
  if (!channel) return problems::no_call();
  const engine::Leg* leg = tenant_.find_leg(channel->leg);
  if (!leg) return Problem{"external.blind_transfer_ext.valid", 400, "no other leg"};
  const std::string number = leg->number;
  const bool rings = leg->state == LegState::ringing && !leg->callback;
  if (rings) channels_.force_cause("ORIGINATOR_CANCEL", true);
  const auto wrong = rings ? tenant_.deflect(number, to, tenant_.plan_for(to), now, leg->id)
                           : tenant_.transfer(number, to, tenant_.plan_for(to), now, leg->id);
  channels_.force_cause("", false);
  if (!wrong) return std::nullopt;
  return Problem{"external.blind_transfer_ext.valid", 400, "no other leg"};
}

Phones::Wrong Phones::bridge(std::string_view from, std::string_view to, TimePoint now) {
  const Channel* one = channels_.find(from);
  const Channel* other = channels_.find(to);
  const auto can = [&](const Channel* it) {
    return it && it->leg != 0 && it->extension != kOutside && !it->bridged.empty() &&
           channels_.find(it->bridged);
  };
  if (!can(one) || !can(other) || one == other || one->extension != other->extension) {
    return problems::bridge();
  }
  const std::string number = one->number;
  if (tenant_.attended_transfer(number, now)) return problems::bridge();
  return std::nullopt;
}

// ---- Who waits for the own phone.

void Phones::on_change(const Change& change) {
  if (!change.leg || waiting_.empty()) return;
  const auto it = waiting_.find(change.leg->id);
  if (it == waiting_.end()) return;
  if (change.kind == Change::Kind::leg_state && change.leg->state == LegState::up) {
    const Waiting waiting = std::move(it->second);
    waiting_.erase(it);
    json::object data;
    data[waiting.key] = channels_.find(change.leg->id)->id;
    outlet_.resolve(waiting.asker, std::move(data), change.at);
  } else if (change.kind == Change::Kind::leg_ended) {
    const Waiting waiting = std::move(it->second);
    waiting_.erase(it);
    outlet_.reject(waiting.asker, problems::new_call(channels_.ended().back().cause), change.at);
  }
}

void Phones::forget(engine::ConnectionId connection) {
  std::erase_if(waiting_, [&](const auto& it) {
    return it.second.asker.ticket == 0 && it.second.asker.connection == connection;
  });
}

TimePoint Phones::deadline() const {
  TimePoint due = TimePoint::max();
  for (const auto& [leg, waiting] : waiting_) due = std::min(due, waiting.give_up);
  return due;
}

void Phones::advance(TimePoint now) {
  for (;;) {
    const auto it = std::find_if(waiting_.begin(), waiting_.end(),
                                 [&](const auto& each) { return each.second.give_up <= now; });
    if (it == waiting_.end()) return;
    const TimePoint at = std::exchange(it->second.give_up, TimePoint::max());
    if (const engine::Leg* leg = tenant_.find_leg(it->first)) {
      const std::string number = leg->number;
      (void)tenant_.hang_up(number, at, leg->id, engine::Cause::no_answer);
    }
  }
}

}  // namespace simulator::webitel
