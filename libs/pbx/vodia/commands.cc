#include "pbx/vodia/commands.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pbx::vodia {
namespace {

using base::Errc;
using call::ConnectionState;
using call::Refusal;
using call::Service;

bool says_no(std::string_view body) {
  // Nothing is no answer, but no refusal either: what POST returns is documented nowhere.
  return !body.empty() && body.find_first_not_of(" \r\n\t\"") != std::string_view::npos &&
         is_refusal(body);
}

}  // namespace

std::optional<call::CommandId> Commands::cause_of(Calls::Seen& seen) {
  for (auto& [id, pending] : pending_) {
    if (pending.dialling && !pending.made && seen.is_new) {
      for (call::Leg& leg : seen.view.legs) {
        if (leg.role != call::Role::calling || leg.party.device.str() != pending.device) continue;
        const std::string dialled = bare_number(seen.view.dialled);
        if (!dialled.empty() && dialled != pending.device &&
            !is_same_number(dialled, pending.number)) {
          continue;
        }
        leg.cause = call::Cause::make_call;
        pending.made = true;
        pending.leg = leg.id;
        return id;
      }
      continue;
    }
    if (pending.sent == 0) continue;
    if (!pending.key.empty() && pending.key == seen.view.key) return id;
    for (const call::Leg& leg : seen.view.legs) {
      if (std::find(pending.legs.begin(), pending.legs.end(), leg.id) != pending.legs.end()) {
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
  const auto known = pending.legs.empty() ? std::nullopt : calls_.find(pending.legs.front());
  const auto done = [&] {
    answer(it, call::Outcome{pending.leg}, effects);
    return true;
  };
  const auto too_late = [&] {
    answer(it, Refusal{Errc::call_not_found, "the call ended before it could be done"}, effects);
    return true;
  };
  const bool all_gone =
      std::none_of(pending.legs.begin(), pending.legs.end(),
                   [&](const std::string& leg) { return calls_.find(leg).has_value(); });
  switch (pending.service) {
    case Service::make_call: return pending.made && done();
    case Service::consultation_call:
      if (pending.made) return done();
      if (!known) return !pending.dialling && too_late();
      if (!pending.dialling && known->state == ConnectionState::hold) {
        calls_.forget(pending.legs.front());
        dial(it->first, pending, now, effects);
      }
      return false;
    case Service::answer_call:
      if (!known) return too_late();
      return known->state == ConnectionState::connected && done();
    case Service::hold_call:
      if (!known) return too_late();
      return known->state == ConnectionState::hold && done();
    case Service::retrieve_call:
      if (!known) return too_late();
      return known->state == ConnectionState::connected && done();
    case Service::start_recording:
    case Service::stop_recording:
      if (!known) return too_late();
      return known->recording.has_value() && *known->recording == pending.on && done();
    case Service::clear_connection:
    case Service::clear_call:
    case Service::single_step_transfer_call:
    case Service::deflect_call:
    case Service::park_call:
    case Service::transfer_call: return all_gone && done();
    case Service::directed_pickup_call:
      return all_gone &&
             (calls_.is_in(pending.device, pending.key) || calls_.is_talking(pending.device)) &&
             done();
    case Service::set_do_not_disturb:
      // Before the PBX has taken it, the old state may happen to be the wanted one.
      return pending.open == 0 && directory_.do_not_disturb(pending.device) == pending.on && done();
    default: return false;
  }
}

std::optional<Commands::Wishes> Commands::on_http(HttpId id, const base::Result<HttpReply>& reply,
                                                  TimePoint now, Effects& effects) {
  const auto asked = asked_.find(id);
  if (asked == asked_.end()) return std::nullopt;
  const Asked what = asked->second;
  asked_.erase(asked);
  Wishes wishes;
  const auto it = pending_.find(what.command);
  if (it == pending_.end()) return wishes;
  Pending& pending = it->second;
  --pending.open;
  if (!reply) {
    if (!was_not_sent(reply.error())) {
      pending.lost = true;
    } else if (++pending.refused >= pending.sent) {
      answer(it, Refusal{Errc::pbx_disconnected, "the PBX's HTTP port could not be reached"},
             effects);
    }
  } else if (what.reads_back) {
    take_forwarding(it, *reply, effects);
  } else {
    take_reply(it, *reply, wishes, now, effects);
  }
  return wishes;
}

void Commands::take_reply(Iterator it, const HttpReply& reply, Wishes& wishes, TimePoint now,
                          Effects& effects) {
  Pending& pending = it->second;
  const bool fine = reply.status >= 200 && reply.status < 300 && !says_no(reply.body);
  if (fine) {
    if (pending.service == Service::set_do_not_disturb) {
      wishes.read_devices = true;
    } else if (pending.service == Service::set_forwarding) {
      SendHttp send = http_.make(read_settings(options_.domain, pending.device), Http::As::admin);
      asked_.emplace(send.id, Asked{it->first, true});
      ++pending.open;
      effects.push_back(std::move(send));
    } else {
      settle(it, now, effects);
    }
    return;
  }
  // Servers that cannot dial for a phone, or do not know this request, have click to dial.
  const bool dials = pending.dialling || pending.service == Service::directed_pickup_call;
  if (dials && !pending.fell_back && (reply.status == 404 || reply.status == 405)) {
    pending.fell_back = true;
    --pending.sent;
    post(it->first, pending,
         click_to_dial(account_of(pending.device, options_.domain), pending.destination), effects);
    return;
  }
  if (reply.status == 401 && !http_.has_admin()) wishes.log_in = true;
  if (++pending.refused < pending.sent) return;  // another leg's may do

  Refusal refusal{Errc::pbx_refused,
                  "the PBX answered with status " + std::to_string(reply.status)};
  if (reply.status >= 200 && reply.status < 300) {
    refusal.detail = "the PBX refused it without a reason";
  } else if (reply.status == 401) {
    refusal = {Errc::credentials_refused,
               http_.has_admin() ? "the PBX refused the system administrator's user and password"
                                 : "the session had expired; we are logging in again"};
  } else if (reply.status == 403) {
    refusal = {Errc::permission_denied, "the PBX does not allow us to act for this extension"};
  } else if (reply.status == 404) {
    refusal = pending.legs.empty()
                  ? Refusal{Errc::device_not_found, "the PBX does not know this extension"}
                  : Refusal{Errc::call_not_found, "the PBX does not know this call any more"};
  } else if (reply.status == 429) {
    refusal = {Errc::too_many_requests, "the PBX takes no more requests for now"};
  }
  answer(it, std::move(refusal), effects);
}

void Commands::take_forwarding(Iterator it, const HttpReply& reply, Effects& effects) {
  Pending& pending = it->second;
  const auto settings = reply.status == 200 ? forwarding_of(reply.body)
                                            : base::Result<ForwardingSettings>(Errc::pbx_refused);
  if (!settings) {
    return answer(it, Refusal{Errc::outcome_unknown, "it was set, but could not be read back"},
                  effects);
  }
  for (call::Observation& seen : directory_.on_forwarding(pending.device, *settings)) {
    effects.push_back(Observe{std::move(seen), it->first});
  }
  const auto& now = pending.forwarding.type == call::ForwardingType::immediate ? settings->all
                    : pending.forwarding.type == call::ForwardingType::busy    ? settings->busy
                                                                            : settings->no_answer;
  if (now.value_or("") == pending.forwarding.destination) {
    answer(it, call::Outcome{}, effects);
  } else {
    answer(it, Refusal{Errc::pbx_refused, "the PBX did not take the new destination"}, effects);
  }
}

void Commands::on_tick(TimePoint now, Effects& effects) {
  for (auto it = pending_.begin(); it != pending_.end();) {
    const auto next = std::next(it);
    if (it->second.due <= now) {
      Refusal refusal{Errc::effect_not_seen, "it was sent, but had no visible effect"};
      if (it->second.lost || it->second.open > 0) {
        refusal = {Errc::outcome_unknown, "it was sent, and the PBX did not answer"};
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
  for (const std::string& leg : it->second.legs) calls_.forget(leg);
  effects.push_back(Answer{it->first, std::move(reply)});
  pending_.erase(it);
}

}  // namespace pbx::vodia
