// What a TenantOwner does about events that cannot be published, and about commands.
#include <gmock/gmock.h>

#include "connector/tenant_owner.h"
#include "unit/connector/owner_fixture.h"

namespace connector {
namespace {

using base::Errc;
using call::LinkState;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using namespace std::chrono_literals;

struct TenantOwnerOutboxTest : OwnerFixture {
  TenantOwnerOutboxTest() { pbx.has(a_device("201")); }

  // The PBX has more and more calls, and the owner has heard of all.
  std::set<std::string> add_calls(const OwnerNode& node, int count) {
    std::set<std::string> keys;
    const auto heard = node.frames();
    for (int i = 0; i < count; ++i) {
      const auto key = "k" + std::to_string(100 + i);
      pbx.has(a_call(key, "201", "202"));
      pbx.tell();
      keys.insert(key);
    }
    EXPECT_TRUE(run_until([&] { return node.frames() == heard + count; }));
    return keys;
  }
};

TEST_F(TenantOwnerOutboxTest, SaysWhatWasLostAndHealsIt) {
  config.outbox.events_max = 8;
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  server.stop();
  auto keys = add_calls(*one, 30);
  server.start();
  ASSERT_TRUE(until_calls(keys));
  ASSERT_THAT(gaps(), SizeIs(1));
  EXPECT_EQ(gaps()[0].reason, "outbox_full");
  EXPECT_GE(gaps()[0].last_sequence, gaps()[0].first_sequence);
  EXPECT_EQ(one->metrics().gaps.at({"outbox_full"}).value(), 1);

  pbx.lost("k100");
  pbx.tell();
  keys.erase("k100");
  ASSERT_TRUE(until_calls(keys));
  EXPECT_THAT(gaps(), SizeIs(1));
}

TEST_F(TenantOwnerOutboxTest, SaysWhatWasLostBeforeItStops) {
  config.outbox.events_max = 8;
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  server.stop();
  const auto keys = add_calls(*one, 30);
  one->stop(Errc::shutting_down);
  server.start();
  ASSERT_TRUE(run_until([&] { return one->ended(); }));
  catch_up();
  EXPECT_THAT(gaps(), SizeIs(1));
  EXPECT_EQ(call_keys(), keys);
  EXPECT_EQ(links().back().reason, "shutting_down");
  ASSERT_TRUE(checkpoint());
  EXPECT_EQ(checkpoint()->book.sequence, events.back().sequence);
}

TEST_F(TenantOwnerOutboxTest, TakesNoEventForOldBecauseThePbxWasQuiet) {
  config.outbox.age_max = 1min;
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  server.stop();  // so that something waits
  pbx.hang_up();
  ASSERT_TRUE(run_until([&] { return pbx.links() == 2; }));
  server.start();
  ASSERT_TRUE(until_ups(2));
  EXPECT_THAT(gaps(), IsEmpty());
}

TEST_F(TenantOwnerOutboxTest, SaysWhatWasLostBecauseNatsWasAwayForLong) {
  config.outbox.age_max = 50ms;
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  server.stop();
  int calls = 0;
  const auto aged = std::chrono::steady_clock::now() + 60ms;
  std::set<std::string> keys;
  do {
    keys = add_calls(*one, ++calls);
  } while (std::chrono::steady_clock::now() < aged);
  keys = add_calls(*one, calls + 3);
  server.start();
  ASSERT_TRUE(until_calls(keys));
  ASSERT_THAT(gaps(), Not(IsEmpty()));
  EXPECT_EQ(gaps().back().reason, "outbox_age");
}

TEST_F(TenantOwnerOutboxTest, TellsTheLinksStateAgainIfItWasLost) {
  config.outbox.events_max = 8;
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  server.stop();
  add_calls(*one, 30);
  acme.title = "Acme Ltd.";
  one->reconfigure(tenant());
  ASSERT_TRUE(run_until([&] { return pbx.links() == 2; }));
  server.start();
  ASSERT_TRUE(until_ups(2));
  ASSERT_TRUE(run_until([&] { return gaps().size() == 1; }));
  // Down and up again: only the last counts.
  EXPECT_EQ(fold.link()->state, LinkState::up);
  EXPECT_THAT(links(), SizeIs(4));
}

TEST_F(TenantOwnerOutboxTest, GoesOnAfterAnEventThatIsTooBig) {
  config.checkpoint_interval = 10ms;
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  const auto says = [&](call::Observation seen) { pbx.say({pbx::Observe{std::move(seen), {}}}); };
  says(call::DeviceSeen{a_device("209", std::string(2 << 20, 'x'))});
  ASSERT_TRUE(run_until([&] { return gaps().size() == 1; }));
  EXPECT_EQ(gaps()[0].reason, "event_too_big");
  EXPECT_EQ(gaps()[0].first_sequence, gaps()[0].last_sequence);
  EXPECT_EQ(gaps()[0].first_sequence + 1, events.back().sequence);

  // That 209 is gone is too big to tell as well. Now it waits for NATS, and the next checkpoint for
  // it.
  server.stop();
  const auto heard = one->frames();
  says(call::DevicesSeen{{a_device("201")}});
  ASSERT_TRUE(run_until([&] { return one->frames() > heard; }));
  server.start();
  ASSERT_TRUE(run_until([&] { return gaps().size() == 2; }));
  // It does not wait for ever.
  EXPECT_TRUE(run_until([&] {
    const auto kept = checkpoint();
    return kept && kept->book.sequence == events.back().sequence;
  }));
}

// ---- Commands.

struct TenantOwnerCommandTest : OwnerFixture {
  TenantOwnerCommandTest() { pbx.has(a_device("201")); }

