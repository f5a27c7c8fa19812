#include "conformance/suite.h"

namespace conformance {
namespace {

namespace engine = simulator::engine;

// The link is cut behind every single message of a scenario, for a moment or for so long that the
// calls are others afterwards; and what was lost is learnt by the same owner, or by the next.
class Resync : public Conformance {
 protected:
  struct How {
    Millis away;
    bool new_owner;
  };

  void play(const Scenario& scenario, std::uint64_t cut, How how) {
    Gateway gateway(vendor(), bench());
    gateway.connect();
    gateway.save_checkpoint();
    Office office(gateway);
    gateway.cut_after(cut, how.away);
    if (how.new_owner) gateway.change_owner();
    scenario.play(office);
    gateway.wait(how.away);
    const bool settled = gateway.pause();
    EXPECT_TRUE(gateway.is_up());
    if (settled) {
      EXPECT_EQ(differences(gateway), "") << story_of(gateway.told());
    }
    office.go_home();
  }

  std::uint64_t messages_of(const Scenario& scenario) {
    Gateway gateway(vendor(), bench());
    gateway.connect();
    const auto before = gateway.heard();
    Office office(gateway);
    scenario.play(office);
    return gateway.heard() - before;
  }

  void cut_everywhere(const char* name) {
    const Scenario& scenario = *find_scenario(name);
    const auto messages = messages_of(scenario);
    ASSERT_GT(messages, 0u);
    for (std::uint64_t cut = 1; cut <= messages; ++cut) {
      for (const How how :
           {How{100ms, false}, {4s, false}, {40s, false}, {100ms, true}, {4s, true}, {40s, true}}) {
        SCOPED_TRACE(scenario.name);
        SCOPED_TRACE("after message " + std::to_string(cut) + " of " + std::to_string(messages) +
                     " for " + std::to_string(how.away.count()) + " ms" +
                     (how.new_owner ? ", new owner" : ""));
        play(scenario, cut, how);
        if (HasFailure()) return;  // one is enough to read
      }
    }
  }
};

TEST_P(Resync, FindsTheTruthWhereverACallIsCut) {
  for (const char* name :
       {"make, answer, clear: by the called", "make, answer, clear: from outside",
        "make, answer, clear: to outside", "busy", "rejected", "hold and retrieve",
        "hold and retrieve: the consulted party answers", "call waiting"}) {
    cut_everywhere(name);
  }
}

TEST_P(Resync, FindsTheTruthWhereverATransferIsCut) {
  for (const char* name :
       {"single-step transfer: in", "single-step transfer: internal",
        "single-step transfer: at the phone", "two-step transfer: completed after the answer",
        "two-step transfer: completed before the answer", "pickup: directed",
        "forward: no answer"}) {
    cut_everywhere(name);
  }
}

// A reconnect in each pause of each scenario: what consumers know already is not told again.
TEST_P(Resync, TellsNothingThatIsKnown) {
  for (const Scenario& scenario : scenarios()) {
    if (!can_run(bench(), scenario)) continue;
    for (const bool new_owner : {false, true}) {
      SCOPED_TRACE(scenario.name + std::string(new_owner ? ", new owner" : ""));
      Gateway gateway(vendor(), bench());
      gateway.connect();
      Office office(gateway);
      office.after_each([&] {
        if (!gateway.is_up()) return;
        const bool known = differences(gateway, {}).empty();
        const std::string before = story_of(gateway.told());
        if (new_owner) gateway.change_owner();
        gateway.cut(500ms);
        gateway.connect();
        EXPECT_EQ(differences(gateway), "") << story_of(gateway.told());
        if (known && !is_unsteady(bench(), scenario.name)) {
          EXPECT_EQ(story_of(gateway.told()), before);
        }
      });
      scenario.play(office);
      office.go_home();
    }
  }
}

// Whatever differs is told, once, and marked as found out afterwards: Gateway::tell() checks the
// mark of every event.
TEST_P(Resync, TellsWhatHappenedMeanwhile) {
  for (const bool new_owner : {false, true}) {
    SCOPED_TRACE(new_owner);
    Gateway gateway(vendor(), bench());
    gateway.connect();
    Office office(gateway);
    office.dial("201", "202");
    office.answer("202");
    office.dial("203", "204");
    office.dial("205", "206");
    office.answer("206");

    if (new_owner) gateway.change_owner();
    const std::size_t before = gateway.told().size();
    gateway.cut(60s);
    engine::Tenant& phones = gateway.phones();
    EXPECT_FALSE(phones.hang_up("201", gateway.now()));       // one call ends,
    EXPECT_FALSE(phones.answer("204", gateway.now()));        // one is answered,
    EXPECT_FALSE(phones.hold("206", gateway.now()));          // one held,
    (void)phones.originate("207", "208", {}, gateway.now());  // and one is new
    gateway.connect();
    EXPECT_EQ(differences(gateway), "");
    const char* const held = bench().blind_spots.holder ? "" : "C 206 held\n";
    EXPECT_EQ(story_of(gateway.told(), before), tidy(R"(
      A 201  connectionCleared(normal)
      A 202  connectionCleared(normal)
      A      callCleared(normal)
      B 204  established
      )") + held + tidy(R"(
      D 207  originated
      D 208  delivered)"));
    office.go_home();
  }
}

CONFORMANCE_OF_ALL_VENDORS(Resync);

}  // namespace
}  // namespace conformance
