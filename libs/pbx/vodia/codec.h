#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

// What a Vodia PBX says on its WebSocket: one JSON object for each text message, in the words of
// all its generations. Booleans and numbers come bare or in quotes, calls as a list or as the only
// one, parties as a name-addr or in parts. What the messages mean to each other is calls.cc's and
// directory.cc's business.
namespace pbx::vodia {

// Ids are never cut, because a cut id is another id: what has a longer one is left out, and
// counted. What only people read is cut.
inline constexpr std::size_t kIdMax = 160;
inline constexpr std::size_t kNumberMax = 128;
inline constexpr std::size_t kNameMax = 120;
inline constexpr std::size_t kExtensionsMax = 64;     // in one call
inline constexpr std::size_t kCallsMax = 20'000;      // in one list
inline constexpr std::size_t kAccountsMax = 100'000;  // in one list

// One end of a call. An empty number is withheld or not told.
struct Address {
  std::string number, name;

  bool operator==(const Address&) const = default;
};

// How far a call is.
enum class Progress {
  setup,      // being set up, or ringing
  connected,  // talks
  holding,    // "this side put the other on hold"
  on_hold,    // "this side was put on hold"
  gone,       // said to be over; usually it is just not in the next list
};

// A call of a list.
struct CallEntry {
  std::string id;
  Address from, to;
  Progress progress = Progress::setup;
  bool answered = false;                // it is connected, or was
  std::vector<std::string> extensions;  // who takes part, without marks, each once
  std::optional<std::int64_t> start;    // microseconds since 1970
  std::optional<bool> recording;        // nothing: this server does not say
  std::string state;                    // as the PBX put it
  std::string matter;                   // client matter code

  bool operator==(const CallEntry&) const = default;
};

// The calls of a message, as texts: most are as they were in the list before, and a comparison of
// two texts is all that those cost. They live until this thread's next parse().
struct CallList {
  std::vector<std::string_view> entries;
  bool complete = true;  // false: longer than kCallsMax, and cut
};

// An account as a message or the REST directory has it. An empty optional: it does not say.
struct Account {
  std::string number, name;
  std::string type;  // "extensions", "acds", …; empty if it does not say
  std::optional<bool> registered, do_not_disturb, busy, agent_logged_on;
  std::optional<std::string> presence;
  std::vector<std::string> aliases;  // further numbers of the same account

  bool operator==(const Account&) const = default;
};

// Everything there is.
struct DomainState {
  std::vector<Account> accounts;
  std::optional<CallList> calls;
};
// One account changed.
struct UserState {
  Account account;
};
struct CallState {
  CallList calls;
};
// An extension that we watch.
struct Lamp {
  std::string number, state;
};
struct RecordingMark {
  std::string id;
  bool on = false;
};
// What a phone would have to answer to: media.h. The monitoring socket is none.
struct Signalling {
  std::string key;
};
// Known, and of no use to us.
struct Aside {
  std::string action;
};
// Newer servers add messages, which is no reason to hang up.
struct Unknown {
  std::string what;
};
using Frame = std::variant<DomainState, UserState, CallState, Lamp, RecordingMark, Signalling,
                           Aside, Unknown>;

// bad_frame if `text` is not a JSON object, or lacks what its action needs. Does not throw: these
// bytes come from the network, and tests/fuzz/vodia_codec_fuzz.cc feeds it worse.
base::Result<Frame> parse(std::string_view text);

// One entry of a CallList. bad_frame if it is no object or has no id that we could keep. Leaves the
// CallList as it is.
base::Result<CallEntry> parse_call(std::string_view text);

// The same from REST, where a list stands for itself.
base::Result<std::vector<Account>> parse_accounts(std::string_view body);
base::Result<std::vector<CallEntry>> parse_calls(std::string_view body);

// `"Ann" <sip:501@tenant.example;user=phone>`, `sip:501@…`, `501@…` or `501`.
Address address_of(std::string_view text);

// "*502" is an extension with a mark whose meaning nobody knows; "502@tenant" is 502. Empty if it
// is too long to keep.
std::string member_of(std::string_view text);

// A number without the separators that people and PBXs write into it: what two spellings of the
// same number have in common.
std::string bare_number(std::string_view number);
// Whether two of them, bare, may be the same: one may have a prefix for the outside line or the
// country.
bool is_same_number(std::string_view one, std::string_view other);

}  // namespace pbx::vodia
