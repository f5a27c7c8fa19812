#include "rights/jwk_set.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "files.h"
#include "support/jwt_maker.h"
#include "vectors.h"

namespace rights {
namespace {

using support::JwtMaker;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct JwkSetTest : testing::Test {
  std::vector<config::Problem> problems;

  std::vector<Jwk> read(std::string_view text) {
    problems.clear();
    return jwk_set_from(text, "jwks.json", problems);
  }
  std::vector<Jwk> read_keys(std::string_view keys) { return read(JwtMaker::set_of(keys)); }
  std::vector<std::string> complaints() const { return lines_of(problems); }

  static std::string with(std::string jwk, std::string_view fields) {
    return jwk.insert(1, std::string(fields) + ',');
  }
};

TEST_F(JwkSetTest, ReadsEachKindOfKey) {
  const auto keys = read_keys(with(vectors::kRsaJwk, R"("kid":"a")") + ',' +
                              with(vectors::kEcJwk, R"("kid":"b","use":"sig")") + ',' +
                              with(vectors::kEdJwk, R"("key_ops":["verify"])"));
  EXPECT_THAT(complaints(), IsEmpty());
  ASSERT_THAT(keys, SizeIs(3));
  EXPECT_EQ(keys[0].id, "a");
  EXPECT_EQ(keys[0].key.algorithm(), Algorithm::rs256);
  EXPECT_EQ(keys[1].id, "b");
  EXPECT_EQ(keys[1].key.algorithm(), Algorithm::es256);
  EXPECT_EQ(keys[2].id, std::nullopt);
  EXPECT_EQ(keys[2].key.algorithm(), Algorithm::eddsa);
}

TEST_F(JwkSetTest, LeavesOutWhatIsForSomethingElse) {
  for (const char* other :
       {R"({"kty":"EC","crv":"P-384","x":"AA","y":"AA"})",
        R"({"kty":"OKP","crv":"X25519","x":"AA"})", R"({"kty":"OKP","crv":"Ed448","x":"AA"})",
        R"({"kty":"new"})", R"({"kty":7})", "{}"}) {
    EXPECT_THAT(read_keys(vectors::kEdJwk + ',' + other), SizeIs(1)) << other;
    EXPECT_THAT(complaints(), IsEmpty()) << other;
  }
  for (const char* use : {R"("use":"enc")", R"("alg":"RS512")", R"("alg":"RSA-OAEP")",
                          R"("key_ops":["encrypt"])", R"("key_ops":"verify")", R"("use":1)"}) {
    EXPECT_THAT(read_keys(vectors::kEdJwk + ',' + with(vectors::kRsaJwk, use)), SizeIs(1)) << use;
    EXPECT_THAT(complaints(), IsEmpty()) << use;
  }
}

TEST_F(JwkSetTest, MissesAKeyForUs) {
  read_keys("");
  EXPECT_THAT(complaints(), ElementsAre(HasSubstr("jwks.json: keys: has none for signatures")));
  read_keys(with(vectors::kRsaJwk, R"("use":"enc")"));
  EXPECT_THAT(complaints(), ElementsAre(HasSubstr("has none for signatures")));
}

TEST_F(JwkSetTest, RefusesKeysThatAreNobodysToShow) {
  const std::string secret = "c2VjcmV0LXNlY3JldA";
  EXPECT_THAT(read_keys(with(vectors::kEdJwk, "\"d\":\"" + secret + "\"")), IsEmpty());
  EXPECT_THAT(complaints(), ElementsAre(HasSubstr("keys[0]: is a private key")));
  EXPECT_THAT(complaints()[0], testing::Not(HasSubstr(secret)));
  read_keys(R"({"kty":"oct","k":")" + secret + "\"}");
  EXPECT_THAT(complaints(), ElementsAre(HasSubstr("keys[0]: is a shared secret")));
  EXPECT_THAT(complaints()[0], testing::Not(HasSubstr(secret)));
}

TEST_F(JwkSetTest, RefusesTwoKeysOfOneName) {
  const JwtMaker a("EdDSA", "same"), b("EdDSA", "same"), other("ES256", "same");
  EXPECT_THAT(read_keys(a.jwk() + ',' + b.jwk()), SizeIs(1));
  EXPECT_THAT(complaints(),
              ElementsAre("jwks.json: keys[1]: has the kid of an earlier key: \"same\""));
  // RFC 7517, section 4.5: keys of different kinds may share one.
  EXPECT_THAT(read_keys(a.jwk() + ',' + other.jwk()), SizeIs(2));
  EXPECT_THAT(complaints(), IsEmpty());
}

TEST_F(JwkSetTest, SaysWhichKeyIsWrong) {
  const JwtMaker small("RS256", "small", 1'024);
  read_keys(vectors::kEdJwk + ',' + small.jwk() +
            R"(,7,{"kty":"EC","crv":"P-256","x":"AA"},{"kty":"OKP","crv":"Ed25519","x":"A="},)" +
            with(vectors::kRsaJwk, R"("kid":3)"));
  EXPECT_THAT(complaints(),
              ElementsAre("jwks.json: keys[1]: has 1024 bits; RSA has to have 2048 to 8192",
                          "jwks.json: keys[2]: is no key; expected a mapping",
                          "jwks.json: keys[3]: has no \"y\" in base64url",
                          "jwks.json: keys[4]: has no \"x\" in base64url",
                          "jwks.json: keys[5]: has a kid that is no short text"));
}

TEST_F(JwkSetTest, RefusesWhatIsNoSet) {
  for (const char* text : {"", "{}", "[]", "null", "7", "{\"keys\":{}}", "{\"keys\":[]} x", "\xFF",
                           "{\"keys\":[", "{'keys':[]}", "-----BEGIN PUBLIC KEY-----"}) {
    EXPECT_THAT(read(text), IsEmpty()) << text;
    EXPECT_THAT(complaints(), ElementsAre(HasSubstr("is no JWK set"))) << text;
  }
}

TEST_F(JwkSetTest, HasLimits) {
  std::string many = vectors::kEdJwk;
  for (std::size_t i = 1; i < kJwksMax; ++i) many += ',' + vectors::kEdJwk;
  EXPECT_THAT(read_keys(many), SizeIs(kJwksMax));
  EXPECT_THAT(read_keys(many + ',' + vectors::kEdJwk), IsEmpty());
  EXPECT_THAT(complaints(), ElementsAre(HasSubstr("are 65; expected at most 64")));

  read(std::string(kJwkSetBytesMax + 1, ' '));
  EXPECT_THAT(complaints(), ElementsAre(HasSubstr("is larger than 256KiB")));
  read(std::string(100'000, '['));
  EXPECT_THAT(complaints(), ElementsAre(HasSubstr("is no JWK set")));
}

TEST_F(JwkSetTest, ReadsNoPartOfASetForTheWhole) {
  const auto whole = JwtMaker::set_of(vectors::kRsaJwk + ',' + vectors::kEcJwk);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(read(whole.substr(0, size)), IsEmpty());
    EXPECT_THAT(problems, SizeIs(1));
  }
}

}  // namespace
}  // namespace rights
