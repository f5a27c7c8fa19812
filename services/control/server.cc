#include "control/server.h"

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/health_check_service_interface.h>

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

std::string content_of(const std::string& path) {
  if (path.empty()) return {};
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  if (!file) throw std::runtime_error("cannot read " + path);
  return content.str();
}

std::shared_ptr<grpc::ServerCredentials> credentials_of(const ServerOptions& options) {
  if (options.certificate_file.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions tls(
      options.client_ca_file.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                     : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = content_of(options.client_ca_file);
  tls.pem_key_cert_pairs.push_back(
      {content_of(options.key_file), content_of(options.certificate_file)});
  return grpc::SslServerCredentials(tls);
}

std::string listening_at(const ServerOptions& options) {
  const bool is_v6 = options.address.find(':') != std::string::npos;
  const std::string host = is_v6 ? '[' + options.address + ']' : options.address;
  return host + ':' + std::to_string(options.port);
}

}  // namespace

struct Server::Impl {
  explicit Impl(Dispatcher& dispatcher)
      : tenants(dispatcher),
        calls(dispatcher),
        devices(dispatcher),
        call_control(dispatcher),
        events(dispatcher),
        web_rtc(dispatcher),
        call_history(dispatcher),
        app_login(dispatcher),
        provisioning(dispatcher) {}

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
    : impl_(std::make_unique<Impl>(dispatcher)) {
  grpc::EnableDefaultHealthCheckService(true);
  if (options.reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();

  grpc::ServerBuilder builder;
  const std::string where = listening_at(options);
  builder.AddListeningPort(where, credentials_of(options), &impl_->port);
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
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> guards;
  guards.push_back(std::make_unique<CallGuard>(metrics));
  builder.experimental().SetInterceptorCreators(std::move(guards));

  impl_->server = builder.BuildAndStart();
  if (!impl_->server || impl_->port == 0) throw std::runtime_error("cannot listen at " + where);
  serving(false);
}

Server::~Server() { shut(std::chrono::milliseconds(0)); }

int Server::port() const { return impl_->port; }

void Server::serving(bool is) {
  auto* health = impl_->server->GetHealthCheckService();
  for (const char* service : kServices) health->SetServingStatus(service, is);
  health->SetServingStatus("", is);
}

void Server::shut(std::chrono::milliseconds limit) {
  impl_->server->Shutdown(std::chrono::system_clock::now() + limit);
}

}  // namespace control
