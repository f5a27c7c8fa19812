#pragma once

#include <optional>

#include "call/event.h"
#include "pbxgw/v1/event.pb.h"

// Our enumerations as the protos'. An enumerator's number there is the one here plus a shift: 1
// where ours has none that means "not told", for which 0 stands there. The assertions hold the two
// ends together, and enums_test.cc the names in between.
namespace wire {

namespace v1 = pbxgw::v1;

template <class Ours>
struct Enumeration;

template <class Ours, class Theirs, int shift, Ours last, Theirs their_last>
struct Shifted {
  static_assert(static_cast<int>(last) + shift == static_cast<int>(their_last));
  using Proto = Theirs;
  static constexpr int kShift = shift;
  static constexpr int kLast = static_cast<int>(their_last);
};

template <>
struct Enumeration<call::ConnectionState>
    : Shifted<call::ConnectionState, v1::ConnectionState, 1, call::ConnectionState::fail,
              v1::ConnectionState_MAX> {};
template <>
struct Enumeration<call::Role>
    : Shifted<call::Role, v1::Role, 1, call::Role::called, v1::Role_MAX> {};
template <>
struct Enumeration<call::Direction>
    : Shifted<call::Direction, v1::Direction, 1, call::Direction::outbound, v1::Direction_MAX> {};
template <>
struct Enumeration<call::Service>
    : Shifted<call::Service, v1::Service, 1, call::Service::get_agent_session, v1::Service_MAX> {};
template <>
struct Enumeration<call::Confirmation>
    : Shifted<call::Confirmation, v1::Confirmation, 1, call::Confirmation::observed,
              v1::Confirmation_MAX> {};
template <>
struct Enumeration<call::CallEventType>
    : Shifted<call::CallEventType, v1::CallEventType, 1, call::CallEventType::recording_stopped,
              v1::CallEventType_MAX> {};
template <>
struct Enumeration<call::DeviceEventType>
    : Shifted<call::DeviceEventType, v1::DeviceEventType, 1, call::DeviceEventType::information,
              v1::DeviceEventType_MAX> {};
template <>
struct Enumeration<call::LinkState>
    : Shifted<call::LinkState, v1::LinkState, 1, call::LinkState::awaiting_pbx, v1::LinkState_MAX> {
};
template <>
struct Enumeration<call::Origin>
    : Shifted<call::Origin, v1::Origin, 1, call::Origin::resync, v1::Origin_MAX> {};
template <>
struct Enumeration<call::Availability>
    : Shifted<call::Availability, v1::Availability, 0, call::Availability::out_of_service,
              v1::Availability_MAX> {};
template <>
struct Enumeration<call::Activity>
    : Shifted<call::Activity, v1::Activity, 0, call::Activity::holding, v1::Activity_MAX> {};
template <>
struct Enumeration<call::ForwardingType>
    : Shifted<call::ForwardingType, v1::ForwardingType, 1, call::ForwardingType::no_answer_external,
              v1::ForwardingType_MAX> {};
template <>
struct Enumeration<call::AgentState>
    : Shifted<call::AgentState, v1::AgentState, 0, call::AgentState::working_after_call,
              v1::AgentState_MAX> {};

template <class Ours>
typename Enumeration<Ours>::Proto to_proto_enum(Ours value) {
  using Row = Enumeration<Ours>;
  return static_cast<typename Row::Proto>(static_cast<int>(value) + Row::kShift);
}

// nullopt if it is none of ours.
template <class Ours>
std::optional<Ours> from_proto_enum(typename Enumeration<Ours>::Proto value) {
  using Row = Enumeration<Ours>;
  const int number = value;
  if (number < Row::kShift || number > Row::kLast) return std::nullopt;
  return static_cast<Ours>(number - Row::kShift);
}

// Ours says `unknown` last.
static_assert(static_cast<int>(call::DeviceKind::trunk) + 1 == v1::DeviceKind_MAX);
template <>
struct Enumeration<call::DeviceKind> {
  using Proto = v1::DeviceKind;
};
template <>
inline v1::DeviceKind to_proto_enum(call::DeviceKind value) {
  if (value == call::DeviceKind::unknown) return v1::DEVICE_KIND_UNSPECIFIED;
  return static_cast<v1::DeviceKind>(static_cast<int>(value) + 1);
}
template <>
inline std::optional<call::DeviceKind> from_proto_enum<call::DeviceKind>(v1::DeviceKind value) {
  if (value == v1::DEVICE_KIND_UNSPECIFIED) return call::DeviceKind::unknown;
  if (!v1::DeviceKind_IsValid(value)) return std::nullopt;
  return static_cast<call::DeviceKind>(value - 1);
}

// Both have CSTA's numbers, with gaps.
template <>
struct Enumeration<call::Cause> {
  using Proto = v1::Cause;
};
template <>
inline v1::Cause to_proto_enum(call::Cause value) {
  return static_cast<v1::Cause>(value);
}
template <>
inline std::optional<call::Cause> from_proto_enum<call::Cause>(v1::Cause value) {
  if (!v1::Cause_IsValid(value)) return std::nullopt;
  return static_cast<call::Cause>(value);
}

}  // namespace wire
