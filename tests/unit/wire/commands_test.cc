#include "wire/commands.h"

#include <tuple>

#include <gmock/gmock.h>

#include "wire/chance.h"

namespace wire {
namespace {

using base::Errc;
using testing::Test;

auto tie(const call::Request& r) {
  return std::tie(r.service, r.call, r.connection, r.other_call, r.other_connection, r.device,
                  r.destination, r.digits, r.data, r.on, r.forwarding, r.presence, r.agent_state,
                  r.note);
}

class Commands : public Test {};

TEST_F(Commands, ComeBack) {
  Chance chance(10);
  for (int i = 0; i < 2'000; ++i) {
    call::Request request;
    request.service = chance.any<call::Service>(v1::SERVICE_SET_AGENT_STATE);  // the last command
    request.call = base::CallId(chance.text());
    request.connection = chance.below(100);
    request.other_call = base::CallId(chance.text());
    request.other_connection = chance.below(100);
    request.device = base::DeviceId(chance.text());
    request.destination = chance.text();
    request.digits = chance.text();
    request.data = chance.data();
    request.on = chance.maybe();
    request.forwarding = {chance.any<call::ForwardingType>(v1::ForwardingType_MAX), chance.text()};
    request.presence = chance.text();
    request.agent_state = chance.any<call::AgentState>(v1::AgentState_MAX);
    request.note = chance.text();
    const auto back = from_proto(to_proto(request));
    ASSERT_TRUE(back);
    ASSERT_TRUE(tie(*back) == tie(request)) << to_proto(request).DebugString();
  }
}

TEST_F(Commands, OfUnknownEnumeratorsAreRefused) {
  v1::Command command;
  EXPECT_EQ(from_proto(command).error(), Errc::invalid_argument);  // no service
  command.set_service(static_cast<v1::Service>(v1::Service_MAX + 1));
  EXPECT_EQ(from_proto(command).error(), Errc::invalid_argument);
  command.set_service(v1::SERVICE_SET_AGENT_STATE);
  EXPECT_TRUE(from_proto(command));
  command.set_agent_state(static_cast<v1::AgentState>(77));
  EXPECT_EQ(from_proto(command).error(), Errc::invalid_argument);
}

TEST_F(Commands, SetForwardingNeedsAForwarding) {
  v1::Command command;
  command.set_service(v1::SERVICE_SET_FORWARDING);
  EXPECT_EQ(from_proto(command).error(), Errc::invalid_argument);
  command.mutable_forwarding();
  EXPECT_EQ(from_proto(command).error(), Errc::invalid_argument);
  command.mutable_forwarding()->set_type(v1::FORWARDING_TYPE_BUSY);
  EXPECT_EQ(from_proto(command)->forwarding.type, call::ForwardingType::busy);

  call::Request off;  // immediate, nowhere: equal to the default, and must be said all the same
  off.service = call::Service::set_forwarding;
  EXPECT_TRUE(to_proto(off).has_forwarding());
}

TEST_F(Commands, TellCapabilities) {
  const call::Capability rows[] = {
      {call::Service::make_call, call::Confirmation::observed, "Rings the device first."},
      {call::Service::park_call, call::Confirmation::none, nullptr}};
  const auto out = to_proto(base::TenantId("acme"), "innova360", rows);
  EXPECT_EQ(out.name(), "tenants/acme/capabilities");
  EXPECT_EQ(out.vendor(), "innova360");
  ASSERT_EQ(out.capabilities_size(), 2);
  EXPECT_EQ(out.capabilities(0).service(), v1::SERVICE_MAKE_CALL);
  EXPECT_EQ(out.capabilities(0).confirmation(), v1::CONFIRMATION_OBSERVED);
  EXPECT_EQ(out.capabilities(0).note(), "Rings the device first.");
  EXPECT_EQ(out.capabilities(1).confirmation(), v1::CONFIRMATION_NOT_OFFERED);
}

}  // namespace
}  // namespace wire
