#include "pbx/webitel/rows.h"

#include <gmock/gmock.h>

namespace pbx::webitel {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST(WebitelRows, ReadsRowsOfBothKinds) {
  const auto page = parse_legs(
      R"({"next":true,"items":[{"id":"A","state":"hold","user":{"id":"10","name":"Ann"},"direction":"outbound","bridged_at":"1795250277117","timestamp":"1795250277118","queue":{"id":3,"name":"sales"}},)"
      R"({"id":"B","state":"later","user_id":0,"timestamp":"2026-11-22T12:00:00Z","hangup_at":5,"to":null,"parent_id":null},{"state":"active"},5]})");
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->next);
  ASSERT_THAT(page->items, SizeIs(2));
  EXPECT_EQ(page->unread, 2u);
  EXPECT_EQ(page->items[0].user, "10");
  EXPECT_EQ(page->items[0].step, Step::hold);
  EXPECT_EQ(page->items[0].bridged_at, 1'795'250'277'117);
  EXPECT_EQ(page->items[0].queue, "sales");
  EXPECT_EQ(page->items[1].step, Step::unknown);
  EXPECT_EQ(page->items[1].user, "");
  EXPECT_EQ(page->items[1].told_at, 0);
  EXPECT_EQ(page->items[1].hangup_at, 5);
}

TEST(WebitelRows, TakesAMissingListForAnEmptyOne) {
  EXPECT_TRUE(parse_legs("{}"));
  EXPECT_TRUE(parse_users(R"({"items":null})"));
  EXPECT_FALSE(parse_legs(R"({"items":5})"));
  EXPECT_FALSE(parse_legs(R"({"items":[)"));
  EXPECT_FALSE(parse_legs("<html>"));
}

TEST(WebitelRows, ReadsTokens) {
  EXPECT_EQ(parse_token(R"({"id":"7","token":"abc","usage":"x"})")->token, "abc");
  EXPECT_FALSE(parse_token(R"({"id":"7"})"));
  EXPECT_THAT(parse_tokens(R"({"items":[{"id":"7","usage":"pbx-gateway"},{"usage":"y"}]})")->items,
              SizeIs(1));
}

// They go into paths.
TEST(WebitelRows, LeavesOutPeopleAndTokensWhoseIdsAreNoNumbers) {
  const auto users = parse_users(
      R"({"items":[{"id":"10","name":"Ann"},{"id":11},{"id":".."},{"id":"1/2"},{"id":"1?x=1"}]})");
  ASSERT_TRUE(users);
  EXPECT_THAT(users->items, SizeIs(2));
  EXPECT_EQ(users->unread, 3u);
  EXPECT_THAT(parse_agents(R"({"items":[{"id":"../5","user":{"id":"10"}}]})")->items, IsEmpty());
  EXPECT_THAT(parse_tokens(R"({"items":[{"id":"..","usage":"pbx-gateway"}]})")->items, IsEmpty());
}

TEST(WebitelRows, ReadsAnAgentsChannelsAloneOrInAList) {
  for (const char* channels :
       {R"({"channel":"call","state":"bridged"})",
        R"([{"channel":"chat","state":"x"},{"channel":"call","state":"bridged"}])"}) {
    const auto page =
        parse_agents(R"({"items":[{"id":5,"user":{"id":"10"},"status":"online","channel":)" +
                     std::string(channels) + "}]}");
    ASSERT_TRUE(page) << channels;
    ASSERT_THAT(page->items, SizeIs(1)) << channels;
    EXPECT_EQ(page->items[0].call_state, "bridged") << channels;
  }
}

}  // namespace
}  // namespace pbx::webitel
