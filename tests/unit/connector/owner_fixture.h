#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "bus/consumer.h"
#include "call/fold.h"
#include "connector/tenant_owner.h"
#include "telemetry/heartbeats.h"
#include "unit/bus/bus_fixture.h"
#include "unit/connector/asker.h"
#include "unit/connector/scripted_pbx.h"

namespace connector {

// As much of a connector process as one tenant needs, which is acme: a shard, and an owner on it,
// kept as Connector keeps it. Destroyed without stop() it goes like a process that is killed, but
// that its sockets close.
class OwnerNode {
 public:
  explicit OwnerNode(Config config);

  // Called on the shard's thread, right when the lease was got.
  std::function<void()> on_held;
  // The same, with the PBXs that are connected and have dialled.
  std::function<void(std::set<std::string>)> on_linked;

  void start(std::shared_ptr<const TenantConfig> tenant);
  void stop(base::Errc why);
  void reconfigure(std::shared_ptr<const TenantConfig> tenant);

  bool held() const { return held_; }    // the lease was got
  bool ended() const { return ended_; }  // run() has ended

  const Metrics& metrics() const { return commons_.metrics; }
  // Messages heard from the PBX.
  double frames() const { return metrics().frames.at({"scripted", "received"}).value(); }
  // Runs `act` on the shard's thread, and waits for it.
  void on_shard(const std::function<void(Shard&)>& act);

 private:
  struct Slot {
    std::shared_ptr<TenantOwner> owner;  // used on the shard's executor only
  };

  Config config_;
  telemetry::Metrics all_metrics_;
  telemetry::Heartbeats heartbeats_;
  Commons commons_{config_, all_metrics_};
  std::weak_ptr<Slot> slot_;  // held by run(), so that it goes with the shard
  std::atomic<bool> held_ = false, ended_ = false;
  std::unique_ptr<Shard> shard_;
};

// A real NATS with stream and buckets, a scripted PBX, and a consumer that folds all events and
// holds the owners to what consumers are promised.
struct OwnerFixture : bus::BusFixture {
  using OwnerReply = pbxgw::v1::OwnerReply;
  using OwnerRequest = pbxgw::v1::OwnerRequest;

  std::shared_ptr<bus::Connection> connection = connect();
  std::shared_ptr<bus::Requests> requests = std::make_shared<bus::Requests>(connection);
  bus::JetStream jetstream{connection};
  bus::KvBucket leases, tenants, checkpoints, request_ids;
  Asker asker{connection};
  ScriptedPbx pbx;
  Config config;
  TenantConfig acme;

  std::vector<call::Event> events;  // as they are in the stream
  std::vector<std::uint64_t> stream_sequences;
  call::Fold fold;
  std::vector<std::string> violations;
  std::unique_ptr<bus::OrderedConsumer> consumer;

  OwnerFixture();
  ~OwnerFixture() override;
  void TearDown() override;

  std::unique_ptr<OwnerNode> start(const std::string& instance);
  std::shared_ptr<const TenantConfig> tenant() const {
    return std::make_shared<const TenantConfig>(acme);
  }

  // What is in the stream.
  bool until_ups(unsigned count);  // the link has been up so often
  std::vector<call::LinkEvent> links() const;
  std::vector<call::StreamGap> gaps() const;
  // The events of calls and devices from the one at `first` on.
  std::vector<call::Event> findings(std::size_t first = 0) const;
  std::set<std::string> call_keys() const;  // of the calls that consumers know
  bool until_calls(const std::set<std::string>& keys);
  // What was published by now has been seen here.
  void catch_up();

  std::optional<std::string> value(bus::KvBucket& bucket, const std::string& key = "acme");
  std::optional<wire::Checkpoint> checkpoint();
  std::optional<pbxgw::v1::TenantRecord> record();
  // The owner of the lease will not have it any more, whatever it thinks.
  void free_lease();

  OwnerReply reply(unsigned request);
  OwnerReply ask(const OwnerRequest& request) { return reply(asker.send(request)); }
  // `node` has answered it, and not twice.
  void expect_one_reply(OwnerNode& node, unsigned request);
};

}  // namespace connector
