#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "control/certificates.h"
#include "control/dispatcher.h"
#include "control/grpc_log.h"
#include "control/metrics.h"

namespace control {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 50'051;  // 0: any free one
  bool reflection = false;
  std::size_t request_bytes_max = 64 << 10;
  // After which a connection is given back to its client, who makes a new one, perhaps to another
  // instance; gRPC adds or takes a tenth by chance. 0: never.
  std::chrono::milliseconds connection_age{std::chrono::minutes(30)};
  int streams_max = 1'000;  // at a time, of one connection
  TlsFiles tls;
};

// gRPC, listening: our services, health, and reflection if wanted. Lives as long as the process
// serves; the dispatcher outlives it. Any thread.
class Server {
 public:
  // Throws std::runtime_error, with the reason, if it cannot listen. Not serving() yet.
  Server(const ServerOptions& options, Dispatcher& dispatcher, const Metrics& metrics);
  ~Server();  // ends at once what is not over
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;
  // What the health service says, of each service and of the whole.
  void serving(bool is);
  // To be called about once a second: certificates that have changed are taken.
  void tick();
  // Stops listening, cancels after `limit` what is not over by itself, and waits until it is.
  void shut(std::chrono::milliseconds limit);

 private:
  struct Impl;
  Dispatcher& dispatcher_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace control
