#include <functional>

#include "conformance/suite.h"

namespace conformance {
namespace {

namespace engine = simulator::engine;
using base::Errc;
using engine::Faults;

class PbxFaults : public Conformance {
 protected:
  using Change = std::function<void(Faults&)>;

  // What is told of the scenario with the fault on.
  std::string story_with(const Scenario& scenario, const Change& change, bool compare) {
    Gateway gateway(vendor(), bench());
    gateway.connect();
    if (change) gateway.change_faults(change);
    Office office(gateway);
    if (!compare || is_unsteady(bench(), scenario.name)) office.compare_only_at_the_end();
    scenario.play(office);
    std::string story = story_of(gateway.told());
    gateway.change_faults([](Faults& faults) { faults = {}; });
    office.go_home();
    return story;
  }

  void for_each_scenario(const std::function<void(const Scenario&)>& check) {
    for (const Scenario& scenario : scenarios()) {
      if (!can_run(bench(), scenario)) continue;
      SCOPED_TRACE(scenario.name);
      check(scenario);
    }
  }
  void changes_nothing(const Change& change) {
    for_each_scenario([&](const Scenario& it) {
      const std::string story = story_with(it, change, true);
      if (is_unsteady(bench(), it.name)) return;
      EXPECT_EQ(story, story_with(it, {}, true));
    });
  }
  // Consumers are told something else, but nothing that breaks the rules, and in the end the truth.
  void does_not_last(const Change& change, bool compare) {
    for_each_scenario([&](const Scenario& it) { story_with(it, change, compare); });
  }

