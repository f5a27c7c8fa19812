#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bus/connection.h"
#include "bus/jetstream.h"
#include "bus/requests.h"
#include "common/bus_report.h"
#include "control/admission.h"
#include "control/command_gateway.h"
#include "control/config.h"
#include "control/directory.h"
#include "control/directory_watch.h"
#include "control/dispatcher.h"
#include "control/gate.h"
#include "control/metrics.h"
#include "control/policy_keeper.h"
#include "control/server.h"
#include "telemetry/admin_server.h"
#include "telemetry/health.h"
#include "telemetry/heartbeats.h"
#include "telemetry/metrics.h"

namespace control {

// The whole service: made, run once until a signal, and then gone. One I/O thread, that of run(),
// has everything that talks to NATS; gRPC and the admin server bring their own.
class Control {
 public:
  // Throws std::runtime_error if something cannot start. NATS need not be there yet.
  explicit Control(const Config& config);
  ~Control();

  int grpc_port() const { return server_.port(); }
  int admin_port() const { return admin_.port(); }

  // Until SIGTERM or SIGINT, and the drain that follows. The process's exit status.
  int run();
  // As SIGTERM does, the first time. Any thread.
  void stop();

 private:
  void on_bus(bus::ConnectionEvent event, const std::string& why);
  void update_health();
  void beat();
  void begin_drain(int status);
  boost::asio::awaitable<void> drain();

  const Config config_;
  boost::asio::io_context io_;
  telemetry::Metrics registry_;
  Metrics metrics_;
  common::BusReport bus_report_;
  telemetry::Health health_;
  telemetry::Heartbeats heartbeats_;
  telemetry::Heartbeats::Beat beat_;
  std::shared_ptr<bus::Connection> connection_;
  std::shared_ptr<bus::Requests> requests_;
  bus::JetStream jetstream_;
  Directory directory_;
  DirectoryWatch directory_watch_;
  CommandGateway gateway_;
  Core core_;
  PolicyKeeper policy_;
  Gate gate_;
  Admission admission_;
  Dispatcher dispatcher_;
  Server server_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer beat_timer_, drained_;
  std::atomic<bool> draining_ = false;
  bool serving_ = false;  // what the health service says
  bool empty_ = false;    // draining, and nobody is left
  int status_ = 0;
  telemetry::AdminServer admin_;  // last: it asks all of the above
};

}  // namespace control