  bool until_heard(unsigned commands) {
    return run_until([&] { return pbx.commands() == commands; });
  }
};

TEST_F(TenantOwnerCommandTest, AnswersAfterTheEventsOfTheEffect) {
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  pbx.on_command([](call::CommandId id) {
    const auto call = a_call("new", "201", "202");
    return pbx::Effects{pbx::Observe{call::CallSeen{call}, id},
                        pbx::Answer{id, call::Outcome{"new/201"}}};
  });
  const auto request = asker.send(make_call("the id"));
  const auto answer = reply(request);
  ASSERT_TRUE(answer.has_command_result()) << answer.error().message();
  EXPECT_NE(answer.command_result().connection(), "");
  ASSERT_TRUE(run_until([&] { return events.back().sequence == answer.sequence(); }));
  EXPECT_EQ(answer.epoch(), events.back().epoch);
  const auto effect = findings().back();
  EXPECT_EQ(effect.request_id, "the id");
  EXPECT_EQ(std::get<call::CallEvent>(effect.body).call.key, "new");
  expect_one_reply(*one, request);
}

TEST_F(TenantOwnerCommandTest, AnswersOnceWhenTheLinkDies) {
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  const auto with_id = asker.send(make_call("1")), without = asker.send(make_call());
  ASSERT_TRUE(until_heard(2));
  pbx.hang_up();
  EXPECT_EQ(reason_of(reply(with_id)), "OUTCOME_UNKNOWN");
  EXPECT_EQ(reason_of(reply(without)), "OUTCOME_UNKNOWN");
  ASSERT_TRUE(until_ups(2));
  EXPECT_EQ(reason_of(ask(make_call("1"))), "OUTCOME_UNKNOWN");  // and it is not done again
  EXPECT_EQ(pbx.commands(), 2u);
  expect_one_reply(*one, with_id);
  expect_one_reply(*one, without);
}

TEST_F(TenantOwnerCommandTest, SaysWhyThereIsNoLink) {
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  pbx.refuse();
  pbx.hang_up();
  ASSERT_TRUE(run_until([&] { return links().back().reason == "connect_failed"; }));
  const auto answer = ask(make_call());
  EXPECT_EQ(reason_of(answer), "PBX_DISCONNECTED");
  EXPECT_EQ(info_of(answer).metadata().at("link_reason"), "connect_failed");
}

TEST_F(TenantOwnerCommandTest, TakesNoCommandsBeforeTheLinkIsUp) {
  auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  pbx.stall(true);
  pbx.hang_up();
  ASSERT_TRUE(run_until([&] { return links().back().state == LinkState::logging_in; }));
  EXPECT_EQ(reason_of(ask(make_call())), "PBX_DISCONNECTED");
  EXPECT_EQ(pbx.commands(), 0u);
}

TEST_F(TenantOwnerCommandTest, RefusesMoreThanThePbxHasRoomFor) {
  config.commands_max = 2;
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  asker.send(make_call());
  asker.send(make_call());
  ASSERT_TRUE(until_heard(2));
  EXPECT_EQ(reason_of(ask(make_call())), "PERFORMANCE_LIMIT_EXCEEDED");
}

TEST_F(TenantOwnerCommandTest, AnswersEverythingBeforeItStops) {
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  const auto with_id = asker.send(make_call("1")), without = asker.send(make_call());
  ASSERT_TRUE(until_heard(2));
  one->stop(Errc::shutting_down);
  ASSERT_TRUE(run_until([&] { return one->ended(); }));
  EXPECT_EQ(reason_of(reply(with_id)), "OUTCOME_UNKNOWN");
  EXPECT_EQ(reason_of(reply(without)), "OUTCOME_UNKNOWN");
  expect_one_reply(*one, with_id);
  expect_one_reply(*one, without);

  const auto late = await(requests->request("pbx.v1.commands.acme", make_call().SerializeAsString(),
                                            bus::Duration(20'000)));
  EXPECT_EQ(late.error(), Errc::owner_moving);
}

TEST_F(TenantOwnerCommandTest, AnswersEverythingWhenItsLeaseIsTaken) {
  config.lease.ttl = 6s;
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  const auto with_id = asker.send(make_call("1")), without = asker.send(make_call());
  ASSERT_TRUE(until_heard(2));
  ASSERT_TRUE(await(leases.put("tenant.acme", "other/x")));
  ASSERT_TRUE(run_until([&] { return one->ended(); }));
  for (const auto request : {with_id, without}) {
    EXPECT_EQ(reason_of(reply(request)), "OUTCOME_UNKNOWN");
    EXPECT_GE(reply(request).sequence(), events.back().sequence);
    EXPECT_LE(reply(request).sequence(), events.back().sequence + 1);  // the link's end, untold
    expect_one_reply(*one, request);
  }
}

}  // namespace
}  // namespace connector
