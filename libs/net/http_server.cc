#include "net/http_server.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "net/accept.h"
#include "net/deadline.h"
#include "net/dial.h"
#include "net/stream.h"

namespace net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using std::chrono::milliseconds;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kHeaderBytesMax = 16 << 10;
// What a client may still send after it was told that its request is refused.
constexpr std::size_t kUnreadBytesMax = 8 << 20;
// Accepting fails when the process is out of file descriptors; trying again at once would only
// spin.
constexpr milliseconds kAcceptPause{100};

using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;
using Parser = http::request_parser<http::string_body>;

HttpRequest request_of(const Request& from) {
  HttpRequest request;
  request.method = std::string(from.method_string());
  request.target = std::string(from.target());
  request.body = from.body();
  for (const auto& field : from) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    request.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  request.upgrade = boost::beast::websocket::is_upgrade(from);
  return request;
}

Response response_of(HttpReply reply, unsigned version, bool keep_alive) {
  Response response;
  response.version(version);
  response.result(reply.status);
  for (const auto& [name, value] : reply.headers) response.insert(name, value);
  response.body() = std::move(reply.body);
  response.keep_alive(keep_alive);
  response.prepare_payload();
  return response;
}

HttpReply plain_text(unsigned status, std::string text) {
  HttpReply reply;
  reply.status = status;
  reply.body = std::move(text);
  reply.headers.emplace_back("Content-Type", "text/plain");
  return reply;
}

// What to say to a request that could not be read; nothing if the client has just gone.
std::optional<HttpReply> complaint(const base::Error& error) {
  if (error == http::error::body_limit) return plain_text(413, "body too large\n");
  if (error == http::error::header_limit) return plain_text(431, "header too large\n");
  if (error == http::error::end_of_stream || error == http::error::partial_message) return {};
  if (error.category() != make_error_code(http::error::bad_method).category()) return {};
  return plain_text(400, "malformed request: " + error.message() + "\n");
}

}  // namespace

// Shared by the server and its connections, whose handlers may outlive it.
struct HttpServer::Impl : std::enable_shared_from_this<Impl> {
  Impl(std::vector<asio::any_io_executor> its_executors, HttpServerOptions its_options,
       OnRequest its_on_request, OnWebSocket its_on_websocket)
      : executors(std::move(its_executors)),
        options(std::move(its_options)),
        on_request(std::move(its_on_request)),
        on_websocket(std::move(its_on_websocket)),
        tls(options.tls),
        endpoint(asio::ip::make_address(options.address), options.port) {}

  // Apart from the rest, which connections keep alive for longer than the server may have its
  // executors.
  struct Listener {
    explicit Listener(const asio::any_io_executor& executor, const tcp::endpoint& endpoint)
        : acceptor(executor, endpoint), pause(executor) {}  // with SO_REUSEADDR

    tcp::acceptor acceptor;
    asio::steady_timer pause;
  };

  void listen() {
    const std::lock_guard lock(mutex);
    if (listener) return;
    listener = std::make_shared<Listener>(executors[0], endpoint);
    endpoint = listener->acceptor.local_endpoint();
    accept_next();
  }

  void refuse() {
    const std::lock_guard lock(mutex);
    if (!listener) return;
    listener->acceptor.close();
    listener->pause.cancel();
    listener.reset();
  }

  std::shared_ptr<TlsContext> tls_now() const {
    const std::lock_guard lock(mutex);
    return tls;
  }

  void reset_all() {
    const std::lock_guard lock(mutex);
    for (const auto& [id, connection] : connections) connection.reset();
  }

