#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "call/model.h"
#include "pbx/webitel/socket.h"

// What comes on a socket: Webitel's JSON. Sections in brackets are webitel.md's.
namespace pbx::webitel {

// Longer ones are cut; a longer id makes what it is of unreadable.
inline constexpr std::size_t kTextMax = 256, kIdMax = 128;

// One end of a leg (3.4). All but the number may be missing, where numbers are masked.
struct End {
  std::string type;  // "user", "dest", "gateway", or nothing
  std::string number, name, id;

  bool operator==(const End&) const = default;
};

enum class Way { unknown, inbound, outbound };  // from the leg's own point of view

// What `hello` tells (1.4).
struct Hello {
  std::string user, domain, domain_name, version;
  std::int64_t ping_interval = 0;  // milliseconds; 0: none is wanted
};

// An event of one leg (3.2 to 3.4).
struct LegEvent {
  enum class Kind {
    ringing,
    progress,
    active,
    bridge,
    hold,
    dtmf,
    eavesdrop,
    update,
    hangup,
    other
  };
  Kind kind = Kind::other;
  std::string name;  // as it is called
  std::string id, user, app_id;
  std::int64_t told_at = 0;  // by the media node's clock

  // ringing, and partly bridge
  Way way = Way::unknown;
  std::string destination, parent, bridged, queue;
  End from;
  std::optional<End> to;
  bool originate = false;

  // hangup
  std::string cause, hangup_by, transfer_to, transfer_from;
  std::optional<int> sip;
};

// Tokens of a user's presence: "sip,web" or "{sip,web}" (4.1).
struct UserState {
  std::string user, status;
};
// An agent's state, from an event (4.3).
struct AgentStatus {
  std::string agent, user, status, payload;
};
// What the agent does on one of his channels.
struct AgentChannel {
  std::string agent, user, channel, status;
};
// The session has become invalid (2.3).
struct SocketError {
  unsigned code = 0;
  std::string id;
};
// An event that the gateway has no use for.
struct Aside {
  std::string name;
};
// Four NUL bytes, against proxies that end silent connections (1.3).
struct Filler {};

// An event. `seq` counts all of a socket's, `hello` being 0.
struct Push {
  std::optional<std::uint64_t> seq;
  std::variant<Hello, LegEvent, UserState, AgentStatus, AgentChannel, SocketError, Aside> what;
};
using Frame = std::variant<Filler, SocketReply, Push>;

// One text message. bad_frame if it is not one JSON object, or is neither a reply nor an event, or
// an event lacks what makes it one: a leg its id.
base::Result<Frame> parse(std::string_view text);

// Whether `token` is one of the words between commas: "{sip,web}" has "sip".
bool has_token(std::string_view status, std::string_view token);

// What an agent does, by his status and the state of his channel for calls, which counts only while
// he is there (7.2). The channel's word may be empty.
call::AgentState agent_state_of(std::string_view status, std::string_view channel);

}  // namespace pbx::webitel
