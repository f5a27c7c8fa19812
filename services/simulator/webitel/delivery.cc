#include <algorithm>
#include <array>
#include <utility>

#include "simulator/webitel/dialect.h"
#include "simulator/webitel/rest.h"
#include "simulator/webitel/text.h"

// What clients are told: events with their numbers, answers, and what becomes of either when
// something is wrong.
namespace simulator::webitel {

using engine::ConnectionId;
using engine::Faults;
using engine::Frame;
using engine::Millis;
using engine::Noise;
using engine::TimePoint;

namespace {

constexpr std::size_t kHeldBackMax = 200'000;  // frames; what comes beyond is lost
constexpr Millis kLateAnswer{1'000};
constexpr std::array kNoise{Noise::unknown_action, Noise::unknown_type, Noise::invalid_json,
                            Noise::not_an_object, Noise::truncated};

std::string noise_text(Noise kind, std::size_t oversized_bytes) {
  switch (kind) {
    case Noise::unknown_action: return R"({"event":"weather","data":{"rain":[1,{}]},"seq":0})";
    case Noise::unknown_type: return R"({"seq_reply":999999999,"status":"MAYBE","data":7})";
    case Noise::invalid_json: return R"({"event":"call",)";
    case Noise::not_an_object: return R"([1,"call"])";
    case Noise::truncated: return R"({"event":"call","data":{"call":{"id":"53a8)";
    case Noise::oversized:
      return R"({"event":"weather","seq":0,"data":{"filling":")" +
             std::string(oversized_bytes, 'x') + "\"}}";
  }
  return {};
}

Frame frame_of(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

}  // namespace

void Dialect::subscribe(UserId user, Topic topic, TimePoint now) {
  subscriptions_.emplace(std::pair(user, topic), now + pbx_.settings.bind_delay);
}

bool Dialect::is_subscribed(UserId user, Topic topic, TimePoint now) const {
  const auto it = subscriptions_.find({user, topic});
  return it != subscriptions_.end() && it->second <= now;
}

void Dialect::push(UserId user, Topic topic, std::string_view name, json::object data,
                   TimePoint now) {
  if (!is_subscribed(user, topic, now)) return;
  for (auto& [id, peer] : peers_) {
    if (peer.user != user) continue;
    if (!is_valid(peer, now)) {
      tell_expired(id, peer, now);
      continue;
    }
    for (unsigned i = 0; i < peer.registrations; ++i) {
      tell(id, {std::string(name), data, topic == Topic::calls ? kNobody : user}, now);
    }
  }
}

// Events of calls may be late, or not come at all.
void Dialect::tell(ConnectionId connection, Event event, TimePoint now) {
  const Faults& faults = pbx_.faults;
  const json::object* call = event.name == "call" ? object_at(event.data, "call") : nullptr;
  const std::string kind = call ? text_at(*call, "event") : "";
  Millis after{0};
  if (kind == "ringing" && faults.new_call == Faults::NewCall::missing) return;
  if (kind == "ringing" && faults.new_call == Faults::NewCall::late) after = faults.new_call_delay;
  if (call && kind != "hangup") after = std::max(after, faults.reorder_hangup);
  if (after.count() <= 0) return tell_now(connection, event, now);
  Later later;
  later.connection = connection;
  later.event = std::move(event);
  send_after(std::move(later), after, now);
}

void Dialect::tell_now(ConnectionId connection, const Event& event, TimePoint now) {
  const auto it = peers_.find(connection);
  if (it == peers_.end()) return;
  Faults& faults = pbx_.faults;
  const bool greets = event.name == "hello";
  const auto text_of = [&] {
    json::object data = event.data;
    if (faults.text_data && event.name == "call") {
      json::object& call = data.at("call").as_object();
      call["data"] = json::serialize(call.at("data"));
    }
    json::object frame{{"event", event.name}, {"data", std::move(data)}, {"seq", it->second.seq++}};
    if (event.user != kNobody) frame["user_id"] = event.user;
    return go_text(frame);
  };
  if (!greets && take_one(faults.lost_events)) {
    ++it->second.seq;
    return;
  }
  const auto count = ++pbx_.counters.events;
  send(connection, frame_of(text_of()), now);
  if (greets) return;
  if (faults.duplicate > 0 && count % faults.duplicate == 0) {
    send(connection, frame_of(text_of()), now);
  }
  if (faults.filler) send(connection, frame_of(std::string(4, '\0')), now);
  if (faults.noise_every > 0 && count % faults.noise_every == 0) {
    send(connection, frame_of(noise_text(kNoise[random_.below(kNoise.size())], 0)), now);
  }
}

void Dialect::resolve(const Asker& asker, json::object data, TimePoint now) {
  if (asker.ticket == 0) return reply(asker, std::move(data), nullptr, now);
  Later later;
  later.ticket = asker.ticket;
  later.reply = engine_answer(pbx_, std::move(data)).reply;
  send_after(std::move(later), pbx_.faults.results_late, now);
}

void Dialect::reject(const Asker& asker, const Problem& problem, TimePoint now) {
  if (asker.ticket == 0) return reply(asker, {}, &problem, now);
  Later later;
  later.ticket = asker.ticket;
  later.reply = engine_problem(pbx_, problem).reply;
  send_after(std::move(later), pbx_.faults.results_late, now);
}

void Dialect::reply(const Asker& asker, json::object data, const Problem* problem, TimePoint now) {
  json::object frame{{"status", problem ? "FAIL" : "OK"}};
  if (asker.seq != 0) frame["seq_reply"] = asker.seq;
  if (problem) frame["error"] = problem->object();
  if (!data.empty()) frame["data"] = std::move(data);
  Millis after = pbx_.faults.results_late;
  const auto late = pbx_.faults.late_answers;
  if (late > 0 && ++answers_ % late == 0) after += kLateAnswer;
  Later later;
  later.connection = asker.connection;
  later.frame = frame_of(go_text(frame));
  send_after(std::move(later), after, now);
}

void Dialect::send_after(Later later, Millis after, TimePoint now) {
  if (after.count() <= 0) return release(std::move(later), now);
  if (later_.size() < kHeldBackMax) later_.emplace(now + after, std::move(later));
}

void Dialect::release(Later later, TimePoint now) {
  if (later.event) return tell_now(later.connection, *later.event, now);
  if (later.ticket == 0) return send(later.connection, later.frame, now);
  if (!pbx_.faults.silent) wire_.answer(later.ticket, std::move(later.reply));
}

// Frames that the delay holds back never overtake each other, also when it gets shorter.
void Dialect::send(ConnectionId connection, const Frame& frame, TimePoint now) {
  const Millis delay = pbx_.faults.delay;
  if (delay.count() > 0 || !delayed_.empty()) {
    if (delayed_.size() >= kHeldBackMax) return;
    TimePoint due = now + delay;
    if (!delayed_.empty()) due = std::max(due, delayed_.back().due);
    delayed_.push_back({due, connection, frame});
    return;
  }
  if (pbx_.faults.silent) return;
  ++pbx_.counters.frames_sent;
  wire_.send(connection, frame);
}

// A frame to spoil the day with, now, for everybody who has logged in.
void Dialect::make_noise(Noise kind, std::size_t oversized_bytes, TimePoint now) {
  const Frame frame = frame_of(noise_text(kind, oversized_bytes));
  for (const auto& [id, peer] : peers_) {
    if (peer.user != kNobody) send(id, frame, now);
  }
}

}  // namespace simulator::webitel
