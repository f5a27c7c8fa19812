#include "pbx/vodia/login.h"

#include <utility>

namespace pbx::vodia {

using base::Errc;
using namespace std::chrono_literals;

Login::Login(Options options, Http& http) : options_(std::move(options)), http_(http) {
  method_ = options_.method != Method::automatic ? options_.method
            : http_.has_admin()                  ? Method::token
                                                 : Method::password;
  legacy_ = options_.generation == Generation::legacy;
}

Login::Outcome Login::begin(Effects& effects) {
  minted_ = 0;
  if (method_ == Method::token) {
    if (!http_.has_admin()) {
      return failed(Errc::credentials_missing, "login: token needs admin_user and admin_password");
    }
    return mint(effects);
  }
  auto request = log_in(options_.user + '@' + options_.domain, options_.password);
  if (!request) {
    return failed(Errc::unsupported,
                  "OpenSSL does not offer MD5 here, which the password login "
                  "needs; use login: token");
  }
  send(std::move(*request), Http::As::nobody, Step::password, effects);
  return GoesOn{};
}

Login::Outcome Login::mint(Effects& effects) {
  ++minted_;
  send(mint_token(options_.domain, options_.user), Http::As::admin, Step::mint, effects);
  return GoesOn{};
}

void Login::send(Request request, Http::As as, Step step, Effects& effects) {
  SendHttp out = http_.make(std::move(request), as);
  waiting_ = out.id;
  step_ = step;
  effects.push_back(std::move(out));
}

Login::Outcome Login::failed(Errc why, std::string detail) {
  step_ = Step::none;
  return Failed{why, std::move(detail), kRetryRefused};
}

// An answer that is no grant, by its status.
Login::Outcome Login::refused(const HttpReply& reply) {
  const std::string who = step_ == Step::mint ? "the administrator's login" : "the login";
  const std::string status = std::to_string(reply.status);
  switch (reply.status) {
    case 401: return failed(Errc::login_rejected, "the PBX answered " + who + " with 401");
    case 403:
      return failed(Errc::permission_denied, "the PBX does not allow " + who +
                                                 " (403): are its rights enough, and is our "
                                                 "address on its access list?");
    case 404:
      return failed(Errc::device_not_found, "the PBX knows no extension " + options_.user +
                                                " in a domain " + options_.domain + " (404)");
    case 429: return failed(Errc::too_many_requests, "the PBX takes no more logins for now (429)");
    default: break;
  }
  if (reply.status >= 300 && reply.status < 400) {
    return failed(Errc::unsupported, "the PBX answered " + who + " with " + status +
                                         ", a redirect: is host another name of it, or tls wrong?");
  }
  if (reply.status >= 500) {
    step_ = Step::none;
    return Failed{Errc::pbx_refused, "the PBX answered " + who + " with " + status, 5s};
  }
  return failed(Errc::pbx_refused, "the PBX answered " + who + " with " + status);
}

Login::Outcome Login::granted(std::string cookie, Effects& effects) {
  http_.set_cookie(std::move(cookie));
  if (options_.generation == Generation::automatic) {
    if (!version_) {
      send(front_page(), Http::As::nobody, Step::version, effects);
      return GoesOn{};
    }
    legacy_ = *version_ < kModernFrom;
  }
  step_ = Step::none;
  return Done{};
}

Login::Outcome Login::on_http(HttpId id, const base::Result<HttpReply>& reply,
                              const std::string& detail, Effects& effects) {
  if (step_ == Step::none || id != waiting_) return GoesOn{};
  if (reply && !version_) version_ = generation_of(reply->header("server"));
  if (step_ == Step::version) {
    // What cannot be read is taken for a newer one.
    step_ = Step::none;
    legacy_ = version_ && *version_ < kModernFrom;
    return Done{};
  }
  if (!reply) {
    step_ = Step::none;
    return Failed{reply.error(), detail.empty() ? "the login got no answer" : detail, {}};
  }
  if (reply->status < 200 || reply->status >= 300) return refused(*reply);

  switch (step_) {
    case Step::password:
      if (asks_second_factor(reply->body)) {
        return failed(Errc::unsupported,
                      "the PBX asks for a second factor; use login: token, which needs none");
      }
      if (is_refusal(reply->body)) {
        return failed(Errc::login_rejected, "the PBX refused the user and password");
      }
      if (auto session = token_of(reply->body)) {
        std::string cookie = session_cookie(*reply);
        return granted(cookie.empty() ? std::move(*session) : std::move(cookie), effects);
      }
      return failed(Errc::bad_frame,
                    "the answer to the login could not be read: is this a Vodia "
                    "PBX's port?");
    case Step::mint:
      if (is_refusal(reply->body)) {
        return failed(Errc::login_rejected,
                      "the PBX refused the system administrator's user and password");
      }
      if (auto token = token_of(reply->body)) {
        token_ = std::move(*token);
        send(activate_token(token_), Http::As::nobody, Step::activate, effects);
        return GoesOn{};
      }
      return failed(Errc::bad_frame,
                    "the answer to the login could not be read: is this a Vodia "
                    "PBX's port?");
    case Step::activate: {
      if (is_refusal(reply->body)) {
        // Too old, or used by somebody else.
        if (minted_ < 2) return mint(effects);
        return failed(Errc::timed_out,
                      "the PBX twice refused a token that it had just given: it lives for ten "
                      "seconds, so one of us is too slow");
      }
      std::string cookie = session_cookie(*reply);
      return granted(cookie.empty() ? std::exchange(token_, {}) : std::move(cookie), effects);
    }
    default: return GoesOn{};
  }
}

}  // namespace pbx::vodia
