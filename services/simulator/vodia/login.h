#pragma once

#include <string>

#include <boost/json/value.hpp>

#include "simulator/vodia/pbx.h"

namespace simulator::vodia {

engine::HttpReply json_reply(const boost::json::value& body, unsigned status = 200);
engine::HttpReply bare_reply(unsigned status);

// The session of the request's cookie; empty without one.
std::string session_in(const engine::HttpRequest& request);

struct Asker {
  Identity who;
  bool wrong_credentials = false;  // there were some, and they are nobody's
};
// By Basic credentials or by the cookie.
Asker asker_of(const Pbx& pbx, const engine::HttpRequest& request);
// Nobody if the account does not exist, or that is not its password.
Identity identity_of(const Pbx& pbx, std::string_view account, std::string_view password);

struct Login {
  engine::HttpReply reply;
  bool of_credentials = false;  // a password or administrator login, good or bad
  std::string ended;            // the session that was logged out
};
// /rest/system/session and /rest/system/2nd.
Login answer_login(Pbx& pbx, const engine::HttpRequest& request, engine::TimePoint now);

}  // namespace simulator::vodia
