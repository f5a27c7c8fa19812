#include "telemetry/log.h"

#include <limits>
#include <sstream>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <simdjson.h>

#include "config/secret.h"
#include "telemetry/json.h"
#include "telemetry/log_format.h"

namespace telemetry::log {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

static_assert(!std::is_constructible_v<Field, std::string_view, config::Secret>);
static_assert(!std::is_constructible_v<Field, std::string_view, const config::Secret&>);
static_assert(!std::is_constructible_v<Field, std::string_view, void*>);
static_assert(!std::is_constructible_v<Field, std::string_view, char>);

// 2024-02-29, and a bit.
constexpr auto kTime = std::chrono::system_clock::time_point(1'709'164'799s + 12'345us);

std::string json_of(std::string_view message, Fields fields = {}) {
  std::string out;
  append_json(out, {kTime, Level::info, "bus", message, {fields.begin(), fields.size()}});
  return out;
}

std::string text_of(std::string_view message, Fields fields = {}) {
  std::string out;
  append_text(out, {kTime, Level::warning, "bus", message, {fields.begin(), fields.size()}});
  return out;
}

TEST(LogFormat, IsAnObjectOnALine) {
  const base::TenantId tenant("acme");
  EXPECT_EQ(json_of("link up", {{"tenant", tenant},
                                {"host", "pbx"},
                                {"text", std::string("owned")},
                                {"attempts", 3},
                                {"least", std::numeric_limits<std::int64_t>::min()},
                                {"most", std::numeric_limits<std::uint64_t>::max()},
                                {"share", 0.5},
                                {"tls", true},
                                {"delay", 1'500ms},
                                {"why", base::Errc::link_lost}}),
            R"({"time":"2024-02-28T23:59:59.012345Z","level":"info","component":"bus",)"
            R"("message":"link up","tenant":"acme","host":"pbx","text":"owned","attempts":3,)"
            R"("least":-9223372036854775808,"most":18446744073709551615,"share":0.5,"tls":true,)"
            R"("delay":1.5,"why":"link_lost: link to the PBX lost"})");
}

TEST(LogFormat, NamesErrorsThatAreNotOurs) {
  const base::Error error = make_error_code(boost::system::errc::connection_refused);
  EXPECT_THAT(json_of("x", {{"why", error}}), HasSubstr(R"("why":"generic: Connection refused")"));
  EXPECT_THAT(json_of("x", {{"why", base::Error()}}), HasSubstr(R"("why":"none")"));
}

TEST(LogFormat, KeepsItsOwnNames) {
  EXPECT_THAT(json_of("x", {{"message", "y"}, {"time", 1}}),
              EndsWith(R"("message":"x","message_":"y","time_":1})"));
}

TEST(LogFormat, HasNoNumbersThatJsonHasNot) {
  EXPECT_THAT(json_of("x", {{"a", std::numeric_limits<double>::quiet_NaN()},
                            {"b", -std::numeric_limits<double>::infinity()},
                            {"c", 1e300}}),
              EndsWith(R"("a":null,"b":null,"c":1e+300})"));
}

TEST(LogFormat, CutsLongTextBetweenCharacters) {
  const std::string exact(kTextBytesMax, 'x');
  EXPECT_THAT(json_of("m", {{"a", exact}}), EndsWith(exact + "\"}"));
  EXPECT_THAT(json_of("m", {{"a", exact + "yz"}}), EndsWith("x… (2 more bytes)\"}"));
  const std::string umlauts = std::string(kTextBytesMax - 1, 'x') + "ü";
  EXPECT_THAT(json_of("m", {{"a", umlauts}}), EndsWith("x… (2 more bytes)\"}"));
}

TEST(LogFormat, ReadsWellOnATerminal) {
  EXPECT_EQ(text_of("link lost", {{"tenant", "acme"},
                                  {"why", base::Errc::link_lost},
                                  {"text", "two words"},
                                  {"none", ""},
                                  {"n", -1}}),
            R"(2024-02-28T23:59:59.012345Z WARNING bus: link lost tenant=acme )"
            R"(why="link_lost: link to the PBX lost" text="two words" none="" n=-1)");
  EXPECT_EQ(text_of("a\n\x1b[2J", {{"b", "\x1b[2J"}}),
            "2024-02-28T23:59:59.012345Z WARNING bus: a\\n\\u001b[2J b=\"\\u001b[2J\"");
}

struct Escape {
  std::string text, json;
};

TEST(Json, EscapesWhatItHasTo) {
  const std::vector<Escape> kRows{
      {"", ""},
      {"plain", "plain"},
      {"\"\\/", "\\\"\\\\/"},
      {"\n\r\t", "\\n\\r\\t"},
      {std::string("\0\x01\x1f\x7f", 4), "\\u0000\\u0001\\u001f\\u007f"},
      {"äß€𝄞", "äß€𝄞"},
      {"\x80", "\xEF\xBF\xBD"},                  // a continuation of nothing
      {"a\xC3", "a\xEF\xBF\xBD"},                // cut off
      {"\xC3(", "\xEF\xBF\xBD("},                // not continued
      {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},  // longer than needed
      {"\xE0\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // a surrogate
      {"\xF5", "\xEF\xBF\xBD"},
      {"\xFFok", "\xEF\xBF\xBDok"},
  };
  for (const auto& row : kRows) {
    std::string out;
    append_json_string(out, row.text);
    EXPECT_EQ(out, '"' + row.json + '"');
  }
}

TEST(Json, IsValidForAnyTwoBytes) {
  simdjson::dom::parser parser;
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; second += 3) {
      const std::string text{static_cast<char>(first), static_cast<char>(second)};
      const auto line = json_of(text, {{"a", text}, {text, 1}});
      EXPECT_EQ(parser.parse(line).error(), simdjson::SUCCESS) << first << ' ' << second;
      EXPECT_EQ(line.find('\n'), std::string::npos);
    }
  }
}

// The process' log, caught; afterwards it is as it was.
struct LogTest : testing::Test {
  std::ostringstream out;

