#include "control/rpc/handlers.h"
#include "control/rpc/known_tenant.h"
#include "wire/names.h"

namespace control::rpc {

using pbxgw::v1::GetTenantRequest;
using pbxgw::v1::GetTenantResponse;

Answering<GetTenantResponse> get_tenant(Core& core, GetTenantRequest request, Caller) {
  const auto tenant = wire::parse_tenant(request.name());
  auto record = known_tenant(core, tenant, request.name(), wire::kTenantForm);
  if (!record) co_return record.error();
  GetTenantResponse response;
  response.mutable_tenant()->Swap(record->mutable_tenant());
  co_return response;
}

}  // namespace control::rpc
