#include "connector/tenant_owner.h"

#include <gmock/gmock.h>

#include "unit/connector/owner_fixture.h"

namespace connector {
namespace {

using base::Errc;
using call::LinkState;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;
using namespace std::chrono_literals;

struct TenantOwnerTest : OwnerFixture {
  TenantOwnerTest() {
    pbx.has(a_device("201", "Ann"));
    pbx.has(a_device("202", "Bob"));
  }
  static std::vector<LinkState> states(const std::vector<call::LinkEvent>& links) {
    std::vector<LinkState> all;
    for (const auto& it : links) all.push_back(it.state);
    return all;
  }
  bool until_ended(const OwnerNode& node) {
    return run_until([&] { return node.ended(); });
  }
};

// ---- The lease and the link.

TEST_F(TenantOwnerTest, TakesTheLeaseAndTellsHowTheLinkComesUp) {
  pbx.has(a_call("k1", "201", "202"));
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  EXPECT_TRUE(one->held());
  EXPECT_THAT(states(links()),
              ElementsAre(LinkState::connecting, LinkState::synchronizing, LinkState::up));
  EXPECT_THAT(*value(leases, "tenant.acme"), StartsWith("one/"));
  EXPECT_EQ(one->metrics().lease_held.value(), 1);

  ASSERT_TRUE(run_until([&] {
    const auto is = record();
    return is && is->tenant().link().state() == pbxgw::v1::LINK_STATE_UP;
  }));
  const auto tenant = record()->tenant();
  EXPECT_EQ(tenant.name(), "tenants/acme");
  EXPECT_EQ(tenant.display_name(), "Acme");
  EXPECT_EQ(tenant.owner(), "one");
  EXPECT_TRUE(tenant.link().has_last_up_time());
  EXPECT_THAT(record()->capabilities(), SizeIs(call::kServiceCount));

  // From 1, without a hole: fold has checked that too.
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].epoch, tenant.epoch());
    EXPECT_EQ(events[i].sequence, i + 1);
  }
  EXPECT_THAT(call_keys(), ElementsAre("k1"));
  EXPECT_THAT(fold.book().devices, SizeIs(2));
}

TEST_F(TenantOwnerTest, DoesNothingWithALeaseOfSomebodyElse) {
  ASSERT_TRUE(await(leases.create("tenant.acme", "other/x")));
  const auto one = start("one");
  ASSERT_TRUE(until_ended(*one));
  EXPECT_FALSE(one->held());
  catch_up();
  EXPECT_THAT(events, IsEmpty());
  EXPECT_EQ(value(leases, "tenant.acme"), "other/x");
  EXPECT_EQ(pbx.links(), 0u);
}

TEST_F(TenantOwnerTest, RepeatsNothingAfterAReconnect) {
  pbx.has(a_call("k1", "201", "202"));
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  const auto before = events.size();
  pbx.hang_up();
  ASSERT_TRUE(until_ups(2));
  EXPECT_THAT(findings(before), IsEmpty());
  EXPECT_EQ(links().at(3).state, LinkState::backing_off);
  EXPECT_EQ(links().at(3).reason, "link_closed");
  EXPECT_TRUE(links().at(3).retry_at);
  EXPECT_EQ(links().back().reason, "");
  EXPECT_EQ(events.back().epoch, events.front().epoch);
}

TEST_F(TenantOwnerTest, TellsWhatHasChangedWhileTheLinkWasDown) {
  pbx.has(a_call("k1", "201", "202"));
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  const auto before = events.size();
  pbx.refuse();
  pbx.hang_up();
  ASSERT_TRUE(run_until([&] { return links().back().reason == "connect_failed"; }));
  pbx.lost("k1");
  pbx.has(a_call("k2", "201", "202"));
  pbx.listen();
  ASSERT_TRUE(until_ups(2));
  EXPECT_THAT(call_keys(), ElementsAre("k2"));
  EXPECT_THAT(findings(before), Each(Field(&call::Event::origin, call::Origin::resync)));
}

TEST_F(TenantOwnerTest, SuspectsSomebodyElseWithItsAccountAfterQuickEnds) {
  acme.quick_end = 1h;
  const auto one = start("one");
  for (unsigned i = 1; i <= 3; ++i) {
    ASSERT_TRUE(until_ups(i));
    pbx.hang_up();
  }
  ASSERT_TRUE(run_until([&] { return links().back().reason == "login_duplicated"; }));
  EXPECT_GE(*links().back().retry_at - events.back().received, 29s);
}

TEST_F(TenantOwnerTest, SaysWhyTlsCannotBeUsed) {
  acme.tls.ca_file = "/nowhere";
  const auto one = start("one");
  ASSERT_TRUE(run_until([&] { return links().size() >= 2; }));
  EXPECT_EQ(links()[1].state, LinkState::backing_off);
  EXPECT_NE(links()[1].detail, "");
  EXPECT_EQ(pbx.links(), 0u);
}

