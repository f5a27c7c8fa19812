#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "bus/connection.h"
#include "config/document.h"
#include "control/admission.h"
#include "control/audit_trail.h"
#include "control/dispatcher.h"
#include "control/rate_limits.h"
#include "control/server.h"
#include "telemetry/admin_server.h"
#include "telemetry/log.h"

namespace control {

struct Config {
  bus::Options nats;
  ServerOptions server;
  std::string policy_file;  // whom we know; empty: everybody may do everything
  Dispatcher::Deadlines deadlines;
  Admission::Limits limits;
  WatchStream::Limits watch_queue;
  std::chrono::milliseconds watch_patience;
  std::chrono::milliseconds watch_age{std::chrono::hours(1)};
  RateLimits::Limits callers;
  AuditOptions audit;
  SignalTimes signal_times;             // no settings of their own
  DownloadLimits download;              // no settings: they go with the connectors' own
  std::chrono::milliseconds lease_ttl;  // the connectors'
  std::chrono::milliseconds drain_limit;
  telemetry::AdminOptions admin;
  telemetry::log::Options log;
};

// What --health needs of it: where the service beside us is to be asked.
telemetry::AdminOptions read_admin(config::Document& document);

// Reads everything; what is wrong is in the document's finish().
Config read_config(config::Document& document);

}  // namespace control
