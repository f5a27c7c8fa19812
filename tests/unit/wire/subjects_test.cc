#include "wire/subjects.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "wire/chance.h"
#include "wire/token.h"

namespace wire {
namespace {

using base::DeviceId;
using base::TenantId;
using testing::HasSubstr;
using testing::Not;
using testing::Test;

class Subjects : public Test {
 protected:
  static call::Event event_of(call::CallEventType type, const char* device,
                              call::DeviceKind kind = call::DeviceKind::extension) {
    call::CallEvent body;
    body.type = type;
    body.connection = 2;
    call::Connection first, second;
    first.number = 1;
    first.party = {DeviceId("202"), call::DeviceKind::extension, "202", ""};
    second.number = 2;
    second.party = {DeviceId(device), kind, device, ""};
    body.call.connections = {first, second};
    call::Event out;
    out.body = body;
    return out;
  }
  static call::Event event_of(call::DeviceEventType type, const char* device) {
    call::DeviceEvent body;
    body.type = type;
    body.device.id = DeviceId(device);
    call::Event out;
    out.body = body;
    return out;
  }
  static call::Event event_of(call::LinkState state) {
    call::LinkEvent body;
    body.state = state;
    call::Event out;
    out.body = body;
    return out;
  }

  const TenantId acme_{"acme"};
};

// What consumers and NATS permissions are written for. A change here breaks them.
TEST_F(Subjects, OfCallEvents) {
  const std::pair<call::CallEventType, const char*> golden[] = {
      {call::CallEventType::service_initiated, "pbx.v1.events.acme.call.201.serviceInitiated"},
      {call::CallEventType::originated, "pbx.v1.events.acme.call.201.originated"},
      {call::CallEventType::digits_dialed, "pbx.v1.events.acme.call.201.digitsDialed"},
      {call::CallEventType::network_reached, "pbx.v1.events.acme.call.201.networkReached"},
      {call::CallEventType::offered, "pbx.v1.events.acme.call.201.offered"},
      {call::CallEventType::delivered, "pbx.v1.events.acme.call.201.delivered"},
      {call::CallEventType::queued, "pbx.v1.events.acme.call.201.queued"},
      {call::CallEventType::established, "pbx.v1.events.acme.call.201.established"},
      {call::CallEventType::held, "pbx.v1.events.acme.call.201.held"},
      {call::CallEventType::retrieved, "pbx.v1.events.acme.call.201.retrieved"},
      {call::CallEventType::diverted, "pbx.v1.events.acme.call.201.diverted"},
      {call::CallEventType::conferenced, "pbx.v1.events.acme.call.201.conferenced"},
      {call::CallEventType::transferred, "pbx.v1.events.acme.call.201.transferred"},
      {call::CallEventType::failed, "pbx.v1.events.acme.call.201.failed"},
      {call::CallEventType::connection_cleared, "pbx.v1.events.acme.call.201.connectionCleared"},
      {call::CallEventType::call_cleared, "pbx.v1.events.acme.call.202.callCleared"},
      {call::CallEventType::bridged, "pbx.v1.events.acme.call.201.bridged"},
      {call::CallEventType::call_information, "pbx.v1.events.acme.call.201.callInformation"},
      {call::CallEventType::recording_started, "pbx.v1.events.acme.call.201.recordingStarted"},
      {call::CallEventType::recording_stopped, "pbx.v1.events.acme.call.201.recordingStopped"},
  };
  static_assert(std::size(golden) == v1::CallEventType_MAX);
  for (const auto& [type, subject] : golden) {
    EXPECT_EQ(event_subject(acme_, event_of(type, "201")), subject);
  }
}

TEST_F(Subjects, OfDeviceEvents) {
  const std::pair<call::DeviceEventType, const char*> golden[] = {
      {call::DeviceEventType::added, "pbx.v1.events.acme.device.201.added"},
      {call::DeviceEventType::removed, "pbx.v1.events.acme.device.201.removed"},
      {call::DeviceEventType::back_in_service, "pbx.v1.events.acme.device.201.backInService"},
      {call::DeviceEventType::out_of_service, "pbx.v1.events.acme.device.201.outOfService"},
      {call::DeviceEventType::activity_changed, "pbx.v1.events.acme.device.201.activityChanged"},
      {call::DeviceEventType::do_not_disturb, "pbx.v1.events.acme.device.201.doNotDisturb"},
      {call::DeviceEventType::forwarding, "pbx.v1.events.acme.device.201.forwarding"},
      {call::DeviceEventType::presence_state, "pbx.v1.events.acme.device.201.presenceState"},
      {call::DeviceEventType::agent_state, "pbx.v1.events.acme.device.201.agentState"},
      {call::DeviceEventType::information, "pbx.v1.events.acme.device.201.information"},
  };
  static_assert(std::size(golden) == v1::DeviceEventType_MAX);
  for (const auto& [type, subject] : golden) {
    EXPECT_EQ(event_subject(acme_, event_of(type, "201")), subject);
  }
}

TEST_F(Subjects, OfLinkEvents) {
  const std::pair<call::LinkState, const char*> golden[] = {
      {call::LinkState::unowned, "pbx.v1.events.acme.link.unowned"},
      {call::LinkState::connecting, "pbx.v1.events.acme.link.connecting"},
      {call::LinkState::logging_in, "pbx.v1.events.acme.link.loggingIn"},
      {call::LinkState::synchronizing, "pbx.v1.events.acme.link.synchronizing"},
      {call::LinkState::up, "pbx.v1.events.acme.link.up"},
      {call::LinkState::backing_off, "pbx.v1.events.acme.link.backingOff"},
      {call::LinkState::awaiting_pbx, "pbx.v1.events.acme.link.awaitingPbx"},
  };
  static_assert(std::size(golden) == v1::LinkState_MAX);
  for (const auto& [state, subject] : golden) {
    EXPECT_EQ(event_subject(acme_, event_of(state)), subject);
  }
  call::Event gap;
  gap.body = call::StreamGap{};
  EXPECT_EQ(event_subject(acme_, gap), "pbx.v1.events.acme.link.streamGap");
}

TEST_F(Subjects, OfSubscriptionsAndCommands) {
  EXPECT_EQ(events_of(acme_), "pbx.v1.events.acme.>");
  EXPECT_EQ(events_of(TenantId("*")), "pbx.v1.events.*.>");
  EXPECT_EQ(events_of(TenantId(">")), "pbx.v1.events._3e.>");
  EXPECT_EQ(all_events(), "pbx.v1.events.>");
  EXPECT_EQ(command_subject(acme_), "pbx.v1.commands.acme");
  EXPECT_EQ(command_subject(TenantId("*")), "pbx.v1.commands._2a");
}

TEST_F(Subjects, EscapeForeignIds) {
  EXPECT_EQ(event_subject(TenantId("a.b"), event_of(call::CallEventType::held, "*97")),
            "pbx.v1.events.a_2eb.call._2a97.held");
  EXPECT_EQ(event_subject(acme_, event_of(call::DeviceEventType::added, "")),
            "pbx.v1.events.acme.device._.added");
}

TEST_F(Subjects, NeverNameSomebodyOutside) {
  constexpr char kCanary[] = "4915112345678";
  for (auto kind : {call::DeviceKind::outside, call::DeviceKind::unknown}) {
    for (int type = 1; type <= v1::CallEventType_MAX; ++type) {
      auto event =
          event_of(*from_proto_enum<call::CallEventType>(static_cast<v1::CallEventType>(type)),
                   kCanary, kind);
      auto& body = std::get<call::CallEvent>(event.body);
      body.call.dialled = kCanary;
      body.call.connections[0].party = {DeviceId(kCanary), kind, kCanary, kCanary};
      body.other = body.call.connections[0].party;
      body.call.data[kCanary] = kCanary;
      EXPECT_THAT(event_subject(acme_, event), HasSubstr(".call.outside."));
      EXPECT_THAT(event_subject(acme_, event), Not(HasSubstr(kCanary)));
    }
  }
  auto contact = event_of(call::DeviceEventType::added, kCanary);
  std::get<call::DeviceEvent>(contact.body).device.kind = call::DeviceKind::outside;
  EXPECT_EQ(event_subject(acme_, contact), "pbx.v1.events.acme.device.outside.added");
}

TEST_F(Subjects, SayOutsideWhenTheConnectionIsNotInTheCall) {
  auto event = event_of(call::CallEventType::held, "201");
  std::get<call::CallEvent>(event.body).connection = 9;
  EXPECT_EQ(event_subject(acme_, event), "pbx.v1.events.acme.call.outside.held");
  auto cleared = event_of(call::CallEventType::call_cleared, "201");
  std::get<call::CallEvent>(cleared.body).call.connections.clear();
  EXPECT_EQ(event_subject(acme_, cleared), "pbx.v1.events.acme.call.outside.callCleared");
}

TEST_F(Subjects, ReplaceTokensThatAreTooLong) {
  const std::string most(100, 'a');
  EXPECT_EQ(command_subject(TenantId(most)), "pbx.v1.commands." + most);
  const auto long_one = command_subject(TenantId(most + "a"));
  EXPECT_EQ(long_one.size(), std::string("pbx.v1.commands._h").size() + 16);
  EXPECT_THAT(long_one, HasSubstr("pbx.v1.commands._h"));
  EXPECT_NE(long_one, command_subject(TenantId(most + "b")));
  EXPECT_EQ(events_of(TenantId(most + "a")),
            "pbx.v1.events." + long_one.substr(std::string("pbx.v1.commands.").size()) + ".>");
}

TEST_F(Subjects, AreGoodOnesWhateverTheIds) {
  Chance chance(6);
  for (int i = 0; i < 5'000; ++i) {
    auto event = chance.event();
    if (auto* body = std::get_if<call::DeviceEvent>(&event.body)) {
      body->device.id = DeviceId(chance.bytes(300));
    }
    if (auto* body = std::get_if<call::CallEvent>(&event.body)) {
      for (auto& each : body->call.connections) each.party.device = DeviceId(chance.bytes(300));
    }
    const auto subject = event_subject(TenantId(chance.bytes(300)), event);
    ASSERT_LT(subject.size(), 256u);
    ASSERT_EQ(subject.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789-_."),
              std::string::npos);
    ASSERT_EQ(subject.find(".."), std::string::npos);
    const auto dots = std::count(subject.begin(), subject.end(), '.');
    ASSERT_EQ(dots, std::string_view(event_class(event)) == "link" ? 5 : 6);
  }
}

TEST_F(Subjects, OfAuditRecords) {
  EXPECT_EQ(audit_subject(acme_), "pbx.v1.audit.acme");
  EXPECT_EQ(audit_subject(TenantId("a.b *>")), "pbx.v1.audit.a_2eb_20_2a_3e");
  EXPECT_EQ(audit_subject(TenantId()), "pbx.v1.audit._");
  EXPECT_THAT(audit_subject(TenantId(std::string(300, 'x'))),
              testing::StartsWith("pbx.v1.audit._h"));
  EXPECT_EQ(all_audit(), "pbx.v1.audit.*");
}

}  // namespace
}  // namespace wire
