#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pbx/webitel/codec.h"

// The lists that a tenant is watched by: REST's, and that of a user's legs, which comes on his
// socket. Sections in brackets are webitel.md's.
namespace pbx::webitel {

// Of one list, and of one user's legs; what is beyond is not looked at.
inline constexpr std::size_t kItemsMax = 20'000;

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

// A page of a list. What has no id is counted, and left out; so is a user, agent or token whose id
// is no number: their ids go into paths.
template <class Item>
struct Page {
  std::vector<Item> items;
  std::size_t unread = 0;
  bool cut = false;   // it had more than kItemsMax
  bool next = false;  // there is another page
};
// ActiveCalls, or the `data` of the reply to subscribe_call. bad_frame if there is no list in it.
base::Result<Page<LegRow>> parse_legs(std::string_view text);

// How much the absence from a list of the tenant's says.
enum class Coverage {
  whole,  // it is gone
  paged,  // it may have slipped from one page to the other: the next list says
  cut,    // nothing: there was more than we read
};

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

// The usage of the tokens that we make: what we know them by, and delete them.
inline constexpr std::string_view kOwnUsage = "pbx-gateway";

// A token of GET /users/{id}/tokens, or the one that POST there has made. Secret.
struct TokenRow {
  std::string id, usage, token;
};
base::Result<Page<TokenRow>> parse_tokens(std::string_view text);
base::Result<TokenRow> parse_token(std::string_view text);

}  // namespace pbx::webitel
