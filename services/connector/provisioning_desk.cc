#include "connector/provisioning_desk.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <variant>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bus/await.h"
#include "connector/command_inbox.h"
#include "telemetry/log.h"
#include "wire/administration.h"

namespace connector {

namespace asio = boost::asio;
using base::Errc;
using call::Service;
using pbxgw::v1::OwnerReply;
using pbxgw::v1::OwnerRequest;
using TimePoint = ProvisioningDesk::TimePoint;
using Done = std::function<void(OwnerReply)>;

namespace {

constexpr auto kLog = telemetry::log::Logger("orders");
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// With these nothing has changed at the PBX, for certain. After any other it may have.
constexpr std::array kNothingDone{
    Errc::invalid_argument,    Errc::device_not_found,    Errc::feature_not_supported,
    Errc::credentials_missing, Errc::credentials_refused, Errc::permission_denied,
    Errc::resource_not_found,  Errc::already_exists,      Errc::pbx_disconnected,
    Errc::too_many_requests,
};

bool may_have_been_done(const base::Error& why) {
  return std::none_of(kNothingDone.begin(), kNothingDone.end(),
                      [&](Errc certain) { return why == certain; });
}

wire::Failure failure_of(const call::Refusal& refusal, const OwnerRequest& asked) {
  wire::Failure failure{refusal.why, refusal.detail, "", {}};
  // An adapter begins the detail of a bad argument with the field's name.
  const auto colon = refusal.detail.find(':');
  if (refusal.why == Errc::invalid_argument && colon != std::string::npos) {
    failure.field = refusal.detail.substr(0, colon);
  }
  if (refusal.why == Errc::resource_not_found) {
    failure.metadata["resource"] = wire::resource_of(asked.order());
  }
  return failure;
}

// What an order was about, by its resource name: what was made, if that is known.
std::string subject_of(const OwnerRequest& asked, const OwnerReply& reply) {
  const auto& made = reply.order_result().resource();
  if (made.has_device()) return made.device().name();
  if (made.has_user()) return made.user().name();
  if (made.has_user_token()) return made.user_token().name();
  if (made.has_agent()) return made.agent().name();
  return wire::resource_of(asked.order());
}

}  // namespace

struct ProvisioningDesk::Impl : std::enable_shared_from_this<Impl> {
  asio::any_io_executor executor;
  Owner owner;
  Limits limits;
  RequestLog& request_log;
  const Metrics& metrics;
  unsigned open = 0;
  asio::steady_timer answered;  // cancelled when none is open any more

  Impl(asio::any_io_executor on, Owner of, Limits its_limits, RequestLog& log,
       const Metrics& counts)
      : executor(std::move(on)),
        owner(std::move(of)),
        limits(its_limits),
        request_log(log),
        metrics(counts),
        answered(executor, TimePoint::max()) {}

  void take(const OwnerRequest& request, TimePoint limit, Done done) {
    const auto begun = std::chrono::steady_clock::now();
    if (open >= limits.open_max) {
      OwnerReply reply = reply_of({Errc::too_many_requests, "too many orders wait for this PBX"});
      tell(request, begun, reply);
      return done(std::move(reply));
    }
    ++open;
    metrics.orders.add(1);
    asio::co_spawn(executor, carry_out(shared_from_this(), request, limit, begun, std::move(done)),
                   asio::detached);
  }

  // One order, from request to reply. `self` keeps everything alive until the reply is out.
  static asio::awaitable<void> carry_out(std::shared_ptr<Impl> self, OwnerRequest asked,
                                         TimePoint limit, TimePoint begun, Done done) {
    auto working = self->reply_to(asked, limit);
    OwnerReply reply = co_await std::move(working);
    self->tell(asked, begun, reply);
    done(std::move(reply));
    self->metrics.orders.add(-1);
    if (--self->open == 0) self->answered.cancel();
  }

  void tell(const OwnerRequest& asked, TimePoint begun, const OwnerReply& reply) const {
    std::string rpc = wire::rpc_of(asked.order());
    if (rpc.empty()) rpc = "other";
    const char* code = code_of(reply);
    const auto took = std::chrono::steady_clock::now() - begun;
    metrics.commands.at({rpc, code}).add();
    metrics.command_seconds.at({rpc}).observe(took);
    kLog.info("order", {{"tenant", owner.tenant},
                        {"rpc", rpc},
                        {"resource", subject_of(asked, reply)},
                        {"code", code},
                        {"request_id", asked.request_id()},
                        {"seconds", took}});
  }

