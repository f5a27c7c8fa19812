#include <algorithm>
#include <iterator>
#include <utility>

#include "pbx/innovaphone/legs_impl.h"

// The legs of a call as consumers are to see them, and why one of them has ended.
namespace pbx::innovaphone {
namespace {

using call::Cause;
using call::ConnectionState;
using call::Role;

ConnectionState state_of(Standing standing) {
  switch (standing) {
    case Standing::initiated: return ConnectionState::initiated;
    case Standing::alerting: return ConnectionState::alerting;
    case Standing::connected: return ConnectionState::connected;
    case Standing::held: return ConnectionState::hold;
    case Standing::parked: return ConnectionState::queued;
    case Standing::failed: return ConnectionState::fail;
    default: return ConnectionState::null;
  }
}

Cause cause_of(const Part& part) {
  switch (part.doing) {
    case Doing::transfer: return Cause::transfer;
    case Doing::single_step: return Cause::single_step_transfer;
    case Doing::deflect: return Cause::redirected;
    case Doing::park: return Cause::park;
    case Doing::pickup: return Cause::call_pickup;
    default: return Cause::unspecified;
  }
}

bool is_there(const call::CallView& view, const std::string& leg) {
  return std::any_of(view.legs.begin(), view.legs.end(),
                     [&](const call::Leg& it) { return it.id == leg; });
}

}  // namespace

call::Party Legs::Impl::party_of(const Connector& connector) const {
  call::Party party;
  if (const User* user = users.resolve(connector); user != nullptr && !user->id.empty()) {
    const call::Device device = users.device_of(*user);
    party.device = device.id;
    party.kind = device.kind;
    party.number = user->info.e164.empty() ? device.id.str() : user->info.e164;
    party.name = device.name;
    return party;
  }
  const std::string& number = !connector.e164.empty()   ? connector.e164
                              : !connector.norm.empty() ? connector.norm
                                                        : connector.h323;
  party.device = call::DeviceId(number.empty() ? connector.cn : number);
  // An object of the PBX has a Long Name, which nobody outside has.
  party.kind = connector.cn.empty() ? call::DeviceKind::outside : call::DeviceKind::unknown;
  party.number = number;
  party.name = connector.dn.empty() ? connector.cn : connector.dn;
  return party;
}

// Why a call comes here that was for `from`.
Cause Legs::Impl::forwarding_cause(const Record& record, const User& from, const Guid& to) const {
  const auto leads_here = [&](std::string_view type) {
    return std::any_of(from.diversions.begin(), from.diversions.end(), [&](const Diversion& it) {
      if (it.type != type) return false;
      Connector target;
      target.e164 = it.e164;
      target.h323 = it.h323;
      const User* user = users.resolve(target);
      return user != nullptr && user->info.guid == to;
    });
  };
  if (record.rang.contains(from.info.guid)) {
    return leads_here("cfnr") ? Cause::call_forward_no_answer : Cause::redirected;
  }
  if (leads_here("cfu")) return Cause::call_forward_immediate;
  if (leads_here("cfb")) return Cause::call_forward_busy;
  return Cause::call_forward;
}

void Legs::Impl::explain(Record& record, TimePoint now) {
  for (Part& part : record.parts) {
    if (part.end && !part.end->known) explain(record, part, now);
  }
}

void Legs::Impl::explain(Record& record, Part& part, TimePoint now) {
  const auto known = [&](Cause cause) {
    part.end->known = true;
    part.end->cause = cause;
  };
  const bool rang = part.role == Role::called && !part.answered;
  bool others_live = false, caller_failed = false, not_answered = false;
  for (const Part& it : record.parts) {
    if (&it == &part) continue;
    if (it.live() && it.standing != Standing::failed) others_live = true;
    if (it.role == Role::calling && !it.answered &&
        (it.standing == Standing::failed || it.gone())) {
      caller_failed = true;
      not_answered = it.cause && call::cause_of_q850(*it.cause) == Cause::call_not_answered;
    }
    if (!it.live()) continue;
    if (rang && names(it.diverted, part.guid)) {
      const User* from = users.find(part.guid);
      const Cause why = forwarding_cause(record, *from, it.guid);
      return known(part.doing == Doing::nothing ? why : cause_of(part));
    }
    if (rang && it.picking) return known(Cause::call_pickup);
    if (!rang && names(it.by, part.guid)) {
      const Cause why = cause_of(part);
      return known(call::is_transfer(why) ? why : Cause::single_step_transfer);
    }
    // Somebody else has answered what rang at both.
    if (rang && it.role == Role::called && it.answered && part.doing == Doing::nothing) {
      return known(part.cause && *part.cause != 16 ? Cause::unspecified : Cause::redirected);
    }
  }
  if (part.doing == Doing::park) return known(Cause::park);
  if (rang && (caller_failed || record.left)) {
    return known(not_answered ? Cause::call_not_answered : Cause::normal_clearing);
  }
  const bool all_over =
      !others_live && std::all_of(record.parts.begin(), record.parts.end(),
                                  [&](const Part& it) { return &it == &part || it.gone(); });
  if (all_over && (record.parts.size() > 1 || record.left) && part.doing == Doing::nothing) {
    return known(Cause::unspecified);
  }
  if (part.end->due <= now) known(cause_of(part));
}

// Gives the part's other end a leg, if that is nobody who has one of his own.
void Legs::Impl::refer(Record& record, Part& part) {
  if (is_empty(part.peer) && part.role == Role::calling) return;
  if (const User* user = is_empty(part.peer) ? nullptr : users.resolve(part.peer)) {
    // Whoever is watched tells of himself.
    if (user->watched() || find_part(record, user->info.guid, false) != nullptr) return;
  }
  const call::Party party = party_of(part.peer);
  const Role role = part.role == Role::calling ? Role::called : Role::calling;
  const auto same = [&](const Other& it) {
    return it.party.device == party.device && it.party.kind == party.kind &&
           (!party.device.empty() || it.role == role);
  };
  auto other = std::find_if(record.others.begin(), record.others.end(), same);
  if (other == record.others.end() && !part.other.empty()) {
    // The same one, under another number.
    other = std::find_if(record.others.begin(), record.others.end(),
                         [&](const Other& it) { return it.id == part.other && !it.referenced; });
  }
  ConnectionState state = ConnectionState::null;
  const ConnectionState before =
      other == record.others.end() ? ConnectionState::null : other->state;
  if (part.end) {
    state = before;
  } else {
    switch (part.standing) {
      case Standing::hidden:
      case Standing::alerting: state = ConnectionState::connected; break;
      case Standing::connected:
      case Standing::held:
        if (part.peer_rings) {
          state = ConnectionState::alerting;
        } else if (part.answered) {
          state = part.peer_holds ? ConnectionState::hold : ConnectionState::connected;
        } else {
          state = before;  // on its way to somebody
        }
        break;
      case Standing::parked: state = ConnectionState::connected; break;
      default: break;
    }
  }
  if (state == ConnectionState::null) return;
  if (other == record.others.end()) {
    Other& fresh = record.others.emplace_back();
    fresh.id = record.key + "/" + part.guid + "/" + std::to_string(++record.others_made);
    fresh.role = role;
    other = std::prev(record.others.end());
  }
  other->party = party;
  // Of several who see it the one that talks to it knows best.
  if (!other->referenced || state == ConnectionState::connected) other->state = state;
  other->referenced = true;
  part.other = other->id;
}

call::CallView Legs::Impl::view_of(Record& record) {
  for (Other& it : record.others) it.referenced = false;
  for (Part& part : record.parts) {
    if (!part.gone()) refer(record, part);
  }
  call::CallView view;
  view.key = record.key;
  view.dialled = record.dialled;
  const auto add = [&](call::Leg leg) {
    if (leg.state != ConnectionState::null || is_there(record.told, leg.id)) {
      view.legs.push_back(std::move(leg));
    }
  };
  for (const Part& part : record.parts) {
    call::Leg leg;
    leg.id = part.id;
    leg.role = part.role;
    leg.recording = std::nullopt;
    const User* user = users.find(part.guid);
    if (user != nullptr && !user->id.empty()) {
      leg.party = {user->id, call::DeviceKind::extension,
                   user->info.e164.empty() ? user->id.str() : user->info.e164,
                   user->info.dn.empty() ? user->info.cn : user->info.dn};
    } else {
      // He was removed: as he was told.
      leg.party.device = call::DeviceId(part.guid);
      for (const call::Leg& it : record.told.legs) {
        if (it.id == leg.id) leg.party = it.party;
      }
    }
    if (part.gone()) {
      leg.cause = part.end->cause;
      leg.vendor_cause = {part.cause_text, part.cause, std::nullopt};
      // That nobody answered, or that it was refused, is the caller's failure.
      if (part.role == Role::called && !part.answered && leg.cause == Cause::unspecified &&
          part.cause && call::is_failure(call::cause_of_q850(*part.cause))) {
        leg.cause = Cause::normal_clearing;
      }
    } else {
      leg.state = state_of(part.standing);
      if (leg.state == ConnectionState::alerting) leg.cause = part.arrived;
      if (leg.state == ConnectionState::fail) {
        leg.vendor_cause = {part.cause_text, part.cause, std::nullopt};
      }
      if (leg.state == ConnectionState::queued && !names(record.parked, part.guid) &&
          !is_empty(record.parked)) {
        leg.party = party_of(record.parked);
        leg.party.kind = call::DeviceKind::park;
      }
    }
    add(std::move(leg));
  }
  for (const Other& it : record.others) {
    call::Leg leg;
    leg.id = it.id;
    leg.party = it.party;
    leg.role = it.role;
    leg.recording = std::nullopt;
    if (it.referenced) leg.state = it.state;
    add(std::move(leg));
  }
  std::erase_if(record.others, [](const Other& it) { return !it.referenced; });
  // What was told and is no more, as after a join.
  for (const call::Leg& told : record.told.legs) {
    if (told.state == ConnectionState::null || is_there(view, told.id)) continue;
    call::Leg leg = told;
    leg.state = ConnectionState::null;
    leg.cause = Cause::unspecified;
    leg.vendor_cause = {};
    view.legs.push_back(std::move(leg));
  }
  std::stable_sort(view.legs.begin(), view.legs.end(), [](const auto& one, const auto& other) {
    return (one.role == Role::calling) > (other.role == Role::calling);
  });
  return view;
}

Legs::Views Legs::Impl::flush(TimePoint now) {
  Views views;
  for (const std::string& key : std::exchange(dirty, {})) {
    const auto found = records.find(key);
    if (found == records.end()) continue;
    Record& record = found->second;
    if (record.hidden_until && *record.hidden_until <= now) record.hidden_until.reset();
    for (Part& part : record.parts) {
      const User* from = is_empty(part.diverted) ? nullptr : users.resolve(part.diverted);
      if (is_empty(part.diverted) || part.arrived != Cause::unspecified) continue;
      if (part.standing != Standing::alerting) continue;
      part.arrived =
          from == nullptr ? Cause::call_forward : forwarding_cause(record, *from, part.guid);
      // Sent on by hand: the one that was rung says so.
      if (part.arrived == Cause::redirected) part.arrived = Cause::new_call;
    }
    explain(record, now);
    const bool all_gone = std::all_of(record.parts.begin(), record.parts.end(),
                                      [](const Part& it) { return it.gone(); });
    if (telling && (!record.hidden_until || all_gone)) {
      call::CallView view = view_of(record);
      const bool sent_on =
          all_gone && std::any_of(record.parts.begin(), record.parts.end(),
                                  [](const Part& it) { return call::is_transfer(it.end->cause); });
      if (sent_on) {
        // Out of our sight: whoever is left ends afterwards, and not because of that.
        call::CallView before = view;
        for (call::Leg& leg : before.legs) {
          const auto told = std::find_if(record.told.legs.begin(), record.told.legs.end(),
                                         [&](const call::Leg& it) { return it.id == leg.id; });
          if (told != record.told.legs.end() && leg.party.kind == call::DeviceKind::outside) {
            leg = *told;
          }
        }
        views.push_back(std::move(before));
        std::erase_if(view.legs, [](const call::Leg& it) {
          return it.party.kind != call::DeviceKind::outside;
        });
        record.told = {};
        if (!view.legs.empty()) views.push_back(std::move(view));
      } else if (view != record.told && (!view.legs.empty() || !record.told.legs.empty())) {
        record.told = view;
        views.push_back(std::move(view));
      }
    }
    for (std::size_t i = record.parts.size(); i > 0; --i) {
      const Part& part = record.parts[i - 1];
      if (!part.gone()) continue;
      record.left = record.left || (!part.end->bare && part.end->cause == Cause::unspecified &&
                                    (part.answered || part.role == Role::calling));
      erase(record, i - 1);
    }
    std::erase_if(record.told.legs,
                  [](const call::Leg& it) { return it.state == ConnectionState::null; });
    const bool due = record.hidden_until.has_value() ||
                     std::any_of(record.parts.begin(), record.parts.end(),
                                 [](const Part& it) { return it.end && !it.end->known; });
    if (due) {
      waiting.insert(key);
    } else {
      waiting.erase(key);
    }
    if (!record.parts.empty()) continue;
    for (const std::string& conf : record.confs) confs.erase(conf);
    waiting.erase(key);
    records.erase(found);
  }
  std::move(farewells.begin(), farewells.end(), std::back_inserter(views));
  farewells.clear();
  return views;
}

}  // namespace pbx::innovaphone
