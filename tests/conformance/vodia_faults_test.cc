#include <algorithm>

#include "conformance/suite.h"

// What only a Vodia does to its clients: lists that are wrong for a moment, and sessions that end.
namespace conformance {
namespace {

namespace engine = simulator::engine;

struct VodiaFaults : Conformance {
  // What is told of a scenario with the fault on again before each deed.
  std::string story_with(const char* name, const std::function<void(engine::Faults&)>& fault) {
    Gateway gateway(vendor(), bench());
    gateway.connect();
    Office office(gateway);
    if (fault) {
      gateway.change_faults(fault);
      office.after_each([&] { gateway.change_faults(fault); });
    }
    find_scenario(name)->play(office);
    office.go_home();
    return story_of(gateway.told());
  }

  void changes_nothing(const std::function<void(engine::Faults&)>& fault) {
    for (const char* name :
         {"make, answer, clear: by the called", "make, answer, clear: from outside", "call waiting",
          "hold and retrieve: the consulted party answers",
          "two-step transfer: completed after the answer", "pickup: directed", "forward: no answer",
          "conference", "park and retrieve"}) {
      SCOPED_TRACE(name);
      EXPECT_EQ(story_with(name, fault), story_with(name, {}));
    }
  }

  // With calls of every kind: sessions end, then the calls become others.
  void ends_in_the_truth(engine::Incident incident, bool new_owner) {
    Gateway gateway(vendor(), bench());
    gateway.connect();
    Office office(gateway);
    office.dial("201", "202");
    office.answer("202");
    office.dial("+34600111222", "203");
    office.dial("204", "205");
    office.answer("205");
    office.hold("205");
    if (new_owner) gateway.change_owner();
    gateway.happen(incident);
    engine::Tenant& phones = gateway.phones();
    EXPECT_FALSE(phones.hang_up("201", gateway.now()));
    EXPECT_FALSE(phones.answer("203", gateway.now()));
    (void)phones.originate("206", "207", {}, gateway.now());
    gateway.wait(10min);  // in which the session is checked
    EXPECT_TRUE(gateway.is_up());
    EXPECT_EQ(differences(gateway), "") << story_of(gateway.told());
    EXPECT_FALSE(phones.hang_up("203", gateway.now()));
    gateway.pause();
    EXPECT_EQ(differences(gateway), "") << "lists come again\n" << story_of(gateway.told());
    office.go_home();
  }
};

TEST_P(VodiaFaults, ListsThatRepeatEveryIdTellTheSame) {
  changes_nothing([](auto& it) { it.double_entries = engine::Faults::kAlways; });
}

TEST_P(VodiaFaults, ACallThatIsMissingOnceHasNotEnded) {
  changes_nothing([](auto& it) { it.missing_entries = 1; });
}

// Of the socket and of REST.
TEST_P(VodiaFaults, ListsThatAreCutTellNothing) {
  changes_nothing([](auto& it) { it.truncated_replies = 1; });
  for (const bool live : {false, true}) {
    Gateway gateway(vendor(), bench());
    gateway.connect();
    Office office(gateway);
    if (live) office.dial("201", "202");
    const std::string before = story_of(gateway.told());
    gateway.happen({.noise = {engine::Noise::truncated, engine::Noise::not_an_object}});
    gateway.pause();
    EXPECT_TRUE(gateway.is_up());
    EXPECT_EQ(story_of(gateway.told()), before);
    EXPECT_EQ(differences(gateway), "");
    office.go_home();
  }
}

TEST_P(VodiaFaults, SessionsThatAreRevokedAreRenewed) {
  for (const bool new_owner : {false, true}) {
    SCOPED_TRACE(new_owner);
    ends_in_the_truth({.revoke = engine::Revoke::close, .noise = {}}, new_owner);
  }
}

// The socket stays open and says nothing any more: found by the check of the session.
TEST_P(VodiaFaults, SessionsThatExpireInSilenceAreFoundOut) {
  for (const bool new_owner : {false, true}) {
    SCOPED_TRACE(new_owner);
    ends_in_the_truth({.revoke = engine::Revoke::quiet, .noise = {}}, new_owner);
  }
}

TEST_P(VodiaFaults, RestartsEndInTheTruth) {
  for (const bool survive : {false, true}) {
    SCOPED_TRACE(survive);
    if (survive) {
      ends_in_the_truth({.restart = true, .calls_survive = true, .noise = {}}, false);
    } else {
      Gateway gateway(vendor(), bench());
      gateway.connect();
      Office office(gateway);
      office.dial("201", "202");
      office.answer("202");
      gateway.happen({.restart = true, .noise = {}});
      gateway.connect();
      EXPECT_EQ(differences(gateway), "");
      EXPECT_EQ(unfinished(gateway), "");
    }
  }
}

std::vector<const Bench*> benches_of_vodia() {
  std::vector<const Bench*> all(benches().begin(), benches().end());
  std::erase_if(all, [](const Bench* it) { return std::string_view(it->vendor) != "vodia"; });
  return all;
}

INSTANTIATE_TEST_SUITE_P(Vodia, VodiaFaults, testing::ValuesIn(benches_of_vodia()), bench_name);

}  // namespace
}  // namespace conformance
