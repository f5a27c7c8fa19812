#include <gmock/gmock.h>

#include "unit/connector/owner_fixture.h"

namespace connector {
namespace {

using base::Errc;
using pbxgw::v1::SignalCommand;
using testing::ElementsAre;
using namespace std::chrono_literals;

// A media client's stream from control's request over NATS to the session and back.
struct TenantSignalsTest : OwnerFixture {
  std::vector<std::string> session;  // what it was told; on the shard's thread

  TenantSignalsTest() {
    pbx.has(a_device("501", "Ann"));
    pbx.on_signal_open([this](call::SignalId id, const call::SignalOptions& options) {
      session.push_back("open " + options.device.str() + " " + options.user_agent);
      return pbx::Effects{pbx::Signal{id, call::SignalReady{}}};
    });
    pbx.on_signal([this](call::SignalId id, const call::FromClient& message) {
      const auto& start = std::get<call::StartCall>(message);
      session.push_back("call " + start.destination);
      return pbx::Effects{pbx::Signal{id, call::RemoteAnswer{start.call, "v=0"}}};
    });
    pbx.on_signal_close([this](call::SignalId) {
      session.push_back("close");
      return pbx::Effects{};
    });
  }
  static OwnerRequest request() {
    auto it = request_to_acme();
    it.mutable_signal()->set_stream("a");
    return it;
  }
  OwnerReply open(const std::string& device = "501") {
    auto it = request();
    auto& options = *it.mutable_signal()->mutable_open()->mutable_options();
    options.set_device("tenants/acme/devices/" + device);
    options.set_user_agent("test");
    return ask(it);
  }
  unsigned poll(std::uint64_t after) {
    auto it = request();
    it.mutable_signal()->mutable_poll()->set_after(after);
    it.mutable_signal()->mutable_poll()->mutable_wait()->set_seconds(30);
    return asker.send(it);
  }
  static std::string end_of(const OwnerReply& reply) {
    OwnerReply end;
    *end.mutable_error() = reply.signal_result().ended();
    return reason_of(end);
  }
  std::unique_ptr<OwnerNode> start_up() {
    auto node = start("one");
    EXPECT_TRUE(until_ups(1));
    return node;
  }
};

TEST_F(TenantSignalsTest, ReachesTheSessionAndComesBack) {
  const auto one = start_up();
  EXPECT_TRUE(open().has_signal_result());
  const auto ready = reply(poll(0)).signal_result();
  EXPECT_EQ(ready.first_number(), 1u);
  EXPECT_TRUE(ready.messages(0).has_ready());
  const auto next = poll(1);
  auto sent = request();
  auto& send = *sent.mutable_signal()->mutable_send();
  send.set_first_number(1);
  auto& call = *send.add_messages()->mutable_start_call();
  call.set_call("x");
  call.set_destination("502");
  EXPECT_TRUE(ask(sent).has_signal_result());
  EXPECT_EQ(reply(next).signal_result().messages(0).remote_answer().call(), "x");
  auto closing = request();
  closing.mutable_signal()->mutable_close();
  ask(closing);
  one->on_shard(
      [&](Shard&) { EXPECT_THAT(session, ElementsAre("open 501 test", "call 502", "close")); });
  EXPECT_EQ(one->metrics().signal_ended.at({"closed"}).value(), 1);
}

TEST_F(TenantSignalsTest, EndsWithTheLink) {
  const auto one = start_up();
  open();
  reply(poll(0));
  const auto waiting = poll(1);
  pbx.hang_up();
  EXPECT_EQ(end_of(reply(waiting)), "PBX_DISCONNECTED");
  expect_one_reply(*one, waiting);
}

TEST_F(TenantSignalsTest, EndsWithTheOwner) {
  const auto one = start_up();
  open();
  reply(poll(0));
  const auto waiting = poll(1);
  open("999");  // answered after the poll was taken
  one->stop(Errc::shutting_down);
  EXPECT_EQ(end_of(reply(waiting)), "SHUTTING_DOWN");
  ASSERT_TRUE(run_until([&] { return one->ended(); }));
}

TEST_F(TenantSignalsTest, IsRefusedForADeviceThatIsNotThereAndWithoutALink) {
  const auto one = start_up();
  const auto missing = open("999");
  EXPECT_EQ(reason_of(missing), "DEVICE_NOT_FOUND");
  EXPECT_EQ(info_of(missing).metadata().at("resource"), "tenants/acme/devices/999");
  pbx.refuse();
  pbx.hang_up();
  ASSERT_TRUE(run_until([&] { return links().back().reason == "connect_failed"; }));
  EXPECT_EQ(reason_of(open()), "PBX_DISCONNECTED");
}

TEST_F(TenantSignalsTest, IsRefusedByAVendorWithoutItWhateverTheLink) {
  auto vendor = pbx.vendor();
  std::vector<call::Capability> rows(vendor.capabilities.begin(), vendor.capabilities.end());
  auto& row = rows[static_cast<std::size_t>(call::Service::signal)];
  row.confirmation = call::Confirmation::none;
  row.note = "Its protocol carries no media signalling.";
  vendor.capabilities = rows;
  acme.vendor = &vendor;
  pbx.stall(true);
  const auto one = start("one");
  ASSERT_TRUE(run_until([&] { return pbx.links() > 0; }));
  const auto refused = open();
  EXPECT_EQ(reason_of(refused), "FEATURE_NOT_SUPPORTED");
  EXPECT_EQ(refused.error().message(), "Signal: Its protocol carries no media signalling.");
}

}  // namespace
}  // namespace connector
