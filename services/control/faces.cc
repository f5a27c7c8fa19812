#include "control/faces.h"

#include "control/rpc/command.h"

namespace control {

using namespace pbxgw::v1;

// An RPC with a handler of its own.
#define PBXGW_HANDLED(Face, Method, handler)                                      \
  grpc::ServerUnaryReactor* Face::Method(grpc::CallbackServerContext* context,    \
                                         const Method##Request* request,          \
                                         Method##Response* response) {            \
    return dispatcher_.run(#Method, *context, *request, response, &rpc::handler); \
  }

PBXGW_HANDLED(TenantsFace, ListTenants, list_tenants)
PBXGW_HANDLED(TenantsFace, GetTenant, get_tenant)
PBXGW_HANDLED(TenantsFace, GetCapabilities, get_capabilities)
PBXGW_HANDLED(CallsFace, ListCalls, list_calls)
PBXGW_HANDLED(CallsFace, GetCall, get_call)
PBXGW_HANDLED(DevicesFace, ListDevices, list_devices)
PBXGW_HANDLED(DevicesFace, GetDevice, get_device)
PBXGW_HANDLED(DevicesFace, GetAgentSession, get_agent_session)
PBXGW_HANDLED(CallHistoryFace, SearchCalls, search_calls)
PBXGW_HANDLED(AppLoginFace, SignChallenge, sign_challenge)

// An RPC that asks for a CSTA service.
#define PBXGW_COMMAND(Face, Method, service)                                   \
  grpc::ServerUnaryReactor* Face::Method(grpc::CallbackServerContext* context, \
                                         const Method##Request* request,       \
                                         Method##Response* response) {         \
    return dispatcher_.run<Method##Request, Method##Response>(                 \
        #Method, *context, *request, response,                                 \
        &rpc::command<service, Method##Response, Method##Request>);            \
  }

PBXGW_COMMAND(DevicesFace, SetDoNotDisturb, SERVICE_SET_DO_NOT_DISTURB)
PBXGW_COMMAND(DevicesFace, SetForwarding, SERVICE_SET_FORWARDING)
PBXGW_COMMAND(DevicesFace, SetPresence, SERVICE_SET_PRESENCE)
PBXGW_COMMAND(DevicesFace, SetAgentState, SERVICE_SET_AGENT_STATE)
PBXGW_COMMAND(CallControlFace, MakeCall, SERVICE_MAKE_CALL)
PBXGW_COMMAND(CallControlFace, AnswerCall, SERVICE_ANSWER_CALL)
PBXGW_COMMAND(CallControlFace, ClearConnection, SERVICE_CLEAR_CONNECTION)
PBXGW_COMMAND(CallControlFace, ClearCall, SERVICE_CLEAR_CALL)
PBXGW_COMMAND(CallControlFace, HoldCall, SERVICE_HOLD_CALL)
PBXGW_COMMAND(CallControlFace, RetrieveCall, SERVICE_RETRIEVE_CALL)
PBXGW_COMMAND(CallControlFace, AlternateCall, SERVICE_ALTERNATE_CALL)
PBXGW_COMMAND(CallControlFace, ReconnectCall, SERVICE_RECONNECT_CALL)
PBXGW_COMMAND(CallControlFace, ConsultationCall, SERVICE_CONSULTATION_CALL)
PBXGW_COMMAND(CallControlFace, TransferCall, SERVICE_TRANSFER_CALL)
PBXGW_COMMAND(CallControlFace, SingleStepTransferCall, SERVICE_SINGLE_STEP_TRANSFER_CALL)
PBXGW_COMMAND(CallControlFace, DeflectCall, SERVICE_DEFLECT_CALL)
PBXGW_COMMAND(CallControlFace, ConferenceCall, SERVICE_CONFERENCE_CALL)
PBXGW_COMMAND(CallControlFace, DirectedPickupCall, SERVICE_DIRECTED_PICKUP_CALL)
PBXGW_COMMAND(CallControlFace, ParkCall, SERVICE_PARK_CALL)
PBXGW_COMMAND(CallControlFace, GenerateDigits, SERVICE_GENERATE_DIGITS)
PBXGW_COMMAND(CallControlFace, StartRecording, SERVICE_START_RECORDING)
PBXGW_COMMAND(CallControlFace, StopRecording, SERVICE_STOP_RECORDING)
PBXGW_COMMAND(CallControlFace, AssociateData, SERVICE_ASSOCIATE_DATA)

#undef PBXGW_HANDLED
#undef PBXGW_COMMAND

}  // namespace control
