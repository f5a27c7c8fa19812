#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include "control/control.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "pbxgw/v1/call_control_service.grpc.pb.h"
#include "pbxgw/v1/call_history_service.grpc.pb.h"
#include "pbxgw/v1/calls_service.grpc.pb.h"
#include "pbxgw/v1/devices_service.grpc.pb.h"
#include "pbxgw/v1/events_service.grpc.pb.h"
#include "pbxgw/v1/tenants_service.grpc.pb.h"
#include "pbxgw/v1/web_rtc_service.grpc.pb.h"
#include "support/nats_server.h"
#include "telemetry/log.h"
#include "unit/control/scripted_owners.h"

namespace control {

inline google::rpc::Status details_of(const grpc::Status& status) {
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  return details;
}
inline google::rpc::ErrorInfo info_of(const grpc::Status& status) {
  google::rpc::ErrorInfo info;
  const auto details = details_of(status);
  for (const auto& detail : details.details()) {
    if (detail.UnpackTo(&info)) break;
  }
  return info;
}
inline std::string reason_of(const grpc::Status& status) { return info_of(status).reason(); }

// The whole service in this process, between a real NATS with scripted owners and real gRPC.
struct ControlFixture : testing::Test {
  static constexpr std::chrono::seconds kDeadline{30};

  support::NatsServer server;
  std::unique_ptr<ScriptedOwners> owners;
  Config config;
  std::unique_ptr<Control> service;
  std::thread thread;
  std::optional<int> exit_status;
  std::shared_ptr<grpc::Channel> channel;

  ControlFixture() {
    telemetry::log::set_level(telemetry::log::Level::error);
    auto document = config::Document::parse("{}", "control.yaml", {});
    config = read_config(document);
    config.nats.urls = {server.url()};
    config.nats.reconnect_wait = bus::Duration(20);
    config.nats.reconnect_jitter = bus::Duration(10);
    config.server.port = 0;
    config.admin.port = 0;
  }
  ~ControlFixture() override { stop(); }

  void make_owners(std::int64_t events_per_subject = -1) {
    owners = std::make_unique<ScriptedOwners>(server.url(), events_per_subject);
  }
  void start() {
    service = std::make_unique<Control>(config);
    thread = std::thread([this] { exit_status = service->run(); });
    channel = connect();
  }
  std::shared_ptr<grpc::Channel> connect(grpc::ChannelArguments arguments = {}) const {
    // Otherwise channels with the same target share a connection, and with it a window.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(service->grpc_port()),
                                     grpc::InsecureChannelCredentials(), arguments);
  }
  int stop() {
    if (service) service->stop();
    return join();
  }
  int join() {
    if (thread.joinable()) thread.join();
    service.reset();
    return exit_status.value_or(-1);
  }

  // Waits for something that is about to become true by itself.
  static bool eventually(const std::function<bool()>& is) {
    const auto end = std::chrono::steady_clock::now() + kDeadline;
    while (!is()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }

  // One unary RPC of `Service`.
  template <class Service, class Request, class Response>
  grpc::Status call(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                                          Response*),
                    const Request& request, Response& response,
                    std::chrono::milliseconds timeout = kDeadline) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    auto stub = Service::NewStub(channel);
    return ((*stub).*method)(&context, request, &response);
  }

  // What the admin server says: the HTTP status and the body.
  std::pair<int, std::string> admin(const std::string& path) const;
  // The value of a series, by its name and labels as in the exposition; empty if there is none.
  std::string metric(const std::string& series) const;

  pbxgw::v1::Tenant tenant(const std::string& id) {
    pbxgw::v1::GetTenantRequest request;
    request.set_name("tenants/" + id);
    pbxgw::v1::GetTenantResponse response;
    call<pbxgw::v1::Tenants>(&pbxgw::v1::Tenants::Stub::GetTenant, request, response);
    return response.tenant();
  }
  // Until control knows that the tenant is owned, or is not.
  void see(const std::string& id, const std::string& owner = "scripted") {
    ASSERT_TRUE(eventually([&] {
      const auto it = tenant(id);
      return !it.name().empty() && it.owner() == owner;
    })) << id;
  }
};

}  // namespace control
