#include "simulator/vodia/route.h"

#include <boost/json.hpp>

#include "simulator/vodia/login.h"
#include "simulator/vodia/text.h"

namespace simulator::vodia {

namespace json = boost::json;

namespace {

constexpr std::size_t kBodyMax = 64 << 10;

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

// A login names its domain, or the token that it activates.
Addressee addressee_of_login(const std::string& body) {
  Addressee it;
  boost::system::error_code not_json;
  const json::value parsed = body.size() <= kBodyMax ? json::parse(body, not_json) : json::value();
  const json::object* object = not_json ? nullptr : parsed.if_object();
  if (!object) return it;
  const std::string name = text_at(*object, "name"), value = text_at(*object, "value");
  it.domain = text_at(*object, "domain");
  if (name == "session") it.session = value;
  if (name == "auth") it.domain = split_account(value.substr(0, value.find(' '))).second;
  return it;
}

std::string domain_in_path(const engine::HttpRequest& request) {
  const auto parts = path_parts(request.path());
  if (parts.size() >= 3 && parts[0] == "rest" && parts[1] == "user") {
    return split_account(parts[2]).second;
  }
  const bool named = parts.size() >= 3 && parts[0] == "rest" && parts[1] == "domain";
  return named && parts[2] != "self" ? parts[2] : std::string();
}

}  // namespace

Addressee addressee_of(const engine::HttpRequest& request) {
  Addressee it;
  if (request.path() == "/rest/system/session" && !request.body.empty()) {
    it = addressee_of_login(request.body);
  } else if (request.path() == "/remote_call.htm") {
    it.domain = split_account(query_value(request.query(), "user")).second;
  } else if (request.upgrade) {
    it.domain = query_value(request.query(), "domain");
  } else {
    it.domain = domain_in_path(request);
  }
  if (it.session.empty()) it.session = session_in(request);
  if (it.domain.empty()) {
    const auto by = basic_credentials(request.header("authorization"));
    if (by) it.domain = split_account(by->user).second;
  }
  return it;
}

}  // namespace simulator::vodia
