#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "pbxctl/run.h"
#include "pbxgw/provisioning/v1/provisioning_service.grpc.pb.h"
#include "pbxgw/v1/app_login_service.grpc.pb.h"
#include "pbxgw/v1/call_control_service.grpc.pb.h"
#include "pbxgw/v1/call_history_service.grpc.pb.h"
#include "pbxgw/v1/calls_service.grpc.pb.h"
#include "pbxgw/v1/devices_service.grpc.pb.h"
#include "pbxgw/v1/events_service.grpc.pb.h"
#include "pbxgw/v1/tenants_service.grpc.pb.h"
#include "wire/status.h"

namespace pbxctl {

namespace v1 = pbxgw::v1;
namespace pv1 = pbxgw::provisioning::v1;

// As control makes it.
inline grpc::Status error(base::Errc code, const std::string& detail,
                          const std::string& field = {}) {
  const auto status = wire::to_status({.why = code, .detail = detail, .field = field});
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), status.message(),
                      status.SerializeAsString());
}

// A control service that answers as told, on a port of its own, and keeps what it was asked. One
// test's; what it is told before a run, it does during it.
class FakeControl {
 public:
  // One Watch: these responses, then this status. `hangs`: then nothing, until the caller goes.
  struct Stream {
    std::vector<v1::WatchResponse> responses{};
    grpc::Status status{};
    bool hangs = false;
  };

