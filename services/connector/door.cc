#include "connector/door.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <openssl/rand.h>

#include "base/timestamp.h"
#include "connector/redactor.h"
#include "telemetry/log.h"
#include "telemetry/rate_limit.h"

namespace connector {

namespace asio = boost::asio;
using base::Errc;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr auto kLog = telemetry::log::Logger("door");
constexpr char kWhich[] = "inbound";  // certificate
constexpr auto kTick = 500ms;
constexpr std::chrono::milliseconds kCloseMax = 500ms;
// Before its login nobody has a reason to say more, nor more often.
constexpr std::size_t kMessageBytesMax = 65'535;
constexpr unsigned kMessagesMax = 32;
// Of RFC 6455, with what docs/inbound.md says of them.
constexpr std::uint16_t kGoingAway = 1'001, kPolicyViolated = 1'008, kTryAgainLater = 1'013;

// One host's: of IPv6 it has at least a /64.
std::string key_of(const asio::ip::address& address) {
  if (address.is_v4()) return address.to_string();
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return make_address_v4(asio::ip::v4_mapped, v6).to_string();
  auto bytes = v6.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return asio::ip::address_v6(bytes).to_string() + "/64";
}

std::uint64_t make_challenge() {
  unsigned char bytes[8];
  if (RAND_bytes(bytes, sizeof bytes) != 1) throw std::runtime_error("no random numbers");
  std::uint64_t challenge;
  std::memcpy(&challenge, bytes, sizeof challenge);
  return challenge;
}

// With the metric and the line that tell how long it is good for.
base::Result<std::shared_ptr<net::TlsContext>> tls_of(const InboundConfig& config,
                                                      const Metrics& metrics, std::string& why) {
  net::TlsOptions options;
  options.certificate_file = config.certificate_file;
  options.key_file = config.key_file;
  auto made = net::TlsContext::make(options, net::TlsContext::Role::server, why);
  if (made.has_error()) return made;
  const auto ours = (*made)->certificate();  // a server's context without one is not made
  metrics.certificate_expiry.at({kWhich}).set(ours->expires);
  kLog.info("certificate in use", {{"file", config.certificate_file},
                                   {"serial", ours->serial},
                                   {"expires", base::timestamp(ours->expires)}});
  return made;
}

// Behind a proxy that keeps connections for others, too, what comes next may be a PBX, whose time
// for the login has run since this one connected.
net::HttpReply turn_away(unsigned status, std::string text) {
  return {status, std::move(text), {{"Content-Type", "text/plain"}}, /*is_last=*/true};
}

}  // namespace

// Shared with the connections, which may outlive the door.
struct Door::State {
  State(const InboundConfig& its_config, const Metrics& its_metrics)
      : config(its_config), metrics(its_metrics) {}

  std::optional<Route> find(const net::HttpRequest& request) {
    const std::lock_guard lock(mutex);
    const auto found = routes.find(normal_path(request.path()));
    if (found == routes.end()) return std::nullopt;
    return found->second;
  }

  // As many lines of a tenant, or of strangers, as somebody would read.
  std::optional<std::uint64_t> may_log(std::string_view whose) {
    return lines.pass(whose, steady_clock::now());
  }

  const InboundConfig config;
  const Metrics& metrics;
  telemetry::RateLimit lines{5, 10s};
  std::mutex mutex;  // for the rest
  Routes routes;
  std::size_t connections = 0;
  std::map<std::string, std::size_t> pending;  // by address
};

// One connection, from its first moment to its last, wherever it is.
struct Door::Guest {
  Guest(std::shared_ptr<State> its_state, std::string its_address)
      : state(std::move(its_state)), address(std::move(its_address)) {
    state->metrics.inbound_connections.add(1);
    state->metrics.inbound_pending.add(1);
  }
  ~Guest() {
    has("gone");
    logged_in();
    state->metrics.inbound_connections.add(-1);
    const std::lock_guard lock(state->mutex);
    --state->connections;
  }

