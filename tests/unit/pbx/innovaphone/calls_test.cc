#include "pbx/innovaphone/tenant.h"

namespace pbx::innovaphone {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What consumers are told of calls.
struct InnovaphoneCalls : Innovaphone {
  void SetUp() override { come_up(); }
  auto events() { return pbx().take_events(); }
};

TEST_F(InnovaphoneCalls, AnInternalOneIsOneCallWithTwoLegs) {
  talk("201", "202", "A", 1);
  EXPECT_THAT(events(), ElementsAre("originated 201", "delivered 202", "established 202"));
  call("202", 1, "A", 135, "", "x-rel", cause(16));
  call("201", 1, "A", 6, "", "r-disc", cause(16));
  del("202", 1, "A", 135);
  del("201", 1, "A", 6);
  EXPECT_THAT(events(),
              ElementsAre("connectionCleared 202", "connectionCleared 201", "callCleared"));
  EXPECT_TRUE(pbx().tracker.book().calls.empty());
}

TEST_F(InnovaphoneCalls, ThePartyOutsideHasALegOfItsOwn) {
  talk("+34600111222", "201", "A", 1);
  EXPECT_THAT(events(), ElementsAre("originated +34600111222", "delivered 201", "established 201"));
  call("201", 1, "A", 134, "", "r-disc", cause(16));
  EXPECT_EQ(events().size(), 3u);
  talk("202", "0600333444", "B", 2);
  EXPECT_THAT(events(),
              ElementsAre("originated 202", "delivered 0600333444", "established 0600333444"));
  call("202", 2, "B", 7, "", "x-rel", cause(16));
  EXPECT_EQ(events().size(), 3u);
}

TEST_F(InnovaphoneCalls, BusyFailsUntilTheCallerHangsUp) {
  call("201", 1, "A", 1, "202", "x-setup");
  call("201", 1, "A", 6, "202", "r-disc", cause(17));
  EXPECT_THAT(events(), ElementsAre("originated 201", "failed 201 (busy)"));
  del("201", 1, "A", 6);
  EXPECT_THAT(events(), ElementsAre("connectionCleared 201 (busy)", "callCleared (busy)"));
}

}  // namespace
}  // namespace pbx::innovaphone
