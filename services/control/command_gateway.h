#pragma once

#include <chrono>
#include <memory>

#include <boost/asio/awaitable.hpp>

#include "base/ids.h"
#include "bus/requests.h"
#include "control/admitted.h"
#include "control/answer.h"
#include "control/directory.h"
#include "pbxgw/v1/command.pb.h"

namespace control {

using TimePoint = std::chrono::steady_clock::time_point;

// Asks the owners of tenants, over NATS. One for the process; used on the bus connection's
// executor, which its coroutines must run on.
class CommandGateway {
 public:
  // How long "nobody owns this tenant" is taken for a takeover that is about to end.
  static constexpr std::chrono::milliseconds kTakeoverWait{1'500};

  CommandGateway(std::shared_ptr<bus::Requests> requests, const Directory& directory)
      : requests_(std::move(requests)), directory_(directory) {}

  // The owner's reply, which is never an error in itself: those come as the Status. Of ours are
  //   ACCESS_DENIED      `by` is not good for this tenant. The gate has seen to that already: this
  //                      is for a way past it that a bug may open
  //   TENANT_NOT_FOUND   no connector ever had this tenant
  //   BUS_UNAVAILABLE    nothing was sent
  //   OWNER_MOVING       nobody took the request, until the deadline or kTakeoverWait
  //   OUTCOME_UNKNOWN    the command was sent, and no reply came
  //   TIMED_OUT          the same for what changes nothing: it can be asked again
  //   PERFORMANCE_LIMIT_EXCEEDED  too many wait already, here or at the owner
  // `deadline` is the caller's; the owner is told a slightly earlier one, so that its verdict on a
  // command whose effect was not seen arrives in time.
  boost::asio::awaitable<Answer<pbxgw::v1::OwnerReply>> ask(Right by, base::TenantId tenant,
                                                            pbxgw::v1::OwnerRequest request,
                                                            TimePoint deadline);

 private:
  std::shared_ptr<bus::Requests> requests_;
  const Directory& directory_;
};

// The reason in the ErrorInfo of `status`; empty if it has none.
std::string reason_of(const google::rpc::Status& status);

}  // namespace control
