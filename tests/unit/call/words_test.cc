#include <set>
#include <string>

#include <gtest/gtest.h>

#include "call/command.h"
#include "call/event.h"
#include "call/permission.h"

namespace call {
namespace {

// These words stand in subjects, metrics and documents: each is one of a kind, and in camelCase.
template <class Enum>
void expect_words(Enum last, bool capital) {
  std::set<std::string> names;
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    const std::string name = name_of(static_cast<Enum>(i));
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(name.front() >= 'A' && name.front() <= 'Z', capital) << name;
    EXPECT_EQ(name.find_first_of("_- "), std::string::npos) << name;
  }
}

TEST(Words, AreOneOfAKind) {
  expect_words(CallEventType::recording_stopped, false);
  expect_words(DeviceEventType::information, false);
  expect_words(LinkState::awaiting_pbx, false);
  expect_words(Service::get_agent_session, true);
  EXPECT_STREQ(name_of(CallEventType::connection_cleared), "connectionCleared");
  EXPECT_STREQ(name_of(Service::make_call), "MakeCall");
}

TEST(Words, EveryEventHasACauseWhenThePbxGivesNone) {
  for (int i = 0; i <= static_cast<int>(CallEventType::recording_stopped); ++i) {
    EXPECT_NE(default_cause(static_cast<CallEventType>(i)), Cause::unspecified);
  }
}

TEST(Commands, KnowTheirServiceAndWhoActs) {
  const Target target{"K", "leg", DeviceId("201")}, held{"L", "leg2", DeviceId("202")};
  EXPECT_EQ(service_of(MakeCall{DeviceId("201"), "300", {}}), Service::make_call);
  EXPECT_EQ(service_of(SetAgentState{DeviceId("201"), AgentState::ready, ""}),
            Service::set_agent_state);
  EXPECT_EQ(device_of(MakeCall{DeviceId("203"), "300", {}}).str(), "203");
  EXPECT_EQ(device_of(HoldCall{target}).str(), "201");
  EXPECT_EQ(device_of(TransferCall{target, held}).str(), "201");
  EXPECT_EQ(device_of(DirectedPickupCall{DeviceId("203"), target}).str(), "203");
  EXPECT_EQ(device_of(ClearCall{{target, held}}).str(), "201");
  EXPECT_EQ(device_of(ClearCall{}).str(), "");
}

TEST(Permissions, OfferNothingThatTheVendorCannotDo) {
  const Capability rows[] = {{Service::hold_call, Confirmation::acknowledged, ""},
                             {Service::answer_call, Confirmation::none, "no message exists"}};
  const Permissions permissions(rows);
  Connection connection;
  connection.state = ConnectionState::connected;
  EXPECT_EQ(permissions.on(connection, true, true), ServiceSet{Service::hold_call});
  connection.state = ConnectionState::alerting;
  EXPECT_TRUE(permissions.on(connection, true, true).empty());
  EXPECT_STREQ(permissions.capability(Service::answer_call).note, "no message exists");
  EXPECT_EQ(permissions.capability(Service::park_call).confirmation, Confirmation::none);
}

TEST(Permissions, FollowStateRoleAndRecording) {
  std::vector<Capability> rows;
  for (std::size_t i = 0; i < kServiceCount; ++i) {
    rows.push_back({static_cast<Service>(i), Confirmation::observed, ""});
  }
  const Permissions permissions(rows);
  Connection connection;
  connection.party.kind = DeviceKind::extension;
  const auto on = [&](ConnectionState state, Role role, bool recording = false,
                      bool controllable = true, bool paired = false) {
    connection.state = state;
    connection.role = role;
    connection.recording = recording;
    return permissions.on(connection, controllable, paired);
  };
  using enum Service;
  using enum ConnectionState;
  const ServiceSet always{clear_connection, clear_call, associate_data};
  EXPECT_TRUE(on(null, Role::called).empty());
  EXPECT_EQ(on(initiated, Role::calling), always);
  EXPECT_EQ(on(fail, Role::calling), always);
  EXPECT_EQ(on(queued, Role::called), always);
  EXPECT_EQ(on(alerting, Role::calling),
            (ServiceSet{clear_connection, clear_call, associate_data, answer_call}));
  EXPECT_EQ(on(alerting, Role::called),
            (ServiceSet{clear_connection, clear_call, associate_data, answer_call, deflect_call,
                        directed_pickup_call}));
  EXPECT_EQ(on(alerting, Role::called, false, false), ServiceSet{directed_pickup_call});
  EXPECT_EQ(on(connected, Role::called),
            (ServiceSet{clear_connection, clear_call, associate_data, hold_call, consultation_call,
                        single_step_transfer_call, park_call, generate_digits, start_recording}));
  EXPECT_EQ(on(connected, Role::called, true, true, true),
            (ServiceSet{clear_connection, clear_call, associate_data, hold_call, consultation_call,
                        single_step_transfer_call, park_call, generate_digits, stop_recording,
                        alternate_call, reconnect_call, transfer_call, conference_call}));
  EXPECT_EQ(on(hold, Role::called),
            (ServiceSet{clear_connection, clear_call, associate_data, retrieve_call}));
  EXPECT_TRUE(on(connected, Role::called, false, false).empty());
}

}  // namespace
}  // namespace call
