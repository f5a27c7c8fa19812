#include "simulator/server.h"

#include <filesystem>
#include <thread>

#include <httplib.h>

#include "../client.h"
#include "support.h"

// innovaphone over real sockets, both directions. Nothing here waits for time to pass.
namespace simulator {
namespace {

namespace json = boost::json;
using base::Errc;
using innovaphone::World;
using testing::HasSubstr;

class InnovaphoneServerTest : public testing::Test {
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
    return ready.at("innovaphone").at(kind).to_number<std::uint16_t>();
  }
  static std::string log_in(Client& client, const std::string& password) {
    client.write(R"({"mt":"AppChallenge"})");
    const auto challenge =
        std::string(json::parse(client.read()).as_object().at("challenge").as_string());
    innovaphone::LoginFields fields;
    fields.app = "gateway";
    client.write(World::login_text(challenge, fields, password));
    return client.read();
  }

  std::unique_ptr<Server> server;
  std::thread thread;
  json::object ready;
  std::unique_ptr<httplib::Client> control;
};

constexpr const char* kTwo = R"(
innova360: {plain: false, tls: false}
tenants:
  - {name: "g{n}", count: 2, vendor: innovaphone, extensions: [201, 202]}
)";

TEST_F(InnovaphoneServerTest, TellsTenantsApartByPath) {
  start(kTwo);
  for (const std::string tenant : {"g1", "g2"}) {
    Client client(common("plain"), "/" + tenant + "/PBX0/APPS/websocket");
    ASSERT_TRUE(client.connected()) << client.error().message();
    EXPECT_EQ(log_in(client, tenant + "-demo"), R"({"mt":"AppLoginResult","ok":true})");
  }
  Client wrong(common("plain"), "/g1/PBX0/APPS/websocket");
  EXPECT_EQ(log_in(wrong, "g2-demo"), R"({"mt":"AppLoginResult"})");
  EXPECT_EQ(Client(common("plain"), "/PBX0/APPS/websocket").error(), Errc::upgrade_refused);
  EXPECT_EQ(Client(common("plain"), "/g3/PBX0/APPS/websocket").error(), Errc::upgrade_refused);
}

TEST_F(InnovaphoneServerTest, ShowsCallsThatOthersMake) {
  start(R"(
tenants: [{name: gamma, vendor: innovaphone, extensions: [201, 202], port: 0}]
)");
  const auto port = ready.at("tenants").at("gamma").at("plain").to_number<std::uint16_t>();
  Client client(port, "/PBX0/APPS/websocket");
  EXPECT_EQ(log_in(client, "gamma-demo"), R"({"mt":"AppLoginResult","ok":true})");
  client.write(R"({"mt":"UserInitialize","api":"RCC","cn":"User 202"})");
  EXPECT_THAT(client.read(), HasSubstr(R"("user":1,)"));
  const auto made =
      control->Post("/v1/tenants/gamma/calls", R"({"from":"201","to":"202"})", "application/json");
  ASSERT_EQ(made->status, 201);
  EXPECT_EQ(World::brief(client.read()), "1.1 129 r-setup 201");
  EXPECT_EQ(World::brief(client.read()), "1.1 132 x-alert 201");
  EXPECT_EQ(control->Post("/v1/tenants/gamma/extensions/202/answer")->status, 200);
  EXPECT_EQ(World::brief(client.read()), "1.1 133 x-conn 201");
  const auto state = json::parse(control->Get("/v1/tenants/gamma/state")->body);
  EXPECT_EQ(state.at("vendor"), "innovaphone");
  EXPECT_EQ(state.at("connections").at(0).at("kind"), "app");
  EXPECT_EQ(control->Post("/v1/tenants/gamma/extensions/201/off-hook")->status, 200);
  EXPECT_EQ(
      control->Post("/v1/tenants/gamma/extensions/201/dial", R"({"to":"2"})", "application/json")
          ->status,
      200);
}

TEST_F(InnovaphoneServerTest, ServesTheSameOverTls) {
  start(kTwo);
  net::TlsOptions options;
  options.pinned_sha256 = {std::string(ready.at("innovaphone").at("sha256").as_string())};
  std::string why;
  auto tls = net::TlsContext::make(options, net::TlsContext::Role::client, why);
  ASSERT_TRUE(tls) << why;
  Client client(common("tls"), "/g1/PBX0/APPS/websocket", *tls);
  ASSERT_TRUE(client.connected()) << client.error().message();
  EXPECT_EQ(log_in(client, "g1-demo"), R"({"mt":"AppLoginResult","ok":true})");
}

// A gateway to dial: plays one dialogue with each PBX that comes, and hands out what it heard.
class Gateway {
 public:
  explicit Gateway(const std::shared_ptr<net::TlsContext>& tls) {
    net::HttpServerOptions options;
    options.tls = tls;
    listener_ = std::make_unique<net::HttpServer>(
        std::vector<boost::asio::any_io_executor>{io_.get_executor()}, options,
        [this](const net::HttpRequest& request) -> boost::asio::awaitable<net::HttpServer::Answer> {
          path_ = request.path();
          net::HttpServer::Answer answer = net::HttpServer::Accept{};
          co_return answer;
        },
        [this](net::HttpRequest, net::WebSocket socket) { return play(std::move(socket)); });
  }
  std::uint16_t port() const { return listener_->port(); }
  const std::string& path() const { return path_; }
  // Until so many messages have come.
  const std::vector<std::string>& wait_for(std::size_t count) {
    while (heard_.size() < count) io_.run_one();
    return heard_;
  }
  void stop() {
    listener_->stop();
    io_.poll();
  }

