#include "control/rpc/handlers.h"
#include "control/rpc/known_tenant.h"
#include "wire/names.h"

namespace control::rpc {

using pbxgw::v1::GetCapabilitiesRequest;
using pbxgw::v1::GetCapabilitiesResponse;

Answering<GetCapabilitiesResponse> get_capabilities(Core& core, GetCapabilitiesRequest request,
                                                    Caller) {
  const auto tenant = wire::parse_capabilities(request.name());
  auto record = known_tenant(core, tenant, request.name(), wire::kCapabilitiesForm);
  if (!record) co_return record.error();
  GetCapabilitiesResponse response;
  response.mutable_capabilities()->set_name(request.name());
  response.mutable_capabilities()->set_vendor(record->tenant().vendor());
  response.mutable_capabilities()->mutable_capabilities()->Swap(record->mutable_capabilities());
  co_return response;
}

}  // namespace control::rpc
