#pragma once

#include <memory>
#include <string>
#include <utility>

#include "pbx/session.h"
#include "pbx/vodia/texts.h"

namespace pbx::vodia {

// Numbers requests and dresses them. Lives as long as a session, or a part of it that has a cookie
// of its own.
class Http {
 public:
  enum class As {
    nobody,
    session,  // with the cookie: the monitoring extension
    admin,    // the system administrator, if there is one; the session otherwise
  };
  Http(Handshake where, std::string basic, std::chrono::milliseconds limit)
      : where_(std::move(where)), basic_(std::move(basic)), limit_(limit) {}

  // The same server for somebody else, who has no cookie yet; numbers go on where these are.
  Http another() const {
    Http other(*this);
    other.cookie_.clear();
    return other;
  }

  SendHttp make(Request request, As as) {
    SendHttp send{++*last_, std::move(request.method), where_, std::move(request.body), limit_};
    send.where.target = std::move(request.target);
    auto& headers = send.where.headers;
    headers.emplace_back("Accept", "application/json");
    if (!send.body.empty()) headers.emplace_back("Content-Type", "application/json");
    if (as == As::admin && has_admin()) {
      headers.emplace_back("Authorization", basic_);
    } else if (as != As::nobody && !cookie_.empty()) {
      headers.emplace_back("Cookie", "session=" + cookie_);
    }
    return send;
  }

  bool has_admin() const { return !basic_.empty(); }
  const Handshake& where() const { return where_; }
  const std::string& cookie() const { return cookie_; }
  void set_cookie(std::string cookie) { cookie_ = std::move(cookie); }

 private:
  Handshake where_;
  std::string basic_, cookie_;
  std::chrono::milliseconds limit_;
  std::shared_ptr<HttpId> last_ = std::make_shared<HttpId>(0);
};

// It was certainly not carried out.
inline bool was_not_sent(const base::Error& error) {
  using base::Errc;
  for (Errc it : {Errc::resolve_failed, Errc::connect_failed, Errc::tls_failed,
                  Errc::certificate_unknown_authority, Errc::certificate_expired,
                  Errc::certificate_wrong_name, Errc::certificate_required}) {
    if (error == it) return true;
  }
  return false;
}

}  // namespace pbx::vodia
