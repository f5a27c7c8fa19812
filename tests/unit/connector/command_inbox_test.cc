#include "connector/command_inbox.h"

#include <gmock/gmock.h>

#include "unit/connector/command_inbox_fixture.h"
#include "wire/time.h"

namespace connector {
namespace {

namespace asio = boost::asio;
using base::Errc;
using call::ConnectionState;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct CommandInboxTest : CommandInboxFixture {
  CommandInboxTest() {
    see(call::DeviceSeen{a_device("201", "Ann")});
    see(call::DeviceSeen{a_device("202")});
  }

  // Has the PBX obey: what it does is seen before it is answered, as sessions do it.
  void obey() {
    carry_out = [this](const call::Command& command) -> call::Reply {
      if (std::holds_alternative<call::MakeCall>(command)) {
        see(call::CallSeen{a_call("new", "201", "202")});
        return call::Outcome{"new/201"};
      }
      if (const auto* clear = std::get_if<call::ClearConnection>(&command)) {
        see(call::CallsSeen{});
        return call::Outcome{clear->target.leg};
      }
      return call::Outcome{""};
    };
  }
  static void set_deadline(OwnerRequest& request, std::chrono::nanoseconds from_now) {
    const auto when = std::chrono::system_clock::now() + from_now;
    wire::to_proto(std::chrono::time_point_cast<call::Time::duration>(when),
                   *request.mutable_deadline());
  }
};

TEST_F(CommandInboxTest, AnswersOnceTheEffectWasSeen) {
  obey();
  const auto before = tracker.book().sequence;
  const auto reply = ask(make_call());
  ASSERT_TRUE(reply.has_command_result()) << reply.error().message();
  EXPECT_EQ(reply.epoch(), kEpoch);
  EXPECT_GT(tracker.book().sequence, before);
  EXPECT_EQ(reply.sequence(), tracker.book().sequence);  // its events come before it
  const auto& result = reply.command_result();
  EXPECT_EQ(result.call().name(), "tenants/acme/calls/c7-1");
  EXPECT_THAT(result.call().connections(), SizeIs(2));
  EXPECT_EQ(result.connection(), "tenants/acme/connections/c7-1-1");
  EXPECT_EQ(result.device().display_name(), "Ann");
  ASSERT_THAT(submitted, SizeIs(1));
  EXPECT_EQ(std::get<call::MakeCall>(submitted[0].command).destination, "203");
  EXPECT_EQ(counted("MakeCall", "OK"), 1);
}

TEST_F(CommandInboxTest, NamesTheConnectionOfACallThatHasEndedByIt) {
  obey();
  see(call::CallSeen{a_call("k", "201", "202")});
  const auto result = ask(clear("c7-1")).command_result();
  EXPECT_EQ(result.connection(), "tenants/acme/connections/c7-1-1");
  EXPECT_FALSE(result.has_call());
  EXPECT_FALSE(result.has_device());
  EXPECT_EQ(std::get<call::ClearConnection>(submitted.at(0).command).target.leg, "k/201");
}

TEST_F(CommandInboxTest, ShowsTheCallWhenNoLegWasTold) {
  see(call::CallSeen{a_call("k", "201", "202")});
  carry_out = [](const call::Command&) { return call::Outcome{""}; };
  auto request = command_to_acme(pbxgw::v1::SERVICE_HOLD_CALL);
  request.mutable_command()->set_call_id("c7-1");
  request.mutable_command()->set_connection_number(2);
  const auto result = ask(request).command_result();
  EXPECT_EQ(result.call().name(), "tenants/acme/calls/c7-1");
  EXPECT_EQ(result.connection(), "tenants/acme/connections/c7-1-2");
}

TEST_F(CommandInboxTest, PassesOnHowThePbxRefused) {
  const auto refuse = [this](Errc why, const char* detail) {
    carry_out = [=](const call::Command&) { return call::Refusal{why, detail}; };
    return ask(make_call());
  };
  auto reply = refuse(Errc::pbx_refused, "no");
  EXPECT_EQ(reason_of(reply), "VENDOR_ERROR");
  EXPECT_EQ(reply.error().message(), "no");
  EXPECT_EQ(reason_of(refuse(Errc::effect_not_seen, "")), "EFFECT_NOT_SEEN");
  EXPECT_EQ(reason_of(refuse(Errc::outcome_unknown, "")), "OUTCOME_UNKNOWN");
  EXPECT_EQ(counted("MakeCall", "ABORTED"), 1);
  reply = refuse(Errc::invalid_argument, "destination: too long for this PBX");
  google::rpc::BadRequest bad;
  for (const auto& detail : reply.error().details()) {
    if (detail.UnpackTo(&bad)) break;
  }
  ASSERT_THAT(bad.field_violations(), SizeIs(1));
  EXPECT_EQ(bad.field_violations(0).field(), "destination");
}

TEST_F(CommandInboxTest, RefusesWhatIsNoRequestToThisTenant) {
  EXPECT_EQ(reason_of(ask(std::string("\xff\xff garbage"))), "INTERNAL_ERROR");
  EXPECT_EQ(reason_of(ask(std::string())), "INTERNAL_ERROR");
  EXPECT_EQ(reason_of(ask(request_to_acme())), "INTERNAL_ERROR");  // neither command nor query
  auto stray = make_call();
  stray.set_tenant("tenants/bolt");
  EXPECT_EQ(reason_of(ask(stray)), "INTERNAL_ERROR");
  stray.set_tenant("acme");
  EXPECT_EQ(reason_of(ask(stray)), "INTERNAL_ERROR");
  stray = request_to_acme();
  stray.set_tenant("tenants/bolt");
  stray.mutable_query()->set_kind(pbxgw::v1::Query::KIND_DEVICES);
  EXPECT_EQ(reason_of(ask(stray)), "INTERNAL_ERROR");
  EXPECT_THAT(submitted, IsEmpty());
}

TEST_F(CommandInboxTest, RefusesWhatCannotWorkWithoutAskingThePbx) {
  see(call::CallSeen{a_call("k", "201", "202", ConnectionState::alerting)});
  EXPECT_EQ(reason_of(ask(command_to_acme(static_cast<pbxgw::v1::Service>(999)))), "INVALID_FIELD");
  EXPECT_EQ(counted("other", "INVALID_ARGUMENT"), 1);
  EXPECT_EQ(reason_of(ask(make_call("", ""))), "INVALID_FIELD");
  EXPECT_EQ(reason_of(ask(clear("c7-9"))), "CALL_NOT_FOUND");
  auto request = clear("c7-1");
  request.mutable_command()->set_connection_number(9);
  EXPECT_EQ(reason_of(ask(request)), "CONNECTION_NOT_FOUND");
  request = make_call();
  request.mutable_command()->set_device_id("209");
  EXPECT_EQ(reason_of(ask(request)), "DEVICE_NOT_FOUND");
  request = command_to_acme(pbxgw::v1::SERVICE_RETRIEVE_CALL);
  request.mutable_command()->set_call_id("c7-1");
  request.mutable_command()->set_connection_number(1);
  EXPECT_EQ(reason_of(ask(request)), "INCORRECT_CONNECTION_STATE");
  EXPECT_THAT(submitted, IsEmpty());
}

TEST_F(CommandInboxTest, OnlyChecksIfAskedTo) {
  auto request = make_call("1");
  request.mutable_command()->set_validate_only(true);
  const auto reply = ask(request);
  EXPECT_TRUE(reply.has_command_result());
  EXPECT_FALSE(reply.command_result().has_call());
  request.mutable_command()->set_destination("");
  EXPECT_EQ(reason_of(ask(request)), "INVALID_FIELD");
  EXPECT_THAT(submitted, IsEmpty());
  obey();
  EXPECT_TRUE(ask(make_call("1")).has_command_result());  // the id is not spent
}

TEST_F(CommandInboxTest, SaysWhatIsInTheWay) {
  obstacle = wire::Failure{
      Errc::pbx_disconnected, "the link is backing off", "", {{"link_reason", "link_lost"}}};
  const auto reply = ask(make_call("1"));
  EXPECT_EQ(reason_of(reply), "PBX_DISCONNECTED");
  EXPECT_EQ(reply.error().message(), "the link is backing off");
  EXPECT_EQ(info_of(reply).metadata().at("link_reason"), "link_lost");
  EXPECT_EQ(counted("MakeCall", "UNAVAILABLE"), 1);
  EXPECT_THAT(submitted, IsEmpty());

  obstacle.reset();
  obey();
  EXPECT_TRUE(ask(make_call("1")).has_command_result());  // the id is free again
}

TEST_F(CommandInboxTest, SendsNothingWhoseCallerHasGivenUp) {
  auto request = make_call("1");
  for (const auto ago : {0ns, std::chrono::nanoseconds(1s), std::chrono::nanoseconds(24h * 365)}) {
    set_deadline(request, -ago);
    EXPECT_EQ(reason_of(ask(request)), "TIMED_OUT");
  }
  EXPECT_THAT(submitted, IsEmpty());
  obey();
  set_deadline(request, 1min);
  EXPECT_TRUE(ask(request).has_command_result());
}

TEST_F(CommandInboxTest, LimitsHowLongACommandMayTake) {
  obey();
  const auto begun = Clock::now();
  const auto limit_of = [&](const OwnerRequest& request) {
    submitted.clear();
    EXPECT_TRUE(ask(request).has_command_result());
    return submitted.at(0).limit;
  };
  const auto check = [&](Clock::time_point limit, Clock::duration expected) {
    EXPECT_GE(limit, begun + expected);
    EXPECT_LE(limit, Clock::now() + expected);
  };
  auto request = make_call();
  check(limit_of(request), 10s);  // none given
  set_deadline(request, 1h);
  check(limit_of(request), 120s);
  request.mutable_deadline()->set_seconds(253'402'300'799);  // the year 9999
  check(limit_of(request), 120s);
  request.mutable_deadline()->set_seconds(INT64_MAX);
  check(limit_of(request), 120s);
}

TEST_F(CommandInboxTest, RefusesWhatThePbxHasNoRoomFor) {
  crowded = true;
  EXPECT_EQ(reason_of(ask(make_call("1"))), "PERFORMANCE_LIMIT_EXCEEDED");
  crowded = false;
  obey();
  EXPECT_TRUE(ask(make_call("1")).has_command_result());
}

TEST_F(CommandInboxTest, HasALimitOnWhatWaits) {
  constexpr unsigned kOpenMax = 1'024;
  for (unsigned i = 0; i < kOpenMax; ++i) {
    send(make_call());
    // No more at a time than the subscription's queue holds.
    if (i % 256 == 0) flush(caller);
  }
  ASSERT_TRUE(run_until([&] { return submitted.size() == kOpenMax; }));
  EXPECT_EQ(reason_of(ask(make_call())), "PERFORMANCE_LIMIT_EXCEEDED");
  EXPECT_EQ(counted("MakeCall", "RESOURCE_EXHAUSTED"), 1);
  auto query = request_to_acme();
  query.mutable_query()->set_kind(pbxgw::v1::Query::KIND_DEVICES);
  EXPECT_TRUE(ask(query).has_query_result());

  for (const auto& it : submitted) it.done(call::Outcome{""});
  EXPECT_TRUE(reply(kOpenMax).has_command_result());
  obey();
  EXPECT_TRUE(ask(make_call()).has_command_result());
}

// ---- The same request again.

TEST_F(CommandInboxTest, CarriesARequestOutOnce) {
  obey();
  const auto first = ask(make_call("1"));
  EXPECT_EQ(submitted.at(0).request_id, "1");
  const auto second = ask(make_call("1"));
  EXPECT_THAT(submitted, SizeIs(1));
  EXPECT_EQ(second.command_result().SerializeAsString(),
            first.command_result().SerializeAsString());
  EXPECT_EQ(reason_of(ask(make_call("1", "204"))), "REQUEST_ID_REUSED");
  EXPECT_TRUE(ask(make_call("2")).has_command_result());
  EXPECT_THAT(submitted, SizeIs(2));
}

TEST_F(CommandInboxTest, AnswersARetryThatComesWhileTheFirstIsCarriedOut) {
  const auto first = send(make_call("1")), second = send(make_call("1"));
  ASSERT_TRUE(run_until([&] { return submitted.size() == 1; }));
  settle();
  EXPECT_FALSE(answered(first) || answered(second));
  see(call::CallSeen{a_call("new", "201", "202")});
  submitted[0].done(call::Outcome{"new/201"});
  EXPECT_EQ(reply(first).command_result().call().name(), "tenants/acme/calls/c7-1");
  EXPECT_EQ(reply(second).command_result().call().name(), "tenants/acme/calls/c7-1");
  EXPECT_THAT(submitted, SizeIs(1));
}

TEST_F(CommandInboxTest, AnswersARetryAsBeforeWhenTheCallIsGone) {
  obey();
  see(call::CallSeen{a_call("k", "201", "202")});
  const auto first = ask(clear("c7-1", "1"));
  ASSERT_TRUE(first.has_command_result());
  EXPECT_EQ(reason_of(ask(clear("c7-1"))), "CALL_NOT_FOUND");
  const auto second = ask(clear("c7-1", "1"));
  EXPECT_EQ(second.command_result().SerializeAsString(),
            first.command_result().SerializeAsString());
  EXPECT_EQ(reason_of(ask(clear("c7-2", "1"))), "REQUEST_ID_REUSED");
  EXPECT_EQ(reason_of(ask(clear("c7-1", "2"))), "CALL_NOT_FOUND");
  EXPECT_THAT(submitted, SizeIs(1));
}

TEST_F(CommandInboxTest, KeepsWhatBecameOfWhatMayHaveBeenSent) {
  for (const Errc why : {Errc::pbx_refused, Errc::effect_not_seen, Errc::outcome_unknown}) {
    submitted.clear();
    carry_out = [=](const call::Command&) { return call::Refusal{why, ""}; };
    const auto id = std::string(base::name_of(why));
    const auto first = ask(make_call(id));
    EXPECT_EQ(reason_of(ask(make_call(id))), reason_of(first));
    EXPECT_THAT(submitted, SizeIs(1));
  }
}

TEST_F(CommandInboxTest, LetsWhatWasNotSentBeTriedAgain) {
  carry_out = [](const call::Command&) { return call::Refusal{Errc::pbx_disconnected, ""}; };
  EXPECT_EQ(reason_of(ask(make_call("1"))), "PBX_DISCONNECTED");
  obey();
  EXPECT_TRUE(ask(make_call("1")).has_command_result());
  EXPECT_THAT(submitted, SizeIs(2));
}

TEST_F(CommandInboxTest, DoesNotKnowWhatBecameOfALostOwnersCommand) {
  // That one got as far as writing the id down.
  RequestLog lost(bucket);
  await(lost.begin(make_call("1"), kEpoch - 1));
  obey();
  EXPECT_EQ(reason_of(ask(make_call("1"))), "OUTCOME_UNKNOWN");
  EXPECT_THAT(submitted, IsEmpty());
}

TEST_F(CommandInboxTest, SendsNothingWhoseIdCannotBeWrittenDown) {
  bus::JetStream jetstream(connection);
  ASSERT_TRUE(await(jetstream.delete_stream(std::string("KV_") + wire::kRequestBucket)));
  obey();
  EXPECT_EQ(reason_of(ask(make_call("1"))), "BUS_UNAVAILABLE");
  EXPECT_EQ(reason_of(ask(clear("c7-9", "1"))), "CALL_NOT_FOUND");
  EXPECT_THAT(submitted, IsEmpty());
  EXPECT_TRUE(ask(make_call()).has_command_result());  // without one it can be done
}

// ---- The end.

TEST_F(CommandInboxTest, AnswersWhatItHasTakenAfterItWasClosed) {
  const auto second = send(make_call());
  ASSERT_TRUE(run_until([&] { return submitted.size() == 1; }));
  const auto first = send(make_call("1"));
  ASSERT_TRUE(run_until([&] { return submitted.size() == 2; }));
  inbox->close();
  flush(connection);
  bool drained = false;
  asio::co_spawn(io, inbox->drained(), [&](std::exception_ptr) { drained = true; });

  // Whoever asks now hears at once that nobody serves the tenant.
  bus::Requests asking(caller);
  const auto late =
      await(asking.request("pbx.v1.commands.acme", make_call().SerializeAsString(), 20s));
  EXPECT_EQ(late.error(), Errc::owner_moving);
  EXPECT_FALSE(drained);

  submitted[1].done(call::Outcome{""});
  EXPECT_TRUE(reply(first).has_command_result());
  settle();
  EXPECT_FALSE(drained);
  submitted[0].done(call::Refusal{Errc::outcome_unknown, ""});
  EXPECT_EQ(reason_of(reply(second)), "OUTCOME_UNKNOWN");
  EXPECT_TRUE(run_until([&] { return drained; }));
}

TEST_F(CommandInboxTest, HasNothingToDrainWhenNothingIsOpen) {
  await(inbox->drained());
  inbox->close();
  inbox->close();
  await(inbox->drained());
}

TEST_F(CommandInboxTest, AnswersWhatItHasTakenEvenWhenItIsGone) {
  const auto first = send(make_call("1")), second = send(make_call("1"));
  ASSERT_TRUE(run_until([&] { return submitted.size() == 1; }));
  settle();
  inbox.reset();
  submitted[0].done(call::Outcome{""});
  EXPECT_TRUE(reply(first).has_command_result());
  EXPECT_TRUE(reply(second).has_command_result());
}

TEST_F(CommandInboxTest, ServesOnAfterAReconnect) {
  obey();
  EXPECT_TRUE(ask(make_call()).has_command_result());
  server.restart();
  ASSERT_TRUE(run_until([&] {
    return connection->statistics().connects == 2 && caller->statistics().connects == 2;
  }));
  flush(caller);  // it can be answered again
  flush(connection);
  EXPECT_TRUE(ask(make_call()).has_command_result());
}

TEST_F(CommandInboxTest, NeedsNobodyToWaitForItsReply) {
  obey();
  const auto bytes = make_call().SerializeAsString();
  natsConnection_Publish(caller->handle(), "pbx.v1.commands.acme", bytes.data(),
                         static_cast<int>(bytes.size()));
  EXPECT_TRUE(run_until([&] { return submitted.size() == 1; }));
  EXPECT_TRUE(ask(make_call()).has_command_result());
}

}  // namespace
}  // namespace connector
