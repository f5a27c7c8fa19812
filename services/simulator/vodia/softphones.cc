#include "simulator/vodia/softphones.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>

#include "simulator/engine/random.h"

namespace simulator::vodia {

namespace json = boost::json;
using engine::Cause;
using engine::Change;
using engine::ConnectionId;
using engine::ExtensionIndex;
using engine::Leg;
using engine::LegId;
using engine::LegState;
using engine::TimePoint;

namespace {

constexpr unsigned kProgress = 183, kOk = 200, kUnsupportedMedia = 415;
constexpr int kRegisteredFor = 3'600;

// What a PBX could say; whether it is an offer or an answer, the flow says.
constexpr std::string_view kDescription =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    "m=audio 49152 UDP/TLS/RTP/SAVPF 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=setup:actpass\r\na=ice-ufrag:sim1\r\n"
    "a=ice-pwd:simulatorsimulatorsimu\r\na=rtcp-mux\r\na=sendrecv\r\n";
constexpr std::string_view kCandidate = "candidate:1 1 udp 2130706431 192.0.2.10 49152 typ host";

struct SipReason {
  unsigned code;
  const char* words;
};
SipReason reason_of(Cause cause) {
  switch (cause) {
    case Cause::unallocated: return {404, "Not Found"};
    case Cause::busy: return {486, "Busy Here"};
    case Cause::no_answer: return {480, "Temporarily Unavailable"};
    case Cause::absent: return {480, "Temporarily Unavailable"};
    case Cause::rejected: return {603, "Decline"};
    case Cause::congestion: return {503, "Service Unavailable"};
    case Cause::normal:
    case Cause::elsewhere: break;
  }
  return {kOk, "OK"};
}

}  // namespace

std::string Softphones::make_id(LegId leg, ConnectionId socket) const {
  const Leg* it = pbx_.tenant.find_leg(leg);
  if (pbx_.settings.variants.same_call_id && it) return pbx_.calls.id_of(it->call);
  engine::Random random(pbx_.settings.seed * 31 + leg * 0x9e3779b97f4a7c15 + socket);
  std::string id;
  while (id.size() < 16) id += "0123456789abcdef"[random.below(16)];
  return id + "@webrtc";
}

Softphones::Call* Softphones::find(ConnectionId socket, std::string_view id) {
  for (Call& call : calls_) {
    if (call.socket != socket) continue;
    // In 2016 there was one call on a socket, and no id.
    if (id.empty() || id == call.client_id || id == call.pbx_id) return &call;
  }
  return nullptr;
}

void Softphones::tell(Call& call, json::object frame) {
  if (pbx_.settings.profile != Profile::legacy2016) frame["callid"] = call.pbx_id;
  send_(call.socket, frame);
}

void Softphones::tell_candidate(Call& call) {
  json::object frame{{"candidate", kCandidate}};
  if (pbx_.settings.variants.candidate_pairs) {
    frame["adr"] = json::array{json::array{"192.0.2.10", 49152}, json::array{"10.0.0.5", 49154}};
  }
  tell(call, std::move(frame));
}

json::object Softphones::description(const Call& call, unsigned code, const Leg& leg) const {
  const bool ours = pbx_.tenant.find_extension(leg.to) != engine::kOutside;
  return {{"sdp", kDescription},
          {"code", code},
          {"cseq", call.cseq},
          {"to-user", leg.to},
          {"to-display", ours ? pbx_.settings.name_of(leg.to) : std::string()}};
}

// ---- What clients say.

bool Softphones::act(ConnectionId socket, ExtensionIndex extension, const ClientFrame& frame,
                     TimePoint now) {
  last_ = std::max(last_, now);
  if (frame.action == "sip-register") {
    const std::string number = pbx_.tenant.extension(extension).number;
    phones_[socket] = extension;
    send_(socket, {{"action", "sip-register"},
                   {"add", "sip:" + number + '@' + pbx_.settings.domain},
                   {"expires", kRegisteredFor}});
    (void)pbx_.tenant.set_registered(number, true, now);
    return true;
  }
  if (frame.action == "sdp-packet") {
    start_call(socket, extension, frame, now);
    return true;
  }
  constexpr std::string_view kOfCalls[] = {
      "sdp-200ok", "sip-ringing",  "sip-busy",        "sip-ack", "ice-candidate",   "wrtc-hold",
      "sip-bye",   "bye-response", "cancel-response", "mute",    "blind-transfer2", "rec-call"};
  const bool known =
      std::find(std::begin(kOfCalls), std::end(kOfCalls), frame.action) != std::end(kOfCalls);
  if (!known) return false;
  const bool by_id = frame.action == "blind-transfer2" || frame.action == "rec-call";
  Call* call = by_id && frame.id.empty() ? nullptr : find(socket, by_id ? frame.id : frame.call_id);
  if (call) perform(*call, frame, now);
  return call || frame.action != "rec-call";  // that may be of a phone's call
}

void Softphones::start_call(ConnectionId socket, ExtensionIndex extension, const ClientFrame& frame,
                            TimePoint now) {
  const Placing placing{socket, frame.call_id};
  const std::string number = pbx_.tenant.extension(extension).number;
  ++pbx_.counters.originates;
  placing_ = &placing;
  const auto leg = pbx_.tenant.originate(number, frame.to, pbx_.tenant.plan_for(frame.to), now);
  placing_ = nullptr;
  if (leg) return;
  json::object refusal{{"action", "sip-busy"}, {"code", 480}, {"reason", "Unavailable"}};
  if (!frame.call_id.empty()) refusal["callid"] = frame.call_id;
  send_(socket, refusal);
}

void Softphones::perform(Call& call, const ClientFrame& frame, TimePoint now) {
  const std::string number = pbx_.tenant.extension(call.extension).number;
  const LegId leg = call.leg;
  auto& tenant = pbx_.tenant;
  if (frame.action == "sdp-200ok") {
    if (call.accepted) return;
    call.accepted = true;
    if (!call.caller) (void)tenant.answer(number, now, leg);
  } else if (frame.action == "sip-busy") {
    (void)tenant.hang_up(number, now, leg);
  } else if (frame.action == "sip-bye") {
    json::object response{{"action", "bye-response"}};
    tell(call, std::move(response));
    std::erase_if(calls_, [&](const Call& it) { return &it == &call; });
    (void)tenant.hang_up(number, now, leg);
  } else if (frame.action == "wrtc-hold") {
    (void)(frame.hold_command == "sendonly" ? tenant.hold(number, now, leg)
                                            : tenant.retrieve(number, now, leg));
  } else if (frame.action == "blind-transfer2") {
    (void)tenant.transfer(number, frame.to, tenant.plan_for(frame.to), now, leg);
  } else if (frame.action == "rec-call") {
    (void)tenant.record(number, frame.start_stop == "on", now, leg);
  }
  // What is left needs no answer, and changes nothing.
}

// ---- What happens to calls. The tenant is changing meanwhile, and must be left alone.

void Softphones::on_change(const Change& change) {
  last_ = std::max(last_, change.at);
  if (!change.leg || change.extension == engine::kOutside) return;
  const Leg& leg = *change.leg;
  if (change.kind == Change::Kind::leg_added && placing_ && leg.outgoing) {
    Call call{placing_->socket, change.extension, leg.id, placing_->client_id, {}, true};
    const bool keeps = !pbx_.settings.modern() && !call.client_id.empty();
    call.pbx_id = keeps ? call.client_id : make_id(leg.id, call.socket);
    calls_.push_back(std::move(call));
    placing_ = nullptr;
  } else if (change.kind == Change::Kind::leg_state) {
    if (leg.state == LegState::ringing) return ring(leg);
    for (std::size_t i = calls_.size(); i-- > 0;) {
      if (calls_[i].leg == leg.id) follow(calls_[i], leg);
    }
    // Somebody else has answered it.
    std::erase_if(calls_, [&](const Call& it) {
      return it.leg == leg.id && leg.state == LegState::up && !it.up;
    });
  } else if (change.kind == Change::Kind::leg_ended) {
    for (const Call& call : calls_) {
      if (call.leg == leg.id) end(call, change.cause);
    }
    std::erase_if(calls_, [&](const Call& it) { return it.leg == leg.id; });
  }
}

void Softphones::ring(const Leg& leg) {
  for (const auto& [socket, extension] : phones_) {
    if (extension != leg.extension) continue;
    Call call{socket, extension, leg.id, {}, make_id(leg.id, socket), false};
    const bool ours = pbx_.tenant.find_extension(leg.from) != engine::kOutside;
    calls_.push_back(std::move(call));
    Call& added = calls_.back();
    tell(added, {{"invitesdp", kDescription},
                 {"cseq", added.cseq},
                 {"from", pbx_.encoder.party(leg.from)},
                 {"to", pbx_.encoder.party(leg.number)},
                 {"from-user", leg.from},
                 {"from-display", ours ? pbx_.settings.name_of(leg.from) : std::string()},
                 {"from-number", leg.from}});
    tell_candidate(added);
  }
}

void Softphones::follow(Call& call, const Leg& leg) {
  if (call.caller && leg.state == LegState::ring_back && !call.rang) {
    call.rang = true;
    tell(call, description(call, kProgress, leg));
    tell_candidate(call);
  } else if (call.caller && leg.state == LegState::busy) {
    const auto reason = reason_of(Cause::busy);
    tell(call, {{"action", "sip-busy"}, {"code", reason.code}, {"reason", reason.words}});
    call.rang = true;
  } else if (leg.state == LegState::up && (leg.connected || !call.caller)) {
    if (call.caller && pbx_.settings.modern() && !call.accepted) {
      ++call.cseq;
      tell(call, {{"bye", "true"}, {"cseq", call.cseq}, {"code", kUnsupportedMedia}});
      drop_later(leg.id, call.extension);
      return;  // and is taken for somebody else's from here on
    }
    call.up = call.caller || call.accepted;
    if (!call.up) return end(call, Cause::elsewhere);
    if (!call.caller) return;
    ++call.cseq;
    tell(call, description(call, kOk, leg));
  }
}

void Softphones::end(const Call& ended, Cause cause) {
  Call call = ended;
  const auto reason = reason_of(cause);
  if (!call.up && !call.caller) {
    if (pbx_.settings.variants.cancel == Variants::Cancel::action) {
      return tell(call, {{"action", "cancel"}});
    }
    return tell(call, {{"cancel", "true"}});
  }
  ++call.cseq;
  json::object frame{{"bye", "true"}, {"cseq", call.cseq}};
  if (reason.code >= 400 || pbx_.settings.variants.code_in_bye) frame["code"] = reason.code;
  tell(call, std::move(frame));
}

void Softphones::on_closed(ConnectionId socket) {
  phones_.erase(socket);
  for (const Call& call : calls_) {
    if (call.socket == socket && (call.caller || call.accepted)) {
      drop_later(call.leg, call.extension);
    }
  }
  std::erase_if(calls_, [&](const Call& it) { return it.socket == socket; });
}

void Softphones::forget() {
  calls_.clear();
  drops_.clear();
}

// ---- Time.

void Softphones::drop_later(LegId leg, ExtensionIndex extension) { drops_[leg] = extension; }

TimePoint Softphones::deadline() const { return drops_.empty() ? TimePoint::max() : last_; }

void Softphones::advance(TimePoint now) {
  last_ = std::max(last_, now);
  for (const auto& [leg, extension] : std::exchange(drops_, {})) {
    (void)pbx_.tenant.hang_up(pbx_.tenant.extension(extension).number, now, leg);
  }
}

}  // namespace simulator::vodia
