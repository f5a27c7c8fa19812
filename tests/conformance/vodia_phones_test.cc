#include <gmock/gmock.h>

#include "conformance/gateway.h"
#include "pbx/vodia/vendor.h"
#include "support/signal_words.h"

// Media clients of Vodia's: two browsers as phones of 201 and 202, through one session, at the
// simulator's PBX. Nobody told the one side how the other understands the protocol.
namespace conformance {
namespace {

using simulator::vodia::Profile;
using simulator::vodia::Variants;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// Of the office that is made next.
Profile profile = Profile::v70;
Variants variants;

void equip(simulator::TenantSettings& office) {
  office.vendor = simulator::Vendor::vodia;
  office.vodia.profile = profile;
  office.vodia.variants = variants;
  office.vodia.domain = "office.example";
  office.vodia.admin_user = "admin";
  office.vodia.admin_password = "secret";
  office.engine.answers = {{"*", {}}};  // rings until told
}

void configure(pbx::Settings& settings, std::span<const std::string>) {
  settings.set("host", std::string("pbx.example"));
  settings.set("domain", std::string("office.example"));
  settings.set("user", std::string("208"));
  settings.set("password", std::string("agent-208"));
  settings.set("admin_user", std::string("admin"));
  settings.set("admin_password", std::string("secret"));
  if (profile != Profile::legacy2016) return;
  settings.set("login", std::string("password"));
  settings.set("path", std::string("/"));
}

Bench bench() {
  Bench it{};
  it.vendor = "vodia";
  it.equip = equip;
  it.configure = configure;
  return it;
}

struct Clients : testing::Test {
  static constexpr call::SignalId kAnn = 1, kBob = 2;

  explicit Clients(Profile of = Profile::v70, Variants in = {}) {
    profile = of;
    variants = in;
    gateway.emplace(vendor_, bench_);
    gateway->connect();
  }
  bool modern() const { return profile == Profile::v70; }
  void open(call::SignalId who, std::string_view device) {
    gateway->open_signal(who, {call::DeviceId(std::string(device)), true, "test"});
    gateway->wait(1s);
    EXPECT_THAT(told(who), ElementsAre("ready"));
  }
  void open_both() {
    open(kAnn, "201");
    open(kBob, "202");
  }
  void say(call::SignalId who, const call::FromClient& message) {
    gateway->signal(who, message);
    gateway->wait(1s);
  }
  // Descriptions are cut; remembers the id of a call that comes in.
  std::vector<std::string> told(call::SignalId who) {
    std::vector<std::string> words;
    for (const call::ToClient& message : gateway->take_signals(who)) {
      if (const auto* it = std::get_if<call::IncomingCall>(&message)) incoming = it->call;
      std::string line = support::words_of(message);
      if (const auto sdp = line.find(": v=0"); sdp != std::string::npos) line.resize(sdp);
      words.push_back(std::move(line));
    }
    return words;
  }
  // Ann calls Bob, who answers.
  void talk() {
    say(kAnn, call::StartCall{"ann1", "202", "v=0 ann"});
    if (modern()) say(kAnn, call::AnswerOffer{"ann1", "v=0 ann answers"});
    told(kBob);
    say(kBob, call::AnswerOffer{incoming, "v=0 bob"});
    EXPECT_THAT(told(kAnn), testing::Contains("connected ann1"));
    EXPECT_THAT(told(kBob), ElementsAre("connected " + incoming));
  }
  const simulator::engine::Leg& leg_of(std::string_view number) const {
    const auto& tenant = gateway->phones();
    return *tenant.find_leg(tenant.extension(tenant.find_extension(number)).legs.at(0));
  }
  bool talks(std::string_view number) const { return leg_of(number).connected; }
  void expect_all_over() {
    gateway->wait(5s);
    EXPECT_EQ(gateway->phones().call_count(), 0u);
    EXPECT_THAT(gateway->folded().calls, IsEmpty());
    EXPECT_FALSE(gateway->last_end());
  }

