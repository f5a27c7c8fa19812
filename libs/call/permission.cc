#include "call/permission.h"

namespace call {

Permissions::Permissions(std::span<const Capability> capabilities) {
  for (std::size_t i = 0; i < kServiceCount; ++i) {
    capabilities_[i] = {static_cast<Service>(i), Confirmation::none,
                        "the PBX's protocol has no such command"};
  }
  for (const Capability& capability : capabilities) {
    capabilities_[static_cast<std::size_t>(capability.service)] = capability;
  }
  for (const Capability& capability : capabilities_) {
    if (capability.confirmation == Confirmation::none) continue;
    for (ConnectionState state : kConnectionStates) {
      if (allowed_in(capability.service, state)) {
        by_state_[static_cast<std::size_t>(state)].add(capability.service);
      }
    }
  }
}

ServiceSet Permissions::on(const Connection& connection, bool controllable, bool paired) const {
  ServiceSet set = by_state_[static_cast<std::size_t>(connection.state)];
  if (set.empty()) return set;
  if (!controllable) {
    // Another device picks up: that one's credentials count.
    const bool pickup = set.has(Service::directed_pickup_call);
    set = {};
    if (pickup) set.add(Service::directed_pickup_call);
  }
  for (Service service :
       {Service::answer_call, Service::deflect_call, Service::directed_pickup_call,
        Service::start_recording, Service::stop_recording}) {
    if (hindrance(service, connection) != nullptr) set.remove(service);
  }
  if (!paired) {
    for (Service service : {Service::alternate_call, Service::reconnect_call,
                            Service::transfer_call, Service::conference_call}) {
      set.remove(service);
    }
  }
  return set;
}

const char* hindrance(Service service, const Connection& connection) noexcept {
  switch (service) {
    case Service::deflect_call:
      return connection.role == Role::calling ? "it is the calling party" : nullptr;
    case Service::directed_pickup_call:
      if (connection.role == Role::calling) return "it is the calling party";
      return connection.party.kind == DeviceKind::outside ? "it is an outside party" : nullptr;
    case Service::start_recording: return connection.recording ? "it is being recorded" : nullptr;
    case Service::stop_recording:
      return connection.recording ? nullptr : "it is not being recorded";
    default: return nullptr;
  }
}

}  // namespace call
