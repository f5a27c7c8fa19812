#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "simulator/host.h"

namespace simulator {

// Whose a login is, where many tenants share a listener. Constant once it is filled.
class Directory {
 public:
  // Only tenants whose users differ from everybody else's: settings.cc sees to it.
  void add(Host& host);
  // Null if nobody has such a user. Whether the password is right is the tenant's business.
  Host* find(std::string_view target, std::string_view user) const;

 private:
  struct Agents {
    innova360::ExtensionPattern user;
    Host* host;
  };
  std::unordered_map<std::string, Host*> supervisors_;
  std::vector<Agents> agents_;
};

}  // namespace simulator
