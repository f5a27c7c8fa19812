#include "wire/token.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "wire/chance.h"

namespace wire {
namespace {

using testing::Optional;
using testing::Test;

class Token : public Test {};

TEST_F(Token, KeepsWhatMayStandInASubject) {
  EXPECT_EQ(to_token("acme-GmbH-201"), "acme-GmbH-201");
}

TEST_F(Token, EscapesEverythingElse) {
  EXPECT_EQ(to_token("a.b"), "a_2eb");
  EXPECT_EQ(to_token("+49 30"), "_2b49_2030");
  EXPECT_EQ(to_token("_"), "_5f");
  EXPECT_EQ(to_token("*"), "_2a");
  EXPECT_EQ(to_token("ü"), "_c3_bc");
  EXPECT_EQ(to_token(""), "_");
}

TEST_F(Token, AppendsToWhatIsThere) {
  std::string out = "x.";
  append_token(out, "");
  append_token(out, "a b");
  EXPECT_EQ(out, "x._a_20b");
}

TEST_F(Token, ComesBackForEveryByte) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    EXPECT_THAT(from_token(to_token(text)), Optional(text)) << byte;
  }
}

TEST_F(Token, ComesBackForAnyText) {
  Chance chance(1);
  for (int i = 0; i < 10'000; ++i) {
    const auto text = chance.bytes(20);
    const auto token = to_token(text);
    ASSERT_THAT(from_token(token), Optional(text));
    ASSERT_FALSE(token.empty());
    ASSERT_EQ(token.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789-_"),
              std::string::npos);
  }
}

TEST_F(Token, IsTheOnlyOneOfItsText) {
  for (const char* token : {"", "a.b", "__", "_2", "_2E", "_61", "_2d", "_g0", "a_", "_2e_", "é",
                            "_h0123456789abcdef"}) {
    EXPECT_EQ(from_token(token), std::nullopt) << token;
  }
  Chance chance(2);
  for (int i = 0; i < 10'000; ++i) {
    const auto token = chance.bytes(6);
    if (const auto text = from_token(token)) {
      ASSERT_EQ(to_token(*text), token);
    }
  }
}

}  // namespace
}  // namespace wire
