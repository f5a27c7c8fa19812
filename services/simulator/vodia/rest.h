#pragma once

#include <span>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "simulator/vodia/login.h"

namespace simulator::vodia {

// One request that is allowed, and what its path and body say.
struct RestCall {
  Pbx& pbx;
  const engine::HttpRequest& http;
  engine::TimePoint now;
  Identity who;
  engine::ExtensionIndex account = engine::kOutside;  // of {account} or {ext}
  std::string rest;                                   // of *
  boost::json::object body;                           // empty without one

  std::string query(std::string_view name) const;
  // Of the body; numbers and booleans as texts.
  std::string text(std::string_view key) const;
  const std::string& number() const { return pbx.tenant.extension(account).number; }
};

// What a path asks of whoever comes. The system's administrator may do everything.
enum class Needs : std::uint8_t {
  nothing,
  itself,            // the extension, not its tenant's administrator
  tenant,            // the tenant's administrator
  itself_or_tenant,  // either
  system,
};

struct RestRoute {
  std::string_view methods;  // "POST PUT"
  std::string_view path;     // "/rest/user/{account}/calls"
  Needs needs;
  engine::HttpReply (*handle)(const RestCall&);
};

// All pages but the login's. 401, 403 and 404 as the vendor has them.
engine::HttpReply answer_rest(Pbx& pbx, const engine::HttpRequest& request, engine::TimePoint now);

// Each file's.
std::span<const RestRoute> account_routes();
std::span<const RestRoute> preference_routes();
std::span<const RestRoute> call_routes();
std::span<const RestRoute> history_routes();

}  // namespace simulator::vodia
