#include <algorithm>
#include <utility>

#include "base/overloaded.h"
#include "pbx/vodia/commands.h"

// What each command sends, and what it then waits for: commands.cc sees to the rest.
namespace pbx::vodia {
namespace {

using base::Errc;
using call::ConnectionState;
using call::Refusal;
using call::Service;
using Doing = Calls::Doing;

Refusal ended(const char* what) { return {Errc::call_not_found, what}; }

std::optional<Refusal> fault_of_number(std::string_view number) {
  if (!bare_number(number).empty() && number.size() <= kNumberMax) return std::nullopt;
  return Refusal{Errc::invalid_argument, "destination: not a number that could be dialled"};
}

std::optional<std::string_view> key_of(call::ForwardingType type) {
  switch (type) {
    case call::ForwardingType::immediate: return "cfa";
    case call::ForwardingType::busy: return "cfb";
    case call::ForwardingType::no_answer: return "cfn";
    default: return std::nullopt;
  }
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
    refusal =
        Refusal{Errc::credentials_missing,
                legacy_ ? "no way to log in for this extension: set admin_user, or its password"
                        : "only a system administrator can act for other extensions: set "
                          "admin_user"};
  } else {
    Pending pending;
    pending.service = call::service_of(command);
    pending.limit = limit;
    pending.due = std::min(limit, now + limit_of(pending.service));
    refusal = start(id, command, std::move(pending), now, effects);
  }
  if (refusal) effects.push_back(Answer{id, std::move(*refusal)});
  on_unsaid(std::exchange(unsaid_, {}), effects);
}

void Commands::post(call::CommandId id, Pending& pending, Request request, Effects& effects) {
  SendHttp send = http_.make(std::move(request), Http::As::admin);
  asked_.emplace(send.id, Asked{id, false});
  ++pending.open;
  ++pending.sent;
  effects.push_back(std::move(send));
}

// As the extension: on its own socket.
void Commands::say(call::CommandId id, Pending& pending, const std::string& extension,
                   std::string text, TimePoint now, Effects& effects) {
  ++pending.sent;
  if (extension == options_.user) {
    effects.push_back(SendText{kPrimary, std::move(text)});
    return;
  }
  for (auto& it : portals_.say(extension, id, std::move(text), now, effects)) {
    unsaid_.push_back(std::move(it));
  }
}

// Sends what does this to a leg. Precondition: the leg is there.
void Commands::act(call::CommandId id, Pending& pending, const std::string& leg, Doing doing,
                   TimePoint now, Effects& effects) {
  const auto known = *calls_.find(leg);
  const std::string extension(known.extension);
  const std::string call(known.id), peer(known.peer);
  const std::string account = account_of(extension, options_.domain);
  const bool rings = known.state == ConnectionState::alerting && known.role == call::Role::called;
  calls_.expect(leg, doing);
  switch (doing) {
    case Doing::clear:
      if (legacy_) {
        say(id, pending, extension,
            action("clear-call", {{"id", call}, {"connected", rings ? "false" : "true"}}), now,
            effects);
      } else {
        post(id, pending, control(account, {{rings ? "reject" : "hangup", call}}), effects);
      }
      break;
    case Doing::hold:
      if (legacy_) {
        say(id, pending, extension, action("hold-call", {{"id", call}}), now, effects);
      } else {
        post(id, pending, control(account, {{"remote-hold", call}}), effects);
      }
      break;
    case Doing::transfer:
    case Doing::deflect:
    case Doing::park:
      if (legacy_) {
        say(id, pending, extension,
            action("blind-transfer", {{"id", call}, {"from", peer}, {"to", pending.destination}}),
            now, effects);
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
  pending.sent = pending.refused = 0;  // of a consultation's hold: it has worked
  pending.due = std::min(pending.limit, now + options_.call_limit);
  const std::string account = account_of(pending.device, options_.domain);
  if (!legacy_) {
    post(id, pending, control(account, {{"remote-dial", pending.destination}}), effects);
  } else if (pending.device == options_.user || !http_.has_admin()) {
    say(id, pending, pending.device, action("make-call", {{"to", pending.destination}}), now,
        effects);
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
    act(id, pending, target.leg, doing, now, effects);
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
    say(id, pending, pending.device,
        action("rec-call", {{"id", call}, {"startstop", on ? "on" : "off"}}), now, effects);
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
              say(id, pending, pending.device, action("accept-call", {{"id", call}}), now, effects);
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
            act(id, pending, it.target.leg, Doing::clear, now, effects);
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
              act(id, pending, leg, Doing::clear, now, effects);
            }
            return std::nullopt;
          },
          [&](const call::HoldCall& it) -> std::optional<Refusal> {
            if (auto refused = take_leg(it.target)) return refused;
            // A legacy server's message is a switch: it must not be pressed twice.
            if (calls_.find(it.target.leg)->state != ConnectionState::connected) {
              return Refusal{Errc::incorrect_state, "only a connected call can be held"};
            }
            act(id, pending, it.target.leg, Doing::hold, now, effects);
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
              say(id, pending, pending.device, action("hold-call", {{"id", call}}), now, effects);
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
            act(id, pending, it.target.leg, Doing::hold, now, effects);
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
              say(id, pending, pending.device,
                  action("att-transfer", {{"id", one}, {"from", from}, {"id2", two}, {"to", to}}),
                  now, effects);
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

}  // namespace pbx::vodia
