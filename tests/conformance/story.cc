#include "conformance/story.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace conformance {

namespace engine = simulator::engine;
using call::CallEvent;
using call::CallEventType;
using call::ConnectionState;
using call::Role;

namespace {

std::string letter_of(std::size_t number) {
  return number < 26 ? std::string(1, static_cast<char>('A' + number)) : std::to_string(number);
}

std::string name_of(const call::Party& party) {
  return party.device.empty() ? "?" : party.device.str();
}

std::string word_of(const CallEvent& event) {
  std::string word = call::name_of(event.type);
  if (event.cause != call::default_cause(event.type)) {
    word += std::string("(") + call::name_of(event.cause) + ")";
  }
  return word;
}

}  // namespace

std::string story_of(const std::vector<Gateway::Told>& told, std::size_t from) {
  struct Line {
    std::string who, what;
  };
  std::vector<call::CallId> calls;  // in the order in which they were met
  std::map<std::pair<std::size_t, unsigned>, Line> lines;
  for (std::size_t i = 0; i < told.size(); ++i) {
    const auto* event = std::get_if<CallEvent>(&told[i].event.body);
    if (!event || event->type == CallEventType::call_information) continue;
    auto found = std::find(calls.begin(), calls.end(), event->call.id);
    if (found == calls.end()) found = calls.insert(calls.end(), event->call.id);
    const auto number = static_cast<std::size_t>(found - calls.begin());
    if (i < from) continue;
    const bool end = event->type == CallEventType::call_cleared;
    Line& line = lines[{number, end ? UINT32_MAX : event->connection}];
    line.who = letter_of(number);
    if (const auto* whose = call::find_connection(event->call, event->connection)) {
      line.who += ' ' + name_of(whose->party);
    }
    line.what += (line.what.empty() ? "" : ", ") + word_of(*event);
  }
  std::string story;
  for (const auto& [key, line] : lines) story += line.who + ' ' + line.what + '\n';
  return story;
}

std::string tidy(const char* story) {
  std::string out;
  bool begun = false;
  for (const char* c = story; *c != '\0'; ++c) {
    if (*c == '\n') {
      if (begun) out += '\n';
      begun = false;
    } else if (*c != ' ') {
      if (begun && c[-1] == ' ') out += ' ';
      out += *c;
      begun = true;
    }
  }
  if (begun) out += '\n';
  return out;
}

// ---- The truth.

