#include "simulator/innova360/variants.h"

#include <utility>
#include <vector>

#include "simulator/engine/switches.h"

namespace simulator::innova360 {
namespace {

using V = Variants;

#define VALUE(word, statement)    \
  {                               \
    word, [](V& v) { statement; } \
  }

const engine::Switches<Variants>& switches() {
  static const engine::Switches<Variants> kSwitches{
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

}  // namespace

std::string set_variant(Variants& variants, std::string_view name, std::string_view value) {
  return engine::set_switch(switches(), variants, name, value);
}

std::vector<std::string_view> variant_names() { return engine::names_of(switches()); }

}  // namespace simulator::innova360
