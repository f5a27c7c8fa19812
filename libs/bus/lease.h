#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "bus/connection.h"

namespace bus {

// A lease as its holder knows it.
struct Lease {
  std::uint64_t epoch = 0;     // the fencing token: that of a later holder is greater
  std::uint64_t revision = 0;  // changes with each renewal
};

// Where leases are kept. A lease not renewed for the store's TTL is free again. The holder's side
// of the bargain is HeldLease.
class LeaseStore {
 public:
  virtual ~LeaseStore() = default;

  // key_exists: held by somebody else, or not yet for sure by nobody; ask again. timed_out,
  // bus_unavailable: ask again as well; if it was granted after all, the next call finds that out.
  virtual boost::asio::awaitable<base::Result<Lease>> acquire(std::string name) = 0;
  // lease_lost: it is not ours any more. timed_out, bus_unavailable: not known; ask again with the
  // same lease until it has to be given up.
  virtual boost::asio::awaitable<base::Result<Lease>> renew(std::string name, Lease lease) = 0;
  // Lets others have it at once. No error if it was lost meanwhile.
  virtual boost::asio::awaitable<base::Result<void>> release(std::string name, Lease lease) = 0;
};

struct LeaseTimes {
  std::chrono::milliseconds ttl{15'000};
  // How long before the TTL the holder stops: clocks differ a little, and stopping takes its time.
  std::chrono::milliseconds safety{ttl / 5};
};

// When the holder of a lease has to renew it, and when to stop acting on it ("self-fence"). Pure:
// time is an argument, always of the monotonic clock that goes on while the process is suspended or
// stopped. What counts is when a request was sent, not when its answer came.
class HeldLease {
 public:
  // `asked` is when acquire() was called; `random` any number, fresh for each call.
  HeldLease(Lease lease, LeaseTimes times, TimePoint asked, std::uint64_t random);

  const Lease& lease() const { return lease_; }
  // Renew then, and no earlier; never after fence_at().
  TimePoint renew_at() const { return renew_at_; }
  // From then on somebody else may hold it: nothing may be published or commanded.
  TimePoint fence_at() const { return fence_at_; }
  // Asked before each act under the lease. Once true it stays true.
  bool fenced(TimePoint now);

  // A renewal asked for at `asked` succeeded. False, and nothing changes, if it was too late:
  // fenced.
  bool renewed(Lease lease, TimePoint asked, TimePoint now, std::uint64_t random);
  // A renewal failed, other than by lease_lost: sets when to try again, within what time is left.
  void failed(TimePoint now, std::uint64_t random);

 private:
  void set_times(TimePoint asked, std::uint64_t random);

  Lease lease_;
  LeaseTimes times_;
  TimePoint renew_at_{}, fence_at_{};
  bool fenced_ = false;
};

}  // namespace bus
