#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "simulator/webitel/accounts.h"
#include "simulator/webitel/pbx.h"
#include "simulator/webitel/problem.h"

// How users, phones and the like are read from requests and shown in answers.
namespace simulator::webitel {

// A request that changes something: PATCH and what it has, or PUT and POST and all of it, so that
// what it has not becomes nothing.
class Form {
 public:
  Form(const json::object& body, bool whole) : body_(body), whole_(whole) {}

  bool has(std::string_view key) const { return whole_ || body_.contains(key); }
  void take(std::string_view key, std::string& text) const;
  void take(std::string_view key, bool& flag) const;
  void take(std::string_view key, unsigned& number) const;
  // {key: {"id": "17"}}; 0 for null and for what is none. Nothing where it is not mentioned.
  std::optional<std::int64_t> reference(std::string_view key) const;
  // {key: [{"id": "17"}, …]}
  std::optional<std::vector<std::int64_t>> references(std::string_view key) const;

 private:
  const json::object& body_;
  bool whole_;
};

json::object user_lookup(const Pbx& pbx, UserId id);

// "created_at", "created_by" and so on, of a user, a phone, a token or an agent.
template <class Thing>
void add_times(const Pbx& pbx, const Thing& it, json::object& out) {
  out["created_at"] = std::to_string(pbx.millis(it.created));
  out["created_by"] = user_lookup(pbx, it.created_by);
  out["updated_at"] = std::to_string(pbx.millis(it.updated));
  out["updated_by"] = user_lookup(pbx, it.updated_by);
}
template <class Thing>
void stamp(Thing& it, UserId by, engine::TimePoint now) {
  it.updated = now;
  it.updated_by = by;
  if (it.id != 0) return;
  it.created = now;
  it.created_by = by;
}
// The directory's answers leave out what is nothing, but for `kept`.
json::object without_empties(json::object object, std::initializer_list<std::string_view> kept);

json::object user_json(const Pbx& pbx, const User& user);
json::array licences_json(const Pbx& pbx, const User& user);

// Which extensions have a phone: their user has one. Phones that come or go by what is set up here
// are registered, or no longer; all others stay as they are.
std::set<std::string> extensions_with_phone(const Pbx& pbx);
void settle_phones(Pbx& pbx, const std::set<std::string>& before, engine::TimePoint now);

// What a password is shown as: nobody can tell it from that.
std::string hashed(std::string_view password);

// The directory's refusals. The document gives no ids of its own for them.
namespace problems {

Problem no_object(std::string_view what);                          // 404: "users"
Problem taken(std::string_view what, std::string_view field);      // 409: one has it already
Problem bad_field(std::string_view what, std::string_view field);  // 400
Problem too_many(std::string_view what);                           // 400: the simulator's limit

}  // namespace problems

}  // namespace simulator::webitel
