#include "connector/tenant_link.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gmock/gmock.h>

#include "net/http_server.h"
#include "support/patience.h"
#include "unit/connector/fake_session.h"

namespace connector {
namespace {

namespace asio = boost::asio;
using base::Errc;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

// A link, a scripted session, and on the other side of real sockets a PBX that echoes what it
// hears.
struct TenantLinkTest : testing::Test {
  asio::io_context io{1};
  std::vector<std::string> heard_by_pbx, asked;
  std::vector<base::Error> pbx_reads_ended;
  // What the PBX does with each message; false: hangs up.
  std::function<asio::awaitable<bool>(net::WebSocket&, std::string)> pbx_answers;
  unsigned upgrade_status = 101;
  net::HttpServer pbx{
      {io.get_executor()},
      {},
      [this](const net::HttpRequest& request) { return upgrade(request); },
      [this](net::HttpRequest, net::WebSocket socket) { return serve(std::move(socket)); }};

  FakeSession::Script script;
  std::uint16_t port = pbx.port();
  std::vector<std::pair<call::CommandId, call::Reply>> answers;
  std::vector<call::LinkState> stages;
  int times_ready = 0, times_paced = 0;
  bool crowded = false;
  std::vector<std::string> signals;  // of media clients' streams
  std::function<void()> on_ready;
  LinkOptions options;
  std::unique_ptr<TenantLink> link;
  std::optional<Ending> ending;

  // Of what is no upgrade, the target comes back, but never that of "/silence".
  asio::awaitable<net::HttpServer::Answer> upgrade(const net::HttpRequest& request) {
    net::HttpServer::Answer answer = net::HttpServer::Accept{};
    if (!request.upgrade) {
      asked.push_back(request.target + " " + request.header("x-test"));
      asio::steady_timer never(io, asio::steady_timer::time_point::max());
      if (request.target == "/silence") co_await never.async_wait(asio::use_awaitable);
      co_return net::HttpReply{200, request.target, {}};
    }
    if (upgrade_status != 101) answer = net::HttpReply{upgrade_status, "", {}};
    co_return answer;
  }

  asio::awaitable<void> serve(net::WebSocket socket) {
    for (;;) {
      auto text = co_await socket.read();
      if (text.has_error()) {
        pbx_reads_ended.push_back(text.error());
        co_return;
      }
      heard_by_pbx.emplace_back(*text);
      if (!pbx_answers) {
        co_await socket.write(heard_by_pbx.back());
      } else {
        auto answering = pbx_answers(socket, heard_by_pbx.back());
        if (!co_await std::move(answering)) {
          co_await socket.close();
          co_return;
        }
      }
    }
  }

  asio::awaitable<void> paced() {
    ++times_paced;
    crowded = false;
    co_return;
  }

