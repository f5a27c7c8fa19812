#include "control/rpc/known_tenant.h"

#include "control/fields.h"
#include "wire/names.h"

namespace control::rpc {

using base::Errc;

Answer<pbxgw::v1::TenantRecord> known_tenant(const Core& core,
                                             const base::Result<base::TenantId>& tenant,
                                             const std::string& name, std::string_view form) {
  if (!tenant || tenant->empty()) return wire::to_status(not_of_form("name", name, form));
  if (!core.directory.is_complete()) {
    return refuse(Errc::bus_unavailable, "The tenants are not known yet: NATS was not reached.");
  }
  auto record = core.directory.find(*tenant, std::chrono::steady_clock::now());
  if (record) return std::move(*record);
  const std::string tenant_name = wire::tenant_name(*tenant);
  return refuse(Errc::tenant_not_found, "No connector has " + tenant_name + '.',
                {{"tenant", tenant_name}, {"resource", tenant_name}});
}

}  // namespace control::rpc
