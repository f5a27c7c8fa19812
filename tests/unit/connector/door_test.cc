#include "connector/door.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>

#include "net/certificate.h"
#include "net/http_client.h"
#include "support/patience.h"
#include "telemetry/log.h"
#include "unit/connector/dialling_pbx.h"
#include "unit/net/certificates.h"

namespace connector {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;
using namespace std::chrono_literals;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// A door with two tenants behind it, whose shard, lobby and PBXs are on the test's thread. Whoever
// is led into the lobby is taken, unless a test says otherwise.
struct DoorTest : testing::Test {
  telemetry::Metrics all_metrics;
  Metrics metrics{all_metrics};
  telemetry::Heartbeats heartbeats;
  asio::io_context io{1};
  InboundConfig config;
  Lobby lobby{io.get_executor()};
  std::vector<Arrived> taken;
  std::vector<std::set<std::string>> waiting;  // as the lobby told it
  std::unique_ptr<Door> door;
  DiallingPbx pbx, other{.path = "/bolt"};

  DoorTest() {
    telemetry::log::set_level(telemetry::log::Level::error);
    config.address = "127.0.0.1";
    config.plain = true;
    lobby.on_change([this](const base::TenantId& tenant, std::set<std::string> pbxs) {
      EXPECT_EQ(tenant.str(), "acme");
      waiting.push_back(std::move(pbxs));
    });
    for (const char* tenant : {"acme", "bolt"}) serve(tenant);
  }

  void serve(const std::string& tenant) {
    lobby.serve(base::TenantId(tenant), [this](Arrived& it) {
      taken.push_back(std::move(it));
      return true;
    });
  }
  Door::Routes routes(const std::vector<std::string>& names) {
    Door::Routes routes;
    for (const auto& it : names) {
      const auto tenant = std::make_shared<TenantConfig>(dialling_tenant(it, "/" + it));
      routes[tenant->path] = {tenant, io.get_executor(), &lobby};
    }
    return routes;
  }
  void open() {
    door = std::make_unique<Door>(config, metrics, heartbeats, routes({"acme", "bolt"}));
  }

