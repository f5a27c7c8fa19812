#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "call/administration.h"

// What an integrator sets up at a Webitel, as its REST API has it (webitel.md 5.2). A reply may be
// the object itself, which is what live servers send, or have it in a field of its name, which is
// what the published schema says. Passwords in replies, hashed or not, are not even read.
namespace pbx::webitel {

inline constexpr std::size_t kResourcesMax = 1'000;  // of one page

// Bodies.
std::string phone_body(const call::CreatePhone& order);
std::string user_body(const call::CreateUser& order);
std::string token_body(const call::CreateUserToken& order);
std::string agent_body(const call::CreateAgent& order);

// The resource in a reply; bad_frame if it has no id. `secret`: whether a token's is to be read.
base::Result<call::Resource> parse_resource(call::ResourceKind kind, std::string_view body,
                                            bool secret);
struct ResourceList {
  std::vector<call::Resource> resources;
  std::size_t unread = 0;  // without an id
  bool cut = false;        // there were more than kResourcesMax
  bool next = false;       // there is another page
};
// bad_frame if it is no list.
base::Result<ResourceList> parse_resources(call::ResourceKind kind, std::string_view body);

// An agent and what his desk shows, of GET /call_center/agents.
struct AgentDesk {
  std::string user;  // id
  call::AgentSession session;
};
base::Result<std::vector<AgentDesk>> parse_agent_desks(std::string_view body);
// Their names, of GET /call_center/agents/{id}/pause_causes.
base::Result<std::vector<std::string>> parse_pause_causes(std::string_view body);

}  // namespace pbx::webitel
