#include "wire/text.h"

#include <gmock/gmock.h>

#include "wire/chance.h"
#include "wire/time.h"

namespace wire {
namespace {

using testing::Test;

class Text : public Test {
 protected:
  static std::string mended(std::string_view text) {
    std::string out = "what was there";
    assign_text(out, text);
    return out;
  }
};

TEST_F(Text, StaysAsItIsWhenItIsUtf8) {
  for (const char* text :
       {"", "plain", "long enough for a whole word of memory", "Zoë, after eight letters", "内線",
        "😀", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
    EXPECT_EQ(mended(text), text);
  }
  EXPECT_EQ(mended(std::string_view("a\0b", 3)), std::string("a\0b", 3));
}

TEST_F(Text, LosesOnlyWhatIsNoUtf8) {
  EXPECT_EQ(mended("Zo\xeb"), "Zo\ufffd");                              // Latin-1
  EXPECT_EQ(mended("\xc3"), "\ufffd");                                  // cut
  EXPECT_EQ(mended("a\x80z"), "a\ufffdz");                              // a continuation of nothing
  EXPECT_EQ(mended("\xc0\xaf"), "\ufffd\ufffd");                        // overlong
  EXPECT_EQ(mended("\xe0\x80\xaf"), "\ufffd\ufffd\ufffd");              // overlong
  EXPECT_EQ(mended("\xed\xa0\x80"), "\ufffd\ufffd\ufffd");              // a surrogate
  EXPECT_EQ(mended("\xf4\x90\x80\x80z"), "\ufffd\ufffd\ufffd\ufffdz");  // beyond Unicode
  EXPECT_EQ(mended("\xff\xfe"), "\ufffd\ufffd");
}

TEST_F(Text, IsAlwaysUtf8Afterwards) {
  Chance chance(4);
  for (int i = 0; i < 20'000; ++i) {
    const auto bytes = chance.bytes(12);
    const auto text = mended(bytes);
    ASSERT_TRUE(is_utf8(text));
    ASSERT_EQ(is_utf8(bytes), text == bytes);
  }
}

TEST_F(Text, IsClippedBetweenCharacters) {
  EXPECT_EQ(clip("Zoë", 10), "Zoë");
  EXPECT_EQ(clip("Zoë", 4), "Zoë");
  EXPECT_EQ(clip("Zoë", 3), "Zo");
  EXPECT_EQ(clip("😀", 3), "");
  EXPECT_EQ(clip("", 0), "");
}

class Time : public Test {};

TEST_F(Time, ComesBackToTheNanosecond) {
  Chance chance(5);
  google::protobuf::Timestamp out;
  for (int i = 0; i < 1'000; ++i) {
    const auto time = chance.time();
    to_proto(time, out);
    ASSERT_EQ(from_proto(out).value(), time);
    to_proto(call::Time(-time.time_since_epoch()), out);
    ASSERT_GE(out.nanos(), 0);
    ASSERT_EQ(from_proto(out).value(), call::Time(-time.time_since_epoch()));
  }
}

TEST_F(Time, BeyondTheClockIsRefused) {
  google::protobuf::Timestamp in;
  in.set_seconds(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(from_proto(in).error(), base::Errc::bad_frame);
  in.set_seconds(std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(from_proto(in).error(), base::Errc::bad_frame);
  in.set_seconds(9'223'372'036);
  EXPECT_EQ(from_proto(in).error(), base::Errc::bad_frame);
  in.set_seconds(0);
  in.set_nanos(-1);
  EXPECT_EQ(from_proto(in).error(), base::Errc::bad_frame);
  in.set_nanos(1'000'000'000);
  EXPECT_EQ(from_proto(in).error(), base::Errc::bad_frame);
}

}  // namespace
}  // namespace wire
