#include "control/admitted.h"

#include "control/answer.h"
#include "wire/names.h"

namespace control {
namespace {

google::rpc::Status denied(const std::string& principal, rights::Group group,
                           const std::string& tenant, const std::string& where) {
  const std::string name(rights::name_of(group));
  return refuse(base::Errc::access_denied, principal + " lacks the group " + name + where,
                {{"principal", principal}, {"group", name}, {"tenant", tenant}});
}

}  // namespace

google::rpc::Status lacks(const std::string& principal, rights::Group group,
                          const base::TenantId& tenant) {
  const std::string name = wire::tenant_name(tenant);
  return denied(principal, group, name, " for " + name + '.');
}

google::rpc::Status lacks(const std::string& principal, rights::Group group) {
  return denied(principal, group, "tenants/-", ": there is no tenant that it has it for.");
}

}  // namespace control
