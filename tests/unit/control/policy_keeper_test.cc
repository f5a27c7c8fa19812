#include "control/policy_keeper.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <unistd.h>

#include "rights/rules.h"
#include "support/jwt_maker.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace control {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using support::JwtMaker;
using testing::HasSubstr;
using testing::Not;

std::string policy_of(const std::string& principals) {
  return "issuers: [{issuer: i, audience: pbxgw, keys_file: jwks.json}]\nprincipals:\n" +
         principals;
}
std::string principal(const std::string& name, const std::string& groups = "observe") {
  return "  - name: " + name + "\n    certificates: [\"cn:" + name +
         "\"]\n    subjects: [{issuer: i, subject: " + name +
         "}]\n    grants: [{tenants: [acme], groups: [" + groups + "]}]\n";
}

// Real files in a folder, a keeper that watches them, and what it says.
struct PolicyKeeperTest : testing::Test {
  fs::path folder = fs::path(testing::TempDir()) /
                    ("keeper-" + std::to_string(getpid()) + '-' +
                     testing::UnitTest::GetInstance()->current_test_info()->name());
  fs::path file = folder / "policy.yaml";
  JwtMaker issuer{"EdDSA", "one"};
  boost::asio::io_context io;
  telemetry::Metrics registry;
  Metrics metrics{registry};
  std::ostringstream log;
  std::unique_ptr<PolicyKeeper> keeper;
  int changes = 0;

  PolicyKeeperTest() {
    fs::create_directories(folder);
    write("jwks.json", issuer.jwk_set());
    write("policy.yaml", policy_of(principal("crm")));
    telemetry::log::Options options;
    options.out = &log;
    telemetry::log::setup(options);
  }
  ~PolicyKeeperTest() override {
    telemetry::log::setup({});
    keeper.reset();
    fs::remove_all(folder);
  }

  void write(const fs::path& name, const std::string& text) const {
    std::ofstream(folder / name) << text;
  }
  // As careful writers do it.
  void replace(const fs::path& name, const std::string& text) const {
    write("new", text);
    fs::rename(folder / "new", folder / name);
  }

  void start() {
    keeper = std::make_unique<PolicyKeeper>(io.get_executor(), file, metrics, 1ms);
    keeper->on_change([this] { ++changes; });
  }
  // The limit only ends a test that fails.
  void run_until(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + 20s;
    while (!done() && std::chrono::steady_clock::now() < limit) io.run_one_until(limit);
    EXPECT_TRUE(done()) << log.str();
  }
  void run_until_changed(int times) {
    run_until([&] { return changes >= times; });
  }
  void run_until_failed(double times) {
    run_until([&] { return failed() >= times; });
  }

  double ok() const { return metrics.policy_reloads.at({"ok"}).value(); }
  double failed() const { return metrics.policy_reloads.at({"failed"}).value(); }

  // Who shows this certificate; empty: nobody.
  std::string by_certificate(const std::string& name) const {
    const auto it =
        keeper->current()->identify({"", {"cn:" + name}}, std::chrono::system_clock::now());
    return it ? it->principal->name() : "";
  }
  std::string by_token(const JwtMaker& maker) const {
    const auto token = maker.token(R"({"iss":"i","aud":"pbxgw","sub":"crm","exp":9000000000})");
    const auto it = keeper->current()->identify({token, {}}, std::chrono::system_clock::now());
    return it ? it->principal->name() : it.error().detail;
  }
  std::string refusal() {
    try {
      start();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return {};
  }
};

TEST_F(PolicyKeeperTest, ReadsThePolicyAtTheStart) {
  start();
  EXPECT_EQ(by_certificate("crm"), "crm");
  EXPECT_EQ(by_token(issuer), "crm");
  EXPECT_EQ(changes, 0);
  EXPECT_EQ(ok(), 1);
  EXPECT_GT(metrics.policy_loaded.value(), 1.7e9);
  EXPECT_EQ(metrics.policy_stale.value(), 0);
}

TEST_F(PolicyKeeperTest, IsOpenWithoutAFile) {
  file.clear();
  start();
  EXPECT_TRUE(keeper->current()->is_open());
  EXPECT_EQ(metrics.policy_loaded.value(), 0);
  io.run();  // nothing is watched
}

TEST_F(PolicyKeeperTest, RefusesToStartWithMistakes) {
  write("policy.yaml", policy_of(principal("CRM", "all")));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("policy.yaml:3: principals[0].name"),
                               HasSubstr("principals[0].grants[0].groups[0]")));
  write("policy.yaml", policy_of(principal("crm")));
  write("jwks.json", "{}");
  EXPECT_THAT(refusal(), HasSubstr("jwks.json: is no JWK set"));
  file = folder / "none" / "policy.yaml";
  EXPECT_THAT(refusal(), HasSubstr("cannot be opened"));
}

