#include "simulator/scenario/scenario.h"

#include <cctype>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <sstream>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace simulator {
namespace {

using Play = scenario::Run;

using testing::HasSubstr;
using testing::IsEmpty;

class ScenarioTest : public testing::Test {
 protected:
  static std::string steps(const std::string& lines) {
    return "scenarios:\n  - name: test\n    steps:\n" + lines;
  }
  static const Play& start(Scene& scene, const std::string& text) {
    const auto parsed = scenario::parse_scenarios(text, "test.yaml");
    for (const auto& problem : parsed.problems) ADD_FAILURE() << problem.text();
    scene.stage.start_run(1, parsed.scenarios.at(0), scene.now);
    scene.wait(0ms);
    return *scene.stage.run(1);
  }
};

TEST_F(ScenarioTest, PlaysACallFromBeginningToEnd) {
  Scene scene;
  scene.supervise();
  const auto& run = start(scene, steps(R"(
      - call: {from: 201, to: 202}
      - wait: 2s
      - expect: {extension: 202, status: ringing, calls: 1}
      - answer: 202
      - record-start: 202
      - hold: 202
      - wait: 1s
      - expect: {extension: 202, status: hold}
      - retrieve: 202
      - record-stop: 202
      - transfer: {from: 202, to: 203, answer_after: 500ms}
      - wait: 1s
      - expect: {extension: 203, status: in_use}
      - hangup: 203
      - expect: {extension: 201, status: idle, calls: 0}
)"));
  scene.wait(3s);
  EXPECT_EQ(run.state(), Play::State::running);
  scene.wait(1s);
  EXPECT_EQ(run.state(), Play::State::finished) << run.why();
  EXPECT_EQ(run.steps_done(), 15u);
  EXPECT_EQ(run.deadline(), engine::TimePoint::max());
  const auto told = scene.told();
  EXPECT_EQ(told.front(), "new-call 201 out");
  EXPECT_EQ(told.back(), "extension-status 201 0");
}

TEST_F(ScenarioTest, KnowsEveryStep) {
  Scene scene;
  const auto& run = start(scene, steps(R"(
      - callback: {from: 201, to: 202}
      - hangup: 201
      - unregister: 204
      - register: 204
      - busy-on: 204
      - busy-off: 204
      - dnd-on: 204
      - dnd-off: 204
      - forward: {from: 204, always: 203, busy: "+34911222333", no_answer: 203}
      - forward: {from: 204}
      - call: {from: "+34911222333", to: 201}
      - deflect: {from: 201, to: 202}
      - pickup: {by: 203, from: 202}
      - call: {from: 203, to: 204, answer_after: 1ms}
      - wait: 10ms
      - conference: 203
      - hangup: 204
      - call: {from: 203, to: 204}
      - attended-transfer: 203
      - answer: 204
      - hangup: "+34911222333"
      - faults: {forbidden: 1, noise: [unknown_type]}
      - clear-faults: true
      - traffic: {calls_per_second: 1, seed: 3, lasts: 1s}
      - wait-between: {least: 1ms, most: 5ms}
      - stop-traffic: true
      - repeat: {times: 3, steps: [{busy-on: 201}, {busy-off: 201}]}
      - together:
          - steps: [{wait: 5s}]
          - steps: [{busy-on: 201}, {wait: 1s}, {busy-off: 201}]
      - expect: {extension: 201, status: idle}
)"));
  scene.wait(10s);
  EXPECT_EQ(run.state(), Play::State::finished) << run.why();
}

TEST_F(ScenarioTest, RunsBranchesTogetherAndWaitsForTheLast) {
  Scene scene;
  const auto& run = start(scene, steps(R"(
      - together:
          - steps: [{wait: 3s}, {busy-off: 201}]
          - steps: [{busy-on: 201}, {wait: 1s}, {busy-on: 202}]
      - busy-off: 202
)"));
  EXPECT_EQ(scene.status("201"), "busy");
  scene.wait(2s);
  EXPECT_EQ(scene.status("202"), "busy");
  EXPECT_EQ(run.state(), Play::State::running);
  scene.wait(1s);
  EXPECT_EQ(scene.status("201"), "idle");
  EXPECT_EQ(scene.status("202"), "idle");
  EXPECT_EQ(run.state(), Play::State::finished);
}

TEST_F(ScenarioTest, RepeatsForEverUntilStopped) {
  Scene scene;
  const auto& run = start(scene, steps("      - repeat: {steps: [{wait: 1s}]}\n"));
  scene.wait(1h);
  EXPECT_EQ(run.state(), Play::State::running);
  EXPECT_EQ(run.steps_done(), 3602u);
  scene.stage.stop_run(1);
  EXPECT_EQ(scene.stage.run(1), nullptr);
  EXPECT_EQ(scene.stage.deadline(), engine::TimePoint::max());
}

TEST_F(ScenarioTest, FailsWithTheStepAndTheReason) {
  Scene scene;
  const auto& run = start(scene, steps("      - hold: 201\n      - busy-on: 202\n"));
  EXPECT_EQ(run.state(), Play::State::failed);
  EXPECT_EQ(run.why(), "scenarios[0].steps[0]: hold 201: it has no such call");
  EXPECT_EQ(scene.status("202"), "idle");
}

TEST_F(ScenarioTest, GoesOnPastAFailureIfSo) {
  Scene scene;
  const auto& run = start(scene,
                          "scenarios:\n  - name: x\n    on_failure: continue\n    steps:\n"
                          "      - hold: 201\n      - busy-on: 202\n");
  EXPECT_EQ(run.state(), Play::State::finished);
  EXPECT_THAT(run.why(), HasSubstr("hold 201"));
  EXPECT_EQ(scene.status("202"), "busy");
}

TEST_F(ScenarioTest, FailsWhenTheTruthIsAnother) {
  Scene scene;
  const auto& run = start(scene, steps("      - expect: {extension: 201, status: ringing}\n"));
  EXPECT_EQ(run.why(), "scenarios[0].steps[0]: expected status ringing, it is idle");
}

struct Mistake {
  const char* text;
  int line;
  const char* says;

  // Becomes the test's name.
  friend void PrintTo(const Mistake& it, std::ostream* out) {
    for (const char c : std::string_view(it.text)) *out << (std::isalnum(c) != 0 ? c : '_');
  }
};

class ScenarioMistakeTest : public testing::TestWithParam<Mistake> {};

TEST_P(ScenarioMistakeTest, IsReportedWithItsLineAndWhatToDo) {
  const auto parsed = scenario::parse_scenarios(GetParam().text, "day.yaml");
  EXPECT_THAT(parsed.scenarios, IsEmpty());
  std::string all;
  bool found = false;
  for (const auto& problem : parsed.problems) {
    EXPECT_EQ(problem.file, "day.yaml");
    all += problem.text() + '\n';
    found = found || (problem.line == GetParam().line &&
                      problem.text().find(GetParam().says) != std::string::npos);
  }
  EXPECT_TRUE(found) << all;
}

#define ONE_STEP(step) "scenarios:\n- name: a\n  steps:\n  - " step "\n"

INSTANTIATE_TEST_SUITE_P(
    Table, ScenarioMistakeTest,
    testing::Values(
        Mistake{"scenarios: 5\n", 1, "list"},
        Mistake{"scenario: []\n", 1, "did you mean \"scenarios\"?"},
        Mistake{"scenarios:\n- name: a\n", 2, "steps: missing"},
        Mistake{"scenarios:\n- steps: [{wait: 1s}]\n", 2, "name: missing"},
        Mistake{"scenarios:\n- {name: a, tenant: x, steps: [{wait: 1s}]}\n", 2,
                "did you mean \"tenants\"?"},
        Mistake{"scenarios:\n- {name: a, steps: [{wait: 1s}]}\n- {name: a, steps: [{wait: 1s}]}\n",
                3, "name"},
        Mistake{"scenarios: [\n", 2, ""},
        Mistake{ONE_STEP("hodl: 201"), 4, "did you mean \"hold\"?"},
        Mistake{ONE_STEP("{}"), 4, "expected one of call, callback"},
        Mistake{ONE_STEP("hold: \"20 1\""), 4, "digits"},
        Mistake{ONE_STEP("call: 201"), 4, "mapping"},
        Mistake{ONE_STEP("call: {from: 201}"), 4, "to: missing"},
        Mistake{ONE_STEP("call: {from: 201, too: 202}"), 4, "did you mean \"to\"?"},
        Mistake{ONE_STEP("call: {from: 201, to: 202, outcome: maybe}"), 4, "congestion"},
        Mistake{ONE_STEP("call: {from: 201, to: 202, answer_after: soon}"), 4, "answer_after"},
        Mistake{ONE_STEP("{hold: 201, wait: 1s}"), 4, "unknown setting"},
        Mistake{ONE_STEP("wait: 5"), 4, "5s"},
        Mistake{ONE_STEP("wait-between: {least: 5s, most: 1s}"), 4, "in this order"},
        Mistake{ONE_STEP("faults: {forbiden: 1}"), 4, "did you mean \"forbidden\"?"},
        Mistake{ONE_STEP("faults: {forbidden: often}"), 4, "or always"},
        Mistake{ONE_STEP("faults: {noise: [bang]}"), 4, "unknown_action, unknown_type"},
        Mistake{ONE_STEP("clear-faults: false"), 4, "leave the step out"},
        Mistake{ONE_STEP("traffic: {seed: 1}"), 4, "either calls_per_second or"},
        Mistake{ONE_STEP("traffic: {calls_per_second: 0}"), 4, "above 0"},
        Mistake{ONE_STEP("traffic: {calls_per_second: 1, missed: 70, busy: 40}"), 4,
                "100 per cent"},
        Mistake{ONE_STEP("traffic: {calls_per_second: 1, talk_least: 9s, talk_most: 1s}"), 4,
                "longer than talk_most"},
        Mistake{ONE_STEP("repeat: {steps: [{hold: 201}]}"), 4, "add a wait step"},
        Mistake{ONE_STEP("repeat: {times: 2}"), 4, "steps: missing"},
        Mistake{ONE_STEP("together: []"), 4, "together"},
        Mistake{ONE_STEP("expect: {extension: 201, status: happy}"), 4, "in_use_hold"},
        Mistake{ONE_STEP("expect: {extension: 201}"), 4, "add status or calls"}));

TEST_F(ScenarioTest, HasALimitOfNesting) {
  std::string text = "{wait: 1s}";
  for (int i = 0; i < 12; ++i) text = "{repeat: {times: 1, steps: [" + text + "]}}";
  const auto parsed =
      scenario::parse_scenarios("scenarios: [{name: a, steps: [" + text + "]}]", "x");
  ASSERT_FALSE(parsed.problems.empty());
  EXPECT_THAT(parsed.problems.front().text(), HasSubstr("nested more than 8 deep"));
}

TEST_F(ScenarioTest, FailsALoopThatNeverWaits) {
  Scene scene;
  const auto& run = start(
      scene, steps("      - repeat: {times: 1000000, steps: [{busy-on: 201}, {busy-off: 201}]}\n"));
  EXPECT_EQ(run.state(), Play::State::failed);
  EXPECT_THAT(run.why(), HasSubstr("without a wait"));
}

// The scenarios we ship.
class ShippedScenarioTest : public testing::TestWithParam<const char*> {};

TEST_P(ShippedScenarioTest, PlaysAnHourWithoutAFailure) {
  const auto file = std::filesystem::path(SIMULATOR_SCENARIOS) / GetParam();
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  const auto parsed = scenario::parse_scenarios(text.str(), file.string());
  for (const auto& problem : parsed.problems) ADD_FAILURE() << problem.text();
  ASSERT_FALSE(parsed.scenarios.empty());

  auto settings = small_tenant();
  settings.own_listener = true;
  settings.engine.extensions.clear();
  for (const auto& [first, last] :
       {std::pair(201, 212), std::pair(301, 308), std::pair(401, 408), std::pair(501, 508)}) {
    for (int number = first; number <= last; ++number) {
      settings.engine.extensions.push_back(std::to_string(number));
    }
  }
  settings.engine.orbits = {"700"};
  Scene scene(std::move(settings));
  scene.supervise();
  RunId id = 0;
  for (const auto& each : parsed.scenarios) scene.stage.start_run(++id, each, scene.now);
  scene.wait(1h);
  EXPECT_GT(scene.stage.dialect().counters().events, 100u);
  for (; id > 0; --id) {
    EXPECT_NE(scene.stage.run(id)->state(), Play::State::failed);
    EXPECT_EQ(scene.stage.run(id)->why(), "");
  }
}

INSTANTIATE_TEST_SUITE_P(All, ShippedScenarioTest,
                         testing::Values("demo.yaml", "service-desk.yaml", "office-morning.yaml",
                                         "faults.yaml", "head-office.yaml", "contact-centre.yaml"));

}  // namespace
}  // namespace simulator
