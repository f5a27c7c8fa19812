#include "wire/events.h"

#include <tuple>

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>

#include "base/overloaded.h"
#include "wire/chance.h"

// The model's own events need no comparison elsewhere.
namespace call {

auto tie(const CallEvent& e) {
  return std::tie(e.type, e.call, e.connection, e.other, e.cause, e.vendor_cause, e.inferred);
}
auto tie(const DeviceEvent& e) { return std::tie(e.type, e.device); }
auto tie(const LinkEvent& e) { return std::tie(e.state, e.reason, e.detail, e.retry_at); }
auto tie(const StreamGap& e) {
  return std::tie(e.first_sequence, e.last_sequence, e.since, e.until, e.reason);
}
bool operator==(const CallEvent& a, const CallEvent& b) { return tie(a) == tie(b); }
bool operator==(const DeviceEvent& a, const DeviceEvent& b) { return tie(a) == tie(b); }
bool operator==(const LinkEvent& a, const LinkEvent& b) { return tie(a) == tie(b); }
bool operator==(const StreamGap& a, const StreamGap& b) { return tie(a) == tie(b); }
bool operator==(const Event& a, const Event& b) {
  const auto tie_all = [](const Event& e) {
    return std::tie(e.epoch, e.sequence, e.origin, e.received, e.pbx_time, e.request_id, e.body);
  };
  return tie_all(a) == tie_all(b);
}

}  // namespace call

namespace wire {
namespace {

using base::Errc;
using base::TenantId;
using google::protobuf::util::MessageDifferencer;
using testing::ElementsAre;
using testing::Test;

class Events : public Test {
 protected:
  v1::Event sample() {
    v1::Event out;
    call::Event event;
    call::CallEvent body;
    body.call.id = base::CallId("c7-1");
    body.call.connections = {chance_.connection(1), chance_.connection(2)};
    body.connection = 2;
    body.other = chance_.party();
    event.body = body;
    event.pbx_time = chance_.time();
    to_proto(acme_, event, out);
    return out;
  }
  // Breaks a sample in one way.
  template <class Break>
  void expect_bad(Break break_it) {
    auto event = sample();
    ASSERT_TRUE(from_proto(event));
    break_it(event);
    EXPECT_EQ(from_proto(event).error(), Errc::bad_frame) << event.DebugString();
  }

