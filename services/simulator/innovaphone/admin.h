#pragma once

#include <cstdint>
#include <functional>

#include "simulator/innovaphone/pbx.h"

namespace simulator::innovaphone {

// The part of the PbxAdminApi that gateways use: who there is, how the system is called, and
// forwardings on firmwares that have no better way.
class Admin {
 public:
  // Whether a socket that the PBX opens for that App object stands.
  using IsConnected = std::function<bool(const AppObject& app)>;

  Admin(Pbx& pbx, Outlet& outlet, IsConnected is_connected)
      : pbx_(pbx), outlet_(outlet), is_connected_(std::move(is_connected)) {}

  // False: no request of this API.
  bool answer(Socket& socket, const Message& request, engine::TimePoint now);

  struct Operation;

 private:
  Pbx& pbx_;
  Outlet& outlet_;
  IsConnected is_connected_;
};

// 32 hex digits.
std::string guid_of(const Settings& settings, const AppObject& app);

}  // namespace simulator::innovaphone
