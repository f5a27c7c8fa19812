#include "simulator/server.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>

#include "simulator/innova360/client_frames.h"

namespace simulator {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::size_t kClientMessageMax = 1 << 20;
constexpr std::chrono::milliseconds kNoPings{0}, kWebitelPings{54'000};

bool is_known(std::string_view path) {
  return path == innova360::kSupervisorPath || path == innova360::kAgentPath;
}

asio::awaitable<net::HttpServer::Answer> admit(net::HttpRequest request) {
  if (request.upgrade && is_known(request.path())) {
    net::HttpServer::Answer accept = net::HttpServer::Accept{};
    co_return accept;
  }
  net::HttpReply reply;
  reply.status = 404;
  net::HttpServer::Answer answer = std::move(reply);
  co_return answer;
}

void set_refusing(net::HttpServer* listener, bool refuse) {
  if (!listener) return;
  try {
    refuse ? listener->refuse() : listener->listen();
  } catch (const std::exception& failure) {
    std::cerr << "simulator: cannot listen again: " << failure.what() << '\n';
  }
}

}  // namespace

// One client behind a listener. Belongs to its connection's executor, but for `logged_in`.
struct Server::Visitor {
  std::shared_ptr<Connection> connection;
  std::string target;
  bool at_home = false;  // at a tenant's own listener, where nobody else can be meant
  Host* host = nullptr;  // where it is, or where it tries to log in
  std::shared_ptr<std::atomic<bool>> logged_in = std::make_shared<std::atomic<bool>>(false);

