#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/engine/clock.h"
#include "simulator/engine/pattern.h"
#include "simulator/engine/types.h"

namespace simulator::webitel {

using engine::Clock;
using engine::ExtensionPattern;
using engine::Millis;

// What the vendor's sources leave open, or what servers do one way or another. The defaults are
// what its public sources of 2026 do.
struct Variants {
  enum class RestStatus { grpc, code };  // HTTP status of the engine's 404, 412, …: 500, or that
  enum class Defaults { shown, omitted };     // values that are nothing, in answers of the engine
  enum class Finished { hidden, shown };      // legs that have just ended, in GET /calls/active
  enum class Dtmf { same, none };             // whether a `dtmf` event follows call_dtmf
  enum class Unauthenticated { now, older };  // code 500, or 401
  enum class WebToken { web, wss };           // how presence says that a socket is open

  RestStatus rest_status = RestStatus::grpc;
  Defaults defaults = Defaults::shown;
  Finished finished = Finished::hidden;
  Dtmf dtmf = Dtmf::same;
  Unauthenticated unauthenticated = Unauthenticated::now;
  WebToken web_token = WebToken::web;
  bool progress = false;  // the event; SDKs before 26 throw on it
  bool latency = true;    // ping tells server_ts
};

// Sets one of them. Returns what is wrong, in words, or nothing.
std::string set_variant(Variants& variants, std::string_view name, std::string_view value);
std::vector<std::string_view> variant_names();

// What somebody may do with objects of a class ("calls"): "crud", or a part of it.
using Permissions = std::map<std::string, std::string>;
// All classes there are, with everything allowed.
Permissions all_permissions();
inline constexpr std::string_view kScopes[] = {"calls", "cc_agent", "users", "devices", "license",
                                               "record_file", "cc_team", "roles",
                                               // Actions: who may read them, may do that.
                                               "playback_record_file", "view_cdr_phone_numbers"};

inline constexpr std::string_view kCallCenter = "CALL_CENTER", kChat = "CHAT";

struct Settings {
  std::string domain = "office.example";
  std::int64_t domain_id = 1;
  // The user that the gateway is: has no extension.
  std::string service_user = "gateway", service_password = "gateway-demo", token = "gateway-token";
  ExtensionPattern user_token{"token-", ""};  // of an extension's user
  ExtensionPattern password{"agent-", ""}, name{"User ", ""};
  std::vector<std::string> agents;      // extensions whose users are agents
  std::vector<std::string> unassigned;  // extensions that nobody has yet
  std::vector<std::string> unlicensed;  // extensions whose users have no licence
  std::vector<std::string> products{"CALL_MANAGER", std::string(kCallCenter)};  // licensed
  Permissions permissions = all_permissions();  // the service user's
  Permissions user_permissions{{"calls", "crud"}, {"cc_agent", "ru"}, {"users", "r"}};
  std::string media_node = "fs-01", engine_node = "engine-01", version = "26.04";
  Millis ping_interval{0};     // that hello asks for; 0: nothing is said of it
  Millis token_cache{30'000};  // a token that is revoked is good for so long
  Millis auth_deadline{20'000};
  Millis bind_delay{0};        // from the answer to subscribe_call until there are events
  Millis agent_check{30'000};  // whether agents have anything that could ring
  Variants variants;
  Clock clock;
  std::uint64_t seed = 1;
};

}  // namespace simulator::webitel