namespace {

struct Participant {
  std::string who;
  bool ours = false;
  Role role = Role::called;
  ConnectionState state = ConnectionState::null;
  bool recorded = false;
};
// A call as both sides can put it: who is in it, and how.
using Picture = std::vector<Participant>;

// What is left out on both sides, because the vendor cannot tell.
struct Reading {
  bool recording = true;
  bool recorders = true;  // false: only whether anybody is recorded
  bool holders = true;    // false: not of calls between extensions
  bool roles = true;
  bool outside = true;
  bool places = true;  // false: not where a call is parked
};

std::size_t ours_in(const Picture& picture) {
  return static_cast<std::size_t>(
      std::count_if(picture.begin(), picture.end(), [](const auto& it) { return it.ours; }));
}

// The same for pictures that look the same.
std::string text_of(const Picture& picture, Reading how) {
  const bool hide_holders = !how.holders && ours_in(picture) > 1;
  std::multiset<std::string> parties;
  bool recorded = false;
  for (const Participant& it : picture) {
    recorded = recorded || it.recorded;
    if (!it.ours && !how.outside) continue;
    const bool hidden = it.state == ConnectionState::hold && hide_holders;
    std::string text = it.state == ConnectionState::queued && !how.places ? "" : it.who;
    if (how.roles) text += it.role == Role::calling ? " calling" : " called";
    text += ' ';
    text += call::name_of(hidden ? ConnectionState::connected : it.state);
    if (it.recorded && how.recording && how.recorders) text += " recorded";
    parties.insert(std::move(text));
  }
  std::string text;
  for (const std::string& party : parties) text += (text.empty() ? "{" : ", ") + party;
  return text + "}" + (recorded && how.recording && !how.recorders ? " recorded" : "");
}

Picture picture_of(const call::Call& call) {
  Picture picture;
  for (const call::Connection& it : call.connections) {
    picture.push_back({name_of(it.party), it.party.kind == call::DeviceKind::extension, it.role,
                       it.state, it.recording});
  }
  return picture;
}

// While the caller's own phone rings it is initiated; an adapter that does not know that it rings
// for this (somebody else's click) may say that it dials already.
ConnectionState state_of(const engine::Leg& leg, bool keeps_calls, bool prompted) {
  if (keeps_calls) return ConnectionState::queued;
  switch (leg.state) {
    case engine::LegState::ringing:
      if (!leg.outgoing) return ConnectionState::alerting;
      return prompted ? ConnectionState::initiated : ConnectionState::connected;
    case engine::LegState::busy: return ConnectionState::fail;
    case engine::LegState::up: return leg.held ? ConnectionState::hold : ConnectionState::connected;
    default: return leg.outgoing ? ConnectionState::connected : ConnectionState::null;
  }
}

// The call as it is: one picture, or without the knowledge of joins one for each call that its legs
// began in. What only outside parties are in, few PBXs tell.
std::vector<Picture> pictures_of(const engine::Tenant& tenant, const engine::Call& call,
                                 bool as_begun, bool prompted, bool outside_calls) {
  std::map<engine::CallId, Picture> parts;
  for (const engine::LegId id : call.legs) {
    const engine::Leg& leg = *tenant.find_leg(id);
    const bool outside = leg.extension == engine::kOutside;
    const bool keeps_calls = !outside && tenant.extension(leg.extension).orbit;
    const ConnectionState state = state_of(leg, keeps_calls, prompted);
    if (state == ConnectionState::null) continue;  // the network has not reached it yet
    const bool ours = !outside && !keeps_calls;
    parts[as_begun ? leg.first_call : call.id].push_back(
        {leg.number, ours, leg.outgoing ? Role::calling : Role::called, state,
         ours && leg.recording});
  }
  std::vector<Picture> pictures;
  for (auto& [first, part] : parts) {
    if (outside_calls || ours_in(part) > 0) pictures.push_back(std::move(part));
  }
  return pictures;
}

// Takes the pictures out of what is believed; false, and nothing taken, if one is missing.
bool take(std::vector<Picture>& believed, const std::vector<Picture>& pictures, Reading how) {
  std::vector<Picture> rest = believed;
  for (const Picture& picture : pictures) {
    const std::string text = text_of(picture, how);
    const auto found = std::find_if(rest.begin(), rest.end(),
                                    [&](const Picture& it) { return text_of(it, how) == text; });
    if (found == rest.end()) return false;
    rest.erase(found);
  }
  believed = std::move(rest);
  return true;
}

// A call that has failed and is still there may be shown as one that goes on.
bool take_failed(std::vector<Picture>& believed, const Picture& picture) {
  const auto failed = std::find_if(picture.begin(), picture.end(), [](const Participant& it) {
    return it.state == ConnectionState::fail;
  });
  if (failed == picture.end()) return false;
  const auto found = std::find_if(believed.begin(), believed.end(), [&](const Picture& it) {
    return std::any_of(it.begin(), it.end(), [&](const Participant& party) {
      return party.who == failed->who && party.role == failed->role &&
             party.state == ConnectionState::connected;
    });
  });
  if (found == believed.end()) return false;
  believed.erase(found);
  return true;
}

// Of a conference only two ends are shown.
bool take_ends(std::vector<Picture>& believed, const Picture& picture) {
  const auto found = std::find_if(believed.begin(), believed.end(), [&](const Picture& it) {
    return it.size() == 2 && std::all_of(it.begin(), it.end(), [&](const Participant& end) {
             return std::any_of(picture.begin(), picture.end(), [&](const Participant& party) {
               return party.who == end.who && party.state == end.state;
             });
           });
  });
  if (found == believed.end()) return false;
  believed.erase(found);
  return true;
}

// Of a conference each pair of its maker's is shown.
bool take_pairs(std::vector<Picture>& believed, const Picture& picture) {
  std::size_t pairs = 0;
  while (take_ends(believed, picture)) ++pairs;
  return pairs + 1 >= picture.size();
}

bool explain(std::vector<Picture>& believed, const engine::Tenant& tenant, const engine::Call& call,
             const BlindSpots& blind, Reading how) {
  const bool joined = call.transferred || call.conference;
  if (blind.roles_of_joined && joined) how.roles = false;
  for (const bool as_begun : {false, true}) {
    if (as_begun && !(blind.joins && joined)) continue;
    for (const bool prompted : {true, false}) {
      const auto pictures =
          pictures_of(tenant, call, as_begun, prompted, blind.outside_calls == nullptr);
      if (take(believed, pictures, how)) return true;
      Reading inside = how;
      inside.outside = false;
      if (blind.outside_of_transfers && call.transferred && take(believed, pictures, inside)) {
        return true;
      }
      if (pictures.size() != 1) continue;
      if (blind.failures && take_failed(believed, pictures.front())) return true;
      if (blind.conferences && call.conference && take_pairs(believed, pictures.front())) {
        return true;
      }
      if (blind.third_parties && call.conference && take_ends(believed, pictures.front())) {
        return true;
      }
    }
  }
  return false;
}

bool fits(engine::Status status, call::Activity believed, const BlindSpots& blind) {
  struct Lamp {
    engine::Status status;
    std::vector<call::Activity> activities;
  };
  using enum call::Activity;
  // What is not in service does nothing that anybody could see.
  static const std::array<Lamp, 8> kLamps{{
      {engine::Status::idle, {idle}},
      {engine::Status::in_use, {busy}},
      {engine::Status::busy, {busy}},
      {engine::Status::unavailable, {unknown, idle}},
      {engine::Status::ringing, {ringing}},
      {engine::Status::in_use_ringing, {busy_and_ringing}},
      {engine::Status::hold, {holding}},
      {engine::Status::in_use_hold, {holding, busy}},
  }};
  const auto lamp = std::find_if(kLamps.begin(), kLamps.end(),
                                 [&](const Lamp& it) { return it.status == status; });
  const auto is = [&](call::Activity it) {
    return std::find(lamp->activities.begin(), lamp->activities.end(), it) !=
           lamp->activities.end();
  };
  if (is(believed)) return true;
  if (blind.refusing && status == engine::Status::busy && believed == idle) return true;
  // Who is not known to hold talks.
  return blind.holder && is(holding) && believed == busy;
}

// Whom somebody calls who hears that he is busy: it may be shown as if he rang.
std::set<std::string> not_reached(const engine::Tenant& tenant) {
  std::set<std::string> numbers;
  for (const engine::Call* call : tenant.calls()) {
    for (const engine::LegId id : call->legs) {
      const engine::Leg& leg = *tenant.find_leg(id);
      if (leg.state == engine::LegState::busy) numbers.insert(leg.to);
    }
  }
  return numbers;
}

std::string differences(const call::Book& book, const engine::Tenant& tenant,
                        const BlindSpots& blind) {
  const auto not_ringing = not_reached(tenant);
  std::string wrong;
  std::size_t phones = 0;
  for (const engine::Extension& extension : tenant.extensions()) {
    if (extension.orbit) continue;
    ++phones;
    const auto device = book.devices.find(call::DeviceId(extension.number));
    if (device == book.devices.end()) {
      wrong += "device " + extension.number + " is not known\n";
      continue;
    }
    const bool in_service = device->second.availability == call::Availability::in_service;
    const auto activity = device->second.activity;
    const bool seems_to_ring =
        blind.failures && not_ringing.contains(extension.number) &&
        (activity == call::Activity::ringing || activity == call::Activity::busy_and_ringing);
    if (in_service != extension.registered ||
        (!seems_to_ring && !fits(extension.status, activity, blind))) {
      wrong += "device " + extension.number + " is " +
               std::string(engine::name_of(extension.status)) + ", and believed " +
               (in_service ? "" : "not ") + "in service, activity " +
               std::to_string(static_cast<int>(device->second.activity)) + " (" +
               device->second.vendor_status + ")\n";
    }
  }
  const auto is_phone = [](const auto& it) {
    return it.second.kind == call::DeviceKind::extension;
  };
  if (phones !=
      static_cast<std::size_t>(std::count_if(book.devices.begin(), book.devices.end(), is_phone))) {
    wrong += "there are other devices\n";
  }
  return wrong;
}

}  // namespace

