#include "pbx/vodia/phone_calls.h"

#include <algorithm>
#include <functional>
#include <utility>

// What the PBX says, and what comes of it. phone_orders.cc has the client's side.
namespace pbx::vodia {
namespace {

using base::Errc;
using call::Cause;

constexpr std::size_t kOverMax = 32;
constexpr std::size_t kListedMax = 256;
constexpr unsigned kProgress = 180, kOk = 200, kRefused = 300, kUnsupportedMedia = 415;

constexpr const char* kUnanswered =
    "the PBX's offer was not answered: this server makes the offer of every call itself, and "
    "needs an AnswerOffer to its RemoteOffer before the far side picks up";
constexpr const char* kTooLong = "the PBX's session description is longer than 65,536 bytes";

bool contains(const std::vector<std::string>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

void PhoneCalls::on_frame(const MediaFrame& frame, Effects& effects) {
  std::visit([&](const auto& it) { take(it, effects); }, frame);
}

void PhoneCalls::hang_up(Effects& effects) {
  for (const Call& call : calls_) {
    if (!call.incoming || call.up) say_bye(call, effects);
  }
  calls_.clear();
}

// ---- Which call is meant.

PhoneCalls::Call* PhoneCalls::find(std::string_view pbx_id) {
  if (pbx_id.empty()) return calls_.size() == 1 ? &calls_.front() : nullptr;
  for (Call& call : calls_) {
    if (pbx_id == call.pbx_id || (!call.incoming && pbx_id == call.id)) return &call;
  }
  return nullptr;
}

// Also by an id that is new to us: the PBX's own for a call of the client's that it has not said
// anything of yet. If there are several of those, the one to that destination, or the oldest.
PhoneCalls::Call* PhoneCalls::find_or_name(std::string_view pbx_id, std::string_view to) {
  if (Call* call = find(pbx_id)) {
    if (call->pbx_id.empty()) call->pbx_id = pbx_id;
    return call;
  }
  if (pbx_id.empty() || is_over(pbx_id)) return nullptr;
  Call* best = nullptr;
  for (Call& call : calls_) {
    const bool unnamed = call.pbx_id.empty() || call.pbx_id == call.id;
    if (call.incoming || call.media != Media::none || !unnamed) continue;
    if (!best) best = &call;
    if (is_same_number(bare_number(call.destination), bare_number(to))) {
      best = &call;
      break;
    }
  }
  if (best) best->pbx_id = pbx_id;
  return best;
}

bool PhoneCalls::is_over(std::string_view id) const {
  return std::find(over_.begin(), over_.end(), id) != over_.end();
}

// For a call that has none of the PBX's.
std::string PhoneCalls::new_id() {
  std::string id;
  do {
    id = "call-" + std::to_string(++last_id_);
  } while (find_of_client(id));
  return id;
}

// ---- Descriptions.

void PhoneCalls::take(const Description& it, Effects& effects) {
  Call* call = find_or_name(it.call, it.to);
  if (!call || (call->incoming && !call->answer_due)) return;
  if (it.code >= kRefused) {
    call->answer_due = false;
    if (call->up) return;  // of an offer within the call, which goes on as it was
    say("sip-ack", call->pbx_id, {}, {}, effects);
    return end(*call, cause_of_sip(it.code, call->rang), it.code, it.reason, effects);
  }
  if (it.sdp.too_long) {
    say_bye(*call, effects);
    return end(*call, Cause::incompatible_destination, 0, kTooLong, effects);
  }
  if (!it.sdp.text.empty()) take_sdp(*call, it, effects);
  if (call->incoming) return;
  if (it.code >= kOk) {
    connect(*call, effects);
  } else if (it.code >= kProgress) {
    ring(*call, effects);
  }
}

void PhoneCalls::take_sdp(Call& call, const Description& it, Effects& effects) {
  if (call.answer_due) {
    call.answer_due = false;
    call.media = Media::settled;
    tell(call::RemoteAnswer{call.id, as_answer(it.sdp.text)}, effects);
    return release_early(call, effects);
  }
  if (options_.legacy) return;  // the answer once more
  if (call.media != Media::none) {
    // The offer once more, perhaps under another number; at the pickup it is never a new one.
    const bool same = std::hash<std::string>()(it.sdp.text) == call.offer;
    if (same && call.media == Media::offered && !it.cseq.empty()) call.cseq = it.cseq;
    if (same || it.code >= kOk || call.up) return;
  }
  offer(call, it.sdp, it.cseq, effects);
}

// Passes an offer on, within a call that the client knows.
void PhoneCalls::offer(Call& call, const Sdp& sdp, const std::string& cseq, Effects& effects) {
  call.media = Media::offered;
  call.cseq = cseq;
  call.offer = std::hash<std::string>()(sdp.text);
  tell(call::RemoteOffer{call.id, sdp.text}, effects);
  release_early(call, effects);
}

void PhoneCalls::ring(Call& call, Effects& effects) {
  if (call.rang || call.up) return;
  call.rang = true;
  tell(call::FarRinging{call.id}, effects);
}

void PhoneCalls::connect(Call& call, Effects& effects) {
  if (call.up) return;
  call.up = true;
  if (!call.incoming) say("sip-ack", call.pbx_id, {}, {}, effects);
  tell(call::CallConnected{call.id}, effects);
}

void PhoneCalls::take(const Ringing& it, Effects& effects) {
  Call* call = find_or_name(it.call, {});
  if (call && !call->incoming) ring(*call, effects);
}

// ---- Calls that come in.

void PhoneCalls::take(const Invitation& it, Effects& effects) {
  if (Call* call = find(it.call)) {
    if (it.call.empty()) {
      // Without ids a second call cannot be told from the first, nor be refused.
      if (call->incoming && !call->up) call->cseq = it.cseq;
      return;
    }
    if (call->incoming && !call->up) {
      call->cseq = it.cseq;  // the same once more
    } else if (!it.sdp.text.empty()) {
      offer(*call, it.sdp, it.cseq, effects);
    }
    return;
  }
  if (!options_.receives_calls || (it.call.empty() && !calls_.empty())) return;
  if (it.sdp.text.empty()) {
    effects.push_back(
        Note{it.sdp.too_long ? Errc::message_too_big : Errc::bad_frame,
             "a call that came in with an offer that cannot be passed on was refused"});
    return refuse_unseen(it, "488", effects);
  }
  if (calls_.size() >= kCallsMax) {
    effects.push_back(Note{Errc::too_many_requests, "a call came in on a stream that is full"});
    return refuse_unseen(it, "486", effects);
  }
  Call call;
  const bool taken = it.call.empty() || find_of_client(it.call);
  call.id = taken ? new_id() : it.call;
  call.pbx_id = it.call;
  call.incoming = true;
  call.media = Media::offered;
  call.cseq = it.cseq;
  std::erase(over_, it.call);
  calls_.push_back(std::move(call));
  const Call& added = calls_.back();
  say("sip-ringing", added.pbx_id, added.cseq, {}, effects);
  tell(call::IncomingCall{added.id, it.sdp.text, it.from.number, it.from.name, it.to}, effects);
  release_early(added, effects);
}

// The client never hears of it.
void PhoneCalls::refuse_unseen(const Invitation& it, std::string_view code, Effects& effects) {
  say("sip-busy", it.call, it.cseq, {{"code", code, true}}, effects);
  if (it.call.empty()) return;
  over_.push_back(it.call);
  if (over_.size() > kOverMax) over_.pop_front();
}

void PhoneCalls::take(const Cancellation& it, Effects& effects) {
  Call* call = find(it.call);
  say("cancel-response", it.call.empty() && call ? call->pbx_id : it.call, it.cseq, {}, effects);
  if (call) end(*call, Cause::call_cancelled, 0, {}, effects);
}

// ---- Candidates.

void PhoneCalls::take(const Candidates& it, Effects& effects) {
  if (!it.call.empty() && is_over(it.call) && !find(it.call)) return;
  const Call* call = find(it.call);
  const bool described = call && call->media != Media::none;
  for (const std::string& line : it.lines) {
    call::IceCandidate candidate{call ? call->id : std::string(), line, it.mid, it.m_line};
    if (described) {
      tell(std::move(candidate), effects);
    } else if (early_.size() < kEarlyMax || drop_stray(it.call)) {
      early_.push_back({it.call, std::move(candidate)});
    } else {
      // The first ones may do.
      return effects.push_back(
          Note{Errc::overloaded, "more candidates than are kept came before their call"});
    }
  }
}

// Makes room for candidates of one call: the oldest of another one goes, if that has not come to
// be.
bool PhoneCalls::drop_stray(std::string_view wanted) {
  const auto stray = std::find_if(early_.begin(), early_.end(), [&](const Early& it) {
    return it.call != wanted && !find(it.call);
  });
  if (stray == early_.end()) return false;
  early_.erase(stray);
  return true;
}

// What came before the call that it belongs to was described to the client.
void PhoneCalls::release_early(const Call& call, Effects& effects) {
  std::deque<Early> rest;
  for (Early& it : early_) {
    if (it.call.empty() || it.call == call.pbx_id || it.call == call.id) {
      it.candidate.call = call.id;
      tell(std::move(it.candidate), effects);
    } else {
      rest.push_back(std::move(it));
    }
  }
  early_ = std::move(rest);
}

// ---- Ends.

void PhoneCalls::take(const Goodbye& it, Effects& effects) {
  Call* call = find_or_name(it.call, {});
  // It is answered even if nobody knows it: it may have crossed ours.
  say("bye-response", it.call.empty() && call ? call->pbx_id : it.call, it.cseq, {}, effects);
  if (!call) return;
  Cause cause = cause_of_sip(it.code, call->rang);
  std::string detail = it.reason;
  if (it.code == 0 && call->incoming && !call->up) cause = Cause::call_cancelled;
  if (it.code == kUnsupportedMedia && !call->incoming && call->media == Media::offered) {
    detail = kUnanswered;
  }
  end(*call, cause, it.code, std::move(detail), effects);
}

void PhoneCalls::take(const Rejection& it, Effects& effects) {
  Call* call = find_or_name(it.call, {});
  if (!call || call->incoming || call->up) return;
  const Cause cause = it.code == 0 ? Cause::busy : cause_of_sip(it.code, call->rang);
  end(*call, cause, it.code, it.reason, effects);
}

void PhoneCalls::say_bye(const Call& call, Effects& effects) {
  say("sip-bye", call.pbx_id, {}, {{"caller", call.incoming ? "false" : "true"}}, effects);
}

// `call` is gone afterwards.
void PhoneCalls::end(Call& call, Cause cause, unsigned code, std::string detail, Effects& effects) {
  const auto is_its = [&](const Early& it) {
    return it.call.empty() || it.call == call.pbx_id || it.call == call.id;
  };
  std::erase_if(early_, is_its);
  tell(call::SignalledCallEnded{call.id, cause, code, std::move(detail)}, effects);
  for (std::string* id : {&call.id, &call.pbx_id}) {
    if (!id->empty()) over_.push_back(*id);
    if (over_.size() > kOverMax) over_.pop_front();
  }
  std::erase_if(calls_, [&](const Call& it) { return &it == &call; });
}

// ---- What is told beside the calls.

void PhoneCalls::take(const Identity& it, Effects& effects) {
  if (const Call* call = find(it.call)) {
    tell(call::FarIdentity{call->id, it.who.number, it.who.name}, effects);
  }
}

// Its id may be the one in lists, which we may not know; then it is the only call, if it is one.
void PhoneCalls::take(const RecordingMark& it, Effects& effects) {
  const Call* call = find(it.id);
  for (const Call& each : calls_) {
    if (!call && !it.id.empty() && each.listed == it.id) call = &each;
  }
  if (!call && calls_.size() == 1) call = &calls_.front();
  if (call && call->up) tell(call::RecordingState{call->id, it.on}, effects);
}

// That the far side has picked up may be seen nowhere else.
void PhoneCalls::take(const OwnCalls& it, Effects& effects) {
  const bool first = !std::exchange(list_seen_, true);
  for (Call& call : calls_) {
    if (call.incoming || call.up) continue;
    for (const CallEntry& entry : it.calls) {
      // It was there before our call, only the list was late.
      if (first && entry.answered && call.past.size() < kListedMax) call.past.push_back(entry.id);
    }
    const CallEntry* entry = entry_of(call, it);
    if (!entry) continue;
    call.listed = entry->id;
    if (entry->answered && entry->progress != Progress::gone) connect(call, effects);
  }
  listed_.clear();
  for (const CallEntry& entry : it.calls) {
    if (listed_.size() < kListedMax) listed_.push_back(entry.id);
  }
}

// The entry of a call that we have started: by its id, or the one that our extension has begun
// since, to that destination. If the destination looks different there, and there is only one of
// both, that; but not if it was never seen to ring: another phone may have made it.
const CallEntry* PhoneCalls::entry_of(const Call& call, const OwnCalls& list) const {
  const CallEntry* only = nullptr;
  std::size_t begun = 0;
  for (const CallEntry& entry : list.calls) {
    if (entry.id == call.pbx_id || entry.id == call.id || entry.id == call.listed) return &entry;
    const bool others = std::any_of(calls_.begin(), calls_.end(), [&](const Call& other) {
      return &other != &call && other.listed == entry.id;
    });
    if (others || contains(call.past, entry.id) || entry.from.number != options_.extension) {
      continue;
    }
    ++begun;
    if (is_same_number(bare_number(entry.to.number), bare_number(call.destination))) return &entry;
    only = &entry;
  }
  const auto waiting = std::count_if(calls_.begin(), calls_.end(),
                                     [](const Call& it) { return !it.incoming && !it.up; });
  const bool sure = begun == 1 && waiting == 1 && call.listed.empty() && !only->answered;
  return sure ? only : nullptr;
}

// ---- How it is put.

void PhoneCalls::say(std::string_view name, std::string_view call, std::string_view cseq,
                     std::initializer_list<Field> fields, Effects& effects) const {
  std::string text = json_of({{"action", name}});
  const auto append = [&](const std::string& object) {
    if (object.size() <= 2) return;
    text.back() = ',';
    text.append(object, 1);
  };
  if (!call.empty()) append(json_of({{name == "blind-transfer2" ? "id" : "callid", call}}));
  if (!cseq.empty()) append(json_of({{"cseq", cseq, true}}));
  append(json_of(fields));
  effects.push_back(SendText{options_.link, std::move(text)});
}

void PhoneCalls::tell(call::ToClient message, Effects& effects) const {
  effects.push_back(Signal{options_.stream, std::move(message)});
}

}  // namespace pbx::vodia
