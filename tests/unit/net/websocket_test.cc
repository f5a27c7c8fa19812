// What happens on a WebSocket once it is open: over plain TCP and TLS alike, and against a peer
// played byte by byte.

#include "net/websocket.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "fixture.h"
#include "support/patience.h"

namespace net::testing {
namespace {

namespace asio = boost::asio;
using base::Errc;
using ::testing::StartsWith;
using namespace std::chrono_literals;

// Waits until something was notified. On one thread, a timer that never expires will do.
class Event {
 public:
  explicit Event(asio::io_context& io) : timer_(io, asio::steady_timer::time_point::max()) {}
  void notify() {
    is_notified_ = true;
    timer_.cancel();
  }
  asio::awaitable<void> wait() {
    if (!is_notified_) co_await timer_.async_wait(kTuple);
  }

 private:
  asio::steady_timer timer_;
  bool is_notified_ = false;
};

base::Error error_of(const base::Result<std::string_view>& result) {
  return result ? base::Error{} : result.error();
}

struct Open : NetTest, ::testing::WithParamInterface<bool> {
  Open() {
    if (!GetParam()) return;
    tls = client_context();
    server_options.tls = server_context();
  }

  Event done{io};  // whatever a test wants to wait for
};

INSTANTIATE_TEST_SUITE_P(Over, Open, ::testing::Bool(),
                         [](const auto& it) { return it.param ? "Tls" : "Tcp"; });

TEST_P(Open, CarriesMessagesOfAnySize) {
  start();
  run([&]() -> asio::awaitable<void> {
    auto socket = co_await connect();
    EXPECT_TRUE(socket) << detail;
    EXPECT_THAT(socket->peer(), StartsWith("127.0.0.1:"));
    for (const std::size_t size : {0, 1, 125, 126, 2'048, 2'049, 65'536, 3'000'000, 5}) {
      const std::string text(size, 'x');
      EXPECT_FALSE(co_await socket->write(text));
      const auto echoed = co_await socket->read();
      EXPECT_TRUE(echoed && *echoed == text) << size;
    }
    co_await socket->close();
  }());
}

TEST_P(Open, KeepsTheOrderOfManyMessages) {
  constexpr int kCount = 5'000;
  serve = [](HttpRequest, WebSocket socket) -> asio::awaitable<void> {
    for (int i = 0; i < kCount; ++i) co_await socket.write(std::to_string(i));
    co_await socket.close();
  };
  start();
  run([&]() -> asio::awaitable<void> {
    auto socket = co_await connect();
    for (int i = 0; i < kCount; ++i) {
      const auto text = co_await socket->read();
      EXPECT_TRUE(text && *text == std::to_string(i));
    }
    EXPECT_EQ(error_of(co_await socket->read()), Errc::link_closed);
    EXPECT_EQ(socket->close_reason(), "1000");
  }());
}

TEST_P(Open, EndsItsReaderWhenItCloses) {
  base::Error seen_by_server, seen_by_client;
  serve = [&](HttpRequest, WebSocket socket) -> asio::awaitable<void> {
    seen_by_server = error_of(co_await socket.read());
  };
  start();
  run([&]() -> asio::awaitable<void> {
    auto socket = co_await connect();
    const auto read = [&]() -> asio::awaitable<void> {
      seen_by_client = error_of(co_await socket->read());
      done.notify();
    };
    asio::co_spawn(io, read(), asio::detached);
    co_await socket->close();
    co_await done.wait();
    EXPECT_EQ(co_await socket->write("too late"), Errc::link_closed);
    co_await socket->close();
  }());
  EXPECT_EQ(seen_by_client, Errc::link_closed);
  EXPECT_EQ(seen_by_server, Errc::link_closed);
}

TEST_P(Open, ClosesFromBothSidesAtOnce) {
  serve = [](HttpRequest, WebSocket socket) -> asio::awaitable<void> { co_await socket.close(); };
  start();
  run([&]() -> asio::awaitable<void> {
    auto socket = co_await connect();
    co_await socket->close();
    EXPECT_EQ(error_of(co_await socket->read()), Errc::link_closed);
  }());
}

TEST_P(Open, LosesALinkThatIsReset) {
  serve = [](HttpRequest, WebSocket socket) -> asio::awaitable<void> {
    co_await socket.write("last words");
    co_await socket.read();
    socket.drop();
  };
  start();
  run([&]() -> asio::awaitable<void> {
    auto socket = co_await connect();
    EXPECT_TRUE(co_await socket->read());
    EXPECT_FALSE(co_await socket->write("drop"));
    EXPECT_EQ(error_of(co_await socket->read()), Errc::link_lost);
    EXPECT_EQ(error_of(co_await socket->read()), Errc::link_lost);
    EXPECT_EQ(co_await socket->write("anybody there?"), Errc::link_lost);
    co_await socket->close();
  }());
}

TEST_P(Open, LosesALinkWhoseOtherEndIsDestroyed) {
  serve = [](HttpRequest, WebSocket) -> asio::awaitable<void> { co_return; };
  start();
  run([&]() -> asio::awaitable<void> {
    auto socket = co_await connect();
    EXPECT_EQ(error_of(co_await socket->read()), Errc::link_lost);
  }());
}

TEST_P(Open, FindsALinkThatIsHalfOpen) {
  serve = [&](HttpRequest, WebSocket socket) -> asio::awaitable<void> {
    socket.go_silent();
    EXPECT_FALSE(co_await socket.write("goes nowhere"));
    co_await done.wait();
  };
  start();
  limits.ping_interval = 50ms;
  run([&]() -> asio::awaitable<void> {
    auto socket = co_await connect();
    EXPECT_EQ(error_of(co_await socket->read()), Errc::ping_timed_out);
    EXPECT_EQ(co_await socket->write("anybody there?"), Errc::ping_timed_out);
    done.notify();
  }());
}

TEST_P(Open, NeverEndsAReadThatWentSilent) {
  asio::cancellation_signal cancel;
  base::Error seen;
  serve = [&](HttpRequest, WebSocket socket) -> asio::awaitable<void> {
    const auto read = [&]() -> asio::awaitable<void> { seen = error_of(co_await socket.read()); };
    asio::co_spawn(io, read(), asio::bind_cancellation_slot(cancel.slot(), asio::detached));
    co_await socket.write("I read");
    socket.go_silent();
    co_await done.wait();
    EXPECT_FALSE(seen);
    cancel.emit(asio::cancellation_type::terminal);
    co_await asio::post(io, asio::use_awaitable);
    co_await asio::post(io, asio::use_awaitable);
  };
  start();
  limits.ping_interval = 50ms;
  run([&]() -> asio::awaitable<void> {
    auto socket = co_await connect();
    EXPECT_TRUE(co_await socket->read());
    EXPECT_EQ(error_of(co_await socket->read()), Errc::ping_timed_out);
    done.notify();
  }());
  EXPECT_EQ(seen, asio::error::operation_aborted);
}

TEST_P(Open, DoesNotTakeALinkForDeadWhileNobodyReads) {
  serve = [&](HttpRequest request, WebSocket socket) -> asio::awaitable<void> {
    if (request.target == "/ws?silent") {
      socket.go_silent();
    } else {
      co_await socket.write("for when you have time");
    }
    co_await done.wait();
  };
  start();
  limits.ping_interval = 50ms;
  run([&]() -> asio::awaitable<void> {
    auto unread = co_await connect();
    auto elsewhere = endpoint();
    elsewhere.target = "/ws?silent";
    auto clock = co_await WebSocket::connect(elsewhere, limits, tls, &detail);
    EXPECT_EQ(error_of(co_await clock->read()), Errc::ping_timed_out);
    EXPECT_FALSE(error_of(co_await unread->read()));
    done.notify();
  }());
}

TEST_P(Open, EndsAReadThatIsCancelled) {
  start();
  asio::cancellation_signal cancel;
  base::Error seen;
  run([&]() -> asio::awaitable<void> {
    auto socket = co_await connect();
    const auto read = [&]() -> asio::awaitable<void> {
      seen = error_of(co_await socket->read());
      done.notify();
    };
    asio::co_spawn(io, read(), asio::bind_cancellation_slot(cancel.slot(), asio::detached));
    co_await socket->write("hello");  // meanwhile the read has begun
    cancel.emit(asio::cancellation_type::terminal);
    co_await done.wait();
    co_await socket->close();
  }());
  EXPECT_EQ(seen, asio::error::operation_aborted);
}

TEST_P(Open, EndsAReadWhoseSocketIsDestroyed) {
  serve = [](HttpRequest, WebSocket socket) -> asio::awaitable<void> {
    EXPECT_EQ(error_of(co_await socket.read()), Errc::link_lost);
  };
  start();
  base::Error seen;
  run([&]() -> asio::awaitable<void> {
    std::optional<WebSocket> socket = std::move(*(co_await connect()));
    const auto read = [&]() -> asio::awaitable<void> {
      seen = error_of(co_await socket->read());
      done.notify();
    };
    asio::co_spawn(io, read(), asio::detached);
    co_await asio::post(io, asio::use_awaitable);
    socket.reset();
    co_await done.wait();
  }());
  EXPECT_EQ(seen, Errc::link_lost);
}

TEST_P(Open, RefusesAMessageOverTheLimit) {
  base::Error seen_by_server;
  serve = [&](HttpRequest, WebSocket socket) -> asio::awaitable<void> {
    co_await socket.write(std::string(1'001, 'x'));
    seen_by_server = error_of(co_await socket.read());
    EXPECT_THAT(socket.close_reason(), StartsWith("1009"));
  };
  start();
  limits.message_bytes_max = 1'000;
  run([&]() -> asio::awaitable<void> {
    auto socket = co_await connect();
    EXPECT_EQ(error_of(co_await socket->read()), Errc::message_too_big);
  }());
  EXPECT_EQ(seen_by_server, Errc::link_closed);
}

TEST_P(Open, ServesManyAtOnce) {
  constexpr int kCount = 200;
  limits.connect = limits.tls = limits.upgrade = support::kPatience;  // they wait for one another
  start();
  int echoed = 0;
  const auto talk = [&]() -> asio::awaitable<void> {
    auto socket = co_await connect();
    for (int i = 0; socket && i < 10; ++i) {
      co_await socket->write("hello");
      if (co_await socket->read()) ++echoed;
    }
    if (echoed == 10 * kCount) done.notify();
  };
  run([&]() -> asio::awaitable<void> {
    for (int i = 0; i < kCount; ++i) asio::co_spawn(io, talk(), asio::detached);
    co_await done.wait();
  }());
  EXPECT_EQ(echoed, 10 * kCount);
}

// Frames as RFC 6455, section 5.2 has them, from a server and so without a mask.
struct OpenByHand : NetTest {
  // Opens a WebSocket to the peer, which says `bytes`, and returns what reading it yields.
  std::vector<std::string> texts;
  base::Error ended;

  void hear(std::string bytes, bool is_last = true) {
    const auto talk = [&]() -> asio::awaitable<void> {
      co_await peer.accept_upgrade();
      co_await peer.say(bytes);
      if (is_last) peer.hang_up();
    };
    asio::co_spawn(io, talk(), asio::detached);
    run([&]() -> asio::awaitable<void> {
      auto socket = co_await WebSocket::connect(peer.endpoint(), limits, nullptr, &detail);
      for (;;) {
        const auto text = co_await socket->read();
        if (!text) {
          ended = text.error();
          break;
        }
        texts.emplace_back(*text);
      }
      detail = socket->close_reason();
    }());
  }

  RawPeer peer{io};
};

TEST_F(OpenByHand, JoinsFragmentsWithAPingInBetween) {
  using namespace std::string_literals;
  hear("\x01\x03one\x89\x02hi\x00\x00\x80\x03two\x81\x05three"s);
  EXPECT_THAT(texts, ::testing::ElementsAre("onetwo", "three"));
  EXPECT_EQ(ended, Errc::link_lost);
}

TEST_F(OpenByHand, LosesALinkInTheMiddleOfAMessage) {
  hear("\x81\x05hel");
  EXPECT_EQ(ended, Errc::link_lost);
  EXPECT_TRUE(texts.empty());
}

TEST_F(OpenByHand, RefusesFragmentsThatTogetherExceedTheLimit) {
  limits.message_bytes_max = 5;
  hear("\x01\x03one\x80\x03two");
  EXPECT_EQ(ended, Errc::message_too_big);
}

TEST_F(OpenByHand, RefusesWhatIsNotAFrame) {
  hear("\xff\x01x");
  EXPECT_EQ(ended, Errc::bad_frame);
}

TEST_F(OpenByHand, RefusesTextThatIsNotUtf8) {
  hear("\x81\x02\xc3\x28");
  EXPECT_EQ(ended, Errc::bad_frame);
}

TEST_F(OpenByHand, TellsWhyItWasClosed) {
  hear("\x88\x0c\x03\xe9restarting", false);
  EXPECT_EQ(ended, Errc::link_closed);
  EXPECT_EQ(detail, "1001 restarting");
}

TEST_F(OpenByHand, StaysUpThroughSilenceWhileItsPingsAreAnswered) {
  limits.ping_interval = 50ms;
  const auto talk = [&]() -> asio::awaitable<void> {
    co_await peer.accept_upgrade();
    for (int i = 0; i < 3; ++i) {
      const auto ping = co_await peer.hear(6);  // two bytes and the mask
      EXPECT_THAT(ping, StartsWith("\x89\x80"));
      co_await peer.say(std::string("\x8a\x00", 2));
    }
    co_await peer.say("\x81\x02up");
  };
  asio::co_spawn(io, talk(), asio::detached);
  run([&]() -> asio::awaitable<void> {
    auto socket = co_await WebSocket::connect(peer.endpoint(), limits, nullptr, &detail);
    const auto text = co_await socket->read();
    EXPECT_TRUE(text && *text == "up");
  }());
}

TEST_F(OpenByHand, DoesNotWaitForeverToBeClosed) {
  limits.close = 50ms;
  const auto talk = [&]() -> asio::awaitable<void> {
    co_await peer.accept_upgrade();
    EXPECT_THAT(co_await peer.hear(8), StartsWith("\x88\x82"));
    EXPECT_EQ(co_await peer.hear(1), "");  // no more than that before it hangs up
  };
  asio::co_spawn(io, talk(), asio::detached);
  run([&]() -> asio::awaitable<void> {
    auto socket = co_await WebSocket::connect(peer.endpoint(), limits, nullptr, &detail);
    co_await socket->close();
    EXPECT_EQ(error_of(co_await socket->read()), Errc::link_closed);
  }());
}

}  // namespace
}  // namespace net::testing
