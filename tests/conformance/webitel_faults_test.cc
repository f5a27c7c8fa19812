#include "conformance/webitel_suite.h"

// What only a Webitel does to its clients: it forgets their subscriptions and ends their sessions,
// and says nothing of either. Each is found within what libs/pbx/webitel/README.md says ("How a
// loss is found"), and the truth is known then.
namespace conformance {
namespace {

namespace engine = simulator::engine;
using base::Errc;
using engine::Faults;

constexpr Millis kPing = 30s;      // the client's
constexpr Millis kRetry = 500ms;   // Gateway's, as the connector's first
constexpr Millis kRefused = 60s;   // after a refusal that does not go away by itself
constexpr Millis kSettled = 1s;    // a list does not undo an event that is younger
constexpr Millis kBlindMax = 30s;  // without lists

class WebitelFaults : public WebitelConformance {
 protected:
  // Somebody holds, and it is known in the same instant.
  void expect_live(Gateway& gateway, const char* device) {
    if (!live()) return;
    EXPECT_FALSE(gateway.phones().hold(device, gateway.now()));
    gateway.wait(0ms);
    EXPECT_EQ(differences(gateway), "") << story_of(gateway.told());
    EXPECT_FALSE(gateway.phones().retrieve(device, gateway.now()));
    gateway.wait(0ms);
    EXPECT_EQ(differences(gateway), "") << story_of(gateway.told());
  }
  // The link has ended within `most`.
  static void ends_within(Gateway& gateway, Millis most, Errc why) {
    const auto over = [&] { return !gateway.is_up(); };
    EXPECT_TRUE(gateway.wait_until(over, most)) << "it is not noticed";
    ASSERT_TRUE(gateway.last_end());
    EXPECT_EQ(gateway.last_end()->why, why) << gateway.last_end()->detail;
  }
};

// ---- Subscriptions.

// As after a restart of their message broker. Whenever that is: between two lists, or right behind
// an event, which no list undoes so soon.
TEST_P(WebitelFaults, SubscriptionsThatAreLostAreMadeUpForByLists) {
  for (Millis at = 0ms; at < snapshot_interval(); at += 250ms) {
    for (const Millis later : {0ms, 100ms, 900ms}) {
      SCOPED_TRACE(std::to_string(at.count()) + " and " + std::to_string(later.count()));
      Gateway gateway(vendor(), bench(), &kPatient);
      gateway.connect();
      Office office(gateway);
      begin_calls(office);
      gateway.wait(at);
      EXPECT_FALSE(gateway.phones().hold("202", gateway.now()));
      gateway.happen({.lose_subscriptions = true, .noise = {}});
      gateway.wait(later);
      change_calls(gateway);
      is_known_within(gateway, snapshot_interval() + (live() ? kSettled : 0ms));
      EXPECT_EQ(gateway.snapshots(), 1u);
      office.go_home();
    }
  }
}

TEST_P(WebitelFaults, SubscriptionsThatAreLostAreRenewed) {
  Gateway gateway(vendor(), bench(), &kPatient);
  gateway.connect();
  Office office(gateway);
  begin_calls(office);
  gateway.happen({.lose_subscriptions = true, .noise = {}});
  gateway.wait(setting("resubscribe_interval"));
  EXPECT_EQ(gateway.snapshots(), 1u);
  EXPECT_EQ(differences(gateway), "");
  expect_live(gateway, "202");
  office.go_home();
}

// Lists in which one of the legs is missing: only its user's socket can tell of it.
TEST_P(WebitelFaults, WhatNoListShowsIsFoundWhenSubscriptionsAreRenewed) {
  if (!live()) return;
  for (const Millis at : {0ms, 20'000ms, 55'000ms}) {
    Gateway gateway(vendor(), bench(), &kPatient);
    gateway.connect();
    gateway.change_faults([](Faults& it) { it.missing_entries = Faults::kAlways; });
    Office office(gateway);
    office.dial("201", "202");
    office.answer("202");
    gateway.wait(at);
    EXPECT_EQ(differences(gateway), "");
    gateway.happen({.lose_subscriptions = true, .noise = {}});
    EXPECT_FALSE(gateway.phones().hang_up("202", gateway.now()));
    is_known_within(gateway, setting("resubscribe_interval"));
    office.go_home();
  }
}

// Presence and agents: also if that is right behind what was told of them last.
TEST_P(WebitelFaults, SubscriptionsToPeopleThatAreLostAreMadeUpForByLists) {
  const Millis people = setting("people_interval");
  for (Millis at = 0ms; at < people; at += 700ms) {
    SCOPED_TRACE(at.count());
    Gateway gateway(vendor(), bench());
    gateway.connect();
    gateway.wait(at);
    const auto is = [&](bool refusing, call::AgentState state) {
      const auto& devices = gateway.folded().devices;
      const call::Device& device = devices.at(call::DeviceId("201"));
      return device.do_not_disturb == refusing && device.agent_state == state;
    };
    const auto set = [&](bool refusing, const char* status) {
      EXPECT_FALSE(gateway.phones().set_do_not_disturb("201", refusing, gateway.now()));
      rest(gateway, "PATCH", "/call_center/agents/" + agent_of("201") + "/status",
           std::string(R"({"status":")") + status + "\"}");
    };
    set(true, "online");
    gateway.happen({.lose_subscriptions = true, .noise = {}});
    set(false, "pause");
    EXPECT_TRUE(gateway.wait_until([&] { return is(false, call::AgentState::not_ready); },
                                   people + (live() ? kSettled : 0ms)));
    gateway.wait(1s);
    set(true, "online");
    EXPECT_TRUE(gateway.wait_until([&] { return is(true, call::AgentState::ready); }, people));
    EXPECT_EQ(gateway.snapshots(), 1u);
  }
}

// ---- Events.

// The next one on that socket has another number than it should: its user's legs are read at once.
TEST_P(WebitelFaults, AnEventThatIsLostIsFoundByTheNextOne) {
  Gateway gateway(vendor(), bench(), &kPatient);
  gateway.connect();
  Office office(gateway);
  begin_calls(office);
  gateway.change_faults([](Faults& it) { it.lost_events = 1; });
  EXPECT_FALSE(gateway.phones().hold("202", gateway.now()));
  if (live()) {
    EXPECT_NE(differences(gateway), "");
    EXPECT_FALSE(gateway.phones().set_do_not_disturb("202", true, gateway.now()));
    gateway.wait(0ms);
    EXPECT_EQ(differences(gateway), "") << story_of(gateway.told());
  } else {
    is_known_within(gateway, snapshot_interval());
  }
  office.go_home();
}

// And if there is none, the lists have it. Whichever event it is.
TEST_P(WebitelFaults, EventsThatAreLostAreMadeUpForByLists) {
  for (const char* name : kStories) {
    SCOPED_TRACE(name);
    for (const std::uint32_t lost : {1u, 2u, 3u, 100u}) {
      SCOPED_TRACE(lost);
      story_with(name, [&](Faults& it) { it.lost_events = lost; });
    }
  }
}

// As on the vendor's broker: nobody can read that, and all is as if users had no sockets.
TEST_P(WebitelFaults, DataThatIsATextIsMadeUpForByLists) {
  for (const char* name : kStories) {
    SCOPED_TRACE(name);
    story_with(name, [](Faults& it) { it.text_data = true; });
  }
}

TEST_P(WebitelFaults, FillersAreNotTold) {
  changes_nothing([](Faults& it) { it.filler = true; });
}

TEST_P(WebitelFaults, AnswersMayOvertakeOneAnother) {
  for (const std::uint32_t late : {1u, 2u, 3u}) {
    changes_nothing([&](Faults& it) { it.late_answers = late; });
  }
}

TEST_P(WebitelFaults, ListsThatAreCutOrRepeatThemselvesTellNothing) {
  changes_nothing([](Faults& it) { it.truncated_replies = 1; });
  changes_nothing([](Faults& it) { it.double_entries = Faults::kAlways; });
}

// ---- Sessions.

TEST_P(WebitelFaults, SessionsThatAreEndedAreMadeAnewAtOnce) {
  for (const bool new_owner : {false, true}) {
    SCOPED_TRACE(new_owner);
    Gateway gateway(vendor(), bench(), &kPatient);
    gateway.connect();
    Office office(gateway);
    begin_calls(office);
    if (new_owner) gateway.change_owner();
    gateway.happen({.revoke = engine::Revoke::close, .noise = {}});
    ends_within(gateway, 0ms, Errc::login_rejected);
    change_calls(gateway);
    is_known_within(gateway, kRetry);
    expect_live(gateway, "203");
    office.go_home();
  }
}

// The sockets stay open and say nothing any more. Lists go on; a ping finds out.
TEST_P(WebitelFaults, SessionsThatEndInSilenceAreFoundByAPing) {
  for (const bool new_owner : {false, true}) {
    for (const Millis at : {0ms, 11'000ms, 29'000ms}) {
      SCOPED_TRACE(std::to_string(at.count()) + (new_owner ? ", new owner" : ""));
      Gateway gateway(vendor(), bench(), &kPatient);
      gateway.connect();
      Office office(gateway);
      begin_calls(office);
      gateway.wait(at);
      if (new_owner) gateway.change_owner();
      const auto begun = gateway.now();
      gateway.happen({.revoke = engine::Revoke::quiet, .noise = {}});
      change_calls(gateway);
      EXPECT_TRUE(gateway.wait_until([&] { return differences(gateway).empty(); },
                                     snapshot_interval() + kSettled));
      EXPECT_TRUE(
          gateway.wait_until([&] { return gateway.snapshots() > 1; },
                             duration_cast<Millis>(begun + kPing + kRetry - gateway.now())));
      ASSERT_TRUE(gateway.last_end());
      EXPECT_EQ(gateway.last_end()->why, Errc::login_rejected);
      is_known_within(gateway, 0ms);
      expect_live(gateway, "203");
      office.go_home();
    }
  }
}

// A token that is deleted is good for half a minute yet, for those who know it.
TEST_P(WebitelFaults, TheTokenThatIsRevokedIsFoundByLists) {
  Gateway gateway(vendor(), bench(), &kPatient);
  gateway.connect();
  Office office(gateway);
  begin_calls(office);
  revoke(gateway, "1", "simulator");
  ends_within(gateway, 30s + snapshot_interval(), Errc::login_rejected);
  // And then it is no token: tried now and then.
  const auto refused = gateway.pbx().dialect().counters().logins_refused;
  gateway.wait(5min);
  EXPECT_FALSE(gateway.is_up());
  const auto times = gateway.pbx().dialect().counters().logins_refused - refused;
  EXPECT_GE(times, 5u);
  EXPECT_LE(times, 6u);
}

// ---- Logins.

TEST_P(WebitelFaults, LoginsThatAreRefusedAreTriedAgain) {
  struct Case {
    Change fault;
    Errc why;
    Millis again;
  };
  const Case cases[] = {
      {[](Faults& it) { it.forbidden = 1; }, Errc::login_rejected, kRefused},
      {[](Faults& it) { it.unlicensed = 1; }, Errc::login_rejected, kRefused},
      {[](Faults& it) { it.login_unavailable = 1; }, Errc::pbx_refused, kRetry},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(&each - cases);
    Gateway gateway(vendor(), bench(), &kPatient);
    gateway.connect();
    Office office(gateway);
    begin_calls(office);
    gateway.change_faults(each.fault);
    gateway.happen({.revoke = engine::Revoke::close, .noise = {}});
    change_calls(gateway);
    gateway.wait(kRetry);  // refused
    ends_within(gateway, 0ms, each.why);
    gateway.wait(each.again - 1ms);
    EXPECT_FALSE(gateway.is_up());
    is_known_within(gateway, 1ms);
    office.go_home();
  }
}

// ---- Connections.

TEST_P(WebitelFaults, SocketsThatAreClosedAreOpenedAgain) {
  for (const bool new_owner : {false, true}) {
    Gateway gateway(vendor(), bench(), &kPatient);
    gateway.connect();
    Office office(gateway);
    begin_calls(office);
    if (new_owner) gateway.change_owner();
    gateway.happen({.close_empty = true, .noise = {}});
    ends_within(gateway, 0ms, Errc::link_lost);
    change_calls(gateway);
    is_known_within(gateway, kRetry);
    expect_live(gateway, "203");
    office.go_home();
  }
}

TEST_P(WebitelFaults, APbxThatFallsSilentIsFoundByAPing) {
  for (const Millis at : {0ms, 14'000ms, 29'000ms}) {
    Gateway gateway(vendor(), bench(), &kPatient);
    gateway.connect();
    Office office(gateway);
    begin_calls(office);
    gateway.wait(at);
    gateway.change_faults([](Faults& it) { it.silent = true; });
    change_calls(gateway);
    ends_within(gateway, kPing + setting("login_limit"), Errc::ping_timed_out);
    gateway.change_faults([](Faults& it) { it = {}; });
    gateway.connect();
    is_known_within(gateway, 0ms);
    office.go_home();
  }
}

// ---- REST, which the lists come from.

TEST_P(WebitelFaults, ListsMayFailForAWhile) {
  Gateway gateway(vendor(), bench(), &kPatient);
  gateway.connect();
  Office office(gateway);
  begin_calls(office);
  gateway.change_faults([](Faults& it) { it.drop_requests = Faults::kAlways; });
  gateway.wait(1s);
  expect_live(gateway, "202");
  change_calls(gateway);
  gateway.wait(kBlindMax - 5s);
  EXPECT_TRUE(gateway.is_up());
  gateway.change_faults([](Faults& it) { it = {}; });
  is_known_within(gateway, snapshot_interval());
  EXPECT_EQ(gateway.snapshots(), 1u);
  office.go_home();
}

TEST_P(WebitelFaults, WithoutListsThereIsNoLink) {
  Gateway gateway(vendor(), bench(), &kPatient);
  gateway.connect();
  Office office(gateway);
  begin_calls(office);
  gateway.change_faults([](Faults& it) { it.drop_requests = Faults::kAlways; });
  change_calls(gateway);
  ends_within(gateway, kBlindMax + 2 * snapshot_interval(), Errc::timed_out);
  gateway.change_faults([](Faults& it) { it = {}; });
  gateway.connect();
  is_known_within(gateway, 0ms);
  office.go_home();
}

// A list that lacks one leg, for once. What it ends comes back.
TEST_P(WebitelFaults, ListsThatLackALegEndInTheTruth) {
  for (const char* name : kStories) {
    SCOPED_TRACE(name);
    story_with(
        name, [](Faults& it) { it.missing_entries = 1; }, false);
  }
}

INSTANTIATE_TEST_SUITE_P(Webitel, WebitelFaults, testing::ValuesIn(benches_of_webitel()),
                         bench_name);

}  // namespace
}  // namespace conformance
