#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>

#include "net/http.h"
#include "net/websocket.h"

namespace net {

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;           // 0: any free one; port() tells
  std::shared_ptr<TlsContext> tls;  // null: plain
  // `upgrade` also bounds how long a request may take to arrive, and how long a connection may stay
  // idle before its first or next one.
  WebSocketLimits limits;
  std::size_t connections_max = 20'000;  // further ones are closed at once
  std::size_t body_bytes_max = 1 << 20;  // 413 beyond it
  // Asked about each connection before a byte of it is read, with the address it comes from; on any
  // thread, and not to call the server. Null: it is closed at once. What is returned lives as long
  // as the connection is served, and comes with each of its requests (HttpRequest::guest);
  // `on_websocket` has the last of it, to let go of when it likes.
  std::function<std::shared_ptr<void>(const boost::asio::ip::address&)> admit = nullptr;
};

// HTTP/1.1 and WebSocket on one port, as PBXs serve them: for the simulator, and for PBXs that dial
// us. Each connection is served on an executor of `executors`, in turn, each of which runs one
// handler at a time and has to outlive the server. The members may be called from any thread.
class HttpServer {
 public:
  // For a plain request: the reply. For an upgrade: either a reply that refuses it, or Accept,
  // after which `on_websocket` has the socket for as long as the coroutine runs. If either throws,
  // the client gets a 500, or loses its WebSocket.
  struct Accept {
    std::vector<std::pair<std::string, std::string>> headers{};  // of the 101 reply
    // Where the connection lives from here on, `on_websocket` included, if not where it was
    // accepted. As one of the server's executors it has to outlive the server.
    boost::asio::any_io_executor executor{};
    std::optional<WebSocketLimits> limits{};  // of the WebSocket, if not the server's
  };
  struct Drop {};  // a TCP reset instead of an answer: a fault, for the simulator
  using Answer = std::variant<HttpReply, Accept, Drop>;
  using OnRequest = std::function<boost::asio::awaitable<Answer>(const HttpRequest&)>;
  using OnWebSocket = std::function<boost::asio::awaitable<void>(HttpRequest, WebSocket)>;

  // Listens from here on. Throws boost::system::system_error if the address cannot be bound.
  HttpServer(std::vector<boost::asio::any_io_executor> executors, HttpServerOptions options,
             OnRequest on_request, OnWebSocket on_websocket);
  ~HttpServer();  // stop()
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const;
  std::size_t connections() const;  // open now, WebSockets included
  // Stops accepting and drops every connection (TCP reset, no close frames: what a crash looks
  // like), each on its own executor. Handlers still under way end when they notice: their reads
  // and writes fail with link_lost.
  void stop();
  // Stops accepting only; connect attempts are refused. listen() takes the same port again, and
  // throws as the constructor does.
  void refuse();
  void listen();
  // Another certificate, for connections to come. Only if there is one already: not null.
  void renew_tls(std::shared_ptr<TlsContext> tls);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace net
