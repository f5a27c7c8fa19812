#include "pbx/innovaphone/sign.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "pbx/innovaphone/digest.h"
#include "pbx/json.h"

namespace pbx::innovaphone {

using base::Errc;

namespace {

// Whether the PBX looks at the case of names is not known.
bool same_name(std::string_view one, std::string_view other) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

std::string json_of(const SignedLogin& login) {
  std::string json = R"({"mt":"AppGetLoginResult")";
  const auto add = [&](std::string_view name, std::string_view text) {
    json += ",\"";
    json += name;
    json += "\":";
    append_json(json, text);
  };
  add("app", login.app);
  add("domain", login.domain);
  add("sip", login.sip);
  add("guid", login.guid);
  add("dn", login.dn);
  add("challenge", login.challenge);
  add("digest", login.digest);
  json += '}';
  return json;
}

}  // namespace

base::Result<SignedLogin> sign_login(const Settings& settings, const LoginChallenge& asked,
                                     std::string& why) {
  const auto refuse = [&](Errc error, std::string sentence) {
    why = std::move(sentence);
    return error;
  };
  const auto& apps = settings.apps("apps");
  // Colons alone separate the fields that are signed: app:domain:sip:guid:dn:challenge:password.
  // With one in the challenge or the user, the same digest is good for other fields, too: somebody
  // else's login, or one at our own inbound door.
  if (asked.challenge.empty() || !signable(asked.challenge, kSignableMax)) {
    return refuse(Errc::invalid_argument,
                  "challenge: expected 1 to 64 bytes without colons and control characters");
  }
  if (!signable(asked.user, kSignableMax)) {
    return refuse(Errc::invalid_argument,
                  "user: expected at most 64 bytes without colons and control characters");
  }
  if (asked.app.empty() && apps.size() > 1) {
    return refuse(Errc::invalid_argument, "app: there are several; which one?");
  }
  const auto app = asked.app.empty() ? apps.begin() : apps.find(asked.app);
  if (app == apps.end()) {
    return refuse(Errc::permission_denied, "app: not one that logins are signed for");
  }
  // Nor by a mistake in the configuration: whoever has the digest could come in as the PBX.
  if (app->first == settings.text("app_object")) {
    return refuse(Errc::permission_denied, "app: the gateway's own App object is nobody else's");
  }
  // To the PBX a login by the App object's own name is everybody's, too.
  const bool everybodys = asked.user.empty() || same_name(asked.user, app->first);
  if (everybodys && !app->second.whole) {
    return refuse(Errc::permission_denied, "user: this app's logins are one user's each");
  }

  LoginFields fields;
  fields.app = app->first;
  fields.domain = app->second.domain;
  fields.sip = asked.user;
  SignedLogin login;
  login.digest = login_digest(fields, asked.challenge, app->second.password);
  if (login.digest.empty()) return refuse(Errc::internal, "OpenSSL does not offer SHA-256 here");
  login.app = std::move(fields.app);
  login.domain = std::move(fields.domain);
  login.sip = std::move(fields.sip);
  login.challenge = asked.challenge;
  login.json = json_of(login);
  return login;
}

}  // namespace pbx::innovaphone
