#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gmock/gmock.h>

#include "certificates.h"
#include "net/http_server.h"
#include "net/websocket.h"

namespace net::testing {

constexpr auto kTuple = boost::asio::as_tuple(boost::asio::use_awaitable);

// One authority for all tests of the program: making keys takes longer than most of them.
Authority& authority();
// Contexts that trust it, and that carry a certificate of it for localhost.
std::shared_ptr<TlsContext> client_context();
std::shared_ptr<TlsContext> server_context();
std::shared_ptr<TlsContext> context(const TlsOptions& options, TlsContext::Role role);

// A server, clients, and one thread for all of them.
class NetTest : public ::testing::Test {
 protected:
  using Serve = std::function<boost::asio::awaitable<void>(HttpRequest, WebSocket)>;

  NetTest();
  ~NetTest() override;

  // Listens with `answer`, `serve` and `server_options` as they are by then.
  void start();
  // Runs the dialogue to its end and stops the server; then nothing may be left that still waits.
  void run(boost::asio::awaitable<void> dialogue);

  Endpoint endpoint() const;
  boost::asio::awaitable<base::Result<WebSocket>> connect();

  boost::asio::io_context io{1};
  std::shared_ptr<TlsContext> tls;  // of the client; null: plain
  WebSocketLimits limits;           // of the client
  std::string detail;               // of the last failed connect()
  HttpServerOptions server_options;
  HttpServer::OnRequest
      answer;   // WebSockets at /ws, and nothing else, unless a test says otherwise
  Serve serve;  // echoes unless a test says otherwise
  std::unique_ptr<HttpServer> server;
};

// A server that a test plays by hand, byte by byte.
class RawPeer {
 public:
  explicit RawPeer(boost::asio::io_context& io);

  Endpoint endpoint() const;
  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> accept_upgrade();  // accepts, and answers the request with 101
  boost::asio::awaitable<void> say(std::string bytes);
  // Waits for that many bytes, or as many as come before the end.
  boost::asio::awaitable<std::string> hear(std::size_t bytes);
  // Takes what comes, up to and including `text`.
  boost::asio::awaitable<void> hear_until(std::string text);
  void hang_up();
  void stop();  // and accept nobody any more

 private:
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ip::tcp::socket socket_;
  std::string heard_;
};

boost::asio::awaitable<void> echo(HttpRequest request, WebSocket socket);

}  // namespace net::testing
