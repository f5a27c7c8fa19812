#include "simulator/directory.h"

namespace simulator {

void Directory::add(Host& host) {
  const auto& settings = host.settings().innova360;
  supervisors_.emplace(settings.supervisor_user, &host);
  agents_.push_back({settings.agent_user, &host});
}

// Logins are rare, and a table of everybody's agents would be large: it is looked through.
Host* Directory::find(std::string_view target, std::string_view user) const {
  if (target == innova360::kSupervisorPath) {
    const auto it = supervisors_.find(std::string(user));
    return it == supervisors_.end() ? nullptr : it->second;
  }
  for (const Agents& each : agents_) {
    const auto number = each.user.extension_in(user);
    if (!number.empty() && each.host->has_extension(number)) return each.host;
  }
  return nullptr;
}

}  // namespace simulator
