// The floor that the connector is held against: reads the same links, parses the same frames,
// rewrites each as a small JSON object and publishes it to JetStream the same way, and has no
// model, no leases, no checkpoints. Commands take the shortest way too: a NATS request, an agent's
// link, the event that proves the effect, the reply.
#include <atomic>
#include <chrono>
#include <csignal>
#include <deque>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/resource.h>

#include "base/overloaded.h"
#include "bus/connection.h"
#include "bus/jetstream.h"
#include "bus/publisher.h"
#include "bus/requests.h"
#include "net/tls.h"
#include "net/websocket.h"
#include "pbx/innova360/codec.h"

namespace bench {
namespace {

namespace asio = boost::asio;
namespace innova360 = pbx::innova360;
using namespace std::chrono_literals;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr auto kRetry = 100ms;  // as the connector's limits.backoff_first in bench.mjs
constexpr char kStream[] = "FLOOR_EVENTS";

struct Options {
  std::string nats, port, pin, prefix = "t", extension = "1000";
  unsigned tenants = 1, threads = 2, agents = 0;
  bool tls() const { return !pin.empty(); }
};

// How many links are up, told on stdout whenever it becomes all of them.
class Links {
 public:
  explicit Links(unsigned all) : all_(all) {}
  void opened() {
    const unsigned opened = ++opened_;
    if (++up_ == all_) {
      const auto line = R"({"all_up":true,"opened":)" + std::to_string(opened) + "}\n";
      std::cout << line << std::flush;
    }
  }
  void lost() { --up_; }

 private:
  const unsigned all_;
  std::atomic<unsigned> up_ = 0, opened_ = 0;
};

std::int64_t wall_ns() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

// Writes what a bridge without a model can tell: the PBX's own words.
class Rewriter {
 public:
  explicit Rewriter(const std::string& tenant) : tenant_(tenant) {}

  // Empty for frames that are no events.
  std::string rewrite(const innova360::Frame& frame, std::int64_t received,
                      std::uint64_t sequence) {
    out_.clear();
    std::visit(base::overloaded{
                   [&](const innova360::NewCall& it) {
                     begin("new-call", it.extension, it.callid);
                     field("direction", it.ends.outgoing ? "out" : "in");
                     field("calling", it.ends.phone_a);
                     field("called", it.ends.phone_b);
                     field("calling_did", it.ends.did_a);
                     field("called_did", it.ends.did_b);
                   },
                   [&](const innova360::CallState& it) {
                     begin("call-state", it.extension, it.callid);
                     field("state", std::to_string(static_cast<int>(it.step)));
                   },
                   [&](const innova360::Hangup& it) {
                     begin("hangup", it.extension, it.callid);
                     field("cause", std::to_string(static_cast<int>(it.cause)));
                   },
                   [&](const innova360::MusicOnHold& it) {
                     begin("hold", it.extension, it.callid);
                     field("on", it.on ? "true" : "false");
                   },
                   [&](const innova360::Recording& it) {
                     begin("recording", it.extension, it.callid);
                     field("on", it.on ? "true" : "false");
                   },
                   [&](const innova360::ExtensionStatus& it) {
                     begin("extension-status", it.extension, "");
                     field("status", it.state.raw);
                   },
                   [](const auto&) {},
               },
               frame);
    if (out_.empty()) return out_;
    out_ += R"(,"sequence":)" + std::to_string(sequence);
    out_ += R"(,"received":)" + std::to_string(received) + "}";
    return out_;
  }

 private:
  void begin(const char* type, const std::string& extension, const std::string& callid) {
    out_ = R"({"specversion":"1.0","source":"//bench/pbx/tenants/)" + tenant_ + '"';
    field("type", type);
    field("extension", extension);
    field("callid", callid);
  }
  void field(std::string_view name, std::string_view value) {
    out_ += ",\"";
    out_ += name;
    out_ += "\":\"";
    for (const char c : value) {
      if (c == '"' || c == '\\') out_ += '\\';
      if (static_cast<unsigned char>(c) >= 0x20) out_ += c;
    }
    out_ += '"';
  }

