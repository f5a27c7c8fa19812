#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "control/admission.h"
#include "google/rpc/status.pb.h"

namespace control {

// A token bucket for each of many keys: `burst` at once, and from then on `rate` a second. A bucket
// that has been left alone until it is full again says no more than none would, and makes room for
// others. While there are `keys_max` that do say something, all further keys share one bucket: so
// whoever makes up keys neither takes memory nor wins anything. Time is an argument; one thread.
class TokenBuckets {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  TokenBuckets(double rate, double burst, std::size_t keys_max);

  // Takes one. If there is none: how long until there is, rounded up.
  std::optional<std::chrono::milliseconds> take(std::string_view key, TimePoint now);
  // The same, but takes nothing.
  std::optional<std::chrono::milliseconds> ask(std::string_view key, TimePoint now);
  std::size_t size() const { return places_.size(); }

 private:
  struct Bucket {
    std::string key;
    double tokens = 0;
    TimePoint since{};  // when there were so many
  };
  Bucket* find(std::string_view key);
  Bucket& found_or_made(std::string_view key, TimePoint now);
  void fill(Bucket& bucket, TimePoint now) const;
  std::optional<std::chrono::milliseconds> lacking(const Bucket& bucket) const;

  const double rate_, burst_;
  const std::size_t keys_max_;
  std::list<Bucket> buckets_;  // that from which nothing was taken for the longest time first
  std::unordered_map<std::string_view, std::list<Bucket>::iterator> places_;  // of their keys
  Bucket others_;
};

// Where a request comes from as far as it is counted: an IPv4 address, or the 64 bits of an IPv6
// one that a site has for itself ("2001:db8:0:7::/64"), since the rest is free for anybody there to
// choose. What is no address stands for itself.
std::string network_of(std::string_view address);

// What one caller may ask for, however many others there are. All members are for any thread; lives
// as long as the process.
//
// Admission guards the process; these guard callers from one another, and keep somebody who tries
// out tokens from costing more than a look into a table.
class RateLimits {
 public:
  using TimePoint = TokenBuckets::TimePoint;
  using Refused = std::optional<google::rpc::Status>;
  struct Limits {
    double rate = 100;              // RPCs a second, for each principal and tenant
    double burst = 200;             // of them at once
    double failed_logins = 10;      // a second, and at once, for each network
    std::size_t keys_max = 10'000;  // principals with tenants, or networks, that are remembered
    // Streams of one principal at a time: of all that there may be not more than half.
    std::size_t watches_max = 100;
    std::size_t signals_max = 500;
    std::size_t recordings_max = 50;
  };
  explicit RateLimits(Limits limits)
      : limits_(limits),
        rpcs_(limits.rate, limits.burst, limits.keys_max),
        failed_logins_(limits.failed_logins, limits.failed_logins, limits.keys_max) {}

  // RATE_LIMITED with the exact time to wait, or nothing and it counts. `tenant` is its name, or
  // "tenants/-" for none, all, or one that nobody has.
  Refused enter(std::string_view principal, std::string_view tenant, TimePoint now);
  // Before a signature is verified: RATE_LIMITED if too many tokens that came from there were no
  // good.
  Refused may_log_in(std::string_view address, TimePoint now);
  void login_failed(std::string_view address, TimePoint now);
  // TOO_MANY_REQUESTS, or nothing, and then close_stream() has to follow. Not for commands: those
  // are over before long.
  Refused open_stream(Admission::Kind kind, std::string_view principal);
  void close_stream(Admission::Kind kind, std::string_view principal);
  // "watches", as the metric has it.
  static std::string label_of(Admission::Kind kind);

 private:
  const Limits limits_;
  std::mutex mutex_;
  TokenBuckets rpcs_, failed_logins_;
  using Counts = std::map<std::string, std::size_t, std::less<>>;  // by principal
  std::array<Counts, 4> streams_;                                  // by kind; at least one each
};

}  // namespace control
