#include "connector/config.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace connector {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Read {
  Config config;
  std::vector<std::string> problems;
};

Read read(const std::string& text, config::Environment environment = {}) {
  auto document = config::Document::parse(text, "gw.yaml", std::move(environment));
  Read read;
  read.config = read_config(document);
  for (const auto& problem : document.finish()) read.problems.push_back(problem.text());
  return read;
}

const std::string kTenant = R"(
tenants:
  - id: acme
    vendor: innova360
    pbx: {user: u, password: s3cret})";

TEST(ConnectorConfig, HasADefaultForEverythingButTheTenants) {
  const auto [config, problems] = read("");
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_THAT(config.nats.urls, ElementsAre("nats://127.0.0.1:4222"));
  EXPECT_EQ(config.lease.ttl, std::chrono::seconds(10));
  EXPECT_FALSE(config.instance.empty());
}

TEST(ConnectorConfig, ReadsATenant) {
  const auto [config, problems] = read(kTenant);
  EXPECT_THAT(problems, IsEmpty());
  ASSERT_EQ(config.tenants.size(), 1u);
  const TenantConfig& tenant = config.tenants[0];
  EXPECT_EQ(tenant.id.str(), "acme");
  EXPECT_EQ(tenant.title, "acme");
  EXPECT_STREQ(tenant.vendor->name, "innova360");
  EXPECT_EQ(tenant.settings.text("password"), "s3cret");
  EXPECT_TRUE(tenant.tls.verify);
}

TEST(ConnectorConfig, ReadsTheChoicesOfAVendor) {
  const std::string vodia = "tenants: [{id: v, vendor: vodia, pbx: {host: h, domain: d, user: u";
  const auto plain = read(vodia + "}}]");
  EXPECT_THAT(plain.problems, IsEmpty());
  ASSERT_EQ(plain.config.tenants.size(), 1u);
  EXPECT_EQ(plain.config.tenants[0].settings.text("login"), "auto");

  const auto chosen = read(vodia + ", login: password, generation: legacy}}]");
  EXPECT_THAT(chosen.problems, IsEmpty());
  ASSERT_EQ(chosen.config.tenants.size(), 1u);
  EXPECT_EQ(chosen.config.tenants[0].settings.text("login"), "password");
  EXPECT_EQ(chosen.config.tenants[0].settings.text("generation"), "legacy");
  EXPECT_NE(chosen.config.tenants[0].digest, plain.config.tenants[0].digest);
}

// Each is right by itself; only the vendor knows that they do not go together.
TEST(ConnectorConfig, AsksTheVendorWhetherItsSettingsGoTogether) {
  const auto problems = [](const std::string& settings) {
    return read(
               "inbound: {port: 8443, plain: true}\n"
               "tenants: [{id: i, vendor: innovaphone, pbx: {app_object: gw, password: s3cret" +
               settings + "}}]")
        .problems;
  };
  EXPECT_THAT(problems(", host: h"), IsEmpty());
  EXPECT_THAT(problems(", direction: inbound, url_path: /acme"), IsEmpty());
  EXPECT_THAT(problems(""),
              ElementsAre(AllOf(HasSubstr("tenants[0].pbx.host"), HasSubstr("outbound"))));
  EXPECT_THAT(problems(", direction: inbound"),
              ElementsAre(AllOf(HasSubstr("tenants[0].pbx.url_path"), HasSubstr("inbound"))));
  EXPECT_THAT(problems(", host: h, apps: [{app: gw, password: s3cret}]"),
              ElementsAre(AllOf(HasSubstr("tenants[0].pbx.apps"), Not(HasSubstr("s3cret")))));
}

TEST(ConnectorConfig, SeesEveryChangeOfATenant) {
  const auto digest = [](const std::string& text) {
    return read(text).config.tenants.at(0).digest;
  };
  const auto same = digest(kTenant);
  EXPECT_EQ(digest(kTenant + "\n    tls: {verify: true}"), same);
  for (const char* change :
       {"\n    title: Acme", "\n    tls: {verify: false}", "\n    tls: {server_name: x}",
        "\n    limits: {ping_interval: 7s}", "\n    limits: {message: 1MiB}"}) {
    EXPECT_NE(digest(kTenant + change), same) << change;
  }
  auto other = kTenant;
  other.replace(other.find("s3cret"), 6, "s4cret");
  EXPECT_NE(digest(other), same);
}

TEST(ConnectorConfig, TellsWhatNeedsARestart) {
  const auto fixed = [](const std::string& text) {
    return read("instance: a\n" + text).config.fixed;
  };
  EXPECT_EQ(fixed(kTenant), fixed(""));
  EXPECT_NE(fixed("lease: {ttl: 20s}"), fixed(""));
  EXPECT_NE(fixed("nats: {urls: ['nats://h:1']}"), fixed(""));
}

TEST(ConnectorConfig, TakesSettingsFromTheEnvironment) {
  const auto [config, problems] =
      read("", {{"PBXGW_NATS_URLS", "nats://n1:4222,nats://n2:4222"}, {"PBXGW_LEASE_TTL", "30s"}});
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_THAT(config.nats.urls, ElementsAre("nats://n1:4222", "nats://n2:4222"));
  EXPECT_EQ(config.lease.ttl, std::chrono::seconds(30));
}