  // Runs the link until it ends, with `after_start` done once it runs.
  Ending run(std::function<void()> after_start = {}) {
    script.port = std::to_string(port);
    options.limits.connect = options.limits.upgrade = options.limits.close = 2s;
    Outlets outlets{
        [this](call::LinkState it) { stages.push_back(it); },
        [this] {
          ++times_ready;
          if (on_ready) on_ready();
        },
        [](const pbx::Observe&) {},
        [this](call::CommandId id, call::Reply reply) { answers.emplace_back(id, reply); },
        [](const pbx::Note&) {},
        [] {},
        [this] { return crowded; },
        [this] { return paced(); },
        [this](const pbx::Signal& it) { signals.push_back(std::to_string(it.id) + " ready"); },
        [this](const pbx::EndSignal& it) {
          signals.push_back(std::to_string(it.id) + " ended " + it.detail);
        }};
    link = std::make_unique<TenantLink>(io.get_executor(), std::make_unique<FakeSession>(script),
                                        options, std::move(outlets));
    asio::co_spawn(io, link->run(), [this](std::exception_ptr thrown, Ending why) {
      EXPECT_EQ(thrown, nullptr);
      ending = std::move(why);
      io.stop();
    });
    if (after_start) asio::post(io, after_start);
    io.run_for(support::kPatience);
    EXPECT_TRUE(ending.has_value()) << "the link still runs";
    return ending.value_or(Ending{});
  }
};

TEST_F(TenantLinkTest, CarriesMediaClientsStreamsUntilItEnds) {
  std::vector<std::string> told;
  script.on_open = [](pbx::LinkId) { return pbx::Effects{pbx::Ready{}}; };
  script.on_signal_open = [&](call::SignalId id, const call::SignalOptions& wanted) {
    told.push_back("open " + wanted.device.str());
    return pbx::Effects{pbx::Signal{id, call::SignalReady{}}};
  };
  script.on_signal = [&](call::SignalId id, const call::FromClient& message) {
    told.push_back("hang up " + std::get<call::HangUp>(message).call);
    return pbx::Effects{pbx::EndSignal{id, Errc::pbx_refused, "no"}};
  };
  script.on_signal_close = [&](call::SignalId) {
    told.push_back("close");
    return pbx::Effects{};
  };
  on_ready = [&] {
    asio::post(io, [&] {
      link->open_signal(7, {call::DeviceId("501"), false, ""});
      link->signal(7, call::HangUp{"x"});
      link->open_signal(8, {call::DeviceId("502"), false, ""});
      link->close_signal(8);
      link->end({Errc::shutting_down, "", {}});
      link->open_signal(9, {call::DeviceId("503"), false, ""});
      link->signal(9, call::HangUp{"y"});
      link->close_signal(9);
    });
  };
  run();
  EXPECT_THAT(told, ElementsAre("open 501", "hang up x", "open 502", "close"));
  EXPECT_THAT(signals, ElementsAre("7 ready", "7 ended no", "8 ready"));
}

TEST_F(TenantLinkTest, CarriesTextsBothWaysInOrder) {
  std::vector<std::string> heard;
  script.on_open = [](pbx::LinkId) {
    return pbx::Effects{pbx::SendText{pbx::kPrimary, "one"}, pbx::SendText{pbx::kPrimary, "two"}};
  };
  script.on_text = [&](pbx::LinkId, std::string_view text) {
    heard.emplace_back(text);
    if (heard.size() < 2) return pbx::Effects{};
    return pbx::Effects{pbx::Stage{call::LinkState::synchronizing}, pbx::Ready{},
                        pbx::SendText{pbx::kPrimary, "bye"},
                        pbx::GiveUp{Errc::login_rejected, "because", 60s}};
  };
  const Ending why = run();
  EXPECT_EQ(why.why, Errc::login_rejected);
  EXPECT_EQ(why.detail, "because");
  EXPECT_EQ(why.retry_after, 60s);
  EXPECT_THAT(heard, ElementsAre("one", "two"));
  EXPECT_THAT(heard_by_pbx, ElementsAre("one", "two", "bye"));
  EXPECT_EQ(times_ready, 1);
  EXPECT_THAT(stages, ElementsAre(call::LinkState::synchronizing));
  EXPECT_THAT(pbx_reads_ended, ElementsAre(base::Error(Errc::link_closed)));  // not a dropped line
}

TEST_F(TenantLinkTest, AnswersWhatIsOpenWhenThePbxLeaves) {
  script.on_open = [this](pbx::LinkId) {
    EXPECT_TRUE(link->submit(42, call::MakeCall{}, pbx::TimePoint::max()));
    return pbx::Effects{pbx::SendText{pbx::kPrimary, "x"}};
  };
  pbx_answers = [](net::WebSocket&, std::string) -> asio::awaitable<bool> { co_return false; };
  EXPECT_EQ(run().why, Errc::link_closed);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(std::get<call::Refusal>(answers[0].second).why, Errc::outcome_unknown);
}

TEST_F(TenantLinkTest, AnswersEachCommandOnce) {
  script.on_open = [this](pbx::LinkId) {
    EXPECT_TRUE(link->submit(7, call::MakeCall{}, pbx::TimePoint::max()));
    return pbx::Effects{pbx::GiveUp{Errc::timed_out, "", {}}};
  };
  script.on_command = [](call::CommandId id) {
    return pbx::Effects{pbx::Answer{id, call::Outcome{"leg"}},
                        pbx::Answer{id, call::Outcome{"again"}}};
  };
  run();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(std::get<call::Outcome>(answers[0].second).leg, "leg");
}

TEST_F(TenantLinkTest, RefusesCommandsBeyondItsLimit) {
  options.commands_max = 2;
  script.on_open = [this](pbx::LinkId) {
    EXPECT_TRUE(link->submit(1, call::MakeCall{}, pbx::TimePoint::max()));
    EXPECT_TRUE(link->submit(2, call::MakeCall{}, pbx::TimePoint::max()));
    EXPECT_FALSE(link->submit(3, call::MakeCall{}, pbx::TimePoint::max()));
    return pbx::Effects{pbx::GiveUp{Errc::timed_out, "", {}}};
  };
  run();
  EXPECT_THAT(answers, SizeIs(2));
}

TEST_F(TenantLinkTest, EndsWithTheReasonWhyItCouldNotConnect) {
  pbx.stop();
  EXPECT_EQ(run().why, Errc::connect_failed);
}

TEST_F(TenantLinkTest, EndsWithTheReasonOfARefusedUpgrade) {
  upgrade_status = 404;
  const Ending why = run();
  EXPECT_EQ(why.why, Errc::upgrade_refused);
  EXPECT_THAT(why.detail, testing::HasSubstr("404"));
}

TEST_F(TenantLinkTest, GoesOnWithoutAnAuxiliaryLinkThatFails) {
  std::vector<pbx::LinkId> closed;
  script.on_open = [](pbx::LinkId opened) {
    if (opened != pbx::kPrimary) return pbx::Effects{};
    return pbx::Effects{open_link(5, "1")};  // nobody listens there
  };
  script.on_closed = [&](pbx::LinkId ended, const base::Error& why) {
    closed.push_back(ended);
    EXPECT_EQ(why, Errc::connect_failed);
    return pbx::Effects{pbx::GiveUp{Errc::timed_out, "", {}}};
  };
  EXPECT_EQ(run().why, Errc::timed_out);
  EXPECT_THAT(closed, ElementsAre(5u));
}

TEST_F(TenantLinkTest, OpensAndClosesAuxiliaryLinks) {
  script.on_open = [this](pbx::LinkId opened) {
    if (opened == pbx::kPrimary) return pbx::Effects{open_link(1, script.port)};
    return pbx::Effects{pbx::SendText{1, "from one"}, pbx::CloseLink{1},
                        pbx::SendText{1, "too late"}, pbx::SendText{pbx::kPrimary, "from zero"}};
  };
  script.on_closed = [](pbx::LinkId, const base::Error&) -> pbx::Effects {
    ADD_FAILURE() << "closing a link oneself is not told";
    return {};
  };
  script.on_text = [](pbx::LinkId from, std::string_view) {
    EXPECT_EQ(from, pbx::kPrimary);
    return pbx::Effects{pbx::GiveUp{Errc::timed_out, "", {}}};
  };
  run();
  EXPECT_THAT(heard_by_pbx, testing::UnorderedElementsAre("from one", "from zero"));
}

TEST_F(TenantLinkTest, KeepsTheSessionsTime) {
  script.deadline = std::chrono::steady_clock::now() + 10ms;
  script.on_tick = [] { return pbx::Effects{pbx::GiveUp{Errc::timed_out, "login", {}}}; };
  EXPECT_EQ(run().detail, "login");
}

TEST_F(TenantLinkTest, EndsWhenToldTo) {
  EXPECT_EQ(run([this] { link->end({Errc::shutting_down, "", {}}); }).why, Errc::shutting_down);
  EXPECT_THAT(answers, IsEmpty());
}

TEST_F(TenantLinkTest, SlowsThePbxDownWhileCrowded) {
  script.on_open = [this](pbx::LinkId) {
    crowded = true;
    return pbx::Effects{pbx::SendText{pbx::kPrimary, "x"}};
  };
  script.on_text = [](pbx::LinkId, std::string_view) {
    return pbx::Effects{pbx::GiveUp{Errc::timed_out, "", {}}};
  };
  run();
  EXPECT_EQ(times_paced, 1);
}

TEST_F(TenantLinkTest, EndsALinkWhosePbxDoesNotRead) {
  options.texts_max = 4;
  script.on_open = [](pbx::LinkId) {
    pbx::Effects effects;
    for (int i = 0; i < 10; ++i) effects.push_back(pbx::SendText{pbx::kPrimary, "x"});
    return effects;
  };
  EXPECT_EQ(run().why, Errc::overloaded);
}

TEST_F(TenantLinkTest, SendsRequestsAndOpensTheLinkWhenTheSessionSaysSo) {
  script.on_start = [this] { return pbx::Effects{get(1, script.port, "/login")}; };
  script.on_http = [this](pbx::HttpId id, const auto& reply, const std::string&) {
    EXPECT_EQ(id, 1u);
    EXPECT_EQ(reply ? reply->status : 0, 200u);
    EXPECT_EQ(reply ? reply->body : "", "/login");
    return pbx::Effects{open_link(pbx::kPrimary, script.port)};
  };
  script.on_open = [](pbx::LinkId) { return pbx::Effects{pbx::GiveUp{Errc::timed_out, "", {}}}; };
  EXPECT_EQ(run().why, Errc::timed_out);
  EXPECT_THAT(asked, ElementsAre("/login yes"));
}

TEST_F(TenantLinkTest, TellsWhyARequestHasNoReply) {
  script.on_start = [this] {
    pbx.refuse();
    return pbx::Effects{get(1, script.port, "/login")};
  };
  script.on_http = [](pbx::HttpId, const auto& reply, const std::string& detail) {
    return pbx::Effects{pbx::GiveUp{reply.error(), detail, {}}};
  };
  const Ending why = run();
  EXPECT_EQ(why.why, Errc::connect_failed);
  EXPECT_THAT(why.detail, testing::HasSubstr("Connection refused"));
}

TEST_F(TenantLinkTest, RefusesRequestsBeyondItsLimit) {
  options.requests_max = 2;
  std::vector<pbx::HttpId> refused;
  script.on_open = [this](pbx::LinkId) {
    pbx::Effects effects;
    for (pbx::HttpId id = 1; id <= 3; ++id) effects.push_back(get(id, script.port, "/silence"));
    return effects;
  };
  script.on_http = [&](pbx::HttpId id, const auto& reply, const std::string&) {
    EXPECT_EQ(reply.error(), Errc::too_many_requests);
    refused.push_back(id);
    return pbx::Effects{pbx::GiveUp{Errc::timed_out, "", {}}};
  };
  run();
  EXPECT_THAT(refused, ElementsAre(3u));
}

TEST_F(TenantLinkTest, ForgetsRequestsThatAreUnderWayWhenItEnds) {
  int replies = 0;
  script.on_open = [this](pbx::LinkId) {
    return pbx::Effects{get(1, script.port, "/silence"), pbx::SendText{pbx::kPrimary, "x"}};
  };
  script.on_http = [&](pbx::HttpId, const auto&, const std::string&) {
    ++replies;
    return pbx::Effects{};
  };
  script.on_text = [](pbx::LinkId, std::string_view) {
    return pbx::Effects{pbx::GiveUp{Errc::login_rejected, "", {}}};
  };
  EXPECT_EQ(run().why, Errc::login_rejected);
  EXPECT_EQ(replies, 0);
}

}  // namespace
}  // namespace connector
