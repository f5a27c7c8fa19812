#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "simulator/engine/dialect.h"
#include "simulator/engine/tenant.h"
#include "simulator/innovaphone/message.h"
#include "simulator/innovaphone/settings.h"
#include "simulator/innovaphone/users.h"

namespace simulator::innovaphone {

// What one `user` handle of a socket stands for: a UserInitialize.
struct Monitor {
  engine::ExtensionIndex extension = engine::kOutside;
  json::value src;       // of all it is told
  bool follows = false;  // `xfer`
  bool deaf = false;     // of a device that does not exist: never told anything
  std::map<engine::LegId, std::int64_t> calls;  // its handles of legs that live
  std::map<engine::LegId, std::int64_t> twins;  // second ones, of the user's other device
  std::pair<engine::LegId, std::int64_t> newest{0, 0};
};

// One AppWebsocket, whoever opened it. Handles count up and die with it.
struct Socket {
  engine::ConnectionId id = 0;
  std::size_t pbx = 0;             // whose it is
  bool by_us = false;              // the PBX opened it
  const AppObject* app = nullptr;  // as what the login was, or will be
  std::string challenge;           // the last that was given
  bool logged_in = false;
  bool silent = false;
  engine::ExtensionIndex confined = engine::kOutside;  // to that user

  // RCC: the list that Initialize has begun, and what came of UserInitialize.
  struct List {
    bool asked = false, running = false;
    bool calls = false;  // of the whole PBX
    bool group = false;  // of the object's groups, instead of those it is assigned to
    json::value src;
    std::int64_t per_tick = 50;
    engine::ExtensionIndex next = 0;  // those before have been told
    engine::TimePoint due{};
  } list;
  std::int64_t last_user = 0, last_call = 0, last_stream_call = 0;
  std::map<std::int64_t, Monitor> monitors;
  std::unordered_map<engine::ExtensionIndex, std::vector<std::int64_t>> by_extension;
  std::unordered_map<std::int64_t, std::pair<std::int64_t, engine::LegId>> calls;  // to user, leg
  std::unordered_map<engine::LegId, std::int64_t> stream_calls;  // their numbers, with `calls`

  const Monitor* monitor(std::int64_t user) const {
    const auto it = monitors.find(user);
    return it == monitors.end() ? nullptr : &it->second;
  }
};

// What one tenant's system consists of, for its APIs. Stays where it is made.
struct Pbx {
  Pbx(Settings its_settings, engine::Tenant& its_tenant)
      : settings(std::move(its_settings)), tenant(its_tenant), users(settings, tenant) {}
  Pbx(const Pbx&) = delete;
  Pbx& operator=(const Pbx&) = delete;

  bool knows(Profile profile) const { return settings.profile >= profile; }
  // Whether that user is shown on that socket.
  bool shows(const Socket& socket, engine::ExtensionIndex user, bool group = false) const;
  // 32 hex digits, common to all legs of a call.
  std::string conf_of(engine::CallId call) const;

  const Settings settings;
  engine::Tenant& tenant;
  const Users users;
  engine::Faults faults;
  engine::Counters counters;
  std::map<engine::ConnectionId, Socket> sockets;
};

// How the APIs reach their sockets.
class Outlet {
 public:
  virtual ~Outlet() = default;
  // The answer to the request that is being done: first, whatever else it has led to.
  virtual void answer(const Socket& socket, const json::object& message, engine::TimePoint now) = 0;
  virtual void tell(const Socket& socket, const json::object& message, engine::TimePoint now,
                    engine::Millis after = engine::Millis(0)) = 0;
};

// Counts down, unless it stands for "always". True if it was this one's turn.
bool take_one(std::uint32_t& count);

}  // namespace simulator::innovaphone
