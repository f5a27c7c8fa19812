#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "simulator/engine/faults.h"
#include "simulator/vodia/calls.h"
#include "simulator/vodia/settings.h"

namespace simulator::vodia {

// Whose view a list of calls is: the tenant's, or one extension's.
inline constexpr engine::ExtensionIndex kWholeTenant = engine::kOutside;

// The PBX's words, in one tenant's profile and variants. Holds no state but refers to the tenant.
class Encoder {
 public:
  Encoder(const Settings& settings, const engine::Tenant& tenant, const Calls& calls)
      : settings_(settings), tenant_(tenant), calls_(calls) {}

  // How the lists of today are spoilt.
  struct Spoilt {
    bool doubled = false, missing_one = false;
  };

  // Of the socket.
  std::string call_state(engine::ExtensionIndex viewer, Spoilt spoilt) const;
  // At least `accounts_min` of them: invented idle ones fill up.
  std::string domain_state(std::size_t accounts_min) const;
  std::string user_state(const engine::Extension& extension) const;
  std::string lamp(const engine::Extension& extension) const;  // blf
  std::string orbits() const;
  std::string ring_tones() const;
  std::string noise(engine::Noise kind, std::size_t oversized_bytes) const;

  // Of both the socket and REST.
  boost::json::object call(const engine::Call& call, engine::ExtensionIndex viewer) const;
  boost::json::array calls(engine::ExtensionIndex viewer) const;
  boost::json::array orbit_list() const;
  // "Ann" <sip:501@acme>
  std::string party(std::string_view number) const;
  boost::json::value boolean(bool value) const;
  boost::json::value time(engine::TimePoint at) const;
  std::string time_text(engine::TimePoint at) const;  // "1760000004.500"

 private:
  boost::json::object account(const engine::Extension& extension) const;
  std::string_view state_in_tenant(const engine::Call& call) const;
  std::string_view state_at(const engine::Leg& leg) const;

  const Settings& settings_;
  const engine::Tenant& tenant_;
  const Calls& calls_;
};

}  // namespace simulator::vodia
