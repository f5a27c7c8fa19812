#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "google/rpc/status.pb.h"
#include "rights/group.h"
#include "rights/policy.h"

namespace control {

// An RPC that the gate let in: whose it is, and what may be done for it. Never changed once made.
struct Admitted {
  rights::Identity identity;  // with a principal, always
  rights::Group group;        // what the RPC needs, and the principal has
  // Those that the request names; he has the group for each of them.
  std::vector<base::TenantId> tenants;
  std::string rpc;  // "pbxgw.v1.CallControl/MakeCall"
  // The request is not about those tenants alone ("tenants/-", or no name): it is answered with
  // what he may see. He has the group for one tenant at least.
  bool of_all = false;

  bool may(const base::TenantId& tenant) const {
    return identity.principal && identity.principal->may(tenant, group);
  }
};
// Everything that is done for a caller is done by such a right; nobody else than the gate makes
// one.
using Right = std::shared_ptr<const Admitted>;

// PERMISSION_DENIED: says what is missing. The same whether there is such a tenant or not.
google::rpc::Status lacks(const std::string& principal, rights::Group group,
                          const base::TenantId& tenant);
// For an RPC that is about no tenant in particular: he has the group for none.
google::rpc::Status lacks(const std::string& principal, rights::Group group);

}  // namespace control
