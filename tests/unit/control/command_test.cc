#include "unit/control/control_fixture.h"
#include "wire/status.h"

namespace control {
namespace {

using namespace pbxgw::v1;
using namespace std::chrono_literals;

constexpr char kId[] = "0b7ce1a4-3d1e-4f0a-9c55-0a1b2c3d4e5f";

// One command from a gRPC client to the owner of a tenant, and back.
struct CommandTest : ControlFixture {
  HoldCallResponse response;

  CommandTest() {
    make_owners();
    owners->add("acme");
    start();
  }
  void SetUp() override { see("acme"); }

  grpc::Status hold(std::chrono::milliseconds timeout = kDeadline, bool validate_only = false,
                    const std::string& tenant = "acme") {
    HoldCallRequest request;
    request.set_connection("tenants/" + tenant + "/connections/c1-1-1");
    request.set_request_id(kId);
    request.set_validate_only(validate_only);
    return call<CallControl>(&CallControl::Stub::HoldCall, request, response, timeout);
  }
  std::vector<OwnerRequest> heard() {
    return owners->with("acme", [](ScriptedOwners::Tenant& it) { return it.heard; });
  }
};

TEST_F(CommandTest, BringsTheCommandToTheOwnerAndTheResultBack) {
  owners->with("acme", [](ScriptedOwners::Tenant& it) {
    it.on_command = [](const OwnerRequest&) {
      OwnerReply reply;
      *reply.mutable_command_result()->mutable_call() = a_call("acme", "c1-1");
      reply.mutable_command_result()->set_connection("tenants/acme/connections/c1-1-1");
      return reply;
    };
  });
  const auto before = std::chrono::system_clock::now();
  ASSERT_TRUE(hold(20s).ok());
  EXPECT_EQ(response.call().name(), "tenants/acme/calls/c1-1");
  EXPECT_EQ(response.connection(), "tenants/acme/connections/c1-1-1");

  const auto asked = heard().at(0);
  EXPECT_EQ(asked.tenant(), "tenants/acme");
  EXPECT_EQ(asked.request_id(), kId);
  EXPECT_EQ(asked.command().service(), SERVICE_HOLD_CALL);
  EXPECT_EQ(asked.command().call_id(), "c1-1");
  EXPECT_EQ(asked.command().connection_number(), 1u);
  // A little before the caller's, so that the owner's verdict arrives in time.
  const auto due = std::chrono::system_clock::from_time_t(asked.deadline().seconds());
  EXPECT_GE(due, before + 15s);
  EXPECT_LE(due, std::chrono::system_clock::now() + 20s);
}

TEST_F(CommandTest, PassesTheOwnersErrorOnAsItIs) {
  wire::Failure failure;
  failure.why = base::Errc::incorrect_state;
  failure.detail = "It is alerting, and would have to be connected.";
  failure.metadata = {{"state", "alerting"}};
  const auto error = wire::to_status(failure);
  owners->with("acme", [&](ScriptedOwners::Tenant& it) {
    it.on_command = [error](const OwnerRequest&) {
      OwnerReply reply;
      *reply.mutable_error() = error;
      return reply;
    };
  });
  const auto status = hold();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(status.error_message(), failure.detail);
  EXPECT_EQ(details_of(status).SerializeAsString(), error.SerializeAsString());
}

TEST_F(CommandTest, KnowsWhichTenantsThereAre) {
  const auto status = hold(kDeadline, false, "nobody");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(reason_of(status), "TENANT_NOT_FOUND");
  EXPECT_EQ(info_of(status).metadata().at("tenant"), "tenants/nobody");
}

TEST_F(CommandTest, TellsThatNothingWasSentWhenNobodyOwnsTheTenant) {
  owners->disown("acme");
  see("acme", "");
  const auto status = hold();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(reason_of(status), "OWNER_MOVING");
  google::rpc::RetryInfo retry;
  const auto details = details_of(status).details();
  EXPECT_TRUE(std::any_of(details.begin(), details.end(),
                          [&](const auto& detail) { return detail.UnpackTo(&retry); }));
}

TEST_F(CommandTest, HidesATakeoverThatEndsInTime) {
  owners->disown("acme");
  see("acme", "");
  std::thread taking([this] { owners->own("acme"); });
  EXPECT_TRUE(hold().ok());
  taking.join();
}

TEST_F(CommandTest, TriesAgainWhenTheOwnerIsJustHandingOver) {
  owners->with("acme", [](ScriptedOwners::Tenant& it) {
    it.on_command = [first = true](const OwnerRequest&) mutable {
      OwnerReply reply;
      if (std::exchange(first, false)) {
        *reply.mutable_error() = refuse(base::Errc::owner_moving);
      } else {
        reply.mutable_command_result();
      }
      return reply;
    };
  });
  EXPECT_TRUE(hold().ok());
  EXPECT_EQ(heard().size(), 2u);
}

TEST_F(CommandTest, DoesNotKnowWhatBecameOfACommandWithoutReply) {
  owners->with("acme", [](ScriptedOwners::Tenant& it) { it.silent = true; });
  config.deadlines.most = 200ms;
  stop();
  start();
  see("acme");
  const auto status = hold();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(reason_of(status), "OUTCOME_UNKNOWN");
  EXPECT_EQ(heard().size(), 1u) << "never sent twice";

  const auto checked = hold(kDeadline, true);
  EXPECT_EQ(reason_of(checked), "TIMED_OUT") << "nothing was to be done";

  GetCallRequest request;
  request.set_name("tenants/acme/calls/c1-1");
  GetCallResponse response_of_query;
  EXPECT_EQ(reason_of(call<Calls>(&Calls::Stub::GetCall, request, response_of_query)), "TIMED_OUT");
}

TEST_F(CommandTest, FailsAtOnceWithoutNats) {
  server.stop();
  ASSERT_TRUE(eventually([&] { return reason_of(hold()) == "BUS_UNAVAILABLE"; }));
  // What was known before is still told.
  EXPECT_EQ(tenant("acme").name(), "tenants/acme");
  server.start();
  EXPECT_TRUE(eventually([&] { return hold().ok(); }));
}

TEST_F(CommandTest, ChecksRequestsBeforeAnythingIsSent) {
  HoldCallRequest request;
  request.set_connection("c1-1-1");
  const auto status = call<CallControl>(&CallControl::Stub::HoldCall, request, response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(reason_of(status), "INVALID_FIELD");
  EXPECT_EQ(info_of(status).metadata().at("field"), "connection");
  EXPECT_TRUE(heard().empty());
}

TEST_F(CommandTest, RefusesTheCommandAfterTheLimit) {
  owners->with("acme", [](ScriptedOwners::Tenant& it) { it.silent = true; });
  config.limits.commands_max = 1;
  config.drain_limit = 100ms;
  config.deadlines.otherwise = 20s;
  stop();
  start();
  see("acme");
  std::thread first([&] {
    HoldCallRequest request;
    request.set_connection("tenants/acme/connections/c1-1-1");
    HoldCallResponse none;
    call<CallControl>(&CallControl::Stub::HoldCall, request, none, 20s);
  });
  ASSERT_TRUE(eventually([&] { return !heard().empty(); }));
  const auto status = hold();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(reason_of(status), "PERFORMANCE_LIMIT_EXCEEDED");
  EXPECT_EQ(info_of(status).metadata().at("limit"), "1");
  stop();
  first.join();
}

TEST_F(CommandTest, TellsWhatAPbxCanDo) {
  GetCapabilitiesRequest request;
  request.set_name("tenants/acme/capabilities");
  GetCapabilitiesResponse capabilities;
  ASSERT_TRUE(call<Tenants>(&Tenants::Stub::GetCapabilities, request, capabilities).ok());
  EXPECT_EQ(capabilities.capabilities().name(), request.name());
  EXPECT_EQ(capabilities.capabilities().vendor(), "innova360");
  EXPECT_EQ(capabilities.capabilities().capabilities(0).service(), SERVICE_MAKE_CALL);

  request.set_name("tenants/acme");
  const auto status = call<Tenants>(&Tenants::Stub::GetCapabilities, request, capabilities);
  EXPECT_EQ(status.error_message(),
            "name \"tenants/acme\" is not of the form tenants/{tenant}/capabilities");
}

TEST_F(CommandTest, SendsDeviceCommandsAndReturnsTheDevice) {
  owners->with("acme", [](ScriptedOwners::Tenant& it) {
    it.on_command = [](const OwnerRequest& asked) {
      OwnerReply reply;
      auto& device = *reply.mutable_command_result()->mutable_device();
      device = a_device("acme", asked.command().device_id());
      device.set_do_not_disturb(asked.command().on());
      return reply;
    };
  });
  SetDoNotDisturbRequest request;
  request.set_device("tenants/acme/devices/201");
  request.set_enabled(true);
  SetDoNotDisturbResponse done;
  ASSERT_TRUE(call<Devices>(&Devices::Stub::SetDoNotDisturb, request, done).ok());
  EXPECT_EQ(done.device().device_id(), "201");
  EXPECT_TRUE(done.device().do_not_disturb());
}

}  // namespace
}  // namespace control
