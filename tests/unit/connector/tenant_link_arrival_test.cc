#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gmock/gmock.h>

#include "connector/tenant_link.h"
#include "net/http_server.h"
#include "support/patience.h"
#include "unit/connector/dialling_pbx.h"
#include "unit/connector/fake_session.h"

namespace connector {
namespace {

namespace asio = boost::asio;
using base::Errc;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

constexpr auto kFirst = pbx::kFirstArrived;

// A link without a primary connection, which adopts what connects to a server, on one thread.
struct TenantLinkArrivalTest : testing::Test {
  asio::io_context io{1};
  DiallingPbx pbx;
  FakeSession::Script script;
  LinkOptions options;
  bool receives = false, crowded = false;
  int times_paced = 0;
  std::vector<std::set<std::string>> linked;
  std::weak_ptr<int> guest;  // of the last connection
  std::string next_pbx = "master";
  std::unique_ptr<TenantLink> link;
  std::optional<Ending> ending;
  net::HttpServer server{
      {io.get_executor()},
      {},
      [](const net::HttpRequest&) -> asio::awaitable<net::HttpServer::Answer> {
        co_return net::HttpServer::Accept{};
      },
      [this](net::HttpRequest, net::WebSocket socket) { return adopt(std::move(socket)); }};

  TenantLinkArrivalTest() {
    script.on_start = [] { return pbx::Effects{pbx::Stage{call::LinkState::awaiting_pbx}}; };
    script.on_arrived = [](pbx::LinkId id, const pbx::Arrival& it) {
      return pbx::Effects{pbx::SendText{id, it.welcome}};
    };
    options.limits.close = 2s;
  }

  asio::awaitable<void> adopt(net::WebSocket socket) {
    EXPECT_TRUE(receives);
    const auto kept = std::make_shared<int>(1);
    guest = kept;
    link->adopt(std::move(socket), {next_pbx, "gateway", "welcome " + next_pbx}, kept);
    co_return;
  }
  asio::awaitable<void> paced() {
    ++times_paced;
    crowded = false;
    co_return;
  }