// What an operator could type, and the words that have to be in what they read.
TEST(ConnectorConfig, NamesTheFieldAndTheFixOfEveryMistake) {
  struct Case {
    const char* text;
    std::vector<const char*> words;
  };
  const std::vector<Case> cases{
      {"instnace: x", {"gw.yaml:1", "instnace", "instance"}},
      {"threads: many", {"gw.yaml:1", "threads", "many"}},
      {"threads: 0", {"threads", "1"}},
      {"nats: {urls: [http://x]}", {"nats.urls", "nats://host:port"}},
      {"nats: {urls: []}", {"nats.urls"}},
      {"nats: {user: u, token: t}", {"nats.user", "one way to log in"}},
      {"nats: {nkey_public: UABC}", {"nats.nkey_public", "nkey_seed_file"}},
      {"nats: {creds_file: /nowhere}", {"nats.creds_file", "/nowhere"}},
      {"lease: {ttl: 10}", {"lease.ttl", "10s"}},
      {"lease: {ttl: 100ms}", {"lease.ttl", "1s"}},
      {"events: {format: xml}", {"events.format", "protobuf", "json"}},
      {"stream: {duplicate_window: 1h, max_age: 1m}", {"stream.duplicate_window", "max_age"}},
      {"stream: {max_bytes: 1GB}", {"stream.max_bytes", "MiB"}},
      {"admin: {port: 70000}", {"admin.port", "65535"}},
      {"log: {level: loud}", {"log.level", "debug"}},
      {"outbox: {events_max: 1}", {"outbox.events_max", "256"}},
      {"tenants: acme", {"tenants"}},
      {"tenants: [{id: Acme, vendor: innova360, pbx: {user: u, password: p}}]",
       {"tenants[0].id", "lower-case"}},
      {"tenants: [{id: a, vendor: inova360}]", {"tenants[0].vendor", "inova360", "innova360"}},
      {"tenants: [{id: a}]", {"tenants[0].vendor"}},
      {"tenants: [{id: a, vendor: innova360, pbx: {password: p}}]", {"tenants[0].pbx.user"}},
      {"tenants: [{id: a, vendor: innova360, pbx: {user: u}}]", {"tenants[0].pbx.password"}},
      {"tenants: [{id: a, vendor: innova360, pbx: {user: u, password_file: /none}}]",
       {"tenants[0].pbx.password"}},
      {"tenants: [{id: a, vendor: innova360, pbx: {user: u, password: p, hots: h}}]",
       {"tenants[0].pbx.hots", "host"}},
      {"tenants: [{id: a, vendor: innova360, pbx: {user: u, password: p, port: x}}]",
       {"tenants[0].pbx.port"}},
      {"tenants: [{id: a, vendor: innova360, pbx: {user: u, password: p, agents: [{user: 1}]}}]",
       {"tenants[0].pbx.agents[0].device"}},
      {"tenants: [{id: a, vendor: innova360, pbx: {user: u, password: p}, tls: {pinned_sha256: "
       "[ab]}}]",
       {"tenants[0].tls.pinned_sha256", "64 hex digits"}},
      {"tenants: [{id: a, vendor: innova360, pbx: {user: u, password: p}, tls: {min_version: "
       "1.1}}]",
       {"tenants[0].tls.min_version", "1.2"}},
      {"tenants: [{id: a, vendor: innova360, pbx: {user: u, password: p}, limits: {ping_interval: "
       "5}}]",
       {"tenants[0].limits.ping_interval", "5s"}},
      {"tenants: [{id: a, vendor: innova360, pbx: {user: u, password: p}},"
       " {id: a, vendor: innova360, pbx: {user: u, password: p}}]",
       {"tenants[1].id"}},
      {"tenants: [{id: a, vendor: vodia, pbx: {host: h, domain: d, user: u, login: tokn}}]",
       {"tenants[0].pbx.login", "\"tokn\"", "auto, password, token", "did you mean \"token\"?"}},
      {"tenants: [{id: a, vendor: vodia, pbx: {host: h, domain: d, user: u, generation: 70}}]",
       {"tenants[0].pbx.generation", "\"70\"", "auto, legacy, modern"}},
      {"tenants: [{id: a, vendor: vodia, pbx: {host: h, domain: d, user: u, generation: ''}}]",
       {"tenants[0].pbx.generation", "auto, legacy, modern"}},
      {"a: [", {"gw.yaml"}},
  };
  for (const auto& [text, words] : cases) {
    const auto problems = read(text).problems;
    ASSERT_THAT(problems, Not(IsEmpty())) << text;
    for (const char* word : words) {
      EXPECT_THAT(problems, Contains(HasSubstr(word))) << text;
    }
  }
}

TEST(ConnectorConfig, NeverShowsASecret) {
  const auto problems = read(R"(
nats: {user: u, password: hunter2, token: hunter2}
tenants:
  - {id: a, vendor: innova360, pbx: {user: u, password: [hunter2], hots: 1}}
  - {id: b, vendor: innova360, pbx: {user: u, password: hunter2, password_file: /x, password_env: Y}})")
                            .problems;
  ASSERT_THAT(problems, Not(IsEmpty()));
  for (const auto& problem : problems) EXPECT_THAT(problem, Not(HasSubstr("hunter2")));
}

TEST(ConnectorConfig, DocumentsEverySetting) {
  auto document = config::Document::for_reference();
  read_config(document);
  const auto reference = document.reference();
  for (const char* path : {"nats.urls", "tenants[].pbx.host", "tenants[].pbx.agents[].password",
                           "tenants[].tls.verify", "lease.ttl", "outbox.bytes_max"}) {
    EXPECT_THAT(reference, HasSubstr(path));
  }
  EXPECT_THAT(reference,
              HasSubstr("| `tenants[].pbx.generation` | word | `auto` | one of auto, legacy, "
                        "modern |"));
}

}  // namespace
}  // namespace connector
