#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "call/fold.h"
#include "call/tracker.h"
#include "pbx/vendor.h"

// Drives any vendor's session with arbitrary inputs, as a fuzzer makes them, and checks what every
// session promises. A new vendor's fuzz target gives its settings and words; see
// tests/fuzz/innova360_session_fuzz.cc.
namespace support {

// What a vendor's PBX says: messages in which each '$' is replaced by one of the tokens. Raw bytes
// come besides, so this only helps the fuzzer past the login.
struct SessionWords {
  std::span<const std::string_view> messages;
  std::span<const std::string_view> tokens;
  std::span<const std::string_view> login;  // the way to Ready
  // What the server says over HTTP, on the way to Ready and sometimes later; nullptr if the session
  // does not ask.
  pbx::HttpReply (*http)(const pbx::SendHttp& request) = nullptr;
  // Whose streams media clients open, and what the PBX says on their links, first of all that they
  // are registered; empty: nobody does.
  std::span<const std::string_view> devices = {}, phone_messages = {};
  // PBXs that open links to us; empty: it is the session that opens its primary one.
  std::span<const pbx::Arrival> arrivals = {};
};

// Consumes the fuzzer's bytes; zeros when there are no more.
class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  bool empty() const { return size_ == 0; }
  std::uint8_t next() {
    if (size_ == 0) return 0;
    --size_;
    return *data_++;
  }
  std::size_t below(std::size_t count) { return count == 0 ? 0 : next() % count; }
  std::string_view text(std::size_t most) {
    const std::size_t length = std::min(size_, most);
    const std::string_view text(reinterpret_cast<const char*>(data_), length);
    data_ += length;
    size_ -= length;
    return text;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

class SessionScript {
 public:
  SessionScript(const pbx::Vendor& vendor, const pbx::Settings& settings, SessionWords words)
      : words_(words),
        session_(vendor.make_session(settings, 7)),
        tracker_(vendor.capabilities, 1) {}

  // What was promised and not kept; empty if all was.
  std::string play(Bytes bytes) {
    carry_out(session_->on_start(now_));
    if (bytes.next() % 8 != 0) {
      answer_all();
      pbx::LinkId first = pbx::kPrimary;
      if (words_.arrivals.empty()) {
        carry_out(session_->on_link_open(first, now_));
      } else {
        first = arrive(bytes);
      }
      for (auto text : words_.login) hear(first, text);
      answer_all();
    }
    while (!bytes.empty() && broken_.empty() && !over_) step(bytes);
    if (over_) return broken_;
    // Commands have limits; when all of them have passed there is nothing left to wait for.
    pass(std::chrono::minutes(2));
    for (const auto& [id, answers] : answers_) {
      if (answers != 1 && !over_) fail("command " + std::to_string(id) + " was not answered");
    }
    return broken_;
  }

 private:
  void step(Bytes& bytes) {
    if (!words_.devices.empty() && bytes.next() % 2 == 0) return step_of_client(bytes);
    if (!words_.arrivals.empty() && bytes.next() % 16 == 0) {
      arrive(bytes);
      return;
    }
    switch (bytes.below(16)) {
      case 0: hear(link(bytes), bytes.text(bytes.next())); break;
      case 1: carry_out(session_->on_link_open(link(bytes), now_)); break;
      case 2: lose(link(bytes)); break;
      case 3: pass(std::chrono::milliseconds(bytes.next() * 4)); break;
      case 4: pass(std::chrono::seconds(bytes.next())); break;
      case 5:
        if (words_.http != nullptr && bytes.next() % 2 == 0) {
          answer(bytes);
        } else {
          tick();
        }
        break;
      case 6:
      case 7:
      case 8: ask(bytes); break;
      case 9: {  // the login, on any link
        const pbx::LinkId on = link(bytes);
        for (auto text : words_.login) hear(on, text);
        break;
      }
      default: hear(link(bytes), message(words_.messages, bytes)); break;
    }
  }

  pbx::LinkId arrive(Bytes& bytes) {
    const pbx::LinkId link = pbx::kFirstArrived + arrived_++;
    links_.insert(link);
    carry_out(session_->on_link_arrived(link, words_.arrivals[bytes.below(words_.arrivals.size())],
                                        now_));
    return link;
  }

  // As ids of calls and as numbers, so that what the client says and what the PBX says meets.
  static constexpr std::size_t kFewTokens = 4;

  // Around the streams of media clients.
  void step_of_client(Bytes& bytes) {
    switch (bytes.below(8)) {
      case 0: {
        const call::SignalId id = ++last_signal_;
        streams_[id] = {};
        const call::DeviceId device(words_.devices[bytes.below(words_.devices.size())]);
        carry_out(session_->on_signal_open(id, {device, bytes.next() % 4 != 0, "fuzz"}, now_));
        if (bytes.next() % 4 == 0) break;  // not all the way
        answer_all();
        const pbx::LinkId link = links_.empty() ? pbx::kPrimary : *links_.rbegin();
        if (link == pbx::kPrimary) break;
        carry_out(session_->on_link_open(link, now_));
        hear(link, message({words_.phone_messages.data(), 1}, bytes, kFewTokens));
        break;
      }
      case 1: {
        const auto stream = pick_stream(bytes);
        if (stream == streams_.end()) break;
        const call::SignalId id = stream->first;
        streams_.erase(stream);
        carry_out(session_->on_signal_close(id, now_));
        break;
      }
      case 2: answer_all(); break;
      case 3: carry_out(session_->on_link_open(link_of_stream(bytes), now_)); break;
      case 4:
        if (bytes.next() % 8 == 0) lose(link_of_stream(bytes));
        break;
      case 5:
      case 6: signal(bytes); break;
      default:
        hear(link_of_stream(bytes), message(words_.phone_messages, bytes, kFewTokens));
        break;
    }
  }

  void lose(pbx::LinkId link) {
    if (link == pbx::kPrimary) return;  // would end the session
    links_.erase(link);
    carry_out(session_->on_link_closed(link, base::Errc::link_lost, "", now_));
  }

  struct Stream {
    bool ready = false;
    std::set<std::string> calls;  // that are not over
  };
  using Streams = std::map<call::SignalId, Stream>;
  Streams::iterator pick_stream(Bytes& bytes) {
    return std::next(streams_.begin(), static_cast<std::ptrdiff_t>(bytes.below(streams_.size())));
  }
  // The primary one, if there is no other.
  pbx::LinkId link_of_stream(Bytes& bytes) {
    auto others = links_;
    others.erase(pbx::kPrimary);
    if (others.empty()) return pbx::kPrimary;
    return *std::next(others.begin(), static_cast<std::ptrdiff_t>(bytes.below(others.size())));
  }

  // A client's message on a stream that takes them.
  void signal(Bytes& bytes) {
    const auto stream = pick_stream(bytes);
    if (stream == streams_.end() || !stream->second.ready) return;
    const std::string call(token(bytes, kFewTokens)), text(token(bytes, kFewTokens));
    call::FromClient message;
    switch (bytes.below(10)) {
      case 0:
      case 1: message = call::StartCall{call, text, "v=0"}; break;
      case 2:
      case 3: message = call::AnswerOffer{call, "v=0"}; break;
      case 4: message = call::IceCandidate{call, text, "0", 0}; break;
      case 5: message = call::RejectCall{call, call::RejectCall::Why::busy}; break;
      case 6: message = call::HoldMedia{call}; break;
      case 7: message = call::ResumeMedia{call, bytes.next() % 2 == 0 ? "" : "v=0"}; break;
      case 8: message = call::TransferMedia{call, text}; break;
      default: message = call::HangUp{call}; break;
    }
    // A call of the client's begins unless it is refused, which is said at once.
    const call::SignalId id = stream->first;
    const bool starts = std::holds_alternative<call::StartCall>(message);
    if (starts && stream->second.calls.insert(call).second) starting_ = call;
    carry_out(session_->on_signal(id, message, now_));
    starting_.reset();
  }

  void hear_of(const pbx::Signal& signal) {
    const auto stream = streams_.find(signal.id);
    if (stream == streams_.end()) return fail("a stream is told something that is not open");
    if (std::holds_alternative<call::SignalReady>(signal.message) == stream->second.ready) {
      return fail("a stream is not ready first, and once");
    }
    stream->second.ready = true;
    std::set<std::string>& calls = stream->second.calls;
    std::visit(
        [&](const auto& it) {
          using Message = std::decay_t<decltype(it)>;
          if constexpr (std::is_same_v<Message, call::SignalReady>) {
          } else if constexpr (std::is_same_v<Message, call::IncomingCall>) {
            if (!calls.insert(it.call).second) fail("a call comes in under the id of another one");
          } else if constexpr (std::is_same_v<Message, call::SignalRefused>) {
            if (starting_ == it.call) calls.erase(it.call);
          } else if (!calls.contains(it.call)) {
            fail("something is told of a call that there is not: " + it.call);
          } else if constexpr (std::is_same_v<Message, call::SignalledCallEnded>) {
            calls.erase(it.call);
          }
        },
        signal.message);
  }

  // One request, as the server would, or with anything.
  void answer(Bytes& bytes) {
    if (requests_.empty()) return;
    const pbx::SendHttp request = requests_.front();
    requests_.erase(requests_.begin());
    constexpr unsigned kStatus[] = {200, 200, 401, 403, 404, 500, 302};
    switch (bytes.below(4)) {
      case 0: carry_out(session_->on_http(request.id, base::Errc::timed_out, "", now_)); break;
      case 1: {
        const auto status = kStatus[bytes.below(std::size(kStatus))];
        pbx::HttpReply reply{status, {}, std::string(bytes.text(bytes.next()))};
        carry_out(session_->on_http(request.id, reply, "", now_));
        break;
      }
      default: carry_out(session_->on_http(request.id, words_.http(request), "", now_)); break;
    }
  }
  void answer_all() {
    for (int i = 0; i < 8 && words_.http != nullptr && !requests_.empty() && !over_; ++i) {
      const pbx::SendHttp request = requests_.front();
      requests_.erase(requests_.begin());
      carry_out(session_->on_http(request.id, words_.http(request), "", now_));
    }
  }

  // One of the first `most`.
  std::string_view token(Bytes& bytes, std::size_t most = SIZE_MAX) {
    return words_.tokens[bytes.below(std::min(most, words_.tokens.size()))];
  }

  std::string message(std::span<const std::string_view> messages, Bytes& bytes,
                      std::size_t tokens = SIZE_MAX) {
    std::string text;
    for (char c : messages[bytes.below(messages.size())]) {
      if (c == '$') {
        text += token(bytes, tokens);
      } else {
        text += c;
      }
    }
    return text;
  }

  // The primary one mostly.
  pbx::LinkId link(Bytes& bytes) {
    const std::uint8_t choice = bytes.next();
    return choice < 160 ? pbx::kPrimary : static_cast<pbx::LinkId>(choice % 8);
  }

  void hear(pbx::LinkId on, std::string_view text) {
    if (!over_) carry_out(session_->on_text(on, text, now_));
  }

  void ask(Bytes& bytes) {
    const call::CommandId id = ++last_command_;
    std::vector<call::Target> targets;
    for (const auto& [key, call] : tracker_.book().calls) {
      for (const call::Connection& connection : call.connections) {
        targets.push_back({call.key, connection.leg, connection.party.device});
      }
    }
    call::Target target;
    if (!targets.empty()) target = targets[bytes.below(targets.size())];
    const std::string number(token(bytes));
    const call::DeviceId device(token(bytes));
    call::Command command;
    switch (bytes.below(words_.http != nullptr ? 14 : 6)) {
      case 6: command = call::AnswerCall{target}; break;
      case 7: command = call::RetrieveCall{target}; break;
      case 8: command = call::ConsultationCall{target, number}; break;
      case 9:
        command = call::TransferCall{target, targets.empty() ? target : targets.back()};
        break;
      case 10: command = call::DirectedPickupCall{device, target}; break;
      case 11: command = call::SetDoNotDisturb{device, true}; break;
      case 12: command = call::ParkCall{target, number}; break;
      case 13: command = call::SetForwarding{device, {{}, number}}; break;
      case 0: command = call::ClearConnection{target}; break;
      case 1: command = call::ClearCall{targets}; break;
      case 2: command = call::SingleStepTransferCall{target, number}; break;
      case 3: command = call::HoldCall{target}; break;
      default: command = call::MakeCall{device, number, {}}; break;
    }
    const auto limit = now_ + std::chrono::milliseconds(bytes.next() * 200);
    answers_[id] = 0;
    carry_out(session_->on_command(id, command, limit, now_));
  }

  void tick() {
    carry_out(session_->on_tick(now_));
    if (session_->deadline() <= now_) fail("the deadline does not move on");
  }

  void pass(std::chrono::milliseconds span) {
    const pbx::TimePoint until = now_ + span;
    for (int ticks = 0; session_->deadline() <= until && broken_.empty() && !over_; ++ticks) {
      now_ = std::max(now_, session_->deadline());
      tick();
      if (ticks > 100'000) fail("it never comes to rest");
    }
    now_ = until;
  }

  void carry_out(const pbx::Effects& effects) {
    for (const pbx::Effect& effect : effects) {
      if (over_) fail("there is something after GiveUp");
      if (const auto* open = std::get_if<pbx::OpenLink>(&effect)) {
        if (!links_.insert(open->link).second) fail("a link is opened twice");
      } else if (const auto* send = std::get_if<pbx::SendText>(&effect)) {
        if (!links_.contains(send->link)) fail("something is sent on a link that is not there");
      } else if (const auto* close = std::get_if<pbx::CloseLink>(&effect)) {
        if (links_.erase(close->link) == 0) fail("a link is closed that is not there");
      } else if (const auto* request = std::get_if<pbx::SendHttp>(&effect)) {
        if (!http_ids_.insert(request->id).second) fail("a request's number is used twice");
        requests_.push_back(*request);
      } else if (const auto* answer = std::get_if<pbx::Answer>(&effect)) {
        const auto it = answers_.find(answer->id);
        if (it == answers_.end() || ++it->second > 1) fail("a command is answered twice");
      } else if (const auto* signal = std::get_if<pbx::Signal>(&effect)) {
        hear_of(*signal);
      } else if (const auto* end = std::get_if<pbx::EndSignal>(&effect)) {
        if (streams_.erase(end->id) == 0) fail("a stream ends that is not open");
      } else if (const auto* seen = std::get_if<pbx::Observe>(&effect)) {
        observe(seen->seen);
      } else if (std::holds_alternative<pbx::GiveUp>(effect)) {
        over_ = true;
      }
    }
  }

  void observe(const call::Observation& seen) {
    std::set<std::string> legs;
    const auto check = [&](const call::CallView& view) {
      if (view.legs.empty()) fail("a call has no legs");
      for (const call::Leg& leg : view.legs) {
        if (leg.id.empty()) fail("a leg has no id");
        if (!legs.insert(leg.id).second) fail("a leg is shown twice: " + leg.id);
      }
    };
    if (const auto* one = std::get_if<call::CallSeen>(&seen)) check(one->call);
    if (const auto* all = std::get_if<call::CallsSeen>(&seen)) {
      for (const call::CallView& view : all->calls) check(view);
    }
    call::Context context;
    context.now =
        call::Time(std::chrono::duration_cast<call::Time::duration>(now_.time_since_epoch()));
    for (const call::Event& event : tracker_.apply(seen, context)) {
      for (const std::string& violation : consumer_.apply(event)) fail(violation);
    }
  }

  void fail(std::string what) {
    if (broken_.empty()) broken_ = std::move(what);
  }

  SessionWords words_;
  std::unique_ptr<pbx::Session> session_;
  call::Tracker tracker_;
  call::Fold consumer_;
  pbx::TimePoint now_{std::chrono::hours(1)};
  std::set<pbx::LinkId> links_;
  pbx::LinkId arrived_ = 0;
  std::vector<pbx::SendHttp> requests_;  // not answered yet
  std::set<pbx::HttpId> http_ids_;
  std::map<call::CommandId, int> answers_;
  call::CommandId last_command_ = 0;
  Streams streams_;
  call::SignalId last_signal_ = 0;
  std::optional<std::string> starting_;  // the call that a message in hand starts
  bool over_ = false;
  std::string broken_;
};

}  // namespace support
