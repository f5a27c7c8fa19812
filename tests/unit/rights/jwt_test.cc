#include "rights/jwt.h"

#include <gmock/gmock.h>

#include "jwt_fixture.h"

namespace rights {
namespace {

using base::Errc;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

struct JwtTest : JwtFixture {};

TEST_F(JwtTest, BelievesWhatItsIssuerSigned) {
  for (const auto* maker : {&rsa, &ec, &ed}) {
    const auto verified = verify(maker->token(json()));
    ASSERT_TRUE(verified) << verified.error().detail;
    EXPECT_EQ(verified->issuer, &rules.issuers[0]);
    EXPECT_EQ(verified->subject, "crm");
    EXPECT_EQ(verified->expires, now + seconds(630)) << "with the clock skew";
  }
}

TEST_F(JwtTest, TakesTheTypesOfAccessTokens) {
  for (const char* type : {"JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"}) {
    EXPECT_THAT(refused(ec.token(R"({"alg":"ES256","typ":")" + std::string(type) + "\"}", json())),
                IsEmpty())
        << type;
  }
  EXPECT_THAT(refused(ec.token(R"({"alg":"ES256"})", json())), IsEmpty());
  for (const char* type : {"\"logout+jwt\"", "\"dpop+jwt\"", "\"\"", "7", "null"}) {
    EXPECT_THAT(refused(ec.token(R"({"alg":"ES256","typ":)" + std::string(type) + "}", json())),
                HasSubstr("another type (typ)"))
        << type;
  }
}

TEST_F(JwtTest, ExpiresAfterItsTimeAndTheSkew) {
  now = Clock::time_point(seconds(kNow + 629));
  EXPECT_THAT(refused(token()), IsEmpty());
  now += seconds(1);
  EXPECT_EQ(refused(token(), Errc::credentials_expired),
            "the token expired at 2027-01-15T08:10:00Z");
  EXPECT_THAT(refused_with("exp", "0", Errc::credentials_expired),
              HasSubstr("1970-01-01T00:00:00Z"));
}

TEST_F(JwtTest, HasToSayWhenItExpires) {
  for (const char* value : {"", "\"1800000600\"", "null", "true", "-1", "[]"}) {
    EXPECT_THAT(refused_with("exp", value), HasSubstr("(exp)")) << value;
  }
}

TEST_F(JwtTest, TakesTimesOfAnySize) {
  for (const char* value :
       {"1800000600.5", "1.8000006e9", "9000000000000000000", "1e300", "18446744073709551615"}) {
    EXPECT_THAT(refused_with("exp", value), IsEmpty()) << value;
  }
}

TEST_F(JwtTest, IsNotValidBeforeItsTime) {
  EXPECT_THAT(refused_with("nbf", std::to_string(kNow + 30)), IsEmpty());
  EXPECT_EQ(refused_with("nbf", std::to_string(kNow + 31)),
            "the token is not valid before 2027-01-15T08:00:31Z");
  EXPECT_THAT(refused_with("iat", std::to_string(kNow + 30)), IsEmpty());
  EXPECT_EQ(refused_with("iat", std::to_string(kNow + 31)),
            "the token was issued in the future, at 2027-01-15T08:00:31Z");
  EXPECT_EQ(refused_with("nbf", "\"soon\""), "the token's nbf is no time");
  EXPECT_EQ(refused_with("iat", "-5"), "the token's iat is no time");
}

TEST_F(JwtTest, IsForUs) {
  EXPECT_THAT(refused_with("aud", R"(["other","pbxgw"])"), IsEmpty());
  for (const char* value : {"", "\"other\"", "[]", R"(["other"])", "7", R"({"pbxgw":1})",
                            "\"PBXGW\"", "\"pbxgw \"", R"([["pbxgw"]])"}) {
    EXPECT_EQ(refused_with("aud", value), "the token is for another audience (aud) than \"pbxgw\"")
        << value;
  }
  std::string many = "[\"pbxgw\"";
  for (int i = 0; i < 64; ++i) many += ",\"x\"";
  EXPECT_THAT(refused_with("aud", many + ']'), HasSubstr("(aud)"));
}

TEST_F(JwtTest, IsOfAnIssuerThatThePolicyKnows) {
  for (const char* value :
       {"", "\"https://login.example.com\"", "\"HTTPS://LOGIN.EXAMPLE.COM/\"",
        "\"https://evil.example/\"", "7", R"(["https://login.example.com/"])"}) {
    EXPECT_EQ(refused_with("iss", value), "the token's issuer (iss) is none that the policy knows")
        << value;
  }
}

TEST_F(JwtTest, SaysWhomItIsAbout) {
  for (const auto& value :
       {std::string(), std::string("\"\""), std::string("7"), '"' + std::string(257, 'x') + '"'}) {
    EXPECT_EQ(refused_with("sub", value), "the token does not say whom it is about (sub)") << value;
  }
}

TEST_F(JwtTest, IsSignedByTheKeyThatItNames) {
  EXPECT_THAT(refused(ec.token(R"({"alg":"ES256","kid":"ec"})", json())), IsEmpty());
  for (const char* id : {"\"other\"", "\"rsa\"", "\"\"", R"("ec\u0000")"}) {
    EXPECT_EQ(refused(ec.token(R"({"alg":"ES256","kid":)" + std::string(id) + "}", json())),
              "the token's key (kid) is none of its issuer's for its algorithm")
        << id;
  }
  EXPECT_EQ(refused(ec.token(R"({"alg":"ES256","kid":7})", json())),
            "the token's key (kid) is no text");
}

// While keys are rotated there are two, and a token that names none is signed by either.
TEST_F(JwtTest, IsSignedByAnyKeyIfItNamesNone) {
  rules.issuers[0].keys = keys_of(support::JwtMaker("ES256", "older").jwk() + ',' + ec.jwk());
  EXPECT_THAT(refused(ec.token(R"({"alg":"ES256"})", json())), IsEmpty());
  EXPECT_EQ(refused(ed.token(R"({"alg":"EdDSA"})", json())),
            "the token's issuer has no key for the token's algorithm");

  std::string many = ec.jwk();
  for (int i = 0; i < 8; ++i) {
    many += ',' + support::JwtMaker("ES256", std::to_string(i)).jwk();
  }
  rules.issuers[0].keys = keys_of(many);
  EXPECT_THAT(refused(ec.token(R"({"alg":"ES256","kid":"ec"})", json())), IsEmpty());
  EXPECT_EQ(refused(ec.token(R"({"alg":"ES256"})", json())),
            "the token does not say its key (kid), and its issuer has too many");
}

TEST_F(JwtTest, IsSignedAsThePolicyAllows) {
  rules.issuers[0].algorithms.reset();
  rules.issuers[0].algorithms.set(static_cast<std::size_t>(Algorithm::rs256));
  EXPECT_THAT(refused(rsa.token(json())), IsEmpty());
  EXPECT_EQ(refused(ec.token(json())),
            "the token's algorithm (alg) is none that we take of its issuer");
}

TEST_F(JwtTest, IsOneIssuersAlone) {
  Issuer second = rules.issuers[0];
  second.name = "https://other.example/";
  second.keys = keys_of(stranger.jwk());
  rules.issuers.push_back(second);
  EXPECT_EQ(refused(stranger.token(json())), "the token's signature is wrong");
  claims["iss"] = "\"https://other.example/\"";
  EXPECT_EQ(verify(stranger.token(json()))->issuer, &rules.issuers[1]);
  EXPECT_EQ(refused(ec.token(json())), "the token's signature is wrong");
}

}  // namespace
}  // namespace rights
