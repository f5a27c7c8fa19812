#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "connector/command_inbox.h"
#include "telemetry/log.h"
#include "unit/bus/bus_fixture.h"
#include "unit/connector/asker.h"
#include "unit/connector/scripted_pbx.h"
#include "wire/status.h"
#include "wire/subjects.h"

namespace connector {

// An inbox on a real NATS, of which the test is both the tenant's owner and whoever asks. Checks in
// the end that each request got one reply, and no more.
struct CommandInboxFixture : bus::BusFixture {
  using OwnerReply = pbxgw::v1::OwnerReply;
  using OwnerRequest = pbxgw::v1::OwnerRequest;
  struct Submitted {
    call::Command command;
    CommandInbox::TimePoint limit;
    std::string request_id;
    std::function<void(call::Reply)> done;
  };
  static constexpr std::uint64_t kEpoch = 7;

  std::shared_ptr<bus::Connection> connection = connect(), caller = connect();
  std::shared_ptr<bus::Requests> requests = std::make_shared<bus::Requests>(connection);
  bus::KvBucket bucket{requests, wire::kRequestBucket};
  RequestLog request_log{bucket};
  telemetry::Metrics all_metrics;
  Metrics metrics{all_metrics};
  call::Tracker tracker{every_capability(), kEpoch};
  std::optional<wire::Failure> obstacle;
  bool crowded = false;
  std::vector<Submitted> submitted;
  // What becomes of a command right away; without it, it waits.
  std::function<call::Reply(const call::Command&)> carry_out;
  std::unique_ptr<CommandInbox> inbox;

  Asker asker{caller};

  CommandInboxFixture() {
    telemetry::log::set_level(telemetry::log::Level::error);
    std::string why;
    bus::BucketConfig config;
    config.name = wire::kRequestBucket;
    EXPECT_TRUE(await(bucket.ensure(config, why))) << why;
    open();
  }

  void open() {
    inbox = std::make_unique<CommandInbox>(
        connection, io.get_executor(),
        CommandInbox::Owner{
            .tenant = base::TenantId("acme"),
            .epoch = kEpoch,
            .tracker = &tracker,
            .obstacle = [this] { return obstacle; },
            .submit =
                [this](call::Command command, CommandInbox::TimePoint limit,
                       const std::string& request_id, std::function<void(call::Reply)> done) {
                  if (crowded) return false;
                  submitted.push_back({command, limit, request_id, done});
                  if (carry_out) done(carry_out(command));
                  return true;
                }},
        request_log, metrics);
    ASSERT_TRUE(inbox->open());
    flush(connection);  // the server knows of it
  }

  // The server has all that was sent, and we what it sent before.
  void flush(const std::shared_ptr<bus::Connection>& through) {
    asker.expect_flush();
    Asker::flush(*through);
    ASSERT_TRUE(run_until([&] { return asker.flushed(); }));
  }

  void TearDown() override {
    flush(connection);
    for (unsigned it = 1; it <= asker.asked(); ++it) {
      EXPECT_EQ(asker.replies(it).size(), 1u) << "request " << it;
    }
  }

  template <class Request>
  unsigned send(const Request& request) {
    return asker.send(request);
  }
  bool answered(unsigned request) { return !asker.replies(request).empty(); }
  OwnerReply reply(unsigned request) {
    if (!run_until([&] { return answered(request); })) {
      ADD_FAILURE() << "request " << request << " is not answered";
      return {};
    }
    return asker.replies(request).front();
  }
  template <class Request>
  OwnerReply ask(const Request& request) {
    return reply(send(request));
  }
  // What cannot be seen to have been done: a whole exchange with NATS, so that all that was sent
  // before has been heard.
  void settle() {
    flush(caller);
    flush(connection);
    await(bucket.get("nobody"));
  }

  static OwnerRequest clear(const std::string& call, const std::string& request_id = {}) {
    auto it = command_to_acme(pbxgw::v1::SERVICE_CLEAR_CONNECTION, request_id);
    it.mutable_command()->set_call_id(call);
    it.mutable_command()->set_connection_number(1);
    return it;
  }

  // What the PBX has.
  void see(const call::Observation& seen) { tracker.apply(seen, {}); }

  double counted(const char* rpc, const char* code) {
    return metrics.commands.at({rpc, code}).value();
  }
};

}  // namespace connector
