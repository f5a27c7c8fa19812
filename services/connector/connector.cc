#include "connector/connector.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "pbxgw/v1/command.pb.h"
#include "telemetry/log.h"
#include "telemetry/version.h"
#include "wire/subjects.h"
#include "wire/token.h"

namespace connector {

namespace asio = boost::asio;
using base::Errc;
using namespace std::chrono_literals;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr auto kLog = telemetry::log::Logger("connector");
constexpr auto kPlanEvery = 200ms;
constexpr auto kTakeAgain = 500ms;  // after a lease was not to be had
constexpr auto kRetry = 1s;
constexpr auto kSettle = 300ms;  // of the configuration file, once it changed
constexpr auto kRequestsKept = 24h;
constexpr std::string_view kMemberPrefix = "member.";
constexpr std::string_view kTenantPrefix = "tenant.";
constexpr int kForced = 3;

std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }

bus::Options named(bus::Options options, const std::string& part) {
  options.name += " " + part;
  return options;
}

std::shared_ptr<bus::Connection> connect(asio::io_context& io, const bus::Options& options) {
  std::string why;
  auto opened = bus::Connection::open(io.get_executor(), options, why);
  if (opened.has_error()) throw std::runtime_error("nats: " + why);
  return std::move(*opened);
}

std::string member_key(const Config& config) {
  return std::string(kMemberPrefix) + wire::to_token(config.instance);
}

}  // namespace

// A tenant being taken, held or let go, as this thread sees it.
struct Connector::Held {
  Shard* shard = nullptr;
  std::shared_ptr<TenantOwner> owner;  // used on the shard's executor only
};

Connector::Connector(Config config, std::string config_file, Reload reload,
                     const config::Files& files)
    : config_(std::move(config)),
      reload_(std::move(reload)),
      files_(files),
      inbound_files_(config_.inbound.files),
      commons_(config_, all_metrics_),
      connection_(connect(io_, named(config_.nats, "home"))),
      requests_(std::make_shared<bus::Requests>(connection_)),
      jetstream_(connection_),
      leases_(std::make_unique<bus::KvBucket>(requests_, wire::kLeaseBucket)),
      ownership_(config_.instance, config_.weight, {config_.lease.ttl, config_.lease.settle}),
      signals_(io_, SIGTERM, SIGINT, SIGHUP),
      wake_(io_),
      asked_(io_),
      all_let_go_(io_, std::chrono::steady_clock::time_point::max()) {
  using telemetry::Probe;
  using Why = std::optional<std::string>;
  health_.add(Probe::startup, "started",
              [this]() -> Why { return started_ ? Why() : Why("still starting"); });
  health_.add(Probe::liveness, "event loops", heartbeats_.check());
  health_.add(Probe::readiness, "nats", [this]() -> Why {
    return connection_->connected() ? Why() : Why("no connection to NATS");
  });
  health_.add(Probe::readiness, "streams", [this]() -> Why {
    return prepared_ ? Why() : Why("streams and buckets are not there yet");
  });
  health_.add(Probe::readiness, "draining",
              [this]() -> Why { return draining_ ? Why("shutting down") : Why(); });
  admin_ = std::make_unique<telemetry::AdminServer>(config_.admin, all_metrics_, health_);

  commons_.bus_report.follow(connection_, "home");
  for (unsigned i = 0; i < config_.threads; ++i) {
    shards_.push_back(std::make_unique<Shard>(commons_, i, heartbeats_));
  }
  set_tenants(std::exchange(config_.tenants, {}));
  if (config_.inbound.port != 0) open_door();
  commons_.metrics.inbound_connections_max.set(
      config_.inbound.port != 0 ? static_cast<double>(config_.inbound.connections_max) : 0);
  file_watch_ = std::make_unique<config::FileWatch>(io_.get_executor(), config_file, kSettle,
                                                    [this] { this->reload(); });
  watch_files();
}

Connector::~Connector() {
  admin_.reset();
  requests_->close();
}

int Connector::run() {
  kLog.info("starting", {{"version", telemetry::version()},
                         {"instance", config_.instance},
                         {"tenants", tenants_.size()},
                         {"threads", config_.threads}});
  spawn(serve());
  spawn(take_signals());
  spawn(tick());
  started_ = true;
  io_.run();
  kLog.info("stopped", {{"status", status_}});
  return status_;
}

asio::awaitable<void> Connector::serve() {
  auto preparing = prepare_streams();
  if (!co_await std::move(preparing)) {
    stop(1);
    co_return;
  }
  prepared_ = true;
  spawn(keep_membership());
  spawn(watch_leases());
  spawn(share_tenants());
  if (door_) spawn(keep_wishes());
}

