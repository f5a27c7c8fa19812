#include "simulator/innovaphone/dialect.h"

#include <algorithm>
#include <array>
#include <utility>

#include "simulator/innovaphone/login.h"

namespace simulator::innovaphone {

using engine::Change;
using engine::ConnectionId;
using engine::Faults;
using engine::Frame;
using engine::HttpAnswer;
using engine::HttpRequest;
using engine::kOutside;
using engine::Millis;
using engine::Noise;
using engine::TimePoint;

namespace {

constexpr std::size_t kHeldBackMax = 200'000;  // frames; what comes beyond is lost
constexpr std::size_t kMessageMax = 65'535;    // what the vendor's libraries take
constexpr std::size_t kActionsMax = 200;       // kinds of requests that are counted
constexpr std::uint16_t kNormal = 1000, kTooBig = 1009;
constexpr std::array kNoise{Noise::unknown_action, Noise::unknown_type, Noise::invalid_json,
                            Noise::not_an_object, Noise::truncated};

Frame frame_of(std::string text) { return std::make_shared<const std::string>(std::move(text)); }
Frame frame_of(const json::object& message) { return frame_of(json::serialize(message)); }

std::string noise_text(Noise kind, std::size_t oversized_bytes) {
  switch (kind) {
    case Noise::unknown_action: return R"({"mt":"Surprise","api":"RCC","user":1})";
    case Noise::unknown_type: return R"({"mt":"CallInfo","api":"Weather","rain":[1,{}]})";
    case Noise::invalid_json: return R"({"mt":"CallInfo",)";
    case Noise::not_an_object: return R"([1,"CallInfo"])";
    case Noise::truncated: return R"({"mt":"CallInfo","api":"RCC","user":1,"ca)";
    case Noise::oversized:
      return R"({"mt":"Surprise","filling":")" + std::string(oversized_bytes, 'x') + "\"}";
  }
  return {};
}

}  // namespace

Dialect::Dialect(Settings settings, engine::Tenant& tenant, engine::Wire& wire)
    : pbx_(std::move(settings), tenant),
      wire_(wire),
      random_(pbx_.settings.seed),
      calls_(pbx_, *this),
      rcc_(pbx_, calls_, *this),
      table_users_(pbx_, *this),
      presence_(pbx_, *this),
      dialer_(pbx_, *this, wire, pbx_.settings.clock.start),
      admin_(pbx_, *this, [this](const AppObject& app) { return dialer_.is_connected(app); }) {}

// Sockets.

HttpAnswer Dialect::on_http(const HttpRequest& request, TimePoint) {
  HttpAnswer answer;
  if (pbx_.faults.silent) {
    answer.kind = HttpAnswer::Kind::never;
  } else if (take_one(pbx_.faults.drop_requests)) {
    answer.kind = HttpAnswer::Kind::drop;
  } else if (!request.upgrade || pbx_.settings.pbx_at(request.path()) == std::string::npos) {
    answer.reply.status = 404;
  } else if (take_one(pbx_.faults.refuse_upgrades)) {
    answer.reply.status = 403;
  } else {
    answer.kind = HttpAnswer::Kind::accept;
    answer.visitor = request.path();
  }
  return answer;
}

void Dialect::on_open(ConnectionId connection, std::string_view target, bool, TimePoint now) {
  if (!dialer_.on_open(connection, now)) {
    const auto pbx = pbx_.settings.pbx_at(target.substr(0, target.find('?')));
    if (pbx == std::string::npos)
      return wire_.drop(connection);  // dialled, and not wanted any more
    Socket& socket = pbx_.sockets[connection];
    socket.id = connection;
    socket.pbx = pbx;
    ++pbx_.counters.accepted["app"];
  }
  Socket& socket = pbx_.sockets[connection];
  if (!pbx_.faults.silent) return;
  socket.silent = true;
  wire_.go_silent(connection);
}

void Dialect::on_closed_at(ConnectionId connection, TimePoint now) {
  dialer_.on_closed(connection, now);
  forget(connection);
}

void Dialect::forget(ConnectionId connection) {
  pbx_.sockets.erase(connection);
  table_users_.on_closed(connection);
  presence_.on_closed(connection);
}

