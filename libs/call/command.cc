#include "call/command.h"

#include <type_traits>

#include "base/overloaded.h"

namespace call {
namespace {

template <Service service, class T>
constexpr bool kIs =
    std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(service), Command>, T>;

static_assert(std::variant_size_v<Command> == kCommandCount);
static_assert(
    kIs<Service::make_call, MakeCall> && kIs<Service::answer_call, AnswerCall> &&
    kIs<Service::clear_connection, ClearConnection> && kIs<Service::clear_call, ClearCall> &&
    kIs<Service::hold_call, HoldCall> && kIs<Service::retrieve_call, RetrieveCall> &&
    kIs<Service::alternate_call, AlternateCall> && kIs<Service::reconnect_call, ReconnectCall> &&
    kIs<Service::consultation_call, ConsultationCall> &&
    kIs<Service::transfer_call, TransferCall> &&
    kIs<Service::single_step_transfer_call, SingleStepTransferCall> &&
    kIs<Service::deflect_call, DeflectCall> && kIs<Service::conference_call, ConferenceCall> &&
    kIs<Service::directed_pickup_call, DirectedPickupCall> && kIs<Service::park_call, ParkCall> &&
    kIs<Service::generate_digits, GenerateDigits> &&
    kIs<Service::start_recording, StartRecording> && kIs<Service::stop_recording, StopRecording> &&
    kIs<Service::associate_data, AssociateData> &&
    kIs<Service::set_do_not_disturb, SetDoNotDisturb> &&
    kIs<Service::set_forwarding, SetForwarding> && kIs<Service::set_presence, SetPresence> &&
    kIs<Service::set_agent_state, SetAgentState>);

const DeviceId kNobody;

}  // namespace

Service service_of(const Command& command) noexcept {
  return static_cast<Service>(command.index());
}

const DeviceId& device_of(const Command& command) noexcept {
  return std::visit(base::overloaded{
                        [](const ClearCall& it) -> const DeviceId& {
                          return it.targets.empty() ? kNobody : it.targets.front().device;
                        },
                        [](const auto& it) -> const DeviceId& {
                          if constexpr (requires { it.active; }) {
                            return it.active.device;
                          } else if constexpr (requires { it.target; }) {
                            return it.target.device;
                          } else {
                            return it.device;
                          }
                        },
                    },
                    command);
}

}  // namespace call
