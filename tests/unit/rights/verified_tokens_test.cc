#include "rights/verified_tokens.h"

#include <gmock/gmock.h>

namespace rights {
namespace {

using namespace std::chrono_literals;

struct VerifiedTokensTest : testing::Test {
  const VerifiedTokens::TimePoint now{std::chrono::hours(24 * 365 * 56)};
  VerifiedTokens verified{3};

  Identity identity(const std::string& subject, std::chrono::seconds life = 1min) const {
    return {nullptr, Means::jwt, now + life, subject};
  }
  // Whose it is; "-": nobody's whom it remembers.
  std::string whose(const std::string& hash, std::chrono::seconds later = 0s) {
    const auto found = verified.find(hash, now + later);
    return found ? found->subject : "-";
  }
};

TEST_F(VerifiedTokensTest, RemembersWhoseATokenIsUntilItExpires) {
  verified.add("a", identity("anna"));
  EXPECT_EQ(whose("a", 59s), "anna");
  EXPECT_EQ(whose("b"), "-");
  EXPECT_EQ(whose("a", 60s), "-");
  EXPECT_EQ(verified.size(), 0u) << "it takes no place";
}

TEST_F(VerifiedTokensTest, ForgetsTheOneNotShownForTheLongestTime) {
  for (const char* hash : {"a", "b", "c"}) verified.add(hash, identity(hash));
  EXPECT_EQ(whose("a"), "a");
  verified.add("d", identity("d"));
  EXPECT_EQ(verified.size(), 3u);
  EXPECT_EQ(whose("a") + whose("b") + whose("c") + whose("d"), "a-cd");
}

TEST_F(VerifiedTokensTest, RemembersOneOnce) {
  for (int i = 0; i < 5; ++i) verified.add("a", identity("anna"));
  EXPECT_EQ(verified.size(), 1u);
}

TEST_F(VerifiedTokensTest, RemembersNothingWithoutAnEnd) {
  verified.add("a", {nullptr, Means::jwt, std::nullopt, "anna"});
  EXPECT_EQ(verified.size(), 0u);
}

TEST_F(VerifiedTokensTest, RemembersNothingIfItMayNot) {
  VerifiedTokens none(0);
  none.add("a", identity("anna"));
  EXPECT_EQ(none.size(), 0u);
}

}  // namespace
}  // namespace rights
