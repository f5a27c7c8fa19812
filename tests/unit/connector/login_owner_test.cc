// Logins for browsers, from NATS to the adapter and back.

#include "unit/connector/owner_fixture.h"

namespace connector {
namespace {

using base::Errc;
using pbxgw::v1::OwnerRequest;

base::Result<pbx::SignedLogin> sign(const pbx::Settings& settings, const pbx::LoginChallenge& asked,
                                    std::string&) {
  pbx::SignedLogin login;
  login.app = asked.app;
  login.domain = settings.text("domain");
  login.sip = asked.user;
  login.challenge = asked.challenge;
  login.json = "{}";
  return login;
}

struct LoginOwnerTest : OwnerFixture {
  pbx::Vendor vendor = pbx.vendor();

  LoginOwnerTest() {
    vendor.sign_login = &sign;
    acme.vendor = &vendor;
    acme.settings.set("domain", std::string("acme.example"));
  }
  static OwnerRequest request(const std::string& challenge) {
    auto request = request_to_acme();
    auto& login = *request.mutable_sign();
    login.set_app("phone");
    login.set_challenge(challenge);
    login.set_user("alice");
    login.set_caller("192.0.2.7");
    return request;
  }
};

TEST_F(LoginOwnerTest, SignsWhetherOrNotThePbxIsThere) {
  pbx.stall(true);
  const auto one = start("one");
  ASSERT_TRUE(run_until([&] { return !links().empty(); }));
  const auto reply = ask(request("1"));
  EXPECT_EQ(reply.sign_result().app(), "phone");
  EXPECT_EQ(reply.sign_result().domain(), "acme.example");
  EXPECT_EQ(reply.sign_result().sip(), "alice");
  EXPECT_EQ(reply.sign_result().challenge(), "1");
  EXPECT_EQ(reply.epoch(), 1u);
  EXPECT_EQ(reason_of(ask(request("1"))), "CHALLENGE_USED");
  EXPECT_EQ(one->metrics().logins.at({"signed"}).value(), 1);
}

TEST_F(LoginOwnerTest, SignsWithTheSettingsOfNow) {
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  acme.settings.set("domain", std::string("new.example"));
  one->reconfigure(tenant());
  EXPECT_EQ(ask(request("1")).sign_result().domain(), "new.example");
}

TEST_F(LoginOwnerTest, KeepsTheLimitsThatAreConfigured) {
  config.logins_per_user = 2;
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  EXPECT_FALSE(ask(request("1")).has_error());
  EXPECT_FALSE(ask(request("2")).has_error());
  EXPECT_EQ(reason_of(ask(request("3"))), "PERFORMANCE_LIMIT_EXCEEDED");
}

}  // namespace
}  // namespace connector
