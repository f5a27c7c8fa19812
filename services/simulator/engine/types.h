#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What is true in a simulated PBX, in no vendor's words. Dialects turn it into frames.
namespace simulator::engine {

using TimePoint = std::chrono::steady_clock::time_point;
using Millis = std::chrono::milliseconds;

// Never reused within a tenant; 0 is none.
using CallId = std::uint64_t;
using LegId = std::uint64_t;

// A position in Tenant::extensions().
using ExtensionIndex = std::uint32_t;
inline constexpr ExtensionIndex kOutside = UINT32_MAX;

enum class LegState : std::uint8_t {
  initial,    // created, nothing has happened yet
  dialing,    // the caller: the number is on its way
  ring_back,  // the caller: the far end rings
  ringing,    // this device rings
  up,         // talking, or on hold
  busy,       // the caller hears the busy tone
};
std::string_view name_of(LegState state);

// What an extension's lamp would show. The values are Asterisk's, for want of better ones.
enum class Status : std::uint8_t {
  idle = 0,
  in_use = 1,
  busy = 2,
  unavailable = 4,
  ringing = 8,
  in_use_ringing = 9,
  hold = 16,
  in_use_hold = 17,
};
std::string_view name_of(Status status);

// Why a leg ended; the values are Q.850's.
enum class Cause : std::uint8_t {
  unallocated = 1,
  normal = 16,
  busy = 17,
  no_answer = 19,
  absent = 20,
  rejected = 21,
  elsewhere = 26,
  congestion = 34,
};

// One device's part in a call. Lives until the device hangs up or is hung up on.
struct Leg {
  LegId id = 0;
  CallId call = 0;
  CallId first_call = 0;  // where it began: transfers and conferences move it
  ExtensionIndex extension = kOutside;
  std::string number;  // the extension's, or the outside party's
  bool outgoing = false;
  LegState state = LegState::initial;
  bool held = false;       // by this device
  bool recording = false;  // of this leg
  bool callback = false;   // rang this device first, before the number it wants is dialled
  bool connected = false;  // has talked to a far end
  std::string from, to;    // as this device's display shows them
  std::string did_from, did_to;
  TimePoint created, call_created;  // of itself, and of its first call
};

// What the far end does by itself.
enum class Outcome : std::uint8_t { answer, busy, no_answer, reject, unallocated, congestion };
std::string_view name_of(Outcome outcome);
std::optional<Outcome> outcome_from(std::string_view name);

// How a call goes on without anybody telling it to.
struct Plan {
  Outcome outcome = Outcome::answer;
  std::optional<Millis> answer_after;  // none: rings until told, or until the ring timeout
  std::optional<Millis> duration;      // from the answer on; none: until told
  bool direct = false;                 // whatever the called extension's forwardings say
};

struct Call {
  CallId id = 0;
  std::vector<LegId> legs;  // oldest first
  TimePoint created;
  bool transferred = false;
  bool conference = false;
  std::string transferred_by, transferred_to;  // the last time
  std::vector<std::string> diverted_by;        // where it was forwarded or deflected, first to last
  Plan plan;
  std::uint64_t end_timer = 0;  // the one that counts, of those that would end the call
};

// Where calls to an extension go instead. Empty: nowhere.
struct Forwarding {
  std::string always, busy, no_answer;
};

struct Extension {
  std::string number;
  std::vector<LegId> legs;  // oldest first
  Forwarding forwarding;
  bool registered = true;
  bool do_not_disturb = false;
  bool forced_busy = false;
  bool orbit = false;  // nobody's: calls are parked there
  Status status = Status::idle;
};

// How something came about.
enum class Manner : std::uint8_t {
  plain,
  own,          // the device itself ends its leg
  transferred,  // by the device whose leg ends, or away from it
  parked,       // the same, to a park orbit
  diverted,     // forwarded or deflected from here to somewhere else
  picked_up,    // here, or from here
  conference,   // what the device's two calls have become
};

// What dialects are told, right after it happened and in order. The pointers hold for the call of
// on_change() only.
struct Change {
  enum class Kind : std::uint8_t {
    status,          // extension
    do_not_disturb,  // extension
    leg_added,       // leg, call, and extension unless it is an outside party's, as for all below
    leg_state,       //
    leg_ended,       // with `cause`; the leg is still whole
    held,            //
    retrieved,       //
    record_started,  //
    record_stopped,  //
    joined,          // the leg has, or will have, somebody else to talk to: transfers, conferences
    forwarding,      // extension
    dialled,         // further digits, in overlap; the leg's `to` has all of them
  };
  Kind kind;
  TimePoint at;
  ExtensionIndex extension = kOutside;
  const Call* call = nullptr;
  const Leg* leg = nullptr;
  Cause cause = Cause::normal;
  Manner manner = Manner::plain;
};

// Must not call back into the tenant.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void on_change(const Change& change) = 0;
};

}  // namespace simulator::engine
