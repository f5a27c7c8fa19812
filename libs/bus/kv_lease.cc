#include "bus/kv_lease.h"

#include <utility>

namespace bus {

namespace asio = boost::asio;
using base::Errc;

KvLeaseStore::KvLeaseStore(KvBucket& bucket, const std::string& owner, LeaseTimes times, Now now)
    : bucket_(bucket), token_(owner + "/" + new_unique()), times_(times), now_(std::move(now)) {}

asio::awaitable<base::Result<Lease>> KvLeaseStore::acquire(std::string name) {
  auto creating = bucket_.create(name, token_);
  const auto created = co_await std::move(creating);
  if (created) {
    seen_.erase(name);
    co_return Lease{.epoch = *created, .revision = *created};
  }
  if (created.error() != Errc::key_exists) co_return created.error();

  auto asking = bucket_.get(name);
  const auto held = co_await std::move(asking);
  if (!held) {
    // Free by now; the next call will see.
    if (held.error() == Errc::key_not_found) co_return Errc::key_exists;
    co_return held.error();
  }
  // Ours, if an answer to an earlier call was lost. Otherwise the TTL has to pass on our own clock
  // without the holder renewing: by then it has fenced itself, even if the bucket, whose clock is
  // another, still shows the key.
  if (held->value != token_) {
    const auto [seen, is_new] = seen_.try_emplace(name, Seen{held->revision, now_()});
    if (!is_new && seen->second.revision != held->revision) {
      seen->second = {held->revision, now_()};
    }
    if (now_() - seen->second.since < times_.ttl) co_return Errc::key_exists;
  }
  auto taking = bucket_.update(name, token_, held->revision);
  const auto taken = co_await std::move(taking);
  if (!taken) {
    if (taken.error() == Errc::revision_differs) co_return Errc::key_exists;
    co_return taken.error();
  }
  seen_.erase(name);
  co_return Lease{.epoch = *taken, .revision = *taken};
}

asio::awaitable<base::Result<Lease>> KvLeaseStore::renew(std::string name, Lease lease) {
  auto updating = bucket_.update(name, token_, lease.revision);
  auto updated = co_await std::move(updating);
  if (!updated && updated.error() == Errc::revision_differs) {
    // An earlier renewal may have succeeded without our knowing.
    auto asking = bucket_.get(name);
    const auto found = co_await std::move(asking);
    if (!found && found.error() != Errc::key_not_found) co_return found.error();
    if (!found || found->value != token_) co_return Errc::lease_lost;
    auto again = bucket_.update(name, token_, found->revision);
    updated = co_await std::move(again);
    if (!updated && updated.error() == Errc::revision_differs) co_return Errc::lease_lost;
  }
  if (!updated) co_return updated.error();
  co_return Lease{.epoch = lease.epoch, .revision = *updated};
}

asio::awaitable<base::Result<void>> KvLeaseStore::release(std::string name, Lease lease) {
  auto erasing = bucket_.erase(name, lease.revision);
  auto erased = co_await std::move(erasing);
  if (!erased && erased.error() == Errc::revision_differs) {
    auto asking = bucket_.get(name);
    const auto found = co_await std::move(asking);
    if (!found && found.error() != Errc::key_not_found) co_return found.error();
    if (!found || found->value != token_) co_return base::Result<void>{};
    auto again = bucket_.erase(name, found->revision);
    erased = co_await std::move(again);
  }
  if (!erased && erased.error() != Errc::revision_differs) co_return erased.error();
  co_return base::Result<void>{};
}

}  // namespace bus
