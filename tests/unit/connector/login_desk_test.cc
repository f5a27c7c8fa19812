#include "connector/login_desk.h"

#include <sstream>

#include <gmock/gmock.h>

#include "telemetry/log.h"
#include "unit/connector/asker.h"
#include "unit/connector/scripted_pbx.h"

namespace connector {
namespace {

using base::Errc;
using pbxgw::v1::OwnerReply;
using pbxgw::v1::SignRequest;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

// An adapter that signs for every application but one, and sees through malformed users.
base::Result<pbx::SignedLogin> sign(const pbx::Settings& settings, const pbx::LoginChallenge& asked,
                                    std::string& why) {
  if (asked.user == "bad user") {
    why = "user: has a blank";
    return Errc::invalid_argument;
  }
  if (asked.app == "secret") {
    why = "this application is not configured";
    return Errc::permission_denied;
  }
  pbx::SignedLogin login;
  login.app = asked.app.empty() ? "phone" : asked.app;
  login.domain = settings.text("domain");
  login.sip = asked.user;
  login.challenge = asked.challenge;
  login.digest = "digest-of-" + asked.challenge;
  login.json = R"({"digest":")" + login.digest + R"("})";
  if (asked.user == "alice") login.info = "{}";
  return login;
}

SignRequest request(const std::string& challenge, const std::string& user = "alice",
                    const std::string& caller = "192.0.2.7") {
  SignRequest request;
  request.set_app("phone");
  request.set_challenge(challenge);
  request.set_user(user);
  request.set_caller(caller);
  return request;
}

struct LoginDeskTest : testing::Test {
  std::ostringstream log;
  telemetry::Metrics all_metrics;
  Metrics metrics{all_metrics};
  pbx::Vendor vendor{};
  pbx::Settings settings;
  std::optional<wire::Failure> obstacle;
  LoginDesk::Limits limits;
  LoginDesk::TimePoint now{1h};
  std::unique_ptr<LoginDesk> desk;

  LoginDeskTest() {
    telemetry::log::setup({.component = "test", .out = &log});
    vendor.name = "scripted";
    vendor.capabilities = every_capability();
    vendor.sign_login = &sign;
    settings.set("domain", std::string("acme.example"));
  }
  ~LoginDeskTest() override { telemetry::log::setup({}); }

  OwnerReply take(const SignRequest& asked) {
    if (!desk) {
      LoginDesk::Owner owner{.tenant = base::TenantId("acme"),
                             .vendor = &vendor,
                             .settings = [this]() -> const pbx::Settings& { return settings; },
                             .obstacle = [this] { return obstacle; }};
      desk = std::make_unique<LoginDesk>(std::move(owner), limits, metrics);
    }
    return desk->take(asked, now);
  }
  // Signs so many, each for another user and another caller if it is so told; how many were.
  unsigned take_many(unsigned count, bool same_user, bool same_caller) {
    unsigned signed_ones = 0;
    for (unsigned i = 0; i < count; ++i) {
      const auto number = std::to_string(++last_);
      const auto reply = take(request("c" + number, same_user ? "alice" : "user" + number,
                                      same_caller ? "192.0.2.7" : "192.0.2." + number));
      if (reply.has_sign_result()) {
        ++signed_ones;
      } else {
        EXPECT_EQ(reason_of(reply), "PERFORMANCE_LIMIT_EXCEEDED");
      }
    }
    return signed_ones;
  }
  double count(const char* outcome) { return metrics.logins.at({outcome}).value(); }

