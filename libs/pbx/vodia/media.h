#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "call/cause.h"
#include "pbx/vodia/codec.h"

// What a Vodia PBX says to a socket that is a phone: the vocabulary of WebRTC, beside codec.h's.
// Sections 3.5 and 3.6 of the protocol document.
namespace pbx::vodia {

inline constexpr std::size_t kSdpMax = 64 * 1024;
inline constexpr std::size_t kCandidateMax = 1'024;  // one line
inline constexpr std::size_t kAddressesMax = 16;     // that one candidate is expanded to

// In all of them `call` is the id that the PBX gives, empty if it gives none (servers of 2016), and
// `cseq` a JSON value that goes back as it came; empty if there was none.

// A session description. Too long: longer than kSdpMax; then `text` is empty.
struct Sdp {
  std::string text;
  bool too_long = false;
};
// About a call that this socket has started. Whether the description is an answer or an offer is
// not said: that is the server's generation.
struct Description {
  std::string call, cseq;
  Sdp sdp;
  unsigned code = 0;  // as in SIP; 0: it does not say
  std::string reason;
  std::string to;  // whom it rings
};
// A call that comes in, with an offer; or another offer in a call that is there.
struct Invitation {
  std::string call, cseq;
  Sdp sdp;
  Address from;
  std::string to;
};
// One candidate or, if it had several addresses, one for each. An empty line: no more will come.
struct Candidates {
  std::string call;
  std::vector<std::string> lines;
  std::string mid;
  unsigned m_line = 0;
};
// A call is over, answered or not.
struct Goodbye {
  std::string call, cseq;
  unsigned code = 0;  // 0: no reason is given
  std::string reason;
};
// The caller has given up before the answer.
struct Cancellation {
  std::string call, cseq;
};
// A call of ours is refused.
struct Rejection {
  std::string call;
  unsigned code = 0;
  std::string reason;
};
// A call of ours rings.
struct Ringing {
  std::string call;
};
// We are a phone, for so many seconds; 0: it does not say.
struct Registration {
  unsigned expires = 0;
};
// Who the far side is.
struct Identity {
  std::string call;
  Address who;
};
// The calls of the extension, of its other phones too.
struct OwnCalls {
  std::vector<CallEntry> calls;
};
// Aside: anything else. The monitoring socket hears of what is new to us, and says so.
using MediaFrame =
    std::variant<Description, Invitation, Candidates, Goodbye, Cancellation, Rejection, Ringing,
                 Registration, Identity, RecordingMark, OwnCalls, Aside>;

// bad_frame if `text` is not a JSON object, or what its key or action needs is missing or too long.
// Does not throw, whatever the text.
base::Result<MediaFrame> parse_media(std::string_view text);

// The candidate once for each address and port in place of its own; as it is if there are none, or
// it is no candidate that we can take apart.
struct IceAddress {
  std::string address, port;
};
std::vector<std::string> expanded(std::string_view candidate,
                                  const std::vector<IceAddress>& addresses);

// An answer may not leave the choice who opens DTLS to the other side (RFC 8842, 5.3), but answers
// of servers up to 68 do: "actpass" becomes "passive".
std::string as_answer(std::string sdp);

// What a SIP status means in CSTA's terms: section 7.6. `rang`: the far side has rung.
call::Cause cause_of_sip(unsigned code, bool rang) noexcept;

}  // namespace pbx::vodia
