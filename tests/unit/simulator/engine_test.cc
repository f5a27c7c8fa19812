#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace simulator {
namespace {

using base::Errc;
using engine::Cause;
using engine::Change;
using engine::LegState;
using engine::Outcome;
using engine::Plan;
using engine::Tenant;
using engine::TenantOptions;
using engine::TimePoint;
using testing::ElementsAre;

// Writes down "ended 201 16" and the like.
struct Diary : engine::Listener {
  Tenant* tenant = nullptr;
  std::vector<std::string> lines;

  void on_change(const Change& it) override {
    using Kind = Change::Kind;
    const std::string who = it.leg ? it.leg->number : tenant->extension(it.extension).number;
    switch (it.kind) {
      case Kind::status:
        lines.push_back("status " + who + ' ' +
                        std::string(engine::name_of(tenant->extension(it.extension).status)));
        break;
      case Kind::do_not_disturb:
        lines.push_back(
            (tenant->extension(it.extension).do_not_disturb ? "do not disturb " : "disturb ") +
            who);
        break;
      case Kind::dialled: lines.push_back("dialled " + who + ' ' + it.leg->to); break;
      case Kind::forwarding: break;  // said by whoever sets it
      case Kind::leg_added: lines.push_back("added " + who); break;
      case Kind::leg_state:
        lines.push_back(std::string(engine::name_of(it.leg->state)) + ' ' + who);
        break;
      case Kind::leg_ended:
        lines.push_back("ended " + who + ' ' + std::to_string(static_cast<int>(it.cause)));
        break;
      case Kind::held: lines.push_back("held " + who); break;
      case Kind::retrieved: lines.push_back("retrieved " + who); break;
      case Kind::record_started: lines.push_back("recording " + who); break;
      case Kind::record_stopped: lines.push_back("recorded " + who); break;
      case Kind::joined: lines.push_back("joined " + who); break;
    }
  }
};

class EngineTest : public testing::Test {
 protected:
  static TenantOptions options() {
    TenantOptions it;
    it.extensions = {"201", "202", "203", "204"};
    return it;
  }
  void make(const TenantOptions& with) {
    tenant = std::make_unique<Tenant>(with, diary);
    diary.tenant = tenant.get();
  }
  void SetUp() override { make(options()); }

  std::vector<std::string> taken() { return std::exchange(diary.lines, {}); }
  void wait(engine::Millis time) { tenant->advance(now += time); }
  void call(std::string_view from, std::string_view to, const Plan& plan = {}) {
    const auto leg = tenant->originate(from, to, plan, now);
    ASSERT_TRUE(leg) << leg.error().message();
  }
  // Both talk, and the diary is empty.
  void connect(std::string_view from, std::string_view to) {
    call(from, to);
    if (tenant->find_extension(to) == engine::kOutside) wait(500ms);
    ASSERT_EQ(tenant->answer(to, now), base::Error());
    taken();
  }

