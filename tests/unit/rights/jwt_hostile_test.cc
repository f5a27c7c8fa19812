#include <string>

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "jwt_fixture.h"
#include "rights/jwt.h"

namespace rights {
namespace {

using support::JwtMaker;
using support::to_base64url;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Tokens by whoever has no key of the issuer's.
struct JwtHostileTest : JwtFixture {
  static std::string signed_part(std::string_view header, std::string_view payload) {
    return to_base64url(header) + '.' + to_base64url(payload);
  }
  static std::string hmac(std::string_view key, std::string_view text) {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), out, &size);
    return std::string(reinterpret_cast<char*>(out), size);
  }
  // The token with its n-th part replaced.
  static std::string with_part(const std::string& token, int n, const std::string& part) {
    const auto first = token.find('.'), last = token.rfind('.');
    if (n == 0) return part + token.substr(first);
    if (n == 1) return token.substr(0, first + 1) + part + token.substr(last);
    return token.substr(0, last + 1) + part;
  }
};

TEST_F(JwtHostileTest, IsNotSignedAtAll) {
  for (const char* name : {"none", "None", "nOnE", "NONE", ""}) {
    const auto part = signed_part(R"({"alg":")" + std::string(name) + "\"}", json());
    for (const auto& signature : {std::string(), ec.signature(part), std::string("x")}) {
      EXPECT_THAT(refused(part + '.' + to_base64url(signature)), HasSubstr("(alg)")) << name;
    }
  }
  for (const char* header : {"{}", R"({"alg":null})", R"({"alg":["ES256"]})", R"({"alg":0})"}) {
    EXPECT_THAT(refused(ec.token(header, json())), HasSubstr("(alg)")) << header;
  }
  EXPECT_EQ(refused(with_part(token(), 2, "")), "the token's signature is wrong");
}

// The old trick: what verifies RSA takes its public key for HMAC's secret.
TEST_F(JwtHostileTest, IsSignedWithAPublicKeyAsSecret) {
  for (const auto& secret : {rsa.jwk(), rsa.jwk_set(), ec.jwk(), std::string()}) {
    for (const char* name : {"HS256", "RS256", "ES256"}) {
      const auto part = signed_part(R"({"alg":")" + std::string(name) + "\"}", json());
      EXPECT_THAT(refused(part + '.' + to_base64url(hmac(secret, part))), Not(IsEmpty()));
    }
  }
}

