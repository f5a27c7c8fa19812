#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace simulator::engine {

// One switch of a vendor's Variants: its name, its values by their words, and what each sets.
template <class Variants>
struct Switch {
  std::string_view name;
  std::vector<std::pair<std::string_view, void (*)(Variants&)>> values;
};
template <class Variants>
using Switches = std::vector<Switch<Variants>>;

// The first of each row, separated by commas.
template <class Rows, class Name>
std::string list_of(const Rows& rows, Name name) {
  std::string list;
  for (const auto& row : rows) list += (list.empty() ? "" : ", ") + std::string(name(row));
  return list;
}

// Sets one of them. Returns what is wrong, in words, or nothing.
template <class Variants>
std::string set_switch(const Switches<Variants>& switches, Variants& variants,
                       std::string_view name, std::string_view value) {
  for (const Switch<Variants>& each : switches) {
    if (each.name != name) continue;
    for (const auto& [word, set] : each.values) {
      if (word != value) continue;
      set(variants);
      return {};
    }
    return "found \"" + std::string(value) + "\"; expected one of " +
           list_of(each.values, [](const auto& row) { return row.first; });
  }
  return "no variant of that name; there are " +
         list_of(switches, [](const auto& row) { return row.name; });
}

template <class Variants>
std::vector<std::string_view> names_of(const Switches<Variants>& switches) {
  std::vector<std::string_view> names;
  for (const Switch<Variants>& each : switches) names.push_back(each.name);
  return names;
}

}  // namespace simulator::engine
