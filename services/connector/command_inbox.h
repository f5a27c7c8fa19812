#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/ids.h"
#include "bus/requests.h"
#include "call/command.h"
#include "call/tracker.h"
#include "connector/metrics.h"
#include "connector/request_log.h"
#include "pbxgw/v1/command.pb.h"
#include "wire/status.h"

namespace connector {

// Answers what control asks about one tenant, and has its commands carried out: each request on
// pbx.v1.commands.<tenant> gets exactly one reply. Lives while the tenant's lease is held, on its
// owner's executor; nobody else is subscribed to that subject, so NATS does the routing.
class CommandInbox {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // What it needs of the tenant's owner.
  struct Owner {
    base::TenantId tenant;
    std::uint64_t epoch = 0;
    const call::Tracker* tracker = nullptr;
    // Why nothing can be sent to the PBX now; nothing: it can.
    std::function<std::optional<wire::Failure>()> obstacle;
    // False if too many wait already; else `done` is called exactly once.
    std::function<bool(call::Command, TimePoint limit, const std::string& request_id,
                       std::function<void(call::Reply)> done)>
        submit;
    // What control says about media clients' streams: SignalDesk::take().
    std::function<void(const pbxgw::v1::SignalCommand&,
                       std::function<void(pbxgw::v1::OwnerReply)> done)>
        signal{};
    // What is asked about the past; `done` is called once, unless the owner is gone before.
    std::function<void(const pbxgw::v1::HistoryRequest&, TimePoint limit,
                       std::function<void(pbxgw::v1::OwnerReply)> done)>
        history = nullptr;
    // A login to sign.
    std::function<pbxgw::v1::OwnerReply(const pbxgw::v1::SignRequest&)> sign = nullptr;
    // Something to be set up at the PBX; `done` is called once.
    std::function<void(const pbxgw::v1::OwnerRequest&, TimePoint limit,
                       std::function<void(pbxgw::v1::OwnerReply)> done)>
        order = nullptr;
  };

  CommandInbox(std::shared_ptr<bus::Connection> connection, boost::asio::any_io_executor executor,
               Owner owner, RequestLog& request_log, const Metrics& metrics);
  ~CommandInbox();
  CommandInbox(const CommandInbox&) = delete;
  CommandInbox& operator=(const CommandInbox&) = delete;

  // From here on requests are served.
  base::Result<void> open();
  // No further requests are taken: NATS tells who asks that nobody serves the subject. Those taken
  // are still answered.
  void close();
  // Waits until all are answered.
  boost::asio::awaitable<void> drained();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// The caller's answer to a failure.
pbxgw::v1::OwnerReply reply_of(const wire::Failure& failure);
// "OK", or the gRPC code of the error: for metrics and the log.
const char* code_of(const pbxgw::v1::OwnerReply& reply);

}  // namespace connector
