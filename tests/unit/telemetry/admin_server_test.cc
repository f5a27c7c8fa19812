#include "telemetry/admin_server.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "telemetry/heartbeats.h"

namespace telemetry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct AdminServerTest : testing::Test {
  Metrics metrics;
  Health health;
  AdminServer server{{}, metrics, health};

  struct Reply {
    int status = 0;
    std::string type, body;
  };
  Reply get(const std::string& path) {
    httplib::Client client("127.0.0.1", server.port());
    const auto result = client.Get(path);
    if (!result) return {};
    return {result->status, result->get_header_value("Content-Type"), result->body};
  }
  int status(const std::string& path) { return get(path).status; }
};

TEST_F(AdminServerTest, ServesMetrics) {
  metrics.counter("pbxgw_a_total", "A.").add(3);
  const auto reply = get("/metrics");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(reply.body, HasSubstr("\npbxgw_a_total 3\n"));
}

TEST_F(AdminServerTest, CountsItsProbesAmongTheMetrics) {
  std::atomic<bool> connected = false;
  health.add(Probe::readiness, "nats", [&]() -> std::optional<std::string> {
    return connected ? std::nullopt : std::optional<std::string>("not connected");
  });
  EXPECT_THAT(get("/metrics").body, HasSubstr("\npbxgw_probe_ok{probe=\"liveness\"} 1\n"
                                              "pbxgw_probe_ok{probe=\"readiness\"} 0\n"
                                              "pbxgw_probe_ok{probe=\"startup\"} 1\n"));
  connected = true;
  EXPECT_THAT(get("/metrics").body, HasSubstr("\npbxgw_probe_ok{probe=\"readiness\"} 1\n"));
}

TEST_F(AdminServerTest, HasAnIndexAndNothingElse) {
  EXPECT_THAT(get("/").body, HasSubstr("href=\"/metrics\""));
  for (auto path : {"/metricsx", "/healthz", "/livez/", "/../etc/passwd", "/metrics%00"}) {
    EXPECT_EQ(status(path), 404) << path;
  }
  httplib::Client client("127.0.0.1", server.port());
  EXPECT_EQ(client.Post("/metrics", "x", "text/plain")->status, 404);
  EXPECT_EQ(client.Post("/metrics", std::string(2'000, 'x'), "text/plain")->status, 413);
}

// A service's checks, and which probe says what in which state. What happens to a PBX, or to all of
// them, is in no row because no probe has a check for it.
TEST_F(AdminServerTest, AnswersProbesByTheStateOfTheService) {
  std::atomic<bool> started = false, connected = false, draining = false, loop_stuck = false;
  const auto unless = [](const std::atomic<bool>& well, std::string why) {
    return [&well, why]() { return well ? std::nullopt : std::optional(why); };
  };
  const auto if_so = [](const std::atomic<bool>& bad, std::string why) {
    return [&bad, why]() { return bad ? std::optional(why) : std::nullopt; };
  };
  health.add(Probe::startup, "listeners", unless(started, "not up yet"));
  health.add(Probe::liveness, "loops", if_so(loop_stuck, "io-1 has not turned for 11 s"));
  health.add(Probe::readiness, "nats", unless(connected, "not connected"));
  health.add(Probe::readiness, "drain", if_so(draining, "draining"));

  struct Row {
    bool started, connected, draining, loop_stuck;
    int startup, liveness, readiness;
  };
  for (const auto& row :
       {Row{false, false, false, false, 503, 200, 503},
        Row{true, false, false, false, 200, 200, 503}, Row{true, true, false, false, 200, 200, 200},
        Row{true, true, true, false, 200, 200, 503}, Row{true, true, false, true, 200, 503, 200},
        Row{true, false, true, true, 200, 503, 503}}) {
    started = row.started;
    connected = row.connected;
    draining = row.draining;
    loop_stuck = row.loop_stuck;
    EXPECT_EQ(status("/startupz"), row.startup);
    EXPECT_EQ(status("/livez"), row.liveness);
    EXPECT_EQ(status("/readyz"), row.readiness);
  }
  const auto reply = get("/readyz");
  EXPECT_EQ(reply.type, "application/json");
  EXPECT_EQ(reply.body,
            R"({"status":"failed","checks":[{"name":"nats","ok":false,"reason":"not connected"},)"
            R"({"name":"drain","ok":false,"reason":"draining"}]})"
            "\n");
}

TEST_F(AdminServerTest, AnswersManyAtOnce) {
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j) answered += status(j % 2 ? "/metrics" : "/livez") == 200 ? 1 : 0;
    });
  }
  const auto counter = metrics.counter("pbxgw_a_total", "A.");
  for (int i = 0; i < 10'000; ++i) counter.add();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(answered, 160);
}

// More than there are threads and places to wait: the rest waits in the kernel, and is not lost.
TEST_F(AdminServerTest, OutlastsClientsThatSayNothing) {
  std::vector<int> silent;
  for (int i = 0; i < 70; ++i) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    silent.push_back(socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(connect(silent.back(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  int answer = 0;
  std::thread client([&] { answer = status("/livez"); });
  for (int it : silent) close(it);
  client.join();
  EXPECT_EQ(answer, 200);
}

TEST_F(AdminServerTest, SaysWhyItCannotListen) {
  const auto why = [&](const AdminOptions& options) -> std::string {
    try {
      AdminServer second(options, metrics, health);
    } catch (const std::runtime_error& e) {
      return e.what();
    }
    return "it listens";
  };
  EXPECT_EQ(why({"127.0.0.1", server.port()}),
            "cannot listen on 127.0.0.1:" + std::to_string(server.port()) +
                " (admin): Address already in use");
  EXPECT_EQ(why({"192.0.2.1", 0}),
            "cannot listen on 192.0.2.1:0 (admin): Cannot assign requested address");
  EXPECT_THAT(why({"not an address", 0}), HasSubstr("cannot listen on not an address:0 (admin): "));
}

TEST(AdminServer, StopsAndLeavesItsPort) {
  Metrics metrics;
  Health health;
  std::uint16_t port = 0;
  for (int i = 0; i < 20; ++i) {
    AdminServer server({"127.0.0.1", port}, metrics, health);
    port = server.port();
    if (i % 2) {
      httplib::Client client("127.0.0.1", port);
      EXPECT_EQ(client.Get("/livez")->status, 200);
    }
  }
}

}  // namespace
}  // namespace telemetry