  std::string tenant_, out_;
};

std::string subject_part(const innova360::Frame& frame) {
  return std::visit(
      [](const auto& it) -> std::string {
        if constexpr (requires { it.extension; }) {
          return it.extension;
        } else {
          return "none";
        }
      },
      frame);
}

struct Shard {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::shared_ptr<bus::Connection> connection;
  std::unique_ptr<bus::Publisher> publisher;
  std::thread thread;
};

// Connects, logs in and waits for init; whatever goes wrong, nothing comes back.
asio::awaitable<std::optional<net::WebSocket>> log_in(const Options& options,
                                                      std::shared_ptr<net::TlsContext> tls,
                                                      std::string path, std::string user,
                                                      std::string password) {
  net::Endpoint endpoint;
  endpoint.host = "127.0.0.1";
  endpoint.port = options.port;
  endpoint.target = std::move(path);
  endpoint.tls = tls != nullptr;
  net::WebSocketLimits limits;
  auto connecting = net::WebSocket::connect(std::move(endpoint), limits, tls);
  auto opened = co_await std::move(connecting);
  if (opened.has_error()) co_return std::nullopt;
  net::WebSocket socket = std::move(*opened);
  for (;;) {
    auto text = co_await socket.read();
    if (text.has_error()) co_return std::nullopt;
    const auto frame = innova360::parse(*text);
    if (frame.has_error()) continue;
    if (std::holds_alternative<innova360::Init>(*frame)) co_return std::move(socket);
    if (!std::holds_alternative<innova360::Welcome>(*frame)) continue;
    const std::string login = innova360::auth_plain(user, password);
    if (const base::Error failed = co_await socket.write(login)) co_return std::nullopt;
  }
}

asio::awaitable<void> pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(kTuple);
}

// One tenant's supervisor link, for ever.
asio::awaitable<void> bridge(const Options& options, Shard& shard, Links& links,
                             std::shared_ptr<net::TlsContext> tls, std::string tenant) {
  Rewriter rewriter(tenant);
  std::uint64_t sequence = 0;
  // A bare bridge does not pace either, until its queue is full: then it stops reading.
  asio::steady_timer room(shard.io);
  bool full = false;
  bus::Lane::Handlers handlers;
  handlers.on_ack = [](const bus::Message&, bus::Ack) {};
  handlers.on_space = [&] {
    full = false;
    room.cancel();
  };
  auto lane = shard.publisher->open_lane(std::move(handlers));
  for (;;) {
    auto logging_in = log_in(options, tls, "/ws", tenant, tenant + "-demo");
    auto socket = co_await std::move(logging_in);
    if (!socket) {
      auto pausing = pause(kRetry);
      co_await std::move(pausing);
      continue;
    }
    links.opened();
    for (;;) {
      auto text = co_await socket->read();
      if (text.has_error()) break;
      const std::int64_t received = wall_ns();
      const auto frame = innova360::parse(*text);
      if (frame.has_error()) continue;
      std::string payload = rewriter.rewrite(*frame, received, ++sequence);
      if (payload.empty()) continue;
      bus::Message message;
      message.subject = "floor.events." + tenant + ".call." + subject_part(*frame);
      message.id = tenant + '.' + std::to_string(received) + '.' + std::to_string(sequence);
      message.payload = std::move(payload);
      message.content_type = "application/json";
      while (!lane->offer(message)) {
        full = true;
        room.expires_after(1s);
        while (full && room.expiry() > std::chrono::steady_clock::now()) {
          co_await room.async_wait(kTuple);
        }
      }
    }
    links.lost();
    auto pausing = pause(kRetry);
    co_await std::move(pausing);
  }
}

// Serves "call NUMBER" and "hangup CALLID" by one agent's link, one at a time.
class Agent {
 public:
  Agent(const Options& options, Shard& shard, Links& links, std::string tenant)
      : options_(options), shard_(shard), links_(links), tenant_(std::move(tenant)) {}

  asio::awaitable<void> run(std::shared_ptr<net::TlsContext> tls) {
    const std::string user = tenant_ + "-" + options_.extension;
    auto logging_in = log_in(options_, tls, "/agent", user, "agent-" + options_.extension);
    socket_ = co_await std::move(logging_in);
    if (!socket_) throw std::runtime_error("the agent " + user + " cannot log in");
    auto serving =
        bus::serve(shard_.connection, "floor.commands." + tenant_, shard_.io.get_executor(),
                   [this](bus::Request request) { take(std::move(request)); });
    if (serving.has_error()) throw std::runtime_error("commands cannot be served");
    subscription_ = std::move(*serving);
    links_.opened();
    for (;;) {
      auto text = co_await socket_->read();
      if (text.has_error()) throw std::runtime_error("the agent's link was lost");
      const auto frame = innova360::parse(*text);
      if (frame.has_error() || !pending_) continue;
      if (const auto* it = std::get_if<innova360::NewCall>(&*frame); it && calling_) {
        reply(it->callid);
      } else if (const auto* end = std::get_if<innova360::Hangup>(&*frame); end && !calling_) {
        reply(end->callid);
      }
    }
  }

