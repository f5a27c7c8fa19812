#include "rights/rules.h"

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "files.h"
#include "support/jwt_maker.h"
#include "vectors.h"

namespace rights {
namespace {

using support::JwtMaker;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string kHash(64, 'a'), kOtherHash(64, 'b');

struct RulesTest : testing::Test {
  Files files;
  std::vector<std::filesystem::path> read;
  std::vector<config::Problem> problems;

  RulesTest() { files.write("jwks.json", JwtMaker::set_of(vectors::kEdJwk)); }

  Rules rules_of(const std::string& text) {
    read.clear();
    problems.clear();
    return read_rules(files.write("policy.yaml", text), read, problems);
  }
  std::vector<std::string> complaints(const std::string& text) {
    rules_of(text);
    return lines_of(problems);
  }
  // Of a principal whose other settings are right.
  std::vector<std::string> complaints_of(const std::string& settings) {
    return complaints("principals:\n  - name: crm\n    grants: []\n    " + settings + '\n');
  }
};

const std::string kWhole = R"(issuers:
  - issuer: https://login.example.com/
    audience: pbxgw
    keys_file: jwks.json
    algorithms: [EdDSA, ES256]
    clock_skew: 1m
principals:
  - name: crm
    tokens: ["sha256:)" + kHash +
                           R"("]
    certificates: ["cn:crm", "dns:CRM.example", "uri:spiffe://example/crm"]
    subjects:
      - { issuer: "https://login.example.com/", subject: service-crm }
    grants:
      - { tenants: [acme, bolt], groups: [observe, control] }
      - { tenants: ["*"], groups: [observe] }
  - name: monitor
    subjects: [{ issuer: "https://login.example.com/", subject: "*" }]
    grants: []
)";

TEST_F(RulesTest, ReadsAWholeFile) {
  const Rules rules = rules_of(kWhole);
  EXPECT_THAT(lines_of(problems), IsEmpty());
  EXPECT_THAT(read, ElementsAre(files.path / "policy.yaml", files.path / "jwks.json"));

  ASSERT_THAT(rules.issuers, SizeIs(1));
  const Issuer& issuer = rules.issuers[0];
  EXPECT_EQ(issuer.name, "https://login.example.com/");
  EXPECT_EQ(issuer.audience, "pbxgw");
  EXPECT_EQ(issuer.clock_skew, std::chrono::minutes(1));
  EXPECT_THAT(issuer.keys, SizeIs(1));
  EXPECT_FALSE(issuer.algorithms.test(static_cast<std::size_t>(Algorithm::rs256)));
  EXPECT_TRUE(issuer.algorithms.test(static_cast<std::size_t>(Algorithm::eddsa)));

  ASSERT_THAT(rules.members, SizeIs(2));
  const Member& crm = rules.members[0];
  EXPECT_EQ(crm.principal->name(), "crm");
  EXPECT_THAT(crm.token_hashes, ElementsAre(kHash));
  EXPECT_THAT(crm.certificates,
              ElementsAre("cn:crm", "dns:crm.example", "uri:spiffe://example/crm"));
  EXPECT_THAT(crm.subjects, ElementsAre(Subject{issuer.name, "service-crm"}));
  EXPECT_TRUE(crm.principal->may(base::TenantId("bolt"), Group::control));
  EXPECT_FALSE(crm.principal->may(base::TenantId("dune"), Group::control));
  EXPECT_TRUE(crm.principal->may_everywhere(Group::observe));
  EXPECT_FALSE(rules.members[1].principal->may_anywhere(Group::observe));
}

TEST_F(RulesTest, ReadsTheExampleOfTheDocumentation) {
  std::ifstream in(POLICY_DOC);
  const std::string doc{std::istreambuf_iterator<char>(in), {}};
  const std::string_view fence = "```yaml\n";
  const auto from = doc.find(fence) + fence.size();
  ASSERT_GE(from, fence.size());
  const auto to = doc.find("```", from);
  ASSERT_NE(to, std::string::npos);
  const Rules rules = rules_of(doc.substr(from, to - from));
  EXPECT_THAT(lines_of(problems), IsEmpty());
  EXPECT_THAT(rules.members, SizeIs(2));
}

TEST_F(RulesTest, NamesTenantsAsTheConnectorsDo) {
  for (const char* name : {"Acme", "acme.", "-acme", "acme/bolt", "\"**\"", "\"\""}) {
    EXPECT_THAT(complaints("principals: [{name: a, certificates: [\"cn:a\"], grants: [{tenants: [" +
                           std::string(name) + "], groups: [observe]}]}]"),
                ElementsAre(HasSubstr("expected a tenant's id, or \"*\"")))
        << name;
  }
}

TEST_F(RulesTest, TakesEveryAlgorithmAndHalfAMinuteIfNothingIsSaid) {
  const Rules rules = rules_of(
      "issuers: [{issuer: i, audience: a, keys_file: jwks.json}]\n"
      "principals: [{name: a, subjects: [{issuer: i, subject: s}], grants: []}]\n");
  EXPECT_THAT(lines_of(problems), IsEmpty());
  EXPECT_TRUE(rules.issuers[0].algorithms.all());
  EXPECT_EQ(rules.issuers[0].clock_skew, std::chrono::seconds(30));
}

TEST_F(RulesTest, SaysEverythingThatIsWrongAtOnce) {
  EXPECT_THAT(
      complaints(R"(issuers:
  - issuer: https://login.example.com/
    keys_file: none.json
    algorithms: [HS256]
    clock_skew: 1h
principals:
  - name: CRM
    tokenz: []
    certificates: [crm]
    grants:
      - { tenants: [], groups: [observe] }
      - { tenants: ["*", acme], groups: [everything] }
  - name: bare
)"),
      ElementsAre(
          HasSubstr("policy.yaml:2: issuers[0].audience: missing"),
          HasSubstr("policy.yaml:4: issuers[0].algorithms[0]: found \"HS256\"; expected one "
                    "of RS256, ES256, EdDSA"),
          HasSubstr("policy.yaml:5: issuers[0].clock_skew: found \"1h\""),
          HasSubstr("policy.yaml:7: principals[0].name: found \"CRM\"; expected lower-case"),
          HasSubstr("policy.yaml:8: principals[0].tokenz: unknown setting; did you mean"),
          HasSubstr("policy.yaml:9: principals[0].certificates[0]: found \"crm\"; expected "
                    "cn:, dns: or uri: and a name"),
          HasSubstr("policy.yaml:11: principals[0].grants[0].tenants: found 0 items"),
          HasSubstr("policy.yaml:12: principals[0].grants[1].tenants: \"*\" has to stand "
                    "alone"),
          HasSubstr("policy.yaml:12: principals[0].grants[1].groups[0]: found "
                    "\"everything\"; expected one of observe, control, provision, admin"),
          HasSubstr("policy.yaml:13: principals[1].tokens: missing"),
          HasSubstr("policy.yaml:13: principals[1].grants: missing"),
          HasSubstr("none.json: cannot be read: No such file")));
}

TEST_F(RulesTest, NeedsPrincipals) {
  EXPECT_THAT(complaints(""), ElementsAre(HasSubstr("principals: missing")));
  EXPECT_THAT(complaints("principals: []"), ElementsAre(HasSubstr("principals: found 0 items")));
  EXPECT_THAT(complaints("principals: [x]"), ElementsAre(HasSubstr("principals[0]: found \"x\"")));
  EXPECT_THAT(complaints(": ["), ElementsAre(HasSubstr("cannot be read as YAML")));
}

TEST_F(RulesTest, CannotBeRead) {
  read_rules(files.path / "none.yaml", read, problems);
  EXPECT_THAT(lines_of(problems), ElementsAre(HasSubstr("none.yaml: cannot be opened")));
  EXPECT_THAT(read, ElementsAre(files.path / "none.yaml")) << "it may still come";
}

TEST_F(RulesTest, DoesNotShowATokenThatStandsWhereItsHashBelongs) {
  const std::string token = "4f6e7c1b9d-the-token-itself";
  for (const std::string& settings :
       {"tokens: [" + token + "]", "tokens: " + token, "tokens: [\"sha256:" + token + "\"]",
        "tokens: [\"" + token + "\\0\"]", "tokens: [" + token + std::string(300, 'x') + "]"}) {
    const auto said = complaints_of(settings);
    EXPECT_THAT(said, Not(IsEmpty())) << settings;
    EXPECT_THAT(said, Not(Contains(HasSubstr("the-token")))) << settings;
  }
  EXPECT_THAT(complaints_of("tokens: [" + token + "]"),
              ElementsAre("policy.yaml:4: principals[0].tokens: expected hashes of tokens: sha256: "
                          "and 64 hex digits"));
}

TEST_F(RulesTest, TakesHashesInAnyCase) {
  const Rules rules = rules_of("principals: [{name: a, tokens: [\"SHA256:" + std::string(64, 'A') +
                               "\"], grants: []}]");
  EXPECT_THAT(lines_of(problems), IsEmpty());
  EXPECT_THAT(rules.members[0].token_hashes, ElementsAre(kHash));
}

TEST_F(RulesTest, GivesNothingToTwoPrincipals) {
  files.write("jwks.json", JwtMaker::set_of(vectors::kEdJwk));
  EXPECT_THAT(
      complaints(R"(issuers: [{issuer: i, audience: a, keys_file: jwks.json}]
principals:
  - name: one
    tokens: ["sha256:)" +
                 kHash + R"(", "sha256:)" + kOtherHash + R"("]
    certificates: ["dns:CRM.example", "cn:x", "cn:x"]
    subjects: [{issuer: i, subject: s}]
    grants: []
  - name: two
    tokens: ["sha256:)" +
                 kHash + R"("]
    certificates: ["dns:crm.example", "cn:X"]
    subjects: [{issuer: i, subject: s}, {issuer: i, subject: "*"}]
    grants: []
  - name: one
    subjects: [{issuer: i, subject: "*"}]
    grants: []
)"),
      ElementsAre(HasSubstr(":5: principals[0].certificates: \"cn:x\" stands here twice"),
                  HasSubstr(":9: principals[1].tokens: a token is one's already, and cannot "
                            "be two's, too"),
                  HasSubstr(":10: principals[1].certificates: \"dns:crm.example\" is one's "
                            "already"),
                  HasSubstr(":11: principals[1].subjects[0].subject: \"s\" is one's already"),
                  HasSubstr(":13: principals[2].name: \"one\" is already in line 3"),
                  HasSubstr(":14: principals[2].subjects[0].subject: \"*\" is two's "
                            "already")));
}

TEST_F(RulesTest, KnowsTheIssuersOfItsSubjects) {
  EXPECT_THAT(
      complaints_of("subjects: [{issuer: i, subject: s}]"),
      ElementsAre(HasSubstr("subjects[0].issuer: found \"i\"; expected one of the issuers")));
  EXPECT_THAT(complaints_of("subjects: [{issuer: i}]"),
              ElementsAre(HasSubstr("subjects[0].subject: missing")));
  EXPECT_THAT(complaints("issuers: [{issuer: i, audience: a, keys_file: jwks.json}, {issuer: i, "
                         "audience: b, keys_file: jwks.json}]\n"
                         "principals: [{name: a, certificates: [\"cn:a\"], grants: []}]"),
              ElementsAre(HasSubstr("issuers[1].issuer: \"i\" is already in line 1")));
}

TEST_F(RulesTest, KeepsTheNameOfTheOpenPolicyFree) {
  EXPECT_THAT(complaints("principals: [{name: anyone, certificates: [\"cn:a\"], grants: []}]"),
              ElementsAre(HasSubstr("\"anyone\" is who calls where there is no policy")));
}

TEST_F(RulesTest, SaysWhatIsWrongWithAKeySet) {
  files.write("jwks.json", "{}");
  EXPECT_THAT(complaints(kWhole), ElementsAre(HasSubstr("jwks.json: is no JWK set")));
  std::filesystem::remove(files.path / "jwks.json");
  std::filesystem::create_directory(files.path / "jwks.json");
  EXPECT_THAT(complaints(kWhole), ElementsAre(HasSubstr("jwks.json: is a folder")));
}

TEST_F(RulesTest, HasLimits) {
  std::string many = "principals:\n";
  for (int i = 0; i < 1'001; ++i) {
    many += "  - {name: p" + std::to_string(i) + ", certificates: [\"cn:" + std::to_string(i) +
            "\"], grants: []}\n";
  }
  EXPECT_THAT(complaints(many), ElementsAre(HasSubstr("principals: found 1001 items; expected 1 to "
                                                      "1000")));
  std::string certificates;
  for (int i = 0; i < 101; ++i) certificates += "\"cn:" + std::to_string(i) + "\",";
  EXPECT_THAT(complaints_of("certificates: [" + certificates + "]"),
              ElementsAre(HasSubstr("expected 0 to 100")));
  EXPECT_THAT(complaints("principals: [{name: " + std::string(65, 'a') +
                         ", certificates: [\"cn:a\"], grants: []}]"),
              ElementsAre(HasSubstr("at most 64 characters")));
}

TEST_F(RulesTest, TellsWhatIsAnother) {
  const Rules before = rules_of(kWhole);
  EXPECT_TRUE(differences(before, rules_of(kWhole)).empty());

  auto text = kWhole;
  text.replace(text.find("name: monitor"), 13, "name: watcher");
  text.replace(text.find("[acme, bolt]"), 12, "[acme]");
  auto found = differences(before, rules_of(text));
  EXPECT_THAT(found.added, ElementsAre("watcher"));
  EXPECT_THAT(found.removed, ElementsAre("monitor"));
  EXPECT_THAT(found.changed, ElementsAre("crm"));
  EXPECT_THAT(found.issuers, IsEmpty());

  files.write("jwks.json", JwtMaker::set_of(vectors::kEcJwk));
  found = differences(before, rules_of(kWhole));
  EXPECT_THAT(found.issuers, ElementsAre("https://login.example.com/"));
  EXPECT_THAT(found.changed, IsEmpty());
}

TEST_F(RulesTest, TellsAnyChangeOfAPrincipal) {
  const Rules before = rules_of(kWhole);
  for (const auto& [from, to] : {std::pair{kHash, kOtherHash},
                                 std::pair<std::string, std::string>{"cn:crm", "cn:other"},
                                 {"subject: service-crm", "subject: other"},
                                 {"groups: [observe, control]", "groups: [observe, admin]"}}) {
    auto text = kWhole;
    text.replace(text.find(from), from.size(), to);
    EXPECT_THAT(differences(before, rules_of(text)).changed, ElementsAre("crm")) << to;
  }
}

TEST_F(RulesTest, IsDescribedWithoutSecrets) {
  const auto text = description_of(rules_of(kWhole));
  EXPECT_EQ(text, R"(issuer https://login.example.com/: 1 keys, audience pbxgw
crm
  by 1 static tokens
  by the certificate of cn:crm
  by the certificate of dns:crm.example
  by the certificate of uri:spiffe://example/crm
  by tokens of https://login.example.com/ for service-crm
  may observe, control for acme, bolt
  may observe for all tenants
monitor
  by tokens of https://login.example.com/ for anybody else
  may nothing
)");
}

}  // namespace
}  // namespace rights
