#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "simulator/webitel/rest.h"
#include "simulator/webitel/rest_fields.h"
#include "simulator/webitel/rest_listing.h"
#include "simulator/webitel/text.h"

// Who may get in: tokens of users, logins, licences, and who one is.
namespace simulator::webitel {

using engine::HttpAnswer;

namespace {

constexpr const char* kTokens = "tokens";
constexpr const char* kUsers = "users";

// The secret is in the answer that made it, and never again.
json::object token_json(const Pbx& pbx, const Token& it, bool secret) {
  json::object out{{"id", std::to_string(it.id)},
                   {"token", secret ? it.token : std::string()},
                   {"usage", it.usage},
                   {"user", user_lookup(pbx, it.user)}};
  add_times(pbx, it, out);
  return without_empties(std::move(out), {});
}

User* user_of(const RestCall& call) { return call.pbx.accounts.find_user(call.id().value_or(0)); }

// Of the user that the path names; logins are no such tokens.
Token* token_of_path(const RestCall& call) {
  const User* user = user_of(call);
  Token* token = call.pbx.accounts.find_token(call.id(1).value_or(0));
  const bool fits = user && token && token->user == user->id && !token->login;
  return fits ? token : nullptr;
}

HttpAnswer create(const RestCall& call) {
  const User* user = user_of(call);
  if (!user) return directory_problem(problems::no_object(kUsers));
  Token token;
  token.user = user->id;
  token.usage = text_at(call.body, "usage");
  stamp(token, call.user->id, call.now);
  const Token* added = call.pbx.accounts.mint_token(std::move(token));
  if (!added) return directory_problem(problems::too_many(kTokens));
  return json_answer(token_json(call.pbx, *added, true));
}

HttpAnswer list(const RestCall& call) {
  const User* user = user_of(call);
  if (!user) return directory_problem(problems::no_object(kUsers));
  std::vector<json::object> rows;
  for (const auto& [id, it] : call.pbx.accounts.tokens()) {
    if (it.user == user->id && !it.login) rows.push_back(token_json(call.pbx, it, false));
  }
  const Arguments asked(call.http.query());
  return json_answer(list_of(asked, {kDirectorySize, kSizeMax, {}, "id"}, std::move(rows)));
}

HttpAnswer get(const RestCall& call) {
  const Token* token = token_of_path(call);
  if (!token) return directory_problem(problems::no_object(kTokens));
  return json_answer(token_json(call.pbx, *token, false));
}

HttpAnswer change(const RestCall& call) {
  Token* token = token_of_path(call);
  if (!token) return directory_problem(problems::no_object(kTokens));
  Form(call.body, call.http.method == "PUT").take("usage", token->usage);
  stamp(*token, call.user->id, call.now);
  return json_answer(token_json(call.pbx, *token, false));
}

HttpAnswer remove(const RestCall& call) {
  const Token* token = token_of_path(call);
  if (!token) return directory_problem(problems::no_object(kTokens));
  json::object gone = token_json(call.pbx, *token, false);
  call.pbx.accounts.revoke_token(token->id, call.now);
  return json_answer(std::move(gone));
}

// Ends what the user has logged in to; tokens that were made for it stay.
HttpAnswer log_out(const RestCall& call) {
  const User* user = user_of(call);
  if (!user) return directory_problem(problems::no_object(kUsers));
  std::vector<std::int64_t> logins;
  for (const auto& [id, it] : call.pbx.accounts.tokens()) {
    if (it.user == user->id && it.login) logins.push_back(id);
  }
  for (const auto id : logins) call.pbx.accounts.revoke_token(id, call.now);
  return json_answer(json::object());
}

// {domain, username, password}, or username "user@domain" and no domain.
HttpAnswer log_in(const RestCall& call) {
  auto& pbx = call.pbx;
  std::string name = text_at(call.body, "username"), domain = text_at(call.body, "domain");
  if (const auto at = name.rfind('@'); domain.empty() && at != std::string::npos) {
    domain = name.substr(at + 1);
    name.resize(at);
  }
  const User* user = domain == pbx.settings.domain ? pbx.accounts.user_named(name) : nullptr;
  if (!user || user->password.empty() || user->password != text_at(call.body, "password")) {
    ++pbx.counters.logins_refused;
    return directory_problem(problems::unauthenticated());
  }
  if (!pbx.accounts.has_licence(*user)) return directory_problem(problems::license());
  Token token;
  token.user = user->id;
  token.usage = "login";
  token.login = true;
  stamp(token, user->id, call.now);
  const Token* added = pbx.accounts.mint_token(std::move(token));
  if (!added) return directory_problem(problems::too_many(kTokens));
  return json_answer(json::object{{"access_token", added->token},
                                  {"token_type", "Bearer"},
                                  {"user_id", std::to_string(user->id)}});
}

HttpAnswer who_am_i(const RestCall& call) {
  const User& user = *call.user;
  const Pbx& pbx = call.pbx;
  json::array roles, scopes, permissions;
  for (const auto id : user.roles) {
    const User* role = pbx.accounts.find_user(id);
    roles.push_back(lookup(id, role ? role->username : std::string_view()));
  }
  std::int64_t number = 0;
  for (const auto& [scope, bits] : user.access) {
    if (scope.starts_with("view_") || scope.starts_with("playback_")) {
      permissions.push_back({{"id", scope}, {"name", scope}});
    } else {
      scopes.push_back(
          {{"id", std::to_string(++number)}, {"class", scope}, {"name", scope}, {"access", bits}});
    }
  }
  json::object out{{"user_id", std::to_string(user.id)},
                   {"dc", std::to_string(pbx.settings.domain_id)},
                   {"domain", pbx.settings.domain},
                   {"name", user.name},
                   {"username", user.username},
                   {"extension", user.extension},
                   {"roles", std::move(roles)},
                   {"license", licences_json(pbx, user)},
                   {"scope", std::move(scopes)},
                   {"permissions", std::move(permissions)},
                   {"expires_at", "0"}};
  return json_answer(without_empties(std::move(out), {"license", "permissions", "scope"}));
}

HttpAnswer licences(const RestCall& call) {
  std::vector<json::object> rows;
  for (const auto& it : call.pbx.accounts.licences()) {
    rows.push_back({{"id", it.id}, {"product", it.product}, {"prod", it.product}});
  }
  const Arguments asked(call.http.query());
  return json_answer(list_of(asked, {kDirectorySize, kSizeMax, {}, "id"}, std::move(rows)));
}

}  // namespace

std::span<const RestRoute> token_routes() {
  static constexpr RestRoute kRoutes[] = {
      {"POST", "/users/{}/tokens", kUsers, 'u', true, create},
      {"GET", "/users/{}/tokens", kUsers, 'r', false, list},
      {"GET", "/users/{}/tokens/{}", kUsers, 'r', false, get},
      {"PUT", "/users/{}/tokens/{}", kUsers, 'u', true, change},
      {"PATCH", "/users/{}/tokens/{}", kUsers, 'u', true, change},
      {"DELETE", "/users/{}/tokens/{}", kUsers, 'u', true, remove},
      {"POST", "/users/{}/logout", kUsers, 'u', true, log_out},
      {"POST", "/login", nullptr, '-', false, log_in},
      {"GET", "/userinfo", "", '-', false, who_am_i},
      {"GET", "/license", "license", 'r', false, licences},
  };
  return kRoutes;
}

}  // namespace simulator::webitel
