#pragma once

#include <string>

#include "base/overloaded.h"
#include "call/signalling.h"

namespace support {

// What a media client is told, as a line: "ringing mine", "ended mine busy 486: Busy Here",
// "offer mine: <its SDP>".
inline std::string words_of(const call::ToClient& message) {
  return std::visit(
      base::overloaded{
          [](const call::SignalReady&) -> std::string { return "ready"; },
          [](const call::IncomingCall& it) {
            return "incoming " + it.call + " from " + it.calling_number + " (" + it.calling_name +
                   ") to " + it.called_number + ": " + it.sdp;
          },
          [](const call::RemoteOffer& it) { return "offer " + it.call + ": " + it.sdp; },
          [](const call::RemoteAnswer& it) { return "answer " + it.call + ": " + it.sdp; },
          [](const call::IceCandidate& it) { return "candidate " + it.call + ": " + it.candidate; },
          [](const call::FarRinging& it) { return "ringing " + it.call; },
          [](const call::CallConnected& it) { return "connected " + it.call; },
          [](const call::FarIdentity& it) {
            return "identity " + it.call + " " + it.number + " (" + it.name + ")";
          },
          [](const call::RecordingState& it) {
            return "recording " + it.call + (it.on ? " on" : " off");
          },
          [](const call::SignalledCallEnded& it) {
            return "ended " + it.call + " " + call::name_of(it.cause) +
                   (it.code ? " " + std::to_string(it.code) : "") +
                   (it.detail.empty() ? "" : ": " + it.detail);
          },
          [](const call::SignalRefused& it) {
            return "refused " + it.call + " " + base::name_of(it.why) +
                   (it.detail.empty() ? " without a word" : "");
          },
      },
      message);
}

}  // namespace support
