#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/ids.h"
#include "bus/connection.h"
#include "config/document.h"
#include "net/tls.h"
#include "net/websocket.h"
#include "pbx/vendor.h"
#include "telemetry/admin_server.h"
#include "telemetry/log.h"
#include "wire/events.h"

namespace connector {

using Duration = std::chrono::milliseconds;

// One customer's PBX, as configured. Two equal ones need no new link: see `digest`.
struct TenantConfig {
  base::TenantId id;
  std::string title;  // for people
  const pbx::Vendor* vendor = nullptr;
  pbx::Settings settings;
  net::TlsOptions tls;
  net::WebSocketLimits limits;
  base::Backoff backoff;
  // A link that ends so soon after being up, several times in a row, is being thrown out by
  // somebody who logs in with the same account. 0: never suspect that.
  Duration quick_end{5'000};
  std::string digest;  // SHA-256 of everything above, secrets included: changed means reconnect
};

struct LeaseConfig {
  Duration ttl;
  Duration
      settle;  // how long a set of connectors must be unchanged before tenants move for balance
};

struct OutboxConfig {
  std::size_t events_max, bytes_max;  // of one tenant
  std::size_t total_bytes_max;        // of all
  Duration age_max;                   // of the oldest event; 0: any
};

struct StreamSettings {
  Duration max_age, duplicate_window;
  std::uint64_t max_bytes;
  int replicas;
  bool memory;
};

struct Config {
  std::string instance;  // this connector's name among the others
  std::uint32_t weight = 1;
  unsigned threads = 2;
  bus::Options nats;
  std::string domain;
  wire::Format format = wire::Format::protobuf;
  StreamSettings stream;
  OutboxConfig outbox;
  LeaseConfig lease;
  Duration checkpoint_interval;
  Duration drain_limit;
  std::size_t commands_max;  // waiting for one tenant's PBX
  std::size_t signals_max;   // media clients' streams of one tenant
  // Recordings fetched from one tenant's PBX at a time, and how large and slow one may be.
  std::size_t recordings_max = 8;
  std::uint64_t recording_bytes_max = 256 << 20;
  Duration recording_time_max{600'000};
  // Logins signed for browsers, in a minute: see LoginDesk.
  unsigned logins_per_tenant = 3'000, logins_per_caller = 1'200, logins_per_user = 20;
  telemetry::AdminOptions admin;
  telemetry::log::Options log;
  std::vector<TenantConfig> tenants;
  std::string fixed;  // SHA-256 of what needs a restart to change: all but `tenants`
};

// Reads everything; what is wrong is in the document's finish().
Config read_config(config::Document& document);

}  // namespace connector
