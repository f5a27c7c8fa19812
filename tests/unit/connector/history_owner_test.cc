// What is asked about the past, from NATS to the session and back.

#include "unit/connector/owner_fixture.h"

namespace connector {
namespace {

using base::Errc;
using pbxgw::v1::OwnerRequest;
using namespace std::chrono_literals;

struct HistoryOwnerTest : OwnerFixture {
  static OwnerRequest search() {
    auto request = request_to_acme();
    request.mutable_history()->mutable_search()->set_limit(5);
    return request;
  }
  static OwnerRequest open() {
    auto request = request_to_acme();
    request.mutable_history()->mutable_open()->set_recording_id("3");
    return request;
  }
};

TEST_F(HistoryOwnerTest, PassesQuestionsToTheSessionAndItsAnswersBack) {
  pbx.on_inquiry([](call::InquiryId id, const call::Inquiry& inquiry) -> pbx::Effects {
    if (std::holds_alternative<call::FindRecording>(inquiry)) {
      return {pbx::Inform{id, call::Refusal{Errc::recording_not_found, ""}}};
    }
    call::PastCalls page;
    page.calls.resize(1);
    page.calls[0].id = "7";
    return {pbx::Inform{id, page}, pbx::Inform{id, page}};  // a second one goes nowhere
  });
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  const auto page = ask(search());
  EXPECT_EQ(page.history_result().page().calls(0).name(), "tenants/acme/pastCalls/7");
  EXPECT_EQ(page.epoch(), one->metrics().lease_taken.value());
  EXPECT_EQ(reason_of(ask(open())), "RECORDING_NOT_FOUND");
}

TEST_F(HistoryOwnerTest, AnswersWhatIsOpenWhenTheLinkEnds) {
  std::atomic<unsigned> inquiries = 0;
  pbx.on_inquiry([&](call::InquiryId, const call::Inquiry&) -> pbx::Effects {
    ++inquiries;
    return {};
  });
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  const auto searching = asker.send(search()), opening = asker.send(open());
  ASSERT_TRUE(run_until([&] { return inquiries == 2; }));
  pbx.hang_up();
  EXPECT_EQ(reason_of(reply(searching)), "PBX_DISCONNECTED");
  EXPECT_EQ(reason_of(reply(opening)), "PBX_DISCONNECTED");
  expect_one_reply(*one, searching);
  expect_one_reply(*one, opening);
}

TEST_F(HistoryOwnerTest, AnswersWhatIsOpenWhenItStops) {
  std::atomic<unsigned> inquiries = 0;
  pbx.on_inquiry([&](call::InquiryId, const call::Inquiry&) -> pbx::Effects {
    ++inquiries;
    return {};
  });
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  const auto searching = asker.send(search()), opening = asker.send(open());
  ASSERT_TRUE(run_until([&] { return inquiries == 2; }));
  one->stop(Errc::shutting_down);
  EXPECT_EQ(reason_of(reply(searching)), "PBX_DISCONNECTED");
  EXPECT_EQ(reason_of(reply(opening)), "OWNER_MOVING");
  ASSERT_TRUE(run_until([&] { return one->ended(); }));
}

TEST_F(HistoryOwnerTest, SaysThatThePbxIsAway) {
  pbx.stall(true);
  const auto one = start("one");
  ASSERT_TRUE(run_until([&] { return !links().empty(); }));
  EXPECT_EQ(reason_of(ask(search())), "PBX_DISCONNECTED");
}

TEST_F(HistoryOwnerTest, LimitsWhatWaits) {
  pbx.has(a_device("201"));
  pbx.on_inquiry([](call::InquiryId, const call::Inquiry&) { return pbx::Effects{}; });
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  for (std::size_t i = 0; i < LinkOptions().inquiries_max; ++i) asker.send(search());
  EXPECT_EQ(reason_of(ask(search())), "PERFORMANCE_LIMIT_EXCEEDED");
  // Commands have places of their own.
  pbx.on_command([](call::CommandId id) -> pbx::Effects {
    return {pbx::Answer{id, call::Outcome{}}};
  });
  EXPECT_FALSE(ask(make_call()).has_error());
}

}  // namespace
}  // namespace connector
