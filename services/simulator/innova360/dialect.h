#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "simulator/engine/dialect.h"
#include "simulator/engine/pattern.h"
#include "simulator/engine/random.h"
#include "simulator/engine/tenant.h"
#include "simulator/innova360/client_frames.h"
#include "simulator/innova360/encoder.h"

namespace simulator::innova360 {

using engine::ExtensionPattern;

struct Settings {
  std::string server = "s1";
  std::string supervisor_user, supervisor_password;
  ExtensionPattern agent_user{"", ""}, agent_password{"agent-", ""};
  Variants variants;
  Clock clock;
  std::uint64_t seed = 1;
};

inline constexpr std::string_view kSupervisorPath = "/ws";
inline constexpr std::string_view kAgentPath = "/agent";

// One tenant's Innova360: who is connected, what they may see and do, and what is wrong today.
//
// A connection is welcomed, then says auth-plain, as often as it takes; whatever else it says
// before that is ignored. Then it gets auth-resp and init, and from there on every update: a
// supervisor everybody's, an agent its own extension's. An agent's actions are done; nothing is
// ever answered.
class Dialect final : public engine::Dialect {
 public:
  Dialect(Settings settings, engine::Tenant& tenant, engine::Wire& wire);

  engine::HttpAnswer on_http(const engine::HttpRequest& request, engine::TimePoint now) override;
  void on_open(engine::ConnectionId connection, std::string_view target, bool welcomed,
               engine::TimePoint now) override;
  void on_text(engine::ConnectionId connection, std::string_view text,
               engine::TimePoint now) override;
  void on_closed(engine::ConnectionId connection) override;
  void on_change(const engine::Change& change) override;
  void set_faults(const engine::Faults& faults, engine::TimePoint now) override;
  void happen(const engine::Incident& incident, engine::TimePoint now) override;
  const engine::Faults& faults() const override { return faults_; }
  // What the supervisor logs in with from now on; whoever is logged in stays.
  void change_password(std::string password) {
    settings_.supervisor_password = std::move(password);
  }
  engine::TimePoint deadline() const override;
  void advance(engine::TimePoint now) override;
  std::string id_of(const engine::Leg& leg) const override { return encoder_.id_of(leg); }
  const engine::Counters& counters() const override { return counters_; }
  std::vector<engine::ConnectionInfo> connections() const override;

 private:
  struct Peer {
    bool supervisor = false;
    bool logged_in = false;
    bool silent = false;
    engine::ExtensionIndex extension = engine::kOutside;  // of an agent that is logged in
  };
  struct Delayed {
    engine::TimePoint due;
    engine::ConnectionId connection;  // or 0: an event for all that may see the extension
    engine::ExtensionIndex extension;
    engine::Frame frame;
  };
  using Delay = std::deque<Delayed>;

  void log_in(engine::ConnectionId connection, Peer& peer, const AuthPlain& login,
              engine::TimePoint now);
  bool knows(const AuthPlain& login, Peer& peer) const;
  void act(engine::ConnectionId connection, const Peer& peer, const ClientFrame& frame,
           engine::TimePoint now);
  void execute(const Peer& peer, const ClientFrame& frame, engine::TimePoint now);
  engine::LegId own_leg(const Peer& peer, std::string_view id) const;

  void send(engine::ConnectionId connection, std::string text, engine::TimePoint now);
  void send(engine::ConnectionId connection, const engine::Frame& frame, engine::TimePoint now);
  void send_event(engine::ExtensionIndex extension, std::string text, engine::TimePoint now);
  void send_to_all(engine::ExtensionIndex extension, const engine::Frame& frame,
                   engine::TimePoint now);
  void hold_back(Delay& queue, engine::Millis delay, Delayed what, engine::TimePoint now);
  void drop_all();

  Settings settings_;
  engine::Tenant& tenant_;
  engine::Wire& wire_;
  Encoder encoder_;
  engine::Random random_;
  engine::Faults faults_;
  engine::Counters counters_;
  std::unordered_map<engine::ConnectionId, Peer> peers_;
  std::vector<engine::ConnectionId> supervisors_;  // logged in, oldest first
  std::unordered_map<engine::ExtensionIndex, std::vector<engine::ConnectionId>> agents_;
  Delay delayed_, held_states_, late_calls_;
};

}  // namespace simulator::innova360
