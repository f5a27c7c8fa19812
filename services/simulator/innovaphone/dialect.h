#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "simulator/engine/dialect.h"
#include "simulator/engine/random.h"
#include "simulator/innovaphone/admin.h"
#include "simulator/innovaphone/calls.h"
#include "simulator/innovaphone/dialer.h"
#include "simulator/innovaphone/pbx.h"
#include "simulator/innovaphone/presence.h"
#include "simulator/innovaphone/rcc.h"
#include "simulator/innovaphone/table_users.h"

namespace simulator::innovaphone {

// One tenant's innovaphone: its PBXs, who is connected to them, and what is wrong today.
//
// A client asks for a challenge and logs in with a digest; or the PBX does so, on sockets it opens
// itself (dialer.h). From there on the socket carries the APIs that the App object may use. What a
// request leads to at once comes after its answer.
class Dialect final : public engine::Dialect, private Outlet {
 public:
  Dialect(Settings settings, engine::Tenant& tenant, engine::Wire& wire);

  engine::HttpAnswer on_http(const engine::HttpRequest& request, engine::TimePoint now) override;
  void on_open(engine::ConnectionId connection, std::string_view target, bool welcomed,
               engine::TimePoint now) override;
  void on_text(engine::ConnectionId connection, std::string_view text,
               engine::TimePoint now) override;
  void on_closed(engine::ConnectionId connection) override { forget(connection); }
  void on_closed_at(engine::ConnectionId connection, engine::TimePoint now) override;
  void on_change(const engine::Change& change) override;
  void set_faults(const engine::Faults& faults, engine::TimePoint now) override;
  void happen(const engine::Incident& incident, engine::TimePoint now) override;
  const engine::Faults& faults() const override { return pbx_.faults; }
  engine::TimePoint deadline() const override;
  void advance(engine::TimePoint now) override;
  std::string id_of(const engine::Leg& leg) const override { return pbx_.conf_of(leg.call); }
  const engine::Counters& counters() const override { return pbx_.counters; }
  std::vector<engine::ConnectionInfo> connections() const override;

 private:
  struct Waiting {
    engine::ConnectionId connection = 0;
    engine::Frame frame;
  };
  struct Delayed : Waiting {
    engine::TimePoint due;
  };

  void answer(const Socket& socket, const json::object& message, engine::TimePoint now) override;
  void tell(const Socket& socket, const json::object& message, engine::TimePoint now,
            engine::Millis after) override;

  void base_message(Socket& socket, const Message& message, engine::TimePoint now);
  void log_in(Socket& socket, const Message& login, engine::TimePoint now);
  void api_message(Socket& socket, const Message& message, engine::TimePoint now);

  void send(engine::ConnectionId connection, const engine::Frame& frame, engine::TimePoint now);
  void send_after(engine::ConnectionId connection, const engine::Frame& frame, engine::Millis after,
                  engine::TimePoint now);
  void tell_now(engine::ConnectionId connection, const engine::Frame& frame, engine::TimePoint now);
  void forget(engine::ConnectionId connection);
  void drop_all(engine::TimePoint now);

  Pbx pbx_;
  engine::Wire& wire_;
  engine::Random random_;
  Calls calls_;
  Rcc rcc_;
  TableUsers table_users_;
  Presence presence_;
  Dialer dialer_;
  Admin admin_;
  bool executing_ = false;        // a request: what it leads to waits for its answer
  std::deque<Waiting> after_it_;  // that
  std::multimap<engine::TimePoint, Waiting> later_;
  std::deque<Delayed> delayed_;  // everything, in order
};

}  // namespace simulator::innovaphone
