#include "rights/group.h"

#include <algorithm>

namespace rights {

std::string_view name_of(Group group) {
  switch (group) {
    case Group::observe: return "observe";
    case Group::control: return "control";
    case Group::provision: return "provision";
    case Group::admin: return "admin";
  }
  return "";
}

std::optional<Group> group_from(std::string_view name) {
  const auto found = std::find_if(kGroups.begin(), kGroups.end(),
                                  [&](Group group) { return name_of(group) == name; });
  if (found == kGroups.end()) return std::nullopt;
  return *found;
}

}  // namespace rights
