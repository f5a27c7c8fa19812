#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "net/websocket.h"

namespace net {

// What a client asked for, whether a page or an upgrade to WebSocket.
struct HttpRequest {
  std::string method, target, body;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  bool upgrade = false;                                      // asks for a WebSocket

  std::string header(std::string_view name) const;  // empty if absent
  std::string path() const;                         // the target without its query
};

struct HttpReply {
  unsigned status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // Content-Type, Set-Cookie, …
};

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;           // 0: any free one; port() tells
  std::shared_ptr<TlsContext> tls;  // null: plain
  WebSocketLimits limits;
  std::size_t connections_max = 20'000;
  std::size_t body_bytes_max = 1 << 20;
};

// HTTP/1.1 and WebSocket on one port, as PBXs serve them: for the simulator, and for PBXs that dial
// us. Each connection is served on an executor of `executors`, in turn.
class HttpServer {
 public:
  // For a plain request: the reply. For an upgrade: either a reply that refuses it, or Accept,
  // after which `on_websocket` has the socket for as long as the coroutine runs.
  struct Accept {
    std::vector<std::pair<std::string, std::string>> headers;  // of the 101 reply
  };
  using Answer = std::variant<HttpReply, Accept>;
  using OnRequest = std::function<boost::asio::awaitable<Answer>(const HttpRequest&)>;
  using OnWebSocket = std::function<boost::asio::awaitable<void>(HttpRequest, WebSocket)>;

  // Listens from here on. Throws boost::system::system_error if the address cannot be bound.
  HttpServer(std::vector<boost::asio::any_io_executor> executors, HttpServerOptions options,
             OnRequest on_request, OnWebSocket on_websocket);
  ~HttpServer();  // stop()
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const;
  // Stops accepting and drops every connection (TCP reset, no close frames: what a crash looks
  // like).
  void stop();
  // Stops accepting only; connect attempts are refused. listen() takes the same port again.
  void refuse();
  void listen();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace net
