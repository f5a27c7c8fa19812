#include "support.h"

// What may be wrong with the PBX.
namespace simulator::innovaphone {
namespace {

using engine::Faults;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class FaultsTest : public testing::Test {
 protected:
  void SetUp() override {
    world.log_in();
    world.watch({"201", "202"});
  }
  void set(const Faults& faults) { world.dialect().set_faults(faults, world.now); }
  void ring() { ASSERT_TRUE(world.tenant().originate("201", "202", {}, world.now)); }
  std::string log_in_again() { return world.log_in(7); }

  World world;
};

TEST_F(FaultsTest, RefusesLoginsAndLosesSockets) {
  Faults faults;
  faults.forbidden = 1;
  set(faults);
  EXPECT_EQ(log_in_again(), R"({"mt":"AppLoginResult"})");
  EXPECT_EQ(log_in_again(), R"({"mt":"AppLoginResult","ok":true})");
  faults = {};
  faults.drop_before_init = 1;
  set(faults);
  log_in_again();
  EXPECT_TRUE(world.wire.dropped.contains(7));
  faults = {};
  faults.refuse_upgrades = 1;
  set(faults);
  const engine::HttpRequest request{"GET", "/PBX0/APPS/websocket", "", {}, true};
  EXPECT_EQ(world.dialect().on_http(request, world.now).reply.status, 403u);
  faults = {};
  faults.login_delay = 3s;
  set(faults);
  world.open(8);
  LoginFields fields;
  fields.app = "gateway";
  world.say(World::login_text(world.challenge(8), fields, "secret"), 8);
  EXPECT_THAT(world.heard(8), IsEmpty());
  world.wait(3s);
  EXPECT_THAT(world.heard(8), ElementsAre(R"({"mt":"AppLoginResult","ok":true})"));
}

TEST_F(FaultsTest, GoesSilent) {
  Faults faults;
  faults.silent = true;
  set(faults);
  EXPECT_TRUE(world.wire.silent.contains(World::kApp));
  world.say(R"({"mt":"KeepAlive"})");
  ring();
  EXPECT_THAT(world.told(), IsEmpty());
  world.open(9);
  EXPECT_TRUE(world.wire.silent.contains(9));
  set({});
  EXPECT_THAT(world.wire.dropped, ElementsAre(World::kApp, 9));
}

TEST_F(FaultsTest, DelaysDuplicatesAndAddsNoise) {
  Faults faults;
  faults.delay = 1s;
  set(faults);
  ring();
  EXPECT_THAT(world.told(), IsEmpty());
  world.wait(1s);
  EXPECT_EQ(world.told().size(), 4u);
  faults = {};
  faults.duplicate = 2;
  faults.noise_every = 4;
  set(faults);
  ASSERT_FALSE(world.tenant().answer("202", world.now));
  ASSERT_FALSE(world.tenant().hold("202", world.now));
  const auto all = world.told();
  EXPECT_EQ(all.size(), 7u) << testing::PrintToString(all);
}

TEST_F(FaultsTest, AnswersLateOrNotAtAll) {
  Faults faults;
  faults.results_late = 300ms;
  set(faults);
  world.rcc("UserCall", R"("user":1,"e164":"202")");
  EXPECT_EQ(world.told().size(), 4u) << "CallInfo comes first";
  world.wait(300ms);
  EXPECT_THAT(world.told(), ElementsAre("UserCallResult 1"));
  faults = {};
  faults.actions = Faults::Actions::ignore;
  set(faults);
  world.rcc("UserClear", R"("call":1)");
  EXPECT_THAT(world.told(), IsEmpty());
  faults.actions = Faults::Actions::error;
  set(faults);
  world.rcc("UserClear", R"("call":1)");
  EXPECT_THAT(world.told(), ElementsAre("UserClearResult refused"));
  EXPECT_EQ(world.tenant().call_count(), 1u);
}

TEST_F(FaultsTest, RingsAtTwoDevices) {
  Faults faults;
  faults.two_devices = true;
  set(faults);
  ring();
  EXPECT_THAT(world.told(),
              ElementsAre("1.1 1 x-setup 202", "2.2 129 r-setup 201", "2.3 129 r-setup 201",
                          "1.1 4 r-alert 202", "2.2 132 x-alert 201", "2.3 132 x-alert 201"));
  ASSERT_FALSE(world.tenant().answer("202", world.now));
  EXPECT_THAT(world.told(), ElementsAre("2.3 134 r-rel 201 cause 26", "2.3 134 del",
                                        "2.2 133 x-conn 201", "1.1 5 r-conn 202"));
}

TEST_F(FaultsTest, TellsOfCallsImperfectly) {
  Faults faults;
  faults.missing_conf = true;
  set(faults);
  ring();
  const auto frames = world.heard();
  EXPECT_THAT(frames[0], Not(HasSubstr("conf")));
  EXPECT_THAT(frames[1], Not(HasSubstr("conf")));
  EXPECT_THAT(frames[2], HasSubstr("conf"));
  faults = {};
  faults.unknown_messages = true;
  set(faults);
  ASSERT_FALSE(world.tenant().hang_up("201", world.now));
  EXPECT_THAT(world.told(), ElementsAre("1.1 7 y-news 202 cause 16", "1.1 7 del",
                                        "2.2 134 y-news 201 cause 16", "2.2 134 del"));
  faults = {};
  faults.new_call = Faults::NewCall::missing;
  set(faults);
  ring();
  EXPECT_THAT(world.told(), ElementsAre("1.3 4 r-alert 202", "2.4 132 x-alert 201"));
  ASSERT_FALSE(world.tenant().hang_up("201", world.now));
  world.told();
  faults.new_call = Faults::NewCall::late;
  set(faults);
  ring();
  EXPECT_EQ(world.told().size(), 2u);
  world.wait(500ms);
  EXPECT_THAT(world.told(), ElementsAre("1.5 1 x-setup 202", "2.6 129 r-setup 201"));
  faults = {};
  faults.reorder_hangup = 100ms;
  set(faults);
  ASSERT_FALSE(world.tenant().hang_up("201", world.now));
  EXPECT_THAT(world.told(), ElementsAre("1.5 7 del", "2.6 134 del"));
  world.wait(100ms);
  EXPECT_EQ(world.told().size(), 2u);
}

TEST_F(FaultsTest, TellsOfUsersImperfectly) {
  Faults faults;
  faults.init_extensions = 6;
  faults.no_welcome = true;
  faults.unknown_updates = true;
  set(faults);
  world.rcc("Initialize", R"("src":"i")");
  EXPECT_EQ(world.told().size(), 6u) << "and no result";
  ASSERT_FALSE(world.tenant().set_registered("204", false, world.now));
  world.wait();
  EXPECT_THAT(world.heard(), ElementsAre(HasSubstr(R"("update":"y-news")")));
}

TEST_F(FaultsTest, Restarts) {
  ring();
  const auto conf = world.dialect().id_of(*world.tenant().find_leg(1));
  engine::Incident incident;
  incident.restart = incident.calls_survive = true;
  world.dialect().happen(incident, world.now);
  EXPECT_TRUE(world.wire.dropped.contains(World::kApp));
  EXPECT_NE(world.dialect().id_of(*world.tenant().find_leg(1)), conf);
  incident.calls_survive = false;
  world.dialect().happen(incident, world.now);
  EXPECT_EQ(world.tenant().call_count(), 0u);
  world.log_in();
  world.rcc("Initialize", R"("src":"i")");
  world.told();
  world.watch({"201"});
  ring();
  EXPECT_THAT(world.told(), testing::IsSupersetOf({"1.1 1 x-setup 202", "UserInfo 201 channel 1"}))
      << "lamps that were lit before the restart are told again";
}

TEST_F(FaultsTest, MakesNoise) {
  engine::Incident incident;
  incident.noise = {engine::Noise::unknown_action, engine::Noise::unknown_type,
                    engine::Noise::invalid_json,   engine::Noise::not_an_object,
                    engine::Noise::truncated,      engine::Noise::oversized};
  incident.oversized_bytes = 70'000;
  world.open(5);
  world.dialect().happen(incident, world.now);
  const auto noise = world.heard();
  ASSERT_EQ(noise.size(), 6u);
  EXPECT_GT(noise[5].size(), 70'000u);
  EXPECT_THAT(world.heard(5), IsEmpty()) << "nobody is in there";
}

}  // namespace
}  // namespace simulator::innovaphone
