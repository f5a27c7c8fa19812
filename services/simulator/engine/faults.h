#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulator/engine/types.h"

namespace simulator::engine {

// What is wrong with a tenant's PBX, until it is taken back. In no vendor's words; each dialect
// does what fits its protocol. The default is a healthy PBX.
struct Faults {
  enum class Actions : std::uint8_t { execute, ignore, error };
  enum class NewCall : std::uint8_t { normal, missing, late };
  static constexpr std::uint32_t kAlways = UINT32_MAX;

  bool refuse_connections = false;  // connect attempts are refused; own listener only
  bool no_welcome = false;      // who has logged in is not told what there is; own listener only
  std::uint32_t forbidden = 0;  // this many logins are refused; kAlways
  std::uint32_t drop_before_init = 0;  // so many connections are lost between login and state
  bool silent = false;  // half-open: nothing is read, answered or sent, on connections old and new
  Millis delay{0};      // every frame comes this much later
  std::uint32_t duplicate = 0;        // every n-th event comes twice; 0: none
  Millis reorder_hangup{0};           // call-states come so much later, so hang-ups overtake them
  std::uint32_t noise_every = 0;      // after every n-th event comes a frame nobody understands
  std::uint32_t init_extensions = 0;  // at least so many in the first picture; 0: as there are
  Actions actions = Actions::execute;
  NewCall new_call = NewCall::normal;
  Millis new_call_delay{500};  // if late

  // Of PBXs with an HTTP side, and of those that send lists of calls instead of events.
  std::uint32_t login_not_found = 0;    // so many logins are told that there is no such account
  Millis login_delay{0};                // a login's answer comes this much later
  std::uint32_t refuse_upgrades = 0;    // so many upgrades to WebSocket are refused
  std::uint32_t drop_requests = 0;      // so many HTTP requests end in a TCP reset
  std::uint32_t truncated_replies = 0;  // so many HTTP replies end in the middle
  std::uint32_t double_entries = 0;     // so many lists have every entry twice
  std::uint32_t missing_entries = 0;    // so many lists leave out a call that is alive

  // Of PBXs whose clients log in with a digest, and get answers besides events.
  Millis results_late{0};         // answers come this much later than what they lead to
  bool two_devices = false;       // what rings at a user rings at another device as well
  bool missing_conf = false;      // the first that is told of a call does not say which it is
  bool unknown_messages = false;  // news of calls come with a word that nobody knows
  bool unknown_updates = false;   // and so do news of users
  // Of sockets that the PBX itself opens.
  std::uint32_t wrong_digest = 0;       // so many logins have a digest that does not fit
  std::uint32_t replayed_login = 0;     // so many are one that was right for an earlier challenge
  std::uint32_t persons_login = 0;      // so many are not the PBX's own, but somebody's
  std::uint32_t wrong_domain = 0;       // so many name another system
  bool no_login = false;                // they say nothing at all
  std::uint32_t duplicate_sockets = 0;  // so many more at once of each

  // Of PBXs whose clients log in with a token, and subscribe to numbered events.
  std::uint32_t unlicensed = 0;         // so many logins are refused for want of a licence
  std::uint32_t login_unavailable = 0;  // so many because nobody can tell whose a token is
  std::uint32_t lost_events = 0;        // so many events are numbered, and never sent
  std::uint32_t late_answers = 0;  // every n-th answer comes a second later; others overtake it
  bool text_data = false;          // the data of calls' events is a text, as on the inside
  bool filler = false;             // a frame of four NULs after each event

  bool operator==(const Faults&) const = default;
};

// A frame to spoil the day with, now.
enum class Noise : std::uint8_t {
  unknown_action,
  unknown_type,
  invalid_json,
  not_an_object,
  truncated,
  oversized,
};

// What becomes of the sockets of a session that is no more.
enum class Revoke : std::uint8_t { none, close, quiet };

// What happens once, now.
struct Incident {
  Revoke revoke = Revoke::none;  // of all sessions
  bool drop_all = false;         // TCP connections end without a word
  bool restart = false;          // drop_all, and everything has other ids afterwards
  bool calls_survive = false;
  bool lose_subscriptions = false;  // nobody is told anything any more, until it subscribes again
  bool close_empty = false;         // all sockets are closed, without a status
  std::vector<Noise> noise;
  std::size_t oversized_bytes = 5 << 20;
};

}  // namespace simulator::engine
