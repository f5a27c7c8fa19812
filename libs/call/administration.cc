#include "call/administration.h"

#include "base/overloaded.h"

namespace call {
namespace {

Service service_for(ResourceKind kind) noexcept {
  switch (kind) {
    case ResourceKind::phone: return Service::create_device;
    case ResourceKind::user: return Service::create_user;
    case ResourceKind::user_token: return Service::create_user_token;
    case ResourceKind::agent: return Service::create_agent;
  }
  return Service::create_device;
}

}  // namespace

Service service_of(const Order& order) noexcept {
  return std::visit(base::overloaded{
                        [](const CreatePhone&) { return Service::create_device; },
                        [](const CreateUser&) { return Service::create_user; },
                        [](const CreateUserToken&) { return Service::create_user_token; },
                        [](const CreateAgent&) { return Service::create_agent; },
                        [](const GetAgentSession&) { return Service::get_agent_session; },
                        [](const auto& it) { return service_for(it.kind); },
                    },
                    order);
}

bool changes_something(const Order& order) noexcept {
  return !std::holds_alternative<ListResources>(order) &&
         !std::holds_alternative<GetResource>(order) &&
         !std::holds_alternative<GetAgentSession>(order);
}

}  // namespace call
