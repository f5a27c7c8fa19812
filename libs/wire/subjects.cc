#include "wire/subjects.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "base/overloaded.h"
#include "wire/token.h"

namespace wire {
namespace {

constexpr char kEvents[] = "pbx.v1.events.";
constexpr char kCommands[] = "pbx.v1.commands.";
constexpr char kAudit[] = "pbx.v1.audit.";

// NATS is happiest with subjects below 256 characters, and ours have two foreign tokens.
constexpr std::size_t kTokenMax = 100;

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
  return hash;
}

// As to_token(), but for one too long: "_h" and a hash, which no token looks like. What stands in
// the event itself is whole.
void append_subject_token(std::string& out, std::string_view text) {
  const auto start = out.size();
  append_token(out, text);
  if (out.size() - start <= kTokenMax) return;
  out.resize(start);
  out += "_h";
  const auto hash = fnv1a(text);
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[hash >> shift & 0xf];
}

void append_device(std::string& out, bool is_ours, const base::DeviceId& device) {
  if (is_ours) {
    append_subject_token(out, device.str());
  } else {
    out += "outside";
  }
}

void append_device_of(std::string& out, const call::CallEvent& event) {
  const auto& connections = event.call.connections;
  const auto found =
      event.type == call::CallEventType::call_cleared
          ? connections.begin()
          : std::find_if(connections.begin(), connections.end(),
                         [&](const auto& each) { return each.number == event.connection; });
  if (found == connections.end()) return append_device(out, false, {});
  const auto& party = found->party;
  // A party of unknown kind may be somebody outside; a device in the directory is the PBX's.
  const bool is_ours =
      party.kind != call::DeviceKind::outside && party.kind != call::DeviceKind::unknown;
  append_device(out, is_ours, party.device);
}

}  // namespace

const char* event_class(const call::Event& event) noexcept {
  constexpr std::array kClasses{"call", "device", "link", "link"};
  static_assert(kClasses.size() == std::variant_size_v<decltype(call::Event::body)>);
  return kClasses[event.body.index()];
}

const char* event_name(const call::Event& event) noexcept {
  return std::visit(
      base::overloaded{[](const call::CallEvent& body) { return name_of(body.type); },
                       [](const call::DeviceEvent& body) { return name_of(body.type); },
                       [](const call::LinkEvent& body) { return name_of(body.state); },
                       [](const call::StreamGap&) { return "streamGap"; }},
      event.body);
}

std::string event_subject(const base::TenantId& tenant, const call::Event& event) {
  std::string out;
  out.reserve(128);
  out += kEvents;
  append_subject_token(out, tenant.str());
  out += '.';
  out += event_class(event);
  out += '.';
  if (const auto* call = std::get_if<call::CallEvent>(&event.body)) {
    append_device_of(out, *call);
    out += '.';
  } else if (const auto* device = std::get_if<call::DeviceEvent>(&event.body)) {
    append_device(out, device->device.kind != call::DeviceKind::outside, device->device.id);
    out += '.';
  }
  out += event_name(event);
  return out;
}

std::string events_of(const base::TenantId& tenant) {
  std::string out = kEvents;
  if (tenant.str() == "*") {
    out += '*';
  } else {
    append_subject_token(out, tenant.str());
  }
  out += ".>";
  return out;
}

std::string all_events() { return std::string(kEvents) + '>'; }

std::string command_subject(const base::TenantId& tenant) {
  std::string out = kCommands;
  append_subject_token(out, tenant.str());
  return out;
}

std::string audit_subject(const base::TenantId& tenant) {
  std::string out = kAudit;
  append_subject_token(out, tenant.str());
  return out;
}

std::string all_audit() { return std::string(kAudit) + '*'; }

}  // namespace wire
