#include "rights/principal.h"

#include <algorithm>
#include <utility>

namespace rights {
namespace {

bool has(const Groups& groups, Group group) { return groups.test(static_cast<std::size_t>(group)); }

}  // namespace

Principal::Principal(std::string name, const std::vector<Grant>& grants) : name_(std::move(name)) {
  for (const Grant& grant : grants) {
    if (grant.tenants.empty()) everywhere_ |= grant.groups;
    for (const std::string& tenant : grant.tenants) tenants_[tenant] |= grant.groups;
  }
}

bool Principal::may(const base::TenantId& tenant, Group group) const {
  if (may_everywhere(group)) return true;
  const auto found = tenants_.find(tenant.str());
  return found != tenants_.end() && has(found->second, group);
}

bool Principal::may_everywhere(Group group) const { return has(everywhere_, group); }

bool Principal::may_anywhere(Group group) const {
  return may_everywhere(group) ||
         std::any_of(tenants_.begin(), tenants_.end(),
                     [&](const auto& entry) { return has(entry.second, group); });
}

bool Principal::covers(const Principal& other, Group group) const {
  if (may_everywhere(group)) return true;
  if (other.may_everywhere(group)) return false;
  return std::all_of(other.tenants_.begin(), other.tenants_.end(), [&](const auto& entry) {
    return !has(entry.second, group) || may(base::TenantId(entry.first), group);
  });
}

}  // namespace rights
