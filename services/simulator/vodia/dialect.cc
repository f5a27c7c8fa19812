#include "simulator/vodia/dialect.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json.hpp>

#include "simulator/vodia/rest.h"
#include "simulator/vodia/text.h"

namespace simulator::vodia {

using engine::Change;
using engine::ConnectionId;
using engine::ExtensionIndex;
using engine::Faults;
using engine::Frame;
using engine::HttpAnswer;
using engine::HttpReply;
using engine::HttpRequest;
using engine::Noise;
using engine::TimePoint;

namespace {

constexpr std::size_t kHeldBackMax = 200'000;  // frames; what comes beyond is lost
constexpr std::array kNoise{Noise::unknown_action, Noise::unknown_type, Noise::invalid_json,
                            Noise::not_an_object, Noise::truncated};
constexpr std::uint16_t kGoingAway = 1001, kPolicyViolation = 1008;

Frame frame_of(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

// Counts down, unless it stands for "always". True if it was this one's turn.
bool take_one(std::uint32_t& count) {
  if (count == 0) return false;
  if (count != Faults::kAlways) --count;
  return true;
}

bool is_login(const HttpRequest& request) {
  return request.path() == "/rest/system/session" || request.path() == "/rest/system/2nd";
}

}  // namespace

Dialect::Dialect(Settings settings, engine::Tenant& tenant, engine::Wire& wire)
    : pbx_(std::move(settings), tenant),
      wire_(wire),
      random_(pbx_.settings.seed),
      softphones_(pbx_, [this](ConnectionId connection, const boost::json::object& frame) {
        const auto it = peers_.find(connection);
        if (it == peers_.end() || it->second.deaf) return;
        send(connection, boost::json::serialize(frame), now_);
      }) {}

// Pages, and what becomes of WebSockets before they are.

HttpAnswer Dialect::on_http(const HttpRequest& request, TimePoint now) {
  now_ = now;
  HttpAnswer answer;
  if (pbx_.faults.silent) {
    answer.kind = HttpAnswer::Kind::never;
    return answer;
  }
  if (take_one(pbx_.faults.drop_requests)) {
    answer.kind = HttpAnswer::Kind::drop;
    return answer;
  }
  answer = request.upgrade ? upgrade(request) : page(request, now);
  HttpReply& reply = answer.reply;
  if (answer.kind == HttpAnswer::Kind::reply && !reply.body.empty() &&
      take_one(pbx_.faults.truncated_replies)) {
    reply.body.resize(reply.body.size() / 2);
  }
  reply.headers.emplace_back("Server", pbx_.settings.server());
  if (const auto origin = request.header("origin"); !origin.empty()) {
    reply.headers.emplace_back("Access-Control-Allow-Origin", std::string(origin));
    reply.headers.emplace_back("Access-Control-Allow-Credentials", "true");
  }
  return answer;
}

// Whose socket it is, the cookie says; the query may only say the same.
HttpAnswer Dialect::upgrade(const HttpRequest& request) {
  HttpAnswer answer;
  if (request.path() != kSocketPath && request.path() != "/") {
    answer.reply.status = 404;
    return answer;
  }
  const auto session = session_in(request);
  const Identity who = pbx_.sessions.who(session);
  const auto user = query_value(request.query(), "user");
  const auto domain = query_value(request.query(), "domain");
  const bool known = who.scope == Scope::extension &&
                     (user.empty() || user == pbx_.tenant.extension(who.extension).number) &&
                     (domain.empty() || domain == pbx_.settings.domain);
  if (take_one(pbx_.faults.refuse_upgrades) || !known) {
    ++pbx_.counters.actions["refused-upgrade"];
    answer.reply.status = 401;
    return answer;
  }
  answer.kind = HttpAnswer::Kind::accept;
  answer.visitor = session;
  return answer;
}

HttpAnswer Dialect::page(const HttpRequest& request, TimePoint now) {
  HttpAnswer answer;
  if (request.method == "OPTIONS") {
    answer.reply = bare_reply(403);
  } else if (is_login(request)) {
    Login login = answer_login(pbx_, request, now);
    answer.reply = std::move(login.reply);
    if (login.of_credentials) answer.after = pbx_.faults.login_delay;
    if (!login.ended.empty()) {
      end_sockets(login.ended, pbx_.settings.variants.logout == Variants::Logout::quiet);
    }
  } else if (request.method == "GET" && request.path() == "/") {
    answer.reply = bare_reply(200);
    answer.reply.headers.emplace_back("Content-Type", "text/html");
    answer.reply.body = "<html><body>Welcome</body></html>";
  } else {
    answer.reply = answer_rest(pbx_, request, now);
  }
  return answer;
}

// What its session's end means for a socket. An empty one stands for all.
void Dialect::end_sockets(std::string_view session, bool quietly) {
  std::vector<ConnectionId> ended;
  for (auto& [id, peer] : peers_) {
    if (!session.empty() && peer.session != session) continue;
    if (quietly) {
      peer.deaf = true;
    } else {
      ended.push_back(id);
    }
  }
  for (const auto id : ended) close(id, kPolicyViolation, "session ended");
}

void Dialect::close(ConnectionId connection, std::uint16_t code, std::string_view reason) {
  on_closed(connection);
  wire_.close(connection, code, reason);
}

// Sockets.

void Dialect::on_open(ConnectionId connection, std::string_view visitor, bool, TimePoint now) {
  ++pbx_.counters.accepted["user"];
  Peer& peer = peers_[connection];
  peer.session = visitor;
  if (pbx_.faults.silent) {
    peer.silent = true;
    return wire_.go_silent(connection);
  }
  const Identity who = pbx_.sessions.who(visitor);
  if (who.scope != Scope::extension) return close(connection, kPolicyViolation, "session ended");
  peer.extension = who.extension;
  wire_.logged_in(connection);
  if (take_one(pbx_.faults.drop_before_init)) {
    on_closed(connection);
    return wire_.drop(connection);
  }
  keep_open(connection, peer, now);
  if (pbx_.settings.profile == Profile::v67) {
    peer.own_calls = true;
    peer.accounts = pbx_.settings.has_domain_state();
  } else if (pbx_.settings.modern()) {
    peer.accounts = pbx_.settings.has_domain_state();
  }
  if (peer.accounts && !pbx_.faults.no_welcome) {
    send(connection, pbx_.encoder.domain_state(pbx_.faults.init_extensions), now);
  }
}

// Whoever says nothing for too long is closed.
void Dialect::keep_open(ConnectionId connection, Peer& peer, TimePoint now) {
  idle_ends_.erase({peer.idle_end, connection});
  peer.idle_end = now + pbx_.settings.idle_timeout;
  idle_ends_.insert({peer.idle_end, connection});
}

void Dialect::on_text(ConnectionId connection, std::string_view text, TimePoint now) {
  const auto it = peers_.find(connection);
  if (it == peers_.end() || it->second.silent) return;
  ++pbx_.counters.frames_received;
  now_ = now;
  keep_open(connection, it->second, now);
  if (it->second.deaf) return;
  act(connection, it->second, parse_client_frame(text), now);
}

void Dialect::on_closed(ConnectionId connection) {
  const auto it = peers_.find(connection);
  if (it == peers_.end()) return;
  idle_ends_.erase({it->second.idle_end, connection});
  peers_.erase(it);
  softphones_.on_closed(connection);
}

std::vector<engine::ConnectionInfo> Dialect::connections() const {
  std::vector<engine::ConnectionInfo> all;
  for (const auto& [id, peer] : peers_) {
    const bool known = peer.extension != engine::kOutside;
    all.push_back({id, "user", known ? pbx_.tenant.extension(peer.extension).number : "", known});
  }
  return all;
}

// What has changed.

void Dialect::on_change(const Change& change) {
  now_ = change.at;
  pbx_.calls.on_change(change);
  softphones_.on_change(change);
  if (change.extension != engine::kOutside) changed_.insert(change.extension);
  if (tell_at_ == TimePoint::max()) tell_at_ = change.at + pbx_.settings.push_delay;
  const bool started = change.kind == Change::Kind::record_started;
  if (!started && change.kind != Change::Kind::record_stopped) return;
  const Frame frame =
      frame_of(std::string(R"({"action":")") + (started ? "rec-start" : "rec-stop") +
               R"(","id":")" + id_of(*change.leg) + "\"}");
  for (const auto& [id, peer] : peers_) {
    if (peer.extension == change.extension) send_event(id, frame, change.at);
  }
}

std::string Dialect::call_list(ExtensionIndex viewer) {
  const bool empty = viewer == kWholeTenant ? pbx_.tenant.call_count() == 0
                                            : pbx_.tenant.extension(viewer).legs.empty();
  Encoder::Spoilt spoilt;
  if (!empty) {
    spoilt.doubled = take_one(pbx_.faults.double_entries);
    spoilt.missing_one = take_one(pbx_.faults.missing_entries);
  }
  return pbx_.encoder.call_state(viewer, spoilt);
}

// Each frame is made only if somebody wants it, and then once.
void Dialect::tell_changes(TimePoint now) {
  tell_at_ = TimePoint::max();
  const auto touched = pbx_.calls.settle(now);
  const auto changed = std::exchange(changed_, {});
  Frame tenant_list, orbits;
  std::map<ExtensionIndex, Frame> own_lists, states, lamps;
  const auto once = [](Frame& frame, const auto& make) {
    if (!frame) frame = frame_of(make());
    return frame;
  };
  std::set<ExtensionIndex> lit = changed;
  if (touched) lit.insert(touched->begin(), touched->end());
  const bool parked = std::any_of(lit.begin(), lit.end(), [&](ExtensionIndex index) {
    return pbx_.settings.type_of(pbx_.tenant.extension(index).number) == kOrbits;
  });

  for (const auto& [id, peer] : peers_) {
    if (peer.deaf) continue;
    const ExtensionIndex own = peer.extension;
    if (peer.own_calls && touched && touched->contains(own)) {
      send_event(id, once(own_lists[own], [&] { return call_list(own); }), now);
    }
    if (peer.tenant_calls && touched) {
      send_event(id, once(tenant_list, [&] { return call_list(kWholeTenant); }), now);
    }
    for (const auto index : lit) {
      const auto& extension = pbx_.tenant.extension(index);
      if (peer.accounts) {
        const auto make = [&] { return pbx_.encoder.user_state(extension); };
        send_event(id, once(states[index], make), now);
      }
      if (peer.lamps.contains(index)) {
        const auto make = [&] { return pbx_.encoder.lamp(extension); };
        send_event(id, once(lamps[index], make), now);
      }
    }
    if (peer.orbits && parked) {
      send_event(id, once(orbits, [&] { return pbx_.encoder.orbits(); }), now);
    }
  }
}

void Dialect::send_event(ConnectionId connection, const Frame& frame, TimePoint now) {
  const auto count = ++pbx_.counters.events;
  send(connection, frame, now);
  if (pbx_.faults.duplicate > 0 && count % pbx_.faults.duplicate == 0) {
    send(connection, frame, now);
  }
  if (pbx_.faults.noise_every > 0 && count % pbx_.faults.noise_every == 0) {
    send(connection, pbx_.encoder.noise(kNoise[random_.below(kNoise.size())], 0), now);
  }
}

void Dialect::send(ConnectionId connection, std::string text, TimePoint now) {
  send(connection, frame_of(std::move(text)), now);
}

// Frames never overtake each other, also when the delay gets shorter.
void Dialect::send(ConnectionId connection, const Frame& frame, TimePoint now) {
  if (pbx_.faults.delay.count() > 0 || !delayed_.empty()) {
    if (delayed_.size() >= kHeldBackMax) return;
    TimePoint due = now + pbx_.faults.delay;
    if (!delayed_.empty()) due = std::max(due, delayed_.back().due);
    delayed_.push_back({due, connection, frame});
    return;
  }
  if (pbx_.faults.silent) return;
  ++pbx_.counters.frames_sent;
  wire_.send(connection, frame);
}

// Time.

TimePoint Dialect::deadline() const {
  TimePoint due = std::min(tell_at_, softphones_.deadline());
  if (!delayed_.empty()) due = std::min(due, delayed_.front().due);
  if (!idle_ends_.empty()) due = std::min(due, idle_ends_.begin()->first);
  for (const auto& [extension, it] : pbx_.preferences) due = std::min(due, it.dnd_end);
  return due;
}

void Dialect::advance(TimePoint now) {
  now_ = now;
  if (softphones_.deadline() <= now) softphones_.advance(now);
  if (tell_at_ <= now) tell_changes(tell_at_);
  while (!delayed_.empty() && delayed_.front().due <= now) {
    const Delayed next = std::move(delayed_.front());
    delayed_.pop_front();
    if (pbx_.faults.silent) continue;
    ++pbx_.counters.frames_sent;
    wire_.send(next.connection, next.frame);
  }
  while (!idle_ends_.empty() && idle_ends_.begin()->first <= now) {
    const ConnectionId id = idle_ends_.begin()->second;
    const bool silent = peers_.at(id).silent;
    if (silent) {
      idle_ends_.erase(idle_ends_.begin());
    } else {
      close(id, kGoingAway, "idle");
    }
  }
  for (auto& [extension, it] : pbx_.preferences) {
    if (it.dnd_end <= now) pbx_.set_do_not_disturb(extension, false, now);
  }
}

// Faults.

void Dialect::set_faults(const Faults& faults, TimePoint) {
  const bool was_silent = pbx_.faults.silent;
  const bool refused = pbx_.faults.refuse_connections;
  pbx_.faults = faults;
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
    const Frame frame = frame_of(pbx_.encoder.noise(kind, incident.oversized_bytes));
    for (const auto& [id, peer] : peers_) send(id, frame, now);
  }
  if (incident.revoke != engine::Revoke::none) {
    pbx_.sessions.close_all();
    end_sockets("", incident.revoke == engine::Revoke::quiet);
  }
  if (incident.drop_all || incident.restart) drop_all();
  if (!incident.restart) return;
  pbx_.sessions.close_all();
  if (!incident.calls_survive) {
    pbx_.tenant.forget_calls();
    pbx_.calls.forget();
    softphones_.forget();
  }
  pbx_.tenant.renew_ids();
}

void Dialect::drop_all() {
  const auto all = std::exchange(peers_, {});
  idle_ends_.clear();
  delayed_.clear();
  for (const auto& [id, peer] : all) {
    softphones_.on_closed(id);
    wire_.drop(id);
  }
}

}  // namespace simulator::vodia
