#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "call/administration.h"
#include "call/command.h"
#include "call/event.h"
#include "call/history.h"
#include "call/model.h"
#include "call/signalling.h"

// What a vendor adapter is: read this first.
namespace pbx {

using TimePoint = std::chrono::steady_clock::time_point;

// A session's connections, numbered by the session itself. The link ends with the primary one.
using LinkId = std::uint32_t;
inline constexpr LinkId kPrimary = 0;
// The connections that the PBX has opened to us: numbered by the shell, from here on, never twice
// the same within a session.
inline constexpr LinkId kFirstArrived = LinkId{1} << 31;

// A session's HTTP requests, numbered by the session itself, never twice the same.
using HttpId = std::uint32_t;

// Where to open a WebSocket, or to send an HTTP request.
struct Handshake {
  std::string host, port, target;
  bool tls = false;
  std::vector<std::pair<std::string, std::string>> headers;
};

// A WebSocket that the PBX has opened to us, once a Reception (reception.h) has found that it is
// the tenant's.
struct Arrival {
  std::string pbx;  // which of the tenant's PBXs, by its own name
  std::string via;  // as what it came, if one PBX can come as several: the name of its App object
  std::string welcome;  // what it still waits to hear; to be sent first of all
};

// ---- What a session wants done. Effects are carried out in the order given. ----

// Open a WebSocket. For an auxiliary link, on_link_open() or on_link_closed() follows; for the
// primary one on_link_open(), or the end of the session.
struct OpenLink {
  LinkId link;
  Handshake where;
};
// Write one text message. Ignored if the link is not open.
struct SendText {
  LinkId link;
  std::string text;
};
// Close an auxiliary link, after the texts before this are written. on_link_closed() does not
// follow.
struct CloseLink {
  LinkId link;
};
// Send an HTTP request; on_http() follows, once, unless the session ends before. Requests are not
// sent in any order: wait for the reply if the next one depends on it.
struct SendHttp {
  HttpId id;
  std::string method;
  Handshake where;
  std::string body;                 // what it is, `where.headers` say
  std::chrono::milliseconds limit;  // for all of it; then on_http() gets timed_out
};
// How far the login is: awaiting_pbx, logging_in or synchronizing.
struct Stage {
  call::LinkState state;
};
// Logged in, and everything that exists was observed: what was not has ended.
struct Ready {};
// A call, a device, or a complete list of them.
struct Observe {
  call::Observation seen;
  std::optional<call::CommandId> caused_by;  // the command of ours that this is the effect of
};
// A command is settled, for better or worse. Comes after the observation that proves it.
struct Answer {
  call::CommandId id;
  call::Reply reply;
};
// Something for the media client of a stream that on_signal_open() opened.
struct Signal {
  call::SignalId id;
  call::ToClient message;
};
// A stream is over by itself; nothing may follow for it.
struct EndSignal {
  call::SignalId id;
  base::Error why;
  std::string detail;  // a sentence for the media client; never a secret
};
// A recording's bytes: what a GET brings, with the login's headers in it, which are secret.
struct RecordingSource {
  Handshake where;
  std::chrono::milliseconds limit;  // until its first byte, and for each further step
};
// What became of an on_inquiry().
struct Inform {
  using Answer = std::variant<call::PastCalls, RecordingSource, call::Refusal>;
  call::InquiryId id;
  Answer answer;
};
// What became of an on_order().
struct Fulfil {
  call::OrderId id;
  call::OrderReply reply;
};
// Worth a log line and a count. Never a secret, never a number of somebody outside.
struct Note {
  base::Error what;
  std::string detail;
};
// End the session, once the texts before this are written.
struct GiveUp {
  base::Error why;
  std::string detail;                                    // a sentence for operators; never a secret
  std::optional<std::chrono::milliseconds> retry_after;  // not sooner than this, if given
};
using Effect = std::variant<OpenLink, SendText, CloseLink, SendHttp, Stage, Ready, Observe, Answer,
                            Signal, EndSignal, Note, GiveUp, Inform, Fulfil>;
using Effects = std::vector<Effect>;

// What the server said to a request. A redirect is a reply like any other: nobody follows it.
struct HttpReply {
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case; may repeat
  std::string body;

