#include <algorithm>
#include <map>
#include <set>

#include "conformance/webitel_suite.h"

// What a user's own socket is good for, and what becomes of his calls when he loses it.
namespace conformance {
namespace {

namespace engine = simulator::engine;
using base::Errc;
using call::CallEventType;
using engine::Faults;

constexpr Millis kSettled = 1s;
constexpr Millis kRetry = 2s;     // of a user's socket, the first time
constexpr Millis kRefused = 60s;  // after a refusal that does not go away by itself
constexpr const char* kOurs = "pbx-gateway";

// Not all of it is true of a bench without them.
class WebitelSockets : public WebitelConformance {
 protected:
  bool minted() const { return std::string_view(bench().name) == "webitel_minted"; }
  // Of all users, with what usage.
  static std::map<std::string, std::size_t> tokens(Gateway& gateway) {
    std::map<std::string, std::size_t> all;
    for (const engine::Extension& it : gateway.phones().extensions()) {
      if (it.orbit) continue;
      all[it.number] = tokens_of(gateway, user_of(it.number), kOurs).size();
    }
    return all;
  }
};

// ---- Sockets that are lost.

// Whichever it is, and whenever: what is told of the calls is the same, and nothing of it twice.
TEST_P(WebitelSockets, OnesThatAreDroppedChangeNothing) {
  for (const char* name : kStories) {
    if (std::string_view(name) == "busy") continue;  // it ends by itself, while the socket is away
    for (const char* whose : {"201", "202", "203"}) {
      SCOPED_TRACE(std::string(name) + ", " + whose);
      Gateway gateway(vendor(), bench());
      gateway.connect();
      Office office(gateway);
      const auto lose = [&] {
        for (const auto it : sockets_of(gateway, whose)) gateway.lose_connection(it);
        EXPECT_EQ(sockets_of(gateway, whose).size(), 0u);
        gateway.wait(kRetry);
        EXPECT_EQ(sockets_of(gateway, whose).size(), 1u);
      };
      office.after_each(lose);
      find_scenario(name)->play(office);
      EXPECT_EQ(gateway.snapshots(), 1u);
      office.go_home();
      EXPECT_EQ(story_of(gateway.told()), story_with(name, {}));
    }
  }
}

// What happens while it is away, the lists tell.
TEST_P(WebitelSockets, OnesThatAreAwayAreMadeUpForByLists) {
  Gateway gateway(vendor(), bench(), &kPatient);
  gateway.connect();
  Office office(gateway);
  begin_calls(office);
  for (const char* whose : {"201", "202", "203", "204", "205", "206", "207"}) {
    for (const auto it : sockets_of(gateway, whose)) gateway.lose_connection(it);
  }
  change_calls(gateway);
  is_known_within(gateway, snapshot_interval());
  EXPECT_EQ(gateway.snapshots(), 1u);
  EXPECT_EQ(sockets_of_users(gateway), 8u);
  EXPECT_FALSE(gateway.phones().hold("203", gateway.now()));
  gateway.wait(0ms);
  EXPECT_EQ(differences(gateway), "");
  office.go_home();
}

// Somebody deletes his token. One that we have made is made anew; one of the configuration is
// refused from then on, and tried again now and then.
TEST_P(WebitelSockets, OnesWhoseTokenIsRevokedAreMadeUpForByLists) {
  Gateway gateway(vendor(), bench(), &kPatient);
  gateway.connect();
  Office office(gateway);
  begin_calls(office);
  revoke(gateway, user_of("202"), minted() ? kOurs : "simulator");
  gateway.wait(30s);  // its cache
  EXPECT_FALSE(gateway.phones().hold("202", gateway.now()));
  change_calls(gateway);
  is_known_within(gateway, snapshot_interval() + kSettled);
  EXPECT_EQ(gateway.snapshots(), 1u);
  EXPECT_EQ(sockets_of(gateway, "202").size(), minted() ? 1u : 0u);
  if (minted()) {
    EXPECT_EQ(tokens(gateway).at("202"), 1u);
  } else {
    const auto refused = gateway.pbx().dialect().counters().logins_refused;
    gateway.wait(5 * kRefused);
    // As are those for 600 and 700, which are nobody's.
    EXPECT_EQ(gateway.pbx().dialect().counters().logins_refused, refused + 5 * 3);
  }
  office.dial("201", "202");
  office.answer("202");
  office.go_home();
}

// No licence, so no socket; and all the others have theirs.
TEST_P(WebitelSockets, OnesThatAreRefusedAreMadeUpForByLists) {
  static constexpr Variant kUnlicensed{
      "unlicensed", [](simulator::TenantSettings& it) { it.webitel.unlicensed = {"202"}; }};
  Gateway gateway(vendor(), bench(), &kUnlicensed);
  gateway.connect();
  EXPECT_EQ(sockets_of(gateway, "202").size(), 0u);
  EXPECT_EQ(sockets_of_users(gateway), 7u);
  Office office(gateway);
  office.dial("201", "202");
  office.answer("202");
  office.hold("202");
  office.retrieve("202");
  gateway.wait(5min);
  EXPECT_EQ(sockets_of_users(gateway), 7u);
  EXPECT_EQ(gateway.snapshots(), 1u);
  office.go_home();
  EXPECT_EQ(story_of(gateway.told()),
            "A 201 originated, connectionCleared\n"
            "A 202 delivered, established, held, retrieved, connectionCleared\n"
            "A callCleared\n");
}

// ---- Tokens that we make.

TEST_P(WebitelSockets, TokensAreMadeForEverybodyAndNeverMoreThanOne) {
  Gateway gateway(vendor(), bench(), &kPatient);
  gateway.connect();
  Office office(gateway);
  begin_calls(office);
  const std::size_t each = minted() ? 1 : 0;
  for (int i = 0; i < 5; ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(sockets_of_users(gateway), 8u);
    for (const auto& [extension, count] : tokens(gateway)) EXPECT_EQ(count, each) << extension;
    // Also if only one of them has to log in again.
    for (const auto it : sockets_of(gateway, "203")) gateway.lose_connection(it);
    gateway.wait(kRetry);
    EXPECT_EQ(tokens(gateway).at("203"), each);
    if (i % 2 == 0) gateway.change_owner();
    gateway.happen({.drop_all = true, .noise = {}});
    gateway.connect();
    EXPECT_EQ(differences(gateway), "");
  }
  office.go_home();
}

// The tokens of others are none of our business.
TEST_P(WebitelSockets, TokensOfOthersStay) {
  Gateway gateway(vendor(), bench());
  gateway.connect();
  gateway.cut(500ms);
  gateway.connect();
  for (const engine::Extension& it : gateway.phones().extensions()) {
    if (it.orbit) continue;
    EXPECT_EQ(tokens_of(gateway, user_of(it.number), "simulator").size(), 1u) << it.number;
  }
}

TEST_P(WebitelSockets, ThereAreNoMoreThanTheSettingAllows) {
  static void (*configure)(pbx::Settings&, std::span<const std::string>) = nullptr;
  configure = bench().configure;
  Bench few = bench();
  few.configure = [](pbx::Settings& settings, std::span<const std::string> extensions) {
    configure(settings, extensions);
    settings.set("user_sockets_max", std::int64_t{3});
  };
  Gateway gateway(vendor(), few, &kPatient);
  gateway.connect();
  EXPECT_EQ(sockets_of_users(gateway), 3u);
  Office office(gateway);
  begin_calls(office);
  change_calls(gateway);
  is_known_within(gateway, snapshot_interval());
  gateway.cut(500ms);
  gateway.connect();
  EXPECT_EQ(sockets_of_users(gateway), 3u);
  office.go_home();
}

std::vector<const Bench*> benches_with_sockets() {
  std::vector<const Bench*> all = benches_of_webitel();
  std::erase_if(all, [](const Bench* it) { return std::string_view(it->name) == "webitel"; });
  return all;
}

INSTANTIATE_TEST_SUITE_P(Webitel, WebitelSockets, testing::ValuesIn(benches_with_sockets()),
                         bench_name);

// ---- What differs, as README.md's table says ("With and without sockets of users").

class WebitelDetail : public WebitelConformance {
 protected:
  // As long as it may take until something is known.
  Millis at_most(Millis with_lists) const { return live() ? Millis(0) : with_lists; }