  // Both with the mutex held.
  void accept_next() {
    const auto& executor = executors[next_executor++ % executors.size()];
    listener->acceptor.async_accept(executor, [self = shared_from_this(), from = listener](
                                                  base::Error error, tcp::socket socket) {
      const std::lock_guard lock(self->mutex);
      if (self->listener != from) return;
      if (error && error != asio::error::connection_aborted) return self->accept_later();
      if (!error) self->add(std::move(socket));
      self->accept_next();
    });
  }
  void accept_later() {
    listener->pause.expires_after(kAcceptPause);
    listener->pause.async_wait([self = shared_from_this(), from = listener](base::Error) {
      const std::lock_guard lock(self->mutex);
      if (self->listener == from) self->accept_next();
    });
  }
  void add(tcp::socket socket) {
    if (connections.size() >= options.connections_max) return;  // closes it
    auto visit = std::make_shared<Visit>();
    base::Error gone;
    const auto peer = socket.remote_endpoint(gone);
    if (gone) return;
    visit->peer = text_of(peer);
    if (options.admit && !(visit->guest = options.admit(peer.address()))) return;
    Stream stream(std::move(socket));
    visit->server = shared_from_this();
    visit->id = next_id++;
    connections.emplace(visit->id, stream.handle());
    // Later: serving it needs the mutex.
    const auto executor = stream.get_executor();
    asio::post(executor, [stream = std::move(stream), visit = std::move(visit)]() mutable {
      const auto its = stream.get_executor();
      const auto self = visit->server;
      asio::co_spawn(its, self->serve(std::move(stream), std::move(visit)), asio::detached);
    });
  }

  // One connection's place in the list, on whichever executor it is served.
  struct Visit {
    ~Visit() {
      if (!server) return;
      const std::lock_guard unlisting(server->mutex);
      server->connections.erase(id);
    }
    std::shared_ptr<Impl> server;
    std::uint64_t id = 0;
    std::string peer;
    std::shared_ptr<void> guest;
  };

  asio::awaitable<void> serve(Stream stream, std::shared_ptr<Visit> visit);
  asio::awaitable<void> upgrade(Stream stream, std::shared_ptr<Visit> visit, Request request,
                                HttpRequest asked, Accept accepted);
  asio::awaitable<bool> reply(Stream& stream, Deadline& deadline, HttpReply what, unsigned version,
                              bool keep_alive);
  asio::awaitable<void> hang_up(Stream& stream, Deadline& deadline);

  const std::vector<asio::any_io_executor> executors;
  const HttpServerOptions options;
  const OnRequest on_request;
  const OnWebSocket on_websocket;

  mutable std::mutex mutex;  // guards all below
  std::shared_ptr<TlsContext> tls;
  std::shared_ptr<Listener> listener;  // null: refusing
  tcp::endpoint endpoint;
  std::size_t next_executor = 0;
  std::uint64_t next_id = 0;
  std::map<std::uint64_t, Stream::Handle> connections;
};

asio::awaitable<void> HttpServer::Impl::serve(Stream stream, std::shared_ptr<Visit> visit) {
  const auto self = shared_from_this();
  Deadline deadline(stream.get_executor(), stream.handle());
  base::Error ignored;
  stream.socket().set_option(tcp::no_delay(true), ignored);
  if (auto context = tls_now()) {
    stream.start_tls(std::move(context), "", "");
    deadline.set(options.limits.tls);
    const auto [error] = co_await stream.async_handshake(kTuple);
    if (error) co_return;
  }

  boost::beast::flat_buffer buffer(kHeaderBytesMax + options.body_bytes_max);
  for (;;) {
    Parser parser;
    parser.header_limit(kHeaderBytesMax);
    parser.body_limit(options.body_bytes_max);
    deadline.set(options.limits.upgrade);
    const auto [error, size] = co_await http::async_read(stream, buffer, parser, kTuple);
    deadline.clear();
    if (error) {
      if (auto what = complaint(error)) {
        co_await reply(stream, deadline, std::move(*what), 11, false);
        co_await hang_up(stream, deadline);
      }
      co_return;
    }

    Request request = parser.release();
    HttpRequest asked = request_of(request);
    asked.peer = visit->peer;
    asked.guest = visit->guest;
    Answer answer;
    try {
      answer = co_await on_request(asked);
    } catch (const std::exception&) {
      answer = plain_text(500, "internal error\n");
    }
    if (std::holds_alternative<Drop>(answer)) {
      stream.handle().reset();
      co_return;
    }
    if (auto* accepted = std::get_if<Accept>(&answer)) {
      // Frames sent before the upgrade is granted would be lost, so there must be none.
      if (asked.upgrade && buffer.size() == 0) {
        const auto executor = accepted->executor ? accepted->executor : stream.get_executor();
        if (executor != stream.get_executor()) stream.move_to(executor);
        auto upgrading = upgrade(std::move(stream), std::move(visit), std::move(request),
                                 std::move(asked), std::move(*accepted));
        asio::co_spawn(executor, std::move(upgrading), asio::detached);
        co_return;
      }
      answer = plain_text(400, "an upgrade to WebSocket is expected here\n");
    }
    auto& last = std::get<HttpReply>(answer);
    const bool keep_alive = request.keep_alive() && !last.is_last;
    const bool is_sent =
        co_await reply(stream, deadline, std::move(last), request.version(), keep_alive);
    if (!is_sent) co_return;
    if (!keep_alive) {
      co_await hang_up(stream, deadline);
      co_return;
    }
  }
}

