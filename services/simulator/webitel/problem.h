#pragma once

#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace simulator::webitel {

namespace json = boost::json;

// An error as this vendor puts it, on the socket and by HTTP: a key that stays, a number like
// HTTP's, and a sentence.
struct Problem {
  std::string id;
  unsigned code = 500;
  std::string detail;

  json::object object() const;  // {id, status, detail, code}
};

// "Bad Request"
std::string_view reason_phrase(unsigned code);

namespace problems {

Problem unauthenticated();    // 401: the token is none, or no longer
Problem license();            // 412: the user has no licence
Problem auth_down();          // 500: whoever knows tokens cannot be reached
Problem not_authenticated();  // 500: a request before the login, or after its end
Problem invalid_param();      // 400: one is missing, or of another type; not which
Problem forbidden(std::int64_t user, std::string_view scope, char access);  // 403
Problem no_node();                         // 404: app_id names no media node
Problem no_call();                         // 404: not in the table of active calls
Problem new_call(std::string_view cause);  // 500: originate failed
Problem bridge();                          // 500
Problem refused();                         // 500: the switch says no, whatever it was

}  // namespace problems

}  // namespace simulator::webitel
