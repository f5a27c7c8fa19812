#include <fstream>
#include <regex>
#include <sstream>
#include <string>

#include "conformance/suite.h"
#include "simulator/scenario/scenario.h"

namespace conformance {
namespace {

using Shipped = Conformance;

// A scenario that we ship, played at the office's extensions: its steps come when they come, and
// not each after the last one was heard of.
std::string head_office() {
  std::ifstream in(std::string(SIMULATOR_SCENARIOS) + "/head-office.yaml");
  std::ostringstream text;
  text << in.rdbuf();
  return std::regex_replace(text.str(), std::regex("\\b30([1-8])\\b"), "20$1");
}

TEST_P(Shipped, ScenariosAreUnderstood) {
  Gateway gateway(vendor(), bench());
  gateway.connect();
  const auto parsed = simulator::scenario::parse_scenarios(head_office(), "head-office.yaml");
  ASSERT_TRUE(parsed.problems.empty());
  ASSERT_FALSE(parsed.scenarios.empty());
  simulator::RunId id = 0;
  for (const auto& each : parsed.scenarios) gateway.pbx().start_run(++id, each, gateway.now());
  unsigned compared = 0;
  const auto until = gateway.now() + 30min;
  while (gateway.now() < until && !HasFailure()) {
    gateway.wait(1s);
    const auto seen = gateway.frames();
    const bool quiet = gateway.pause() && (bench().lag.count() > 0 || seen == gateway.frames());
    if (!quiet) continue;
    ++compared;
    EXPECT_EQ(differences(gateway), "") << story_of(gateway.told());
  }
  EXPECT_GT(compared, 50u);
}

CONFORMANCE_OF_ALL_VENDORS(Shipped);

}  // namespace
}  // namespace conformance
