#include "simulator/innova360/variants.h"

#include <functional>
#include <utility>
#include <vector>

namespace simulator::innova360 {
namespace {

using V = Variants;

// One row per switch: its name, its values, and what they do.
struct Switch {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::function<void(V&)>>> values;
};

#define VALUE(word, statement)    \
  {                               \
    word, [](V& v) { statement; } \
  }

const std::vector<Switch>& switches() {
  static const std::vector<Switch> kSwitches{
      {"data",
       {VALUE("array", v.data = V::Container::array), VALUE("keyed", v.data = V::Container::keyed),
        VALUE("object", v.data = V::Container::object)}},
      {"calls",
       {VALUE("array", v.calls = V::Container::array),
        VALUE("keyed", v.calls = V::Container::keyed),
        VALUE("object", v.calls = V::Container::object)}},
      {"no_calls",
       {VALUE("empty", v.no_calls = V::NoCalls::empty),
        VALUE("null", v.no_calls = V::NoCalls::null), VALUE("text", v.no_calls = V::NoCalls::text),
        VALUE("absent", v.no_calls = V::NoCalls::absent)}},
      {"numbers",
       {VALUE("strings", v.numbers = V::Numbers::strings),
        VALUE("numbers", v.numbers = V::Numbers::numbers)}},
      {"booleans",
       {VALUE("native", v.booleans = V::Booleans::native),
        VALUE("text", v.booleans = V::Booleans::text),
        VALUE("number", v.booleans = V::Booleans::number),
        VALUE("digit", v.booleans = V::Booleans::digit),
        VALUE("yes", v.booleans = V::Booleans::yes)}},
      {"status",
       {VALUE("number", v.status = V::Words::number), VALUE("text", v.status = V::Words::text),
        VALUE("constant", v.status = V::Words::constant),
        VALUE("spanish", v.status = V::Words::spanish)}},
      {"call_state",
       {VALUE("both", v.call_state = V::CallState::both),
        VALUE("number", v.call_state = V::CallState::number),
        VALUE("text", v.call_state = V::CallState::text)}},
      {"cause",
       {VALUE("number", v.cause = V::Words::number), VALUE("text", v.cause = V::Words::text)}},
      {"direction",
       {VALUE("in_out", v.direction = V::Direction::in_out),
        VALUE("incoming", v.direction = V::Direction::incoming),
        VALUE("inbound", v.direction = V::Direction::inbound),
        VALUE("spanish", v.direction = V::Direction::spanish),
        VALUE("recibida", v.direction = V::Direction::recibida),
        VALUE("unknown", v.direction = V::Direction::unknown)}},
      {"server", {VALUE("true", v.server = true), VALUE("false", v.server = false)}},
      {"extension_field",
       {VALUE("true", v.extension_field = true), VALUE("false", v.extension_field = false)}},
      {"callback_progress",
       {VALUE("true", v.callback_progress = true), VALUE("false", v.callback_progress = false)}},
      {"call_ids",
       {VALUE("leg", v.call_ids = V::CallIds::leg), VALUE("call", v.call_ids = V::CallIds::call)}},
      {"auth_ok",
       {VALUE("auth-resp", v.auth_ok = V::AuthOk::auth_resp),
        VALUE("auth-ok", v.auth_ok = V::AuthOk::auth_ok)}},
      {"bridge",
       {VALUE("leg", v.bridge = V::Bridge::leg), VALUE("call", v.bridge = V::Bridge::call),
        VALUE("flag", v.bridge = V::Bridge::flag)}},
      {"music",
       {VALUE("holder", v.music = V::Music::holder), VALUE("heard", v.music = V::Music::heard)}},
      {"supervisor_extension",
       {VALUE("empty", v.supervisor_extension = V::Presence::empty),
        VALUE("absent", v.supervisor_extension = V::Presence::absent),
        VALUE("account", v.supervisor_extension = V::Presence::account)}},
  };
  return kSwitches;
}

#undef VALUE

template <class Rows, class Name>
std::string list_of(const Rows& rows, Name name) {
  std::string list;
  for (const auto& row : rows) list += (list.empty() ? "" : ", ") + std::string(name(row));
  return list;
}

}  // namespace

std::string set_variant(Variants& variants, std::string_view name, std::string_view value) {
  for (const Switch& each : switches()) {
    if (each.name != name) continue;
    for (const auto& [word, apply] : each.values) {
      if (word != value) continue;
      apply(variants);
      return {};
    }
    return "found \"" + std::string(value) + "\"; expected one of " +
           list_of(each.values, [](const auto& row) { return row.first; });
  }
  return "no variant of that name; there are " +
         list_of(switches(), [](const auto& row) { return row.name; });
}

std::vector<std::string_view> variant_names() {
  std::vector<std::string_view> names;
  for (const Switch& each : switches()) names.push_back(each.name);
  return names;
}

}  // namespace simulator::innova360
