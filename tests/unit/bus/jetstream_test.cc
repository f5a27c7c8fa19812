#include "bus/jetstream.h"

#include <gmock/gmock.h>

#include "unit/bus/bus_fixture.h"

namespace bus {
namespace {

using base::Errc;
using namespace std::chrono_literals;

struct JetStreamTest : BusFixture {
  using BusFixture::BusFixture;
  std::shared_ptr<Connection> connection = connect();
  JetStream jetstream{connection};
  std::string why;

  static StreamConfig events() {
    StreamConfig config;
    config.name = "EVENTS";
    config.subjects = {"pbx.v1.events.>", "pbx.v1.audit.>"};
    config.max_age = 1h;
    config.max_bytes = 10'000'000;
    config.duplicate_window = 30s;
    config.discard = Discard::newest;
    return config;
  }
};

TEST_F(JetStreamTest, MakesAStreamAndThenLeavesItAlone) {
  auto config = events();
  EXPECT_TRUE(await(jetstream.ensure_stream(config, why))) << why;
  EXPECT_TRUE(await(jetstream.ensure_stream(config, why))) << why;
  std::swap(config.subjects[0], config.subjects[1]);  // their order means nothing
  EXPECT_TRUE(await(jetstream.ensure_stream(config, why))) << why;

  const auto state = await(jetstream.stream_state("EVENTS"));
  ASSERT_TRUE(state);
  EXPECT_EQ(state->messages, 0u);
  EXPECT_EQ(state->last_sequence, 0u);
}

TEST_F(JetStreamTest, NamesEveryFieldThatDiffers) {
  auto config = events();
  ASSERT_TRUE(await(jetstream.ensure_stream(config, why))) << why;
  config.subjects = {"pbx.v1.events.>"};
  config.max_age = 2h;
  config.max_bytes = 20'000'000;
  config.replicas = 3;
  config.discard = Discard::oldest;
  config.duplicate_window = 90s;
  config.storage = Storage::memory;
  const auto ensured = await(jetstream.ensure_stream(config, why));
  EXPECT_EQ(ensured.error(), Errc::config_mismatch);
  EXPECT_EQ(why,
            "stream EVENTS: subjects: wanted pbx.v1.events.>, found pbx.v1.audit.>, "
            "pbx.v1.events.>; max_age: wanted 7200s, found 3600s; max_bytes: wanted 20000000, "
            "found 10000000; replicas: wanted 3, found 1; discard: wanted old, found new; "
            "duplicate_window: wanted 90s, found 30s; storage: wanted memory, found file");
}

TEST_F(JetStreamTest, ChangesTheLimitsOfAStreamAndNothingElse) {
  auto config = events();
  EXPECT_EQ(*await(jetstream.adapt_stream(config, why)), Fit::exact) << why;
  EXPECT_EQ(*await(jetstream.adapt_stream(config, why)), Fit::exact) << why;
  config.max_age = 90 * 24h;
  config.max_bytes = 20'000'000;
  config.max_messages_per_subject = 7;
  config.duplicate_window = 90s;
  EXPECT_EQ(*await(jetstream.adapt_stream(config, why)), Fit::adapted) << why;
  EXPECT_EQ(
      why,
      "stream EVENTS: max_age: wanted 7776000s, found 3600s; max_bytes: wanted 20000000, found "
      "10000000; max_messages_per_subject: wanted 7, found -1; duplicate_window: wanted 90s, "
      "found 30s");
  EXPECT_TRUE(await(jetstream.ensure_stream(config, why))) << why;

  auto other = config;
  other.max_age = 3h;
  other.storage = Storage::memory;
  EXPECT_EQ(await(jetstream.adapt_stream(other, why)).error(), Errc::config_mismatch);
  EXPECT_NE(why.find("storage: wanted memory, found file"), std::string::npos) << why;
  EXPECT_TRUE(await(jetstream.ensure_stream(config, why))) << why;  // as it was
}

TEST_F(JetStreamTest, LeavesLimitsThatItMayNotChange) {
  auto config = events();
  ASSERT_TRUE(await(jetstream.ensure_stream(config, why))) << why;
  auto other = config;
  other.duplicate_window = 2h;  // longer than anything is kept
  EXPECT_EQ(*await(jetstream.adapt_stream(other, why)), Fit::other);
  EXPECT_NE(why.find("duplicate_window: wanted 7200s, found 30s (not changed: "), std::string::npos)
      << why;
  EXPECT_TRUE(await(jetstream.ensure_stream(config, why))) << why;

  config.replicas = 3;  // there is one server, which would take them
  config.max_age = 2h;
  EXPECT_EQ(*await(jetstream.adapt_stream(config, why)), Fit::other);
  EXPECT_EQ(why,
            "stream EVENTS: max_age: wanted 7200s, found 3600s; replicas: wanted 3, found 1 "
            "(replicas: not changed)");
  config.replicas = 1;
  EXPECT_TRUE(await(jetstream.ensure_stream(config, why))) << why;
}

TEST_F(JetStreamTest, TellsWhyAStreamCannotBeMade) {
  auto config = events();
  config.replicas = 3;  // there is one server
  const auto ensured = await(jetstream.ensure_stream(config, why));
  EXPECT_FALSE(ensured);
  EXPECT_NE(why.find("replicas"), std::string::npos) << why;
}

TEST_F(JetStreamTest, FindsTheLastMessageOfASubject) {
  const auto config = events();
  ASSERT_TRUE(await(jetstream.ensure_stream(config, why))) << why;
  EXPECT_EQ(await(jetstream.last_message("EVENTS", "pbx.v1.events.a")).error(),
            Errc::key_not_found);
  EXPECT_EQ(await(jetstream.stream_state("OTHER")).error(), Errc::key_not_found);
}

struct NoJetStreamTest : JetStreamTest {
  NoJetStreamTest() : JetStreamTest({.jetstream = false}) {}
};

TEST_F(NoJetStreamTest, SaysThatJetStreamIsNotThere) {
  const auto config = events();
  const auto ensured = await(jetstream.ensure_stream(config, why));
  EXPECT_EQ(ensured.error(), Errc::bus_unavailable);
  EXPECT_NE(why, "");
}

}  // namespace
}  // namespace bus
