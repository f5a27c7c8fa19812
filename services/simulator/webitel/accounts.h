#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "simulator/engine/random.h"
#include "simulator/engine/tenant.h"
#include "simulator/webitel/settings.h"

namespace simulator::webitel {

namespace json = boost::json;

using UserId = std::int64_t;
using AgentId = std::int64_t;

// Nobody has it.
inline constexpr UserId kNobody = 0;
// The one that the gateway is.
inline constexpr UserId kServiceUser = 1;
// Of the first extension: the next ones follow, in the order of the settings.
inline constexpr UserId kFirstUser = 10;
// Of the first agent, likewise.
inline constexpr AgentId kFirstAgent = 101;

struct Licence {
  std::string id, product;
};

struct User {
  UserId id = kNobody;
  std::string name, username, email, password, extension, chat_name;
  std::vector<std::int64_t> roles;
  std::int64_t device = 0;                 // the default one; 0: none
  std::vector<std::int64_t> devices;       // all of them
  std::vector<std::string> licences;       // ids
  std::map<std::string, unsigned> access;  // by scope: create 8, read 4, update 2, delete 1
  json::object profile;
  engine::TimePoint created, updated;
  UserId created_by = kNobody, updated_by = kNobody;
};

struct Device {
  std::int64_t id = 0;
  std::string name, account, password;
  UserId user = kNobody;
  std::string brand, model, mac, ip;
  bool hotdesk = false;
  engine::TimePoint created, updated;
  UserId created_by = kNobody, updated_by = kNobody;
};

struct Token {
  std::int64_t id = 0;
  UserId user = kNobody;
  std::string token, usage;
  engine::TimePoint created, updated;
  UserId created_by = kNobody, updated_by = kNobody;
  bool login = false;  // by a password: ends with the user's sessions
};

// How an agent is; what follows from it is in agents.h.
struct Agent {
  AgentId id = 0;
  UserId user = kNobody;
  std::string status = "offline", payload, comment;
  std::string channel = "waiting";  // of calls
  engine::TimePoint since, channel_since;
  bool on_demand = false;
  unsigned chat_count = 1, task_count = 1, progressive_count = 1;
  std::string description;
  bool is_supervisor = false;
  engine::TimePoint created, updated;
  UserId created_by = kNobody, updated_by = kNobody;
  std::optional<engine::TimePoint> alone_since;  // nothing of the user's could ring, from then on
};

// Who and what there is in a domain, without the calls. Begins with a user for each extension, the
// service user, and a token for each of them; what clients set up comes on top. Ids are never
// reused.
class Accounts {
 public:
  static constexpr std::size_t kEachMax =
      100'000;  // users, devices, tokens: further ones are refused

  Accounts(const Settings& settings, const engine::Tenant& tenant);

  // nullptr: there is none.
  User* find_user(UserId id);
  const User* find_user(UserId id) const;
  const User* user_named(std::string_view username) const;
  const User* user_at(engine::ExtensionIndex extension) const;  // whose phone it is
  engine::ExtensionIndex extension_of(const User& user) const;  // kOutside: none of the PBX's
  const std::map<UserId, User>& users() const { return users_; }
  // With a new id, and the rest as it is given. nullptr: there are too many.
  User* add_user(User user);
  // With its tokens, and its agent. Its devices are nobody's then.
  void remove_user(UserId id, engine::TimePoint now);
  // After `extension` of a user was changed.
  void reindex();

  Device* find_device(std::int64_t id);
  const std::map<std::int64_t, Device>& devices() const { return devices_; }
  Device* add_device(Device device);
  void remove_device(std::int64_t id);
  // It is that user's from now on, and nobody else's; kNobody: nobody's.
  void connect_device(std::int64_t id, UserId user);

  const std::map<std::int64_t, Token>& tokens() const { return tokens_; }
  Token* find_token(std::int64_t id);
  Token* add_token(Token token);
  // With a secret that nobody has had before.
  Token* mint_token(Token token);
  // Good for token_cache longer, where it is known.
  void revoke_token(std::int64_t id, engine::TimePoint now);
  // Whose it is; kNobody if it is none, or no longer. `fresh`: nobody remembers it, as at a login.
  UserId holder_of(std::string_view token, engine::TimePoint now, bool fresh = false) const;

  Agent* find_agent(AgentId id);
  Agent* agent_of(UserId user);
  const Agent* agent_of(UserId user) const;
  const std::map<AgentId, Agent>& agents() const { return agents_; }
  Agent* add_agent(Agent agent);
  void remove_agent(AgentId id) { agents_.erase(id); }

  const std::vector<Licence>& licences() const { return licences_; }
  const Licence* find_licence(std::string_view id) const;
  bool has_licence(const User& user) const { return !user.licences.empty(); }
  bool has_product(const User& user, std::string_view product) const;
  // `access`: one of "crud".
  static bool may(const User& user, std::string_view scope, char access);
  static std::map<std::string, unsigned> access_of(const Permissions& permissions);

 private:
  const Settings& settings_;
  const engine::Tenant& tenant_;
  std::map<UserId, User> users_;
  std::map<std::int64_t, Device> devices_;
  std::map<std::int64_t, Token> tokens_;
  std::map<std::string, std::int64_t, std::less<>> by_token_;
  struct Remembered {
    UserId user = kNobody;
    engine::TimePoint until;
  };
  std::map<std::string, Remembered, std::less<>> revoked_;
  std::map<AgentId, Agent> agents_;
  std::vector<Licence> licences_;
  std::map<engine::ExtensionIndex, UserId> at_extension_;
  std::int64_t last_id_ = 0;  // of what is added later
  engine::Random secrets_;
};

}  // namespace simulator::webitel