  void is_known(Gateway& gateway, Millis with_lists) const {
    const auto known = [&] { return differences(gateway).empty(); };
    EXPECT_TRUE(gateway.wait_until(known, at_most(with_lists)))
        << differences(gateway) << story_of(gateway.told());
  }
  static const call::Device& device(const Gateway& gateway, const char* extension) {
    return gateway.folded().devices.at(call::DeviceId(extension));
  }
  std::string story_of_scenario(const char* name) const { return story_with(name, {}); }
};

TEST_P(WebitelDetail, ACallAppearsChangesAndEnds) {
  for (Millis at = 0ms; at < snapshot_interval(); at += 150ms) {
    SCOPED_TRACE(at.count());
    Gateway gateway(vendor(), bench());
    gateway.connect();
    gateway.wait(at);
    engine::Tenant& phones = gateway.phones();
    ASSERT_TRUE(phones.originate("201", "202", {}, gateway.now()));
    is_known(gateway, snapshot_interval());
    EXPECT_FALSE(phones.answer("202", gateway.now()));
    is_known(gateway, snapshot_interval());
    EXPECT_FALSE(phones.hold("201", gateway.now()));
    is_known(gateway, snapshot_interval());
    EXPECT_FALSE(phones.retrieve("201", gateway.now()));
    is_known(gateway, snapshot_interval());
    EXPECT_FALSE(phones.hang_up("202", gateway.now()));
    is_known(gateway, snapshot_interval());
    gateway.pause();
    EXPECT_EQ(story_of(gateway.told()),
              "A 201 originated, held, retrieved, connectionCleared\n"
              "A 202 delivered, established, connectionCleared\n"
              "A callCleared\n");
  }
}

// A command of ours is such a hint.
TEST_P(WebitelDetail, ACommandIsFollowedByAList) {
  Gateway gateway(vendor(), bench());
  gateway.connect();
  Office office(gateway);
  office.dial("201", "202");
  office.answer("202");
  const auto before = gateway.now();
  const auto request = request_on(gateway, call::Service::hold_call, "202");
  EXPECT_TRUE(std::holds_alternative<call::Outcome>(gateway.ask(request)));
  EXPECT_LE(gateway.now() - before, at_most(250ms));
  EXPECT_EQ(differences(gateway), "");
  office.go_home();
}

TEST_P(WebitelDetail, AShortCallIsSeenBySocketsOnly) {
  Gateway gateway(vendor(), bench());
  gateway.connect();
  engine::Tenant& phones = gateway.phones();
  ASSERT_TRUE(phones.originate("201", "202", {}, gateway.now()));
  EXPECT_FALSE(phones.answer("202", gateway.now()));
  EXPECT_FALSE(phones.hang_up("202", gateway.now()));
  gateway.pause();
  EXPECT_EQ(differences(gateway), "");
  EXPECT_EQ(story_of(gateway.told()), live() ? "A 201 originated, connectionCleared\n"
                                               "A 202 delivered, established, connectionCleared\n"
                                               "A callCleared\n"
                                             : "");
}

TEST_P(WebitelDetail, AShortHoldIsSeenBySocketsOnly) {
  Gateway gateway(vendor(), bench());
  gateway.connect();
  Office office(gateway);
  office.dial("201", "202");
  office.answer("202");
  const auto from = gateway.told().size();
  EXPECT_FALSE(gateway.phones().hold("202", gateway.now()));
  EXPECT_FALSE(gateway.phones().retrieve("202", gateway.now()));
  gateway.pause();
  EXPECT_EQ(differences(gateway), "");
  EXPECT_EQ(story_of(gateway.told(), from), live() ? "A 202 held, retrieved\n" : "");
  office.go_home();
}

TEST_P(WebitelDetail, WhyACallFailedIsToldBySocketsOnly) {
  const std::map<std::string, std::string> with{
      {"busy",
       "A 201 originated, failed(busy), connectionCleared(busy)\n"
       "A callCleared(busy)\n"},
      {"rejected",
       "A 201 originated, failed(blocked), connectionCleared(blocked)\n"
       "A 202 delivered, connectionCleared\n"
       "A callCleared(blocked)\n"},
      {"no answer",
       "A 201 originated, failed(callNotAnswered), connectionCleared(callNotAnswered)\n"
       "A 202 delivered, connectionCleared(callNotAnswered)\n"
       "A callCleared(callNotAnswered)\n"},
      {"unallocated",
       "A 201 originated, failed(numberUnallocated), connectionCleared(numberUnallocated)\n"
       "A callCleared(numberUnallocated)\n"},
  };
  for (const auto& [name, story] : with) {
    SCOPED_TRACE(name);
    const std::string told = story_with(name.c_str(), {});
    if (live()) {
      EXPECT_EQ(told, story);
    } else {
      EXPECT_EQ(told.find('('), told.npos) << told;
      EXPECT_EQ(told.find("failed"), told.npos) << told;
    }
  }
}

// By what is left of the calls, where nothing says it.
TEST_P(WebitelDetail, ATransferIsRecognizedEitherWay) {
  EXPECT_EQ(story_with("single-step transfer: at the phone", {}),
            "A 201 originated, connectionCleared\n"
            "A 202 delivered, established, transferred(singleStepTransfer), "
            "connectionCleared(singleStepTransfer)\n"
            "A 203 delivered, established, connectionCleared\n"
            "A callCleared\n");
  EXPECT_NE(story_with("two-step transfer: completed after the answer", {})
                .find("transferred, connectionCleared(transfer)"),
            std::string::npos);
}

// Somebody else asks for it, for instance a page of the vendor's.
TEST_P(WebitelDetail, ACallByRequestIsToldBySocketsOnly) {
  Gateway gateway(vendor(), bench());
  gateway.connect();
  ASSERT_TRUE(gateway.phones().call_back("201", "202", {}, gateway.now()));
  gateway.pause();
  gateway.pause();
  Office office(gateway);
  office.answer("202");
  office.hang_up("202");
  const std::string story = story_of(gateway.told());
  EXPECT_EQ(story.find("serviceInitiated") != story.npos, live()) << story;
  EXPECT_NE(story.find("originated"), story.npos) << story;
  EXPECT_NE(story.find("established"), story.npos) << story;
}
TEST_P(WebitelDetail, OurOwnCallByRequestIsToldEitherWay) {
  Gateway gateway(vendor(), bench());
  gateway.connect();
  call::Request request;
  request.service = call::Service::make_call;
  request.device = call::DeviceId("201");
  request.destination = "202";
  EXPECT_TRUE(std::holds_alternative<call::Outcome>(gateway.ask(request)));
  gateway.pause();
  const std::string story = story_of(gateway.told());
  EXPECT_NE(story.find("serviceInitiated(makeCall), originated"), story.npos) << story;
  Office(gateway).go_home();
}

TEST_P(WebitelDetail, PeopleChange) {
  for (Millis at = 0ms; at < setting("people_interval"); at += 700ms) {
    SCOPED_TRACE(at.count());
    Gateway gateway(vendor(), bench());
    gateway.connect();
    gateway.wait(at);
    const Millis most = at_most(setting("people_interval"));
    const auto within = [&](const std::function<bool(const call::Device&)>& is) {
      return gateway.wait_until([&] { return is(device(gateway, "201")); }, most);
    };
    EXPECT_FALSE(gateway.phones().set_do_not_disturb("201", true, gateway.now()));
    EXPECT_TRUE(within([](const auto& it) { return it.do_not_disturb.value_or(false); }));
    EXPECT_FALSE(gateway.phones().set_do_not_disturb("201", false, gateway.now()));
    EXPECT_TRUE(within([](const auto& it) { return !it.do_not_disturb.value_or(true); }));

    const std::string path = "/call_center/agents/" + agent_of("201") + "/status";
    rest(gateway, "PATCH", path, R"({"status":"online"})");
    EXPECT_TRUE(within([](const auto& it) { return it.agent_state == call::AgentState::ready; }));
    rest(gateway, "PATCH", path, R"({"status":"pause","payload":"Lunch"})");
    EXPECT_TRUE(within([](const auto& it) {
      return it.agent_state == call::AgentState::not_ready && it.agent_reason == "Lunch";
    }));
  }
}

// There is no event for it: whoever needs digits asks the PBX's own.
TEST_P(WebitelDetail, DigitsAreNotTold) {
  Gateway gateway(vendor(), bench());
  gateway.connect();
  Office office(gateway);
  office.dial("201", "202");
  office.answer("202");
  auto request = request_on(gateway, call::Service::generate_digits, "201");
  request.digits = "5";
  const auto from = gateway.told().size();
  EXPECT_TRUE(std::holds_alternative<call::Outcome>(gateway.ask(request)));
  gateway.pause();
  EXPECT_EQ(gateway.told().size(), from);
  office.go_home();
}

INSTANTIATE_TEST_SUITE_P(Webitel, WebitelDetail, testing::ValuesIn(benches_of_webitel()),
                         bench_name);

}  // namespace
}  // namespace conformance
