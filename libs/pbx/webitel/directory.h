#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "call/model.h"
#include "pbx/session.h"
#include "pbx/webitel/rows.h"

namespace pbx::webitel {

// More users are not followed.
inline constexpr std::size_t kPeopleMax = 50'000;

// A user of the tenant: what the REST lists of users and agents know, and events have told since.
struct Person {
  std::string id;  // a decimal number
  std::string name;
  call::DeviceId extension;  // empty: none, and so no device
  std::string agent;         // id; empty: no agent
  std::string team;          // the agent's
};

// Who is who in the tenant, and what their devices do. A device is a user with an extension: the
// presence of its user says whether a phone is registered, the agent's states are the device's.
//
// Lists are read again and again; what an event told after a list was asked for, the list does not
// undo. Lives as long as a session. Functions that change something return what the tracker has not
// been told yet.
class Directory {
 public:
  using Seen = std::vector<call::Observation>;

  // The lists, asked for at `asked`. Users first; agents of users who are not known wait.
  // Somebody who has slipped from one page to the other is gone only if the next list lacks him
  // too.
  Seen on_users(const std::vector<UserRow>& rows, TimePoint asked,
                Coverage coverage = Coverage::whole);
  Seen on_agents(const std::vector<AgentRow>& rows, TimePoint asked,
                 Coverage coverage = Coverage::whole);
  Seen on_state(const UserState& state, TimePoint now);
  Seen on_agent(const AgentStatus& status, TimePoint now);
  Seen on_channel(const AgentChannel& channel, TimePoint now);
  // What the user's legs are, all of them.
  Seen on_legs(std::string_view user, const std::vector<call::ConnectionState>& states);
  // All devices, whole.
  std::vector<call::Device> everything();

  // nullptr if there is none. Valid until the next call of a non-const function.
  const Person* by_user(std::string_view user) const;
  const Person* by_extension(std::string_view extension) const;
  const Person* by_agent(std::string_view agent) const;
  // The extension's device as it was told last; nullptr if there is none.
  const call::Device* device(std::string_view extension) const;
  // Ids of the users with an extension, in the order of the list.
  std::vector<std::string> users() const;
  // Grows when an extension comes, goes, or gets another name: parties of calls may change then.
  unsigned generation() const { return generation_; }
  // Users that were beyond kPeopleMax, or whose extension is another's, in the list before.
  std::size_t left_out() const { return left_out_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  template <class T>
  using ByText = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  struct Row {
    Person person;
    std::size_t place = 0;  // in the list
    std::uint64_t round = 0;
    unsigned missed = 0, agent_missed = 0;  // lists that lacked him, in a row
    std::string presence;
    TimePoint presence_at = TimePoint::min(), agent_at = TimePoint::min();  // of the last event
    std::string status, payload, channel;                                   // the agent's
    call::Activity activity = call::Activity::idle;
    bool told = false;
    call::Device device;  // as told
  };

  Row* of_user(std::string_view user);
  Row* of_agent(std::string_view agent, std::string_view user);
  static call::Device device_of(const Row& row);
  void tell(Row& row, Seen& seen);

  ByText<Row> rows_;                         // by user
  ByText<std::string> extensions_, agents_;  // users
  std::uint64_t round_ = 0;
  unsigned generation_ = 0;
  std::size_t left_out_ = 0;
};

}  // namespace pbx::webitel
