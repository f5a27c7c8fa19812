#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "base/result.h"
#include "call/cause.h"
#include "call/model.h"

// WebRTC signalling between a media client (a browser, a softphone) and the PBX: offers and answers
// in SDP (RFC 8829), ICE candidates one by one (RFC 8838). The media itself goes past us.
//
// A media client opens a stream for one device. Calls in it go by an id of whoever started the
// call: of the client's choice, or the PBX's for one that comes in. It stays the same, whatever the
// PBX calls it in between. It is not the id of the call in events.
namespace call {

// One stream, numbered by whoever opens it, never twice the same within a session.
using SignalId = std::uint32_t;

struct SignalOptions {
  DeviceId device;
  bool receives_calls = false;  // registers as a phone of the device: the PBX rings it
  std::string user_agent;       // what the PBX shows of it; may be empty
};

// One candidate line ("candidate:…"), or the end of them.
struct IceCandidate {
  std::string call;
  std::string candidate;  // empty: there are no more
  std::string sdp_mid;
  unsigned sdp_m_line_index = 0;
};

// ---- From the media client.

// Starts a call with an offer. A PBX that insists on offering itself answers with a RemoteOffer.
struct StartCall {
  std::string call;  // an id that the client chooses
  std::string destination;
  std::string sdp;
};
// The answer to a RemoteOffer or an IncomingCall.
struct AnswerOffer {
  std::string call;
  std::string sdp;
};
// Refuses an IncomingCall.
struct RejectCall {
  enum class Why { declined, busy, not_acceptable };
  std::string call;
  Why why = Why::declined;
};
struct HoldMedia {
  std::string call;
};
struct ResumeMedia {
  std::string call;
  std::string sdp;  // a new offer, if the client made one; may be empty
};
struct MuteMedia {
  std::string call;
  bool muted = false;
};
struct TransferMedia {
  std::string call;
  std::string destination;
};
// Ends a call, or gives up one that was not answered.
struct HangUp {
  std::string call;
};
using FromClient = std::variant<StartCall, AnswerOffer, IceCandidate, RejectCall, HoldMedia,
                                ResumeMedia, MuteMedia, TransferMedia, HangUp>;

// ---- To the media client.

// The first one, once: from here on the stream takes messages.
struct SignalReady {};
struct IncomingCall {
  std::string call;
  std::string sdp;  // an offer
  std::string calling_number, calling_name;
  std::string called_number;
};
// The PBX's own offer within a call of the client's; it takes the place of the client's offer, and
// an answer is expected.
struct RemoteOffer {
  std::string call;
  std::string sdp;
};
// The answer to the client's offer.
struct RemoteAnswer {
  std::string call;
  std::string sdp;
};
// The far side rings.
struct FarRinging {
  std::string call;
};
// The far side has answered, or the client's answer to an IncomingCall was taken.
struct CallConnected {
  std::string call;
};
// Who the far side is, as far as the PBX knows better now.
struct FarIdentity {
  std::string call;
  std::string number, name;
};
struct RecordingState {
  std::string call;
  bool on = false;
};
// The call is over: the last one of it.
struct SignalledCallEnded {
  std::string call;
  Cause cause = Cause::normal_clearing;
  unsigned code = 0;   // SIP status, if the PBX gave one
  std::string detail;  // a sentence, if there is something to know
};
// A message of the client's was not carried out; the call, if it exists, goes on.
struct SignalRefused {
  std::string call;
  base::Error why;
  std::string detail;
};
using ToClient =
    std::variant<SignalReady, IncomingCall, RemoteOffer, RemoteAnswer, IceCandidate, FarRinging,
                 CallConnected, FarIdentity, RecordingState, SignalledCallEnded, SignalRefused>;

}  // namespace call