std::vector<engine::ConnectionInfo> Dialect::connections() const {
  std::vector<engine::ConnectionInfo> all;
  for (const auto& [id, socket] : pbx_.sockets) {
    const bool one = socket.confined != kOutside;
    all.push_back({id,
                   socket.by_us ? "dialled"
                   : one        ? "user"
                                : "app",
                   one ? pbx_.users.number(socket.confined) : "", socket.logged_in});
  }
  return all;
}

// What clients say.

void Dialect::on_text(ConnectionId connection, std::string_view text, TimePoint now) {
  const auto it = pbx_.sockets.find(connection);
  if (it == pbx_.sockets.end() || it->second.silent) return;
  ++pbx_.counters.frames_received;
  if (text.size() > kMessageMax) {
    on_closed_at(connection, now);
    return wire_.close(connection, kTooBig, "message too big");
  }
  const auto message = parse_message(text);
  if (!message) {
    ++pbx_.counters.frames_ignored;
    return;
  }
  if (it->second.by_us && dialer_.on_message(it->second, *message, now)) return;
  if (message->api.empty()) return base_message(it->second, *message, now);
  if (it->second.logged_in) return api_message(it->second, *message, now);
  ++pbx_.counters.frames_ignored;
}

void Dialect::base_message(Socket& socket, const Message& message, TimePoint now) {
  if (message.mt == "AppChallenge") {
    socket.challenge = make_challenge(pbx_.settings, random_);
    json::object result = result_of(message);
    result["challenge"] = socket.challenge;
    if (pbx_.settings.variants.challenge == Variants::Challenge::number) {
      result["challenge"] = std::stoll(socket.challenge);
    }
    return answer(socket, result, now);
  }
  if (message.mt == "AppLogin") return log_in(socket, message, now);
  if (message.mt == "KeepAlive" && socket.logged_in && pbx_.settings.variants.keep_alive) {
    return answer(socket, json::object{{"mt", "KeepAlive"}}, now);
  }
  ++pbx_.counters.frames_ignored;
}

void Dialect::log_in(Socket& socket, const Message& login, TimePoint now) {
  const Variants& variants = pbx_.settings.variants;
  json::object result = result_of(login);
  const Millis after = pbx_.faults.login_delay;
  if (take_one(pbx_.faults.forbidden) || !innovaphone::log_in(pbx_, socket, login)) {
    ++pbx_.counters.logins_refused;
    if (variants.failure == Variants::Failure::ok_false) result["ok"] = false;
    if (variants.failure == Variants::Failure::error) {
      result["error"] = 1;
      result["errorText"] = "digest mismatch";
    }
    send_after(socket.id, frame_of(result), after, now);
    if (!variants.close_refused) return;
    const ConnectionId id = socket.id;
    forget(id);
    return wire_.close(id, kNormal, "");
  }
  ++pbx_.counters.logins_ok;
  wire_.logged_in(socket.id);
  result["ok"] = true;
  send_after(socket.id, frame_of(result), after, now);
  if (!take_one(pbx_.faults.drop_before_init)) return;
  const ConnectionId id = socket.id;
  forget(id);
  wire_.drop(id);
}

void Dialect::api_message(Socket& socket, const Message& message, TimePoint now) {
  auto& actions = pbx_.counters.actions;
  if (actions.size() < kActionsMax) ++actions[message.mt];
  if (!is_granted(socket, message.api)) {
    ++pbx_.counters.frames_ignored;
    if (pbx_.settings.variants.ungranted == Variants::Ungranted::silent) return;
    json::object result = result_of(message);
    result["error"] = "not granted";
    return answer(socket, result, now);
  }
  executing_ = true;
  const bool known =
      (message.api == "RCC" && rcc_.answer(socket, message, now)) ||
      (message.api == "PbxTableUsers" && table_users_.answer(socket, message, now)) ||
      (message.api == "PbxAdminApi" && admin_.answer(socket, message, now)) ||
      (message.api == "PbxApi" && presence_.answer(socket, message, now));
  executing_ = false;
  if (!known) ++pbx_.counters.frames_ignored;
  for (const Waiting& each : std::exchange(after_it_, {})) {
    tell_now(each.connection, each.frame, now);
  }
}

// What they are told.

void Dialect::answer(const Socket& socket, const json::object& message, TimePoint now) {
  send_after(socket.id, frame_of(message), pbx_.faults.results_late, now);
}

