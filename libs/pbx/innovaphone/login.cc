#include "pbx/innovaphone/login.h"

#include <utility>

#include "pbx/innovaphone/digest.h"
#include "pbx/json.h"

namespace pbx::innovaphone {

using base::Errc;

Login::Login(Options options) : options_(std::move(options)) {}

std::string Login::begin(TimePoint now) {
  step_ = Step::challenge;
  deadline_ = now + options_.limit;
  return R"({"mt":"AppChallenge"})";
}

void Login::end() {
  step_ = Step::none;
  deadline_ = TimePoint::max();
}

Login::Outcome Login::failed(Errc why, std::string detail) {
  end();
  return Failed{why, std::move(detail), kRetryRefused};
}

Login::Outcome Login::on_challenge(const Challenge& challenge, TimePoint now) {
  if (step_ != Step::challenge) return GoesOn{};  // said twice; the first one is being answered
  // What comes from there is signed here. With a colon in it, a false PBX could have us sign what
  // our own inbound door would take for a PBX's login.
  if (challenge.text.empty() || !signable(challenge.text, kSignableMax)) {
    return failed(Errc::bad_frame,
                  "the PBX sent no challenge that can be signed: is this an innovaphone PBX?");
  }
  LoginFields fields;
  fields.app = options_.app_object;
  const std::string digest = login_digest(fields, challenge.text, options_.password);
  if (digest.empty()) return failed(Errc::internal, "OpenSSL does not offer SHA-256 here");

  step_ = Step::verdict;
  deadline_ = now + options_.limit;
  // Without "key": it would be the session key in clear.
  std::string text = R"({"mt":"AppLogin","app":)";
  append_json(text, options_.app_object);
  text += R"(,"domain":"","sip":"","guid":"","dn":"","digest":")" + digest + R"(","pbxObj":)";
  append_json(text, options_.app_object);
  text += '}';
  return GoesOn{std::move(text)};
}

Login::Outcome Login::on_result(const LoginResult& result) {
  if (result.ok && step_ == Step::verdict) {
    end();
    return Done{};
  }
  if (result.ok) {
    return failed(Errc::bad_frame, "the PBX granted a login that it was not asked for yet");
  }
  std::string detail = "the PBX refused the App object's name or password";
  if (!result.error.empty()) detail += ": " + result.error;
  return failed(Errc::login_rejected, std::move(detail));
}

Login::Outcome Login::on_frame(const Frame& frame, TimePoint now) {
  if (!running() || !frame.api.empty()) return Other{};
  if (const auto* it = std::get_if<Challenge>(&frame.body)) return on_challenge(*it, now);
  if (const auto* it = std::get_if<LoginResult>(&frame.body)) return on_result(*it);
  return Other{};
}

Login::Outcome Login::on_tick(TimePoint now) {
  if (now < deadline_) return GoesOn{};
  const bool challenged = step_ == Step::verdict;
  end();
  return Failed{Errc::timed_out,
                challenged ? "the PBX sent a challenge, but no answer to the login"
                           : "the PBX sent no challenge: is path the one of its App objects?",
                {}};
}

}  // namespace pbx::innovaphone
