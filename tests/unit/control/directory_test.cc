#include "control/directory.h"

#include <gmock/gmock.h>

namespace control {
namespace {

using namespace pbxgw::v1;
using namespace std::chrono_literals;
using base::TenantId;

struct DirectoryTest : testing::Test {
  Directory directory{10s};
  Directory::TimePoint now{1000s};

  void put(const std::string& key, const std::string& owner = "one") {
    TenantRecord record;
    record.mutable_tenant()->set_display_name("Tenant " + key);
    record.mutable_tenant()->set_owner(owner);
    record.mutable_tenant()->set_epoch(7);
    record.mutable_tenant()->mutable_link()->set_state(LINK_STATE_UP);
    directory.put_tenant(key, record.SerializeAsString());
  }
  void lease(const std::string& key, const std::string& owner = "one") {
    directory.put_lease("tenant." + key, owner + "/ABC", now);
  }
  Tenant find(const char* id) {
    const auto record = directory.find(TenantId(id), now);
    return record ? record->tenant() : Tenant();
  }
  void SetUp() override { directory.connected(true, now - 1h); }
};

TEST_F(DirectoryTest, TellsTheOwnerByTheLease) {
  put("acme");
  EXPECT_EQ(find("acme").link().state(), LINK_STATE_UNOWNED);
  EXPECT_EQ(find("acme").owner(), "");

  lease("acme");
  EXPECT_EQ(find("acme").name(), "tenants/acme");
  EXPECT_EQ(find("acme").link().state(), LINK_STATE_UP);
  EXPECT_EQ(find("acme").owner(), "one");
  EXPECT_EQ(find("acme").epoch(), 7u);

  directory.erase_lease("tenant.acme");
  EXPECT_EQ(find("acme").link().state(), LINK_STATE_UNOWNED);
  EXPECT_EQ(find("acme").epoch(), 0u);
}

TEST_F(DirectoryTest, DoesNotBelieveTheFormerOwnersRecord) {
  put("acme", "one");
  lease("acme", "two");
  EXPECT_EQ(find("acme").owner(), "two");
  EXPECT_EQ(find("acme").link().state(), LINK_STATE_CONNECTING);
  EXPECT_EQ(find("acme").epoch(), 0u);
}

TEST_F(DirectoryTest, LetsLeasesRunOutThatAreNotRenewed) {
  put("acme");
  lease("acme");
  now += 10s;
  EXPECT_TRUE(directory.is_owned(TenantId("acme"), now));
  now += 1ms;
  EXPECT_FALSE(directory.is_owned(TenantId("acme"), now));
  lease("acme");
  EXPECT_TRUE(directory.is_owned(TenantId("acme"), now));
}

TEST_F(DirectoryTest, KeepsLeasesWhileNoRenewalCanBeHeard) {
  put("acme");
  lease("acme");
  directory.connected(false, now);
  now += 1h;
  EXPECT_TRUE(directory.is_owned(TenantId("acme"), now));
  directory.connected(true, now);
  now += 10s;
  EXPECT_TRUE(directory.is_owned(TenantId("acme"), now));
  now += 1ms;
  EXPECT_FALSE(directory.is_owned(TenantId("acme"), now));
}

TEST_F(DirectoryTest, KnowsTenantsByRecordOrLease) {
  put("acme");
  lease("beta");
  EXPECT_TRUE(directory.knows(TenantId("acme")));
  EXPECT_TRUE(directory.knows(TenantId("beta")));
  EXPECT_FALSE(directory.knows(TenantId("gamma")));
  directory.put_lease("member.one", "one/ABC", now);
  EXPECT_FALSE(directory.knows(TenantId("member.one")));
}

TEST_F(DirectoryTest, PagesInOrderOfNames) {
  const auto everyone = [](const TenantId&) { return true; };
  for (const char* key : {"b", "a", "d", "c_20x"}) put(key);
  std::vector<std::string> names;
  std::string after;
  for (bool more = true; more;) {
    auto page = directory.page(after, 2, now, everyone);
    more = page.more;
    for (const auto& record : page.records) names.push_back(record.tenant().name());
    after = names.back();
  }
  EXPECT_THAT(names, testing::ElementsAre("tenants/a", "tenants/b", "tenants/c_20x", "tenants/d"));
  EXPECT_TRUE(directory.page("tenants/d", 2, now, everyone).records.empty());
}

TEST_F(DirectoryTest, PagesWhatIsWantedOnly) {
  for (const char* key : {"a", "b", "c", "d"}) put(key);
  const auto wanted = [](const TenantId& it) { return it.str() == "b" || it.str() == "c"; };
  const auto first = directory.page("", 1, now, wanted);
  ASSERT_EQ(first.records.size(), 1u);
  EXPECT_EQ(first.records[0].tenant().name(), "tenants/b");
  EXPECT_TRUE(first.more);
  const auto last = directory.page("tenants/b", 1, now, wanted);
  ASSERT_EQ(last.records.size(), 1u);
  EXPECT_FALSE(last.more) << "what is not wanted is no more";
}

TEST_F(DirectoryTest, ForgetsWhatIsNotThereAnyMore) {
  put("acme");
  put("beta");
  directory.retain_tenants({"beta"});
  EXPECT_FALSE(directory.find(TenantId("acme"), now));
  directory.erase_tenant("beta");
  EXPECT_TRUE(directory.tenants().empty());
}

TEST_F(DirectoryTest, IgnoresWhatIsNoRecord) {
  directory.put_tenant("acme", "\xff\xff");
  directory.put_tenant("not a token", "");
  EXPECT_TRUE(directory.tenants().empty());
}

}  // namespace
}  // namespace control
