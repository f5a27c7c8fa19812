#include "control/command_gateway.h"

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <google/protobuf/util/time_util.h>

#include "google/rpc/error_details.pb.h"
#include "telemetry/log.h"
#include "wire/administration.h"
#include "wire/names.h"
#include "wire/subjects.h"

namespace control {

namespace asio = boost::asio;
using base::Errc;
using pbxgw::v1::OwnerReply;
using pbxgw::v1::OwnerRequest;
using std::chrono::milliseconds;

namespace {

constexpr telemetry::log::Logger kLog("gateway");
constexpr milliseconds kRetryWait{100};
constexpr milliseconds kReserveMax{100};

milliseconds left_until(TimePoint deadline) {
  return std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
}

// On the wall clock, which is the one that the owner has too.
google::protobuf::Timestamp owner_deadline(milliseconds left) {
  const auto reserve = std::min(kReserveMax, left / 10);
  const auto when = std::chrono::system_clock::now() + left - reserve;
  return google::protobuf::util::TimeUtil::MillisecondsToTimestamp(
      std::chrono::duration_cast<milliseconds>(when.time_since_epoch()).count());
}

bool changes_something(const OwnerRequest& request) {
  if (request.has_order()) return wire::changes_something(request.order());
  return request.has_command() && !request.command().validate_only();
}

google::rpc::Status refuse_for(const base::TenantId& tenant, base::Error why, std::string detail) {
  // As "resource" it makes a NOT_FOUND name what was not found.
  const std::string name = wire::tenant_name(tenant);
  return refuse(why, std::move(detail), {{"tenant", name}, {"resource", name}});
}

google::rpc::Status why_not(const base::TenantId& tenant, const OwnerRequest& request,
                            base::Error error) {
  const std::string name = wire::tenant_name(tenant);
  if (error == Errc::owner_moving) {
    return refuse_for(tenant, Errc::owner_moving, "No connector owns " + name + " right now.");
  }
  if (error == Errc::timed_out && changes_something(request)) {
    return refuse_for(tenant, Errc::outcome_unknown,
                      "The connector of " + name +
                          " was sent the command and has not answered: it may have been done.");
  }
  if (error == Errc::timed_out) {
    return refuse_for(tenant, Errc::timed_out,
                      "The connector of " + name + " has not answered in time.");
  }
  // bus_unavailable, too_many_requests, shutting_down, message_too_big; or a bug.
  return refuse_for(tenant, error, {});
}

}  // namespace

asio::awaitable<Answer<OwnerReply>> CommandGateway::ask(Right by, base::TenantId tenant,
                                                        OwnerRequest request, TimePoint deadline) {
  if (!by || !by->may(tenant) || request.tenant() != wire::tenant_name(tenant)) {
    kLog.error("this was not admitted", {{"tenant", wire::tenant_name(tenant)}});
    if (!by || !by->identity.principal) co_return refuse(Errc::access_denied);
    co_return lacks(by->identity.principal->name(), by->group, tenant);
  }
  if (!directory_.is_complete()) {
    co_return refuse(Errc::bus_unavailable, "The tenants are not known yet: NATS was not reached.");
  }
  if (!directory_.knows(tenant)) {
    co_return refuse_for(tenant, Errc::tenant_not_found,
                         "No connector has " + wire::tenant_name(tenant) + '.');
  }

  const std::string subject = wire::command_subject(tenant);
  const TimePoint patience = std::min(deadline, std::chrono::steady_clock::now() + kTakeoverWait);
  asio::steady_timer pause(co_await asio::this_coro::executor);
  for (;;) {
    const milliseconds left = left_until(deadline);
    if (left <= milliseconds(0)) {
      // Nothing is on its way: with the deadline gone, sending is what must not happen.
      co_return why_not(tenant, request, Errc::owner_moving);
    }
    *request.mutable_deadline() = owner_deadline(left);
    auto replied = co_await requests_->request(subject, request.SerializeAsString(), left);

    Answer<OwnerReply> answer = OwnerReply();
    if (!replied) {
      answer = why_not(tenant, request, replied.error());
    } else if (!answer->ParseFromString(*replied) ||
               answer->body_case() == OwnerReply::BODY_NOT_SET) {
      co_return refuse_for(tenant, Errc::internal, "The connector's reply cannot be read.");
    } else if (answer->has_error()) {
      google::rpc::Status error = std::move(*answer->mutable_error());
      answer = std::move(error);
    }

    // Nobody took it, so nothing was done: most likely a takeover, which is over in a moment.
    const bool moving = !answer && reason_of(answer.error()) == "OWNER_MOVING";
    if (!moving || std::chrono::steady_clock::now() + kRetryWait >= patience) co_return answer;
    pause.expires_after(kRetryWait);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

std::string reason_of(const google::rpc::Status& status) {
  for (const auto& detail : status.details()) {
    google::rpc::ErrorInfo info;
    if (detail.UnpackTo(&info)) return info.reason();
  }
  return {};
}

}  // namespace control
