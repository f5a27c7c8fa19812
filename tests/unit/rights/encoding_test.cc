#include "rights/encoding.h"

#include <optional>
#include <string>

#include <gmock/gmock.h>

#include "support/jwt_maker.h"

namespace rights {
namespace {

using std::string_literals::operator""s;

struct EncodingTest : testing::Test {};

TEST_F(EncodingTest, DecodesWhatIsEncoded) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(from_base64url(support::to_base64url(bytes)), bytes);
    bytes += static_cast<char>(i * 7);
  }
}

TEST_F(EncodingTest, KnowsTheVectorsOfRfc4648) {
  EXPECT_EQ(from_base64url(""), "");
  EXPECT_EQ(from_base64url("Zg"), "f");
  EXPECT_EQ(from_base64url("Zm8"), "fo");
  EXPECT_EQ(from_base64url("Zm9vYmFy"), "foobar");
  EXPECT_EQ(from_base64url("-_8"), "\xFB\xFF");
}

TEST_F(EncodingTest, RefusesASecondTextForTheSameBytes) {
  EXPECT_EQ(from_base64url("Zh"), std::nullopt);   // four bits behind "f"
  EXPECT_EQ(from_base64url("Zm9"), std::nullopt);  // two bits behind "fo"
  EXPECT_EQ(from_base64url("Zg=="), std::nullopt);
  EXPECT_EQ(from_base64url("Zm9v "), std::nullopt);
  EXPECT_EQ(from_base64url("Zm9v\n"), std::nullopt);
  EXPECT_EQ(from_base64url("Zm 9v"), std::nullopt);
}

TEST_F(EncodingTest, RefusesWhatIsNoBase64url) {
  EXPECT_EQ(from_base64url("Z"), std::nullopt);
  EXPECT_EQ(from_base64url("Zm9vY"), std::nullopt);
  EXPECT_EQ(from_base64url("+/8"), std::nullopt);  // the other alphabet
  EXPECT_EQ(from_base64url("Zm9v\0\0\0\0"s), std::nullopt);
  EXPECT_EQ(from_base64url("Zm9\xC3\xB6"), std::nullopt);
}

// FIPS 180-2, appendix B.1, and the hash of nothing.
TEST_F(EncodingTest, HashesAsTheStandardDoes) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace rights
