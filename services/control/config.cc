#include "control/config.h"

#include <algorithm>

#include <boost/asio/ip/address.hpp>

#include "common/settings.h"
#include "config/section.h"

namespace control {

using config::Section;
using namespace std::chrono_literals;

namespace {

ServerOptions read_server(const Section& grpc) {
  ServerOptions server;
  server.address =
      grpc.text("address", {.doc = "Where RPCs are served.", .otherwise = server.address});
  server.port = static_cast<std::uint16_t>(grpc.integer(
      "port", {.doc = "Their port; 0: any free one.", .otherwise = server.port, .most = 65'535}));
  server.reflection = grpc.boolean(
      "reflection",
      {.doc = "Lets clients such as grpcurl ask for the API, which needs no credentials.",
       .otherwise = false});
  server.request_bytes_max = static_cast<std::size_t>(
      grpc.bytes("request", {.doc = "The largest request taken; beyond it: RESOURCE_EXHAUSTED.",
                             .otherwise = server.request_bytes_max,
                             .least = 16 << 10,
                             .most = 4 << 20}));
  server.connection_age = grpc.duration(
      "connection_age",
      {.doc =
           "After so long a client is asked to connect anew, perhaps to another instance; what is "
           "under way goes on. 0s: never.",
       .otherwise = server.connection_age,
       .least = 0ms,
       .most = 24h});
  const Section tls = grpc.section("tls");
  server.tls.certificate =
      tls.file("certificate_file",
               {.doc = "Our certificate, PEM; without it there is no TLS.", .required = false});
  server.tls.key = tls.file("key_file", {.doc = "Its key.", .required = false});
  server.tls.client_ca = tls.file(
      "client_ca_file", {.doc = "Who signs the certificates that clients have to show; without it "
                                "they need none.",
                         .required = false});
  if (server.tls.certificate.empty() != server.tls.key.empty()) {
    tls.wrong("key_file", "expected together with certificate_file, or neither of them");
  }
  if (server.tls.certificate.empty() && !server.tls.client_ca.empty()) {
    tls.wrong("client_ca_file", "expected together with certificate_file and key_file");
  }
  return server;
}

// Whether only this machine reaches it.
bool is_loopback(const std::string& address) {
  boost::system::error_code wrong;
  const auto parsed = boost::asio::ip::make_address(address, wrong);
  return wrong ? address == "localhost" : parsed.is_loopback();
}

// The policy file. To be open to everybody, somebody has to say so, or nobody else may reach us.
std::string read_identity(const Section& identity, const ServerOptions& server) {
  const std::string file = identity.file(
      "policy_file", {.doc = "Who may do what (docs/policy.md); read again when it changes. "
                             "Without it, everybody who reaches us may do everything.",
                      .required = false});
  const bool open = identity.boolean(
      "open", {.doc = "Serve without a policy file though other machines reach us (grpc.address).",
               .otherwise = false});
  if (file.empty() && !open && !is_loopback(server.address)) {
    identity.wrong("policy_file",
                   "expected, since grpc.address lets other machines reach us and everybody could "
                   "do everything: write one (docs/policy.md), serve on 127.0.0.1, or say that "
                   "this is meant with identity.open: true");
  }
  if (!file.empty() && open) {
    identity.wrong("open", "expected without identity.policy_file, or not at all");
  }
  return file;
}

// What one caller may ask for.
void read_limits(const Section& limits, Config& config) {
  auto number = [&](std::string_view key, std::string_view doc, double otherwise,
                    std::int64_t most) {
    return static_cast<double>(limits.integer(
        key,
        {.doc = doc, .otherwise = static_cast<std::int64_t>(otherwise), .least = 1, .most = most}));
  };
  auto& callers = config.callers;
  callers.rate =
      number("rate", "RPCs a second, of one caller for one tenant; beyond it: RATE_LIMITED.",
             callers.rate, 100'000);
  callers.burst = number("burst", "How many of them may come at once.", callers.burst, 1'000'000);
  callers.failed_logins =
      number("failed_logins",
             "JWTs that are no good, from one address in a second; beyond it no signatures are "
             "verified for "
             "it: static tokens, certificates and JWTs verified before go on to count.",
             callers.failed_logins, 10'000);
  callers.watches_max =
      static_cast<std::size_t>(number("watchers_per_caller", "Watches of one caller at a time.",
                                      static_cast<double>(callers.watches_max), 1'000'000));
  callers.signals_max = static_cast<std::size_t>(
      number("signals_per_caller", "Media clients of one caller at a time.",
             static_cast<double>(callers.signals_max), 1'000'000));
  callers.recordings_max = static_cast<std::size_t>(
      number("recordings_per_caller", "Downloads of recordings of one caller at a time.",
             static_cast<double>(callers.recordings_max), 1'000'000));
  config.server.streams_max = static_cast<int>(
      number("streams_per_connection",
             "RPCs at a time over one connection; further ones wait at the client.",
             config.server.streams_max, 1'000'000));
}

AuditOptions read_audit(const Section& section) {
  AuditOptions audit;
  audit.max_age = section.duration(
      "max_age", {.doc = "How long audit records are kept.",
                  .otherwise = std::chrono::duration_cast<std::chrono::milliseconds>(audit.max_age),
                  .least = 1min,
                  .most = 24h * 3'650});
  audit.max_bytes = static_cast<std::int64_t>(
      section.bytes("max_bytes", {.doc = "How much space they may take; the oldest make room.",
                                  .otherwise = static_cast<std::size_t>(audit.max_bytes),
                                  .least = 1 << 20}));
  audit.replicas = static_cast<int>(
      section.integer("replicas", {.doc = "Copies of the stream PBX_AUDIT in the cluster.",
                                   .otherwise = audit.replicas,
                                   .least = 1,
                                   .most = 5}));
  return audit;
}

}  // namespace

telemetry::AdminOptions read_admin(config::Document& document) {
  return common::read_admin(document.root().section("admin"), 9'465);
}

Config read_config(config::Document& document) {
  const Section root = document.root();
  Config config;
  config.nats = common::read_nats(root.section("nats"), "pbxgw-control");
  config.server = read_server(root.section("grpc"));
  config.policy_file = read_identity(root.section("identity"), config.server);

  const Section limits = root.section("limits");
  auto duration = [&](std::string_view key, std::string_view doc, std::chrono::milliseconds most,
                      std::chrono::milliseconds otherwise) {
    return limits.duration(key, {.doc = doc, .otherwise = otherwise, .least = 100ms, .most = most});
  };
  auto count = [&](std::string_view key, std::string_view doc, std::size_t otherwise) {
    return static_cast<std::size_t>(
        limits.integer(key, {.doc = doc,
                             .otherwise = static_cast<std::int64_t>(otherwise),
                             .least = 1,
                             .most = 1'000'000}));
  };
  config.deadlines.otherwise =
      duration("default_deadline", "Of an RPC that has none.", 1h, config.deadlines.otherwise);
  config.deadlines.most = duration("max_deadline", "The longest an RPC may take, whatever it says.",
                                   1h, config.deadlines.most);
  if (config.deadlines.otherwise > config.deadlines.most) {
    limits.wrong("default_deadline", "expected no longer than limits.max_deadline");
  }
  config.limits.commands_max =
      count("commands_max", "RPCs at work at a time; beyond it: RESOURCE_EXHAUSTED.",
            config.limits.commands_max);
  config.limits.watches_max =
      count("watchers_max", "Watches at a time; beyond it: RESOURCE_EXHAUSTED.",
            config.limits.watches_max);
  config.limits.signals_max = count(
      "signals_max", "Media clients (WebRtc.Signal) at a time; beyond it: RESOURCE_EXHAUSTED.",
      config.limits.signals_max);
  config.limits.recordings_max =
      count("recordings_max", "Downloads of recordings at a time; beyond it: RESOURCE_EXHAUSTED.",
            config.limits.recordings_max);
  config.watch_queue.responses_max =
      count("watcher_queue", "Responses that wait for one watcher; then reading the stream pauses.",
            config.watch_queue.responses_max);
  config.watch_patience = duration(
      "watcher_patience",
      "A watcher or media client whose queue is full and who takes nothing for so long is ended.",
      1h, 10s);
  config.watch_age = root.section("grpc").duration(
      "connection_age_grace",
      {.doc =
           "How long a watch may last, but for up to a tenth: then it ends with UNAVAILABLE and a "
           "marker to go on from, over a newer connection. 0s: for ever.",
       .otherwise = config.watch_age,
       .least = 0ms,
       .most = 24h});
  read_limits(limits, config);
  config.audit = read_audit(root.section("audit"));
  config.drain_limit = duration("drain", "The longest an orderly end may take.", 10min, 10s);
  config.lease_ttl = root.section("lease").duration(
      "ttl", {.doc = "As the connectors have it: a lease not renewed for so long is none.",
              .otherwise = 10s,
              .least = 1s,
              .most = 5min});

  // A lease that is not renewed is free after its time, and taken soon after. An owner ends a
  // stream that was not polled for 45 s.
  config.signal_times.owner_patience =
      std::min<std::chrono::milliseconds>(config.lease_ttl + 5s, 30s);
  config.signal_times.client_patience =
      std::min<std::chrono::milliseconds>(config.watch_patience, 30s);

  config.admin = read_admin(document);
  config.log = common::read_log(root.section("log"), "control");
  return config;
}

}  // namespace control
