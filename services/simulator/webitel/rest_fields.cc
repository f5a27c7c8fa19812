#include "simulator/webitel/rest_fields.h"

#include <algorithm>
#include <utility>

#include <openssl/sha.h>

#include "simulator/webitel/rest_listing.h"
#include "simulator/webitel/text.h"

namespace simulator::webitel {
namespace {

// A licence is good for a year from the start on.
constexpr std::int64_t kLicenceMillis = std::int64_t{365} * 24 * 3'600 * 1'000;

std::int64_t id_in(const json::value* value) {
  const json::object* object = value ? value->if_object() : nullptr;
  return object ? id_from(object->if_contains("id")).value_or(0) : 0;
}

}  // namespace

void Form::take(std::string_view key, std::string& text) const {
  if (has(key)) text = text_at(body_, key);
}

void Form::take(std::string_view key, bool& flag) const {
  if (has(key)) flag = boolean_at(body_, key).value_or(false);
}

void Form::take(std::string_view key, unsigned& number) const {
  if (!has(key)) return;
  constexpr std::int64_t kMost = 1'000'000;
  number =
      static_cast<unsigned>(std::clamp<std::int64_t>(number_at(body_, key).value_or(0), 0, kMost));
}

std::optional<std::int64_t> Form::reference(std::string_view key) const {
  if (!has(key)) return std::nullopt;
  return id_in(body_.if_contains(key));
}

std::optional<std::vector<std::int64_t>> Form::references(std::string_view key) const {
  if (!has(key)) return std::nullopt;
  std::vector<std::int64_t> ids;
  const json::value* value = body_.if_contains(key);
  if (const json::array* list = value ? value->if_array() : nullptr) {
    for (const json::value& each : *list) {
      const auto id = id_in(&each);
      if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
    }
  }
  return ids;
}

json::object without_empties(json::object object, std::initializer_list<std::string_view> kept) {
  json::object out;
  for (auto& [key, value] : object) {
    const bool nothing = value.is_null() || value == json::value("") ||
                         value == json::value(false) ||
                         (value.is_array() && value.get_array().empty()) ||
                         (value.is_object() && value.get_object().empty());
    const bool stays = std::find(kept.begin(), kept.end(), std::string_view(key)) != kept.end();
    if (!nothing || stays) out[key] = std::move(value);
  }
  return out;
}

json::object user_lookup(const Pbx& pbx, UserId id) {
  const User* user = pbx.accounts.find_user(id);
  return user ? lookup(id, user->name) : json::object();
}

json::array licences_json(const Pbx& pbx, const User& user) {
  const std::int64_t issued = pbx.millis(pbx.settings.clock.start);
  json::array all;
  for (const auto& id : user.licences) {
    const Licence* licence = pbx.accounts.find_licence(id);
    if (!licence) continue;
    all.push_back({{"id", licence->id},
                   {"prod", licence->product},
                   {"issued_at", std::to_string(issued)},
                   {"expires_at", std::to_string(issued + kLicenceMillis)}});
  }
  return all;
}

json::object user_json(const Pbx& pbx, const User& user) {
  json::array roles, devices;
  for (const auto id : user.roles) {
    const User* role = pbx.accounts.find_user(id);
    roles.push_back(lookup(id, role ? role->username : std::string_view()));
  }
  const auto device = [&](std::int64_t id) {
    const auto it = pbx.accounts.devices().find(id);
    return it == pbx.accounts.devices().end() ? json::object() : lookup(id, it->second.name);
  };
  for (const auto id : user.devices) devices.push_back(device(id));
  const std::string presence = pbx.presence.status_of(user);
  json::object out{{"id", std::to_string(user.id)},       {"name", user.name},
                   {"username", user.username},           {"email", user.email},
                   {"password", hashed(user.password)},   {"extension", user.extension},
                   {"chat_name", user.chat_name},         {"roles", std::move(roles)},
                   {"device", device(user.device)},       {"devices", std::move(devices)},
                   {"license", licences_json(pbx, user)}, {"profile", user.profile}};
  if (!presence.empty()) out["presence"] = json::object{{"status", presence}};
  add_times(pbx, user, out);
  return without_empties(std::move(out), {});
}

std::set<std::string> extensions_with_phone(const Pbx& pbx) {
  std::set<std::string> all;
  for (const auto& [id, user] : pbx.accounts.users()) {
    if (user.device != 0 && !user.extension.empty()) all.insert(user.extension);
  }
  return all;
}

void settle_phones(Pbx& pbx, const std::set<std::string>& before, engine::TimePoint now) {
  const auto after = extensions_with_phone(pbx);
  for (const auto& extension : before) {
    if (!after.contains(extension)) (void)pbx.tenant.set_registered(extension, false, now);
  }
  for (const auto& extension : after) {
    if (!before.contains(extension)) (void)pbx.tenant.set_registered(extension, true, now);
  }
}

// In bcrypt's form; what it is made of is of no use to anybody.
std::string hashed(std::string_view password) {
  constexpr std::string_view kDigits =
      "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::size_t kDigitsMax = 53;
  if (password.empty()) return {};
  unsigned char digest[SHA512_DIGEST_LENGTH];
  SHA512(reinterpret_cast<const unsigned char*>(password.data()), password.size(), digest);
  std::string out = "$2a$10$";
  for (std::size_t i = 0; i < kDigitsMax; ++i) out += kDigits[digest[i] % kDigits.size()];
  return out;
}

namespace problems {

Problem no_object(std::string_view what) {
  return {"directory." + std::string(what) + ".not_found", 404, "not found"};
}
Problem taken(std::string_view what, std::string_view field) {
  return {"directory." + std::string(what) + ".conflict", 409, std::string(field) + " is not free"};
}
Problem bad_field(std::string_view what, std::string_view field) {
  return {"directory." + std::string(what) + ".valid." + std::string(field), 400,
          "invalid " + std::string(field)};
}
Problem too_many(std::string_view what) {
  return {"directory." + std::string(what) + ".too_many", 400, "too many"};
}

}  // namespace problems

}  // namespace simulator::webitel
