#include "bus/publisher.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "bus/consumer.h"
#include "bus/jetstream.h"
#include "support/fault_proxy.h"
#include "unit/bus/bus_fixture.h"

namespace bus {
namespace {

using base::Errc;
using support::FaultProxy;
using testing::ElementsAre;
using namespace std::chrono_literals;

struct PublisherTest : BusFixture {
  using BusFixture::BusFixture;

  static StreamConfig stream(std::chrono::nanoseconds window = 30s) {
    StreamConfig config;
    config.name = "EVENTS";
    config.subjects = {"events.>"};
    config.duplicate_window = window;
    return config;
  }
  void make_stream(const std::shared_ptr<Connection>& connection,
                   const StreamConfig& config = stream()) {
    std::string why;
    JetStream jetstream(connection);
    ASSERT_TRUE(await(jetstream.ensure_stream(config, why))) << why;
  }

  static PublisherOptions quick() {
    PublisherOptions options;
    options.stream = "EVENTS";
    options.duplicate_window = 30s;
    options.ack_timeout = 200ms;
    options.retry_wait = 5ms;
    options.backoff = {20ms, 50ms};
    return options;
  }
  static Message message(const std::string& lane, std::uint64_t number) {
    Message message;
    message.subject = "events." + lane;
    message.id = lane + "." + std::to_string(number);
    message.payload = std::to_string(number);
    message.number = number;
    return message;
  }

  // What the stream holds, as "payload" by subject, in the stream's order.
  std::map<std::string, std::vector<std::string>> stored() {
    const auto connection = connect();
    const auto requests = std::make_shared<Requests>(connection);
    std::map<std::string, std::vector<std::string>> found;
    bool caught_up = false;
    ConsumerOptions options;
    options.stream = "EVENTS";
    options.filter = "events.>";
    options.start = {.kind = Start::Kind::sequence, .sequence = 0};
    OrderedConsumer::Handlers handlers;
    handlers.on_message = [&](const Delivery& it) {
      found[std::string(it.subject())].emplace_back(it.payload());
    };
    handlers.on_caught_up = [&] { caught_up = true; };
    std::string why;
    auto opening = OrderedConsumer::open(requests, io.get_executor(), std::move(options),
                                         std::move(handlers), why);
    const auto consumer = await(std::move(opening));
    EXPECT_TRUE(consumer) << why;
    EXPECT_TRUE(run_until([&] { return caught_up; }));
    return found;
  }
  static std::vector<std::string> numbers(std::uint64_t from, std::uint64_t to) {
    std::vector<std::string> all;
    for (auto it = from; it <= to; ++it) all.push_back(std::to_string(it));
    return all;
  }
};

// A lane that has always something to say, until all is said.
struct Talker {
  std::string name;
  std::uint64_t last;
  std::uint64_t next = 1;
  std::vector<std::uint64_t> acknowledged{};
  std::unique_ptr<Lane> lane{};

