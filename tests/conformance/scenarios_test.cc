#include <algorithm>
#include <set>
#include <string_view>

#include "conformance/suite.h"

namespace conformance {
namespace {

using Scenarios = Conformance;

// csta.md section 9, by our names; so that none can vanish from the table.
constexpr const char* kSectionNine[] = {
    "hold and retrieve: the consulted party answers",
    "hold and retrieve: the consulted party does not answer",
    "single-step transfer: in",
    "single-step transfer: outbound",
    "mute transfer",
    "two-step transfer: completed after the answer",
    "two-step transfer: completed before the answer",
    "two-step transfer: to an ACD",
    "two-step transfer: to a routing point",
    "trunk anti-tromboning",
    "single-step conference",
    "conference",
    "blind conference",
    "conference of two incoming calls by merge",
    "make, answer, clear: by the called",
    "make, answer, clear: by the calling",
    "call waiting",
    "park and retrieve",
    "pickup: directed",
    "pickup: group",
    "forward: immediate",
    "forward: busy",
    "forward: no answer",
    "forward: do not disturb",
    "busy",
    "unallocated",
    "congestion",
    "caller abandons while queued",
    "network drop in mid-call",
};

TEST(ScenarioTable, HasAllOfSectionNineAndNoneTwice) {
  for (const char* name : kSectionNine) EXPECT_NE(find_scenario(name), nullptr) << name;
  std::set<std::string> names;
  for (const Scenario& it : scenarios()) EXPECT_TRUE(names.insert(it.name).second) << it.name;
}

TEST(Benches, ThereIsOneForEveryVendor) {
  for (const pbx::Vendor& vendor : pbx::vendors()) {
    EXPECT_TRUE(std::any_of(benches().begin(), benches().end(), [&](const Bench* it) {
      return std::string_view(it->vendor) == vendor.name;
    })) << vendor.name;
  }
}

TEST_P(Scenarios, AreEachRunOrListedAsNotOffered) {
  for (const Scenario& it : scenarios()) {
    const bool listed = not_offered(bench(), it.name) != nullptr;
    const bool told = it.told || otherwise(bench(), it.name);
    EXPECT_TRUE(listed || (it.play && told)) << it.name;
    EXPECT_FALSE(listed && otherwise(bench(), it.name)) << it.name;
  }
  for (const Otherwise& it : bench().otherwise) {
    EXPECT_NE(find_scenario(it.scenario), nullptr) << it.scenario;
    EXPECT_NE(std::string(it.why), "") << it.scenario;
  }
  for (const NotOffered& it : bench().not_offered) {
    EXPECT_NE(find_scenario(it.scenario), nullptr) << it.scenario;
    EXPECT_NE(std::string(it.why), "") << it.scenario;
  }
}

TEST_P(Scenarios, AreToldAsWrittenDown) {
  for (const Scenario& it : scenarios()) {
    if (!can_run(bench(), it)) continue;
    SCOPED_TRACE(it.name);
    Gateway gateway(vendor(), bench());
    gateway.connect();
    Office office(gateway);
    it.play(office);
    const std::string told = story_of(gateway.told());
    office.go_home();
    if (not_offered(bench(), it.name)) continue;
    const Otherwise* other = otherwise(bench(), it.name);
    EXPECT_EQ(told, tidy(other ? other->told : it.told ? it.told : ""));
  }
}

TEST_P(Scenarios, AreToldTheSameInEveryVariant) {
  for (const Variant& variant : bench().variants) {
    for (const Scenario& it : scenarios()) {
      if (!can_run(bench(), it)) continue;
      SCOPED_TRACE(std::string(it.name) + " in variant " + variant.name);
      std::string stories[2];
      for (const bool changed : {false, true}) {
        Gateway gateway(vendor(), bench(), changed ? &variant : nullptr);
        gateway.connect();
        Office office(gateway);
        office.after_each([&] {  // so that snapshots are read in this variant too
          if (gateway.is_up()) gateway.cut(500ms);
          gateway.connect();
        });
        it.play(office);
        office.go_home();
        stories[changed] = story_of(gateway.told());
      }
      if (!not_offered(bench(), it.name)) {
        EXPECT_EQ(stories[0], stories[1]);
      }
    }
  }
}

CONFORMANCE_OF_ALL_VENDORS(Scenarios);

}  // namespace
}  // namespace conformance
