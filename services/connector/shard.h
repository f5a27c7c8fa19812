#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "bus/connection.h"
#include "bus/jetstream.h"
#include "bus/kv.h"
#include "bus/kv_lease.h"
#include "bus/publisher.h"
#include "bus/requests.h"
#include "common/bus_report.h"
#include "connector/config.h"
#include "connector/lobby.h"
#include "connector/metrics.h"
#include "connector/request_log.h"
#include "telemetry/heartbeats.h"
#include "telemetry/rate_limit.h"

namespace connector {

// TLS contexts by their options: a trust store is large, and a thousand tenants mostly share one.
// Thread-safe.
class TlsContexts {
 public:
  // As net::TlsContext::make(). `files` stands for what is in the files that are named: once that
  // has changed, it is another context.
  base::Result<std::shared_ptr<net::TlsContext>> get(const net::TlsOptions& options,
                                                     const std::string& files, std::string& why);
  // When the first of our certificates expires that those in use show; the epoch: they show none.
  std::chrono::system_clock::time_point expires();

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<net::TlsContext>> contexts_;
};

// What all of the process's tenants share.
struct Commons {
  Commons(const Config& settings, telemetry::Metrics& all)
      : config(settings), metrics(all), bus_report(all) {}

  const Config& config;  // without `tenants`: those change, and each owner has its own
  const Metrics metrics;
  common::BusReport bus_report;  // follow() and update() on the home thread
  TlsContexts tls;
  std::atomic<std::size_t> outbox_bytes = 0;
  telemetry::RateLimit notes{5, std::chrono::seconds(10)};  // log lines of one tenant
};

// One I/O thread, and what its tenants share: a connection to NATS and all that goes through it. A
// tenant lives on one shard for its whole life, so no lock is on the event path.
class Shard {
 public:
  // Connects to NATS, and starts the thread. Throws std::runtime_error if the NATS options are of
  // no use.
  Shard(Commons& commons, unsigned number, telemetry::Heartbeats& heartbeats);
  // Stops the thread; what still runs on it is dropped.
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  boost::asio::any_io_executor executor() { return io_.get_executor(); }

 private:
  boost::asio::io_context io_{1};  // before all that lives on it

 public:
  Commons& commons;
  // The following are used on the executor only.
  std::shared_ptr<bus::Connection> connection;
  std::shared_ptr<bus::Requests> requests;
  std::unique_ptr<bus::Publisher> publisher;
  std::unique_ptr<bus::KvBucket> tenants, checkpoints, request_bucket, leases;
  std::unique_ptr<RequestLog> request_log;
  std::unique_ptr<bus::KvLeaseStore> lease_store;
  Lobby lobby{io_.get_executor()};

  // When the oldest event of the outbox was made; the epoch: there is none. Any thread.
  std::chrono::system_clock::time_point oldest() const { return oldest_; }

 private:
  boost::asio::awaitable<void> tick(telemetry::Heartbeats::Beat beat);
  void report(bus::PublisherStatistics& last);

  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::atomic<std::chrono::system_clock::time_point> oldest_{};
  std::thread thread_;
};

// Leases live for `ttl`; the holder of one stops before that.
bus::LeaseTimes lease_times(const Config& config);

}  // namespace connector
