#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "simulator/engine/tenant.h"
#include "simulator/webitel/channels.h"
#include "simulator/webitel/outlet.h"

namespace simulator::webitel {

// What clients do to calls, on the socket or by HTTP. Any leg may be named, whoever asks: nobody
// checks whose it is. Each returns what is wrong, or nothing: accepted, which need not mean done.
class Phones {
 public:
  using Wrong = std::optional<Problem>;

  Phones(const Settings& settings, engine::Tenant& tenant, const Accounts& accounts,
         Channels& channels, Outlet& outlet, engine::Counters& counters)
      : settings_(settings),
        tenant_(tenant),
        accounts_(accounts),
        channels_(channels),
        outlet_(outlet),
        counters_(counters) {}

  struct Invitation {
    std::string destination;
    ClickToCall click;
    std::optional<engine::Millis> timeout;  // of the own phone; none: the switch's
    std::string_view key = "id";            // of the answer
  };
  // Rings the user's phone, and calls the destination once it has been picked up. Until then
  // `asker` waits; it is told how that ended, unless something is wrong at once.
  Wrong invite(const User& user, const Invitation& wish, const Asker& asker, engine::TimePoint now);

  // A leg that has gone is as good as hung up.
  Wrong hang_up(std::string_view id, const std::string& cause, engine::TimePoint now);
  Wrong hold(std::string_view id, bool on, engine::TimePoint now);
  Wrong dial_tone(std::string_view id, std::string digit, engine::TimePoint now);
  Wrong mute(std::string_view id, bool on);
  // The other party rings at `to`; what still rings here is sent there.
  Wrong transfer(std::string_view id, const std::string& to, engine::TimePoint now);
  // Joins whoever these two legs talk to.
  Wrong bridge(std::string_view from, std::string_view to, engine::TimePoint now);

  void on_change(const engine::Change& change);
  // Whoever has gone waits no longer.
  void forget(engine::ConnectionId connection);
  void forget_all() { waiting_.clear(); }
  engine::TimePoint deadline() const;
  void advance(engine::TimePoint now);

 private:
  struct Waiting {
    Asker asker;
    std::string key;
    engine::TimePoint give_up = engine::TimePoint::max();
  };

  const Settings& settings_;
  engine::Tenant& tenant_;
  const Accounts& accounts_;
  Channels& channels_;
  Outlet& outlet_;
  engine::Counters& counters_;
  std::map<engine::LegId, Waiting> waiting_;
};

}  // namespace simulator::webitel