  // The first of this name, which is in lower case; empty if there is none.
  std::string_view header(std::string_view name) const {
    for (const auto& [its_name, value] : headers) {
      if (its_name == name) return value;
    }
    return {};
  }
};

// One dialogue with one PBX tenant, for as long as its primary WebSocket lives: what arrived goes
// in, what to do comes out. Where it is the PBX that dials there is no primary one: the session
// waits for links to arrive, and gives up when it has lost the last of them. No sockets, clocks or
// threads in here; the shell (services/connector/tenant_link.cc) has those. It makes one call at a
// time, carries effects out in order, and answers what is open when the session ends:
// outcome_unknown if the command was taken. Replies to HTTP requests that come after the end are
// dropped. A session never throws on input, never waits, and may be destroyed at any time. After a
// reconnect the shell makes a new one.
class Session {
 public:
  virtual ~Session() = default;

  // First of all. Opens the primary link, or does first what that needs (a REST login).
  virtual Effects on_start(TimePoint now) = 0;
  virtual Effects on_link_open(LinkId link, TimePoint now) = 0;
  virtual Effects on_text(LinkId link, std::string_view text, TimePoint now) = 0;
  // The PBX has opened this link, in a session that has no primary one. Its `welcome` is for the
  // session to send.
  virtual Effects on_link_arrived(LinkId link, const Arrival& /*arrival*/, TimePoint /*now*/) {
    return {CloseLink{link}};  // for vendors that never do
  }
  // Auxiliary links and those that arrived, opened or not yet: the primary's end is the session's.
  virtual Effects on_link_closed(LinkId link, const base::Error& why, const std::string& detail,
                                 TimePoint now) = 0;
  // The reply to a request of this session's; or why there is none, and a sentence about it: with
  // too_many_requests, resolve_failed, connect_failed and those of TLS it was not sent, with any
  // other error it may have been carried out.
  virtual Effects on_http(HttpId /*id*/, const base::Result<HttpReply>& /*reply*/,
                          const std::string& /*detail*/, TimePoint /*now*/) {
    return {};  // for vendors that send none
  }
  // `limit`: when the caller stops waiting. Answered exactly once, also before Ready.
  virtual Effects on_command(call::CommandId id, const call::Command& command, TimePoint limit,
                             TimePoint now) = 0;
  // A media client's stream, while the vendor's capabilities offer Service::signal and the session
  // is Ready: SignalReady follows, or EndSignal. Streams end with the session; the shell says so to
  // their clients.
  virtual Effects on_signal_open(call::SignalId id, const call::SignalOptions& /*options*/,
                                 TimePoint /*now*/) {
    return {EndSignal{id, base::Errc::feature_not_supported, ""}};  // for vendors without
  }
  // In the order in which the client said it; only between SignalReady and the stream's end.
  virtual Effects on_signal(call::SignalId /*id*/, const call::FromClient& /*message*/,
                            TimePoint /*now*/) {
    return {};
  }
  // The client is gone: its calls end. EndSignal does not follow.
  virtual Effects on_signal_close(call::SignalId /*id*/, TimePoint /*now*/) { return {}; }
  // A question about the past, while the vendor's capabilities offer its service (search_calls,
  // get_recording). `limit`: when the caller stops waiting. Informed exactly once, also before
  // Ready; of what is open when the session ends, the shell says so.
  virtual Effects on_inquiry(call::InquiryId id, const call::Inquiry& /*inquiry*/,
                             TimePoint /*limit*/, TimePoint /*now*/) {
    return {Inform{id, call::Refusal{base::Errc::feature_not_supported, ""}}};
  }
  // Something to be set up at the PBX, or told of it, while the vendor's capabilities offer its
  // service. `limit`: when the caller stops waiting. Fulfilled exactly once, also before Ready; of
  // what is open when the session ends, the shell says so: outcome_unknown, if it changes
  // something.
  virtual Effects on_order(call::OrderId id, const call::Order& /*order*/, TimePoint /*limit*/,
                           TimePoint /*now*/) {
    return {Fulfil{id, call::Refusal{base::Errc::feature_not_supported, ""}}};
  }
  // deadline() has passed.
  virtual Effects on_tick(TimePoint now) = 0;
  // When on_tick() is due; TimePoint::max() for never. Any call above may move it, and on_tick()
  // does, to a point after `now`.
  virtual TimePoint deadline() const = 0;
};

}  // namespace pbx