TEST_F(JwtHostileTest, BringsItsOwnKey) {
  const std::string jwk = stranger.jwk();
  for (const auto& extra :
       {R"("jwk":)" + jwk, std::string(R"("jku":"https://evil.example/jwks.json")"),
        std::string(R"("x5u":"https://evil.example/x.pem")"), std::string(R"("x5c":["AAAA"])")}) {
    EXPECT_EQ(refused(stranger.token(R"({"alg":"ES256",)" + extra + '}', json())),
              "the token's signature is wrong");
    EXPECT_THAT(refused(ec.token(R"({"alg":"ES256",)" + extra + '}', json())), IsEmpty())
        << "left alone";
  }
}

TEST_F(JwtHostileTest, IsSignedByAStrangerOfTheSameName) {
  EXPECT_EQ(refused(stranger.token(json())), "the token's signature is wrong");
}

TEST_F(JwtHostileTest, DemandsWhatWeDoNotKnow) {
  for (const char* crit : {R"(["b64"])", R"(["exp"])", "[]", "null"}) {
    EXPECT_THAT(refused(ec.token(R"({"alg":"ES256","b64":false,"crit":)" + std::string(crit) + '}',
                                 json())),
                HasSubstr("(crit)"));
  }
}

TEST_F(JwtHostileTest, HasASignatureOfZeros) {
  const auto right = token();
  EXPECT_EQ(refused(with_part(right, 2, to_base64url(std::string(64, '\0')))),
            "the token's signature is wrong");
  EXPECT_EQ(refused(with_part(right, 2, to_base64url(std::string(64, '\xFF')))),
            "the token's signature is wrong");
}

TEST_F(JwtHostileTest, HasADerSignature) {
  const auto part = signed_part(R"({"alg":"ES256","kid":"ec"})", json());
  EXPECT_THAT(refused(part + '.' + to_base64url(ec.signature(part))), IsEmpty());
  EXPECT_EQ(refused(part + '.' + to_base64url(ec.raw_signature(part))),
            "the token's signature is wrong");
}

TEST_F(JwtHostileTest, HasOtherClaimsThanWereSigned) {
  const auto right = token();
  claims["sub"] = "\"admin\"";
  EXPECT_EQ(refused(with_part(right, 1, to_base64url(json()))), "the token's signature is wrong");
  EXPECT_EQ(refused(with_part(right, 0, to_base64url(R"({"alg":"ES256", "kid":"ec"})"))),
            "the token's signature is wrong");
  // What is expired, or for others, is not said of claims that nobody signed.
  claims["exp"] = "1";
  EXPECT_EQ(refused(with_part(right, 1, to_base64url(json()))), "the token's signature is wrong");
}

TEST_F(JwtHostileTest, IsForAKeyOfAnotherKind) {
  for (const char* header : {R"({"alg":"RS256","kid":"ec"})", R"({"alg":"EdDSA","kid":"ec"})"}) {
    EXPECT_THAT(refused(ec.token(header, json())), HasSubstr("(kid)"));
  }
  EXPECT_EQ(refused(ec.token(R"({"alg":"RS256"})", json())), "the token's signature is wrong");
}

TEST_F(JwtHostileTest, IsCutOff) {
  const auto right = token();
  ASSERT_THAT(refused(right), IsEmpty());
  for (std::size_t size = 0; size < right.size(); ++size) {
    EXPECT_THAT(refused(right.substr(0, size)), Not(IsEmpty())) << size;
    EXPECT_THAT(refused(right.substr(size + 1)), Not(IsEmpty())) << size;
  }
}

TEST_F(JwtHostileTest, HasEachCharacterAnother) {
  const auto right = ed.token(json());
  for (std::size_t i = 0; i < right.size(); ++i) {
    for (const char other : {'A', '_', '.', '=', ' ', '\0', '\xC3'}) {
      auto changed = right;
      if (changed[i] == other) continue;
      changed[i] = other;
      EXPECT_THAT(refused(changed), Not(IsEmpty())) << i << ' ' << other;
    }
  }
}

TEST_F(JwtHostileTest, HasSomethingAround) {
  const auto right = token();
  for (const char* around : {" ", "\n", ".", "=", "A", "\t", "."}) {
    EXPECT_THAT(refused(right + around), Not(IsEmpty()));
    EXPECT_THAT(refused(around + right), Not(IsEmpty()));
  }
  EXPECT_THAT(refused(ec.token(json() + "x")), HasSubstr("claims"));
  EXPECT_THAT(refused(ec.token(json() + json())), HasSubstr("claims"));
  EXPECT_THAT(refused(ec.token(json() + std::string(1, '\0'))), HasSubstr("claims"));
  EXPECT_THAT(refused("a.b.c.d.e"), HasSubstr("three parts"));
  EXPECT_THAT(refused("..", base::Errc::credentials_invalid), HasSubstr("header"));
}

// The last bits of a signature's text do not count; so there must not be any.
TEST_F(JwtHostileTest, IsWrittenOtherwise) {
  const auto right = token();
  ASSERT_THAT(right.back(), testing::AnyOf('A', 'Q', 'g', 'w')) << "64 bytes end in 4 free bits";
  auto other = right;
  other.back() = static_cast<char>(other.back() + 1);
  EXPECT_EQ(refused(other), "the token's signature is not in base64url");
}

TEST_F(JwtHostileTest, IsNoText) {
  for (const char* payload :
       {"", "null", "7", "[]", "\"x\"", "{", "{'iss':1}", "{\"iss\":\"\xFF\"}"}) {
    EXPECT_THAT(refused(ec.token(payload)), HasSubstr("claims")) << payload;
  }
  EXPECT_THAT(refused(ec.token("[]", json())), HasSubstr("header"));
  EXPECT_THAT(refused(ec.token("{\"alg\":\"ES256\",\"\xFF\":1}", json())), HasSubstr("header"));
}

TEST_F(JwtHostileTest, HasWordsOfOtherAlphabets) {
  claims["sub"] = "\"cr\u043C\"";  // a Cyrillic em
  EXPECT_EQ(verify(token())->subject, "cr\u043C") << "not ours to judge, and no one's else";
  claims["aud"] = "\"pbx\\u0067w\"";
  EXPECT_THAT(refused(token()), IsEmpty()) << "an escape is the same text";
  EXPECT_THAT(refused_with("aud", "\"pb\u0445gw\""), HasSubstr("(aud)"));
  EXPECT_THAT(refused_with("iss", R"("https://login.example.com/\u0000")"), HasSubstr("(iss)"));
}

// Of two, the last counts (RFC 7519, section 4), for us as for whoever signed it.
TEST_F(JwtHostileTest, SaysThingsTwice) {
  const auto twice = json().insert(1, R"("sub":"admin","exp":1,"aud":"other",)");
  ASSERT_TRUE(verify(ec.token(twice)));
  EXPECT_EQ(verify(ec.token(twice))->subject, "crm");
}

TEST_F(JwtHostileTest, NestsDeeply) {
  const auto nested = [&](int depth) {
    claims["x"] = std::string(static_cast<std::size_t>(depth), '[') +
                  std::string(static_cast<std::size_t>(depth), ']');
    return token();
  };
  EXPECT_THAT(refused(nested(10)), IsEmpty());
  EXPECT_THAT(refused(nested(20)), HasSubstr("claims"));
  EXPECT_THAT(refused(nested(2'000)), HasSubstr("claims"));
}

TEST_F(JwtHostileTest, HasAHugeHeader) {
  const auto header = R"({"alg":"ES256","x":")" + std::string(3'000, 'x') + "\"}";
  EXPECT_EQ(refused(ec.token(header, json())), "the token's header is too long");
}

// Whatever is wrong with a token, nothing of it is in what we say: its bearer may not be whose it
// is.
TEST_F(JwtHostileTest, IsNotRepeated) {
  claims["canary"] = "\"planted\"";
  for (const char* name : {"iss", "aud", "sub", "exp", "nbf", "iat"}) {
    const auto said = refused_with(name, "{\"planted\":\"planted\"}");
    EXPECT_THAT(said, Not(IsEmpty())) << name;
    EXPECT_THAT(said, Not(HasSubstr("planted"))) << name;
  }
  for (const char* name : {"alg", "kid", "typ", "crit"}) {
    const auto said =
        refused(ec.token(R"({"alg":"ES256",")" + std::string(name) + R"(":"planted"})", json()));
    EXPECT_THAT(said, Not(IsEmpty())) << name;
    EXPECT_THAT(said, Not(HasSubstr("planted"))) << name;
  }
}

}  // namespace
}  // namespace rights