 private:
  void take(bus::Request request) {
    const std::string words(request.payload());
    const auto space = words.find(' ');
    calling_ = words.starts_with("call ");
    const std::string what = words.substr(space + 1);
    text_ = calling_ ? innova360::text_of(innova360::Call{what, "", ""})
                     : innova360::text_of(innova360::HangupCalls{{what}});
    pending_ = std::move(request);
    asio::co_spawn(shard_.io, send(), asio::detached);
  }
  asio::awaitable<void> send() { (void)co_await socket_->write(text_); }
  void reply(const std::string& callid) {
    pending_->respond(callid);
    pending_.reset();
  }

  const Options& options_;
  Shard& shard_;
  Links& links_;
  const std::string tenant_;
  std::optional<net::WebSocket> socket_;
  bus::Subscription subscription_;
  std::optional<bus::Request> pending_;
  bool calling_ = false;
  std::string text_;
};

std::shared_ptr<bus::Connection> connect(asio::io_context& io, const std::string& url) {
  bus::Options options;
  options.urls = {url};
  options.name = "floor";
  std::string why;
  auto opened = bus::Connection::open(io.get_executor(), options, why);
  if (opened.has_error()) throw std::runtime_error("nats: " + why);
  return std::move(*opened);
}

asio::awaitable<void> prepare(std::shared_ptr<bus::Connection> connection, bool& prepared) {
  bus::JetStream jetstream(connection);
  bus::StreamConfig config;
  config.name = kStream;
  config.subjects = {"floor.events.>"};
  config.max_age = 24h;
  config.max_bytes = 1 << 30;
  std::string why;
  auto ensuring = jetstream.ensure_stream(config, why);
  const auto done = co_await std::move(ensuring);
  if (done.has_error()) std::cerr << "floor_bridge: " << why << '\n';
  prepared = done.has_value();
}

void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

int run(const Options& options) {
  std::shared_ptr<net::TlsContext> tls;
  if (options.tls()) {
    net::TlsOptions trust;
    trust.pinned_sha256 = {options.pin};
    std::string why;
    auto made = net::TlsContext::make(trust, net::TlsContext::Role::client, why);
    if (made.has_error()) throw std::runtime_error(why);
    tls = *made;
  }
  asio::io_context home{1};
  auto connection = connect(home, options.nats);
  bool prepared = false;
  asio::co_spawn(home, prepare(connection, prepared),
                 [&](const std::exception_ptr&) { home.stop(); });
  home.run();
  home.restart();
  if (!prepared) return 1;

  Links links(options.tenants + options.agents);
  std::deque<Shard> shards(options.threads);
  std::deque<Agent> agents;
  for (auto& shard : shards) {
    shard.connection = connect(shard.io, options.nats);
    bus::PublisherOptions publishing;
    publishing.stream = kStream;
    publishing.lane.messages_max =
        1'000;  // as many as the connector lets wait before it slows down
    publishing.lane.bytes_max = publishing.bytes_max = SIZE_MAX;
    shard.publisher = std::make_unique<bus::Publisher>(shard.connection, publishing);
  }
  for (unsigned i = 1; i <= options.tenants; ++i) {
    Shard& shard = shards[i % shards.size()];
    const std::string tenant = options.prefix + std::to_string(i);
    asio::co_spawn(shard.io, bridge(options, shard, links, tls, tenant), asio::detached);
    if (i > options.agents) continue;
    agents.emplace_back(options, shard, links, tenant);
    asio::co_spawn(shard.io, agents.back().run(tls), [](const std::exception_ptr& thrown) {
      if (thrown) std::rethrow_exception(thrown);
    });
  }
  std::cout << R"({"ready":true})" << std::endl;
  for (auto& shard : shards) shard.thread = std::thread([&shard] { shard.io.run(); });
  asio::signal_set signals(home, SIGTERM, SIGINT);
  signals.async_wait([&](auto, int) { std::_Exit(0); });
  home.run();
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  CLI::App app(
      "A bare bridge from Innova360 links to JetStream: what the connector is held against.");
  bench::Options options;
  app.add_option("--nats", options.nats, "The server's URL")->required();
  app.add_option("--port", options.port, "The simulator's")->required();
  app.add_option("--pin", options.pin, "SHA-256 of its certificate; with it links use TLS");
  app.add_option("--tenants", options.tenants, "t1, t2, …");
  app.add_option("--agents", options.agents, "Of so many tenants one extension takes commands");
  app.add_option("--extension", options.extension, "Which");
  app.add_option("--threads", options.threads, "");
  CLI11_PARSE(app, argc, argv);
  bench::raise_file_limit();
  try {
    return bench::run(options);
  } catch (const std::exception& error) {
    std::cerr << "floor_bridge: " << error.what() << '\n';
    return 1;
  }
}