void Dialect::tell(const Socket& socket, const json::object& message, TimePoint now, Millis after) {
  Frame frame = frame_of(message);
  if (after.count() > 0) return send_after(socket.id, frame, after, now);
  if (!executing_) return tell_now(socket.id, frame, now);
  after_it_.push_back({socket.id, std::move(frame)});
}

void Dialect::tell_now(ConnectionId connection, const Frame& frame, TimePoint now) {
  const Faults& faults = pbx_.faults;
  const auto count = ++pbx_.counters.events;
  send(connection, frame, now);
  if (faults.duplicate > 0 && count % faults.duplicate == 0) send(connection, frame, now);
  if (faults.noise_every > 0 && count % faults.noise_every == 0) {
    send(connection, frame_of(noise_text(kNoise[random_.below(kNoise.size())], 0)), now);
  }
}

void Dialect::send_after(ConnectionId connection, const Frame& frame, Millis after, TimePoint now) {
  if (after.count() <= 0) return send(connection, frame, now);
  if (later_.size() < kHeldBackMax) later_.emplace(now + after, Waiting{connection, frame});
}

// Frames that the delay holds back never overtake each other, also when it gets shorter.
void Dialect::send(ConnectionId connection, const Frame& frame, TimePoint now) {
  const Millis delay = pbx_.faults.delay;
  if (delay.count() > 0 || !delayed_.empty()) {
    if (delayed_.size() >= kHeldBackMax) return;
    TimePoint due = now + delay;
    if (!delayed_.empty()) due = std::max(due, delayed_.back().due);
    delayed_.push_back({{connection, frame}, due});
    return;
  }
  if (pbx_.faults.silent) return;
  ++pbx_.counters.frames_sent;
  wire_.send(connection, frame);
}

void Dialect::on_change(const Change& change) {
  calls_.on_change(change);
  rcc_.on_change(change);
  table_users_.on_change(change, change.at);
  presence_.on_change(change);
}

TimePoint Dialect::deadline() const {
  TimePoint due = std::min({rcc_.deadline(), presence_.deadline(), dialer_.deadline()});
  if (!later_.empty()) due = std::min(due, later_.begin()->first);
  if (!delayed_.empty()) due = std::min(due, delayed_.front().due);
  return due;
}

void Dialect::advance(TimePoint now) {
  dialer_.advance(now);
  rcc_.advance(now);
  presence_.advance(now);
  while (!later_.empty() && later_.begin()->first <= now) {
    const auto next = later_.extract(later_.begin());
    send(next.mapped().connection, next.mapped().frame, next.key());
  }
  while (!delayed_.empty() && delayed_.front().due <= now) {
    const Delayed next = std::move(delayed_.front());
    delayed_.pop_front();
    if (pbx_.faults.silent) continue;
    ++pbx_.counters.frames_sent;
    wire_.send(next.connection, next.frame);
  }
}

// Faults.

void Dialect::set_faults(const Faults& faults, TimePoint now) {
  const Faults before = std::exchange(pbx_.faults, faults);
  if (faults.silent && !before.silent) {
    for (auto& [id, socket] : pbx_.sockets) {
      socket.silent = true;
      wire_.go_silent(id);
    }
  }
  // A connection that was half-open does not come back to life: it is reset.
  if (before.silent && !faults.silent) drop_all(now);
  if (before.duplicate_sockets != faults.duplicate_sockets) dialer_.set_faults(now);
  if (before.refuse_connections != faults.refuse_connections) {
    wire_.refuse(faults.refuse_connections);
  }
}

void Dialect::happen(const engine::Incident& incident, TimePoint now) {
  for (const Noise kind : incident.noise) {
    const Frame frame = frame_of(noise_text(kind, incident.oversized_bytes));
    for (const auto& [id, socket] : pbx_.sockets) {
      if (socket.logged_in) send(id, frame, now);
    }
  }
  if (incident.drop_all || incident.restart) drop_all(now);
  if (!incident.restart) return;
  if (!incident.calls_survive) {
    pbx_.tenant.forget_calls();
    calls_.forget();
    rcc_.look_again();
  }
  pbx_.tenant.renew_ids();
}

void Dialect::drop_all(TimePoint now) {
  std::vector<ConnectionId> all;
  for (const auto& [id, socket] : pbx_.sockets) all.push_back(id);
  for (const auto id : all) {
    on_closed_at(id, now);
    wire_.drop(id);
  }
  later_.clear();
  delayed_.clear();
}

}  // namespace simulator::innovaphone
