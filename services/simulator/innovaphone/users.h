#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "simulator/engine/tenant.h"
#include "simulator/innovaphone/settings.h"

namespace simulator::innovaphone {

// One extension, as its user is called here.
struct User {
  std::string guid;  // 32 hex digits
  std::string cn, dn, h323;
  std::string hw;       // of its phone
  std::size_t pbx = 0;  // where it lives
};

// The tenant's extensions as users, by their place there; the park orbits behind them are none.
// Constant.
class Users {
 public:
  Users(const Settings& settings, const engine::Tenant& tenant);

  engine::ExtensionIndex size() const { return static_cast<engine::ExtensionIndex>(users_.size()); }
  const User& operator[](engine::ExtensionIndex index) const { return users_[index]; }
  const std::string& number(engine::ExtensionIndex index) const {
    return tenant_.extension(index).number;
  }
  // kOutside: none of that name.
  engine::ExtensionIndex of_cn(std::string_view cn) const { return find(by_cn_, cn); }
  engine::ExtensionIndex of_h323(std::string_view h323) const { return find(by_h323_, h323); }
  engine::ExtensionIndex of_guid(std::string_view guid) const { return find(by_guid_, guid); }
  engine::ExtensionIndex of_number(std::string_view number) const {
    const auto index = tenant_.find_extension(number);
    return index < size() ? index : engine::kOutside;
  }

 private:
  using Index = std::unordered_map<std::string_view, engine::ExtensionIndex>;
  static engine::ExtensionIndex find(const Index& index, std::string_view name) {
    const auto it = index.find(name);
    return it == index.end() ? engine::kOutside : it->second;
  }

  const engine::Tenant& tenant_;
  std::vector<User> users_;
  Index by_cn_, by_h323_, by_guid_;
};

}  // namespace simulator::innovaphone
