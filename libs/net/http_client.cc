#include "net/http_client.h"

#include <algorithm>
#include <list>
#include <optional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <sys/socket.h>

#include "net/deadline.h"
#include "net/dial.h"
#include "net/http_parts.h"
#include "net/stream.h"

namespace net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

using Request = http::request<http::string_body>;
using Parser = http::response_parser<http::string_body>;

// Sent twice it does no more than sent once.
bool is_idempotent(http::verb verb) {
  return verb == http::verb::get || verb == http::verb::head || verb == http::verb::put ||
         verb == http::verb::delete_;
}

HttpReply reply_of(Parser::value_type from) {
  HttpReply reply;
  reply.status = from.result_int();
  reply.headers = headers_of(from);
  reply.body = std::move(from.body());
  return reply;
}

// A connection and what was read on it too much.
struct Connection {
  explicit Connection(const asio::any_io_executor& executor) : stream(tcp::socket(executor)) {}

  Stream stream;
  boost::beast::flat_buffer buffer;
  std::string server;  // which it leads to
  bool is_used = false;

  // Nothing has come that nobody asked for, not even an end.
  bool is_quiet() {
    char byte = 0;
    const auto peeked = ::recv(stream.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return peeked < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && buffer.size() == 0;
  }
};

using ConnectionPointer = std::shared_ptr<Connection>;

}  // namespace

struct HttpClient::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::any_io_executor its_executor, HttpClientLimits its_limits,
       std::shared_ptr<TlsContext> its_tls)
      : executor(std::move(its_executor)),
        limits(its_limits),
        tls(std::move(its_tls)),
        timer(executor) {}

  struct Idle {
    ConnectionPointer connection;
    steady_clock::time_point until;
  };

  const asio::any_io_executor executor;
  const HttpClientLimits limits;
  const std::shared_ptr<TlsContext> tls;
  asio::steady_timer timer;
  std::list<Idle> idle;  // oldest first
  bool closed = false;

  ConnectionPointer take(const std::string& server) {
    for (auto it = idle.end(); it != idle.begin();) {
      --it;
      if (it->connection->server != server) continue;
      const auto connection = it->connection;
      it = idle.erase(it);
      if (connection->is_quiet()) return connection;
      connection->stream.finish();
    }
    return nullptr;
  }

  void keep(ConnectionPointer connection) {
    connection->is_used = true;
    if (closed || limits.idle_max == 0) return connection->stream.finish();
    if (idle.size() >= limits.idle_max) drop_oldest();
    idle.push_back({std::move(connection), steady_clock::now() + limits.idle});
    if (idle.size() == 1) watch();
  }

  void drop_oldest() {
    idle.front().connection->stream.finish();
    idle.pop_front();
  }

  void watch() {
    timer.expires_at(idle.front().until);
    timer.async_wait([weak = weak_from_this()](base::Error error) {
      const auto self = weak.lock();
      if (error || !self) return;
      while (!self->idle.empty() && self->idle.front().until <= steady_clock::now()) {
        self->drop_oldest();
      }
      if (!self->idle.empty()) self->watch();
    });
  }

  void close() {
    closed = true;
    timer.cancel();
    while (!idle.empty()) drop_oldest();
  }

  // What one request needs on its way.
  struct Exchange {
    Endpoint endpoint;
    steady_clock::time_point end;
    std::string what;  // for sentences: "PUT https://pbx:443/rest/system/session"
    std::string why;
  };

  DialLimits limits_until(steady_clock::time_point end) const {
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    DialLimits all = limits;
    for (auto* each : {&all.resolve, &all.connect, &all.tls}) {
      *each = std::clamp(left, milliseconds(1), *each);
    }
    return all;
  }

  asio::awaitable<base::Error> open(Exchange& exchange, ConnectionPointer connection) const {
    tcp::endpoint peer;
    auto dialling = dial(connection->stream, exchange.endpoint, limits_until(exchange.end), tls,
                         peer, exchange.why);
    co_return co_await std::move(dialling);
  }

  // `heard` tells whether anything came back.
  asio::awaitable<base::Error> exchange_on(Exchange& exchange, ConnectionPointer connection,
                                           const Request& request, Parser& parser, bool& heard) {
    Deadline deadline(executor, connection->stream.handle());
    deadline.set(exchange.end);
    parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
    parser.body_limit(limits.body_bytes_max);
    if (request.method() == http::verb::head) parser.skip(true);
    auto [error, size] = co_await http::async_write(connection->stream, request, kTuple);
    if (!error) {
      connection->buffer.reserve(kReadBytes);
      const auto [failed, read] =
          co_await http::async_read(connection->stream, connection->buffer, parser, kTuple);
      error = failed;
      heard = read > 0 || connection->buffer.size() > 0;
      connection->buffer.shrink_to_fit();  // it may be idle for long
    }
    deadline.clear();
    if (deadline.passed()) {
      exchange.why = exchange.what + ": no reply in time";
      co_return base::Errc::timed_out;
    }
    if (!error) co_return error;
    const auto meaning = meaning_of(error);
    exchange.why = exchange.what + ": " +
                   (connection->stream.why().empty() ? error.message() : connection->stream.why());
    co_return meaning;
  }
};

HttpClient::HttpClient(asio::any_io_executor executor, HttpClientLimits limits,
                       std::shared_ptr<TlsContext> tls)
    : impl_(std::make_shared<Impl>(std::move(executor), limits, std::move(tls))) {}

HttpClient::~HttpClient() { impl_->close(); }

std::size_t HttpClient::idle() const { return impl_->idle.size(); }

asio::awaitable<base::Result<HttpReply>> HttpClient::send(std::string method, Endpoint endpoint,
                                                          std::string body, milliseconds limit,
                                                          std::string* detail) {
  const auto impl = impl_;  // `this` may be gone before the reply is here
  Impl::Exchange exchange;
  exchange.end = steady_clock::now() + limit;
  exchange.what = words_of(method, endpoint);
  const Request request = request_of(method, endpoint, std::move(body), true);
  exchange.endpoint = std::move(endpoint);
  const std::string server = server_of(exchange.endpoint);

  base::Error error;
  for (bool again = true; again;) {
    again = false;
    ConnectionPointer connection = impl->take(server);
    if (!connection) {
      connection = std::make_shared<Connection>(impl->executor);
      connection->server = server;
      auto opening = impl->open(exchange, connection);
      error = co_await std::move(opening);
      if (error) break;
    }
    Parser parser;
    bool heard = false;
    auto exchanging = impl->exchange_on(exchange, connection, request, parser, heard);
    error = co_await std::move(exchanging);
    if (!error) {
      if (parser.get().keep_alive()) {
        impl->keep(std::move(connection));
      } else {
        connection->stream.finish();
      }
      co_return reply_of(parser.release());
    }
    again = error == base::Errc::link_lost && connection->is_used && !heard &&
            is_idempotent(request.method());
    connection->stream.reset();
  }
  if (detail) *detail = std::move(exchange.why);
  co_return error;
}

}  // namespace net
