#include "control/rate_limits.h"

#include <gmock/gmock.h>

#include "control/command_gateway.h"
#include "google/rpc/error_details.pb.h"

namespace control {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using testing::Optional;
using testing::Test;

struct TokenBucketsTest : Test {
  TokenBuckets::TimePoint now{std::chrono::hours(1)};
  TokenBuckets buckets{10, 3, 4};

  int taken(std::string_view key) {
    int count = 0;
    while (count < 1'000 && !buckets.take(key, now)) ++count;
    return count;
  }
};

TEST_F(TokenBucketsTest, GivesTheBurstAndThenTheRate) {
  EXPECT_EQ(taken("a"), 3);
  now += 1s;
  EXPECT_EQ(taken("a"), 3) << "never more than the burst at once";
  int count = 0;
  for (int step = 0; step < 1'000; ++step, now += 10ms) count += !buckets.take("a", now);
  EXPECT_NEAR(count, 100, 1) << "in ten seconds";
}

TEST_F(TokenBucketsTest, SaysExactlyHowLongToWait) {
  taken("a");
  EXPECT_THAT(buckets.take("a", now), Optional(100ms));
  now += 37ms;
  const auto wait = buckets.take("a", now);
  ASSERT_THAT(wait, Optional(63ms));
  EXPECT_TRUE(buckets.take("a", now + *wait - 1ms));
  EXPECT_FALSE(buckets.take("a", now + *wait));
}

TEST_F(TokenBucketsTest, WhoeverWaitsAsToldIsServedWhateverTheRate) {
  for (const double rate : {0.3, 1.0, 3.0, 7.0, 60.0, 999.0}) {
    TokenBuckets odd(rate, 1, 4);
    ASSERT_FALSE(odd.take("a", now));
    for (int i = 0; i < 200; ++i) {
      const auto wait = odd.take("a", now);
      ASSERT_TRUE(wait);
      now += *wait;
      ASSERT_FALSE(odd.take("a", now)) << rate << ", " << i;
    }
  }
}

TEST_F(TokenBucketsTest, KeepsKeysApart) {
  taken("a");
  EXPECT_EQ(taken("b"), 3);
  EXPECT_TRUE(buckets.take("a", now));
}

TEST_F(TokenBucketsTest, AsksWithoutTaking) {
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(buckets.ask("a", now));
  EXPECT_EQ(buckets.size(), 0u) << "who only asks is not remembered";
  taken("a");
  EXPECT_THAT(buckets.ask("a", now), Optional(100ms));
}

TEST_F(TokenBucketsTest, IsBoundedAndThenTheRestSharesOneBucket) {
  for (const char* key : {"a", "b", "c", "d"}) taken(key);
  EXPECT_EQ(taken("e") + taken("f") + taken("g"), 3);
  EXPECT_TRUE(buckets.ask("h", now));
  EXPECT_EQ(buckets.size(), 4u);
  EXPECT_TRUE(buckets.take("a", now)) << "who is at his limit is not forgotten for others";
}

TEST_F(TokenBucketsTest, ForgetsFullBucketsFirst) {
  for (const char* key : {"a", "b", "c", "d"}) EXPECT_FALSE(buckets.take(key, now));
  now += 100ms;  // all of them are full again
  taken("a");
  EXPECT_EQ(taken("e"), 3);
  EXPECT_LE(buckets.size(), 4u);
  EXPECT_TRUE(buckets.take("a", now)) << "not the one that says something";
}

TEST_F(TokenBucketsTest, StandsATimeThatDoesNotGoOn) {
  taken("a");
  EXPECT_TRUE(buckets.take("a", now - 1h));
  EXPECT_THAT(buckets.take("a", now), Optional(100ms));
}

struct RateLimitsTest : Test {
  RateLimits::TimePoint now{std::chrono::hours(1)};
  RateLimits::Limits limits{.rate = 2,
                            .burst = 2,
                            .failed_logins = 3,
                            .watches_max = 2,
                            .signals_max = 2,
                            .recordings_max = 2};

  template <class Detail>
  static Detail detail_of(const google::rpc::Status& status) {
    Detail detail;
    for (const auto& each : status.details()) {
      if (each.UnpackTo(&detail)) return detail;
    }
    ADD_FAILURE() << "there is none";
    return detail;
  }
};

TEST_F(RateLimitsTest, LimitsACallerForEachTenant) {
  RateLimits limit(limits);
  EXPECT_FALSE(limit.enter("crm", "tenants/acme", now));
  EXPECT_FALSE(limit.enter("crm", "tenants/acme", now));
  const auto refused = limit.enter("crm", "tenants/acme", now + 100ms);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code(), 8);
  EXPECT_EQ(reason_of(*refused), "RATE_LIMITED");
  const auto delay = detail_of<google::rpc::RetryInfo>(*refused).retry_delay();
  EXPECT_EQ(delay.seconds(), 0);
  EXPECT_EQ(delay.nanos(), 400'000'000);
  const auto info = detail_of<google::rpc::ErrorInfo>(*refused);
  EXPECT_EQ(info.metadata().at("tenant"), "tenants/acme");
  EXPECT_EQ(info.metadata().at("rate"), "2");

  EXPECT_FALSE(limit.enter("crm", "tenants/bolt", now + 100ms));
  EXPECT_FALSE(limit.enter("console", "tenants/acme", now + 100ms));
  EXPECT_FALSE(limit.enter("crm", "tenants/acme", now + 500ms));
}

TEST_F(RateLimitsTest, LooksAtNothingMoreFromWhereTooMuchWasNoGood) {
  RateLimits limit(limits);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(limit.may_log_in("192.0.2.7", now));
    limit.login_failed("192.0.2.7", now);
  }
  const auto refused = limit.may_log_in("192.0.2.7", now);
  ASSERT_TRUE(refused);
  EXPECT_EQ(reason_of(*refused), "RATE_LIMITED");
  EXPECT_FALSE(limit.may_log_in("192.0.2.8", now));
  EXPECT_FALSE(limit.may_log_in("192.0.2.7", now + 1s));
}

TEST_F(RateLimitsTest, WhoseCredentialsAreGoodMayShowThemAsOftenAsHeLikes) {
  RateLimits limit(limits);
  for (int i = 0; i < 1'000; ++i) ASSERT_FALSE(limit.may_log_in("192.0.2.7", now));
}

TEST_F(RateLimitsTest, CountsTheAddressesOfASiteAsOne) {
  EXPECT_EQ(network_of("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(network_of("2001:db8:0:7:1:2:3:4"), "2001:db8:0:7::/64");
  EXPECT_EQ(network_of("2001:db8:0:7::9"), network_of("2001:db8:0:7:ffff::1"));
  EXPECT_EQ(network_of("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(network_of("unix"), "unix");
  EXPECT_EQ(network_of(""), "");
}

TEST_F(RateLimitsTest, LimitsTheStreamsOfOneCallerByTheirKind) {
  RateLimits limit(limits);
  using Kind = Admission::Kind;
  for (const auto& [kind, label] : {std::pair{Kind::watch, "watches"},
                                    {Kind::signal, "signals"},
                                    {Kind::recording, "recordings"}}) {
    EXPECT_EQ(RateLimits::label_of(kind), label);
    EXPECT_FALSE(limit.open_stream(kind, "crm"));
    EXPECT_FALSE(limit.open_stream(kind, "crm"));
    const auto refused = limit.open_stream(kind, "crm");
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code(), 8);
    EXPECT_FALSE(limit.open_stream(kind, "console"));
    limit.close_stream(kind, "crm");
    EXPECT_FALSE(limit.open_stream(kind, "crm"));
    EXPECT_TRUE(limit.open_stream(kind, "crm"));
  }
}

}  // namespace
}  // namespace control
