#include "bus/identity.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "bus/nkey.h"
#include "bus/requests.h"
#include "unit/bus/bus_fixture.h"
#include "unit/bus/certificates.h"

namespace bus {
namespace {

using base::Errc;
using testing::HasSubstr;
using testing::Not;

// Made by NATS' own library for JavaScript, for these tests only.
constexpr char kSeed[] = "SUAEP7S4GHOFKGMEULFHLKWQFLYMJMWP4FRDVZM4HZF7WVO4BO6AXARI4U";
constexpr char kPublic[] = "UBTY6ODSXJM3OI3QVSWFTEL3BWFBUFYT34KMVTNOUW3XZEVZH2WPGCDE";
constexpr char kOtherSeed[] = "SUADNZW3YJ4GX3IRVXNFY5CBQ6SND4HIZVDIPGPVJFLUNO6MUW2XQH54DY";
constexpr char kOtherPublic[] = "UB4GEMMZX3IAD6INPG2HB6VAUYUXY6M2FDBDSIIDAWQ3JQ5Z3WCFVECS";
constexpr char kAccountSeed[] = "SAAGURHCJRZ5I7UGK7V5DDKT2VIGJAMR5BSZM3SW5E74HM72TX727UBCO4";

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file.string() + ".new") << text;
  std::filesystem::rename(file.string() + ".new", file);
}

TEST(NkeyTest, FindsThePublicKeyOfAUsersSeed) {
  EXPECT_EQ(*public_nkey(kSeed), kPublic);
  EXPECT_EQ(*public_nkey(kOtherSeed), kOtherPublic);
}

TEST(NkeyTest, RefusesWhatIsNotAUsersSeed) {
  std::string typing_error = kSeed;
  typing_error[20] = typing_error[20] == 'A' ? 'B' : 'A';
  for (const std::string& text : {std::string(), std::string("SU"), std::string(kPublic),
                                  std::string(kAccountSeed), typing_error, std::string(kSeed) + "A",
                                  std::string("su") + (kSeed + 2), std::string(58, '=')}) {
    EXPECT_EQ(public_nkey(text).error(), Errc::invalid_argument) << text;
  }
}

// A connection that finds its secrets in files, to a server that is given others.
struct IdentityTest : BusFixture {
  IdentityTest() : BusFixture({.config = with_password("first")}) {}
  explicit IdentityTest(support::NatsServer::Options options) : BusFixture(std::move(options)) {}

  std::vector<std::pair<ConnectionEvent, std::string>> events;
  std::string why;

