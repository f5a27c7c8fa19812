#pragma once

#include <array>

namespace control {

// Every service of ours, by its full name: what is served, and what the gate has rules for.
inline constexpr std::array kServices = {
    "pbxgw.v1.Tenants",     "pbxgw.v1.Calls",    "pbxgw.v1.Devices",
    "pbxgw.v1.CallControl", "pbxgw.v1.Events",   "pbxgw.v1.WebRtc",
    "pbxgw.v1.CallHistory", "pbxgw.v1.AppLogin", "pbxgw.provisioning.v1.Provisioning"};

}  // namespace control
