#include "call/state.h"

#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace call {
namespace {

using enum ConnectionState;

constexpr Role kRoles[] = {Role::calling, Role::called};

TEST(State, AllowsTheStepsOfTheTable) {
  const std::set<std::pair<ConnectionState, ConnectionState>> legal{
      {null, initiated},     {null, alerting},       {null, queued},      {null, connected},
      {null, fail},          {initiated, connected}, {initiated, queued}, {initiated, fail},
      {initiated, null},     {alerting, connected},  {alerting, hold},    {alerting, queued},
      {alerting, fail},      {alerting, null},       {connected, hold},   {connected, queued},
      {connected, alerting}, {connected, fail},      {connected, null},   {hold, connected},
      {hold, alerting},      {hold, queued},         {hold, fail},        {hold, null},
      {queued, alerting},    {queued, connected},    {queued, hold},      {queued, fail},
      {queued, null},        {fail, null},           {fail, queued}};
  for (auto from : kConnectionStates) {
    for (auto to : kConnectionStates) {
      EXPECT_EQ(is_legal(from, to), legal.contains({from, to}))
          << name_of(from) << " to " << name_of(to);
    }
  }
}

TEST(State, EveryPathIsLegalAndArrives) {
  for (Role role : kRoles) {
    for (auto from : kConnectionStates) {
      for (auto to : kConnectionStates) {
        const auto states = path(role, from, to);
        if (from == to) {
          EXPECT_TRUE(states.empty());
          continue;
        }
        ASSERT_FALSE(states.empty()) << name_of(from) << " to " << name_of(to);
        EXPECT_EQ(states.back(), to);
        auto at = from;
        std::set<ConnectionState> passed{from};
        for (auto state : states) {
          EXPECT_TRUE(is_legal(at, state)) << name_of(from) << " to " << name_of(to);
          EXPECT_TRUE(passed.insert(state).second) << "in circles";
          at = state;
        }
        // Never through fail, queued or initiated: nobody guesses those.
        for (auto state : states.first(states.size() - 1)) {
          EXPECT_TRUE(state == null || state == alerting || state == connected);
        }
      }
    }
  }
}

TEST(State, GoesThroughNullOnlyWhereNoLegalPathLeadsOn) {
  for (Role role : kRoles) {
    for (auto from : kConnectionStates) {
      for (auto to : kConnectionStates) {
        const auto states = path(role, from, to);
        if (from == to || from == null || to == null) continue;
        const bool restarts = states.front() == null;
        EXPECT_EQ(restarts, to == initiated || (from == initiated && to == alerting) ||
                                (from == fail && to != queued))
            << name_of(from) << " to " << name_of(to);
      }
    }
  }
}

TEST(State, ShowsThatAnAnsweredCallRangAndAHeldOneWasAnswered) {
  const auto states_of = [](Role role, ConnectionState from, ConnectionState to) {
    const auto states = path(role, from, to);
    return std::vector(states.begin(), states.end());
  };
  using States = std::vector<ConnectionState>;
  EXPECT_EQ(states_of(Role::called, null, connected), (States{alerting, connected}));
  EXPECT_EQ(states_of(Role::calling, null, connected), (States{connected}));
  EXPECT_EQ(states_of(Role::called, null, hold), (States{alerting, connected, hold}));
  EXPECT_EQ(states_of(Role::calling, null, hold), (States{connected, hold}));
  EXPECT_EQ(states_of(Role::called, alerting, hold), (States{connected, hold}));
  EXPECT_EQ(states_of(Role::called, fail, hold), (States{null, alerting, connected, hold}));
}

TEST(State, HasAnotherNameForEach) {
  std::set<std::string> names;
  for (auto state : kConnectionStates) names.insert(name_of(state));
  EXPECT_EQ(names.size(), kConnectionStates.size());
}

}  // namespace
}  // namespace call