 private:
  boost::asio::awaitable<void> play(net::WebSocket socket) {
    for (const char* reply :
         {R"({"mt":"AppChallengeResult","challenge":"16d7dbbcccb63612"})",
          R"({"mt":"AppLoginResult","ok":true,"app":"inbound","domain":"gamma"})",
          static_cast<const char*>(nullptr),
          R"({"mt":"AppInfoResult","app":"inbound","info":{"hidden":true,"apis":{}}})"}) {
      auto text = co_await socket.read();
      if (!text) co_return;
      heard_.emplace_back(*text);
      if (reply) co_await socket.write(reply);
    }
    for (;;) {
      auto text = co_await socket.read();
      if (!text) co_return;
      heard_.emplace_back(*text);
    }
  }

  boost::asio::io_context io_{1};
  std::unique_ptr<net::HttpServer> listener_;
  std::string path_;
  std::vector<std::string> heard_;
};

std::string dialling(const std::string& scheme, std::uint16_t port, const std::string& more = "") {
  return R"(
innova360: {plain: false, tls: false}
tenants:
  - name: gamma
    vendor: innovaphone
    extensions: [201]
    innovaphone:
      redial: 10ms
      )" +
         more +
         R"(
      apps: [{name: gateway, password: s, websocket: true, url: ")" +
         scheme + "://127.0.0.1:" + std::to_string(port) + R"(/innovaphone/acme/inbound"}])";
}

TEST_F(InnovaphoneServerTest, DialsOut) {
  Gateway gateway(nullptr);
  start(dialling("http", gateway.port()));
  const auto& heard = gateway.wait_for(4);
  EXPECT_EQ(gateway.path(), "/innovaphone/acme");
  EXPECT_EQ(heard[0], R"({"mt":"AppChallenge"})");
  EXPECT_THAT(heard[1], HasSubstr(R"("app":"inbound","info":{"appobj":"gateway")"));
  EXPECT_THAT(heard[2], HasSubstr(R"({"mt":"PbxInfo","domain":"gamma","pbx":"master")"));
  EXPECT_EQ(heard[3], R"({"mt":"AppInfo","app":"inbound"})");
  const auto connections = [&] {
    const auto state = json::parse(control->Get("/v1/tenants/gamma/state")->body);
    return json::serialize(state.at("connections"));
  };
  EXPECT_THAT(connections(), HasSubstr(R"("kind":"dialled","extension":null,"logged_in":true)"));
  // Lost, it comes again.
  const auto lost =
      control->Post("/v1/tenants/gamma/faults", R"({"drop_all":true})", "application/json");
  ASSERT_EQ(lost->status, 200);
  EXPECT_EQ(gateway.wait_for(8)[4], R"({"mt":"AppChallenge"})");
  gateway.stop();
}

TEST_F(InnovaphoneServerTest, DialsOutOverTls) {
  const auto certificate = make_certificate("");
  net::TlsOptions options;
  options.certificate_file = certificate.certificate_file;
  options.key_file = certificate.key_file;
  std::string why;
  auto tls = net::TlsContext::make(options, net::TlsContext::Role::server, why);
  ASSERT_TRUE(tls) << why;
  Gateway gateway(*tls);
  start(dialling("https", gateway.port()));
  EXPECT_EQ(gateway.wait_for(4)[3], R"({"mt":"AppInfo","app":"inbound"})");
  gateway.stop();
  std::filesystem::remove_all(std::filesystem::path(certificate.key_file).parent_path());
}

TEST_F(InnovaphoneServerTest, RefusesSettingsThatCannotBe) {
  const auto problems = [](const std::string& its) {
    auto document = config::Document::parse(
        "tenants: [{name: a, vendor: innovaphone, innovaphone: {" + its + "}}]", "test.yaml", {});
    (void)read_settings(document.root());
    std::string all;
    for (const auto& problem : document.finish()) all += problem.text() + "\n";
    return all;
  };
  EXPECT_THAT(problems("cn: x"), HasSubstr("{extension}"));
  EXPECT_THAT(problems("firmware: 12r1"), HasSubstr("13r1"));
  EXPECT_THAT(problems("apps: [{name: a, websocket: true}]"), HasSubstr("to dial it"));
  EXPECT_THAT(problems("apps: [{name: a, apis: [Weather]}]"), HasSubstr("which is no API"));
  EXPECT_THAT(problems("pbxs: [{name: a}, {name: b}]"), HasSubstr("two have the module PBX0"));
  EXPECT_THAT(problems("variants: {challenge: none}"), HasSubstr("expected one of hex, number"));
  EXPECT_EQ(problems(R"(domain: d, host: h, firmware: 14r1, dn: "D {extension}", challenge_size: 8,
      park_positions: 2, list_size: 10, redial: 1s, area: "30", country: "49",
      variants: {failure: error, close_refused: "true"},
      pbxs: [{name: m}, {name: s, module: PBX1, users: ["201"]}],
      apps: [{name: a, password: p, apis: [RCC], users: ["201"], group: ["202"],
              url: "https://x/y", websocket: true, unlicensed: true}])"),
            "");
}

}  // namespace
}  // namespace simulator
