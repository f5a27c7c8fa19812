#include "connector/ownership.h"

#include <map>
#include <random>

#include <gmock/gmock.h>

namespace connector {
namespace {

using base::TenantId;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using namespace std::chrono_literals;

constexpr Ownership::Limits kLimits{.ttl = 10s, .settle = 5s};

std::set<TenantId> tenants(int count) {
  std::set<TenantId> all;
  for (int i = 0; i < count; ++i) all.insert(TenantId("t" + std::to_string(i)));
  return all;
}

// One connector's view, and a clock that moves only when told to.
struct OwnershipTest : testing::Test {
  Ownership::TimePoint now{1h};
  Ownership one{"one", 1, kLimits};

  void all_held(Ownership& ownership) {
    for (const auto& tenant : ownership.plan(now).take) ownership.held(tenant, true, now);
  }
};

TEST_F(OwnershipTest, TakesEverythingWhenAlone) {
  one.set_tenants(tenants(20), now);
  EXPECT_THAT(one.plan(now).take, SizeIs(20));
  all_held(one);
  EXPECT_THAT(one.plan(now).take, IsEmpty());
}

TEST_F(OwnershipTest, RanksAlikeEverywhereAndInProportionToWeight) {
  Ownership two{"two", 3, kLimits};
  one.set_tenants(tenants(2'000), now);
  two.set_tenants(tenants(2'000), now);
  one.member_seen("two", 3, false, now);
  two.member_seen("one", 1, false, now);
  int first = 0;
  for (const auto& tenant : tenants(2'000)) {
    ASSERT_EQ(one.ranking(tenant, now), two.ranking(tenant, now)) << tenant.str();
    first += one.ranking(tenant, now).front() == "one";
  }
  EXPECT_NEAR(first, 500, 75);
  EXPECT_EQ(one.plan(now).take.size() + two.plan(now).take.size(), 2'000u);
}

TEST_F(OwnershipTest, MovesOnlyTheShareOfOneThatComes) {
  one.set_tenants(tenants(300), now);
  one.member_seen("two", 1, false, now);
  std::map<TenantId, std::string> before;
  for (const auto& tenant : tenants(300)) before[tenant] = one.ranking(tenant, now).front();
  one.member_seen("three", 1, false, now);
  for (const auto& tenant : tenants(300)) {
    const auto after = one.ranking(tenant, now).front();
    EXPECT_TRUE(after == before[tenant] || after == "three") << tenant.str();
  }
}

TEST_F(OwnershipTest, WaitsForALeaseToRunOutBeforeTakingOver) {
  one.set_tenants(tenants(1), now);
  one.lease_seen(TenantId("t0"), "other", now);
  EXPECT_THAT(one.plan(now + kLimits.ttl - 1ms).take, IsEmpty());
  EXPECT_THAT(one.plan(now + kLimits.ttl).take, ElementsAre(TenantId("t0")));
}

TEST_F(OwnershipTest, TakesAtOnceWhatWasLetGo) {
  one.set_tenants(tenants(1), now);
  one.lease_seen(TenantId("t0"), "other", now);
  one.lease_gone(TenantId("t0"), now);
  EXPECT_THAT(one.plan(now).take, SizeIs(1));
}

TEST_F(OwnershipTest, LetsGoOnlyOnceTheConnectorsHaveSettled) {
  one.set_tenants(tenants(40), now);
  all_held(one);
  one.member_seen("two", 1, false, now);
  EXPECT_THAT(one.plan(now).let_go, IsEmpty());
  one.member_seen("two", 1, false, now + 4s);
  EXPECT_THAT(one.plan(now + 4s).let_go, IsEmpty());
  EXPECT_THAT(one.plan(now + 5s).let_go, Not(IsEmpty()));
}

TEST_F(OwnershipTest, LeavesWhatIsDrainingOutOfTheRanking) {
  one.set_tenants(tenants(40), now);
  one.member_seen("two", 1, false, now);
  EXPECT_LT(one.plan(now).take.size(), 40u);
  one.member_seen("two", 1, true, now);
  EXPECT_EQ(one.plan(now).take.size(), 40u);
}

TEST_F(OwnershipTest, TakesWhatNobodyElseTakesInTheEnd) {
  // "two" should have it, but its configuration does not know the tenant.
  one.set_tenants(tenants(40), now);
  one.member_seen("two", 1, false, now);
  const auto wanted = one.plan(now).take;
  now += kLimits.ttl * 2;
  one.member_seen("two", 1, false, now);
  EXPECT_GT(one.plan(now).take.size(), wanted.size());
}

TEST_F(OwnershipTest, TakesNothingWhileDraining) {
  one.set_tenants(tenants(5), now);
  one.drain();
  EXPECT_THAT(one.plan(now).take, IsEmpty());
}

TEST_F(OwnershipTest, ForgetsATenantThatIsNoLongerConfigured) {
  one.set_tenants(tenants(3), now);
  all_held(one);
  one.set_tenants(tenants(2), now);
  now += 1h;
  EXPECT_THAT(one.plan(now).let_go, Not(Contains(TenantId("t2"))));
}

// Connectors come, go, die and drain at random; leases are granted by a referee as NATS would.
// Whatever happens, each tenant ends up held by exactly one of those that live.
TEST_F(OwnershipTest, EveryTenantFindsOneOwnerWhateverHappens) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    struct Node {
      Ownership ownership;
      std::set<TenantId> held{};
      bool dead = false;
    };
    std::map<std::string, Node> nodes;
    std::map<TenantId, std::pair<std::string, Ownership::TimePoint>> leases;  // holder, renewed
    const auto configured = tenants(10);
    auto step = [&](bool quiet) {
      now += 500ms;
      if (!quiet && random() % 8 == 0) {
        const std::string name = "n" + std::to_string(random() % 5);
        const auto [node, fresh] = nodes.try_emplace(name, Node{Ownership(name, 1, kLimits)});
        if (fresh) {
          node->second.ownership.set_tenants(configured, now);
        } else {
          node->second.dead = true;  // kill -9
        }
      }
      std::erase_if(nodes, [](const auto& it) { return it.second.dead; });
      std::erase_if(leases, [&](const auto& it) { return now - it.second.second >= kLimits.ttl; });
      for (auto& [tenant, lease] : leases) {
        const auto holder = nodes.find(lease.first);
        if (holder != nodes.end() && holder->second.held.contains(tenant)) lease.second = now;
      }
      for (auto& [name, node] : nodes) {
        for (const auto& [other, unused] : nodes) node.ownership.member_seen(other, 1, false, now);
        for (const auto& [tenant, lease] : leases) {
          if (lease.second == now) node.ownership.lease_seen(tenant, lease.first, now);
        }
      }
      for (auto& [name, node] : nodes) {
        const auto plan = node.ownership.plan(now);
        for (const auto& tenant : plan.let_go) {
          leases.erase(tenant);
          node.held.erase(tenant);
          node.ownership.held(tenant, false, now);
          for (auto& [other, it] : nodes) it.ownership.lease_gone(tenant, now);
        }
        for (const auto& tenant : plan.take) {
          if (!leases.try_emplace(tenant, name, now).second) continue;
          node.held.insert(tenant);
          node.ownership.held(tenant, true, now);
        }
      }
    };
    for (int i = 0; i < 400; ++i) step(false);
    if (nodes.empty()) continue;
    for (int i = 0; i < 200; ++i) step(true);
    for (const auto& tenant : configured) {
      ASSERT_TRUE(leases.contains(tenant)) << "seed " << seed << " " << tenant.str();
      EXPECT_EQ(leases[tenant].first, nodes.begin()->second.ownership.ranking(tenant, now).front())
          << "seed " << seed << " " << tenant.str();
    }
  }
}

}  // namespace
}  // namespace connector