TEST_F(TenantOwnerTest, MakesANewLinkWhenReconfigured) {
  pbx.has(a_call("k1", "201", "202"));
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  const auto before = events.size();
  acme.title = "Acme Ltd.";
  one->reconfigure(tenant());
  ASSERT_TRUE(until_ups(2));
  EXPECT_EQ(pbx.links(), 2u);
  EXPECT_EQ(links().at(3).reason, "link_not_needed");
  EXPECT_THAT(findings(before), IsEmpty());
  EXPECT_EQ(events.back().epoch, events.front().epoch);
  EXPECT_EQ(one->metrics().lease_taken.value(), 1);
  EXPECT_TRUE(run_until([&] { return record()->tenant().display_name() == "Acme Ltd."; }));
}

TEST_F(TenantOwnerTest, TriesNewSettingsAtOnce) {
  acme.backoff = {1h, 1h};
  pbx.refuse();
  const auto one = start("one");
  ASSERT_TRUE(run_until([&] { return links().size() >= 2; }));
  EXPECT_EQ(links()[1].reason, "connect_failed");
  pbx.listen();
  one->reconfigure(tenant());
  EXPECT_TRUE(until_ups(1));
}

TEST_F(TenantOwnerTest, GoesOnAsItIsIfNewCertificatesAreOfNoUse) {
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  acme.title = "Acme Ltd.";
  acme.tls.ca_file = "/nowhere/ca.pem";
  acme.tls_files = "another";
  one->reconfigure(tenant());
  one->on_shard([](Shard&) {});
  EXPECT_EQ(one->metrics().config_reload_failures.value(), 1);
  EXPECT_EQ(pbx.links(), 1u);
  acme.tls.ca_file.clear();
  acme.tls_files = "a third";
  one->reconfigure(tenant());
  ASSERT_TRUE(until_ups(2));
  EXPECT_TRUE(run_until([&] { return record()->tenant().display_name() == "Acme Ltd."; }));
}

TEST_F(TenantOwnerTest, LetsGoForTheSettingsOfAnotherVendor) {
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  acme.vendor = &pbx.other_vendor();
  one->reconfigure(tenant());
  ASSERT_TRUE(until_ended(*one));
  EXPECT_TRUE(record());
  const auto again = start("one");
  ASSERT_TRUE(until_ups(2));
  EXPECT_TRUE(run_until([&] { return record()->tenant().vendor() == "other"; }));
}

// ---- The end.

TEST_F(TenantOwnerTest, StopsInGoodOrder) {
  pbx.has(a_call("k1", "201", "202"));
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  one->stop(Errc::shutting_down);
  ASSERT_TRUE(until_ended(*one));
  catch_up();
  EXPECT_EQ(links().back().state, LinkState::backing_off);
  EXPECT_EQ(links().back().reason, "shutting_down");
  EXPECT_FALSE(value(leases, "tenant.acme"));
  EXPECT_TRUE(record());

  const auto left = checkpoint();
  ASSERT_TRUE(left);
  EXPECT_EQ(left->book.epoch, events.back().epoch);
  EXPECT_EQ(left->book.sequence, events.back().sequence);
  EXPECT_EQ(left->stream_sequence, stream_sequences.back());
  EXPECT_EQ(left->book.calls, fold.book().calls);
  EXPECT_EQ(left->book.devices, fold.book().devices);

  EXPECT_EQ(one->metrics().lease_held.value(), 0);
  EXPECT_EQ(one->metrics().link_state.at({"scripted", "backing_off"}).value(), 0);
  EXPECT_EQ(one->metrics().lease_lost.value(), 0);
}

TEST_F(TenantOwnerTest, ForgetsATenantThatIsNoLongerConfigured) {
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  ASSERT_TRUE(run_until([&] { return record().has_value(); }));
  one->stop(Errc::link_not_needed);
  ASSERT_TRUE(until_ended(*one));
  EXPECT_FALSE(record());
  EXPECT_FALSE(value(leases, "tenant.acme"));
}

TEST_F(TenantOwnerTest, StopsBeforeItHasALink) {
  pbx.refuse();
  acme.backoff = {1h, 1h};
  const auto one = start("one");
  ASSERT_TRUE(run_until([&] { return links().size() >= 2; }));
  one->stop(Errc::shutting_down);
  ASSERT_TRUE(until_ended(*one));
  EXPECT_FALSE(value(leases, "tenant.acme"));
}

TEST_F(TenantOwnerTest, StopsWhileItCannotLearnWhatWas) {
  config.instance = "one";
  OwnerNode one(config);
  std::atomic<bool> killed = false;
  one.on_held = [&] {
    server.kill();
    killed = true;
  };
  one.start(tenant());
  ASSERT_TRUE(run_until([&] { return killed.load(); }));
  one.stop(Errc::shutting_down);
  EXPECT_TRUE(until_ended(one));
  server.start();
}

