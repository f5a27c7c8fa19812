#include <algorithm>
#include <set>

#include <gmock/gmock.h>

#include "pbx/dialogue.h"
#include "pbx/vendor.h"

namespace pbx {
namespace {

using testing::StartsWith;

// Holds for every vendor, the later ones too.
struct Registry : testing::TestWithParam<Vendor> {};

TEST_P(Registry, HasOneCapabilityForEachServiceInItsOrder) {
  const Vendor& vendor = GetParam();
  ASSERT_EQ(vendor.capabilities.size(), call::kServiceCount);
  for (std::size_t i = 0; i < call::kServiceCount; ++i) {
    EXPECT_EQ(vendor.capabilities[i].service, static_cast<call::Service>(i));
  }
}

TEST_P(Registry, SaysOfEachCapabilityWhatToKnow) {
  for (const call::Capability& capability : GetParam().capabilities) {
    const std::string note = capability.note ? capability.note : "";
    if (capability.confirmation == call::Confirmation::none) {
      EXPECT_FALSE(note.empty()) << call::name_of(capability.service);
    }
    if (!note.empty()) {
      EXPECT_EQ(note.back(), '.') << note;
    }
  }
}

TEST_P(Registry, HasWellFormedSettings) {
  std::set<std::string> names;
  for (const Setting& row : GetParam().settings) {
    const std::string name = row.name;
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string::npos)
        << name;
    ASSERT_NE(row.meaning, nullptr) << name;
    EXPECT_EQ(std::string(row.meaning).back(), '.') << name;
    if (row.kind == SettingKind::secret) {
      EXPECT_TRUE(!row.fallback || *row.fallback == '\0') << name << ": a secret with a default";
    }
    EXPECT_EQ(row.kind == SettingKind::choice, !row.choices.empty()) << name;
    for (const std::string_view word : row.choices) {
      EXPECT_EQ(std::count(row.choices.begin(), row.choices.end(), word), 1) << name;
      EXPECT_EQ(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), word.npos) << word;
    }
    if (!row.fallback) continue;
    const std::string fallback = row.fallback;
    switch (row.kind) {
      case SettingKind::boolean: EXPECT_TRUE(fallback == "true" || fallback == "false"); break;
      case SettingKind::integer:
        EXPECT_GE(std::stoll(fallback), row.least) << name;
        EXPECT_LE(std::stoll(fallback), row.most) << name;
        break;
      case SettingKind::duration:
        EXPECT_GE(test::duration_of(fallback).count(), row.least) << name;
        EXPECT_LE(test::duration_of(fallback).count(), row.most) << name;
        break;
      case SettingKind::accounts:
      case SettingKind::tokens:
      case SettingKind::apps: EXPECT_EQ(fallback, "[]"); break;
      case SettingKind::choice:
        EXPECT_EQ(std::count(row.choices.begin(), row.choices.end(), fallback), 1) << name;
        break;
      default: break;
    }
  }
}

TEST_P(Registry, MakesASessionThatOpensItsPrimaryLinkOrLogsInOverHttp) {
  const auto session = GetParam().make_session(test::default_settings(GetParam()), 1);
  ASSERT_NE(session, nullptr);
  const TimePoint now{};
  const Effects effects = session->on_start(now);
  EXPECT_EQ(test::only<OpenLink>(effects).size() + test::only<SendHttp>(effects).size(), 1u);
  EXPECT_GT(session->deadline(), now);
}

TEST_P(Registry, MakesASessionThatAnswersACommandBeforeItIsReady) {
  const auto session = GetParam().make_session(test::default_settings(GetParam()), 1);
  const TimePoint now{};
  session->on_start(now);
  const auto answers = test::only<Answer>(session->on_command(
      7, call::MakeCall{call::DeviceId("201"), "202", {}}, now + std::chrono::seconds(5), now));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].id, 7u);
  EXPECT_TRUE(std::holds_alternative<call::Refusal>(answers[0].reply));
}

INSTANTIATE_TEST_SUITE_P(Vendors, Registry, testing::ValuesIn(vendors().begin(), vendors().end()),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(Vendors, AreFoundByName) {
  for (const Vendor& vendor : vendors()) EXPECT_EQ(find_vendor(vendor.name), &vendor);
  EXPECT_EQ(find_vendor(""), nullptr);
  EXPECT_EQ(find_vendor("Innova360"), nullptr);
}

}  // namespace
}  // namespace pbx
