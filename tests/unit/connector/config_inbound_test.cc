#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "connector/config.h"

namespace connector {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Read {
  Config config;
  std::vector<std::string> problems;
};

Read read(const std::string& text) {
  auto document = config::Document::parse(text, "gw.yaml", {});
  Read read;
  read.config = read_config(document);
  for (const auto& problem : document.finish()) read.problems.push_back(problem.text());
  return read;
}

TEST(ConnectorConfigInbound, ListensNowhereUnlessTold) {
  const auto [config, problems] = read("");
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_EQ(config.inbound.port, 0);
}

TEST(ConnectorConfigInbound, ReadsTheListener) {
  const auto [config, problems] = read(R"(
inbound:
  address: 192.0.2.1
  port: 8443
  plain: true
  connections_max: 7
  per_address_max: 5
  login_limit: 3s
  handover_limit: 4s)");
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_EQ(config.inbound.address, "192.0.2.1");
  EXPECT_EQ(config.inbound.port, 8443);
  EXPECT_TRUE(config.inbound.plain);
  EXPECT_EQ(config.inbound.connections_max, 7u);
  EXPECT_EQ(config.inbound.per_address_max, 5u);
  EXPECT_EQ(config.inbound.login_limit, std::chrono::seconds(3));
  EXPECT_EQ(config.inbound.handover_limit, std::chrono::seconds(4));
}

TEST(ConnectorConfigInbound, NamesEachMistake) {
  struct Case {
    const char* text;
    std::vector<const char*> words;
  };
  const std::vector<Case> cases{
      {"inbound: {port: 8443}", {"inbound.certificate_file", "plain"}},
      {"inbound: {port: 8443, certificate_file: /etc/passwd}", {"inbound.key_file"}},
      {"inbound: {port: 8443, plain: true, certificate_file: /etc/passwd, key_file: /etc/passwd}",
       {"inbound.plain"}},
      {"inbound: {port: 70000}", {"inbound.port", "65535"}},
      {"inbound: {login_limit: 1ms}", {"inbound.login_limit", "100ms"}},
  };
  for (const auto& [text, words] : cases) {
    const auto problems = read(text).problems;
    EXPECT_THAT(problems, SizeIs(1)) << text;
    for (const char* word : words) EXPECT_THAT(problems, Contains(HasSubstr(word))) << text;
  }
}

TEST(ConnectorConfigInbound, TellsThatTheListenerNeedsARestart) {
  const auto fixed = [](const std::string& text) {
    return read("instance: a\n" + text).config.fixed;
  };
  EXPECT_NE(fixed("inbound: {port: 1, plain: true}"), fixed(""));
  EXPECT_NE(fixed("inbound: {login_limit: 1s}"), fixed(""));
}

TEST(ConnectorConfigInbound, MakesNoDifferenceOfASlashAtTheEnd) {
  EXPECT_EQ(normal_path("/acme//"), "/acme");
  EXPECT_EQ(normal_path("/"), "/");
}

std::string tenants(const std::vector<std::pair<std::string, std::string>>& paths) {
  std::string text = "tenants:";
  for (const auto& [id, path] : paths) {
    text += "\n  - {id: " + id +
            ", vendor: innovaphone, pbx: {direction: inbound, app_object: g, " +
            "password: p, url_path: " + path + "}}";
  }
  return text;
}

TEST(ConnectorConfigInbound, ReadsWhereTheTenantsPbxsConnect) {
  const auto [config, problems] =
      read("inbound: {port: 8443, plain: true}\n" + tenants({{"acme", "/acme/"}, {"bolt", "/b"}}));
  EXPECT_THAT(problems, IsEmpty());
  ASSERT_THAT(config.tenants, SizeIs(2));
  EXPECT_EQ(config.tenants[0].path, "/acme");
  EXPECT_EQ(config.tenants[1].path, "/b");
}

TEST(ConnectorConfigInbound, RefusesTwoTenantsOnOnePath) {
  const auto [config, problems] = read("inbound: {port: 8443, plain: true}\n" +
                                       tenants({{"acme", "/acme"}, {"bolt", "/acme/"}}));
  EXPECT_THAT(problems, ElementsAre(AllOf(HasSubstr("tenants[1]"), HasSubstr("\"acme\""),
                                          HasSubstr("\"bolt\""), HasSubstr("/acme"))));
}

TEST(ConnectorConfigInbound, RefusesATenantWhosePbxHasNowhereToConnect) {
  const auto [config, problems] = read(tenants({{"acme", "/acme"}}));
  EXPECT_THAT(problems, ElementsAre(AllOf(HasSubstr("tenants[0]"), HasSubstr("inbound.port"))));
}

}  // namespace
}  // namespace connector