TEST_F(TenantOwnerTest, KeepsACheckpointWhileItRuns) {
  config.checkpoint_interval = 10ms;
  pbx.has(a_call("k1", "201", "202"));
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  ASSERT_TRUE(run_until([&] {
    const auto kept = checkpoint();
    return kept && kept->book.sequence == events.back().sequence;
  }));
  EXPECT_EQ(checkpoint()->stream_sequence, stream_sequences.back());
  pbx.lost("k1");
  pbx.tell();
  ASSERT_TRUE(until_calls({}));
  EXPECT_TRUE(run_until([&] { return checkpoint()->book.sequence == events.back().sequence; }));
}

// ---- One owner after the other.

TEST_F(TenantOwnerTest, GoesOnFromWhatTheLastOwnerLeft) {
  pbx.has(a_call("k1", "201", "202"));
  pbx.has(a_call("k2", "201", "202"));
  auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  one->stop(Errc::lease_lost);
  ASSERT_TRUE(until_ended(*one));
  catch_up();
  const auto before = events.size();
  const auto epoch = events.back().epoch;
  const auto known = fold.book().calls;

  pbx.lost("k1");
  pbx.has(a_call("k3", "201", "202"));
  const auto two = start("two");
  ASSERT_TRUE(until_ups(2));
  EXPECT_THAT(call_keys(), ElementsAre("k2", "k3"));
  EXPECT_GT(events.back().epoch, epoch);
  EXPECT_EQ(events[before].sequence, 1u);
  for (const auto& event : findings(before)) {
    EXPECT_EQ(event.origin, call::Origin::resync);
    const auto* of_call = std::get_if<call::CallEvent>(&event.body);
    ASSERT_TRUE(of_call) << "a device has not changed";
    EXPECT_NE(of_call->call.key, "k2") << "has not changed";
  }
  // The same call, by the same name.
  for (const auto& [id, call] : fold.book().calls) {
    EXPECT_EQ(known.contains(id), call.key == "k2");
  }
}

TEST_F(TenantOwnerTest, GoesOnFromTheCheckpointAndTheEventsAfterIt) {
  pbx.has(a_call("k1", "201", "202"));
  auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  one->stop(Errc::shutting_down);
  ASSERT_TRUE(until_ended(*one));

  auto two = start("two");
  ASSERT_TRUE(until_ups(2));
  pbx.has(a_call("k2", "201", "202"));
  pbx.lost("k1");
  pbx.tell();
  ASSERT_TRUE(until_calls({"k2"}));
  two.reset();  // killed: it leaves nothing
  EXPECT_LT(checkpoint()->book.epoch, events.back().epoch);
  free_lease();
  const auto before = events.size();

  const auto three = start("three");
  ASSERT_TRUE(until_ups(3));
  EXPECT_THAT(findings(before), IsEmpty());
}

TEST_F(TenantOwnerTest, GoesOnFromTheEventsAlone) {
  pbx.has(a_call("k1", "201", "202"));
  auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  one.reset();
  free_lease();
  EXPECT_FALSE(checkpoint());
  const auto before = events.size();
  const auto two = start("two");
  ASSERT_TRUE(until_ups(2));
  EXPECT_THAT(findings(before), IsEmpty());
}

TEST_F(TenantOwnerTest, GoesOnWithACheckpointThatCannotBeRead) {
  ASSERT_TRUE(await(checkpoints.put("acme", "\xff")));
  const auto one = start("one");
  EXPECT_TRUE(until_ups(1));
}

TEST_F(TenantOwnerTest, GoesOnWithACheckpointBeyondTheStream) {
  wire::Checkpoint beyond;
  beyond.book.epoch = 1;
  beyond.book.sequence = 9;
  beyond.stream_sequence = 1'000;
  ASSERT_TRUE(await(checkpoints.put("acme", wire::encode(acme.id, beyond).at(0))));
  const auto one = start("one");
  EXPECT_TRUE(until_ups(1));
}

TEST_F(TenantOwnerTest, EndsWhenItsLeaseIsTaken) {
  config.lease.ttl = 6s;
  pbx.has(a_call("k1", "201", "202"));
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  const auto published = events.size();
  ASSERT_TRUE(await(leases.put("tenant.acme", "other/x")));
  ASSERT_TRUE(until_ended(*one));
  catch_up();
  EXPECT_EQ(events.size(), published);  // not even that its link has ended
  EXPECT_EQ(value(leases, "tenant.acme"), "other/x");
  EXPECT_FALSE(checkpoint());
  EXPECT_EQ(one->metrics().lease_lost.value(), 1);
  EXPECT_EQ(one->metrics().lease_held.value(), 0);
}

}  // namespace
}  // namespace connector
