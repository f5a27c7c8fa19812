#pragma once

#include <boost/asio/awaitable.hpp>

#include "control/answer.h"
#include "control/core.h"
#include "control/fields.h"
#include "pbxgw/v1/app_login_service.pb.h"
#include "pbxgw/v1/call_history_service.pb.h"
#include "pbxgw/v1/calls_service.pb.h"
#include "pbxgw/v1/devices_service.pb.h"
#include "pbxgw/v1/tenants_service.pb.h"

// One function for each RPC that reads, in a file of its own, and one for all those that command,
// which differ in the fields of their requests only. They know nothing of gRPC, and run on the bus
// connection's executor.
namespace control::rpc {

template <class Response>
using Answering = boost::asio::awaitable<Answer<Response>>;

Answering<pbxgw::v1::ListTenantsResponse> list_tenants(Core& core,
                                                       pbxgw::v1::ListTenantsRequest request,
                                                       Caller caller);
Answering<pbxgw::v1::GetTenantResponse> get_tenant(Core& core, pbxgw::v1::GetTenantRequest request,
                                                   Caller caller);
Answering<pbxgw::v1::GetCapabilitiesResponse> get_capabilities(
    Core& core, pbxgw::v1::GetCapabilitiesRequest request, Caller caller);

Answering<pbxgw::v1::ListCallsResponse> list_calls(Core& core, pbxgw::v1::ListCallsRequest request,
                                                   Caller caller);
Answering<pbxgw::v1::GetCallResponse> get_call(Core& core, pbxgw::v1::GetCallRequest request,
                                               Caller caller);

Answering<pbxgw::v1::ListDevicesResponse> list_devices(Core& core,
                                                       pbxgw::v1::ListDevicesRequest request,
                                                       Caller caller);
Answering<pbxgw::v1::GetDeviceResponse> get_device(Core& core, pbxgw::v1::GetDeviceRequest request,
                                                   Caller caller);

Answering<pbxgw::v1::GetAgentSessionResponse> get_agent_session(
    Core& core, pbxgw::v1::GetAgentSessionRequest request, Caller caller);

Answering<pbxgw::v1::SearchCallsResponse> search_calls(Core& core,
                                                       pbxgw::v1::SearchCallsRequest request,
                                                       Caller caller);

Answering<pbxgw::v1::SignChallengeResponse> sign_challenge(Core& core,
                                                           pbxgw::v1::SignChallengeRequest request,
                                                           Caller caller);

// Has the owner carry out what `fields` were read from a request.
Answering<pbxgw::v1::CommandResult> carry_out(Core& core, Fields fields, Caller caller);

}  // namespace control::rpc