// Where the connection is to live.
asio::awaitable<void> HttpServer::Impl::upgrade(Stream stream, std::shared_ptr<Visit> visit,
                                                Request request, HttpRequest asked,
                                                Accept accepted) {
  const auto limits = accepted.limits.value_or(options.limits);
  auto accepting = accept(std::move(stream), request, std::move(accepted.headers), limits);
  auto socket = co_await std::move(accepting);
  request = {};
  visit->guest.reset();
  if (socket) co_await on_websocket(std::move(asked), std::move(*socket));
}

// False if the client has gone.
asio::awaitable<bool> HttpServer::Impl::reply(Stream& stream, Deadline& deadline, HttpReply what,
                                              unsigned version, bool keep_alive) {
  const auto response = response_of(std::move(what), version, keep_alive);
  deadline.set(options.limits.upgrade);
  const auto [error, size] = co_await http::async_write(stream, response, kTuple);
  deadline.clear();
  co_return !error;
}

// Closing with bytes unread would reset the connection, and the client might never see the reply.
asio::awaitable<void> HttpServer::Impl::hang_up(Stream& stream, Deadline& deadline) {
  base::Error ignored;
  stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  deadline.set(options.limits.close);
  std::string unread(4'096, '\0');
  for (std::size_t total = 0; total < kUnreadBytesMax;) {
    const auto [error, size] = co_await stream.async_read_some(asio::buffer(unread), kTuple);
    if (error) co_return;
    total += size;
  }
}

std::string HttpRequest::header(std::string_view name) const {
  const auto it = std::find_if(headers.begin(), headers.end(),
                               [&](const auto& entry) { return entry.first == name; });
  return it == headers.end() ? "" : it->second;
}

std::string HttpRequest::path() const { return target.substr(0, target.find('?')); }

HttpServer::HttpServer(std::vector<asio::any_io_executor> executors, HttpServerOptions options,
                       OnRequest on_request, OnWebSocket on_websocket)
    : impl_(std::make_shared<Impl>(std::move(executors), std::move(options), std::move(on_request),
                                   std::move(on_websocket))) {
  listen();
}

HttpServer::~HttpServer() { stop(); }

std::uint16_t HttpServer::port() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->endpoint.port();
}

std::size_t HttpServer::connections() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->connections.size();
}

void HttpServer::stop() {
  refuse();
  impl_->reset_all();
}

void HttpServer::refuse() { impl_->refuse(); }
void HttpServer::listen() { impl_->listen(); }

void HttpServer::renew_tls(std::shared_ptr<TlsContext> tls) {
  const std::lock_guard lock(impl_->mutex);
  impl_->tls = std::move(tls);
}

}  // namespace net
