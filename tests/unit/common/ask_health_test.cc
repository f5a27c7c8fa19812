#include "common/ask_health.h"

#include <sstream>

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "telemetry/admin_server.h"

namespace common {
namespace {

using telemetry::Probe;
using testing::HasSubstr;
using testing::StartsWith;

struct AskHealth : testing::Test {
  telemetry::Metrics metrics;
  telemetry::Health health;
  std::ostringstream said;

  int ask(const telemetry::AdminServer& server, const std::string& probe,
          const std::string& address = "127.0.0.1") {
    return ask_health(address, server.port(), probe, said);
  }
};

TEST_F(AskHealth, IsZeroWhenAllIsWell) {
  const telemetry::AdminServer server({}, metrics, health);
  EXPECT_EQ(ask(server, "readyz"), 0);
  EXPECT_EQ(said.str(), "readyz: {\"status\":\"ok\",\"checks\":[]}\n");
}

TEST_F(AskHealth, IsOneAndSaysWhyWhenTheServiceSaysNo) {
  health.add(Probe::readiness, "nats", [] { return "no connection to NATS"; });
  const telemetry::AdminServer server({}, metrics, health);
  EXPECT_EQ(ask(server, "readyz"), 1);
  EXPECT_THAT(said.str(), HasSubstr("no connection to NATS"));
}

TEST_F(AskHealth, AsksTheProbeThatIsNamed) {
  health.add(Probe::readiness, "nats", [] { return "no connection to NATS"; });
  const telemetry::AdminServer server({}, metrics, health);
  EXPECT_EQ(ask(server, "livez"), 0);
  EXPECT_EQ(ask(server, "startupz"), 0);
  EXPECT_EQ(ask(server, "nothing"), 1);
}

TEST_F(AskHealth, FindsAServiceThatListensEverywhere) {
  const telemetry::AdminServer server({.address = "0.0.0.0", .port = 0}, metrics, health);
  EXPECT_EQ(ask(server, "livez", "0.0.0.0"), 0);
}

TEST_F(AskHealth, IsOneWhenNobodyListens) {
  std::uint16_t port = 0;
  {
    const telemetry::AdminServer gone({}, metrics, health);
    port = gone.port();
  }
  EXPECT_EQ(ask_health("127.0.0.1", port, "livez", said), 1);
  EXPECT_THAT(said.str(), StartsWith("livez: no answer from 127.0.0.1:" + std::to_string(port)));
}

// A process that hangs still has its port: the kernel takes the connection, and nobody speaks.
TEST_F(AskHealth, IsOneWhenTheServiceDoesNotSpeak) {
  const int silent = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  ASSERT_EQ(::bind(silent, reinterpret_cast<sockaddr*>(&where), size), 0);
  ASSERT_EQ(::listen(silent, 1), 0);
  ASSERT_EQ(::getsockname(silent, reinterpret_cast<sockaddr*>(&where), &size), 0);
  EXPECT_EQ(ask_health("127.0.0.1", ntohs(where.sin_port), "livez", said), 1);
  EXPECT_THAT(said.str(), HasSubstr("no answer"));
  ::close(silent);
}

TEST_F(AskHealth, CannotAskAtAnyFreePort) {
  EXPECT_EQ(ask_health("127.0.0.1", 0, "livez", said), 1);
  EXPECT_THAT(said.str(), HasSubstr("any free one"));
}

}  // namespace
}  // namespace common
