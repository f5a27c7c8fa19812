#include "pbx/webitel/lists.h"

#include <gmock/gmock.h>

namespace pbx::webitel {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::SizeIs;

struct WebitelLists : testing::Test {
  std::optional<std::variant<Lists::Done, Lists::Failed>> reply(unsigned status, std::string body) {
    const auto send = std::get<SendHttp>(effects.back());
    effects.clear();
    EXPECT_TRUE(lists.waits_for(send.id));
    return lists.on_http(send.id, HttpReply{status, {}, std::move(body)}, effects);
  }
  Rest rest{{"pbx.test", "443", "/api", true, {}}, "s3cret", 10s};
  Lists lists{rest};
  Effects effects;
  TimePoint now{1h};
};

TEST_F(WebitelLists, ReadsAllPages) {
  lists.read(Lists::What::calls, now, effects);
  lists.read(Lists::What::calls, now, effects);
  ASSERT_THAT(effects, SizeIs(1));
  EXPECT_FALSE(reply(200, R"({"items":[{"id":"A"}],"next":true})"));
  EXPECT_THAT(std::get<SendHttp>(effects.at(0)).where.target,
              EndsWith("/calls/active?page=2&size=500"));
  const auto outcome = reply(200, R"({"items":[{"id":"B"},{}]})");
  const auto& done = std::get<Lists::Done>(*outcome);
  EXPECT_THAT(done.legs, SizeIs(2));
  EXPECT_EQ(done.unread, 1u);
  EXPECT_EQ(done.coverage, Coverage::paged);
  EXPECT_EQ(done.asked, now);
  EXPECT_FALSE(lists.reading(Lists::What::calls));
}

TEST_F(WebitelLists, BelievesAnEmptyPageMoreThanItsWord) {
  lists.read(Lists::What::users, now, effects);
  const auto outcome = reply(200, R"({"items":[],"next":true})");
  EXPECT_EQ(std::get<Lists::Done>(*outcome).coverage, Coverage::whole);
}

TEST_F(WebitelLists, ReadsNoMorePagesThanItsLimit) {
  lists.read(Lists::What::calls, now, effects);
  for (unsigned page = 1; page < kPagesMax; ++page) {
    ASSERT_FALSE(reply(200, R"({"items":[{"id":"A"}],"next":true})")) << page;
  }
  const auto outcome = reply(200, R"({"items":[{"id":"A"}],"next":true})");
  EXPECT_EQ(std::get<Lists::Done>(*outcome).coverage, Coverage::cut);
  EXPECT_TRUE(effects.empty());
}

TEST_F(WebitelLists, TrustsTheCodeOfTheBody) {
  lists.read(Lists::What::agents, now, effects);
  const auto outcome = reply(500, R"({"id":"x","code":403,"detail":"d","status":"Forbidden"})");
  EXPECT_EQ(std::get<Lists::Failed>(*outcome).code, 403u);
  lists.read(Lists::What::agents, now, effects);
  EXPECT_EQ(std::get<Lists::Failed>(*reply(200, "<html>")).why, base::Errc::bad_frame);
}

TEST_F(WebitelLists, ReadsNoMoreRowsThanItsLimitHoweverLongThePagesAre) {
  std::string rows;
  for (std::size_t i = 0; i < kItemsMax; ++i) {
    rows += R"({"id":")" + std::to_string(i) + R"("},)";
  }
  rows.pop_back();
  lists.read(Lists::What::users, now, effects);
  const std::string page = R"({"items":[)" + rows + R"(],"next":true})";
  ASSERT_FALSE(reply(200, page));
  ASSERT_FALSE(reply(200, page));
  const auto outcome = reply(200, page);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(std::get<Lists::Done>(*outcome).coverage, Coverage::cut);
  EXPECT_THAT(std::get<Lists::Done>(*outcome).users, SizeIs(kRowsMax));
}

}  // namespace
}  // namespace pbx::webitel
