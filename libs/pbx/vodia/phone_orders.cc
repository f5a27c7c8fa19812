#include <algorithm>
#include <utility>

#include "base/overloaded.h"
#include "pbx/vodia/phone_calls.h"

// What a media client wants, and what is said to the PBX for it: phone_calls.cc has the rest.
namespace pbx::vodia {
namespace {

using base::Errc;
using call::Cause;

// What cannot be sent on; empty if it can.
std::string fault_of_sdp(std::string_view sdp) {
  if (sdp.empty()) return "sdp: a session description is needed";
  if (sdp.size() > kSdpMax) return "sdp: longer than 65,536 bytes";
  return {};
}

std::string fault_of_destination(std::string_view number) {
  if (!bare_number(number).empty() && number.size() <= kNumberMax) return {};
  return "destination: not a number that could be dialled";
}

std::string description(std::string_view type, std::string_view sdp) {
  return json_of({{"type", type}, {"sdp", sdp}});
}

const std::string& call_of(const call::FromClient& message) {
  return std::visit([](const auto& it) -> const std::string& { return it.call; }, message);
}

}  // namespace

void PhoneCalls::on_client(const call::FromClient& message, Effects& effects) {
  if (const auto* start = std::get_if<call::StartCall>(&message)) return take(*start, effects);
  Call* call = find_of_client(call_of(message));
  if (!call) {
    return refuse(call_of(message), Errc::call_not_found,
                  "call: no call of this id, or it has ended", effects);
  }
  std::visit(base::overloaded{
                 [](const call::StartCall&) {},  // above
                 [&](const auto& it) { take(*call, it, effects); },
             },
             message);
}

PhoneCalls::Call* PhoneCalls::find_of_client(std::string_view id) {
  for (Call& call : calls_) {
    if (call.id == id) return &call;
  }
  return nullptr;
}

void PhoneCalls::refuse(const std::string& call, Errc why, std::string detail,
                        Effects& effects) const {
  tell(call::SignalRefused{call, why, std::move(detail)}, effects);
}

void PhoneCalls::take(const call::StartCall& it, Effects& effects) {
  std::string fault = fault_of_destination(it.destination);
  if (fault.empty()) fault = fault_of_sdp(it.sdp);
  if (it.call.empty() || it.call.size() > kIdMax) fault = "call: 1 to 160 bytes";
  if (!fault.empty()) return refuse(it.call, Errc::invalid_argument, std::move(fault), effects);
  const bool taken = std::any_of(calls_.begin(), calls_.end(), [&](const Call& call) {
    return call.id == it.call || call.pbx_id == it.call;
  });
  if (taken) {
    return refuse(it.call, Errc::incorrect_state, "call: there is a call of this id already",
                  effects);
  }
  if (!options_.numbered && !calls_.empty()) {
    return refuse(it.call, Errc::too_many_requests,
                  "a server of 2016 has one call at a time on each stream", effects);
  }
  if (calls_.size() >= kCallsMax) {
    return refuse(it.call, Errc::too_many_requests, "a stream has at most 8 calls", effects);
  }
  Call call;
  call.id = it.call;
  if (options_.numbered) call.pbx_id = it.call;
  call.destination = it.destination;
  call.answer_due = options_.legacy;
  call.past = listed_;
  std::erase(over_, it.call);
  say("sdp-packet", call.pbx_id, {}, {{"to", it.destination}, {"sdp", it.sdp}}, effects);
  calls_.push_back(std::move(call));
}

void PhoneCalls::take(Call& call, const call::AnswerOffer& it, Effects& effects) {
  if (call.media != Media::offered) {
    return refuse(call.id, Errc::incorrect_state, "there is no offer of the PBX's to be answered",
                  effects);
  }
  if (std::string fault = fault_of_sdp(it.sdp); !fault.empty()) {
    return refuse(call.id, Errc::invalid_argument, std::move(fault), effects);
  }
  call.media = Media::settled;
  const std::string answer = description("answer", it.sdp);
  say("sdp-200ok", call.pbx_id, call.cseq, {{"sdp", answer, true}}, effects);
  if (call.incoming) connect(call, effects);
}

// Also before the PBX has given the call an id of its own: the client's is good for it, then and
// later.
void PhoneCalls::take(Call& call, const call::IceCandidate& it, Effects& effects) {
  if (it.candidate.size() > kCandidateMax || it.sdp_mid.size() > kIdMax) {
    return refuse(call.id, Errc::invalid_argument, "candidate: longer than 1,024 bytes", effects);
  }
  std::string candidate = "null";
  if (!it.candidate.empty()) {
    const std::string line = std::to_string(it.sdp_m_line_index);
    candidate = json_of(
        {{"candidate", it.candidate}, {"sdpMid", it.sdp_mid}, {"sdpMLineIndex", line, true}});
  }
  say("ice-candidate", call.pbx_id, {}, {{"candidate", candidate, true}}, effects);
}

void PhoneCalls::take(Call& call, const call::RejectCall& it, Effects& effects) {
  if (!call.incoming || call.up) {
    return refuse(call.id, Errc::incorrect_state, "only a call that rings here can be rejected",
                  effects);
  }
  using Why = call::RejectCall::Why;
  const char* const code = it.why == Why::busy             ? "486"
                           : it.why == Why::not_acceptable ? "488"
                                                           : "603";
  const Cause cause = it.why == Why::busy             ? Cause::busy
                      : it.why == Why::not_acceptable ? Cause::incompatible_destination
                                                      : Cause::blocked;
  say("sip-busy", call.pbx_id, call.cseq, {{"code", code, true}}, effects);
  end(call, cause, 0, {}, effects);
}

void PhoneCalls::take(Call& call, const call::HoldMedia&, Effects& effects) {
  if (!call.up || call.held) {
    return refuse(call.id, Errc::incorrect_state,
                  call.held ? "the call is on hold" : "the call is not connected", effects);
  }
  call.held = true;
  say("wrtc-hold", call.pbx_id, {},
      {{"holdcmd", "sendonly"}, {"calldir", call.incoming ? "callee" : "caller"}}, effects);
}

void PhoneCalls::take(Call& call, const call::ResumeMedia& it, Effects& effects) {
  if (!call.held) {
    return refuse(call.id, Errc::incorrect_state, "the call is not on hold", effects);
  }
  if (it.sdp.size() > kSdpMax) {
    return refuse(call.id, Errc::invalid_argument, fault_of_sdp(it.sdp), effects);
  }
  call.held = false;
  const char* const side = call.incoming ? "callee" : "caller";
  if (it.sdp.empty()) {
    say("wrtc-hold", call.pbx_id, {}, {{"holdcmd", "sendrecv"}, {"calldir", side}}, effects);
  } else {
    call.answer_due = true;
    say("wrtc-hold", call.pbx_id, {}, {{"holdcmd", "sendrecv"}, {"calldir", side}, {"sdp", it.sdp}},
        effects);
  }
}

void PhoneCalls::take(Call& call, const call::MuteMedia& it, Effects& effects) {
  if (!call.up) {
    return refuse(call.id, Errc::incorrect_state, "the call is not connected", effects);
  }
  say("mute", call.pbx_id, {}, {{"muted", it.muted ? "true" : "false", true}}, effects);
}

void PhoneCalls::take(Call& call, const call::TransferMedia& it, Effects& effects) {
  if (!call.up) {
    return refuse(call.id, Errc::incorrect_state, "the call is not connected", effects);
  }
  if (std::string fault = fault_of_destination(it.destination); !fault.empty()) {
    return refuse(call.id, Errc::invalid_argument, std::move(fault), effects);
  }
  say("blind-transfer2", call.pbx_id, {}, {{"from", options_.extension}, {"to", it.destination}},
      effects);
}

void PhoneCalls::take(Call& call, const call::HangUp&, Effects& effects) {
  if (call.incoming && !call.up) {
    return take(call, call::RejectCall{call.id, call::RejectCall::Why::declined}, effects);
  }
  const Cause cause = call.up ? Cause::normal_clearing : Cause::call_cancelled;
  say_bye(call, effects);
  end(call, cause, 0, {}, effects);
}

}  // namespace pbx::vodia