  Diary diary;
  std::unique_ptr<Tenant> tenant;
  TimePoint now{};
};

TEST_F(EngineTest, ParksACallWhereAnybodyMayTakeIt) {
  auto with = options();
  with.orbits = {"800"};
  make(with);
  connect("201", "202");
  ASSERT_EQ(tenant->transfer("202", "800", {}, now), base::Error());
  wait(0ms);
  EXPECT_THAT(taken(),
              ElementsAre("ended 202 16", "status 202 idle", "added 800", "ringing 800",
                          "status 800 ringing", "up 800", "joined 201", "status 800 in_use"));
  ASSERT_EQ(tenant->pick_up("203", "800", now), base::Error());
  EXPECT_THAT(taken(), ElementsAre("added 203", "ended 800 26", "status 800 idle", "up 203",
                                   "joined 201", "status 203 in_use"));
  EXPECT_EQ(tenant->pick_up("204", "800", now), Errc::call_not_found);
}

TEST_F(EngineTest, CallsRingsAndIsAnsweredBetweenExtensions) {
  call("201", "202");
  EXPECT_THAT(taken(), ElementsAre("added 201", "status 201 in_use", "added 202", "ring_back 201",
                                   "ringing 202", "status 202 ringing"));
  EXPECT_EQ(tenant->answer("202", now), base::Error());
  EXPECT_THAT(taken(), ElementsAre("up 202", "up 201", "status 202 in_use"));
  EXPECT_EQ(tenant->hang_up("201", now), base::Error());
  EXPECT_THAT(taken(),
              ElementsAre("ended 201 16", "status 201 idle", "ended 202 16", "status 202 idle"));
  EXPECT_EQ(tenant->call_count(), 0u);
}

TEST_F(EngineTest, FollowsItsPlanByItself) {
  Plan plan;
  plan.answer_after = 3s;
  plan.duration = 10s;
  call("201", "202", plan);
  taken();
  wait(2999ms);
  EXPECT_THAT(taken(), ElementsAre());
  wait(1ms);
  EXPECT_THAT(taken(), ElementsAre("up 202", "up 201", "status 202 in_use"));
  EXPECT_EQ(tenant->deadline(), now + 10s);
  wait(10s);
  EXPECT_THAT(taken(),
              ElementsAre("ended 202 16", "status 202 idle", "ended 201 16", "status 201 idle"));
}

TEST_F(EngineTest, GivesUpRingingAfterItsTimeout) {
  call("201", "202");
  taken();
  wait(60s);
  EXPECT_THAT(taken(),
              ElementsAre("ended 202 19", "status 202 idle", "ended 201 19", "status 201 idle"));
}

TEST_F(EngineTest, LetsTheCallerAbandonAndTheCalleeReject) {
  call("201", "202");
  taken();
  EXPECT_EQ(tenant->hang_up("201", now), base::Error());
  EXPECT_THAT(taken(),
              ElementsAre("ended 201 16", "status 201 idle", "ended 202 16", "status 202 idle"));
  call("201", "202");
  taken();
  EXPECT_EQ(tenant->hang_up("202", now), base::Error());
  EXPECT_THAT(taken(),
              ElementsAre("ended 202 21", "status 202 idle", "ended 201 21", "status 201 idle"));
}

TEST_F(EngineTest, PlaysTheBusyToneForAWhile) {
  ASSERT_EQ(tenant->set_forced_busy("202", true, now), base::Error());
  EXPECT_THAT(taken(), ElementsAre("status 202 busy"));
  call("201", "202");
  EXPECT_THAT(taken(), ElementsAre("added 201", "status 201 in_use", "busy 201"));
  wait(1500ms);
  EXPECT_THAT(taken(), ElementsAre("ended 201 17", "status 201 idle"));
}

TEST_F(EngineTest, RefusesWithTheCauseThatFits) {
  const auto cause_of = [&](std::string_view to, Plan plan = {}) {
    call("201", to, plan);
    wait(5s);
    for (const auto& line : taken()) {
      if (line.starts_with("ended 201")) return line.substr(10);
    }
    return std::string("none");
  };
  Plan plan;
  EXPECT_EQ(cause_of("999"), "1");  // too short for an outside number
  ASSERT_EQ(tenant->set_registered("203", false, now), base::Error());
  EXPECT_EQ(cause_of("203"), "20");
  ASSERT_EQ(tenant->set_do_not_disturb("204", true, now), base::Error());
  EXPECT_EQ(cause_of("204"), "17");
  plan.outcome = Outcome::busy;
  EXPECT_EQ(cause_of("+34911222333", plan), "17");
  plan.outcome = Outcome::congestion;
  EXPECT_EQ(cause_of("+34911222333", plan), "34");
  plan.outcome = Outcome::unallocated;
  EXPECT_EQ(cause_of("202", plan), "1");
  plan.outcome = Outcome::reject;
  EXPECT_EQ(cause_of("202", plan), "21");
}

TEST_F(EngineTest, IsBusyWhenAllLinesAre) {
  connect("201", "202");
  connect("203", "202");  // its second line
  call("204", "202");
  EXPECT_THAT(taken(), ElementsAre("added 204", "status 204 in_use", "busy 204"));
  EXPECT_EQ(tenant->originate("202", "201", {}, now).error(), Errc::incorrect_state);
}

TEST_F(EngineTest, DialsOutsideNumbersWithProgress) {
  call("201", "+34911222333");
  EXPECT_THAT(taken(),
              ElementsAre("added 201", "status 201 in_use", "dialing 201", "added +34911222333"));
  wait(500ms);
  EXPECT_THAT(taken(), ElementsAre("ring_back 201", "ringing +34911222333"));
  EXPECT_EQ(tenant->answer("+34911222333", now), base::Error());
  EXPECT_THAT(taken(), ElementsAre("up +34911222333", "up 201"));
  EXPECT_EQ(tenant->hang_up("+34911222333", now), base::Error());
  EXPECT_THAT(taken(), ElementsAre("ended +34911222333 16", "ended 201 16", "status 201 idle"));
}

TEST_F(EngineTest, RingsTheOwnPhoneFirstAtACallBack) {
  ASSERT_TRUE(tenant->call_back("201", "202", {}, now));
  EXPECT_THAT(taken(), ElementsAre("added 201", "ringing 201", "status 201 ringing"));
  wait(800ms);
  EXPECT_THAT(taken(), ElementsAre("up 201", "status 201 in_use", "dialing 201", "added 202",
                                   "ring_back 201", "ringing 202", "status 202 ringing"));
  ASSERT_EQ(tenant->answer("202", now), base::Error());
  EXPECT_THAT(taken(), ElementsAre("up 202", "up 201", "status 202 in_use"));
}

TEST_F(EngineTest, HoldsAndRetrieves) {
  connect("201", "202");
  EXPECT_EQ(tenant->hold("202", now), base::Error());
  EXPECT_THAT(taken(), ElementsAre("held 202", "status 202 hold"));
  EXPECT_EQ(tenant->hold("202", now), Errc::incorrect_state);
  EXPECT_EQ(tenant->retrieve("202", now), base::Error());
  EXPECT_THAT(taken(), ElementsAre("retrieved 202", "status 202 in_use"));
}

TEST_F(EngineTest, HoldsOneCallWhenAnotherBegins) {
  connect("201", "202");
  call("201", "203");
  EXPECT_THAT(taken(), ElementsAre("added 201", "held 201", "status 201 in_use_hold", "added 203",
                                   "ring_back 201", "ringing 203", "status 203 ringing"));
}

TEST_F(EngineTest, TransfersBlindly) {
  connect("201", "202");
  Plan plan;
  plan.answer_after = 1s;
  EXPECT_EQ(tenant->transfer("202", "203", plan, now), base::Error());
  EXPECT_THAT(taken(), ElementsAre("ended 202 16", "status 202 idle", "added 203", "ringing 203",
                                   "status 203 ringing"));
  wait(1s);
  EXPECT_THAT(taken(), ElementsAre("up 203", "joined 201", "status 203 in_use"));
  ASSERT_EQ(tenant->calls().size(), 1u);
  EXPECT_TRUE(tenant->calls().front()->transferred);
}

TEST_F(EngineTest, EndsTheOtherPartyWhenABlindTransferFails) {
  connect("201", "202");
  EXPECT_EQ(tenant->transfer("202", "999", {}, now), base::Error());
  EXPECT_THAT(taken(),
              ElementsAre("ended 202 16", "status 202 idle", "ended 201 1", "status 201 idle"));
}

TEST_F(EngineTest, TransfersAfterConsultation) {
  connect("+34911222333", "202");
  call("202", "203");
  ASSERT_EQ(tenant->answer("203", now), base::Error());
  taken();
  EXPECT_EQ(tenant->attended_transfer("202", now), base::Error());
  EXPECT_THAT(taken(),
              ElementsAre("retrieved 202", "ended 202 16", "status 202 in_use", "ended 202 16",
                          "status 202 idle", "joined +34911222333", "joined 203"));
  ASSERT_EQ(tenant->call_count(), 1u);
  EXPECT_EQ(tenant->calls().front()->legs.size(), 2u);
}

TEST_F(EngineTest, TransfersWhileTheConsultedStillRings) {
  connect("201", "202");
  call("202", "203");
  taken();
  EXPECT_EQ(tenant->attended_transfer("202", now), base::Error());
  taken();
  EXPECT_EQ(tenant->answer("203", now), base::Error());
  EXPECT_THAT(taken(), ElementsAre("up 203", "joined 201", "status 203 in_use"));
}

TEST_F(EngineTest, JoinsThreeInAConference) {
  connect("201", "202");
  call("201", "203");
  ASSERT_EQ(tenant->answer("203", now), base::Error());
  taken();
  EXPECT_EQ(tenant->conference("201", now), base::Error());
  ASSERT_EQ(tenant->call_count(), 1u);
  EXPECT_TRUE(tenant->calls().front()->conference);
  EXPECT_EQ(tenant->calls().front()->legs.size(), 3u);
  taken();
  EXPECT_EQ(tenant->hang_up("203", now), base::Error());
  EXPECT_THAT(taken(), ElementsAre("ended 203 16", "status 203 idle"));  // two go on
}

TEST_F(EngineTest, DeflectsAndPicksUp) {
  call("201", "202");
  taken();
  EXPECT_EQ(tenant->deflect("202", "203", {}, now), base::Error());
  EXPECT_THAT(taken(), ElementsAre("ended 202 26", "status 202 idle", "added 203", "ringing 203",
                                   "status 203 ringing"));
  EXPECT_EQ(tenant->pick_up("204", "203", now), base::Error());
  EXPECT_THAT(taken(), ElementsAre("added 204", "ended 203 26", "status 203 idle", "up 204",
                                   "up 201", "status 204 in_use"));
}

TEST_F(EngineTest, ForwardsAlwaysOnBusyAndOnNoAnswer) {
  ASSERT_EQ(tenant->set_forwarding("202", {"203", "", ""}), base::Error());
  call("201", "202");
  EXPECT_EQ(taken()[2], "added 203");
  ASSERT_EQ(tenant->hang_up("201", now), base::Error());

  ASSERT_EQ(tenant->set_forwarding("202", {"", "203", ""}), base::Error());
  ASSERT_EQ(tenant->set_forced_busy("202", true, now), base::Error());
  taken();
  call("201", "202");
  EXPECT_EQ(taken()[2], "added 203");
  ASSERT_EQ(tenant->hang_up("201", now), base::Error());

  ASSERT_EQ(tenant->set_forced_busy("202", false, now), base::Error());
  ASSERT_EQ(tenant->set_forwarding("202", {"", "", "203"}), base::Error());
  call("201", "202");
  taken();
  wait(60s);
  EXPECT_THAT(taken(), ElementsAre("ended 202 19", "status 202 idle", "added 203", "ringing 203",
                                   "status 203 ringing"));
}

TEST_F(EngineTest, DialsInOverlap) {
  ASSERT_TRUE(tenant->seize("201", now));
  EXPECT_EQ(tenant->dial("201", "2", now), base::Error());
  EXPECT_EQ(tenant->dial("201", "x", now), base::Errc::invalid_argument);
  EXPECT_EQ(tenant->dial("202", "1", now), base::Errc::call_not_found);
  EXPECT_EQ(tenant->dial("201", "02", now), base::Error());
  EXPECT_THAT(taken(),
              ElementsAre("added 201", "status 201 in_use", "dialled 201 2", "dialled 201 202",
                          "added 202", "ring_back 201", "ringing 202", "status 202 ringing"));
  EXPECT_EQ(tenant->dial("201", "3", now), base::Errc::incorrect_state);
  EXPECT_EQ(tenant->seize("299", now).error(), base::Errc::device_not_found);
}

TEST_F(EngineTest, CallsWhateverTheForwardingsSayIfItIsTo) {
  ASSERT_EQ(tenant->set_forwarding("202", {"203", "204", "204"}, now), base::Error());
  Plan plan;
  plan.direct = true;
  call("201", "202", plan);
  EXPECT_EQ(tenant->extension(1).legs.size(), 1u);
  wait(60s);
  EXPECT_EQ(tenant->call_count(), 0u) << "nobody answered";
}

TEST_F(EngineTest, EndsARingOfForwardings) {
  ASSERT_EQ(tenant->set_forwarding("202", {"203", "", ""}), base::Error());
  ASSERT_EQ(tenant->set_forwarding("203", {"202", "", ""}), base::Error());
  call("201", "202");
  EXPECT_THAT(taken(),
              ElementsAre("added 201", "status 201 in_use", "ended 201 34", "status 201 idle"));
}

TEST_F(EngineTest, RecordsWhatIsTold) {
  connect("201", "202");
  EXPECT_EQ(tenant->record("202", true, now), base::Error());
  EXPECT_EQ(tenant->record("202", true, now), Errc::incorrect_state);
  EXPECT_EQ(tenant->record("202", false, now), base::Error());
  EXPECT_EQ(tenant->record("201", true, now), base::Error());
  EXPECT_EQ(tenant->hang_up("201", now), base::Error());
  EXPECT_THAT(taken(),
              ElementsAre("recording 202", "recorded 202", "recording 201", "recorded 201",
                          "ended 201 16", "status 201 idle", "ended 202 16", "status 202 idle"));
}

TEST_F(EngineTest, RecordsEverythingIfSo) {
  auto with = options();
  with.record_all = true;
  make(with);
  call("+34911222333", "201");
  taken();
  ASSERT_EQ(tenant->answer("201", now), base::Error());
  EXPECT_THAT(taken(),
              ElementsAre("up 201", "up +34911222333", "status 201 in_use", "recording 201"));
}

TEST_F(EngineTest, ShowsPublicNumbersTowardsThePublicOnly) {
  auto with = options();
  with.did_prefix = "+3491000";
  make(with);
  call("+34911222333", "201");
  const auto* leg = tenant->find_leg(tenant->extension(0).legs.front());
  EXPECT_EQ(leg->did_to, "+3491000201");
  EXPECT_EQ(leg->did_from, "");
  call("202", "203");
  EXPECT_EQ(tenant->find_leg(tenant->extension(1).legs.front())->did_from, "");
}

TEST_F(EngineTest, SaysWhatCannotBeDone) {
  EXPECT_EQ(tenant->answer("777", now), Errc::device_not_found);
  EXPECT_EQ(tenant->answer("201", now), Errc::call_not_found);
  EXPECT_EQ(tenant->hold("+34911222333", now), Errc::device_not_found);
  EXPECT_EQ(tenant->originate("201", "", {}, now).error(), Errc::invalid_argument);
  EXPECT_EQ(tenant->originate("201", "not a number", {}, now).error(), Errc::invalid_argument);
  EXPECT_EQ(tenant->originate("+34911222333", "+34911222334", {}, now).error(),
            Errc::device_not_found);
  EXPECT_EQ(tenant->attended_transfer("201", now), Errc::call_not_found);
  connect("201", "202");
  EXPECT_EQ(tenant->attended_transfer("201", now), Errc::incorrect_state);
  EXPECT_EQ(tenant->conference("201", now), Errc::incorrect_state);
  EXPECT_EQ(tenant->deflect("202", "203", {}, now), Errc::incorrect_state);
  ASSERT_EQ(tenant->set_registered("203", false, now), base::Error());
  EXPECT_EQ(tenant->originate("203", "204", {}, now).error(), Errc::device_out_of_service);
}

TEST_F(EngineTest, HasALimitOfCalls) {
  auto with = options();
  with.calls_max = 1;
  make(with);
  call("201", "202");
  EXPECT_EQ(tenant->originate("203", "204", {}, now).error(), Errc::too_many_requests);
}

TEST_F(EngineTest, PlansByTheFirstRuleThatFits) {
  auto with = options();
  Plan busy;
  busy.outcome = Outcome::busy;
  Plan quick;
  quick.answer_after = 10ms;
  with.answers = {{"9*", busy}, {"202", quick}};
  make(with);
  EXPECT_EQ(tenant->plan_for("911").outcome, Outcome::busy);
  EXPECT_EQ(tenant->plan_for("202").answer_after, 10ms);
  EXPECT_EQ(tenant->plan_for("203").answer_after, 3s);
}

// Whatever is done in whatever order, calls and extensions agree about their legs.
TEST_F(EngineTest, StaysConsistentUnderRandomOperations) {
  engine::Random random(7);
  const std::array<std::string, 6> devices{"201", "202", "203", "204", "+34911222333", "999"};
  const auto any = [&] { return devices[random.below(devices.size())]; };
  for (int i = 0; i < 20'000; ++i) {
    Plan plan;
    if (random.below(2) == 0) plan.answer_after = engine::Millis(random.below(2'000));
    if (random.below(2) == 0) plan.duration = engine::Millis(random.below(5'000));
    plan.outcome = static_cast<Outcome>(random.below(6));
    const std::string a = any(), b = any();
    switch (random.below(16)) {
      case 0: (void)tenant->originate(a, b, plan, now); break;
      case 1: (void)tenant->call_back(a, b, plan, now); break;
      case 2: (void)tenant->answer(a, now); break;
      case 3: (void)tenant->hang_up(a, now); break;
      case 4: (void)tenant->hold(a, now); break;
      case 5: (void)tenant->retrieve(a, now); break;
      case 6: (void)tenant->transfer(a, b, plan, now); break;
      case 7: (void)tenant->attended_transfer(a, now); break;
      case 8: (void)tenant->conference(a, now); break;
      case 9: (void)tenant->deflect(a, b, plan, now); break;
      case 10: (void)tenant->pick_up(a, b, now); break;
      case 11: (void)tenant->record(a, random.below(2) == 0, now); break;
      case 12: (void)tenant->set_registered(a, random.below(4) != 0, now); break;
      case 13: (void)tenant->set_forwarding(a, {"", random.below(2) ? b : "", ""}); break;
      default: wait(engine::Millis(random.below(3'000)));
    }
    std::size_t in_calls = 0, at_extensions = 0;
    for (const auto* each : tenant->calls()) {
      ASSERT_FALSE(each->legs.empty());
      if (each->legs.size() == 1) {  // nobody is left alone, but before and after a call
        const auto& only = *tenant->find_leg(each->legs.front());
        ASSERT_TRUE(only.state == LegState::busy || (only.callback && !only.connected))
            << engine::name_of(only.state) << " after " << i;
      }
      for (const auto leg : each->legs) {
        ++in_calls;
        ASSERT_EQ(tenant->find_leg(leg)->call, each->id);
      }
    }
    for (const auto& extension : tenant->extensions()) at_extensions += extension.legs.size();
    ASSERT_LE(at_extensions, in_calls);
    if (random.below(5'000) == 0) tenant->forget_calls();
  }
  wait(24h);
  for (const auto& line : taken()) ASSERT_FALSE(line.empty());
}

TEST_F(EngineTest, TakesInFurtherExtensions) {
  connect("201", "204");
  const auto added = tenant->add_extension("2021");
  ASSERT_TRUE(added);
  EXPECT_EQ(tenant->extension(*added).number, "2021");
  EXPECT_EQ(tenant->find_extension("2021"), *added);
  for (const char* each : {"201", "202", "203", "204"}) {
    EXPECT_EQ(tenant->extension(tenant->find_extension(each)).number, each);
  }
  // Its phone is there, and rings.
  call("202", "2021");
  EXPECT_EQ(tenant->answer("2021", now), base::Error());
  EXPECT_EQ(tenant->hang_up("2021", now), base::Error());

  EXPECT_EQ(tenant->add_extension("2021").error(), Errc::already_exists);
  EXPECT_EQ(tenant->add_extension("204").error(), Errc::already_exists);
  EXPECT_EQ(tenant->add_extension("").error(), Errc::invalid_argument);
  EXPECT_EQ(tenant->add_extension("+49").error(), Errc::invalid_argument);
  EXPECT_EQ(tenant->add_extension(std::string(65, '1')).error(), Errc::invalid_argument);
}

TEST_F(EngineTest, HasALimitForFurtherExtensions) {
  TenantOptions many;
  for (std::size_t i = 0; i < Tenant::kExtensionsMax; ++i) {
    many.extensions.push_back(std::to_string(100'000 + i));
  }
  make(many);
  EXPECT_EQ(tenant->add_extension("7").error(), Errc::too_many_requests);
}

}  // namespace
}  // namespace simulator
