#include "connector/event_publisher.h"

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "bus/consumer.h"
#include "bus/jetstream.h"
#include "config/document.h"
#include "unit/bus/bus_fixture.h"
#include "wire/subjects.h"

namespace connector {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;
using namespace std::chrono_literals;
using TimePoint = EventPublisher::TimePoint;
using Sequences = std::vector<std::uint64_t>;

constexpr std::uint64_t kEpoch = 7;
constexpr std::size_t kTooBig = 2 << 20;  // the server takes 1 MiB

Sequences range(std::uint64_t first, std::uint64_t last) {
  Sequences all;
  for (auto it = first; it <= last; ++it) all.push_back(it);
  return all;
}

struct EventPublisherTest : bus::BusFixture {
  struct InStream {
    std::string subject, id, content_type, payload;
    std::uint64_t sequence;
  };

  std::shared_ptr<bus::Connection> connection = connect();
  const base::TenantId acme{"acme"};
  Config config;
  std::atomic<std::size_t> total = 0;
  bool may_send = true;
  std::vector<EventPublisher::Stored> stored;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> refused;
  std::unique_ptr<bus::Publisher> publisher;
  std::uint64_t last_sequence = 0;

  EventPublisherTest() {
    auto document = config::Document::parse("{}", "gw.yaml", {});
    config = read_config(document);
    std::string why;
    bus::JetStream jetstream(connection);
    bus::StreamConfig stream;
    stream.name = wire::kEventStream;
    stream.subjects = {wire::all_events()};
    EXPECT_TRUE(await(jetstream.ensure_stream(stream, why))) << why;
    bus::PublisherOptions options;
    options.stream = wire::kEventStream;
    options.ack_timeout = 200ms;
    options.retry_wait = 5ms;
    options.backoff = {20ms, 50ms};
    options.lane.messages_max = options.lane.bytes_max = options.bytes_max = SIZE_MAX;
    publisher = std::make_unique<bus::Publisher>(connection, options);
  }

  std::unique_ptr<EventPublisher> open(const base::TenantId& tenant) {
    return std::make_unique<EventPublisher>(
        *publisher, tenant, config, total,
        EventPublisher::Handlers{
            .stored = [this](const EventPublisher::Stored& it) { stored.push_back(it); },
            .may_send = [this] { return may_send; },
            .refused = [this](std::uint64_t first,
                              std::uint64_t last) { refused.emplace_back(first, last); }});
  }

  // The tenant's next events.
  std::vector<call::Event> events(std::size_t count, std::size_t bytes = 10) {
    std::vector<call::Event> all;
    while (all.size() < count) {
      call::Event event;
      event.epoch = kEpoch;
      event.sequence = ++last_sequence;
      call::DeviceEvent body;
      body.device.id = base::DeviceId("201");
      body.device.name = std::string(bytes, 'x');
      event.body = body;
      all.push_back(std::move(event));
    }
    return all;
  }

  void publish(EventPublisher& to, const std::vector<call::Event>& all) {
    to.publish(all, std::chrono::steady_clock::now());
  }
  void drain(EventPublisher& it) { EXPECT_TRUE(await(it.drained(20s))); }
  void lose_nats() {
    server.stop();
    ASSERT_TRUE(run_until([&] { return !connection->connected(); }));
  }

