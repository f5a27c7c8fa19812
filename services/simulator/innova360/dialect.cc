#include "simulator/innova360/dialect.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/overloaded.h"

namespace simulator::innova360 {

using engine::Change;
using engine::ConnectionId;
using engine::ExtensionIndex;
using engine::Faults;
using engine::Frame;
using engine::kOutside;
using engine::Leg;
using engine::Noise;
using engine::TimePoint;

namespace {

constexpr std::size_t kHeldBackMax = 200'000;  // frames; what comes beyond is lost
constexpr std::array kNoise{Noise::unknown_action, Noise::unknown_type, Noise::invalid_json,
                            Noise::not_an_object, Noise::truncated};

Frame frame_of(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

std::string_view action_of(const ClientFrame& frame) {
  if (std::holds_alternative<CallAction>(frame)) return "call";
  if (std::holds_alternative<BlindTransferAction>(frame)) return "blindtransfer";
  if (std::holds_alternative<HangupAction>(frame)) return "hangup";
  return {};
}

// Counts down, unless it stands for "always". True if it was this one's turn.
bool take_one(std::uint32_t& count) {
  if (count == 0) return false;
  if (count != Faults::kAlways) --count;
  return true;
}

}  // namespace

Dialect::Dialect(Settings settings, engine::Tenant& tenant, engine::Wire& wire)
    : settings_(std::move(settings)),
      tenant_(tenant),
      wire_(wire),
      encoder_(settings_.variants, settings_.server, settings_.clock, tenant),
      random_(settings_.seed) {}

// Connections and logins.

// This PBX serves no pages: all there is are the two WebSockets.
engine::HttpAnswer Dialect::on_http(const engine::HttpRequest& request, TimePoint) {
  engine::HttpAnswer answer;
  const auto path = request.path();
  if (request.upgrade && (path == kSupervisorPath || path == kAgentPath)) {
    answer.kind = engine::HttpAnswer::Kind::accept;
    answer.visitor = path;
  } else {
    answer.reply.status = 404;
  }
  return answer;
}

void Dialect::on_open(ConnectionId connection, std::string_view target, bool welcomed,
                      TimePoint now) {
  Peer& peer = peers_[connection];
  peer.supervisor = target == kSupervisorPath;
  ++counters_.accepted[peer.supervisor ? "supervisor" : "agent"];
  if (faults_.silent) {
    peer.silent = true;
    return wire_.go_silent(connection);
  }
  if (!welcomed && !faults_.no_welcome) send(connection, encoder_.welcome(), now);
}

void Dialect::on_text(ConnectionId connection, std::string_view text, TimePoint now) {
  const auto it = peers_.find(connection);
  if (it == peers_.end() || it->second.silent) return;
  ++counters_.frames_received;
  const ClientFrame frame = parse_client_frame(text);
  if (it->second.logged_in) return act(connection, it->second, frame, now);
  const auto* login = std::get_if<AuthPlain>(&frame);
  if (!login) {
    ++counters_.frames_ignored;
    return;
  }
  log_in(connection, it->second, *login, now);
}

bool Dialect::knows(const AuthPlain& login, Peer& peer) const {
  if (peer.supervisor) {
    return login.user == settings_.supervisor_user &&
           login.password == settings_.supervisor_password;
  }
  const auto number = settings_.agent_user.extension_in(login.user);
  peer.extension = tenant_.find_extension(number);
  return peer.extension != kOutside && login.password == settings_.agent_password.of(number);
}

void Dialect::log_in(ConnectionId connection, Peer& peer, const AuthPlain& login, TimePoint now) {
  if (take_one(faults_.forbidden) || !knows(login, peer)) {
    ++counters_.logins_refused;
    return send(connection, encoder_.forbidden(), now);
  }
  ++counters_.logins_ok;
  peer.logged_in = true;
  wire_.logged_in(connection);
  const auto& number =
      peer.extension == kOutside ? std::string() : tenant_.extension(peer.extension).number;
  const auto token = "tk-" + std::to_string(random_.next());
  send(connection, encoder_.logged_in(login.user, number, token, peer.supervisor), now);
  if (take_one(faults_.drop_before_init)) {
    on_closed(connection);
    return wire_.drop(connection);
  }
  if (peer.supervisor) {
    supervisors_.push_back(connection);
  } else {
    agents_[peer.extension].push_back(connection);
  }
  const std::size_t at_least = peer.supervisor ? faults_.init_extensions : 0;
  send(connection, encoder_.init(peer.extension, at_least), now);
}

void Dialect::on_closed(ConnectionId connection) {
  const auto it = peers_.find(connection);
  if (it == peers_.end()) return;
  if (it->second.supervisor) {
    std::erase(supervisors_, connection);
  } else if (const auto of = agents_.find(it->second.extension); of != agents_.end()) {
    std::erase(of->second, connection);
    if (of->second.empty()) agents_.erase(of);
  }
  peers_.erase(it);
}

std::vector<engine::ConnectionInfo> Dialect::connections() const {
  std::vector<engine::ConnectionInfo> all;
  for (const auto& [id, peer] : peers_) {
    const bool own = peer.logged_in && peer.extension != kOutside;
    all.push_back({id, peer.supervisor ? "supervisor" : "agent",
                   own ? tenant_.extension(peer.extension).number : "", peer.logged_in});
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return all;
}

// Actions.

void Dialect::act(ConnectionId connection, const Peer& peer, const ClientFrame& frame,
                  TimePoint now) {
  const std::string_view action = action_of(frame);
  if (action.empty()) {
    ++counters_.frames_ignored;
    return;
  }
  ++counters_.actions[std::string(action)];
  if (peer.supervisor || faults_.actions == Faults::Actions::ignore) {
    ++counters_.frames_ignored;
    return;
  }
  if (faults_.actions == Faults::Actions::error) {
    return send(connection, encoder_.action_error(action), now);
  }
  execute(peer, frame, now);
}

// What cannot be done is not done, in silence.
void Dialect::execute(const Peer& peer, const ClientFrame& frame, TimePoint now) {
  const std::string extension = tenant_.extension(peer.extension).number;
  std::visit(base::overloaded{
                 [&](const CallAction& it) {
                   ++counters_.originates;
                   auto& last = counters_.last_originations;
                   if (last.size() == engine::Counters::kLastOriginationsMax) {
                     last.erase(last.begin());
                   }
                   last.push_back({extension, it.phone, it.user_data});
                   (void)tenant_.call_back(extension, it.phone, tenant_.plan_for(it.phone), now);
                 },
                 [&](const BlindTransferAction& it) {
                   const auto leg = own_leg(peer, it.call);
                   if (leg == 0) return;
                   (void)tenant_.transfer(extension, it.phone, tenant_.plan_for(it.phone), now,
                                          leg);
                 },
                 [&](const HangupAction& it) {
                   for (const auto& call : it.calls) {
                     const auto leg = own_leg(peer, call);
                     if (leg != 0) (void)tenant_.hang_up(extension, now, leg);
                   }
                 },
                 [](const AuthPlain&) {},
                 [](const UnknownFrame&) {},
             },
             frame);
}

engine::LegId Dialect::own_leg(const Peer& peer, std::string_view id) const {
  for (const auto leg : tenant_.extension(peer.extension).legs) {
    if (encoder_.id_of(*tenant_.find_leg(leg)) == id) return leg;
  }
  return 0;
}

// Events.

void Dialect::on_change(const Change& change) {
  using Kind = Change::Kind;
  if (change.extension == kOutside) return;  // trunks are no extensions: nobody is told
  const ExtensionIndex extension = change.extension;
  if (change.kind == Kind::status) {
    const auto& whose = tenant_.extension(extension);
    return send_event(extension, encoder_.extension_status(whose), change.at);
  }
  if (!change.leg) return;  // this protocol does not show it

  const Leg& leg = *change.leg;
  switch (change.kind) {
    case Kind::leg_added: {
      if (faults_.new_call == Faults::NewCall::missing) return;
      if (faults_.new_call == Faults::NewCall::late) {
        return hold_back(late_calls_, faults_.new_call_delay,
                         {{}, 0, extension, frame_of(encoder_.new_call(leg))}, change.at);
      }
      return send_event(extension, encoder_.new_call(leg), change.at);
    }
    case Kind::leg_state:
      if (!encoder_.shows_state(leg)) return;
      if (faults_.reorder_hangup.count() > 0 || !held_states_.empty()) {
        return hold_back(held_states_, faults_.reorder_hangup,
                         {{}, 0, extension, frame_of(encoder_.call_state(leg))}, change.at);
      }
      return send_event(extension, encoder_.call_state(leg), change.at);
    case Kind::leg_ended:
      return send_event(extension, encoder_.hangup(leg, change.cause), change.at);
    case Kind::held:
    case Kind::retrieved: {
      const bool start = change.kind == Kind::held;
      const bool heard = settings_.variants.music == Variants::Music::heard;
      const Leg* named = heard ? tenant_.partner_of(leg) : &leg;
      if (!named || named->extension == kOutside) return;
      return send_event(named->extension,
                        encoder_.call_event(start ? "start-moh" : "stop-moh", *named), change.at);
    }
    case Kind::record_started:
      return send_event(extension, encoder_.call_event("start-record", leg), change.at);
    case Kind::record_stopped:
      return send_event(extension, encoder_.call_event("end-record", leg), change.at);
    case Kind::status:
    case Kind::do_not_disturb:
    case Kind::forwarding:
    case Kind::dialled:
    case Kind::joined: return;  // this protocol has no message for it
  }
}

void Dialect::send_event(ExtensionIndex extension, std::string text, TimePoint now) {
  send_to_all(extension, frame_of(std::move(text)), now);
}

void Dialect::send_to_all(ExtensionIndex extension, const Frame& frame, TimePoint now) {
  const auto count = ++counters_.events;
  const bool twice = faults_.duplicate > 0 && count % faults_.duplicate == 0;
  Frame noise;
  if (faults_.noise_every > 0 && count % faults_.noise_every == 0) {
    noise = frame_of(encoder_.noise(kNoise[random_.below(kNoise.size())], 0));
  }
  const auto tell = [&](ConnectionId connection) {
    send(connection, frame, now);
    if (twice) send(connection, frame, now);
    if (noise) send(connection, noise, now);
  };
  for (const auto connection : supervisors_) tell(connection);
  if (const auto it = agents_.find(extension); it != agents_.end()) {
    for (const auto connection : it->second) tell(connection);
  }
}

void Dialect::send(ConnectionId connection, std::string text, TimePoint now) {
  send(connection, frame_of(std::move(text)), now);
}

void Dialect::send(ConnectionId connection, const Frame& frame, TimePoint now) {
  if (faults_.delay.count() > 0 || !delayed_.empty()) {
    return hold_back(delayed_, faults_.delay, {{}, connection, kOutside, frame}, now);
  }
  if (faults_.silent) return;
  ++counters_.frames_sent;
  wire_.send(connection, frame);
}

// Frames of one queue never overtake each other, also when the delay gets shorter.
void Dialect::hold_back(Delay& queue, engine::Millis delay, Delayed what, TimePoint now) {
  if (queue.size() >= kHeldBackMax) return;
  what.due = now + delay;
  if (!queue.empty()) what.due = std::max(what.due, queue.back().due);
  queue.push_back(std::move(what));
}

TimePoint Dialect::deadline() const {
  TimePoint due = TimePoint::max();
  for (const auto* queue : {&delayed_, &held_states_, &late_calls_}) {
    if (!queue->empty()) due = std::min(due, queue->front().due);
  }
  return due;
}

void Dialect::advance(TimePoint now) {
  for (auto* queue : {&late_calls_, &held_states_}) {
    while (!queue->empty() && queue->front().due <= now) {
      const Delayed next = std::move(queue->front());
      queue->pop_front();
      send_to_all(next.extension, next.frame, next.due);
    }
  }
  while (!delayed_.empty() && delayed_.front().due <= now) {
    const Delayed next = std::move(delayed_.front());
    delayed_.pop_front();
    if (faults_.silent) continue;
    ++counters_.frames_sent;
    wire_.send(next.connection, next.frame);
  }
}

// Faults.

void Dialect::set_faults(const Faults& faults, TimePoint) {
  const bool was_silent = faults_.silent;
  const bool refused = faults_.refuse_connections;
  faults_ = faults;
  if (faults.silent && !was_silent) {
    for (auto& [id, peer] : peers_) {
      peer.silent = true;
      wire_.go_silent(id);
    }
  }
  // A connection that was half-open does not come back to life: it is reset.
  if (was_silent && !faults.silent) drop_all();
  if (refused != faults.refuse_connections) wire_.refuse(faults.refuse_connections);
}

void Dialect::happen(const engine::Incident& incident, TimePoint now) {
  for (const Noise kind : incident.noise) {
    const Frame frame = frame_of(encoder_.noise(kind, incident.oversized_bytes));
    for (const auto connection : supervisors_) send(connection, frame, now);
    for (const auto& [extension, connections] : agents_) {
      for (const auto connection : connections) send(connection, frame, now);
    }
  }
  if (incident.drop_all || incident.restart) drop_all();
  if (incident.restart) {
    if (!incident.calls_survive) tenant_.forget_calls();
    tenant_.renew_ids();
  }
}

void Dialect::drop_all() {
  std::vector<ConnectionId> all;
  for (const auto& [id, peer] : peers_) all.push_back(id);
  std::sort(all.begin(), all.end());
  for (const auto id : all) {
    on_closed(id);
    wire_.drop(id);
  }
  delayed_.clear();
  held_states_.clear();
  late_calls_.clear();
}

}  // namespace simulator::innova360
