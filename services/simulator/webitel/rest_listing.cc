#include "simulator/webitel/rest_listing.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include <boost/json.hpp>

#include "simulator/webitel/text.h"

namespace simulator::webitel {
namespace {

std::string text_of(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_bool()) return value.get_bool() ? "true" : "false";
  return json::serialize(value);
}

// Numbers that travel as texts are still sorted as numbers.
bool before(const json::value* a, const json::value* b) {
  const auto number_a = id_from(a), number_b = id_from(b);
  if (number_a && number_b) return *number_a < *number_b;
  if (!a || !b) return !a && b;
  return text_of(*a) < text_of(*b);
}

void sort_rows(std::string_view order, std::vector<json::object>& rows) {
  const bool descending = order.starts_with('-') || order.starts_with('!');
  if (descending || order.starts_with('+')) order.remove_prefix(1);
  if (order.empty()) return;
  std::stable_sort(rows.begin(), rows.end(), [&](const json::object& a, const json::object& b) {
    const json::value* left = a.if_contains(order);
    const json::value* right = b.if_contains(order);
    return descending ? before(right, left) : before(left, right);
  });
}

}  // namespace

Arguments::Arguments(std::string_view query) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto item = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto name = std::string(item.substr(0, item.find('=')));
    if (name.empty() || values_.contains(name)) continue;
    values_[name] = query_values(item, name);
    for (auto& more : query_values(query, name)) values_[name].push_back(std::move(more));
  }
}

void Arguments::add(const json::object& body, const std::string& prefix) {
  for (const auto& [key, value] : body) {
    const std::string name = prefix + std::string(key);
    if (const auto* object = value.if_object()) {
      add(*object, name + '.');
    } else if (const auto* list = value.if_array()) {
      for (const auto& each : *list) values_[name].push_back(text_of(each));
    } else if (!value.is_null()) {
      values_[name].push_back(text_of(value));
    }
  }
}

std::vector<std::string> Arguments::all(std::string_view name) const {
  std::vector<std::string> out;
  const auto it = values_.find(name);
  if (it == values_.end()) return out;
  for (std::string_view rest : it->second) {
    while (!rest.empty()) {
      const auto end = std::min(rest.find(','), rest.size());
      if (end > 0) out.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return out;
}

std::string Arguments::first(std::string_view name) const {
  const auto it = values_.find(name);
  return it == values_.end() || it->second.empty() ? std::string() : it->second.front();
}

std::optional<std::int64_t> Arguments::number(std::string_view name) const {
  return integer_from(first(name));
}

std::optional<bool> Arguments::flag(std::string_view name) const {
  const std::string text = first(name);
  if (text != "true" && text != "false") return std::nullopt;
  return text == "true";
}

bool Arguments::within(std::string_view name, std::int64_t value) const {
  const auto from = number(std::string(name) + ".from"), to = number(std::string(name) + ".to");
  return (!from || value >= *from) && (!to || value <= *to);
}

bool Arguments::wants(std::string_view name, std::string_view value) const {
  const auto wanted = all(name);
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

json::object list_of(const Arguments& arguments, const ListStyle& style,
                     std::vector<json::object> rows) {
  const std::string order = arguments.first("sort");
  sort_rows(order.empty() ? style.sort : order, rows);

  constexpr std::int64_t kPageMax = 1'000'000'000;
  const auto page = static_cast<std::size_t>(
      std::clamp<std::int64_t>(arguments.number("page").value_or(1), 1, kPageMax));
  const std::int64_t asked = arguments.number("size").value_or(0);
  const std::size_t size =
      asked <= 0 ? style.size : std::min(static_cast<std::size_t>(asked), style.size_max);
  const std::size_t first = std::min((page - 1) * size, rows.size());
  const std::size_t last = std::min(first + size, rows.size());

  const auto wanted = arguments.all("fields");
  std::vector<std::string_view> fields(wanted.begin(), wanted.end());
  if (fields.empty()) fields.assign(style.fields.begin(), style.fields.end());

  json::array items;
  for (std::size_t i = first; i < last; ++i) {
    if (fields.empty()) {
      items.push_back(std::move(rows[i]));
      continue;
    }
    json::object item;
    for (const auto field : fields) {
      if (const auto* value = rows[i].if_contains(field)) item[field] = *value;
    }
    items.push_back(std::move(item));
  }
  json::object out{{"items", std::move(items)}, {"page", page}};
  if (last < rows.size()) out["next"] = true;
  return out;
}

bool mentions(std::string_view text, std::string_view wanted) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), same) != text.end();
}

json::object lookup(std::int64_t id, std::string_view name) {
  if (id == 0) return {};
  return {{"id", std::to_string(id)}, {"name", name}};
}

}  // namespace simulator::webitel
