#include "simulator/webitel/dialect.h"

#include <algorithm>
#include <utility>

#include "simulator/webitel/encoder.h"
#include "simulator/webitel/rest.h"
#include "simulator/webitel/text.h"

namespace simulator::webitel {

using engine::Change;
using engine::ConnectionId;
using engine::Faults;
using engine::HttpAnswer;
using engine::HttpRequest;
using engine::Noise;
using engine::TimePoint;

namespace {

constexpr std::size_t kMessageMax = 256 << 10;  // a client's
constexpr std::size_t kSockIdLetters = 26;
constexpr unsigned kAllAccess = 15;

bool is_socket_path(std::string_view path) {
  const auto parts = path_parts(path);
  if (parts.empty() || parts.back() != "websocket") return false;
  return parts.size() == 1 || (parts.size() == 2 && parts.front() == "ws");
}

}  // namespace

Dialect::Dialect(Settings settings, engine::Tenant& tenant, engine::Wire& wire)
    : wire_(wire), pbx_(std::move(settings), tenant, *this), random_(pbx_.settings.seed) {
  pbx_.channels.on_tell(
      [this](const Channel& channel, std::string_view event, json::object data, TimePoint at) {
        const User* user = pbx_.channels.user_of(channel);
        if (!user) return;  // a trunk's: nobody is told
        data["user_id"] = user->id;
        json::object call{{"id", channel.id},
                          {"event", event},
                          {"timestamp", std::to_string(pbx_.millis(at))},
                          {"domain_id", std::to_string(pbx_.settings.domain_id)},
                          {"user_id", std::to_string(user->id)},
                          {"app_id", pbx_.settings.media_node},
                          {"data", std::move(data)}};
        push(user->id, Topic::calls, "call", {{"call", std::move(call)}}, at);
      });
}

// ---- HTTP.

HttpAnswer Dialect::on_http(const HttpRequest& request, TimePoint now) {
  HttpAnswer answer;
  if (pbx_.faults.silent) {
    answer.kind = HttpAnswer::Kind::never;
    return answer;
  }
  if (take_one(pbx_.faults.drop_requests)) {
    answer.kind = HttpAnswer::Kind::drop;
    return answer;
  }
  if (request.upgrade) {
    if (!is_socket_path(request.path())) {
      answer.reply.status = 404;
    } else if (take_one(pbx_.faults.refuse_upgrades)) {
      answer.reply.status = 403;
    } else {
      answer.kind = HttpAnswer::Kind::accept;
      answer.visitor = request.target;
    }
    return answer;
  }
  answer = answer_rest(pbx_, request, now, ++last_ticket_);
  if (answer.kind != HttpAnswer::Kind::reply) return answer;
  answer.after = pbx_.faults.results_late;
  if (!answer.reply.body.empty() && take_one(pbx_.faults.truncated_replies)) {
    answer.reply.body.resize(answer.reply.body.size() / 2);
  }
  return answer;
}

// ---- Sockets.

void Dialect::on_open(ConnectionId connection, std::string_view target, bool, TimePoint now) {
  ++pbx_.counters.accepted["user"];
  Peer& peer = peers_[connection];
  peer.opened = now;
  peer.login_by = now + pbx_.settings.auth_deadline;
  peer.sock_id = make_sock_id();
  const auto at = target.find('?');
  const auto query = at == std::string_view::npos ? std::string_view() : target.substr(at + 1);
  const auto first = [&](std::string_view name) {
    auto all = query_values(query, name);
    return all.empty() ? std::string() : all.front();
  };
  peer.application = first("application_name");
  peer.version = first("ver");
  if (!pbx_.faults.silent) return;
  peer.silent = true;
  wire_.go_silent(connection);
}

// z-base-32
std::string Dialect::make_sock_id() {
  constexpr std::string_view kLetters = "ybndrfg8ejkmcpqxot1uwisza345h769";
  std::string id;
  while (id.size() < kSockIdLetters) id += kLetters[random_.below(kLetters.size())];
  return id;
}

void Dialect::on_closed(ConnectionId connection) {
  const auto it = peers_.find(connection);
  if (it == peers_.end()) return;
  const UserId user = it->second.user;
  peers_.erase(it);
  pbx_.phones.forget(connection);
  if (user == kNobody || is_online(user)) return;
  std::erase_if(subscriptions_, [&](const auto& each) { return each.first.first == user; });
}

void Dialect::on_closed_at(ConnectionId connection, TimePoint now) {
  const auto it = peers_.find(connection);
  const UserId id = it == peers_.end() ? kNobody : it->second.user;
  on_closed(connection);
  const User* user = id == kNobody ? nullptr : pbx_.accounts.find_user(id);
  if (user) pbx_.presence.look_at(*user, now);
}

void Dialect::drop(ConnectionId connection, TimePoint now) {
  on_closed_at(connection, now);
  wire_.drop(connection);
}

std::vector<ConnectionId> Dialect::everybody() const {
  std::vector<ConnectionId> all;
  for (const auto& [id, peer] : peers_) all.push_back(id);
  return all;
}

std::vector<engine::ConnectionInfo> Dialect::connections() const {
  std::vector<engine::ConnectionInfo> all;
  for (const auto& [id, peer] : peers_) {
    const User* user = pbx_.accounts.find_user(peer.user);
    all.push_back({id, peer.user == kServiceUser ? "service" : "user", user ? user->extension : "",
                   peer.user != kNobody});
  }
  return all;
}

std::vector<engine::AgentInfo> Dialect::agents() const {
  std::vector<engine::AgentInfo> all;
  for (const auto& [id, agent] : pbx_.accounts.agents()) {
    const User* user = pbx_.accounts.find_user(agent.user);
    all.push_back({std::to_string(id), user ? user->extension : "", agent.status, agent.payload});
  }
  return all;
}

bool Dialect::is_online(UserId user) const {
  return std::any_of(peers_.begin(), peers_.end(),
                     [&](const auto& it) { return it.second.user == user; });
}

json::array Dialect::sockets_of(UserId user) const {
  json::array all;
  for (const auto& [id, peer] : peers_) {
    if (peer.user != user) continue;
    all.push_back(json::object{{"id", peer.sock_id},
                               {"created_at", std::to_string(pbx_.millis(peer.opened))},
                               {"node_id", pbx_.settings.engine_node},
                               {"application_name", peer.application},
                               {"ver", peer.version}});
  }
  return all;
}

// ---- What clients say.

void Dialect::on_text(ConnectionId connection, std::string_view text, TimePoint now) {
  const auto it = peers_.find(connection);
  if (it == peers_.end() || it->second.silent) return;
  ++pbx_.counters.frames_received;
  if (text.size() > kMessageMax) return drop(connection, now);
  boost::system::error_code not_json;
  const json::value parsed = json::parse(json::string_view(text.data(), text.size()), not_json);
  const json::object* object = not_json ? nullptr : parsed.if_object();
  Request request;
  bool decodes = object != nullptr;
  const auto field = [&](std::string_view key) {
    const json::value* value = object ? object->if_contains(key) : nullptr;
    return value && !value->is_null() ? value : nullptr;
  };
  if (const auto* seq = field("seq")) {
    decodes = decodes && (seq->is_int64() || seq->is_uint64());
    if (decodes) request.seq = number_at(*object, "seq").value_or(0);
  }
  if (const auto* action = field("action")) {
    decodes = decodes && action->is_string();
    if (decodes) request.action = action->get_string();
  }
  if (const auto* data = field("data")) {
    decodes = decodes && data->is_object();
    if (decodes) request.data = data->get_object();
  }
  if (!decodes) {
    ++pbx_.counters.frames_ignored;
    return;
  }

  Peer& peer = it->second;
  const Asker asker{connection, request.seq, 0};
  const auto refuse = [&](const Problem& problem) { reply(asker, {}, &problem, now); };
  if (request.action.empty()) {
    return refuse({"api.web_socket_router.no_action.app_error", 400, "no action"});
  }
  if (request.seq <= 0) {
    return refuse({"api.web_socket_router.bad_seq.app_error", 400, "bad seq"});
  }
  if (request.action == "authentication_challenge") {
    return challenge(connection, peer, request, now);
  }
  if (peer.user == kNobody || !is_valid(peer, now)) {
    if (peer.user != kNobody) tell_expired(connection, peer, now);
    Problem problem = problems::not_authenticated();
    const auto& variants = pbx_.settings.variants;
    if (variants.unauthenticated == Variants::Unauthenticated::older) problem.code = 401;
    return refuse(problem);
  }
  Result result = act(connection, peer, request, now);
  if (result.problem) return refuse(*result.problem);
  if (!result.later) reply(asker, std::move(result.data), nullptr, now);
}

void Dialect::challenge(ConnectionId connection, Peer& peer, const Request& request,
                        TimePoint now) {
  if (peer.user != kNobody && is_valid(peer, now)) return;  // and no answer at all
  const json::value* token = request.data.if_contains("token");
  if (!token || !token->is_string()) return drop(connection, now);
  const Asker asker{connection, request.seq, 0};
  Faults& faults = pbx_.faults;
  const std::string text(token->get_string());
  const User* user = pbx_.accounts.find_user(pbx_.accounts.holder_of(text, now, true));
  std::optional<Problem> problem;
  if (take_one(faults.login_unavailable)) {
    problem = problems::auth_down();
  } else if (take_one(faults.forbidden) || !user) {
    problem = problems::unauthenticated();
  } else if (take_one(faults.unlicensed) || !pbx_.accounts.has_licence(*user)) {
    problem = problems::license();
  }
  if (problem) {
    ++pbx_.counters.logins_refused;
    return reply(asker, {}, &*problem, now);
  }
  ++pbx_.counters.logins_ok;
  peer.user = user->id;
  peer.token = text;
  peer.expired = peer.told_expired = false;
  ++peer.registrations;
  peer.login_by = TimePoint::max();
  wire_.logged_in(connection);
  if (!faults.no_welcome) {
    Event hello{"hello", hello_of(peer, *user, now), kNobody};
    tell_now(connection, hello, now);
    reply(asker, {}, nullptr, now);
  }
  pbx_.presence.look_at(*user, now);
  if (take_one(faults.drop_before_init)) drop(connection, now);
}

json::object Dialect::hello_of(const Peer& peer, const User& user, TimePoint now) const {
  const Settings& settings = pbx_.settings;
  json::array roles, scopes;
  roles.emplace_back(user.id);
  for (const auto role : user.roles) {
    if (role != user.id) roles.emplace_back(role);
  }
  std::int64_t scope_id = 0;
  for (const auto scope : kScopes) {
    ++scope_id;
    const auto it = user.access.find(std::string(scope));
    if (it == user.access.end() || it->second == 0) continue;
    scopes.push_back(json::object{{"id", scope_id},
                                  {"name", scope},
                                  {"obac", it->second != kAllAccess},
                                  {"access", it->second}});
  }
  json::object session{{"id", peer.token},
                       {"token", peer.token},
                       {"name", user.name},
                       {"user_id", user.id},
                       {"domain_id", settings.domain_id},
                       {"domain_name", settings.domain},
                       {"expire", 0},
                       {"role_ids", std::move(roles)},
                       {"scopes", std::move(scopes)}};
  json::object data{{"sock_id", peer.sock_id},
                    {"server_node_id", settings.engine_node},
                    {"server_version", settings.version},
                    {"server_build_commit", ""},
                    {"server_time", pbx_.millis(now)},
                    {"session", std::move(session)},
                    {"use_cc", pbx_.accounts.has_product(user, kCallCenter)},
                    {"use_chat", pbx_.accounts.has_product(user, kChat)}};
  if (settings.ping_interval.count() > 0) data["ping_interval"] = settings.ping_interval.count();
  return data;
}

bool Dialect::is_valid(const Peer& peer, TimePoint now) const {
  return !peer.expired && pbx_.accounts.holder_of(peer.token, now) == peer.user;
}

void Dialect::tell_expired(ConnectionId connection, Peer& peer, TimePoint now) {
  if (std::exchange(peer.told_expired, true)) return;
  const Problem problem = problems::unauthenticated();
  Event error{"error", {{"sock_id", peer.sock_id}, {"error", problem.object()}}, kNobody};
  tell_now(connection, error, now);
}

// ---- What happens, and time.

void Dialect::on_change(const Change& change) {
  pbx_.channels.on_change(change);
  pbx_.phones.on_change(change);
  const bool of_extension =
      change.kind == Change::Kind::status || change.kind == Change::Kind::do_not_disturb;
  if (of_extension) pbx_.presence.on_change(change.extension, change.at);
}

TimePoint Dialect::deadline() const {
  TimePoint due = std::min(pbx_.phones.deadline(), pbx_.agents.deadline());
  for (const auto& [id, peer] : peers_) {
    if (!peer.silent) due = std::min(due, peer.login_by);
  }
  if (!later_.empty()) due = std::min(due, later_.begin()->first);
  if (!delayed_.empty()) due = std::min(due, delayed_.front().due);
  return due;
}

void Dialect::advance(TimePoint now) {
  pbx_.phones.advance(now);
  pbx_.agents.advance(now);
  for (const auto id : everybody()) {
    const Peer& peer = peers_.at(id);
    if (!peer.silent && peer.login_by <= now) drop(id, now);
  }
  while (!later_.empty() && later_.begin()->first <= now) {
    auto next = later_.extract(later_.begin());
    release(std::move(next.mapped()), next.key());
  }
  while (!delayed_.empty() && delayed_.front().due <= now) {
    const Delayed next = std::move(delayed_.front());
    delayed_.pop_front();
    if (pbx_.faults.silent) continue;
    ++pbx_.counters.frames_sent;
    wire_.send(next.connection, next.frame);
  }
}

// ---- Faults.

void Dialect::set_faults(const Faults& faults, TimePoint now) {
  const Faults before = std::exchange(pbx_.faults, faults);
  if (faults.silent && !before.silent) {
    for (auto& [id, peer] : peers_) {
      peer.silent = true;
      wire_.go_silent(id);
    }
  }
  // A connection that was half-open does not come back to life: it is reset.
  if (before.silent && !faults.silent) {
    for (const auto id : everybody()) drop(id, now);
    later_.clear();
    delayed_.clear();
  }
  if (before.refuse_connections != faults.refuse_connections) {
    wire_.refuse(faults.refuse_connections);
  }
}

void Dialect::happen(const engine::Incident& incident, TimePoint now) {
  for (const Noise kind : incident.noise) make_noise(kind, incident.oversized_bytes, now);
  if (incident.revoke != engine::Revoke::none) {
    for (auto& [id, peer] : peers_) {
      if (peer.user == kNobody) continue;
      peer.expired = true;
      if (incident.revoke == engine::Revoke::close) tell_expired(id, peer, now);
      peer.told_expired = true;
    }
  }
  if (incident.lose_subscriptions) subscriptions_.clear();
  if (incident.close_empty) {
    for (const auto id : everybody()) {
      on_closed_at(id, now);
      wire_.close(id, engine::kNoStatus, "");
    }
  }
  if (!incident.drop_all && !incident.restart) return;
  for (const auto id : everybody()) drop(id, now);
  later_.clear();
  delayed_.clear();
  if (!incident.restart) return;
  pbx_.phones.forget_all();
  if (!incident.calls_survive) {
    pbx_.tenant.forget_calls();
    pbx_.channels.forget();
  }
  pbx_.tenant.renew_ids();
  pbx_.channels.rename();
}

}  // namespace simulator::webitel
