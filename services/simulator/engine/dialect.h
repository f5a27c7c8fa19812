#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/engine/faults.h"
#include "simulator/engine/http.h"
#include "simulator/engine/types.h"

namespace simulator::engine {

// Counts up over the whole process and is never reused, so that a test can tell its connection.
using ConnectionId = std::uint64_t;

// What a client sees where a close frame was empty.
inline constexpr std::uint16_t kNoStatus = 1005;

// Written once, sent to many.
using Frame = std::shared_ptr<const std::string>;

// How a dialect reaches its connections: sockets, or a test's list. Unknown ids are ignored, since
// a connection may have gone in the meantime.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual void send(ConnectionId connection, const Frame& frame) = 0;
  virtual void logged_in(ConnectionId connection) = 0;
  virtual void drop(ConnectionId connection) = 0;  // without a close frame
  // With a close frame, after what was sent before; with kNoStatus an empty one. For wires that
  // have no such thing, as drop().
  virtual void close(ConnectionId connection, std::uint16_t /*code*/, std::string_view /*reason*/) {
    drop(connection);
  }
  virtual void go_silent(ConnectionId connection) = 0;  // stops reading and answering, stays open
  virtual void refuse(bool on) = 0;                     // connections to the tenant's own listener
  // Opens a WebSocket to somebody else, for PBXs that dial; on_open() follows with this connection,
  // or on_closed(). Zero: this wire cannot.
  virtual ConnectionId dial(std::string_view /*url*/) { return 0; }
  // What on_http() has promised for later, once for each ticket. Whoever asked may have gone.
  virtual void answer(std::uint64_t /*ticket*/, HttpReply /*reply*/) {}
};

struct ConnectionInfo {
  ConnectionId id = 0;
  std::string kind;       // in the vendor's words: "supervisor"
  std::string extension;  // if it is one's own
  bool logged_in = false;
};

// Somebody of a call centre, as the PBX has it: the engine knows nothing of such things.
struct AgentInfo {
  std::string id, extension, status, reason;  // in the vendor's words
};

// One call a client asked for, for tests that count them.
struct Origination {
  std::string extension, to;
  std::vector<std::string> user_data;
};

struct Counters {
  static constexpr std::size_t kLastOriginationsMax = 200;

  std::uint64_t originates = 0;                   // asked for by clients, by whatever action
  std::vector<Origination> last_originations;     // at most kLastOriginationsMax, oldest first
  std::map<std::string, std::uint64_t> actions;   // received, by kind in the vendor's words
  std::map<std::string, std::uint64_t> accepted;  // connections, by kind
  std::uint64_t logins_ok = 0, logins_refused = 0;
  std::uint64_t frames_received = 0, frames_ignored = 0, frames_sent = 0, events = 0;
};

// The PBX's side of one vendor's protocol, for one tenant: what its connections are told. Pure, as
// the tenant is: time is an argument, everything that comes of it goes to the Wire. All members
// are called in turn with the tenant's operations; on_change() from within them.
class Dialect : public Listener {
 public:
  // A request to this tenant, on whatever TCP connection. After `accept`, on_open() follows once
  // the WebSocket stands.
  virtual HttpAnswer on_http(const HttpRequest& request, TimePoint now) = 0;
  // A connection to `target` (or as whom on_http() accepted it); `welcomed` if somebody else has
  // said the first words already.
  virtual void on_open(ConnectionId connection, std::string_view target, bool welcomed,
                       TimePoint now) = 0;
  virtual void on_text(ConnectionId connection, std::string_view text, TimePoint now) = 0;
  virtual void on_closed(ConnectionId connection) = 0;
  // The same, for dialects that do something about it later.
  virtual void on_closed_at(ConnectionId connection, TimePoint /*now*/) { on_closed(connection); }

  virtual void set_faults(const Faults& faults, TimePoint now) = 0;
  virtual void happen(const Incident& incident, TimePoint now) = 0;
  virtual const Faults& faults() const = 0;

  virtual TimePoint deadline() const = 0;
  virtual void advance(TimePoint now) = 0;

  // As on the wire.
  virtual std::string id_of(const Leg& leg) const = 0;
  virtual const Counters& counters() const = 0;
  virtual std::vector<ConnectionInfo> connections() const = 0;
  virtual std::vector<AgentInfo> agents() const { return {}; }
};

}  // namespace simulator::engine
