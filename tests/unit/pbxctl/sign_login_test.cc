#include <gmock/gmock.h>

#include "pbxctl/fake_control.h"

namespace pbxctl {
namespace {

using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;

class SignLoginOfPbxctl : public testing::Test {
 protected:
  FakeControl control;

  SignLoginOfPbxctl() {
    control.login.set_app("phone");
    control.login.set_digest("d1");
    control.login.set_login_json(R"({"mt":"AppLogin","app":"phone","digest":"d1"})");
  }
  Ran pbxctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--server", control.address()});
    return run_with(arguments);
  }
};

TEST_F(SignLoginOfPbxctl, PrintsJustWhatTheBrowserNeeds) {
  const Ran ran = pbxctl({"sign-login", "acme", "--app", "phone", "--user", "alice", "16d7"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out, R"({"mt":"AppLogin","app":"phone","digest":"d1"})"
                     "\n");
  EXPECT_THAT(control.asked,
              ElementsAre("SignChallenge tenant: \"tenants/acme\" app: \"phone\" challenge: "
                          "\"16d7\" user: \"alice\""));
}

TEST_F(SignLoginOfPbxctl, PrintsEveryFieldForPrograms) {
  const Ran ran = pbxctl({"sign-login", "tenants/acme", "16d7", "--json"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr(R"("digest":"d1")"));
  EXPECT_THAT(control.asked,
              ElementsAre("SignChallenge tenant: \"tenants/acme\" challenge: \"16d7\""));
}

TEST_F(SignLoginOfPbxctl, SaysWhyNot) {
  control.verdict = error(Errc::challenge_used, "This challenge was signed before.");
  const Ran ran = pbxctl({"sign-login", "acme", "16d7"});
  EXPECT_EQ(ran.status, 4);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("This challenge was signed before."));
}

TEST_F(SignLoginOfPbxctl, NeedsAChallenge) {
  EXPECT_EQ(pbxctl({"sign-login", "acme"}).status, 2);
  EXPECT_THAT(control.asked, testing::IsEmpty());
}

}  // namespace
}  // namespace pbxctl
