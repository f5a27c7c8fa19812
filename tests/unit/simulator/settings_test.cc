#include "simulator/settings.h"

#include <cctype>
#include <ostream>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace simulator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Settings read(const std::string& yaml, std::string* problems = nullptr) {
  auto document = config::Document::parse(yaml, "simulator.yaml", {});
  auto settings = read_settings(document.root());
  std::string all;
  for (const auto& problem : document.finish()) all += problem.text() + '\n';
  if (problems) {
    *problems = all;
  } else {
    EXPECT_EQ(all, "");
  }
  return settings;
}

std::string problems_of(const std::string& yaml) {
  std::string problems;
  read(yaml, &problems);
  return problems;
}

TEST(SettingsTest, HasADemoTenantByDefault) {
  const auto settings = read("{}");
  ASSERT_EQ(settings.tenants.size(), 1u);
  const auto& acme = settings.tenants[0].stage;
  EXPECT_EQ(acme.name, "acme");
  EXPECT_EQ(acme.innova360.supervisor_user, "acme");
  EXPECT_EQ(acme.innova360.supervisor_password, "acme-demo");
  EXPECT_EQ(acme.engine.extensions.size(), 12u);
  EXPECT_EQ(acme.engine.extensions.back(), "212");
  EXPECT_EQ(acme.innova360.agent_password.of("201"), "agent-201");
  EXPECT_FALSE(settings.tenants[0].plain);
}

TEST(SettingsTest, ReadsEverything) {
  const auto settings = read(R"(
seed: 9
threads: 2
control: {address: 0.0.0.0, port: 0}
innova360: {address: 0.0.0.0, server: bob, port: 0, tls: false}
outbox: 1MiB
tenants:
  - name: north
    supervisor: {user: n, password: p}
    agents: {user: "{extension}@{tenant}", password: "x{extension}"}
    extension_range: {from: "0098", count: 3}
    lines: 3
    ring_timeout: 20s
    callback_answers: false
    answers:
      - {to: "9*", outcome: busy}
      - {to: "0099", answer_after: 1s, talk: 5s}
    record_all: true
    did_prefix: "+3491"
    port: 0
    variants: {data: keyed, numbers: numbers}
  - name: "south-{n}"
    count: 3
    agents: {user: "{tenant}.{extension}"}
    extensions: [1, 2]
)");
  EXPECT_EQ(settings.threads, 2u);
  EXPECT_EQ(settings.outbox_bytes_max, 1u << 20);
  ASSERT_EQ(settings.tenants.size(), 4u);
  const auto& north = settings.tenants[0];
  EXPECT_TRUE(north.plain);
  EXPECT_FALSE(north.tls);
  EXPECT_THAT(north.stage.engine.extensions, ElementsAre("0098", "0099", "0100"));
  EXPECT_EQ(north.stage.innova360.server, "bob");
  EXPECT_EQ(north.stage.innova360.agent_user.of("0098"), "0098@north");
  EXPECT_FALSE(north.stage.engine.callback_answer);
  EXPECT_EQ(north.stage.engine.answers.size(), 2u);
  EXPECT_EQ(north.stage.innova360.variants.data, innova360::Variants::Container::keyed);
  EXPECT_EQ(settings.tenants[3].stage.name, "south-3");
  EXPECT_EQ(settings.tenants[3].stage.innova360.supervisor_password, "south-3-demo");
  EXPECT_EQ(settings.tenants[3].stage.innova360.agent_user.of("2"), "south-3.2");
  EXPECT_NE(settings.tenants[2].stage.innova360.seed, settings.tenants[3].stage.innova360.seed);
}

TEST(SettingsTest, RefusesUsersThatDoNotTellTheTenant) {
  EXPECT_THAT(problems_of("tenants:\n- {name: a, extensions: [1]}\n- {name: b, extensions: [1]}\n"),
              HasSubstr("a and b both have the agent user \"1\""));
  EXPECT_THAT(problems_of("tenants:\n- {name: a, extensions: [1], supervisor: {user: u}}\n"
                          "- {name: b, extensions: [2], supervisor: {user: u}}\n"),
              HasSubstr("the same supervisor user \"u\""));
  EXPECT_EQ(problems_of("tenants:\n- {name: a, extensions: [1]}\n"
                        "- {name: b, extensions: [1], shared: false, port: 0}\n"),
            "");
}

struct Mistake {
  const char *yaml, *says;

  // Becomes the test's name.
  friend void PrintTo(const Mistake& it, std::ostream* out) {
    for (const char c : std::string_view(it.yaml)) *out << (std::isalnum(c) != 0 ? c : '_');
  }
};
class SettingsMistakeTest : public testing::TestWithParam<Mistake> {};

TEST_P(SettingsMistakeTest, IsReported) {
  EXPECT_THAT(problems_of(GetParam().yaml), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Table, SettingsMistakeTest,
    testing::Values(
        Mistake{"thread: 1", "did you mean \"threads\"?"}, Mistake{"threads: 0", "threads"},
        Mistake{"tenants: []", "tenants"}, Mistake{"tenants: [{name: A}]", "small letters"},
        Mistake{"tenants: [{name: a, vendor: avaya}]", "innova360"},
        Mistake{"tenants: [{name: a}, {name: a}]", "two are called a"},
        Mistake{"tenants: [{name: a, count: 2}]", "{n}"},
        Mistake{"tenants: [{name: \"a{n}\", count: 2, port: 7}]", "expected 0"},
        Mistake{"tenants: [{name: a, extensions: [1, 1]}]", "twice"},
        Mistake{"tenants: [{name: a, extensions: [1], extension_range: {from: 1, count: 1}}]",
                "not both"},
        Mistake{"tenants: [{name: a, agents: {user: x}}]", "{extension}"},
        Mistake{"tenants: [{name: a, variants: {data: list}}]", "array, keyed, object"},
        Mistake{"tenants: [{name: a, variants: {date: array}}]", "date"},
        Mistake{"innova360: {certificate_file: /dev/null}", "certificate"}));

}  // namespace
}  // namespace simulator
