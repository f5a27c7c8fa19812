#include "pbx/vodia/commands.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/overloaded.h"

namespace pbx::vodia {
namespace {

using base::Errc;
using call::ConnectionState;
using call::Refusal;
using call::Service;
using Doing = Calls::Doing;

// Of numbers that may differ by a prefix for the outside line or the country.
constexpr std::size_t kSuffixLeast = 3;

Refusal ended(const char* what) { return {Errc::call_not_found, what}; }

std::optional<Refusal> fault_of_number(std::string_view number) {
  if (!bare_number(number).empty() && number.size() <= kNumberMax) return std::nullopt;
  return Refusal{Errc::invalid_argument, "destination: not a number that could be dialled"};
}

bool is_same_number(std::string_view one, std::string_view other) {
  if (one == other) return true;
  return std::min(one.size(), other.size()) >= kSuffixLeast &&
         (one.ends_with(other) || other.ends_with(one));
}

std::optional<std::string_view> key_of(call::ForwardingType type) {
  switch (type) {
    case call::ForwardingType::immediate: return "cfa";
    case call::ForwardingType::busy: return "cfb";
    case call::ForwardingType::no_answer: return "cfn";
    default: return std::nullopt;
  }
}

bool says_no(std::string_view body) {
  // Nothing is no answer, but no refusal either: what POST returns is documented nowhere.
  return !body.empty() && body.find_first_not_of(" \r\n\t\"") != std::string_view::npos &&
         is_refusal(body);
}

}  // namespace

std::chrono::milliseconds Commands::limit_of(Service service) const {
  switch (service) {
    case Service::make_call:
    case Service::consultation_call: return options_.call_limit;
    case Service::answer_call:
    case Service::directed_pickup_call: return options_.answer_limit;
    default: return options_.action_limit;
  }
}

void Commands::ask(call::CommandId id, const call::Command& command, TimePoint limit, TimePoint now,
                   Effects& effects) {
  if (pending_.contains(id)) return;  // it will be answered
  std::optional<Refusal> refusal;
  if (limit <= now) {
    refusal = Refusal{Errc::timed_out, "no time was left to do it in"};
  } else if (pending_.size() >= options_.most) {
    refusal = Refusal{Errc::too_many_requests, "too many commands are waiting for this PBX"};
  } else if (const std::string& device = call::device_of(command).str();
             !device.empty() && !can_act(device)) {
    refusal = Refusal{Errc::credentials_missing,
                      "only a system administrator can act for other extensions: set admin_user"};
  } else {
    Pending pending;
    pending.service = call::service_of(command);
    pending.limit = limit;
    pending.due = std::min(limit, now + limit_of(pending.service));
    refusal = start(id, command, std::move(pending), now, effects);
  }
  if (refusal) effects.push_back(Answer{id, std::move(*refusal)});
}

void Commands::post(call::CommandId id, Pending& pending, Request request, Effects& effects) {
  SendHttp send = http_.make(std::move(request), Http::As::admin);
  asked_.emplace(send.id, Asked{id, false});
  ++pending.open;
  ++pending.sent;
  effects.push_back(std::move(send));
}

void Commands::say(Pending& pending, std::string text, Effects& effects) {
  ++pending.sent;
  effects.push_back(SendText{kPrimary, std::move(text)});
}

// Sends what does this to a leg. Precondition: the leg is there.
void Commands::act(call::CommandId id, Pending& pending, const std::string& leg, Doing doing,
                   Effects& effects) {
  const auto known = *calls_.find(leg);
  const std::string call(known.id), peer(known.peer);
  const std::string account = account_of(known.extension, options_.domain);
  const bool rings = known.state == ConnectionState::alerting && known.role == call::Role::called;
  calls_.expect(leg, doing);
  switch (doing) {
    case Doing::clear:
      if (legacy_) {
        say(pending, action("clear-call", {{"id", call}, {"connected", rings ? "false" : "true"}}),
            effects);
      } else {
        post(id, pending, control(account, {{rings ? "reject" : "hangup", call}}), effects);
      }
      break;
    case Doing::hold:
      if (legacy_) {
        say(pending, action("hold-call", {{"id", call}}), effects);
      } else {
        post(id, pending, control(account, {{"remote-hold", call}}), effects);
      }
      break;
    case Doing::transfer:
    case Doing::deflect:
    case Doing::park:
      if (legacy_) {
        say(pending,
            action("blind-transfer", {{"id", call}, {"from", peer}, {"to", pending.destination}}),
            effects);
      } else {
        post(id, pending, control(account, {{"transfer", call}, {"number", pending.destination}}),
             effects);
      }
      break;
    default: break;
  }
}

void Commands::dial(call::CommandId id, Pending& pending, TimePoint now, Effects& effects) {
  pending.dialling = true;
  pending.due = std::min(pending.limit, now + options_.call_limit);
  const std::string account = account_of(pending.device, options_.domain);
  if (!legacy_) {
    post(id, pending, control(account, {{"remote-dial", pending.destination}}), effects);
  } else if (pending.device == options_.user) {
    say(pending, action("make-call", {{"to", pending.destination}}), effects);
  } else {
    pending.fell_back = true;
    post(id, pending, click_to_dial(account, pending.destination), effects);
  }
}

std::optional<Refusal> Commands::start(call::CommandId id, const call::Command& command,
                                       Pending draft, TimePoint now, Effects& effects) {
  Pending& pending = pending_.emplace(id, std::move(draft)).first->second;
  const auto take_leg = [&](const call::Target& target) -> std::optional<Refusal> {
    if (!calls_.find(target.leg)) return ended("the call has ended");
    if (!can_act(target.device.str())) {
      return Refusal{Errc::credentials_missing, "only a system administrator can act for others"};
    }
    pending.legs.push_back(target.leg);
    pending.device = target.device.str();
    if (pending.leg.empty()) pending.leg = target.leg;
    return std::nullopt;
  };
  const auto send_away = [&](const call::Target& target, const std::string& where,
                             Doing doing) -> std::optional<Refusal> {
    if (auto fault = fault_of_number(where)) return fault;
    if (auto refusal = take_leg(target)) return refusal;
    pending.destination = where;
    act(id, pending, target.leg, doing, effects);
    return std::nullopt;
  };
  const auto record = [&](const call::Target& target, bool on) -> std::optional<Refusal> {
    if (!legacy_) {
      return Refusal{Errc::feature_not_supported,
                     "only servers before 69 take a command to record a call"};
    }
    if (auto refusal = take_leg(target)) return refusal;
    pending.on = on;
    calls_.expect(target.leg, Doing::record);
    const std::string call(calls_.find(target.leg)->id);
    say(pending, action("rec-call", {{"id", call}, {"startstop", on ? "on" : "off"}}), effects);
    return std::nullopt;
  };

  auto refusal = std::visit(
      base::overloaded{
          [&](const call::MakeCall& it) -> std::optional<Refusal> {
            if (auto fault = fault_of_number(it.destination)) return fault;
            if (!it.data.empty()) {
              return Refusal{Errc::invalid_argument, "data: Vodia takes none with a call"};
            }
            pending.device = it.device.str();
            pending.destination = it.destination;
            pending.number = bare_number(it.destination);
            dial(id, pending, now, effects);
            return std::nullopt;
          },
          [&](const call::AnswerCall& it) -> std::optional<Refusal> {
            if (auto refused = take_leg(it.target)) return refused;
            const auto known = calls_.find(it.target.leg);
            const std::string call(known->id);
            if (legacy_) {
              say(pending, action("accept-call", {{"id", call}}), effects);
            } else {
              post(
                  id, pending,
                  control(account_of(known->extension, options_.domain), {{"remote-answer", call}}),
                  effects);
            }
            return std::nullopt;
          },
          [&](const call::ClearConnection& it) -> std::optional<Refusal> {
            if (auto refused = take_leg(it.target)) return refused;
            act(id, pending, it.target.leg, Doing::clear, effects);
            return std::nullopt;
          },
          [&](const call::ClearCall& it) -> std::optional<Refusal> {
            std::optional<Refusal> first;
            for (const call::Target& target : it.targets) {
              auto refused = take_leg(target);
              if (!first) first = std::move(refused);
            }
            if (pending.legs.empty()) {
              return first ? first : ended("the call has no connection that can be cleared");
            }
            pending.leg.clear();
            for (const std::string& leg : pending.legs) {
              act(id, pending, leg, Doing::clear, effects);
            }
            return std::nullopt;
          },
          [&](const call::HoldCall& it) -> std::optional<Refusal> {
            if (auto refused = take_leg(it.target)) return refused;
            // A legacy server's message is a switch: it must not be pressed twice.
            if (calls_.find(it.target.leg)->state != ConnectionState::connected) {
              return Refusal{Errc::incorrect_state, "only a connected call can be held"};
            }
            act(id, pending, it.target.leg, Doing::hold, effects);
            return std::nullopt;
          },
          [&](const call::RetrieveCall& it) -> std::optional<Refusal> {
            if (auto refused = take_leg(it.target)) return refused;
            const auto known = calls_.find(it.target.leg);
            if (known->state != ConnectionState::hold) {
              return Refusal{Errc::incorrect_state, "only a held call can be retrieved"};
            }
            const std::string call(known->id);
            if (legacy_) {
              say(pending, action("hold-call", {{"id", call}}), effects);
            } else {
              post(
                  id, pending,
                  control(account_of(known->extension, options_.domain), {{"remote-resume", call}}),
                  effects);
            }
            return std::nullopt;
          },
          [&](const call::ConsultationCall& it) -> std::optional<Refusal> {
            if (auto fault = fault_of_number(it.destination)) return fault;
            if (auto refused = take_leg(it.target)) return refused;
            pending.leg.clear();
            pending.device = it.target.device.str();
            pending.destination = it.destination;
            pending.number = bare_number(it.destination);
            act(id, pending, it.target.leg, Doing::hold, effects);
            return std::nullopt;
          },
          [&](const call::TransferCall& it) -> std::optional<Refusal> {
            if (auto refused = take_leg(it.active)) return refused;
            if (auto refused = take_leg(it.held)) return refused;
            const auto active = calls_.find(it.active.leg), held = calls_.find(it.held.leg);
            const std::string one(held->id), two(active->id);
            calls_.expect(it.active.leg, Doing::join);
            calls_.expect(it.held.leg, Doing::join);
            if (legacy_) {
              const std::string from(held->peer), to(active->peer);
              say(pending,
                  action("att-transfer", {{"id", one}, {"from", from}, {"id2", two}, {"to", to}}),
                  effects);
            } else {
              post(id, pending,
                   control(account_of(active->extension, options_.domain),
                           {{"transfer", one}, {"id", two}}),
                   effects);
            }
            return std::nullopt;
          },
          [&](const call::SingleStepTransferCall& it) {
            return send_away(it.target, it.destination, Doing::transfer);
          },
          [&](const call::DeflectCall& it) {
            return send_away(it.target, it.destination, Doing::deflect);
          },
          [&](const call::ParkCall& it) -> std::optional<Refusal> {
            if (it.slot.empty()) {
              return Refusal{Errc::invalid_argument, "destination: name the park orbit"};
            }
            return send_away(it.target, it.slot, Doing::park);
          },
          [&](const call::DirectedPickupCall& it) -> std::optional<Refusal> {
            const auto known = calls_.find(it.alerting.leg);
            if (!known) return ended("the call has ended");
            pending.legs = {it.alerting.leg};
            pending.key = it.alerting.call_key;
            pending.device = it.device.str();
            pending.destination = "*87" + std::string(known->extension);
            calls_.expect(it.alerting.leg, Doing::pickup);
            dial(id, pending, now, effects);
            pending.dialling = false;  // no call of its own
            pending.due = std::min(pending.limit, now + options_.answer_limit);
            return std::nullopt;
          },
          [&](const call::StartRecording& it) { return record(it.target, true); },
          [&](const call::StopRecording& it) { return record(it.target, false); },
          [&](const call::SetDoNotDisturb& it) -> std::optional<Refusal> {
            pending.device = it.device.str();
            pending.on = it.on;
            if (legacy_) {
              post(id, pending,
                   write_settings(options_.domain, pending.device, true,
                                  {{"dnd", it.on ? "true" : "false"}}),
                   effects);
            } else {
              post(id, pending, set_dnd(account_of(pending.device, options_.domain), it.on),
                   effects);
            }
            return std::nullopt;
          },
          [&](const call::SetForwarding& it) -> std::optional<Refusal> {
            const auto key = key_of(it.forwarding.type);
            if (!key) {
              return Refusal{Errc::feature_not_supported,
                             "Vodia forwards immediately, when busy and when not answered only"};
            }
            pending.device = it.device.str();
            pending.forwarding = it.forwarding;
            post(id, pending,
                 write_settings(options_.domain, pending.device, legacy_,
                                {{*key, it.forwarding.destination}}),
                 effects);
            return std::nullopt;
          },
          [](const auto&) -> std::optional<Refusal> {
            return Refusal{Errc::feature_not_supported, "Vodia's protocol has no such command"};
          },
      },
      command);
  if (refusal) pending_.erase(id);
  return refusal;
}

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
    answer(it, ended("the call ended before it could be done"), effects);
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
