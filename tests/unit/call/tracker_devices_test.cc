#include "dialogue.h"

namespace call {
namespace {

class Devices : public Dialogue {};

TEST_F(Devices, ComeAndGo) {
  EXPECT_THAT(see_all(std::vector{device("201"), device("202")}),
              ElementsAre("201 added", "202 added"));
  EXPECT_THAT(see_all(std::vector{device("201"), device("202")}), IsEmpty());
  EXPECT_THAT(see(device("201")), IsEmpty());
  EXPECT_THAT(see_all(std::vector{device("202")}), ElementsAre("201 removed"));
  EXPECT_EQ(tracker_.find(DeviceId("201")), nullptr);
  EXPECT_NE(tracker_.find(DeviceId("202")), nullptr);
}

TEST_F(Devices, TellEachAspectThatChanged) {
  Device phone = device("201");
  see(phone);
  phone.availability = Availability::out_of_service;
  EXPECT_THAT(see(phone), ElementsAre("201 outOfService"));
  phone.availability = Availability::in_service;
  phone.activity = Activity::ringing;
  phone.do_not_disturb = true;
  phone.forwardings = {{ForwardingType::busy, "300"}};
  phone.presence = "away";
  phone.agent_reason = "lunch";
  phone.name = "Max";
  EXPECT_THAT(see(phone), ElementsAre("201 backInService", "201 activityChanged",
                                      "201 doNotDisturb", "201 forwarding", "201 presenceState",
                                      "201 agentState", "201 information"));
  phone.availability = Availability::unknown;
  EXPECT_THAT(see(phone), ElementsAre("201 information"));
  phone.vendor_status = "4:beeping";
  EXPECT_THAT(see(phone), IsEmpty());
  EXPECT_EQ(tracker_.find(DeviceId("201"))->vendor_status, "4:beeping");
}

TEST_F(Devices, AllowMoreOnceTheyCanBeActedOn) {
  Device phone = device("201");
  phone.controllable = false;
  see(phone);
  see(view("A", {calling("201", ConnectionState::connected)}));
  EXPECT_TRUE(connection("c1-1", 1).allowed.empty());
  phone.controllable = true;
  EXPECT_THAT(see(phone), ElementsAre("201 information"));
  EXPECT_TRUE(connection("c1-1", 1).allowed.has(Service::hold_call));
}

TEST_F(Devices, WithoutANumberAreNone) { EXPECT_THAT(see(device("")), IsEmpty()); }

}  // namespace
}  // namespace call
