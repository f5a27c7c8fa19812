#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "simulator/webitel/pbx.h"

namespace simulator::webitel {

// One request under /api, as its handler sees it: the token is good, the licence and the permission
// are there, the body is an object.
struct RestCall {
  Pbx& pbx;
  const engine::HttpRequest& http;
  engine::TimePoint now;
  const User* user;               // whose token it is; nullptr where none is needed
  std::vector<std::string> args;  // of {} in the path
  json::object body;              // empty without one
  std::uint64_t ticket;           // to be used if the answer comes later

  // The first of that name, decoded; empty if there is none.
  std::string query(std::string_view name) const;
  std::vector<std::string> queries(std::string_view name) const;
  // The path's {}: nothing if it is no number.
  std::optional<std::int64_t> id(std::size_t index = 0) const;
};

// A row of REST. `{}` in the path is one part of it, whatever it is.
struct RestRoute {
  std::string_view method, path;  // GET, /calls/active/{}
  // What the token's user has to be allowed: a scope, and one of "crud". An empty scope: nothing
  // but a good token. nullptr: not even that, the handler looks itself.
  const char* scope;
  char access;
  // Changes something: the fault `actions` says what becomes of it, once the token is looked at.
  bool command;
  engine::HttpAnswer (*handle)(const RestCall& call);
};

// Answers.
engine::HttpAnswer json_answer(const json::value& value, unsigned status = 200);
// Of the engine (calls, agents), without defaults if that is how it is.
engine::HttpAnswer engine_answer(const Pbx& pbx, json::value value);
// Directory endpoints (users, devices, tokens) answer with the error's own status.
engine::HttpAnswer directory_problem(const Problem& problem);
// The engine knows 400, 401 and 403; everything else is 500, unless a variant says otherwise.
engine::HttpAnswer engine_problem(const Pbx& pbx, const Problem& problem);
// {items, next} of those of page `page` and of size `size`, as the query says; at most `size_max`.
json::object page_of(const RestCall& call, json::array all, std::size_t size_default,
                     std::size_t size_max = 20'000);

// Whose token a request has (X-Webitel-Access); nullptr: nobody's.
const User* asker_of(const Pbx& pbx, const engine::HttpRequest& request, engine::TimePoint now);

// Each file's rows; rest.cc lists them.
std::span<const RestRoute> call_routes();
std::span<const RestRoute> agent_routes();
std::span<const RestRoute> presence_routes();
std::span<const RestRoute> device_routes();
std::span<const RestRoute> user_routes();
std::span<const RestRoute> token_routes();
std::span<const RestRoute> agent_account_routes();
std::span<const RestRoute> history_routes();
std::span<const RestRoute> recording_routes();

// An agent as lists and single answers show it.
json::object agent_object(const RestCall& call, const Agent& agent);

// Whatever is under /api.
engine::HttpAnswer answer_rest(Pbx& pbx, const engine::HttpRequest& request, engine::TimePoint now,
                               std::uint64_t ticket);

}  // namespace simulator::webitel
