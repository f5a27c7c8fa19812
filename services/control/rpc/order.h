#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "control/opaque.h"
#include "control/order_fields.h"
#include "control/rpc/handlers.h"
#include "pbxgw/provisioning/v1/requests.pb.h"

// Every RPC of Provisioning, as one template: a field means the same in all their requests, so that
// what a request has decides what is checked, in the order of the fields' numbers. What is valid is
// passed on as it came.
namespace control::rpc {

// Whether its names and parents are those of users' tokens.
template <class Request>
constexpr bool is_of_user_token() {
  namespace v1 = pbxgw::provisioning::v1;
  return std::is_same_v<Request, v1::CreateUserTokenRequest> ||
         std::is_same_v<Request, v1::ListUserTokensRequest> ||
         std::is_same_v<Request, v1::GetUserTokenRequest> ||
         std::is_same_v<Request, v1::DeleteUserTokenRequest>;
}

template <class Request>
constexpr OrderFields::Form form_of() {
  namespace v1 = pbxgw::provisioning::v1;
  if constexpr (is_of_user_token<Request>()) {
    return OrderFields::kUserToken;
  } else if constexpr (std::is_same_v<Request, v1::GetDeviceRequest> ||
                       std::is_same_v<Request, v1::DeleteDeviceRequest>) {
    return OrderFields::kPhone;
  } else if constexpr (std::is_same_v<Request, v1::GetUserRequest> ||
                       std::is_same_v<Request, v1::DeleteUserRequest>) {
    return OrderFields::kUser;
  } else {
    return OrderFields::kAgent;
  }
}

template <class Request>
OrderFields check(const Request& request) {
  OrderFields fields;
  if constexpr (requires { request.name(); }) {
    fields.resource("name", request.name(), form_of<Request>());
  } else if constexpr (is_of_user_token<Request>()) {
    fields.resource("parent", request.parent(), OrderFields::kUser);
  } else {
    fields.tenant(request.parent());
  }
  if constexpr (requires { request.has_device(); }) {
    fields.device(request.has_device(), request.device());
  }
  if constexpr (requires { request.has_user(); }) fields.user(request.has_user(), request.user());
  if constexpr (requires { request.has_user_token(); }) {
    fields.user_token(request.has_user_token(), request.user_token());
  }
  if constexpr (requires { request.has_agent(); }) {
    fields.agent(request.has_agent(), request.agent());
  }
  if constexpr (requires { request.page_size(); }) fields.page_size(request.page_size());
  if constexpr (requires { request.text(); }) fields.text(request.text());
  return fields;
}

// The other arguments of a list: its page tokens are good for these only.
template <class Request>
std::string context_of(const Request& request) {
  Packer packer;
  packer.add(Request::descriptor()->name()).add(request.parent());
  if constexpr (requires { request.text(); }) packer.add(request.text());
  return packer.text();
}

// Copies a resource; false if it is of another kind, or none.
bool take(const pbxgw::v1::OrderResult::Resource& from, pbxgw::provisioning::v1::Device& to);
bool take(const pbxgw::v1::OrderResult::Resource& from, pbxgw::provisioning::v1::User& to);
bool take(const pbxgw::v1::OrderResult::Resource& from, pbxgw::provisioning::v1::UserToken& to);
bool take(const pbxgw::v1::OrderResult::Resource& from, pbxgw::provisioning::v1::Agent& to);

template <class Resources>
bool take_all(const pbxgw::v1::OrderResult& result, Resources& to) {
  for (const auto& resource : result.page().resources()) {
    if (!take(resource, *to.Add())) return false;
  }
  return result.has_page();
}

// What of the result the RPC's response has a place for; nothing if the result is of another order.
template <class Response>
std::optional<Response> respond(const pbxgw::v1::OrderResult& result) {
  Response response;
  bool good = false;
  if constexpr (requires { response.mutable_device(); }) {
    good = take(result.resource(), *response.mutable_device());
  } else if constexpr (requires { response.mutable_user(); }) {
    good = take(result.resource(), *response.mutable_user());
  } else if constexpr (requires { response.mutable_user_token(); }) {
    good = take(result.resource(), *response.mutable_user_token());
  } else if constexpr (requires { response.mutable_agent(); }) {
    good = take(result.resource(), *response.mutable_agent());
  } else if constexpr (requires { response.mutable_devices(); }) {
    good = take_all(result, *response.mutable_devices());
  } else if constexpr (requires { response.mutable_users(); }) {
    good = take_all(result, *response.mutable_users());
  } else if constexpr (requires { response.mutable_user_tokens(); }) {
    good = take_all(result, *response.mutable_user_tokens());
  } else if constexpr (requires { response.mutable_agents(); }) {
    good = take_all(result, *response.mutable_agents());
  } else {
    good = result.has_deleted();
  }
  if (!good) return std::nullopt;
  return response;
}

// The order that carries `request`, which is one of Order's.
pbxgw::v1::Order order_of(const google::protobuf::Message& request);

// Has the owner carry it out.
Answering<pbxgw::v1::OrderResult> carry_out(Core& core, base::TenantId tenant,
                                            pbxgw::v1::OwnerRequest question, Caller caller);

template <class Request, class Response>
Answering<Response> order(Core& core, Request request, Caller caller) {
  constexpr bool kIsList = requires { request.page_token(); };
  OrderFields fields = check(request);
  pbxgw::v1::OwnerRequest question;
  if constexpr (requires { request.request_id(); }) {
    fields.fail(read_request_id(request.request_id(), *question.mutable_request_id()));
    request.clear_request_id();
  }
  if (fields.failure()) co_return wire::to_status(*fields.failure());
  std::string context;
  if constexpr (kIsList) {
    context = context_of(request);
    request.set_page_size(*page_size_of(request.page_size()));
    if (!request.page_token().empty()) {
      auto place = unseal(request.page_token(), context);
      if (!place) co_return wire::to_status(wrong_page_token());
      request.set_page_token(std::move(*place));
    }
  }
  request.DiscardUnknownFields();  // the gate has not seen them either
  *question.mutable_order() = order_of(request);
  auto carrying = carry_out(core, fields.tenant(), std::move(question), std::move(caller));
  auto result = co_await std::move(carrying);
  if (!result) co_return result.error();
  auto response = respond<Response>(*result);
  if (!response) {
    co_return refuse(base::Errc::internal, "The connector answered another question.");
  }
  if constexpr (kIsList) {
    const std::string& next = result->page().next();
    if (!next.empty()) response->set_next_page_token(seal(next, context));
  }
  co_return std::move(*response);
}

}  // namespace control::rpc