// The stream and the buckets, with just the configuration we want.
asio::awaitable<bool> Connector::prepare_streams() {
  const auto storage = config_.stream.memory ? bus::Storage::memory : bus::Storage::file;
  bus::StreamConfig events;
  events.name = wire::kEventStream;
  events.subjects = {wire::all_events()};
  events.max_age = config_.stream.max_age;
  events.max_bytes = static_cast<std::int64_t>(config_.stream.max_bytes);
  events.replicas = config_.stream.replicas;
  events.duplicate_window = config_.stream.duplicate_window;
  events.storage = storage;

  auto bucket = [&](const char* name, std::chrono::nanoseconds ttl) {
    bus::BucketConfig config;
    config.name = name;
    config.ttl = ttl;
    config.replicas = config_.stream.replicas;
    config.storage = storage;
    return config;
  };
  const std::vector<bus::BucketConfig> buckets{
      bucket(wire::kLeaseBucket, config_.lease.ttl), bucket(wire::kTenantBucket, 0s),
      bucket(wire::kCheckpointBucket, 0s), bucket(wire::kRequestBucket, kRequestsKept)};

  for (;;) {
    std::string why;
    auto ensuring = jetstream_.ensure_stream(events, why);
    auto done = co_await std::move(ensuring);
    for (std::size_t i = 0; done.has_value() && i < buckets.size(); ++i) {
      bus::KvBucket kv(requests_, buckets[i].name);
      auto making = kv.ensure(buckets[i], why);
      done = co_await std::move(making);
    }
    if (done.has_value()) co_return true;
    if (done.error() == Errc::config_mismatch) {
      kLog.error(
          "NATS holds a stream or bucket with another configuration than ours: change ours, or "
          "delete it there",
          {{"detail", why}});
      co_return false;
    }
    kLog.warning("waiting for JetStream", {{"error", done.error()}, {"detail", why}});
    auto pausing = pause(kRetry);
    co_await std::move(pausing);
  }
}

// Tells the other connectors that this one lives.
asio::awaitable<void> Connector::keep_membership() {
  pbxgw::v1::MemberRecord record;
  record.set_weight(config_.weight);
  while (!draining_) {
    auto putting = leases_->put(member_key(config_), record.SerializeAsString());
    const auto put = co_await std::move(putting);
    if (put.has_error()) kLog.warning("membership not renewed", {{"error", put.error()}});
    auto pausing = pause(config_.lease.ttl / 3);
    co_await std::move(pausing);
  }
}

asio::awaitable<void> Connector::watch_leases() {
  for (;;) {
    watch_ended_ = false;
    bus::KvBucket::WatchHandlers handlers{
        .on_entry = [this](const bus::KvEntry& entry) { see(entry); },
        .on_initial_done = {},
        .on_end =
            [this](base::Error why, const std::string& detail) {
              kLog.warning("watching leases ended", {{"error", why}, {"detail", detail}});
              watch_ended_ = true;
            }};
    std::string why;
    auto opening = leases_->watch(">", io_.get_executor(), std::move(handlers), why);
    auto opened = co_await std::move(opening);
    if (opened.has_value()) {
      lease_watch_ = std::move(*opened);
    } else {
      kLog.warning("leases cannot be watched", {{"error", opened.error()}, {"detail", why}});
      watch_ended_ = true;
    }
    do {
      auto pausing = pause(kRetry);
      co_await std::move(pausing);
    } while (!watch_ended_);
    lease_watch_.reset();
  }
}

void Connector::see(const bus::KvEntry& entry) {
  const std::string_view key = entry.key;
  if (key.starts_with(kMemberPrefix)) {
    const auto member = wire::from_token(key.substr(kMemberPrefix.size()));
    pbxgw::v1::MemberRecord record;
    if (!member) return;
    if (entry.erased || !record.ParseFromString(entry.value)) {
      ownership_.member_gone(*member, now());
    } else {
      ownership_.member_seen(*member, record.weight(), record.draining(), now());
    }
  } else if (key.starts_with(kTenantPrefix)) {
    const auto tenant = wire::from_token(key.substr(kTenantPrefix.size()));
    if (!tenant) return;
    if (entry.erased) {
      ownership_.lease_gone(base::TenantId(*tenant), now());
    } else {
      ownership_.lease_seen(base::TenantId(*tenant), entry.value, now());
    }
  } else if (key.starts_with(kWishPrefix)) {
    const auto tenant = wire::from_token(key.substr(kWishPrefix.size()));
    pbxgw::v1::WishRecord record;
    if (!tenant) return;
    if (entry.erased || !record.ParseFromString(entry.value)) {
      ownership_.wish_gone(base::TenantId(*tenant));
    } else {
      ownership_.wish_seen(base::TenantId(*tenant), record.connector(),
                           {record.pbxs().begin(), record.pbxs().end()}, now());
    }
    wake_.cancel();
  }
  if (entry.erased) wake_.cancel();
}

