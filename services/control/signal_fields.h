#pragma once

#include <optional>

#include "control/answer.h"
#include "pbxgw/v1/signal.pb.h"
#include "wire/names.h"

namespace control {

inline constexpr std::size_t kSdpBytesMax = 48 << 10;
inline constexpr std::size_t kCandidateBytesMax = 1'024;
inline constexpr std::size_t kSignalCallIdMax = 255;
inline constexpr std::size_t kSdpMidMax = 64;
inline constexpr std::uint32_t kMediaLinesMax = 1'024;

// The device that a media client's first message is for; or what is wrong with the message.
boost::system::result<wire::DeviceName, wire::Failure> check_open(
    const pbxgw::v1::SignalRequest& first);

// What is wrong with one of its other messages: nothing a client can get wrong reaches a connector.
// A session description is looked at for its size only.
std::optional<wire::Failure> check_said(const pbxgw::v1::SignalRequest& message);

}  // namespace control
