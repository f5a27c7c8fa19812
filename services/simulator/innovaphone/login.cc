#include "simulator/innovaphone/login.h"

#include <algorithm>
#include <array>
#include <utility>

namespace simulator::innovaphone {

using engine::kOutside;

namespace {

constexpr std::size_t kChallengeMax = 16;
constexpr std::array<std::string_view, 5> kUsersApis{"PbxApi", "PbxSignal", "EpSignal",
                                                     "PbxMessages", "RCC"};

}  // namespace

std::string make_challenge(const Settings& settings, engine::Random& random) {
  const bool number = settings.variants.challenge == Variants::Challenge::number;
  const std::string_view digits = number ? "0123456789" : "0123456789abcdef";
  const auto size = std::clamp<std::size_t>(settings.challenge_size, 1, kChallengeMax);
  std::string challenge;
  while (challenge.size() < size) {
    const bool leading = number && challenge.empty();
    challenge += digits[leading ? 1 + random.below(9) : random.below(digits.size())];
  }
  return challenge;
}

LoginFields fields_of(const Message& login) {
  LoginFields fields;
  fields.app = text_at(login.body, "app");
  fields.domain = text_at(login.body, "domain");
  fields.sip = text_at(login.body, "sip");
  fields.guid = text_at(login.body, "guid");
  fields.dn = text_at(login.body, "dn");
  if (const auto info = raw_member(login.text, "info")) fields.info = std::string(*info);
  return fields;
}

bool is_proven(const LoginFields& login, std::string_view digest, std::string_view challenge,
               std::string_view password) {
  if (login_digest(login, challenge, password) == digest) return true;
  LoginFields other = login;
  other.info = login.info ? normalised(*login.info) : std::string();
  return login_digest(other, challenge, password) == digest;
}

bool log_in(const Pbx& pbx, Socket& socket, const Message& login) {
  const LoginFields fields = fields_of(login);
  const auto digest = text_at(login.body, "digest");
  const std::string challenge = std::exchange(socket.challenge, {});  // good for one login
  if (challenge.empty()) return false;
  if (fields.app.empty()) {
    const auto user = pbx.users.of_h323(fields.sip);
    if (user == kOutside) return false;
    const auto password = pbx.settings.password.of(pbx.users.number(user));
    if (!is_proven(fields, digest, challenge, password)) return false;
    socket.confined = user;
    return socket.logged_in = true;
  }
  const AppObject* app = pbx.settings.app(fields.app);
  if (!app || !is_proven(fields, digest, challenge, app->password)) return false;
  if (!fields.sip.empty() && fields.sip != app->name && pbx.knows(Profile::v13r3)) {
    socket.confined = pbx.users.of_h323(fields.sip);
    if (socket.confined == kOutside) return false;
  }
  socket.app = app;
  return socket.logged_in = true;
}

bool is_granted(const Socket& socket, std::string_view api) {
  const auto has = [api](const auto& apis) {
    return std::find(apis.begin(), apis.end(), api) != apis.end();
  };
  if (socket.confined != kOutside && !has(kUsersApis)) return false;
  return !socket.app || has(socket.app->apis);
}

}  // namespace simulator::innovaphone
