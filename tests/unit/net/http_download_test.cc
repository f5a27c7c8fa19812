// HttpDownload against a server that a test plays by hand, and against our own.

#include "net/http_download.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>

#include "fixture.h"

namespace net::testing {
namespace {

namespace asio = boost::asio;
using base::Errc;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

std::string bytes_of(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 131 >> 3);
  return bytes;
}

struct HttpDownloadTest : NetTest {
  HttpDownloadLimits download_limits;
  std::string got;
  base::Error ended{};
  std::optional<HttpDownload> download;

  asio::awaitable<base::Error> open(Endpoint where) {
    auto opening =
        HttpDownload::open(io.get_executor(), std::move(where), download_limits, tls, &detail);
    auto opened = co_await std::move(opening);
    if (!opened) co_return opened.error();
    download.emplace(std::move(*opened));
    co_return base::Error();
  }
  // Reads to the end, or to what is instead of it.
  asio::awaitable<void> read_all(std::size_t most = 1'000) {
    for (;;) {
      auto reading = download->read(most);
      auto bytes = co_await std::move(reading);
      if (!bytes) {
        ended = bytes.error();
        co_return;
      }
      EXPECT_LE(bytes->size(), most);
      if (bytes->empty()) co_return;
      got += *bytes;
    }
  }
  // The whole dialogue with a peer that answers with `says` and hangs up.
  void fetch(std::string says) {
    io.restart();
    got.clear();
    ended = {};
    download.reset();
    RawPeer peer(io);
    auto playing = [](RawPeer& by, std::string text) -> asio::awaitable<void> {
      co_await by.accept();
      co_await by.hear_until("\r\n\r\n");
      co_await by.say(std::move(text));
      by.hang_up();
    };
    asio::co_spawn(io, playing(peer, std::move(says)), asio::detached);
    auto dialogue = [&]() -> asio::awaitable<void> {
      auto opening = open(peer.endpoint());
      ended = co_await std::move(opening);
      if (!ended) {
        auto reading = read_all();
        co_await std::move(reading);
      }
    };
    run(dialogue());
  }
};

TEST_F(HttpDownloadTest, BringsTheBodyInPiecesWithWhatTheHeaderSays) {
  const std::string body = bytes_of(300'000);
  fetch("HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: 300000\r\n\r\n" + body);
  EXPECT_FALSE(ended) << ended.message();
  EXPECT_EQ(got, body);
  EXPECT_EQ(download->status(), 200u);
  EXPECT_EQ(download->header("content-type"), "audio/wav");
  EXPECT_EQ(download->header("x-none"), "");
  EXPECT_EQ(download->size(), 300'000u);
  EXPECT_TRUE(download->done());
}

TEST_F(HttpDownloadTest, TakesChunksAndBodiesThatEndWithTheConnection) {
  fetch("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
  EXPECT_FALSE(ended) << ended.message();
  EXPECT_EQ(got, "abcdefg");
  EXPECT_EQ(download->size(), std::nullopt);
  fetch("HTTP/1.1 200 OK\r\n\r\nuntil the end");
  EXPECT_FALSE(ended) << ended.message();
  EXPECT_EQ(got, "until the end");
  fetch("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_FALSE(ended) << ended.message();
  EXPECT_EQ(got, "");
}

TEST_F(HttpDownloadTest, PassesOtherStatusesOn) {
  fetch("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nfalse");
  EXPECT_EQ(download->status(), 404u);
  EXPECT_EQ(got, "false");
}

TEST_F(HttpDownloadTest, SaysWhereABodyBreaksOff) {
  fetch("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_EQ(got, "half");
  EXPECT_EQ(ended, Errc::link_lost);
  EXPECT_THAT(download->why(), HasSubstr("GET http://127.0.0.1"));
  fetch("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\nde");
  EXPECT_EQ(ended, Errc::link_lost);
}

TEST_F(HttpDownloadTest, RefusesWhatIsNoHttpOrTooMuch) {
  fetch("SIP/2.0 200 OK\r\n\r\n");
  EXPECT_EQ(ended, Errc::bad_frame);
  fetch("");
  EXPECT_EQ(ended, Errc::link_lost);
  download_limits.body_bytes_max = 1'000;
  fetch("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_EQ(ended, Errc::message_too_big);
  // Of one that does not say before, what there is room for comes first.
  fetch("HTTP/1.1 200 OK\r\n\r\n" + bytes_of(5'000));
  EXPECT_EQ(ended, Errc::message_too_big);
  EXPECT_LE(got.size(), 1'000u);
}

TEST_F(HttpDownloadTest, TellsNoSecretOfTheQuery) {
  download_limits.step = 50ms;
  RawPeer peer(io);
  auto playing = [](RawPeer& by) -> asio::awaitable<void> { co_await by.accept(); };
  asio::co_spawn(io, playing(peer), asio::detached);
  auto dialogue = [&]() -> asio::awaitable<void> {
    Endpoint where = peer.endpoint();
    where.target = "/audio.wav?token=s3cret";
    auto opening = open(std::move(where));
    ended = co_await std::move(opening);
    peer.stop();
  };
  run(dialogue());
  EXPECT_EQ(ended, Errc::timed_out);
  EXPECT_THAT(detail, HasSubstr("/audio.wav: nothing came in time"));
  EXPECT_THAT(detail, Not(HasSubstr("s3cret")));
}

TEST_F(HttpDownloadTest, GivesUpABodyThatStopsComing) {
  download_limits.step = 50ms;
  RawPeer peer(io);
  auto playing = [](RawPeer& by) -> asio::awaitable<void> {
    co_await by.accept();
    co_await by.hear_until("\r\n\r\n");
    co_await by.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  };
  asio::co_spawn(io, playing(peer), asio::detached);
  auto dialogue = [&]() -> asio::awaitable<void> {
    auto opening = open(peer.endpoint());
    ended = co_await std::move(opening);
    auto reading = read_all();
    co_await std::move(reading);
    peer.stop();
  };
  run(dialogue());
  EXPECT_EQ(got, "half");
  EXPECT_EQ(ended, Errc::timed_out);
}

// Nobody reads, so the other side cannot write: what it has to say stays with it.
TEST_F(HttpDownloadTest, SlowsTheServerDownToThePaceOfWhoeverReads) {
  constexpr std::size_t kSize = 32u << 20;
  RawPeer peer(io);
  bool all_said = false;
  auto playing = [&]() -> asio::awaitable<void> {
    co_await peer.accept();
    co_await peer.hear_until("\r\n\r\n");
    co_await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n");
    co_await peer.say(std::string(kSize, 'x'));
    all_said = true;
  };
  asio::co_spawn(io, playing(), asio::detached);
  std::size_t size = 0;
  auto dialogue = [&]() -> asio::awaitable<void> {
    auto opening = open(peer.endpoint());
    ended = co_await std::move(opening);
    bool was_said = true;
    for (;;) {
      auto reading = download->read(256 << 10);
      auto bytes = co_await std::move(reading);
      if (!bytes || bytes->empty()) break;
      // Half of it is more than all buffers in between hold.
      if (size < kSize / 2) was_said = all_said;
      size += bytes->size();
    }
    EXPECT_FALSE(was_said);
    peer.stop();
  };
  run(dialogue());
  EXPECT_EQ(size, kSize);
}

TEST_F(HttpDownloadTest, EndsAReadThatWaitsWhenAborted) {
  RawPeer peer(io);
  auto playing = [](RawPeer& by) -> asio::awaitable<void> {
    co_await by.accept();
    co_await by.hear_until("\r\n\r\n");
    co_await by.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
  };
  asio::co_spawn(io, playing(peer), asio::detached);
  auto dialogue = [&]() -> asio::awaitable<void> {
    auto opening = open(peer.endpoint());
    ended = co_await std::move(opening);
    asio::post(io, [&] { download->abort(); });
    auto reading = read_all();
    co_await std::move(reading);
    peer.stop();
  };
  run(dialogue());
  EXPECT_EQ(ended, asio::error::operation_aborted);
}

TEST_F(HttpDownloadTest, GoesThroughTls) {
  tls = client_context();
  server_options.tls = server_context();
  answer = [](const HttpRequest& request) -> asio::awaitable<HttpServer::Answer> {
    co_return HttpReply{200, request.header("accept"), {{"Content-Type", "audio/wav"}}};
  };
  start();
  auto dialogue = [&]() -> asio::awaitable<void> {
    Endpoint where = endpoint();
    where.headers = {{"Accept", "*/*"}};
    auto opening = open(std::move(where));
    ended = co_await std::move(opening);
    auto reading = read_all();
    co_await std::move(reading);
    download.reset();
  };
  run(dialogue());
  EXPECT_FALSE(ended) << ended.message() << detail;
  EXPECT_EQ(got, "*/*");
}

}  // namespace
}  // namespace net::testing
