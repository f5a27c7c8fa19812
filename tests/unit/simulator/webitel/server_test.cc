#include "simulator/server.h"

#include <thread>

#include <httplib.h>

#include "../client.h"
#include "support.h"

// Webitel over real sockets. Nothing here waits for time to pass, but for what the PBX does by
// itself.
namespace simulator {
namespace {

namespace json = boost::json;
using base::Errc;
using testing::HasSubstr;

class WebitelServer : public testing::Test {
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
  }
  void TearDown() override {
    control.reset();
    if (!server) return;
    server->stop();
    thread.join();
  }
  std::uint16_t common(std::string_view kind) const {
    return ready.at("webitel").at(kind).to_number<std::uint16_t>();
  }
  // The last of what comes of a login.
  static std::string log_in(Client& client, const std::string& token) {
    client.write(R"({"seq":1,"action":"authentication_challenge","data":{"token":")" + token +
                 "\"}}");
    const std::string first = client.read();
    return first.find("hello") == std::string::npos ? first : client.read();
  }

  std::unique_ptr<Server> server;
  std::thread thread;
  json::object ready;
  std::unique_ptr<httplib::Client> control;
};

constexpr const char* kTwo = R"(
innova360: {plain: false, tls: false}
tenants:
  - name: "w{n}"
    count: 2
    vendor: webitel
    extensions: [201, 202]
    callback_answer: 10ms
    webitel: {agents: [201], variants: {progress: "true"}, service: {permissions: {calls: r}}}
)";
constexpr const char* kOk = "{\"status\":\"OK\",\"seq_reply\":1}\n";

TEST_F(WebitelServer, TellsTenantsApartByPath) {
  start(kTwo);
  for (const std::string tenant : {"w1", "w2"}) {
    Client client(common("plain"), "/" + tenant + "/ws/websocket?application_name=test");
    ASSERT_TRUE(client.connected()) << client.error().message();
    EXPECT_EQ(log_in(client, tenant + "-201"), kOk);
  }
  Client wrong(common("plain"), "/w1/ws//websocket");
  EXPECT_THAT(log_in(wrong, "w2-201"), HasSubstr("unauthenticated"));
  EXPECT_EQ(Client(common("plain"), "/ws/websocket").error(), Errc::upgrade_refused);
  httplib::Client http("127.0.0.1", common("plain"));
  const auto refused = http.Get("/w1/api/calls/active", {{"X-Webitel-Access", "w2-token"}});
  EXPECT_EQ(refused->status, 401);
  const auto listed = http.Get("/w2/api/calls/active?size=5", {{"X-Webitel-Access", "w2-token"}});
  EXPECT_EQ(listed->body, R"({"items":[]})");
}

TEST_F(WebitelServer, AnswersARequestForACallOnceThePhoneIsPickedUp) {
  start(kTwo);
  Client client(common("plain"), "/w1/ws/websocket");
  ASSERT_EQ(log_in(client, "w1-201"), kOk);
  client.write(R"({"seq":2,"action":"subscribe_call"})");
  EXPECT_THAT(client.read(), HasSubstr(R"("data":{"items":[]})"));
  httplib::Client http("127.0.0.1", common("plain"));
  const auto made = http.Post("/w1/api/calls", {{"X-Webitel-Access", "w1-201"}},
                              R"({"destination":"202"})", "application/json");
  ASSERT_EQ(made->status, 200);
  const auto id = std::string(json::parse(made->body).at("id").as_string());
  EXPECT_THAT(client.read(), testing::AllOf(HasSubstr("ringing"), HasSubstr(id)));
  EXPECT_THAT(client.read(), HasSubstr("active"));
  const auto state = json::parse(control->Get("/v1/tenants/w1/state")->body);
  EXPECT_EQ(state.at("vendor"), "webitel");
  EXPECT_EQ(state.at("agents").at(0).at("extension"), "201");
  EXPECT_EQ(state.at("calls").at(0).at("legs").at(0).at("id"), json::value(id));
}

// A call nobody answers is not answered; the phone's refusal is an answer.
TEST_F(WebitelServer, TellsWhoAsksThatThePhoneRefused) {
  start(R"(
innova360: {plain: false, tls: false}
tenants: [{name: w, vendor: webitel, extensions: [201, 202], callback_answers: false, port: 0}]
)");
  const auto port = ready.at("tenants").at("w").at("plain").to_number<std::uint16_t>();
  Client client(port, "/ws/websocket");
  ASSERT_EQ(log_in(client, "w-201"), kOk);
  client.write(R"({"seq":2,"action":"subscribe_call"})");
  client.read();
  std::thread phone([&] {
    EXPECT_THAT(client.read(), HasSubstr("ringing"));  // it has arrived there
    EXPECT_EQ(control->Post("/v1/tenants/w/extensions/201/hangup")->status, 200);
  });
  httplib::Client http("127.0.0.1", port);
  const auto made = http.Post("/api/calls", {{"X-Webitel-Access", "w-201"}},
                              R"({"destination":"202"})", "application/json");
  phone.join();
  EXPECT_EQ(made->status, 500);
  EXPECT_THAT(made->body, HasSubstr("external.new_call.app_error"));
}

TEST_F(WebitelServer, ClosesSocketsWithAnEmptyFrame) {
  start(kTwo);
  Client client(common("plain"), "/w1/ws/websocket");
  ASSERT_EQ(log_in(client, "w1-201"), kOk);
  EXPECT_EQ(
      control->Post("/v1/tenants/w1/faults", R"({"close_empty":true})", "application/json")->status,
      200);
  EXPECT_EQ(client.read(), "");
  EXPECT_EQ(client.error(), Errc::link_closed);
  EXPECT_EQ(client.close_reason(), "");
}

TEST_F(WebitelServer, ServesTheSameOverTls) {
  start(kTwo);
  net::TlsOptions options;
  options.pinned_sha256 = {std::string(ready.at("webitel").at("sha256").as_string())};
  std::string why;
  auto tls = net::TlsContext::make(options, net::TlsContext::Role::client, why);
  ASSERT_TRUE(tls) << why;
  Client client(common("tls"), "/w1/ws/websocket", *tls);
  ASSERT_TRUE(client.connected()) << client.error().message();
  EXPECT_EQ(log_in(client, "w1-201"), kOk);
}

TEST_F(WebitelServer, RefusesMistakesInItsSettings) {
  auto document = config::Document::parse(R"(
tenants:
  - name: w
    vendor: webitel
    webitel: {variants: {dtmf: loud}, users: {token: nobody, permissions: {calls: xyz}}}
)",
                                          "test.yaml", {});
  (void)read_settings(document.root());
  std::string all;
  for (const auto& problem : document.finish()) all += problem.text() + "\n";
  EXPECT_THAT(all, HasSubstr("expected one of same, none"));
  EXPECT_THAT(all, HasSubstr("{extension}"));
  EXPECT_THAT(all, HasSubstr("some of c, r, u and d"));
}

}  // namespace
}  // namespace simulator