  // The way back from what keeps the link from coming up, with other calls than before.
  void is_recovered_from(const Change& change, Errc why) {
    Gateway gateway(vendor(), bench());
    gateway.connect();
    Office office(gateway);
    office.dial("201", "202");
    office.answer("202");
    gateway.change_faults(change);
    gateway.cut(500ms);
    EXPECT_FALSE(gateway.phones().hang_up("201", gateway.now()));
    (void)gateway.phones().originate("203", "204", {}, gateway.now());
    const unsigned snapshots = gateway.snapshots();
    gateway.wait(15s);
    EXPECT_EQ(gateway.snapshots(), snapshots);
    EXPECT_FALSE(gateway.is_up());
    if (!bench().dials) {
      ASSERT_TRUE(gateway.last_end());
      EXPECT_EQ(gateway.last_end()->why, why) << gateway.last_end()->why.message();
    }
    gateway.change_faults([](Faults& faults) { faults = {}; });
    gateway.connect();
    if (gateway.pause()) {
      EXPECT_EQ(differences(gateway), "") << story_of(gateway.told());
    }
    office.go_home();
  }
};

// ---- While the link is up.

TEST_P(PbxFaults, DuplicatesAreNotTold) {
  changes_nothing([](Faults& it) { it.duplicate = 1; });
}

TEST_P(PbxFaults, NoiseIsNotTold) {
  changes_nothing([](Faults& it) { it.noise_every = 1; });
}

TEST_P(PbxFaults, DelayChangesNothing) {
  changes_nothing([](Faults& it) { it.delay = 400ms; });
}

TEST_P(PbxFaults, HangupsMayOvertake) {
  does_not_last([](Faults& it) { it.reorder_hangup = 400ms; }, true);
}

// Nobody can know then, or in time, who is in a call with whom.
TEST_P(PbxFaults, NewCallsMayComeLate) {
  does_not_last(
      [](Faults& it) {
        it.new_call = Faults::NewCall::late;
        it.new_call_delay = 700ms;
      },
      false);
}

TEST_P(PbxFaults, NewCallsMayBeMissing) {
  does_not_last([](Faults& it) { it.new_call = Faults::NewCall::missing; }, false);
}

TEST_P(PbxFaults, AllOfItAtOnce) {
  does_not_last(
      [](Faults& it) {
        it.duplicate = 2;
        it.noise_every = 3;
        it.delay = 50ms;
        it.reorder_hangup = 200ms;
        it.new_call = Faults::NewCall::late;
        it.new_call_delay = 300ms;
      },
      false);
}

// ---- Restarts.

// With other ids: whether they are known to be the same calls is the vendor's affair.
TEST_P(PbxFaults, CallsThatSurviveARestartGoOn) {
  for (const bool new_owner : {false, true}) {
    SCOPED_TRACE(new_owner);
    Gateway gateway(vendor(), bench());
    gateway.connect();
    Office office(gateway);
    office.dial("201", "202");
    office.answer("202");
    office.hold("202");
    office.dial("+34600111222", "203");  // rings for so long
    if (new_owner) gateway.change_owner();
    gateway.happen({.restart = true, .calls_survive = true, .noise = {}});
    EXPECT_FALSE(gateway.is_up());
    gateway.connect();
    gateway.pause();
    EXPECT_EQ(differences(gateway), "");
    office.answer("203");
    office.retrieve("202");
    office.hang_up("202");
    office.hang_up("203");
    office.go_home();
  }
}

TEST_P(PbxFaults, CallsThatDieInARestartEnd) {
  for (const bool new_owner : {false, true}) {
    SCOPED_TRACE(new_owner);
    Gateway gateway(vendor(), bench());
    gateway.connect();
    Office office(gateway);
    office.dial("201", "202");
    office.answer("202");
    office.dial("+34600111222", "203");
    if (new_owner) gateway.change_owner();
    gateway.happen({.restart = true, .noise = {}});
    gateway.connect();
    EXPECT_TRUE(gateway.folded().calls.empty());
    EXPECT_EQ(differences(gateway), "");
    office.dial("201", "202");
    office.go_home();
  }
}

TEST_P(PbxFaults, DroppedConnectionsAreMadeAnew) {
  Gateway gateway(vendor(), bench());
  gateway.connect();
  Office office(gateway);
  office.dial("201", "202");
  for (int i = 0; i < 3; ++i) {
    gateway.happen({.drop_all = true, .noise = {}});
    EXPECT_FALSE(gateway.is_up());
    gateway.connect();
    EXPECT_EQ(differences(gateway), "");
  }
  office.answer("202");
  office.go_home();
}

TEST_P(PbxFaults, EveryKindOfNoiseIsSurvived) {
  using engine::Noise;
  Gateway gateway(vendor(), bench());
  gateway.connect();
  Office office(gateway);
  office.dial("201", "202");
  for (const Noise noise : {Noise::unknown_action, Noise::unknown_type, Noise::invalid_json,
                            Noise::not_an_object, Noise::truncated, Noise::oversized}) {
    gateway.happen({.noise = {noise}, .oversized_bytes = 1 << 20});
    EXPECT_TRUE(gateway.is_up());
    EXPECT_EQ(differences(gateway), "");
  }
  office.go_home();
}

// ---- While the link comes up.

TEST_P(PbxFaults, RefusedLogins) {
  is_recovered_from(
      [](Faults& it) {
        it.forbidden = Faults::kAlways;     // by the PBX
        it.wrong_digest = Faults::kAlways;  // by us
      },
      Errc::login_rejected);
}

TEST_P(PbxFaults, LossBetweenLoginAndSnapshot) {
  is_recovered_from([](Faults& it) { it.drop_before_init = Faults::kAlways; }, Errc::link_lost);
}

TEST_P(PbxFaults, APbxThatDoesNotBegin) {
  is_recovered_from([](Faults& it) { it.no_welcome = true; }, Errc::timed_out);
}

TEST_P(PbxFaults, RefusedConnections) {
  is_recovered_from(
      [](Faults& it) {
        it.refuse_connections = true;
        it.no_login = true;  // of a PBX that dials: it comes, and says nothing
      },
      Errc::connect_failed);
}

TEST_P(PbxFaults, HalfOpenConnections) {
  is_recovered_from([](Faults& it) { it.silent = true; }, Errc::timed_out);
}

CONFORMANCE_OF_ALL_VENDORS(PbxFaults);

}  // namespace
}  // namespace conformance