std::string truth(const Gateway& gateway) {
  const engine::Tenant& tenant = gateway.phones();
  std::string text;
  for (const engine::Call* call : tenant.calls()) {
    for (const Picture& it : pictures_of(tenant, *call, false, true, true)) {
      text += text_of(it, {}) + '\n';
    }
  }
  for (const engine::Extension& it : tenant.extensions()) {
    text += std::string(engine::name_of(it.status)) + '\n';
  }
  return text;
}

std::string differences(const Gateway& gateway) {
  return differences(gateway, gateway.bench().blind_spots);
}

std::string differences(const Gateway& gateway, const BlindSpots& blind) {
  const engine::Tenant& tenant = gateway.phones();
  Reading how;
  how.recording = !blind.recordings && !(blind.recording_in_snapshots && gateway.snapshots() > 1);
  how.recorders = !blind.recorders;
  how.holders = !blind.holder;
  how.places = !blind.parked_at;
  std::vector<Picture> believed;
  for (const auto& [id, call] : gateway.folded().calls) believed.push_back(picture_of(call));
  std::string wrong;
  for (const engine::Call* call : tenant.calls()) {
    if (explain(believed, tenant, *call, blind, how)) continue;
    for (const Picture& picture :
         pictures_of(tenant, *call, false, true, blind.outside_calls == nullptr)) {
      wrong += "true:     " + text_of(picture, how) + "\n";
    }
  }
  for (const Picture& picture : believed) wrong += "believed: " + text_of(picture, how) + "\n";
  return wrong + differences(gateway.folded(), tenant, blind);
}

std::string unfinished(const Gateway& gateway) {
  std::map<std::string, unsigned> begun, ended;
  for (const Gateway::Told& it : gateway.told()) {
    const auto* event = std::get_if<CallEvent>(&it.event.body);
    if (!event) continue;
    begun[event->call.id.str()];
    for (const call::Connection& each : event->call.connections) {
      begun[call::connection_id(event->call.id, each.number)];
    }
    if (event->type == CallEventType::call_cleared) ++ended[event->call.id.str()];
    if (event->type == CallEventType::connection_cleared) {
      ++ended[call::connection_id(event->call.id, event->connection)];
    }
  }
  std::string wrong;
  for (const auto& [id, none] : begun) {
    if (ended[id] != 1) wrong += id + " has ended " + std::to_string(ended[id]) + " times\n";
  }
  return wrong;
}

}  // namespace conformance