 private:
  unsigned last_ = 0;
};

TEST_F(LoginDeskTest, PassesOnWhatTheAdapterSigned) {
  const auto reply = take(request("16d7dbbcccb63612"));
  const auto& login = reply.sign_result();
  EXPECT_EQ(login.app(), "phone");
  EXPECT_EQ(login.domain(), "acme.example");
  EXPECT_EQ(login.sip(), "alice");
  EXPECT_EQ(login.guid(), "");
  EXPECT_EQ(login.dn(), "");
  EXPECT_EQ(login.info(), "{}");
  EXPECT_EQ(login.challenge(), "16d7dbbcccb63612");
  EXPECT_EQ(login.digest(), "digest-of-16d7dbbcccb63612");
  EXPECT_EQ(login.json(), R"({"digest":"digest-of-16d7dbbcccb63612"})");
  EXPECT_FALSE(take(request("2", "bob")).sign_result().has_info());
  EXPECT_EQ(count("signed"), 2);
}

TEST_F(LoginDeskTest, TakesTheSettingsAsTheyAreByNow) {
  take(request("1"));
  settings.set("domain", std::string("new.example"));
  EXPECT_EQ(take(request("2")).sign_result().domain(), "new.example");
}

TEST_F(LoginDeskTest, PassesOnWhyNot) {
  auto asked = request("1", "bad user");
  auto reply = take(asked);
  EXPECT_EQ(reason_of(reply), "INVALID_FIELD");
  google::rpc::BadRequest bad;
  ASSERT_TRUE(reply.error().details(1).UnpackTo(&bad));
  EXPECT_EQ(bad.field_violations(0).field(), "user");
  asked = request("2");
  asked.set_app("secret");
  reply = take(asked);
  EXPECT_EQ(reason_of(reply), "PERMISSION_DENIED");
  EXPECT_EQ(reply.error().message(), "this application is not configured");
  // Neither was signed, so both challenges still may be.
  EXPECT_TRUE(take(request("1")).has_sign_result());
  EXPECT_TRUE(take(request("2")).has_sign_result());
}

TEST_F(LoginDeskTest, SignsEachChallengeOnce) {
  EXPECT_TRUE(take(request("1")).has_sign_result());
  EXPECT_EQ(reason_of(take(request("1"))), "CHALLENGE_USED");
  EXPECT_EQ(reason_of(take(request("1", "bob", "192.0.2.8"))), "CHALLENGE_USED");
  now += limits.memory - 1ms;
  EXPECT_EQ(reason_of(take(request("1"))), "CHALLENGE_USED");
  EXPECT_EQ(count("challenge_used"), 3);
}

TEST_F(LoginDeskTest, RemembersChallengesForAWhileOnly) {
  take(request("1"));
  now += 1min;
  take(request("2"));
  EXPECT_EQ(desk->remembered(), 2u);
  now += limits.memory - 1min;
  EXPECT_TRUE(take(request("3")).has_sign_result());
  EXPECT_EQ(desk->remembered(), 2u);
}

TEST_F(LoginDeskTest, LimitsTheLoginsOfAUser) {
  limits.of_user = 3;
  EXPECT_EQ(take_many(5, true, false), 3u);
  EXPECT_TRUE(take(request("bob's", "bob")).has_sign_result());
  now += 20s;  // a third of a minute, a third of three
  EXPECT_EQ(take_many(2, true, false), 1u);
  now += 1min;
  EXPECT_EQ(take_many(4, true, false), 3u);
  EXPECT_EQ(count("too_many_requests"), 2 + 1 + 1);
}

TEST_F(LoginDeskTest, LimitsTheLoginsFromAnAddress) {
  limits.of_caller = 3;
  EXPECT_EQ(take_many(5, false, true), 3u);
  EXPECT_EQ(take_many(1, false, false), 1u);
  now += 1min;
  EXPECT_EQ(take_many(5, false, true), 3u);
}

TEST_F(LoginDeskTest, LimitsTheLoginsOfTheTenant) {
  limits.of_tenant = 4;
  EXPECT_EQ(take_many(6, false, false), 4u);
  now += 1min;
  EXPECT_EQ(take_many(6, false, false), 4u);
}

TEST_F(LoginDeskTest, CountsWhatWasRefusedAgainstTheLimitsToo) {
  limits.of_caller = 3;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(reason_of(take(request("1", "bad user"))), "INVALID_FIELD");
  EXPECT_EQ(reason_of(take(request("1"))), "PERFORMANCE_LIMIT_EXCEEDED");
}

TEST_F(LoginDeskTest, DoesNotLetOneUseUpWhatIsTheOthers) {
  limits.of_tenant = 6;
  limits.of_user = 2;
  limits.of_caller = 4;
  EXPECT_EQ(take_many(50, true, true), 2u);
  EXPECT_EQ(take_many(50, false, true), 2u);
  EXPECT_EQ(take_many(2, false, false), 2u);
}

TEST_F(LoginDeskTest, HasNoLimitOfAUserForLoginsWithoutOne) {
  limits.of_user = 1;
  EXPECT_TRUE(take(request("1", "")).has_sign_result());
  EXPECT_TRUE(take(request("2", "")).has_sign_result());
}

TEST_F(LoginDeskTest, SaysThatThisPbxHasNone) {
  vendor.sign_login = nullptr;
  EXPECT_EQ(reason_of(take(request("1"))), "FEATURE_NOT_SUPPORTED");
  vendor.sign_login = &sign;
  const call::Capability absent[] = {
      {call::Service::sign_challenge, call::Confirmation::none, "nothing to sign"}};
  vendor.capabilities = absent;
  const auto reply = take(request("1"));
  EXPECT_EQ(reason_of(reply), "FEATURE_NOT_SUPPORTED");
  EXPECT_EQ(reply.error().message(), "SignChallenge: nothing to sign");
  vendor.capabilities = {};
  EXPECT_EQ(reason_of(take(request("1"))), "FEATURE_NOT_SUPPORTED");
}

TEST_F(LoginDeskTest, SignsNothingForAnother) {
  obstacle = wire::Failure{Errc::owner_moving, "", "", {}};
  EXPECT_EQ(reason_of(take(request("1"))), "OWNER_MOVING");
  obstacle.reset();
  EXPECT_TRUE(take(request("1")).has_sign_result());
}

TEST_F(LoginDeskTest, PassesOnNothingThatIsNoText) {
  settings.set("domain", std::string("\xff"));
  EXPECT_EQ(reason_of(take(request("1"))), "INTERNAL_ERROR");
}

TEST_F(LoginDeskTest, LeavesALineInTheLogForEach) {
  take(request("16d7dbbcccb63612"));
  EXPECT_THAT(log.str(), HasSubstr(R"("tenant":"acme","app":"phone","user":"alice",)"
                                   R"("caller":"192.0.2.7","outcome":"signed")"));
  EXPECT_THAT(log.str(), Not(HasSubstr("16d7dbbcccb63612")));
  log.str("");
  take(request("1", "bad user"));
  EXPECT_THAT(log.str(), HasSubstr(R"("user":"bad user","caller":"192.0.2.7",)"
                                   R"("outcome":"invalid_argument")"));
  log.str("");
  take(request("16d7dbbcccb63612", "bob", "2001:db8::1"));
  EXPECT_THAT(log.str(), HasSubstr(R"("user":"bob","caller":"2001:db8::1",)"
                                   R"("outcome":"challenge_used")"));
}

TEST_F(LoginDeskTest, DoesNotFloodTheLogWithThoseOverALimit) {
  limits.of_user = 1;
  take(request("1"));
  log.str("");
  take_many(1'000, true, true);
  const std::string text = log.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5);
  EXPECT_THAT(text, HasSubstr(R"("outcome":"too_many_requests")"));
  log.str("");
  now += 10s;
  take_many(1, true, true);
  EXPECT_THAT(log.str(), HasSubstr(R"("suppressed":995)"));
  EXPECT_EQ(count("too_many_requests"), 1'001);
}

TEST(Allowances, ForgetKeysThatAreWhole) {
  LoginDesk::TimePoint now{1h};
  Allowance allowance(60);
  for (int i = 0; i < 1'000; ++i) allowance.take("key" + std::to_string(i), now);
  EXPECT_EQ(allowance.keys(), 1'000u);
  now += 1min;
  allowance.take("key0", now);
  EXPECT_EQ(allowance.keys(), 1u);
}

TEST(Allowances, ComeBackOneByOne) {
  LoginDesk::TimePoint now{1h};
  Allowance allowance(2);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(allowance.has("a", now));
    allowance.take("a", now);
  }
  EXPECT_FALSE(allowance.has("a", now));
  EXPECT_TRUE(allowance.has("b", now));
  EXPECT_FALSE(allowance.has("a", now + 30s - 1ns));
  EXPECT_TRUE(allowance.has("a", now + 30s));
}

}  // namespace
}  // namespace connector
