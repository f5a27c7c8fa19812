#include "connector/shard.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/timestamp.h"
#include "telemetry/log.h"
#include "wire/subjects.h"

namespace connector {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr auto kLog = telemetry::log::Logger("tls");
constexpr auto kTick = 500ms;

std::shared_ptr<bus::Connection> connect(const asio::any_io_executor& executor,
                                         const bus::Options& options) {
  std::string why;
  auto opened = bus::Connection::open(executor, options, why);
  if (opened.has_error()) throw std::runtime_error("nats: " + why);
  return std::move(*opened);
}

bus::PublisherOptions publisher_options(const Config& config) {
  bus::PublisherOptions options;
  options.stream = wire::kEventStream;
  options.duplicate_window = config.stream.duplicate_window;
  // The outbox has limits of its own, with a gap at the end of them: EventPublisher.
  options.lane.messages_max = options.lane.bytes_max = options.bytes_max = SIZE_MAX;
  return options;
}

}  // namespace

bus::LeaseTimes lease_times(const Config& config) {
  return {config.lease.ttl, config.lease.ttl / 5};
}

base::Result<std::shared_ptr<net::TlsContext>> TlsContexts::get(const net::TlsOptions& options,
                                                                const std::string& files,
                                                                std::string& why) {
  std::string key;
  auto add = [&key](const std::string& text) {
    key += text;
    key += '\n';
  };
  add(options.verify ? "verify" : "");
  add(options.ca_file);
  for (const auto& pin : options.pinned_sha256) add(pin);
  add(options.server_name);
  add(options.certificate_file);
  add(options.key_file);
  add(std::to_string(static_cast<int>(options.min_version)));
  add(options.legacy_renegotiation ? "legacy" : "");
  add(files);

  const std::lock_guard lock(mutex_);
  if (const auto found = contexts_.find(key); found != contexts_.end()) {
    if (auto known = found->second.lock()) return known;
  }
  auto made = net::TlsContext::make(options, net::TlsContext::Role::client, why);
  if (made.has_error()) return made;
  contexts_[key] = *made;
  if (const auto ours = (*made)->certificate()) {
    kLog.info("certificate in use for PBXs", {{"file", options.certificate_file},
                                              {"serial", ours->serial},
                                              {"expires", base::timestamp(ours->expires)}});
  }
  return made;
}

std::chrono::system_clock::time_point TlsContexts::expires() {
  std::optional<std::chrono::system_clock::time_point> first;
  const std::lock_guard lock(mutex_);
  for (auto it = contexts_.begin(); it != contexts_.end();) {
    const auto context = it->second.lock();
    if (!context) {
      it = contexts_.erase(it);
      continue;
    }
    if (const auto ours = context->certificate()) {
      first = first ? std::min(*first, ours->expires) : ours->expires;
    }
    ++it;
  }
  return first.value_or(std::chrono::system_clock::time_point());
}

Shard::Shard(Commons& all, unsigned number, telemetry::Heartbeats& heartbeats)
    : commons(all), work_(asio::make_work_guard(io_)) {
  const Config& config = commons.config;
  connection = connect(executor(), config.nats);
  commons.bus_report.follow(connection, "shard " + std::to_string(number));
  requests = std::make_shared<bus::Requests>(connection);
  publisher = std::make_unique<bus::Publisher>(connection, publisher_options(config));
  tenants = std::make_unique<bus::KvBucket>(requests, wire::kTenantBucket);
  checkpoints = std::make_unique<bus::KvBucket>(requests, wire::kCheckpointBucket);
  request_bucket = std::make_unique<bus::KvBucket>(requests, wire::kRequestBucket);
  leases = std::make_unique<bus::KvBucket>(requests, wire::kLeaseBucket);
  request_log = std::make_unique<RequestLog>(*request_bucket);
  lease_store = std::make_unique<bus::KvLeaseStore>(*leases, config.instance, lease_times(config));

  asio::co_spawn(
      io_,
      tick(heartbeats.add("shard " + std::to_string(number), std::chrono::steady_clock::now())),
      asio::detached);
  thread_ = std::thread([this] { io_.run(); });
}

Shard::~Shard() {
  io_.stop();
  thread_.join();
  requests->close();
}

// Shows that this thread turns, and what its publisher did.
asio::awaitable<void> Shard::tick(telemetry::Heartbeats::Beat beat) {
  asio::steady_timer timer(io_);
  bus::PublisherStatistics last;
  for (;;) {
    beat.tick(std::chrono::steady_clock::now());
    report(last);
    timer.expires_after(kTick);
    co_await timer.async_wait(kTuple);
    commons.metrics.loop_lag.observe(std::chrono::steady_clock::now() - timer.expiry());
  }
}

void Shard::report(bus::PublisherStatistics& last) {
  const Metrics& metrics = commons.metrics;
  const auto now = publisher->statistics();
  auto grown = [](std::uint64_t value, std::uint64_t before) {
    return static_cast<double>(value - before);
  };
  auto failed = [&](const char* reason, std::uint64_t value, std::uint64_t before) {
    if (value != before) metrics.publish_failures.at({reason}).add(grown(value, before));
  };
  metrics.publish_attempts.add(grown(now.attempts, last.attempts));
  metrics.publish_retries.add(grown(now.retries, last.retries));
  metrics.publish_duplicates.add(grown(now.duplicates, last.duplicates));
  failed("timed_out", now.failures.timed_out, last.failures.timed_out);
  failed("no_responders", now.failures.no_responders, last.failures.no_responders);
  failed("disconnected", now.failures.disconnected, last.failures.disconnected);
  failed("rejected", now.failures.rejected, last.failures.rejected);
  failed("not_sent", now.failures.not_sent, last.failures.not_sent);
  metrics.outbox_depth.add(static_cast<double>(now.depth) - static_cast<double>(last.depth));
  metrics.outbox_bytes.set(static_cast<double>(commons.outbox_bytes.load()));
  metrics.outbox_bytes_max.set(static_cast<double>(commons.config.outbox.total_bytes_max));
  if (now.acks != last.acks) metrics.publish_success.set(std::chrono::system_clock::now());
  oldest_ = now.oldest;
  last = now;
}

}  // namespace connector
