#include "connector/signal_desk.h"

#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>

#include "telemetry/log.h"
#include "unit/connector/asker.h"
#include "wire/signalling.h"

namespace connector {
namespace {

namespace asio = boost::asio;
using base::Errc;
using pbxgw::v1::OwnerReply;
using pbxgw::v1::SignalCommand;
using pbxgw::v1::SignalResponse;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

// A desk, with the test as control on its one side, and as the session on the other.
struct SignalDeskTest : testing::Test {
  asio::io_context io{1};
  telemetry::Metrics all_metrics;
  Metrics metrics{all_metrics};
  std::optional<wire::Failure> obstacle, refusal;
  std::vector<std::string> session;  // what it was told
  std::function<void(call::SignalId)> on_open, on_say;
  SignalDesk::Limits limits;
  std::unique_ptr<SignalDesk> desk;
  std::vector<OwnerReply> polled;

  SignalDeskTest() {
    telemetry::log::set_level(telemetry::log::Level::error);
    limits.life = 1h;
    make();
  }
  void make() {
    SignalDesk::Owner owner;
    owner.tenant = base::TenantId("acme");
    owner.obstacle = [this] { return obstacle; };
    owner.refusal = [this](const call::DeviceId&) { return refusal; };
    owner.open = [this](call::SignalId id, const call::SignalOptions& options) {
      session.push_back("open " + std::to_string(id) + " " + options.device.str());
      if (on_open) on_open(id);
    };
    owner.say = [this](call::SignalId id, const call::FromClient& message) {
      const auto* hang_up = std::get_if<call::HangUp>(&message);
      session.push_back(std::to_string(id) + " hangs up " + (hang_up ? hang_up->call : "?"));
      if (on_say) on_say(id);
    };
    owner.close = [this](call::SignalId id) { session.push_back("close " + std::to_string(id)); };
    desk = std::make_unique<SignalDesk>(io.get_executor(), std::move(owner), limits, metrics);
  }

