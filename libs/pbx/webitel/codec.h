#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "pbx/webitel/socket.h"

// Webitel's JSON: what comes on sockets, and the REST lists that a tenant is watched by. Sections
// in brackets are webitel.md's.
namespace pbx::webitel {

// Longer ones are cut; a longer id makes what it is of unreadable.
inline constexpr std::size_t kTextMax = 256, kIdMax = 128;
// Of one list, and of one user's legs; what is beyond is not looked at.
inline constexpr std::size_t kItemsMax = 20'000;

// One end of a leg (3.4). All but the number may be missing, where numbers are masked.
struct End {
  std::string type;  // "user", "dest", "gateway", or nothing
  std::string number, name, id;

  bool operator==(const End&) const = default;
};

enum class Way { unknown, inbound, outbound };  // from the leg's own point of view
// The names of stored events, which are the states of legs in lists (3.1).
enum class Step { unknown, idle, ringing, progress, active, bridge, hold, amd, hangup };

// A leg as a list has it: an ActiveCall of REST's (5.3), or a CallItem of a socket's (3.1). Times
// are Unix milliseconds; 0: not yet.
struct LegRow {
  std::string id, app_id, parent, bridged;
  std::string user;  // a number; empty: nobody's, or not told
  Way way = Way::unknown;
  Step step = Step::unknown;
  std::string raw_step;
  std::string destination;
  End from;
  std::optional<End> to;
  std::int64_t told_at = 0;  // the stored event's own time
  std::int64_t created_at = 0, answered_at = 0, bridged_at = 0, hangup_at = 0;
  std::string queue;  // its name, or its id if it has none
};

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

// A page of a list. What it has no id for is counted, and left out.
template <class Item>
struct Page {
  std::vector<Item> items;
  std::size_t unread = 0;
  bool cut = false;   // it had more than kItemsMax
  bool next = false;  // there is another page
};
// ActiveCalls, or the `data` of the reply to subscribe_call. bad_frame if there is no list in it.
base::Result<Page<LegRow>> parse_legs(std::string_view text);

// A user of GET /call_center/users (5.2).
struct UserRow {
  std::string id, name, extension;
  std::string presence;  // as UserState::status
};
base::Result<Page<UserRow>> parse_users(std::string_view text);

// An agent of GET /call_center/agents.
struct AgentRow {
  std::string id, user, team, status, payload;
  std::string call_state;  // of his channel for calls; empty: not told
};
base::Result<Page<AgentRow>> parse_agents(std::string_view text);

// A token of GET /users/{id}/tokens, or the one that POST there has made. Secret.
struct TokenRow {
  std::string id, usage, token;
};
base::Result<Page<TokenRow>> parse_tokens(std::string_view text);
base::Result<TokenRow> parse_token(std::string_view text);

// Whether `token` is one of the words between commas: "{sip,web}" has "sip".
bool has_token(std::string_view status, std::string_view token);

}  // namespace pbx::webitel
