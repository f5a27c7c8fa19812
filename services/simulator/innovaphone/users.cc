#include "simulator/innovaphone/users.h"

#include "simulator/innovaphone/digest.h"

namespace simulator::innovaphone {

using engine::ExtensionIndex;

Users::Users(const Settings& settings, const engine::Tenant& tenant) : tenant_(tenant) {
  for (const auto& extension : tenant.extensions()) {
    if (extension.orbit) break;
    const auto& number = extension.number;
    User user;
    user.guid = sha256_hex("user:" + settings.domain + ':' + number).substr(0, 32);
    user.cn = settings.cn.of(number);
    user.dn = settings.dn.of(number);
    user.h323 = settings.h323.of(number);
    user.hw = "hw-" + user.h323;
    users_.push_back(std::move(user));
  }
  for (std::size_t pbx = 0; pbx < settings.pbxs.size(); ++pbx) {
    for (const auto& number : settings.pbxs[pbx].users) {
      if (const auto index = of_number(number); index != engine::kOutside) users_[index].pbx = pbx;
    }
  }
  for (ExtensionIndex index = 0; index < size(); ++index) {
    by_cn_.emplace(users_[index].cn, index);
    by_h323_.emplace(users_[index].h323, index);
    by_guid_.emplace(users_[index].guid, index);
  }
}

}  // namespace simulator::innovaphone
