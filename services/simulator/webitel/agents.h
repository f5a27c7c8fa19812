#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "simulator/webitel/accounts.h"
#include "simulator/webitel/outlet.h"
#include "simulator/webitel/presence.h"

namespace simulator::webitel {

// What agents are, and what becomes of them: the engine knows nothing of it. Whoever has subscribed
// is told of its own user's.
class Agents {
 public:
  Agents(const Settings& settings, Accounts& accounts, Presence& presence, Outlet& outlet)
      : settings_(settings), accounts_(accounts), presence_(presence), outlet_(outlet) {}

  struct Wish {
    std::string status;  // online, pause, offline
    std::string payload, comment;
    bool on_demand = false;
  };
  // What is wrong with it, or nothing: then it is done.
  std::optional<Problem> set_status(Agent& agent, const Wish& wish, engine::TimePoint now);
  // The channel of calls is free again. Its time, in ms.
  std::int64_t set_waiting(Agent& agent, engine::TimePoint now);

  json::object session(const Agent& agent, engine::TimePoint now) const;
  static json::array pause_causes();

  engine::TimePoint deadline() const { return next_check_; }
  // Agents with neither a phone nor a socket are put offline after a minute.
  void advance(engine::TimePoint now);

 private:
  void change(Agent& agent, std::string status, std::string payload, std::string comment,
              engine::TimePoint now);
  json::object channel(const Agent& agent) const;

  const Settings& settings_;
  Accounts& accounts_;
  Presence& presence_;
  Outlet& outlet_;
  engine::TimePoint next_check_ = engine::TimePoint::max();
};

}  // namespace simulator::webitel
