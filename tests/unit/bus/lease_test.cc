#include "bus/lease.h"

#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gmock/gmock.h>

#include "bus/kv_lease.h"
#include "support/fault_proxy.h"
#include "unit/bus/bus_fixture.h"

namespace bus {
namespace {

using base::Errc;
using namespace std::chrono_literals;

struct HeldLeaseTest : testing::Test {
  const LeaseTimes times{.ttl = 15s, .safety = 3s};
  const TimePoint start = TimePoint() + 1h;
};

TEST_F(HeldLeaseTest, RenewsAtAThirdAndFencesBeforeTheEnd) {
  for (std::uint64_t random : {0ull, 1ull, 12345ull, ~0ull}) {
    const HeldLease held({.epoch = 7, .revision = 7}, times, start, random);
    EXPECT_GE(held.renew_at(), start + 4s);
    EXPECT_LE(held.renew_at(), start + 6s);
    EXPECT_EQ(held.fence_at(), start + 12s);
  }
}

TEST_F(HeldLeaseTest, CountsFromWhenTheRequestWasSent) {
  HeldLease held({.epoch = 7, .revision = 7}, times, start, 0);
  EXPECT_TRUE(held.renewed({.epoch = 7, .revision = 9}, start + 5s, start + 11s, 0));
  EXPECT_EQ(held.fence_at(), start + 17s);
  EXPECT_EQ(held.lease().revision, 9u);
}

TEST_F(HeldLeaseTest, StaysFencedAfterTheProcessWasStopped) {
  HeldLease held({.epoch = 7, .revision = 7}, times, start, 0);
  EXPECT_FALSE(held.fenced(start + 5s));
  // SIGSTOP for an hour with a renewal on its way, whose success is found afterwards.
  EXPECT_FALSE(held.renewed({.epoch = 7, .revision = 9}, start + 5s, start + 1h, 0));
  EXPECT_TRUE(held.fenced(start + 1h));
  EXPECT_EQ(held.lease().revision, 7u);
  // Nothing brings it back, not even a clock that was wrong.
  EXPECT_TRUE(held.fenced(start));
  EXPECT_FALSE(held.renewed({.epoch = 7, .revision = 9}, start + 1h, start + 1h, 0));
}

TEST_F(HeldLeaseTest, TriesAgainSoonAfterAFailureButNotAfterTheFence) {
  HeldLease held({.epoch = 7, .revision = 7}, times, start, 0);
  held.failed(start + 5s, 3);
  EXPECT_GT(held.renew_at(), start + 5s);
  EXPECT_LT(held.renew_at(), start + 6s);
  held.failed(start + 11s + 900ms, 3);
  EXPECT_EQ(held.renew_at(), held.fence_at());
}

TEST_F(HeldLeaseTest, KeepsAFifthOfTheTtlForSafetyByDefault) {
  EXPECT_EQ((LeaseTimes{.ttl = 10s}).safety, 2s);
}

struct KvLeaseTest : BusFixture {
  const LeaseTimes times{.ttl = 500ms, .safety = 100ms};
  // The bucket's own TTL is longer in most tests, so that taking over by watching is seen to work.
  std::shared_ptr<Connection> connection = connect();
  std::shared_ptr<Requests> requests = std::make_shared<Requests>(connection);
  KvBucket bucket{requests, "leases", Duration(300)};
  TimePoint clock = TimePoint() + 1h;
  KvLeaseStore::Now now = [this] { return clock; };
  KvLeaseStore first{bucket, "first", times, now}, second{bucket, "second", times, now};

