#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/engine/clock.h"
#include "simulator/engine/pattern.h"
#include "simulator/engine/types.h"

namespace simulator::vodia {

using engine::Clock;
using engine::ExtensionPattern;

// The servers that are known well enough: of 2016, 67.0 and 70.3.
enum class Profile : std::uint8_t { legacy2016, v67, v70 };

// What the vendor's documentation leaves open, or what servers do one way or another. The defaults
// are what its examples show.
struct Variants {
  enum class Booleans { native, text };
  enum class Times { text, number };       // start and connect
  enum class Parties { name_addr, bare };  // from and to
  enum class OneCall { list, object };     // "calls" when there is exactly one
  enum class StateKey { profile, state, callstate };
  enum class Token { quoted, bare, object };  // the answer to a third-party login
  enum class Logout { close, quiet };         // what becomes of the session's sockets
  enum class Cancel { key, action };          // how a caller's giving up is told to WebRTC

  Booleans booleans = Booleans::native;
  Times times = Times::text;
  Parties parties = Parties::name_addr;
  OneCall one_call = OneCall::list;
  StateKey state_key = StateKey::profile;
  Token token = Token::quoted;
  Logout logout = Logout::close;
  Cancel cancel = Cancel::key;
  bool ringing_mark = true;           // '*' before the extensions that ring
  bool password_login = true;         // false: only third-party tokens
  bool candidate_pairs = false;       // "adr" in ICE candidates
  bool same_call_id = false;          // WebRTC frames use the id of the call lists
  bool code_in_bye = false;           // also of calls that end well
  std::optional<bool> domain_state;   // pushed and answered; by default not from 69 on
  std::optional<bool> subscriptions;  // own-calls, domain-calls, …; by default from 69 on
  std::optional<bool> phone_control;  // make-call, hold-call, …; by default not from 69 on
};

// Sets one of them. Returns what is wrong, in words, or nothing.
std::string set_variant(Variants& variants, std::string_view name, std::string_view value);
std::vector<std::string_view> variant_names();

// An account that is no extension: a queue, a ring group, a park orbit.
struct Account {
  std::string number, type, name;
};
inline constexpr std::string_view kExtensions = "extensions";
inline constexpr std::string_view kOrbits = "orbits";

inline constexpr std::size_t kMarkSize = 4;
// The mark of the tenant at that place: another one for each of the first millions.
std::string mark_of(std::size_t index);

struct Settings {
  Profile profile = Profile::v70;
  std::string version;  // empty: the profile's own
  std::string domain;
  // The first characters of the tenant's session ids and tokens. They tell whose a cookie is, where
  // many tenants share a port.
  std::string mark = "S000";
  std::string admin_user = "admin", admin_password = "admin-demo";  // of the whole system
  std::string tenant_password = "tenant-demo";                      // of admin@{domain}
  ExtensionPattern password{"agent-", ""}, name{"Extension ", ""};
  std::vector<std::string> second_factor;  // extensions that need one
  std::string second_factor_code = "123456";
  std::vector<Account> accounts;
  engine::Millis idle_timeout{120'000};
  engine::Millis token_life{10'000};
  engine::Millis push_delay{0};  // changes that are closer together come in one list
  Variants variants;
  Clock clock;
  std::uint64_t seed = 1;

  bool modern() const { return profile == Profile::v70; }
  bool has_domain_state() const { return variants.domain_state.value_or(!modern()); }
  bool has_subscriptions() const { return variants.subscriptions.value_or(modern()); }
  bool has_phone_control() const { return variants.phone_control.value_or(!modern()); }
  std::string server() const;  // of the HTTP header: "PBX/70.3"
  // extensions, unless it is one of `accounts`.
  std::string_view type_of(std::string_view number) const;
  std::string name_of(std::string_view number) const;
};

}  // namespace simulator::vodia
