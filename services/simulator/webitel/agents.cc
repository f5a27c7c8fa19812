#include "simulator/webitel/agents.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace simulator::webitel {

using engine::TimePoint;

namespace {

constexpr std::chrono::seconds kAloneMax{60};
constexpr std::string_view kPauseCauses[] = {"Break", "Lunch", "Meeting", "Training"};

// Of "online" and so on, the word of its error's key.
std::string_view deed_of(std::string_view status) {
  return status == "online" ? "login" : status == "pause" ? "pause" : "logout";
}

}  // namespace

std::optional<Problem> Agents::set_status(Agent& agent, const Wish& wish, TimePoint now) {
  const bool pauses = wish.status == "pause";
  if (!pauses && wish.status != "online" && wish.status != "offline") {
    return Problem{"model.agent.status.valid", 400, "unknown status"};
  }
  if (agent.status == wish.status && (!pauses || agent.payload == wish.payload)) {
    return Problem{"app.agent." + std::string(deed_of(wish.status)) + ".app_err", 400,
                   "agent already " + wish.status};
  }
  if (pauses && agent.status == "offline") {
    return Problem{"app.agent.pause.app_err", 400, "agent is offline"};
  }
  agent.on_demand = wish.status == "online" && wish.on_demand;
  change(agent, wish.status, pauses ? wish.payload : "", wish.comment, now);
  return std::nullopt;
}

void Agents::change(Agent& agent, std::string status, std::string payload, std::string comment,
                    TimePoint now) {
  agent.status = std::move(status);
  agent.payload = std::move(payload);
  agent.comment = std::move(comment);
  agent.since = now;
  agent.alone_since.reset();
  const bool online = agent.status == "online";
  if (online) {
    agent.channel = "waiting";
    agent.channel_since = now;
  }
  json::object data{{"agent_id", agent.id},
                    {"user_id", agent.user},
                    {"domain_id", settings_.domain_id},
                    {"timestamp", settings_.clock.unix_millis(now)},
                    {"status", agent.status}};
  if (!agent.payload.empty()) data["status_payload"] = agent.payload;
  if (!agent.comment.empty()) data["status_comment"] = agent.comment;
  if (online) {
    data["channels"] = json::array{json::object{{"channel", "call"},
                                                {"state", agent.channel},
                                                {"joined_at", settings_.clock.unix_millis(now)},
                                                {"online", true}}};
    data["on_demand"] = agent.on_demand;
  }
  outlet_.push(agent.user, Topic::agent, "agent_status", std::move(data), now);
  const auto& agents = accounts_.agents();
  const bool any = std::any_of(agents.begin(), agents.end(),
                               [](const auto& it) { return it.second.status != "offline"; });
  if (!any) {
    next_check_ = TimePoint::max();
  } else if (next_check_ == TimePoint::max()) {
    next_check_ = now + settings_.agent_check;
  }
}

std::int64_t Agents::set_waiting(Agent& agent, TimePoint now) {
  agent.channel = "waiting";
  agent.channel_since = now;
  const auto time = settings_.clock.unix_millis(now);
  outlet_.push(agent.user, Topic::agent, "channel",
               {{"channel", "call"}, {"status", "waiting"}, {"timestamp", time}}, now);
  return time;
}

json::object Agents::channel(const Agent& agent) const {
  return {{"channel", "call"},
          {"state", agent.channel},
          {"joined_at", settings_.clock.unix_millis(agent.channel_since)},
          {"open", 0},
          {"max_open", 1},
          {"no_answer", 0}};
}

json::object Agents::session(const Agent& agent, TimePoint now) const {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - agent.since).count();
  return {{"agent_id", agent.id},
          {"status", agent.status},
          {"status_payload", agent.payload},
          {"status_comment", agent.comment},
          {"last_status_change", settings_.clock.unix_millis(agent.since)},
          {"status_duration", seconds},
          {"on_demand", agent.on_demand},
          {"team", nullptr},
          {"is_supervisor", false},
          {"is_admin", false},
          {"channels", json::array{channel(agent)}},
          {"supervisor", json::array()},
          {"auditor", json::array()},
          {"screen_control", false},
          {"desc_track", false}};
}

json::array Agents::pause_causes() {
  json::array all;
  std::int64_t id = 1;
  for (const auto name : kPauseCauses) {
    all.push_back(json::object{
        {"id", std::to_string(id++)}, {"name", name}, {"limit_min", 0}, {"duration_min", 0}});
  }
  return all;
}

void Agents::advance(TimePoint now) {
  while (next_check_ <= now) {
    const TimePoint at = next_check_;
    next_check_ += settings_.agent_check;
    std::vector<AgentId> alone;
    for (const auto& [id, each] : accounts_.agents()) {
      Agent& agent = *accounts_.find_agent(id);
      const User* user = accounts_.find_user(agent.user);
      const bool here = user && (presence_.has_phone(*user) || outlet_.is_online(agent.user));
      if (agent.status == "offline" || here) {
        agent.alone_since.reset();
      } else if (!agent.alone_since) {
        agent.alone_since = at;
      } else if (at - *agent.alone_since >= kAloneMax) {
        alone.push_back(id);
      }
    }
    for (const auto id : alone) change(*accounts_.find_agent(id), "offline", "system/sip", "", at);
    if (next_check_ == TimePoint::max()) return;
  }
}

}  // namespace simulator::webitel
