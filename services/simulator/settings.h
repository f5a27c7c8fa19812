#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/document.h"
#include "simulator/stage.h"

namespace simulator {

// One tenant, and where it listens.
struct TenantEntry {
  TenantSettings stage;
  bool shared = true;                    // also behind the vendor's common listener
  bool plain = false, tls = false;       // listeners of its own
  std::uint16_t port = 0, tls_port = 0;  // of those; 0: any free one
};

struct Settings {
  std::uint64_t seed = 1;
  std::size_t threads = 1;
  std::string control_address = "127.0.0.1";
  std::uint16_t control_port = 9080;
  std::string address = "127.0.0.1";  // of all PBX listeners
  std::string server = "s1";          // what the common listener calls itself
  std::uint16_t port = 9000, tls_port = 9090;
  bool plain = true, tls = true;
  // Of Vodia's common listener, which there is if any such tenant is behind it.
  std::uint16_t vodia_port = 8080, vodia_tls_port = 8443;
  bool vodia_plain = true, vodia_tls = true;
  // Of innovaphone's, likewise.
  std::uint16_t innovaphone_port = 8081, innovaphone_tls_port = 8444;
  bool innovaphone_plain = true, innovaphone_tls = true;
  // And of Webitel's.
  std::uint16_t webitel_port = 8082, webitel_tls_port = 8445;
  bool webitel_plain = true, webitel_tls = true;
  std::string certificate_file, key_file;   // both, or neither: then one is made
  std::string certificate_folder;           // for the one that is made; empty: a temporary one
  std::size_t outbox_bytes_max = 16 << 20;  // per connection; one that reads slower is dropped
  std::size_t connections_max = 20'000;     // per listener
  std::vector<TenantEntry> tenants;
};

// A tenant `acme`: supervisor acme/acme-demo, extensions 201 to 212, agents with their extension
// as user and agent-<extension> as password.
TenantEntry demo_tenant();

// What is wrong goes to the document's finish().
Settings read_settings(const config::Section& root);

// Every tenant gets a seed of its own that follows from `seed`.
void reseed(Settings& settings, std::uint64_t seed);
// Every listener there is gets any free port.
void take_any_ports(Settings& settings);

}  // namespace simulator
