#include "connector/command_inbox.h"

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/overloaded.h"
#include "bus/await.h"
#include "telemetry/log.h"
#include "wire/commands.h"
#include "wire/events.h"
#include "wire/names.h"
#include "wire/subjects.h"
#include "wire/time.h"

namespace connector {

namespace asio = boost::asio;
using base::Errc;
using pbxgw::v1::OwnerReply;
using pbxgw::v1::OwnerRequest;
using TimePoint = CommandInbox::TimePoint;
using namespace std::chrono_literals;

namespace {

constexpr auto kLog = telemetry::log::Logger("commands");
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr auto kLimitDefault = 10s;
constexpr auto kLimitMax = 120s;
// Commands taken and not answered yet, whatever they wait for. The PBX has a limit of its own.
constexpr unsigned kOpenMax = 1'024;
constexpr int kPageMax = 1'000;
// A reply must fit into a NATS message (1 MB): pages end early if need be.
constexpr std::size_t kPageBytesMax = 512 * 1024;

TimePoint limit_of(const OwnerRequest& request) {
  const auto now = std::chrono::steady_clock::now();
  if (!request.has_deadline()) return now + kLimitDefault;
  const auto deadline = wire::from_proto(request.deadline());
  // Whoever waits longer than a clock can tell, or gives no time at all.
  if (deadline.has_error()) return now + kLimitMax;
  const auto wall = std::chrono::system_clock::now();
  if (*deadline <= wall) return now;
  return now + std::min<std::chrono::nanoseconds>(*deadline - wall, kLimitMax);
}

wire::Failure failure_of(const call::Refusal& refusal) {
  wire::Failure failure{refusal.why, refusal.detail, "", {}};
  // The tracker and the adapters begin the detail of a bad argument with the field's name.
  if (refusal.why == Errc::invalid_argument) {
    failure.field = refusal.detail.substr(0, refusal.detail.find(':'));
  }
  return failure;
}

bool may_have_been_sent(const base::Error& why) {
  return why == Errc::effect_not_seen || why == Errc::outcome_unknown || why == Errc::pbx_refused;
}

// Fills a page of `out` from those of `all` after request.after_id.
template <class Items, class Wanted, class Add>
void fill_page(const Items& all, const pbxgw::v1::Query& query, pbxgw::v1::QueryResult& out,
               Wanted wanted, Add add) {
  using Id = typename Items::key_type;
  auto it = query.after_id().empty() ? all.begin() : all.upper_bound(Id(query.after_id()));
  const int limit = query.limit() > 0 ? std::min(query.limit(), kPageMax) : kPageMax;
  std::size_t bytes = 0;
  for (int count = 0; it != all.end(); ++it) {
    if (!wanted(it->second)) continue;
    if (count++ == limit || bytes > kPageBytesMax) {
      out.set_more(true);
      return;
    }
    bytes += add(it->second);
  }
}

}  // namespace

OwnerReply reply_of(const wire::Failure& failure) {
  OwnerReply reply;
  *reply.mutable_error() = wire::to_status(failure);
  return reply;
}

const char* code_of(const OwnerReply& reply) {
  return wire::name_of_code(reply.has_error() ? reply.error().code() : 0);
}

struct CommandInbox::Impl : std::enable_shared_from_this<Impl> {
  std::shared_ptr<bus::Connection> connection;
  asio::any_io_executor executor;
  Owner owner;
  RequestLog& request_log;
  const Metrics& metrics;
  bus::Subscription subscription;
  unsigned open_requests = 0;
  asio::steady_timer answered;

  Impl(std::shared_ptr<bus::Connection> with, asio::any_io_executor on, Owner of, RequestLog& log,
       const Metrics& counts)
      : connection(std::move(with)),
        executor(std::move(on)),
        owner(std::move(of)),
        request_log(log),
        metrics(counts),
        answered(executor, asio::steady_timer::time_point::max()) {}

  void take(bus::Request request) {
    OwnerRequest parsed;
    const auto payload = request.payload();
    const bool readable = parsed.ParseFromArray(payload.data(), static_cast<int>(payload.size())) &&
                          parsed.tenant() == wire::tenant_name(owner.tenant);
    if (readable && parsed.has_query()) return respond(request, answer(parsed.query()));
    if (readable && parsed.has_signal() && owner.signal) {
      return ask_desk(std::move(request), parsed.signal());
    }
    if (readable && parsed.has_history() && owner.history) {
      auto asked = std::make_shared<bus::Request>(std::move(request));
      return owner.history(parsed.history(), limit_of(parsed),
                           [weak = weak_from_this(), asked](OwnerReply reply) {
                             if (const auto self = weak.lock()) {
                               self->respond(*asked, std::move(reply));
                             }
                           });
    }
    if (readable && parsed.has_sign() && owner.sign) {
      return respond(request, owner.sign(parsed.sign()));
    }
    if (readable && parsed.has_order() && owner.order) {
      auto asked = std::make_shared<bus::Request>(std::move(request));
      return owner.order(parsed, limit_of(parsed),
                         [weak = weak_from_this(), asked](OwnerReply reply) {
                           if (const auto self = weak.lock()) {
                             self->respond(*asked, std::move(reply));
                           }
                         });
    }
    if (!readable || !parsed.has_command()) {
      const wire::Failure failure{
          Errc::internal, "not a request to the owner of this tenant", "", {}};
      return respond(request, reply_of(failure));
    }
    if (open_requests >= kOpenMax) {
      const wire::Failure failure{
          Errc::too_many_requests, "too many commands wait at this tenant's owner", "", {}};
      const OwnerReply reply = reply_of(failure);
      metrics.commands.at({rpc_of(parsed), code_of(reply)}).add();
      return respond(request, reply);
    }
    ++open_requests;
    asio::co_spawn(executor, carry_out(shared_from_this(), std::move(request), std::move(parsed)),
                   asio::detached);
  }

