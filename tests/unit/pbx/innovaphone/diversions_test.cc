#include "pbx/innovaphone/diversions.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace pbx::innovaphone {
namespace {

using base::Errc;
using call::Forwarding;
using call::ForwardingType;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Diversions, AreForwardings) {
  EXPECT_THAT(forwardings_of({}), IsEmpty());
  EXPECT_THAT(forwardings_of({{"cfnr", "7", "", false},
                              {"cfu", "55", "bob", false},
                              {"cfu", "56", "", false},
                              {"cfb", "", "bob", false}}),
              ElementsAre(Forwarding{ForwardingType::immediate, "55"},
                          Forwarding{ForwardingType::busy, "bob"},
                          Forwarding{ForwardingType::no_answer, "7"}));
}

TEST(Diversions, ThatHangOnSomethingAreNone) {
  EXPECT_THAT(
      forwardings_of({{"cfu", "55", "", true}, {"cfb", "", "", false}, {"cfx", "1", "", false}}),
      IsEmpty());
  EXPECT_THAT(forwardings_of({{"cfu", "55", "", true}, {"cfu", "56", "", false}}),
              ElementsAre(Forwarding{ForwardingType::immediate, "56"}));
}

TEST(Diversions, HaveThreeTypes) {
  EXPECT_EQ(diversion_type(ForwardingType::immediate), "cfu");
  EXPECT_EQ(diversion_type(ForwardingType::busy), "cfb");
  EXPECT_EQ(diversion_type(ForwardingType::no_answer), "cfnr");
  EXPECT_FALSE(diversion_type(ForwardingType::do_not_disturb).has_value());
  EXPECT_FALSE(diversion_type(ForwardingType::busy_internal).has_value());
}

TEST(Diversions, AreAnsweredWithOkOrWithAnError) {
  const auto refused = [](std::string_view text) {
    const auto frame = parse(text);
    return is_refused(std::get<Result>(frame->body));
  };
  EXPECT_FALSE(refused(R"({"mt":"AddDiversionResult","api":"PbxApi","ok":true})"));
  EXPECT_TRUE(refused(R"({"mt":"AddDiversionResult","api":"PbxApi"})"));
  EXPECT_TRUE(refused(R"({"mt":"DelDiversionResult","api":"PbxApi","ok":false,"error":4})"));
  EXPECT_FALSE(refused(R"({"mt":"SetPresenceResult","api":"PbxApi"})"));
  EXPECT_TRUE(refused(R"({"mt":"SetPresenceResult","api":"PbxApi","errorText":"no"})"));
}

TEST(PresenceToSet, IsInTheWordsOfThePbx) {
  EXPECT_EQ(*activity_of("available"), "");
  EXPECT_EQ(*activity_of("away"), "away");
  EXPECT_EQ(*activity_of("vacation"), "vacation");
  for (const char* word : {"", "on-the-phone", "offline"}) {
    EXPECT_EQ(activity_of(word).error(), Errc::invalid_argument) << word;
  }
}

}  // namespace
}  // namespace pbx::innovaphone
