#include "control/rate_limits.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include <boost/asio/ip/address.hpp>

#include "control/answer.h"

namespace control {

using base::Errc;
using std::chrono::milliseconds;

namespace {

using Seconds = std::chrono::duration<double>;

std::string text_of(double number) {
  std::string text = std::to_string(number);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

// What there may be so many of, of one caller.
struct Row {
  std::size_t RateLimits::Limits::*most;
  const char* what;
  const char* label;
};
const Row& row_of(Admission::Kind kind) {
  static constexpr Row kWatches{&RateLimits::Limits::watches_max, "watches", "watches"};
  static constexpr Row kSignals{&RateLimits::Limits::signals_max, "media clients", "signals"};
  static constexpr Row kRecordings{&RateLimits::Limits::recordings_max, "recordings", "recordings"};
  switch (kind) {
    case Admission::Kind::watch: return kWatches;
    case Admission::Kind::signal: return kSignals;
    case Admission::Kind::recording: return kRecordings;
    case Admission::Kind::command: break;
  }
  throw std::logic_error("commands are not counted");
}

google::rpc::Status limited(std::string detail, milliseconds wait,
                            std::map<std::string, std::string> metadata) {
  wire::Failure failure;
  failure.why = Errc::rate_limited;
  failure.detail = std::move(detail);
  failure.metadata = std::move(metadata);
  failure.retry_after = wait;
  return wire::to_status(failure);
}

}  // namespace

// ---- Buckets ----

TokenBuckets::TokenBuckets(double rate, double burst, std::size_t keys_max)
    : rate_(rate), burst_(std::max(burst, 1.0)), keys_max_(keys_max) {
  others_.tokens = burst_;
}

std::optional<milliseconds> TokenBuckets::take(std::string_view key, TimePoint now) {
  Bucket& bucket = found_or_made(key, now);
  fill(bucket, now);
  const auto wait = lacking(bucket);
  if (!wait) bucket.tokens -= 1;
  return wait;
}

std::optional<milliseconds> TokenBuckets::ask(std::string_view key, TimePoint now) {
  Bucket* bucket = find(key);
  if (!bucket && places_.size() < keys_max_) return std::nullopt;
  if (!bucket) bucket = &others_;
  fill(*bucket, now);
  return lacking(*bucket);
}

TokenBuckets::Bucket* TokenBuckets::find(std::string_view key) {
  const auto found = places_.find(key);
  return found == places_.end() ? nullptr : &*found->second;
}

TokenBuckets::Bucket& TokenBuckets::found_or_made(std::string_view key, TimePoint now) {
  if (const auto found = places_.find(key); found != places_.end()) {
    buckets_.splice(buckets_.end(), buckets_, found->second);
    return *found->second;
  }
  // The one left alone for the longest time is full if any is, sooner or later: two steps for each
  // new one keep the table small without a search.
  for (int i = 0; i < 2 && !buckets_.empty(); ++i) {
    fill(buckets_.front(), now);
    if (buckets_.front().tokens < burst_) break;
    places_.erase(buckets_.front().key);
    buckets_.pop_front();
  }
  if (places_.size() >= keys_max_) return others_;
  Bucket& made = buckets_.emplace_back(Bucket{std::string(key), burst_, now});
  places_.emplace(made.key, std::prev(buckets_.end()));
  return made;
}

void TokenBuckets::fill(Bucket& bucket, TimePoint now) const {
  if (now > bucket.since) {
    const Seconds passed = now - bucket.since;
    bucket.tokens = std::min(burst_, bucket.tokens + passed.count() * rate_);
  }
  bucket.since = std::max(bucket.since, now);
}

std::optional<milliseconds> TokenBuckets::lacking(const Bucket& bucket) const {
  // Whoever waits exactly as told must not be a rounding error too early.
  constexpr double kAlmost = 1e-6;
  if (bucket.tokens >= 1 - kAlmost) return std::nullopt;
  return std::chrono::ceil<milliseconds>(Seconds((1 - bucket.tokens) / rate_));
}

// ---- Limits ----

std::string network_of(std::string_view address) {
  boost::system::error_code failed;
  const auto parsed = boost::asio::ip::make_address(std::string(address), failed);
  if (failed || !parsed.is_v6()) return std::string(address);
  auto v6 = parsed.to_v6();
  if (v6.is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6).to_string();
  }
  auto bytes = v6.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), 0);
  return boost::asio::ip::address_v6(bytes).to_string() + "/64";
}

RateLimits::Refused RateLimits::enter(std::string_view principal, std::string_view tenant,
                                      TimePoint now) {
  std::string key(principal);
  key += '\n';  // neither name has one
  key += tenant;
  std::optional<milliseconds> wait;
  {
    const std::lock_guard lock(mutex_);
    wait = rpcs_.take(key, now);
  }
  if (!wait) return std::nullopt;
  const std::string rate = text_of(limits_.rate);
  return limited("More than " + rate + " requests a second for one tenant.", *wait,
                 {{"limit", "rate"}, {"rate", rate}, {"tenant", std::string(tenant)}});
}

RateLimits::Refused RateLimits::may_log_in(std::string_view address, TimePoint now) {
  const std::string network = network_of(address);
  std::optional<milliseconds> wait;
  {
    const std::lock_guard lock(mutex_);
    wait = failed_logins_.ask(network, now);
  }
  if (!wait) return std::nullopt;
  return limited(
      "Too many tokens from this address were no good: those not known yet are not looked at.",
      *wait, {{"limit", "failed_logins"}, {"rate", text_of(limits_.failed_logins)}});
}

void RateLimits::login_failed(std::string_view address, TimePoint now) {
  const std::string network = network_of(address);
  const std::lock_guard lock(mutex_);
  failed_logins_.take(network, now);
}

RateLimits::Refused RateLimits::open_stream(Admission::Kind kind, std::string_view principal) {
  const Row& row = row_of(kind);
  const std::size_t most = limits_.*row.most;
  {
    const std::lock_guard lock(mutex_);
    Counts& counts = streams_[static_cast<std::size_t>(kind)];
    const auto found = counts.find(principal);
    if (found == counts.end()) {
      counts.emplace(principal, 1);
      return std::nullopt;
    }
    if (found->second < most) {
      ++found->second;
      return std::nullopt;
    }
  }
  const std::string limit = std::to_string(most);
  const std::string what = row.what;
  return refuse(Errc::too_many_requests, "You have " + limit + ' ' + what + " open already.",
                {{"limit", limit}, {"kind", what + " of one caller"}});
}

void RateLimits::close_stream(Admission::Kind kind, std::string_view principal) {
  const std::lock_guard lock(mutex_);
  Counts& counts = streams_[static_cast<std::size_t>(kind)];
  const auto found = counts.find(principal);
  if (found == counts.end()) return;
  if (--found->second == 0) counts.erase(found);
}

std::string RateLimits::label_of(Admission::Kind kind) { return row_of(kind).label; }

}  // namespace control
