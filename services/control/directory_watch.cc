#include "control/directory_watch.h"

#include <set>
#include <string>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "telemetry/log.h"
#include "wire/subjects.h"

namespace control {

namespace asio = boost::asio;
using base::Errc;
using std::chrono::steady_clock;

namespace {

constexpr telemetry::log::Logger kLog("directory");
constexpr std::chrono::milliseconds kRetryWait{1'000};
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

DirectoryWatch::DirectoryWatch(std::shared_ptr<bus::Connection> connection,
                               std::shared_ptr<bus::Requests> requests, Directory& directory)
    : connection_(std::move(connection)),
      directory_(directory),
      tenants_{bus::KvBucket(requests, wire::kTenantBucket),
               asio::steady_timer(connection_->executor())},
      leases_{bus::KvBucket(requests, wire::kLeaseBucket),
              asio::steady_timer(connection_->executor())} {}

DirectoryWatch::~DirectoryWatch() = default;

void DirectoryWatch::start() {
  listener_ = connection_->listen([this](bus::ConnectionEvent, const std::string&) {
    directory_.connected(connection_->connected(), steady_clock::now());
  });
  directory_.connected(connection_->connected(), steady_clock::now());
  asio::co_spawn(connection_->executor(), follow_tenants(), asio::detached);
  asio::co_spawn(connection_->executor(), follow_leases(), asio::detached);
}

void DirectoryWatch::stop() {
  stopped_ = true;
  connection_->forget(listener_);
  tenants_.wake.cancel();
  leases_.wake.cancel();
}

// Shows the bucket to `handlers` until that ends, and returns why it did.
asio::awaitable<base::Error> DirectoryWatch::show(Followed& what,
                                                  bus::KvBucket::WatchHandlers handlers) {
  base::Error why;
  handlers.on_end = [&](base::Error error, const std::string& detail) {
    kLog.warning("a bucket is not followed any more", {{"error", error}, {"detail", detail}});
    why = error;
    what.wake.cancel();
  };
  what.wake.expires_at(asio::steady_timer::time_point::max());
  std::string detail;
  auto watching = what.bucket.watch(">", connection_->executor(), std::move(handlers), detail);
  const auto watch = co_await std::move(watching);
  if (!watch) co_return watch.error();
  while (!why && !stopped_) co_await what.wake.async_wait(kTuple);
  co_return why;
}

asio::awaitable<void> DirectoryWatch::pause(Followed& what) {
  if (stopped_) co_return;
  what.wake.expires_after(kRetryWait);
  co_await what.wake.async_wait(kTuple);
}

asio::awaitable<void> DirectoryWatch::follow_tenants() {
  while (!stopped_) {
    // What is not there any more when the watch begins anew was deleted in the meantime.
    auto shown = std::make_shared<std::set<std::string, std::less<>>>();
    bus::KvBucket::WatchHandlers handlers;
    handlers.on_entry = [this, shown](const bus::KvEntry& entry) {
      if (entry.erased) {
        directory_.erase_tenant(entry.key);
      } else {
        directory_.put_tenant(entry.key, entry.value);
        shown->insert(entry.key);
      }
    };
    handlers.on_initial_done = [this, shown] {
      directory_.retain_tenants(*shown);
      directory_.complete();
    };
    auto showing = show(tenants_, std::move(handlers));
    const base::Error why = co_await std::move(showing);
    // Before the first connector has made the bucket, there are no tenants.
    if (why == Errc::key_not_found) directory_.complete();
    auto pausing = pause(tenants_);
    co_await std::move(pausing);
  }
}

asio::awaitable<void> DirectoryWatch::follow_leases() {
  while (!stopped_) {
    bus::KvBucket::WatchHandlers handlers;
    handlers.on_entry = [this](const bus::KvEntry& entry) {
      if (entry.erased) {
        directory_.erase_lease(entry.key);
      } else {
        directory_.put_lease(entry.key, entry.value, steady_clock::now());
      }
    };
    auto showing = show(leases_, std::move(handlers));
    co_await std::move(showing);
    auto pausing = pause(leases_);
    co_await std::move(pausing);
  }
}

}  // namespace control
