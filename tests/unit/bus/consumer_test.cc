#include "bus/consumer.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "bus/jetstream.h"
#include "bus/publisher.h"
#include "support/fault_proxy.h"
#include "unit/bus/bus_fixture.h"

namespace bus {
namespace {

using base::Errc;
using testing::ElementsAre;
using namespace std::chrono_literals;

struct ConsumerTest : BusFixture {
  std::shared_ptr<Connection> connection = connect();
  std::shared_ptr<Requests> requests = std::make_shared<Requests>(connection);
  PublisherOptions publishing = quick();
  Publisher publisher{connection, publishing};
  std::unique_ptr<Lane> lane = publisher.open_lane({});
  std::uint64_t published = 0;

  // What the consumer under test has shown.
  std::vector<std::string> payloads;
  std::vector<std::uint64_t> sequences;
  int caught_up = 0;
  std::vector<base::Error> ends;
  std::unique_ptr<OrderedConsumer> consumer;
  std::string why;

  static PublisherOptions quick() {
    PublisherOptions options;
    options.stream = "EVENTS";
    options.retry_wait = 5ms;
    options.ack_timeout = 500ms;
    return options;
  }
  void SetUp() override {
    StreamConfig config;
    config.name = "EVENTS";
    config.subjects = {"events.>"};
    JetStream jetstream(connection);
    ASSERT_TRUE(await(jetstream.ensure_stream(config, why))) << why;
  }
  void TearDown() override { consumer.reset(); }

