#include <gmock/gmock.h>

#include "pbx/innovaphone/codec.h"
#include "pbx/innovaphone/texts.h"

namespace pbx::innovaphone {
namespace {

using testing::ElementsAre;

template <class T>
T read(std::string_view text) {
  const auto frame = parse(text);
  if (!frame || !std::holds_alternative<T>(frame->body)) {
    ADD_FAILURE() << text;
    return {};
  }
  return std::get<T>(frame->body);
}

TEST(InnovaphoneRccCodec, ReadsAUser) {
  const auto user = read<UserInfo>(
      R"({"guid":"0123","src":"s","regs":[{"hw":"ip222"},{"hw":"soft"}],"api":"RCC","cn":"Ann B","dn":"Ann",)"
      R"("h323":"ann","e164":"201","node":"root","pbx":"master","channel":2,"alert":true,"news":{"a":[1]},)"
      R"("update":"upd","pseudo":"waiting","mt":"UserInfo"})");
  EXPECT_EQ(user.guid, "0123");
  EXPECT_EQ(user.cn, "Ann B");
  EXPECT_EQ(user.dn, "Ann");
  EXPECT_EQ(user.h323, "ann");
  EXPECT_EQ(user.e164, "201");
  EXPECT_EQ(user.node, "root");
  EXPECT_EQ(user.pbx, "master");
  EXPECT_EQ(user.pseudo, "waiting");
  EXPECT_EQ(user.registrations, 2u);
  EXPECT_EQ(user.channel, 2);
  EXPECT_FALSE(user.deleted());
  EXPECT_TRUE(
      read<UserInfo>(R"({"mt":"UserInfo","api":"RCC","guid":"1","update":"del"})").deleted());
}

TEST(InnovaphoneRccCodec, NeedsToKnowOfWhomAndOfWhat) {
  EXPECT_FALSE(parse(R"({"mt":"UserInfo","api":"RCC","cn":"Ann"})"));
  EXPECT_FALSE(parse(R"({"mt":"CallInfo","api":"RCC","user":1,"state":5})"));
}

TEST(InnovaphoneRccCodec, ReadsTheDocumentedCall) {
  const auto call = read<CallInfo>(
      R"({"mt":"CallInfo","api":"RCC","user":1,"call":2,"state":6,"peer":{"e164":"444","h323":""},)"
      R"("msg":"r-disc","info":[{"type":"cause","vali":1,"vals":"Unallocated (unassigned) number"}]})");
  EXPECT_EQ(call.user, 1);
  EXPECT_EQ(call.call, 2);
  EXPECT_EQ(call.state, 6);
  EXPECT_EQ(call.conf, "");
  EXPECT_EQ(call.peer.e164, "444");
  EXPECT_EQ(call.msg, "r-disc");
  EXPECT_EQ(call.cause, 1);
  EXPECT_EQ(call.cause_text, "Unallocated (unassigned) number");
  EXPECT_FALSE(call.del);
}

TEST(InnovaphoneRccCodec, ReadsOtherPartiesAndQuotedNumbers) {
  const auto call = read<CallInfo>(
      R"({"mt":"CallInfo","api":"RCC","user":"1","call":"2","state":"133","conf":"c0","time":"61","dtmf":"12",)"
      R"("no":[{"type":"leg2","cn":"Ann","dn":"A","h323":"ann","e164":"201","norm":"+34201"},{"type":"picking"}],)"
      R"("info":[{"type":"uui","vals":"x"},{"type":"cause","vali":"16"}]})");
  EXPECT_EQ(call.state, 133);
  EXPECT_EQ(call.conf, "c0");
  EXPECT_EQ(call.time, 61);
  EXPECT_EQ(call.dtmf, "12");
  EXPECT_THAT(call.no, ElementsAre(Connector{"leg2", "Ann", "A", "ann", "201", "+34201"},
                                   Connector{"picking", "", "", "", "", ""}));
  EXPECT_EQ(call.cause, 16);
}

TEST(InnovaphoneRccCodec, TakesEitherMarkForTheLastMessage) {
  EXPECT_TRUE(read<CallInfo>(R"({"mt":"CallInfo","api":"RCC","call":1,"msg":"del"})").del);
  EXPECT_TRUE(read<CallInfo>(R"({"mt":"CallInfo","api":"RCC","call":1,"del":true})").del);
}

TEST(InnovaphoneRccCodec, ReadsEveryResult) {
  const auto made = read<Result>(R"({"mt":"UserCallResult","api":"RCC","src":"c1","call":7})");
  EXPECT_EQ(made.mt, "UserCall");
  EXPECT_EQ(made.call, 7);
  EXPECT_EQ(read<Result>(R"({"mt":"UserInitializeResult","api":"RCC","user":3})").user, 3);
  EXPECT_EQ(
      read<Result>(R"({"mt":"UserRedirectResult","api":"RCC","error":"no","errorText":"way"})")
          .error,
      "no: way");
  EXPECT_EQ(read<Result>(R"({"mt":"SetPresenceResult","api":"PbxApi","error":0})").error, "");
  EXPECT_THAT(
      read<Result>(
          R"({"mt":"DevicesResult","api":"RCC","devices":[{"hw":"a","text":"A"},{"hw":"b"},{}]})")
          .hardware,
      ElementsAre("a", "b"));
  EXPECT_EQ(read<Unknown>(R"({"mt":"Result","api":"RCC"})").mt, "Result");
}

TEST(InnovaphoneRccCodec, KeepsTheRestOfTheEnvelope) {
  const auto frame = parse(R"({"src":"s1","mt":"Miracle","api":"RCC"})");
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->src, "s1");
  EXPECT_EQ(frame->api, "RCC");
  EXPECT_FALSE(parse(R"({"api":"RCC"})"));
  EXPECT_FALSE(parse(R"({"mt":"CallInfo","api":"RCC","call":1,"peer":{"e164":"4")"));
  EXPECT_FALSE(parse(R"([{"mt":"KeepAlive"}])"));
}

TEST(InnovaphoneRccCodec, WritesWhatItIsTold) {
  EXPECT_EQ(message("UserDTMF", kRcc, "c\"1",
                    {{"call", 5}, {"dtmf", "1#"}, {"recv", false}, Field::json("x", "{}")}),
            R"({"mt":"UserDTMF","api":"RCC","src":"c\"1","call":5,"dtmf":"1#","x":{}})");
  EXPECT_EQ(message("KeepAlive", "", ""), R"({"mt":"KeepAlive"})");
}

}  // namespace
}  // namespace pbx::innovaphone
