#pragma once

#include <chrono>
#include <span>
#include <string>

#include "pbx/vendor.h"
#include "simulator/stage.h"

// What the suite has to know of a vendor's PBX, and all that a new vendor adds: one file that makes
// a Bench, or several for generations that differ in what they tell, and their rows in bench.cc.
// The tests themselves name no vendor.
namespace conformance {

// Of a scenario (a name in scenarios.cc): what this vendor tells instead, and why it cannot tell
// what the scenario expects.
struct Otherwise {
  const char* scenario;
  const char* told;  // as Scenario::told
  const char* why;   // a sentence
};

// Of a scenario: why nobody can see it at this vendor's PBX, or do it there. If the simulator's
// phones can do it all the same it is run, but only what holds for every dialogue is checked.
struct NotOffered {
  const char* scenario;
  const char* why;  // a sentence
  // What is told of it depends on when the PBX is asked, so that two runs are not alike. The state
  // that is believed in the end has to be true all the same.
  bool unsteady = false;
};

// What stays invisible in this vendor's protocol until the next snapshot: the truth is compared
// without it. A vendor that tells everything says nothing here.
struct BlindSpots {
  // Who talks to whom after an attended transfer or a conference: the parties stay in the calls
  // where they began.
  const char* joins = nullptr;
  // A party outside in a call that was transferred.
  const char* outside_of_transfers = nullptr;
  // Whether a leg is being recorded, in a snapshot.
  const char* recording_in_snapshots = nullptr;
  // That anything is recorded.
  const char* recordings = nullptr;
  // Which of the extensions in a call is recorded.
  const char* recorders = nullptr;
  // Which of two extensions holds their call, or whether it is on hold at all.
  const char* holder = nullptr;
  // Calls in which nobody of ours takes part any more.
  const char* outside_calls = nullptr;
  // Who called whom in a call that was joined out of several.
  const char* roles_of_joined = nullptr;
  // Who is in a conference beyond its two ends.
  const char* third_parties = nullptr;
  // That it is a conference: it stays a call for each of the parties that one phone has joined.
  const char* conferences = nullptr;
  // That a call has failed, while the caller hears the tone.
  const char* failures = nullptr;
  // Where a call is parked.
  const char* parked_at = nullptr;
  // That a device refuses calls.
  const char* refusing = nullptr;
};

// Another way in which a PBX of this vendor may put the same things.
struct Variant {
  const char* name;
  void (*apply)(simulator::TenantSettings& office);
};

struct Bench {
  const char* name;    // of the PBX; of one word
  const char* vendor;  // pbx::Vendor::name
  // The PBX: fills in what is the vendor's own (logins, variants) around an office of everybody's.
  void (*equip)(simulator::TenantSettings& office);
  // The adapter's settings that let it into that PBX; the rest stays as the vendor's rows say.
  // Every extension of the office can act.
  void (*configure)(pbx::Settings& settings, std::span<const std::string> extensions);
  BlindSpots blind_spots = {};
  std::span<const Otherwise> otherwise = {};
  std::span<const NotOffered> not_offered = {};
  // Services of the vendor's that this PBX lacks: whoever asks for one is told so.
  std::span<const call::Service> lacks = {};
  // Where a call is parked that a command parks.
  const char* slot = "700";
  // It is the PBX that dials. Until it has, there is a session that waits, and nothing has ended.
  bool dials = false;
  // Why it answers no command that it does not carry out.
  const char* silent = nullptr;
  // Why it answers a command with OK that it does not carry out: one that its answer confirms is
  // then believed.
  const char* nods = nullptr;
  // Consumers are told the same in each of them.
  std::span<const Variant> variants = {};
  // After something happened at the PBX: until everything has been heard of.
  std::chrono::milliseconds pause{1'500};
  // Of it, what a PBX that has to be asked takes: what happens in the last of a pause is not heard
  // of in it.
  std::chrono::milliseconds lag{0};
};

// At least one for each vendor: scenarios_test.cc holds that.
std::span<const Bench* const> benches();

const Otherwise* otherwise(const Bench& bench, std::string_view scenario);
const NotOffered* not_offered(const Bench& bench, std::string_view scenario);
bool is_unsteady(const Bench& bench, std::string_view scenario);

}  // namespace conformance