  // What became of it: the first word counts.
  void has(const char* outcome) {
    if (std::exchange(is_settled, true)) return;
    state->metrics.inbound_outcomes.at({outcome}).add();
  }
  // It does not count among those of its address any more.
  void logged_in() {
    if (!std::exchange(is_pending, false)) return;
    state->metrics.inbound_pending.add(-1);
    const std::lock_guard lock(state->mutex);
    const auto found = state->pending.find(address);
    if (--found->second == 0) state->pending.erase(found);
  }

  const std::shared_ptr<State> state;
  const std::string address;
  const steady_clock::time_point since = steady_clock::now();
  bool is_pending = true, is_settled = false;
};

// What happens to a connection.
struct Door::Doorman {
  static std::shared_ptr<void> admit(const std::shared_ptr<State>& state,
                                     const asio::ip::address& from) {
    auto address = key_of(from);
    const char* refused = nullptr;
    {
      const std::lock_guard lock(state->mutex);
      if (state->connections >= state->config.connections_max) {
        refused = "too_many";
      } else if (auto& count = state->pending[address]; count >= state->config.per_address_max) {
        refused = "too_many_of_address";
      } else {
        ++count;
        ++state->connections;
      }
    }
    if (!refused) return std::make_shared<Guest>(state, std::move(address));
    state->metrics.inbound_outcomes.at({refused}).add();
    if (const auto suppressed = state->may_log(refused)) {
      kLog.warning("connection refused",
                   {{"outcome", refused}, {"address", address}, {"suppressed", *suppressed}});
    }
    return nullptr;
  }

  static net::HttpServer::Answer answer(const std::shared_ptr<State>& state,
                                        const net::HttpRequest& request) {
    auto& guest = *static_cast<Guest*>(request.guest.get());
    const auto route = state->find(request);
    if (!route) {
      guest.has("unknown_path");
      if (const auto suppressed = state->may_log("unknown_path")) {
        kLog.warning("no tenant's PBX connects to this path",
                     {{"peer", request.peer}, {"suppressed", *suppressed}});
      }
      return turn_away(404, "not found\n");
    }
    if (!request.upgrade) {
      guest.has("not_websocket");
      auto reply = turn_away(426, "this is where a PBX opens its WebSocket\n");
      reply.headers.emplace_back("Upgrade", "websocket");
      return reply;
    }
    net::HttpServer::Accept accept;
    accept.executor = route->executor;
    accept.limits = route->tenant->limits;
    // Whoever has moved to another connector does not answer: its tenant is not to wait for that.
    accept.limits->close = std::min(accept.limits->close, kCloseMax);
    return accept;
  }

  static asio::awaitable<void> receive(std::shared_ptr<State> state, net::HttpRequest request,
                                       net::WebSocket socket);
  static asio::awaitable<pbx::Reception::Step> converse(std::shared_ptr<State> state,
                                                        std::shared_ptr<Arrived> arrived,
                                                        std::shared_ptr<pbx::Reception> reception,
                                                        const char*& outcome);
};

