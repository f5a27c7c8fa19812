#include "rights/signature_key.h"

#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <openssl/err.h>

#include "rights/encoding.h"
#include "support/jwt_maker.h"
#include "vectors.h"

namespace rights {
namespace {

using testing::HasSubstr;

std::string bytes(std::string_view base64url) {
  const auto decoded = from_base64url(base64url);
  EXPECT_TRUE(decoded) << base64url;
  return decoded.value_or("");
}

// The order of P-256's base point: no r or s reaches it.
const std::string kOrder(
    "\xFF\xFF\xFF\xFF\x00\x00\x00\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
    "\xBC\xE6\xFA\xAD\xA7\x17\x9E\x84\xF3\xB9\xCA\xC2\xFC\x63\x25\x51",
    32);

struct SignatureKeyTest : testing::Test {
  std::string why;
  std::optional<SignatureKey> rsa =
      SignatureKey::rsa(bytes(vectors::kRsaModulus), bytes("AQAB"), why);
  std::optional<SignatureKey> ec =
      SignatureKey::p256(bytes(vectors::kEcX), bytes(vectors::kEcY), why);
  std::optional<SignatureKey> ed = SignatureKey::ed25519(bytes(vectors::kEdX), why);

  void SetUp() override {
    ASSERT_TRUE(rsa && ec && ed) << why;
    ERR_clear_error();
  }
  // gRPC's TLS, on the same thread, would take them for its own.
  void TearDown() override { EXPECT_EQ(ERR_peek_error(), 0U); }
};

TEST_F(SignatureKeyTest, VerifiesWhatTheStandardsPrint) {
  EXPECT_TRUE(rsa->verifies(vectors::kRs256Text, bytes(vectors::kRs256Signature)));
  EXPECT_TRUE(ec->verifies(vectors::kEs256Text, bytes(vectors::kEs256Signature)));
  EXPECT_TRUE(ed->verifies(vectors::kEdDsaText, bytes(vectors::kEdDsaSignature)));
  EXPECT_EQ(rsa->algorithm(), Algorithm::rs256);
  EXPECT_EQ(ec->algorithm(), Algorithm::es256);
  EXPECT_EQ(ed->algorithm(), Algorithm::eddsa);
}

TEST_F(SignatureKeyTest, RefusesEachByteThatIsAnother) {
  const struct {
    SignatureKey key;
    std::string text, signature;
  } all[] = {{*rsa, vectors::kRs256Text, bytes(vectors::kRs256Signature)},
             {*ec, vectors::kEs256Text, bytes(vectors::kEs256Signature)},
             {*ed, vectors::kEdDsaText, bytes(vectors::kEdDsaSignature)}};
  for (const auto& [key, text, signature] : all) {
    for (std::size_t i = 0; i < signature.size(); ++i) {
      auto other = signature;
      other[i] = static_cast<char>(other[i] ^ 1);
      EXPECT_FALSE(key.verifies(text, other)) << name_of(key.algorithm()) << i;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
      auto other = text;
      other[i] = static_cast<char>(other[i] ^ 1);
      EXPECT_FALSE(key.verifies(other, signature)) << name_of(key.algorithm()) << i;
    }
    for (std::size_t size = 0; size < signature.size(); ++size) {
      EXPECT_FALSE(key.verifies(text, signature.substr(0, size)));
    }
    EXPECT_FALSE(key.verifies(text, signature + '\0'));
    EXPECT_FALSE(key.verifies("", signature));
  }
}

TEST_F(SignatureKeyTest, RefusesAnotherKeysSignature) {
  EXPECT_FALSE(rsa->verifies(vectors::kEs256Text, bytes(vectors::kEs256Signature)));
  EXPECT_FALSE(ec->verifies(vectors::kEdDsaText, bytes(vectors::kEdDsaSignature)));
  EXPECT_FALSE(ed->verifies(vectors::kEs256Text, bytes(vectors::kEs256Signature)));
}

// "Psychic signatures" (CVE-2022-21449), and their neighbours.
TEST_F(SignatureKeyTest, RefusesNumbersThatNoSignatureHas) {
  const auto right = bytes(vectors::kEs256Signature);
  const std::string zero(32, '\0'), one = std::string(31, '\0') + '\x01', most(32, '\xFF');
  const auto r = right.substr(0, 32), s = right.substr(32);
  for (const auto& bad : {zero, kOrder, most}) {
    EXPECT_FALSE(ec->verifies(vectors::kEs256Text, bad + bad));
    EXPECT_FALSE(ec->verifies(vectors::kEs256Text, r + bad));
    EXPECT_FALSE(ec->verifies(vectors::kEs256Text, bad + s));
  }
  EXPECT_FALSE(ec->verifies(vectors::kEs256Text, one + one));
  EXPECT_FALSE(ec->verifies(vectors::kEs256Text, s + r));
}

TEST_F(SignatureKeyTest, RefusesDerWhereJwsHasBareNumbers) {
  const support::JwtMaker maker("ES256");
  const auto der = maker.raw_signature(vectors::kEs256Text);
  EXPECT_FALSE(ec->verifies(vectors::kEs256Text, der));
  EXPECT_FALSE(ec->verifies(vectors::kEs256Text, der.substr(0, 64)));
}

TEST_F(SignatureKeyTest, RefusesSmallAndLargeRsa) {
  for (const int bits : {512, 1'024, 2'047}) {
    std::string modulus(static_cast<std::size_t>((bits + 7) / 8), '\xFF');
    if (bits % 8) modulus[0] = static_cast<char>((1 << bits % 8) - 1);
    EXPECT_FALSE(SignatureKey::rsa(modulus, "\x01\x00\x01", why)) << bits;
    EXPECT_THAT(why, HasSubstr(std::to_string(bits) + " bits"));
  }
  EXPECT_FALSE(SignatureKey::rsa(std::string(1'025, '\xFF'), "\x03", why));
  EXPECT_FALSE(SignatureKey::rsa(std::string(100'000, '\xFF'), "\x03", why));
  EXPECT_FALSE(SignatureKey::rsa(std::string(256, '\xFF'), std::string(9, '\x03'), why));
  // Zeros in front make no key longer.
  EXPECT_FALSE(SignatureKey::rsa(std::string(128, '\0') + std::string(128, '\xFF'), "\x03", why));
}

TEST_F(SignatureKeyTest, RefusesRsaThatIsNone) {
  const auto modulus = bytes(vectors::kRsaModulus);
  const std::string zero(1, '\0');
  for (const std::string& exponent :
       {std::string(), zero, std::string("\x01"), std::string("\x02")}) {
    EXPECT_FALSE(SignatureKey::rsa(modulus, exponent, why));
  }
  auto even = modulus;
  even.back() = static_cast<char>(even.back() & ~1);
  EXPECT_FALSE(SignatureKey::rsa(even, "\x03", why));
}

TEST_F(SignatureKeyTest, RefusesWhatIsNoPointOfTheCurve) {
  auto x = bytes(vectors::kEcX);
  const auto y = bytes(vectors::kEcY);
  EXPECT_FALSE(SignatureKey::p256(y, x, why));
  EXPECT_FALSE(SignatureKey::p256(x.substr(1), y, why));
  EXPECT_FALSE(SignatureKey::p256('\0' + x, y, why));
  EXPECT_FALSE(SignatureKey::p256("", "", why));
  const std::string zero(32, '\0');
  EXPECT_FALSE(SignatureKey::p256(zero, zero, why));
  x[31] = static_cast<char>(x[31] ^ 1);
  EXPECT_FALSE(SignatureKey::p256(x, y, why));
  EXPECT_THAT(why, HasSubstr("no point"));
}

TEST_F(SignatureKeyTest, RefusesEd25519OfAnotherLength) {
  const auto x = bytes(vectors::kEdX);
  EXPECT_FALSE(SignatureKey::ed25519(x.substr(1), why));
  EXPECT_FALSE(SignatureKey::ed25519(x + x, why));
  EXPECT_FALSE(SignatureKey::ed25519("", why));
}

TEST_F(SignatureKeyTest, IsEqualToItselfAlone) {
  std::string ignored;
  EXPECT_EQ(*ed, *SignatureKey::ed25519(bytes(vectors::kEdX), ignored));
  EXPECT_FALSE(*ed == *ec);
  EXPECT_FALSE(*ed == *SignatureKey::ed25519(bytes(vectors::kEcX), ignored));
}

}  // namespace
}  // namespace rights
