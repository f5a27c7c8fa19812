#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "control/dispatcher.h"
#include "control/metrics.h"

namespace control {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 50'051;  // 0: any free one
  bool reflection = false;
  std::size_t request_bytes_max = 64 << 10;
  // PEM files; without a certificate there is no TLS, with client_ca_file clients have to show one.
  std::string certificate_file, key_file, client_ca_file;
};

// gRPC, listening: our services, health, and reflection if wanted. Lives as long as the process
// serves; the dispatcher outlives it. Any thread.
class Server {
 public:
  // Throws std::runtime_error, with the reason, if it cannot listen. Not serving() yet.
  Server(const ServerOptions& options, Dispatcher& dispatcher, const Metrics& metrics);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;
  // What the health service says, of each service and of the whole.
  void serving(bool is);
  // Stops listening, cancels after `limit` what is not over by itself, and waits until it is.
  void shut(std::chrono::milliseconds limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace control
