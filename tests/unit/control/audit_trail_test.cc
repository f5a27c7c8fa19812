#include "control/audit_trail.h"

#include "unit/control/audit_fixture.h"

namespace control {
namespace {

using namespace pbxgw::v1;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

struct AuditTrailTest : AuditFixture {};

TEST_F(AuditTrailTest, TellsOfCommandsAndNotOfWhatOnlyReads) {
  start();
  const auto status = call("crm");
  EXPECT_TRUE(status.ok()) << status.error_message();
  const auto made = record("acme", "MakeCall");
  EXPECT_EQ(made.rpc(), "pbxgw.v1.CallControl/MakeCall");
  EXPECT_EQ(made.principal(), "crm");
  EXPECT_EQ(made.credential(), "token");
  EXPECT_EQ(made.address(), "127.0.0.1");
  EXPECT_EQ(made.resource(), "tenants/acme/devices/201");
  EXPECT_EQ(made.request_id(), "1b4e28ba-2fa1-41d2-883f-0016d3cca427");
  EXPECT_EQ(made.destination(), "**********234");
  EXPECT_EQ(made.code(), "OK");
  EXPECT_TRUE(made.admitted());
  EXPECT_FALSE(made.instance().empty());
  EXPECT_THAT(made.ShortDebugString(), Not(HasSubstr("the-token-of")));
  EXPECT_EQ(count(), 1u) << "GetTenant is none";
  EXPECT_EQ(metric("pbxgw_audit_records_total{outcome=\"done\"}"), "1");
}

TEST_F(AuditTrailTest, TellsWhereCallsAreForwardedTo) {
  start();
  as(PolicyFile::token_of("crm"), [&](grpc::ClientContext& context) {
    SetForwardingRequest request;
    request.set_device("tenants/acme/devices/201");
    request.mutable_forwarding()->set_type(FORWARDING_TYPE_BUSY);
    request.mutable_forwarding()->set_destination("+492285551234");
    SetForwardingResponse response;
    return Devices::NewStub(channel)->SetForwarding(&context, request, &response);
  });
  EXPECT_EQ(record("acme", "SetForwarding").destination(), "**********234");
}

TEST_F(AuditTrailTest, TellsOfEveryRefusalToWhomItConcerns) {
  start();
  EXPECT_EQ(reason_of(call("wall")), "ACCESS_DENIED");
  const auto denied = record("acme", "MakeCall");
  EXPECT_EQ(denied.principal(), "wall");
  EXPECT_EQ(denied.code(), "PERMISSION_DENIED");
  EXPECT_EQ(denied.reason(), "ACCESS_DENIED");
  EXPECT_FALSE(denied.admitted());

  // Of nobody whom we know: not in the tenant's own subject.
  EXPECT_EQ(reason_of(get_with("")), "CREDENTIALS_REQUIRED");
  const auto unknown = record("_", "GetTenant");
  EXPECT_EQ(unknown.principal(), "");
  EXPECT_EQ(unknown.credential(), "none");
  EXPECT_EQ(unknown.tenant(), "tenants/acme");

  // Of a tenant that nobody has.
  EXPECT_FALSE(call("wall", "made-up").ok());
  const auto made_up = record("_", "MakeCall");
  EXPECT_EQ(made_up.tenant(), "tenants/-");
  EXPECT_EQ(made_up.principal(), "wall");
  EXPECT_THAT(made_up.ShortDebugString(), Not(HasSubstr("made-up")));
  EXPECT_EQ(count(), 3u);
}

TEST_F(AuditTrailTest, LeavesOutMostOfAFlood) {
  config.callers.failed_logins = 10'000;
  config.audit.strangers_refusals.each = 10;
  start();
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(get_with("wrong").ok());
  ASSERT_TRUE(eventually([&] { return count() >= config.audit.strangers_refusals.each; }));
  call("crm");
  record("acme", "MakeCall");
  EXPECT_EQ(count(), config.audit.strangers_refusals.each + 1u);
}

TEST_F(AuditTrailTest, LeavesSpaceForOthersHoweverMuchIsToldOfOne) {
  config.audit.max_bytes = 1 << 20;
  config.audit.refusals.each = config.audit.strangers_refusals.each = 1'000;
  config.callers.failed_logins = 10'000;
  start();
  call("crm");
  record("acme", "MakeCall");
  for (int i = 0; i < 300; ++i) EXPECT_FALSE(get_with("wrong").ok());
  stop();
  EXPECT_EQ(count(), 256u + 1u) << "1 MiB has a place for 256 of each subject";
  EXPECT_EQ(record("acme", "MakeCall").principal(), "crm");
}

TEST_F(AuditTrailTest, KeepsRecordsWhileNatsIsAway) {
  start();
  server.stop();
  EXPECT_FALSE(call("crm").ok());
  server.start();
  EXPECT_EQ(record("acme", "MakeCall").principal(), "crm");
  EXPECT_EQ(metric("pbxgw_audit_lost_total"), "0");
}

TEST_F(AuditTrailTest, TellsOfWhatADrainCutShort) {
  config.drain_limit = 100ms;
  start();
  owners->with("acme", [](ScriptedOwners::Tenant& it) {
    it.silent = true;
    it.heard.clear();
  });
  grpc::Status status;
  std::thread caller([&] { status = call("crm"); });
  EXPECT_TRUE(eventually([&] {
    return owners->with("acme", [](ScriptedOwners::Tenant& it) { return !it.heard.empty(); });
  }));
  EXPECT_EQ(stop(), 0);
  caller.join();
  EXPECT_EQ(reason_of(status), "OUTCOME_UNKNOWN");
  const auto cut = record("acme", "MakeCall");
  EXPECT_EQ(cut.principal(), "crm");
  EXPECT_EQ(cut.reason(), "OUTCOME_UNKNOWN");
  EXPECT_TRUE(cut.admitted());
  EXPECT_EQ(count(), 1u) << "once";
}

TEST_F(AuditTrailTest, CountsWhatDoesNotFit) {
  config.audit.lane.messages_max = 2;
  start();
  server.stop();
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(call("crm").ok());
  EXPECT_TRUE(eventually([&] { return metric("pbxgw_audit_lost_total") == "3"; }));
  server.start();
  EXPECT_TRUE(eventually([&] { return count() == 2; }));
}

TEST_F(AuditTrailTest, GivesTheStreamThatIsThereItsLimits) {
  bus::StreamConfig other;
  other.name = wire::kAuditStream;
  other.subjects = {wire::all_audit()};
  other.max_age = 1h;
  std::string why;
  ASSERT_TRUE(await(jetstream->ensure_stream(other, why)).has_value()) << why;
  start();
  call("crm");
  record("acme", "MakeCall");
  other.max_age = config.audit.max_age;
  other.max_bytes = config.audit.max_bytes;
  other.max_messages_per_subject = config.audit.max_bytes / 4'096;
  EXPECT_TRUE(await(jetstream->ensure_stream(other, why)).has_value()) << why;
}

TEST_F(AuditTrailTest, GoesOnWithLimitsThatItCannotChange) {
  config.audit.replicas = 3;  // of one server
  bus::StreamConfig other;
  other.name = wire::kAuditStream;
  other.subjects = {wire::all_audit()};
  std::string why;
  ASSERT_TRUE(await(jetstream->ensure_stream(other, why)).has_value()) << why;
  start();
  call("crm");
  EXPECT_EQ(record("acme", "MakeCall").principal(), "crm");
}

TEST_F(AuditTrailTest, EndsIfTheStreamIsNotAsItShouldBe) {
  bus::StreamConfig other;
  other.name = wire::kAuditStream;
  other.subjects = {wire::all_audit()};
  other.storage = bus::Storage::memory;
  std::string why;
  ASSERT_TRUE(await(jetstream->ensure_stream(other, why)).has_value()) << why;
  telemetry::log::set_level(telemetry::log::Level::error);
  ControlFixture::start();
  EXPECT_EQ(join(), EXIT_FAILURE);
}

// ---- Limits ----

TEST_F(AuditTrailTest, LimitsHowOftenACallerMayAsk) {
  config.callers.rate = 1;
  config.callers.burst = 5;
  start();
  grpc::Status status;
  for (int i = 0; i < 6 && status.ok(); ++i) status = get("crm");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(reason_of(status), "RATE_LIMITED");
  bool says_when = false;
  const auto details = details_of(status);
  for (const auto& detail : details.details()) {
    says_when = says_when || detail.Is<google::rpc::RetryInfo>();
  }
  EXPECT_TRUE(says_when);
  EXPECT_TRUE(get("wall").ok()) << "another caller";
  EXPECT_EQ(record("acme", "GetTenant").reason(), "RATE_LIMITED");
  EXPECT_NE(metric("pbxgw_rate_limited_total{limit=\"rate\"}"), "");
}

TEST_F(AuditTrailTest, DoesNotTellWhichTenantsThereAreByAsManyRefusals) {
  owners->add("beta");
  config.callers.rate = 0.01;
  config.callers.burst = 300;  // start() needs some
  start();
  ASSERT_TRUE(eventually([&] { return get("wall", "beta").ok(); }));
  for (const char* tenant : {"beta", "made-up"}) {
    google::rpc::ErrorInfo info;
    for (int i = 0; i < 400 && info.reason() != "RATE_LIMITED"; ++i) {
      info = info_of(get("crm", tenant));
    }
    EXPECT_EQ(info.reason(), "RATE_LIMITED") << tenant;
    EXPECT_EQ(info.metadata().at("tenant"), "tenants/-") << tenant;
  }
}

TEST_F(AuditTrailTest, VerifiesNoMoreUnknownTokensFromWhereTooManyWereWrong) {
  config.callers.failed_logins = 1;
  config.callers.rate = config.callers.burst = 100'000;
  start();
  ASSERT_TRUE(get_with(jwt("anna")).ok());
  // As fast as it takes: each failure is followed by a second in which none is verified.
  grpc::Status status;
  for (int i = 0; i < 10'000 && reason_of(status) != "RATE_LIMITED"; ++i)
    status = get_with("a.b.c");
  EXPECT_EQ(reason_of(status), "RATE_LIMITED");
  const auto is_limited = [](const AuditRecord& it) { return it.reason() == "RATE_LIMITED"; };
  EXPECT_EQ(record("_", "GetTenant", is_limited).credential(), "jwt");
  for (int i = 0; i < 1'000 && reason_of(status) == "RATE_LIMITED"; ++i) {
    EXPECT_TRUE(get("crm").ok()) << "known by a look into a table";
    EXPECT_TRUE(get_with(jwt("anna")).ok()) << "verified before";
    EXPECT_EQ(reason_of(get_with("wrong")), "CREDENTIALS_INVALID") << "looked up";
    status = get_with("a.b.c");
  }
  EXPECT_EQ(reason_of(status), "CREDENTIALS_INVALID") << "not for ever";
  EXPECT_TRUE(eventually([&] { return get_with(jwt("bob")).ok(); })) << "nor for one who is good";
  EXPECT_NE(metric("pbxgw_rate_limited_total{limit=\"failed_logins\"}"), "");
}

TEST_F(AuditTrailTest, CountsNoTokensThatCostALookIntoATable) {
  config.callers.failed_logins = 1;
  start();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(reason_of(get_with("wrong")), "CREDENTIALS_INVALID");
  EXPECT_TRUE(get_with(jwt("anna")).ok());
}

TEST_F(AuditTrailTest, LimitsTheWatchesOfACaller) {
  config.callers.watches_max = 1;
  start();
  const auto watch = [&](const std::string& principal, bool stay) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    context.AddMetadata("authorization", "Bearer " + PolicyFile::token_of(principal));
    WatchRequest request;
    request.set_parent("tenants/acme");
    const auto reading_it = Events::NewStub(channel)->Watch(&context, request);
    WatchResponse response;
    const bool has_one = reading_it->Read(&response);
    std::string second;
    if (has_one && stay) {
      grpc::ClientContext other;
      other.AddMetadata("authorization", "Bearer " + PolicyFile::token_of(principal));
      const auto refused = Events::NewStub(channel)->Watch(&other, request);
      EXPECT_FALSE(refused->Read(&response));
      second = reason_of(refused->Finish());
    }
    context.TryCancel();
    while (reading_it->Read(&response)) {
    }
    reading_it->Finish();
    return std::pair(has_one, second);
  };
  EXPECT_EQ(watch("crm", true), std::pair(true, std::string("PERFORMANCE_LIMIT_EXCEEDED")));
  EXPECT_TRUE(eventually([&] { return watch("crm", false).first; })) << "its place is free again";
  EXPECT_NE(metric("pbxgw_rate_limited_total{limit=\"watches\"}"), "");
}

TEST_F(AuditTrailTest, AWatchThatIsNotLetInTakesNoPlaceOfItsCaller) {
  config.callers.watches_max = 2;
  config.limits.watches_max = 1;
  start();
  WatchRequest request;
  request.set_parent("tenants/acme");
  WatchResponse response;
  grpc::ClientContext first;
  first.AddMetadata("authorization", "Bearer " + PolicyFile::token_of("crm"));
  const auto watching = Events::NewStub(channel)->Watch(&first, request);
  ASSERT_TRUE(watching->Read(&response));
  for (int i = 0; i < 5; ++i) {
    const auto status = as(PolicyFile::token_of("crm"), [&](grpc::ClientContext& context) {
      const auto refused = Events::NewStub(channel)->Watch(&context, request);
      EXPECT_FALSE(refused->Read(&response));
      return refused->Finish();
    });
    EXPECT_FALSE(status.ok());
  }
  EXPECT_THAT(metric("pbxgw_rate_limited_total{limit=\"watches\"}"), testing::AnyOf("", "0"));
  first.TryCancel();
  while (watching->Read(&response)) {
  }
  watching->Finish();
}

// Its frame goes when all that it worked with has gone: to be seen in a build with sanitizers.
TEST_F(AuditTrailTest, EndsWithAWatchThatWaitsForAnAnswer) {
  config.drain_limit = 1ms;
  start();
  owners->with("acme", [](ScriptedOwners::Tenant& it) {
    it.silent = true;
    it.heard.clear();
  });
  std::thread watching([&] {
    as(PolicyFile::token_of("crm"), [&](grpc::ClientContext& context) {
      WatchRequest request;
      request.set_parent("tenants/acme");
      WatchResponse response;
      const auto stream = Events::NewStub(channel)->Watch(&context, request);
      while (stream->Read(&response)) {
      }
      return stream->Finish();
    });
  });
  EXPECT_TRUE(eventually([&] {
    return owners->with("acme", [](ScriptedOwners::Tenant& it) { return !it.heard.empty(); });
  }));
  EXPECT_EQ(stop(), 0);
  watching.join();
}

}  // namespace
}  // namespace control
