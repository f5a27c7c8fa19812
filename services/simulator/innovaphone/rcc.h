#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <unordered_map>

#include "simulator/innovaphone/calls.h"
#include "simulator/innovaphone/pbx.h"

namespace simulator::innovaphone {

// The RCC API: the list of users with their lamps, handles of users, and what can be done with
// their calls. Answers say that a request was accepted; whether it worked, CallInfo tells.
class Rcc {
 public:
  Rcc(Pbx& pbx, Calls& calls, Outlet& outlet) : pbx_(pbx), calls_(calls), outlet_(outlet) {}

  // False: no request of this API.
  bool answer(Socket& socket, const Message& request, engine::TimePoint now);
  void on_change(const engine::Change& change);
  void look_again();  // something has changed that nobody told of

  engine::TimePoint deadline() const;
  void advance(engine::TimePoint now);

  struct Operation;

 private:
  void initialize(Socket& socket, const Message& request, engine::TimePoint now);
  void continue_list(Socket& socket, engine::TimePoint now);
  void initialize_user(Socket& socket, const Message& request, engine::TimePoint now);
  void end_user(Socket& socket, const Message& request, engine::TimePoint now);
  void list_devices(Socket& socket, const Message& request, engine::TimePoint now);
  std::int64_t ringing_at(engine::ExtensionIndex user) const;
  // Of what a lamp shows, and of nothing else.
  std::uint64_t lamp_of(engine::ExtensionIndex user) const;
  json::object user_info(const Socket& socket, engine::ExtensionIndex user, bool update) const;

  Pbx& pbx_;
  Calls& calls_;
  Outlet& outlet_;
  // Users whose lamp may have changed, and since when: told once per instant.
  std::map<engine::ExtensionIndex, engine::TimePoint> dirty_;
  std::unordered_map<engine::ExtensionIndex, std::uint64_t> lamps_;  // as last told; none: idle
};

}  // namespace simulator::innovaphone
