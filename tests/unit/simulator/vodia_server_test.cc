#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include "client.h"
#include "simulator/server.h"
#include "vodia_support.h"

// Vodia over real sockets. As server_test.cc, nothing here waits for time to pass.
namespace simulator {
namespace {

namespace json = boost::json;
using base::Errc;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kWatch = R"({"action":"domain-calls","subscribe":true})";
constexpr const char* kTenants = R"(
threads: 2
innova360: {plain: false, tls: false}
tenants:
  - {name: "v{n}", count: 3, vendor: vodia, extensions: [501, 502],
     vodia: {domain: "{tenant}.example", password: "{tenant}-{extension}"}}
)";

class VodiaServerTest : public testing::Test {
 protected:
  void start(const std::string& yaml) {
    auto document = config::Document::parse(yaml, "test.yaml", {});
    auto settings = read_settings(document.root());
    for (const auto& problem : document.finish()) FAIL() << problem.text();
    take_any_ports(settings);
    server = std::make_unique<Server>(std::move(settings));
    ready = json::parse(server->ready_line()).as_object();
    thread = std::thread([this] { server->run(); });
    control = std::make_unique<httplib::Client>("127.0.0.1", ready.at("control").to_number<int>());
    if (ready.contains("vodia")) {
      pbx = std::make_unique<httplib::Client>("127.0.0.1", port("plain"));
      pbx->set_keep_alive(true);
    }
  }
  void TearDown() override {
    control.reset();
    pbx.reset();
    if (!server) return;
    server->stop();
    thread.join();
  }
  std::uint16_t port(std::string_view kind) const {
    return ready.at("vodia").at(kind).to_number<std::uint16_t>();
  }
  httplib::Result log_in(const std::string& account, const std::string& password) {
    return pbx->Post(
        "/rest/system/session",
        R"({"name":"auth","value":")" + account + " " + vodia::md5_hex(password) + "\"}",
        "application/json");
  }
  static std::string cookie_of(const httplib::Result& reply) {
    return vodia::cookie_value(reply->get_header_value("Set-Cookie"), "session");
  }
  std::string session(const std::string& tenant, const std::string& extension) {
    const auto reply = log_in(extension + "@" + tenant + ".example", tenant + "-" + extension);
    return reply ? cookie_of(reply) : "";
  }
  Client open(const std::string& session, const std::string& query,
              std::shared_ptr<net::TlsContext> tls = {}) {
    const Client::Headers headers{{"Cookie", "session=" + session}};
    return Client(port(tls ? "tls" : "plain"), "/websocket" + query, tls, headers);
  }
  httplib::Result post(const std::string& path, const std::string& body) {
    return control->Post("/v1/tenants/" + path, body, "application/json");
  }

  std::unique_ptr<Server> server;
  std::thread thread;
  json::object ready;
  std::unique_ptr<httplib::Client> control, pbx;
};

TEST_F(VodiaServerTest, LogsInOpensASocketAndShowsCalls) {
  start(kTenants);
  const auto id = session("v2", "501");
  ASSERT_EQ(id.size(), 20u);
  Client client = open(id, "?domain=v2.example&user=501");
  ASSERT_TRUE(client.connected()) << client.error().message();
  client.write(kWatch);
  EXPECT_EQ(client.read(), R"({"action":"call-state","calls":[]})");
  ASSERT_EQ(post("v2/calls", R"({"from":"501","to":"502"})")->status, 201);
  EXPECT_EQ(VodiaScene::brief(client.read()), "calls 501>502 alerting 501,*502");
  ASSERT_EQ(post("v2/extensions/502/answer", "")->status, 200);
  EXPECT_THAT(VodiaScene::brief(client.read()), StartsWith("calls 501>502 connected"));

  const httplib::Headers cookie{{"Cookie", "session=" + id}};
  const auto calls = pbx->Get("/rest/user/501%40v2.example/calls", cookie);
  EXPECT_EQ(calls->get_header_value("Server"), "PBX/70.3");
  const auto call = std::string(json::parse(calls->body).at(0).at("id").as_string());
  const auto hung_up = pbx->Post("/rest/user/501%40v2.example/calls", cookie,
                                 R"({"hangup":")" + call + "\"}", "application/json");
  EXPECT_EQ(hung_up->body, "true");
  EXPECT_EQ(VodiaScene::brief(client.read()), "calls");
}

TEST_F(VodiaServerTest, TellsTenantsApartByDomainAndCookie) {
  start(kTenants);
  for (const std::string tenant : {"v1", "v2", "v3"}) {
    const auto id = session(tenant, "502");
    const auto session = pbx->Get("/rest/system/session", {{"Cookie", "session=" + id}});
    EXPECT_EQ(json::parse(session->body).at("cdomain").as_string(), tenant + ".example");
    EXPECT_TRUE(open(id, "").connected());
    EXPECT_TRUE(open(id, "?domain=" + tenant + ".example&user=502").connected());
  }
  EXPECT_EQ(log_in("501@v1.example", "v2-501")->body, "false");
  EXPECT_EQ(log_in("501@v9.example", "v9-501")->body, "false");
  pbx->set_basic_auth("admin", "admin-demo");
  const auto unknown =
      pbx->Post("/rest/system/session", R"({"name":"3rd","domain":"v9.example","username":"501"})",
                "application/json");
  EXPECT_EQ(unknown->status, 404);
}