  OwnerReply ask(const SignalCommand& asked) {
    std::vector<OwnerReply> replies;
    desk->take(asked, [&](OwnerReply reply) { replies.push_back(std::move(reply)); });
    EXPECT_THAT(replies, SizeIs(1));
    return replies.empty() ? OwnerReply() : replies[0];
  }
  OwnerReply open(const std::string& name = "a", const std::string& device = "501") {
    SignalCommand it;
    it.set_stream(name);
    it.mutable_open()->mutable_options()->set_device("tenants/acme/devices/" + device);
    return ask(it);
  }
  void open_ready(const std::string& name = "a") {
    on_open = [this](call::SignalId id) { desk->said({id, call::SignalReady{}}); };
    open(name);
    on_open = nullptr;
  }
  static SignalCommand sending(std::uint64_t first, const std::vector<std::string>& calls,
                               const std::string& name = "a") {
    SignalCommand it;
    it.set_stream(name);
    it.mutable_send()->set_first_number(first);
    for (const auto& call : calls) {
      it.mutable_send()->add_messages()->mutable_hang_up()->set_call(call);
    }
    return it;
  }
  // Answered in `polled`.
  void poll(std::uint64_t after, std::chrono::milliseconds wait = 20s,
            const std::string& name = "a") {
    SignalCommand it;
    it.set_stream(name);
    it.mutable_poll()->set_after(after);
    const auto whole = std::chrono::floor<std::chrono::seconds>(wait);
    it.mutable_poll()->mutable_wait()->set_seconds(whole.count());
    it.mutable_poll()->mutable_wait()->set_nanos(
        static_cast<std::int32_t>(std::chrono::nanoseconds(wait - whole).count()));
    desk->take(it, [this](OwnerReply reply) { polled.push_back(std::move(reply)); });
  }
  OwnerReply close(const std::string& name = "a") {
    SignalCommand it;
    it.set_stream(name);
    it.mutable_close();
    return ask(it);
  }
  void ring(const std::string& call, call::SignalId id = 1) {
    desk->said({id, call::FarRinging{call}});
  }
  bool until_polled(std::size_t count) {
    while (polled.size() < count && io.run_one_for(20s) > 0) io.restart();
    return polled.size() == count;
  }
  // "1: ready r1 r2, ended PBX_DISCONNECTED"
  static std::string short_of(const OwnerReply& reply) {
    if (reply.has_error()) return "error " + reason_of(reply);
    const auto& result = reply.signal_result();
    std::string text = std::to_string(result.first_number()) + ":";
    for (const SignalResponse& it : result.messages()) {
      text += it.has_ready() ? " ready" : " " + it.far_ringing().call();
    }
    if (!result.has_ended()) return text;
    OwnerReply end;
    *end.mutable_error() = result.ended();
    return text + ", ended " + reason_of(end);
  }
  double ended(const char* reason) { return metrics.signal_ended.at({reason}).value(); }
};

TEST_F(SignalDeskTest, CarriesMessagesBothWaysInOrder) {
  EXPECT_EQ(short_of(open()), "0:");
  EXPECT_THAT(session, ElementsAre("open 1 501"));
  poll(0);
  EXPECT_THAT(polled, IsEmpty());
  desk->said({1, call::SignalReady{}});
  ASSERT_THAT(polled, SizeIs(1));
  EXPECT_EQ(short_of(polled[0]), "1: ready");
  EXPECT_EQ(short_of(ask(sending(1, {"x", "y"}))), "0:");
  EXPECT_THAT(session, ElementsAre("open 1 501", "1 hangs up x", "1 hangs up y"));
  ring("r1");
  ring("r2");
  poll(1);
  ASSERT_THAT(polled, SizeIs(2));
  EXPECT_EQ(short_of(polled[1]), "2: r1 r2");
  EXPECT_EQ(metrics.signal_streams.value(), 1);
  EXPECT_EQ(metrics.signal_to_clients.value(), 3);
  EXPECT_EQ(metrics.signal_from_clients.value(), 2);
  EXPECT_EQ(short_of(close()), "0:");
  EXPECT_EQ(session.back(), "close 1");
  EXPECT_EQ(metrics.signal_streams.value(), 0);
  EXPECT_EQ(ended("closed"), 1);
}

TEST_F(SignalDeskTest, TellsAgainWhatWasNotAcknowledged) {
  open_ready();
  ring("r1");
  poll(0);
  poll(0);  // the reply was lost
  poll(1);
  ring("r2");
  poll(2);
  EXPECT_THAT(polled, SizeIs(4));
  EXPECT_EQ(short_of(polled[0]), "1: ready r1");
  EXPECT_EQ(short_of(polled[1]), "1: ready r1");
  EXPECT_EQ(short_of(polled[2]), "2: r1");
  EXPECT_EQ(short_of(polled[3]), "3: r2");
}

TEST_F(SignalDeskTest, TakesWhatIsSentAgainOnce) {
  open_ready();
  ask(sending(1, {"x", "y"}));
  ask(sending(1, {"x", "y"}));
  ask(sending(2, {"y", "z"}));
  EXPECT_THAT(session, ElementsAre("open 1 501", "1 hangs up x", "1 hangs up y", "1 hangs up z"));
}

TEST_F(SignalDeskTest, OpensTheSameStreamOnce) {
  open();
  open();
  EXPECT_THAT(session, ElementsAre("open 1 501"));
  EXPECT_EQ(metrics.signal_opened.value(), 1);
}

TEST_F(SignalDeskTest, AnswersAPollWithNothingWhenItsTimeIsUp) {
  open();
  poll(0, 10ms);
  ASSERT_TRUE(until_polled(1));
  EXPECT_EQ(short_of(polled[0]), "1:");
  EXPECT_EQ(metrics.signal_streams.value(), 1);
}

TEST_F(SignalDeskTest, AnswersAPollThatWasGivenUpWhenTheNextOneComes) {
  open();
  poll(0);
  poll(0);
  ASSERT_THAT(polled, SizeIs(1));
  EXPECT_EQ(short_of(polled[0]), "0:");
  ring("r1");
  ASSERT_THAT(polled, SizeIs(2));
  EXPECT_EQ(short_of(polled[1]), "1: r1");
}

TEST_F(SignalDeskTest, EndsAStreamThatNobodyPolls) {
  limits.life = 20ms;
  make();
  open();
  io.run_for(20s);  // until there is nothing more to wait for
  EXPECT_THAT(session, ElementsAre("open 1 501", "close 1"));
  EXPECT_EQ(ended("expired"), 1);
  poll(0);
  EXPECT_EQ(short_of(polled.at(0)), "0:, ended OWNER_MOVING");
}

TEST_F(SignalDeskTest, KeepsAStreamThatIsPolled) {
  limits.life = 1h;
  make();
  open();
  for (std::size_t i = 1; i <= 5; ++i) {
    poll(0, 5ms);
    ASSERT_TRUE(until_polled(i));
  }
  EXPECT_EQ(metrics.signal_streams.value(), 1);
}

TEST_F(SignalDeskTest, TellsTheLastWordsBeforeTheEnd) {
  open_ready();
  ring("r1");
  desk->ended({1, Errc::credentials_refused, "no such user"});
  ring("r2");  // nothing may follow
  poll(0);
  poll(0);
  for (const auto& reply : polled) {
    EXPECT_EQ(short_of(reply), "1: ready r1, ended DEVICE_CREDENTIALS_REFUSED");
    EXPECT_EQ(reply.signal_result().ended().message(), "no such user");
  }
  EXPECT_THAT(polled, SizeIs(2));
  EXPECT_EQ(short_of(ask(sending(1, {"x"}))), "0:");
  close();
  EXPECT_THAT(session, ElementsAre("open 1 501"));  // the session knows
  EXPECT_EQ(ended("credentials_refused"), 1);
}

TEST_F(SignalDeskTest, EndsAllStreamsWithTheLink) {
  open_ready("a");
  open_ready("b");
  poll(1, 20s, "a");
  desk->end_all(Errc::pbx_disconnected, "the PBX hung up");
  ASSERT_THAT(polled, SizeIs(1));
  EXPECT_EQ(short_of(polled[0]), "2:, ended PBX_DISCONNECTED");
  poll(0, 20s, "b");
  EXPECT_EQ(short_of(polled.at(1)), "1: ready, ended PBX_DISCONNECTED");
  EXPECT_EQ(metrics.signal_streams.value(), 0);
  desk->said({1, call::FarRinging{"late"}});
  desk->ended({2, Errc::internal, ""});
  EXPECT_EQ(ended("pbx_disconnected"), 2);
}

TEST_F(SignalDeskTest, FinishesWithAStreamThatEndsWhileItIsOpened) {
  on_open = [this](call::SignalId id) { desk->ended({id, Errc::credentials_missing, "none"}); };
  EXPECT_EQ(short_of(open()), "0:");
  poll(0);
  EXPECT_EQ(short_of(polled.at(0)), "1:, ended DEVICE_CREDENTIALS_MISSING");
}

TEST_F(SignalDeskTest, LeavesOutWhatComesAfterTheEnd) {
  open_ready();
  on_say = [this](call::SignalId id) { desk->ended({id, Errc::pbx_refused, ""}); };
  ask(sending(1, {"x", "y"}));
  EXPECT_THAT(session, ElementsAre("open 1 501", "1 hangs up x"));
}

TEST_F(SignalDeskTest, SaysWhyThereIsNoStream) {
  refusal = wire::Failure{Errc::feature_not_supported, "Signal: no", "", {}};
  EXPECT_EQ(short_of(open()), "error FEATURE_NOT_SUPPORTED");
  refusal.reset();
  SignalCommand foreign;
  foreign.set_stream("a");
  foreign.mutable_open()->mutable_options()->set_device("tenants/bolt/devices/1");
  EXPECT_EQ(short_of(ask(foreign)), "error INVALID_FIELD");
  EXPECT_EQ(short_of(open("")), "error INVALID_FIELD");
  EXPECT_THAT(session, IsEmpty());
  EXPECT_EQ(metrics.signal_opened.value(), 0);
}

TEST_F(SignalDeskTest, KnowsNothingOfOtherOwnersStreams) {
  EXPECT_EQ(short_of(ask(sending(1, {"x"}))), "0:, ended OWNER_MOVING");
  EXPECT_EQ(short_of(close()), "0:, ended OWNER_MOVING");
  poll(7);
  EXPECT_EQ(short_of(polled.at(0)), "0:, ended OWNER_MOVING");
}

TEST_F(SignalDeskTest, SaysNothingToThePbxOnceTheLeaseMayBeOver) {
  open_ready();
  obstacle = wire::Failure{Errc::owner_moving, "", "", {}};
  EXPECT_EQ(short_of(ask(sending(1, {"x"}))), "error OWNER_MOVING");
  EXPECT_THAT(session, ElementsAre("open 1 501"));
}

TEST_F(SignalDeskTest, RefusesMoreStreamsThanItMayHave) {
  limits.streams_max = 2;
  make();
  open("a");
  open("b");
  EXPECT_EQ(short_of(open("c")), "error PERFORMANCE_LIMIT_EXCEEDED");
  close("a");
  EXPECT_EQ(short_of(open("c")), "0:");
}

TEST_F(SignalDeskTest, EndsAStreamWhoseClientDoesNotRead) {
  limits.messages_max = 3;
  make();
  open_ready();
  for (int i = 0; i < 9; ++i) ring("r" + std::to_string(i));
  io.poll();
  EXPECT_THAT(session, ElementsAre("open 1 501", "close 1"));
  poll(0);
  EXPECT_EQ(short_of(polled.at(0)), "1: ready r0 r1, ended OVERLOADED");
  EXPECT_EQ(ended("overloaded"), 1);
}

TEST_F(SignalDeskTest, EndsAStreamThatIsOwedTooMuchByItsSize) {
  limits.bytes_max = 10'000;
  limits.message_bytes_max = 6'000;
  make();
  open_ready();
  desk->said({1, call::RemoteOffer{"a", std::string(5'000, 'x')}});
  EXPECT_EQ(metrics.signal_streams.value(), 1);
  desk->said({1, call::RemoteOffer{"a", std::string(5'000, 'x')}});
  EXPECT_EQ(ended("overloaded"), 1);
  open_ready("b");
  desk->said({2, call::RemoteOffer{"a", std::string(7'000, 'x')}});
  EXPECT_EQ(ended("message_too_big"), 1);
}

TEST_F(SignalDeskTest, AnswersInPiecesThatFitIntoAMessage) {
  open_ready();
  for (int i = 0; i < 5; ++i) {
    desk->said({1, call::RemoteOffer{"a", std::string(100'000, 'x')}});
  }
  poll(0);
  EXPECT_THAT(polled.at(0).signal_result().messages(), SizeIs(3));
  poll(3);
  EXPECT_EQ(polled.at(1).signal_result().first_number(), 4u);
  EXPECT_THAT(polled.at(1).signal_result().messages(), SizeIs(2));
  for (int i = 0; i < 150; ++i) ring("r");
  poll(6);
  EXPECT_THAT(polled.at(2).signal_result().messages(), SizeIs(100));
}

TEST_F(SignalDeskTest, EndsAStreamOnWhatControlNeverSends) {
  open_ready("gap");
  ask(sending(2, {"x"}, "gap"));
  EXPECT_EQ(session.back(), "close 1");
  open("early");
  ask(sending(1, {"x"}, "early"));
  EXPECT_EQ(session.back(), "close 2");
  open_ready("empty");
  auto empty = sending(1, {}, "empty");
  empty.mutable_send()->add_messages();
  ask(empty);
  EXPECT_EQ(session.back(), "close 3");
  EXPECT_EQ(ended("internal"), 3);
  SignalCommand nothing;
  nothing.set_stream("gap");
  EXPECT_EQ(short_of(ask(nothing)), "error INTERNAL_ERROR");
}

}  // namespace
}  // namespace connector
