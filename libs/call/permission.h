#pragma once

#include <array>
#include <span>

#include "call/model.h"
#include "call/service.h"

namespace call {

// What a vendor can do, arranged for quick answers: which services are allowed on a connection now.
// Immutable.
class Permissions {
 public:
  explicit Permissions(std::span<const Capability> capabilities);

  const Capability& capability(Service service) const {
    return capabilities_[static_cast<std::size_t>(service)];
  }
  // `controllable`: commands can act on its device. `paired`: the device has a connection in
  // another call that is held if this one is connected, and connected if this one is held.
  ServiceSet on(const Connection& connection, bool controllable, bool paired) const;

 private:
  std::array<Capability, kServiceCount> capabilities_;
  std::array<ServiceSet, kConnectionStates.size()> by_state_;
};

// What beside its state forbids the service on a connection; nullptr if nothing does. A half
// sentence: "it is the calling party".
const char* hindrance(Service service, const Connection& connection) noexcept;

}  // namespace call
