#include "pbx/webitel/directory.h"

#include <gmock/gmock.h>

namespace pbx::webitel {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

struct WebitelDirectory : testing::Test {
  static UserRow user(std::string id, std::string extension, std::string presence = "{sip}") {
    return {std::move(id), "N", std::move(extension), std::move(presence)};
  }
  Directory directory;
  TimePoint now{1h};
};

TEST_F(WebitelDirectory, TellsOnlyWhatHasChanged) {
  EXPECT_THAT(directory.on_users({user("1", ""), user("2", "202")}, now), SizeIs(1));
  EXPECT_THAT(directory.on_users({user("1", ""), user("2", "202")}, now), IsEmpty());
  EXPECT_THAT(directory.users(), ElementsAre("2"));
  EXPECT_EQ(directory.by_extension("202")->id, "2");
  EXPECT_EQ(directory.by_extension("1"), nullptr);
  EXPECT_NE(directory.by_user("1"), nullptr);
}

TEST_F(WebitelDirectory, DoesNotLetAListUndoALaterEvent) {
  directory.on_users({user("2", "202")}, now);
  EXPECT_THAT(directory.on_state({"2", "sip,dnd"}, now + 1s), SizeIs(1));
  EXPECT_THAT(directory.on_users({user("2", "202")}, now), IsEmpty());
  EXPECT_EQ(directory.device("202")->do_not_disturb, true);
  directory.on_users({user("2", "202")}, now + 3s);
  EXPECT_EQ(directory.device("202")->do_not_disturb, false);
}

TEST_F(WebitelDirectory, GivesAnExtensionToTheFirstWhoHasIt) {
  directory.on_users({user("1", "201"), user("2", "201")}, now);
  EXPECT_EQ(directory.by_extension("201")->id, "1");
  EXPECT_EQ(directory.left_out(), 1u);
  // It moves when the first one gives it up.
  directory.on_users({user("1", "299"), user("2", "201")}, now);
  EXPECT_EQ(directory.by_extension("201")->id, "2");
  EXPECT_EQ(directory.by_extension("299")->id, "1");
  EXPECT_EQ(directory.left_out(), 0u);
  EXPECT_THAT(directory.everything(), SizeIs(2));
}

TEST_F(WebitelDirectory, TellsACompleteListWhenSomebodyIsGone) {
  directory.on_users({user("1", "201"), user("2", "202")}, now);
  const auto seen = directory.on_users({user("2", "202")}, now);
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_THAT(std::get<call::DevicesSeen>(seen[0]).devices, SizeIs(1));
}

TEST_F(WebitelDirectory, FollowsWhoIsAnAgent) {
  directory.on_users({user("2", "202")}, now);
  EXPECT_THAT(directory.on_agents({{"5", "2", "9", "pause", "lunch", ""}}, now), SizeIs(1));
  EXPECT_EQ(directory.by_agent("5")->id, "2");
  EXPECT_EQ(directory.by_agent("5")->team, "9");
  EXPECT_EQ(directory.device("202")->agent_state, call::AgentState::not_ready);
  EXPECT_EQ(directory.device("202")->agent_reason, "lunch");
  EXPECT_THAT(directory.on_agents({{"5", "2", "9", "online", "", "bridged"}}, now), SizeIs(1));
  EXPECT_EQ(directory.device("202")->agent_state, call::AgentState::busy);
  EXPECT_THAT(directory.on_agents({}, now), SizeIs(1));
  EXPECT_EQ(directory.by_agent("5"), nullptr);
  EXPECT_EQ(directory.device("202")->agent_state, std::nullopt);
}

TEST_F(WebitelDirectory, TellsWhatADeviceDoesByItsLegs) {
  using enum call::ConnectionState;
  directory.on_users({user("2", "202")}, now);
  const auto activity = [&](const std::vector<call::ConnectionState>& states) {
    directory.on_legs("2", states);
    return directory.device("202")->activity;
  };
  EXPECT_EQ(activity({}), call::Activity::idle);
  EXPECT_EQ(activity({alerting}), call::Activity::ringing);
  EXPECT_EQ(activity({hold, alerting}), call::Activity::busy_and_ringing);
  EXPECT_EQ(activity({hold}), call::Activity::holding);
  EXPECT_EQ(activity({hold, connected}), call::Activity::busy);
}

TEST_F(WebitelDirectory, KeepsItsPeopleWithinALimit) {
  std::vector<UserRow> rows(kPeopleMax + 3);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = user(std::to_string(i), "");
  directory.on_users(rows, now);
  EXPECT_EQ(directory.left_out(), 3u);
}

// Between two pages somebody may slip from one to the other.
TEST_F(WebitelDirectory, LosesNobodyForOneListInPages) {
  directory.on_users({user("1", "201"), user("2", "202")}, now);
  directory.on_agents({{"5", "1", "9", "online", "", ""}}, now);
  EXPECT_THAT(directory.on_users({user("2", "202")}, now, Coverage::paged), IsEmpty());
  EXPECT_THAT(directory.on_agents({}, now, Coverage::paged), IsEmpty());
  EXPECT_THAT(directory.users(), UnorderedElementsAre("1", "2"));
  EXPECT_EQ(directory.by_agent("5")->id, "1");
  EXPECT_THAT(directory.on_agents({}, now, Coverage::paged), SizeIs(1));
  EXPECT_THAT(directory.on_users({user("2", "202")}, now, Coverage::paged), SizeIs(1));
  EXPECT_THAT(directory.users(), ElementsAre("2"));
}

TEST_F(WebitelDirectory, LosesNobodyForListsThatWereCut) {
  directory.on_users({user("1", "201"), user("2", "202")}, now);
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(directory.on_users({user("2", "202")}, now, Coverage::cut), IsEmpty());
  }
  EXPECT_NE(directory.by_extension("201"), nullptr);
}

TEST_F(WebitelDirectory, GivesTheExtensionOfSomebodyMissingToWhoHasItNow) {
  directory.on_users({user("1", "201"), user("2", "202")}, now);
  const auto seen = directory.on_users({user("2", "201")}, now, Coverage::paged);
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_THAT(std::get<call::DevicesSeen>(seen[0]).devices, SizeIs(1));
  EXPECT_EQ(directory.by_extension("201")->id, "2");
  EXPECT_EQ(directory.by_extension("202"), nullptr);
}

}  // namespace
}  // namespace pbx::webitel
