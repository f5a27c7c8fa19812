#pragma once

#include <memory>

#include "pbxctl/change.h"
#include "pbxctl/request_id.h"
#include "pbxctl/target.h"
#include "pbxctl/verb.h"
#include "pbxgw/v1/call_control_service.grpc.pb.h"

// Verbs that act on a connection differ in the RPC and in what else the request says.
namespace pbxctl {

using pbxgw::v1::CallControl;

inline const char* id_or_new(ChangeOptions& options) {
  if (options.request_id.empty()) options.request_id = new_request_id();
  return options.request_id.c_str();
}

inline CLI::Option* add_connection(CLI::App& app, std::string& text) {
  return app
      .add_option("CONNECTION", text,
                  "c12-7-1, a resource name, or a device of which one connection fits")
      ->type_name("")
      ->required();
}

// `fill(session, request)` adds the rest; its failure is the verb's.
template <class Request, class Response, class Fill>
Action act_on_connection(std::shared_ptr<std::string> connection,
                         std::shared_ptr<ChangeOptions> options, pbxgw::v1::Service service,
                         grpc::Status (CallControl::Stub::*rpc)(grpc::ClientContext*,
                                                                const Request&, Response*),
                         Fill fill) {
  return [=](Session& session) -> Outcome<void> {
    auto name = connection_name(session, *connection, service);
    if (!name) return name.error();
    Request request;
    request.set_connection(*name);
    if (Outcome<void> filled = fill(session, request); !filled) return filled.error();
    return carry_out(session, rpc, std::move(request), *options, id_or_new(*options));
  };
}

}  // namespace pbxctl