  void talk() {
    while (next <= last && lane->offer(PublisherTest::message(name, next))) ++next;
  }
  void open(Publisher& publisher) {
    Lane::Handlers handlers;
    handlers.on_ack = [this](const Message& message, Ack) {
      acknowledged.push_back(message.number);
    };
    handlers.on_space = [this] { talk(); };
    lane = publisher.open_lane(std::move(handlers));
  }
  bool done() const { return acknowledged.size() == last; }
};

TEST_F(PublisherTest, StoresEachMessageOnceAndAcknowledgesInOrder) {
  const auto connection = connect();
  make_stream(connection);
  Publisher publisher(connection, quick());
  std::vector<std::uint64_t> numbers_acked, sequences;
  Lane::Handlers handlers;
  handlers.on_ack = [&](const Message& it, Ack ack) {
    numbers_acked.push_back(it.number);
    sequences.push_back(ack.sequence);
    EXPECT_FALSE(ack.duplicate);
  };
  const auto lane = publisher.open_lane(std::move(handlers));
  for (std::uint64_t i = 1; i <= 3; ++i) {
    auto it = message("acme", i);
    it.content_type = "application/protobuf";
    EXPECT_TRUE(lane->offer(std::move(it)));
  }
  EXPECT_EQ(publisher.statistics().depth, 3u);
  EXPECT_EQ(publisher.statistics().in_flight, 1u);
  EXPECT_GT(publisher.statistics().oldest.time_since_epoch().count(), 0);
  EXPECT_TRUE(await(lane->drained(10s)));
  EXPECT_THAT(numbers_acked, ElementsAre(1, 2, 3));
  EXPECT_THAT(sequences, ElementsAre(1, 2, 3));
  const auto counts = publisher.statistics();
  EXPECT_EQ(counts.attempts, 3u);
  EXPECT_EQ(counts.acks, 3u);
  EXPECT_EQ(counts.retries + counts.depth + counts.bytes + counts.in_flight, 0u);
  EXPECT_EQ(counts.oldest.time_since_epoch().count(), 0);
  EXPECT_THAT(stored()["events.acme"], ElementsAre("1", "2", "3"));

  JetStream jetstream(connection);
  const auto last = await(jetstream.last_message("EVENTS", "events.acme"));
  ASSERT_TRUE(last);
  EXPECT_EQ(last->id, "acme.3");
  EXPECT_EQ(last->sequence, 3u);
}

TEST_F(PublisherTest, KeepsTheOrderOfEveryLaneOverServerRestarts) {
  const auto connection = connect();
  make_stream(connection);
  auto options = quick();
  options.in_flight_max = 12;  // so that lanes also wait for their turn
  Publisher publisher(connection, options);
  std::vector<Talker> talkers;
  talkers.reserve(20);
  for (int i = 0; i < 20; ++i) talkers.push_back({.name = "t" + std::to_string(i), .last = 300});
  for (auto& it : talkers) {
    it.open(publisher);
    it.talk();
  }
  const auto acknowledged = [&] { return publisher.statistics().acks; };
  for (std::uint64_t mark = 1'000; mark <= 4'000; mark += 1'000) {
    ASSERT_TRUE(run_until([&] { return acknowledged() >= mark; }));
    (mark / 1'000) % 2 == 0 ? server.kill() : server.stop();
    ASSERT_TRUE(run_until([&] { return !connection->connected(); }));
    server.start();
  }
  ASSERT_TRUE(run_until([&] {
    return std::all_of(talkers.begin(), talkers.end(), [](const auto& it) { return it.done(); });
  }));
  auto found = stored();
  for (const auto& it : talkers) {
    EXPECT_EQ(found["events." + it.name], numbers(1, it.last)) << it.name;
    EXPECT_TRUE(std::is_sorted(it.acknowledged.begin(), it.acknowledged.end()));
  }
  EXPECT_GT(publisher.statistics().retries, 0u);
  EXPECT_EQ(publisher.statistics().in_flight, 0u);
}

TEST_F(PublisherTest, SendsNothingTwiceIntoTheStreamWhenAcknowledgementsAreLost) {
  FaultProxy proxy(server.port());
  make_stream(connect());
  const auto connection = connect(options_for("nats://127.0.0.1:" + std::to_string(proxy.port())));
  Publisher publisher(connection, quick());
  std::vector<Talker> talkers;
  talkers.reserve(10);
  for (int i = 0; i < 10; ++i) talkers.push_back({.name = "t" + std::to_string(i), .last = 100});
  for (auto& it : talkers) {
    it.open(publisher);
    it.talk();
  }
  for (std::uint64_t round = 1; round <= 8; ++round) {
    const auto counts = [&] { return publisher.statistics(); };
    ASSERT_TRUE(run_until([&] { return counts().acks >= round * 100; }));
    // The server stores what it gets, and we do not learn of it.
    proxy.set_flow_to_client(FaultProxy::Flow::drop);
    const auto before = counts();
    if (round % 2 == 0) {  // until the answers are given up, and more attempts are made
      ASSERT_TRUE(
          run_until([&] { return counts().failures.timed_out > before.failures.timed_out; }));
      ASSERT_TRUE(run_until([&] { return counts().retries > before.retries; }));
    }
    proxy.reset();
    proxy.set_flow_to_client(FaultProxy::Flow::pass);
    proxy.reset();
  }
  ASSERT_TRUE(run_until([&] {
    return std::all_of(talkers.begin(), talkers.end(), [](const auto& it) { return it.done(); });
  }));
  auto found = stored();
  for (const auto& it : talkers) EXPECT_EQ(found["events." + it.name], numbers(1, it.last));
  EXPECT_GT(publisher.statistics().duplicates, 0u);
}

TEST_F(PublisherTest, LooksUpAMessageOlderThanTheDuplicateWindow) {
  FaultProxy proxy(server.port());
  make_stream(connect(), stream(100ms));  // the smallest window there is
  const auto connection = connect(options_for("nats://127.0.0.1:" + std::to_string(proxy.port())));
  auto options = quick();
  options.duplicate_window = 100ms;
  options.ack_timeout = 300ms;  // beyond the window: no attempt within it
  Publisher publisher(connection, options);
  std::vector<Ack> acks;
  Lane::Handlers handlers;
  handlers.on_ack = [&](const Message&, Ack ack) { acks.push_back(ack); };
  const auto lane = publisher.open_lane(std::move(handlers));
  proxy.set_flow_to_client(FaultProxy::Flow::pause);
  lane->offer(message("acme", 1));
  lane->offer(message("acme", 2));
  ASSERT_TRUE(run_until([&] { return publisher.statistics().failures.timed_out == 1; }));
  proxy.reset();
  proxy.set_flow_to_client(FaultProxy::Flow::pass);
  ASSERT_TRUE(run_until([&] { return acks.size() == 2; }));
  EXPECT_TRUE(acks[0].duplicate);
  EXPECT_EQ(acks[0].sequence, 1u);
  EXPECT_FALSE(acks[1].duplicate);
  EXPECT_GE(publisher.statistics().lookups, 1u);
  EXPECT_THAT(stored()["events.acme"], ElementsAre("1", "2"));
}

TEST_F(PublisherTest, SendsAgainWhatALookupDidNotFind) {
  FaultProxy proxy(server.port());
  make_stream(connect(), stream(100ms));
  const auto connection = connect(options_for("nats://127.0.0.1:" + std::to_string(proxy.port())));
  auto options = quick();
  options.duplicate_window = 100ms;
  options.ack_timeout = 300ms;
  Publisher publisher(connection, options);
  const auto lane = publisher.open_lane({});
  lane->offer(message("acme", 1));
  ASSERT_TRUE(run_until([&] { return lane->depth() == 0; }));
  proxy.set_flow_to_target(FaultProxy::Flow::drop);  // this one gets lost
  lane->offer(message("acme", 2));
  ASSERT_TRUE(run_until([&] { return publisher.statistics().failures.timed_out >= 1; }));
  proxy.reset();
  proxy.set_flow_to_target(FaultProxy::Flow::pass);
  proxy.reset();
  ASSERT_TRUE(run_until([&] { return lane->depth() == 0; }));
  EXPECT_GE(publisher.statistics().lookups, 1u);
  EXPECT_THAT(stored()["events.acme"], ElementsAre("1", "2"));
}

TEST_F(PublisherTest, WaitsForAStreamThatIsNotThereYet) {
  const auto connection = connect();
  Publisher publisher(connection, quick());
  const auto lane = publisher.open_lane({});
  lane->offer(message("acme", 1));
  ASSERT_TRUE(run_until([&] { return publisher.statistics().failures.no_responders >= 4; }));
  make_stream(connection);
  EXPECT_TRUE(await(lane->drained(10s)));
  EXPECT_THAT(stored()["events.acme"], ElementsAre("1"));
}

TEST_F(PublisherTest, KeepsWhatAFullStreamRefuses) {
  const auto connection = connect();
  auto config = stream();
  config.max_bytes = 50'000;
  config.discard = Discard::newest;
  make_stream(connection, config);
  Publisher publisher(connection, quick());
  const auto lane = publisher.open_lane({});
  for (std::uint64_t i = 1; i <= 100; ++i) {
    auto it = message("acme", i);
    it.payload.resize(1'000, ' ');
    lane->offer(std::move(it));
  }
  ASSERT_TRUE(run_until([&] { return publisher.statistics().failures.rejected >= 4; }));
  const auto kept = lane->depth();
  EXPECT_GT(kept, 0u);
  EXPECT_EQ(publisher.statistics().lost, 0u);
  EXPECT_EQ(stored()["events.acme"].size(), 100 - kept);
}

TEST_F(PublisherTest, RefusesBeyondItsLimitsAndTellsWhenThereIsSpace) {
  const auto connection = connect();
  make_stream(connection);
  server.stop();
  ASSERT_TRUE(run_until([&] { return !connection->connected(); }));
  auto options = quick();
  options.lane.messages_max = 100;
  Publisher publisher(connection, options);
  int spaces = 0;
  std::size_t depth_at_space = 0;
  std::unique_ptr<Lane> lane;
  Lane::Handlers handlers;
  handlers.on_space = [&] {
    ++spaces;
    depth_at_space = lane->depth();
  };
  lane = publisher.open_lane(std::move(handlers));
  for (std::uint64_t i = 1; i <= 100; ++i) EXPECT_TRUE(lane->offer(message("acme", i)));
  const auto bytes = lane->bytes();
  for (std::uint64_t i = 101; i <= 10'000; ++i) EXPECT_FALSE(lane->offer(message("acme", i)));
  EXPECT_EQ(lane->depth(), 100u);
  EXPECT_EQ(lane->bytes(), bytes);
  EXPECT_EQ(publisher.statistics().refused, 9'900u);
  EXPECT_EQ(spaces, 0);
  server.start();
  EXPECT_TRUE(await(lane->drained(20s)));
  EXPECT_TRUE(run_until([&] { return spaces == 1; }));
  EXPECT_LE(depth_at_space, 50u);
  EXPECT_EQ(stored()["events.acme"], numbers(1, 100));
  EXPECT_EQ(lane->bytes(), 0u);
}

TEST_F(PublisherTest, SharesItsBytesAmongTheLanes) {
  const auto connection = connect();
  make_stream(connection);
  server.stop();
  ASSERT_TRUE(run_until([&] { return !connection->connected(); }));
  auto options = quick();
  options.lane.bytes_max = 60'000;
  options.bytes_max = 100'000;
  Publisher publisher(connection, options);
  int spaces = 0;
  const auto greedy = publisher.open_lane({});
  const auto next = publisher.open_lane({});
  Lane::Handlers handlers;
  handlers.on_space = [&] { ++spaces; };
  const auto late = publisher.open_lane(std::move(handlers));
  std::uint64_t number = 0;
  const auto offer = [&](const auto& lane) {
    auto it = message("acme", ++number);
    it.payload.assign(10'000, 'x');
    return lane->offer(std::move(it));
  };
  while (offer(greedy)) continue;
  EXPECT_LE(greedy->bytes(), 60'000u);
  while (offer(next)) continue;
  EXPECT_LE(publisher.statistics().bytes, 100'000u);
  EXPECT_FALSE(offer(late));
  EXPECT_EQ(spaces, 0);
  server.start();
  EXPECT_TRUE(run_until([&] { return spaces == 1; }));
  EXPECT_TRUE(offer(late));
  EXPECT_TRUE(await(publisher.drained(20s)));
}

TEST_F(PublisherTest, ReportsWhatBecameTooOld) {
  const auto connection = connect();
  make_stream(connection);
  server.stop();
  ASSERT_TRUE(run_until([&] { return !connection->connected(); }));
  auto options = quick();
  options.lane.age_max = 50ms;
  Publisher publisher(connection, options);
  std::vector<Loss> losses;
  Lane::Handlers handlers;
  handlers.on_loss = [&](const Loss& it) { losses.push_back(it); };
  const auto lane = publisher.open_lane(std::move(handlers));
  for (std::uint64_t i = 1; i <= 5; ++i) lane->offer(message("acme", i));
  ASSERT_TRUE(run_until([&] { return lane->depth() == 0; }));
  ASSERT_EQ(losses.size(), 1u);
  EXPECT_EQ(losses[0].why, Errc::timed_out);
  EXPECT_EQ(losses[0].count, 5u);
  EXPECT_EQ(losses[0].first_number, 1u);
  EXPECT_EQ(losses[0].last_number, 5u);
  EXPECT_EQ(losses[0].first_id, "acme.1");
  EXPECT_EQ(losses[0].last_id, "acme.5");
  EXPECT_FALSE(losses[0].first_may_be_stored);
  EXPECT_EQ(publisher.statistics().lost, 5u);
  EXPECT_EQ(publisher.statistics().bytes, 0u);
}

TEST_F(PublisherTest, GoesOnAfterAMessageThatIsTooBig) {
  const auto connection = connect();
  make_stream(connection);
  Publisher publisher(connection, quick());
  std::vector<Loss> losses;
  Lane::Handlers handlers;
  handlers.on_loss = [&](const Loss& it) { losses.push_back(it); };
  const auto lane = publisher.open_lane(std::move(handlers));
  lane->offer(message("acme", 1));
  auto big = message("acme", 2);
  big.payload.assign(2'000'000, 'x');  // the server takes 1 MiB
  lane->offer(std::move(big));
  lane->offer(message("acme", 3));
  EXPECT_TRUE(await(lane->drained(10s)));
  ASSERT_EQ(losses.size(), 1u);
  EXPECT_EQ(losses[0].why, Errc::message_too_big);
  EXPECT_EQ(losses[0].first_number, 2u);
  EXPECT_THAT(stored()["events.acme"], ElementsAre("1", "3"));
}

TEST_F(PublisherTest, SendsNothingMoreOfALaneThatIsGone) {
  const auto connection = connect();
  make_stream(connection);
  Publisher publisher(connection, quick());
  std::unique_ptr<Lane> lane;
  int acks = 0;
  Lane::Handlers handlers;
  handlers.on_ack = [&](const Message& it, Ack) {
    ++acks;
    if (it.number == 2) lane.reset();
  };
  lane = publisher.open_lane(std::move(handlers));
  for (std::uint64_t i = 1; i <= 100; ++i) lane->offer(message("acme", i));
  ASSERT_TRUE(run_until([&] { return lane == nullptr; }));
  EXPECT_EQ(publisher.statistics().depth, 0u);
  EXPECT_EQ(publisher.statistics().in_flight, 0u);
  EXPECT_EQ(publisher.statistics().lanes, 0u);
  EXPECT_EQ(acks, 2);
  // The third was on its way already.
  EXPECT_THAT(stored()["events.acme"], testing::AnyOf(numbers(1, 2), numbers(1, 3)));
}

TEST_F(PublisherTest, TellsAtTheDeadlineThatItIsNotDrained) {
  const auto connection = connect();
  Publisher publisher(connection, quick());  // there is no stream
  const auto lane = publisher.open_lane({});
  EXPECT_TRUE(await(lane->drained(10ms)));
  lane->offer(message("acme", 1));
  EXPECT_FALSE(await(lane->drained(10ms)));
  EXPECT_FALSE(await(publisher.drained(10ms)));
}

}  // namespace
}  // namespace bus
