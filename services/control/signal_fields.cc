#include "control/signal_fields.h"

#include <algorithm>
#include <string>

#include "control/fields.h"

namespace control {
namespace {

using pbxgw::v1::RejectCall;
using pbxgw::v1::SignalRequest;
using Wrong = std::optional<wire::Failure>;

std::string in(const char* message, const char* field) {
  return std::string(message) + '.' + field;
}

Wrong check_call(const char* message, const std::string& id) {
  const auto field = in(message, "call");
  const std::string remedy = ": expected 1 to 255 printable ASCII characters without spaces";
  if (id.empty()) return wrong(field, "is missing" + remedy);
  if (id.size() > kSignalCallIdMax) return wrong(field, "is too long" + remedy, id);
  const bool fine = std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 0x7f; });
  return fine ? Wrong() : wrong(field, "has another character" + remedy, id);
}

Wrong check_sdp(const char* message, const std::string& sdp, bool required) {
  const auto field = in(message, "sdp");
  if (sdp.empty() && required) return wrong(field, "is missing: expected a session description");
  if (sdp.size() <= kSdpBytesMax) return {};
  return wrong(field, "is too big: expected at most " + std::to_string(kSdpBytesMax) + " bytes");
}

Wrong check_destination(const char* message, const std::string& destination) {
  return check_text(in(message, "destination"), destination, kDestinationMax, true,
                    "the number as the device's user would dial it");
}

Wrong check_candidate(const pbxgw::v1::IceCandidate& it) {
  if (it.candidate().size() > kCandidateBytesMax) {
    return wrong("ice_candidate.candidate",
                 "is too long: expected at most " + std::to_string(kCandidateBytesMax) + " bytes");
  }
  if (auto failure = check_text("ice_candidate.candidate", it.candidate(), kCandidateBytesMax,
                                false, "one line, or nothing after the last one")) {
    return failure;
  }
  if (it.sdp_m_line_index() >= kMediaLinesMax) {
    return wrong("ice_candidate.sdp_m_line_index", "is out of range: expected less than 1024",
                 std::to_string(it.sdp_m_line_index()));
  }
  return check_text("ice_candidate.sdp_mid", it.sdp_mid(), kSdpMidMax, false,
                    "the mid of a media description, or nothing");
}

Wrong check_reason(RejectCall::Reason reason) {
  if (RejectCall::Reason_IsValid(reason) && reason != RejectCall::REASON_UNSPECIFIED) return {};
  return wrong("reject_call.reason", "is unspecified or unknown: expected a RejectCall.Reason",
               std::to_string(reason));
}

// The first of the two, or the second one.
Wrong either(Wrong first, Wrong second) { return first ? first : second; }

}  // namespace

boost::system::result<wire::DeviceName, wire::Failure> check_open(const SignalRequest& first) {
  if (!first.has_open()) {
    return wrong("open", "is missing: the first message says who the client is");
  }
  const auto& open = first.open();
  auto name = wire::parse_device(open.device());
  if (!name || name->tenant.empty() || name->device.empty()) {
    return not_of_form("open.device", open.device(), wire::kDeviceForm);
  }
  if (auto failure = check_text("open.user_agent", open.user_agent(), kNoteMax, false,
                                "a short text, or nothing")) {
    return std::move(*failure);
  }
  return std::move(*name);
}

std::optional<wire::Failure> check_said(const SignalRequest& it) {
  switch (it.message_case()) {
    case SignalRequest::kOpen:
      return wrong("open", "has been said before: one stream is for one device");
    case SignalRequest::kStartCall: {
      const auto& start = it.start_call();
      return either(check_call("start_call", start.call()),
                    either(check_destination("start_call", start.destination()),
                           check_sdp("start_call", start.sdp(), true)));
    }
    case SignalRequest::kAnswerOffer:
      return either(check_call("answer_offer", it.answer_offer().call()),
                    check_sdp("answer_offer", it.answer_offer().sdp(), true));
    case SignalRequest::kIceCandidate:
      return either(check_call("ice_candidate", it.ice_candidate().call()),
                    check_candidate(it.ice_candidate()));
    case SignalRequest::kRejectCall:
      return either(check_call("reject_call", it.reject_call().call()),
                    check_reason(it.reject_call().reason()));
    case SignalRequest::kHoldMedia: return check_call("hold_media", it.hold_media().call());
    case SignalRequest::kResumeMedia:
      return either(check_call("resume_media", it.resume_media().call()),
                    check_sdp("resume_media", it.resume_media().sdp(), false));
    case SignalRequest::kMuteMedia: return check_call("mute_media", it.mute_media().call());
    case SignalRequest::kTransferMedia: {
      const auto& transfer = it.transfer_media();
      return either(check_call("transfer_media", transfer.call()),
                    check_destination("transfer_media", transfer.destination()));
    }
    case SignalRequest::kHangUp: return check_call("hang_up", it.hang_up().call());
    case SignalRequest::MESSAGE_NOT_SET: break;
  }
  return wrong("message", "is missing, or of a kind that this version does not know");
}

}  // namespace control