  LogTest() { setup({.component = "connector", .out = &out}); }
  ~LogTest() override { setup({}); }

  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    std::istringstream in(out.str());
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
  }
};

TEST_F(LogTest, WritesWithTheComponentsName) {
  info("one", {{"n", 1}});
  constexpr Logger kBus("bus");
  kBus.error("two");
  ASSERT_THAT(lines(), SizeIs(2));
  EXPECT_THAT(lines()[0],
              HasSubstr(R"("level":"info","component":"connector","message":"one","n":1})"));
  EXPECT_THAT(lines()[1], HasSubstr(R"("level":"error","component":"bus","message":"two"})"));
}

TEST_F(LogTest, ObeysItsLevelAtRunTime) {
  constexpr Logger kBus("bus");
  const auto all = [&] {
    debug("d"), info("i"), warning("w"), error("e");
    kBus.debug("d"), kBus.info("i"), kBus.warning("w"), kBus.error("e");
  };
  all();
  EXPECT_THAT(lines(), SizeIs(6));
  set_level(Level::error);
  EXPECT_FALSE(enabled(Level::warning));
  all();
  EXPECT_THAT(lines(), SizeIs(8));
  set_level(Level::debug);
  EXPECT_TRUE(enabled(Level::debug));
  all();
  EXPECT_THAT(lines(), SizeIs(16));
}

TEST_F(LogTest, SpeaksToPeopleIfAsked) {
  setup({.component = "connector", .format = Format::text, .out = &out});
  info("hello", {{"a", 1}});
  EXPECT_THAT(out.str(), EndsWith(" INFO    connector: hello a=1\n"));
}

TEST_F(LogTest, KeepsLinesOfManyThreadsApart) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      for (int j = 0; j < 200; ++j) {
        info("line", {{"thread", i}, {"text", std::string(50, static_cast<char>('a' + i))}});
        if (j == 100) set_level(Level::info);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const auto all = lines();
  EXPECT_THAT(all, SizeIs(800));
  for (const auto& line : all) {
    EXPECT_THAT(line, StartsWith("{\"time\""));
    EXPECT_THAT(line, EndsWith("\"}"));
  }
}

TEST(Level, HasANameEachWay) {
  for (auto level : {Level::debug, Level::info, Level::warning, Level::error}) {
    EXPECT_EQ(level_from(name_of(level)), level);
  }
  EXPECT_EQ(level_from("warn"), std::nullopt);
}

}  // namespace
}  // namespace telemetry::log
