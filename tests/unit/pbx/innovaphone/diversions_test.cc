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

TEST(Diversions, AreSetInTheWordsOfThePbx) {
  EXPECT_THAT(
      set_forwarding("g1", {ForwardingType::busy, "+49155*#"}, {}, "c:1"),
      ElementsAre(
          R"({"mt":"AddDiversion","api":"PbxApi","src":"c:1","guid":"g1","type":"cfb","ep-num":"+49155*#"})"));
  EXPECT_THAT(
      set_forwarding("g1", {ForwardingType::no_answer, "bob.7"}, {}, "c:1"),
      ElementsAre(
          R"({"mt":"AddDiversion","api":"PbxApi","src":"c:1","guid":"g1","type":"cfnr","ep-sip":"bob.7"})"));
  EXPECT_THAT(
      set_forwarding("g1", {ForwardingType::immediate, ""}, {}, "c:1"),
      ElementsAre(R"({"mt":"DelDiversion","api":"PbxApi","src":"c:1","guid":"g1","type":"cfu"})"));
  EXPECT_EQ(get_forwarding("g1", ForwardingType::immediate, "c:2"),
            R"({"mt":"GetDiversion","api":"PbxApi","src":"c:2","guid":"g1","type":"cfu"})");
}

TEST(Diversions, ReplaceTheOneThatIsThere) {
  const std::vector<Diversion> there{{"cfu", "55", "", false}, {"cfb", "56", "", true}};
  EXPECT_THAT(
      set_forwarding("g1", {ForwardingType::immediate, "57"}, there, "c:1"),
      ElementsAre(
          R"({"mt":"DelDiversion","api":"PbxApi","src":"c:1:before","guid":"g1","type":"cfu"})",
          R"({"mt":"AddDiversion","api":"PbxApi","src":"c:1","guid":"g1","type":"cfu","ep-num":"57"})"));
  // One of an administrator's conditions is not ours.
  EXPECT_EQ(set_forwarding("g1", {ForwardingType::busy, "57"}, there, "c:1").size(), 1u);

  auto now = there;
  apply({ForwardingType::immediate, "57"}, now);
  EXPECT_THAT(now,
              ElementsAre(Diversion{"cfb", "56", "", true}, Diversion{"cfu", "57", "", false}));
  apply({ForwardingType::busy, "bob"}, now);
  apply({ForwardingType::immediate, ""}, now);
  EXPECT_THAT(now,
              ElementsAre(Diversion{"cfb", "56", "", true}, Diversion{"cfb", "", "bob", false}));
  apply({ForwardingType::do_not_disturb, "1"}, now);
  EXPECT_EQ(now.size(), 2u);
}

TEST(Diversions, AreAnsweredWithOkOrWithAnError) {
  const auto refusal = [](std::string_view text) -> std::string {
    const auto frame = parse(text);
    const auto it = refusal_of(std::get<Result>(frame->body));
    if (!it) return "done";
    EXPECT_EQ(it->why, Errc::pbx_refused);
    return it->detail;
  };
  EXPECT_EQ(refusal(R"({"mt":"AddDiversionResult","api":"PbxApi","ok":true})"), "done");
  EXPECT_EQ(refusal(R"({"mt":"AddDiversionResult","api":"PbxApi"})"), "the PBX refused");
  EXPECT_EQ(refusal(R"({"mt":"DelDiversionResult","api":"PbxApi","ok":false,"error":4})"),
            "the PBX refused: 4");
  EXPECT_EQ(refusal(R"({"mt":"SetPresenceResult","api":"PbxApi"})"), "done");
  EXPECT_EQ(refusal(R"({"mt":"SetPresenceResult","api":"PbxApi","error":2,"errorText":"no"})"),
            "the PBX refused: 2: no");
}

TEST(PresenceToSet, IsInTheWordsOfThePbx) {
  EXPECT_EQ(*activity_of("available"), "");
  EXPECT_EQ(*activity_of("away"), "away");
  EXPECT_EQ(*activity_of("vacation"), "vacation");
  for (const char* word : {"", "on-the-phone", "offline"}) {
    EXPECT_EQ(activity_of(word).error(), Errc::invalid_argument) << word;
  }
  EXPECT_EQ(
      set_presence("g1", "away", "back \"soon\"", "c:1"),
      R"({"mt":"SetPresence","api":"PbxApi","src":"c:1","guid":"g1","contact":"tel:","activity":"away","note":"back \"soon\""})");
  EXPECT_EQ(
      set_presence("g1", "", "", "c:1"),
      R"({"mt":"SetPresence","api":"PbxApi","src":"c:1","guid":"g1","contact":"tel:","activity":"","note":""})");
}

}  // namespace
}  // namespace pbx::innovaphone