  // What comes of it, once it has ended.
  template <class T>
  T await(asio::awaitable<T> pending) {
    std::optional<T> result;
    await(keep(std::move(pending), result));
    return std::move(result.value());
  }
  void await(asio::awaitable<void> pending) {
    bool ended = false;
    asio::co_spawn(io, std::move(pending), [&](std::exception_ptr thrown) {
      EXPECT_EQ(thrown, nullptr);
      ended = true;
    });
    if (!run_until([&] { return ended; })) throw std::runtime_error("never ended");
  }
  template <class T>
  static asio::awaitable<void> keep(asio::awaitable<T> pending, std::optional<T>& result) {
    result.emplace(co_await std::move(pending));
  }
  bool until_taken(std::size_t count) {
    return run_until([&] { return taken.size() == count; });
  }
  // One that has said all it has to.
  net::WebSocket log_in(DiallingPbx& it) {
    auto socket = await(it.dial(door->port()));
    EXPECT_TRUE(socket) << socket.error().message();
    EXPECT_FALSE(await(it.log_in(*socket)));
    return std::move(*socket);
  }
  template <class Done>
  bool run_until(Done done) {
    const auto end = std::chrono::steady_clock::now() + support::kPatience;
    while (!done()) {
      if (std::chrono::steady_clock::now() >= end) return false;
      io.restart();
      io.run_one_for(50ms);
    }
    return true;
  }
  double outcome(const char* name) const { return metrics.inbound_outcomes.at({name}).value(); }
  // Connections are let go of on several threads.
  void expect_outcome(const char* name, double count) {
    EXPECT_TRUE(run_until([&] { return outcome(name) == count; })) << name << outcome(name);
  }
  void expect_nobody_there() {
    EXPECT_TRUE(run_until([&] { return metrics.inbound_connections.value() == 0; }));
    EXPECT_EQ(metrics.inbound_pending.value(), 0);
    EXPECT_EQ(metrics.inbound_waiting.value(), 0);
  }
};

TEST_F(DoorTest, LeadsAPbxThatProvesWhoseItIsToItsTenantsOwner) {
  open();
  auto socket = log_in(pbx);
  EXPECT_TRUE(until_taken(1));
  EXPECT_EQ(taken[0].arrival.pbx, "master");
  EXPECT_EQ(taken[0].digest, "acme 1");
  EXPECT_FALSE(await(taken[0].socket.write("hello")));
  const auto heard = await(hear(socket));
  EXPECT_EQ(heard, "hello");
  EXPECT_EQ(metrics.inbound_connections.value(), 1);
  EXPECT_EQ(metrics.inbound_pending.value(), 0);
  EXPECT_EQ(outcome("admitted"), 1);
  taken.clear();
  expect_nobody_there();
}

TEST_F(DoorTest, KnowsTenantsByTheirPathWithOrWithoutASlashAndQuery) {
  pbx.path = "/acme/";
  other.path = "/bolt?x=y";
  open();
  for (DiallingPbx* it : {&pbx, &other}) {
    auto socket = await(it->dial(door->port()));
    EXPECT_FALSE(await(it->log_in(*socket)));
    EXPECT_TRUE(run_until([&] { return outcome("admitted") == static_cast<int>(taken.size()); }));
  }
  EXPECT_TRUE(until_taken(2));
  EXPECT_EQ(taken[1].digest, "bolt 1");
}

TEST_F(DoorTest, TurnsAwayWhoDoesNotKnowThePassword) {
  pbx.password = "guess";
  open();
  auto socket = log_in(pbx);
  const auto answer = await(hear(socket));
  EXPECT_EQ(answer, "refused");
  const auto end = await(hear(socket));
  EXPECT_EQ(end, "closed 1008 login refused");
  EXPECT_THAT(taken, IsEmpty());
  expect_outcome("turned_away", 1);
  expect_nobody_there();
}

TEST_F(DoorTest, ChallengesEachConnectionAnew) {
  open();
  auto first = log_in(pbx);
  const std::string replayed = pbx.login(), challenge = pbx.challenge;
  auto second = await(pbx.dial(door->port()));
  EXPECT_FALSE(await(second->write("challenge")));
  const auto fresh = await(hear(*second));
  EXPECT_NE(fresh, challenge);
  EXPECT_FALSE(await(second->write(replayed)));
  const auto answer = await(hear(*second));
  EXPECT_EQ(answer, "refused");
  expect_outcome("turned_away", 1);
  EXPECT_THAT(taken, SizeIs(1));
}

TEST_F(DoorTest, HangsUpOnWhoDoesNotLogInInTime) {
  config.login_limit = 100ms;
  open();
  auto socket = await(pbx.dial(door->port()));
  EXPECT_FALSE(await(socket->write("challenge")));
  const auto challenge = await(hear(*socket));
  EXPECT_THAT(challenge, SizeIs(16));
  const auto end = await(hear(*socket));
  EXPECT_EQ(end, "closed 1008 no login in time");
  expect_outcome("login_late", 1);
  expect_nobody_there();
}

TEST_F(DoorTest, HangsUpOnWhoDoesNotEvenAsk) {
  config.login_limit = 100ms;
  open();
  tcp::socket socket(io);
  socket.connect({asio::ip::address_v4::loopback(), door->port()});
  std::string heard;
  const auto [error, size] = await(asio::async_read(socket, asio::dynamic_buffer(heard), kTuple));
  EXPECT_EQ(error, asio::error::connection_reset);
  EXPECT_EQ(heard, "");
  expect_outcome("gone", 1);
  expect_nobody_there();
}

TEST_F(DoorTest, CountsWhoHangsUpDuringTheLogin) {
  open();
  auto socket = await(pbx.dial(door->port()));
  await(socket->close());
  expect_outcome("hung_up", 1);
  expect_nobody_there();
}

TEST_F(DoorTest, HasNoPatienceWithStrangersThatTalkTooMuch) {
  open();
  auto chatty = await(pbx.dial(door->port()));
  std::string last;
  for (int i = 0; i < 100 && !last.starts_with("closed"); ++i) {
    await(chatty->write("challenge"));
    last = await(hear(*chatty));
  }
  EXPECT_EQ(last, "closed 1008 login refused");

  auto long_winded = await(pbx.dial(door->port()));
  const std::string much(100'000, 'x');
  await(long_winded->write(much));
  last = await(hear(*long_winded));
  EXPECT_THAT(last, testing::AnyOf(StartsWith("closed 1009"), "link_lost", "link_closed"));
  expect_outcome("turned_away", 1);
  expect_outcome("hung_up", 1);
}

TEST_F(DoorTest, AnswersWhatIsNoWebSocketOfATenants) {
  open();
  pbx.path = "/nobody";
  const auto socket = await(pbx.dial(door->port()));
  EXPECT_EQ(socket.error(), Errc::upgrade_refused);
  for (const auto& [target, status] : {std::pair("/nobody", 404u), std::pair("/acme", 426u)}) {
    net::HttpClient client(io.get_executor(), {}, nullptr);  // a connection for each
    net::Endpoint where;
    where.host = "127.0.0.1";
    where.port = std::to_string(door->port());
    where.target = target;
    auto asking = client.send("GET", std::move(where), "", 5s);
    const auto reply = await(std::move(asking));
    EXPECT_TRUE(reply);
    EXPECT_EQ(reply ? reply->status : 0u, status);
  }
  expect_outcome("unknown_path", 2);
  expect_outcome("not_websocket", 1);
}

TEST_F(DoorTest, KeepsNoConnectionOfWhoIsNoPbx) {
  open();
  tcp::socket socket(io);
  socket.connect({asio::ip::address_v4::loopback(), door->port()});
  const std::string twice =
      "GET /nobody HTTP/1.1\r\nHost: x\r\n\r\nGET /acme HTTP/1.1\r\nHost: x\r\n\r\n";
  asio::write(socket, asio::buffer(twice));
  std::string heard;
  const auto [error, size] = await(asio::async_read(socket, asio::dynamic_buffer(heard), kTuple));
  EXPECT_EQ(error, asio::error::eof);
  EXPECT_THAT(heard, StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(heard, HasSubstr("Connection: close"));
  EXPECT_THAT(heard, Not(HasSubstr("426")));
  socket.close();
  expect_outcome("unknown_path", 1);
  expect_nobody_there();
}

TEST_F(DoorTest, LetsNoAddressHaveMoreThanItsShareBeforeTheLogin) {
  config.per_address_max = 2;
  open();
  auto first = await(pbx.dial(door->port()));
  auto second = await(pbx.dial(door->port()));
  EXPECT_TRUE(first && second);
  auto third = await(pbx.dial(door->port()));
  EXPECT_FALSE(third);
  EXPECT_EQ(outcome("too_many_of_address"), 1);
  // Who has logged in does not count any more.
  EXPECT_FALSE(await(pbx.log_in(*first)));
  EXPECT_TRUE(until_taken(1));
  third = await(pbx.dial(door->port()));
  EXPECT_TRUE(third);
  EXPECT_FALSE(await(pbx.log_in(*third)));
  EXPECT_TRUE(until_taken(2));
  taken.clear();
  expect_nobody_there();
}

TEST_F(DoorTest, HasAnEndOfRoom) {
  config.connections_max = 1;
  open();
  auto first = log_in(pbx);
  EXPECT_TRUE(until_taken(1));
  auto second = await(pbx.dial(door->port()));
  EXPECT_FALSE(second);
  EXPECT_EQ(outcome("too_many"), 1);
  taken.clear();
  expect_nobody_there();
  second = await(pbx.dial(door->port()));
  EXPECT_TRUE(second);
}

TEST_F(DoorTest, ManyStrangersDoNotKeepAnotherTenantOut) {
  config.login_limit = 60s;
  open();
  std::vector<net::WebSocket> strangers;
  for (int i = 0; i < 99; ++i) {
    auto socket = await(pbx.dial(door->port()));
    EXPECT_TRUE(socket);
    strangers.push_back(std::move(*socket));
  }
  auto socket = log_in(other);
  EXPECT_TRUE(until_taken(1));
  EXPECT_EQ(taken[0].digest, "bolt 1");
}

TEST_F(DoorTest, SendsAwayWhoseTenantFindsNoOwnerHere) {
  config.handover_limit = 50ms;
  lobby.leave(base::TenantId("acme"));
  open();
  auto socket = log_in(pbx);
  const auto end = await(hear(socket));
  EXPECT_EQ(end, "closed 1013 try again later");
  expect_outcome("no_owner", 1);
  EXPECT_THAT(waiting, ElementsAre(std::set<std::string>{"master"}, std::set<std::string>{}));
  expect_nobody_there();
}

TEST_F(DoorTest, NoticesWhoHangsUpWhileWaiting) {
  lobby.leave(base::TenantId("acme"));
  open();
  auto lost = log_in(pbx);
  EXPECT_TRUE(run_until([&] { return waiting.size() == 1; }));
  lost.drop();
  EXPECT_TRUE(run_until([&] { return waiting.size() == 2; }));
  expect_outcome("hung_up", 1);
  {
    const auto gone = log_in(pbx);  // its destructor ends the TCP connection
    EXPECT_TRUE(run_until([&] { return waiting.size() == 3; }));
  }
  expect_outcome("hung_up", 2);
  EXPECT_THAT(waiting, ElementsAre(std::set<std::string>{"master"}, std::set<std::string>{},
                                   std::set<std::string>{"master"}, std::set<std::string>{}));
  expect_nobody_there();
}

TEST_F(DoorTest, OffersNobodyWhoHasHungUp) {
  lobby.leave(base::TenantId("acme"));
  open();
  auto lost = log_in(pbx);
  EXPECT_TRUE(run_until([&] { return waiting.size() == 1; }));
  lost.drop();
  serve("acme");  // before anybody has looked
  EXPECT_THAT(taken, IsEmpty());
  expect_outcome("hung_up", 1);
}

TEST_F(DoorTest, LetsPbxsWaitForAnOwnerInTheirOrder) {
  lobby.leave(base::TenantId("acme"));
  open();
  auto first = log_in(pbx);
  EXPECT_TRUE(run_until([&] { return waiting.size() == 1; }));
  pbx.name = "slave";
  auto second = log_in(pbx);
  EXPECT_TRUE(run_until([&] { return waiting.size() == 2; }));
  EXPECT_EQ(metrics.inbound_waiting.value(), 2);
  // One that cannot take them yet, and one that can.
  lobby.serve(base::TenantId("acme"), [](Arrived&) { return false; });
  EXPECT_THAT(taken, IsEmpty());
  serve("acme");
  EXPECT_THAT(taken, SizeIs(2));
  EXPECT_EQ(taken[0].arrival.pbx + taken[1].arrival.pbx, "masterslave");
  EXPECT_EQ(waiting.back(), std::set<std::string>{});
  expect_outcome("admitted", 2);
}

TEST_F(DoorTest, SendsAwayWhoWaitsWhenTheConnectorDrains) {
  lobby.leave(base::TenantId("acme"));
  open();
  auto socket = await(pbx.dial(door->port()));
  auto late = await(pbx.dial(door->port()));
  EXPECT_FALSE(await(pbx.log_in(*socket)));
  EXPECT_TRUE(run_until([&] { return waiting.size() == 1; }));
  door->close();
  lobby.close();
  auto end = await(hear(*socket));
  EXPECT_EQ(end, "closed 1001 try again later");
  EXPECT_FALSE(await(pbx.log_in(*late)));
  end = await(hear(*late));
  EXPECT_EQ(end, "closed 1001 try again later");
  const auto refused = await(pbx.dial(door->port()));
  EXPECT_EQ(refused.error(), Errc::connect_failed);
  expect_outcome("shutting_down", 2);
}

TEST_F(DoorTest, FollowsTheConfiguration) {
  open();
  auto before = await(pbx.dial(door->port()));
  door->set_routes(routes({"bolt"}));
  auto after = await(pbx.dial(door->port()));
  EXPECT_EQ(after.error(), Errc::upgrade_refused);
  // Who began before has still to do with what there was.
  EXPECT_FALSE(await(pbx.log_in(*before)));
  door->set_routes(routes({"acme"}));
  after = await(pbx.dial(door->port()));
  EXPECT_TRUE(after);
}

TEST_F(DoorTest, SpeaksTlsWithItsCertificate) {
  net::testing::Authority authority("Test Authority");
  const auto certificate = authority.issue({});
  config.plain = false;
  config.certificate_file = certificate.certificate_file;
  config.key_file = certificate.key_file;
  net::TlsOptions trust;
  trust.ca_file = authority.ca_file();
  std::string why;
  const auto tls = net::TlsContext::make(trust, net::TlsContext::Role::client, why);
  ASSERT_TRUE(tls) << why;
  open();
  net::Endpoint where{"127.0.0.1", std::to_string(door->port()), "/acme", true, {}};
  auto connecting = net::WebSocket::connect(std::move(where), {}, *tls, &why);
  auto socket = await(std::move(connecting));
  EXPECT_TRUE(socket) << why;
  EXPECT_FALSE(await(pbx.log_in(*socket)));
  EXPECT_TRUE(until_taken(1));
  expect_outcome("admitted", 1);

  const auto expiry = [this] { return metrics.certificate_expiry.at({"inbound"}).value(); };
  const auto expires_of = [](const std::string& file) {
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    const auto facts = net::read_certificate(text.str());
    return std::chrono::duration<double>(facts.value().expires.time_since_epoch()).count();
  };
  EXPECT_EQ(expiry(), expires_of(config.certificate_file));

  // Renewed, by another authority; then overwritten with what is none.
  net::testing::Authority next("Next Authority");
  const auto renewed = next.issue({.valid_to_days = 90});
  const auto replace = [](const std::string& file, const std::string& by) {
    std::filesystem::copy_file(by, file, std::filesystem::copy_options::overwrite_existing);
  };
  replace(config.certificate_file, renewed.certificate_file);
  replace(config.key_file, renewed.key_file);
  door->renew_certificate();
  std::ofstream(config.key_file) << "nonsense";
  door->renew_certificate();
  EXPECT_EQ(expiry(), expires_of(renewed.certificate_file));
  const auto reloads = [this](const char* outcome) {
    return metrics.certificate_reloads.at({"inbound", outcome}).value();
  };
  EXPECT_EQ(reloads("taken"), 1);
  EXPECT_EQ(reloads("refused"), 1);
  trust.ca_file = next.ca_file();
  const auto trusting = net::TlsContext::make(trust, net::TlsContext::Role::client, why);
  where = {"127.0.0.1", std::to_string(door->port()), "/acme", true, {}};
  socket = await(net::WebSocket::connect(where, {}, *trusting, &why));
  EXPECT_TRUE(socket) << why;
}

TEST_F(DoorTest, DoesNotOpenWhereSomebodyElseListens) {
  open();
  config.port = door->port();
  EXPECT_THROW(Door(config, metrics, heartbeats, {}), std::runtime_error);
}

TEST_F(DoorTest, DoesNotOpenWithACertificateThatIsNone) {
  config.plain = false;
  config.certificate_file = config.key_file = "/dev/null";
  EXPECT_THROW(open(), std::runtime_error);
}

}  // namespace
}  // namespace connector