  // Until the link has ended, and the dialogue too.
  void run(asio::awaitable<void> dialogue) {
    Outlets outlets{[](call::LinkState) {},     [] {},
                    [](const pbx::Observe&) {}, [](call::CommandId, call::Reply) {},
                    [](const pbx::Note&) {},    [] {},
                    [this] { return crowded; }, [this] { return paced(); }};
    outlets.receives = [this](bool it) { receives = it; };
    outlets.linked = [this](std::set<std::string> it) { linked.push_back(std::move(it)); };
    link = std::make_unique<TenantLink>(io.get_executor(), std::make_unique<FakeSession>(script),
                                        options, std::move(outlets));
    bool said = false;
    auto done = [&] {
      if (said && ending) io.stop();
    };
    asio::co_spawn(io, link->run(), [&](std::exception_ptr thrown, Ending why) {
      EXPECT_EQ(thrown, nullptr);
      ending = std::move(why);
      done();
    });
    asio::co_spawn(io, std::move(dialogue), [&](std::exception_ptr thrown) {
      EXPECT_EQ(thrown, nullptr);
      said = true;
      done();
    });
    io.run_for(support::kPatience);
    EXPECT_TRUE(ending.has_value()) << "the link still runs";
    EXPECT_TRUE(said);
    EXPECT_FALSE(receives);
  }
};

TEST_F(TenantLinkArrivalTest, MakesAConnectionThatArrivesOneOfTheSessions) {
  std::vector<std::pair<pbx::LinkId, std::string>> heard;
  script.on_text = [&](pbx::LinkId from, std::string_view text) {
    heard.emplace_back(from, text);
    if (text == "bye") return pbx::Effects{pbx::GiveUp{Errc::login_rejected, "because", {}}};
    return pbx::Effects{pbx::SendText{from, "heard " + std::string(text)}};
  };
  run([](TenantLinkArrivalTest& it) -> asio::awaitable<void> {
    auto first = co_await it.pbx.dial(it.server.port());
    auto said = co_await hear(*first);
    EXPECT_EQ(said, "welcome master");
    it.next_pbx = "slave";
    auto second = co_await it.pbx.dial(it.server.port());
    said = co_await hear(*second);
    EXPECT_EQ(said, "welcome slave");
    co_await second->write("one");
    said = co_await hear(*second);
    EXPECT_EQ(said, "heard one");
    co_await first->write("bye");
    // Both are told properly, and to come again.
    said = co_await hear(*first);
    EXPECT_EQ(said, "closed 1001");
    said = co_await hear(*second);
    EXPECT_EQ(said, "closed 1001");
  }(*this));
  EXPECT_EQ(ending->why, Errc::login_rejected);
  EXPECT_THAT(heard, ElementsAre(std::pair(kFirst + 1, "one"), std::pair(kFirst, "bye")));
  using Names = std::set<std::string>;
  EXPECT_THAT(linked,
              ElementsAre(Names{"master"}, Names{"master", "slave"}, Names{"slave"}, Names{}));
  EXPECT_TRUE(guest.expired());
}

TEST_F(TenantLinkArrivalTest, TellsTheSessionWhenAConnectionIsLost) {
  std::vector<pbx::LinkId> closed;
  script.on_closed = [&](pbx::LinkId id, const base::Error& why) {
    EXPECT_EQ(why, Errc::link_closed);
    closed.push_back(id);
    return pbx::Effects{pbx::GiveUp{why, "", {}}};
  };
  run([](TenantLinkArrivalTest& it) -> asio::awaitable<void> {
    auto socket = co_await it.pbx.dial(it.server.port());
    co_await hear(*socket);
    co_await socket->close();
  }(*this));
  EXPECT_THAT(closed, ElementsAre(kFirst));
  EXPECT_EQ(ending->why, Errc::link_closed);
}

TEST_F(TenantLinkArrivalTest, ClosesWhatTheSessionReplaces) {
  script.on_arrived = [](pbx::LinkId id, const pbx::Arrival& it) {
    pbx::Effects effects{pbx::SendText{id, it.welcome}};
    if (id != kFirst) effects.push_back(pbx::CloseLink{kFirst});
    return effects;
  };
  run([](TenantLinkArrivalTest& it) -> asio::awaitable<void> {
    auto first = co_await it.pbx.dial(it.server.port());
    co_await hear(*first);
    auto second = co_await it.pbx.dial(it.server.port());
    auto said = co_await hear(*first);
    EXPECT_EQ(said, "closed 1000");
    said = co_await hear(*second);
    EXPECT_EQ(said, "welcome master");
    it.link->end({Errc::shutting_down, "", {}});
  }(*this));
}

TEST_F(TenantLinkArrivalTest, SlowsSuchAPbxDownToo) {
  script.on_text = [](pbx::LinkId, std::string_view) {
    return pbx::Effects{pbx::GiveUp{Errc::timed_out, "", {}}};
  };
  run([](TenantLinkArrivalTest& it) -> asio::awaitable<void> {
    it.crowded = true;
    auto socket = co_await it.pbx.dial(it.server.port());
    co_await hear(*socket);
    co_await socket->write("x");
    co_await hear(*socket);
  }(*this));
  EXPECT_EQ(times_paced, 1);
}

TEST_F(TenantLinkArrivalTest, ClosesWhatArrivesWhereTheVendorNeverDoes) {
  script.on_arrived = nullptr;
  run([](TenantLinkArrivalTest& it) -> asio::awaitable<void> {
    auto socket = co_await it.pbx.dial(it.server.port());
    const auto said = co_await hear(*socket);
    EXPECT_EQ(said, "closed 1000");
    it.link->end({Errc::shutting_down, "", {}});
  }(*this));
}

}  // namespace
}  // namespace connector