  void enter(Host& to, bool welcomed) {
    leave();
    host = &to;
    auto flag = logged_in;
    host->open(
        connection, [flag] { flag->store(true); }, target, welcomed);
  }
  void leave() {
    if (host) host->closed(connection->id());
    host = nullptr;
  }
};

Server::Server(Settings settings) : settings_(std::move(settings)) {
  for (std::size_t i = 0; i < settings_.threads; ++i) {
    loops_.push_back(std::make_unique<Loop>());
    executors_.push_back(loops_.back()->context.get_executor());
  }
  signals_.emplace(loops_.front()->context, SIGTERM, SIGINT);
  signals_->async_wait([this](const boost::system::error_code& cancelled, int) {
    if (!cancelled) stop();
  });
  const auto start = std::chrono::steady_clock::now();
  const auto unix_time = std::chrono::system_clock::now().time_since_epoch();
  for (const TenantEntry& entry : settings_.tenants) {
    TenantSettings stage = entry.stage;
    stage.innova360.clock.unix_start = stage.vodia.clock.unix_start =
        stage.innovaphone.clock.unix_start = stage.webitel.clock.unix_start =
            std::chrono::duration_cast<std::chrono::seconds>(unix_time).count();
    const auto& executor = executors_[hosts_.size() % executors_.size()];
    hosts_.push_back(std::make_unique<Host>(std::move(stage), executor, start));
    if (entry.stage.vendor == Vendor::innovaphone) make_caller(*hosts_.back(), executor);
    if (!entry.shared) continue;
    switch (entry.stage.vendor) {
      case Vendor::innova360: directory_.add(*hosts_.back()); break;
      case Vendor::vodia: vodia_shared_.push_back(hosts_.back().get()); break;
      case Vendor::innovaphone: innovaphone_shared_.push_back(hosts_.back().get()); break;
      case Vendor::webitel: webitel_shared_.push_back(hosts_.back().get()); break;
    }
  }
  prepare_tls();
  open_listeners();
}

void Server::make_caller(Host& host, const asio::any_io_executor& executor) {
  const auto& settings = host.settings().innovaphone;
  const bool dials = std::any_of(settings.apps.begin(), settings.apps.end(),
                                 [](const auto& app) { return app.websocket; });
  if (!dials) return;
  callers_.push_back(std::make_unique<Caller>(host, executor, settings.ca_file,
                                              settings_.outbox_bytes_max, last_connection_));
  host.on_dial(
      [caller = callers_.back().get()](const std::string& url) { return caller->dial(url); });
  asio::post(executor, [&host] { host.start(); });
}

Server::~Server() {
  stop();
  if (!certificate_ || !settings_.certificate_folder.empty()) return;
  std::error_code ignored;  // it is only a temporary folder
  std::filesystem::remove_all(std::filesystem::path(certificate_->key_file).parent_path(), ignored);
}

void Server::prepare_tls() {
  bool needed = settings_.tls || (settings_.vodia_tls && !vodia_shared_.empty()) ||
                (settings_.innovaphone_tls && !innovaphone_shared_.empty()) ||
                (settings_.webitel_tls && !webitel_shared_.empty());
  for (const TenantEntry& entry : settings_.tenants) needed = needed || entry.tls;
  if (!needed) return;
  net::TlsOptions options;
  options.certificate_file = settings_.certificate_file;
  options.key_file = settings_.key_file;
  if (options.certificate_file.empty()) {
    certificate_ = make_certificate(settings_.certificate_folder);
    options.certificate_file = certificate_->certificate_file;
    options.key_file = certificate_->key_file;
  }
  std::string why;
  auto context = net::TlsContext::make(options, net::TlsContext::Role::server, why);
  if (!context) throw std::runtime_error(why);
  tls_ = *context;
}

net::HttpServerOptions Server::listener_options(std::uint16_t port,
                                                std::shared_ptr<net::TlsContext> tls) const {
  net::HttpServerOptions options;
  options.address = settings_.address;
  options.port = port;
  options.tls = std::move(tls);
  options.limits.ping_interval = {};  // clients ping, we answer: the protocol has no keep-alive
  options.limits.message_bytes_max = kClientMessageMax;
  options.connections_max = settings_.connections_max;
  return options;
}

Server::Listener Server::listen(std::uint16_t port, std::shared_ptr<net::TlsContext> tls,
                                Host* home, std::vector<asio::any_io_executor> executors) {
  return std::make_unique<net::HttpServer>(
      std::move(executors), listener_options(port, std::move(tls)), admit,
      [this, home](net::HttpRequest request, net::WebSocket socket) {
        return serve(request.path(), std::move(socket), home);
      });
}

Server::Listener Server::listen_vodia(std::uint16_t port, std::shared_ptr<net::TlsContext> tls,
                                      std::vector<Host*> tenants,
                                      std::vector<asio::any_io_executor> executors) {
  const auto door = std::make_shared<const VodiaDoor>(std::move(tenants));
  return std::make_unique<net::HttpServer>(
      std::move(executors), listener_options(port, std::move(tls)),
      [door](const net::HttpRequest& request) { return door->admit(request); },
      [this, door](const net::HttpRequest& request, net::WebSocket socket) {
        Visit visit = door->visit(request);
        return attend(std::move(visit), std::move(socket));
      });
}

Server::Listener Server::listen_by_path(std::uint16_t port, std::shared_ptr<net::TlsContext> tls,
                                        std::vector<Host*> tenants,
                                        std::vector<asio::any_io_executor> executors,
                                        std::chrono::milliseconds ping_interval) {
  const auto door = std::make_shared<const PathDoor>(std::move(tenants));
  net::HttpServerOptions options = listener_options(port, std::move(tls));
  options.limits.ping_interval = ping_interval;
  return std::make_unique<net::HttpServer>(
      std::move(executors), options,
      [door](const net::HttpRequest& request) { return door->admit(request); },
      [this, door](const net::HttpRequest& request, net::WebSocket socket) {
        auto [host, target] = door->find(request.target);
        return attend(Visit(*host, std::move(target)), std::move(socket));
      });
}

void Server::open_listeners() {
  const auto port_of = [](const Listener& listener) {
    return listener ? std::optional(listener->port()) : std::nullopt;
  };
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    const TenantEntry& entry = settings_.tenants[i];
    Host* host = hosts_[i].get();
    const std::vector executors{executors_[i % executors_.size()]};  // no hops between threads
    Listener plain, tls;
    const auto open = [&](std::uint16_t port, const std::shared_ptr<net::TlsContext>& context) {
      if (entry.stage.vendor == Vendor::innova360) return listen(port, context, host, executors);
      if (entry.stage.vendor == Vendor::vodia)
        return listen_vodia(port, context, {host}, executors);
      const bool pings = entry.stage.vendor == Vendor::webitel;
      return listen_by_path(port, context, {host}, executors, pings ? kWebitelPings : kNoPings);
    };
    if (entry.plain) plain = open(entry.port, nullptr);
    if (entry.tls) tls = open(entry.tls_port, tls_);
    ports_.push_back({port_of(plain), port_of(tls)});
    host->on_refuse([plain = plain.get(), tls = tls.get()](bool refuse) {
      set_refusing(plain, refuse);
      set_refusing(tls, refuse);
    });
    own_plain_.push_back(std::move(plain));
    own_tls_.push_back(std::move(tls));
  }
  if (settings_.plain) plain_ = listen(settings_.port, nullptr, nullptr, executors_);
  if (settings_.tls) over_tls_ = listen(settings_.tls_port, tls_, nullptr, executors_);
  if (settings_.vodia_plain && !vodia_shared_.empty()) {
    vodia_plain_ = listen_vodia(settings_.vodia_port, nullptr, vodia_shared_, executors_);
  }
  if (settings_.vodia_tls && !vodia_shared_.empty()) {
    vodia_tls_ = listen_vodia(settings_.vodia_tls_port, tls_, vodia_shared_, executors_);
  }
  if (settings_.innovaphone_plain && !innovaphone_shared_.empty()) {
    innovaphone_plain_ =
        listen_by_path(settings_.innovaphone_port, nullptr, innovaphone_shared_, executors_);
  }
  if (settings_.innovaphone_tls && !innovaphone_shared_.empty()) {
    innovaphone_tls_ =
        listen_by_path(settings_.innovaphone_tls_port, tls_, innovaphone_shared_, executors_);
  }
  if (settings_.webitel_plain && !webitel_shared_.empty()) {
    webitel_plain_ =
        listen_by_path(settings_.webitel_port, nullptr, webitel_shared_, executors_, kWebitelPings);
  }
  if (settings_.webitel_tls && !webitel_shared_.empty()) {
    webitel_tls_ = listen_by_path(settings_.webitel_tls_port, tls_, webitel_shared_, executors_,
                                  kWebitelPings);
  }

