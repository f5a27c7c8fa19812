// HttpClient against our server, and against one that a test plays by hand.

#include "net/http_client.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "fixture.h"

namespace net::testing {
namespace {

namespace asio = boost::asio;
using base::Errc;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using namespace std::chrono_literals;

struct HttpClientTest : NetTest {
  void SetUp() override {
    answer = [this](const HttpRequest& request) -> asio::awaitable<HttpServer::Answer> {
      seen = request;
      co_return reply;
    };
  }
  // As NetTest::run(), with a client that keeps nothing beyond the dialogue.
  void run(asio::awaitable<void> dialogue) {
    auto whole = [this](asio::awaitable<void> first) -> asio::awaitable<void> {
      co_await std::move(first);
      made.reset();
    };
    NetTest::run(whole(std::move(dialogue)));
  }
  HttpClient& client() {
    if (!made) made = std::make_unique<HttpClient>(io.get_executor(), client_limits, tls);
    return *made;
  }
  asio::awaitable<base::Result<HttpReply>> get(Endpoint where) {
    return client().send("GET", std::move(where), "", 5s, &detail);
  }
  // Sends `method` while the peer does its part; returns how that ended.
  base::Result<HttpReply> exchange(std::string method, Endpoint where, asio::awaitable<void> peer,
                                   std::chrono::milliseconds limit = 5s) {
    base::Result<HttpReply> ended = Errc::internal;
    asio::co_spawn(io, std::move(peer), asio::detached);
    run([&]() -> asio::awaitable<void> {
      auto sending = client().send(method, where, "", limit, &detail);
      ended = co_await std::move(sending);
    }());
    return ended;
  }
  base::Result<HttpReply> answered_with(std::string bytes, std::string method = "GET") {
    RawPeer peer(io);
    auto playing = [](RawPeer& by, std::string says) -> asio::awaitable<void> {
      co_await by.accept();
      co_await by.hear_until("\r\n\r\n");
      co_await by.say(std::move(says));
      by.hang_up();
    };
    auto part = playing(peer, std::move(bytes));
    return exchange(std::move(method), peer.endpoint(), std::move(part));
  }

  HttpClientLimits client_limits;
  HttpReply reply;
  HttpRequest seen;
  std::unique_ptr<HttpClient> made;
};

TEST_F(HttpClientTest, SendsARequestAndGetsTheReply) {
  reply.status = 403;
  reply.headers = {{"Set-Cookie", "session=1"}, {"Set-Cookie", "lang=en"}};
  reply.body = "false";
  start();
  run([&]() -> asio::awaitable<void> {
    auto where = endpoint();
    where.target = "/rest/system/session?x=1";
    where.headers = {{"Content-Type", "application/json"}, {"Cookie", "session=2"}};
    auto sending = client().send("PUT", where, R"({"name":"auth"})", 5s, &detail);
    const auto answered = co_await std::move(sending);
    EXPECT_TRUE(answered) << detail;
    if (!answered) co_return;
    EXPECT_EQ(answered->status, 403u);
    EXPECT_EQ(answered->body, "false");
    EXPECT_EQ(std::count(answered->headers.begin(), answered->headers.end(),
                         std::pair<std::string, std::string>("set-cookie", "lang=en")),
              1);
    EXPECT_EQ(seen.method, "PUT");
    EXPECT_EQ(seen.target, "/rest/system/session?x=1");
    EXPECT_EQ(seen.body, R"({"name":"auth"})");
    EXPECT_EQ(seen.header("content-type"), "application/json");
    EXPECT_EQ(seen.header("cookie"), "session=2");
    EXPECT_EQ(seen.header("host"), "127.0.0.1:" + where.port);
  }());
}

TEST_F(HttpClientTest, SpeaksTls) {
  tls = client_context();
  server_options.tls = server_context();
  reply.body = "secret";
  start();
  run([&]() -> asio::awaitable<void> {
    auto where = endpoint();
    where.host = "localhost";
    const auto first = co_await get(where);
    EXPECT_TRUE(first) << detail;
    EXPECT_EQ(first ? first->body : "", "secret");
    const auto second = co_await get(where);
    EXPECT_TRUE(second) << detail;
  }());
}

TEST_F(HttpClientTest, TellsWhyACertificateIsNotTrusted) {
  tls = context({}, TlsContext::Role::client);
  server_options.tls = server_context();
  start();
  run([&]() -> asio::awaitable<void> {
    const auto answered = co_await get(endpoint());
    EXPECT_EQ(answered.error(), Errc::certificate_unknown_authority);
    EXPECT_THAT(detail, HasSubstr("TLS with 127.0.0.1"));
  }());
}

TEST_F(HttpClientTest, TellsThatNobodyListens) {
  start();
  server->refuse();
  run([&]() -> asio::awaitable<void> {
    const auto answered = co_await get(endpoint());
    EXPECT_EQ(answered.error(), Errc::connect_failed);
    EXPECT_THAT(detail, HasSubstr("Connection refused"));
  }());
}

TEST_F(HttpClientTest, KeepsAConnectionForTheNextRequest) {
  start();
  run([&]() -> asio::awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      const auto answered = co_await get(endpoint());
      EXPECT_TRUE(answered) << detail;
      EXPECT_EQ(client().idle(), 1u);
      EXPECT_EQ(server->connections(), 1u);
    }
  }());
}

