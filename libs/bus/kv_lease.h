#pragma once

#include <functional>
#include <map>
#include <string>

#include "bus/kv.h"
#include "bus/lease.h"

namespace bus {

// Leases as keys of a bucket whose TTL is that of the leases, and whose history is 1. Only
// successful conditional writes decide who holds one; the epoch is the revision of the write that
// acquired it. One per process and connection: its token tells its own keys from those of others.
// All calls are made on one executor.
class KvLeaseStore final : public LeaseStore {
 public:
  using Now = std::function<TimePoint()>;

  // `bucket` outlives the store. `owner` is for people to read in the bucket: a host's or pod's
  // name. `now` has to be monotonic.
  KvLeaseStore(KvBucket& bucket, const std::string& owner, LeaseTimes times,
               Now now = &std::chrono::steady_clock::now);

  boost::asio::awaitable<base::Result<Lease>> acquire(std::string name) override;
  boost::asio::awaitable<base::Result<Lease>> renew(std::string name, Lease lease) override;
  boost::asio::awaitable<base::Result<void>> release(std::string name, Lease lease) override;

 private:
  struct Seen {
    std::uint64_t revision;
    TimePoint since;
  };

  KvBucket& bucket_;
  const std::string token_;
  const LeaseTimes times_;
  const Now now_;
  std::map<std::string, Seen> seen_;  // what others hold, as far as we asked
};

}  // namespace bus
