#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "call/command.h"
#include "call/model.h"

// What an integrator sets up at a PBX before anybody calls: phones, users, their tokens, agents.
// The tracker knows nothing of these; they are the PBX's, and asked of it each time.
namespace call {

// One order, numbered by whoever gives it, never twice the same within a session.
using OrderId = std::uint64_t;

enum class ResourceKind { phone, user, user_token, agent };

// Something of the PBX's, by its id there; the name is for people and may be empty.
struct Named {
  std::string id, name;

  bool operator==(const Named&) const = default;
};

// An account that one phone registers with. Its password is never told.
struct Phone {
  std::string id, name;
  std::string account;       // what it registers as
  std::string user;          // id of the user whose phone it is; empty: nobody's
  std::optional<Time> made;  // by the PBX's clock

  bool operator==(const Phone&) const = default;
};

// Somebody who can log in, and whose calls are those of `extension`.
struct User {
  std::string id, name;
  std::string login;   // his login name
  std::string e_mail;  // empty: none
  DeviceId extension;  // empty: none, so that he has no calls
  std::vector<Named> phones, roles, licences;
  std::optional<Time> made;

  bool operator==(const User&) const = default;
};

// What lets a program act as its user until it is deleted.
struct UserToken {
  std::string id, user;
  std::string purpose;
  std::string secret;  // told by CreateUserToken only, and never again
  std::optional<Time> made;

  bool operator==(const UserToken&) const = default;
};

// A user who answers queues' calls.
struct Agent {
  std::string id;
  Named user, team;
  DeviceId extension;
  AgentState state = AgentState::unknown;
  std::string reason;  // of the state, as the PBX has it

  bool operator==(const Agent&) const = default;
};

using Resource = std::variant<Phone, User, UserToken, Agent>;

struct CreatePhone {
  std::string name, account;
  std::string password;  // the phone's; empty: the PBX makes one, if it does so
  std::string user;      // id of the user whose phone it is to be; empty: nobody's for now
};
struct CreateUser {
  std::string name, login, password, e_mail;
  DeviceId extension;
  std::vector<std::string> phones, roles, licences;  // ids
};
struct CreateUserToken {
  std::string user;     // id
  std::string purpose;  // what it is for, for people
};
struct CreateAgent {
  std::string user;  // id
  std::string team;  // id; empty: none
  // How many of each at a time.
  unsigned chats = 1, tasks = 1, calls = 1;
};
// A page of them, in the PBX's order.
struct ListResources {
  ResourceKind kind = ResourceKind::phone;
  std::string user;     // user_token: whose; else empty
  std::string text;     // only what the PBX finds for this text; empty: all
  std::string after;    // Resources::next of the page before; empty: the first page
  unsigned limit = 50;  // at most so many
};
struct GetResource {
  ResourceKind kind = ResourceKind::phone;
  std::string user;  // user_token: whose; else empty
  std::string id;
};
struct DeleteResource {
  ResourceKind kind = ResourceKind::phone;
  std::string user;  // user_token: whose; else empty
  std::string id;
};
// What an agent's desk shows when it opens.
struct GetAgentSession {
  DeviceId device;
};
using Order = std::variant<CreatePhone, CreateUser, CreateUserToken, CreateAgent, ListResources,
                           GetResource, DeleteResource, GetAgentSession>;

// The row of the capabilities that offers it.
Service service_of(const Order& order) noexcept;
// Whether the PBX is another one afterwards: then an order whose reply is lost may have been
// carried out.
bool changes_something(const Order& order) noexcept;

struct Resources {
  std::vector<Resource> resources;
  std::string next;  // the adapter's own word for where the page ends; empty: nothing follows

  bool operator==(const Resources&) const = default;
};
struct Deleted {
  bool operator==(const Deleted&) const = default;
};
struct AgentChannel {
  std::string name;   // "call", "chat", …: the PBX's word
  std::string state;  // the PBX's word
  std::optional<Time> since;

  bool operator==(const AgentChannel&) const = default;
};
struct AgentSession {
  std::string agent;  // id
  AgentState state = AgentState::unknown;
  std::string reason;
  std::optional<Time> since;
  Named team;
  std::vector<std::string> pause_causes;  // what SetAgentState takes as a reason; empty: anything
  std::vector<AgentChannel> channels;
  bool supervisor = false;

  bool operator==(const AgentSession&) const = default;
};
// To Create… and GetResource: the resource.
using OrderReply = std::variant<Resource, Resources, Deleted, AgentSession, Refusal>;

}  // namespace call
