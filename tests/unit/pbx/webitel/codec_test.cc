#include "pbx/webitel/codec.h"

#include <gmock/gmock.h>

namespace pbx::webitel {
namespace {

using testing::SizeIs;

struct WebitelCodec : testing::Test {
  template <class T>
  static T event(std::string_view text) {
    const auto frame = parse(text);
    if (!frame) {
      ADD_FAILURE() << text;
      return {};
    }
    const auto* push = std::get_if<Push>(&*frame);
    const T* it = push == nullptr ? nullptr : std::get_if<T>(&push->what);
    if (it == nullptr) {
      ADD_FAILURE() << text;
      return {};
    }
    return *it;
  }
};

TEST_F(WebitelCodec, ReadsAReply) {
  const auto frame = parse(R"({"status":"OK","seq_reply":7,"data":{"id":"x"}})");
  const auto& reply = std::get<SocketReply>(*frame);
  EXPECT_EQ(reply.request, 7u);
  EXPECT_TRUE(reply.ok);
  EXPECT_EQ(reply.data, R"({"id":"x"})");
  const auto failed = parse(
      R"({"status":"FAIL","seq_reply":8,"error":{"id":"a.b","status":"Bad Request","detail":"why","code":400}})");
  const auto& error = std::get<SocketReply>(*failed);
  EXPECT_FALSE(error.ok);
  EXPECT_EQ(error.code, 400u);
  EXPECT_EQ(error.error_id, "a.b");
  EXPECT_EQ(error.detail, "why");
}

TEST_F(WebitelCodec, ReadsALegWhateverTheOrderOfItsFields) {
  const auto leg = event<LegEvent>(
      R"({"seq":3,"data":{"call":{"data":{"user_id":10,"direction":"inbound","from":{"number":"1","name":"N","type":"user","id":"11"},"to":null,"parent_id":"P","queue":{"queue_name":"sales","queue_id":"3"},"unknown":[1,{"a":2}]},"timestamp":"1795250277117","user_id":"10","app_id":"fs","event":"ringing","id":"L"}},"event":"call"})");
  EXPECT_EQ(leg.id, "L");
  EXPECT_EQ(leg.kind, LegEvent::Kind::ringing);
  EXPECT_EQ(leg.user, "10");
  EXPECT_EQ(leg.told_at, 1'795'250'277'117);
  EXPECT_EQ(leg.way, Way::inbound);
  EXPECT_EQ(leg.from, (End{"user", "1", "N", "11"}));
  EXPECT_FALSE(leg.to);
  EXPECT_EQ(leg.parent, "P");
  EXPECT_EQ(leg.queue, "sales");
}

TEST_F(WebitelCodec, ReadsAHangup) {
  const auto leg = event<LegEvent>(
      R"({"event":"call","data":{"call":{"id":"L","event":"hangup","data":{"cause":"ATTENDED_TRANSFER","sip":200,"hangup_by":"A","transfer_from":"X","user_id":10}}},"seq":3})");
  EXPECT_EQ(leg.cause, "ATTENDED_TRANSFER");
  EXPECT_EQ(leg.sip, 200);
  EXPECT_EQ(leg.transfer_from, "X");
  EXPECT_EQ(leg.user, "10");
  // Without any data, as the SDK bears it too.
  EXPECT_EQ(event<LegEvent>(R"({"event":"call","data":{"call":{"id":"L","event":"hold"}}})").kind,
            LegEvent::Kind::hold);
}

TEST_F(WebitelCodec, RefusesWhatIsNoMessage) {
  for (auto text :
       {"", "null", "[]", "{}", "\"x\"", R"({"event":""})", R"({"event":"call"})",
        R"({"event":"call","data":{}})", R"({"event":"call","data":{"call":{"event":"hold"}}})",
        R"({"event":"call","data":"{\"call\":{}}"})",
        R"({"event":"call","data":{"call":{"id":"L","event":"hold","data":"{}"}}})",
        R"({"status":"MAYBE","seq_reply":1})", R"({"event":"call","data":{"call":{"id":"L")"}) {
    EXPECT_FALSE(parse(text)) << text;
  }
  EXPECT_TRUE(std::holds_alternative<Filler>(*parse(std::string_view("\0\0\0\0", 4))));
}

TEST_F(WebitelCodec, CutsTextsAndLeavesOutIdsThatAreTooLong) {
  const std::string many(2'000, 'x');
  const auto leg = event<LegEvent>(
      R"({"event":"call","data":{"call":{"id":"L","event":"ringing","data":{"destination":")" +
      many + R"(","parent_id":")" + many + R"("}}}})");
  EXPECT_THAT(leg.destination, SizeIs(kTextMax));
  EXPECT_EQ(leg.parent, "");
  EXPECT_FALSE(
      parse(R"({"event":"call","data":{"call":{"id":")" + many + R"(","event":"hold"}}})"));
}

TEST_F(WebitelCodec, FindsTheTokensOfAPresence) {
  EXPECT_TRUE(has_token("{sip,web}", "sip"));
  EXPECT_TRUE(has_token("sip,web", "web"));
  EXPECT_TRUE(has_token("dnd", "dnd"));
  EXPECT_FALSE(has_token("{sipx,web}", "sip"));
  EXPECT_FALSE(has_token("", "sip"));
}

}  // namespace
}  // namespace pbx::webitel
