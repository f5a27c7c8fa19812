#include <map>
#include <random>

#include <gmock/gmock.h>

#include "connector/ownership.h"

namespace connector {
namespace {

using base::TenantId;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

constexpr Ownership::Limits kLimits{.ttl = 10s, .settle = 5s};

// Two connectors and a tenant whose PBXs dial: it is ranked for "one", whose view this is.
struct OwnershipWishTest : testing::Test {
  Ownership::TimePoint now{1h};
  Ownership one{"one", 1, kLimits};
  TenantId mine, others;  // ranked for "one", and for "two"

  OwnershipWishTest() {
    std::set<TenantId> all;
    for (int i = 0; i < 20; ++i) all.insert(TenantId("t" + std::to_string(i)));
    one.set_tenants(all, now);
    one.member_seen("two", 1, false, now);
    for (const auto& it : all) {
      (one.ranking(it, now).front() == "one" ? mine : others) = it;
    }
    pass(0s);
  }

  // Time goes by in which both connectors live.
  void pass(Ownership::Duration time) {
    for (const auto until = now + time; now < until;) {
      now = std::min(until, now + kLimits.ttl / 2);
      one.member_seen("two", 1, false, now);
      one.plan(now);
    }
    one.plan(now);
  }
  std::vector<TenantId> taken() { return one.plan(now).take; }
  std::vector<TenantId> let_go() { return one.plan(now).let_go; }
};

TEST_F(OwnershipWishTest, TakesWhatItWishesForWhateverTheRank) {
  EXPECT_THAT(taken(), Not(Contains(others)));
  one.wish_seen(others, "one", {"master"}, now);
  EXPECT_THAT(taken(), Contains(others));
}

TEST_F(OwnershipWishTest, WaitsForTheOwnerOfWhatItWishesFor) {
  one.lease_seen(others, "two", now);
  one.wish_seen(others, "one", {"master"}, now);
  EXPECT_THAT(taken(), Not(Contains(others)));
  one.lease_gone(others, now);
  EXPECT_THAT(taken(), Contains(others));
}

TEST_F(OwnershipWishTest, LeavesAloneWhatAnotherWishesFor) {
  EXPECT_THAT(taken(), Contains(mine));
  one.wish_seen(mine, "two", {"master"}, now);
  EXPECT_THAT(taken(), Not(Contains(mine)));
  one.wish_gone(mine);
  EXPECT_THAT(taken(), Contains(mine));
}

TEST_F(OwnershipWishTest, ForgetsAWishThatIsNotRenewed) {
  one.wish_seen(mine, "two", {"master"}, now);
  pass(kLimits.ttl - 1ms);
  EXPECT_TRUE(one.wished_elsewhere(mine, now));
  EXPECT_THAT(taken(), Not(Contains(mine)));
  pass(1ms);
  EXPECT_FALSE(one.wished_elsewhere(mine, now));
  EXPECT_THAT(taken(), Contains(mine));
}

TEST_F(OwnershipWishTest, TheLastWishCounts) {
  one.wish_seen(others, "one", {"master"}, now);
  one.wish_seen(others, "two", {"master"}, now);
  EXPECT_TRUE(one.wished_elsewhere(others, now));
  EXPECT_THAT(taken(), Not(Contains(others)));
}

TEST_F(OwnershipWishTest, LetsGoAtOnceOfWhatNobodyIsConnectedTo) {
  one.held(mine, true, now);
  EXPECT_THAT(let_go(), IsEmpty());
  one.wish_seen(mine, "two", {"master"}, now);
  EXPECT_THAT(let_go(), ElementsAre(mine));
}

TEST_F(OwnershipWishTest, LetsGoWhenThePbxHasMoved) {
  one.held(mine, true, now);
  one.linked(mine, {"master"}, now);
  one.wish_seen(mine, "two", {"master"}, now);
  EXPECT_THAT(let_go(), ElementsAre(mine));
}

TEST_F(OwnershipWishTest, KeepsWhatAnotherPbxIsConnectedTo) {
  one.held(mine, true, now);
  one.linked(mine, {"master", "slave"}, now);
  one.wish_seen(mine, "two", {"slave"}, now);
  EXPECT_THAT(let_go(), IsEmpty());
  // The other one has followed.
  one.wish_seen(mine, "two", {"master", "slave"}, now);
  EXPECT_THAT(let_go(), ElementsAre(mine));
}

TEST_F(OwnershipWishTest, KeepsWhatItWishesForItself) {
  one.held(mine, true, now);
  one.linked(mine, {"master"}, now);
  one.wish_seen(mine, "one", {"master"}, now);
  EXPECT_THAT(let_go(), IsEmpty());
}

TEST_F(OwnershipWishTest, DoesNotLetGoForBalanceWhileAPbxIsConnected) {
  one.held(others, true, now);
  one.linked(others, {"master"}, now);
  pass(1min);
  EXPECT_THAT(let_go(), IsEmpty());
  // Nor right after it was lost: it will be back.
  one.linked(others, {}, now);
  pass(kLimits.settle - 1ms);
  EXPECT_THAT(let_go(), IsEmpty());
  pass(1ms);
  EXPECT_THAT(let_go(), ElementsAre(others));
}

TEST_F(OwnershipWishTest, DoesNotLetGoForBalanceBeforeItsPbxWasLedIn) {
  pass(1min);
  one.wish_seen(others, "one", {"master"}, now);
  one.held(others, true, now);
  EXPECT_THAT(let_go(), IsEmpty());
}

TEST_F(OwnershipWishTest, ForgetsWhoWasConnectedWhenItIsLetGo) {
  one.held(others, true, now);
  one.linked(others, {"master"}, now);
  one.held(others, false, now);
  pass(1min);
  one.held(others, true, now);
  EXPECT_THAT(let_go(), ElementsAre(others));
}

TEST_F(OwnershipWishTest, TakesNothingWishedForWhileDraining) {
  one.wish_seen(others, "one", {"master"}, now);
  one.drain();
  EXPECT_THAT(taken(), IsEmpty());
}

// A PBX dials one connector after another at random, which come, go and die meanwhile. Whenever it
// stays with one for a while, that one owns its tenant, and nobody takes it away.
TEST_F(OwnershipWishTest, ThePbxFindsTheOwnerWhereverItDials) {
  const TenantId tenant("t0");
  for (unsigned seed = 0; seed < 30; ++seed) {
    std::mt19937 random(seed);
    struct Node {
      Ownership ownership;
      bool held = false, waits = false, linked = false;
    };
    std::map<std::string, Node> nodes;
    std::optional<std::string> owner;
    Ownership::TimePoint renewed{};
    std::string dialled;
    auto let_go = [&](Node& node) {
      owner.reset();
      node.held = node.linked = false;
      node.ownership.held(tenant, false, now);
      for (auto& [name, it] : nodes) it.ownership.lease_gone(tenant, now);
    };
    auto step = [&] {
      now += 500ms;
      for (auto& [name, node] : nodes) {
        for (const auto& [other, unused] : nodes) node.ownership.member_seen(other, 1, false, now);
      }
      if (owner && nodes.contains(*owner)) renewed = now;
      if (owner && now - renewed >= kLimits.ttl) owner.reset();
      for (auto& [name, node] : nodes) {
        if (owner && renewed == now) node.ownership.lease_seen(tenant, *owner, now);
        if (!node.waits) continue;
        if (node.held) {
          node.waits = false;
          node.linked = true;
          node.ownership.linked(tenant, {"master"}, now);
          for (auto& [other, it] : nodes) it.ownership.wish_gone(tenant);
        } else {
          for (auto& [other, it] : nodes) it.ownership.wish_seen(tenant, name, {"master"}, now);
        }
      }
      for (auto& [name, node] : nodes) {
        const auto plan = node.ownership.plan(now);
        if (!plan.let_go.empty() && node.held) let_go(node);
        if (!plan.take.empty() && !owner) {
          owner = name;
          renewed = now;
          node.held = true;
          node.ownership.held(tenant, true, now);
        }
      }
    };
    for (int round = 0; round < 40; ++round) {
      if (random() % 3 == 0 || nodes.empty()) {
        const std::string name = "n" + std::to_string(random() % 4);
        const auto [node, fresh] = nodes.try_emplace(name, Node{Ownership(name, 1, kLimits)});
        if (fresh) {
          node->second.ownership.set_tenants({tenant}, now);
        } else if (nodes.size() > 1) {
          nodes.erase(node);  // kill -9
        }
      }
      // The connection before is lost at once, or stays half open.
      if (const auto last = nodes.find(dialled); last != nodes.end()) {
        last->second.waits = false;
        if (last->second.linked && random() % 2 == 0) {
          last->second.linked = false;
          last->second.ownership.linked(tenant, {}, now);
        }
      }
      dialled = std::next(nodes.begin(), static_cast<int>(random() % nodes.size()))->first;
      nodes.at(dialled).waits = true;
      for (int i = 0; i < 50; ++i) step();
      ASSERT_EQ(owner, dialled) << "seed " << seed << " round " << round;
      ASSERT_TRUE(nodes.at(dialled).linked) << "seed " << seed << " round " << round;
    }
  }
}

}  // namespace
}  // namespace connector
