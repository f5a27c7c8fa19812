#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace rights {

// The rights that a policy gives, each for some tenants or all. What an RPC needs stands in the
// protos (pbxgw.options.v1.required_group), whose enum this follows.
enum class Group {
  observe,    // sees tenants, calls, devices, events, and calls that are over
  control,    // changes calls and the states of devices; media clients
  provision,  // sets up phones, users, tokens and agents
  admin,      // hears recordings, and makes logins in the names of others
};
inline constexpr std::array kGroups = {Group::observe, Group::control, Group::provision,
                                       Group::admin};

std::string_view name_of(Group group);  // "observe"
std::optional<Group> group_from(std::string_view name);

}  // namespace rights
