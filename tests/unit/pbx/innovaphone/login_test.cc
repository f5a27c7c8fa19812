#include "pbx/innovaphone/login.h"

#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>

#include "base/overloaded.h"

namespace pbx::innovaphone {
namespace {

using base::Errc;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

constexpr std::string_view kChallenge =
    R"({"mt":"AppChallengeResult","challenge":"0123456789abcdef"})";

// Our side of a login, told what the PBX says.
class OutboundLogin : public testing::Test {
 protected:
  OutboundLogin() { EXPECT_EQ(login.begin(now), R"({"mt":"AppChallenge"})"); }

  // What came of it: "sent", "", "other", "done" or the error.
  std::string hear(std::string_view text) {
    const auto frame = parse(text);
    EXPECT_TRUE(frame.has_value()) << text;
    return frame ? words(login.on_frame(*frame, now)) : "unreadable";
  }
  std::string wait(std::chrono::milliseconds span) {
    now += span;
    return login.deadline() <= now ? words(login.on_tick(now)) : "";
  }
  std::string words(Login::Outcome outcome) {
    return std::visit(base::overloaded{
                          [&](Login::GoesOn& it) -> std::string {
                            sent = std::move(it.text);
                            return sent.empty() ? "" : "sent";
                          },
                          [](Login::Other&) -> std::string { return "other"; },
                          [](Login::Done&) -> std::string { return "done"; },
                          [&](Login::Failed& it) -> std::string {
                            failed = std::move(it);
                            return base::name_of(failed.why);
                          },
                      },
                      outcome);
  }

  TimePoint now{1h};
  Login login{{"rcc", "secret", 10s}};
  std::string sent;
  Login::Failed failed;
};

TEST_F(OutboundLogin, SignsTheChallengeAsTheAppObject) {
  EXPECT_EQ(hear(kChallenge), "sent");
  // Vector 10 of the protocol document; and no session key.
  EXPECT_EQ(sent,
            R"({"mt":"AppLogin","app":"rcc","domain":"","sip":"","guid":"","dn":"","digest":")"
            R"(1f2f900341f0b249a506667430f5c626cab59eff029449bc0de3f7bc6c781888","pbxObj":"rcc"})");
  EXPECT_TRUE(login.running());
  EXPECT_EQ(hear(R"({"mt":"AppLoginResult","ok":true})"), "done");
  EXPECT_FALSE(login.running());
  EXPECT_EQ(login.deadline(), TimePoint::max());
}

TEST_F(OutboundLogin, SignsAChallengeThatIsANumberByItsDigits) {
  EXPECT_EQ(hear(R"({"mt":"AppChallengeResult","challenge":1234567890123456789})"), "sent");
  const std::string number = sent;
  Login again({"rcc", "secret", 10s});
  (void)again.begin(now);
  const auto frame = parse(R"({"mt":"AppChallengeResult","challenge":"1234567890123456789"})");
  EXPECT_EQ(words(again.on_frame(*frame, now)), "sent");
  EXPECT_EQ(sent, number);
}

TEST_F(OutboundLogin, WaitsOnlySoLongForEachAnswer) {
  EXPECT_EQ(wait(9s), "");
  EXPECT_EQ(hear(kChallenge), "sent");
  EXPECT_EQ(wait(9s), "");
  EXPECT_EQ(wait(1s), "timed_out");
  EXPECT_THAT(failed.detail, HasSubstr("no answer to the login"));
  EXPECT_FALSE(login.running());
  EXPECT_EQ(login.deadline(), TimePoint::max());

  Login silent({"rcc", "secret", 10s});
  (void)silent.begin(now);
  EXPECT_EQ(words(silent.on_tick(now + 9s)), "");
  EXPECT_EQ(words(silent.on_tick(now + 10s)), "timed_out");
  EXPECT_THAT(failed.detail, HasSubstr("no challenge"));
}

TEST_F(OutboundLogin, FailsSlowlyWhenItIsRefused) {
  const std::pair<const char*, const char*> kAnswers[] = {
      {R"({"mt":"AppLoginResult"})", "password"},
      {R"({"mt":"AppLoginResult","ok":false})", "password"},
      {R"({"mt":"AppLoginResult","error":5,"errorText":"bad object"})", "5: bad object"},
  };
  for (const auto& [answer, said] : kAnswers) {
    login = Login({"rcc", "secret", 10s});
    (void)login.begin(now);
    EXPECT_EQ(hear(kChallenge), "sent");
    EXPECT_EQ(hear(answer), "login_rejected") << answer;
    EXPECT_THAT(failed.detail, HasSubstr(said));
    EXPECT_THAT(failed.detail, Not(HasSubstr("secret")));
    EXPECT_EQ(failed.retry_after, 60s);
  }
}

TEST_F(OutboundLogin, IsRefusedAlsoInsteadOfAChallenge) {
  EXPECT_EQ(hear(R"({"mt":"AppLoginResult","error":"no such app"})"), "login_rejected");
}

TEST_F(OutboundLogin, DoesNotBelieveAGrantOfNothing) {
  EXPECT_EQ(hear(R"({"mt":"AppLoginResult","ok":true})"), "bad_frame");
}

// Its signature would be good for a login of other fields.
TEST_F(OutboundLogin, SignsNothingThatIsNoChallenge) {
  const std::string kChallenges[] = {
      R"("")", R"("a:b")", R"("gateway:0:gw:{}:0123456789abcdef")", R"("a\nb")",
      "null",  "[1]",      R"(")" + std::string(65, 'a') + '"'};
  for (const std::string& challenge : kChallenges) {
    login = Login({"rcc", "secret", 10s});
    (void)login.begin(now);
    EXPECT_EQ(hear(R"({"mt":"AppChallengeResult","challenge":)" + challenge + '}'), "bad_frame")
        << challenge;
    EXPECT_EQ(failed.retry_after, 60s);
  }
  login = Login({"rcc", "secret", 10s});
  (void)login.begin(now);
  EXPECT_EQ(hear(R"({"mt":"AppChallengeResult"})"), "bad_frame");
}

TEST_F(OutboundLogin, AnswersTheFirstChallengeOnly) {
  EXPECT_EQ(hear(kChallenge), "sent");
  EXPECT_EQ(hear(R"({"mt":"AppChallengeResult","challenge":"fedcba9876543210"})"), "");
  EXPECT_EQ(hear(R"({"mt":"AppLoginResult","ok":true})"), "done");
}

TEST_F(OutboundLogin, LeavesEverythingElseToItsCaller) {
  constexpr std::string_view kOthers[] = {
      R"({"mt":"UserInfo","api":"RCC","guid":"1","cn":"A"})",
      R"({"mt":"KeepAlive"})",
      R"({"mt":"SomethingNew"})",
      R"({"mt":"AppLoginResult","api":"RCC","ok":true})",
  };
  for (const auto other : kOthers) EXPECT_EQ(hear(other), "other") << other;
  EXPECT_EQ(hear(kChallenge), "sent");
  for (const auto other : kOthers) EXPECT_EQ(hear(other), "other") << other;
  EXPECT_EQ(hear(R"({"mt":"AppLoginResult","ok":true})"), "done");
  EXPECT_EQ(hear(R"({"mt":"AppLoginResult"})"), "other");
}

}  // namespace
}  // namespace pbx::innovaphone
