#include "simulator/server.h"

#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include "client.h"
#include "support.h"

// The program's insides, over real sockets. The answers of the control face say when something has
// been done, so nothing here waits for time to pass.
namespace simulator {
namespace {

namespace json = boost::json;
using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class ServerTest : public testing::Test {
 protected:
  void start(const std::string& yaml) {
    auto document = config::Document::parse(yaml, "test.yaml", {});
    auto settings = read_settings(document.root());
    for (const auto& problem : document.finish()) FAIL() << problem.text();
    take_any_ports(settings);
    server = std::make_unique<Server>(std::move(settings));
    ready = json::parse(server->ready_line()).as_object();
    thread = std::thread([this] { server->run(); });
    http = std::make_unique<httplib::Client>("127.0.0.1", port("control"));
    http->set_keep_alive(true);
  }
  void TearDown() override {
    http.reset();
    if (!server) return;
    server->stop();
    thread.join();
  }

  std::uint16_t port(std::string_view of) const { return ready.at(of).to_number<std::uint16_t>(); }
  std::uint16_t pbx(std::string_view kind = "plain") const {
    return ready.at("innova360").at(kind).to_number<std::uint16_t>();
  }
  std::uint16_t own(std::string_view tenant) const {
    return ready.at("tenants").at(tenant).at("plain").to_number<std::uint16_t>();
  }
  json::value ask(const std::string& method, const std::string& path, const std::string& body = {},
                  int expected = 0) {
    httplib::Request request;
    request.method = method;
    request.path = path;
    request.body = body;
    const auto reply = http->send(request);
    if (!reply) {
      ADD_FAILURE() << method << ' ' << path << ": " << httplib::to_string(reply.error());
      return nullptr;
    }
    EXPECT_TRUE(expected == 0 ? reply->status < 300 : reply->status == expected)
        << method << ' ' << path << ": " << reply->status << ' ' << reply->body;
    return json::parse(reply->body);
  }
  json::value post(const std::string& path, const std::string& body = {}) {
    return ask("POST", "/v1/tenants/acme" + path, body);
  }
  json::value state(const std::string& tenant = "acme") {
    return ask("GET", "/v1/tenants/" + tenant + "/state");
  }
  // Of the connections a tenant has now, until there are so many.
  void await_connections(std::size_t count) {
    while (state().at("connections").as_array().size() != count) std::this_thread::yield();
  }

  std::unique_ptr<Server> server;
  std::thread thread;
  json::object ready;
  std::unique_ptr<httplib::Client> http;
};

TEST_F(ServerTest, ServesSupervisorsAndAgentsPlainAndOverTls) {
  start("{}");
  net::TlsOptions options;
  options.pinned_sha256 = {std::string(ready.at("innova360").at("sha256").as_string())};
  std::string why;
  auto tls = net::TlsContext::make(options, net::TlsContext::Role::client, why);
  ASSERT_TRUE(tls) << why;

  Client supervisor(pbx(), "/ws");
  Client agent(pbx("tls"), "/agent", *tls);
  ASSERT_TRUE(agent.connected()) << agent.error().message();
  EXPECT_THAT(supervisor.read(), HasSubstr("welcome"));
  EXPECT_THAT(agent.read(), HasSubstr("welcome"));
  EXPECT_THAT(supervisor.log_in("acme", "acme-demo"), HasSubstr(R"("auth":"ok")"));
  EXPECT_THAT(supervisor.read(), StartsWith(R"({"type":"init")"));
  EXPECT_THAT(agent.log_in("201", "agent-201"), HasSubstr(R"("extension":"201")"));
  EXPECT_THAT(agent.read(), StartsWith(R"({"type":"init")"));

  agent.write(R"({"type":"action","action":"call","phone":"202"})");
  EXPECT_EQ(agent.brief(), "new-call 201 out");
  EXPECT_EQ(supervisor.brief(), "new-call 201 out");
  EXPECT_EQ(supervisor.brief(), "call-state 201 Ringing");
  const auto counters = state().at("counters");
  EXPECT_EQ(counters.at("originates"), 1);
  EXPECT_EQ(counters.at("actions").at("call"), 1);
}

TEST_F(ServerTest, RefusesOtherPaths) {
  start("{}");
  Client client(pbx(), "/other");
  EXPECT_EQ(client.error(), Errc::upgrade_refused);
}

TEST_F(ServerTest, FindsTheTenantByItsUser) {
  start(R"(
threads: 3
tenants:
  - {name: "t{n}", count: 5, agents: {user: "{tenant}-{extension}"}, extensions: [1, 2]}
)");
  for (int n = 1; n <= 5; ++n) {
    const auto name = "t" + std::to_string(n);
    Client supervisor(pbx(), "/ws");
    supervisor.read();
    EXPECT_THAT(supervisor.log_in("nobody", "x"), HasSubstr("forbidden"));
    EXPECT_THAT(supervisor.log_in("t1", "wrong"), HasSubstr("forbidden"));
    EXPECT_THAT(supervisor.log_in(name, name + "-demo"), HasSubstr("ok"));
    supervisor.read();
    Client agent(pbx(), "/agent");
    agent.read();
    EXPECT_THAT(agent.log_in(name + "-2", "agent-2"), HasSubstr(R"("extension":"2")"));
    agent.read();
    ask("POST", "/v1/tenants/" + name + "/calls", R"({"from":"1","to":"2"})");
    EXPECT_EQ(supervisor.brief(), "new-call 1 out");
    EXPECT_EQ(agent.brief(), "new-call 2 in");
    const auto connections = state(name).at("connections").as_array();
    ASSERT_EQ(connections.size(), 2u);
    EXPECT_EQ(connections[0].at("kind"), "supervisor");
    EXPECT_EQ(connections[1].at("extension"), "2");
  }
}

TEST_F(ServerTest, ShowsTheTruth) {
  start("tenants: [{name: acme, post_dial: 1ms}]");
  post("/calls", R"({"from":"201","to":"+34911222333"})");
  auto truth = state();
  while (truth.at("calls").at(0).at("legs").at(1).at("state") != "ringing") truth = state();
  EXPECT_EQ(truth.at("calls").at(0).at("legs").at(1).at("outside"), "+34911222333");
  post("/extensions/%2B34911222333/answer");
  post("/extensions/201/hangup");
  post("/calls", R"({"from":"201","to":"202"})");
  post("/extensions/202/answer");
  post("/extensions/202/hold");
  post("/extensions/201/record-start");
  truth = state();
  const auto& legs = truth.at("calls").at(0).at("legs").as_array();
  ASSERT_EQ(legs.size(), 2u);
  EXPECT_EQ(legs[0].at("extension"), "201");
  EXPECT_EQ(legs[0].at("recording"), true);
  EXPECT_EQ(legs[1].at("held"), true);
  EXPECT_EQ(legs[1].at("state"), "up");
  EXPECT_EQ(legs[1].at("direction"), "in");
  EXPECT_EQ(truth.at("extensions").at(1).at("status"), "hold");
  EXPECT_EQ(truth.at("extensions").at(1).at("legs").at(0), legs[1].at("id"));
  const auto id = std::string(legs[1].at("id").as_string());
  post("/extensions/202/retrieve", R"({"leg":")" + id + "\"}");
  ask("POST", "/v1/tenants/acme/extensions/202/hold", R"({"leg":"1.1"})", 404);
  ask("GET", "/livez");
  EXPECT_EQ(ask("GET", "/v1/tenants").at("tenants").at(0).at("extensions"), 12);
}

TEST_F(ServerTest, AnswersMistakesWithWhatIsAllowed) {
  start("{}");
  const auto error = [&](const std::string& method, const std::string& path,
                         const std::string& body, int status) {
    return std::string(ask(method, path, body, status).at("error").as_string());
  };
  EXPECT_THAT(error("GET", "/v1/tenants/x/state", "", 404), HasSubstr("there are acme"));
  EXPECT_THAT(error("GET", "/nothing", "", 404), HasSubstr("GET /v1/tenants"));
  EXPECT_THAT(error("POST", "/v1/tenants/acme/state", "", 405), HasSubstr("GET"));
  EXPECT_THAT(error("POST", "/v1/tenants/acme/extensions/201/dance", "", 404),
              HasSubstr("attended-transfer"));
  EXPECT_THAT(error("POST", "/v1/tenants/acme/extensions/999/hangup", "", 404),
              HasSubstr("no such extension"));
  EXPECT_THAT(error("POST", "/v1/tenants/acme/extensions/201/hangup", "", 409),
              HasSubstr("no such call"));
  EXPECT_THAT(error("POST", "/v1/tenants/acme/calls", "{", 400), HasSubstr("request"));
  EXPECT_THAT(error("POST", "/v1/tenants/acme/calls", R"({"from":"201"})", 400),
              HasSubstr("to: missing"));
  EXPECT_THAT(error("POST", "/v1/tenants/acme/faults", R"({"no_welcome":true})", 409),
              HasSubstr("give it a port"));
  EXPECT_THAT(error("POST", "/v1/tenants/acme/traffic", "{}", 400), HasSubstr("calls_per_second"));
  EXPECT_THAT(error("POST", "/v1/scenarios", "scenarios: [{name: a, steps: [{jump: 1}]}]", 400),
              HasSubstr("expected one of call"));
  EXPECT_THAT(error("POST", "/v1/scenarios",
                    "scenarios: [{name: a, tenants: [b], steps: [{wait: 1s}]}]", 400),
              HasSubstr("no tenant \"b\""));
  EXPECT_THAT(error("GET", "/v1/scenarios/7", "", 404), HasSubstr("7"));
  const auto wrong = ask("POST", "/v1/tenants/acme/calls", R"({"from":"201","too":"1"})", 400);
  EXPECT_EQ(wrong.at("field"), "to");
}

TEST_F(ServerTest, DropsConnectionsAndCountsTheNewOnesOn) {
  start("{}");
  Client first(pbx(), "/ws");
  first.read();
  first.log_in("acme", "acme-demo");
  first.read();
  const auto before = state().at("connections").at(0).at("id");
  post("/faults", R"({"drop_all":true})");
  EXPECT_EQ(first.read(), "");
  EXPECT_EQ(first.error(), Errc::link_lost);
  Client second(pbx(), "/ws");
  second.read();
  second.log_in("acme", "acme-demo");
  second.read();
  EXPECT_NE(state().at("connections").at(0).at("id"), before);
}

TEST_F(ServerTest, WritesTheLoginsAnswerBeforeItDropsTheLink) {
  start("{}");
  post("/faults", R"({"drop_before_init":1})");
  Client client(pbx(), "/ws");
  client.read();
  EXPECT_THAT(client.log_in("acme", "acme-demo"), HasSubstr("ok"));
  EXPECT_EQ(client.read(), "");
}

TEST_F(ServerTest, RefusesConnectionsAtATenantsOwnListener) {
  start("tenants: [{name: acme, port: 0}]");
  post("/faults", R"({"refuse_connections":true})");
  EXPECT_EQ(Client(own("acme"), "/ws").error(), Errc::connect_failed);
  ask("DELETE", "/v1/tenants/acme/faults");
  Client client(own("acme"), "/ws");
  EXPECT_TRUE(client.connected());
  EXPECT_EQ(client.brief(), "! welcome");
}

TEST_F(ServerTest, LeavesTheWelcomeOutAtATenantsOwnListener) {
  start("tenants: [{name: acme, port: 0}]");
  post("/faults", R"({"no_welcome":true})");
  Client client(own("acme"), "/ws");
  EXPECT_THAT(client.log_in("acme", "acme-demo"), HasSubstr("auth-resp"));  // the first there is
}

TEST_F(ServerTest, IsFoundSilentByPingsAlone) {
  start("{}");
  Client client(pbx(), "/ws");
  client.read();
  client.log_in("acme", "acme-demo");
  client.read();
  post("/faults", R"({"silent":true})");
  EXPECT_EQ(client.read(), "");
  EXPECT_EQ(client.error(), Errc::ping_timed_out);
}

TEST_F(ServerTest, DropsWhoDoesNotRead) {
  start("outbox: 1MiB");
  Client slow(pbx(), "/ws");
  slow.read();
  slow.log_in("acme", "acme-demo");
  await_connections(1);
  for (int i = 0; i < 1'000 && !state().at("connections").as_array().empty(); ++i) {
    post("/faults", R"({"noise":["oversized"],"oversized_bytes":700000})");
  }
  await_connections(0);
  while (!slow.read().empty()) {
  }
  EXPECT_EQ(slow.error(), Errc::link_lost);
}

TEST_F(ServerTest, RunsScenariosAndTraffic) {
  start("{}");
  const auto id = ask("POST", "/v1/scenarios",
                      "scenarios:\n- name: a\n  tenants: [acme]\n  steps:\n"
                      "  - call: {from: 201, to: 202, answer_after: 5ms, talk: 5ms}\n"
                      "  - wait: 50ms\n  - expect: {extension: 201, status: idle}\n")
                      .at("id")
                      .as_string();
  const auto path = "/v1/scenarios/" + std::string(id);
  while (ask("GET", path).at("state") == "running") std::this_thread::yield();
  EXPECT_EQ(ask("GET", path).at("state"), "finished");
  ask("DELETE", path);
  ask("GET", path, "", 404);
  post("/traffic", R"({"calls_per_second":500,"seed":2,"ring_least_ms":1,"ring_most_ms":2,
                       "talk_least_ms":1,"talk_most_ms":2})");
  while (state().at("counters").at("events").to_number<int>() < 1'000) std::this_thread::yield();
  ask("DELETE", "/v1/tenants/acme/traffic");
  EXPECT_TRUE(state().at("traffic").is_null());
}

}  // namespace
}  // namespace simulator