  // Not a command, though it takes as long as one: it has limits of its own.
  void ask_desk(bus::Request request, const pbxgw::v1::SignalCommand& asked) {
    auto kept = std::make_shared<const bus::Request>(std::move(request));
    owner.signal(asked, [weak = weak_from_this(), kept](OwnerReply reply) {
      if (const auto self = weak.lock()) self->respond(*kept, std::move(reply));
    });
  }

  void respond(const bus::Request& request, OwnerReply reply) const {
    reply.set_epoch(owner.epoch);
    reply.set_sequence(owner.tracker->book().sequence);
    request.respond(reply.SerializeAsString());
  }

  OwnerReply answer(const pbxgw::v1::Query& query) const {
    OwnerReply reply;
    auto& result = *reply.mutable_query_result();
    const call::Book& book = owner.tracker->book();
    if (query.kind() == pbxgw::v1::Query::KIND_CALLS) {
      auto wanted = [&](const call::Call& call) {
        return (query.id().empty() || call.id.str() == query.id()) &&
               (query.device_id().empty() ||
                std::any_of(call.connections.begin(), call.connections.end(), [&](const auto& it) {
                  return it.party.device.str() == query.device_id();
                }));
      };
      auto add = [&](const call::Call& call) {
        *result.add_calls() = wire::to_proto(owner.tenant, call);
        return result.calls().rbegin()->ByteSizeLong();
      };
      if (query.id().empty()) {
        fill_page(book.calls, query, result, wanted, add);
      } else if (const auto* call = owner.tracker->find(base::CallId(query.id()))) {
        add(*call);
      } else {
        return reply_of({Errc::call_not_found, "", "", {{"call", query.id()}}});
      }
    } else if (query.kind() == pbxgw::v1::Query::KIND_DEVICES) {
      auto add = [&](const call::Device& device) {
        *result.add_devices() = wire::to_proto(owner.tenant, device);
        return result.devices().rbegin()->ByteSizeLong();
      };
      if (query.id().empty()) {
        fill_page(
            book.devices, query, result, [](const auto&) { return true; }, add);
      } else if (const auto* device = owner.tracker->find(base::DeviceId(query.id()))) {
        add(*device);
      } else {
        return reply_of({Errc::device_not_found, "", "", {{"device", query.id()}}});
      }
    } else {
      return reply_of({Errc::internal, "not a question to the owner of a tenant", "", {}});
    }
    return reply;
  }

  // One command, from request to reply. `self` keeps everything alive until the reply is out.
  static asio::awaitable<void> carry_out(std::shared_ptr<Impl> self, bus::Request request,
                                         OwnerRequest asked) {
    const auto begun = std::chrono::steady_clock::now();
    auto working = self->reply_to(asked);
    OwnerReply reply = co_await std::move(working);
    const char* rpc = rpc_of(asked);
    const char* code = code_of(reply);
    self->metrics.commands.at({rpc, code}).add();
    self->metrics.command_seconds.at({rpc}).observe(std::chrono::steady_clock::now() - begun);
    kLog.info("command", {{"tenant", self->owner.tenant},
                          {"rpc", rpc},
                          {"code", code},
                          {"call", asked.command().call_id()},
                          {"request_id", asked.request_id()},
                          {"seconds", std::chrono::steady_clock::now() - begun}});
    self->respond(request, std::move(reply));
    if (--self->open_requests == 0) self->answered.cancel();
  }

  static const char* rpc_of(const OwnerRequest& asked) {
    const auto service = wire::from_proto(asked.command().service());
    return service ? name_of(*service) : "other";
  }

