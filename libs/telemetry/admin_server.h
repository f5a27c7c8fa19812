#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "telemetry/health.h"
#include "telemetry/metrics.h"

namespace telemetry {

struct AdminOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one; port() tells
};

// The operators' side of a process, over HTTP on a port and threads of its own, so that it answers
// while the event loops are busy, or stuck: /metrics, /startupz, /livez, /readyz. For the inside of
// a cluster: it has no secrets to tell, and no authentication.
class AdminServer {
 public:
  // Listens from here on. `metrics` and `health` have to outlive it. Throws std::runtime_error,
  // naming the address and the reason, if it cannot listen there.
  AdminServer(const AdminOptions& options, const Metrics& metrics, const Health& health);
  ~AdminServer();  // waits for the answers under way, 2 s at most for a client that says nothing
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  std::uint16_t port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace telemetry
