#include "connector/request_log.h"

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include <gmock/gmock.h>

#include "unit/bus/bus_fixture.h"
#include "wire/subjects.h"

namespace connector {
namespace {

namespace asio = boost::asio;
using base::Errc;
using pbxgw::v1::OwnerReply;
using pbxgw::v1::OwnerRequest;
using Begun = RequestLog::Begun;
using Reserved = RequestLog::Reserved;
using testing::HasSubstr;
using testing::Not;

OwnerRequest make_call(const std::string& request_id, const std::string& destination = "203") {
  OwnerRequest request;
  request.set_tenant("tenants/acme");
  request.set_request_id(request_id);
  auto& command = *request.mutable_command();
  command.set_service(pbxgw::v1::SERVICE_MAKE_CALL);
  command.set_device_id("201");
  command.set_destination(destination);
  return request;
}

OwnerReply reply(const std::string& connection) {
  OwnerReply reply;
  reply.set_epoch(7);
  reply.mutable_command_result()->set_connection(connection);
  return reply;
}

std::string connection_of(const Begun& begun) {
  const auto* reply = std::get_if<OwnerReply>(&begun);
  return reply ? reply->command_result().connection() : "no reply";
}

base::Error failure_of(const Begun& begun) {
  const auto* failure = std::get_if<wire::Failure>(&begun);
  return failure ? failure->why : base::Error{};
}

constexpr std::uint64_t kEpoch = 7;

struct RequestLogTest : bus::BusFixture {
  std::shared_ptr<bus::Connection> connection = connect();
  std::shared_ptr<bus::Requests> requests = std::make_shared<bus::Requests>(connection);
  bus::KvBucket bucket{requests, wire::kRequestBucket};
  RequestLog log{bucket};

  RequestLogTest() {
    std::string why;
    bus::BucketConfig config;
    config.name = wire::kRequestBucket;
    EXPECT_TRUE(await(bucket.ensure(config, why))) << why;
  }

  Begun begin(RequestLog& with, const OwnerRequest& request, std::uint64_t epoch = kEpoch) {
    return await(with.begin(request, epoch));
  }
  Reserved reserve(const OwnerRequest& request) {
    const auto begun = begin(log, request);
    EXPECT_TRUE(std::holds_alternative<Reserved>(begun)) << failure_of(begun);
    return std::get<Reserved>(begun);
  }
  void finish(const Reserved& reserved, const OwnerRequest& request, const OwnerReply& with) {
    await(log.finish(reserved, request, kEpoch, with));
  }

  // One that is not waited for.
  using Later = std::shared_ptr<std::optional<Begun>>;
  Later begin_later(const OwnerRequest& request) {
    auto later = std::make_shared<std::optional<Begun>>();
    asio::co_spawn(io, log.begin(request, kEpoch), [later](std::exception_ptr thrown, Begun begun) {
      EXPECT_EQ(thrown, nullptr);
      later->emplace(std::move(begun));
    });
    return later;
  }
  // Whatever could happen without further doing has happened.
  void settle() { EXPECT_FALSE(await(bucket.get("nobody"))); }