  void make_bucket(std::chrono::nanoseconds ttl) {
    BucketConfig config;
    config.name = "leases";
    config.ttl = ttl;
    std::string why;
    ASSERT_TRUE(await(bucket.ensure(config, why))) << why;
  }
};

TEST_F(KvLeaseTest, IsHeldByOne) {
  make_bucket(1h);
  const auto mine = await(first.acquire("acme"));
  ASSERT_TRUE(mine);
  EXPECT_EQ(mine->epoch, mine->revision);
  EXPECT_EQ(await(second.acquire("acme")).error(), Errc::key_exists);
  const auto renewed = await(first.renew("acme", *mine));
  ASSERT_TRUE(renewed);
  EXPECT_EQ(renewed->epoch, mine->epoch);
  EXPECT_GT(renewed->revision, mine->revision);
  EXPECT_TRUE(await(second.acquire("other")));
}

TEST_F(KvLeaseTest, IsFreeAtOnceWhenReleased) {
  make_bucket(1h);
  const auto mine = await(first.acquire("acme"));
  const auto renewed = await(first.renew("acme", *mine));
  EXPECT_TRUE(await(first.release("acme", *mine)));  // with a revision that is not the last
  const auto theirs = await(second.acquire("acme"));
  ASSERT_TRUE(theirs);
  EXPECT_GT(theirs->epoch, mine->epoch);
  EXPECT_EQ(await(first.renew("acme", *renewed)).error(), Errc::lease_lost);
  EXPECT_TRUE(await(first.release("acme", *renewed)));  // leaves theirs alone
  EXPECT_TRUE(await(second.renew("acme", *theirs)));
}

TEST_F(KvLeaseTest, IsTakenOverOnceItWasSeenUnchangedForTheTtl) {
  make_bucket(1h);
  const auto mine = await(first.acquire("acme"));
  EXPECT_EQ(await(second.acquire("acme")).error(), Errc::key_exists);
  clock += 499ms;
  EXPECT_EQ(await(second.acquire("acme")).error(), Errc::key_exists);
  const auto renewed = await(first.renew("acme", *mine));
  clock += 499ms;
  EXPECT_EQ(await(second.acquire("acme")).error(), Errc::key_exists);
  clock += 500ms;
  const auto theirs = await(second.acquire("acme"));
  ASSERT_TRUE(theirs);
  EXPECT_GT(theirs->epoch, mine->epoch);
  EXPECT_EQ(await(first.renew("acme", *renewed)).error(), Errc::lease_lost);
}

TEST_F(KvLeaseTest, IsTakenOverWhenTheBucketHasForgottenIt) {
  make_bucket(200ms);
  const auto mine = await(first.acquire("acme"));
  std::optional<Lease> theirs;
  ASSERT_TRUE(run_until([&] {
    const auto taken = await(second.acquire("acme"));
    if (taken) theirs = *taken;
    return theirs.has_value();
  }));
  EXPECT_GT(theirs->epoch, mine->epoch);
  EXPECT_EQ(await(first.renew("acme", *mine)).error(), Errc::lease_lost);
}

TEST_F(KvLeaseTest, FindsOutThatALostAnswerWasAYes) {
  make_bucket(1h);
  support::FaultProxy proxy(server.port());
  const auto far = connect(options_for("nats://127.0.0.1:" + std::to_string(proxy.port())));
  KvBucket far_bucket(std::make_shared<Requests>(far), "leases", Duration(100));
  KvLeaseStore store(far_bucket, "far", times, now);
  const auto lose_answers = [&](auto ask) {
    proxy.set_flow_to_client(support::FaultProxy::Flow::drop);
    EXPECT_EQ(ask().error(), Errc::timed_out);
    proxy.reset();
    proxy.set_flow_to_client(support::FaultProxy::Flow::pass);
    proxy.reset();
    EXPECT_TRUE(run_until([&] { return far->statistics().disconnects > 0 && far->connected(); }));
  };
  lose_answers([&] { return await(store.acquire("acme")); });
  EXPECT_EQ(await(first.acquire("acme")).error(), Errc::key_exists);
  base::Result<Lease> mine = Errc::timed_out;
  ASSERT_TRUE(run_until([&] { return (mine = await(store.acquire("acme"))).has_value(); }));

  lose_answers([&] { return await(store.renew("acme", *mine)); });
  base::Result<Lease> renewed = Errc::timed_out;
  ASSERT_TRUE(run_until([&] { return (renewed = await(store.renew("acme", *mine))).has_value(); }));
  EXPECT_EQ(renewed->epoch, mine->epoch);
}

// Some who want the same lease, each with pauses at any point as long as those of a stopped
// process. Whoever has it and is not fenced, by its own reading of the clock, is an owner.
struct Contender {
  KvLeaseStore store;
  LeaseTimes times;
  std::minstd_rand random;
  std::optional<HeldLease> held{};
  std::vector<std::uint64_t> epochs{};
  bool stop = false, ended = false;

  boost::asio::awaitable<void> pause(int most) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    timer.expires_after(std::chrono::milliseconds(random() % static_cast<unsigned>(most)));
    co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  bool owns() { return held && !held->fenced(std::chrono::steady_clock::now()); }

  boost::asio::awaitable<void> run() {
    while (!stop) {
      const auto asked = std::chrono::steady_clock::now();
      auto acquiring = store.acquire("acme");
      const auto lease = co_await std::move(acquiring);
      if (lease) {
        if (random() % 4 == 0) co_await pause(200);  // before it even learns of it
        held.emplace(*lease, times, asked, random());
        if (owns()) epochs.push_back(lease->epoch);
        while (owns() && !stop) {
          co_await pause(random() % 3 == 0 ? 200 : 20);
          const auto sent = std::chrono::steady_clock::now();
          auto renewing = store.renew("acme", held->lease());
          const auto renewed = co_await std::move(renewing);
          if (random() % 4 == 0) co_await pause(100);
          if (!renewed) break;
          held->renewed(*renewed, sent, std::chrono::steady_clock::now(), random());
          if (random() % 8 == 0) break;
        }
        const auto last = held->lease();
        held.reset();
        if (random() % 2 == 0) {
          auto releasing = store.release("acme", last);
          (void)co_await std::move(releasing);
        }
      }
      co_await pause(20);
    }
    ended = true;
  }
};

TEST_F(KvLeaseTest, NeverHasTwoOwnersThatAreNotFenced) {
  make_bucket(150ms);
  const LeaseTimes short_times{.ttl = 150ms, .safety = 30ms};
  std::vector<std::unique_ptr<Contender>> contenders;
  for (unsigned i = 0; i < 4; ++i) {
    contenders.push_back(std::unique_ptr<Contender>(
        new Contender{.store = KvLeaseStore(bucket, "c" + std::to_string(i), short_times),
                      .times = short_times,
                      .random = std::minstd_rand(i + 1)}));
    boost::asio::co_spawn(io, contenders.back()->run(), boost::asio::detached);
  }
  std::vector<std::uint64_t> epochs;
  EXPECT_TRUE(run_until([&] {
    std::size_t owners = 0;
    epochs.clear();
    for (const auto& it : contenders) {
      owners += it->owns() ? 1 : 0;
      epochs.insert(epochs.end(), it->epochs.begin(), it->epochs.end());
    }
    EXPECT_LE(owners, 1u);
    return epochs.size() >= 20;
  }));
  for (const auto& it : contenders) it->stop = true;
  EXPECT_TRUE(run_until([&] {
    return std::all_of(contenders.begin(), contenders.end(), [](auto& it) { return it->ended; });
  }));
  EXPECT_EQ(std::set<std::uint64_t>(epochs.begin(), epochs.end()).size(), epochs.size());
}

}  // namespace
}  // namespace bus
