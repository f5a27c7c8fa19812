#include "simulator/webitel/settings.h"

#include <functional>
#include <utility>

namespace simulator::webitel {
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
#define FLAG(field) \
  { VALUE("true", v.field = true), VALUE("false", v.field = false) }

const std::vector<Switch>& switches() {
  static const std::vector<Switch> kSwitches{
      {"rest_status",
       {VALUE("grpc", v.rest_status = V::RestStatus::grpc),
        VALUE("code", v.rest_status = V::RestStatus::code)}},
      {"defaults",
       {VALUE("shown", v.defaults = V::Defaults::shown),
        VALUE("omitted", v.defaults = V::Defaults::omitted)}},
      {"finished",
       {VALUE("hidden", v.finished = V::Finished::hidden),
        VALUE("shown", v.finished = V::Finished::shown)}},
      {"dtmf", {VALUE("same", v.dtmf = V::Dtmf::same), VALUE("none", v.dtmf = V::Dtmf::none)}},
      {"unauthenticated",
       {VALUE("now", v.unauthenticated = V::Unauthenticated::now),
        VALUE("older", v.unauthenticated = V::Unauthenticated::older)}},
      {"web_token",
       {VALUE("web", v.web_token = V::WebToken::web),
        VALUE("wss", v.web_token = V::WebToken::wss)}},
      {"progress", FLAG(progress)},
      {"latency", FLAG(latency)},
  };
  return kSwitches;
}

#undef FLAG
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

Permissions all_permissions() {
  Permissions all;
  for (const auto scope : kScopes) all.emplace(scope, "crud");
  return all;
}

}  // namespace simulator::webitel
