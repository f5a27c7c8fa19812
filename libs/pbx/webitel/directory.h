#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "call/model.h"

namespace pbx::webitel {

// A user of the tenant: what the REST lists of users and agents know, and events have told since.
struct Person {
  std::string id;  // a decimal number
  std::string name;
  call::DeviceId extension;  // empty: none, and so no device
  std::string agent;         // id; empty: no agent
  std::string team;          // the agent's
};

// Who is who: wcore completes this. Lives as long as a session.
class Directory {
 public:
  // nullptr if there is none. Valid until the next call of a non-const function.
  const Person* by_user(std::string_view user) const;
  const Person* by_extension(std::string_view extension) const;
  const Person* by_agent(std::string_view agent) const;
  // The extension's device as it was told last; nullptr if there is none.
  const call::Device* device(std::string_view extension) const;
};

}  // namespace pbx::webitel
