#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

namespace simulator::webitel {

namespace json = boost::json;

// What a list is asked for, in a query or in a body that has the same names: there an object is
// names with dots ("created_at.from"), and a list is one name several times.
class Arguments {
 public:
  explicit Arguments(std::string_view query);
  void add(const json::object& body, const std::string& prefix = {});

  bool has(std::string_view name) const { return values_.contains(name); }
  // All of the name, also where one has commas in it.
  std::vector<std::string> all(std::string_view name) const;
  std::string first(std::string_view name) const;
  std::optional<std::int64_t> number(std::string_view name) const;
  std::optional<bool> flag(std::string_view name) const;
  // Whether `value` lies between {name}.from and {name}.to, or these are not asked for.
  bool within(std::string_view name, std::int64_t value) const;
  // Whether the name is not asked for, or `value` is among what is.
  bool wants(std::string_view name, std::string_view value) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

// How a service's lists are.
struct ListStyle {
  std::size_t size = 40, size_max = 20'000;
  std::span<const std::string_view> fields;  // without `fields`; empty: all
  std::string_view sort;                     // without `sort`: "-created_at"
};
// The engine's, and the directory's.
inline constexpr std::size_t kEngineSize = 40, kDirectorySize = 16, kSizeMax = 20'000;

// {"items": […], "page": n, "next": true}: sorted by a field that is a number or a text, one page
// of it, and the fields that are wanted.
json::object list_of(const Arguments& arguments, const ListStyle& style,
                     std::vector<json::object> rows);

// A text matches if it has `wanted` in it, whatever the case; '*' is nothing special here.
bool mentions(std::string_view text, std::string_view wanted);

// {"id": "17", "name": "…"}; an empty object without an id.
json::object lookup(std::int64_t id, std::string_view name);

}  // namespace simulator::webitel