  std::vector<InStream> in_stream() {
    const auto requests = std::make_shared<bus::Requests>(connect());
    std::vector<InStream> found;
    bool caught_up = false;
    bus::ConsumerOptions options;
    options.stream = wire::kEventStream;
    options.filter = wire::all_events();
    options.start = {.kind = bus::Start::Kind::sequence, .sequence = 0};
    bus::OrderedConsumer::Handlers handlers;
    handlers.on_message = [&](const bus::Delivery& it) {
      InStream message;
      message.subject = it.subject();
      message.id = it.header("Nats-Msg-Id");
      message.content_type = it.header("content-type");
      message.payload = it.payload();
      const auto event = wire::decode_event(message.payload);
      message.sequence = event ? event->sequence() : 0;
      found.push_back(std::move(message));
    };
    handlers.on_caught_up = [&] { caught_up = true; };
    std::string why;
    auto opening = bus::OrderedConsumer::open(requests, io.get_executor(), std::move(options),
                                              std::move(handlers), why);
    const auto consumer = await(std::move(opening));
    EXPECT_TRUE(consumer) << why;
    EXPECT_TRUE(run_until([&] { return caught_up; }));
    return found;
  }
  Sequences stored_sequences() {
    Sequences all;
    for (const auto& it : in_stream()) all.push_back(it.sequence);
    return all;
  }
};

TEST_F(EventPublisherTest, StoresEventsInOrderUnderTheirIds) {
  const auto acmes = open(acme);
  const auto received = std::chrono::steady_clock::now() - 3s;
  const auto first = events(2), second = events(3);
  acmes->publish(first, received);
  publish(*acmes, {});
  acmes->publish(second, received + 1s);
  EXPECT_EQ(acmes->depth(), 5u);
  drain(*acmes);
  EXPECT_EQ(acmes->depth(), 0u);

  const auto found = in_stream();
  ASSERT_THAT(found, SizeIs(5));
  for (std::uint64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(found[i].id, "acme.7." + std::to_string(i + 1));
    EXPECT_EQ(found[i].sequence, i + 1);
    EXPECT_EQ(found[i].subject, wire::event_subject(acme, first[0]));
    EXPECT_EQ(found[i].content_type, "application/cloudevents+protobuf");
  }
  ASSERT_THAT(stored, SizeIs(5));
  for (std::uint64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(stored[i].sequence, i + 1);
    EXPECT_EQ(stored[i].stream_sequence, i + 1);
    EXPECT_EQ(stored[i].received, i < 2 ? received : received + 1s);
  }
}

TEST_F(EventPublisherTest, WritesJsonIfConfigured) {
  config.format = wire::Format::json;
  const auto acmes = open(acme);
  publish(*acmes, events(1));
  drain(*acmes);
  const auto found = in_stream();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].content_type, "application/cloudevents+json");
  EXPECT_THAT(found[0].payload, StartsWith("{"));
  EXPECT_EQ(found[0].sequence, 1u);
}

