#include "connector/config_inbound.h"

#include <utility>

#include "config/problem.h"

namespace connector {

using config::Section;
using namespace std::chrono_literals;

std::string normal_path(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  return path.empty() ? "/" : path;
}

InboundConfig read_inbound(const Section& inbound) {
  InboundConfig config;
  config.address = inbound.text(
      "address", {.doc = "Where to listen for PBXs that dial us.", .otherwise = "0.0.0.0"});
  config.port = static_cast<std::uint16_t>(inbound.integer(
      "port", {.doc = "0: no PBX dials us.", .otherwise = 0, .least = 0, .most = 65'535}));
  config.certificate_file = inbound.file(
      "certificate_file",
      {.doc = "Our certificate, with those between it and its authority.", .required = false});
  config.key_file = inbound.file("key_file", {.doc = "Its key.", .required = false});
  config.files =
      inbound.version_of(config.certificate_file) + ' ' + inbound.version_of(config.key_file);
  config.plain = inbound.boolean(
      "plain", {.doc = "Without TLS: only if something in front of the connector ends it.",
                .otherwise = false});
  config.connections_max = static_cast<std::size_t>(inbound.integer(
      "connections_max", {.doc = "Connections at a time; further ones are closed at once.",
                          .otherwise = 10'000,
                          .least = 1,
                          .most = 1'000'000}));
  config.per_address_max = static_cast<std::size_t>(inbound.integer(
      "per_address_max",
      {.doc = "Those of one address (IPv6: one /64) that have not logged in yet. Behind a load "
              "balancer that hides addresses, all count as one.",
       .otherwise = 100,
       .least = 1,
       .most = 1'000'000}));
  config.login_limit = inbound.duration(
      "login_limit", {.doc = "How long a PBX may take from connecting to having logged in.",
                      .otherwise = 10s,
                      .least = 100ms,
                      .most = 5min});
  config.handover_limit = inbound.duration(
      "handover_limit",
      {.doc = "How long a PBX then waits for this connector to own its tenant; then it is told to "
              "try again. Better longer than lease.ttl.",
       .otherwise = 15s,
       .least = 100ms,
       .most = 5min});
  const bool has_certificate = inbound.has("certificate_file") || inbound.has("key_file");
  if (inbound.has("certificate_file") != inbound.has("key_file")) {
    inbound.wrong("key_file", "expected together with certificate_file, or neither of them");
  } else if (config.plain && has_certificate) {
    inbound.wrong("plain", "expected false where there is a certificate");
  } else if (config.port != 0 && !config.plain && !has_certificate) {
    inbound.wrong("certificate_file", "missing; without TLS only if plain is true");
  }
  return config;
}

void check_path(const Section& tenant, const TenantConfig& config, const InboundConfig& inbound,
                std::map<std::string, std::string>& paths) {
  if (config.path.empty()) return;
  if (!config.path.starts_with('/')) {
    tenant.wrong("pbx", "the PBX would connect to " + config::quote(config.path) +
                            "; expected a path that begins with a slash");
  }
  const auto [other, is_first] = paths.try_emplace(config.path, config.id.str());
  if (!is_first) {
    tenant.wrong("pbx", "the PBXs of " + config::quote(config.id.str()) + " and of " +
                            config::quote(other->second) + " would connect to the same path, " +
                            config.path);
  }
  if (inbound.port == 0) {
    tenant.wrong("pbx", "its PBX connects to us, and we do not listen: inbound.port is missing");
  }
}

}  // namespace connector
