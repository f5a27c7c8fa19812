#include "bus/requests.h"

#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/detached.hpp>
#include <gmock/gmock.h>

#include "unit/bus/bus_fixture.h"

namespace bus {
namespace {

using base::Errc;
using Reply = base::Result<std::string>;

struct RequestsTest : BusFixture {
  std::shared_ptr<Connection> connection = connect();
  std::shared_ptr<Connection> other = connect();  // of the one who serves
  Requests requests{connection};

  Subscription serve_echo() {
    auto made = serve(other, "commands.acme", io.get_executor(), [](const Request& request) {
      request.respond("re: " + std::string(request.payload()));
    });
    EXPECT_TRUE(made);
    settle();
    return std::move(*made);
  }
  // Waits until the server knows the subscriptions made so far.
  void settle() {
    bool heard = false;
    const auto inbox = connection->new_inbox();
    const auto probe =
        serve(other, inbox, io.get_executor(), [&](const Request&) { heard = true; });
    natsConnection_PublishString(other->handle(), inbox.c_str(), "");
    EXPECT_TRUE(run_until([&] { return heard; }));
  }
  Reply ask(const std::string& text, Duration timeout = Duration(10'000)) {
    return await(requests.request("commands.acme", text, timeout));
  }
};

TEST_F(RequestsTest, BringsTheReply) {
  const auto serving = serve_echo();
  const auto reply = ask("hello");
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(*reply, "re: hello");
  EXPECT_EQ(requests.pending(), 0u);
}

TEST_F(RequestsTest, TellsWhenNobodyServesTheSubject) {
  EXPECT_EQ(ask("hello").error(), Errc::owner_moving);
}

TEST_F(RequestsTest, TellsWhenNoReplyCameInTime) {
  std::optional<Request> kept;
  const auto serving = serve(other, "commands.acme", io.get_executor(),
                             [&](Request request) { kept.emplace(std::move(request)); });
  settle();
  EXPECT_EQ(ask("hello", Duration(30)).error(), Errc::timed_out);
  ASSERT_TRUE(kept);
  kept->respond("too late");
  settle();  // and it is ignored
  EXPECT_EQ(requests.pending(), 0u);
}

TEST_F(RequestsTest, FailsAtOnceWithoutConnection) {
  server.stop();
  ASSERT_TRUE(run_until([&] { return !connection->connected(); }));
  EXPECT_EQ(ask("hello").error(), Errc::bus_unavailable);
}

TEST_F(RequestsTest, GetsItsReplyAfterAReconnectInBetween) {
  std::optional<Request> kept;
  const auto serving = serve(other, "commands.acme", io.get_executor(),
                             [&](Request request) { kept.emplace(std::move(request)); });
  settle();
  std::optional<Reply> reply;
  requests.request({"commands.acme", "hello", {}}, Duration(10'000),
                   [&](Reply it) { reply = std::move(it); });
  ASSERT_TRUE(run_until([&] { return kept.has_value(); }));
  connection->drop();
  ASSERT_TRUE(run_until([&] { return connection->statistics().connects == 2; }));
  // The server has to know our inbox again before the reply comes, or the reply is lost.
  EXPECT_EQ(await(requests.request("nobody", "", Duration(10'000))).error(), Errc::owner_moving);
  kept->respond("still there");
  ASSERT_TRUE(run_until([&] { return reply.has_value(); }));
  EXPECT_EQ(reply->value(), "still there");
}

TEST_F(RequestsTest, ServesAgainAfterAReconnect) {
  const auto serving = serve_echo();
  server.restart();
  ASSERT_TRUE(run_until(
      [&] { return connection->statistics().connects == 2 && other->statistics().connects == 2; }));
  settle();
  EXPECT_EQ(ask("hello").value(), "re: hello");
}

TEST_F(RequestsTest, RefusesMoreThanItsLimit) {
  Requests few(connection, 2);
  const auto serving = serve(other, "commands.acme", io.get_executor(), [](const Request&) {});
  settle();
  std::vector<base::Error> ends;
  for (int i = 0; i < 4; ++i) {
    few.request({"commands.acme", "hello", {}}, Duration(50),
                [&](const Reply& it) { ends.push_back(it.error()); });
  }
  ASSERT_TRUE(run_until([&] { return ends.size() == 4; }));
  EXPECT_THAT(ends, testing::UnorderedElementsAre(Errc::too_many_requests, Errc::too_many_requests,
                                                  Errc::timed_out, Errc::timed_out));
  EXPECT_EQ(few.pending(), 0u);
}

TEST_F(RequestsTest, EndsWhatIsPendingWhenDestroyed) {
  const auto serving = serve(other, "commands.acme", io.get_executor(), [](const Request&) {});
  settle();
  std::optional<Reply> reply;
  {
    Requests brief(connection);
    brief.request({"commands.acme", "hello", {}}, Duration(10'000),
                  [&](Reply it) { reply = std::move(it); });
    ASSERT_TRUE(run_until([&] { return brief.pending() == 1; }));
    io.restart();
    io.poll();
  }
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->error(), Errc::shutting_down);
}

TEST_F(RequestsTest, MayBeCalledFromAnyThread) {
  const auto serving = serve_echo();
  constexpr int kThreads = 4, kEach = 250;
  std::vector<std::string> replies;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        requests.request({"commands.acme", "x", {}}, Duration(20'000),
                         [&](Reply it) { replies.push_back(it ? *it : it.error().message()); });
      }
    });
  }
  EXPECT_TRUE(run_until([&] { return replies.size() == kThreads * kEach; }));
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(replies, testing::Each("re: x"));
}

TEST_F(RequestsTest, NeverCallsAHandlerThatWasDestroyed) {
  std::optional<Subscription> serving;
  int calls = 0;
  auto made = serve(other, "commands.acme", io.get_executor(), [&](const Request&) {
    ++calls;
    serving.reset();  // with more requests in the queue
  });
  ASSERT_TRUE(made);
  serving.emplace(std::move(*made));
  settle();
  std::size_t ends = 0;
  for (int i = 0; i < 100; ++i) {
    requests.request({"commands.acme", "hello", {}}, Duration(100), [&](const Reply&) { ++ends; });
  }
  ASSERT_TRUE(run_until([&] { return ends == 100; }));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(ask("anybody?").error(), Errc::owner_moving);
}

TEST_F(RequestsTest, AnswersWithTooManyRequestsBeyondTheQueue) {
  // Served on an executor that does not run yet.
  boost::asio::io_context busy;
  const auto serving = serve(other, "commands.acme", busy.get_executor(),
                             [](const Request& request) { request.respond("done"); },
                             {.messages_max = 3, .bytes_max = 1'000});
  settle();
  std::vector<Reply> replies;
  for (int i = 0; i < 5; ++i) {
    requests.request({"commands.acme", "hello", {}}, Duration(10'000),
                     [&](Reply it) { replies.push_back(std::move(it)); });
  }
  ASSERT_TRUE(run_until([&] { return replies.size() == 2; }));
  for (const auto& it : replies) EXPECT_EQ(it.error(), Errc::too_many_requests);
  busy.run();
  ASSERT_TRUE(run_until([&] { return replies.size() == 5; }));
  EXPECT_EQ(std::count(replies.begin(), replies.end(), Reply("done")), 3);
}

TEST_F(RequestsTest, LeavesNothingBehindOnceClosed) {
  std::optional<Request> kept;
  const auto serving = serve(other, "commands.acme", io.get_executor(),
                             [&](Request request) { kept.emplace(std::move(request)); });
  settle();
  std::weak_ptr<Connection> theirs;
  {
    boost::asio::io_context context{1};
    std::string why;
    auto opened = Connection::open(context.get_executor(), options_for(server.url()), why);
    ASSERT_TRUE(opened) << why;
    theirs = *opened;
    ASSERT_TRUE(run_until(context, [&] { return theirs.lock()->connected(); }));
    const auto asking = std::make_shared<Requests>(std::move(*opened));
    // Who waits for a reply that does not come owns what he waits with.
    auto waiting = [](std::shared_ptr<Requests> own) -> boost::asio::awaitable<void> {
      auto pending = own->request("commands.acme", "hello", Duration(600'000));
      (void)co_await std::move(pending);
    };
    boost::asio::co_spawn(context, waiting(asking), boost::asio::detached);
    ASSERT_TRUE(run_until(context, [&] { return asking->pending() == 1; }));
    asking->close();
    EXPECT_EQ(asking->pending(), 0u);
  }
  EXPECT_TRUE(theirs.expired());
}

TEST_F(RequestsTest, ReportsAMessageThatIsTooBig) {
  EXPECT_EQ(ask(std::string(2'000'000, 'x')).error(), Errc::message_too_big);
}

}  // namespace
}  // namespace bus