  asio::awaitable<OwnerReply> reply_to(const OwnerRequest& asked, TimePoint limit) {
    const auto order = wire::from_proto(owner.tenant, asked.order());
    if (order.has_error()) {
      const wire::Failure failure{Errc::internal, "not an order for this tenant's PBX"};
      co_return reply_of(failure);
    }
    if (const auto failure = not_offered(call::service_of(*order))) co_return reply_of(*failure);
    if (asked.request_id().empty() || !call::changes_something(*order)) {
      auto executing = execute(asked, *order, limit);
      auto executed = co_await std::move(executing);
      co_return std::move(executed.reply);
    }
    auto reserving = request_log.begin(asked, owner.epoch);
    auto begun = co_await std::move(reserving);
    if (auto* earlier = std::get_if<OwnerReply>(&begun)) co_return std::move(*earlier);
    if (const auto* failure = std::get_if<wire::Failure>(&begun)) co_return reply_of(*failure);

    auto reserved = std::get<RequestLog::Reserved>(std::move(begun));
    auto executing = execute(asked, *order, limit);
    auto executed = co_await std::move(executing);
    if (executed.done) {
      auto keeping = request_log.finish(std::move(reserved), asked, owner.epoch, executed.reply);
      co_await std::move(keeping);
    } else {
      auto forgetting = request_log.forget(std::move(reserved));
      co_await std::move(forgetting);
    }
    co_return std::move(executed.reply);
  }

  std::optional<wire::Failure> not_offered(Service service) const {
    const auto row =
        std::find_if(owner.capabilities.begin(), owner.capabilities.end(),
                     [&](const call::Capability& it) { return it.service == service; });
    if (row != owner.capabilities.end() && row->confirmation != call::Confirmation::none) {
      return std::nullopt;
    }
    const std::string note = row == owner.capabilities.end() ? "" : row->note;
    return wire::Failure{Errc::feature_not_supported, std::string(name_of(service)) + ": " + note};
  }

  struct Executed {
    Executed() = default;  // gcc 12: no aggregates in coroutines
    OwnerReply reply;
    bool done = true;  // false: for certain nothing has changed at the PBX
  };

  asio::awaitable<Executed> execute(const OwnerRequest& asked, const call::Order& order,
                                    TimePoint limit) {
    Executed executed;
    std::optional<wire::Failure> obstacle = owner.obstacle();
    if (!obstacle && limit <= std::chrono::steady_clock::now()) {
      obstacle.emplace(wire::Failure{Errc::timed_out, "the caller's deadline had passed"});
    }
    if (obstacle) {
      executed.reply = reply_of(*obstacle);
      executed.done = false;
      co_return executed;
    }
    auto start = [&](auto done) {
      auto once = std::make_shared<decltype(done)>(std::move(done));
      const bool taken =
          owner.order(order, limit, [once](call::OrderReply reply) { (*once)(std::move(reply)); });
      if (!taken) {
        (*once)(call::Refusal{Errc::too_many_requests, "too many orders wait for this PBX"});
      }
    };
    auto waiting = bus::await_callback<call::OrderReply>(std::move(start));
    const call::OrderReply reply = co_await std::move(waiting);
    if (const auto* refusal = std::get_if<call::Refusal>(&reply)) {
      executed.reply = reply_of(failure_of(*refusal, asked));
      executed.done = may_have_been_done(refusal->why);
    } else {
      *executed.reply.mutable_order_result() = wire::result_of(owner.tenant, reply);
      if (executed.reply.ByteSizeLong() > limits.reply_bytes_max) {
        const wire::Failure failure{Errc::message_too_big,
                                    "what the PBX has of it is too large: ask for fewer at a time"};
        executed.reply = reply_of(failure);
      }
    }
    co_return executed;
  }
};

ProvisioningDesk::ProvisioningDesk(asio::any_io_executor executor, Owner owner, Limits limits,
                                   RequestLog& request_log, const Metrics& metrics)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(owner), limits, request_log,
                                   metrics)) {}

ProvisioningDesk::~ProvisioningDesk() = default;

void ProvisioningDesk::take(const OwnerRequest& request, TimePoint limit, Done done) {
  impl_->take(request, limit, std::move(done));
}

asio::awaitable<void> ProvisioningDesk::drained() {
  const auto impl = impl_;
  while (impl->open > 0) co_await impl->answered.async_wait(kTuple);
}

}  // namespace connector