  FakeControl()
      : tenants_service(*this),
        calls_service(*this),
        devices_service(*this),
        control_service(*this),
        events_service(*this),
        history_service(*this),
        login_service(*this),
        provisioning_service(*this) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    for (grpc::Service* service : {static_cast<grpc::Service*>(&tenants_service),
                                   static_cast<grpc::Service*>(&calls_service),
                                   static_cast<grpc::Service*>(&devices_service),
                                   static_cast<grpc::Service*>(&control_service),
                                   static_cast<grpc::Service*>(&events_service),
                                   static_cast<grpc::Service*>(&history_service),
                                   static_cast<grpc::Service*>(&login_service),
                                   static_cast<grpc::Service*>(&provisioning_service)}) {
      builder.RegisterService(service);
    }
    server = builder.BuildAndStart();
  }
  ~FakeControl() { stop(); }

  // Ends what runs; nothing is answered from here on.
  void stop() { server->Shutdown(std::chrono::system_clock::now()); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port); }

  // How many watches have come; while one runs.
  std::size_t watching() {
    const std::lock_guard lock(mutex_);
    return watches.size();
  }

  // What it has, and what it does.
  std::vector<v1::Tenant> tenants;
  std::vector<v1::Call> calls;
  std::vector<v1::Device> devices;
  std::vector<std::string> unreachable;
  std::deque<v1::SearchCallsResponse> past_calls;  // a page for each question
  std::vector<v1::GetRecordingResponse> recording;
  v1::SignChallengeResponse login;
  v1::AgentSession agent;
  std::map<std::string, std::string> provisioned;  // responses as bytes, by RPC
  grpc::Status verdict;  // of every RPC of CallControl, and those that set devices
  v1::Call call_after;   // in their responses
  std::string connection_after;
  std::deque<Stream> streams;

  // What it was asked, as "HoldCall connection: …" in protobuf's short text, without request ids.
  std::vector<std::string> asked;
  std::vector<std::string> request_ids;
  std::vector<v1::WatchRequest> watches;

 private:
  std::mutex mutex_;

  template <class Request>
  void note(const char* rpc, Request request) {
    const std::lock_guard lock(mutex_);
    if constexpr (requires { request.request_id(); }) {
      request_ids.push_back(request.request_id());
      request.clear_request_id();
    }
    asked.push_back(std::string(rpc) + " " + request.ShortDebugString());
  }

  struct TenantsService final : v1::Tenants::Service {
    explicit TenantsService(FakeControl& owner) : fake(owner) {}
    FakeControl& fake;
    grpc::Status ListTenants(grpc::ServerContext*, const v1::ListTenantsRequest* request,
                             v1::ListTenantsResponse* response) override {
      // Pages of one, to see that all are fetched.
      const std::size_t at = request->page_token().empty() ? 0 : std::stoul(request->page_token());
      const std::size_t size = request->page_size() < 100 ? fake.tenants.size() : 1;
      for (std::size_t i = at; i < at + size && i < fake.tenants.size(); ++i) {
        *response->add_tenants() = fake.tenants[i];
      }
      if (at + size < fake.tenants.size()) {
        response->set_next_page_token(std::to_string(at + size));
      }
      return grpc::Status::OK;
    }
    grpc::Status GetTenant(grpc::ServerContext*, const v1::GetTenantRequest* request,
                           v1::GetTenantResponse* response) override {
      for (const auto& tenant : fake.tenants) {
        if (tenant.name() != request->name()) continue;
        *response->mutable_tenant() = tenant;
        return grpc::Status::OK;
      }
      return error(base::Errc::tenant_not_found, "There is no tenant " + request->name() + ".");
    }
    grpc::Status GetCapabilities(grpc::ServerContext*, const v1::GetCapabilitiesRequest* request,
                                 v1::GetCapabilitiesResponse* response) override {
      fake.note("GetCapabilities", *request);
      auto& all = *response->mutable_capabilities();
      all.set_name(request->name());
      auto& one = *all.add_capabilities();
      one.set_service(v1::SERVICE_MAKE_CALL);
      one.set_confirmation(v1::CONFIRMATION_OBSERVED);
      one.set_note("The phone rings first.");
      auto& other = *all.add_capabilities();
      other.set_service(v1::SERVICE_PARK_CALL);
      other.set_confirmation(v1::CONFIRMATION_NOT_OFFERED);
      return grpc::Status::OK;
    }
  };

  struct CallsService final : v1::Calls::Service {
    explicit CallsService(FakeControl& owner) : fake(owner) {}
    FakeControl& fake;
    grpc::Status ListCalls(grpc::ServerContext*, const v1::ListCallsRequest* request,
                           v1::ListCallsResponse* response) override {
      fake.note("ListCalls", *request);
      for (const auto& call : fake.calls) *response->add_calls() = call;
      for (const auto& name : fake.unreachable) response->add_unreachable(name);
      return grpc::Status::OK;
    }
    grpc::Status GetCall(grpc::ServerContext*, const v1::GetCallRequest* request,
                         v1::GetCallResponse* response) override {
      for (const auto& call : fake.calls) {
        if (call.name() != request->name()) continue;
        *response->mutable_call() = call;
        return grpc::Status::OK;
      }
      return error(base::Errc::call_not_found, "There is no call " + request->name() + ".");
    }
  };

  struct DevicesService final : v1::Devices::Service {
    explicit DevicesService(FakeControl& owner) : fake(owner) {}
    FakeControl& fake;
    grpc::Status ListDevices(grpc::ServerContext*, const v1::ListDevicesRequest* request,
                             v1::ListDevicesResponse* response) override {
      fake.note("ListDevices", *request);
      for (const auto& device : fake.devices) *response->add_devices() = device;
      return grpc::Status::OK;
    }
    grpc::Status GetDevice(grpc::ServerContext*, const v1::GetDeviceRequest* request,
                           v1::GetDeviceResponse* response) override {
      for (const auto& device : fake.devices) {
        if (device.name() != request->name()) continue;
        *response->mutable_device() = device;
        return grpc::Status::OK;
      }
      return error(base::Errc::device_not_found, "There is no device " + request->name() + ".");
    }
#define PBXGW_RPC(Rpc)                                                             \
  grpc::Status Rpc(grpc::ServerContext*, const v1::Rpc##Request* request,          \
                   v1::Rpc##Response* response) override {                         \
    fake.note(#Rpc, *request);                                                     \
    if (!fake.devices.empty()) *response->mutable_device() = fake.devices.front(); \
    return fake.verdict;                                                           \
  }
    PBXGW_RPC(SetDoNotDisturb)
    PBXGW_RPC(SetForwarding)
    PBXGW_RPC(SetPresence)
    PBXGW_RPC(SetAgentState)
#undef PBXGW_RPC
    grpc::Status GetAgentSession(grpc::ServerContext*, const v1::GetAgentSessionRequest* request,
                                 v1::GetAgentSessionResponse* response) override {
      fake.note("GetAgentSession", *request);
      *response->mutable_agent_session() = fake.agent;
      return fake.verdict;
    }
  };

  struct CallControlService final : v1::CallControl::Service {
    explicit CallControlService(FakeControl& owner) : fake(owner) {}
    FakeControl& fake;
#define PBXGW_RPC(Rpc)                                                                \
  grpc::Status Rpc(grpc::ServerContext*, const v1::Rpc##Request* request,             \
                   v1::Rpc##Response* response) override {                            \
    fake.note(#Rpc, *request);                                                        \
    if (!fake.call_after.name().empty()) *response->mutable_call() = fake.call_after; \
    response->set_connection(fake.connection_after);                                  \
    return fake.verdict;                                                              \
  }
    PBXGW_RPC(MakeCall)
    PBXGW_RPC(AnswerCall)
    PBXGW_RPC(ClearConnection)
    PBXGW_RPC(ClearCall)
    PBXGW_RPC(HoldCall)
    PBXGW_RPC(RetrieveCall)
    PBXGW_RPC(AlternateCall)
    PBXGW_RPC(ReconnectCall)
    PBXGW_RPC(ConsultationCall)
    PBXGW_RPC(TransferCall)
    PBXGW_RPC(SingleStepTransferCall)
    PBXGW_RPC(DeflectCall)
    PBXGW_RPC(ConferenceCall)
    PBXGW_RPC(DirectedPickupCall)
    PBXGW_RPC(ParkCall)
    PBXGW_RPC(GenerateDigits)
    PBXGW_RPC(StartRecording)
    PBXGW_RPC(StopRecording)
    PBXGW_RPC(AssociateData)
#undef PBXGW_RPC
  };

  struct EventsService final : v1::Events::Service {
    explicit EventsService(FakeControl& owner) : fake(owner) {}
    FakeControl& fake;
    grpc::Status Watch(grpc::ServerContext* context, const v1::WatchRequest* request,
                       grpc::ServerWriter<v1::WatchResponse>* writer) override {
      Stream stream;
      {
        const std::lock_guard lock(fake.mutex_);
        fake.watches.push_back(*request);
        if (fake.streams.empty())
          return error(base::Errc::internal, "The test has no more streams.");
        stream = std::move(fake.streams.front());
        fake.streams.pop_front();
      }
      for (const auto& response : stream.responses) writer->Write(response);
      while (stream.hangs && !context->IsCancelled()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      return stream.status;
    }
  };

  struct HistoryService final : v1::CallHistory::Service {
    explicit HistoryService(FakeControl& owner) : fake(owner) {}
    FakeControl& fake;
    grpc::Status SearchCalls(grpc::ServerContext*, const v1::SearchCallsRequest* request,
                             v1::SearchCallsResponse* response) override {
      fake.note("SearchCalls", *request);
      if (fake.past_calls.empty()) return fake.verdict;
      *response = fake.past_calls.front();
      fake.past_calls.pop_front();
      return grpc::Status::OK;
    }
    grpc::Status GetRecording(grpc::ServerContext*, const v1::GetRecordingRequest* request,
                              grpc::ServerWriter<v1::GetRecordingResponse>* writer) override {
      fake.note("GetRecording", *request);
      for (const auto& response : fake.recording) writer->Write(response);
      return fake.verdict;
    }
  };

  struct LoginService final : v1::AppLogin::Service {
    explicit LoginService(FakeControl& owner) : fake(owner) {}
    FakeControl& fake;
    grpc::Status SignChallenge(grpc::ServerContext*, const v1::SignChallengeRequest* request,
                               v1::SignChallengeResponse* response) override {
      fake.note("SignChallenge", *request);
      *response = fake.login;
      return fake.verdict;
    }
  };

  struct ProvisioningService final : pv1::Provisioning::Service {
    explicit ProvisioningService(FakeControl& owner) : fake(owner) {}
    FakeControl& fake;
#define PBXGW_RPC(Rpc)                                                     \
  grpc::Status Rpc(grpc::ServerContext*, const pv1::Rpc##Request* request, \
                   pv1::Rpc##Response* response) override {                \
    fake.note(#Rpc, *request);                                             \
    response->ParseFromString(fake.provisioned[#Rpc]);                     \
    return fake.verdict;                                                   \
  }
    PBXGW_RPC(CreateDevice)
    PBXGW_RPC(ListDevices)
    PBXGW_RPC(GetDevice)
    PBXGW_RPC(DeleteDevice)
    PBXGW_RPC(CreateUser)
    PBXGW_RPC(ListUsers)
    PBXGW_RPC(GetUser)
    PBXGW_RPC(DeleteUser)
    PBXGW_RPC(CreateUserToken)
    PBXGW_RPC(ListUserTokens)
    PBXGW_RPC(GetUserToken)
    PBXGW_RPC(DeleteUserToken)
    PBXGW_RPC(CreateAgent)
    PBXGW_RPC(ListAgents)
    PBXGW_RPC(GetAgent)
    PBXGW_RPC(DeleteAgent)
#undef PBXGW_RPC
  };

  TenantsService tenants_service;
  CallsService calls_service;
  DevicesService devices_service;
  CallControlService control_service;
  EventsService events_service;
  HistoryService history_service;
  LoginService login_service;
  ProvisioningService provisioning_service;
  int port = 0;
  std::unique_ptr<grpc::Server> server;
};

// What a run came to.
struct Ran {
  int status = -1;
  std::string out, err;
};

// 2026-01-02 12:00:00 UTC: the time at which everything in these tests happens.
inline constexpr std::int64_t kNow = 1'767'355'200;

inline Ran run_with(const std::vector<std::string>& arguments, const std::string& input = {}) {
  std::ostringstream out, err;
  std::istringstream in(input);
  Ran ran;
  const Terminal terminal{
      .out = out, .err = err, .now = [] { return Time(std::chrono::seconds(kNow)); }, .in = in};
  ran.status = run(arguments, terminal);
  ran.out = out.str();
  ran.err = err.str();
  return ran;
}

// ---- Things to look at ----

inline v1::Connection connection(const std::string& id, const std::string& device,
                                 const std::string& name, v1::Role role, v1::ConnectionState state,
                                 const std::vector<v1::Service>& actions = {}) {
  v1::Connection out;
  out.set_name("tenants/acme/connections/" + id);
  out.mutable_party()->set_device_id(device);
  out.mutable_party()->set_number(device);
  out.mutable_party()->set_display_name(name);
  out.set_role(role);
  out.set_state(state);
  out.set_cause(v1::CAUSE_NORMAL);
  out.mutable_state_time()->set_seconds(kNow - 10);
  for (auto action : actions) out.add_allowed_actions(action);
  return out;
}

inline v1::Call call_of(const std::string& id, const std::vector<v1::Connection>& connections) {
  v1::Call out;
  out.set_name("tenants/acme/calls/" + id);
  out.set_direction(v1::DIRECTION_INTERNAL);
  out.mutable_create_time()->set_seconds(kNow - 75);
  for (const auto& it : connections) *out.add_connections() = it;
  return out;
}

}  // namespace pbxctl
