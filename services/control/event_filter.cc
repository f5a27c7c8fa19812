#include "control/event_filter.h"

#include <algorithm>

#include "control/fields.h"
#include "control/opaque.h"
#include "wire/names.h"

namespace control {
namespace {

using namespace pbxgw::v1;

constexpr int kDevicesMax = 100;
constexpr char kEveryTenant[] = "tenants/-";

}  // namespace

std::optional<wire::Failure> EventFilter::check(const WatchRequest& request) {
  const std::string& parent = request.parent();
  if (parent.empty()) return wrong("parent", "is missing: expected tenants/{tenant} or tenants/-");
  if (const auto tenant = wire::parse_tenant(parent); !tenant || tenant->empty()) {
    return wrong("parent", "is not of the form tenants/{tenant} or tenants/-", parent);
  }
  if (request.device_ids_size() > kDevicesMax) {
    return wrong("device_ids", "has too many entries: expected at most 100");
  }
  for (const std::string& id : request.device_ids()) {
    if (id.empty()) return wrong("device_ids", "has an empty entry: give device ids, or no list");
  }
  for (const int one : request.classes()) {
    if (!EventClass_IsValid(one) || one == EVENT_CLASS_UNSPECIFIED) {
      return wrong("classes", "is unspecified or unknown: expected an EventClass",
                   std::to_string(one));
    }
  }
  for (const int type : request.call_event_types()) {
    if (!CallEventType_IsValid(type) || type == CALL_EVENT_TYPE_UNSPECIFIED) {
      return wrong("call_event_types", "is unspecified or unknown: expected a CallEventType",
                   std::to_string(type));
    }
  }
  return std::nullopt;
}

EventFilter::EventFilter(const WatchRequest& request)
    : devices_(request.device_ids().begin(), request.device_ids().end()),
      classes_(request.classes().begin(), request.classes().end()),
      call_types_(request.call_event_types().begin(), request.call_event_types().end()) {
  if (request.parent() != kEveryTenant) tenant_ = *wire::parse_tenant(request.parent());

  Packer parts;
  parts.add(request.parent()).add(devices_.size());
  for (const auto& id : devices_) parts.add(id);
  parts.add(classes_.size());
  for (const int one : classes_) parts.add(static_cast<std::uint64_t>(one));
  for (const int type : call_types_) parts.add(static_cast<std::uint64_t>(type));
  canonical_ = parts.text();
}

bool EventFilter::passes(const Event& event) const {
  switch (event.body_case()) {
    case Event::kCallEvent:
      return wants(EVENT_CLASS_CALL) &&
             (call_types_.empty() || call_types_.contains(event.call_event().type())) &&
             passes(event.call_event().call());
    case Event::kDeviceEvent:
      return wants(EVENT_CLASS_DEVICE) && passes(event.device_event().device());
    case Event::kLinkEvent:
      // Whoever watches devices wants to know when they cannot be seen, unless he said otherwise.
      return wants(EVENT_CLASS_LINK);
    case Event::kStreamGap: return true;
    case Event::BODY_NOT_SET: break;
  }
  return classes_.empty() && devices_.empty();  // of a newer connector
}

bool EventFilter::passes(const Call& call) const {
  if (devices_.empty()) return true;
  return std::any_of(
      call.connections().begin(), call.connections().end(),
      [this](const Connection& one) { return devices_.contains(one.party().device_id()); });
}

bool EventFilter::passes(const Device& device) const {
  return devices_.empty() || devices_.contains(device.device_id());
}

std::string EventFilter::only_device() const {
  return devices_.size() == 1 ? *devices_.begin() : std::string();
}

}  // namespace control
