#include "simulator/webitel/settings.h"

#include "simulator/engine/switches.h"

namespace simulator::webitel {
namespace {

using V = Variants;

#define VALUE(word, statement)    \
  {                               \
    word, [](V& v) { statement; } \
  }
#define FLAG(field) \
  { VALUE("true", v.field = true), VALUE("false", v.field = false) }

const engine::Switches<Variants>& switches() {
  static const engine::Switches<Variants> kSwitches{
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

}  // namespace

std::string set_variant(Variants& variants, std::string_view name, std::string_view value) {
  return engine::set_switch(switches(), variants, name, value);
}

std::vector<std::string_view> variant_names() { return engine::names_of(switches()); }

Permissions all_permissions() {
  Permissions all;
  for (const auto scope : kScopes) all.emplace(scope, "crud");
  return all;
}

}  // namespace simulator::webitel
