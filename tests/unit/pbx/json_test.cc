#include "pbx/json.h"

#include <map>

#include <gmock/gmock.h>

namespace pbx {
namespace {

using testing::ElementsAre;
using testing::Pair;

struct Json : testing::Test {
  JsonParser parser;

  // Every field that has a text.
  std::vector<std::pair<std::string, std::string>> fields_of(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> fields;
    auto object = parser.parse(text);
    if (!object) return {{"not", "an object"}};
    const bool whole = for_each_field(*object, [&](std::string_view key, auto& value) {
      if (auto it = text_of(value)) fields.emplace_back(key, *it);
    });
    if (!whole || !parser.finished()) fields.emplace_back("not", "whole");
    return fields;
  }
};

TEST_F(Json, ReadsAnyScalarAsTextThatKeepsItsDigits) {
  EXPECT_THAT(fields_of(R"({"a":"x","b":1760000000.10,"c":true,"d":null,"e":-3 , "f":[1],"g":{}})"),
              ElementsAre(Pair("a", "x"), Pair("b", "1760000000.10"), Pair("c", "true"),
                          Pair("d", ""), Pair("e", "-3")));
}

TEST_F(Json, VisitsAKeyThatComesTwiceTwice) {
  EXPECT_THAT(fields_of(R"({"a":1,"a":2})"), ElementsAre(Pair("a", "1"), Pair("a", "2")));
}

TEST_F(Json, ReadsTextThatIsNotUtf8) {
  EXPECT_THAT(fields_of("{\"a\":\"Jos\xE9 Mu\xC3\xB1oz\",\"b\":\"\xFF\xC3\"}"),
              ElementsAre(Pair("a", "Jos? Mu\xC3\xB1oz"), Pair("b", "??")));
}

TEST_F(Json, RefusesWhatIsNotOneObject) {
  for (auto text : {"", " ", "[]", "7", "\"x\"", "{", "nonsense", "\xFF"}) {
    EXPECT_FALSE(parser.parse(text)) << text;
  }
  for (auto text : {R"({"a":1)", R"({"a":1}})", R"({"a":1}{})", R"({"a" 1})", R"({"a":1,})"}) {
    EXPECT_THAT(fields_of(text), testing::Contains(testing::Key("not"))) << text;
  }
}

TEST_F(Json, SurvivesDeepNesting) {
  const std::string deep = R"({"a":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_THAT(fields_of(deep), testing::IsEmpty());
  (void)fields_of(R"({"a":)" + std::string(100'000, '['));
}

TEST_F(Json, GivesBackTheRoomThatABigMessageTook) {
  EXPECT_THAT(fields_of(R"({"a":")" + std::string(1'000'000, 'x') + "\"}"), testing::SizeIs(1));
  EXPECT_THAT(fields_of(R"({"a":1})"), ElementsAre(Pair("a", "1")));
}

TEST(JsonWords, KnowAFlagInAnySpelling) {
  for (auto text : {"true", "TRUE", "1", "yes", "Yes", "on", "si", "s\xC3\xAD", "S\xC3\x8D", "y"}) {
    EXPECT_EQ(flag_of(text), true) << text;
  }
  for (auto text : {"false", "0", "no", "No", "off", "n"}) EXPECT_EQ(flag_of(text), false) << text;
  for (auto text : {"", "2", "perhaps", "truely"}) EXPECT_EQ(flag_of(text), std::nullopt) << text;
}

TEST(JsonWords, KnowANumberInAnySpelling) {
  EXPECT_EQ(number_of("6"), 6);
  EXPECT_EQ(number_of(" -2 "), -2);
  EXPECT_EQ(number_of("6.0"), 6);
  for (auto text : {"", "x", "6.5", "6x", "99999999999999999999", "1e3"}) {
    EXPECT_EQ(number_of(text), std::nullopt) << text;
  }
}

TEST(JsonWords, FoldCaseAccentsAndPunctuation) {
  EXPECT_EQ(folded("InUse&Hold"), "inusehold");
  EXPECT_EQ(folded("CA\xC3\x8D"
                   "DA"),
            "caida");
  EXPECT_EQ(folded("en espera"), "enespera");
  EXPECT_EQ(folded("\xC3"), "");
}

TEST(JsonWords, AreCutBetweenCharacters) {
  EXPECT_EQ(shortened("abc", 5), "abc");
  EXPECT_EQ(shortened("a\xC3\xB1o", 2), "a");
  EXPECT_EQ(shortened("a\xC3\xB1o", 3), "a\xC3\xB1");
}

TEST(JsonWords, AreWrittenSoThatTheyCanBeRead) {
  std::string out;
  append_json(out, "a\"b\\c\n\x01\xC3\xB1\xFF/");
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\n\\u0001\xC3\xB1?/\"");
}

}  // namespace
}  // namespace pbx