asio::awaitable<void> Connector::share_tenants() {
  // First see who else is there: a tenant taken too soon has to be moved again.
  auto looking = pause(std::min<std::chrono::milliseconds>(config_.lease.ttl / 4, 1s));
  co_await std::move(looking);
  while (!draining_) {
    const auto plan = ownership_.plan(now());
    for (const auto& tenant : plan.take) take(tenant);
    for (const auto& tenant : plan.let_go) let_go(tenant, Errc::lease_lost);
    wake_.expires_after(kPlanEvery);
    co_await wake_.async_wait(kTuple);
  }
}

void Connector::take(const base::TenantId& tenant) {
  const auto configured = tenants_.find(tenant);
  if (configured == tenants_.end() || held_.contains(tenant)) return;
  if (const auto wait = not_before_.find(tenant); wait != not_before_.end()) {
    if (now() < wait->second) return;
    not_before_.erase(wait);
  }
  auto held = std::make_shared<Held>();
  held->shard = &shard_of(tenant);
  held_[tenant] = held;

  asio::post(held->shard->executor(), [this, tenant, held, config = configured->second] {
    auto on_held = [this, tenant] {
      asio::post(io_, [this, tenant] { ownership_.held(tenant, true, now()); });
    };
    auto on_linked = [this, tenant](std::set<std::string> pbxs) {
      asio::post(io_, [this, tenant, pbxs = std::move(pbxs)]() mutable {
        ownership_.linked(tenant, std::move(pbxs), now());
      });
    };
    held->owner = std::make_shared<TenantOwner>(
        *held->shard, config,
        TenantOwner::Handlers{.held = std::move(on_held), .linked = std::move(on_linked)});
    asio::co_spawn(held->shard->executor(), held->owner->run(),
                   [this, tenant, held](std::exception_ptr thrown) {
                     if (thrown) std::rethrow_exception(thrown);
                     held->owner.reset();
                     asio::post(io_, [this, tenant] { ended(tenant); });
                   });
  });
}

void Connector::let_go(const base::TenantId& tenant, base::Errc why) {
  const auto found = held_.find(tenant);
  if (found == held_.end()) return;
  asio::post(found->second->shard->executor(), [held = found->second, why] {
    if (held->owner) held->owner->stop(why);
  });
}

void Connector::ended(const base::TenantId& tenant) {
  held_.erase(tenant);
  ownership_.held(tenant, false, now());
  not_before_[tenant] = now() + kTakeAgain;
  if (held_.empty()) all_let_go_.cancel();
}

Shard& Connector::shard_of(const base::TenantId& tenant) {
  return *shards_[std::hash<base::TenantId>{}(tenant) % shards_.size()];
}

// ---- Configuration.

void Connector::set_tenants(std::vector<TenantConfig> tenants) {
  std::set<base::TenantId> configured;
  for (TenantConfig& tenant : tenants) {
    const auto id = tenant.id;
    configured.insert(id);
    auto& known = tenants_[id];
    const bool changed = known && known->digest != tenant.digest;
    if (known && !changed) continue;
    known = std::make_shared<const TenantConfig>(std::move(tenant));
    const auto held = held_.find(id);
    if (!changed || held == held_.end()) continue;
    kLog.info("tenant reconfigured", {{"tenant", id}});
    asio::post(held->second->shard->executor(), [owner = held->second, next = known] {
      if (owner->owner) owner->owner->reconfigure(next);
    });
  }
  for (auto it = tenants_.begin(); it != tenants_.end();) {
    if (configured.contains(it->first)) {
      ++it;
      continue;
    }
    kLog.info("tenant removed from the configuration", {{"tenant", it->first}});
    let_go(it->first, Errc::link_not_needed);
    it = tenants_.erase(it);
  }
  commons_.metrics.tenants.set(static_cast<double>(configured.size()));
  commons_.metrics.config_success.set(std::chrono::system_clock::now());
  commons_.metrics.config_ok.set(1);
  ownership_.set_tenants(std::move(configured), now());
  if (door_) door_->set_routes(routes());
}

