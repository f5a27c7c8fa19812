#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "simulator/engine/clock.h"
#include "simulator/engine/pattern.h"
#include "simulator/engine/types.h"

namespace simulator::innovaphone {

using engine::Clock;
using engine::ExtensionPattern;

// The firmwares the protocol is described for.
enum class Profile : std::uint8_t { v13r1, v13r2, v13r3, v14r1 };
std::string_view name_of(Profile profile);  // "13r1"

// What the vendor's documentation leaves open, or what PBXs do one way or another. The defaults are
// what is known, or else what is likeliest.
struct Variants {
  enum class Challenge { hex, number };          // a text of hex digits, or a JSON number
  enum class Failure { bare, ok_false, error };  // an AppLoginResult that refuses
  enum class Ungranted { silent, error };        // requests to an API that is not granted
  enum class ForeignUsers { listed, hidden };    // users of the tenant's other PBXs
  enum class TransferConf { joined, kept };      // whose conf the consultation's far end has after

  Challenge challenge = Challenge::hex;
  Failure failure = Failure::bare;
  Ungranted ungranted = Ungranted::silent;
  ForeignUsers foreign_users = ForeignUsers::listed;
  TransferConf transfer_conf = TransferConf::joined;
  bool close_refused = false;    // the socket, after a login that failed
  bool running_calls = true;     // told after UserInitialize
  bool own_phone_first = false;  // UserCall rings it, as with phones of other makers
  bool keep_alive = true;        // is answered
  bool presence_dnd = true;      // presence `dnd` refuses calls
  bool app_info_first = false;   // before PbxInfo, on sockets this PBX opens
};

// Sets one of them. Returns what is wrong, in words, or nothing.
std::string set_variant(Variants& variants, std::string_view name, std::string_view value);
std::vector<std::string_view> variant_names();

// What an app logs in as, and may do.
struct AppObject {
  std::string name, password = "innovaphone-demo";
  std::vector<std::string> apis{"RCC", "PbxTableUsers", "PbxAdminApi", "PbxApi"};  // granted
  std::vector<std::string> users;  // whom it is assigned to, by number; empty: everybody
  std::vector<std::string> group;  // of whose groups it is an active member; empty: everybody
  std::string url;                 // for dialling out
  bool websocket = false;          // dial it
  bool unlicensed = false;
};
inline constexpr std::string_view kApis[] = {"RCC",       "PbxTableUsers", "PbxAdminApi",
                                             "PbxApi",    "Services",      "PbxImpersonation",
                                             "PbxSignal", "EpSignal",      "PbxMessages"};

// One of the tenant's PBXs: where it answers, and who lives there.
struct PbxSettings {
  std::string name = "master";
  std::string module = "PBX0";     // answers at /{module}/APPS/websocket
  std::vector<std::string> users;  // by number; those that are nobody's are the first one's
};

struct Settings {
  Profile profile = Profile::v13r3;
  std::string domain;  // the system's name
  std::string host = "pbx.example.com";
  std::vector<AppObject> apps;
  std::vector<PbxSettings> pbxs{PbxSettings{}};
  ExtensionPattern cn{"User ", ""}, dn{"User ", ""}, h323{"user", ""};
  ExtensionPattern password{"agent-", ""};  // of a user that logs in as such
  std::size_t challenge_size = 16;          // characters
  std::size_t park_positions = 8;
  std::size_t list_size = 50;        // users that Initialize tells per tick
  engine::Millis redial{2'000};      // of sockets this PBX opens
  std::string ca_file;               // whom to trust then; empty: everybody
  std::string area, country = "49";  // of its node
  Variants variants;
  Clock clock;
  std::uint64_t seed = 1;

  const AppObject* app(std::string_view name) const;
  // Of the PBX that answers there; npos: none.
  std::size_t pbx_at(std::string_view path) const;
};

// An engine's orbit that stands for a position where calls are parked.
std::string park_orbit(std::size_t position);

}  // namespace simulator::innovaphone