// The dialogue of the login, up to its verdict. `outcome` gets what is to be counted if it is that
// somebody was turned away.
asio::awaitable<pbx::Reception::Step> Door::Doorman::converse(
    std::shared_ptr<State> state, std::shared_ptr<Arrived> arrived,
    std::shared_ptr<pbx::Reception> reception, const char*& outcome) {
  using TurnedAway = pbx::Reception::TurnedAway;
  const auto executor = co_await asio::this_coro::executor;
  const auto since = static_cast<Guest*>(arrived->guest.get())->since;
  auto& socket = arrived->socket;

  // Closing ends the read as well.
  enum class Clock { runs, rang, stopped };
  const auto clock = std::make_shared<Clock>(Clock::runs);
  asio::steady_timer timer(executor, since + state->config.login_limit);
  timer.async_wait([executor, arrived, clock](base::Error error) {
    if (error || *clock != Clock::runs) return;
    *clock = Clock::rang;
    auto hang_up = [](std::shared_ptr<Arrived> it) -> asio::awaitable<void> {
      co_await it->socket.close(kPolicyViolated, "no login in time");
    };
    asio::co_spawn(executor, hang_up(arrived), asio::detached);
  });

  pbx::Reception::Step last;
  unsigned heard = 0;
  while (std::holds_alternative<pbx::Reception::Undecided>(last.verdict)) {
    const auto text = co_await socket.read();
    if (text.has_error()) {
      const bool late = *clock == Clock::rang;
      outcome = late ? "login_late" : "hung_up";
      last.verdict = TurnedAway{late ? base::Error(Errc::timed_out) : text.error(),
                                late ? "no login in time" : "hung up during the login"};
      break;
    }
    if (++heard > kMessagesMax) {
      outcome = "turned_away";
      last.verdict = TurnedAway{Errc::overloaded, "too many messages before the login"};
      break;
    }
    last = reception->on_text(*text);
    for (const std::string& reply : last.texts) {
      // If it is not to be had, the next read says so, and why.
      co_await socket.write(reply);
    }
    outcome = "turned_away";
  }
  if (*clock == Clock::rang && !std::holds_alternative<TurnedAway>(last.verdict)) {
    outcome = "login_late";  // the socket is being closed already
    last.verdict = TurnedAway{Errc::timed_out, "no login in time"};
  }
  if (*clock == Clock::runs) *clock = Clock::stopped;
  timer.cancel();
  co_return last;
}

// On the tenant's shard, from the upgrade on.
asio::awaitable<void> Door::Doorman::receive(std::shared_ptr<State> state, net::HttpRequest request,
                                             net::WebSocket socket) {
  const auto guest = std::static_pointer_cast<Guest>(std::exchange(request.guest, nullptr));
  const auto here = co_await asio::this_coro::executor;
  const auto route = state->find(request);
  // Removed from the configuration just now, or another tenant's by now.
  if (!route || route->executor != here) {
    guest->has("unknown_path");
    co_await socket.close(kPolicyViolated, "not found");
    co_return;
  }
  const auto tenant = route->tenant;
  const std::string& name = tenant->id.str();
  socket.limit_messages(kMessageBytesMax);
  auto arrived = std::make_shared<Arrived>(Arrived{std::move(socket), {}, tenant->digest, guest});
  const char* outcome = "";
  std::shared_ptr<pbx::Reception> reception =
      tenant->vendor->inbound->receive(tenant->settings, make_challenge());
  auto conversing = converse(state, arrived, std::move(reception), outcome);
  auto step = co_await std::move(conversing);

  if (const auto* refused = std::get_if<pbx::Reception::TurnedAway>(&step.verdict)) {
    guest->has(outcome);
    if (const auto suppressed = state->may_log(name)) {
      kLog.warning("turned away", {{"tenant", name},
                                   {"peer", request.peer},
                                   {"outcome", outcome},
                                   {"reason", refused->why},
                                   {"detail", Redactor(tenant).line(refused->detail)},
                                   {"suppressed", *suppressed}});
    }
    co_await arrived->socket.close(kPolicyViolated, "login refused");
    co_return;
  }

  guest->logged_in();
  arrived->arrival = std::move(std::get<pbx::Arrival>(step.verdict));
  arrived->socket.limit_messages(tenant->limits.message_bytes_max);
  const std::string pbx = arrived->arrival.pbx, via = arrived->arrival.via;
  const auto& metrics = state->metrics;
  metrics.inbound_waiting.add(1);
  auto waiting = route->lobby->wait(tenant->id, arrived, state->config.handover_limit);
  const base::Error why = co_await std::move(waiting);
  metrics.inbound_waiting.add(-1);
  if (!why) {
    guest->has("admitted");
    if (const auto suppressed = state->may_log(name)) {
      kLog.info("PBX connected", {{"tenant", name},
                                  {"peer", request.peer},
                                  {"pbx", pbx},
                                  {"via", via},
                                  {"suppressed", *suppressed}});
    }
    co_return;
  }
  if (why == Errc::link_lost) {
    guest->has("hung_up");
    if (const auto suppressed = state->may_log(name)) {
      kLog.warning(
          "PBX hung up while it waited for its tenant's owner",
          {{"tenant", name}, {"peer", request.peer}, {"pbx", pbx}, {"suppressed", *suppressed}});
    }
    co_return;
  }
  guest->has(why == Errc::shutting_down ? "shutting_down" : "no_owner");
  if (const auto suppressed = state->may_log(name)) {
    kLog.warning("PBX sent away: this connector does not own its tenant",
                 {{"tenant", name},
                  {"peer", request.peer},
                  {"pbx", pbx},
                  {"reason", why},
                  {"suppressed", *suppressed}});
  }
  const auto code = why == Errc::shutting_down ? kGoingAway : kTryAgainLater;
  co_await arrived->socket.close(code, "try again later");
}