TEST_F(VodiaServerTest, RefusesSocketsWithoutASession) {
  start(kTenants);
  EXPECT_EQ(open("", "?domain=v1.example&user=501").error(), Errc::upgrade_refused);
  EXPECT_EQ(open(session("v2", "501"), "?domain=v1.example&user=501").error(),
            Errc::upgrade_refused);
}

TEST_F(VodiaServerTest, ServesTheSameOverTls) {
  start(kTenants);
  net::TlsOptions options;
  options.pinned_sha256 = {std::string(ready.at("vodia").at("sha256").as_string())};
  std::string why;
  auto tls = net::TlsContext::make(options, net::TlsContext::Role::client, why);
  ASSERT_TRUE(tls) << why;
  Client client = open(session("v1", "501"), "", *tls);
  ASSERT_TRUE(client.connected()) << client.error().message();
  client.write(kWatch);
  EXPECT_EQ(VodiaScene::brief(client.read()), "calls");
}

TEST_F(VodiaServerTest, ClosesSocketsOfASessionThatIsRevoked) {
  start(kTenants);
  Client client = open(session("v1", "501"), "");
  client.write(kWatch);
  client.read();
  ASSERT_EQ(post("v1/faults", R"({"revoke":"close"})")->status, 200);
  EXPECT_EQ(client.read(), "");
  EXPECT_EQ(client.error(), Errc::link_closed);
  EXPECT_EQ(client.close_reason(), "1008 session ended");
}

TEST_F(VodiaServerTest, ClosesSocketsThatSayNothing) {
  start(R"(
tenants: [{name: v1, vendor: vodia, extensions: [501], vodia: {domain: v1.example,
           password: "v1-{extension}", idle_timeout: 100ms}}]
)");
  Client client = open(session("v1", "501"), "");
  EXPECT_EQ(client.read(), "");
  EXPECT_EQ(client.close_reason(), "1001 idle");
}

TEST_F(VodiaServerTest, DropsDelaysAndSpoilsWhatItIsTold) {
  start(kTenants);
  ASSERT_EQ(post("v1/faults", R"({"drop_requests":1})")->status, 200);
  pbx->set_keep_alive(false);
  EXPECT_FALSE(log_in("501@v1.example", "v1-501"));
  ASSERT_EQ(post("v1/faults", R"({"login_delay_ms":20,"truncated_replies":1})")->status, 200);
  EXPECT_EQ(log_in("501@v1.example", "v1-501")->body.size(), 11u);
  EXPECT_NE(session("v1", "501"), "");
  ASSERT_EQ(post("v1/faults", R"({"drop_all":true})")->status, 200);
}

TEST_F(VodiaServerTest, MayHaveAPortOfItsOwnAndRefuseThere) {
  start(R"(
tenants:
  - {name: acme}
  - {name: v1, vendor: vodia, extensions: [501], port: 0, shared: false,
     vodia: {profile: legacy2016}}
)");
  EXPECT_FALSE(ready.contains("vodia"));
  EXPECT_TRUE(ready.contains("innova360"));
  const auto own = ready.at("tenants").at("v1").at("plain").to_number<std::uint16_t>();
  httplib::Client direct("127.0.0.1", own);
  EXPECT_EQ(direct.Get("/")->get_header_value("Server"), "PBX/5.4.0 (Linux)");
  ASSERT_EQ(post("v1/faults", R"({"refuse_connections":true})")->status, 200);
  httplib::Client refused("127.0.0.1", own);
  EXPECT_FALSE(refused.Get("/"));
  const auto tenants = control->Get("/v1/tenants");
  EXPECT_EQ(json::parse(tenants->body).at("tenants").at(1).at("vendor"), "vodia");
}

TEST_F(VodiaServerTest, RefusesSettingsThatCannotBe) {
  const auto problems = [](const std::string& yaml) {
    auto document = config::Document::parse(yaml, "test.yaml", {});
    (void)read_settings(document.root());
    std::string all;
    for (const auto& problem : document.finish()) all += problem.text() + "\n";
    return all;
  };
  EXPECT_THAT(problems(R"(
tenants: [{name: a, vendor: vodia, vodia: {domain: x}}, {name: b, vendor: vodia, vodia: {domain: x}}]
)"),
              HasSubstr("a and b have the same domain"));
  EXPECT_THAT(problems(R"(
tenants: [{name: a, vendor: vodia, extensions: [501],
           vodia: {accounts: [{number: 501, type: orbits}]}}]
)"),
              HasSubstr("501 is an extension and an account"));
  EXPECT_THAT(problems("tenants: [{name: a, vendor: vodia, vodia: {variants: {times: never}}}]"),
              HasSubstr("expected one of text, number"));
  EXPECT_THAT(problems("tenants: [{name: a, vendor: vodia, vodia: {password: x}}]"),
              HasSubstr("{extension}"));
  EXPECT_EQ(problems(R"(
tenants: [{name: a, vendor: vodia, vodia: {profile: v67, version: "67.1", idle_timeout: 30s,
           second_factor: ["201"], variants: {booleans: text, domain_state: "true"},
           accounts: [{number: 700, type: acds, name: Sales}]}}]
)"),
            "");
}

}  // namespace
}  // namespace simulator
