#include "simulator/webitel/accounts.h"

#include <algorithm>
#include <utility>

namespace simulator::webitel {

using engine::ExtensionIndex;
using engine::TimePoint;

namespace {

// Of devices, tokens and what is added later: far from the first users and agents.
constexpr std::int64_t kFirstDevice = 200'001, kFirstToken = 400'001, kFirstLater = 1'000'001;
constexpr std::int64_t kFirstLicence = 11;

bool has(const std::vector<std::string>& list, std::string_view what) {
  return std::find(list.begin(), list.end(), what) != list.end();
}

template <class Map, class Key>
auto* find_in(Map& map, const Key& key) {
  const auto it = map.find(key);
  return it == map.end() ? nullptr : &it->second;
}

}  // namespace

Accounts::Accounts(const Settings& settings, const engine::Tenant& tenant)
    : settings_(settings),
      tenant_(tenant),
      last_id_(kFirstLater - 1),
      secrets_(settings.seed ^ 0x746f6b656e73) {
  std::vector<std::string> licensed;
  for (const auto& product : settings.products) {
    licences_.push_back(
        {std::to_string(kFirstLicence + static_cast<std::int64_t>(licences_.size())), product});
    licensed.push_back(licences_.back().id);
  }
  const TimePoint start = settings.clock.start;
  std::int64_t next_device = kFirstDevice, next_token = kFirstToken;
  const auto give_token = [&](UserId user, std::string text) {
    by_token_[text] = next_token;
    tokens_[next_token] = {next_token, user, std::move(text), "simulator", start, start};
    ++next_token;
  };

  User& service = users_[kServiceUser];
  service.id = kServiceUser;
  service.name = service.username = settings.service_user;
  service.password = settings.service_password;
  service.roles = {kServiceUser};
  service.licences = licensed;
  service.access = access_of(settings.permissions);
  service.created = service.updated = start;
  give_token(kServiceUser, settings.token);

  UserId next = kFirstUser;
  AgentId next_agent = kFirstAgent;
  for (const auto& extension : tenant.extensions()) {
    const UserId id = next++;
    if (extension.orbit || has(settings.unassigned, extension.number)) continue;
    User& user = users_[id];
    user.id = id;
    user.name = settings.name.of(extension.number);
    user.username = user.extension = extension.number;
    user.password = settings.password.of(extension.number);
    user.roles = {id};
    if (!has(settings.unlicensed, extension.number)) user.licences = licensed;
    user.access = access_of(settings.user_permissions);
    user.created = user.updated = start;
    user.device = next_device;
    user.devices = {next_device};
    Device& device = devices_[next_device];
    device.id = next_device++;
    device.name = "Phone " + extension.number;
    device.account = extension.number;
    device.password = user.password;
    device.user = id;
    device.created = device.updated = start;
    give_token(id, settings.user_token.of(extension.number));
    if (!has(settings.agents, extension.number)) continue;
    Agent& agent = agents_[next_agent];
    agent.id = next_agent++;
    agent.user = id;
    agent.since = agent.channel_since = start;
  }
  reindex();
}

void Accounts::reindex() {
  at_extension_.clear();
  for (const auto& [id, user] : users_) {
    const auto index = extension_of(user);
    if (index != engine::kOutside) at_extension_.emplace(index, id);
  }
}

// ---- Users.

User* Accounts::find_user(UserId id) { return find_in(users_, id); }
const User* Accounts::find_user(UserId id) const { return find_in(users_, id); }

const User* Accounts::user_named(std::string_view username) const {
  for (const auto& [id, user] : users_) {
    if (user.username == username) return &user;
  }
  return nullptr;
}

const User* Accounts::user_at(ExtensionIndex extension) const {
  const auto it = at_extension_.find(extension);
  return it == at_extension_.end() ? nullptr : find_user(it->second);
}

ExtensionIndex Accounts::extension_of(const User& user) const {
  if (user.extension.empty()) return engine::kOutside;
  const auto index = tenant_.find_extension(user.extension);
  const bool own = index != engine::kOutside && !tenant_.extension(index).orbit;
  return own ? index : engine::kOutside;
}

User* Accounts::add_user(User user) {
  if (users_.size() >= kEachMax) return nullptr;
  user.id = ++last_id_;
  user.roles.insert(user.roles.begin(), user.id);
  User& added = users_[user.id] = std::move(user);
  reindex();
  return &added;
}

void Accounts::remove_user(UserId id, TimePoint now) {
  std::vector<std::int64_t> gone;
  for (const auto& [token_id, token] : tokens_) {
    if (token.user == id) gone.push_back(token_id);
  }
  for (const auto token : gone) revoke_token(token, now);
  std::erase_if(agents_, [&](const auto& it) { return it.second.user == id; });
  for (auto& [device_id, device] : devices_) {
    if (device.user == id) device.user = kNobody;
  }
  users_.erase(id);
  reindex();
}

// ---- Devices.

Device* Accounts::find_device(std::int64_t id) { return find_in(devices_, id); }

Device* Accounts::add_device(Device device) {
  if (devices_.size() >= kEachMax) return nullptr;
  device.id = ++last_id_;
  return &(devices_[device.id] = std::move(device));
}

void Accounts::remove_device(std::int64_t id) {
  for (auto& [user_id, user] : users_) {
    std::erase(user.devices, id);
    if (user.device == id) user.device = 0;
  }
  devices_.erase(id);
}

void Accounts::connect_device(std::int64_t id, UserId user) {
  for (auto& [user_id, it] : users_) {
    if (user_id == user) continue;
    std::erase(it.devices, id);
    if (it.device == id) it.device = it.devices.empty() ? 0 : it.devices.front();
  }
  if (Device* device = find_device(id)) device->user = user;
  User* owner = find_user(user);
  if (!owner) return;
  if (std::find(owner->devices.begin(), owner->devices.end(), id) == owner->devices.end()) {
    owner->devices.push_back(id);
  }
  if (owner->device == 0) owner->device = id;
}

// ---- Tokens.

Token* Accounts::find_token(std::int64_t id) { return find_in(tokens_, id); }

Token* Accounts::add_token(Token token) {
  if (tokens_.size() >= kEachMax || by_token_.contains(token.token)) return nullptr;
  token.id = ++last_id_;
  by_token_[token.token] = token.id;
  return &(tokens_[token.id] = std::move(token));
}

Token* Accounts::mint_token(Token token) {
  constexpr std::string_view kLetters = "ybndrfg8ejkmcpqxot1uwisza345h769";
  constexpr std::size_t kSize = 26;
  token.token.clear();
  while (token.token.size() < kSize) token.token += kLetters[secrets_.below(kLetters.size())];
  return add_token(std::move(token));
}

void Accounts::revoke_token(std::int64_t id, TimePoint now) {
  const auto it = tokens_.find(id);
  if (it == tokens_.end()) return;
  by_token_.erase(it->second.token);
  std::erase_if(revoked_, [&](const auto& each) { return each.second.until <= now; });
  revoked_[it->second.token] = {it->second.user, now + settings_.token_cache};
  tokens_.erase(it);
}

UserId Accounts::holder_of(std::string_view token, TimePoint now, bool fresh) const {
  if (const auto it = by_token_.find(token); it != by_token_.end()) {
    const UserId user = tokens_.at(it->second).user;
    return users_.contains(user) ? user : kNobody;
  }
  const auto it = fresh ? revoked_.end() : revoked_.find(token);
  if (it == revoked_.end() || now >= it->second.until) return kNobody;
  return users_.contains(it->second.user) ? it->second.user : kNobody;
}

// ---- Agents.

Agent* Accounts::find_agent(AgentId id) { return find_in(agents_, id); }

Agent* Accounts::agent_of(UserId user) {
  for (auto& [id, agent] : agents_) {
    if (agent.user == user) return &agent;
  }
  return nullptr;
}

const Agent* Accounts::agent_of(UserId user) const {
  return const_cast<Accounts*>(this)->agent_of(user);
}

Agent* Accounts::add_agent(Agent agent) {
  if (agents_.size() >= kEachMax) return nullptr;
  agent.id = ++last_id_;
  return &(agents_[agent.id] = std::move(agent));
}

// ---- What they may.

const Licence* Accounts::find_licence(std::string_view id) const {
  for (const auto& licence : licences_) {
    if (licence.id == id) return &licence;
  }
  return nullptr;
}

bool Accounts::has_product(const User& user, std::string_view product) const {
  return std::any_of(user.licences.begin(), user.licences.end(), [&](const std::string& id) {
    const Licence* licence = find_licence(id);
    return licence && licence->product == product;
  });
}

bool Accounts::may(const User& user, std::string_view scope, char access) {
  const auto it = user.access.find(std::string(scope));
  const unsigned bit = access == 'c' ? 8 : access == 'r' ? 4 : access == 'u' ? 2 : 1;
  return it != user.access.end() && (it->second & bit) != 0;
}

std::map<std::string, unsigned> Accounts::access_of(const Permissions& permissions) {
  std::map<std::string, unsigned> all;
  for (const auto& [scope, letters] : permissions) {
    unsigned bits = 0;
    for (const char letter : letters) {
      bits |= letter == 'c' ? 8u : letter == 'r' ? 4u : letter == 'u' ? 2u : 1u;
    }
    all[scope] = bits;
  }
  return all;
}

}  // namespace simulator::webitel
