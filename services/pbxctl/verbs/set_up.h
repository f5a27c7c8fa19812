#pragma once

#include <string>
#include <string_view>

#include "pbxctl/change.h"
#include "pbxctl/request_id.h"
#include "pbxctl/target.h"
#include "pbxctl/verb.h"
#include "pbxgw/provisioning/v1/provisioning_service.grpc.pb.h"

// What the verbs have in common that set a PBX up.
namespace pbxctl {

namespace pv1 = pbxgw::provisioning::v1;
using pv1::Provisioning;

// "7287", or a resource name, as the resource name of the kind: tenants/{tenant}/<kind>/7287.
Outcome<std::string> resource_name(Session& session, std::string_view kind,
                                   const std::string& text);

// Sends what changes something, which may be repeated with the same `request_id`; a new one if that
// is empty, which it then is no more.
template <class Request, class Response>
Outcome<Response> order(Session& session,
                        grpc::Status (Provisioning::Stub::*rpc)(grpc::ClientContext*,
                                                                const Request&, Response*),
                        Request request, std::string& request_id) {
  if (request_id.empty()) request_id = new_request_id();
  request.set_request_id(request_id);
  auto response = session.ask(rpc, request);
  if (!response) return with_repeat_hint(response.error(), request_id);
  return response;
}

// "done  7287  Ann's", or the response as JSON.
void tell_made(const Session& session, const google::protobuf::Message& response,
               const std::string& name, const std::string& display_name,
               const std::string& request_id);

}  // namespace pbxctl