TEST_F(PolicyKeeperTest, TakesAnotherPolicyAndTellsWho) {
  start();
  replace("policy.yaml", policy_of(principal("crm", "control") + principal("billing")));
  run_until_changed(1);
  EXPECT_EQ(by_certificate("billing"), "billing");
  EXPECT_THAT(log.str(), HasSubstr(R"("added":"billing","removed":"","changed":"crm")"));

  write("policy.yaml", policy_of(principal("billing")));  // in place
  run_until_changed(2);
  EXPECT_EQ(by_certificate("crm"), "");
  EXPECT_THAT(log.str(), HasSubstr(R"("added":"","removed":"crm","changed":"")"));
  EXPECT_EQ(ok(), 3);
}

TEST_F(PolicyKeeperTest, LetsWhoHoldsTheOldPolicyGoOn) {
  start();
  const auto old = keeper->current();
  replace("policy.yaml", policy_of(principal("billing")));
  run_until_changed(1);
  EXPECT_TRUE(old->identify({"", {"cn:crm"}}, std::chrono::system_clock::now()));
  EXPECT_NE(keeper->current(), old);
}

TEST_F(PolicyKeeperTest, KeepsThePolicyWhileTheFileIsWrong) {
  start();
  const auto before = keeper->current();
  replace("policy.yaml", policy_of(principal("BILLING")));
  run_until_failed(1);
  EXPECT_EQ(keeper->current(), before);
  EXPECT_EQ(changes, 0);
  EXPECT_EQ(metrics.policy_stale.value(), 1);
  EXPECT_THAT(log.str(), HasSubstr("principals[0].name: found"));
  EXPECT_THAT(log.str(), HasSubstr("the policy before it goes on to count"));

  replace("policy.yaml", policy_of(principal("billing")));
  run_until_changed(1);
  EXPECT_EQ(metrics.policy_stale.value(), 0);
  EXPECT_EQ(by_certificate("billing"), "billing");
}

TEST_F(PolicyKeeperTest, KeepsThePolicyWhileTheFileIsAway) {
  start();
  fs::remove(file);
  write("policy.yaml", policy_of(principal("billing")));
  run_until_changed(1);
  EXPECT_EQ(by_certificate("billing"), "billing");
  EXPECT_EQ(failed(), 0) << "it was away for a moment only";
}

TEST_F(PolicyKeeperTest, TellsOnceThatAFileIsGoneAndMendsItself) {
  for (const char* name : {"policy.yaml", "jwks.json"}) {
    start();
    const auto before = keeper->current();
    const auto failures = failed();
    std::ostringstream().swap(log);
    fs::rename(folder / name, folder / "aside");
    run_until_failed(failures + 1);
    EXPECT_EQ(metrics.policy_stale.value(), 1) << name;
    EXPECT_EQ(keeper->current(), before);
    EXPECT_THAT(log.str(), HasSubstr(std::string(name) + ": cannot be "));
    std::ostringstream().swap(log);
    write("another", "one");  // something happens beside it
    write("jwks.json.new", "{");
    io.run_for(50ms);
    EXPECT_THAT(log.str(), Not(HasSubstr("cannot be"))) << "it is known";
    fs::rename(folder / "aside", folder / name);
    run_until([&] { return metrics.policy_stale.value() == 0; });
    EXPECT_EQ(keeper->current(), before) << "nothing is another";
    EXPECT_EQ(failed(), failures + 1);
    keeper.reset();
  }
}

TEST_F(PolicyKeeperTest, LogsTheSameMistakeOnce) {
  start();
  replace("policy.yaml", policy_of(principal("BILLING")));
  run_until_failed(1);
  EXPECT_THAT(log.str(), HasSubstr("principals[0].name: found"));
  std::ostringstream().swap(log);
  replace("policy.yaml", policy_of(principal("BILLING")));
  run_until_failed(2);
  EXPECT_EQ(log.str(), "");
  replace("policy.yaml", policy_of(principal("CRM")));
  run_until_failed(3);
  EXPECT_THAT(log.str(), HasSubstr("principals[0].name: found"));
}

// An issuer shows the next key beside the present one, signs with it, and drops the old one.
TEST_F(PolicyKeeperTest, FollowsAnIssuersKeys) {
  start();
  const JwtMaker next("ES256", "two");
  EXPECT_THAT(by_token(next), HasSubstr("(kid)"));
  replace("jwks.json", JwtMaker::set_of(issuer.jwk() + ',' + next.jwk()));
  run_until_changed(1);
  EXPECT_EQ(by_token(issuer), "crm");
  EXPECT_EQ(by_token(next), "crm");
  replace("jwks.json", next.jwk_set());
  run_until_changed(2);
  EXPECT_THAT(by_token(issuer), HasSubstr("(kid)"));
  EXPECT_EQ(by_token(next), "crm");
  EXPECT_THAT(log.str(), HasSubstr(R"("issuers_changed":"i")"));

  replace("jwks.json", "half a f");
  run_until_failed(1);
  EXPECT_EQ(by_token(next), "crm");
}

