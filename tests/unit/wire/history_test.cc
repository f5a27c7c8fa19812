#include "wire/history.h"

#include <gmock/gmock.h>

#include "wire/names.h"

namespace wire {
namespace {

using base::Errc;
using base::TenantId;
using namespace std::chrono_literals;

const TenantId kAcme("acme");

call::Time at(std::int64_t seconds) { return call::Time(std::chrono::seconds(seconds)); }

call::PastCall a_past_call() {
  call::PastCall call;
  call.id = "7/ü";
  call.calling = {call::DeviceId("501"), call::DeviceKind::extension, "501", "Ann"};
  call.called = {call::DeviceId("+34911"), call::DeviceKind::outside, "+34911", ""};
  call.direction = call::Direction::outbound;
  call.start = at(1'760'000'000) + 120ms;
  call.answer = at(1'760'000'005);
  call.end = at(1'760'000'065);
  call.devices = {call::DeviceId("501"), call::DeviceId("502")};
  call.recordings = {"3", "a b.wav"};
  call.data = {{"call_id", "c7@pbx"}, {"trunks", "3,4"}};
  return call;
}

TEST(History, PagesComeBackAsTheyWere) {
  call::PastCalls page;
  page.calls.push_back(a_past_call());
  page.calls.push_back({});  // of which nothing is known
  page.calls.back().id = "8";
  page.next = "20779.20780.1.7";
  const auto sent = to_proto(kAcme, page);
  EXPECT_EQ(sent.calls(0).name(), "tenants/acme/pastCalls/7_2f_c3_bc");
  EXPECT_EQ(sent.calls(0).recordings(1), "tenants/acme/recordings/a_20b_2ewav");
  EXPECT_FALSE(sent.calls(1).has_answer_time());
  pbxgw::v1::HistoryResult::Page heard;
  ASSERT_TRUE(heard.ParseFromString(sent.SerializeAsString()));
  const auto back = from_proto(heard);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, page);
}

TEST(History, WhatAPbxCallsTextIsUtf8ByThen) {
  call::PastCall call = a_past_call();
  call.calling.name = "Jos\xe9";
  call.data["\xff"] = "\xfe";
  const auto sent = to_proto(kAcme, call);
  pbxgw::v1::PastCall heard;
  EXPECT_TRUE(heard.ParseFromString(sent.SerializeAsString()));
  EXPECT_EQ(heard.calling().display_name(), "Jos\xef\xbf\xbd");
}

TEST(History, SearchesComeBackAsTheyWere) {
  call::SearchCalls search;
  search.from = at(1'760'000'000);
  search.until = at(1'760'000'001) + 1ms;
  search.device = call::DeviceId("501");
  search.after = "20779";
  search.limit = 37;
  const auto back = from_proto(to_proto(search));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->from, search.from);
  EXPECT_EQ(back->until, search.until);
  EXPECT_EQ(back->device, search.device);
  EXPECT_EQ(back->after, search.after);
  EXPECT_EQ(back->limit, search.limit);
  EXPECT_EQ(back->now, call::Time{});
  const auto open = from_proto(to_proto(call::SearchCalls()));
  ASSERT_TRUE(open);
  EXPECT_EQ(open->from, std::nullopt);
  EXPECT_EQ(open->until, std::nullopt);
}

TEST(History, WhatIsNotOursIsRefused) {
  const auto good = to_proto(kAcme, a_past_call());
  const auto verdict = [&](auto change) {
    pbxgw::v1::HistoryResult::Page page;
    *page.add_calls() = good;
    change(*page.mutable_calls(0));
    return from_proto(page).has_value();
  };
  EXPECT_TRUE(verdict([](auto&) {}));
  EXPECT_FALSE(verdict([](auto& call) { call.set_name("tenants/acme/calls/7"); }));
  EXPECT_FALSE(verdict([](auto& call) { call.clear_start_time(); }));
  EXPECT_FALSE(verdict([](auto& call) { call.clear_direction(); }));
  EXPECT_FALSE(verdict([](auto& call) { call.set_recordings(0, "tenants/acme"); }));
  EXPECT_FALSE(verdict([](auto& call) { call.mutable_answer_time()->set_nanos(-1); }));
  EXPECT_FALSE(verdict([](auto& call) { call.mutable_end_time()->set_nanos(-1); }));

  auto search = to_proto(call::SearchCalls());
  search.set_limit(0);
  EXPECT_EQ(from_proto(search).error(), Errc::invalid_argument);
  search.set_limit(1);
  search.mutable_end_time()->set_nanos(-1);
  EXPECT_EQ(from_proto(search).error(), Errc::invalid_argument);
}

TEST(History, NamesOfRecordsAreTakenApart) {
  const auto recording = parse_recording(recording_name(kAcme, "a/b.wav"));
  ASSERT_TRUE(recording);
  EXPECT_EQ(recording->tenant, kAcme);
  EXPECT_EQ(recording->id, "a/b.wav");
  const auto call = parse_past_call(past_call_name(kAcme, "7"));
  ASSERT_TRUE(call);
  EXPECT_EQ(call->id, "7");
  for (const char* name : {"", "tenants/acme", "tenants/acme/recordings", "tenants/acme/calls/7",
                           "tenants/acme/recordings/a/b", "tenants/acme/recordings/ü"}) {
    EXPECT_FALSE(parse_recording(name)) << name;
  }
}

}  // namespace
}  // namespace wire
