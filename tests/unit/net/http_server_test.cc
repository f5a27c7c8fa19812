#include "net/http_server.h"

#include <stdexcept>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "fixture.h"
#include "support/patience.h"

namespace net::testing {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using base::Errc;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::chrono_literals;

struct Http : NetTest {
  void start_pages() { start_pages({io.get_executor()}); }
  void start_pages(std::vector<asio::any_io_executor> executors) {
    answer = [](const HttpRequest& request) -> asio::awaitable<HttpServer::Answer> {
      if (request.path() == "/throw") throw std::runtime_error("a bug");
      if (request.path() == "/accept") co_return HttpServer::Accept{};
      HttpReply reply;
      reply.body = request.method + " " + request.path() + " " + request.header("x-test") + " " +
                   request.body;
      reply.headers.emplace_back("Set-Cookie", "a=1");
      reply.headers.emplace_back("Set-Cookie", "b=2");
      co_return reply;
    };
    server = std::make_unique<HttpServer>(std::move(executors), server_options, answer, serve);
  }

  asio::awaitable<tcp::socket> dial() {
    tcp::socket socket(io);
    const tcp::endpoint where(asio::ip::address_v4::loopback(), server->port());
    co_await socket.async_connect(where, kTuple);
    co_return socket;
  }

  // Says `request` and returns all that comes until the server hangs up.
  std::string exchange(std::string request) {
    std::string heard;
    start_pages();
    run([&]() -> asio::awaitable<void> {
      auto socket = co_await dial();
      co_await asio::async_write(socket, asio::buffer(request), kTuple);
      co_await asio::async_read(socket, asio::dynamic_buffer(heard), kTuple);
    }());
    return heard;
  }
};

TEST_F(Http, AnswersOneRequestAfterAnotherOnAConnection) {
  const auto heard = exchange(
      "POST /login?x=y HTTP/1.1\r\nHost: pbx\r\nX-Test: yes\r\nContent-Length: 4\r\n\r\nbody"
      "GET /next HTTP/1.1\r\nHost: pbx\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(heard, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(heard, HasSubstr("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"));
  EXPECT_THAT(heard, HasSubstr("POST /login yes bodyHTTP/1.1 200 OK"));
  EXPECT_THAT(heard, HasSubstr("GET /next"));
}

TEST_F(Http, AnswersOverTls) {
  // A WebSocket client whose upgrade is refused has read one reply over TLS.
  server_options.tls = server_context();
  tls = client_context();
  start();
  run([&]() -> asio::awaitable<void> {
    auto where = endpoint();
    where.target = "/page";
    const auto socket = co_await WebSocket::connect(where, limits, tls, &detail);
    EXPECT_EQ(socket.error(), Errc::upgrade_refused);
  }());
}

TEST_F(Http, RefusesABodyThatIsTooLarge) {
  server_options.body_bytes_max = 100;
  EXPECT_THAT(exchange("POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n" + std::string(101, 'x')),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(Http, RefusesAChunkedBodyThatIsTooLarge) {
  server_options.body_bytes_max = 100;
  EXPECT_THAT(exchange("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" +
                       std::string(101, 'x') + "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(Http, RefusesAHeaderThatIsTooLarge) {
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
}

TEST_F(Http, RefusesWhatIsNotHttp) {
  EXPECT_THAT(exchange("\x16\x03\x01 hello\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(Http, AnswersAHandlerThatThrows) {
  EXPECT_THAT(exchange("GET /throw HTTP/1.1\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 500 "));
}

TEST_F(Http, DoesNotUpgradeWhoDidNotAsk) {
  EXPECT_THAT(exchange("GET /accept HTTP/1.1\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
}

TEST_F(Http, DropsAClientThatNeverFinishesItsRequest) {
  server_options.limits.upgrade = 50ms;
  EXPECT_EQ(exchange("GET / HTT"), "");
}

TEST_F(Http, DropsAClientThatNeverFinishesTheTlsHandshake) {
  server_options.tls = server_context();
  server_options.limits.tls = 50ms;
  EXPECT_EQ(exchange(""), "");
}

TEST_F(Http, ClosesConnectionsBeyondTheLimit) {
  server_options.connections_max = 1;
  start();
  run([&]() -> asio::awaitable<void> {
    auto first = co_await connect();
    EXPECT_TRUE(first);
    const auto second = co_await connect();
    EXPECT_EQ(second.error(), Errc::link_lost);
    EXPECT_EQ(server->connections(), 1u);
    EXPECT_FALSE(co_await first->write("still here"));
    EXPECT_TRUE(co_await first->read());
  }());
}

TEST_F(Http, SurvivesAWebSocketHandlerThatThrows) {
  serve = [](HttpRequest, WebSocket) -> asio::awaitable<void> {
    throw std::runtime_error("a bug");
    co_return;
  };
  start();
  run([&]() -> asio::awaitable<void> {
    for (int i = 0; i < 2; ++i) {
      auto socket = co_await connect();
      const auto text = co_await socket->read();
      EXPECT_EQ(text.error(), Errc::link_lost);
    }
  }());
}

TEST_F(Http, RefusesNewConnectionsAndListensAgain) {
  start();
  run([&]() -> asio::awaitable<void> {
    auto socket = co_await connect();
    server->refuse();
    const auto refused = co_await connect();
    EXPECT_EQ(refused.error(), Errc::connect_failed);
    EXPECT_FALSE(co_await socket->write("still here"));
    EXPECT_TRUE(co_await socket->read());

    const auto port = server->port();
    server->listen();
    server->listen();
    EXPECT_EQ(server->port(), port);
    EXPECT_TRUE(co_await connect());
  }());
}

TEST_F(Http, DropsEveryConnectionWhenItStops) {
  base::Error seen_by_server;
  serve = [&](HttpRequest, WebSocket socket) -> asio::awaitable<void> {
    const auto text = co_await socket.read();
    seen_by_server = text.error();
  };
  start();
  run([&]() -> asio::awaitable<void> {
    auto socket = co_await connect();
    auto idle = co_await dial();
    server->stop();
    const auto text = co_await socket->read();
    EXPECT_EQ(text.error(), Errc::link_lost);
    std::string heard;
    const auto [error, size] = co_await asio::async_read(idle, asio::dynamic_buffer(heard), kTuple);
    EXPECT_EQ(error, asio::error::connection_reset);
    const auto refused = co_await connect();
    EXPECT_EQ(refused.error(), Errc::connect_failed);
    server->listen();
    EXPECT_TRUE(co_await connect());
  }());
  EXPECT_EQ(seen_by_server, Errc::link_lost);
}

TEST_F(Http, ServesOnSeveralThreadsAndStopsFromAnother) {
  constexpr int kCount = 50;
  asio::io_context first(1), second(1);
  start_pages({first.get_executor(), second.get_executor()});
  auto first_work = asio::make_work_guard(first), second_work = asio::make_work_guard(second);
  std::thread one([&] { first.run_for(support::kPatience); }),
      other([&] { second.run_for(support::kPatience); });
  run([&]() -> asio::awaitable<void> {
    std::vector<WebSocket> sockets;
    auto where = endpoint();
    where.target = "/accept";
    for (int i = 0; i < kCount; ++i) {
      auto socket = co_await WebSocket::connect(where, limits, tls, &detail);
      EXPECT_FALSE(co_await socket->write("hello"));
      EXPECT_TRUE(co_await socket->read());
      sockets.push_back(std::move(*socket));
    }
    EXPECT_EQ(server->connections(), std::size_t{kCount});
    server->refuse();
    server->listen();
    server->stop();
    for (auto& socket : sockets) {
      const auto text = co_await socket.read();
      EXPECT_EQ(text.error(), Errc::link_lost);
    }
  }());
  first_work.reset();
  second_work.reset();
  one.join();
  other.join();
  EXPECT_TRUE(first.stopped() && second.stopped()) << "something still waits";
}

TEST_F(Http, CannotListenWhereSomebodyElseDoes) {
  start();
  server_options.port = server->port();
  EXPECT_THROW(
      HttpServer(
          {io.get_executor()}, server_options,
          [](const HttpRequest&) -> asio::awaitable<HttpServer::Answer> { co_return HttpReply{}; },
          serve),
      boost::system::system_error);
}

}  // namespace
}  // namespace net::testing