  control_ = std::make_unique<Control>(hosts_, ports_);
  net::HttpServerOptions options;
  options.address = settings_.control_address;
  options.port = settings_.control_port;
  options.connections_max = 1'000;
  options.limits.upgrade = std::chrono::minutes(1);  // idle connections are kept so long
  control_server_ = std::make_unique<net::HttpServer>(
      std::vector{executors_.front()}, options,
      [this](net::HttpRequest request) -> asio::awaitable<net::HttpServer::Answer> {
        auto pending = control_->handle(std::move(request));
        net::HttpServer::Answer answer = co_await std::move(pending);
        co_return answer;
      },
      [](net::HttpRequest, net::WebSocket) -> asio::awaitable<void> { co_return; });
}

asio::awaitable<void> Server::serve(std::string target, net::WebSocket socket, Host* home) {
  const auto executor = co_await asio::this_coro::executor;
  Visitor visitor;
  visitor.connection = std::make_shared<Connection>(++last_connection_, std::move(socket), executor,
                                                    settings_.outbox_bytes_max);
  visitor.target = std::move(target);
  visitor.at_home = home != nullptr;
  if (home) {
    visitor.enter(*home, false);
  } else {
    const auto welcome = innova360::welcome_frame(settings_.server);
    visitor.connection->push(std::make_shared<const std::string>(welcome));
  }
  Connection::OnText on_each = [this, &visitor](std::string_view text) { on_text(visitor, text); };
  auto pending = visitor.connection->run(std::move(on_each));
  co_await std::move(pending);
  visitor.leave();
}

