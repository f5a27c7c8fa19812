#include "control/rpc/order.h"
#include "wire/names.h"

namespace control::rpc {

using pbxgw::v1::GetAgentSessionRequest;
using pbxgw::v1::GetAgentSessionResponse;

Answering<GetAgentSessionResponse> get_agent_session(Core& core, GetAgentSessionRequest request,
                                                     Caller caller) {
  auto name = wire::parse_device(request.device());
  if (!name || name->tenant.empty() || name->device.empty()) {
    co_return wire::to_status(not_of_form("device", request.device(), wire::kDeviceForm));
  }
  pbxgw::v1::OwnerRequest question;
  question.mutable_order()->mutable_get_agent_session()->set_device_id(name->device.str());
  auto asking = carry_out(core, std::move(name->tenant), std::move(question), std::move(caller));
  auto result = co_await std::move(asking);
  if (!result) co_return result.error();
  if (!result->has_agent_session()) {
    co_return refuse(base::Errc::internal, "The connector answered another question.");
  }
  GetAgentSessionResponse response;
  response.mutable_agent_session()->Swap(result->mutable_agent_session());
  co_return response;
}

}  // namespace control::rpc
