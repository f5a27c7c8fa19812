#include "pbx/innovaphone/commands.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "pbx/innovaphone/diversions.h"

namespace pbx::innovaphone {
namespace {

using base::Errc;
using call::ConnectionState;
using call::Refusal;
using call::Service;

bool is_acknowledged(Service service) {
  return service == Service::generate_digits || service == Service::set_presence ||
         service == Service::set_do_not_disturb || service == Service::set_forwarding;
}

bool same_number(std::string_view told, std::string_view dialled) {
  return told.empty() || told == dialled || told.ends_with(dialled) || dialled.ends_with(told);
}

}  // namespace

bool Commands::on_result(const Result& result, const std::string& src, TimePoint now,
                         Effects& effects) {
  const auto asked = asked_.find(src);
  if (asked == asked_.end()) return false;
  const auto it = pending_.find(asked->second);
  asked_.erase(asked);
  if (it == pending_.end()) return true;
  Pending& pending = it->second;
  pending.open.erase(src);
  const bool makes = result.mt == "UserCall" || result.mt == "UserPickup";
  if (is_refused(result) || (makes && result.call == 0)) {
    pending.why = result.error;
    if (++pending.refused < pending.sent) return true;  // another leg's may do
    std::string detail = result.mt == "UserCall"     ? "the PBX did not make the call"
                         : result.mt == "UserPickup" ? "the PBX had nothing to pick up"
                                                     : "the PBX refused it";
    if (!result.error.empty()) detail += ": " + result.error;
    answer(it, Refusal{Errc::pbx_refused, std::move(detail)}, effects);
    return true;
  }
  if (is_acknowledged(pending.service)) {
    if (pending.open.empty()) answer(it, call::Outcome{pending.leg}, effects);
    return true;
  }
  if (makes) {
    const User* user = users_.find(pending.guid);
    const Legs::Handle handle{pending.link, user != nullptr ? user->handle : 0, result.call};
    pending.handle = handle;
    if (legs_.leg_of(handle).empty() && result.mt == "UserCall") legs_.expect_made(handle);
  }
  settle(it, now, effects);
  return true;
}

// May come before the answer that has the handle.
void Commands::on_call(const Legs::Handle& handle, const std::string& guid, const CallInfo& info) {
  for (auto& [id, pending] : pending_) {
    const bool awaits = pending.dialling || pending.service == Service::directed_pickup_call;
    if (!awaits || pending.guid != guid || pending.link != handle.link || pending.handle) continue;
    const std::string leg = legs_.leg_of(handle);
    if (leg.empty() ||
        std::find(pending.legs.begin(), pending.legs.end(), leg) != pending.legs.end()) {
      continue;
    }
    if (pending.dialling) {
      if ((info.state & kIncoming) != 0 || low_of(info.state) > Low::alert) continue;
      if (!same_number(info.peer.e164, pending.destination)) continue;
    } else if (const auto known = legs_.find(leg); !known || known->key != pending.key) {
      continue;
    }
    pending.handle = handle;
    return;
  }
}

std::optional<call::CommandId> Commands::cause_of(call::CallView& view) const {
  for (const auto& [id, pending] : pending_) {
    if (pending.handle) {
      const std::string leg = legs_.leg_of(*pending.handle);
      for (call::Leg& it : view.legs) {
        if (leg.empty() || it.id != leg) continue;
        if (pending.dialling && it.cause == call::Cause::unspecified && !it.vendor_cause.q850) {
          it.cause = call::Cause::make_call;
        }
        return id;
      }
    }
    if (pending.sent == 0) continue;
    if (!pending.key.empty() && pending.key == view.key) return id;
    for (const call::Leg& it : view.legs) {
      if (std::find(pending.legs.begin(), pending.legs.end(), it.id) != pending.legs.end()) {
        return id;
      }
    }
  }
  return std::nullopt;
}

void Commands::review(TimePoint now, Effects& effects) {
  for (auto it = pending_.begin(); it != pending_.end();) {
    const auto next = std::next(it);
    settle(it, now, effects);
    it = next;
  }
}

// Answers the command if its effect is there, or cannot come any more.
bool Commands::settle(Iterator it, TimePoint now, Effects& effects) {
  Pending& pending = it->second;
  const auto state = [&](std::size_t index) {
    const auto known = legs_.find(pending.legs[index]);
    return known ? known->state : ConnectionState::null;
  };
  const auto done = [&](std::string leg) {
    answer(it, call::Outcome{std::move(leg)}, effects);
    return true;
  };
  const auto too_late = [&] {
    answer(it, Refusal{Errc::call_not_found, "the call ended before it could be done"}, effects);
    return true;
  };
  const auto all_gone = [&] {
    return std::none_of(pending.legs.begin(), pending.legs.end(),
                        [&](const std::string& leg) { return legs_.find(leg).has_value(); });
  };
  // The new call, once it has been told of.
  const auto made = [&]() -> std::string {
    if (!pending.handle) return {};
    std::string leg = legs_.leg_of(*pending.handle);
    const auto known = leg.empty() ? std::nullopt : legs_.find(leg);
    return known && known->state != ConnectionState::null ? leg : std::string();
  };
  switch (pending.service) {
    case Service::make_call:
      if (std::string leg = made(); !leg.empty()) return done(std::move(leg));
      return false;
    case Service::consultation_call:
      if (pending.dialling) {
        if (std::string leg = made(); !leg.empty()) return done(std::move(leg));
        return false;
      }
      if (state(0) == ConnectionState::null) return too_late();
      if (state(0) == ConnectionState::hold) dial(it->first, pending, now, effects);
      return false;
    case Service::answer_call:
    case Service::retrieve_call:
      if (state(0) == ConnectionState::null) return too_late();
      return state(0) == ConnectionState::connected && done(pending.leg);
    case Service::hold_call:
      if (state(0) == ConnectionState::null) return too_late();
      return state(0) == ConnectionState::hold && done(pending.leg);
    case Service::alternate_call:
    case Service::reconnect_call: {
      // The active one first: to be held, or to be gone.
      const bool alternates = pending.service == Service::alternate_call;
      if (state(1) == ConnectionState::null || (alternates && state(0) == ConnectionState::null)) {
        return too_late();
      }
      if (!pending.second &&
          state(0) == (alternates ? ConnectionState::hold : ConnectionState::null)) {
        pending.second = true;
        pending.sent = pending.refused = 0;  // of the first half, which has worked
        pending.due = std::min(pending.limit, now + options_.action_limit);
        if (state(1) != ConnectionState::connected) {
          act(it->first, pending, pending.legs[1], "UserRetrieve", {}, now, effects);
        }
      }
      return pending.second && state(1) == ConnectionState::connected && done(pending.leg);
    }
    case Service::park_call:
      return (all_gone() || state(0) == ConnectionState::queued) && done(pending.leg);
    case Service::clear_connection:
    case Service::clear_call:
    case Service::single_step_transfer_call:
    case Service::deflect_call:
    case Service::transfer_call: return all_gone() && done(pending.leg);
    case Service::directed_pickup_call: {
      if (!pending.handle) return false;
      const std::string leg = legs_.leg_of(*pending.handle);
      const auto known = leg.empty() ? std::nullopt : legs_.find(leg);
      return known && known->state == ConnectionState::connected && done(leg);
    }
    default: return false;
  }
}

void Commands::on_link_lost(LinkId link, Effects& effects) {
  for (auto it = pending_.begin(); it != pending_.end();) {
    const auto next = std::next(it);
    if (it->second.link == link) {
      answer(it, Refusal{Errc::outcome_unknown, "the connection to the user's PBX was lost"},
             effects);
    }
    it = next;
  }
}

void Commands::on_tick(TimePoint now, Effects& effects) {
  for (auto it = pending_.begin(); it != pending_.end();) {
    const auto next = std::next(it);
    if (it->second.due <= now) {
      Refusal refusal{Errc::effect_not_seen, "the PBX accepted it, but nothing came of it"};
      if (!it->second.open.empty()) {
        refusal = {
            Errc::outcome_unknown,
            is_acknowledged(it->second.service) && it->second.service != Service::generate_digits
                ? "the PBX did not answer: does the App object grant PbxApi?"
                : "it was sent, and the PBX did not answer"};
      }
      answer(it, std::move(refusal), effects);
    }
    it = next;
  }
}

TimePoint Commands::deadline() const {
  TimePoint first = TimePoint::max();
  for (const auto& [id, pending] : pending_) first = std::min(first, pending.due);
  return first;
}

void Commands::answer(Iterator it, call::Reply reply, Effects& effects) {
  if (std::holds_alternative<Refusal>(reply)) {
    for (const std::string& leg : it->second.legs) legs_.forget(leg);
    legs_.forget(it->second.picked);
  }
  for (const std::string& src : it->second.open) asked_.erase(src);
  effects.push_back(Answer{it->first, std::move(reply)});
  pending_.erase(it);
}

}  // namespace pbx::innovaphone
