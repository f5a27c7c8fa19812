#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulator/engine/dialect.h"
#include "simulator/engine/random.h"
#include "simulator/webitel/pbx.h"

namespace simulator::webitel {

// One tenant's Webitel: who is connected, what they are told and may do, and what is wrong today.
//
// A socket is opened by anybody, and becomes one user's by a token. `hello` says so, and is number
// 0 of the socket's events. What a user has subscribed to comes to all of its sockets, and to
// nobody else. Requests are answered with their number; a call that is asked for, once the own
// phone has been picked up.
class Dialect final : public engine::Dialect, private Outlet {
 public:
  Dialect(Settings settings, engine::Tenant& tenant, engine::Wire& wire);

  engine::HttpAnswer on_http(const engine::HttpRequest& request, engine::TimePoint now) override;
  // `target` with its query, which may name the application.
  void on_open(engine::ConnectionId connection, std::string_view target, bool welcomed,
               engine::TimePoint now) override;
  void on_text(engine::ConnectionId connection, std::string_view text,
               engine::TimePoint now) override;
  void on_closed(engine::ConnectionId connection) override;
  void on_closed_at(engine::ConnectionId connection, engine::TimePoint now) override;
  void on_change(const engine::Change& change) override;
  void set_faults(const engine::Faults& faults, engine::TimePoint now) override;
  void happen(const engine::Incident& incident, engine::TimePoint now) override;
  const engine::Faults& faults() const override { return pbx_.faults; }
  engine::TimePoint deadline() const override;
  void advance(engine::TimePoint now) override;
  std::string id_of(const engine::Leg& leg) const override { return pbx_.channels.id_of(leg.id); }
  const engine::Counters& counters() const override { return pbx_.counters; }
  std::vector<engine::ConnectionInfo> connections() const override;
  std::vector<engine::AgentInfo> agents() const override;

 private:
  struct Peer {
    UserId user = kNobody;
    std::string token, sock_id, application, version;
    engine::TimePoint opened, login_by;
    std::int64_t seq = 0;        // of the next event
    unsigned registrations = 0;  // logins on this socket: each brings all events
    bool expired = false;        // its session has ended, whatever the token is worth
    bool told_expired = false;
    bool silent = false;  // half-open
  };
  struct Event {
    std::string name;
    json::object data;
    UserId user = kNobody;  // beside the data; kNobody: not there
  };
  // What is held back: an event, which gets its number when it goes out, a frame, or an answer.
  struct Later {
    engine::ConnectionId connection = 0;
    std::optional<Event> event;
    engine::Frame frame;
    std::uint64_t ticket = 0;
    engine::HttpReply reply;
  };
  struct Delayed {
    engine::TimePoint due;
    engine::ConnectionId connection;
    engine::Frame frame;
  };
  struct Request {
    std::int64_t seq = 0;
    std::string action;
    json::object data;
  };
  // What a request leads to: nothing else, or this.
  struct Result {
    json::object data{};
    std::optional<Problem> problem{};
    bool later = false;
  };
  // One handler per action, listed in actions.cc.
  struct Action;
  static const std::vector<Action>& actions();
  Result act(engine::ConnectionId connection, Peer& peer, const Request& request,
             engine::TimePoint now);

  void push(UserId user, Topic topic, std::string_view event, json::object data,
            engine::TimePoint now) override;
  void resolve(const Asker& asker, json::object data, engine::TimePoint now) override;
  void reject(const Asker& asker, const Problem& problem, engine::TimePoint now) override;
  bool is_online(UserId user) const override;
  json::array sockets_of(UserId user) const override;

  void challenge(engine::ConnectionId connection, Peer& peer, const Request& request,
                 engine::TimePoint now);
  json::object hello_of(const Peer& peer, const User& user, engine::TimePoint now) const;
  bool is_valid(const Peer& peer, engine::TimePoint now) const;
  void tell_expired(engine::ConnectionId connection, Peer& peer, engine::TimePoint now);
  void subscribe(UserId user, Topic topic, engine::TimePoint now);
  bool is_subscribed(UserId user, Topic topic, engine::TimePoint now) const;

  void tell(engine::ConnectionId connection, Event event, engine::TimePoint now);
  void tell_now(engine::ConnectionId connection, const Event& event, engine::TimePoint now);
  void reply(const Asker& asker, json::object data, const Problem* problem, engine::TimePoint now);
  void send_after(Later later, engine::Millis after, engine::TimePoint now);
  void send(engine::ConnectionId connection, const engine::Frame& frame, engine::TimePoint now);
  void release(Later later, engine::TimePoint now);
  void make_noise(engine::Noise kind, std::size_t oversized_bytes, engine::TimePoint now);
  void drop(engine::ConnectionId connection, engine::TimePoint now);
  std::vector<engine::ConnectionId> everybody() const;
  std::string make_sock_id();

  engine::Wire& wire_;
  Pbx pbx_;
  engine::Random random_;
  std::map<engine::ConnectionId, Peer> peers_;
  std::map<std::pair<UserId, Topic>, engine::TimePoint> subscriptions_;  // and from when on
  std::multimap<engine::TimePoint, Later> later_;
  std::deque<Delayed> delayed_;  // everything, in order
  std::uint64_t last_ticket_ = 0;
  std::uint64_t answers_ = 0;
};

}  // namespace simulator::webitel
