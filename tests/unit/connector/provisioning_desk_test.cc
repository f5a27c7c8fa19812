#include "connector/provisioning_desk.h"

#include <deque>
#include <sstream>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "telemetry/log.h"
#include "unit/bus/bus_fixture.h"
#include "unit/connector/asker.h"
#include "unit/connector/scripted_pbx.h"
#include "wire/subjects.h"

namespace connector {
namespace {

using base::Errc;
using pbxgw::v1::OwnerReply;
using pbxgw::v1::OwnerRequest;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using namespace std::chrono_literals;

constexpr std::uint64_t kEpoch = 7;
constexpr char kId[] = "5d0aa5a1-5ac5-4c4d-9a6e-0b2c8f1a7d11";

// A desk with a real request log, and an adapter that the test plays.
struct ProvisioningDeskTest : bus::BusFixture {
  std::shared_ptr<bus::Connection> connection = connect();
  std::shared_ptr<bus::Requests> requests = std::make_shared<bus::Requests>(connection);
  bus::KvBucket bucket{requests, wire::kRequestBucket};
  RequestLog log{bucket};
  telemetry::Metrics all_metrics;
  Metrics metrics{all_metrics};
  std::vector<call::Capability> capabilities{every_capability().begin(), every_capability().end()};
  std::optional<wire::Failure> obstacle;
  bool crowded = false, waits = false;
  std::vector<std::pair<call::Order, std::function<void(call::OrderReply)>>> asked;
  call::OrderReply answer = call::Deleted();
  ProvisioningDesk::Limits limits;
  std::unique_ptr<ProvisioningDesk> desk;
  std::deque<std::optional<OwnerReply>> replies;

  ProvisioningDeskTest() {
    telemetry::log::set_level(telemetry::log::Level::error);
    std::string why;
    bus::BucketConfig config;
    config.name = wire::kRequestBucket;
    EXPECT_TRUE(await(bucket.ensure(config, why))) << why;
  }
  ~ProvisioningDeskTest() override {
    if (!desk) return;
    await(desk->drained());
    for (const auto& reply : replies) EXPECT_TRUE(reply.has_value());
    EXPECT_EQ(metrics.orders.value(), 0);
  }

  std::unique_ptr<ProvisioningDesk> make_desk(RequestLog& with) {
    return std::make_unique<ProvisioningDesk>(
        io.get_executor(),
        ProvisioningDesk::Owner{.tenant = base::TenantId("acme"),
                                .epoch = kEpoch,
                                .capabilities = capabilities,
                                .obstacle = [this] { return obstacle; },
                                .order =
                                    [this](const call::Order& order, ProvisioningDesk::TimePoint,
                                           std::function<void(call::OrderReply)> done) {
                                      if (crowded) return false;
                                      asked.emplace_back(order, done);
                                      if (!waits) done(answer);
                                      return true;
                                    }},
        limits, with, metrics);
  }
  // The number of the request.
  std::size_t send(const OwnerRequest& request, std::chrono::milliseconds limit = 20s) {
    if (!desk) desk = make_desk(log);
    const std::size_t number = replies.size();
    replies.emplace_back();
    desk->take(request, std::chrono::steady_clock::now() + limit, [this, number](OwnerReply it) {
      EXPECT_FALSE(replies[number].has_value()) << "answered twice";
      replies[number] = std::move(it);
    });
    return number;
  }
  OwnerReply reply(std::size_t number) {
    EXPECT_TRUE(run_until([&] { return replies[number].has_value(); }));
    return replies[number].value_or(OwnerReply());
  }
  OwnerReply ask(const OwnerRequest& request) { return reply(send(request)); }
  bool until_asked(std::size_t count) {
    return run_until([&] { return asked.size() == count; });
  }

