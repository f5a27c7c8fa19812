#include "control/audit.h"

#include <gmock/gmock.h>

#include "control/answer.h"
#include "control/gate.h"
#include "control/services.h"
#include "pbxgw/options/v1/options.pb.h"

namespace control {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using pbxgw::v1::AuditRecord;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Optional;
using testing::SizeIs;
using testing::Test;

constexpr char kTrace[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr char kRequestId[] = "1b4e28ba-2fa1-41d2-883f-0016d3cca427";
constexpr std::chrono::system_clock::time_point kNow{1'800'000'000s};

struct AuditTest : Test {
  Asker who{"crm", rights::Means::jwt, "192.0.2.7", kTrace};
  Asked what{"tenants/acme/devices/201", kRequestId, "**********567"};

  AuditRecord done(const google::rpc::Status& result = {}, bool is_known = true) const {
    return record_of(who, "pbxgw.v1.CallControl/MakeCall", what, is_known, true, result, kNow);
  }
};

TEST_F(AuditTest, SaysWhoAskedForWhatAndWhatBecameOfIt) {
  const auto record = done();
  EXPECT_EQ(record.time().seconds(), 1'800'000'000);
  EXPECT_EQ(record.principal(), "crm");
  EXPECT_EQ(record.credential(), "jwt");
  EXPECT_EQ(record.address(), "192.0.2.7");
  EXPECT_EQ(record.rpc(), "pbxgw.v1.CallControl/MakeCall");
  EXPECT_EQ(record.tenant(), "tenants/acme");
  EXPECT_EQ(record.resource(), "tenants/acme/devices/201");
  EXPECT_EQ(record.request_id(), kRequestId);
  EXPECT_EQ(record.destination(), "**********567");
  EXPECT_EQ(record.code(), "OK");
  EXPECT_EQ(record.reason(), "");
  EXPECT_TRUE(record.admitted());
  EXPECT_FALSE(record.begun());
  EXPECT_EQ(record.traceparent(), kTrace);
}

TEST_F(AuditTest, SaysWhomTheCredentialsWereAbout) {
  who.subject = "auth0|5f7c";
  EXPECT_EQ(done().subject(), "auth0|5f7c");
  who.subject = "a\nb\x1b[31m\x7f\xd0\xb0\xff";
  EXPECT_EQ(done().subject(), "a?b?[31m????") << "printable, and nothing that looks like another";
  who.subject = std::string(10'000, 's');
  EXPECT_EQ(done().subject().size(), 256u);
}

TEST_F(AuditTest, SaysWhoseLoginWasAskedFor) {
  what.app = "phone";
  what.user = "alice";
  EXPECT_EQ(done().app(), "phone");
  EXPECT_EQ(done().user(), "alice");
  what.user = "+492285551234";
  EXPECT_EQ(done().user(), "+*********234");
  what.user = std::string(10'000, 'u');
  EXPECT_EQ(done().user().size(), 128u);
  EXPECT_EQ(done({}, false).user(), "") << "of a tenant that nobody has";
}

TEST_F(AuditTest, SaysWhy) {
  const auto record = done(refuse(Errc::device_not_found));
  EXPECT_EQ(record.code(), "NOT_FOUND");
  EXPECT_EQ(record.reason(), "DEVICE_NOT_FOUND");
}

TEST_F(AuditTest, RepeatsNothingOfATenantThatNobodyHas) {
  what.resource = "tenants/hello-auditor/devices/201";
  const auto record = done({}, false);
  EXPECT_EQ(record.tenant(), "tenants/-");
  EXPECT_EQ(record.resource(), "");
  EXPECT_THAT(record.ShortDebugString(), Not(HasSubstr("hello")));
}

TEST_F(AuditTest, RepeatsNothingThatIsNotOfItsForm) {
  who.traceparent = std::string(55, '\xff');
  what.request_id = "password=hunter2";
  const auto record = done();
  EXPECT_EQ(record.traceparent(), "");
  EXPECT_EQ(record.request_id(), "");
}

TEST_F(AuditTest, IsOfALimitedLength) {
  who.principal = std::string(10'000, 'p');
  who.address = std::string(10'000, 'a');
  what.resource = "tenants/acme/devices/" + std::string(10'000, 'd');
  what.destination = std::string(10'000, '*');
  EXPECT_LT(done().ByteSizeLong(), 1'024u);
}

TEST_F(AuditTest, MasksNumbersOfPeopleOutside) {
  EXPECT_EQ(masked_resource("tenants/acme/devices/201"), "tenants/acme/devices/201");
  EXPECT_EQ(masked_resource("tenants/acme/devices/492285551234"),
            "tenants/acme/devices/*********234");
  EXPECT_EQ(masked_resource("tenants/acme/devices/_2b492285551234"),
            "tenants/acme/devices/_2b*********234");
  EXPECT_EQ(masked_resource("tenants/acme/recordings/2026-11-22_2f02285551234"),
            "tenants/acme/recordings/2026-11-22_2f********234");
  EXPECT_EQ(masked_resource("tenants/acme/calls/c18000000001-2"),
            "tenants/acme/calls/c18000000001-2")
      << "an id of ours";
  EXPECT_EQ(masked_resource("tenants/4922855512"), "tenants/4922855512") << "nobody's number";
  EXPECT_EQ(masked_resource(""), "");
  EXPECT_EQ(masked_resource("tenants/acme/users/anna/tokens/1234567"),
            "tenants/acme/users/anna/tokens/****567");
  what.resource = "tenants/acme/devices/_2b492285551234";
  EXPECT_THAT(done().ShortDebugString(), Not(HasSubstr("5551234")));
}

TEST_F(AuditTest, KnowsTheTenantOfAName) {
  EXPECT_THAT(tenant_of("tenants/acme/devices/201"), Optional(base::TenantId("acme")));
  EXPECT_THAT(tenant_of("tenants/acme"), Optional(base::TenantId("acme")));
  for (const char* name : {"", "tenants/-", "tenants/", "tenants", "acme", "tenants/a b/calls/1"}) {
    EXPECT_FALSE(tenant_of(name)) << name;
  }
}

// By the groups of the protos: whatever is more than to observe is told, but for what only reads.
TEST_F(AuditTest, TellsOfEveryRpcThatChangesSomething) {
  namespace options = pbxgw::options::v1;
  int count = 0;
  for (const char* name : kServices) {
    const auto* service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    ASSERT_TRUE(service) << name;
    for (int i = 0; i < service->method_count(); ++i, ++count) {
      const auto& method = *service->method(i);
      const std::string rpc = service->full_name() + '/' + method.name();
      const bool has_id = method.input_type()->FindFieldByName("request_id");
      switch (method.options().GetExtension(options::required_group)) {
        case options::GROUP_OBSERVE: EXPECT_FALSE(is_audited(rpc)) << rpc; break;
        case options::GROUP_PROVISION: EXPECT_EQ(is_audited(rpc), has_id) << rpc; break;
        default: EXPECT_TRUE(is_audited(rpc)) << rpc; break;
      }
      EXPECT_TRUE(!has_id || is_audited(rpc)) << rpc;
    }
  }
  EXPECT_GT(count, 50);
}

struct RefusalLimitTest : Test {
  RefusalLimit::TimePoint now{std::chrono::hours(1)};
  RefusalLimit limit{{3, 4}, {3, 2}};

  static AuditRecord refusal(const std::string& address, const std::string& rpc = "s/Watch",
                             const std::string& principal = "crm") {
    AuditRecord record;
    record.set_address(address);
    record.set_principal(principal);
    record.set_rpc(rpc);
    record.set_reason("ACCESS_DENIED");
    return record;
  }
  static AuditRecord strange(const std::string& address, const std::string& rpc = "s/Watch") {
    return refusal(address, rpc, "");
  }
  bool pass(AuditRecord record) { return limit.pass(record, now); }
};

TEST_F(RefusalLimitTest, TellsTheFirstFewAndHowManyWereNot) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(pass(refusal("a")), i < 3) << i;
  now += RefusalLimit::kWindow;
  auto next = refusal("a");
  EXPECT_TRUE(limit.pass(next, now));
  EXPECT_EQ(next.left_out(), 7u);
  auto after = refusal("a");
  EXPECT_TRUE(limit.pass(after, now));
  EXPECT_EQ(after.left_out(), 0u) << "once";
}

TEST_F(RefusalLimitTest, TellsTheEndOfAFloodThatNothingFollows) {
  for (int i = 0; i < 10; ++i) pass(refusal("a"));
  EXPECT_THAT(limit.take(now), IsEmpty()) << "it may go on";
  now += RefusalLimit::kWindow;
  const auto taken = limit.take(now);
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].address(), "a");
  EXPECT_EQ(taken[0].left_out(), 6u) << "beside itself and the three before";
  EXPECT_THAT(limit.take(now), IsEmpty());
}

TEST_F(RefusalLimitTest, LeavesNothingUncounted) {
  std::uint64_t told = 0, asked = 0;
  for (int step = 0; step < 5'000; ++step, now += 37ms) {
    for (int i = 0; i < step % 3; ++i) {
      auto record = refusal(std::string(1, static_cast<char>('a' + step % 7)));
      ++asked;
      if (limit.pass(record, now)) told += 1 + record.left_out();
    }
    if (step % 27 == 0) {
      for (const auto& record : limit.take(now)) told += 1 + record.left_out();
    }
  }
  now += RefusalLimit::kWindow;
  for (const auto& record : limit.take(now)) told += 1 + record.left_out();
  EXPECT_EQ(told, asked);
}

TEST_F(RefusalLimitTest, KeepsKindsApart) {
  for (int i = 0; i < 10; ++i) pass(refusal("a"));
  EXPECT_TRUE(pass(refusal("b")));
  EXPECT_TRUE(pass(refusal("a", "s/ListCalls")));
}

TEST_F(RefusalLimitTest, KeepsTheUsersOfAnIssuerApart) {
  const auto of = [](const std::string& subject) {
    auto record = refusal("a");
    record.set_subject(subject);
    return record;
  };
  for (int i = 0; i < 10; ++i) pass(of("anna"));
  EXPECT_TRUE(pass(of("bob")));
}

TEST_F(RefusalLimitTest, TakesAllThatAStrangerAsksForAsOne) {
  int told = 0;
  for (int i = 0; i < 100; ++i) {
    told += pass(strange("2001:db8:0:7::" + std::to_string(i), "s/Rpc" + std::to_string(i)));
  }
  EXPECT_EQ(told, 3);
}

TEST_F(RefusalLimitTest, StrangersPushOutOnlyOneAnother) {
  int told = 0;
  for (int i = 0; i < 1'000; ++i) told += pass(strange("10.0.0." + std::to_string(i)));
  EXPECT_EQ(told, 2 + 3) << "two kinds, and three of all the others together";
  for (const char* rpc : {"s/A", "s/B", "s/C", "s/D"}) EXPECT_TRUE(pass(refusal("a", rpc))) << rpc;
  now += RefusalLimit::kWindow;
  const auto taken = limit.take(now);
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].left_out(), 994u);
}

TEST_F(RefusalLimitTest, IsBoundedHoweverManyKindsThereAre) {
  int told = 0;
  for (int i = 0; i < 100'000; ++i) told += pass(refusal(std::to_string(i)));
  EXPECT_EQ(told, 4 + 3) << "four kinds, and three of all the others together";
  now += RefusalLimit::kWindow;
  EXPECT_TRUE(pass(refusal("new")));
}

}  // namespace
}  // namespace control
