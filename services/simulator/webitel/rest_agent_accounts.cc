#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "simulator/webitel/rest.h"
#include "simulator/webitel/rest_fields.h"

// Agents, set up and taken away; the rest is in rest_agents.cc.
namespace simulator::webitel {

using engine::HttpAnswer;

namespace {

constexpr const char* kAgents = "cc_agent";
Problem invalid(std::string_view field) {
  return {"model.Agent.valid." + std::string(field), 400, "invalid " + std::string(field)};
}
Problem no_agent() { return {"store.sql_agent.get.app_error", 404, "no such agent"}; }

std::optional<Problem> read(const RestCall& call, bool whole, Agent& agent) {
  const Form form(call.body, whole);
  if (const auto user = form.reference("user")) agent.user = *user;
  form.take("chat_count", agent.chat_count);
  form.take("task_count", agent.task_count);
  form.take("progressive_count", agent.progressive_count);
  form.take("description", agent.description);
  form.take("is_supervisor", agent.is_supervisor);
  if (!call.pbx.accounts.find_user(agent.user)) return invalid("user");
  if (agent.chat_count < 1) return invalid("chat_count");
  if (agent.task_count < 1) return invalid("task_count");
  if (agent.progressive_count < 1) return invalid("progressive_count");
  const Agent* other = call.pbx.accounts.agent_of(agent.user);
  if (other && other->id != agent.id) {
    return Problem{"store.sql_agent.save.app_error", 409, "user is an agent already"};
  }
  return std::nullopt;
}

HttpAnswer create(const RestCall& call) {
  Agent agent;
  agent.since = agent.channel_since = call.now;
  stamp(agent, call.user->id, call.now);
  if (const auto wrong = read(call, true, agent)) return engine_problem(call.pbx, *wrong);
  const Agent* added = call.pbx.accounts.add_agent(std::move(agent));
  if (!added) return engine_problem(call.pbx, {"store.sql_agent.save.app_error", 500, "too many"});
  return engine_answer(call.pbx, agent_object(call, *added));
}

Agent* named(const RestCall& call) { return call.pbx.accounts.find_agent(call.id().value_or(0)); }

HttpAnswer change(const RestCall& call) {
  Agent* agent = named(call);
  if (!agent) return engine_problem(call.pbx, no_agent());
  Agent changed = *agent;
  stamp(changed, call.user->id, call.now);
  if (const auto wrong = read(call, call.http.method == "PUT", changed))
    return engine_problem(call.pbx, *wrong);
  *agent = std::move(changed);
  return engine_answer(call.pbx, agent_object(call, *agent));
}

HttpAnswer remove(const RestCall& call) {
  const Agent* agent = named(call);
  if (!agent) return engine_problem(call.pbx, no_agent());
  json::object gone = agent_object(call, *agent);
  call.pbx.accounts.remove_agent(agent->id);
  return engine_answer(call.pbx, std::move(gone));
}

}  // namespace

std::span<const RestRoute> agent_account_routes() {
  static constexpr RestRoute kRoutes[] = {
      {"POST", "/call_center/agents", kAgents, 'c', true, create},
      {"PUT", "/call_center/agents/{}", kAgents, 'u', true, change},
      {"PATCH", "/call_center/agents/{}", kAgents, 'u', true, change},
      {"DELETE", "/call_center/agents/{}", kAgents, 'd', true, remove},
  };
  return kRoutes;
}

}  // namespace simulator::webitel
