#pragma once

#include <bitset>
#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "rights/group.h"

namespace rights {

using Groups = std::bitset<kGroups.size()>;  // by the number of the group

// Somebody whom the policy knows, and what he may do. Never changed once made; any thread.
class Principal {
 public:
  struct Grant {
    std::vector<std::string> tenants;  // ids; empty: all, those to come included
    Groups groups;

    bool operator==(const Grant&) const = default;
  };
  Principal(std::string name, const std::vector<Grant>& grants);

  const std::string& name() const { return name_; }
  bool may(const base::TenantId& tenant, Group group) const;
  // For every tenant, those to come included.
  bool may_everywhere(Group group) const;
  // For one tenant at least: else there is no use in looking any further.
  bool may_anywhere(Group group) const;
  // Whether everything that `other` may do for any tenant this one may, too. (A stream whose
  // principal lost nothing goes on.)
  bool covers(const Principal& other, Group group) const;

 private:
  std::string name_;
  Groups everywhere_;
  std::map<std::string, Groups, std::less<>> tenants_;
};

}  // namespace rights