  asio::awaitable<OwnerReply> reply_to(const OwnerRequest& asked) {
    auto request = wire::from_proto(asked.command());
    if (request.has_error()) {
      const wire::Failure failure{request.error(), "", "", {}};
      co_return reply_of(failure);
    }
    // Whatever can be refused is refused before the request_id is spent.
    const bool validate_only = asked.command().validate_only();
    auto resolved = owner.tracker->resolve(*request);
    if (const auto* refusal = std::get_if<call::Refusal>(&resolved)) {
      if (!validate_only && !asked.request_id().empty()) {
        // A command that was carried out has changed what it acted on: its retry, which may be
        // refused for just that reason, is to hear what became of it.
        auto finding = request_log.find(asked);
        const auto known = co_await std::move(finding);
        if (known) co_return reply_to_known(*known);
      }
      co_return reply_of(failure_of(*refusal));
    }
    if (validate_only) {
      OwnerReply fine;
      fine.mutable_command_result();
      co_return fine;
    }
    if (asked.request_id().empty()) {
      auto carrying = execute(asked, *request, std::move(std::get<call::Command>(resolved)));
      auto done = co_await std::move(carrying);
      co_return std::move(done.reply);
    }
    auto reserving = request_log.begin(asked, owner.epoch);
    auto begun = co_await std::move(reserving);
    if (!std::holds_alternative<RequestLog::Reserved>(begun)) co_return reply_to_known(begun);

    auto reserved = std::get<RequestLog::Reserved>(std::move(begun));
    auto carrying = execute(asked, *request, std::move(std::get<call::Command>(resolved)));
    auto done = co_await std::move(carrying);
    if (done.sent) {
      auto keeping = request_log.finish(std::move(reserved), asked, owner.epoch, done.reply);
      co_await std::move(keeping);
    } else {
      auto forgetting = request_log.forget(std::move(reserved));
      co_await std::move(forgetting);
    }
    co_return std::move(done.reply);
  }

  // What the request log told of an id that was used before.
  static OwnerReply reply_to_known(const RequestLog::Begun& known) {
    if (const auto* earlier = std::get_if<OwnerReply>(&known)) return *earlier;
    return reply_of(std::get<wire::Failure>(known));
  }

  struct Executed {
    Executed() = default;  // gcc 12: no aggregates in coroutines
    OwnerReply reply;
    bool sent = true;  // false: for certain nothing reached the PBX
  };

  asio::awaitable<Executed> execute(const OwnerRequest& asked, const call::Request& request,
                                    call::Command command) {
    Executed executed;
    const auto limit = limit_of(asked);
    std::optional<wire::Failure> obstacle = owner.obstacle();
    if (!obstacle && limit <= std::chrono::steady_clock::now()) {
      obstacle.emplace(wire::Failure{Errc::timed_out, "the caller's deadline had passed", "", {}});
    }
    if (obstacle) {
      executed.reply = reply_of(*obstacle);
      executed.sent = false;
      co_return executed;
    }
    auto start = [&](auto done) {
      auto once = std::make_shared<decltype(done)>(std::move(done));
      const bool taken = owner.submit(std::move(command), limit, asked.request_id(),
                                      [once](call::Reply reply) { (*once)(std::move(reply)); });
      if (!taken) {
        (*once)(call::Refusal{Errc::too_many_requests, "too many commands wait for this PBX"});
        executed.sent = false;
      }
    };
    auto waiting = bus::await_callback<call::Reply>(std::move(start));
    const call::Reply reply = co_await std::move(waiting);
    if (const auto* refusal = std::get_if<call::Refusal>(&reply)) {
      executed.reply = reply_of(failure_of(*refusal));
      executed.sent = executed.sent && may_have_been_sent(refusal->why);
    } else {
      describe(request, std::get<call::Outcome>(reply), *executed.reply.mutable_command_result());
    }
    co_return executed;
  }

  // What the caller gets to see of the effect: the tracker knows it already, since the observation
  // that proves an outcome comes before it.
  void describe(const call::Request& request, const call::Outcome& outcome,
                pbxgw::v1::CommandResult& result) const {
    const auto [call, part] = owner.tracker->find_leg(outcome.leg);
    if (call && part) {
      *result.mutable_call() = wire::to_proto(owner.tenant, *call);
      result.set_connection(wire::connection_name(owner.tenant, call->id, part->number));
    } else if (!request.call.empty()) {
      if (const auto* left = owner.tracker->find(request.call)) {
        *result.mutable_call() = wire::to_proto(owner.tenant, *left);
      }
      if (request.connection != 0) {
        result.set_connection(
            wire::connection_name(owner.tenant, request.call, request.connection));
      }
    }
    if (const auto* device = owner.tracker->find(request.device)) {
      *result.mutable_device() = wire::to_proto(owner.tenant, *device);
    }
  }
};

CommandInbox::CommandInbox(std::shared_ptr<bus::Connection> connection,
                           asio::any_io_executor executor, Owner owner, RequestLog& request_log,
                           const Metrics& metrics)
    : impl_(std::make_shared<Impl>(std::move(connection), std::move(executor), std::move(owner),
                                   request_log, metrics)) {}

CommandInbox::~CommandInbox() { close(); }

base::Result<void> CommandInbox::open() {
  auto take = [weak = impl_->weak_from_this()](bus::Request request) {
    if (const auto self = weak.lock()) self->take(std::move(request));
  };
  auto served = bus::serve(impl_->connection, wire::command_subject(impl_->owner.tenant),
                           impl_->executor, std::move(take));
  if (served.has_error()) return served.error();
  impl_->subscription = std::move(*served);
  return {};
}

void CommandInbox::close() { impl_->subscription = {}; }

asio::awaitable<void> CommandInbox::drained() {
  const auto impl = impl_;
  while (impl->open_requests > 0) co_await impl->answered.async_wait(kTuple);
}

}  // namespace connector
