#include "call/service.h"

namespace call {

const char* name_of(Service service) noexcept {
  switch (service) {
    case Service::make_call: return "MakeCall";
    case Service::answer_call: return "AnswerCall";
    case Service::clear_connection: return "ClearConnection";
    case Service::clear_call: return "ClearCall";
    case Service::hold_call: return "HoldCall";
    case Service::retrieve_call: return "RetrieveCall";
    case Service::alternate_call: return "AlternateCall";
    case Service::reconnect_call: return "ReconnectCall";
    case Service::consultation_call: return "ConsultationCall";
    case Service::transfer_call: return "TransferCall";
    case Service::single_step_transfer_call: return "SingleStepTransferCall";
    case Service::deflect_call: return "DeflectCall";
    case Service::conference_call: return "ConferenceCall";
    case Service::directed_pickup_call: return "DirectedPickupCall";
    case Service::park_call: return "ParkCall";
    case Service::generate_digits: return "GenerateDigits";
    case Service::start_recording: return "StartRecording";
    case Service::stop_recording: return "StopRecording";
    case Service::associate_data: return "AssociateData";
    case Service::set_do_not_disturb: return "SetDoNotDisturb";
    case Service::set_forwarding: return "SetForwarding";
    case Service::set_presence: return "SetPresence";
    case Service::set_agent_state: return "SetAgentState";
    case Service::signal: return "Signal";
    case Service::search_calls: return "SearchCalls";
    case Service::get_recording: return "GetRecording";
    case Service::sign_challenge: return "SignChallenge";
    case Service::create_device: return "CreateDevice";
    case Service::create_user: return "CreateUser";
    case Service::create_user_token: return "CreateUserToken";
    case Service::create_agent: return "CreateAgent";
    case Service::get_agent_session: return "GetAgentSession";
  }
  return "MakeCall";
}

bool allowed_in(Service service, ConnectionState state) noexcept {
  using enum ConnectionState;
  switch (service) {
    case Service::answer_call:
    case Service::deflect_call:
    case Service::directed_pickup_call: return state == alerting;

    case Service::hold_call:
    case Service::consultation_call:
    case Service::single_step_transfer_call:
    case Service::park_call:
    case Service::generate_digits:
    case Service::start_recording: return state == connected;

    case Service::retrieve_call: return state == hold;

    // One connection of each; either may be named.
    case Service::alternate_call:
    case Service::reconnect_call:
    case Service::transfer_call:
    case Service::conference_call: return state == connected || state == hold;

    // Recording may go on while the call is held or parked.
    case Service::stop_recording:
    case Service::clear_connection:
    case Service::clear_call:
    case Service::associate_data: return state != null;

    case Service::make_call:
    case Service::set_do_not_disturb:
    case Service::set_forwarding:
    case Service::set_presence:
    case Service::set_agent_state:
    case Service::signal:
    case Service::search_calls:
    case Service::get_recording:
    case Service::sign_challenge:
    case Service::create_device:
    case Service::create_user:
    case Service::create_user_token:
    case Service::create_agent:
    case Service::get_agent_session: return false;
  }
  return false;
}

bool takes_two(Service service) noexcept {
  return service == Service::alternate_call || service == Service::reconnect_call ||
         service == Service::transfer_call || service == Service::conference_call;
}

}  // namespace call
