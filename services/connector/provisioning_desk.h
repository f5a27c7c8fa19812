#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/ids.h"
#include "call/administration.h"
#include "call/service.h"
#include "connector/metrics.h"
#include "connector/request_log.h"
#include "pbxgw/v1/command.pb.h"
#include "wire/status.h"

namespace connector {

// Has one tenant's orders carried out: what is to be set up at its PBX, or told of what is. One
// that changes something and has a request_id happens once, over restarts and takeovers. Each
// leaves a line in the log; passwords, tokens and e-mail addresses never do, and what is kept of
// a reply has no token in it.
//
// Lives while the tenant's lease is held, on its owner's executor; drained() comes before its end.
class ProvisioningDesk {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // What it needs of the tenant's owner.
  struct Owner {
    base::TenantId tenant;
    std::uint64_t epoch = 0;
    std::span<const call::Capability> capabilities;
    // Why the PBX cannot be asked now; nothing: it can.
    std::function<std::optional<wire::Failure>()> obstacle;
    // False if too many wait already; else `done` is called exactly once.
    std::function<bool(const call::Order&, TimePoint limit,
                       std::function<void(call::OrderReply)> done)>
        order;
  };
  struct Limits {
    unsigned open_max = 128;                  // taken and not answered; another one is refused
    std::size_t reply_bytes_max = 900 << 10;  // a NATS message takes 1 MB
  };

  ProvisioningDesk(boost::asio::any_io_executor executor, Owner owner, Limits limits,
                   RequestLog& request_log, const Metrics& metrics);
  ~ProvisioningDesk();
  ProvisioningDesk(const ProvisioningDesk&) = delete;
  ProvisioningDesk& operator=(const ProvisioningDesk&) = delete;

  // `request` has an order. `done` is called exactly once, perhaps at once; `limit`: when the
  // caller stops waiting.
  void take(const pbxgw::v1::OwnerRequest& request, TimePoint limit,
            std::function<void(pbxgw::v1::OwnerReply)> done);
  // Waits until all are answered.
  boost::asio::awaitable<void> drained();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace connector
