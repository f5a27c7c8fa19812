#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "call/fold.h"
#include "call/signalling.h"
#include "call/tracker.h"
#include "conformance/bench.h"
#include "pbx/vendor.h"
#include "simulator/stage.h"

namespace conformance {

using namespace std::chrono_literals;
using simulator::engine::Millis;

// One tenant's gateway and its PBX, in one thread and at a time of their own: the real session, the
// real tracker and the real simulator, and in between the part that TenantLink and TenantOwner play
// in the connector. A consumer folds every event; what it objects to, and every promise of
// pbx::Session that is broken, fails the test.
//
// A link that ends is made anew after `retry`, as the connector does, unless told otherwise. Where
// it is the PBX that dials, its connections pass the vendor's Reception first.
class Gateway final : private simulator::engine::Wire {
 public:
  // An event, and when it was told.
  struct Told {
    call::Event event;
    simulator::engine::TimePoint at;
  };
  struct Ended {
    base::Error why;
    std::string detail;
  };

  Gateway(const pbx::Vendor& vendor, const Bench& bench, const Variant* variant = nullptr);
  ~Gateway() override;

  // The PBX, and what people do at its phones; wait() afterwards lets it be heard of.
  simulator::Stage& pbx() { return stage_; }
  simulator::engine::Tenant& phones() { return stage_.tenant(); }
  const simulator::engine::Tenant& phones() const { return stage_.tenant(); }
  pbx::TimePoint now() const { return now_; }
  void change_faults(const std::function<void(simulator::engine::Faults&)>& change);
  void happen(const simulator::engine::Incident& incident);

  // Both sides do what falls due, in the order of time.
  void wait(Millis span);
  // True once `done`; false if it is not within `most`.
  bool wait_until(const std::function<bool()>& done, Millis most);

  // As long as it takes for everything to be heard of (Bench::pause). False if something happened
  // at the PBX meanwhile, too late for that.
  bool pause();

  // Until the link is up; fails the test if it does not come up.
  void connect();
  // The primary link ends without a word, and is tried again after `away`.
  void cut(Millis away);
  // The same, once so many more messages of the primary link have been heard. Where in a burst of
  // messages that is makes a difference: those behind are lost.
  void cut_after(std::uint64_t messages, Millis away);
  void cut_no_more() { cut_at_.reset(); }
  // The network loses one of our connections, whichever.
  void lose_connection(simulator::engine::ConnectionId connection);
  bool is_up() const { return up_; }
  // The connector dies; another one, which has only the last checkpoint and the events since then,
  // takes over at the next connect.
  void change_owner() { change_owner_ = true; }
  void save_checkpoint();

  // As TenantOwner carries out a request; answered within `limit`, or the test fails.
  call::Reply ask(const call::Request& request, Millis limit = 10s);

  // A media client's stream, while the link is up; what it is told, it keeps until it is taken.
  void open_signal(call::SignalId id, const call::SignalOptions& options);
  void signal(call::SignalId id, const call::FromClient& message);
  void close_signal(call::SignalId id);
  std::vector<call::ToClient> take_signals(call::SignalId id);
  // Why the stream ended by itself; nothing if it did not.
  std::optional<Ended> signal_end(call::SignalId id) const;

  const pbx::Vendor& vendor() const { return vendor_; }
  const Bench& bench() const { return bench_; }
  const std::vector<Told>& told() const { return told_; }
  const call::Tracker& tracker() const { return *tracker_; }
  const call::Book& folded() const { return consumer_.book(); }
  std::uint64_t heard() const { return heard_; }    // messages, on the primary link
  std::uint64_t frames() const { return frames_; }  // messages, on all of them
  const std::optional<Ended>& last_end() const { return last_end_; }
  unsigned snapshots() const { return snapshots_; }

