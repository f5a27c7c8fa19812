#include "rights/policy.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "files.h"
#include "rights/encoding.h"
#include "support/jwt_maker.h"

namespace rights {
namespace {

using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kToken = "0d9c4f5e0b3a4b1f8f2e6a7c9d1e3f50";

// A policy with one principal for each way to be known.
struct PolicyTest : testing::Test {
  using Clock = std::chrono::system_clock;

  Files files;
  support::JwtMaker issuer{"EdDSA"};
  Clock::time_point now{std::chrono::seconds(1'800'000'000)};
  std::shared_ptr<const Policy> policy = load();

  std::shared_ptr<const Policy> load() {
    files.write("jwks.json", issuer.jwk_set());
    std::vector<config::Problem> problems;
    auto loaded = Policy::load(files.write("policy.yaml", R"(
issuers: [{issuer: "https://i/", audience: pbxgw, keys_file: jwks.json}]
principals:
  - name: script
    tokens: ["sha256:)" + sha256_hex(kToken) + R"("]
    grants: [{tenants: [acme], groups: [observe]}]
  - name: crm
    certificates: ["cn:crm", "dns:crm.example"]
    grants: [{tenants: [acme], groups: [control]}]
  - name: billing
    certificates: ["uri:spiffe://example/billing"]
    grants: []
  - name: console
    subjects: [{issuer: "https://i/", subject: alice}]
    grants: [{tenants: ["*"], groups: [admin]}]
  - name: staff
    subjects: [{issuer: "https://i/", subject: "*"}]
    grants: []
)"),
                               problems);
    EXPECT_THAT(lines_of(problems), IsEmpty());
    return loaded;
  }

  std::string jwt(const std::string& subject, const std::string& audience = "pbxgw",
                  int lives = 60) const {
    const auto end = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
    return issuer.token(R"({"iss":"https://i/","aud":")" + audience + R"(","sub":")" + subject +
                        R"(","exp":)" + std::to_string(end.count() + lives) + '}');
  }

  // "crm by certificate", or what was said instead.
  std::string who(const Credentials& shown, base::Error expected = {}) const {
    const auto it = policy->identify(shown, now);
    if (it) return it->principal->name() + " by " + std::string(name_of(it->means));
    EXPECT_EQ(it.error().why, expected) << it.error().detail;
    return it.error().detail;
  }
};

TEST_F(PolicyTest, KnowsATokenByItsHash) {
  EXPECT_EQ(who({kToken, {}}), "script by token");
  EXPECT_EQ(policy->identify({kToken, {}}, now)->expires, std::nullopt);
  for (const auto& other : {std::string(kToken) + "\n", std::string(kToken).substr(1),
                            sha256_hex(kToken), "sha256:" + sha256_hex(kToken)}) {
    EXPECT_EQ(who({other, {}}, Errc::credentials_invalid),
              "the token is none that the policy knows, and no JWT");
  }
}

TEST_F(PolicyTest, KnowsTheSubjectOfAToken) {
  EXPECT_EQ(who({jwt("alice"), {}}), "console by jwt");
  EXPECT_EQ(policy->identify({jwt("alice"), {}}, now)->expires, now + std::chrono::seconds(90));
  EXPECT_EQ(who({jwt("bob"), {}}), "staff by jwt");
  EXPECT_EQ(who({jwt("*"), {}}), "staff by jwt");
}

TEST_F(PolicyTest, SaysWhoItWasWhereEverybodyIsOne) {
  EXPECT_EQ(policy->identify({jwt("bob"), {}}, now)->subject, "bob");
  EXPECT_EQ(policy->identify({jwt("carol"), {}}, now)->subject, "carol");
  EXPECT_EQ(policy->identify({jwt("bob"), {}}, now)->subject, "bob") << "from memory";
  EXPECT_EQ(policy->identify({"", {"dns:other", "dns:CRM.example"}}, now)->subject,
            "dns:crm.example");
  EXPECT_EQ(policy->identify({kToken, {}}, now)->subject, "");
}

TEST_F(PolicyTest, VerifiesATokenOnceForAsLongAsItLives) {
  const Credentials shown{jwt("bob"), {}};
  EXPECT_TRUE(policy->is_costly(shown, now));
  EXPECT_EQ(who(shown), "staff by jwt");
  EXPECT_FALSE(policy->is_costly(shown, now));
  EXPECT_FALSE(policy->is_costly(shown, now + std::chrono::seconds(89)));
  EXPECT_TRUE(policy->is_costly(shown, now + std::chrono::seconds(90)));
  now += std::chrono::seconds(90);
  EXPECT_THAT(who(shown, Errc::credentials_expired), HasSubstr("the token expired"));
}

TEST_F(PolicyTest, RemembersNoTokenOfAnotherPolicy) {
  const Credentials shown{jwt("bob"), {}};
  EXPECT_EQ(who(shown), "staff by jwt");
  issuer = support::JwtMaker("EdDSA");  // with another key
  policy = load();
  EXPECT_TRUE(policy->is_costly(shown, now));
  EXPECT_THAT(who(shown, Errc::credentials_invalid), HasSubstr("signature"));
  EXPECT_TRUE(policy->is_costly(shown, now)) << "nor one that is no good";
}

TEST_F(PolicyTest, KnowsWhatCostsALookIntoATable) {
  for (const Credentials& shown :
       {Credentials{}, Credentials{kToken, {}}, Credentials{"wrong", {}},
        Credentials{"", {"cn:crm"}}, Credentials{std::string(8'193, '.'), {}}}) {
    EXPECT_FALSE(policy->is_costly(shown, now)) << shown.bearer;
  }
  EXPECT_TRUE(policy->is_costly({"a.b.c", {}}, now));
  EXPECT_FALSE(Policy::open()->is_costly({"a.b.c", {}}, now));
}

TEST_F(PolicyTest, KnowsACertificateUntilItExpires) {
  const auto end = now + std::chrono::seconds(60);
  EXPECT_EQ(policy->identify({"", {"cn:crm"}, end}, now)->expires, end);
  EXPECT_EQ(policy->identify({"", {"cn:crm"}}, now)->expires, std::nullopt);
  EXPECT_EQ(who({"", {"cn:crm"}, now}, Errc::credentials_expired),
            "the certificate has expired: connect anew, with a newer one");
  EXPECT_EQ(who({kToken, {"cn:crm"}, now}), "script by token") << "it is not what counts";
}

TEST_F(PolicyTest, SaysWhatIsWrongWithAToken) {
  EXPECT_THAT(who({jwt("alice", "other"), {}}, Errc::credentials_invalid), HasSubstr("(aud)"));
  EXPECT_THAT(who({jwt("alice", "pbxgw", -60), {}}, Errc::credentials_expired),
              HasSubstr("the token expired at 2027-01-15T07:59:00Z"));
  EXPECT_THAT(who({jwt("alice") + "x", {}}, Errc::credentials_invalid), HasSubstr("signature"));
}

TEST_F(PolicyTest, DoesNotKnowEachSubject) {
  std::vector<config::Problem> problems;
  policy = Policy::load(files.write("policy.yaml", R"(
issuers: [{issuer: "https://i/", audience: pbxgw, keys_file: jwks.json}]
principals: [{name: console, subjects: [{issuer: "https://i/", subject: alice}], grants: []}]
)"),
                        problems);
  EXPECT_EQ(who({jwt("bob"), {}}, Errc::credentials_invalid),
            "the token is right, but the policy does not know its subject (sub)");
}

TEST_F(PolicyTest, KnowsTheNamesOfACertificate) {
  EXPECT_EQ(who({"", {"cn:crm"}}), "crm by certificate");
  EXPECT_EQ(who({"", {"dns:other.example", "dns:CRM.Example", "cn:crm"}}), "crm by certificate");
  EXPECT_EQ(who({"", {"uri:spiffe://example/billing"}}), "billing by certificate");
  for (const char* other : {"crm", "cn:CRM", "cn:crm ", "dns:crm", "uri:cn:crm",
                            "cn:", "dns:*.example", "uri:spiffe://example/"}) {
    EXPECT_EQ(who({"", {other}}, Errc::credentials_invalid),
              "the policy knows none of the certificate's names")
        << other;
  }
}

TEST_F(PolicyTest, RefusesACertificateOfTwoPrincipals) {
  EXPECT_EQ(who({"", {"cn:crm", "uri:spiffe://example/billing"}}, Errc::credentials_invalid),
            "the certificate has the names of two principals");
}

TEST_F(PolicyTest, CountsTheBearerOfBoth) {
  EXPECT_EQ(who({kToken, {"cn:crm"}}), "script by token");
  EXPECT_EQ(who({"wrong", {"cn:crm"}}, Errc::credentials_invalid),
            "the token is none that the policy knows, and no JWT")
      << "no falling back";
}

TEST_F(PolicyTest, AsksForCredentials) {
  EXPECT_THAT(who({}, Errc::unauthenticated), HasSubstr("no credentials"));
}

TEST_F(PolicyTest, ReadsNoTokenBeyondItsLimit) {
  EXPECT_EQ(who({std::string(8'193, 'x'), {}}, Errc::credentials_invalid),
            "the token is longer than 8192 bytes");
  EXPECT_EQ(who({std::string(8'192, 'x'), {}}, Errc::credentials_invalid),
            "the token is none that the policy knows, and no JWT");
  EXPECT_THAT(who({std::string(4'000, '.'), {}}, Errc::credentials_invalid), HasSubstr("no JWT"));
}

TEST_F(PolicyTest, LetsEverybodyInWhereItIsOpen) {
  policy = Policy::open();
  EXPECT_TRUE(policy->is_open());
  EXPECT_THAT(policy->files(), IsEmpty());
  EXPECT_EQ(who({}), "anyone by none");
  EXPECT_EQ(who({"whatever", {"cn:crm"}}), "anyone by none");
  const auto it = policy->identify({}, now);
  for (const Group group : kGroups) EXPECT_TRUE(it->principal->may_everywhere(group));
}

TEST_F(PolicyTest, KnowsItsFilesEvenIfTheyAreWrong) {
  EXPECT_FALSE(policy->is_open());
  EXPECT_THAT(policy->files(), ElementsAre(files.path / "policy.yaml", files.path / "jwks.json"));
  files.write("jwks.json", "{}");
  std::vector<config::Problem> problems;
  std::vector<std::filesystem::path> tried;
  EXPECT_EQ(Policy::load(files.path / "policy.yaml", problems, &tried), nullptr);
  EXPECT_THAT(lines_of(problems), ElementsAre(HasSubstr("jwks.json: is no JWK set")));
  EXPECT_THAT(tried, ElementsAre(files.path / "policy.yaml", files.path / "jwks.json"));
}

}  // namespace
}  // namespace rights
