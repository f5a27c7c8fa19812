#include "pbx/webitel/directory.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace pbx::webitel {
namespace {

using call::AgentState;
using call::ConnectionState;
using namespace std::chrono_literals;

// What a list was asked for this much after an event, has it.
constexpr auto kSettled = 1s;

bool is_older(TimePoint asked, TimePoint event) {
  return event != TimePoint::min() && asked < event + kSettled;
}

// Whether a list that lacks somebody says that he is gone; `missed` counts those that did.
bool is_gone(Coverage coverage, unsigned& missed) {
  if (coverage == Coverage::cut) return false;
  return ++missed >= (coverage == Coverage::whole ? 1u : 2u);
}

call::Activity activity_of(const std::vector<ConnectionState>& states) {
  bool rings = false, talks = false, holds = false;
  for (const ConnectionState state : states) {
    rings = rings || state == ConnectionState::alerting;
    holds = holds || state == ConnectionState::hold;
    talks = talks || (state != ConnectionState::alerting && state != ConnectionState::hold);
  }
  if (rings) return talks || holds ? call::Activity::busy_and_ringing : call::Activity::ringing;
  if (talks) return call::Activity::busy;
  return holds ? call::Activity::holding : call::Activity::idle;
}

}  // namespace

Directory::Row* Directory::of_user(std::string_view user) {
  const auto it = rows_.find(user);
  return it == rows_.end() ? nullptr : &it->second;
}

Directory::Row* Directory::of_agent(std::string_view agent, std::string_view user) {
  const auto it = agents_.find(agent);
  return of_user(it == agents_.end() ? user : it->second);
}

call::Device Directory::device_of(const Row& row) {
  call::Device device;
  device.id = row.person.extension;
  device.kind = call::DeviceKind::extension;
  device.name = row.person.name;
  device.availability = has_token(row.presence, "sip") ? call::Availability::in_service
                                                       : call::Availability::out_of_service;
  device.activity = row.activity;
  device.do_not_disturb = has_token(row.presence, "dnd");
  if (!row.person.agent.empty() && !row.status.empty()) {
    device.agent_state = agent_state_of(row.status, row.channel);
    if (device.agent_state == AgentState::not_ready ||
        device.agent_state == AgentState::logged_off) {
      device.agent_reason = row.payload;
    }
  }
  device.vendor_status = row.presence;
  device.controllable = true;
  return device;
}

void Directory::tell(Row& row, Seen& seen) {
  if (row.person.extension.empty()) return;
  call::Device device = device_of(row);
  if (row.told && device == row.device) return;
  row.told = true;
  row.device = device;
  seen.push_back(call::DeviceSeen{std::move(device)});
}

Directory::Seen Directory::on_users(const std::vector<UserRow>& rows, TimePoint asked,
                                    Coverage coverage) {
  const std::uint64_t round = ++round_;
  bool removed = false;
  left_out_ = 0;
  Seen seen;
  std::size_t place = 0;
  for (const UserRow& it : rows) {
    auto found = rows_.find(it.id);
    if (found == rows_.end()) {
      if (rows_.size() >= kPeopleMax) {
        ++left_out_;
        continue;
      }
      found = rows_.emplace(it.id, Row{}).first;
      found->second.person.id = it.id;
      ++generation_;
    }
    Row& row = found->second;
    row.round = round;
    row.missed = 0;
    row.place = place++;
    std::string extension = it.extension;
    if (const auto other = extensions_.find(extension);
        !extension.empty() && other != extensions_.end() && other->second != it.id) {
      const Row* holder = of_user(other->second);
      // The list is still going to say whether the other one has it; the first in it wins.
      if (holder != nullptr && holder->round == round) {
        ++left_out_;
        extension.clear();
      }
    }
    if (row.person.extension.str() != extension) {
      const std::string old = row.person.extension.str();
      if (const auto mine = extensions_.find(old);
          mine != extensions_.end() && mine->second == it.id) {
        extensions_.erase(mine);
        removed = true;
      }
      if (!extension.empty()) extensions_[extension] = it.id;
      row.person.extension = call::DeviceId(extension);
      row.told = false;
      ++generation_;
    } else if (!extension.empty()) {
      extensions_[extension] = it.id;
    }
    if (row.person.name != it.name) {
      row.person.name = it.name;
      ++generation_;
    }
    if (!is_older(asked, row.presence_at)) row.presence = it.presence;
  }
  for (auto it = rows_.begin(); it != rows_.end();) {
    Row& row = it->second;
    if (row.round == round) {
      ++it;
      continue;
    }
    if (!is_gone(coverage, row.missed)) {
      // His extension may be somebody else's meanwhile.
      if (const auto holder = extensions_.find(row.person.extension.str());
          holder != extensions_.end() && holder->second != it->first) {
        row.person.extension = {};
        removed = true;
        ++generation_;
      }
      ++it;
      continue;
    }
    if (const auto mine = extensions_.find(row.person.extension.str());
        mine != extensions_.end() && mine->second == it->first) {
      extensions_.erase(mine);
    }
    agents_.erase(row.person.agent);
    removed = true;
    ++generation_;
    it = rows_.erase(it);
  }
  if (removed) {
    seen.push_back(call::DevicesSeen{everything()});
  } else {
    for (auto& [id, row] : rows_) tell(row, seen);
  }
  return seen;
}