 private:
  struct Opened {};
  struct Dialled {};
  struct Dropped {};
  // What is on its way to us, from one connection.
  struct Arrival {
    simulator::engine::ConnectionId connection;
    std::variant<Opened, Dialled, simulator::engine::Frame, Dropped> what;
  };
  struct Line {
    pbx::LinkId link = pbx::kPrimary;
    simulator::engine::HttpRequest upgrade{};
    std::string url{};                            // the PBX has dialled it
    std::unique_ptr<pbx::Reception> reception{};  // who is it?
    std::optional<pbx::Arrival> admitted{};       // and waits for a session
    bool open = false;
    pbx::TimePoint pings_out = pbx::TimePoint::max();  // nobody answers: given up then
  };

  struct Stream {
    std::vector<call::ToClient> told;
    bool ready = false;
    std::optional<Ended> end;
  };

  // Why there is none, or the reply, at its time.
  struct Reply {
    pbx::HttpId id;
    base::Result<pbx::HttpReply> reply;
  };

  void send(simulator::engine::ConnectionId to, const simulator::engine::Frame& frame) override;
  void logged_in(simulator::engine::ConnectionId) override {}
  void drop(simulator::engine::ConnectionId who) override;
  void go_silent(simulator::engine::ConnectionId who) override;
  void refuse(bool on) override { refusing_ = on; }
  simulator::engine::ConnectionId dial(std::string_view url) override;
  void answer(std::uint64_t ticket, simulator::engine::HttpReply reply) override;

  pbx::TimePoint next_due() const;
  void step();
  void deliver();
  void receive(Arrival arrival);
  void upgrade(simulator::engine::ConnectionId connection);
  void let_in(simulator::engine::ConnectionId connection);
  void receive_text(simulator::engine::ConnectionId connection, std::string_view text);
  void turn_away(simulator::engine::ConnectionId connection);
  void adopt(simulator::engine::ConnectionId connection);
  void request(const pbx::SendHttp& wanted);
  void lose(simulator::engine::ConnectionId connection, base::Error why);
  void make_owner();
  void begin_session();
  void end_session(base::Error why, const std::string& detail,
                   std::optional<std::chrono::milliseconds> retry_after);
  void apply(pbx::Effects effects);
  void hang_up(pbx::LinkId link);
  Line* line_of(pbx::LinkId link, simulator::engine::ConnectionId* connection = nullptr);
  void answer(call::CommandId id, call::Reply reply);
  void set_link(call::LinkState state, const std::string& reason = {});
  void tell(std::vector<call::Event> events);
  call::Context context() const;

  const pbx::Vendor& vendor_;
  const Bench& bench_;
  pbx::Settings settings_;
  pbx::TimePoint now_;
  simulator::Stage stage_;
  std::unique_ptr<pbx::Session> session_;
  std::optional<call::Tracker> tracker_;
  call::Fold consumer_;
  std::vector<Told> told_;
  call::Book checkpoint_;
  std::size_t checkpointed_ = 0;  // events in it

  std::deque<Arrival> arrivals_;
  std::multimap<pbx::TimePoint, Reply> replies_;
  std::map<std::uint64_t, pbx::HttpId> promised_;  // by the PBX's ticket
  std::map<simulator::engine::ConnectionId, Line> lines_;
  simulator::engine::ConnectionId last_connection_ = 0;
  bool refusing_ = false;
  pbx::TimePoint away_until_{};  // no connection from the PBX comes through before
  pbx::LinkId next_arrived_ = pbx::kFirstArrived;
  bool up_ = false;
  bool change_owner_ = false;
  std::uint64_t epoch_ = 0;
  unsigned snapshots_ = 0;
  pbx::TimePoint retry_at_ = pbx::TimePoint::max();
  Millis retry_{500};
  std::optional<std::pair<std::uint64_t, Millis>> cut_at_;  // `heard_`, and for how long
  std::optional<Ended> last_end_;
  std::uint64_t heard_ = 0, frames_ = 0;

  std::map<call::CommandId, std::optional<call::Reply>> commands_;
  call::CommandId last_command_ = 0;
  std::map<call::SignalId, Stream> streams_;
};

}  // namespace conformance
