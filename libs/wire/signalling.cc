#include "wire/signalling.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/overloaded.h"
#include "google/rpc/error_details.pb.h"
#include "wire/enums.h"
#include "wire/names.h"
#include "wire/status.h"
#include "wire/text.h"

namespace wire {

using base::Errc;

// The proto's own "not set" comes first.
template <>
struct Enumeration<call::RejectCall::Why>
    : Shifted<call::RejectCall::Why, v1::RejectCall::Reason, 1,
              call::RejectCall::Why::not_acceptable, v1::RejectCall::Reason_MAX> {};

namespace {

// ---- What several messages have.

template <class Message>
void set_call(Message& out, const std::string& call) {
  assign_text(*out.mutable_call(), call);
}

template <class Message>
void set_sdp(Message& out, const std::string& call, const std::string& sdp) {
  set_call(out, call);
  assign_text(*out.mutable_sdp(), sdp);
}

void write(const call::IceCandidate& it, v1::IceCandidate& out) {
  set_call(out, it.call);
  assign_text(*out.mutable_candidate(), it.candidate);
  assign_text(*out.mutable_sdp_mid(), it.sdp_mid);
  out.set_sdp_m_line_index(it.sdp_m_line_index);
}

call::IceCandidate read(const v1::IceCandidate& in) {
  return {in.call(), in.candidate(), in.sdp_mid(), in.sdp_m_line_index()};
}

// ---- Refusals: an error goes by its reason.

google::rpc::Status status_of(const call::SignalRefused& it) {
  Failure failure;
  failure.why = it.why;
  failure.detail = it.detail;
  return to_status(failure);
}

base::Result<call::SignalRefused> read(const v1::SignalRefused& in) {
  google::rpc::ErrorInfo info;
  for (const auto& detail : in.error().details()) {
    if (detail.UnpackTo(&info)) break;
  }
  const auto rows = error_rows();
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const ErrorRow& it) { return it.reason == info.reason(); });
  if (row == rows.end()) return Errc::bad_frame;
  return call::SignalRefused{in.call(), row->code, in.error().message()};
}

}  // namespace

// ---- From the client.

v1::SignalRequest to_proto(const call::FromClient& message) {
  v1::SignalRequest out;
  std::visit(base::overloaded{
                 [&](const call::StartCall& it) {
                   set_sdp(*out.mutable_start_call(), it.call, it.sdp);
                   assign_text(*out.mutable_start_call()->mutable_destination(), it.destination);
                 },
                 [&](const call::AnswerOffer& it) {
                   set_sdp(*out.mutable_answer_offer(), it.call, it.sdp);
                 },
                 [&](const call::IceCandidate& it) { write(it, *out.mutable_ice_candidate()); },
                 [&](const call::RejectCall& it) {
                   set_call(*out.mutable_reject_call(), it.call);
                   out.mutable_reject_call()->set_reason(to_proto_enum(it.why));
                 },
                 [&](const call::HoldMedia& it) { set_call(*out.mutable_hold_media(), it.call); },
                 [&](const call::ResumeMedia& it) {
                   set_sdp(*out.mutable_resume_media(), it.call, it.sdp);
                 },
                 [&](const call::MuteMedia& it) {
                   set_call(*out.mutable_mute_media(), it.call);
                   out.mutable_mute_media()->set_muted(it.muted);
                 },
                 [&](const call::TransferMedia& it) {
                   set_call(*out.mutable_transfer_media(), it.call);
                   assign_text(*out.mutable_transfer_media()->mutable_destination(),
                               it.destination);
                 },
                 [&](const call::HangUp& it) { set_call(*out.mutable_hang_up(), it.call); },
             },
             message);
  return out;
}

base::Result<call::FromClient> from_proto(const v1::SignalRequest& request) {
  switch (request.message_case()) {
    case v1::SignalRequest::kStartCall: {
      const auto& in = request.start_call();
      return call::FromClient(call::StartCall{in.call(), in.destination(), in.sdp()});
    }
    case v1::SignalRequest::kAnswerOffer: {
      const auto& in = request.answer_offer();
      return call::FromClient(call::AnswerOffer{in.call(), in.sdp()});
    }
    case v1::SignalRequest::kIceCandidate: return call::FromClient(read(request.ice_candidate()));
    case v1::SignalRequest::kRejectCall: {
      const auto& in = request.reject_call();
      const auto why = from_proto_enum<call::RejectCall::Why>(in.reason());
      if (!why) return Errc::invalid_argument;
      return call::FromClient(call::RejectCall{in.call(), *why});
    }
    case v1::SignalRequest::kHoldMedia:
      return call::FromClient(call::HoldMedia{request.hold_media().call()});
    case v1::SignalRequest::kResumeMedia: {
      const auto& in = request.resume_media();
      return call::FromClient(call::ResumeMedia{in.call(), in.sdp()});
    }
    case v1::SignalRequest::kMuteMedia: {
      const auto& in = request.mute_media();
      return call::FromClient(call::MuteMedia{in.call(), in.muted()});
    }
    case v1::SignalRequest::kTransferMedia: {
      const auto& in = request.transfer_media();
      return call::FromClient(call::TransferMedia{in.call(), in.destination()});
    }
    case v1::SignalRequest::kHangUp:
      return call::FromClient(call::HangUp{request.hang_up().call()});
    case v1::SignalRequest::kOpen:
    case v1::SignalRequest::MESSAGE_NOT_SET: break;
  }
  return Errc::invalid_argument;
}

