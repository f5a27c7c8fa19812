#include "simulator/innovaphone/settings.h"

#include <utility>

#include "simulator/engine/switches.h"

namespace simulator::innovaphone {
namespace {

template <bool Variants::*field>
engine::Switch<Variants> flag(std::string_view name) {
  return {name, {{"true", [](Variants& it) { it.*field = true; }}, {"false", [](Variants& it) {
                                                                      it.*field = false;
                                                                    }}}};
}

const engine::Switches<Variants>& switches() {
  using V = Variants;
  static const engine::Switches<Variants> kSwitches{
      {"challenge",
       {{"hex", [](V& it) { it.challenge = V::Challenge::hex; }},
        {"number", [](V& it) { it.challenge = V::Challenge::number; }}}},
      {"failure",
       {{"bare", [](V& it) { it.failure = V::Failure::bare; }},
        {"ok_false", [](V& it) { it.failure = V::Failure::ok_false; }},
        {"error", [](V& it) { it.failure = V::Failure::error; }}}},
      {"ungranted",
       {{"silent", [](V& it) { it.ungranted = V::Ungranted::silent; }},
        {"error", [](V& it) { it.ungranted = V::Ungranted::error; }}}},
      {"foreign_users",
       {{"listed", [](V& it) { it.foreign_users = V::ForeignUsers::listed; }},
        {"hidden", [](V& it) { it.foreign_users = V::ForeignUsers::hidden; }}}},
      {"transfer_conf",
       {{"joined", [](V& it) { it.transfer_conf = V::TransferConf::joined; }},
        {"kept", [](V& it) { it.transfer_conf = V::TransferConf::kept; }}}},
      flag<&V::close_refused>("close_refused"),
      flag<&V::running_calls>("running_calls"),
      flag<&V::own_phone_first>("own_phone_first"),
      flag<&V::keep_alive>("keep_alive"),
      flag<&V::presence_dnd>("presence_dnd"),
      flag<&V::app_info_first>("app_info_first"),
  };
  return kSwitches;
}

}  // namespace

std::string_view name_of(Profile profile) {
  switch (profile) {
    case Profile::v13r1: return "13r1";
    case Profile::v13r2: return "13r2";
    case Profile::v13r3: return "13r3";
    case Profile::v14r1: return "14r1";
  }
  return "?";
}

std::string set_variant(Variants& variants, std::string_view name, std::string_view value) {
  return engine::set_switch(switches(), variants, name, value);
}

std::vector<std::string_view> variant_names() { return engine::names_of(switches()); }

const AppObject* Settings::app(std::string_view name) const {
  for (const AppObject& each : apps) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

std::size_t Settings::pbx_at(std::string_view path) const {
  constexpr std::string_view kSocket = "/APPS/websocket";
  if (!path.starts_with('/') || !path.ends_with(kSocket)) return std::string::npos;
  path.remove_prefix(1);
  for (std::size_t i = 0; i < pbxs.size(); ++i) {
    if (path.size() == pbxs[i].module.size() + kSocket.size() && path.starts_with(pbxs[i].module)) {
      return i;
    }
  }
  return std::string::npos;
}

std::string park_orbit(std::size_t position) { return "park" + std::to_string(position); }

}  // namespace simulator::innovaphone