TEST_F(EventPublisherTest, StoresEverythingOnceOverServerRestarts) {
  const auto acmes = open(acme), bolts = open(base::TenantId("bolt"));
  publish(*acmes, events(600));
  last_sequence = 0;
  publish(*bolts, events(600));
  for (std::size_t mark = 300; mark <= 900; mark += 300) {
    ASSERT_TRUE(run_until([&] { return stored.size() >= mark; }));
    mark == 600 ? server.kill() : server.stop();
    ASSERT_TRUE(run_until([&] { return !connection->connected(); }));
    server.start();
  }
  drain(*acmes);
  drain(*bolts);
  Sequences of_acme, of_bolt;
  for (const auto& it : in_stream()) {
    (it.id.starts_with("acme.") ? of_acme : of_bolt).push_back(it.sequence);
  }
  EXPECT_EQ(of_acme, range(1, 600));
  EXPECT_EQ(of_bolt, range(1, 600));
  EXPECT_EQ(stored.size(), 1'200u);
  EXPECT_EQ(total, 0u);
  EXPECT_THAT(refused, IsEmpty());
}

TEST_F(EventPublisherTest, IsFullByCountAndFreeAgainAtHalf) {
  config.outbox.events_max = 4;
  const auto acmes = open(acme);
  const auto now = std::chrono::steady_clock::now();
  lose_nats();
  publish(*acmes, events(2));
  EXPECT_TRUE(acmes->has_half(now));
  publish(*acmes, events(1));
  EXPECT_FALSE(acmes->has_half(now));
  EXPECT_EQ(acmes->full(now), nullptr);
  publish(*acmes, events(1));
  EXPECT_STREQ(acmes->full(now), "outbox_full");
  publish(*acmes, events(6));  // of one observation: taken whole
  EXPECT_EQ(acmes->depth(), 10u);
  server.start();
  ASSERT_TRUE(run_until([&] { return acmes->full(now) == nullptr; }));
  EXPECT_LT(acmes->depth(), 4u);
  ASSERT_TRUE(run_until([&] { return acmes->has_half(now); }));
  EXPECT_LE(acmes->depth(), 2u);
  drain(*acmes);
  EXPECT_EQ(stored_sequences(), range(1, 10));
}

TEST_F(EventPublisherTest, IsFullByBytesOfItsOwn) {
  config.outbox.bytes_max = 100'000;
  const auto acmes = open(acme), bolts = open(base::TenantId("bolt"));
  const auto now = std::chrono::steady_clock::now();
  lose_nats();
  publish(*acmes, events(1, 60'000));
  EXPECT_EQ(acmes->full(now), nullptr);
  EXPECT_FALSE(acmes->has_half(now));
  publish(*acmes, events(1, 60'000));
  EXPECT_STREQ(acmes->full(now), "outbox_full");
  EXPECT_EQ(bolts->full(now), nullptr);
  EXPECT_GE(total, 120'000u);
  server.start();
  drain(*acmes);
  EXPECT_EQ(acmes->full(now), nullptr);
  EXPECT_TRUE(acmes->has_half(now));
  EXPECT_EQ(total, 0u);
}

TEST_F(EventPublisherTest, IsFullByTheBytesOfAllTogether) {
  config.outbox.total_bytes_max = 100'000;
  const auto acmes = open(acme);
  auto bolts = open(base::TenantId("bolt"));
  const auto now = std::chrono::steady_clock::now();
  lose_nats();
  publish(*bolts, events(2, 60'000));
  EXPECT_STREQ(acmes->full(now), "outbox_full");
  EXPECT_FALSE(acmes->has_half(now));
  bolts.reset();  // and all it held with it
  EXPECT_EQ(total, 0u);
  EXPECT_EQ(acmes->full(now), nullptr);
  EXPECT_TRUE(acmes->has_half(now));
}

TEST_F(EventPublisherTest, IsFullByTheTimeItsOldestEventHasWaited) {
  config.outbox.age_max = 10s;
  const auto acmes = open(acme);
  lose_nats();
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(acmes->full(before + 1h), nullptr);  // nothing waits
  // However long ago its frame had arrived: what counts is how long it waits here.
  acmes->publish(events(1), before - 1h);
  const auto after = std::chrono::steady_clock::now();
  acmes->publish(events(1), after + 1h);
  EXPECT_EQ(acmes->full(before + 10s - 1ns), nullptr);
  EXPECT_TRUE(acmes->has_half(before + 10s - 1ns));
  EXPECT_STREQ(acmes->full(after + 10s), "outbox_age");
  EXPECT_FALSE(acmes->has_half(after + 10s));
  config.outbox.age_max = 0s;  // any
  EXPECT_EQ(acmes->full(after + 1h), nullptr);
}

TEST_F(EventPublisherTest, TakesItsBytesBackAtTheEnd) {
  auto acmes = open(acme), bolts = open(base::TenantId("bolt"));
  lose_nats();
  publish(*acmes, events(3, 1'000));
  const auto of_acme = total.load();
  publish(*bolts, events(2, 1'000));
  EXPECT_GT(total, of_acme);
  bolts.reset();
  EXPECT_EQ(total, of_acme);
  acmes.reset();
  EXPECT_EQ(total, 0u);
  EXPECT_THAT(stored, IsEmpty());
}

TEST_F(EventPublisherTest, SendsNothingOnceItMayNot) {
  may_send = false;
  const auto acmes = open(acme);
  publish(*acmes, events(3));
  EXPECT_FALSE(await(acmes->drained(10ms)));
  EXPECT_EQ(acmes->depth(), 3u);
  EXPECT_EQ(publisher->statistics().attempts, 0u);
  EXPECT_THAT(stored_sequences(), IsEmpty());
  server.restart();  // nor after a reconnect
  ASSERT_TRUE(run_until([&] { return connection->statistics().connects == 2; }));
  publish(*acmes, events(1));
  EXPECT_THAT(stored_sequences(), IsEmpty());
  EXPECT_EQ(publisher->statistics().attempts, 0u);
}

TEST_F(EventPublisherTest, StopsInTheMiddleWhenTheLeaseEnds) {
  std::unique_ptr<EventPublisher> acmes;
  acmes = std::make_unique<EventPublisher>(
      *publisher, acme, config, total,
      EventPublisher::Handlers{
          .stored = [this](const EventPublisher::Stored& it) { stored.push_back(it); },
          .may_send = [this] { return stored.size() < 3; },
          .refused = [](std::uint64_t, std::uint64_t) {}});
  publish(*acmes, events(10));
  ASSERT_TRUE(run_until([&] { return publisher->statistics().in_flight == 0; }));
  // The next one is sent before it is told that one is stored.
  const auto found = stored_sequences();
  EXPECT_EQ(found, range(1, found.size()));
  EXPECT_THAT(found.size(), testing::AllOf(testing::Ge(3u), testing::Le(4u)));
  EXPECT_EQ(acmes->depth(), 10 - found.size());
}

TEST_F(EventPublisherTest, TellsWhatTheServerTakesNever) {
  const auto acmes = open(acme);
  publish(*acmes, events(1));
  publish(*acmes, events(1, kTooBig));
  publish(*acmes, events(1));
  publish(*acmes, events(1, kTooBig));
  drain(*acmes);
  ASSERT_TRUE(run_until([&] { return refused.size() == 2; }));
  EXPECT_THAT(refused, ElementsAre(std::pair(2u, 2u), std::pair(4u, 4u)));
  EXPECT_EQ(stored_sequences(), (Sequences{1, 3}));
  EXPECT_THAT(stored, SizeIs(2));
  EXPECT_EQ(acmes->depth(), 0u);
  EXPECT_EQ(total, 0u);
}

}  // namespace
}  // namespace connector
