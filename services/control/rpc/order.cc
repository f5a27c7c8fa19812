#include "control/rpc/order.h"

#include <google/protobuf/descriptor.h>

#include "wire/names.h"

namespace control::rpc {

namespace v1 = pbxgw::provisioning::v1;
using pbxgw::v1::Order;
using pbxgw::v1::OrderResult;
using pbxgw::v1::OwnerRequest;

bool take(const OrderResult::Resource& from, v1::Device& to) {
  if (from.has_device()) to = from.device();
  return from.has_device();
}

bool take(const OrderResult::Resource& from, v1::User& to) {
  if (from.has_user()) to = from.user();
  return from.has_user();
}

bool take(const OrderResult::Resource& from, v1::UserToken& to) {
  if (from.has_user_token()) to = from.user_token();
  return from.has_user_token();
}

bool take(const OrderResult::Resource& from, v1::Agent& to) {
  if (from.has_agent()) to = from.agent();
  return from.has_agent();
}

Order order_of(const google::protobuf::Message& request) {
  Order order;
  const auto* orders = Order::descriptor();
  for (int i = 0; i < orders->field_count(); ++i) {
    const auto* field = orders->field(i);
    if (field->message_type() == request.GetDescriptor()) {
      order.GetReflection()->MutableMessage(&order, field)->CopyFrom(request);
    }
  }
  return order;
}

Answering<OrderResult> carry_out(Core& core, base::TenantId tenant, OwnerRequest question,
                                 Caller caller) {
  question.set_tenant(wire::tenant_name(tenant));
  question.set_traceparent(std::move(caller.traceparent));
  auto asking =
      core.gateway.ask(caller.right, std::move(tenant), std::move(question), caller.deadline);
  auto answer = co_await std::move(asking);
  if (!answer) co_return answer.error();
  if (!answer->has_order_result()) {
    co_return refuse(base::Errc::internal, "The connector answered another question.");
  }
  co_return std::move(*answer->mutable_order_result());
}

}  // namespace control::rpc
