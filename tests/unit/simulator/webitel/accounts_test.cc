#include "simulator/webitel/accounts.h"

#include "support.h"

namespace simulator::webitel {
namespace {

struct Deaf : engine::Listener {
  void on_change(const engine::Change&) override {}
};

class AccountsOfATenant : public testing::Test {
 protected:
  AccountsOfATenant() : settings(office().webitel), tenant(office().engine, nobody) {}

  Deaf nobody;
  Settings settings;
  engine::Tenant tenant;
  Accounts it{settings, tenant};
  engine::TimePoint now{};
};

TEST_F(AccountsOfATenant, BeginWithAUserForEachExtension) {
  EXPECT_EQ(it.users().size(), 4u);  // with the service user, without 204's
  const User* user = it.user_at(tenant.find_extension("202"));
  ASSERT_NE(user, nullptr);
  EXPECT_EQ(user->id, kFirstUser + 1);
  EXPECT_EQ(it.find_device(user->device)->account, "202");
  EXPECT_EQ(it.agent_of(user->id)->id, kFirstAgent + 1);
  EXPECT_EQ(it.user_at(tenant.find_extension("204")), nullptr);
  EXPECT_EQ(it.holder_of("token-202", now), user->id);
  EXPECT_EQ(it.holder_of("gateway-token", now), kServiceUser);
  EXPECT_EQ(it.holder_of("token-204", now), kNobody);
}

TEST_F(AccountsOfATenant, GiveAnExtensionToWhoeverComes) {
  User user;
  user.extension = "204";
  const User* added = it.add_user(user);
  ASSERT_NE(added, nullptr);
  EXPECT_EQ(it.user_at(tenant.find_extension("204")), added);
  const auto id = added->id;
  Token token;
  token.user = id;
  token.token = "fresh";
  ASSERT_NE(it.add_token(token), nullptr);
  EXPECT_EQ(it.add_token(token), nullptr);  // there is one of that text
  EXPECT_EQ(it.holder_of("fresh", now), id);
  it.remove_user(id, now);
  EXPECT_EQ(it.user_at(tenant.find_extension("204")), nullptr);
  EXPECT_EQ(it.holder_of("fresh", now), kNobody);
}

// Whoever is logged in is believed a while longer; nobody gets in with it.
TEST_F(AccountsOfATenant, RememberARevokedTokenForAWhile) {
  const auto token = it.tokens().rbegin()->first;  // 203's
  const auto user = it.tokens().rbegin()->second.user;
  it.revoke_token(token, now);
  EXPECT_EQ(it.holder_of("token-203", now + 29'999ms), user);
  EXPECT_EQ(it.holder_of("token-203", now, true), kNobody);
  EXPECT_EQ(it.holder_of("token-203", now + 30s), kNobody);
}

TEST_F(AccountsOfATenant, KnowWhatSomebodyMayDo) {
  User user;
  user.access = Accounts::access_of({{"calls", "cr"}});
  EXPECT_TRUE(Accounts::may(user, "calls", 'c'));
  EXPECT_TRUE(Accounts::may(user, "calls", 'r'));
  EXPECT_FALSE(Accounts::may(user, "calls", 'u'));
  EXPECT_FALSE(Accounts::may(user, "calls", 'd'));
  EXPECT_FALSE(Accounts::may(user, "users", 'r'));
}

}  // namespace
}  // namespace simulator::webitel
