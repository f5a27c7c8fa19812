#pragma once

#include <string>

#include "control/admitted.h"
#include "control/command_gateway.h"
#include "control/directory.h"

namespace control {

// What handlers work with. Lives as long as the process; handlers run on the bus connection's
// executor.
struct Core {
  Directory& directory;
  CommandGateway& gateway;
};

// Who asks, what he may, and how long he waits.
struct Caller {
  Right right;  // never null
  TimePoint deadline;
  std::string traceparent;  // W3C trace context; empty if none was sent
  std::string address;  // where he asks from, without the port: "192.0.2.7", "2001:db8::7", "unix"
};

}  // namespace control
