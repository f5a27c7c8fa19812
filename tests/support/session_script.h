#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
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
      carry_out(session_->on_link_open(pbx::kPrimary, now_));
      for (auto text : words_.login) hear(pbx::kPrimary, text);
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
    switch (bytes.below(16)) {
      case 0: hear(link(bytes), bytes.text(bytes.next())); break;
      case 1: carry_out(session_->on_link_open(link(bytes), now_)); break;
      case 2: {
        const pbx::LinkId lost = link(bytes);
        if (lost == pbx::kPrimary) break;  // would end the session
        links_.erase(lost);
        carry_out(session_->on_link_closed(lost, base::Errc::link_lost, "", now_));
        break;
      }
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
      default: hear(link(bytes), message(bytes)); break;
    }
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

  std::string_view token(Bytes& bytes) { return words_.tokens[bytes.below(words_.tokens.size())]; }

  std::string message(Bytes& bytes) {
    std::string text;
    for (char c : words_.messages[bytes.below(words_.messages.size())]) {
      if (c == '$') {
        text += token(bytes);
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
  std::vector<pbx::SendHttp> requests_;  // not answered yet
  std::set<pbx::HttpId> http_ids_;
  std::map<call::CommandId, int> answers_;
  call::CommandId last_command_ = 0;
  bool over_ = false;
  std::string broken_;
};

}  // namespace support