  const TenantId acme_{"acme"};
  Chance chance_{7};
};

TEST_F(Events, ComeBack) {
  for (int i = 0; i < 5'000; ++i) {
    const auto event = chance_.event();
    v1::Event proto;
    to_proto(TenantId(chance_.bytes(10)), event, proto);
    const auto back = from_proto(proto);
    ASSERT_TRUE(back) << proto.DebugString();
    ASSERT_TRUE(*back == event) << proto.DebugString();
  }
}

TEST_F(Events, OverwriteWhateverWasThere) {
  v1::Event reused;
  for (int i = 0; i < 5'000; ++i) {
    const auto event = chance_.event();
    v1::Event fresh;
    to_proto(acme_, event, fresh);
    to_proto(acme_, event, reused);
    ASSERT_TRUE(MessageDifferencer::Equals(fresh, reused))
        << fresh.DebugString() << reused.DebugString();
  }
}

TEST_F(Events, CallsAndDevicesComeBack) {
  v1::Call reused_call;
  v1::Device reused_device;
  for (int i = 0; i < 2'000; ++i) {
    const auto call = chance_.call();
    to_proto(acme_, call, reused_call);
    ASSERT_EQ(from_proto(reused_call).value(), call);
    ASSERT_EQ(from_proto(to_proto(acme_, call)).value(), call);
    const auto device = chance_.device();
    to_proto(acme_, device, reused_device);
    ASSERT_EQ(from_proto(reused_device).value(), device);
    ASSERT_EQ(from_proto(to_proto(acme_, device)).value(), device);
  }
}

TEST_F(Events, NameTheirResources) {
  const auto event = sample();
  EXPECT_EQ(event.tenant(), "tenants/acme");
  EXPECT_EQ(event.call_event().call().name(), "tenants/acme/calls/c7-1");
  EXPECT_EQ(event.call_event().connection(), "tenants/acme/connections/c7-1-2");
  EXPECT_EQ(event.call_event().call().connections(0).name(), "tenants/acme/connections/c7-1-1");
}

TEST_F(Events, GiveAllowedActionsInOrder) {
  auto connection = chance_.connection(1);
  connection.allowed = {call::Service::hold_call, call::Service::clear_connection};
  call::Call call;
  call.connections = {connection};
  EXPECT_THAT(to_proto(acme_, call).connections(0).allowed_actions(),
              ElementsAre(v1::SERVICE_CLEAR_CONNECTION, v1::SERVICE_HOLD_CALL));
}

TEST_F(Events, MakeUtf8OfWhatIsNone) {
  call::Device device;
  device.id = base::DeviceId("Zo\xeb");
  device.name = "Zo\xeb";
  const auto proto = to_proto(acme_, device);
  EXPECT_EQ(proto.display_name(), "Zo\ufffd");
  EXPECT_EQ(proto.name(), "tenants/acme/devices/Zo_eb");
  v1::Device parsed;
  ASSERT_TRUE(parsed.ParseFromString(proto.SerializeAsString()));
  EXPECT_EQ(from_proto(parsed)->id, device.id);  // the token knows
}

TEST_F(Events, TellAboutTheLink) {
  call::LinkEvent link;
  link.state = call::LinkState::backing_off;
  link.reason = "login_rejected";
  link.detail = "wrong password";
  link.retry_at = call::Time(std::chrono::seconds(90));
  const auto status = to_proto(link, call::Time(std::chrono::seconds(60)));
  EXPECT_EQ(status.state(), v1::LINK_STATE_BACKING_OFF);
  EXPECT_EQ(status.reason(), v1::LINK_REASON_LOGIN_REJECTED);
  EXPECT_EQ(status.detail(), "wrong password");
  EXPECT_EQ(status.state_time().seconds(), 60);
  EXPECT_EQ(status.retry_time().seconds(), 90);
  EXPECT_FALSE(status.has_last_up_time());
}

TEST_F(Events, AreRefusedWhenTheyCannotBeOurs) {
  expect_bad([](v1::Event& e) { e.Clear(); });
  expect_bad([](v1::Event& e) { e.set_tenant("acme"); });
  expect_bad([](v1::Event& e) { e.clear_receive_time(); });
  expect_bad([](v1::Event& e) { e.mutable_receive_time()->set_nanos(-1); });
  expect_bad([](v1::Event& e) { e.mutable_pbx_time()->set_nanos(-1); });
  expect_bad([](v1::Event& e) { e.clear_origin(); });
  expect_bad([](v1::Event& e) { e.set_origin(static_cast<v1::Origin>(9)); });
  expect_bad([](v1::Event& e) { e.clear_body(); });
  expect_bad([](v1::Event& e) { e.mutable_device_event(); });
  expect_bad([](v1::Event& e) { e.mutable_link_event(); });
  expect_bad([](v1::Event& e) { e.mutable_stream_gap(); });
  expect_bad([](v1::Event& e) { e.mutable_call_event()->clear_call(); });
  expect_bad([](v1::Event& e) { e.mutable_call_event()->clear_type(); });
  expect_bad([](v1::Event& e) { e.mutable_call_event()->clear_cause(); });
  expect_bad([](v1::Event& e) { e.mutable_call_event()->set_cause(static_cast<v1::Cause>(4711)); });
  expect_bad([](v1::Event& e) { e.mutable_call_event()->set_connection("c7-1-2"); });
  expect_bad([](v1::Event& e) {
    e.mutable_call_event()->set_connection("tenants/acme/connections/c8-1-2");
  });
  expect_bad([](v1::Event& e) {
    e.mutable_call_event()->mutable_other_party()->set_kind(static_cast<v1::DeviceKind>(-1));
  });
  const auto call = [](v1::Event& e) { return e.mutable_call_event()->mutable_call(); };
  expect_bad([&](v1::Event& e) { call(e)->set_name("tenants/acme/calls/c8-1"); });
  expect_bad([&](v1::Event& e) { call(e)->clear_name(); });
  expect_bad([&](v1::Event& e) { call(e)->clear_direction(); });
  expect_bad([&](v1::Event& e) { call(e)->clear_create_time(); });
  const auto connection = [&](v1::Event& e) { return call(e)->mutable_connections(1); };
  expect_bad([&](v1::Event& e) { connection(e)->clear_name(); });
  expect_bad([&](v1::Event& e) { connection(e)->clear_party(); });
  expect_bad([&](v1::Event& e) { connection(e)->clear_role(); });
  expect_bad([&](v1::Event& e) { connection(e)->clear_state(); });
  expect_bad([&](v1::Event& e) { connection(e)->set_state(static_cast<v1::ConnectionState>(8)); });
  expect_bad([&](v1::Event& e) { connection(e)->clear_state_time(); });
  expect_bad([&](v1::Event& e) { connection(e)->add_allowed_actions(v1::SERVICE_UNSPECIFIED); });
  expect_bad([&](v1::Event& e) {
    connection(e)->add_allowed_actions(static_cast<v1::Service>(v1::Service_MAX + 1));
  });
}

}  // namespace
}  // namespace wire
