#include "pbx/webitel/capabilities.h"

namespace pbx::webitel {
namespace {

using call::Capability;
using call::Confirmation;
using call::Service;

constexpr const char* kRecording =
    "The vendor's client has messages for it that its server does not know; what the PBX records "
    "by "
    "itself, GetRecording brings.";

constexpr Capability kCapabilities[] = {
    {Service::make_call, Confirmation::observed,
     "The device's own phone rings first and is told to answer by itself; the number is dialled "
     "when it has. Names in data: letters, digits and underscores."},
    {Service::answer_call, Confirmation::none,
     "Only the device itself can answer: the PBX has no message for it. A call made by MakeCall "
     "rings its own device with auto-answer."},
    {Service::clear_connection, Confirmation::observed, ""},
    {Service::clear_call, Confirmation::observed, "Ends the connections of all its extensions."},
    {Service::hold_call, Confirmation::observed, ""},
    {Service::retrieve_call, Confirmation::observed, ""},
    {Service::alternate_call, Confirmation::observed,
     "Holds the one call, and then retrieves the other."},
    {Service::reconnect_call, Confirmation::observed,
     "Ends the one call, and then retrieves the other."},
    {Service::consultation_call, Confirmation::observed,
     "Holds the call, and then makes the other one as MakeCall does."},
    {Service::transfer_call, Confirmation::observed,
     "The other parties of both calls have to be connected."},
    {Service::single_step_transfer_call, Confirmation::observed, ""},
    {Service::deflect_call, Confirmation::observed,
     "A transfer of a call that still rings; a queue's call is refused."},
    {Service::conference_call, Confirmation::none,
     "Webitel has no message for it; supervisors who listen in are seen as events."},
    {Service::directed_pickup_call, Confirmation::none,
     "Webitel has no message for it; a pickup dialled at the phone is seen as events."},
    {Service::park_call, Confirmation::none, "Webitel has no message for it."},
    {Service::generate_digits, Confirmation::acknowledged,
     "One message for each digit, in order; that they were sent is all that the PBX tells."},
    {Service::start_recording, Confirmation::none, kRecording},
    {Service::stop_recording, Confirmation::none, kRecording},
    {Service::associate_data, Confirmation::none,
     "What the PBX lets us write to a live call are the switch's own variables, and nobody is told "
     "of them; give the data to MakeCall."},
    {Service::set_do_not_disturb, Confirmation::observed, ""},
    {Service::set_forwarding, Confirmation::none,
     "Webitel forwards by its routing schemes, which an administrator draws."},
    {Service::set_presence, Confirmation::none,
     "A user's presence follows from his phones and programs; what can be set of it is do not "
     "disturb."},
    {Service::set_agent_state, Confirmation::observed,
     "Ready, not ready with one of the pause causes, logged off. An agent without a registered "
     "phone or a program of his own is logged off by the PBX within a minute or two."},
    {Service::signal, Confirmation::none,
     "Media goes over SIP in a WebSocket of the PBX's own, which is not ours to speak."},
    {Service::search_calls, Confirmation::acknowledged,
     "Numbers come masked, and without recordings, if the service user may not see them."},
    {Service::get_recording, Confirmation::acknowledged,
     "Takes the permission record_file of the service user."},
    {Service::sign_challenge, Confirmation::none,
     "Webitel has no login that somebody else could sign."},
    {Service::create_device, Confirmation::acknowledged, ""},
    {Service::create_user, Confirmation::acknowledged,
     "Without a licence a user cannot log in, and without a device he cannot be called."},
    {Service::create_user_token, Confirmation::acknowledged,
     "The token is told once; whoever has it is the user."},
    {Service::create_agent, Confirmation::acknowledged, ""},
    {Service::get_agent_session, Confirmation::acknowledged, ""},
};
static_assert(std::size(kCapabilities) == call::kServiceCount);

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < std::size(kCapabilities); ++i) {
    if (static_cast<std::size_t>(kCapabilities[i].service) != i) return false;
  }
  return true;
}
static_assert(is_in_order());

}  // namespace

std::span<const Capability> capabilities() noexcept { return kCapabilities; }

}  // namespace pbx::webitel
