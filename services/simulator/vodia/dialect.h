#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/engine/dialect.h"
#include "simulator/engine/random.h"
#include "simulator/vodia/client_frames.h"
#include "simulator/vodia/pbx.h"
#include "simulator/vodia/softphones.h"

namespace simulator::vodia {

inline constexpr std::string_view kSocketPath = "/websocket";

// One tenant's Vodia PBX: its pages, who is connected, what they may see and do, and what is wrong
// today.
//
// A client logs in by HTTP, and its cookie makes a WebSocket one extension's. There it is told
// nothing but what it subscribes to (from 69 on), or everything at once (before). There are no
// events: whenever a call changes, everybody who watches it gets the complete list again. All that
// happens at one instant comes in one list. Actions are never answered.
class Dialect final : public engine::Dialect {
 public:
  Dialect(Settings settings, engine::Tenant& tenant, engine::Wire& wire);

  engine::HttpAnswer on_http(const engine::HttpRequest& request, engine::TimePoint now) override;
  // `visitor` is the session, as on_http() said.
  void on_open(engine::ConnectionId connection, std::string_view visitor, bool welcomed,
               engine::TimePoint now) override;
  void on_text(engine::ConnectionId connection, std::string_view text,
               engine::TimePoint now) override;
  void on_closed(engine::ConnectionId connection) override;
  void on_change(const engine::Change& change) override;
  void set_faults(const engine::Faults& faults, engine::TimePoint now) override;
  void happen(const engine::Incident& incident, engine::TimePoint now) override;
  const engine::Faults& faults() const override { return pbx_.faults; }
  engine::TimePoint deadline() const override;
  void advance(engine::TimePoint now) override;
  std::string id_of(const engine::Leg& leg) const override { return pbx_.calls.id_of(leg.call); }
  const engine::Counters& counters() const override { return pbx_.counters; }
  std::vector<engine::ConnectionInfo> connections() const override;

 private:
  struct Peer {
    engine::ExtensionIndex extension = engine::kOutside;
    std::string session;
    bool own_calls = false, tenant_calls = false, accounts = false, orbits = false;
    std::set<engine::ExtensionIndex> lamps;
    bool silent = false;  // half-open
    bool deaf = false;    // its session has ended, in silence
    engine::TimePoint idle_end = engine::TimePoint::max();
  };
  struct Delayed {
    engine::TimePoint due;
    engine::ConnectionId connection;
    engine::Frame frame;
  };

  engine::HttpAnswer upgrade(const engine::HttpRequest& request);
  engine::HttpAnswer page(const engine::HttpRequest& request, engine::TimePoint now);
  void end_sockets(std::string_view session, bool quietly);
  void close(engine::ConnectionId connection, std::uint16_t code, std::string_view reason);

  // One handler per action, listed in actions.cc.
  struct Action;
  static const std::vector<Action>& actions();
  void act(engine::ConnectionId connection, Peer& peer, const ClientFrame& frame,
           engine::TimePoint now);

  void keep_open(engine::ConnectionId connection, Peer& peer, engine::TimePoint now);
  void tell_changes(engine::TimePoint now);
  std::string call_list(engine::ExtensionIndex viewer);
  void send(engine::ConnectionId connection, std::string text, engine::TimePoint now);
  void send_event(engine::ConnectionId connection, const engine::Frame& frame,
                  engine::TimePoint now);
  void send(engine::ConnectionId connection, const engine::Frame& frame, engine::TimePoint now);
  void drop_all();

  Pbx pbx_;
  engine::Wire& wire_;
  engine::Random random_;
  Softphones softphones_;
  std::map<engine::ConnectionId, Peer> peers_;
  std::set<std::pair<engine::TimePoint, engine::ConnectionId>> idle_ends_;
  std::set<engine::ExtensionIndex> changed_;              // accounts, not told yet
  engine::TimePoint tell_at_ = engine::TimePoint::max();  // what has changed
  std::deque<Delayed> delayed_;
  engine::TimePoint now_{};  // of what is being done
};

}  // namespace simulator::vodia
