#include "simulator/vodia/settings.h"

#include <utility>

#include "simulator/engine/switches.h"

namespace simulator::vodia {
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
      {"booleans",
       {VALUE("native", v.booleans = V::Booleans::native),
        VALUE("text", v.booleans = V::Booleans::text)}},
      {"times",
       {VALUE("text", v.times = V::Times::text), VALUE("number", v.times = V::Times::number)}},
      {"parties",
       {VALUE("name_addr", v.parties = V::Parties::name_addr),
        VALUE("bare", v.parties = V::Parties::bare)}},
      {"one_call",
       {VALUE("list", v.one_call = V::OneCall::list),
        VALUE("object", v.one_call = V::OneCall::object)}},
      {"state_key",
       {VALUE("profile", v.state_key = V::StateKey::profile),
        VALUE("state", v.state_key = V::StateKey::state),
        VALUE("callstate", v.state_key = V::StateKey::callstate)}},
      {"token",
       {VALUE("quoted", v.token = V::Token::quoted), VALUE("bare", v.token = V::Token::bare),
        VALUE("object", v.token = V::Token::object)}},
      {"logout",
       {VALUE("close", v.logout = V::Logout::close), VALUE("quiet", v.logout = V::Logout::quiet)}},
      {"cancel",
       {VALUE("key", v.cancel = V::Cancel::key), VALUE("action", v.cancel = V::Cancel::action)}},
      {"ringing_mark", FLAG(ringing_mark)},
      {"password_login", FLAG(password_login)},
      {"candidate_pairs", FLAG(candidate_pairs)},
      {"same_call_id", FLAG(same_call_id)},
      {"code_in_bye", FLAG(code_in_bye)},
      {"domain_state", FLAG(domain_state)},
      {"subscriptions", FLAG(subscriptions)},
      {"phone_control", FLAG(phone_control)},
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

std::string mark_of(std::size_t index) {
  constexpr std::string_view kLetters =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::string mark(kMarkSize, '0');
  for (auto it = mark.rbegin(); it != mark.rend(); ++it, index /= kLetters.size()) {
    *it = kLetters[index % kLetters.size()];
  }
  return mark;
}

std::string Settings::server() const {
  if (!version.empty()) return "PBX/" + version;
  switch (profile) {
    case Profile::legacy2016: return "PBX/5.4.0 (Linux)";
    case Profile::v67: return "PBX/67.0.5 (Debian64)";
    case Profile::v70: return "PBX/70.3";
  }
  return {};
}

std::string_view Settings::type_of(std::string_view number) const {
  for (const Account& account : accounts) {
    if (account.number == number) return account.type;
  }
  return kExtensions;
}

std::string Settings::name_of(std::string_view number) const {
  for (const Account& account : accounts) {
    if (account.number == number) return account.name;
  }
  return name.of(number);
}

}  // namespace simulator::vodia
