#include "bus/lease.h"

#include <algorithm>

namespace bus {
namespace {

// Between 7/8 and 9/8 of `span`, so that leases acquired together are not renewed together.
TimePoint::duration jitter(TimePoint::duration span, std::uint64_t random) {
  const auto quarter = static_cast<std::uint64_t>(span.count() / 4);
  return span * 7 / 8 + TimePoint::duration(static_cast<TimePoint::rep>(random % (quarter + 1)));
}

}  // namespace

HeldLease::HeldLease(Lease lease, LeaseTimes times, TimePoint asked, std::uint64_t random)
    : lease_(lease), times_(times) {
  set_times(asked, random);
}

void HeldLease::set_times(TimePoint asked, std::uint64_t random) {
  fence_at_ = asked + times_.ttl - times_.safety;
  renew_at_ = std::min(asked + jitter(times_.ttl / 3, random), fence_at_);
}

bool HeldLease::fenced(TimePoint now) {
  fenced_ = fenced_ || now >= fence_at_;
  return fenced_;
}

bool HeldLease::renewed(Lease lease, TimePoint asked, TimePoint now, std::uint64_t random) {
  if (fenced(now)) return false;
  lease_ = lease;
  set_times(asked, random);
  return !fenced(now);
}

void HeldLease::failed(TimePoint now, std::uint64_t random) {
  renew_at_ = std::min(now + jitter(times_.ttl / 20, random), fence_at_);
}

}  // namespace bus
