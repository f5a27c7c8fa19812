#pragma once

#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "simulator/engine/types.h"

namespace simulator::engine {

// What the far end of a call does that was started through the PBX's own protocol, where nobody
// else says so.
struct AnswerRule {
  std::string to;  // a number, or the beginning of one with '*' after it
  Plan plan;
};

struct TenantOptions {
  std::vector<std::string> extensions;  // their numbers
  std::vector<std::string> orbits;      // further ones where calls are parked
  std::size_t lines = 2;  // calls an extension may have at once; further ones get busy
  std::size_t calls_max = 100'000;
  std::size_t outside_digits_min = 6;  // shorter numbers that are no extension are unallocated
  Millis ring_timeout{60'000};
  Millis busy_tone{1'500};                     // how long a caller listens to it
  Millis post_dial{500};                       // until an outside number rings
  std::optional<Millis> callback_answer{800};  // the own phone, at a call-back; none: never
  std::vector<AnswerRule> answers;             // the first that fits; none: after 3 s
  bool record_all = false;                     // every leg of an extension, from the answer on
  std::string did_prefix;  // an extension's public number is this and its number; empty: none
};

// The calls and extensions of one tenant, as they really are. Pure: no clock, no sockets, no
// randomness; time is an argument and never goes back. Devices are named by extension or outside
// number. Of several legs that could be meant, the newest is, unless `leg` says which. Not
// thread-safe.
//
// A call's life: the caller's leg is `initial`, then `dialing` and `ring_back`, while the callee's
// is `ringing`; `up` both from the answer on. With call-back the caller's leg is first `ringing`
// and `up` at the own phone, and then goes through the same again. Once fewer than two legs are
// left the rest is hung up on.
class Tenant {
 public:
  static constexpr std::size_t kExtensionsMax = 100'000;  // for add_extension()

  Tenant(TenantOptions options, Listener& listener);

  // Errors of all operations: device_not_found, call_not_found, incorrect_state (the leg's state
  // does not allow it), device_out_of_service (not registered), invalid_argument (a number that is
  // none), too_many_requests (calls_max).

  // Somebody dials, on an extension or outside.
  base::Result<LegId> originate(std::string_view from, std::string_view to, const Plan& plan,
                                TimePoint now);
  // Rings the extension first, and dials `to` when that is answered: by itself after a while,
  // unless the phone is not asked to.
  base::Result<LegId> call_back(std::string_view extension, std::string_view to, const Plan& plan,
                                TimePoint now, bool by_itself = true);
  // The receiver is lifted, and digits follow: the call begins once they are an extension's number,
  // or as long as an outside one.
  base::Result<LegId> seize(std::string_view extension, TimePoint now);
  base::Error dial(std::string_view extension, std::string_view digits, TimePoint now,
                   LegId leg = 0);
  base::Error answer(std::string_view device, TimePoint now, LegId leg = 0);
  // Without a cause: `rejected` if it rings, else `normal`.
  base::Error hang_up(std::string_view device, TimePoint now, LegId leg = 0,
                      std::optional<Cause> cause = std::nullopt);
  base::Error hold(std::string_view device, TimePoint now, LegId leg = 0);
  base::Error retrieve(std::string_view device, TimePoint now, LegId leg = 0);
  // The other party rings at `to`; the device is out of the call.
  base::Error transfer(std::string_view device, std::string_view to, const Plan& plan,
                       TimePoint now, LegId leg = 0);
  // Joins the parties of the device's two calls (one may still ring there); it is out of both.
  base::Error attended_transfer(std::string_view device, TimePoint now);
  // Joins the device's two calls, with itself in it.
  base::Error conference(std::string_view device, TimePoint now);
  // Sends what rings here to `to`.
  base::Error deflect(std::string_view device, std::string_view to, const Plan& plan, TimePoint now,
                      LegId leg = 0);
  // Answers at `extension` what rings at `ringing`, or what is parked there.
  base::Error pick_up(std::string_view extension, std::string_view ringing, TimePoint now);
  // Goes on at `extension` with the call that `from` has: out of a park orbit.
  base::Error take_over(std::string_view extension, std::string_view from, TimePoint now);
  base::Error record(std::string_view device, bool on, TimePoint now, LegId leg = 0);

  base::Error set_registered(std::string_view extension, bool on, TimePoint now);
  base::Error set_do_not_disturb(std::string_view extension, bool on, TimePoint now);
  base::Error set_forced_busy(std::string_view extension, bool on, TimePoint now);
  base::Error set_forwarding(std::string_view extension, Forwarding forwarding, TimePoint now = {});

  // One more, at the end of extensions(), where a PBX's clients can set up such; its phone is there
  // at once. invalid_argument without digits only, already_exists, too_many_requests
  // (kExtensionsMax).
  base::Result<ExtensionIndex> add_extension(std::string_view number);

  // All calls vanish without a word, as in a crash.
  void forget_calls();
  // All calls get other ids from now on, as after a restart that they survived.
  void renew_ids() { ++generation_; }

  // What happens by itself (answers, timeouts): due at deadline(), done by advance().
  TimePoint deadline() const;
  void advance(TimePoint now);

  const std::vector<Extension>& extensions() const { return extensions_; }
  const Extension& extension(ExtensionIndex index) const { return extensions_[index]; }
  ExtensionIndex find_extension(std::string_view number) const;  // kOutside: none of that number
  const Leg* find_leg(LegId id) const;
  const Call* find_call(CallId id) const;
  const Leg* partner_of(const Leg& leg) const;  // the first other leg of its call
  std::vector<const Call*> calls() const;       // oldest first
  std::size_t call_count() const { return calls_.size(); }
  std::uint64_t generation() const { return generation_; }
  std::uint64_t changes() const { return changes_; }
  Millis post_dial() const { return options_.post_dial; }

  // By options.answers.
  Plan plan_for(std::string_view to) const;

 private:
  struct Timer {
    enum class Kind : std::uint8_t { answer, give_up, reject, progress, end };
    TimePoint at;
    std::uint64_t order;
    Kind kind;
    std::uint64_t id;  // of the leg, or of the call for `end`
    bool operator>(const Timer& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  void tell(Change::Kind kind, const Leg& leg, TimePoint now, Cause cause = Cause::normal);
  void set_state(Leg& leg, LegState state, TimePoint now);
  void set_held(Leg& leg, bool held, TimePoint now);
  void set_recording(Leg& leg, bool on, TimePoint now);
  void settle(ExtensionIndex index, TimePoint now);
  std::uint64_t schedule(Timer::Kind kind, TimePoint at, std::uint64_t id);
  void schedule_end(Call& call, TimePoint at);
  void fire(const Timer& timer);

  Call& add_call(const Plan& plan, TimePoint now);
  Leg& add_leg(Call& call, ExtensionIndex extension, std::string_view number, bool outgoing,
               std::string_view from, std::string_view to, TimePoint now, bool callback = false);
  void end_leg(Leg& leg, Cause cause, TimePoint now);
  void end_rest(CallId id, Cause cause, TimePoint now);
  void hang_up_leg(Leg& leg, Cause cause, TimePoint now, Manner manner = Manner::plain);
  void answer_leg(Leg& leg, TimePoint now);
  void route(Call& call, Leg& caller, std::string_view to, TimePoint now, int forwards = 0);
  void ring(Call& call, Leg& caller, Leg& callee, TimePoint now);
  void refuse(Call& call, Leg& caller, Cause cause, TimePoint now);
  void hold_others(const Leg& leg, TimePoint now);
  void move_legs(CallId from, Call& to);
  base::Error may_call(const Extension& extension) const;

  Leg* leg_of(LegId id);
  // The leg of `device` that `fitness` (0: does not fit) likes best, or `leg` if it fits.
  base::Result<Leg*> pick(std::string_view device, LegId leg, int (*fitness)(const Leg&));
  base::Result<std::pair<Leg*, Leg*>> two_legs(std::string_view device);
  base::Result<Extension*> extension_named(std::string_view number);
  bool is_number(std::string_view text) const;

  TenantOptions options_;
  Listener& listener_;
  std::vector<Extension> extensions_;
  std::vector<ExtensionIndex> by_number_;  // sorted by it
  std::unordered_map<CallId, Call> calls_;
  std::unordered_map<LegId, Leg> legs_;
  std::unordered_map<std::string, std::vector<LegId>> outside_;  // by number
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  CallId last_call_ = 0;
  LegId last_leg_ = 0;
  std::uint64_t last_timer_ = 0;
  std::uint64_t generation_ = 0;
  Manner manner_ = Manner::plain;  // of what is told
  std::uint64_t changes_ = 0;
};

}  // namespace simulator::engine
