#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "simulator/webitel/rest.h"
#include "simulator/webitel/rest_fields.h"
#include "simulator/webitel/rest_listing.h"
#include "simulator/webitel/text.h"

// Users. A new one's extension can at once be called, if it has a phone.
namespace simulator::webitel {

using engine::HttpAnswer;

namespace {

constexpr const char* kUsers = "users";
constexpr std::string_view kFields[] = {"id",       "name",   "username", "extension",
                                        "presence", "device", "contact"};

template <class Same>
bool is_free(const Accounts& accounts, UserId but, Same same) {
  return std::none_of(accounts.users().begin(), accounts.users().end(),
                      [&](const auto& it) { return it.first != but && same(it.second); });
}

bool is_extension(const RestCall& call, const std::string& number) {
  const auto index = call.pbx.tenant.find_extension(number);
  if (index != engine::kOutside) return !call.pbx.tenant.extension(index).orbit;
  constexpr std::size_t kDigitsMax = 20;
  return number.size() <= kDigitsMax && number.find_first_not_of("0123456789") == std::string::npos;
}

// A user has its own role, which is its id, and others: of these, whatever they may.
void set_roles(const Accounts& accounts, const Permissions& usual, User& user) {
  user.access = Accounts::access_of(usual);
  for (const auto role : user.roles) {
    const User* other = role == user.id ? nullptr : accounts.find_user(role);
    if (!other) continue;
    for (const auto& [scope, bits] : other->access) user.access[scope] |= bits;
  }
}

std::optional<Problem> read_references(const RestCall& call, const Form& form, User& user) {
  Accounts& accounts = call.pbx.accounts;
  if (const auto roles = form.references("roles")) {
    user.roles = *roles;
    std::erase(user.roles, user.id);
    for (const auto role : user.roles) {
      if (!accounts.find_user(role)) return problems::bad_field(kUsers, "roles");
    }
    set_roles(accounts, call.pbx.settings.user_permissions, user);
    if (user.id != kNobody) user.roles.insert(user.roles.begin(), user.id);
  }
  if (const auto devices = form.references("devices")) user.devices = *devices;
  if (const auto device = form.reference("device")) user.device = *device;
  std::vector<std::int64_t>& all = user.devices;
  if (user.device == 0 && !all.empty()) user.device = all.front();
  if (user.device != 0 && std::find(all.begin(), all.end(), user.device) == all.end()) {
    all.push_back(user.device);
  }
  for (const auto device : all) {
    if (!accounts.find_device(device)) return problems::bad_field(kUsers, "device");
  }
  if (const auto licences = form.references("license")) {
    user.licences.clear();
    for (const auto id : *licences) {
      user.licences.push_back(std::to_string(id));
      if (!accounts.find_licence(user.licences.back())) {
        return problems::bad_field(kUsers, "license");
      }
    }
  }
  return std::nullopt;
}

std::optional<Problem> read(const RestCall& call, bool whole, User& user) {
  const Form form(call.body, whole);
  form.take("name", user.name);
  form.take("username", user.username);
  form.take("email", user.email);
  form.take("extension", user.extension);
  form.take("chat_name", user.chat_name);
  // Whoever sends back what it was shown means that it stays.
  const std::string password = text_at(call.body, "password");
  if (!password.empty() && password != hashed(user.password)) user.password = password;
  if (form.has("profile")) {
    const json::object* profile = object_at(call.body, "profile");
    user.profile = profile ? *profile : json::object();
  }
  if (user.username.empty()) return problems::bad_field(kUsers, "username");
  if (user.name.empty()) user.name = user.username;
  if (!is_extension(call, user.extension)) return problems::bad_field(kUsers, "extension");
  const Accounts& accounts = call.pbx.accounts;
  if (!is_free(accounts, user.id, [&](const auto& it) { return it.username == user.username; })) {
    return problems::taken(kUsers, "username");
  }
  if (!user.extension.empty() &&
      !is_free(accounts, user.id, [&](const auto& it) { return it.extension == user.extension; })) {
    return problems::taken(kUsers, "extension");
  }
  return read_references(call, form, user);
}

// The user as it is now is the PBX's.
std::optional<Problem> bring_in(const RestCall& call, const User& user) {
  auto& tenant = call.pbx.tenant;
  if (!user.extension.empty() && tenant.find_extension(user.extension) == engine::kOutside &&
      !tenant.add_extension(user.extension)) {
    return problems::too_many(kUsers);
  }
  return std::nullopt;
}

void settle(const RestCall& call, const User& user, const std::set<std::string>& phones) {
  for (const auto device : user.devices) call.pbx.accounts.connect_device(device, user.id);
  call.pbx.accounts.reindex();
  settle_phones(call.pbx, phones, call.now);
  if (user.device == 0 && !user.extension.empty()) {
    (void)call.pbx.tenant.set_registered(user.extension, false, call.now);
  }
}

HttpAnswer create(const RestCall& call) {
  const auto phones = extensions_with_phone(call.pbx);
  User user;
  stamp(user, call.user->id, call.now);
  user.access = Accounts::access_of(call.pbx.settings.user_permissions);
  if (const auto wrong = read(call, true, user)) return directory_problem(*wrong);
  if (const auto wrong = bring_in(call, user)) return directory_problem(*wrong);
  const User* added = call.pbx.accounts.add_user(std::move(user));
  if (!added) return directory_problem(problems::too_many(kUsers));
  settle(call, *added, phones);
  return json_answer(user_json(call.pbx, *added));
}

HttpAnswer list(const RestCall& call) {
  const Arguments asked(call.http.query());
  const std::string q = asked.first("q"), presence = asked.first("presence.status");
  std::vector<json::object> rows;
  for (const auto& [id, it] : call.pbx.accounts.users()) {
    const bool mentioned =
        q.empty() || mentions(it.name, q) || mentions(it.username, q) || mentions(it.extension, q);
    if (mentioned && asked.wants("id", std::to_string(id)) && asked.wants("name", it.name) &&
        asked.wants("username", it.username) && asked.wants("extension", it.extension) &&
        (presence.empty() || mentions(call.pbx.presence.status_of(it), presence))) {
      rows.push_back(user_json(call.pbx, it));
    }
  }
  return json_answer(list_of(asked, {kDirectorySize, kSizeMax, kFields, "id"}, std::move(rows)));
}

User* named(const RestCall& call) { return call.pbx.accounts.find_user(call.id().value_or(0)); }

HttpAnswer get(const RestCall& call) {
  const User* user = named(call);
  if (!user) return directory_problem(problems::no_object(kUsers));
  return json_answer(user_json(call.pbx, *user));
}

HttpAnswer change(const RestCall& call, bool whole) {
  User* user = named(call);
  if (!user) return directory_problem(problems::no_object(kUsers));
  const auto phones = extensions_with_phone(call.pbx);
  User changed = *user;
  stamp(changed, call.user->id, call.now);
  if (const auto wrong = read(call, whole, changed)) return directory_problem(*wrong);
  if (const auto wrong = bring_in(call, changed)) return directory_problem(*wrong);
  const std::vector<std::int64_t> before = std::exchange(user->devices, {});
  *user = std::move(changed);
  for (const auto device : before) {
    const auto& now = user->devices;
    if (std::find(now.begin(), now.end(), device) == now.end()) {
      call.pbx.accounts.connect_device(device, kNobody);
    }
  }
  settle(call, *user, phones);
  return json_answer(user_json(call.pbx, *user));
}
HttpAnswer put(const RestCall& call) { return change(call, true); }
HttpAnswer patch(const RestCall& call) { return change(call, false); }

HttpAnswer remove(const RestCall& call) {
  const User* user = named(call);
  if (!user) return directory_problem(problems::no_object(kUsers));
  const auto phones = extensions_with_phone(call.pbx);
  json::object gone = user_json(call.pbx, *user);
  call.pbx.accounts.remove_user(user->id, call.now);
  settle_phones(call.pbx, phones, call.now);
  return json_answer(std::move(gone));
}

}  // namespace

std::span<const RestRoute> user_routes() {
  static constexpr RestRoute kRoutes[] = {
      {"POST", "/users", kUsers, 'c', true, create},
      {"GET", "/users", kUsers, 'r', false, list},
      {"GET", "/users/{}", kUsers, 'r', false, get},
      {"PUT", "/users/{}", kUsers, 'u', true, put},
      {"PATCH", "/users/{}", kUsers, 'u', true, patch},
      {"DELETE", "/users/{}", kUsers, 'd', true, remove},
  };
  return kRoutes;
}

}  // namespace simulator::webitel
