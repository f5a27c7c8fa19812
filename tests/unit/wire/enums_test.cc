#include "wire/enums.h"

#include <cctype>
#include <string>

#include <gmock/gmock.h>
#include <google/protobuf/generated_enum_reflection.h>

#include "wire/link_reasons.h"

namespace wire {
namespace {

using testing::Test;

// The letters of a name, however they are joined: "acdBusy" and "ACD_BUSY" are one.
std::string letters(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (c != '_') out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return out;
}

class Enums : public Test {
 protected:
  // Every enumerator of the proto but UNSPECIFIED is one of ours, has our name, and comes back.
  template <class Ours>
  void expect_same_names(const std::string& prefix) {
    using Theirs = typename Enumeration<Ours>::Proto;
    const auto* descriptor = google::protobuf::GetEnumDescriptor<Theirs>();
    for (int i = 0; i < descriptor->value_count(); ++i) {
      const auto* value = descriptor->value(i);
      if (value->number() == 0) continue;
      const auto ours = from_proto_enum<Ours>(static_cast<Theirs>(value->number()));
      ASSERT_TRUE(ours) << value->name();
      EXPECT_EQ(letters(prefix + name_of(*ours)), letters(value->name()));
      EXPECT_EQ(to_proto_enum(*ours), value->number());
    }
  }
  template <class Ours>
  void expect_all_come_back() {
    using Theirs = typename Enumeration<Ours>::Proto;
    const auto* descriptor = google::protobuf::GetEnumDescriptor<Theirs>();
    int found = 0;
    for (int number = -2; number <= 1'000; ++number) {
      const auto ours = from_proto_enum<Ours>(static_cast<Theirs>(number));
      if (!ours) continue;
      ++found;
      EXPECT_NE(descriptor->FindValueByNumber(number), nullptr) << number;
      EXPECT_EQ(to_proto_enum(*ours), number);
    }
    // All, but for UNSPECIFIED where ours has no such.
    EXPECT_GE(found, descriptor->value_count() - 1) << descriptor->name();
  }
};

TEST_F(Enums, HaveTheSameNames) {
  expect_same_names<call::ConnectionState>("CONNECTION_STATE_");
  expect_same_names<call::Service>("SERVICE_");
  expect_same_names<call::CallEventType>("CALL_EVENT_TYPE_");
  expect_same_names<call::DeviceEventType>("DEVICE_EVENT_TYPE_");
  expect_same_names<call::LinkState>("LINK_STATE_");
  expect_same_names<call::Cause>("CAUSE_");
}

TEST_F(Enums, ComeBack) {
  expect_all_come_back<call::ConnectionState>();
  expect_all_come_back<call::Role>();
  expect_all_come_back<call::Direction>();
  expect_all_come_back<call::Service>();
  expect_all_come_back<call::Confirmation>();
  expect_all_come_back<call::CallEventType>();
  expect_all_come_back<call::DeviceEventType>();
  expect_all_come_back<call::LinkState>();
  expect_all_come_back<call::Origin>();
  expect_all_come_back<call::Availability>();
  expect_all_come_back<call::Activity>();
  expect_all_come_back<call::ForwardingType>();
  expect_all_come_back<call::AgentState>();
  expect_all_come_back<call::DeviceKind>();
  expect_all_come_back<call::Cause>();
}

// Those without name_of(): the ones in the middle, where the assertions on the ends do not look.
TEST_F(Enums, MeanTheSame) {
  EXPECT_EQ(to_proto_enum(call::Role::calling), v1::ROLE_CALLING);
  EXPECT_EQ(to_proto_enum(call::Direction::internal), v1::DIRECTION_INTERNAL);
  EXPECT_EQ(to_proto_enum(call::Direction::inbound), v1::DIRECTION_INBOUND);
  EXPECT_EQ(to_proto_enum(call::Origin::live), v1::ORIGIN_LIVE);
  EXPECT_EQ(to_proto_enum(call::Confirmation::none), v1::CONFIRMATION_NOT_OFFERED);
  EXPECT_EQ(to_proto_enum(call::Confirmation::acknowledged), v1::CONFIRMATION_ACKNOWLEDGED);
  EXPECT_EQ(to_proto_enum(call::DeviceKind::extension), v1::DEVICE_KIND_EXTENSION);
  EXPECT_EQ(to_proto_enum(call::DeviceKind::outside), v1::DEVICE_KIND_OUTSIDE);
  EXPECT_EQ(to_proto_enum(call::DeviceKind::group), v1::DEVICE_KIND_GROUP);
  EXPECT_EQ(to_proto_enum(call::DeviceKind::queue), v1::DEVICE_KIND_QUEUE);
  EXPECT_EQ(to_proto_enum(call::DeviceKind::park), v1::DEVICE_KIND_PARK);
  EXPECT_EQ(to_proto_enum(call::DeviceKind::trunk), v1::DEVICE_KIND_TRUNK);
  EXPECT_EQ(to_proto_enum(call::DeviceKind::unknown), v1::DEVICE_KIND_UNSPECIFIED);
  EXPECT_EQ(to_proto_enum(call::Availability::unknown), v1::AVAILABILITY_UNSPECIFIED);
  EXPECT_EQ(to_proto_enum(call::Availability::in_service), v1::AVAILABILITY_IN_SERVICE);
  EXPECT_EQ(to_proto_enum(call::Activity::idle), v1::ACTIVITY_IDLE);
  EXPECT_EQ(to_proto_enum(call::Activity::ringing), v1::ACTIVITY_RINGING);
  EXPECT_EQ(to_proto_enum(call::Activity::busy), v1::ACTIVITY_BUSY);
  EXPECT_EQ(to_proto_enum(call::Activity::busy_and_ringing), v1::ACTIVITY_BUSY_AND_RINGING);
  EXPECT_EQ(to_proto_enum(call::AgentState::logged_off), v1::AGENT_STATE_LOGGED_OFF);
  EXPECT_EQ(to_proto_enum(call::AgentState::not_ready), v1::AGENT_STATE_NOT_READY);
  EXPECT_EQ(to_proto_enum(call::AgentState::ready), v1::AGENT_STATE_READY);
  EXPECT_EQ(to_proto_enum(call::AgentState::busy), v1::AGENT_STATE_BUSY);
  using F = call::ForwardingType;
  EXPECT_EQ(to_proto_enum(F::immediate), v1::FORWARDING_TYPE_IMMEDIATE);
  EXPECT_EQ(to_proto_enum(F::busy), v1::FORWARDING_TYPE_BUSY);
  EXPECT_EQ(to_proto_enum(F::no_answer), v1::FORWARDING_TYPE_NO_ANSWER);
  EXPECT_EQ(to_proto_enum(F::do_not_disturb), v1::FORWARDING_TYPE_DO_NOT_DISTURB);
  EXPECT_EQ(to_proto_enum(F::immediate_internal), v1::FORWARDING_TYPE_IMMEDIATE_INTERNAL);
  EXPECT_EQ(to_proto_enum(F::busy_internal), v1::FORWARDING_TYPE_BUSY_INTERNAL);
  EXPECT_EQ(to_proto_enum(F::no_answer_internal), v1::FORWARDING_TYPE_NO_ANSWER_INTERNAL);
  EXPECT_EQ(to_proto_enum(F::immediate_external), v1::FORWARDING_TYPE_IMMEDIATE_EXTERNAL);
  EXPECT_EQ(to_proto_enum(F::busy_external), v1::FORWARDING_TYPE_BUSY_EXTERNAL);
}

class LinkReasons : public Test {};

TEST_F(LinkReasons, HaveARowEachAndComeBack) {
  ASSERT_EQ(link_reason_rows().size(), std::size_t{v1::LinkReason_MAX});
  for (int i = 1; i <= v1::LinkReason_MAX; ++i) {
    const auto& row = link_reason_rows()[std::size_t(i) - 1];
    const auto reason = static_cast<v1::LinkReason>(i);
    EXPECT_EQ(row.reason, reason);
    EXPECT_EQ(to_link_reason(base::name_of(row.error)), reason);
    EXPECT_STREQ(error_name_of(reason), base::name_of(row.error));
    EXPECT_NE(*row.advice, '\0');
    // RECONFIGURED is said by link_not_needed, which means more than that.
    if (reason != v1::LINK_REASON_RECONFIGURED) {
      EXPECT_EQ(letters(std::string("LINK_REASON_") + base::name_of(row.error)),
                letters(v1::LinkReason_Name(reason)));
    }
  }
}

TEST_F(LinkReasons, AreOtherWhenThereIsNoneForTheError) {
  EXPECT_EQ(to_link_reason(""), v1::LINK_REASON_UNSPECIFIED);
  EXPECT_STREQ(error_name_of(v1::LINK_REASON_UNSPECIFIED), "");
  EXPECT_EQ(to_link_reason("config_mismatch"), v1::LINK_REASON_OTHER);
  EXPECT_EQ(to_link_reason("no such error"), v1::LINK_REASON_OTHER);
  EXPECT_STREQ(error_name_of(static_cast<v1::LinkReason>(999)), "other");
}

}  // namespace
}  // namespace wire
