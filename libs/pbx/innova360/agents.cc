#include "pbx/innova360/agents.h"

#include <algorithm>
#include <utility>

#include "base/backoff.h"
#include "base/overloaded.h"

namespace pbx::innova360 {
namespace {

using base::Errc;
using namespace std::chrono_literals;

constexpr auto kRefusedFor = 10min;  // credentials that the PBX does not take
constexpr std::size_t kKnownLegsMax = 64;

// What an agent connection calls the leg: by the supervisor's id if it knows that, or else by its
// own id of the one leg that has the same ends and is as far.
std::string local_id(const std::map<std::string, LegState>& known, const LegRef& leg) {
  if (known.contains(leg.callid)) return leg.callid;
  const std::string* found = nullptr;
  for (const auto& [id, state] : known) {
    if (bare_number(state.ends.phone_a) != bare_number(leg.ends.phone_a) ||
        bare_number(state.ends.phone_b) != bare_number(leg.ends.phone_b) ||
        (state.step != leg.step && state.step != Step::unknown)) {
      continue;
    }
    if (found) return leg.callid;  // two alike: better the id that is known to exist
    found = &id;
  }
  return found ? *found : leg.callid;
}

Action localized(const Job& job, const std::map<std::string, LegState>& known) {
  Action action = job.action;
  if (job.legs.empty()) return action;
  std::visit(base::overloaded{
                 [](Call&) {},
                 [&](BlindTransfer& it) { it.callid = local_id(known, job.legs.front()); },
                 [&](HangupCalls& it) {
                   it.callids.clear();
                   for (const LegRef& leg : job.legs) it.callids.push_back(local_id(known, leg));
                 },
             },
             action);
  return action;
}

std::string the_agent(const std::string& extension) {
  return "the agent connection of " + extension;
}

}  // namespace

std::optional<call::Refusal> Agents::hindrance(const std::string& extension, TimePoint now) const {
  if (!has_account(extension)) {
    return call::Refusal{Errc::credentials_missing,
                         "no agent credentials are configured for " + extension};
  }
  const auto it = agents_.find(extension);
  if (it != agents_.end() && it->second.refused_until > now) {
    return call::Refusal{Errc::credentials_refused,
                         "the PBX refused the agent credentials of " + extension};
  }
  return std::nullopt;
}

void Agents::start(TimePoint now, Output& out) {
  for (const auto& [extension, account] : options_.accounts) {
    if (!account.pinned) continue;
    Agent& agent = agents_[extension];
    agent.extension = extension;
    agent.account = &account;
    if (agent.phase == Phase::closed) open(agent, now, out);
  }
  update_deadline();
}

void Agents::ask(const std::string& extension, Job job, TimePoint now, Output& out) {
  Agent& agent = agents_[extension];
  agent.extension = extension;
  agent.account = &options_.accounts.find(extension)->second;
  agent.used = now;
  agent.waiting.push_back(std::move(job));
  if (agent.phase == Phase::closed) open(agent, now, out);
  send_next(agent, now, out);
  update_deadline();
}

void Agents::release(call::CommandId command, TimePoint now, Output& out) {
  for (auto& [extension, agent] : agents_) {
    std::erase_if(agent.waiting, [&](const Job& job) { return job.command == command; });
    if (!agent.current || agent.current->command != command) continue;
    agent.current.reset();
    agent.used = now;
    if (agent.phase == Phase::ready) agent.due = now + options_.idle;
    // It was lost with its connection, and what waited behind it was kept waiting.
    if (agent.phase == Phase::closed && !agent.waiting.empty()) open(agent, now, out);
    send_next(agent, now, out);
  }
  update_deadline();
}

void Agents::on_link_open(LinkId link, TimePoint) {
  Agent* agent = agent_of(link);
  if (agent && agent->phase == Phase::opening) agent->phase = Phase::welcoming;
}

void Agents::on_frame(LinkId link, const base::Result<Frame>& frame, TimePoint now, Output& out) {
  Agent* agent = agent_of(link);
  if (!agent) return;  // closed by us, and still talking
  if (frame) {
    take(*agent, *frame, now, out);
  } else {
    out.effects.push_back(Note{frame.error(), "on " + the_agent(agent->extension)});
  }
  update_deadline();
}

void Agents::on_link_closed(LinkId link, const base::Error& why, TimePoint now, Output& out) {
  Agent* agent = agent_of(link);
  if (!agent) return;
  by_link_.erase(link);
  const bool was_ready = agent->phase == Phase::ready;
  agent->phase = Phase::closed;
  fail(*agent, Errc::pbx_disconnected,
       the_agent(agent->extension) + (was_ready ? " was lost: " : " could not be opened: ") +
           base::name_of(why),
       now, out);
  update_deadline();
}

void Agents::on_tick(TimePoint now, Output& out) {
  if (deadline_ > now) return;
  for (auto& [extension, agent] : agents_) {
    if (agent.due > now) continue;
    agent.due = TimePoint::max();
    switch (agent.phase) {
      case Phase::closed:
        if (agent.account->pinned) open(agent, now, out);
        break;
      case Phase::ready:
        if (agent.current) {
          agent.due = now + std::max<std::chrono::milliseconds>(options_.idle, 1s);
        } else if (!agent.account->pinned) {
          close(agent, out);
        }
        break;
      default: {
        const char* stage = agent.phase == Phase::opening          ? "did not open"
                            : agent.phase == Phase::welcoming      ? "was not welcomed"
                            : agent.phase == Phase::authenticating ? "got no answer to its login"
                                                                   : "got no snapshot";
        close(agent, out);
        fail(agent, Errc::pbx_disconnected, the_agent(extension) + ' ' + stage + " in time", now,
             out);
      }
    }
  }
  update_deadline();
}

Agents::Agent* Agents::agent_of(LinkId link) {
  const auto it = by_link_.find(link);
  return it == by_link_.end() ? nullptr : it->second;
}

void Agents::open(Agent& agent, TimePoint now, Output& out) {
  if (!make_room(out)) {
    fail(agent, Errc::too_many_requests, "all agent connections are in use", now, out);
    return;
  }
  agent.phase = Phase::opening;
  agent.link = ++last_link_;
  agent.due = now + options_.login_limit;
  agent.legs.clear();
  by_link_[agent.link] = &agent;
  out.effects.push_back(OpenLink{agent.link, options_.where});
}

// Whether one more may be opened, if need be after closing the one that was not used for longest.
bool Agents::make_room(Output& out) {
  if (by_link_.size() < options_.most) return true;
  Agent* oldest = nullptr;
  for (auto& [extension, agent] : agents_) {
    if (agent.phase == Phase::ready && !agent.current && agent.waiting.empty() &&
        !agent.account->pinned && (!oldest || agent.used < oldest->used)) {
      oldest = &agent;
    }
  }
  if (!oldest) return false;
  close(*oldest, out);
  return true;
}

void Agents::close(Agent& agent, Output& out) {
  out.effects.push_back(CloseLink{agent.link});
  by_link_.erase(agent.link);
  agent.phase = Phase::closed;
  agent.due = TimePoint::max();
}

// The connection is gone, and with it what waited for it. An action that was sent may have its
// effect yet: whether it had is for the supervisor's events to say.
void Agents::fail(Agent& agent, const base::Error& why, const std::string& detail, TimePoint now,
                  Output& out) {
  if (agent.current) {
    out.reports.push_back({agent.current->command, Report::What::lost, why, detail});
  }
  for (const Job& job : std::exchange(agent.waiting, {})) {
    out.reports.push_back({job.command, Report::What::failed, why, detail});
  }
  agent.due = TimePoint::max();
  if (!agent.account->pinned) return;
  const auto delay = base::delay_of({}, agent.failures++, options_.random ^ agent.link);
  agent.due = std::max(now + delay, agent.refused_until);
}

void Agents::refuse_credentials(Agent& agent, const std::string& detail, TimePoint now,
                                Output& out) {
  agent.refused_until = now + kRefusedFor;
  close(agent, out);
  fail(agent, Errc::credentials_refused, detail, now, out);
  out.effects.push_back(Note{Errc::credentials_refused, detail});
}

void Agents::send_next(Agent& agent, TimePoint now, Output& out) {
  if (agent.phase != Phase::ready || agent.current) return;
  if (agent.waiting.empty()) {
    if (options_.idle == 0ms && !agent.account->pinned) close(agent, out);
    return;
  }
  agent.current = std::move(agent.waiting.front());
  agent.waiting.pop_front();
  agent.used = now;
  agent.due = now + std::max<std::chrono::milliseconds>(options_.idle, 1s);
  out.effects.push_back(SendText{agent.link, text_of(localized(*agent.current, agent.legs))});
  out.reports.push_back({agent.current->command, Report::What::sent, {}, {}});
}

void Agents::log_in(Agent& agent, const AuthResp& answer, TimePoint now, Output& out) {
  if (!answer.ok) {
    refuse_credentials(agent, "the PBX refused the agent credentials of " + agent.extension, now,
                       out);
  } else if (!answer.extension.empty() && answer.extension != agent.extension) {
    refuse_credentials(
        agent, "the agent credentials of " + agent.extension + " belong to another extension", now,
        out);
  } else if (agent.phase == Phase::authenticating) {
    agent.phase = Phase::initializing;
  }
}

void Agents::take(Agent& agent, const Frame& frame, TimePoint now, Output& out) {
  if (agent.phase == Phase::opening || agent.phase == Phase::welcoming) {
    const Welcome* welcome = std::get_if<Welcome>(&frame);
    if (!welcome) {
      close(agent, out);
      fail(agent, Errc::pbx_disconnected, the_agent(agent.extension) + " was not welcomed first",
           now, out);
      return;
    }
    agent.phase = welcome->login_required ? Phase::authenticating : Phase::initializing;
    if (welcome->login_required) {
      out.effects.push_back(
          SendText{agent.link, auth_plain(agent.account->user, agent.account->password)});
    }
    return;
  }
  const auto mine = [&](const auto& event) {
    return event.extension == agent.extension ? agent.legs.find(event.callid) : agent.legs.end();
  };
  std::visit(base::overloaded{
                 [&](const AuthResp& it) { log_in(agent, it, now, out); },
                 [&](const Init& it) {
                   agent.legs.clear();
                   for (const Extension& extension : it.extensions) {
                     if (extension.number != agent.extension) continue;
                     for (const LegState& leg : extension.legs) {
                       if (agent.legs.size() < kKnownLegsMax) agent.legs[leg.callid] = leg;
                     }
                   }
                   if (agent.phase == Phase::ready) return;
                   agent.phase = Phase::ready;
                   agent.failures = 0;
                   agent.due = agent.account->pinned ? TimePoint::max() : now + options_.idle;
                   send_next(agent, now, out);
                 },
                 [&](const NewCall& it) {
                   if (it.extension != agent.extension || agent.legs.size() >= kKnownLegsMax)
                     return;
                   LegState leg;
                   leg.callid = it.callid;
                   leg.ends = it.ends;
                   agent.legs.emplace(it.callid, std::move(leg));
                 },
                 [&](const CallState& it) {
                   if (auto leg = mine(it); leg != agent.legs.end()) leg->second.step = it.step;
                 },
                 [&](const Hangup& it) {
                   if (auto leg = mine(it); leg != agent.legs.end()) agent.legs.erase(leg);
                 },
                 [&](const ActionError& it) {
                   if (!agent.current) return;
                   const call::CommandId command =
                       std::exchange(agent.current, std::nullopt)->command;
                   out.reports.push_back({command, Report::What::failed, Errc::pbx_refused,
                                          it.words.empty() ? "the PBX refused without a reason"
                                                           : "the PBX said: " + it.words});
                   if (agent.phase == Phase::ready) agent.due = now + options_.idle;
                   send_next(agent, now, out);
                 },
                 [](const auto&) {},
             },
             frame);
}

void Agents::update_deadline() {
  deadline_ = TimePoint::max();
  for (const auto& [extension, agent] : agents_) deadline_ = std::min(deadline_, agent.due);
}

}  // namespace pbx::innova360
