#pragma once

#include <utility>

#include "control/rpc/handlers.h"

// Every RPC that commands, as one template: a field means the same in all their requests, so that
// what a request has decides what is read. Fields are read in the order of their numbers.
namespace control::rpc {

template <class Request>
Fields read(pbxgw::v1::Service service, const Request& request) {
  using pbxgw::v1::SERVICE_ASSOCIATE_DATA;
  Fields fields(service);
  if constexpr (requires { request.connection(); }) fields.connection(request.connection());
  if constexpr (requires { request.call(); }) fields.call(request.call());
  if constexpr (requires { request.device(); }) fields.device(request.device());
  if constexpr (requires { request.other_connection(); }) {
    fields.other_connection(request.other_connection());
  }
  if constexpr (requires { request.destination(); }) fields.destination(request.destination());
  if constexpr (requires { request.slot(); }) fields.slot(request.slot());
  if constexpr (requires { request.digits(); }) fields.digits(request.digits());
  if constexpr (requires { request.data(); }) {
    fields.data(request.data(), service == SERVICE_ASSOCIATE_DATA);
  }
  if constexpr (requires { request.enabled(); }) fields.on(request.enabled());
  if constexpr (requires { request.forwarding(); }) {
    fields.forwarding(request.has_forwarding(), request.forwarding());
  }
  if constexpr (requires { request.presence(); }) fields.presence(request.presence());
  if constexpr (requires { request.agent_state(); }) fields.agent_state(request.agent_state());
  if constexpr (requires { request.note(); }) fields.note(request.note(), "note");
  if constexpr (requires { request.reason(); }) fields.note(request.reason(), "reason");
  fields.request_id(request.request_id());
  fields.validate_only(request.validate_only());
  return fields;
}

// What of the result the RPC's response has a place for.
template <class Response>
Response respond(pbxgw::v1::CommandResult& result) {
  Response response;
  if constexpr (requires { response.mutable_call(); }) {
    if (result.has_call()) response.mutable_call()->Swap(result.mutable_call());
    response.set_connection(std::move(*result.mutable_connection()));
  } else {
    if (result.has_device()) response.mutable_device()->Swap(result.mutable_device());
  }
  return response;
}

template <pbxgw::v1::Service service, class Response, class Request>
Answering<Response> command(Core& core, Request request, Caller caller) {
  Fields fields = read(service, request);
  auto result = co_await carry_out(core, std::move(fields), std::move(caller));
  if (!result) co_return result.error();
  co_return respond<Response>(*result);
}

}  // namespace control::rpc