  static std::string with_password(const std::string& password) {
    return "authorization { user: gateway, password: \"" + password + "\" }";
  }
  static std::string with_nkey(const std::string& nkey) {
    return "authorization { users: [ { nkey: " + nkey + " } ] }";
  }
  std::string file(const std::string& name) const { return server.folder() / name; }
  Options options() const {
    Options options = options_for(server.url());
    options.files_interval = Duration(20);
    return options;
  }
  Options with_password_file() const {
    Options options = this->options();
    options.user = "gateway";
    options.password_file = file("password");
    return options;
  }
  std::shared_ptr<Connection> connect_and_record(const Options& options) {
    auto connection = connect(options);
    connection->listen([this](ConnectionEvent event, const std::string& text) {
      events.emplace_back(event, text);
    });
    return connection;
  }
  std::size_t count(ConnectionEvent event) const {
    return static_cast<std::size_t>(std::count_if(
        events.begin(), events.end(), [&](const auto& it) { return it.first == event; }));
  }
  bool failed_with(const std::string& text) const {
    return std::any_of(events.begin(), events.end(), [&](const auto& it) {
      return it.first == ConnectionEvent::failed && it.second.find(text) != std::string::npos;
    });
  }
  bool answers(const std::shared_ptr<Connection>& connection) {
    const auto echo = serve(connection, "echo", io.get_executor(), [](const Request& request) {
      request.respond(std::string(request.payload()));
    });
    Requests requests(connection);
    auto pending = requests.request("echo", "hello", Duration(5'000));
    const auto reply = await(std::move(pending));
    return reply && *reply == "hello";
  }
  std::string why_not(const Options& options) {
    std::string text;
    const auto opened = Connection::open(io.get_executor(), options, text);
    EXPECT_EQ(opened.error(), Errc::invalid_argument);
    return text;
  }
};

TEST_F(IdentityTest, FollowsAServerThatWasGivenAnotherPassword) {
  write(file("password"), "first\n");
  const auto connection = connect_and_record(with_password_file());
  EXPECT_TRUE(answers(connection));
  server.set_config(with_password("second"));
  server.reload();
  ASSERT_TRUE(run_until([&] { return connection->statistics().refusals >= 3; }));
  EXPECT_FALSE(connection->connected());
  write(file("password"), "second\n");
  ASSERT_TRUE(run_until([&] { return connection->connected(); }));
  EXPECT_TRUE(answers(connection));
  EXPECT_EQ(count(ConnectionEvent::disconnected), 1u);
}

TEST_F(IdentityTest, KeepsItsConnectionUntilTheServerKnowsTheNewPassword) {
  write(file("password"), "first");
  const auto connection = connect_and_record(with_password_file());
  write(file("password"), "second");
  ASSERT_TRUE(run_until([&] { return connection->statistics().renewal_failures >= 2; }));
  EXPECT_TRUE(connection->connected());
  EXPECT_TRUE(answers(connection));
  EXPECT_TRUE(failed_with("going on with the last good: ")) << "and says so";
  EXPECT_EQ(count(ConnectionEvent::failed), 1u) << "once";
  // What is right for the server is still known when the connection breaks.
  server.restart();
  ASSERT_TRUE(run_until([&] { return count(ConnectionEvent::connected) == 1; }));
  EXPECT_TRUE(answers(connection));
  server.set_config(with_password("second"));
  server.reload();
  ASSERT_TRUE(run_until([&] { return count(ConnectionEvent::connected) == 2; }));
  EXPECT_TRUE(answers(connection));
}

TEST_F(IdentityTest, NamesTheFileThatIsOfNoUseAndNeverItsContent) {
  const std::string secret = "s3cret-s3cret";
  write(file("secret"), secret);
  write(file("empty"), " \n");
  Options with_creds = options(), with_seed = options(), with_ca = options(), missing = options();
  with_creds.creds_file = file("secret");
  EXPECT_THAT(why_not(with_creds), AllOf(HasSubstr("creds_file " + file("secret") + ": expected"),
                                         Not(HasSubstr(secret))));
  with_seed.nkey_seed_file = file("secret");
  EXPECT_THAT(why_not(with_seed),
              AllOf(HasSubstr("nkey_seed_file " + file("secret")), Not(HasSubstr(secret))));
  write(file("seed"), kSeed);
  with_seed.nkey_seed_file = file("seed");
  with_seed.nkey_public = kOtherPublic;
  EXPECT_THAT(why_not(with_seed), AllOf(HasSubstr(kPublic), Not(HasSubstr(kSeed))));
  with_ca.tls = Tls{.ca_file = file("secret"), .certificate_file = {}, .key_file = {}};
  EXPECT_THAT(why_not(with_ca), AllOf(HasSubstr("tls.ca_file"), Not(HasSubstr(secret))));
  missing.user = "gateway";
  missing.password_file = file("nowhere");
  EXPECT_EQ(why_not(missing), "password_file " + file("nowhere") + ": No such file or directory");
  missing.password_file = file("empty");
  EXPECT_EQ(why_not(missing), "password_file " + file("empty") + ": empty");
}

struct NkeyIdentityTest : IdentityTest {
  NkeyIdentityTest() : IdentityTest({.config = with_nkey(kPublic)}) {}
};

TEST_F(NkeyIdentityTest, LogsInWithASeedAndFollowsToAnother) {
  write(file("seed"), "# of tests\n" + std::string(kSeed) + "\n");
  Options with_seed = options();
  with_seed.nkey_seed_file = file("seed");
  const auto connection = connect_and_record(with_seed);
  EXPECT_TRUE(answers(connection));
  server.set_config("authorization { users: [ { nkey: " + std::string(kPublic) +
                    " }, { nkey: " + kOtherPublic + " } ] }");
  server.reload();
  write(file("seed"), kOtherSeed);
  ASSERT_TRUE(run_until([&] { return connection->statistics().renewals == 1; }));
  EXPECT_TRUE(answers(connection));
  // The old key is not needed any more.
  server.set_config(with_nkey(kOtherPublic));
  server.reload();
  EXPECT_TRUE(answers(connection));
  EXPECT_EQ(connection->statistics().disconnects, 0u);
}

struct TlsIdentityTest : IdentityTest {
  TlsIdentityTest() : IdentityTest({.start = false}) {
    certificates.make_self_signed("ca");
    certificates.make_self_signed("next");
    certificates.issue("ca", "server");
    certificates.issue("ca", "client");
    write(file("trusted.pem"), text_of("ca.pem"));
    serve_with("server", "");
    server.start();
  }
  std::string text_of(const std::string& name) const {
    std::ifstream in(file(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void serve_with(const std::string& name, const std::string& more) {
    server.set_config("tls { cert_file: \"" + certificates.certificate(name) + "\", key_file: \"" +
                      certificates.key(name) + "\", ca_file: \"" + file("trusted.pem") + "\" " +
                      more + " }");
  }
  Options with_tls() const {
    Options options = this->options();
    options.tls = Tls{.ca_file = file("trusted.pem"), .certificate_file = {}, .key_file = {}};
    return options;
  }
  Certificates certificates{server.folder()};
};

TEST_F(TlsIdentityTest, FollowsToAnotherAuthority) {
  const auto connection = connect_and_record(with_tls());
  EXPECT_TRUE(answers(connection));
  write(file("trusted.pem"), text_of("ca.pem") + text_of("next.pem"));
  ASSERT_TRUE(run_until([&] { return connection->statistics().renewals == 1; }));
  certificates.issue("next", "server2");
  serve_with("server2", "");
  server.reload();
  write(file("trusted.pem"), text_of("next.pem"));
  ASSERT_TRUE(run_until([&] { return connection->statistics().renewals == 2; }));
  EXPECT_TRUE(answers(connection));
  EXPECT_EQ(connection->statistics().disconnects, 0u);
}

TEST_F(TlsIdentityTest, TakesItsCertificateAndKeyAsAPairOnly) {
  serve_with("server", "verify: true");
  server.reload();
  Options options = with_tls();
  options.tls->certificate_file = certificates.certificate("client");
  options.tls->key_file = certificates.key("client");
  const auto connection = connect_and_record(options);
  certificates.issue("ca", "client2");
  write(file("client.pem"), text_of("client2.pem"));
  ASSERT_TRUE(run_until([&] { return connection->statistics().renewal_failures >= 1; }));
  EXPECT_TRUE(failed_with("key values mismatch"));
  EXPECT_TRUE(answers(connection));
  write(file("client.key"), text_of("client2.key"));
  ASSERT_TRUE(run_until([&] { return connection->statistics().renewals == 1; }));
  EXPECT_TRUE(answers(connection));
}

TEST_F(TlsIdentityTest, RenewsWithoutLosingRequestsThatWait) {
  const auto connection = connect_and_record(with_tls());
  std::vector<Request> waiting;
  const auto slow = serve(connection, "slow", io.get_executor(),
                          [&](Request request) { waiting.push_back(std::move(request)); });
  Requests requests(connection);
  std::string answer;
  requests.request({"slow", "hello", {}}, Duration(20'000),
                   [&](const auto& reply) { answer = reply ? *reply : reply.error().message(); });
  ASSERT_TRUE(run_until([&] { return !waiting.empty(); }));
  write(file("trusted.pem"), text_of("ca.pem") + text_of("next.pem"));
  ASSERT_TRUE(run_until([&] { return connection->statistics().renewals == 1; }));
  waiting.front().respond("late");
  ASSERT_TRUE(run_until([&] { return !answer.empty(); }));
  EXPECT_EQ(answer, "late");
  EXPECT_EQ(waiting.size(), 1u);
}

}  // namespace
}  // namespace bus
