#include <algorithm>
#include <chrono>

#include "simulator/webitel/rest.h"
#include "simulator/webitel/text.h"

// The call centre's people: agents, and how everybody is.
namespace simulator::webitel {

using engine::HttpAnswer;

namespace {

constexpr std::size_t kListSize = 40;

bool has(const std::vector<std::string>& wanted, std::string_view value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

bool is_like(const std::string& text, const std::string& pattern) {
  return pattern.empty() || pattern == "*" || text.find(pattern) != std::string::npos;
}

HttpAnswer show_agents(const RestCall& call) {
  json::array items;
  for (const auto& [id, agent] : call.pbx.accounts.agents()) {
    const User* user = call.pbx.accounts.find_user(agent.user);
    if (!has(call.queries("id"), std::to_string(id))) continue;
    if (!has(call.queries("user_id"), std::to_string(agent.user))) continue;
    if (!has(call.queries("extension"), user ? user->extension : "")) continue;
    if (!call.query("team_id").empty() || !call.query("supervisor_id").empty()) continue;
    if (!is_like(user ? user->name : "", call.query("q"))) continue;
    items.push_back(agent_object(call, agent));
  }
  return engine_answer(call.pbx, page_of(call, std::move(items), kListSize));
}

Agent* agent_in(const RestCall& call) {
  const auto id = call.id();
  return id ? call.pbx.accounts.find_agent(*id) : nullptr;
}

Problem no_agent() { return {"store.sql_agent.get.app_error", 404, "no such agent"}; }

HttpAnswer show_agent(const RestCall& call) {
  const Agent* agent = agent_in(call);
  if (!agent) return engine_problem(call.pbx, no_agent());
  return engine_answer(call.pbx, agent_object(call, *agent));
}

// One's own, or with the permission anybody's.
HttpAnswer set_status(const RestCall& call) {
  Agent* agent = agent_in(call);
  if (!agent) return engine_problem(call.pbx, no_agent());
  if (agent->user != call.user->id && !Accounts::may(*call.user, "cc_agent", 'u')) {
    return engine_problem(call.pbx, problems::forbidden(call.user->id, "cc_agent", 'u'));
  }
  const Agents::Wish wish{text_at(call.body, "status"), text_at(call.body, "payload"),
                          text_at(call.body, "status_comment"),
                          boolean_at(call.body, "on_demand").value_or(false)};
  if (const auto wrong = call.pbx.agents.set_status(*agent, wish, call.now)) {
    return engine_problem(call.pbx, *wrong);
  }
  return engine_answer(call.pbx, json::object{{"status", "OK"}});
}

HttpAnswer show_pause_causes(const RestCall& call) {
  if (!agent_in(call)) return engine_problem(call.pbx, no_agent());
  return engine_answer(call.pbx, page_of(call, Agents::pause_causes(), kListSize));
}

// Everybody, with what can be seen of them.
HttpAnswer show_users(const RestCall& call) {
  const Pbx& pbx = call.pbx;
  json::array items;
  for (const auto& [id, user] : pbx.accounts.users()) {
    if (!has(call.queries("id"), std::to_string(id))) continue;
    if (!is_like(user.name, call.query("q"))) continue;
    const Agent* agent = pbx.accounts.agent_of(id);
    items.push_back(
        json::object{{"id", std::to_string(id)},
                     {"name", user.name},
                     {"extension", user.extension},
                     {"presence", {{"status", "{" + pbx.presence.status_of(user) + "}"}}},
                     {"status", agent ? agent->status : ""}});
  }
  for (std::size_t i = items.size(); i < pbx.faults.init_extensions; ++i) {
    items.push_back(json::object{{"id", std::to_string(900'000'000 + i)},
                                 {"name", "Ghost " + std::to_string(i)},
                                 {"extension", "9" + std::to_string(100'000 + i)},
                                 {"presence", {{"status", "{}"}}},
                                 {"status", ""}});
  }
  return engine_answer(pbx, page_of(call, std::move(items), kListSize));
}

}  // namespace

json::object agent_object(const RestCall& call, const Agent& agent) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(call.now - agent.since).count();
  const User* user = call.pbx.accounts.find_user(agent.user);
  json::object channel{{"channel", "call"},
                       {"state", agent.channel},
                       {"joined_at", std::to_string(call.pbx.millis(agent.channel_since))}};
  return {
      {"id", std::to_string(agent.id)},
      {"user", json::object{{"id", std::to_string(agent.user)}, {"name", user ? user->name : ""}}},
      {"name", user ? user->name : ""},
      {"extension", user ? user->extension : ""},
      {"status", agent.status},
      {"status_payload", agent.payload},
      {"status_comment", agent.comment},
      {"status_duration", std::to_string(seconds)},
      {"last_status_change", std::to_string(call.pbx.millis(agent.since))},
      {"channel", json::array{std::move(channel)}},
      {"chat_count", agent.chat_count},
      {"task_count", agent.task_count},
      {"progressive_count", agent.progressive_count},
      {"description", agent.description},
      {"team", nullptr},
      {"supervisor", json::array()},
      {"auditor", json::array()},
      {"is_supervisor", agent.is_supervisor}};
}

std::span<const RestRoute> agent_routes() {
  static constexpr RestRoute kRoutes[] = {
      {"GET", "/call_center/agents", "cc_agent", 'r', false, show_agents},
      {"GET", "/call_center/agents/{}", "cc_agent", 'r', false, show_agent},
      {"PATCH", "/call_center/agents/{}/status", "", 'u', true, set_status},
      {"GET", "/call_center/agents/{}/pause_causes", "", 'r', false, show_pause_causes},
      {"GET", "/call_center/users", "users", 'r', false, show_users},
  };
  return kRoutes;
}

}  // namespace simulator::webitel
