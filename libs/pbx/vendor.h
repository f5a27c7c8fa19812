#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "call/service.h"
#include "pbx/app_login.h"
#include "pbx/reception.h"
#include "pbx/session.h"
#include "pbx/settings.h"

namespace pbx {

// How PBXs of a family that can dial us do it.
struct Inbound {
  // The path of the WebSocket that this tenant's PBXs open: "/acme"; empty: it is we who dial.
  // Whether it ends in a slash makes no difference.
  std::string (*path)(const Settings& settings);
  // For one connection. `challenge`: 64 bits that nobody could guess, used only here.
  std::unique_ptr<Reception> (*receive)(const Settings& settings, std::uint64_t challenge);
};

// A PBX family: one row of the registry.
struct Vendor {
  const char* name;   // in configurations, metrics and capabilities: "innova360"
  const char* title;  // for people: "Innova360"
  std::span<const Setting> settings;
  // One row for each call::Service, in its order: registry_test.cc holds that.
  std::span<const call::Capability> capabilities;
  // `random`: the session's only source of chance, so that a dialogue can be replayed.
  std::unique_ptr<Session> (*make_session)(const Settings& settings, std::uint64_t random);
  const Inbound* inbound = nullptr;  // nothing: it is always we who dial
  SignLogin sign_login = nullptr;    // while its capabilities offer Service::sign_challenge
  // What of the settings does not go together, each right by itself; nothing: all of them do.
  std::vector<Mistake> (*check)(const Settings& settings) = nullptr;
};

// All there are. A new vendor is a folder and a row here.
std::span<const Vendor> vendors();
// nullptr if there is none of this name.
const Vendor* find_vendor(std::string_view name);

}  // namespace pbx
