#pragma once

#include "control/dispatcher.h"
#include "pbxgw/v1/app_login_service.grpc.pb.h"
#include "pbxgw/v1/call_control_service.grpc.pb.h"
#include "pbxgw/v1/call_history_service.grpc.pb.h"
#include "pbxgw/v1/calls_service.grpc.pb.h"
#include "pbxgw/v1/devices_service.grpc.pb.h"
#include "pbxgw/v1/events_service.grpc.pb.h"
#include "pbxgw/v1/tenants_service.grpc.pb.h"
#include "pbxgw/v1/web_rtc_service.grpc.pb.h"

// gRPC's side of each service: every method hands its RPC to the dispatcher, together with the
// function that handles it. Nothing else is here.
namespace control {

#define PBXGW_RPC(Method)                                                     \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,      \
                                   const pbxgw::v1::Method##Request* request, \
                                   pbxgw::v1::Method##Response* response) override;

class TenantsFace final : public pbxgw::v1::Tenants::CallbackService {
 public:
  explicit TenantsFace(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}
  PBXGW_RPC(ListTenants)
  PBXGW_RPC(GetTenant)
  PBXGW_RPC(GetCapabilities)

 private:
  Dispatcher& dispatcher_;
};

class CallsFace final : public pbxgw::v1::Calls::CallbackService {
 public:
  explicit CallsFace(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}
  PBXGW_RPC(ListCalls)
  PBXGW_RPC(GetCall)

 private:
  Dispatcher& dispatcher_;
};

class DevicesFace final : public pbxgw::v1::Devices::CallbackService {
 public:
  explicit DevicesFace(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}
  PBXGW_RPC(ListDevices)
  PBXGW_RPC(GetDevice)
  PBXGW_RPC(SetDoNotDisturb)
  PBXGW_RPC(SetForwarding)
  PBXGW_RPC(SetPresence)
  PBXGW_RPC(SetAgentState)
  PBXGW_RPC(GetAgentSession)

 private:
  Dispatcher& dispatcher_;
};

class CallControlFace final : public pbxgw::v1::CallControl::CallbackService {
 public:
  explicit CallControlFace(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}
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

 private:
  Dispatcher& dispatcher_;
};

class CallHistoryFace final : public pbxgw::v1::CallHistory::CallbackService {
 public:
  explicit CallHistoryFace(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}
  PBXGW_RPC(SearchCalls)
  grpc::ServerWriteReactor<pbxgw::v1::GetRecordingResponse>* GetRecording(
      grpc::CallbackServerContext* context,
      const pbxgw::v1::GetRecordingRequest* request) override {
    return dispatcher_.download(*context, *request);
  }

 private:
  Dispatcher& dispatcher_;
};

class AppLoginFace final : public pbxgw::v1::AppLogin::CallbackService {
 public:
  explicit AppLoginFace(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}
  PBXGW_RPC(SignChallenge)

 private:
  Dispatcher& dispatcher_;
};

#undef PBXGW_RPC

class EventsFace final : public pbxgw::v1::Events::CallbackService {
 public:
  explicit EventsFace(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}
  grpc::ServerWriteReactor<pbxgw::v1::WatchResponse>* Watch(
      grpc::CallbackServerContext* context, const pbxgw::v1::WatchRequest* request) override {
    return dispatcher_.watch(*context, *request);
  }

 private:
  Dispatcher& dispatcher_;
};

class WebRtcFace final : public pbxgw::v1::WebRtc::CallbackService {
 public:
  explicit WebRtcFace(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}
  grpc::ServerBidiReactor<pbxgw::v1::SignalRequest, pbxgw::v1::SignalResponse>* Signal(
      grpc::CallbackServerContext* context) override {
    return dispatcher_.signal(*context);
  }

 private:
  Dispatcher& dispatcher_;
};

}  // namespace control
