#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <grpcpp/grpcpp.h>

#include "control/admission.h"
#include "control/audit_trail.h"
#include "control/core.h"
#include "control/gate.h"
#include "control/rate_limits.h"
#include "control/recording_download.h"
#include "control/signal_call.h"
#include "control/unary_call.h"
#include "control/watch.h"

namespace control {

// What is told about one RPC.
struct CommandLine {
  std::string_view rpc;
  bool is_command = false;  // it has a place for a request_id: it changes something
  std::string tenant;       // its resource name
  std::string resource;     // what it is about, as the request names it
  std::string request_id;   // empty if none was given
  std::string destination;  // masked
  std::string app, user;    // whose login is asked for
  std::string address;      // as in Caller
  std::string traceparent;  // as in Caller
  std::chrono::steady_clock::time_point begun;
};

// Brings RPCs from gRPC's threads to their handlers on the bus connection's executor, and the
// answers back: the gate, admission, deadline and log are here, in one place for all of them.
class Dispatcher {
 public:
  struct Deadlines {
    std::chrono::milliseconds otherwise{10'000};  // if the caller gives none
    std::chrono::milliseconds most{60'000};
  };
  Dispatcher(boost::asio::any_io_executor executor, Core& core, Gate& gate, RateLimits& callers,
             AuditTrail& audit, Admission& admission, Deadlines deadlines, WatchTools watch_tools,
             SignalTools signal_tools, DownloadTools download_tools)
      : executor_(std::move(executor)),
        core_(core),
        gate_(gate),
        callers_(callers),
        audit_(audit),
        admission_(admission),
        deadlines_(deadlines),
        watch_tools_(std::move(watch_tools)),
        signal_tools_(std::move(signal_tools)),
        download_tools_(download_tools) {}

  template <class Request, class Response>
  using Handler = boost::asio::awaitable<Answer<Response>> (*)(Core&, Request, Caller);

  // Runs `handler`, and returns the reactor that gRPC is to get.
  template <class Request, class Response>
  grpc::ServerUnaryReactor* run(std::string_view rpc, grpc::CallbackServerContext& context,
                                const Request& request, Response* response,
                                Handler<Request, Response> handler);

  grpc::ServerWriteReactor<pbxgw::v1::WatchResponse>* watch(grpc::CallbackServerContext& context,
                                                            const pbxgw::v1::WatchRequest& request);

  grpc::ServerBidiReactor<pbxgw::v1::SignalRequest, pbxgw::v1::SignalResponse>* signal(
      grpc::CallbackServerContext& context);

  grpc::ServerWriteReactor<pbxgw::v1::GetRecordingResponse>* download(
      grpc::CallbackServerContext& context, const pbxgw::v1::GetRecordingRequest& request);

  // Ends all that is under way, and lets nobody in any more. Does not need the executor to run.
  void end_all();

 private:
  Caller caller_of(const grpc::CallbackServerContext& context, Right right) const;
  // The door: the right by which the RPC is let in, or what its caller is told.
  Answer<Right> enter(grpc::CallbackServerContext& context, const Shown& shown,
                      const google::protobuf::Message& request, const CommandLine& line) const;
  // Has `work` run until its stream is over, if there is room for one more.
  template <class Stream, class Work>
  void start(const CommandLine& line, Admission::Kind kind, telemetry::Gauge gauge, Shown shown,
             Right right, std::shared_ptr<Stream> stream, std::shared_ptr<Work> work);
  // Of the streams of a kind that its caller may have at a time, one takes a seat before it starts.
  // Why not, if there is none left. Nothing without a policy.
  std::optional<google::rpc::Status> take_seat(Admission::Kind kind, const Admitted& admitted);
  void give_back_seat(Admission::Kind kind, const Admitted& admitted);
  // How often his caller asks, or that much of it was no good.
  std::optional<google::rpc::Status> too_often(const rights::Identity& identity,
                                               const std::vector<base::TenantId>& tenants) const;

  // ---- Every RPC ends in one of these two, once. Any thread. ----

  // It was refused at the door: nothing was done for it.
  void turned_away(const Refused& refused, const CommandLine& line) const;
  // The same, of one that the gate has let in already.
  void turned_away(const Admitted& admitted, google::rpc::Status why,
                   const CommandLine& line) const;
  // It was let in, and has ended with `status`.
  void ended(const Admitted& admitted, const CommandLine& line,
             const google::rpc::Status& status) const;

  boost::asio::any_io_executor executor_;
  Core& core_;
  Gate& gate_;
  RateLimits& callers_;
  AuditTrail& audit_;
  Admission& admission_;
  const Deadlines deadlines_;
  const WatchTools watch_tools_;
  const SignalTools signal_tools_;
  const DownloadTools download_tools_;
};

// For an exception that a handler let escape: logs it.
google::rpc::Status internal_error(std::string_view rpc, const std::exception_ptr& failure);
// What an RPC's caller is told when it is ended in the middle.
google::rpc::Status cut_short(bool is_command);
// The last three digits of a number, the others as '*': enough to find a call with the customer's
// help, and no more.
std::string masked(std::string_view number);
// The tenant's part of a resource name.
std::string tenant_part(std::string_view name);
// Who gRPC says is at the other end ("ipv4:192.0.2.7:50123"), without the port: "192.0.2.7".
std::string address_of(std::string_view peer);
std::string traceparent_of(const grpc::CallbackServerContext& context);

// ---- Implementation ----

// What a log line needs of a request; `begun` is now.
template <class Request>
CommandLine line_of(std::string_view rpc, const grpc::CallbackServerContext& context,
                    const Request& request) {
  CommandLine line;
  line.rpc = rpc;
  line.address = address_of(context.peer());
  line.traceparent = traceparent_of(context);
  line.begun = std::chrono::steady_clock::now();
  if constexpr (requires { request.request_id(); }) {
    line.is_command = true;
    line.request_id = request.request_id();
  }
  if constexpr (requires { request.destination(); }) {
    line.destination = masked(request.destination());
  } else if constexpr (requires { request.forwarding().destination(); }) {
    line.destination = masked(request.forwarding().destination());
  }
  if constexpr (requires { request.connection(); }) {
    line.resource = request.connection();
  } else if constexpr (requires { request.call(); }) {
    line.resource = request.call();
  } else if constexpr (requires { request.parent(); }) {
    line.resource = request.parent();
  } else if constexpr (requires { request.name(); }) {
    line.resource = request.name();
  } else if constexpr (requires { request.device(); }) {
    line.resource = request.device();
  } else if constexpr (requires { request.tenant(); }) {
    line.resource = request.tenant();
  }
  if constexpr (requires { request.challenge(); }) {
    line.app = request.app();
    line.user = request.user();
  }
  line.tenant = tenant_part(line.resource);
  return line;
}

template <class Request, class Response>
grpc::ServerUnaryReactor* Dispatcher::run(std::string_view rpc,
                                          grpc::CallbackServerContext& context,
                                          const Request& request, Response* response,
                                          Handler<Request, Response> handler) {
  constexpr bool kIsCommand = requires { request.request_id(); };
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  const auto line = std::make_shared<const CommandLine>(line_of(rpc, context, request));
  const auto entered = enter(context, shown_by(context), request, *line);
  if (!entered) {
    reactor->Finish(to_grpc(entered.error()));
    return reactor;
  }
  const Right right = *entered;
  auto told = [this, right, line](const google::rpc::Status& status) {
    ended(*right, *line, status);
  };
  auto call = std::make_shared<UnaryCall<Response>>(reactor, response, cut_short(kIsCommand),
                                                    std::move(told));
  if (const auto refused = admission_.enter(Admission::Kind::command, call)) {
    turned_away(*right, *refused, *line);
    reactor->Finish(to_grpc(*refused));
    return reactor;
  }
  auto finish = [this, call, rpc](std::exception_ptr failure, Answer<Response> answer) {
    if (failure) answer = internal_error(rpc, failure);
    call->finish(std::move(answer));
    admission_.leave(Admission::Kind::command, call);
  };
  boost::asio::co_spawn(executor_, handler(core_, request, caller_of(context, right)),
                        std::move(finish));
  return reactor;
}

}  // namespace control
