// What is to be set up at the PBX, from NATS to the session and back.

#include "unit/connector/owner_fixture.h"

namespace connector {
namespace {

using base::Errc;
using pbxgw::v1::OwnerRequest;
using namespace std::chrono_literals;

constexpr char kId[] = "5d0aa5a1-5ac5-4c4d-9a6e-0b2c8f1a7d11";

struct ProvisioningOwnerTest : OwnerFixture {
  std::atomic<unsigned> orders = 0;

  static OwnerRequest get() {
    auto request = request_to_acme();
    request.mutable_order()->mutable_get_user()->set_name("tenants/acme/users/12");
    return request;
  }
  static OwnerRequest remove(const std::string& request_id = {}) {
    auto request = request_to_acme();
    request.set_request_id(request_id);
    request.mutable_order()->mutable_delete_user()->set_name("tenants/acme/users/12");
    return request;
  }
  void leave_unanswered() {
    pbx.on_order([this](call::OrderId, const call::Order&) -> pbx::Effects {
      ++orders;
      return {};
    });
  }
};

TEST_F(ProvisioningOwnerTest, PassesOrdersToTheSessionAndItsAnswersBack) {
  pbx.on_order([](call::OrderId id, const call::Order& order) -> pbx::Effects {
    if (const auto* wanted = std::get_if<call::GetResource>(&order)) {
      call::User user;
      user.id = wanted->id;
      const call::Resource found(user);
      return {pbx::Fulfil{id, found}, pbx::Fulfil{id, found}};  // a second one goes nowhere
    }
    return {pbx::Fulfil{id, call::Refusal{Errc::resource_not_found, ""}}};
  });
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  const auto found = ask(get());
  EXPECT_EQ(found.order_result().resource().user().name(), "tenants/acme/users/12");
  EXPECT_EQ(found.epoch(), one->metrics().lease_taken.value());
  EXPECT_EQ(reason_of(ask(remove())), "RESOURCE_NOT_FOUND");
}

TEST_F(ProvisioningOwnerTest, AnswersWhatIsOpenWhenTheLinkEnds) {
  leave_unanswered();
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  const auto reading = asker.send(get()), removing = asker.send(remove(kId));
  ASSERT_TRUE(run_until([&] { return orders == 2; }));
  pbx.hang_up();
  EXPECT_EQ(reason_of(reply(reading)), "PBX_DISCONNECTED");
  EXPECT_EQ(reason_of(reply(removing)), "OUTCOME_UNKNOWN");
  expect_one_reply(*one, reading);
  expect_one_reply(*one, removing);
  EXPECT_EQ(reason_of(ask(remove(kId))), "OUTCOME_UNKNOWN");  // and is not done again
  EXPECT_EQ(orders, 2u);
}

TEST_F(ProvisioningOwnerTest, AnswersWhatIsOpenBeforeItLetsGo) {
  leave_unanswered();
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  const auto removing = asker.send(remove(kId));
  ASSERT_TRUE(run_until([&] { return orders == 1; }));
  one->stop(Errc::shutting_down);
  EXPECT_EQ(reason_of(reply(removing)), "OUTCOME_UNKNOWN");
  ASSERT_TRUE(run_until([&] { return one->ended(); }));
  // The next owner knows of it.
  const auto other = start("other");
  ASSERT_TRUE(until_ups(2));
  EXPECT_EQ(reason_of(ask(remove(kId))), "OUTCOME_UNKNOWN");
  EXPECT_EQ(orders, 1u);
}

TEST_F(ProvisioningOwnerTest, SaysThatThePbxIsAway) {
  pbx.stall(true);
  const auto one = start("one");
  ASSERT_TRUE(run_until([&] { return !links().empty(); }));
  EXPECT_EQ(reason_of(ask(get())), "PBX_DISCONNECTED");
}

TEST_F(ProvisioningOwnerTest, LimitsWhatWaits) {
  pbx.has(a_device("201"));
  leave_unanswered();
  const auto one = start("one");
  ASSERT_TRUE(until_ups(1));
  for (std::size_t i = 0; i < LinkOptions().orders_max; ++i) asker.send(get());
  EXPECT_EQ(reason_of(ask(get())), "PERFORMANCE_LIMIT_EXCEEDED");
  // Commands have places of their own.
  pbx.on_command([](call::CommandId id) -> pbx::Effects {
    return {pbx::Answer{id, call::Outcome{}}};
  });
  EXPECT_FALSE(ask(make_call()).has_error());
}

}  // namespace
}  // namespace connector
