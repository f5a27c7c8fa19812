#include <cstdlib>

#include <gmock/gmock.h>

#include "sample.h"

namespace config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// Reads the sample from a short file and the environment.
struct EnvironmentTest : testing::Test {
  std::vector<std::string> problems;

  Sample read(Environment environment, const std::string& text = "nats: {address: a}\nworkers: 3") {
    auto document = Document::parse(text, "gw.yaml", std::move(environment));
    document.allow_variable("PBXGW_CONFIG", "Which file to read.");
    auto it = sample_from(document.root());
    problems.clear();
    for (const auto& problem : document.finish()) problems.push_back(problem.text());
    return it;
  }
};

TEST_F(EnvironmentTest, OverridesTheFile) {
  const auto it = read({{"PBXGW_NAME", "edge"},
                        {"PBXGW_WORKERS", "5"},
                        {"PBXGW_TIMEOUT", "1s"},
                        {"PBXGW_BUFFER", "2KiB"},
                        {"PBXGW_DRY_RUN", "true"},
                        {"PBXGW_FORMAT", "text"},
                        {"PBXGW_TAGS", "a,b"},
                        {"PBXGW_NATS_ADDRESS", "b:1"},
                        {"PBXGW_NATS_TLS_CA_FILE", "/proc/self/stat"},
                        {"HOME", "/root"}});
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_EQ(it.name, "edge");
  EXPECT_EQ(it.workers, 5);
  EXPECT_EQ(it.timeout, 1s);
  EXPECT_EQ(it.buffer, 2048u);
  EXPECT_TRUE(it.dry_run);
  EXPECT_EQ(it.format, Sample::Format::text);
  EXPECT_THAT(it.tags, ElementsAre("a", "b"));
  EXPECT_EQ(it.nats, (HostPort{"b", 1}));
  EXPECT_EQ(it.ca_file, "/proc/self/stat");
}

TEST_F(EnvironmentTest, SufficesWithoutASectionInTheFile) {
  EXPECT_EQ(read({{"PBXGW_NATS_ADDRESS", "b:1"}}, "").nats, (HostPort{"b", 1}));
  EXPECT_THAT(problems, IsEmpty());
}

TEST_F(EnvironmentTest, CoversWhatIsWrongInTheFile) {
  EXPECT_EQ(read({{"PBXGW_WORKERS", "5"}}, "nats: {address: a}\nworkers: many").workers, 5);
  EXPECT_THAT(problems, IsEmpty());
}

TEST_F(EnvironmentTest, IsNamedInProblems) {
  read({{"PBXGW_WORKERS", "99"}, {"PBXGW_TAGS", "a,B,,c"}, {"PBXGW_NATS_ADDRESS", ""}});
  EXPECT_THAT(
      problems,
      ElementsAre(
          "environment PBXGW_WORKERS: workers: found \"99\"; expected a whole number, 1 to 64",
          "environment PBXGW_TAGS: tags: found \"B\"; expected lower-case letters",
          "environment PBXGW_TAGS: tags: found \"\"; expected lower-case letters",
          "environment PBXGW_TAGS: tags: found more items; expected 0 to 3",
          "environment PBXGW_NATS_ADDRESS: nats.address: found \"\"; expected host or "
          "host:port, an IPv6 address in [brackets]"));
}

TEST_F(EnvironmentTest, RefusesVariablesItDoesNotKnow) {
  read({{"PBXGW_WORKRES", "9"},
        {"PBXGW_TENANTS", "a"},
        {"PBXGW_TENANTS_0_NAME", "a"},
        {"PBXGW_CONFIG", "gw.yaml"},
        {"PBXGX_WORKERS", "9"}});
  const std::string no_idea = ": unknown variable; the reference lists those there are";
  EXPECT_THAT(
      problems,
      ElementsAre("environment PBXGW_TENANTS" + no_idea,
                  "environment PBXGW_TENANTS_0_NAME" + no_idea,
                  "environment PBXGW_WORKRES: unknown variable; did you mean PBXGW_WORKERS?"));
}

TEST_F(EnvironmentTest, IsNotDisturbedByKubernetesServices) {
  read({{"PBXGW_CONTROL_SERVICE_HOST", "10.0.0.1"},
        {"PBXGW_CONTROL_SERVICE_PORT", "8080"},
        {"PBXGW_CONTROL_SERVICE_PORT_GRPC", "8080"},
        {"PBXGW_CONTROL_PORT", "tcp://10.0.0.1:8080"},
        {"PBXGW_CONTROL_PORT_8080_TCP", "tcp://10.0.0.1:8080"},
        {"PBXGW_CONTROL_PORT_8080_TCP_PROTO", "tcp"},
        {"PBXGW_CONTROL_PORT_8080_TCP_PORT", "8080"},
        {"PBXGW_CONTROL_PORT_8080_TCP_ADDR", "10.0.0.1"}});
  EXPECT_THAT(problems, IsEmpty());
  read({{"PBXGW_ADMIN_PORT", "8080"}});
  EXPECT_THAT(problems, testing::SizeIs(1));
}

TEST_F(EnvironmentTest, IsTheProcessesOwn) {
  ASSERT_EQ(setenv("PBXGW_TEST_ONLY", "a=b", 1), 0);
  EXPECT_EQ(process_environment()["PBXGW_TEST_ONLY"], "a=b");
  unsetenv("PBXGW_TEST_ONLY");
}

}  // namespace
}  // namespace config
