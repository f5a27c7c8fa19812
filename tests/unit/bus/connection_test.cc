#include "bus/connection.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "bus/jetstream.h"
#include "bus/kv.h"
#include "bus/publisher.h"
#include "bus/requests.h"
#include "support/fault_proxy.h"
#include "unit/bus/bus_fixture.h"

namespace bus {
namespace {

using base::Errc;

struct ConnectionTest : BusFixture {
  using BusFixture::BusFixture;
  std::vector<std::pair<ConnectionEvent, std::string>> events;

  std::size_t count(ConnectionEvent event) const {
    return static_cast<std::size_t>(std::count_if(
        events.begin(), events.end(), [&](const auto& it) { return it.first == event; }));
  }
  void record(Connection& connection) {
    connection.listen(
        [this](ConnectionEvent event, const std::string& why) { events.emplace_back(event, why); });
  }
  // Whether a request over `connection` is answered by a service on `server_side`.
  bool answers(const std::shared_ptr<Connection>& connection) {
    const auto echo = serve(connection, "echo", io.get_executor(), [](const Request& request) {
      request.respond(std::string(request.payload()));
    });
    EXPECT_TRUE(echo);
    Requests requests(connection);
    auto pending = requests.request("echo", "hello", Duration(5'000));
    const auto reply = await(std::move(pending));
    return reply && *reply == "hello";
  }
};

TEST_F(ConnectionTest, ReconnectsAsOftenAsTheServerComesBack) {
  const auto connection = connect();
  record(*connection);
  EXPECT_TRUE(connection->connected());
  EXPECT_TRUE(answers(connection));
  for (std::size_t round = 1; round <= 6; ++round) {
    round % 2 == 0 ? server.kill() : server.stop();
    ASSERT_TRUE(run_until([&] { return count(ConnectionEvent::disconnected) == round; }));
    EXPECT_FALSE(connection->connected());
    server.start();
    ASSERT_TRUE(run_until([&] { return count(ConnectionEvent::connected) == round; }));
    EXPECT_TRUE(connection->connected());
    EXPECT_TRUE(answers(connection)) << "after restart " << round;
  }
  EXPECT_THAT(events, testing::Contains(testing::Pair(ConnectionEvent::connected, server.url())));
  EXPECT_EQ(connection->statistics().connects, 7u);
  EXPECT_EQ(connection->statistics().disconnects, 6u);
}

TEST_F(ConnectionTest, ConnectsWhenTheServerStartsLater) {
  server.stop();
  const auto connection = open(options_for(server.url()));
  record(*connection);
  ASSERT_TRUE(run_until([&] { return count(ConnectionEvent::failed) >= 3; }));
  EXPECT_FALSE(connection->connected());
  server.start();
  ASSERT_TRUE(run_until([&] { return count(ConnectionEvent::connected) == 1; }));
  EXPECT_TRUE(answers(connection));
}

TEST_F(ConnectionTest, GivesUpAServerThatHangs) {
  Options options = options_for(server.url());
  options.ping_interval = Duration(50);
  const auto connection = connect(options);
  record(*connection);
  server.suspend();
  ASSERT_TRUE(run_until([&] { return count(ConnectionEvent::disconnected) > 0; }));
  server.resume();
  ASSERT_TRUE(run_until([&] { return connection->connected(); }));
  EXPECT_TRUE(answers(connection));
}

TEST_F(ConnectionTest, StaysWhileAnIdleServerAnswersPings) {
  Options options = options_for(server.url());
  options.ping_interval = Duration(100);  // a busy machine misses none
  const auto connection = connect(options);
  record(*connection);
  // The server counts what it receives from us: pings only.
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
  run_until([&] { return std::chrono::steady_clock::now() >= end; });
  EXPECT_EQ(count(ConnectionEvent::disconnected), 0u);
}

TEST_F(ConnectionTest, SurvivesResetsInTheMiddleOfTraffic) {
  support::FaultProxy proxy(server.port());
  const auto connection = connect(options_for("nats://127.0.0.1:" + std::to_string(proxy.port())));
  record(*connection);
  for (std::size_t round = 1; round <= 20; ++round) {
    const auto echo = serve(connection, "echo", io.get_executor(), [](const Request& request) {
      request.respond(std::string(request.payload()));
    });
    Requests requests(connection);
    std::size_t done = 0;
    for (int i = 0; i < 50; ++i) {
      requests.request({"echo", std::string(20'000, 'x'), {}}, Duration(100),
                       [&](const auto&) { ++done; });
    }
    if (round % 2 == 0) run_until([&] { return done > 0; });
    proxy.reset();
    ASSERT_TRUE(run_until([&] { return done == 50; }));
    ASSERT_TRUE(run_until([&] { return connection->connected(); }));
  }
  // The last reset may not have been noticed yet.
  EXPECT_TRUE(run_until([&] { return answers(connection); }));
}

TEST_F(ConnectionTest, WritesLargeAmountsToAServerThatReadsSlowly) {
  support::FaultProxy proxy(server.port());
  const auto connection = connect(options_for("nats://127.0.0.1:" + std::to_string(proxy.port())));
  std::size_t bytes = 0;
  const auto sink = serve(connection, "sink", io.get_executor(),
                          [&](const Request& request) { bytes += request.payload().size(); });
  proxy.set_flow_to_target(support::FaultProxy::Flow::pause);
  const std::string block(500'000, 'x');
  for (int i = 0; i < 40; ++i) {
    natsConnection_Publish(connection->handle(), "sink", block.data(),
                           static_cast<int>(block.size()));
  }
  io.poll();
  proxy.set_flow_to_target(support::FaultProxy::Flow::pass);
  EXPECT_TRUE(run_until([&] { return bytes == 40 * block.size(); }));
}

TEST_F(ConnectionTest, FlushesBeforeItCloses) {
  const auto listening = connect();
  std::size_t heard = 0;
  const auto sink = serve(listening, "sink", io.get_executor(), [&](const Request&) { ++heard; });
  const auto connection = connect();
  record(*connection);
  ASSERT_TRUE(answers(listening));  // so the server knows of the subscription
  for (int i = 0; i < 1'000; ++i) {
    natsConnection_PublishString(connection->handle(), "sink", "hello");
  }
  await(connection->close(Duration(5'000)));
  EXPECT_FALSE(connection->connected());
  ASSERT_TRUE(run_until([&] { return heard == 1'000; }));
  EXPECT_TRUE(run_until([&] { return count(ConnectionEvent::closed) == 1; }));
}

TEST_F(ConnectionTest, RefusesOptionsThatCannotBeUsed) {
  Options options = options_for(server.url());
  options.tls = Tls{.ca_file = "/nowhere/ca.pem", .certificate_file = {}, .key_file = {}};
  std::string why;
  const auto opened = Connection::open(io.get_executor(), options, why);
  EXPECT_EQ(opened.error(), Errc::invalid_argument);
  EXPECT_NE(why.find("/nowhere/ca.pem"), std::string::npos) << why;
}

struct AuthorizedConnectionTest : ConnectionTest {
  AuthorizedConnectionTest()
      : ConnectionTest({.config = "authorization { user: gateway, password: s3cret }"}) {}
};

TEST_F(AuthorizedConnectionTest, LogsInWithUserAndPassword) {
  Options options = options_for(server.url());
  options.user = "gateway";
  options.password = "s3cret";
  const auto connection = connect(options);
  EXPECT_TRUE(connection->connected());
  EXPECT_TRUE(answers(connection));
}

TEST_F(AuthorizedConnectionTest, SaysSoWhenTheCredentialsAreRefused) {
  Options options = options_for(server.url());
  options.user = "gateway";
  options.password = "guess";
  std::string why;
  const auto opened = Connection::open(io.get_executor(), options, why);
  EXPECT_EQ(opened.error(), Errc::permission_denied);
  EXPECT_NE(why.find("Authorization Violation"), std::string::npos) << why;
}

TEST_F(AuthorizedConnectionTest, GoesOnTryingWhenTheCredentialsAreRevoked) {
  Options options = options_for(server.url());
  options.user = "gateway";
  options.password = "s3cret";
  const auto connection = connect(options);
  record(*connection);
  server.stop();
  server.set_config("authorization { user: gateway, password: changed }");
  server.start();
  const auto refusals = [&] {
    return std::count_if(events.begin(), events.end(), [](const auto& it) {
      return it.first == ConnectionEvent::failed &&
             it.second.find("Authorization Violation") != std::string::npos;
    });
  };
  ASSERT_TRUE(run_until([&] { return refusals() >= 3; }));
  server.stop();
  server.set_config("authorization { user: gateway, password: s3cret }");
  server.start();
  ASSERT_TRUE(run_until([&] { return connection->connected(); }));
  EXPECT_TRUE(answers(connection));
}

// A user who may have replies below a prefix of his own, and no others.
struct PrefixTest : ConnectionTest {
  PrefixTest()
      : ConnectionTest({.config = R"(authorization { users: [ { user: mine, password: s3cret,
          permissions: { publish: ">", subscribe: ["_INBOX_mine.>", "echo"] } } ] })"}) {}
  Options options() const {
    Options options = options_for(server.url());
    options.user = "mine";
    options.password = "s3cret";
    options.ping_interval = Duration(50);
    return options;
  }
};

TEST_F(PrefixTest, EveryReplyComesBelowTheInboxPrefix) {
  Options options = this->options();
  options.inbox_prefix = "_INBOX_mine";
  const auto connection = connect(options);
  record(*connection);
  EXPECT_EQ(connection->new_inbox().substr(0, 12), "_INBOX_mine.");
  EXPECT_TRUE(answers(connection));
  // Through cnats' own requests, and by reading a stream.
  JetStream jetstream(connection);
  std::string why;
  StreamConfig config;
  config.name = "PREFIXED";
  config.subjects = {"prefixed.>"};
  EXPECT_TRUE(await(jetstream.ensure_stream(config, why))) << why;
  const auto requests = std::make_shared<Requests>(connection);
  KvBucket bucket(requests, "prefixed");
  BucketConfig bucket_config;
  bucket_config.name = "prefixed";
  EXPECT_TRUE(await(bucket.ensure(bucket_config, why))) << why;
  EXPECT_TRUE(await(bucket.put("key", "value")));
  const auto keys = await(bucket.keys());
  EXPECT_TRUE(keys && keys->size() == 1);
  {
    PublisherOptions publishing;
    publishing.stream = "PREFIXED";
    Publisher publisher(connection, publishing);
    std::size_t stored = 0;
    Lane::Handlers handlers;
    handlers.on_ack = [&](const Message&, Ack) { ++stored; };
    const auto lane = publisher.open_lane(std::move(handlers));
    Message message;
    message.subject = "prefixed.a";
    message.id = "1";
    EXPECT_TRUE(lane->offer(std::move(message)));
    EXPECT_TRUE(run_until([&] { return stored == 1; }));
  }
  // Its signs of life, too.
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
  run_until([&] { return std::chrono::steady_clock::now() >= end; });
  EXPECT_TRUE(connection->connected());
  EXPECT_EQ(connection->statistics().violations, 0u);
}

TEST_F(PrefixTest, WhatTheServerDoesNotPermitIsToldAndCounted) {
  const auto connection = connect(options());
  record(*connection);
  const Requests requests(connection);  // subscribes below _INBOX
  ASSERT_TRUE(run_until([&] { return connection->statistics().violations > 0; }));
  EXPECT_THAT(events, testing::Contains(testing::Pair(ConnectionEvent::not_permitted,
                                                      testing::HasSubstr("_INBOX."))));
  EXPECT_EQ(count(ConnectionEvent::failed), 0u);
}

// Makes a certificate authority and a server certificate for 127.0.0.1 with the openssl program.
struct TlsConnectionTest : ConnectionTest {
  TlsConnectionTest() : ConnectionTest({.start = false}) {
    const std::string at = server.folder();
    const std::string script =
        "cd " + at +
        " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
        " -subj /CN=ca -keyout ca.key -out ca.pem 2>/dev/null"
        " && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server"
        " -keyout key.pem -out request.pem 2>/dev/null"
        " && printf 'subjectAltName=IP:127.0.0.1' > extensions"
        " && openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
        " -extfile extensions -out cert.pem 2>/dev/null";
    EXPECT_EQ(std::system(script.c_str()), 0);
    server.set_config("tls { cert_file: \"" + at + "/cert.pem\", key_file: \"" + at +
                      "/key.pem\" }");
    server.start();
  }
};

TEST_F(TlsConnectionTest, TrustsTheGivenAuthorityOverRestarts) {
  Options options = options_for(server.url());
  options.tls = Tls{.ca_file = server.folder() / "ca.pem", .certificate_file = {}, .key_file = {}};
  const auto connection = connect(options);
  record(*connection);
  EXPECT_TRUE(connection->connected());
  EXPECT_TRUE(answers(connection));
  for (std::size_t round = 1; round <= 3; ++round) {
    server.kill();
    ASSERT_TRUE(run_until([&] { return count(ConnectionEvent::disconnected) == round; }));
    server.start();
    ASSERT_TRUE(run_until([&] { return count(ConnectionEvent::connected) == round; }));
    EXPECT_TRUE(answers(connection));
  }
}

TEST_F(TlsConnectionTest, DoesNotConnectToAServerItCannotVerify) {
  Options options = options_for(server.url());
  options.tls = Tls{};
  std::string why;
  const auto connection = Connection::open(io.get_executor(), options, why);
  ASSERT_TRUE(connection);
  EXPECT_NE(why.find("unable to get local issuer certificate"), std::string::npos) << why;
  record(**connection);
  ASSERT_TRUE(run_until([&] { return count(ConnectionEvent::failed) >= 2; }));
  EXPECT_FALSE((*connection)->connected());
}

}  // namespace
}  // namespace bus
