#include "config/values.h"

#include <gtest/gtest.h>

namespace config {
namespace {

using namespace std::chrono_literals;

TEST(Values, ReadDurations) {
  EXPECT_EQ(duration_from("0s"), 0ms);
  EXPECT_EQ(duration_from("500ms"), 500ms);
  EXPECT_EQ(duration_from("10s"), 10s);
  EXPECT_EQ(duration_from("5m"), 5min);
  EXPECT_EQ(duration_from("2h"), 2h);
  EXPECT_EQ(duration_from("1d"), 24h);
  for (auto text : {"", "s", "10", "1.5s", "+1s", " 1s", "1s ", "1S", "1us", "-1s",
                    "9223372036854775808ms", "106751991168d"}) {
    EXPECT_EQ(duration_from(text), std::nullopt) << text;
  }
}

TEST(Values, ReadSizes) {
  EXPECT_EQ(bytes_from("512B"), 512u);
  EXPECT_EQ(bytes_from("64KiB"), 65'536u);
  EXPECT_EQ(bytes_from("16MiB"), 16u << 20);
  EXPECT_EQ(bytes_from("1GiB"), 1u << 30);
  for (auto text : {"", "B", "1", "1KB", "1kib", "8589934592GiB"}) {
    EXPECT_EQ(bytes_from(text), std::nullopt) << text;
  }
}

TEST(Values, WriteWhatTheyRead) {
  for (auto text : {"0ms", "999ms", "10s", "90s", "5m", "36h", "2d"}) {
    EXPECT_EQ(text_of(*duration_from(text)), text);
  }
  for (auto text : {"0B", "1023B", "1KiB", "1025KiB", "3GiB"}) {
    EXPECT_EQ(text_of_bytes(*bytes_from(text)), text);
  }
  for (auto text : {"nats.example:4222", "127.0.0.1:1", "[::1]:65535"}) {
    EXPECT_EQ(text_of(*host_port_from(text, {})), text);
  }
}

TEST(Values, ReadAddresses) {
  EXPECT_EQ(host_port_from("a_b-c.example", 4222), (HostPort{"a_b-c.example", 4222}));
  EXPECT_EQ(host_port_from("[::1]", 4222), (HostPort{"::1", 4222}));
  EXPECT_EQ(host_port_from("a:0", {}), (HostPort{"a", 0}));
  for (auto text : {"", "a", ":1", "a:", "a:x", "a:1:2", "a:65536", "a:-1", "[]:1", "[a]:1",
                    "[::1]1", "[::1]:", "-a:1", ".a:1", "a b:1", "a/b:1", "u@a:1"}) {
    EXPECT_EQ(host_port_from(text, {}), std::nullopt) << text;
  }
}

TEST(Values, ReadWholeNumbersAndTruth) {
  EXPECT_EQ(integer_from("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  for (auto text : {"", "-", "+1", "1_000", "1e3", "9223372036854775808"}) {
    EXPECT_EQ(integer_from(text), std::nullopt) << text;
  }
  EXPECT_EQ(boolean_from("true"), true);
  EXPECT_EQ(boolean_from("false"), false);
  for (auto text : {"", "TRUE", "on", "0"}) EXPECT_EQ(boolean_from(text), std::nullopt) << text;
}

}  // namespace
}  // namespace config