// The key set that a new policy names is watched, and the one that none names any more is not.
TEST_F(PolicyKeeperTest, FollowsTheKeySetsThatThePolicyNames) {
  start();
  fs::create_directory(folder / "keys");
  const JwtMaker next("ES256", "two"), last("ES256", "three");
  write("keys/next.json", next.jwk_set());
  auto text = policy_of(principal("crm"));
  text.replace(text.find("jwks.json"), 9, "keys/next.json");
  replace("policy.yaml", text);
  run_until_changed(1);
  EXPECT_EQ(by_token(next), "crm");
  const auto read = ok();
  write("jwks.json", "{}");
  replace("keys/next.json", last.jwk_set());
  run_until_changed(2);
  EXPECT_EQ(by_token(last), "crm");
  EXPECT_EQ(ok(), read + 1);
  EXPECT_EQ(failed(), 0);
}

// Two files cannot be written at once: the policy may name a key set that comes a moment later.
TEST_F(PolicyKeeperTest, WaitsForAKeySetThatIsNamedAlready) {
  start();
  auto text = policy_of(principal("billing"));
  text.replace(text.find("jwks.json"), 9, "later.json");
  replace("policy.yaml", text);
  run_until_failed(1);
  EXPECT_EQ(by_certificate("crm"), "crm");
  write("later.json", issuer.jwk_set());
  run_until_changed(1);
  EXPECT_EQ(by_certificate("billing"), "billing");
}

// A folder that is not there cannot be watched; the file can still be mended.
TEST_F(PolicyKeeperTest, GoesOnWithoutAFolderThatIsNotThere) {
  start();
  auto text = policy_of(principal("billing"));
  text.replace(text.find("jwks.json"), 9, "none/jwks.json");
  replace("policy.yaml", text);
  run_until_failed(1);
  EXPECT_THAT(log.str(), HasSubstr("a file of the policy is not watched"));
  replace("policy.yaml", policy_of(principal("billing")));
  run_until_changed(1);
}

// As the kubelet updates a mounted ConfigMap: one link is turned for both files.
TEST_F(PolicyKeeperTest, FollowsALinkTurned) {
  fs::remove(file);
  fs::remove(folder / "jwks.json");
  const auto publish = [&](const std::string& version, const JwtMaker& maker,
                           const std::string& policy) {
    const auto to = fs::path("..v" + version);
    fs::create_directory(folder / to);
    write(to / "policy.yaml", policy);
    write(to / "jwks.json", maker.jwk_set());
    fs::create_directory_symlink(to, folder / "..data_tmp");
    fs::rename(folder / "..data_tmp", folder / "..data");
  };
  publish("1", issuer, policy_of(principal("crm")));
  fs::create_symlink("..data/policy.yaml", file);
  fs::create_symlink("..data/jwks.json", folder / "jwks.json");
  start();
  const JwtMaker next("ES256", "two"), last("ES256", "three");
  publish("2", next, policy_of(principal("crm") + principal("billing")));
  fs::remove_all(folder / "..v1");
  run_until_changed(1);
  EXPECT_EQ(by_token(next), "crm");
  EXPECT_EQ(by_certificate("billing"), "billing");
  // The keys alone: the policy's text is as it was.
  publish("3", last, policy_of(principal("crm") + principal("billing")));
  fs::remove_all(folder / "..v2");
  run_until_changed(2);
  EXPECT_EQ(by_token(last), "crm");
}

TEST_F(PolicyKeeperTest, TellsNobodyOfAChangeThatChangesNothing) {
  start();
  const auto before = keeper->current();
  replace("policy.yaml", "# a comment\n" + policy_of(principal("crm")));
  run_until([&] { return ok() == 2; });
  EXPECT_EQ(keeper->current(), before);
  EXPECT_EQ(changes, 0);
}

TEST_F(PolicyKeeperTest, LogsNoSecret) {
  start();
  const std::string token = "4f6e7c1b9d-the-token-itself";
  write("policy.yaml", "principals: [{name: a, tokens: [" + token + "], grants: []}]");
  run_until_failed(1);
  EXPECT_THAT(log.str(), HasSubstr("expected hashes of tokens"));
  EXPECT_THAT(log.str(), Not(HasSubstr("the-token")));
}

TEST_F(PolicyKeeperTest, LogsSomeOfManyProblems) {
  start();
  std::string many;
  for (int i = 0; i < 60; ++i) many += principal("P" + std::to_string(i));
  write("policy.yaml", policy_of(many));
  run_until_failed(1);
  EXPECT_THAT(log.str(), HasSubstr("principals[19].name"));
  EXPECT_THAT(log.str(), Not(HasSubstr("principals[20].name")));
  EXPECT_THAT(log.str(), HasSubstr(R"("problems":60)"));
}

TEST_F(PolicyKeeperTest, IsSilentOnceDestroyed) {
  start();
  write("policy.yaml", policy_of(principal("billing")));
  io.run_one();  // the event was read, the timer runs
  keeper.reset();
  io.run();  // nothing keeps it from ending
  EXPECT_EQ(changes, 0);
}

}  // namespace
}  // namespace control
