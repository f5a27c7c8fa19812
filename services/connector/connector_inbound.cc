// PBXs that dial us: who is let in where, and the wishes by which the lease follows them.
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "connector/connector.h"
#include "pbxgw/v1/command.pb.h"
#include "telemetry/log.h"
#include "wire/token.h"

namespace connector {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr auto kLog = telemetry::log::Logger("connector");
constexpr auto kLookAgain = 200ms;  // while somebody waits
constexpr auto kIdle = 1s;

std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }

}  // namespace

void Connector::open_door() {
  for (const auto& shard : shards_) {
    asio::post(shard->executor(), [this, &lobby = shard->lobby] {
      lobby.on_change([this](const base::TenantId& tenant, std::set<std::string> pbxs) {
        asio::post(io_, [this, tenant, pbxs = std::move(pbxs)]() mutable {
          waits(tenant, std::move(pbxs));
        });
      });
    });
  }
  door_ = std::make_unique<Door>(config_.inbound, commons_.metrics, heartbeats_, routes());
}

Door::Routes Connector::routes() {
  Door::Routes routes;
  for (const auto& [id, tenant] : tenants_) {
    if (tenant->path.empty()) continue;
    Shard& shard = shard_of(id);
    routes[tenant->path] = {tenant, shard.executor(), &shard.lobby};
  }
  return routes;
}

void Connector::waits(const base::TenantId& tenant, std::set<std::string> pbxs) {
  Wish& wish = wishes_[tenant];
  wish.pbxs = std::move(pbxs);
  wish.is_told = false;
  asked_.cancel();
}

// Tells the other connectors which tenants have to be owned here, because their PBXs are.
asio::awaitable<void> Connector::keep_wishes() {
  for (;;) {
    std::vector<base::TenantId> tenants;
    for (const auto& [tenant, wish] : wishes_) tenants.push_back(tenant);
    for (const auto& tenant : tenants) {
      auto keeping = keep_wish(tenant);
      co_await std::move(keeping);
    }
    asked_.expires_after(wishes_.empty() ? kIdle : kLookAgain);
    co_await asked_.async_wait(kTuple);
  }
}

asio::awaitable<void> Connector::keep_wish(base::TenantId tenant) {
  const std::string key = std::string(kWishPrefix) + wire::to_token(tenant.str());
  Wish& wish = wishes_[tenant];  // stays there meanwhile
  if (wish.pbxs.empty()) {
    if (wish.revision != 0) {
      // If it cannot be erased, it is somebody else's by now, or will go by itself.
      auto erasing = leases_->erase(key, std::exchange(wish.revision, 0));
      co_await std::move(erasing);
    }
    if (wish.pbxs.empty()) wishes_.erase(tenant);
    co_return;
  }
  if (held_.contains(tenant)) co_return;
  const bool is_due = now() - wish.told >= config_.lease.ttl / 3;
  // What is new is told whatever the others wish: the last PBX that dials decides.
  if (wish.is_told && (!is_due || ownership_.wished_elsewhere(tenant, now()))) co_return;
  pbxgw::v1::WishRecord record;
  record.set_connector(config_.instance);
  for (const auto& pbx : wish.pbxs) record.add_pbxs(pbx);
  const bool is_new = !std::exchange(wish.is_told, true);
  wish.told = now();
  auto putting = leases_->put(key, record.SerializeAsString());
  const auto put = co_await std::move(putting);
  if (put.has_error()) {
    wish.is_told = false;
    if (const auto suppressed = commons_.notes.pass(tenant.str(), now())) {
      kLog.warning("a tenant's lease cannot be asked for",
                   {{"tenant", tenant}, {"error", put.error()}, {"suppressed", *suppressed}});
    }
    co_return;
  }
  wish.revision = *put;
  if (is_new) commons_.metrics.inbound_wishes.add();
}

}  // namespace connector
