#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "pbx/innovaphone/codec.h"
#include "pbx/session.h"

namespace pbx::innovaphone {

// A password does not become right by itself.
inline constexpr std::chrono::seconds kRetryRefused{60};

// Our login at a PBX that we have dialled, as the App object itself and no user:
//
//   AppChallenge → AppChallengeResult {challenge} → AppLogin {digest} → AppLoginResult {ok}
//
// Each of the two answers has its limit. Lives as long as the link that it is about; made anew for
// the next one, since nothing of a login survives.
class Login {
 public:
  struct Options {
    std::string app_object, password;
    std::chrono::milliseconds limit{};  // for the challenge, and again for the verdict
  };
  // It is going on; `text` is to be sent, if there is any.
  struct GoesOn {
    std::string text;
  };
  // The frame is no part of the login. It is for the caller to keep, in order and not without a
  // limit, and to take up once the login is Done: the PBX may write before its verdict is out.
  struct Other {};
  struct Done {};
  struct Failed {
    base::Error why;     // login_rejected, timed_out, bad_frame
    std::string detail;  // a sentence for operators
    std::optional<std::chrono::milliseconds> retry_after;
  };
  using Outcome = std::variant<GoesOn, Other, Done, Failed>;

  explicit Login(Options options);

  // First of all, once the link is open. Returns what is to be sent.
  std::string begin(TimePoint now);
  // Once it is Done or Failed, everything is Other.
  Outcome on_frame(const Frame& frame, TimePoint now);
  // deadline() has passed.
  Outcome on_tick(TimePoint now);
  TimePoint deadline() const { return deadline_; }
  bool running() const { return step_ != Step::none; }

 private:
  enum class Step { none, challenge, verdict };

  Outcome on_challenge(const Challenge& challenge, TimePoint now);
  Outcome on_result(const LoginResult& result);
  Outcome failed(base::Errc why, std::string detail);
  void end();

  Options options_;
  Step step_ = Step::none;
  TimePoint deadline_ = TimePoint::max();
};

}  // namespace pbx::innovaphone
