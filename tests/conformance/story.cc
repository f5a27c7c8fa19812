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

// A call as both sides can put it: who is in it, and how.
struct Picture {
  std::multiset<std::string> extensions, outside;

  bool operator==(const Picture&) const = default;
};

std::string text_of(const Picture& picture) {
  std::string text;
  for (const auto* parties : {&picture.extensions, &picture.outside}) {
    for (const std::string& party : *parties) text += (text.empty() ? "{" : ", ") + party;
  }
  return text + "}";
}

std::string text_of(const std::string& who, Role role, ConnectionState state, bool recording) {
  return who + (role == Role::calling ? " calling " : " called ") + call::name_of(state) +
         (recording ? " recorded" : "");
}

Picture picture_of(const call::Call& call, bool with_recording) {
  Picture picture;
  for (const call::Connection& it : call.connections) {
    auto& into =
        it.party.kind == call::DeviceKind::extension ? picture.extensions : picture.outside;
    into.insert(text_of(name_of(it.party), it.role, it.state, with_recording && it.recording));
  }
  return picture;
}

// While the caller's own phone rings it is initiated; an adapter that does not know that it rings
// for this (somebody else's click) may say that it dials already.
ConnectionState state_of(const engine::Leg& leg, bool prompted) {
  switch (leg.state) {
    case engine::LegState::ringing:
      if (!leg.outgoing) return ConnectionState::alerting;
      return prompted ? ConnectionState::initiated : ConnectionState::connected;
    case engine::LegState::busy: return ConnectionState::fail;
    case engine::LegState::up: return leg.held ? ConnectionState::hold : ConnectionState::connected;
    default: return leg.outgoing ? ConnectionState::connected : ConnectionState::null;
  }
}

struct Reading {
  bool prompted = true, recording = true;
};

void add(Picture& picture, const engine::Leg& leg, Reading how) {
  const ConnectionState state = state_of(leg, how.prompted);
  if (state == ConnectionState::null) return;  // the network has not reached it yet
  const bool ours = leg.extension != engine::kOutside;
  auto& into = ours ? picture.extensions : picture.outside;
  into.insert(text_of(leg.number, leg.outgoing ? Role::calling : Role::called, state,
                      how.recording && ours && leg.recording));
}

// The call as it is: one picture, or without the knowledge of joins one for each call that its legs
// began in. What only outside parties are in, nobody is told.
std::vector<Picture> pictures_of(const engine::Tenant& tenant, const engine::Call& call,
                                 bool as_begun, Reading how) {
  std::map<engine::CallId, Picture> parts;
  for (const engine::LegId id : call.legs) {
    const engine::Leg& leg = *tenant.find_leg(id);
    add(parts[as_begun ? leg.first_call : call.id], leg, how);
  }
  std::vector<Picture> pictures;
  for (auto& [first, part] : parts) {
    if (!part.extensions.empty()) pictures.push_back(std::move(part));
  }
  return pictures;
}

// Takes the pictures out of what is believed; false, and nothing taken, if one is missing.
bool take(std::vector<Picture>& believed, const std::vector<Picture>& pictures, bool outside) {
  std::vector<Picture> rest = believed;
  for (const Picture& picture : pictures) {
    const auto found = std::find_if(rest.begin(), rest.end(), [&](const Picture& it) {
      return it.extensions == picture.extensions && (!outside || it.outside == picture.outside);
    });
    if (found == rest.end()) return false;
    rest.erase(found);
  }
  believed = std::move(rest);
  return true;
}

bool explain(std::vector<Picture>& believed, const engine::Tenant& tenant, const engine::Call& call,
             const BlindSpots& blind, bool recording) {
  const bool joined = call.transferred || call.conference;
  for (const bool as_begun : {false, true}) {
    if (as_begun && !(blind.joins && joined)) continue;
    for (const bool prompted : {true, false}) {
      const auto pictures = pictures_of(tenant, call, as_begun, {prompted, recording});
      if (take(believed, pictures, true)) return true;
      if (blind.outside_of_transfers && call.transferred && take(believed, pictures, false)) {
        return true;
      }
    }
  }
  return false;
}

std::string differences(const call::Book& book, const engine::Tenant& tenant) {
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
  std::string wrong;
  for (const engine::Extension& extension : tenant.extensions()) {
    const auto device = book.devices.find(call::DeviceId(extension.number));
    if (device == book.devices.end()) {
      wrong += "device " + extension.number + " is not known\n";
      continue;
    }
    const bool in_service = device->second.availability == call::Availability::in_service;
    const auto lamp = std::find_if(kLamps.begin(), kLamps.end(),
                                   [&](const Lamp& it) { return it.status == extension.status; });
    const auto& fitting = lamp->activities;
    if (in_service != extension.registered ||
        std::find(fitting.begin(), fitting.end(), device->second.activity) == fitting.end()) {
      wrong += "device " + extension.number + " is " +
               std::string(engine::name_of(extension.status)) + ", and believed " +
               (in_service ? "" : "not ") + "in service, activity " +
               std::to_string(static_cast<int>(device->second.activity)) + "\n";
    }
  }
  if (book.devices.size() != tenant.extensions().size()) wrong += "there are other devices\n";
  return wrong;
}

}  // namespace

std::string differences(const Gateway& gateway) {
  return differences(gateway, gateway.bench().blind_spots);
}

std::string differences(const Gateway& gateway, const BlindSpots& blind) {
  const engine::Tenant& tenant = gateway.phones();
  const bool recording = !(blind.recording_in_snapshots && gateway.snapshots() > 1);
  std::vector<Picture> believed;
  for (const auto& [id, call] : gateway.folded().calls) {
    believed.push_back(picture_of(call, recording));
  }
  std::string wrong;
  for (const engine::Call* call : tenant.calls()) {
    if (explain(believed, tenant, *call, blind, recording)) continue;
    for (const Picture& picture : pictures_of(tenant, *call, false, {true, recording})) {
      wrong += "true:     " + text_of(picture) + "\n";
    }
  }
  for (const Picture& picture : believed) wrong += "believed: " + text_of(picture) + "\n";
  return wrong + differences(gateway.folded(), tenant);
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
