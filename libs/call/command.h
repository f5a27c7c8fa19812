#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "base/result.h"
#include "call/model.h"

// What can be asked of a PBX, in the PBX's own terms: call::Tracker has turned our ids into legs.
namespace call {

using CommandId = std::uint64_t;

// A connection to act on.
struct Target {
  std::string call_key;  // CallView::key
  std::string leg;       // Leg::id
  DeviceId device;
};

struct MakeCall {
  DeviceId device;          // rings first, or goes off-hook by itself
  std::string destination;  // a number as the device's user would dial it
  std::map<std::string, std::string> data;
};
struct AnswerCall {
  Target target;
};
struct ClearConnection {
  Target target;
};
struct ClearCall {
  std::vector<Target> targets;
};  // every leg that a command can act on
struct HoldCall {
  Target target;
};
struct RetrieveCall {
  Target target;
};
struct AlternateCall {
  Target active, held;
};
struct ReconnectCall {
  Target active, held;
};
struct ConsultationCall {
  Target target;
  std::string destination;
};
struct TransferCall {
  Target active, held;
};
struct SingleStepTransferCall {
  Target target;
  std::string destination;
};
struct DeflectCall {
  Target target;
  std::string destination;
};
struct ConferenceCall {
  Target active, held;
};
struct DirectedPickupCall {
  DeviceId device;
  Target alerting;
};
struct ParkCall {
  Target target;
  std::string slot;
};
struct GenerateDigits {
  Target target;
  std::string digits;
};  // 0-9 * # A-D
struct StartRecording {
  Target target;
};
struct StopRecording {
  Target target;
};
struct AssociateData {
  Target target;
  std::map<std::string, std::string> data;
};

struct SetDoNotDisturb {
  DeviceId device;
  bool on;
};
struct SetForwarding {
  DeviceId device;
  Forwarding forwarding;
};
struct SetPresence {
  DeviceId device;
  std::string presence;
  std::string note;
};
struct SetAgentState {
  DeviceId device;
  AgentState state;
  std::string reason;
};

using Command =
    std::variant<MakeCall, AnswerCall, ClearConnection, ClearCall, HoldCall, RetrieveCall,
                 AlternateCall, ReconnectCall, ConsultationCall, TransferCall,
                 SingleStepTransferCall, DeflectCall, ConferenceCall, DirectedPickupCall, ParkCall,
                 GenerateDigits, StartRecording, StopRecording, AssociateData, SetDoNotDisturb,
                 SetForwarding, SetPresence, SetAgentState>;
// The variant's order is the enumeration's: service_of is an index, checked in command.cc.
Service service_of(const Command& command) noexcept;
// The device that acts.
const DeviceId& device_of(const Command& command) noexcept;

// The effect was seen (or the PBX confirmed it).
struct Outcome {
  std::string leg;  // the leg made or acted on, as in Leg::id; empty if none concerns
};
// It was not done, or it is not known whether it was.
struct Refusal {
  base::Error why;
  std::string detail;  // a sentence for the caller; never a secret
};
using Reply = std::variant<Outcome, Refusal>;

// What a caller asked for, in our own ids: resolve() makes a Command of it. Which fields count
// depends on the service, as in the RPC of the same name.
struct Request {
  Service service = Service::make_call;
  CallId call;
  unsigned connection = 0;  // of `call`
  // TransferCall, ConferenceCall, AlternateCall, ReconnectCall: the device's other connection;
  // empty: the only one that fits.
  CallId other_call;
  unsigned other_connection = 0;
  DeviceId device;          // MakeCall, DirectedPickupCall, device services
  std::string destination;  // a number, or a park slot
  std::string digits;
  std::map<std::string, std::string> data;
  bool on = false;
  Forwarding forwarding;
  std::string presence;
  AgentState agent_state = AgentState::unknown;
  std::string note;  // of a presence, or why an agent is not ready
};

}  // namespace call