  const pbx::Vendor vendor_ = pbx::vodia::vendor();
  const Bench bench_ = bench();
  std::optional<Gateway> gateway;
  std::string incoming;
};

// In each generation, and in each way in which a PBX may put it.
struct Way {
  const char* name;
  Profile profile;
  void (*vary)(Variants&);
};
void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

struct AllClients : Clients, testing::WithParamInterface<Way> {
  static Variants varied() {
    Variants it;
    GetParam().vary(it);
    return it;
  }
  AllClients() : Clients(GetParam().profile, varied()) {}
};

INSTANTIATE_TEST_SUITE_P(Vodia, AllClients,
                         testing::Values(Way{"v67", Profile::v67, [](Variants&) {}},
                                         Way{"v70", Profile::v70, [](Variants&) {}},
                                         Way{"v70InOtherWords", Profile::v70,
                                             [](Variants& it) {
                                               it.same_call_id = true;
                                               it.code_in_bye = true;
                                               it.cancel = Variants::Cancel::action;
                                               it.one_call = Variants::OneCall::object;
                                             }}),
                         [](const auto& each) { return each.param.name; });

TEST_P(AllClients, TalkHoldResumeTransferAndHangUp) {
  open_both();
  say(kAnn, call::StartCall{"ann1", "202", "v=0 ann"});
  EXPECT_THAT(told(kAnn),
              ElementsAre(modern() ? "offer ann1" : "answer ann1", StartsWith("ringing ann1"),
                          StartsWith("candidate ann1: candidate:1 ")));
  EXPECT_THAT(told(kBob), ElementsAre(AllOf(StartsWith("incoming"), HasSubstr("from 201 (")),
                                      StartsWith("candidate " + incoming)));
  if (modern()) say(kAnn, call::AnswerOffer{"ann1", "v=0 ann answers"});
  say(kAnn, call::IceCandidate{"ann1", "candidate:1 1 udp 1 192.0.2.1 9 typ host", "0", 0});
  say(kAnn, call::IceCandidate{"ann1", "", "", 0});
  say(kBob, call::AnswerOffer{incoming, "v=0 bob"});
  say(kBob, call::IceCandidate{incoming, "candidate:1 1 udp 1 192.0.2.2 9 typ host", "0", 0});
  EXPECT_THAT(told(kAnn), ElementsAre("connected ann1"));
  EXPECT_THAT(told(kBob), ElementsAre("connected " + incoming));
  EXPECT_TRUE(talks("201") && talks("202"));

  say(kAnn, call::HoldMedia{"ann1"});
  EXPECT_TRUE(leg_of("201").held);
  say(kAnn, call::ResumeMedia{"ann1", ""});
  EXPECT_FALSE(leg_of("201").held);
  say(kBob, call::HoldMedia{incoming});
  EXPECT_TRUE(leg_of("202").held);
  say(kBob, call::ResumeMedia{incoming, "v=0 bob again"});
  EXPECT_FALSE(leg_of("202").held);
  say(kBob, call::MuteMedia{incoming, true});

  say(kBob, call::TransferMedia{incoming, "203"});
  EXPECT_THAT(told(kBob), ElementsAre(StartsWith("ended " + incoming + " normalClearing")));
  ASSERT_FALSE(gateway->phones().answer("203", gateway->now()));
  gateway->wait(1s);
  EXPECT_TRUE(talks("201") && talks("203"));
  EXPECT_THAT(told(kAnn), IsEmpty());
  say(kAnn, call::HangUp{"ann1"});
  EXPECT_THAT(told(kAnn), ElementsAre("ended ann1 normalClearing"));
  EXPECT_THAT(told(kBob), IsEmpty());
  expect_all_over();
}

TEST_P(AllClients, HearThatTheOtherSideHangsUp) {
  open_both();
  talk();
  say(kBob, call::HangUp{incoming});
  EXPECT_THAT(told(kBob), ElementsAre("ended " + incoming + " normalClearing"));
  EXPECT_THAT(told(kAnn), ElementsAre(StartsWith("ended ann1 normalClearing")));
  expect_all_over();
}

TEST_P(AllClients, GiveUpBeforeTheAnswer) {
  open_both();
  say(kAnn, call::StartCall{"ann1", "202", "v=0 ann"});
  told(kAnn);
  told(kBob);
  say(kAnn, call::HangUp{"ann1"});
  EXPECT_THAT(told(kAnn), ElementsAre("ended ann1 callCancelled"));
  EXPECT_THAT(told(kBob), ElementsAre("ended " + incoming + " callCancelled"));
  expect_all_over();
}

TEST_P(AllClients, RefuseACall) {
  open_both();
  say(kAnn, call::StartCall{"ann1", "202", "v=0 ann"});
  told(kAnn);
  told(kBob);
  say(kBob, call::RejectCall{incoming, call::RejectCall::Why::busy});
  EXPECT_THAT(told(kBob), ElementsAre("ended " + incoming + " busy"));
  gateway->wait(5s);
  EXPECT_THAT(told(kAnn), ElementsAre(StartsWith("ended ann1 b")));  // busy, or rejected
  expect_all_over();
}

TEST_P(AllClients, HearWhyACallCannotBe) {
  open_both();
  say(kAnn, call::StartCall{"ann1", "99", "v=0 ann"});
  gateway->wait(5s);
  EXPECT_THAT(told(kAnn), ElementsAre("ended ann1 destNotObtainable 404"));
  ASSERT_FALSE(gateway->phones().set_do_not_disturb("203", true, gateway->now()));
  say(kAnn, call::StartCall{"ann2", "203", "v=0 ann"});
  gateway->wait(5s);
  EXPECT_THAT(told(kAnn), ElementsAre(StartsWith("ended ann2 busy 486")));
  expect_all_over();
}

TEST_P(AllClients, LeaveNoCallBehind) {
  open_both();
  talk();
  gateway->close_signal(kAnn);
  gateway->wait(1s);
  EXPECT_THAT(told(kBob), ElementsAre(StartsWith("ended " + incoming + " normalClearing")));
  expect_all_over();
}

TEST_P(AllClients, CallAndAreCalledByDeskPhones) {
  open(kAnn, "201");
  ASSERT_TRUE(gateway->phones().originate("+34600111222", "201", {}, gateway->now()));
  gateway->wait(1s);
  EXPECT_THAT(told(kAnn), ElementsAre(HasSubstr("from +34600111222 ()"), StartsWith("candidate")));
  say(kAnn, call::AnswerOffer{incoming, "v=0 ann"});
  ASSERT_FALSE(gateway->phones().hang_up("+34600111222", gateway->now()));
  gateway->wait(1s);
  EXPECT_THAT(told(kAnn), ElementsAre("connected " + incoming,
                                      StartsWith("ended " + incoming + " normalClearing")));
  say(kAnn, call::StartCall{"ann1", "204", "v=0 ann"});
  if (modern()) say(kAnn, call::AnswerOffer{"ann1", "v=0 ann answers"});
  ASSERT_FALSE(gateway->phones().answer("204", gateway->now()));
  gateway->wait(1s);
  EXPECT_THAT(told(kAnn), testing::Contains("connected ann1"));
  say(kAnn, call::HangUp{"ann1"});
  expect_all_over();
}

TEST_P(AllClients, StayThroughHours) {
  open_both();
  gateway->wait(std::chrono::hours(5));
  EXPECT_FALSE(gateway->signal_end(kAnn));
  talk();
  EXPECT_TRUE(talks("201") && talks("202"));
}

TEST_P(AllClients, HearNothingOfAStreamThatCouldNotBe) {
  gateway->open_signal(kAnn, {call::DeviceId("999"), true, ""});
  ASSERT_TRUE(gateway->signal_end(kAnn));
  EXPECT_EQ(gateway->signal_end(kAnn)->why, base::Errc::device_not_found);
  gateway->change_faults([](simulator::engine::Faults& it) { it.refuse_upgrades = 1; });
  gateway->open_signal(kBob, {call::DeviceId("202"), true, ""});
  gateway->wait(1s);
  ASSERT_TRUE(gateway->signal_end(kBob));
  EXPECT_EQ(gateway->signal_end(kBob)->why, base::Errc::upgrade_refused);
  open(3, "202");
}

// ---- What only some servers do.

TEST_F(Clients, HearThatThePbxsOfferWasNotAnswered) {
  open_both();
  say(kAnn, call::StartCall{"ann1", "202", "v=0 ann"});
  told(kAnn);
  told(kBob);
  say(kBob, call::AnswerOffer{incoming, "v=0 bob"});
  EXPECT_THAT(told(kAnn), ElementsAre(AllOf(StartsWith("ended ann1 incompatibleDestination 415: "),
                                            HasSubstr("AnswerOffer"))));
  EXPECT_THAT(told(kBob), ElementsAre("connected " + incoming,
                                      StartsWith("ended " + incoming + " normalClearing")));
  expect_all_over();
}

struct ClientsOfPairs : Clients {
  static Variants pairs() {
    Variants it;
    it.candidate_pairs = true;
    return it;
  }
  ClientsOfPairs() : Clients(Profile::v70, pairs()) {}
};

TEST_F(ClientsOfPairs, GetACandidateForEachAddress) {
  open_both();
  say(kAnn, call::StartCall{"ann1", "202", "v=0 ann"});
  EXPECT_THAT(told(kAnn),
              ElementsAre("offer ann1", "ringing ann1", HasSubstr(" 192.0.2.10 49152 typ host"),
                          HasSubstr(" 10.0.0.5 49154 typ host")));
}

struct ClientsOf2016 : Clients {
  ClientsOf2016() : Clients(Profile::legacy2016) {}
};

TEST_F(ClientsOf2016, HaveOneCallAsTheMonitoringExtension) {
  open(kAnn, "208");
  say(kAnn, call::StartCall{"ann1", "203", "v=0 ann"});
  EXPECT_THAT(told(kAnn), ElementsAre("answer ann1", "ringing ann1", StartsWith("candidate ann1")));
  ASSERT_FALSE(gateway->phones().answer("203", gateway->now()));
  gateway->wait(1s);
  EXPECT_THAT(told(kAnn), ElementsAre("connected ann1"));
  say(kAnn, call::HoldMedia{"ann1"});
  EXPECT_TRUE(leg_of("208").held);
  say(kAnn, call::ResumeMedia{"ann1", ""});
  say(kAnn, call::HangUp{"ann1"});
  EXPECT_EQ(gateway->phones().call_count(), 0u);
  ASSERT_TRUE(gateway->phones().originate("203", "208", {}, gateway->now()));
  gateway->wait(1s);
  EXPECT_THAT(told(kAnn), ElementsAre("ended ann1 normalClearing", HasSubstr("from 203"),
                                      StartsWith("candidate " + incoming)));
  say(kAnn, call::AnswerOffer{incoming, "v=0 ann"});
  EXPECT_TRUE(talks("208"));
  ASSERT_FALSE(gateway->phones().hang_up("203", gateway->now()));
  gateway->wait(1s);
  EXPECT_THAT(told(kAnn),
              ElementsAre("connected " + incoming, "ended " + incoming + " normalClearing"));
}

}  // namespace
}  // namespace conformance
