#include <gmock/gmock.h>

#include "connector/door.h"
#include "unit/connector/dialling_pbx.h"
#include "unit/connector/owner_fixture.h"

namespace connector {
namespace {

namespace asio = boost::asio;
using base::Errc;
using call::LinkState;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

// An owner of acme, whose PBXs dial, with a door before it; NATS is real.
struct TenantOwnerInboundTest : OwnerFixture {
  telemetry::Metrics door_metrics_all;
  Metrics door_metrics{door_metrics_all};
  telemetry::Heartbeats heartbeats;
  std::mutex mutex;
  std::vector<std::set<std::string>> linked;
  std::unique_ptr<OwnerNode> node;
  std::unique_ptr<Door> door;
  DiallingPbx pbx, other{.name = "slave"};

  TenantOwnerInboundTest() {
    acme = dialling_tenant("acme", "/acme");
    acme.quick_end = 1h;
    acme.limits.close = 300ms;
  }

  // A connector, with or without the tenant.
  void open(bool with_owner = true) {
    config.instance = "one";
    node = std::make_unique<OwnerNode>(config);
    node->on_linked = [this](std::set<std::string> it) {
      const std::lock_guard lock(mutex);
      linked.push_back(std::move(it));
    };
    InboundConfig inbound;
    inbound.address = "127.0.0.1";
    inbound.plain = true;
    inbound.handover_limit = 60s;
    door = std::make_unique<Door>(inbound, door_metrics, heartbeats, routes());
    if (with_owner) node->start(tenant());
  }
  Door::Routes routes() {
    Door::Routes routes;
    node->on_shard([&](Shard& shard) {
      routes["/acme"] = {tenant(), shard.executor(), &shard.lobby};
    });
    return routes;
  }

  template <class T>
  T get(asio::awaitable<T> pending) {
    std::optional<T> result;
    await(keep(std::move(pending), result));
    return std::move(result.value());
  }
  template <class T>
  static asio::awaitable<void> keep(asio::awaitable<T> pending, std::optional<T>& result) {
    result.emplace(co_await std::move(pending));
  }

