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
  std::string tls_files;  // stands for the content of its files
  net::WebSocketLimits limits;
  base::Backoff backoff;
  // Where its PBXs connect to us, as normal_path() has it: "/acme". Empty: it is we who dial.
  std::string path;
  // A link that ends so soon after being up, several times in a row, is being thrown out by
  // somebody who logs in with the same account. 0: never suspect that.
  Duration quick_end{5'000};
  // SHA-256 of everything above, what secrets and certificates say included, wherever that is kept:
  // changed means reconnect.
  std::string digest;
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

// Where PBXs that dial us connect.
struct InboundConfig {
  std::string address;
  std::uint16_t port = 0;  // 0: nowhere
  bool plain = false;      // without TLS
  std::string certificate_file, key_file;
  std::string files;                     // stands for the content of these two
  std::size_t connections_max = 10'000;  // open at a time
  std::size_t per_address_max = 100;     // of one address, and not logged in yet
  Duration login_limit{10'000};          // from the connection to the end of the login
  Duration handover_limit{15'000};       // from there until this connector owns the tenant
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
  InboundConfig inbound;
  // Logins signed for browsers, in a minute: see LoginDesk.
  unsigned logins_per_tenant = 3'000, logins_per_caller = 1'200, logins_per_user = 20;
  telemetry::AdminOptions admin;
  telemetry::log::Options log;
  std::vector<TenantConfig> tenants;
  std::string fixed;              // SHA-256 of what needs a restart to change: all but `tenants`
  std::vector<std::string> kept;  // files that count as they were before, and why; for the log
};

// A path without the slashes at its end, which make no difference; "/" if there is nothing else.
std::string normal_path(std::string path);

// What --health needs of it: where the service beside us is to be asked.
telemetry::AdminOptions read_admin(config::Document& document);

// Reads everything; what is wrong is in the document's finish().
Config read_config(config::Document& document);

}  // namespace connector