asio::awaitable<void> Server::attend(Visit visit, net::WebSocket socket) {
  const auto executor = co_await asio::this_coro::executor;
  const auto id = ++last_connection_;
  const auto connection =
      std::make_shared<Connection>(id, std::move(socket), executor, settings_.outbox_bytes_max);
  Host& host = *visit.host;
  host.open(
      connection, [] {}, visit.target, false);
  Connection::OnText on_each = [&host, id](std::string_view text) { host.text(id, text); };
  auto pending = connection->run(std::move(on_each));
  co_await std::move(pending);
  host.closed(id);
}

// Behind the common listener: whoever the login's user belongs to takes over from here.
void Server::on_text(Visitor& visitor, std::string_view text) {
  const auto id = visitor.connection->id();
  if (!visitor.at_home && !visitor.logged_in->load()) {
    const auto frame = innova360::parse_client_frame(text);
    const auto* login = std::get_if<innova360::AuthPlain>(&frame);
    if (!login) return;  // before the login nothing else counts
    Host* host = directory_.find(visitor.target, login->user);
    if (!host) {
      const auto forbidden = innova360::forbidden_frame(settings_.server);
      return visitor.connection->push(std::make_shared<const std::string>(forbidden));
    }
    if (host != visitor.host) visitor.enter(*host, true);
  }
  if (visitor.host) visitor.host->text(id, text);
}

void Server::run() {
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < loops_.size(); ++i) {
    threads.emplace_back([loop = loops_[i].get()] { loop->context.run(); });
  }
  loops_.front()->context.run();
  for (std::thread& thread : threads) thread.join();
}

void Server::stop() {
  for (auto* listeners : {&own_plain_, &own_tls_}) {
    for (const Listener& listener : *listeners) {
      if (listener) listener->stop();
    }
  }
  for (const Listener* listener :
       {&plain_, &over_tls_, &vodia_plain_, &vodia_tls_, &innovaphone_plain_, &innovaphone_tls_,
        &webitel_plain_, &webitel_tls_, &control_server_}) {
    if (*listener) (*listener)->stop();
  }
  for (const auto& loop : loops_) {
    loop->work.reset();
    loop->context.stop();
  }
}

std::string Server::ready_line() const {
  const auto ports_of = [&](const Listener& plain, const Listener& tls) {
    json::object ports;
    if (plain) ports["plain"] = plain->port();
    if (tls) ports["tls"] = tls->port();
    if (certificate_) {
      ports["certificate"] = certificate_->certificate_file;
      ports["sha256"] = certificate_->sha256;
    }
    return ports;
  };
  json::object tenants;
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    if (!ports_[i].plain && !ports_[i].tls) continue;
    json::object ports;
    if (ports_[i].plain) ports["plain"] = *ports_[i].plain;
    if (ports_[i].tls) ports["tls"] = *ports_[i].tls;
    tenants[hosts_[i]->name()] = std::move(ports);
  }
  json::object line{{"ready", true},
                    {"control", control_server_->port()},
                    {"innova360", ports_of(plain_, over_tls_)}};
  if (vodia_plain_ || vodia_tls_) line["vodia"] = ports_of(vodia_plain_, vodia_tls_);
  if (innovaphone_plain_ || innovaphone_tls_) {
    line["innovaphone"] = ports_of(innovaphone_plain_, innovaphone_tls_);
  }
  if (webitel_plain_ || webitel_tls_) line["webitel"] = ports_of(webitel_plain_, webitel_tls_);
  line["tenants"] = std::move(tenants);
  return json::serialize(line);
}

}  // namespace simulator