// ---- To the client.

v1::SignalResponse to_proto(const call::ToClient& message) {
  v1::SignalResponse out;
  std::visit(
      base::overloaded{
          [&](const call::SignalReady&) { out.mutable_ready(); },
          [&](const call::IncomingCall& it) {
            auto& to = *out.mutable_incoming_call();
            set_sdp(to, it.call, it.sdp);
            assign_text(*to.mutable_calling_number(), it.calling_number);
            assign_text(*to.mutable_calling_name(), it.calling_name);
            assign_text(*to.mutable_called_number(), it.called_number);
          },
          [&](const call::RemoteOffer& it) {
            set_sdp(*out.mutable_remote_offer(), it.call, it.sdp);
          },
          [&](const call::RemoteAnswer& it) {
            set_sdp(*out.mutable_remote_answer(), it.call, it.sdp);
          },
          [&](const call::IceCandidate& it) { write(it, *out.mutable_ice_candidate()); },
          [&](const call::FarRinging& it) { set_call(*out.mutable_far_ringing(), it.call); },
          [&](const call::CallConnected& it) { set_call(*out.mutable_call_connected(), it.call); },
          [&](const call::FarIdentity& it) {
            auto& to = *out.mutable_far_identity();
            set_call(to, it.call);
            assign_text(*to.mutable_number(), it.number);
            assign_text(*to.mutable_name(), it.name);
          },
          [&](const call::RecordingState& it) {
            set_call(*out.mutable_recording_state(), it.call);
            out.mutable_recording_state()->set_on(it.on);
          },
          [&](const call::SignalledCallEnded& it) {
            auto& to = *out.mutable_call_ended();
            set_call(to, it.call);
            to.set_cause(to_proto_enum(it.cause));
            to.set_code(it.code);
            assign_text(*to.mutable_detail(), it.detail);
          },
          [&](const call::SignalRefused& it) {
            set_call(*out.mutable_refused(), it.call);
            *out.mutable_refused()->mutable_error() = status_of(it);
          },
      },
      message);
  return out;
}

base::Result<call::ToClient> from_proto(const v1::SignalResponse& response) {
  switch (response.message_case()) {
    case v1::SignalResponse::kReady: return call::ToClient(call::SignalReady{});
    case v1::SignalResponse::kIncomingCall: {
      const auto& in = response.incoming_call();
      return call::ToClient(call::IncomingCall{in.call(), in.sdp(), in.calling_number(),
                                               in.calling_name(), in.called_number()});
    }
    case v1::SignalResponse::kRemoteOffer: {
      const auto& in = response.remote_offer();
      return call::ToClient(call::RemoteOffer{in.call(), in.sdp()});
    }
    case v1::SignalResponse::kRemoteAnswer: {
      const auto& in = response.remote_answer();
      return call::ToClient(call::RemoteAnswer{in.call(), in.sdp()});
    }
    case v1::SignalResponse::kIceCandidate: return call::ToClient(read(response.ice_candidate()));
    case v1::SignalResponse::kFarRinging:
      return call::ToClient(call::FarRinging{response.far_ringing().call()});
    case v1::SignalResponse::kCallConnected:
      return call::ToClient(call::CallConnected{response.call_connected().call()});
    case v1::SignalResponse::kFarIdentity: {
      const auto& in = response.far_identity();
      return call::ToClient(call::FarIdentity{in.call(), in.number(), in.name()});
    }
    case v1::SignalResponse::kRecordingState: {
      const auto& in = response.recording_state();
      return call::ToClient(call::RecordingState{in.call(), in.on()});
    }
    case v1::SignalResponse::kCallEnded: {
      const auto& in = response.call_ended();
      const auto cause = from_proto_enum<call::Cause>(in.cause());
      if (!cause) return Errc::bad_frame;
      return call::ToClient(call::SignalledCallEnded{in.call(), *cause, in.code(), in.detail()});
    }
    case v1::SignalResponse::kRefused: {
      auto refused = read(response.refused());
      if (!refused) return refused.error();
      return call::ToClient(std::move(*refused));
    }
    case v1::SignalResponse::MESSAGE_NOT_SET: break;
  }
  return Errc::bad_frame;
}

// ---- Who the client is.

v1::OpenStream to_proto(const base::TenantId& tenant, const call::SignalOptions& options) {
  v1::OpenStream out;
  out.set_device(device_name(tenant, options.device));
  out.set_receives_calls(options.receives_calls);
  assign_text(*out.mutable_user_agent(), options.user_agent);
  return out;
}

base::Result<call::SignalOptions> from_proto(const base::TenantId& tenant,
                                             const v1::OpenStream& open) {
  const auto name = parse_device(open.device());
  if (!name || name->tenant != tenant || name->device.empty()) return Errc::invalid_argument;
  return call::SignalOptions{name->device, open.receives_calls(), open.user_agent()};
}

}  // namespace wire