  void publish(const std::string& subject, std::size_t count = 1) {
    for (std::size_t i = 0; i < count; ++i) {
      Message message;
      message.subject = subject;
      message.payload = std::to_string(++published);
      message.id = "m" + message.payload;
      ASSERT_TRUE(lane->offer(std::move(message)));
    }
    ASSERT_TRUE(await(lane->drained(20s)));
  }
  base::Error open(Start start, const std::string& filter = "events.>", FeedLimits limits = {}) {
    ConsumerOptions options;
    options.stream = "EVENTS";
    options.filter = filter;
    options.start = start;
    options.limits = limits;
    options.heartbeat = 200ms;
    OrderedConsumer::Handlers handlers;
    handlers.on_message = [this](const Delivery& it) {
      payloads.emplace_back(it.payload());
      sequences.push_back(it.sequence());
    };
    handlers.on_caught_up = [this] { ++caught_up; };
    handlers.on_end = [this](base::Error error, const std::string& detail) {
      ends.push_back(error);
      why = detail;
    };
    auto opening = OrderedConsumer::open(requests, io.get_executor(), std::move(options),
                                         std::move(handlers), why);
    auto opened = await(std::move(opening));
    if (!opened) return opened.error();
    consumer = std::move(*opened);
    return {};
  }
  static std::vector<std::string> numbers(std::uint64_t from, std::uint64_t to) {
    std::vector<std::string> all;
    for (auto it = from; it <= to; ++it) all.push_back(std::to_string(it));
    return all;
  }
};

TEST_F(ConsumerTest, ResumesFromASequenceAndGoesOnLive) {
  publish("events.a", 10);
  ASSERT_EQ(open({.kind = Start::Kind::sequence, .sequence = 4}), base::Error{}) << why;
  ASSERT_TRUE(run_until([&] { return caught_up == 1; }));
  EXPECT_EQ(payloads, numbers(4, 10));
  publish("events.b", 3);
  ASSERT_TRUE(run_until([&] { return payloads.size() == 10; }));
  EXPECT_EQ(payloads, numbers(4, 13));
  EXPECT_EQ(sequences.front(), 4u);
  EXPECT_EQ(sequences.back(), 13u);
  EXPECT_EQ(caught_up, 1);
}

TEST_F(ConsumerTest, ReplaysManyMessagesInOrder) {
  publish("events.a", 5'000);
  ASSERT_EQ(open({.kind = Start::Kind::sequence, .sequence = 0}), base::Error{}) << why;
  ASSERT_TRUE(run_until([&] { return caught_up == 1; }));
  EXPECT_EQ(payloads, numbers(1, 5'000));
}

TEST_F(ConsumerTest, ShowsOnlyWhatIsNewIfToldSo) {
  publish("events.a", 3);
  ASSERT_EQ(open({.kind = Start::Kind::fresh}), base::Error{}) << why;
  EXPECT_EQ(caught_up, 1);
  publish("events.a", 2);
  ASSERT_TRUE(run_until([&] { return payloads.size() == 2; }));
  EXPECT_EQ(payloads, numbers(4, 5));
}

TEST_F(ConsumerTest, ShowsTheLastOfEachSubject) {
  publish("events.a", 2);
  publish("events.b", 2);
  publish("events.a", 1);
  ASSERT_EQ(open({.kind = Start::Kind::last_per_subject}), base::Error{}) << why;
  ASSERT_TRUE(run_until([&] { return caught_up == 1; }));
  EXPECT_THAT(payloads, ElementsAre("4", "5"));
}

TEST_F(ConsumerTest, ShowsWhatItsFilterMatches) {
  publish("events.a.ring", 1);
  publish("events.b.ring", 1);
  ASSERT_EQ(open({.kind = Start::Kind::sequence, .sequence = 1}, "events.b.*"), base::Error{});
  ASSERT_TRUE(run_until([&] { return caught_up == 1; }));
  publish("events.a.stop", 1);
  publish("events.b.stop", 1);
  ASSERT_TRUE(run_until([&] { return payloads.size() == 2; }));
  EXPECT_THAT(payloads, ElementsAre("2", "4"));
}

TEST_F(ConsumerTest, IsCaughtUpAtOnceIfNothingMatches) {
  ASSERT_EQ(open({.kind = Start::Kind::last_per_subject}, "events.nobody"), base::Error{});
  EXPECT_EQ(caught_up, 1);
}

// nats-server 2.9 sometimes counts one message too many as pending.
TEST_F(ConsumerTest, IsCaughtUpWhereverItBegins) {
  const std::vector<std::string> subjects{"events.a.x", "events.a.y", "events.b.x", "events.a.z"};
  for (std::uint64_t last = 1; last <= 12; ++last) {
    publish(subjects[last % subjects.size()]);
    for (std::uint64_t first = 1; first <= last; ++first) {
      for (const char* filter : {"events.>", "events.a.>", "events.b.x", "events.c.>"}) {
        caught_up = 0;
        ASSERT_EQ(open({.kind = Start::Kind::sequence, .sequence = first}, filter), base::Error{});
        ASSERT_TRUE(run_until([&] { return caught_up == 1; }))
            << filter << " from " << first << " of " << last;
      }
    }
  }
}

TEST_F(ConsumerTest, MissesNothingOverServerRestarts) {
  publish("events.a", 5);
  ASSERT_EQ(open({.kind = Start::Kind::sequence, .sequence = 1}), base::Error{});
  for (int round = 0; round < 3; ++round) {
    publish("events.a", 5);
    round % 2 == 0 ? server.kill() : server.stop();
    ASSERT_TRUE(run_until([&] { return !connection->connected(); }));
    server.start();
    publish("events.a", 5);
  }
  ASSERT_TRUE(run_until([&] { return payloads.size() >= published; }));
  EXPECT_EQ(payloads, numbers(1, published));
  EXPECT_EQ(caught_up, 1);
}

TEST_F(ConsumerTest, BeginsAgainWhenTheServerHasForgottenIt) {
  publish("events.a", 2);
  ASSERT_EQ(open({.kind = Start::Kind::sequence, .sequence = 1}), base::Error{});
  ASSERT_TRUE(run_until([&] { return caught_up == 1; }));
  // Removes all consumers of the stream behind its back, as the loss of a cluster's node would.
  auto asking = requests->request("$JS.API.CONSUMER.NAMES.EVENTS", "", 5s);
  const auto names = await(std::move(asking));
  ASSERT_TRUE(names);
  const auto start = names->find("\"consumers\":[\"") + 14;
  ASSERT_GT(start, 14u);
  const auto name = names->substr(start, names->find('"', start) - start);
  auto deleting = requests->request("$JS.API.CONSUMER.DELETE.EVENTS." + name, "", 5s);
  ASSERT_TRUE(await(std::move(deleting)));
  publish("events.a", 2);
  ASSERT_TRUE(run_until([&] { return payloads.size() == 4; }));
  EXPECT_EQ(payloads, numbers(1, 4));
}

TEST_F(ConsumerTest, SaysSoWhenTheSequenceIsNotStoredAnyMore) {
  publish("events.a", 5);
  auto purging = requests->request("$JS.API.STREAM.PURGE.EVENTS", R"({"seq":4})", 5s);
  ASSERT_TRUE(await(std::move(purging)));
  EXPECT_EQ(open({.kind = Start::Kind::sequence, .sequence = 2}), Errc::marker_expired);
  EXPECT_EQ(why, "stream EVENTS has 4 to 5, wanted 2");
  EXPECT_EQ(open({.kind = Start::Kind::sequence, .sequence = 7}), Errc::marker_expired);
  EXPECT_EQ(open({.kind = Start::Kind::sequence, .sequence = 6}), base::Error{});
}

TEST_F(ConsumerTest, EndsWhenUnseenMessagesWereRemovedWhileAway) {
  support::FaultProxy proxy(server.port());
  const auto away = connect(options_for("nats://127.0.0.1:" + std::to_string(proxy.port())));
  const auto near = requests;
  requests = std::make_shared<Requests>(away);
  publish("events.a", 2);
  ASSERT_EQ(open({.kind = Start::Kind::sequence, .sequence = 1}), base::Error{});
  ASSERT_TRUE(run_until([&] { return caught_up == 1; }));
  proxy.refuse(true);
  proxy.reset();
  ASSERT_TRUE(run_until([&] { return !away->connected(); }));
  publish("events.a", 5);
  auto purging = near->request("$JS.API.STREAM.PURGE.EVENTS", R"({"seq":6})", 5s);
  ASSERT_TRUE(await(std::move(purging)));
  proxy.refuse(false);
  ASSERT_TRUE(run_until([&] { return !ends.empty(); }));
  EXPECT_THAT(ends, ElementsAre(Errc::marker_expired));
  EXPECT_EQ(why, "stream EVENTS has 6 to 7, wanted 3");
  EXPECT_EQ(payloads, numbers(1, 2));
}

TEST_F(ConsumerTest, EndsWhenItsMessagesAreNotTaken) {
  publish("events.a", 200);
  const auto error = open({.kind = Start::Kind::sequence, .sequence = 1}, "events.>",
                          {.messages_max = 5, .bytes_max = 1'000'000});
  EXPECT_THAT(error, testing::AnyOf(base::Error{}, base::Error(Errc::overloaded)));
  ASSERT_TRUE(run_until([&] { return !ends.empty(); }));
  EXPECT_THAT(ends, ElementsAre(Errc::overloaded));
  // What was shown was in order and without gaps all the same.
  EXPECT_EQ(payloads, numbers(1, payloads.size()));
}

TEST_F(ConsumerTest, TellsThatThereIsNoStream) {
  ConsumerOptions options;
  options.stream = "OTHER";
  options.filter = ">";
  auto opening = OrderedConsumer::open(requests, io.get_executor(), std::move(options), {}, why);
  EXPECT_EQ(await(std::move(opening)).error(), Errc::key_not_found);
  EXPECT_EQ(open({}, "events.\""), Errc::invalid_argument);
}

TEST_F(ConsumerTest, NeverCallsBackOnceDestroyed) {
  publish("events.a", 50);
  std::string ignored;
  int calls = 0;
  std::unique_ptr<OrderedConsumer> brief;
  ConsumerOptions options;
  options.stream = "EVENTS";
  options.filter = "events.>";
  OrderedConsumer::Handlers handlers;
  handlers.on_message = [&](const Delivery&) {
    ++calls;
    brief.reset();
  };
  auto opening = OrderedConsumer::open(requests, io.get_executor(), std::move(options),
                                       std::move(handlers), ignored);
  auto opened = await(std::move(opening));
  ASSERT_TRUE(opened);
  brief = std::move(*opened);
  publish("events.a", 50);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace bus