TEST_F(HttpClientTest, KeepsNoMoreThanItMay) {
  client_limits.idle_max = 1;
  start();
  run([&]() -> asio::awaitable<void> {
    int left = 4;
    asio::steady_timer done(io, asio::steady_timer::time_point::max());
    for (int i = 0; i < 4; ++i) {
      asio::co_spawn(io, get(endpoint()), [&](const std::exception_ptr&, const auto& answered) {
        EXPECT_TRUE(answered);
        if (--left == 0) done.cancel();
      });
    }
    co_await done.async_wait(kTuple);
    EXPECT_EQ(client().idle(), 1u);
  }());
}

TEST_F(HttpClientTest, ClosesWhatIsNotUsed) {
  client_limits.idle = 10ms;
  start();
  run([&]() -> asio::awaitable<void> {
    const auto answered = co_await get(endpoint());
    EXPECT_TRUE(answered) << detail;
    asio::steady_timer timer(io);
    while (client().idle() > 0 || server->connections() > 0) {
      timer.expires_after(1ms);
      co_await timer.async_wait(kTuple);
    }
  }());
}

TEST_F(HttpClientTest, DoesNotUseAConnectionThatTheServerHasClosed) {
  RawPeer peer(io);
  int ends = 0;
  auto playing = [](RawPeer& by, int& hung_up) -> asio::awaitable<void> {
    for (int i = 0; i < 2; ++i, ++hung_up) {
      co_await by.accept();
      co_await by.hear(20);
      co_await by.say("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(i));
      by.hang_up();
    }
  };
  asio::co_spawn(io, playing(peer, ends), asio::detached);
  run([&]() -> asio::awaitable<void> {
    // Even what must not be repeated.
    for (int i = 0; i < 2; ++i) {
      auto sending = client().send("POST", peer.endpoint(), "", 5s, &detail);
      const auto answered = co_await std::move(sending);
      EXPECT_TRUE(answered) << detail;
      EXPECT_EQ(answered ? answered->body : "", std::to_string(i));
      while (ends <= i) co_await asio::post(io, kTuple);
    }
  }());
}

// Answers one request, and closes when it hears the next; then serves another connection.
asio::awaitable<void> close_on_the_second(RawPeer& peer, int& requests) {
  for (;;) {
    co_await peer.accept();
    const auto heard = co_await peer.hear(20);
    if (heard.empty()) co_return;
    ++requests;
    co_await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    if (requests >= 2) co_return;
    co_await peer.hear_until("\r\n\r\n");
    co_await peer.hear(20);
    ++requests;
    peer.hang_up();
  }
}

TEST_F(HttpClientTest, RepeatsWhatMayBeRepeatedWhenAKeptConnectionBreaks) {
  RawPeer peer(io);
  int requests = 0;
  asio::co_spawn(io, close_on_the_second(peer, requests), asio::detached);
  run([&]() -> asio::awaitable<void> {
    const auto first = co_await get(peer.endpoint());
    EXPECT_TRUE(first) << detail;
    const auto second = co_await get(peer.endpoint());
    EXPECT_TRUE(second) << detail;
    EXPECT_EQ(requests, 3);
  }());
}

TEST_F(HttpClientTest, DoesNotRepeatWhatMayHaveBeenDone) {
  RawPeer peer(io);
  int requests = 0;
  asio::co_spawn(io, close_on_the_second(peer, requests), asio::detached);
  run([&]() -> asio::awaitable<void> {
    const auto first = co_await get(peer.endpoint());
    EXPECT_TRUE(first) << detail;
    auto sending = client().send("POST", peer.endpoint(), "", 5s, &detail);
    const auto second = co_await std::move(sending);
    EXPECT_EQ(second.error(), Errc::link_lost);
    EXPECT_EQ(requests, 2);
    peer.stop();
  }());
}

TEST_F(HttpClientTest, GivesUpOnASilentServer) {
  RawPeer peer(io);
  const auto answered = exchange("GET", peer.endpoint(), peer.accept(), 50ms);
  EXPECT_EQ(answered.error(), Errc::timed_out);
  EXPECT_THAT(detail, HasSubstr("no reply in time"));
}

TEST_F(HttpClientTest, DetailsTellNoSecrets) {
  RawPeer peer(io);
  auto where = peer.endpoint();
  where.target = "/remote_call.htm?auth=hidden1";
  where.headers = {{"Authorization", "Basic hidden2"}};
  const auto answered = exchange("GET", where, peer.accept(), 50ms);
  EXPECT_FALSE(answered);
  EXPECT_THAT(detail, HasSubstr("/remote_call.htm"));
  EXPECT_THAT(detail, Not(HasSubstr("hidden")));
}

TEST_F(HttpClientTest, TakesAChunkedBody) {
  const auto answered = answered_with(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nfal\r\n2\r\nse\r\n0\r\n\r\n");
  ASSERT_TRUE(answered) << detail;
  EXPECT_EQ(answered->body, "false");
}

TEST_F(HttpClientTest, TakesABodyThatEndsWithTheConnection) {
  const auto answered = answered_with("HTTP/1.0 200 OK\r\n\r\ntrue");
  ASSERT_TRUE(answered) << detail;
  EXPECT_EQ(answered->body, "true");
}

TEST_F(HttpClientTest, DoesNotFollowRedirects) {
  const auto answered = answered_with(
      "HTTP/1.1 302 Found\r\nLocation: https://pbx.test/\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(answered) << detail;
  EXPECT_EQ(answered->status, 302u);
  EXPECT_EQ(answered->headers[0].second, "https://pbx.test/");
}

TEST_F(HttpClientTest, KnowsThatTheReplyToHeadHasNoBody) {
  const auto answered = answered_with("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "HEAD");
  ASSERT_TRUE(answered) << detail;
  EXPECT_THAT(answered->body, IsEmpty());
}

TEST_F(HttpClientTest, HalfAReplyIsALostLink) {
  const auto answered = answered_with("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  EXPECT_EQ(answered.error(), Errc::link_lost);
}

TEST_F(HttpClientTest, WhatIsNotHttpIsABadFrame) {
  const auto answered = answered_with("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  EXPECT_EQ(answered.error(), Errc::bad_frame);
}

TEST_F(HttpClientTest, RefusesABodyBeyondTheLimit) {
  client_limits.body_bytes_max = 10;
  const auto answered = answered_with("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901");
  EXPECT_EQ(answered.error(), Errc::message_too_big);
}

TEST_F(HttpClientTest, RefusesHeadersBeyondTheLimit) {
  client_limits.header_bytes_max = 100;
  const auto answered =
      answered_with("HTTP/1.1 200 OK\r\nX: " + std::string(200, 'x') + "\r\n\r\n");
  EXPECT_EQ(answered.error(), Errc::message_too_big);
}

TEST_F(HttpClientTest, CanBeCancelled) {
  RawPeer peer(io);
  asio::cancellation_signal cancel;
  bool ended = false;
  auto sending = client().send("GET", peer.endpoint(), "", 5s, &detail);
  asio::co_spawn(io, std::move(sending),
                 asio::bind_cancellation_slot(
                     cancel.slot(), [&](const std::exception_ptr&, const auto&) { ended = true; }));
  run([&]() -> asio::awaitable<void> {
    co_await peer.accept();
    co_await peer.hear(20);
    cancel.emit(asio::cancellation_type::terminal);
    asio::steady_timer timer(io);
    while (!ended) {
      timer.expires_after(1ms);
      co_await timer.async_wait(kTuple);
    }
  }());
}

}  // namespace
}  // namespace net::testing
