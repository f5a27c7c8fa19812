#include "call/difference.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace call {
namespace {

using enum ConnectionState;
using testing::ElementsAre;
using testing::IsEmpty;
using Type = CallEventType;

std::vector<Type> types_of(const Steps& steps) {
  std::vector<Type> types;
  for (const Step& step : steps) types.push_back(step.type);
  return types;
}

// Every combination of what was told and what is: the steps are legal, arrive, and only the last
// step of the state is the PBX's own word.
TEST(Difference, LeadsFromAnythingToAnythingByLegalSteps) {
  std::size_t tried = 0;
  for (Role role : {Role::calling, Role::called}) {
    for (auto from : kConnectionStates) {
      for (auto to : kConnectionStates) {
        for (unsigned bits = 0; bits < 128; ++bits) {
          const Aspects told{from, (bits & 1) != 0 && from == alerting,
                             (bits & 2) != 0 && from != null};
          const Aspects now{to, (bits & 4) != 0 && to == alerting, (bits & 8) != 0 && to != null};
          const Past past{(bits & 16) != 0, (bits & 32) != 0};
          const Detour detour = (bits & 64) != 0 ? Detour::same_connection : Detour::new_connection;
          // What was not seen to begin cannot have begun again with the same connection.
          if (detour == Detour::same_connection && to == initiated && from != null) continue;
          const Steps steps = difference(role, told, now, past, detour);
          Aspects at = told;
          for (const Step& step : steps) {
            if (step.after.state != at.state) {
              EXPECT_TRUE(is_legal(at.state, step.after.state));
              if (detour == Detour::same_connection) {
                EXPECT_EQ(step.after.state == null, to == null && &step == &steps.back());
              }
            }
            at = step.after;
          }
          Aspects arrived = now;
          if (at.state == alerting && told.state == alerting && !told.offered) {
            arrived.offered = false;  // offered again: news, but no step
          }
          EXPECT_EQ(at, arrived);
          ++tried;
        }
      }
    }
  }
  EXPECT_EQ(tried, 7u * 7 * 2 * 128 - 6u * 2 * 64);
}

TEST(Difference, IsEmptyForTheSame) {
  for (Role role : {Role::calling, Role::called}) {
    for (auto state : kConnectionStates) {
      EXPECT_THAT(difference(role, {state}, {state}), IsEmpty());
    }
  }
}

TEST(Difference, NamesTheEventOfEachState) {
  const auto type = [](Role role, ConnectionState from, ConnectionState to, Past past = {}) {
    return difference(role, {from}, {to}, past).back().type;
  };
  EXPECT_EQ(type(Role::calling, null, initiated), Type::service_initiated);
  EXPECT_EQ(type(Role::calling, initiated, connected), Type::originated);
  EXPECT_EQ(type(Role::calling, null, connected), Type::originated);
  EXPECT_EQ(type(Role::calling, null, alerting), Type::delivered);
  EXPECT_EQ(type(Role::calling, alerting, connected), Type::originated);
  EXPECT_EQ(type(Role::calling, queued, connected), Type::originated);
  EXPECT_EQ(type(Role::calling, alerting, connected, {true, false}), Type::established);
  EXPECT_EQ(type(Role::called, null, alerting), Type::delivered);
  EXPECT_EQ(type(Role::called, alerting, connected), Type::established);
  EXPECT_EQ(type(Role::called, queued, connected), Type::established);
  for (Role role : {Role::calling, Role::called}) {
    EXPECT_EQ(type(role, connected, hold), Type::held);
    EXPECT_EQ(type(role, hold, connected), Type::retrieved);
    EXPECT_EQ(type(role, connected, queued), Type::queued);
    EXPECT_EQ(type(role, connected, fail), Type::failed);
    EXPECT_EQ(type(role, connected, null), Type::connection_cleared);
  }
}

TEST(Difference, OffersBeforeItRings) {
  EXPECT_THAT(types_of(difference(Role::called, {}, {alerting, true})), ElementsAre(Type::offered));
  EXPECT_THAT(types_of(difference(Role::called, {alerting, true}, {alerting})),
              ElementsAre(Type::delivered));
  EXPECT_THAT(difference(Role::called, {alerting}, {alerting, true}), IsEmpty());
}

TEST(Difference, FailsBeforeItEndsUnlessItDidAlready) {
  const Past failing{false, true};
  EXPECT_THAT(types_of(difference(Role::called, {alerting}, {}, failing)),
              ElementsAre(Type::failed, Type::connection_cleared));
  EXPECT_THAT(types_of(difference(Role::called, {fail}, {}, failing)),
              ElementsAre(Type::connection_cleared));
}

TEST(Difference, BeginsAgainWithoutTheOldRecording) {
  const Steps steps = difference(Role::called, {fail, false, true}, {hold, false, true});
  EXPECT_THAT(types_of(steps), ElementsAre(Type::connection_cleared, Type::delivered,
                                           Type::established, Type::held, Type::recording_started));
  EXPECT_FALSE(steps[3].after.recording);
}

}  // namespace
}  // namespace call
