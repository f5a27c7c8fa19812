#include "control/gate.h"

#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>

#include "control/command_gateway.h"
#include "control/services.h"
#include "google/rpc/error_details.pb.h"
#include "pbxgw/provisioning/v1/requests.pb.h"
#include "pbxgw/v1/call_control_service.pb.h"
#include "pbxgw/v1/call_history_service.pb.h"
#include "pbxgw/v1/calls_service.pb.h"
#include "pbxgw/v1/events_service.pb.h"
#include "pbxgw/v1/signal.pb.h"
#include "pbxgw/v1/tenants_service.pb.h"
#include "support/jwt_maker.h"
#include "unit/control/policy_file.h"

namespace control {
namespace {

using namespace pbxgw::v1;
using namespace std::chrono_literals;
using base::TenantId;
using google::protobuf::DescriptorPool;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Stream final : Pending {
  void abandon(const google::rpc::Status& why) override { ends.push_back(reason_of(why)); }
  std::vector<std::string> ends;
};

struct GateTest : testing::Test {
  const Gate::Clock::time_point now{std::chrono::hours(24 * 365 * 56)};
  telemetry::Metrics registry;
  Metrics metrics{registry};
  PolicyFile file;
  std::unique_ptr<Gate> gate;

  GateTest() {
    people();
    gate = std::make_unique<Gate>(file.load(), metrics);
  }
  void people() {
    file.add("crm", {{"acme", "observe, control"}, {"beta", "observe"}})
        .add("wall", {{"*", "observe"}})
        .add("nobody", {});
  }

