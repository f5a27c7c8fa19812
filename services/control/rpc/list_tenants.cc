#include "control/opaque.h"
#include "control/rpc/handlers.h"

namespace control::rpc {

using pbxgw::v1::ListTenantsRequest;
using pbxgw::v1::ListTenantsResponse;

namespace {
constexpr char kContext[] = "ListTenants";
}

Answering<ListTenantsResponse> list_tenants(Core& core, ListTenantsRequest request, Caller caller) {
  const auto size = page_size_of(request.page_size());
  if (!size) {
    co_return wire::to_status(
        wrong("page_size", "is negative: expected 0 to 1000", std::to_string(request.page_size())));
  }
  std::string after;
  if (!request.page_token().empty()) {
    auto payload = unseal(request.page_token(), kContext);
    if (!payload) co_return wire::to_status(wrong_page_token());
    after = std::move(*payload);
  }
  if (!core.directory.is_complete()) {
    co_return refuse(base::Errc::bus_unavailable,
                     "The tenants are not known yet: NATS was not reached.");
  }
  const auto may_see = [&](const base::TenantId& tenant) { return caller.right->may(tenant); };
  auto page = core.directory.page(after, static_cast<std::size_t>(*size),
                                  std::chrono::steady_clock::now(), may_see);
  ListTenantsResponse response;
  for (auto& record : page.records) response.add_tenants()->Swap(record.mutable_tenant());
  if (page.more) {
    response.set_next_page_token(
        seal(response.tenants(response.tenants_size() - 1).name(), kContext));
  }
  co_return response;
}

}  // namespace control::rpc