  // Has said all it has to.
  net::WebSocket dial(DiallingPbx& it) {
    auto socket = get(it.dial(door->port()));
    EXPECT_TRUE(socket);
    EXPECT_FALSE(get(it.log_in(*socket)));
    return std::move(*socket);
  }
  // Until it is welcome, and has told that it has no calls.
  net::WebSocket connect_pbx(DiallingPbx& it) {
    auto socket = dial(it);
    EXPECT_EQ(get(hear(socket)), "welcome " + it.name);
    EXPECT_FALSE(get(socket.write("synced")));
    return socket;
  }
  std::vector<LinkState> states() const {
    std::vector<LinkState> all;
    for (const auto& it : links()) all.push_back(it.state);
    return all;
  }
  bool until_state(LinkState state) {
    return run_until([&] { return !links().empty() && links().back().state == state; });
  }
};

TEST_F(TenantOwnerInboundTest, WaitsForThePbxAndIsUpOnceItHasToldAll) {
  open();
  ASSERT_TRUE(until_state(LinkState::awaiting_pbx));
  auto socket = connect_pbx(pbx);
  ASSERT_TRUE(until_ups(1));
  EXPECT_THAT(states(),
              ElementsAre(LinkState::awaiting_pbx, LinkState::synchronizing, LinkState::up));
  EXPECT_FALSE(get(socket.write("call k1")));
  EXPECT_TRUE(until_calls({"k1"}));
  EXPECT_EQ(door_metrics.inbound_outcomes.at({"admitted"}).value(), 1);
  EXPECT_EQ(node->metrics().link_attempts.at({"dialling"}).value(), 1);
}

TEST_F(TenantOwnerInboundTest, WelcomesThePbxOnlyWithTheLease) {
  open(false);
  auto socket = dial(pbx);
  ASSERT_TRUE(run_until([&] { return door_metrics.inbound_waiting.value() == 1; }));
  ASSERT_TRUE(await(leases.create("tenant.acme", "other/x")));
  node->start(tenant());
  ASSERT_TRUE(run_until([&] { return node->ended(); }));
  EXPECT_FALSE(node->held());
  EXPECT_EQ(door_metrics.inbound_waiting.value(), 1);

  free_lease();
  node->start(tenant());
  EXPECT_EQ(get(hear(socket)), "welcome master");
  EXPECT_TRUE(node->held());
  EXPECT_TRUE(run_until([&] { return door_metrics.inbound_waiting.value() == 0; }));
}

// Backing off would take an hour here, and a link that ends so soon would be suspicious.
TEST_F(TenantOwnerInboundTest, IsReadyForThePbxAgainAtOnceWhenItWasLost) {
  open();
  for (unsigned round = 1; round <= 4; ++round) {
    auto socket = connect_pbx(pbx);
    ASSERT_TRUE(until_ups(round));
    EXPECT_FALSE(get(socket.write("call k1")));
    ASSERT_TRUE(until_calls({"k1"}));
    socket.drop();
    ASSERT_TRUE(until_state(LinkState::awaiting_pbx));
    EXPECT_EQ(links().back().reason, "link_lost");
    EXPECT_FALSE(links().back().retry_at);
    EXPECT_TRUE(call_keys().contains("k1"));  // for all we know
  }
}

TEST_F(TenantOwnerInboundTest, LosesNoPbxThatComesWhileTheSessionBeforeEnds) {
  open();
  auto socket = connect_pbx(pbx);
  ASSERT_TRUE(until_ups(1));
  // The session ends by a reconfiguration, but not before this PBX has closed, which it does not.
  socket.go_silent();
  auto next = std::make_shared<TenantConfig>(acme);
  next->title = "Acme Ltd";
  next->digest = "acme 2";
  node->reconfigure(next);
  acme = *next;
  door->set_routes(routes());
  auto again = dial(pbx);
  EXPECT_EQ(get(hear(again)), "welcome master");
}

TEST_F(TenantOwnerInboundTest, AdoptsNobodyWhoWasLetInByOtherSettings) {
  open();
  ASSERT_TRUE(until_state(LinkState::awaiting_pbx));
  auto next = std::make_shared<TenantConfig>(acme);
  next->digest = "acme 2";
  acme = *next;
  door->set_routes(routes());
  auto socket = dial(pbx);
  ASSERT_TRUE(run_until([&] { return door_metrics.inbound_waiting.value() == 1; }));
  node->reconfigure(next);
  EXPECT_EQ(get(hear(socket)), "welcome master");
}

TEST_F(TenantOwnerInboundTest, HasSeveralPbxsAndReplacesTheSameOne) {
  open();
  auto master = connect_pbx(pbx);
  ASSERT_TRUE(until_ups(1));
  auto slave = dial(other);
  EXPECT_EQ(get(hear(slave)), "welcome slave");
  auto again = dial(pbx);
  EXPECT_EQ(get(hear(again)), "welcome master");
  EXPECT_EQ(get(hear(master)), "closed 1000");
  EXPECT_FALSE(get(slave.write("call k1")));
  ASSERT_TRUE(until_calls({"k1"}));
  slave.drop();
  EXPECT_FALSE(get(again.write("call k2")));
  ASSERT_TRUE(until_calls({"k1", "k2"}));
  ASSERT_TRUE(run_until([&] {
    const std::lock_guard lock(mutex);
    return !linked.empty() && linked.back() == std::set<std::string>{"master"};
  }));
  EXPECT_EQ(states().back(), LinkState::up);
}

TEST_F(TenantOwnerInboundTest, TellsThePbxToComeAgainWhenItLetsGo) {
  open();
  auto socket = connect_pbx(pbx);
  ASSERT_TRUE(until_ups(1));
  node->stop(Errc::lease_lost);
  EXPECT_EQ(get(hear(socket)), "closed 1001");
  ASSERT_TRUE(run_until([&] { return node->ended(); }));
  catch_up();
  EXPECT_EQ(links().back().reason, "lease_lost");
  // Whoever comes now waits for the next owner.
  auto next = dial(pbx);
  ASSERT_TRUE(run_until([&] { return door_metrics.inbound_waiting.value() == 1; }));
  node->start(tenant());
  EXPECT_EQ(get(hear(next)), "welcome master");
}

}  // namespace
}  // namespace connector
