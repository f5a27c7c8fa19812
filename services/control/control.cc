#include "control/control.h"

#include <csignal>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <unistd.h>

#include "telemetry/log.h"
#include "telemetry/version.h"

namespace control {

namespace asio = boost::asio;
using bus::ConnectionEvent;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr telemetry::log::Logger kLog("control");
constexpr milliseconds kBeat{1'000};
// For gRPC to send what was decided last, and for NATS.
constexpr milliseconds kFlushWait{1'000};
// A renewal that is under way when the lease runs out may still be heard of.
constexpr milliseconds kLeaseGrace{1'000};

std::shared_ptr<bus::Connection> connect(asio::io_context& io, const bus::Options& options) {
  std::string why;
  auto connection = bus::Connection::open(io.get_executor(), options, why);
  if (!connection) throw std::runtime_error("nats: " + why);
  return std::move(*connection);
}

WatchTools watch_tools(Core& core, bus::JetStream& jetstream,
                       std::shared_ptr<bus::Requests> requests, const Metrics& metrics,
                       const Config& config) {
  WatchTools tools{core, jetstream, std::move(requests), metrics};
  tools.queue = config.watch_queue;
  tools.patience = config.watch_patience;
  tools.age = config.watch_age;
  return tools;
}

}  // namespace

Control::Control(const Config& config)
    : config_(config),
      io_(1),
      metrics_(registry_),
      bus_report_(registry_),
      beat_(heartbeats_.add("main", steady_clock::now())),
      connection_(connect(io_, config_.nats)),
      requests_(std::make_shared<bus::Requests>(connection_)),
      jetstream_(connection_),
      directory_(config_.lease_ttl + kLeaseGrace),
      audit_(jetstream_, directory_, metrics_, config_.audit),
      directory_watch_(connection_, requests_, directory_),
      gateway_(requests_, directory_),
      core_{directory_, gateway_},
      policy_(io_.get_executor(), config_.policy_file, metrics_),
      gate_(policy_.current(), metrics_),
      admission_(config_.limits),
      callers_(config_.callers),
      dispatcher_(io_.get_executor(), core_, gate_, callers_, audit_, admission_, config_.deadlines,
                  watch_tools(core_, jetstream_, requests_, metrics_, config_),
                  SignalTools{core_, gate_, audit_, metrics_, config_.signal_times},
                  DownloadTools{core_, audit_, metrics_, config_.download}),
      server_(config_.server, dispatcher_, metrics_),
      signals_(io_, SIGTERM, SIGINT),
      beat_timer_(io_),
      drained_(io_),
      admin_(config_.admin, registry_, health_) {
  policy_.on_change([this] { gate_.replace(policy_.current()); });
  using telemetry::Probe;
  health_.add(Probe::liveness, "loops", heartbeats_.check());
  health_.add(Probe::readiness, "nats", [this]() -> std::optional<std::string> {
    if (connection_->connected()) return std::nullopt;
    return "not connected";
  });
  health_.add(Probe::readiness, "serving", [this]() -> std::optional<std::string> {
    if (!draining_) return std::nullopt;
    return "draining";
  });
  bus_report_.follow(connection_, "home");
}

// What waits for a reply is let go while there still is an executor that it can be destroyed with.
Control::~Control() { requests_->close(); }

int Control::run() {
  kLog.info("started", {{"version", telemetry::version()},
                        {"grpc_port", grpc_port()},
                        {"admin_port", admin_port()}});
  if (policy_.current()->is_open()) {
    kLog.warning("everybody who reaches this gateway may do everything: there is no policy file",
                 {{"address", config_.server.address}, {"setting", "identity.policy_file"}});
  }
  connection_->listen(
      [this](ConnectionEvent event, const std::string& why) { on_bus(event, why); });
  directory_watch_.start();
  audit_.start([this] { begin_drain(EXIT_FAILURE); });
  signals_.async_wait([this](base::Error cancelled, int) {
    if (cancelled) return;
    // Whoever asks twice does not want to wait.
    signals_.clear();
    for (const int signal : {SIGTERM, SIGINT}) std::signal(signal, [](int) { _exit(1); });
    begin_drain(EXIT_SUCCESS);
  });
  metrics_.in_flight_max.set(static_cast<double>(config_.limits.commands_max));
  metrics_.watchers_max.set(static_cast<double>(config_.limits.watches_max));
  metrics_.signals_max.set(static_cast<double>(config_.limits.signals_max));
  metrics_.recordings_max.set(static_cast<double>(config_.limits.recordings_max));
  update_health();
  beat();
  io_.run();
  kLog.info("stopped", {{"status", status_}});
  return status_;
}

void Control::stop() {
  asio::post(io_, [this] { begin_drain(EXIT_SUCCESS); });
}

void Control::on_bus(ConnectionEvent event, const std::string& why) {
  if (event == ConnectionEvent::closed && !draining_) {
    kLog.error("NATS refuses us for good", {{"detail", why}});
    begin_drain(EXIT_FAILURE);
  }
  update_health();
}

void Control::update_health() {
  bus_report_.update();
  metrics_.certificate_expiry.at({"nats"}).set(bus_report_.certificate_expires());
  const bool connected = connection_->connected();
  metrics_.nats_connected.set(connected ? 1 : 0);
  // Only when it changes: every watcher of the health service is told each time.
  if (draining_ || serving_ == connected) return;
  serving_ = connected;
  server_.serving(connected);
}

void Control::beat() {
  beat_.tick(steady_clock::now());
  metrics_.in_flight.set(static_cast<double>(admission_.count(Admission::Kind::command)));
  gate_.tick(std::chrono::system_clock::now());
  audit_.tick(steady_clock::now());
  server_.tick();
  update_health();
  beat_timer_.expires_after(kBeat);
  beat_timer_.async_wait([this](base::Error cancelled) {
    if (cancelled) return;
    metrics_.loop_lag.observe(steady_clock::now() - beat_timer_.expiry());
    beat();
  });
}

void Control::begin_drain(int status) {
  if (draining_.exchange(true)) return;
  status_ = status;
  asio::co_spawn(io_, drain(), [](std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);  // out of run(): it would never end otherwise
  });
}

asio::awaitable<void> Control::drain() {
  kLog.info("draining", {{"commands", admission_.count(Admission::Kind::command)},
                         {"watches", admission_.count(Admission::Kind::watch)},
                         {"signals", admission_.count(Admission::Kind::signal)},
                         {"recordings", admission_.count(Admission::Kind::recording)}});
  server_.serving(false);
  drained_.expires_after(config_.drain_limit);
  admission_.close([this] {
    asio::post(io_, [this] {
      empty_ = true;
      drained_.cancel();
    });
  });
  admission_.abandon(Admission::Kind::watch);
  admission_.abandon(Admission::Kind::signal);
  admission_.abandon(Admission::Kind::recording);
  co_await drained_.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!empty_) {
    kLog.warning("cut short", {{"commands", admission_.count(Admission::Kind::command)}});
    admission_.abandon(Admission::Kind::command);
  }
  // This thread waits here, but nothing that gRPC waits for needs it any more.
  server_.shut(kFlushWait);
  directory_watch_.stop();
  audit_.stop();
  auto telling = audit_.drained(kFlushWait);
  co_await std::move(telling);
  auto closing = connection_->close(kFlushWait);
  co_await std::move(closing);
  io_.stop();
}

}  // namespace control
