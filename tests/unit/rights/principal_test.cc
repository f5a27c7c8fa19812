#include "rights/principal.h"

#include <initializer_list>
#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace rights {
namespace {

const base::TenantId kAcme("acme"), kBolt("bolt"), kNone("");

Groups groups(std::initializer_list<Group> all) {
  Groups set;
  for (const Group group : all) set.set(static_cast<std::size_t>(group));
  return set;
}

Principal::Grant grant(std::vector<std::string> tenants, std::initializer_list<Group> all) {
  return {std::move(tenants), groups(all)};
}

struct PrincipalTest : testing::Test {
  using enum Group;
};

TEST_F(PrincipalTest, MayNothingThatIsNotGranted) {
  const Principal nobody("nobody", {});
  for (const Group group : kGroups) {
    EXPECT_FALSE(nobody.may(kAcme, group));
    EXPECT_FALSE(nobody.may_anywhere(group));
    EXPECT_FALSE(nobody.may_everywhere(group));
  }
}

TEST_F(PrincipalTest, MayForItsTenantsAndNoOther) {
  const Principal crm("crm", {grant({"acme"}, {observe, control})});
  EXPECT_EQ(crm.name(), "crm");
  EXPECT_TRUE(crm.may(kAcme, observe));
  EXPECT_TRUE(crm.may(kAcme, control));
  EXPECT_FALSE(crm.may(kAcme, provision));
  EXPECT_FALSE(crm.may(kAcme, admin));
  EXPECT_FALSE(crm.may(kBolt, observe));
  EXPECT_FALSE(crm.may(kNone, observe));
  EXPECT_TRUE(crm.may_anywhere(control));
  EXPECT_FALSE(crm.may_anywhere(admin));
  EXPECT_FALSE(crm.may_everywhere(observe));
}

TEST_F(PrincipalTest, MayForAllTenants) {
  const Principal monitor("monitor", {grant({}, {observe}), grant({"bolt"}, {control})});
  EXPECT_TRUE(monitor.may(kAcme, observe));
  EXPECT_TRUE(monitor.may_everywhere(observe));
  EXPECT_TRUE(monitor.may(kBolt, control));
  EXPECT_FALSE(monitor.may(kAcme, control));
}

TEST_F(PrincipalTest, AddsItsGrantsUp) {
  const Principal it("it", {grant({"acme", "bolt"}, {observe}), grant({"acme"}, {admin})});
  EXPECT_TRUE(it.may(kAcme, observe));
  EXPECT_TRUE(it.may(kAcme, admin));
  EXPECT_FALSE(it.may(kBolt, admin));
}

// One group does not bring another along: who may hear recordings may not make calls.
TEST_F(PrincipalTest, MayNoSmallerGroupBecauseOfALargerOne) {
  const Principal it("it", {grant({}, {admin})});
  for (const Group group : {observe, control, provision}) EXPECT_FALSE(it.may(kAcme, group));
}

TEST_F(PrincipalTest, CoversWhomItMayReplace) {
  const Principal all("it", {grant({}, {observe})}), acme("it", {grant({"acme"}, {observe})}),
      both("it", {grant({"acme", "bolt"}, {observe})}), none("it", {});
  EXPECT_TRUE(all.covers(acme, observe));
  EXPECT_TRUE(all.covers(all, observe));
  EXPECT_TRUE(both.covers(acme, observe));
  EXPECT_TRUE(acme.covers(none, observe));
  EXPECT_FALSE(acme.covers(both, observe));
  EXPECT_FALSE(acme.covers(all, observe));
  EXPECT_FALSE(none.covers(acme, observe));
  EXPECT_FALSE(both.covers(all, observe)) << "not the tenants to come";
}

TEST_F(PrincipalTest, CoversByTheGroupAskedFor) {
  const Principal more("it", {grant({"acme"}, {observe, control})}),
      less("it", {grant({"acme"}, {observe})});
  EXPECT_TRUE(less.covers(more, observe));
  EXPECT_FALSE(less.covers(more, control));
}

}  // namespace
}  // namespace rights
