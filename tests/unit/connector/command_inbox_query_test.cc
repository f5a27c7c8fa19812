#include <gmock/gmock.h>

#include "unit/connector/command_inbox_fixture.h"
#include "wire/names.h"

namespace connector {
namespace {

using pbxgw::v1::Query;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct CommandInboxQueryTest : CommandInboxFixture {
  static OwnerRequest query(Query::Kind kind) {
    auto it = request_to_acme();
    it.mutable_query()->set_kind(kind);
    return it;
  }
  static std::vector<std::string> names(const pbxgw::v1::QueryResult& result) {
    std::vector<std::string> all;
    for (const auto& it : result.calls()) all.push_back(it.name());
    for (const auto& it : result.devices()) all.push_back(it.name());
    return all;
  }
  // All pages, one after the other.
  std::vector<pbxgw::v1::QueryResult> pages(OwnerRequest request) {
    std::vector<pbxgw::v1::QueryResult> all;
    do {
      all.push_back(ask(request).query_result());
      const auto names_of_page = names(all.back());
      if (names_of_page.empty()) break;
      const auto& last = names_of_page.back();
      request.mutable_query()->set_after_id(last.substr(last.rfind('/') + 1));
    } while (all.back().more());
    return all;
  }
};

TEST_F(CommandInboxQueryTest, AnswersWithNothingWhenThereIsNothing) {
  for (const auto kind : {Query::KIND_CALLS, Query::KIND_DEVICES}) {
    const auto reply = ask(query(kind));
    ASSERT_TRUE(reply.has_query_result());
    EXPECT_THAT(names(reply.query_result()), IsEmpty());
    EXPECT_FALSE(reply.query_result().more());
    EXPECT_EQ(reply.epoch(), kEpoch);
    EXPECT_EQ(reply.sequence(), 0u);
  }
}

TEST_F(CommandInboxQueryTest, GivesOneCallOrDevice) {
  see(call::DeviceSeen{a_device("201", "Ann")});
  see(call::DeviceSeen{a_device("202")});
  see(call::CallSeen{a_call("k1", "201", "202")});
  auto request = query(Query::KIND_DEVICES);
  request.mutable_query()->set_id("201");
  auto reply = ask(request);
  ASSERT_THAT(reply.query_result().devices(), SizeIs(1));
  EXPECT_EQ(reply.query_result().devices(0).display_name(), "Ann");
  EXPECT_EQ(reply.sequence(), tracker.book().sequence);

  request = query(Query::KIND_CALLS);
  request.mutable_query()->set_id("c7-1");
  reply = ask(request);
  ASSERT_THAT(reply.query_result().calls(), SizeIs(1));
  EXPECT_EQ(reply.query_result().calls(0).name(), "tenants/acme/calls/c7-1");
  EXPECT_THAT(reply.query_result().calls(0).connections(), SizeIs(2));
}

TEST_F(CommandInboxQueryTest, SaysThatThereIsNoSuchCallOrDevice) {
  auto request = query(Query::KIND_CALLS);
  request.mutable_query()->set_id("c7-1");
  auto reply = ask(request);
  EXPECT_EQ(reason_of(reply), "CALL_NOT_FOUND");
  EXPECT_EQ(info_of(reply).metadata().at("call"), "c7-1");
  request = query(Query::KIND_DEVICES);
  request.mutable_query()->set_id("209");
  reply = ask(request);
  EXPECT_EQ(reason_of(reply), "DEVICE_NOT_FOUND");
  EXPECT_EQ(info_of(reply).metadata().at("device"), "209");
}

TEST_F(CommandInboxQueryTest, RefusesAQuestionOfNoKind) {
  see(call::DeviceSeen{a_device("201")});
  EXPECT_EQ(reason_of(ask(query(Query::KIND_UNSPECIFIED))), "INTERNAL_ERROR");
  EXPECT_EQ(reason_of(ask(query(static_cast<Query::Kind>(99)))), "INTERNAL_ERROR");
}

TEST_F(CommandInboxQueryTest, GivesPagesInTheOrderOfIds) {
  for (const char* id : {"205", "201", "203", "202", "204"}) see(call::DeviceSeen{a_device(id)});
  auto request = query(Query::KIND_DEVICES);
  request.mutable_query()->set_limit(2);
  const auto all = pages(request);
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_THAT(names(all[0]), ElementsAre("tenants/acme/devices/201", "tenants/acme/devices/202"));
  EXPECT_THAT(names(all[1]), ElementsAre("tenants/acme/devices/203", "tenants/acme/devices/204"));
  EXPECT_THAT(names(all[2]), ElementsAre("tenants/acme/devices/205"));
  EXPECT_FALSE(all[2].more());
  // A page that just holds the last one says that there are no more.
  request.mutable_query()->set_limit(5);
  EXPECT_FALSE(ask(request).query_result().more());
  // A token whose device is gone by now.
  request.mutable_query()->set_after_id("2031");
  EXPECT_THAT(names(ask(request).query_result()),
              ElementsAre("tenants/acme/devices/204", "tenants/acme/devices/205"));
}

TEST_F(CommandInboxQueryTest, GivesOnlyTheCallsOfADevice) {
  for (int i = 0; i < 6; ++i) {
    see(call::CallSeen{a_call("k" + std::to_string(i), i % 2 == 0 ? "201" : "203", "202")});
  }
  auto request = query(Query::KIND_CALLS);
  request.mutable_query()->set_device_id("203");
  request.mutable_query()->set_limit(2);
  const auto all = pages(request);
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_THAT(names(all[0]), ElementsAre("tenants/acme/calls/c7-2", "tenants/acme/calls/c7-4"));
  EXPECT_THAT(names(all[1]), ElementsAre("tenants/acme/calls/c7-6"));
  request.mutable_query()->set_device_id("209");
  EXPECT_THAT(names(ask(request).query_result()), IsEmpty());
}

TEST_F(CommandInboxQueryTest, EndsAPageAtAThousand) {
  for (int i = 0; i < 1'001; ++i) see(call::DeviceSeen{a_device(std::to_string(10'000 + i))});
  for (const int limit : {0, -1, 5'000}) {
    auto request = query(Query::KIND_DEVICES);
    request.mutable_query()->set_limit(limit);
    const auto all = pages(request);
    ASSERT_THAT(all, SizeIs(2)) << limit;
    EXPECT_THAT(all[0].devices(), SizeIs(1'000));
    EXPECT_THAT(all[1].devices(), SizeIs(1));
  }
}

TEST_F(CommandInboxQueryTest, EndsAPageBeforeItIsTooLargeForAMessage) {
  for (int i = 0; i < 40; ++i)
    see(call::DeviceSeen{a_device(std::to_string(200 + i), std::string(50'000, 'x'))});
  const auto all = pages(query(Query::KIND_DEVICES));
  EXPECT_THAT(all, SizeIs(testing::Ge(3u)));
  std::size_t devices = 0;
  for (const auto& page : all) {
    EXPECT_LT(page.ByteSizeLong(), 700'000u);
    devices += static_cast<std::size_t>(page.devices_size());
  }
  EXPECT_EQ(devices, 40u);
}

}  // namespace
}  // namespace connector
