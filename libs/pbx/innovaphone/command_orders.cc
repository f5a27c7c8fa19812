#include <algorithm>
#include <charconv>
#include <utility>

#include "base/overloaded.h"
#include "pbx/innovaphone/commands.h"
#include "pbx/innovaphone/diversions.h"

// What each command sends: commands.cc sees to the rest.
namespace pbx::innovaphone {
namespace {

using base::Errc;
using call::ConnectionState;
using call::Refusal;
using call::Service;

constexpr int kNormal = 16, kRejected = 21;  // Q.850
constexpr std::size_t kNumberMax = 128;

// Without what people write between digits; as it is if it is a name.
std::string bare(std::string_view destination) {
  std::string number;
  for (const char c : destination) {
    if (std::string_view(" -/().").find(c) != std::string_view::npos) continue;
    number += c;
  }
  return number.find_first_not_of("0123456789*#+ABCD") == std::string::npos
             ? number
             : std::string(destination);
}

bool is_digits(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_number(std::string_view text) {
  return text.find_first_not_of("0123456789*#+ABCD") == std::string_view::npos;
}

// A number, or somebody's login name.
Field towards(const std::string& destination) {
  return {is_number(destination) ? "e164" : "h323", destination};
}

std::optional<Refusal> fault_of(std::string_view destination) {
  if (!bare(destination).empty() && destination.size() <= kNumberMax) return std::nullopt;
  return Refusal{Errc::invalid_argument, "destination: not a number that could be dialled"};
}

}  // namespace

std::chrono::milliseconds Commands::limit_of(Service service) const {
  switch (service) {
    case Service::make_call:
    case Service::consultation_call: return options_.call_limit;
    case Service::answer_call:
    case Service::directed_pickup_call: return options_.answer_limit;
    case Service::generate_digits:
    case Service::set_presence:
    case Service::set_do_not_disturb:
    case Service::set_forwarding: return options_.request_limit;
    default: return options_.action_limit;
  }
}

void Commands::ask(call::CommandId id, const call::Command& command, TimePoint limit, TimePoint now,
                   Effects& effects) {
  if (pending_.contains(id)) return;  // it will be answered
  Refused refusal;
  if (limit <= now) {
    refusal = Refusal{Errc::timed_out, "no time was left to do it in"};
  } else if (pending_.size() >= options_.most) {
    refusal = Refusal{Errc::too_many_requests, "too many commands are waiting for this PBX"};
  } else {
    Pending& pending = pending_[id];
    pending.service = call::service_of(command);
    pending.limit = limit;
    pending.due = std::min(limit, now + limit_of(pending.service));
    refusal = start(id, command, pending, now, effects);
    if (refusal) pending_.erase(id);
  }
  if (refusal) effects.push_back(Answer{id, std::move(*refusal)});
}

void Commands::say(call::CommandId id, Pending& pending, std::string_view mt, std::string_view api,
                   std::vector<Field> fields, TimePoint now, Effects& effects) {
  Peer* peer = peer_(pending.link);
  if (peer == nullptr) return;
  const std::string src = "c" + std::to_string(++requests_);
  asked_.emplace(src, id);
  pending.open.insert(src);
  ++pending.sent;
  peer->say(message(mt, api, src, fields), now, effects);
}

void Commands::act(call::CommandId id, Pending& pending, const std::string& leg,
                   std::string_view mt, std::vector<Field> fields, TimePoint now,
                   Effects& effects) {
  const auto known = legs_.find(leg);
  if (!known) return;
  fields.insert(fields.begin(), {{"user", known->handle.user}, {"call", known->handle.call}});
  say(id, pending, mt, kRcc, std::move(fields), now, effects);
}

void Commands::dial(call::CommandId id, Pending& pending, TimePoint now, Effects& effects) {
  pending.dialling = true;
  pending.sent = pending.refused = 0;  // of a consultation's hold: it has worked
  pending.due = std::min(pending.limit, now + options_.call_limit);
  const User* user = users_.find(pending.guid);
  say(id, pending, "UserCall", kRcc,
      {{"user", user != nullptr ? user->handle : 0}, towards(pending.destination)}, now, effects);
}

Commands::Refused Commands::take_user(Pending& pending, const call::DeviceId& device) const {
  const User* user = users_.find_device(device);
  if (user == nullptr) {
    return Refusal{Errc::device_not_found, "the PBX does not show us this device"};
  }
  if (!user->link || peer_(*user->link) == nullptr) {
    return Refusal{Errc::pbx_disconnected, "the PBX where this user lives is not connected"};
  }
  if (!user->watched()) {
    return Refusal{Errc::permission_denied, "the PBX does not let us act for this device"};
  }
  pending.guid = user->info.guid;
  pending.link = *user->link;
  return std::nullopt;
}

Commands::Refused Commands::take_leg(Pending& pending, const call::Target& target) const {
  const auto known = legs_.find(target.leg);
  if (!known) return Refusal{Errc::call_not_found, "the call has ended"};
  if (known->handle.call == 0 || peer_(known->handle.link) == nullptr) {
    return Refusal{Errc::pbx_disconnected, "the PBX where this user lives is not connected"};
  }
  pending.guid = known->guid;
  pending.link = known->handle.link;
  pending.legs.push_back(target.leg);
  if (pending.leg.empty()) pending.leg = target.leg;
  return std::nullopt;
}

Commands::Refused Commands::take_api(const Pending& pending, std::string_view api) const {
  if (peer_(pending.link)->may_use(api)) return std::nullopt;
  return Refusal{Errc::permission_denied,
                 "the App object does not grant " + std::string(api) + " in the PBX"};
}

Commands::Refused Commands::start(call::CommandId id, const call::Command& command,
                                  Pending& pending, TimePoint now, Effects& effects) {
  const auto on_leg = [&](const call::Target& target, std::string_view mt,
                          std::vector<Field> fields = {}) -> Refused {
    if (auto refusal = take_leg(pending, target)) return refusal;
    act(id, pending, target.leg, mt, std::move(fields), now, effects);
    return std::nullopt;
  };
  const auto clear = [&](const std::string& leg) {
    const auto known = legs_.find(leg);
    const bool rings =
        known->role == call::Role::called && known->state == ConnectionState::alerting;
    legs_.expect(leg, Doing::clear);
    act(id, pending, leg, "UserClear", {{"cause", rings ? kRejected : kNormal}}, now, effects);
  };
  const auto redirect = [&](const call::Target& target, const std::string& destination,
                            Doing doing) -> Refused {
    if (auto fault = fault_of(destination)) return fault;
    pending.destination = bare(destination);
    if (auto refusal = on_leg(target, "UserRedirect", {towards(pending.destination)})) {
      return refusal;
    }
    legs_.expect(target.leg, doing);
    return std::nullopt;
  };
  const auto both = [&](const call::Target& active, const call::Target& held) -> Refused {
    if (auto refusal = take_leg(pending, active)) return refusal;
    return take_leg(pending, held);
  };
  const auto presence = [&](const call::DeviceId& device, std::string_view activity,
                            std::string_view note) -> Refused {
    if (auto refusal = take_user(pending, device)) return refusal;
    if (auto refusal = take_api(pending, kPbxApi)) return refusal;
    const User& user = *users_.find(pending.guid);
    say(id, pending, "SetPresence", kPbxApi,
        {{"sip", user.info.h323}, {"contact", "tel:"}, {"activity", activity}, {"note", note}}, now,
        effects);
    return std::nullopt;
  };

  return std::visit(
      base::overloaded{
          [&](const call::MakeCall& it) -> Refused {
            if (auto fault = fault_of(it.destination)) return fault;
            if (!it.data.empty()) {
              return Refusal{Errc::invalid_argument, "data: innovaphone takes none with a call"};
            }
            if (auto refusal = take_user(pending, it.device)) return refusal;
            pending.destination = bare(it.destination);
            dial(id, pending, now, effects);
            return std::nullopt;
          },
          [&](const call::AnswerCall& it) { return on_leg(it.target, "UserConnect"); },
          [&](const call::ClearConnection& it) -> Refused {
            if (auto refusal = take_leg(pending, it.target)) return refusal;
            clear(it.target.leg);
            return std::nullopt;
          },
          [&](const call::ClearCall& it) -> Refused {
            Refused last;
            for (const call::Target& target : it.targets) {
              if (auto refusal = take_leg(pending, target)) {
                last = std::move(refusal);
              } else {
                clear(target.leg);
              }
            }
            return pending.legs.empty() ? std::move(last) : std::nullopt;
          },
          [&](const call::HoldCall& it) {
            return on_leg(it.target, "UserHold", {{"remote", true}});
          },
          [&](const call::RetrieveCall& it) { return on_leg(it.target, "UserRetrieve"); },
          [&](const call::AlternateCall& it) -> Refused {
            if (auto refusal = both(it.active, it.held)) return refusal;
            act(id, pending, it.active.leg, "UserHold", {{"remote", true}}, now, effects);
            return std::nullopt;
          },
          [&](const call::ReconnectCall& it) -> Refused {
            if (auto refusal = both(it.active, it.held)) return refusal;
            pending.leg = it.held.leg;
            clear(it.active.leg);
            return std::nullopt;
          },
          [&](const call::ConsultationCall& it) -> Refused {
            if (auto fault = fault_of(it.destination)) return fault;
            pending.destination = bare(it.destination);
            return on_leg(it.target, "UserHold", {{"remote", true}});
          },
          [&](const call::TransferCall& it) -> Refused {
            if (auto refusal = both(it.active, it.held)) return refusal;
            const auto active = legs_.find(it.active.leg), held = legs_.find(it.held.leg);
            legs_.expect(it.active.leg, Doing::transfer);
            legs_.expect(it.held.leg, Doing::transfer);
            say(id, pending, "UserTransfer", kRcc,
                {{"user", held->handle.user}, {"a", held->handle.call}, {"b", active->handle.call}},
                now, effects);
            return std::nullopt;
          },
          [&](const call::SingleStepTransferCall& it) {
            return redirect(it.target, it.destination, Doing::single_step);
          },
          [&](const call::DeflectCall& it) {
            return redirect(it.target, it.destination, Doing::deflect);
          },
          [&](const call::DirectedPickupCall& it) -> Refused {
            const auto known = legs_.find(it.alerting.leg);
            if (!known) return Refusal{Errc::call_not_found, "the call has ended"};
            if (auto refusal = take_user(pending, it.device)) return refusal;
            const User* ringing = users_.find(std::string(known->guid));
            if (ringing == nullptr) return Refusal{Errc::call_not_found, "the call has ended"};
            pending.key = known->key;
            pending.picked = it.alerting.leg;
            const int user = users_.find(pending.guid)->handle;
            legs_.expect(it.alerting.leg, Doing::pickup);
            // Its handle says which of several calls; another PBX has other handles.
            const bool here = known->handle.call != 0 && known->handle.link == pending.link;
            say(id, pending, "UserPickup", kRcc,
                {{"user", user},
                 here ? Field("call", known->handle.call) : Field("cn", ringing->info.cn)},
                now, effects);
            return std::nullopt;
          },
          [&](const call::ParkCall& it) -> Refused {
            std::vector<Field> fields;
            int position = -1;
            if (const User* at = users_.resolve_number(it.slot)) {
              fields.emplace_back("cn", at->info.cn);
            } else if (it.slot.size() > 2 || !is_digits(it.slot)) {
              fields.emplace_back("cn", it.slot);  // an object that is not shown to us
            } else if (!it.slot.empty()) {
              std::from_chars(it.slot.data(), it.slot.data() + it.slot.size(), position);
            }
            fields.emplace_back("position", position);
            if (auto refusal = on_leg(it.target, "UserPark", std::move(fields))) return refusal;
            legs_.expect(it.target.leg, Doing::park);
            return std::nullopt;
          },
          [&](const call::GenerateDigits& it) {
            return on_leg(it.target, "UserDTMF",
                          {{"dtmf", it.digits}, {"recv", options_.dtmf_reversed}});
          },
          [&](const call::SetDoNotDisturb& it) {
            return presence(it.device, it.on ? kDoNotDisturb : "", "");
          },
          [&](const call::SetPresence& it) -> Refused {
            const auto activity = activity_of(it.presence);
            if (!activity) {
              return Refusal{activity.error(),
                             "presence: this one is for the PBX to see, and cannot be set"};
            }
            return presence(it.device, *activity, it.note);
          },
          [&](const call::SetForwarding& it) -> Refused {
            const auto type = diversion_type(it.forwarding.type);
            if (!type) {
              return Refusal{Errc::feature_not_supported,
                             "innovaphone forwards immediately, when busy and when not answered "
                             "only"};
            }
            if (auto refusal = take_user(pending, it.device)) return refusal;
            if (auto refusal = take_api(pending, kPbxApi)) return refusal;
            const User& user = *users_.find(pending.guid);
            const std::string destination = bare(it.forwarding.destination);
            if (destination.empty()) {
              say(id, pending, "DelDiversion", kPbxApi, {{"sip", user.info.h323}, {"type", *type}},
                  now, effects);
            } else {
              say(id, pending, "AddDiversion", kPbxApi,
                  {{"sip", user.info.h323},
                   {"type", *type},
                   {is_number(destination) ? "ep-num" : "ep-sip", destination}},
                  now, effects);
            }
            return std::nullopt;
          },
          [](const auto&) -> Refused {
            return Refusal{Errc::feature_not_supported,
                           "innovaphone's protocol has no such command"};
          },
      },
      command);
}

}  // namespace pbx::innovaphone
