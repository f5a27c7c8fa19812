#include <gmock/gmock.h>

#include "rights/credentials.h"
#include "rights/group.h"
#include "rights/signature_key.h"

namespace rights {
namespace {

struct WordsTest : testing::Test {};

// In policies, audit records and metrics: they never change.
TEST_F(WordsTest, AreAsDocumented) {
  EXPECT_EQ(name_of(Group::observe), "observe");
  EXPECT_EQ(name_of(Group::control), "control");
  EXPECT_EQ(name_of(Group::provision), "provision");
  EXPECT_EQ(name_of(Group::admin), "admin");
  EXPECT_EQ(name_of(Means::none), "none");
  EXPECT_EQ(name_of(Means::certificate), "certificate");
  EXPECT_EQ(name_of(Means::jwt), "jwt");
  EXPECT_EQ(name_of(Means::token), "token");
}

TEST_F(WordsTest, AreFoundAgain) {
  for (const Group group : kGroups) EXPECT_EQ(group_from(name_of(group)), group);
  EXPECT_EQ(group_from("Observe"), std::nullopt);
  EXPECT_EQ(group_from(""), std::nullopt);
  for (const Algorithm it : kAlgorithms) EXPECT_EQ(algorithm_from(name_of(it)), it);
}

TEST_F(WordsTest, HaveNoAlgorithmThatAnybodyCouldSignWith) {
  for (const auto* name : {"none", "None", "NONE", "", "HS256", "HS384", "HS512", "RS1", "rs256"}) {
    EXPECT_EQ(algorithm_from(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace rights
