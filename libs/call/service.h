#pragma once

#include <bitset>
#include <cstddef>
#include <initializer_list>

#include "call/state.h"

namespace call {

// What can be asked of a PBX: CSTA services, by the names of our RPCs.
enum class Service {
  // On calls and connections.
  make_call,
  answer_call,
  clear_connection,
  clear_call,
  hold_call,
  retrieve_call,
  alternate_call,
  reconnect_call,
  consultation_call,
  transfer_call,
  single_step_transfer_call,
  deflect_call,
  conference_call,
  directed_pickup_call,
  park_call,
  generate_digits,
  start_recording,
  stop_recording,
  associate_data,
  // On devices.
  set_do_not_disturb,
  set_forwarding,
  set_presence,
  set_agent_state,
  // No commands: conversations of their own.
  signal,          // WebRTC: signalling.h
  search_calls,    // calls that are over
  get_recording,   // what was recorded of one
  sign_challenge,  // a login for somebody else's browser: pbx/app_login.h
  // What the PBX is set up with: administration.h. The first four with List, Get and Delete of it.
  create_device,
  create_user,
  create_user_token,
  create_agent,
  get_agent_session,
};
inline constexpr std::size_t kServiceCount =
    static_cast<std::size_t>(Service::get_agent_session) + 1;
// The first of them are commands (command.h).
inline constexpr std::size_t kCommandCount = static_cast<std::size_t>(Service::set_agent_state) + 1;
inline bool is_command(Service service) noexcept {
  return static_cast<std::size_t>(service) < kCommandCount;
}

// "MakeCall": as the RPC.
const char* name_of(Service service) noexcept;

// Whether a connection in this state can be asked for it: the one table behind Connection::allowed
// and Tracker::resolve(). False for services that act on no connection. The connection's role, its
// recording and the device's other connections count besides (permission.h).
bool allowed_in(Service service, ConnectionState state) noexcept;
// Joins or swaps a connected and a held connection of one device.
bool takes_two(Service service) noexcept;

class ServiceSet {
 public:
  ServiceSet() = default;
  ServiceSet(std::initializer_list<Service> services) {
    for (Service service : services) add(service);
  }
  void add(Service service) { bits_.set(static_cast<std::size_t>(service)); }
  void remove(Service service) { bits_.reset(static_cast<std::size_t>(service)); }
  bool has(Service service) const { return bits_.test(static_cast<std::size_t>(service)); }
  bool empty() const { return bits_.none(); }
  bool operator==(const ServiceSet&) const = default;

 private:
  std::bitset<kServiceCount> bits_;
};

// How it becomes known whether a command did what it should.
enum class Confirmation {
  none,          // the service is not offered
  acknowledged,  // the PBX answers the command
  observed,      // the PBX does not answer; an event that proves the effect is awaited
};

// One row of what a vendor can do: feeds GetCapabilities, the README's table, allowed_actions, and
// the reason of an UNIMPLEMENTED.
struct Capability {
  Service service;
  Confirmation confirmation;
  const char* note;  // why not, or what to know; a sentence for users
};

}  // namespace call
