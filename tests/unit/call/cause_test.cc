#include "call/cause.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace call {
namespace {

// ECMA-285's codes and names (csta.md section 7).
const std::map<int, std::string> kNames{{0, "unspecified"},
                                        {48, "normalClearing"},
                                        {78, "normal"},
                                        {5, "callCancelled"},
                                        {10, "callNotAnswered"},
                                        {56, "timeout"},
                                        {60, "alertTimeExpired"},
                                        {82, "queueCleared"},
                                        {54, "switchingFunctionTerminated"},
                                        {3, "busy"},
                                        {14, "doNotDisturb"},
                                        {35, "blocked"},
                                        {57, "aCDBusy"},
                                        {23, "noAvailableAgents"},
                                        {18, "lockout"},
                                        {13, "destNotObtainable"},
                                        {15, "incompatibleDestination"},
                                        {50, "numberChanged"},
                                        {69, "invalidNumberFormat"},
                                        {81, "numberUnallocated"},
                                        {65, "destOutOfOrder"},
                                        {64, "destDetected"},
                                        {29, "reorderTone"},
                                        {20, "networkCongestion"},
                                        {21, "networkNotObtainable"},
                                        {46, "networkSignal"},
                                        {76, "networkDialling"},
                                        {77, "networkOutOfOrder"},
                                        {30, "resourcesNotAvailable"},
                                        {33, "trunksBusy"},
                                        {85, "selectedTrunkBusy"},
                                        {26, "overflow"},
                                        {19, "maintenance"},
                                        {6, "callForwardImmediate"},
                                        {7, "callForwardBusy"},
                                        {8, "callForwardNoAnswer"},
                                        {9, "callForward"},
                                        {28, "redirected"},
                                        {11, "callPickup"},
                                        {38, "distributed"},
                                        {42, "enteringDistribution"},
                                        {27, "recall"},
                                        {111, "recallBusy"},
                                        {113, "recallNoAnswer"},
                                        {2, "alternate"},
                                        {4, "callBack"},
                                        {12, "campOn"},
                                        {63, "conference"},
                                        {37, "consultation"},
                                        {17, "keyOperation"},
                                        {44, "makeCall"},
                                        {22, "newCall"},
                                        {24, "override"},
                                        {25, "park"},
                                        {32, "transfer"},
                                        {52, "singleStepTransfer"},
                                        {51, "singleStepConference"},
                                        {68, "intrude"},
                                        {70, "joinCall"},
                                        {1, "activeParticipation"},
                                        {31, "silentParticipation"}};

TEST(CauseName, IsCstasForItsNumber) {
  for (const auto& [number, name] : kNames) {
    EXPECT_EQ(name_of(static_cast<Cause>(number)), name) << number;
  }
}

TEST(CauseGroups, DoNotOverlap) {
  for (const auto& [number, name] : kNames) {
    const auto cause = static_cast<Cause>(number);
    EXPECT_LE(is_diversion(cause) + is_transfer(cause) + is_failure(cause), 1) << name;
  }
  EXPECT_TRUE(is_diversion(Cause::call_forward_no_answer));
  EXPECT_TRUE(is_transfer(Cause::single_step_transfer));
  EXPECT_TRUE(is_failure(Cause::busy));
  for (Cause cause : {Cause::unspecified, Cause::normal, Cause::normal_clearing,
                      Cause::call_not_answered, Cause::call_cancelled, Cause::conference}) {
    EXPECT_FALSE(is_failure(cause) || is_diversion(cause) || is_transfer(cause));
  }
}

TEST(CauseOfQ850, FollowsTheTable) {
  const std::map<Cause, std::vector<int>> table{
      {Cause::number_unallocated, {1, 90}},
      {Cause::network_not_obtainable, {2, 25, 91}},
      {Cause::dest_not_obtainable, {3, 18}},
      {Cause::reorder_tone, {4}},
      {Cause::invalid_number_format, {5, 28}},
      {Cause::resources_not_available, {6, 29, 47, 49, 50, 58, 63, 66, 69, 70, 79}},
      {Cause::override_, {8, 9}},
      {Cause::normal_clearing, {16}},
      {Cause::busy, {17}},
      {Cause::call_not_answered, {19}},
      {Cause::dest_out_of_order, {20, 27}},
      {Cause::blocked, {21, 46, 52, 53, 54, 55, 57, 87}},
      {Cause::number_changed, {22}},
      {Cause::redirected, {23, 26}},
      {Cause::trunks_busy, {34}},
      {Cause::network_out_of_order, {38, 39}},
      {Cause::network_congestion, {41, 42}},
      {Cause::network_signal, {43, 95, 96, 97, 98, 99, 100, 101, 103, 110, 111}},
      {Cause::selected_trunk_busy, {44}},
      {Cause::incompatible_destination, {65, 88}},
      {Cause::timeout, {102}}};
  std::set<int> listed;
  for (const auto& [cause, numbers] : table) {
    for (int number : numbers) {
      EXPECT_EQ(cause_of_q850(number), cause) << number;
      listed.insert(number);
    }
  }
  for (int number = -10; number < 1'000; ++number) {
    if (listed.contains(number)) continue;
    EXPECT_EQ(cause_of_q850(number), Cause::normal) << number;
  }
}

}  // namespace
}  // namespace call
