#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bus/kv.h"
#include "config/watch.h"
#include "connector/config.h"
#include "connector/door.h"
#include "connector/ownership.h"
#include "connector/shard.h"
#include "connector/tenant_owner.h"
#include "telemetry/admin_server.h"
#include "telemetry/heartbeats.h"

namespace connector {

// The service: takes its share of the tenants, and lets go of them. Lives on the thread that calls
// run().
class Connector {
 public:
  // `reload` reads the configuration anew, or says what is wrong with it (and returns nothing).
  using Reload = std::function<std::optional<Config>()>;

  // `files`: those that the configuration names, as reload() keeps them; they are watched too. Has
  // to live as long as this. Throws std::runtime_error if something cannot be used at all: the NATS
  // options, an address in use.
  Connector(Config config, std::string config_file, Reload reload, const config::Files& files);
  ~Connector();

  // Until SIGTERM or SIGINT, and the drain after it. Returns the process's exit status: 0; 1 if the
  // streams of NATS are not as configured; 3 if a second signal or the drain limit ended it.
  int run();

  // The port of /metrics, /livez and /readyz.
  std::uint16_t admin_port() const { return admin_->port(); }
  // The port for PBXs that dial us; 0 if none do.
  std::uint16_t inbound_port() const { return door_ ? door_->port() : 0; }

 private:
  struct Held;  // a TenantOwner, from here
  // PBXs that wait for their tenant's owner to be here, and what the others were told of it.
  struct Wish {
    std::set<std::string> pbxs;
    bool is_told = false;        // just these
    std::uint64_t revision = 0;  // in the bucket; 0: not there
    std::chrono::steady_clock::time_point told{};
  };

  static constexpr std::string_view kWishPrefix = "wish.";  // in the bucket of leases

  boost::asio::awaitable<void> serve();
  boost::asio::awaitable<bool> prepare_streams();
  boost::asio::awaitable<void> keep_membership();
  boost::asio::awaitable<void> watch_leases();
  boost::asio::awaitable<void> share_tenants();
  boost::asio::awaitable<void> keep_wishes();
  boost::asio::awaitable<void> keep_wish(base::TenantId tenant);
  boost::asio::awaitable<void> take_signals();
  boost::asio::awaitable<void> drain();
  boost::asio::awaitable<void> tick();
  void see(const bus::KvEntry& entry);
  void set_tenants(std::vector<TenantConfig> tenants);
  Shard& shard_of(const base::TenantId& tenant);
  Door::Routes routes();
  void open_door();
  void waits(const base::TenantId& tenant, std::set<std::string> pbxs);
  void reload();
  void watch_files();
  void take(const base::TenantId& tenant);
  void let_go(const base::TenantId& tenant, base::Errc why);
  void ended(const base::TenantId& tenant);
  void stop(int status);
  void spawn(boost::asio::awaitable<void> work);
  boost::asio::awaitable<void> pause(std::chrono::milliseconds time);

  Config config_;
  Reload reload_;
  const config::Files& files_;
  std::string inbound_files_;  // those that the door has, as InboundConfig::files
  telemetry::Metrics all_metrics_;
  telemetry::Health health_;
  telemetry::Heartbeats heartbeats_;
  Commons commons_;
  boost::asio::io_context io_{1};
  std::shared_ptr<bus::Connection> connection_;
  std::shared_ptr<bus::Requests> requests_;
  bus::JetStream jetstream_;
  std::unique_ptr<bus::KvBucket> leases_;
  std::unique_ptr<bus::KvWatch> lease_watch_;
  Ownership ownership_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<Door> door_;  // null: no PBX dials us
  std::map<base::TenantId, std::shared_ptr<const TenantConfig>> tenants_;
  std::map<base::TenantId, std::shared_ptr<Held>> held_;
  std::map<base::TenantId, std::chrono::steady_clock::time_point> not_before_;  // take again
  std::map<base::TenantId, Wish> wishes_;
  std::unique_ptr<config::FileWatch> file_watch_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer wake_;   // share_tenants()
  boost::asio::steady_timer asked_;  // keep_wishes()
  boost::asio::steady_timer all_let_go_;
  std::atomic<bool> started_ = false, draining_ = false, prepared_ = false;
  bool watch_ended_ = false;
  int status_ = 0;
  std::unique_ptr<telemetry::AdminServer> admin_;
};

}  // namespace connector
