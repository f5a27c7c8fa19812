#include <atomic>
#include <future>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "fixture.h"
#include "support/patience.h"

namespace net::testing {
namespace {

namespace asio = boost::asio;
using base::Errc;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::chrono_literals;

// A server whose WebSockets live elsewhere than where they were accepted: on a thread of their own.
struct HttpServerAccept : NetTest {
  asio::io_context elsewhere{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{elsewhere.get_executor()};
  std::thread thread{[this] { elsewhere.run_for(support::kPatience); }};
  std::atomic<int> served = 0;
  base::Error last_read;  // on that thread

  HttpServerAccept() {
    answer = [this](const HttpRequest&) -> asio::awaitable<HttpServer::Answer> {
      HttpServer::Accept accept;
      accept.executor = elsewhere.get_executor();
      co_return accept;
    };
    serve = [this](HttpRequest, WebSocket socket) -> asio::awaitable<void> {
      EXPECT_EQ(std::this_thread::get_id(), thread.get_id());
      ++served;
      for (;;) {
        const auto text = co_await socket.read();
        EXPECT_EQ(std::this_thread::get_id(), thread.get_id());
        last_read = text ? base::Error() : text.error();
        if (!text) break;
        co_await socket.write(*text);
      }
      --served;
    };
  }
  ~HttpServerAccept() override { join(); }
  void join() {
    work.reset();
    if (thread.joinable()) thread.join();
    EXPECT_TRUE(elsewhere.stopped()) << "something still waits there";
  }

  // Both ways, and more than one TLS record.
  asio::awaitable<void> talk(WebSocket& socket) {
    for (const std::size_t size : {5u, 200'000u, 5u}) {
      const std::string said(size, 'x');
      EXPECT_FALSE(co_await socket.write(said));
      const auto heard = co_await socket.read();
      EXPECT_TRUE(heard && *heard == said);
    }
  }
};

TEST_F(HttpServerAccept, MovesAConnectionToAnotherThread) {
  start();
  run([&]() -> asio::awaitable<void> {
    auto socket = co_await connect();
    EXPECT_TRUE(socket) << detail;
    co_await talk(*socket);
    EXPECT_EQ(server->connections(), 1u);
    co_await socket->close();
  }());
  join();
  EXPECT_EQ(served, 0);
  EXPECT_EQ(last_read, Errc::link_closed);
}

TEST_F(HttpServerAccept, MovesAConnectionWithTlsOnIt) {
  server_options.tls = server_context();
  tls = client_context();
  start();
  run([&]() -> asio::awaitable<void> {
    std::vector<WebSocket> sockets;
    for (int i = 0; i < 10; ++i) {
      auto socket = co_await connect();
      EXPECT_TRUE(socket) << detail;
      sockets.push_back(std::move(*socket));
    }
    for (auto& socket : sockets) co_await talk(socket);
    for (auto& socket : sockets) co_await socket.close();
  }());
  join();
  EXPECT_EQ(served, 0);
}

TEST_F(HttpServerAccept, DropsAConnectionWhereItHasMovedTo) {
  for (const bool with_tls : {false, true}) {
    server_options.tls = with_tls ? server_context() : nullptr;
    tls = with_tls ? client_context() : nullptr;
    io.restart();
    start();
    run([&]() -> asio::awaitable<void> {
      auto socket = co_await connect();
      co_await talk(*socket);
      server->stop();
      const auto text = co_await socket->read();
      EXPECT_EQ(text.error(), Errc::link_lost);
    }());
  }
  join();
  EXPECT_EQ(last_read, Errc::link_lost);
}

// stop() may come at any moment of the move.
TEST_F(HttpServerAccept, StopsWhileConnectionsMove) {
  for (int round = 0; round < 30; ++round) {
    io.restart();
    start();
    run([&]() -> asio::awaitable<void> {
      std::promise<void> stopped;
      asio::post(elsewhere, [&] {
        server->stop();
        stopped.set_value();
      });
      for (int i = 0; i < 5; ++i) {
        auto socket = co_await connect();
        if (!socket) break;
        const auto text = co_await socket->read();
        EXPECT_EQ(text.error(), Errc::link_lost);
      }
      stopped.get_future().wait();
    }());
  }
  join();
  EXPECT_EQ(served, 0);
}

TEST_F(HttpServerAccept, GivesAWebSocketLimitsOfItsOwn) {
  answer = [](const HttpRequest&) -> asio::awaitable<HttpServer::Answer> {
    HttpServer::Accept accept;
    accept.limits.emplace().message_bytes_max = 10;
    co_return accept;
  };
  std::vector<base::Error> ends;
  serve = [&](HttpRequest, WebSocket socket) -> asio::awaitable<void> {
    const auto first = co_await socket.read();
    ends.push_back(first ? base::Error() : first.error());
    socket.limit_messages(5);
    const auto second = co_await socket.read();
    ends.push_back(second ? base::Error() : second.error());
  };
  start();
  run([&]() -> asio::awaitable<void> {
    auto socket = co_await connect();
    co_await socket->write("0123456789");
    co_await socket->write("012345");
    co_await socket->read();
  }());
  EXPECT_THAT(ends, ::testing::ElementsAre(base::Error(), Errc::message_too_big));
}

TEST_F(HttpServerAccept, AsksBeforeItAdmitsAnybody) {
  std::weak_ptr<void> last;
  unsigned asked = 0;
  server_options.admit = [&](const asio::ip::address& from) -> std::shared_ptr<void> {
    EXPECT_TRUE(from.is_loopback());
    if (++asked == 2) return nullptr;
    auto guest = std::make_shared<int>(1);
    last = guest;
    return guest;
  };
  answer = [&](const HttpRequest& request) -> asio::awaitable<HttpServer::Answer> {
    EXPECT_EQ(request.guest, last.lock());
    EXPECT_THAT(request.peer, StartsWith("127.0.0.1:"));
    co_return HttpServer::Accept{};
  };
  serve = [&](HttpRequest request, WebSocket socket) -> asio::awaitable<void> {
    EXPECT_EQ(request.guest, last.lock());
    request.guest.reset();
    EXPECT_TRUE(last.expired());  // nobody else has kept it
    co_await echo(std::move(request), std::move(socket));
  };
  start();
  run([&]() -> asio::awaitable<void> {
    auto first = co_await connect();
    EXPECT_TRUE(first) << detail;
    EXPECT_FALSE(co_await first->write("x"));
    EXPECT_TRUE(co_await first->read());
    const auto second = co_await connect();
    EXPECT_EQ(second.error(), Errc::link_lost);
    auto third = co_await connect();
    EXPECT_TRUE(third) << detail;
    EXPECT_EQ(server->connections(), 2u);
  }());
}

}  // namespace
}  // namespace net::testing
