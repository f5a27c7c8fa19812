#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "call/cause.h"
#include "call/model.h"

// The whole vocabulary of Innova360: one JSON object per WebSocket text message. The vendor's page
// names the fields, but neither their types nor their values, so each is read in every form that
// README.md lists. What the messages mean to each other is session.cc's and legs.cc's business.
namespace pbx::innova360 {

// Ids are never cut, because a cut id is another id: a message with a longer one is refused. What
// only people read is cut.
inline constexpr std::size_t kCallIdMax = 120;
inline constexpr std::size_t kExtensionMax = 64;
inline constexpr std::size_t kNumberMax = 128;
inline constexpr std::size_t kWordsMax = 120;

// ---- Said by the PBX. ----

struct Welcome {
  bool login_required = true;
};

// The answer to auth-plain. Its token is not kept: nothing needs it, and it is a secret.
struct AuthResp {
  bool ok = false;
  std::string extension;  // of an agent login; empty for a supervisor, as far as we know
};

// How far one leg is: Asterisk's channel states.
enum class Step {
  unknown,
  down,
  reserved,
  off_hook,
  dialing,
  ring,     // the caller hears ring-back
  ringing,  // this extension rings
  up,
  busy,
  pre_ring,
};

struct ExtensionState {
  call::Availability availability = call::Availability::unknown;
  call::Activity activity = call::Activity::unknown;
  std::string raw;

  bool operator==(const ExtensionState&) const = default;
};

// The two ends of a leg, as the PBX tells them.
struct Ends {
  bool outgoing = false;         // from this extension
  std::string phone_a, phone_b;  // who calls whom
  std::string did_a, did_b;      // their public numbers; may be empty

  bool operator==(const Ends&) const = default;
};

// A leg within `init`.
struct LegState {
  std::string callid;
  Ends ends;
  Step step = Step::unknown;
  std::string bridge;  // a leg's or a bridge's id; empty if there is none, or only a flag
  bool hold = false;
};

struct Extension {
  std::string number;
  ExtensionState state;
  std::vector<LegState> legs;
};

// Everything there is: what is absent does not exist.
struct Init {
  std::vector<Extension> extensions;
};

struct NewCall {
  std::string extension, callid;
  Ends ends;
};
struct CallState {
  std::string extension, callid;
  Step step = Step::unknown;
};
struct Hangup {
  std::string extension, callid;
  call::Cause cause = call::Cause::unspecified;
  call::VendorCause vendor_cause;
};
struct MusicOnHold {
  std::string extension, callid;
  bool on = false;
};
struct Recording {
  std::string extension, callid;
  bool on = false;
};
struct ExtensionStatus {
  std::string extension;
  ExtensionState state;
};
// No such frame is documented; a PBX that sends one means our action.
struct ActionError {
  std::string words;
};
// Newer servers add messages, which is no reason to hang up.
struct Unknown {
  std::string type;  // with the action behind it: "update/start-fax"
};
using Frame = std::variant<Welcome, AuthResp, Init, NewCall, CallState, Hangup, MusicOnHold,
                           Recording, ExtensionStatus, ActionError, Unknown>;

// bad_frame if `text` is not a JSON object, or lacks an id that its type needs. Does not throw:
// these bytes come from the network, and tests/fuzz/innova360_codec_fuzz.cc feeds it worse.
base::Result<Frame> parse(std::string_view text);

// ---- Said to the PBX. ----

struct Call {
  std::string phone, custom_field1, custom_field2;  // the latter two are left out if empty
};
struct BlindTransfer {
  std::string callid, phone;
};
struct HangupCalls {
  std::vector<std::string> callids;
};
using Action = std::variant<Call, BlindTransfer, HangupCalls>;

std::string auth_plain(std::string_view user, std::string_view password);
std::string text_of(const Action& action);

// A number without the separators that people and PBXs write into it: what two spellings of the
// same number have in common.
std::string bare_number(std::string_view number);

}  // namespace pbx::innova360