  static OwnerRequest create_user(const std::string& request_id = {}) {
    auto request = request_to_acme();
    request.set_request_id(request_id);
    auto& order = *request.mutable_order()->mutable_create_user();
    order.set_parent("tenants/acme");
    order.mutable_user()->set_login("ann");
    order.mutable_user()->set_password("s3cret");
    order.mutable_user()->set_e_mail("ann@acme.example");
    return request;
  }
  static OwnerRequest create_token(const std::string& request_id = {}) {
    auto request = request_to_acme();
    request.set_request_id(request_id);
    request.mutable_order()->mutable_create_user_token()->set_parent("tenants/acme/users/12");
    return request;
  }
  static OwnerRequest delete_user(const std::string& request_id = {}) {
    auto request = request_to_acme();
    request.set_request_id(request_id);
    request.mutable_order()->mutable_delete_user()->set_name("tenants/acme/users/12");
    return request;
  }
  static OwnerRequest list_users() {
    auto request = request_to_acme();
    request.mutable_order()->mutable_list_users()->set_parent("tenants/acme");
    request.mutable_order()->mutable_list_users()->set_page_size(10);
    return request;
  }
};

TEST_F(ProvisioningDeskTest, HasAnOrderCarriedOutAndSaysWhatBecameOfIt) {
  call::User ann;
  ann.id = "12";
  ann.login = "ann";
  answer = call::Resource(ann);
  EXPECT_EQ(ask(create_user()).order_result().resource().user().name(), "tenants/acme/users/12");
  EXPECT_EQ(std::get<call::CreateUser>(asked.at(0).first).password, "s3cret");
  answer = call::Resources{{ann, ann}, "2"};
  const auto page = ask(list_users()).order_result().page();
  EXPECT_EQ(page.resources_size(), 2);
  EXPECT_EQ(page.next(), "2");
  answer = call::Deleted();
  EXPECT_TRUE(ask(delete_user()).order_result().has_deleted());
  EXPECT_EQ(metrics.commands.at({"CreateUser", "OK"}).value(), 1);
  EXPECT_EQ(metrics.commands.at({"ListUsers", "OK"}).value(), 1);
  EXPECT_EQ(metrics.commands.at({"DeleteUser", "OK"}).value(), 1);
}

TEST_F(ProvisioningDeskTest, SaysWhatTheVendorCannotDoAndWhyNothingCanBeAsked) {
  desk = make_desk(log);
  obstacle = wire::Failure{Errc::pbx_disconnected, "", "", {}};
  EXPECT_EQ(reason_of(ask(create_user())), "PBX_DISCONNECTED");
  obstacle.reset();
  crowded = true;
  EXPECT_EQ(reason_of(ask(create_user())), "PERFORMANCE_LIMIT_EXCEEDED");
  crowded = false;
  EXPECT_EQ(reason_of(reply(send(create_user(), -1s))), "TIMED_OUT");
  auto stray = create_user();
  stray.mutable_order()->mutable_create_user()->set_parent("tenants/other");
  EXPECT_EQ(reason_of(ask(stray)), "INTERNAL_ERROR");
  for (auto& row : capabilities) row = {row.service, call::Confirmation::none, "Because."};
  EXPECT_EQ(reason_of(ask(create_user())), "FEATURE_NOT_SUPPORTED");
  EXPECT_EQ(ask(delete_user(kId)).error().message(), "CreateUser: Because.");
  EXPECT_THAT(asked, SizeIs(0));
}

TEST_F(ProvisioningDeskTest, PassesRefusalsOn) {
  answer = call::Refusal{Errc::invalid_argument, "login: has a blank"};
  const auto refused = ask(create_user());
  EXPECT_EQ(reason_of(refused), "INVALID_FIELD");
  google::rpc::BadRequest bad;
  bool names_field = false;
  for (const auto& detail : refused.error().details()) {
    if (detail.UnpackTo(&bad)) names_field = bad.field_violations(0).field() == "login";
  }
  EXPECT_TRUE(names_field);
  answer = call::Refusal{Errc::resource_not_found, ""};
  const auto missing = ask(delete_user());
  EXPECT_EQ(reason_of(missing), "RESOURCE_NOT_FOUND");
  EXPECT_EQ(info_of(missing).metadata().at("resource"), "tenants/acme/users/12");
  answer = call::Refusal{Errc::already_exists, "there is one"};
  EXPECT_EQ(ask(create_user()).error().code(), 6);
}

TEST_F(ProvisioningDeskTest, DoesWhatHasARequestIdOnceOverRestarts) {
  waits = true;
  const auto first = send(delete_user(kId)), second = send(delete_user(kId));
  ASSERT_TRUE(until_asked(1));
  asked[0].second(call::Deleted());
  EXPECT_TRUE(reply(first).order_result().has_deleted());
  EXPECT_TRUE(reply(second).order_result().has_deleted());
  RequestLog log_of_next(bucket);
  const auto before = std::exchange(desk, make_desk(log_of_next));
  EXPECT_TRUE(ask(delete_user(kId)).order_result().has_deleted());
  EXPECT_EQ(reason_of(ask(create_user(kId))), "REQUEST_ID_REUSED");
  EXPECT_THAT(asked, SizeIs(1));
}

TEST_F(ProvisioningDeskTest, TellsATokenOnce) {
  answer = call::Resource(call::UserToken{"5", "12", "wall board", "t0k3n", {}});
  EXPECT_EQ(ask(create_token(kId)).order_result().resource().user_token().token(), "t0k3n");
  const auto again = ask(create_token(kId)).order_result().resource().user_token();
  EXPECT_EQ(again.name(), "tenants/acme/users/12/tokens/5");
  EXPECT_EQ(again.purpose(), "wall board");
  EXPECT_EQ(again.token(), "");
  EXPECT_THAT(asked, SizeIs(1));
}

TEST_F(ProvisioningDeskTest, TakesAnotherPasswordForTheSameRequest) {
  answer = call::Resource(call::User());
  EXPECT_FALSE(ask(create_user(kId)).has_error());
  auto other = create_user(kId);
  other.mutable_order()->mutable_create_user()->mutable_user()->set_password("other");
  EXPECT_FALSE(ask(other).has_error());
  EXPECT_THAT(asked, SizeIs(1));
}

TEST_F(ProvisioningDeskTest, FreesTheIdOfWhatWasCertainlyNotDone) {
  const auto times_asked = [&](Errc why) {
    asked.clear();
    auto request = delete_user("5d0aa5a1-5ac5-4c4d-9a6e-" + std::to_string(static_cast<int>(why)));
    answer = call::Refusal{why, ""};
    ask(request);
    ask(request);
    return asked.size();
  };
  for (const Errc why : {Errc::resource_not_found, Errc::already_exists, Errc::permission_denied,
                         Errc::invalid_argument, Errc::pbx_disconnected}) {
    EXPECT_EQ(times_asked(why), 2u) << base::name_of(why);
  }
  for (const Errc why : {Errc::outcome_unknown, Errc::pbx_refused, Errc::timed_out}) {
    EXPECT_EQ(times_asked(why), 1u) << base::name_of(why);
  }
  asked.clear();
  obstacle = wire::Failure{Errc::pbx_disconnected, "", "", {}};
  EXPECT_EQ(reason_of(ask(delete_user(kId))), "PBX_DISCONNECTED");
  obstacle.reset();
  answer = call::Deleted();
  EXPECT_TRUE(ask(delete_user(kId)).order_result().has_deleted());
}

TEST_F(ProvisioningDeskTest, TakesSoManyAtATime) {
  limits.open_max = 2;
  waits = true;
  const auto one = send(list_users());
  send(list_users());
  EXPECT_EQ(metrics.orders.value(), 2);
  EXPECT_EQ(reason_of(ask(list_users())), "PERFORMANCE_LIMIT_EXCEEDED");
  ASSERT_TRUE(until_asked(2));
  asked[0].second(call::Resources());
  EXPECT_FALSE(reply(one).has_error());
  const auto next = send(list_users());
  ASSERT_TRUE(until_asked(3));
  for (const std::size_t at : {1, 2}) asked[at].second(call::Resources());
  EXPECT_FALSE(reply(next).has_error());
}

TEST_F(ProvisioningDeskTest, RefusesAPageThatFitsIntoNoMessage) {
  call::User large;
  large.name = std::string(limits.reply_bytes_max, 'x');
  answer = call::Resources{{large}, ""};
  EXPECT_EQ(reason_of(ask(list_users())), "MESSAGE_TOO_BIG");
}

TEST_F(ProvisioningDeskTest, LogsNoSecretAndNoAddress) {
  std::ostringstream lines;
  telemetry::log::setup({.component = "test", .out = &lines});
  answer = call::Resource(call::UserToken{"5", "12", "wall board", "t0k3n", {}});
  ask(create_token(kId));
  call::User ann;
  ann.id = "12";
  ann.e_mail = "ann@acme.example";
  answer = call::Resource(ann);
  ask(create_user());
  telemetry::log::setup({});
  EXPECT_THAT(lines.str(), HasSubstr("\"CreateUserToken\""));
  EXPECT_THAT(lines.str(), HasSubstr("tenants/acme/users/12/tokens/5"));
  EXPECT_THAT(lines.str(), HasSubstr(kId));
  for (const char* secret : {"t0k3n", "s3cret", "ann@"}) {
    EXPECT_THAT(lines.str(), Not(HasSubstr(secret)));
  }
}

}  // namespace
}  // namespace connector