void Connector::reload() {
  if (draining_) return;
  commons_.metrics.config_reloads.add();
  auto next = reload_();
  watch_files();
  if (!next) {
    commons_.metrics.config_reload_failures.add();
    commons_.metrics.config_ok.set(0);
    kLog.error("the configuration has mistakes: going on with the one before");
    return;
  }
  for (const auto& sentence : next->kept) {
    kLog.warning("a file is being replaced", {{"detail", sentence}});
  }
  if (next->fixed != config_.fixed) {
    kLog.warning("settings outside `tenants` have changed: restart needed for these");
  }
  // Else nobody's session tickets are to be worth nothing.
  if (door_ && std::exchange(inbound_files_, next->inbound.files) != next->inbound.files) {
    door_->renew_certificate();
  }
  set_tenants(std::move(next->tenants));
  kLog.info("configuration read again", {{"tenants", tenants_.size()}});
}

// A secret that is rotated is a changed configuration, wherever it is kept.
void Connector::watch_files() {
  std::set<std::filesystem::path> paths;
  for (const auto& [path, content] : files_) paths.insert(path);
  const auto unwatched = file_watch_->also(paths);
  std::set<std::filesystem::path> told;
  for (const auto& [path, why] : unwatched) {
    // One that was never read is perhaps no path at all, but the secret itself.
    const bool was_read = !files_.at(path).version.empty();
    if (!was_read || !told.insert(path.parent_path()).second) continue;
    kLog.warning("files in a folder are read again on SIGHUP only: it cannot be watched",
                 {{"folder", path.parent_path().string()}, {"detail", why}});
  }
}

// ---- The end.

asio::awaitable<void> Connector::take_signals() {
  for (;;) {
    const auto [error, signal] = co_await signals_.async_wait(kTuple);
    if (error) co_return;
    if (signal == SIGHUP) {
      reload();
    } else if (!draining_) {
      kLog.info("draining", {{"signal", signal}, {"tenants", held_.size()}});
      draining_ = true;
      spawn(drain());
    } else {
      kLog.error("ended by a second signal: what was not published is lost");
      std::_Exit(kForced);
    }
  }
}

asio::awaitable<void> Connector::drain() {
  ownership_.drain();
  file_watch_.reset();
  if (door_) door_->close();
  for (const auto& shard : shards_) {
    asio::post(shard->executor(), [&lobby = shard->lobby] { lobby.close(); });
  }
  pbxgw::v1::MemberRecord record;
  record.set_weight(config_.weight);
  record.set_draining(true);
  for (const auto& [tenant, held] : held_) let_go(tenant, Errc::shutting_down);
  if (connection_->connected()) {
    auto putting = leases_->put(member_key(config_), record.SerializeAsString());
    co_await std::move(putting);
  }
  all_let_go_.expires_after(config_.drain_limit);
  if (!held_.empty()) co_await all_let_go_.async_wait(kTuple);
  const bool all = held_.empty();
  if (!all) kLog.error("drain limit reached", {{"tenants", held_.size()}});
  lease_watch_.reset();
  for (const auto& shard : shards_) {
    auto closing = shard->connection->close(kRetry);
    co_await std::move(closing);
  }
  auto closing = connection_->close(kRetry);
  co_await std::move(closing);
  stop(all ? 0 : kForced);
}

void Connector::stop(int status) {
  status_ = status;
  io_.stop();
}

asio::awaitable<void> Connector::tick() {
  auto beat = heartbeats_.add("home", now());
  for (;;) {
    beat.tick(now());
    bool connected = connection_->connected();
    auto oldest = std::chrono::system_clock::time_point::max();
    for (const auto& shard : shards_) {
      connected = connected && shard->connection->connected();
      if (const auto its = shard->oldest(); its.time_since_epoch().count() > 0) {
        oldest = std::min(oldest, its);
      }
    }
    if (oldest == std::chrono::system_clock::time_point::max()) oldest = {};
    commons_.metrics.outbox_oldest.set(oldest);
    commons_.metrics.nats_connected.set(connected ? 1 : 0);
    commons_.bus_report.update();
    commons_.metrics.certificate_expiry.at({"nats"}).set(commons_.bus_report.certificate_expires());
    commons_.metrics.certificate_expiry.at({"pbx"}).set(commons_.tls.expires());
    auto pausing = pause(500ms);
    co_await std::move(pausing);
  }
}

void Connector::spawn(asio::awaitable<void> work) {
  asio::co_spawn(io_, std::move(work), [](std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
}

asio::awaitable<void> Connector::pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(io_, time);
  co_await timer.async_wait(kTuple);
  commons_.metrics.loop_lag.observe(now() - timer.expiry());
}

}  // namespace connector