  static Shown token(const std::string& name) { return {{PolicyFile::token_of(name), {}}}; }
  Gate::Verdict ask(const Shown& shown, const google::protobuf::Message& request) {
    return gate->admit(shown, request, now);
  }
  std::string reason(const Shown& shown, const google::protobuf::Message& request) {
    const auto verdict = ask(shown, request);
    return verdict ? "OK" : reason_of(verdict.error().status);
  }
  static GetTenantRequest getting(const std::string& name) {
    GetTenantRequest request;
    request.set_name(name);
    return request;
  }
  static HoldCallRequest holding(const std::string& connection) {
    HoldCallRequest request;
    request.set_connection(connection);
    return request;
  }
  static WatchRequest watching(const std::string& parent) {
    WatchRequest request;
    request.set_parent(parent);
    return request;
  }
  std::shared_ptr<Stream> held(const Shown& shown, const google::protobuf::Message& request) {
    auto stream = std::make_shared<Stream>();
    const auto right = ask(shown, request);
    if (!right) throw std::runtime_error(right.error().status.message());
    EXPECT_FALSE(gate->hold(stream, shown, *right, now));
    return stream;
  }
};

// ---- What RPCs need ----

TEST_F(GateTest, KnowsWhatEveryRpcOfEveryServiceNeeds) {
  std::set<std::string> served(kServices.begin(), kServices.end()), found;
  std::size_t rpcs = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(PROTO_FOLDER "/pbxgw")) {
    if (entry.path().extension() != ".proto") continue;
    const auto name = std::filesystem::relative(entry.path(), PROTO_FOLDER).string();
    const auto* proto = DescriptorPool::generated_pool()->FindFileByName(name);
    if (!proto) continue;  // nobody here uses it
    for (int i = 0; i < proto->service_count(); ++i) {
      found.insert(proto->service(i)->full_name());
      for (int j = 0; j < proto->service(i)->method_count(); ++j, ++rpcs) {
        const auto* method = proto->service(i)->method(j);
        const Rule* rule = rule_of(*method->input_type());
        ASSERT_TRUE(rule) << method->full_name();
        EXPECT_EQ(rule->rpc, proto->service(i)->full_name() + '/' + method->name());
      }
    }
  }
  EXPECT_EQ(found, served);
  EXPECT_GE(rpcs, 50u);
}

TEST_F(GateTest, TakesTheGroupFromTheProto) {
  EXPECT_EQ(rule_of(*GetTenantRequest::descriptor())->group, rights::Group::observe);
  EXPECT_EQ(rule_of(*MakeCallRequest::descriptor())->group, rights::Group::control);
  EXPECT_EQ(rule_of(*SignalRequest::descriptor())->group, rights::Group::control);
  EXPECT_EQ(rule_of(*GetRecordingRequest::descriptor())->group, rights::Group::admin);
  EXPECT_EQ(rule_of(*pbxgw::provisioning::v1::ListDevicesRequest::descriptor())->group,
            rights::Group::provision);
}

TEST_F(GateTest, LetsInNoRequestWithoutARule) {
  EXPECT_EQ(reason(token("wall"), Call()), "ACCESS_DENIED");
}

// ---- Who calls ----

TEST_F(GateTest, LetsInWhoMay) {
  const auto right = ask(token("crm"), holding("tenants/acme/connections/c1-1-1"));
  ASSERT_TRUE(right);
  EXPECT_EQ((*right)->identity.principal->name(), "crm");
  EXPECT_EQ((*right)->identity.means, rights::Means::token);
  EXPECT_EQ((*right)->group, rights::Group::control);
  EXPECT_THAT((*right)->tenants, ElementsAre(TenantId("acme")));
  EXPECT_EQ((*right)->rpc, "pbxgw.v1.CallControl/HoldCall");
  EXPECT_FALSE((*right)->of_all);
  EXPECT_TRUE((*right)->may(TenantId("acme")));
  EXPECT_FALSE((*right)->may(TenantId("beta")));
}

TEST_F(GateTest, AsksForCredentialsBeforeAnythingElse) {
  for (const char* name : {"tenants/acme", "tenants/-", "", "nonsense"}) {
    const auto none = ask({}, getting(name));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().status.code(), grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_EQ(reason_of(none.error().status), "CREDENTIALS_REQUIRED");
    EXPECT_EQ(none.error().identity.principal, nullptr);
    EXPECT_EQ(none.error().identity.means, rights::Means::none);
    EXPECT_EQ(none.error().rpc, "pbxgw.v1.Tenants/GetTenant");
    EXPECT_EQ(reason({{"guessed", {}}}, getting(name)), "CREDENTIALS_INVALID");
    EXPECT_EQ(reason({{"a.b.c", {}}}, getting(name)), "CREDENTIALS_INVALID");
    EXPECT_EQ(reason({{"", {"cn:stranger"}}}, getting(name)), "CREDENTIALS_INVALID");
    EXPECT_EQ(reason({{}, "It was sent twice."}, getting(name)), "CREDENTIALS_INVALID");
  }
}

TEST_F(GateTest, SaysWhatAStrangerShowed) {
  const auto means = [&](const Shown& shown) {
    return ask(shown, getting("tenants/acme")).error().identity.means;
  };
  EXPECT_EQ(means({{"a.b.c", {}}}), rights::Means::jwt);
  EXPECT_EQ(means({{"abc", {"cn:x"}}}), rights::Means::token);
  EXPECT_EQ(means({{"", {"cn:x"}}}), rights::Means::certificate);
  EXPECT_EQ(means({}), rights::Means::none);
}

TEST_F(GateTest, NeverRepeatsWhatWasShown) {
  const auto verdict = ask({{"a-secret-token", {"cn:a-name"}}}, getting("tenants/acme"));
  EXPECT_THAT(verdict.error().status.DebugString(), testing::Not(HasSubstr("a-secret-token")));
}

TEST_F(GateTest, LetsEverybodyInWhereThePolicyIsOpen) {
  gate->replace(rights::Policy::open(), now);
  EXPECT_EQ(reason({}, getting("tenants/any")), "OK");
  EXPECT_EQ(reason({{}, "It was sent twice."}, holding("tenants/any/connections/c1-1-1")), "OK");
}

// ---- What he may ----

TEST_F(GateTest, SaysWhatIsMissingForWhichTenant) {
  const auto verdict = ask(token("crm"), holding("tenants/beta/connections/c1-1-1"));
  ASSERT_FALSE(verdict);
  const auto& status = verdict.error().status;
  EXPECT_EQ(status.code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(status.message(), "crm lacks the group control for tenants/beta.");
  EXPECT_EQ(verdict.error().identity.principal->name(), "crm");
  ASSERT_EQ(status.details_size(), 1);
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(status.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "ACCESS_DENIED");
  EXPECT_EQ(info.metadata().at("group"), "control");
  EXPECT_EQ(info.metadata().at("tenant"), "tenants/beta");
}

TEST_F(GateTest, NeedsTheGroupForEveryTenantAtAnyDepth) {
  TransferCallRequest transfer;
  transfer.set_connection("tenants/acme/connections/c1-1-1");
  EXPECT_EQ(reason(token("crm"), transfer), "OK");
  transfer.set_other_connection("tenants/beta/connections/c1-1-1");
  EXPECT_EQ(reason(token("crm"), transfer), "ACCESS_DENIED");

  AssociateDataRequest data;
  data.set_connection("tenants/acme/connections/c1-1-1");
  (*data.mutable_data())["see"] = "tenants/other/calls/c1-1";
  EXPECT_EQ(reason(token("crm"), data), "ACCESS_DENIED");

  SignalRequest signal;
  signal.mutable_open()->set_device("tenants/beta/devices/201");
  EXPECT_EQ(reason(token("crm"), signal), "ACCESS_DENIED");

  WatchRequest watch = watching("tenants/acme");
  watch.add_device_ids("201");
  watch.add_device_ids("tenants/other/devices/201");
  EXPECT_EQ(reason(token("crm"), watch), "ACCESS_DENIED");
}

struct NameRow {
  const char* name;
  const char* crm;   // who has acme and beta
  const char* wall;  // who has all
};
constexpr NameRow kNames[] = {
    {"tenants/acme", "OK", "OK"},
    {"tenants/acme/calls/c1-1", "OK", "OK"},
    // Another tenant, whatever it looks like.
    {"tenants/other", "ACCESS_DENIED", "OK"},
    {"tenants/ACME", "ACCESS_DENIED", "OK"},
    {"tenants/acme-", "ACCESS_DENIED", "OK"},
    {"tenants/acme_20", "ACCESS_DENIED", "OK"},
    {"tenants/acme_00", "ACCESS_DENIED", "OK"},
    {"tenants/other/../acme", "ACCESS_DENIED", "OK"},
    {"tenants/other/tenants/acme", "ACCESS_DENIED", "OK"},
    {"tenants/-/calls/c1-1", "ACCESS_DENIED", "OK"},  // the tenant "-": no wildcard here
    // Of ours as far as it can be read; the handler says what is wrong.
    {"tenants/acme/../other", "OK", "OK"},
    {"tenants/acme/", "OK", "OK"},
    {"tenants/acme//", "OK", "OK"},
    // No tenant's name at all: the group for some tenant is needed, and then the handler says so.
    {"tenants/", "OK", "OK"},
    {"tenants//acme", "OK", "OK"},
    {"tenants/_", "OK", "OK"},
    {"tenants/%61cme", "OK", "OK"},
    {"tenants/other%2f..", "OK", "OK"},
    {"tenants/_61cme", "OK", "OK"},
    {"tenants/_6Fther", "OK", "OK"},
    {"tenants/\u00e4cme", "OK", "OK"},
    {"tenants/ac\u200bme", "OK", "OK"},
    {"tenants/acme ", "OK", "OK"},
    {"tenants\\other", "OK", "OK"},
    {"/tenants/other", "OK", "OK"},
    {" tenants/other", "OK", "OK"},
    {"TENANTS/other", "OK", "OK"},
    {"tenants/-", "OK", "OK"},
    {"", "OK", "OK"},
};

TEST_F(GateTest, ReadsNamesAsHandlersDo) {
  for (const NameRow& row : kNames) {
    EXPECT_EQ(reason(token("crm"), getting(row.name)), row.crm) << row.name;
    EXPECT_EQ(reason(token("wall"), getting(row.name)), row.wall) << row.name;
    EXPECT_EQ(reason(token("nobody"), getting(row.name)), "ACCESS_DENIED") << row.name;
    EXPECT_EQ(reason({}, getting(row.name)), "CREDENTIALS_REQUIRED") << row.name;
  }
}

TEST_F(GateTest, NeedsTheGroupForSomeTenantWhereNoneIsNamed) {
  for (const char* parent : {"tenants/-", "", "nonsense"}) {
    const auto right = ask(token("crm"), watching(parent));
    ASSERT_TRUE(right) << parent;
    EXPECT_TRUE((*right)->of_all);
    EXPECT_THAT((*right)->tenants, IsEmpty());
    EXPECT_TRUE((*right)->may(TenantId("beta")));
    EXPECT_FALSE((*right)->may(TenantId("other")));
    const auto none = ask(token("nobody"), watching(parent));
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().status.message(), HasSubstr("nobody lacks the group observe"));
  }
}

TEST_F(GateTest, AnswersTheSameWhetherThereIsSuchATenantOrNot) {
  // It does not know any; that it does not ask the directory shows in its having none.
  const auto one = ask(token("crm"), getting("tenants/other")).error().status;
  EXPECT_EQ(one.message(), "crm lacks the group observe for tenants/other.");
}

TEST_F(GateTest, CountsRefusalsByReasonAndCredential) {
  ask({}, getting("tenants/acme"));
  ask(token("crm"), getting("tenants/other"));
  ask(token("crm"), getting("tenants/acme"));
  const auto text = registry.exposition();
  EXPECT_THAT(text, HasSubstr("pbxgw_refusals_total{credential=\"none\","
                              "reason=\"CREDENTIALS_REQUIRED\"} 1"));
  EXPECT_THAT(text, HasSubstr("pbxgw_refusals_total{credential=\"token\","
                              "reason=\"ACCESS_DENIED\"} 1"));
}

// ---- Streams ----

TEST_F(GateTest, LeavesStreamsAloneWhenNothingIsTakenAway) {
  const auto one = held(token("crm"), watching("tenants/acme"));
  const auto all = held(token("crm"), watching("tenants/-"));
  file.add("crm", {{"*", "observe, control, admin"}}).add("new", {{"*", "admin"}});
  gate->replace(file.load(), now);
  gate->tick(now + 24h);
  EXPECT_THAT(one->ends, IsEmpty());
  EXPECT_THAT(all->ends, IsEmpty());
}

TEST_F(GateTest, EndsStreamsWhoseCallerIsGone) {
  const auto one = held(token("crm"), watching("tenants/acme"));
  const auto other = held(token("wall"), watching("tenants/acme"));
  file.add("wall", {{"*", "observe"}});
  gate->replace(file.load(), now);
  EXPECT_THAT(one->ends, ElementsAre("CREDENTIALS_INVALID"));
  EXPECT_THAT(other->ends, IsEmpty());
  gate->replace(file.add("wall", {{"*", "observe"}}).load(), now);
  EXPECT_EQ(one->ends.size(), 1u);  // once is enough
}

TEST_F(GateTest, EndsStreamsWhoseCredentialsAreSomebodyElses) {
  const auto one = held(token("crm"), watching("tenants/acme"));
  file.add_with(PolicyFile::token_of("crm"), "other", {{"*", "observe"}});
  gate->replace(file.load(), now);
  EXPECT_THAT(one->ends, ElementsAre("CREDENTIALS_INVALID"));
}

TEST_F(GateTest, EndsOnlyTheStreamsThatTheLostRightCovered) {
  const auto acme = held(token("crm"), watching("tenants/acme"));
  const auto beta = held(token("crm"), watching("tenants/beta"));
  const auto all = held(token("crm"), watching("tenants/-"));
  file.add("crm", {{"acme", "observe"}});  // no control of acme either, which nobody watches by
  gate->replace(file.load(), now);
  EXPECT_THAT(acme->ends, IsEmpty());
  EXPECT_THAT(beta->ends, ElementsAre("ACCESS_DENIED"));
  EXPECT_THAT(all->ends, ElementsAre("ACCESS_DENIED"));
  EXPECT_THAT(registry.exposition(),
              HasSubstr("pbxgw_streams_revoked_total{reason=\"ACCESS_DENIED\"} 2"));
}

TEST_F(GateTest, EndsStreamsWhoseTokenHasExpired) {
  const support::JwtMaker issuer("EdDSA");
  file.issued_by("https://issuer.example", issuer.jwk_set())
      .add("app", {{"acme", "observe"}},
           "    subjects: [{issuer: \"https://issuer.example\", subject: app}]\n");
  gate->replace(file.load(), now);
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>((now + 60s).time_since_epoch()).count();
  const Shown shown{{issuer.token(R"({"iss":"https://issuer.example","aud":"pbxgw","sub":"app",)"
                                  R"("exp":)" +
                                  std::to_string(seconds) + "}"),
                     {}}};
  const auto stream = held(shown, watching("tenants/acme"));
  gate->tick(now + 59s);
  EXPECT_THAT(stream->ends, IsEmpty());
  gate->tick(now + 60s);
  gate->tick(now + 61s);
  EXPECT_THAT(stream->ends, ElementsAre("CREDENTIALS_EXPIRED"));
  EXPECT_EQ(reason(shown, watching("tenants/acme")), "OK") << "now is before that";
}

TEST_F(GateTest, EndsStreamsWhoseCertificateHasExpired) {
  file.add("crm", {{"acme", "observe, control"}}, "    certificates: [\"cn:crm\"]\n");
  gate->replace(file.load(), now);
  const Shown shown{{"", {"cn:crm"}, now + 60s}};
  const auto watch = held(shown, watching("tenants/acme"));
  const auto media = held(shown, SignalRequest());
  gate->tick(now + 59s);
  EXPECT_THAT(watch->ends, IsEmpty());
  gate->tick(now + 60s);
  EXPECT_THAT(watch->ends, ElementsAre("CREDENTIALS_EXPIRED"));
  EXPECT_THAT(media->ends, ElementsAre("CREDENTIALS_EXPIRED"));
  const auto again = gate->admit(shown, watching("tenants/acme"), now + 60s);
  EXPECT_EQ(reason_of(again.error().status), "CREDENTIALS_EXPIRED") << "nor over the connection";
}

TEST_F(GateTest, SaysWhomTheCredentialsAreAbout) {
  file.add("crm", {{"acme", "observe"}}, "    certificates: [\"cn:crm\"]\n");
  gate->replace(file.load(), now);
  EXPECT_EQ((*ask({{"", {"cn:crm"}}}, getting("tenants/acme")))->identity.subject, "cn:crm");
  EXPECT_EQ(ask({{"", {"cn:crm"}}}, getting("tenants/beta")).error().identity.subject, "cn:crm");
}

TEST_F(GateTest, HoldsNothingWhoseRightEndedMeanwhile) {
  const auto right = ask(token("crm"), watching("tenants/acme"));
  ASSERT_TRUE(right);
  gate->replace(file.add("wall", {{"*", "observe"}}).load(), now);
  const auto stream = std::make_shared<Stream>();
  const auto late = gate->hold(stream, token("crm"), *right, now);
  ASSERT_TRUE(late);
  EXPECT_EQ(reason_of(*late), "CREDENTIALS_INVALID");
  EXPECT_FALSE(gate->release(stream).right);
}

TEST_F(GateTest, ForgetsStreamsThatAreReleased) {
  const auto stream = held(token("crm"), watching("tenants/acme"));
  const auto released = gate->release(stream);
  ASSERT_TRUE(released.right);
  EXPECT_EQ(released.right->identity.principal->name(), "crm");
  gate->replace(file.add("wall", {{"*", "observe"}}).load(), now);
  EXPECT_THAT(stream->ends, IsEmpty());
}

struct SignalGateTest : GateTest {
  static SignalRequest opening(const std::string& device) {
    SignalRequest request;
    request.mutable_open()->set_device(device);
    return request;
  }
};

TEST_F(SignalGateTest, HeedsWhatAMediaClientSaysFirst) {
  const auto stream = held(token("crm"), SignalRequest());
  EXPECT_FALSE(gate->heed(stream, opening("tenants/acme/devices/201")));
  const auto released = gate->release(stream);
  EXPECT_THAT(released.right->tenants, ElementsAre(TenantId("acme")));
  EXPECT_FALSE(released.right->of_all);
  EXPECT_FALSE(released.refused);
}

TEST_F(SignalGateTest, RefusesTheDeviceOfAnotherTenant) {
  const auto stream = held(token("crm"), SignalRequest());
  const auto denied = gate->heed(stream, opening("tenants/beta/devices/201"));
  ASSERT_TRUE(denied);
  EXPECT_EQ(reason_of(*denied), "ACCESS_DENIED");
  const auto released = gate->release(stream);
  ASSERT_TRUE(released.refused);
  EXPECT_THAT(released.refused->tenants, ElementsAre(TenantId("beta")));
  EXPECT_EQ(released.refused->rpc, "pbxgw.v1.WebRtc/Signal");
}

TEST_F(SignalGateTest, HeedsEveryMessageAfterThat) {
  const auto stream = held(token("crm"), SignalRequest());
  EXPECT_FALSE(gate->heed(stream, opening("tenants/acme/devices/201")));
  SignalRequest calling;
  calling.mutable_start_call()->set_destination("tenants/beta/devices/201");
  EXPECT_TRUE(gate->heed(stream, calling));
  EXPECT_FALSE(gate->release(stream).refused);  // it had been let in
}

TEST_F(SignalGateTest, EndsWithTheRightToTheTenantThatWasOpened) {
  const auto stream = held(token("crm"), SignalRequest());
  EXPECT_FALSE(gate->heed(stream, opening("tenants/acme/devices/201")));
  file.add("crm", {{"acme", "control"}});
  gate->replace(file.load(), now);
  EXPECT_THAT(stream->ends, IsEmpty());
  file.add("crm", {{"acme", "observe"}, {"beta", "control"}});
  gate->replace(file.load(), now);
  EXPECT_THAT(stream->ends, ElementsAre("ACCESS_DENIED"));
  EXPECT_TRUE(gate->heed(stream, opening("tenants/acme/devices/201")));
}

TEST_F(SignalGateTest, HeedsByThePolicyThatCountsNow) {
  file.add("crm", {{"acme, beta", "control"}});
  gate->replace(file.load(), now);
  const auto stream = held(token("crm"), SignalRequest());
  EXPECT_FALSE(gate->heed(stream, opening("tenants/acme/devices/201")));
  file.add("crm", {{"acme", "control"}});  // beta is not what the stream is about: it goes on
  gate->replace(file.load(), now);
  EXPECT_THAT(stream->ends, IsEmpty());
  EXPECT_TRUE(gate->heed(stream, opening("tenants/beta/devices/201")));
}

}  // namespace
}  // namespace control
