#pragma once

#include <span>
#include <string>

#include "pbx/vendor.h"
#include "simulator/stage.h"

// What the suite has to know of a vendor, and all that a new vendor adds: one file that makes a
// Bench, and a row in bench.cc. The tests themselves name no vendor.
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
};

// Another way in which a PBX of this vendor may put the same things.
struct Variant {
  const char* name;
  void (*apply)(simulator::TenantSettings& office);
};

struct Bench {
  const char* vendor;  // pbx::Vendor::name
  // The PBX: fills in what is the vendor's own (logins, variants) around an office of everybody's.
  void (*equip)(simulator::TenantSettings& office);
  // The adapter's settings that let it into that PBX; the rest stays as the vendor's rows say.
  // Every extension of the office can act.
  void (*configure)(pbx::Settings& settings, std::span<const std::string> extensions);
  BlindSpots blind_spots;
  std::span<const Otherwise> otherwise;
  std::span<const NotOffered> not_offered;
  // Consumers are told the same in each of them.
  std::span<const Variant> variants = {};
};

std::span<const Bench* const> benches();
// nullptr if the vendor has none: a test fails then.
const Bench* find_bench(std::string_view vendor);

const Otherwise* otherwise(const Bench& bench, std::string_view scenario);
const NotOffered* not_offered(const Bench& bench, std::string_view scenario);

}  // namespace conformance
