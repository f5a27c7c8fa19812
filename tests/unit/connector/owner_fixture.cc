#include "unit/connector/owner_fixture.h"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "config/document.h"
#include "telemetry/log.h"
#include "wire/events.h"
#include "wire/subjects.h"

namespace connector {

namespace asio = boost::asio;
using namespace std::chrono_literals;

OwnerNode::OwnerNode(Config config) : config_(std::move(config)) {
  shard_ = std::make_unique<Shard>(commons_, 0, heartbeats_);
}

void OwnerNode::start(std::shared_ptr<const TenantConfig> tenant) {
  const auto slot = std::make_shared<Slot>();
  slot_ = slot;
  asio::post(shard_->executor(), [this, slot, tenant = std::move(tenant)] {
    TenantOwner::Handlers handlers;
    handlers.held = [this] {
      held_ = true;
      if (on_held) on_held();
    };
    handlers.linked = [this](std::set<std::string> pbxs) {
      if (on_linked) on_linked(std::move(pbxs));
    };
    slot->owner = std::make_shared<TenantOwner>(*shard_, tenant, std::move(handlers));
    asio::co_spawn(shard_->executor(), slot->owner->run(), [this, slot](std::exception_ptr thrown) {
      if (thrown) std::rethrow_exception(thrown);
      slot->owner.reset();
      ended_ = true;
    });
  });
}

void OwnerNode::stop(base::Errc why) {
  on_shard([&](Shard&) {
    if (const auto slot = slot_.lock(); slot && slot->owner) slot->owner->stop(why);
  });
}

void OwnerNode::reconfigure(std::shared_ptr<const TenantConfig> tenant) {
  on_shard([&](Shard&) {
    if (const auto slot = slot_.lock(); slot && slot->owner) slot->owner->reconfigure(tenant);
  });
}

void OwnerNode::on_shard(const std::function<void(Shard&)>& act) {
  std::promise<void> done;
  asio::post(shard_->executor(), [&] {
    act(*shard_);
    done.set_value();
  });
  done.get_future().get();
}

OwnerFixture::OwnerFixture()
    : leases(requests, wire::kLeaseBucket),
      tenants(requests, wire::kTenantBucket),
      checkpoints(requests, wire::kCheckpointBucket),
      request_ids(requests, wire::kRequestBucket) {
  telemetry::log::set_level(telemetry::log::Level::error);
  std::string why;
  bus::StreamConfig stream;
  stream.name = wire::kEventStream;
  stream.subjects = {wire::all_events()};
  EXPECT_TRUE(await(jetstream.ensure_stream(stream, why))) << why;
  for (auto* bucket : {&leases, &tenants, &checkpoints, &request_ids}) {
    bus::BucketConfig bucket_config;
    bucket_config.name = bucket->name();
    EXPECT_TRUE(await(bucket->ensure(bucket_config, why))) << why;
  }

  auto document = config::Document::parse("{}", "gw.yaml", {});
  config = read_config(document);
  config.nats = options_for(server.url());
  // Long enough for whatever a test does to NATS meanwhile.
  config.lease.ttl = 120s;
  config.checkpoint_interval = 1h;
  config.drain_limit = 60s;
  acme.id = base::TenantId("acme");
  acme.title = "Acme";
  acme.vendor = &pbx.vendor();
  acme.backoff = {1ms, 10ms};
  acme.quick_end = 0ms;

  bus::ConsumerOptions options;
  options.stream = wire::kEventStream;
  options.filter = wire::all_events();
  options.start = {.kind = bus::Start::Kind::sequence, .sequence = 0};
  bus::OrderedConsumer::Handlers handlers;
  handlers.on_message = [this](const bus::Delivery& it) {
    const auto message = wire::decode_event(it.payload());
    ASSERT_TRUE(message);
    const auto event = wire::from_proto(*message);
    ASSERT_TRUE(event);
    for (const auto& violation : fold.apply(*event)) violations.push_back(violation);
    events.push_back(*event);
    stream_sequences.push_back(it.sequence());
  };
  auto opening = bus::OrderedConsumer::open(requests, io.get_executor(), std::move(options),
                                            std::move(handlers), why);
  auto opened = await(std::move(opening));
  EXPECT_TRUE(opened) << why;
  consumer = std::move(*opened);
}

OwnerFixture::~OwnerFixture() = default;

void OwnerFixture::TearDown() { EXPECT_THAT(violations, testing::IsEmpty()); }

std::unique_ptr<OwnerNode> OwnerFixture::start(const std::string& instance) {
  config.instance = instance;
  auto node = std::make_unique<OwnerNode>(config);
  node->start(tenant());
  return node;
}

bool OwnerFixture::until_ups(unsigned count) {
  return run_until([&] {
    const auto all = links();
    return std::count_if(all.begin(), all.end(),
                         [](const auto& it) { return it.state == call::LinkState::up; }) >= count;
  });
}

std::vector<call::LinkEvent> OwnerFixture::links() const {
  std::vector<call::LinkEvent> all;
  for (const auto& event : events) {
    if (const auto* link = std::get_if<call::LinkEvent>(&event.body)) all.push_back(*link);
  }
  return all;
}

std::vector<call::StreamGap> OwnerFixture::gaps() const {
  std::vector<call::StreamGap> all;
  for (const auto& event : events) {
    if (const auto* gap = std::get_if<call::StreamGap>(&event.body)) all.push_back(*gap);
  }
  return all;
}

std::vector<call::Event> OwnerFixture::findings(std::size_t first) const {
  std::vector<call::Event> all;
  for (std::size_t i = first; i < events.size(); ++i) {
    if (std::holds_alternative<call::CallEvent>(events[i].body) ||
        std::holds_alternative<call::DeviceEvent>(events[i].body)) {
      all.push_back(events[i]);
    }
  }
  return all;
}

std::set<std::string> OwnerFixture::call_keys() const {
  std::set<std::string> all;
  for (const auto& [id, call] : fold.book().calls) all.insert(call.key);
  return all;
}

bool OwnerFixture::until_calls(const std::set<std::string>& keys) {
  return run_until([&] { return call_keys() == keys; });
}

void OwnerFixture::catch_up() {
  // The owner's connection may be back before ours.
  ASSERT_TRUE(run_until([&] { return connection->connected(); }));
  const auto state = await(jetstream.stream_state(wire::kEventStream));
  ASSERT_TRUE(state);
  ASSERT_TRUE(run_until([&] {
    return state->last_sequence == 0 ||
           (!stream_sequences.empty() && stream_sequences.back() >= state->last_sequence);
  }));
}

std::optional<std::string> OwnerFixture::value(bus::KvBucket& bucket, const std::string& key) {
  const auto entry = await(bucket.get(key));
  if (!entry) return std::nullopt;
  return entry->value;
}

std::optional<wire::Checkpoint> OwnerFixture::checkpoint() {
  const auto first = value(checkpoints);
  if (!first) return std::nullopt;
  auto checkpoint = wire::decode({*first});
  EXPECT_TRUE(checkpoint);
  return checkpoint ? std::optional(std::move(*checkpoint)) : std::nullopt;
}

std::optional<pbxgw::v1::TenantRecord> OwnerFixture::record() {
  const auto text = value(tenants);
  pbxgw::v1::TenantRecord record;
  if (!text || !record.ParseFromString(*text)) return std::nullopt;
  return record;
}

void OwnerFixture::free_lease() {
  const auto entry = await(leases.get("tenant.acme"));
  ASSERT_TRUE(entry);
  ASSERT_TRUE(await(leases.erase("tenant.acme", entry->revision)));
}

OwnerFixture::OwnerReply OwnerFixture::reply(unsigned request) {
  if (!run_until([&] { return !asker.replies(request).empty(); })) {
    ADD_FAILURE() << "request " << request << " is not answered";
    return {};
  }
  return asker.replies(request).front();
}

void OwnerFixture::expect_one_reply(OwnerNode& node, unsigned request) {
  asker.expect_flush();
  node.on_shard([](Shard& shard) { Asker::flush(*shard.connection); });
  ASSERT_TRUE(run_until([&] { return asker.flushed(); }));
  EXPECT_EQ(asker.replies(request).size(), 1u);
}

}  // namespace connector