Door::Door(const InboundConfig& config, const Metrics& metrics, telemetry::Heartbeats& heartbeats,
           Routes routes)
    : state_(std::make_shared<State>(config, metrics)) {
  state_->routes = std::move(routes);
  net::HttpServerOptions options;
  options.address = config.address;
  options.port = config.port;
  options.limits.tls = options.limits.upgrade = config.login_limit;
  options.connections_max = SIZE_MAX;  // admit() counts
  options.body_bytes_max = 4'096;
  options.admit = [state = state_](const asio::ip::address& from) {
    return Doorman::admit(state, from);
  };
  if (!config.plain) {
    std::string why;
    auto made = tls_of(config, metrics, why);
    if (made.has_error()) throw std::runtime_error("inbound: " + why);
    options.tls = std::move(*made);
  }
  auto answer =
      [state = state_](const net::HttpRequest& it) -> asio::awaitable<net::HttpServer::Answer> {
    co_return Doorman::answer(state, it);
  };
  auto receive = [state = state_](net::HttpRequest request, net::WebSocket socket) {
    return Doorman::receive(state, std::move(request), std::move(socket));
  };
  const std::vector<asio::any_io_executor> here{io_.get_executor()};
  try {
    server_ = std::make_unique<net::HttpServer>(here, std::move(options), std::move(answer),
                                                std::move(receive));
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error("inbound: " + config.address + " port " + std::to_string(config.port) +
                             ": " + error.what());
  }
  auto tick = [](telemetry::Heartbeats::Beat beat) -> asio::awaitable<void> {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
      beat.tick(steady_clock::now());
      timer.expires_after(kTick);
      co_await timer.async_wait(kTuple);
    }
  };
  asio::co_spawn(io_, tick(heartbeats.add("door", steady_clock::now())), asio::detached);
  thread_ = std::thread([this] { io_.run(); });
  kLog.info("listening for PBXs",
            {{"address", config.address}, {"port", server_->port()}, {"tls", !config.plain}});
}

Door::~Door() {
  server_->stop();
  io_.stop();
  thread_.join();
}

void Door::set_routes(Routes routes) {
  const std::lock_guard lock(state_->mutex);
  state_->routes = std::move(routes);
}

void Door::renew_certificate() {
  if (state_->config.plain) return;
  std::string why;
  auto made = tls_of(state_->config, state_->metrics, why);
  state_->metrics.certificate_reloads.at({kWhich, made.has_error() ? "refused" : "taken"}).add();
  if (made.has_error()) {
    kLog.error("the certificate cannot be used: going on with the one before", {{"detail", why}});
    return;
  }
  server_->renew_tls(std::move(*made));
}

void Door::close() { server_->refuse(); }

}  // namespace connector
