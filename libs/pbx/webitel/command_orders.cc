#include <algorithm>
#include <utility>

#include "base/overloaded.h"
#include "pbx/percent_encoded.h"
#include "pbx/webitel/command_codec.h"
#include "pbx/webitel/commands.h"

// What each command sends, and what it then waits for: commands.cc sees to the rest.
namespace pbx::webitel {
namespace {

using base::Errc;
using call::ConnectionState;
using call::Refusal;
using call::Service;

Refusal no_number() {
  return {Errc::invalid_argument, "destination: not a number that could be dialled"};
}

// "variables" of the REST API: they become the switch's own, too.
std::optional<Refusal> fault_of_data(const std::map<std::string, std::string>& data) {
  for (const auto& [name, value] : data) {
    if (!is_variable(name)) {
      return Refusal{Errc::invalid_argument,
                     "data: the name '" + shown_name(name) +
                         "' must be of letters, digits and underscores, 64 at most"};
    }
  }
  return std::nullopt;
}

}  // namespace

void Commands::ask(call::CommandId id, const call::Command& command, TimePoint limit, TimePoint now,
                   Effects& effects) {
  if (pending_.contains(id)) return;  // it will be answered
  std::optional<Refusal> refusal;
  if (limit <= now) {
    refusal = Refusal{Errc::timed_out, "no time was left to do it in"};
  } else if (pending_.size() >= options_.most) {
    refusal = Refusal{Errc::too_many_requests, "too many commands are waiting for this PBX"};
  } else {
    Pending pending;
    pending.service = call::service_of(command);
    pending.limit = limit;
    pending.due = std::min(limit, now + options_.action_limit);
    refusal = start(id, command, std::move(pending), now, effects);
  }
  if (refusal) effects.push_back(Answer{id, std::move(*refusal)});
}

// The step before is over: replies to it do not count any more.
void Commands::begin_step(Pending& pending, std::chrono::milliseconds limit, TimePoint now) {
  ++pending.step;
  pending.sent = pending.refused = pending.open = 0;
  pending.lost = false;
  pending.due = std::min(pending.limit, now + limit);
}

void Commands::say(Iterator it, std::string_view action, const std::string& data,
                   Effects& effects) {
  SendText text = socket_.ask(action, data);
  said_.emplace(socket_.last(), Asked{it->first, it->second.step});
  // Replies that never came: each settled command leaves a few at most.
  const std::size_t most = 8 * options_.most + 64;
  while (said_.size() > most) said_.erase(said_.begin());
  ++it->second.sent;
  ++it->second.open;
  effects.push_back(std::move(text));
}

void Commands::post(Iterator it, std::string method, const std::string& path, std::string body,
                    std::optional<std::chrono::milliseconds> limit, Effects& effects) {
  SendHttp send = rest_.make(std::move(method), path, std::move(body), limit);
  posted_.emplace(send.id, Asked{it->first, it->second.step});
  ++it->second.sent;
  ++it->second.open;
  effects.push_back(std::move(send));
}

// Precondition: the leg is there.
void Commands::say_of(Iterator it, std::string_view action, const std::string& leg,
                      Effects& effects) {
  const auto known = *legs_.find(leg);
  say(it, action, leg_data(known.id, known.app_id), effects);
}

// Precondition: the leg is there. Before it is answered its cause is the direction's, as with the
// vendor's own client (webitel.md 3.5); afterwards the PBX's usual one.
void Commands::hang_up(Iterator it, const std::string& leg, Effects& effects) {
  const auto known = *legs_.find(leg);
  std::string_view cause;
  if (!known.answered) cause = known.role == call::Role::called ? "USER_BUSY" : "ORIGINATOR_CANCEL";
  say(it, "call_hangup", hangup_data(known.id, known.app_id, cause), effects);
}

void Commands::dial(Iterator it, TimePoint now, Effects& effects) {
  Pending& pending = it->second;
  if (pending.service == Service::consultation_call) begin_step(pending, options_.call_limit, now);
  pending.due = std::min(pending.limit, now + options_.call_limit);
  pending.dialling = true;
  pending.before = legs_.of_user(pending.user);
  legs_.expect_made(pending.user, pending.due);
  post(it, "POST", "/calls", make_call_body(pending.extension, pending.number, pending.data),
       options_.call_limit, effects);
  wants_calls_ = true;
}

void Commands::send_digit(Iterator it, TimePoint now, Effects& effects) {
  Pending& pending = it->second;
  const auto known = legs_.find(pending.leg);
  if (!known) {
    return refuse(it, {Errc::call_not_found, "the call ended before all digits were sent"},
                  effects);
  }
  begin_step(pending, options_.action_limit, now);
  say(it, "call_dtmf", digit_data(known->id, known->app_id, pending.digits.front()), effects);
}

std::optional<Refusal> Commands::start(call::CommandId id, const call::Command& command,
                                       Pending draft, TimePoint now, Effects& effects) {
  const Iterator it = pending_.emplace(id, std::move(draft)).first;
  Pending& pending = it->second;
  // Only ids that the PBX has told of this tenant are ever sent: it does not check
  // (webitel.md 7.4).
  const auto take_leg = [&](const call::Target& target) -> std::optional<Refusal> {
    const auto known = legs_.find(target.leg);
    if (!known) return Refusal{Errc::call_not_found, "the call has ended"};
    if (known->app_id.empty()) {
      return Refusal{Errc::incorrect_state, "the PBX has not told yet where this call is"};
    }
    pending.legs.push_back(target.leg);
    if (pending.leg.empty()) pending.leg = target.leg;
    return std::nullopt;
  };
  const auto in_state = [&](const call::Target& target, ConnectionState state,
                            const char* sentence) -> std::optional<Refusal> {
    if (legs_.find(target.leg)->state == state) return std::nullopt;
    return Refusal{Errc::incorrect_state, sentence};
  };
  const auto take_user = [&](const call::DeviceId& device) -> const Person* {
    const Person* person = directory_.by_extension(device.str());
    if (!person || person->id.empty()) return nullptr;
    pending.extension = device.str();
    pending.user = person->id;
    return person;
  };
  const Refusal no_user{Errc::device_not_found, "no user of the PBX has this extension"};
  const auto send_away = [&](const call::Target& target, const std::string& destination,
                             Legs::Doing doing) -> std::optional<Refusal> {
    const auto number = dialled_number(destination);
    if (!number) return no_number();
    if (auto refused = take_leg(target)) return refused;
    legs_.expect(target.leg, doing, pending.due);
    say(it, "call_blind_transfer", transfer_data(legs_.find(target.leg)->id, *number), effects);
    return std::nullopt;
  };
  // Two of one device's: begins with the active one, and then retrieves the other.
  const auto take_two = [&](const call::Target& active,
                            const call::Target& held) -> std::optional<Refusal> {
    if (auto refused = take_leg(held)) return refused;
    if (auto refused = take_leg(active)) return refused;
    if (auto wrong = in_state(held, ConnectionState::hold, "the other call is not held")) {
      return wrong;
    }
    pending.legs = {active.leg};
    pending.next = held.leg;
    return std::nullopt;
  };

  auto refusal = std::visit(
      base::overloaded{
          [&](const call::MakeCall& order) -> std::optional<Refusal> {
            auto number = dialled_number(order.destination);
            if (!number) return no_number();
            if (auto fault = fault_of_data(order.data)) return fault;
            if (!take_user(order.device)) return no_user;
            pending.number = std::move(*number);
            pending.data = order.data;
            dial(it, now, effects);
            return std::nullopt;
          },
          [&](const call::ClearConnection& order) -> std::optional<Refusal> {
            if (auto refused = take_leg(order.target)) return refused;
            hang_up(it, order.target.leg, effects);
            return std::nullopt;
          },
          [&](const call::ClearCall& order) -> std::optional<Refusal> {
            std::optional<Refusal> first;
            for (const call::Target& target : order.targets) {
              auto refused = take_leg(target);
              if (!first) first = std::move(refused);
            }
            if (pending.legs.empty()) {
              return first ? first : Refusal{Errc::call_not_found, "the call has ended"};
            }
            pending.leg.clear();
            for (const std::string& leg : pending.legs) hang_up(it, leg, effects);
            return std::nullopt;
          },
          [&](const call::HoldCall& order) -> std::optional<Refusal> {
            if (auto refused = take_leg(order.target)) return refused;
            if (auto wrong = in_state(order.target, ConnectionState::connected,
                                      "only a connected call can be held")) {
              return wrong;
            }
            say_of(it, "call_hold", order.target.leg, effects);
            return std::nullopt;
          },
          [&](const call::RetrieveCall& order) -> std::optional<Refusal> {
            if (auto refused = take_leg(order.target)) return refused;
            if (auto wrong = in_state(order.target, ConnectionState::hold,
                                      "only a held call can be retrieved")) {
              return wrong;
            }
            say_of(it, "call_unhold", order.target.leg, effects);
            return std::nullopt;
          },
          [&](const call::AlternateCall& order) -> std::optional<Refusal> {
            if (auto refused = take_two(order.active, order.held)) return refused;
            if (auto wrong = in_state(order.active, ConnectionState::connected,
                                      "only a connected call can be held")) {
              return wrong;
            }
            say_of(it, "call_hold", order.active.leg, effects);
            return std::nullopt;
          },
          [&](const call::ReconnectCall& order) -> std::optional<Refusal> {
            if (auto refused = take_two(order.active, order.held)) return refused;
            hang_up(it, order.active.leg, effects);
            return std::nullopt;
          },
          [&](const call::ConsultationCall& order) -> std::optional<Refusal> {
            auto number = dialled_number(order.destination);
            if (!number) return no_number();
            if (auto refused = take_leg(order.target)) return refused;
            if (!take_user(order.target.device)) return no_user;
            pending.leg.clear();
            pending.number = std::move(*number);
            if (legs_.find(order.target.leg)->state == ConnectionState::hold) {
              dial(it, now, effects);
            } else {
              say_of(it, "call_hold", order.target.leg, effects);
            }
            return std::nullopt;
          },
          [&](const call::TransferCall& order) -> std::optional<Refusal> {
            if (auto refused = take_leg(order.active)) return refused;
            if (auto refused = take_leg(order.held)) return refused;
            legs_.expect(order.active.leg, Legs::Doing::join, pending.due);
            legs_.expect(order.held.leg, Legs::Doing::join, pending.due);
            const std::string from(legs_.find(order.held.leg)->id);
            const std::string to(legs_.find(order.active.leg)->id);
            say(it, "call_bridge", bridge_data(from, to), effects);
            return std::nullopt;
          },
          [&](const call::SingleStepTransferCall& order) {
            return send_away(order.target, order.destination, Legs::Doing::transfer);
          },
          [&](const call::DeflectCall& order) {
            return send_away(order.target, order.destination, Legs::Doing::deflect);
          },
          [&](const call::GenerateDigits& order) -> std::optional<Refusal> {
            if (auto refused = take_leg(order.target)) return refused;
            const bool right =
                !order.digits.empty() &&
                order.digits.find_first_not_of("0123456789*#ABCD") == std::string::npos;
            if (!right) return Refusal{Errc::invalid_argument, "digits: must be 0-9, *, #, A-D"};
            pending.digits = order.digits;
            send_digit(it, now, effects);
            return std::nullopt;
          },
          [&](const call::SetDoNotDisturb& order) -> std::optional<Refusal> {
            if (!take_user(order.device)) return no_user;
            pending.on = order.on;
            post(it, "PATCH", "/users/" + percent_encoded(pending.user) + "/presence",
                 presence_body(order.on), std::nullopt, effects);
            return std::nullopt;
          },
          [&](const call::SetAgentState& order) -> std::optional<Refusal> {
            const auto word = status_word(order.state);
            if (!word) {
              return Refusal{Errc::invalid_argument,
                             "agent_state: cannot be asked for: it follows from calls; ask for "
                             "ready, not ready or logged off"};
            }
            const Person* person = take_user(order.device);
            if (!person) return no_user;
            if (person->agent.empty()) {
              return Refusal{Errc::resource_not_found, "the user of this extension is no agent"};
            }
            pending.state = order.state;
            if (order.state == call::AgentState::not_ready) pending.reason = order.reason;
            post(it, "PATCH", "/call_center/agents/" + percent_encoded(person->agent) + "/status",
                 agent_status_body(*word, pending.reason), std::nullopt, effects);
            return std::nullopt;
          },
          [](const auto&) -> std::optional<Refusal> {
            return Refusal{Errc::feature_not_supported, "Webitel's protocol has no such command"};
          },
      },
      command);
  if (refusal) pending_.erase(id);
  return refusal;
}

}  // namespace pbx::webitel
