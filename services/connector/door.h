#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "connector/config.h"
#include "connector/lobby.h"
#include "connector/metrics.h"
#include "net/http_server.h"
#include "telemetry/heartbeats.h"

namespace connector {

// Where PBXs that dial us connect. A connection's path says whose it would be; it moves to that
// tenant's shard, has to prove there that it is (pbx::Reception), and is then led to the lobby.
// Strangers cost little: TLS and HTTP have a thread of their own here, everybody has to hurry, and
// of one address only so many may do so at a time. Every connection is counted once, by what became
// of it. Members may be called from any thread.
class Door {
 public:
  struct Route {
    std::shared_ptr<const TenantConfig> tenant;
    boost::asio::any_io_executor executor;  // of its shard
    Lobby* lobby;                           // of its shard; outlives the executor's last handler
  };
  using Routes = std::map<std::string, Route>;  // by TenantConfig::path

  // Listens from here on. Throws std::runtime_error: a certificate is of no use, or the address is.
  Door(const InboundConfig& config, const Metrics& metrics, telemetry::Heartbeats& heartbeats,
       Routes routes);
  // Drops who is not connected to an owner yet. What receives them ends by itself, on its shard.
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  std::uint16_t port() const { return server_->port(); }
  void set_routes(Routes routes);
  // Reads certificate and key again, for connections to come; if they cannot be used, the ones
  // before stay.
  void renew_certificate();
  // Refuses further connections. Those that are there may go on.
  void close();

 private:
  struct State;
  struct Guest;
  struct Doorman;

  std::shared_ptr<State> state_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};
  std::unique_ptr<net::HttpServer> server_;
  std::thread thread_;
};

}  // namespace connector