  pbxgw::v1::RequestRecord record(const std::string& key) {
    const auto entry = await(bucket.get(key));
    pbxgw::v1::RequestRecord record;
    EXPECT_TRUE(entry && record.ParseFromString(entry->value));
    return record;
  }
  void lose_nats() {
    server.stop();
    ASSERT_TRUE(run_until([&] { return !connection->connected(); }));
  }
  void find_nats() {
    server.start();
    ASSERT_TRUE(run_until([&] { return connection->connected(); }));
  }
};

TEST_F(RequestLogTest, WritesDownWhatIsNewBeforeItIsDone) {
  const auto request = make_call("id 1");
  const auto reserved = reserve(request);
  EXPECT_EQ(reserved.key, "acme.id_201");
  const auto written = record(reserved.key);
  EXPECT_EQ(written.request_hash(), hash_of(request));
  EXPECT_EQ(written.epoch(), kEpoch);
  EXPECT_FALSE(written.has_reply());
}

TEST_F(RequestLogTest, KeepsTheIdsOfTenantsApart) {
  reserve(make_call("1"));
  auto other = make_call("1");
  other.set_tenant("tenants/bolt");
  reserve(other);
}

TEST_F(RequestLogTest, HasARepeatedRequestAwaitTheReplyOfTheFirst) {
  const auto request = make_call("1");
  const auto reserved = reserve(request);
  const auto second = begin_later(request), third = begin_later(request);
  settle();
  EXPECT_FALSE(*second);
  EXPECT_FALSE(*third);
  finish(reserved, request, reply("done"));
  ASSERT_TRUE(run_until([&] { return *second && *third; }));
  EXPECT_EQ(connection_of(**second), "done");
  EXPECT_EQ(connection_of(**third), "done");
  EXPECT_EQ(record(reserved.key).reply().command_result().connection(), "done");
}

TEST_F(RequestLogTest, LetsOneOfThoseThatWaitTryWhenTheFirstWasNotDone) {
  const auto request = make_call("1");
  const auto first = reserve(request);
  const auto second = begin_later(request), third = begin_later(request);
  settle();
  await(log.forget(first));
  ASSERT_TRUE(run_until([&] { return *second || *third; }));
  settle();
  const auto next = *second ? second : third, last = *second ? third : second;
  ASSERT_TRUE(std::holds_alternative<Reserved>(**next));
  EXPECT_FALSE(*last);
  finish(std::get<Reserved>(**next), request, reply("done"));
  ASSERT_TRUE(run_until([&] { return last->has_value(); }));
  EXPECT_EQ(connection_of(**last), "done");
}

TEST_F(RequestLogTest, RefusesAnIdThatWasUsedForAnotherRequest) {
  const auto request = make_call("1"), other = make_call("1", "204");
  const auto reserved = reserve(request);
  const auto check = [&](const Begun& begun) {
    ASSERT_EQ(failure_of(begun), Errc::request_id_reused);
    EXPECT_EQ(std::get<wire::Failure>(begun).field, "request_id");
  };
  check(begin(log, other));  // while it is being carried out
  finish(reserved, request, reply("done"));
  check(begin(log, other));  // and afterwards
  RequestLog next(bucket);
  check(begin(next, other));
  EXPECT_EQ(connection_of(begin(log, request)), "done");
}

TEST_F(RequestLogTest, GivesTheStoredReplyAfterARestart) {
  const auto request = make_call("1");
  finish(reserve(request), request, reply("done"));
  RequestLog next(bucket);
  const auto begun = begin(next, request, kEpoch + 1);
  ASSERT_TRUE(std::holds_alternative<OwnerReply>(begun)) << failure_of(begun);
  EXPECT_EQ(std::get<OwnerReply>(begun).SerializeAsString(), reply("done").SerializeAsString());
}

TEST_F(RequestLogTest, KeepsNoSecretAndNothingToGuessOneBy) {
  OwnerRequest request;
  request.set_tenant("tenants/acme");
  request.set_request_id("1");
  auto& user = *request.mutable_order()->mutable_create_user()->mutable_user();
  user.set_login("ann");
  const auto without = hash_of(request);
  user.set_password("s3cret");
  EXPECT_EQ(hash_of(request), without);
  user.set_login("bob");
  EXPECT_NE(hash_of(request), without);

  OwnerReply made;
  auto& token = *made.mutable_order_result()->mutable_resource()->mutable_user_token();
  token.set_name("tenants/acme/users/12/tokens/5");
  token.set_token("t0k3n");
  const auto reserved = reserve(request);
  const auto second = begin_later(request);
  settle();
  finish(reserved, request, made);
  token.clear_token();
  const auto is_bare = [&](const Begun& begun) {
    const auto* reply = std::get_if<OwnerReply>(&begun);
    return reply && reply->SerializeAsString() == made.SerializeAsString();
  };
  ASSERT_TRUE(run_until([&] { return second->has_value(); }));
  EXPECT_TRUE(is_bare(**second));             // who asked in the meantime
  EXPECT_TRUE(is_bare(begin(log, request)));  // and afterwards
  const auto kept = await(bucket.get(reserved.key));
  EXPECT_THAT(kept->value, Not(HasSubstr("t0k3n")));
  EXPECT_THAT(kept->value, Not(HasSubstr("s3cret")));
}

TEST_F(RequestLogTest, GivesAStoredErrorToo) {
  const auto request = make_call("1");
  OwnerReply error;
  error.mutable_error()->set_code(10);
  finish(reserve(request), request, error);
  const auto begun = begin(log, request);
  ASSERT_TRUE(std::holds_alternative<OwnerReply>(begun));
  EXPECT_EQ(std::get<OwnerReply>(begun).error().code(), 10);
}

TEST_F(RequestLogTest, SaysThatTheOutcomeOfWhatALostOwnerTookIsUnknown) {
  const auto request = make_call("1");
  reserve(request);
  RequestLog next(bucket);
  EXPECT_EQ(failure_of(begin(next, request, kEpoch + 1)), Errc::outcome_unknown);
  EXPECT_EQ(failure_of(begin(next, request, kEpoch + 1)), Errc::outcome_unknown);  // for good
}

TEST_F(RequestLogTest, FreesTheIdOfWhatWasNotSent) {
  const auto request = make_call("1"), other = make_call("1", "204");
  await(log.forget(reserve(request)));
  await(log.forget(reserve(other)));
  RequestLog next(bucket);
  EXPECT_TRUE(std::holds_alternative<Reserved>(begin(next, request)));
}

TEST_F(RequestLogTest, SendsNothingThatCannotBeWrittenDown) {
  lose_nats();
  const auto request = make_call("1");
  const auto begun = begin(log, request);
  ASSERT_EQ(failure_of(begun), Errc::bus_unavailable);
  EXPECT_THAT(std::get<wire::Failure>(begun).detail, HasSubstr("nothing was sent"));
  find_nats();
  // JetStream comes up a little after the server does.
  ASSERT_TRUE(
      run_until([&] { return std::holds_alternative<Reserved>(begin(log, make_call("2"))); }));
  reserve(request);
}

TEST_F(RequestLogTest, FailsWithoutABucket) {
  bus::KvBucket nowhere(requests, "nowhere");
  RequestLog lost(nowhere);
  EXPECT_EQ(failure_of(begin(lost, make_call("1"))), Errc::bus_unavailable);
}

TEST_F(RequestLogTest, FailsOnARecordThatCannotBeRead) {
  ASSERT_TRUE(await(bucket.put("acme.1", "\xff")));
  const auto begun = begin(log, make_call("1"));
  ASSERT_EQ(failure_of(begun), Errc::bus_unavailable);
  EXPECT_THAT(std::get<wire::Failure>(begun).detail, HasSubstr("could not be read"));
}

TEST_F(RequestLogTest, TellsThoseWhoWaitTheReplyThatCouldNotBeWrittenDown) {
  const auto request = make_call("1");
  const auto reserved = reserve(request);
  const auto second = begin_later(request);
  settle();
  lose_nats();
  finish(reserved, request, reply("done"));
  ASSERT_TRUE(run_until([&] { return second->has_value(); }));
  EXPECT_EQ(connection_of(**second), "done");
  find_nats();
  Begun later;
  ASSERT_TRUE(run_until([&] {
    later = begin(log, request);
    return failure_of(later) != Errc::bus_unavailable;
  }));
  EXPECT_EQ(failure_of(later), Errc::outcome_unknown);
}

TEST_F(RequestLogTest, FindsWhatBecameOfAnIdWithoutTakingIt) {
  const auto find = [&](RequestLog& with, const OwnerRequest& request) {
    return await(with.find(request));
  };
  const auto request = make_call("1");
  EXPECT_FALSE(find(log, request));
  EXPECT_FALSE(find(log, request));

  const auto reserved = reserve(request);
  EXPECT_EQ(failure_of(*find(log, make_call("1", "204"))), Errc::request_id_reused);
  std::optional<std::optional<Begun>> waiting;
  asio::co_spawn(io, log.find(request), [&](std::exception_ptr, std::optional<Begun> found) {
    waiting.emplace(std::move(found));
  });
  settle();
  EXPECT_FALSE(waiting);
  RequestLog next(bucket);
  EXPECT_EQ(failure_of(*find(next, request)), Errc::outcome_unknown);

  finish(reserved, request, reply("done"));
  ASSERT_TRUE(run_until([&] { return waiting.has_value(); }));
  EXPECT_EQ(connection_of(**waiting), "done");
  EXPECT_EQ(connection_of(*find(next, request)), "done");
  lose_nats();
  EXPECT_FALSE(find(log, request));
}

TEST(RequestHash, CountsOnlyWhatIsAskedFor) {
  auto request = make_call("1");
  (*request.mutable_command()->mutable_data())["a"] = "1";
  (*request.mutable_command()->mutable_data())["b"] = "2";
  const auto hash = hash_of(request);
  EXPECT_EQ(hash.size(), 32u);

  auto same = request;
  same.set_request_id("2");
  same.set_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  same.mutable_deadline()->set_seconds(12);
  same.mutable_command()->clear_data();
  (*same.mutable_command()->mutable_data())["b"] = "2";
  (*same.mutable_command()->mutable_data())["a"] = "1";
  EXPECT_EQ(hash_of(same), hash);

  auto other = request;
  other.set_tenant("tenants/bolt");
  EXPECT_NE(hash_of(other), hash);
  other = request;
  other.mutable_command()->set_destination("204");
  EXPECT_NE(hash_of(other), hash);
  other = request;
  other.mutable_command()->clear_data();
  EXPECT_NE(hash_of(other), hash);
  // What one entry ends with, another could begin with.
  (*other.mutable_command()->mutable_data())["a"] = "11:b1:2";
  EXPECT_NE(hash_of(other), hash);
}

}  // namespace
}  // namespace connector
