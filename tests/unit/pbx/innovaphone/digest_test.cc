#include "pbx/innovaphone/digest.h"

#include <array>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <openssl/evp.h>

#include "unit/pbx/innovaphone/vectors.h"

namespace pbx::innovaphone {
namespace {

std::string hex_of(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) {
    hex += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    hex += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

std::string sha256(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EXPECT_EQ(EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr), 1);
  return hex_of({reinterpret_cast<const char*>(digest), size});
}

std::string rc4(std::string_view key, std::string_view data) {
  std::array<unsigned char, 256> s{};
  for (unsigned i = 0; i < 256; ++i) s[i] = static_cast<unsigned char>(i);
  for (unsigned i = 0, j = 0; i < 256; ++i) {
    j = (j + s[i] + static_cast<unsigned char>(key[i % key.size()])) & 255;
    std::swap(s[i], s[j]);
  }
  std::string out;
  unsigned i = 0, j = 0;
  for (const char c : data) {
    i = (i + 1) & 255;
    j = (j + s[i]) & 255;
    std::swap(s[i], s[j]);
    out += static_cast<char>(static_cast<unsigned char>(c) ^ s[(s[i] + s[j]) & 255]);
  }
  return out;
}

TEST(Digest, SignsEveryVectorOfTheDocument) {
  ASSERT_EQ(test::vectors().size(), 15u);
  for (const auto& it : test::vectors()) {
    EXPECT_EQ(login_digest(it.login, it.challenge, it.password), it.digest) << it.number;
  }
}

TEST(Digest, VerifiesEveryVectorOfTheDocument) {
  for (const auto& it : test::vectors()) {
    EXPECT_TRUE(digest_matches(it.login, it.challenge, it.password, it.digest)) << it.number;
    EXPECT_FALSE(digest_matches(it.login, it.challenge, it.password + "x", it.digest)) << it.number;
    EXPECT_FALSE(digest_matches(it.login, it.challenge + "x", it.password, it.digest)) << it.number;
    for (auto field : {&LoginFields::app, &LoginFields::domain, &LoginFields::sip,
                       &LoginFields::guid, &LoginFields::dn}) {
      LoginFields other = it.login;
      other.*field += 'x';
      EXPECT_FALSE(digest_matches(other, it.challenge, it.password, it.digest)) << it.number;
    }
  }
}

TEST(Digest, DoesNotTakeAPartOfOne) {
  const auto& it = test::vectors().front();
  const auto matches = [&](std::string_view digest) {
    return digest_matches(it.login, it.challenge, it.password, digest);
  };
  EXPECT_FALSE(matches(""));
  EXPECT_FALSE(matches(it.digest.substr(0, 63)));
  EXPECT_FALSE(matches(it.digest + "0"));
  for (std::size_t i = 0; i < it.digest.size(); ++i) {
    std::string other = it.digest;
    other[i] = other[i] == '0' ? '1' : '0';
    EXPECT_FALSE(matches(other)) << i;
  }
}

TEST(Digest, TellsNoInfoFromAnEmptyOne) {
  LoginFields fields{"a", "", "", "", "", std::nullopt};
  const auto without = login_digest(fields, "1", "p");
  fields.info = "{}";
  EXPECT_NE(login_digest(fields, "1", "p"), without);
  EXPECT_FALSE(digest_matches(fields, "1", "p", without));
}

// Vector 14 as somebody on the way may write it.
TEST(Digest, PassesOverBlanksAndEscapesThatNeedNotBe) {
  const auto& vectors = test::vectors();
  const auto it =
      std::find_if(vectors.begin(), vectors.end(), [](const auto& v) { return v.number == 14; });
  ASSERT_NE(it, vectors.end());
  LoginFields fields = it->login;
  for (const char* info : {
           R"({ "apps" : [ ] , "appurl": "https://1.2.3.4/a?b=1&c=2",)"
           "\r\n\t"
           R"("unlicensed":true })",
           R"({"apps":[],"appurl":"https:\/\/1.2.3.4\/a?b=1&c=2","unlicensed":true})",
           R"({"apps":[],"appurl":"https://1.2.3.4/a?b=1\u0026c=2","unlicensed":true})",
       }) {
    fields.info = info;
    EXPECT_TRUE(digest_matches(fields, it->challenge, it->password, it->digest)) << info;
  }
  // Order is a part of it.
  fields.info = R"({"unlicensed":true,"apps":[],"appurl":"https://1.2.3.4/a?b=1&c=2"})";
  EXPECT_FALSE(digest_matches(fields, it->challenge, it->password, it->digest));
}

TEST(Digest, CompactsJsonAndNothingElse) {
  const std::pair<const char*, const char*> kCases[] = {
      {R"({})", R"({})"},
      {R"( { "a b" : "c  d" } )", R"({"a b":"c  d"})"},
      {R"({"a":"\" b"})", R"({"a":"\" b"})"},
      {R"({"a":"\\"} )", R"({"a":"\\"})"},
      {R"({"a":"\u00e4\u20AC"})", R"({"a":"ä€"})"},
      {R"({"a":"\ud83d\ude00"})", "{\"a\":\"\xF0\x9F\x98\x80\"}"},
      {R"({"a":"\ud83d"})", R"({"a":"\ud83d"})"},
      {R"({"a":"\ud83d\u0041"})", R"({"a":"\ud83dA"})"},
      {R"({"a":"\u0022\u005c"})", R"({"a":"\"\\"})"},
      {R"({"a":"\u000a\u007f\n"})", R"({"a":"\u000a\u007f\n"})"},
      {R"({"a":"\u00)", R"({"a":"\u00)"},
      {R"({"a":"\)", R"({"a":"\)"},
      {R"({"a":1.50,"b":[1, 2]})", R"({"a":1.50,"b":[1,2]})"},
      {"", ""},
  };
  for (const auto& [text, compact] : kCases) EXPECT_EQ(compact_json(text), compact) << text;
}

TEST(Digest, KeepsColonsAndControlCharactersOutOfWhatIsSigned) {
  EXPECT_TRUE(signable("", 4));
  EXPECT_TRUE(signable("ä€", 5));
  EXPECT_FALSE(signable("abcde", 4));
  for (const char* text : {":", "a:b", "a\n", "\x7f", "\x01z"}) EXPECT_FALSE(signable(text, 9));
  EXPECT_FALSE(signable(std::string_view("a\0b", 3), 9));
}

// Not used here, since fields are never encrypted for us; but a test that others can build on.
TEST(Digest, HasTheSessionKeyOfTheDocument) {
  const std::string key = sha256("innovaphoneAppSessionKey:0123456789abcdef:secret");
  EXPECT_EQ(key, "eec7910e15efb4c56259d2e7f909d0060fe447a411a7958e537d487ca3fe4813");
  EXPECT_EQ(hex_of(rc4("seed:" + key, "hello")), "adaf401cd4");
  EXPECT_EQ(sha256("seed:" + key + ":hello"),
            "26b64fec4c8f5a6c9583e14c3a943dde2e081d0317240d76ecd885b72cd5778c");
}

}  // namespace
}  // namespace pbx::innovaphone
