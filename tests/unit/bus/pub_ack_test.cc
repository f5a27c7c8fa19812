#include "bus/pub_ack.h"

#include <gtest/gtest.h>

namespace bus {
namespace {

using base::Errc;

struct PubAckTest : testing::Test {
  Refusal refusal;
};

TEST_F(PubAckTest, ReadsSequenceAndDuplicate) {
  const auto first = parse_pub_ack(R"({"stream":"EVENTS", "seq":17})", refusal);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->sequence, 17u);
  EXPECT_FALSE(first->duplicate);

  const auto second =
      parse_pub_ack(R"({"stream":"EVENTS","domain":"hub","seq": 18446744073709551615,)"
                    R"("duplicate": true})",
                    refusal);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->sequence, 18446744073709551615u);
  EXPECT_TRUE(second->duplicate);
}

TEST_F(PubAckTest, NamesTheReasonOfARefusal) {
  const auto ack = parse_pub_ack(
      R"({"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 3"},)"
      R"("stream":"KV_leases","seq":0})",
      refusal);
  EXPECT_EQ(ack.error(), Errc::revision_differs);
  EXPECT_EQ(refusal.code, kWrongLastSequence);
  EXPECT_EQ(refusal.description, "wrong last sequence: 3");

  const auto full = parse_pub_ack(
      R"({"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"}})", refusal);
  EXPECT_EQ(full.error(), Errc::bus_unavailable);

  const auto big = parse_pub_ack(
      R"({"error":{"code":400,"err_code":10054,"description":"message size exceeds maximum"}})",
      refusal);
  EXPECT_EQ(big.error(), Errc::message_too_big);
}

TEST_F(PubAckTest, TakesNothingElseForAnAcknowledgement) {
  for (const char* text : {"", "{}", "+ACK", R"({"seq":1})", R"({"stream":"E"})", R"({"stream":)",
                           R"({"stream":"E","seq":})", R"({"stream":"E","seq":"x"})",
                           R"({"stream":"\"seq\":1"})", "\"stream\"", "\"error\":"}) {
    EXPECT_FALSE(parse_pub_ack(text, refusal)) << text;
  }
}

}  // namespace
}  // namespace bus
