#include "simulator/innovaphone/pbx.h"

#include <algorithm>

#include "simulator/innovaphone/digest.h"

namespace simulator::innovaphone {

bool Pbx::shows(const Socket& socket, engine::ExtensionIndex user, bool group) const {
  if (user >= users.size()) return false;
  if (socket.confined != engine::kOutside && socket.confined != user) return false;
  if (settings.variants.foreign_users == Variants::ForeignUsers::hidden &&
      users[user].pbx != socket.pbx) {
    return false;
  }
  if (!socket.app) return true;
  const auto& numbers = group ? socket.app->group : socket.app->users;
  return numbers.empty() ||
         std::find(numbers.begin(), numbers.end(), users.number(user)) != numbers.end();
}

std::string Pbx::conf_of(engine::CallId call) const {
  return sha256_hex("conf:" + settings.domain + ':' + std::to_string(settings.seed) + ':' +
                    std::to_string(tenant.generation()) + ':' + std::to_string(call))
      .substr(0, 32);
}

bool take_one(std::uint32_t& count) {
  if (count == 0) return false;
  if (count != engine::Faults::kAlways) --count;
  return true;
}

}  // namespace simulator::innovaphone
