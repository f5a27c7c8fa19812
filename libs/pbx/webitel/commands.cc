#include "pbx/webitel/commands.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "pbx/webitel/command_codec.h"
#include "pbx/webitel/refusals.h"

namespace pbx::webitel {
namespace {

using base::Errc;
using call::Cause;
using call::ConnectionState;
using call::Refusal;
using call::Service;

bool has(const std::vector<std::string>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// The agent is, or was, as was asked already: then the PBX calls it an error.
bool says_already(const RestError& error) {
  return error.code == 400 &&
         (error.id == "app.agent.login.app_err" || error.id == "app.agent.logout.app_err" ||
          error.id == "app.agent.pause.app_err");
}

}  // namespace

// ---- What comes of them.

std::optional<call::CommandId> Commands::cause_of(Legs::Seen& seen) {
  for (auto& [id, pending] : pending_) {
    if (pending.dialling) {
      for (call::Leg& leg : seen.view.legs) {
        const bool ours = pending.made ? leg.id == pending.leg : is_made_by(pending, leg, seen);
        if (!ours) continue;
        if (!pending.made) claim(id, leg.id);
        if (leg.cause == Cause::unspecified) leg.cause = Cause::make_call;
        return id;
      }
      continue;
    }
    if (pending.sent == 0) continue;
    for (const call::Leg& leg : seen.view.legs) {
      if (has(pending.legs, leg.id)) return id;
    }
  }
  return std::nullopt;
}

// A poll does not tell which legs were made by request (webitel.md 5.3): then the number counts.
bool Commands::is_made_by(const Pending& pending, const call::Leg& leg,
                          const Legs::Seen& seen) const {
  if (leg.role != call::Role::calling || leg.party.device.str() != pending.extension ||
      leg.state == ConnectionState::null || has(pending.before, leg.id)) {
    return false;
  }
  const auto dialled = dialled_number(seen.view.dialled);
  if (dialled) return is_same_number(*dialled, pending.number);
  const auto known = legs_.find(leg.id);
  return known && known->originate;
}

// The leg is this command's, and no other's.
void Commands::claim(call::CommandId id, const std::string& leg) {
  for (auto& [other, pending] : pending_) {
    if (other == id) {
      pending.made = true;
      pending.leg = leg;
    } else if (pending.dialling) {
      pending.before.push_back(leg);
    }
  }
}

void Commands::review(TimePoint now, Effects& effects) {
  for (auto it = pending_.begin(); it != pending_.end();) {
    const auto here = it++;
    settle(here, now, effects);
  }
}

// Answers the command if its effect is there, or cannot come any more; or begins its second step.
void Commands::settle(Iterator it, TimePoint now, Effects& effects) {
  Pending& pending = it->second;
  const auto gone = [&](const std::string& leg) { return !legs_.find(leg); };
  switch (pending.service) {
    case Service::make_call:
      if (pending.made && !gone(pending.leg)) answer(it, call::Outcome{pending.leg}, effects);
      break;
    case Service::hold_call:
    case Service::retrieve_call: {
      const auto known = legs_.find(pending.leg);
      if (!known) {
        refuse(it, {Errc::call_not_found, "the call ended before it could be done"}, effects);
      } else if (known->state == (pending.service == Service::hold_call
                                      ? ConnectionState::hold
                                      : ConnectionState::connected)) {
        answer(it, call::Outcome{pending.leg}, effects);
      }
      break;
    }
    case Service::clear_connection:
    case Service::clear_call:
    case Service::transfer_call:
    case Service::single_step_transfer_call:
    case Service::deflect_call:
      if (std::all_of(pending.legs.begin(), pending.legs.end(), gone)) {
        answer(it, call::Outcome{pending.leg}, effects);
      }
      break;
    case Service::alternate_call:
    case Service::reconnect_call:
    case Service::consultation_call: settle_steps(it, now, effects); break;
    case Service::generate_digits:
      if (gone(pending.leg)) {
        refuse(it, {Errc::call_not_found, "the call ended before all digits were sent"}, effects);
      }
      break;
    // Before the PBX has taken these, the old state may happen to be the wanted one.
    case Service::set_do_not_disturb: {
      const call::Device* device = directory_.device(pending.extension);
      if (pending.open == 0 && device && device->do_not_disturb == pending.on) {
        answer(it, call::Outcome{}, effects);
      }
      break;
    }
    case Service::set_agent_state:
      if (pending.open == 0 && is_agent_as_wanted(pending)) answer(it, call::Outcome{}, effects);
      break;
    default: break;
  }
}

void Commands::settle_steps(Iterator it, TimePoint now, Effects& effects) {
  Pending& pending = it->second;
  const auto first = legs_.find(pending.legs.front());
  if (pending.step == 0) {
    if (pending.service == Service::reconnect_call) {
      if (first) return;
    } else if (!first) {
      return refuse(it, {Errc::call_not_found, "the call ended before it could be held"}, effects);
    } else if (first->state != ConnectionState::hold) {
      return;
    }
    if (pending.service == Service::consultation_call) return dial(it, now, effects);
    begin_step(pending, options_.action_limit, now);
    pending.legs = {pending.next};
    if (!legs_.find(pending.next)) {
      return refuse(it, {Errc::call_not_found, "the held call ended before it was retrieved"},
                    effects);
    }
    return say_of(it, "call_unhold", pending.next, effects);
  }
  if (pending.dialling) {
    if (pending.made && legs_.find(pending.leg)) answer(it, call::Outcome{pending.leg}, effects);
  } else if (!first) {
    refuse(it, {Errc::call_not_found, "the held call ended before it was retrieved"}, effects);
  } else if (first->state == ConnectionState::connected) {
    answer(it, call::Outcome{pending.leg}, effects);
  }
}

bool Commands::is_agent_as_wanted(const Pending& pending) const {
  using call::AgentState;
  const call::Device* device = directory_.device(pending.extension);
  if (!device || !device->agent_state) return false;
  switch (*device->agent_state) {
    // Who is online may be in a call at once.
    case AgentState::ready:
    case AgentState::busy:
    case AgentState::working_after_call: return pending.state == AgentState::ready;
    case AgentState::not_ready:
      return pending.state == AgentState::not_ready &&
             (device->agent_reason == pending.reason || device->agent_reason.empty());
    case AgentState::logged_off: return pending.state == AgentState::logged_off;
    default: return false;
  }
}

// ---- What the PBX says to them.

std::optional<Commands::Iterator> Commands::take(const Asked& asked) {
  const auto it = pending_.find(asked.command);
  if (it == pending_.end() || it->second.step != asked.step) return std::nullopt;
  --it->second.open;
  return it;
}

bool Commands::on_reply(const SocketReply& reply, TimePoint now, Effects& effects) {
  const auto said = said_.find(reply.request);
  if (said == said_.end()) return false;
  const Asked asked = said->second;
  said_.erase(said);
  if (const auto it = take(asked)) {
    if (reply.ok) {
      take_success(*it, now, effects);
    } else {
      take_error(*it, {reply.code, reply.error_id, reply.detail}, now, effects);
    }
  }
  return true;
}

bool Commands::on_http(HttpId id, const base::Result<HttpReply>& reply, TimePoint now,
                       Effects& effects) {
  const auto posted = posted_.find(id);
  if (posted == posted_.end()) return false;
  const Asked asked = posted->second;
  posted_.erase(posted);
  const auto it = take(asked);
  if (!it) return true;
  Pending& pending = (*it)->second;
  if (!reply) {
    if (was_not_sent(reply.error())) {
      expect_nothing(pending);
      refuse(*it, refusal_of(reply.error(), true), effects);
    } else {
      lose(*it, now, effects);
    }
  } else if (const auto error = error_of(*reply)) {
    take_error(*it, *error, now, effects);
  } else if (pending.dialling) {
    // The device has picked up. Its leg may have been seen already, or may be at the next turn.
    if (const auto leg = made_leg(reply->body)) {
      claim(asked.command, *leg);
      pending.due = std::min(pending.limit, now + options_.action_limit);
    } else {
      pending.lost = true;
    }
    take_success(*it, now, effects);
  } else {
    take_success(*it, now, effects);
  }
  return true;
}

void Commands::take_success(Iterator it, TimePoint now, Effects& effects) {
  Pending& pending = it->second;
  if (pending.service == Service::generate_digits) {
    pending.digits.erase(0, 1);
    if (pending.digits.empty()) return answer(it, call::Outcome{pending.leg}, effects);
    return send_digit(it, now, effects);
  }
  const bool people =
      pending.service == Service::set_do_not_disturb || pending.service == Service::set_agent_state;
  (people ? wants_people_ : wants_calls_) = true;
  settle(it, now, effects);
}

void Commands::take_error(Iterator it, const RestError& error, TimePoint now, Effects& effects) {
  Pending& pending = it->second;
  if (may_have_happened(error)) {
    return lose(it, now, effects);
  }
  if (pending.service == Service::set_agent_state && says_already(error) &&
      is_agent_as_wanted(pending)) {
    return answer(it, call::Outcome{}, effects);
  }
  if (++pending.refused < pending.sent) return;  // another leg's may do
  Refusal refusal = refusal_of(error);
  if (error.code == 404 && refusal.why == Errc::call_not_found && pending.legs.empty()) {
    refusal = {Errc::resource_not_found, "the PBX does not have this user or agent any more"};
  }
  if (pending.step > 0 && !pending.next.empty()) {
    refusal.detail = "after the first step: " + refusal.detail;
  }
  expect_nothing(pending);
  refuse(it, std::move(refusal), effects);
}

// The PBX has not done it: what its legs do is somebody else's doing.
void Commands::expect_nothing(const Pending& pending) {
  bool dials = false;  // another one, for the same user
  std::vector<std::string> legs = pending.legs;
  for (const auto& [id, other] : pending_) {
    if (&other == &pending) continue;
    dials = dials || (other.dialling && other.user == pending.user);
    const std::vector<std::string>& others = other.legs;
    std::erase_if(legs, [&](const std::string& leg) { return has(others, leg); });
  }
  if (pending.dialling && !dials) legs_.expect_made(pending.user, TimePoint::min());
  for (const std::string& leg : legs) legs_.expect_none(leg);
}

// It may have been carried out, and nobody says.
void Commands::lose(Iterator it, TimePoint now, Effects& effects) {
  Pending& pending = it->second;
  pending.lost = true;
  (pending.dialling ? wants_calls_ : wants_people_) = true;
  settle(it, now, effects);
}

bool Commands::wants_calls() { return std::exchange(wants_calls_, false); }

bool Commands::wants_people() { return std::exchange(wants_people_, false); }

void Commands::on_tick(TimePoint now, Effects& effects) {
  for (auto it = pending_.begin(); it != pending_.end();) {
    const auto here = it++;
    const Pending& pending = here->second;
    if (pending.due > now) continue;
    Refusal refusal{Errc::effect_not_seen, "the PBX took it, but it had no visible effect"};
    if (pending.lost || pending.open > 0) {
      refusal = {Errc::outcome_unknown, "it was sent, and the PBX did not answer"};
    }
    refuse(here, std::move(refusal), effects);
  }
}

TimePoint Commands::deadline() const {
  TimePoint first = TimePoint::max();
  for (const auto& [id, pending] : pending_) first = std::min(first, pending.due);
  return first;
}

void Commands::refuse(Iterator it, Refusal refusal, Effects& effects) {
  answer(it, std::move(refusal), effects);
}

void Commands::answer(Iterator it, call::Reply reply, Effects& effects) {
  effects.push_back(Answer{it->first, std::move(reply)});
  pending_.erase(it);
}

}  // namespace pbx::webitel
