#include "control/server.h"

#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/impl/server_builder_plugin.h>

#include "control/answer.h"
#include "control/call_guard.h"
#include "control/faces.h"
#include "control/grpc_status.h"
#include "control/provisioning_face.h"
#include "control/services.h"

namespace control {
namespace {

// A client may ping as often as this; more often, and gRPC hangs up on it ("too_many_pings").
constexpr int kPingIntervalMin = 10'000;
// Ours, so that a watcher whose host vanished is noticed.
constexpr int kPingInterval = 60'000;
constexpr int kPingTimeout = 20'000;

// gRPC's library for reflection adds itself to every server of a program that is linked with it.
struct NoReflection final : grpc::ServerBuilderOption {
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    std::erase_if(*plugins, [](const auto& it) { return it->name() == "proto_server_reflection"; });
  }
};

// For methods that no service has: gRPC's own answer does not pass through CallGuard.
class UnknownRpc final : public grpc::ServerGenericBidiReactor {
 public:
  explicit UnknownRpc(const std::string& method) {
    Finish(to_grpc(refuse(base::Errc::feature_not_supported,
                          "There is no RPC " + method.substr(0, 128) + ".")));
  }
  void OnDone() override { delete this; }
};

class UnknownRpcs final : public grpc::CallbackGenericService {
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return new UnknownRpc(context->method());
  }
};

std::string listening_at(const ServerOptions& options) {
  const bool is_v6 = options.address.find(':') != std::string::npos;
  const std::string host = is_v6 ? '[' + options.address + ']' : options.address;
  return host + ':' + std::to_string(options.port);
}

}  // namespace

struct Server::Impl {
  Impl(const ServerOptions& options, Dispatcher& dispatcher, const Metrics& metrics)
      : log(metrics),
        tenants(dispatcher),
        calls(dispatcher),
        devices(dispatcher),
        call_control(dispatcher),
        events(dispatcher),
        web_rtc(dispatcher),
        call_history(dispatcher),
        app_login(dispatcher),
        provisioning(dispatcher) {
    if (!options.tls.certificate.empty()) certificates.emplace(options.tls, metrics);
  }

  GrpcLog log;
  std::optional<Certificates> certificates;
  TenantsFace tenants;
  CallsFace calls;
  DevicesFace devices;
  CallControlFace call_control;
  EventsFace events;
  WebRtcFace web_rtc;
  CallHistoryFace call_history;
  AppLoginFace app_login;
  ProvisioningFace provisioning;
  UnknownRpcs unknown;
  int port = 0;
  std::unique_ptr<grpc::Server> server;
};

Server::Server(const ServerOptions& options, Dispatcher& dispatcher, const Metrics& metrics)
    : dispatcher_(dispatcher), impl_(std::make_unique<Impl>(options, dispatcher, metrics)) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  if (options.reflection) {
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  } else {
    builder.SetOption(std::make_unique<NoReflection>());
  }
  const std::string where = listening_at(options);
  const auto credentials =
      impl_->certificates ? impl_->certificates->credentials() : grpc::InsecureServerCredentials();
  builder.AddListeningPort(where, credentials, &impl_->port);
  builder.RegisterService(&impl_->tenants);
  builder.RegisterService(&impl_->calls);
  builder.RegisterService(&impl_->devices);
  builder.RegisterService(&impl_->call_control);
  builder.RegisterService(&impl_->events);
  builder.RegisterService(&impl_->web_rtc);
  builder.RegisterService(&impl_->call_history);
  builder.RegisterService(&impl_->app_login);
  builder.RegisterService(&impl_->provisioning);
  builder.RegisterCallbackGenericService(&impl_->unknown);
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.request_bytes_max));
  // Two processes on one port would share its connections, each with half of the clients.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kPingIntervalMin);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kPingInterval);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingTimeout);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.streams_max);
  if (options.connection_age.count() > 0) {
    // Without an end to what is open on it by then: gRPC would cut a watch off in the middle of an
    // event, and a media client with its calls. Watches end by themselves, with a marker (Watch).
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS,
                               static_cast<int>(options.connection_age.count()));
  }
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> guards;
  guards.push_back(std::make_unique<CallGuard>(metrics));
  builder.experimental().SetInterceptorCreators(std::move(guards));

  impl_->server = builder.BuildAndStart();
  if (!impl_->server || impl_->port == 0) throw std::runtime_error("cannot listen at " + where);
  serving(false);
}

Server::~Server() {
  // gRPC waits until each RPC has been given its end, but nobody may be left to run the handlers:
  // the process did not get as far as to serve, or a bug has ended it in the middle.
  dispatcher_.end_all();
  shut(std::chrono::milliseconds(0));
}

int Server::port() const { return impl_->port; }

void Server::serving(bool is) {
  auto* health = impl_->server->GetHealthCheckService();
  for (const char* service : kServices) health->SetServingStatus(service, is);
  health->SetServingStatus("", is);
}

void Server::tick() {
  if (impl_->certificates) impl_->certificates->refresh(std::chrono::system_clock::now());
}

void Server::shut(std::chrono::milliseconds limit) {
  impl_->server->Shutdown(std::chrono::system_clock::now() + limit);
}

}  // namespace control
