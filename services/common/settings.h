#pragma once

#include <cstdint>
#include <string>

#include "bus/connection.h"
#include "config/section.h"
#include "telemetry/admin_server.h"
#include "telemetry/log.h"

// The sections of a configuration that every service has. What is wrong is in the document's
// finish().
namespace common {

// `name` is what the NATS server shows of this connection.
bus::Options read_nats(const config::Section& nats, std::string name);
telemetry::log::Options read_log(const config::Section& log, std::string component);
telemetry::AdminOptions read_admin(const config::Section& admin, std::uint16_t port);

}  // namespace common
