// Each stage of WebSocket::connect(), failing in each of its ways.

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <sys/socket.h>

#include "fixture.h"

namespace net::testing {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using base::Errc;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

struct Connect : NetTest {
  // Connects to `where` while the peer does its part; returns how that ended.
  base::Error try_connecting(Endpoint where, asio::awaitable<void> peer) {
    base::Error ended;
    asio::co_spawn(io, std::move(peer), asio::detached);
    run([&]() -> asio::awaitable<void> {
      const auto socket = co_await WebSocket::connect(where, limits, tls, &detail);
      if (!socket) ended = socket.error();
    }());
    return ended;
  }
  static asio::awaitable<void> nothing() { co_return; }
};

TEST_F(Connect, SaysWhoItIsAndWhatItWants) {
  HttpRequest seen;
  serve = [&](HttpRequest request, WebSocket) -> asio::awaitable<void> {
    seen = std::move(request);
    co_return;
  };
  start();
  auto where = endpoint();
  where.target = "/ws?user=gateway";
  where.headers = {{"User-Agent", "pbxgw"}, {"Cookie", "session=1"}};
  EXPECT_FALSE(try_connecting(where, nothing()));
  EXPECT_EQ(seen.target, "/ws?user=gateway");
  EXPECT_EQ(seen.header("user-agent"), "pbxgw");
  EXPECT_EQ(seen.header("cookie"), "session=1");
  EXPECT_EQ(seen.header("host"), "127.0.0.1:" + where.port);
  EXPECT_THAT(seen.header("sec-websocket-extensions"), IsEmpty());
}

TEST_F(Connect, ResolvesNames) {
  start();
  auto where = endpoint();
  where.host = "localhost";
  EXPECT_FALSE(try_connecting(where, nothing())) << detail;
}

TEST_F(Connect, TellsThatANameHasNoAddress) {
  Endpoint where;
  where.host = "localhost";
  where.port = "no-such-service";
  EXPECT_EQ(try_connecting(where, nothing()), Errc::resolve_failed);
  EXPECT_THAT(detail, HasSubstr("resolve localhost: "));
}

TEST_F(Connect, TellsThatNobodyListens) {
  start();
  server->refuse();
  const auto where = endpoint();
  EXPECT_EQ(try_connecting(where, nothing()), Errc::connect_failed);
  EXPECT_EQ(detail, "connect to 127.0.0.1:" + where.port + ": Connection refused");
}

TEST_F(Connect, GivesUpOnAnAddressThatNeverAnswers) {
  // Linux drops what comes when the backlog is full.
  tcp::acceptor acceptor(io, tcp::v4());
  acceptor.bind({asio::ip::address_v4::loopback(), 0});
  acceptor.listen(0);
  std::vector<tcp::socket> crowd;
  for (int i = 0; i < 4; ++i) {
    crowd.emplace_back(io, tcp::v4()).native_non_blocking(true);
    const auto there = acceptor.local_endpoint();
    ::connect(crowd.back().native_handle(), there.data(), static_cast<socklen_t>(there.size()));
  }
  Endpoint where;
  where.host = "127.0.0.1";
  where.port = std::to_string(acceptor.local_endpoint().port());
  limits.connect = 50ms;
  EXPECT_EQ(try_connecting(where, nothing()), Errc::timed_out);
  EXPECT_EQ(detail, "connect to 127.0.0.1:" + where.port + ": no answer within 50 ms");
}

TEST_F(Connect, GivesUpOnATlsHandshakeThatNeverEnds) {
  RawPeer peer(io);
  tls = client_context();
  auto where = peer.endpoint();
  where.tls = true;
  limits.tls = 50ms;
  EXPECT_EQ(try_connecting(where, peer.accept()), Errc::timed_out);
  EXPECT_THAT(detail, HasSubstr("TLS handshake"));
  EXPECT_THAT(detail, HasSubstr("50 ms"));
}

TEST_F(Connect, GivesUpOnAnUpgradeThatIsNeverAnswered) {
  RawPeer peer(io);
  limits.upgrade = 50ms;
  EXPECT_EQ(try_connecting(peer.endpoint(), peer.accept()), Errc::timed_out);
  EXPECT_THAT(detail, HasSubstr("upgrade to WebSocket"));
  EXPECT_THAT(detail, HasSubstr("50 ms"));
}

TEST_F(Connect, TellsWhatTheUpgradeWasAnswered) {
  start();
  auto where = endpoint();
  where.target = "/elsewhere";
  EXPECT_EQ(try_connecting(where, nothing()), Errc::upgrade_refused);
  EXPECT_THAT(detail, EndsWith("/elsewhere refused: HTTP 404"));
}

asio::awaitable<void> answer_with(RawPeer& peer, std::string bytes) {
  co_await peer.accept();
  co_await peer.hear(1);
  co_await peer.say(std::move(bytes));
  peer.hang_up();
}

TEST_F(Connect, TellsWhereItIsSentInstead) {
  RawPeer peer(io);
  auto dialogue = answer_with(
      peer, "HTTP/1.1 302 Found\r\nLocation: https://pbx.test/\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(try_connecting(peer.endpoint(), std::move(dialogue)), Errc::upgrade_refused);
  EXPECT_THAT(detail, EndsWith("refused: HTTP 302 to https://pbx.test/"));
}

TEST_F(Connect, RefusesAnAnswerThatIsNotHttp) {
  RawPeer peer(io);
  auto dialogue = answer_with(peer, "SSH-2.0-OpenSSH_9.2\r\n");
  EXPECT_EQ(try_connecting(peer.endpoint(), std::move(dialogue)), Errc::upgrade_refused);
}

TEST_F(Connect, RefusesAWrongAcceptKey) {
  RawPeer peer(io);
  auto dialogue = answer_with(peer,
                              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Accept: bm9wZQ==\r\n\r\n");
  EXPECT_EQ(try_connecting(peer.endpoint(), std::move(dialogue)), Errc::upgrade_refused);
}

TEST_F(Connect, TellsThatTheConnectionEndedDuringTheUpgrade) {
  RawPeer peer(io);
  auto dialogue = answer_with(peer, "HTTP/1.1 10");
  EXPECT_EQ(try_connecting(peer.endpoint(), std::move(dialogue)), Errc::link_lost);
}

TEST_F(Connect, TellsThatTheConnectionEndedDuringTheTlsHandshake) {
  RawPeer peer(io);
  tls = client_context();
  auto where = peer.endpoint();
  where.tls = true;
  EXPECT_EQ(try_connecting(where, answer_with(peer, "")), Errc::tls_failed);
  EXPECT_THAT(detail, HasSubstr("TLS"));
}

TEST_F(Connect, TellsThatThePortDoesNotSpeakTls) {
  start();
  auto where = endpoint();
  where.tls = true;
  tls = client_context();
  EXPECT_EQ(try_connecting(where, nothing()), Errc::tls_failed);
  EXPECT_THAT(detail, HasSubstr("does not speak TLS"));
}

TEST_F(Connect, CanBeCancelledInEachStage) {
  for (const bool with_tls : {false, true}) {
    io.restart();
    RawPeer peer(io);
    asio::cancellation_signal cancel;
    tls = with_tls ? client_context() : nullptr;
    auto where = peer.endpoint();
    where.tls = with_tls;
    std::optional<base::Error> ended;
    const auto dial = [&]() -> asio::awaitable<void> {
      const auto socket = co_await WebSocket::connect(where, limits, tls, &detail);
      if (!socket) ended = socket.error();
    };
    asio::co_spawn(io, dial(), asio::bind_cancellation_slot(cancel.slot(), asio::detached));
    run([&]() -> asio::awaitable<void> {
      co_await peer.accept();
      co_await peer.hear(1);
      cancel.emit(asio::cancellation_type::terminal);
    }());
    EXPECT_EQ(ended, asio::error::operation_aborted);
  }
}

}  // namespace
}  // namespace net::testing
