#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

namespace common {

// For a container's HEALTHCHECK, which has no other program to ask with: gets /`probe` from the
// HTTP door of the service that runs beside us, and prints its answer as one line. `address` and
// `port` are those that the service listens on. Returns the exit status: 0 if it says that all is
// well, 1 if not, or if nobody answers within 2 s.
int ask_health(const std::string& address, std::uint16_t port, const std::string& probe,
               std::ostream& out);

}  // namespace common