Directory::Seen Directory::on_agents(const std::vector<AgentRow>& rows, TimePoint asked,
                                     Coverage coverage) {
  Seen seen;
  ByText<std::string> agents;
  for (const AgentRow& it : rows) {
    Row* row = of_user(it.user);
    if (row == nullptr) continue;
    agents[it.id] = it.user;
    row->person.agent = it.id;
    row->person.team = it.team;
    row->agent_missed = 0;
    if (!is_older(asked, row->agent_at)) {
      row->status = it.status;
      row->payload = it.payload;
      row->channel = it.call_state;
    }
    tell(*row, seen);
  }
  for (const auto& [agent, user] : agents_) {
    if (agents.contains(agent)) continue;
    Row* row = of_user(user);
    if (row == nullptr || row->person.agent != agent) continue;
    if (!is_gone(coverage, row->agent_missed)) {
      agents.emplace(agent, user);
      continue;
    }
    row->person.agent.clear();
    row->person.team.clear();
    row->status.clear();
    row->channel.clear();
    tell(*row, seen);
  }
  agents_ = std::move(agents);
  return seen;
}

Directory::Seen Directory::on_state(const UserState& state, TimePoint now) {
  Seen seen;
  Row* row = of_user(state.user);
  if (row == nullptr) return seen;
  row->presence = state.status;
  row->presence_at = now;
  tell(*row, seen);
  return seen;
}

Directory::Seen Directory::on_agent(const AgentStatus& status, TimePoint now) {
  Seen seen;
  Row* row = of_agent(status.agent, status.user);
  if (row == nullptr) return seen;
  if (row->person.agent.empty() && !status.agent.empty()) {
    row->person.agent = status.agent;
    agents_[status.agent] = row->person.id;
  }
  row->status = status.status;
  row->payload = status.payload;
  row->agent_at = now;
  if (status.status != "online") row->channel.clear();
  tell(*row, seen);
  return seen;
}

Directory::Seen Directory::on_channel(const AgentChannel& channel, TimePoint now) {
  Seen seen;
  Row* row = of_agent(channel.agent, channel.user);
  if (row == nullptr || row->person.agent.empty()) return seen;
  if (!channel.channel.empty() && channel.channel != "call") return seen;  // as in the list
  // What a missed offer leads to, the status that follows says.
  if (channel.status == "missed" || channel.status == "form") return seen;
  row->channel = channel.status;
  row->agent_at = now;
  tell(*row, seen);
  return seen;
}

Directory::Seen Directory::on_legs(std::string_view user,
                                   const std::vector<ConnectionState>& states) {
  Seen seen;
  Row* row = of_user(user);
  if (row == nullptr) return seen;
  row->activity = activity_of(states);
  tell(*row, seen);
  return seen;
}

std::vector<call::Device> Directory::everything() {
  std::vector<Row*> rows;
  for (auto& [id, row] : rows_) {
    if (!row.person.extension.empty()) rows.push_back(&row);
  }
  std::sort(rows.begin(), rows.end(),
            [](const Row* a, const Row* b) { return a->place < b->place; });
  std::vector<call::Device> devices;
  for (Row* row : rows) {
    row->device = device_of(*row);
    row->told = true;
    devices.push_back(row->device);
  }
  return devices;
}

const Person* Directory::by_user(std::string_view user) const {
  const auto it = rows_.find(user);
  return it == rows_.end() ? nullptr : &it->second.person;
}
const Person* Directory::by_extension(std::string_view extension) const {
  const auto it = extensions_.find(extension);
  return it == extensions_.end() ? nullptr : by_user(it->second);
}
const Person* Directory::by_agent(std::string_view agent) const {
  const auto it = agents_.find(agent);
  return it == agents_.end() ? nullptr : by_user(it->second);
}
const call::Device* Directory::device(std::string_view extension) const {
  const auto it = extensions_.find(extension);
  if (it == extensions_.end()) return nullptr;
  const auto row = rows_.find(it->second);
  return row == rows_.end() || !row->second.told ? nullptr : &row->second.device;
}

std::vector<std::string> Directory::users() const {
  std::vector<const Row*> rows;
  for (const auto& [id, row] : rows_) {
    if (!row.person.extension.empty()) rows.push_back(&row);
  }
  std::sort(rows.begin(), rows.end(),
            [](const Row* a, const Row* b) { return a->place < b->place; });
  std::vector<std::string> ids;
  for (const Row* row : rows) ids.push_back(row->person.id);
  return ids;
}

}  // namespace pbx::webitel
