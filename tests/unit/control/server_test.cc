#include "control/server.h"

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include <grpcpp/generic/generic_stub.h>

#include "unit/control/control_fixture.h"

namespace control {
namespace {

using namespace pbxgw::v1;
using namespace std::chrono_literals;
using testing::HasSubstr;

// What is gRPC's rather than a handler's: health, limits, unknown methods, the end.
struct ServerTest : ControlFixture {
  ServerTest() {
    make_owners();
    owners->add("acme");
  }

  // Any method, with any bytes.
  std::pair<grpc::Status, std::string> raw(const std::string& method, const std::string& bytes) {
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    grpc::CompletionQueue queue;
    const grpc::Slice slice(bytes);
    grpc::ByteBuffer request(&slice, 1), response;
    grpc::Status result;
    auto rpc = stub.PrepareUnaryCall(&context, method, request, &queue);
    rpc->StartCall();
    rpc->Finish(&response, &result, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    std::vector<grpc::Slice> slices;
    std::string body;
    if (result.ok() && response.Dump(&slices).ok()) {
      for (const auto& part : slices) body.append(part.begin(), part.end());
    }
    return {result, body};
  }
  // HealthCheckRequest.service is field 1, HealthCheckResponse.status too.
  bool serving(const std::string& name) {
    const std::string request =
        name.empty() ? "" : "\x0a" + std::string(1, static_cast<char>(name.size())) + name;
    const auto [status, body] = raw("/grpc.health.v1.Health/Check", request);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return body == std::string("\x08\x01");
  }
  grpc::Status hold(const std::shared_ptr<grpc::Channel>& by) {
    HoldCallRequest request;
    request.set_connection("tenants/acme/connections/c1-1-1");
    HoldCallResponse response;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    return CallControl::NewStub(by)->HoldCall(&context, request, &response);
  }
  bool heard_something() {
    return owners->with("acme", [](ScriptedOwners::Tenant& it) { return !it.heard.empty(); });
  }
};

TEST_F(ServerTest, IsHealthyWhileNatsIsThere) {
  start();
  const char* names[] = {"",
                         "pbxgw.v1.Tenants",
                         "pbxgw.v1.Calls",
                         "pbxgw.v1.Devices",
                         "pbxgw.v1.CallControl",
                         "pbxgw.v1.Events",
                         "pbxgw.v1.WebRtc"};
  for (const char* name : names) EXPECT_TRUE(eventually([&] { return serving(name); })) << name;
  EXPECT_EQ(admin("/readyz").first, 200);
  server.stop();
  for (const char* name : names) EXPECT_TRUE(eventually([&] { return !serving(name); })) << name;
  EXPECT_EQ(admin("/readyz").first, 503);
  EXPECT_EQ(admin("/livez").first, 200) << "to be killed would not help";
  EXPECT_EQ(metric("pbxgw_nats_connected"), "0");
  server.start();
  EXPECT_TRUE(eventually([&] { return serving("pbxgw.v1.Events"); }));
}

TEST_F(ServerTest, StartsWithoutNats) {
  server.stop();
  start();
  EXPECT_FALSE(serving(""));
  GetTenantRequest request;
  request.set_name("tenants/acme");
  GetTenantResponse response;
  const auto status = call<Tenants>(&Tenants::Stub::GetTenant, request, response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(reason_of(status), "BUS_UNAVAILABLE");
  server.start();
  see("acme");
}

TEST_F(ServerTest, SaysWhyForEveryErrorOfGrpcsOwn) {
  start();
  for (const char* method : {"/pbxgw.v1.CallControl/Teleport", "/example.Other/Do"}) {
    const auto status = raw(method, "").first;
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << method;
    EXPECT_EQ(reason_of(status), "FEATURE_NOT_SUPPORTED") << method;
  }
  const auto malformed = raw("/pbxgw.v1.Tenants/GetTenant", "\xff\xff").first;
  EXPECT_FALSE(malformed.ok());
  EXPECT_NE(reason_of(malformed), "") << malformed.error_message();
}

TEST_F(ServerTest, TellsItsApiToStrangersOnlyIfItMay) {
  const std::string list_services("\x3a\x00", 2);  // ServerReflectionRequest.list_services is 7
  for (const bool may : {false, true}) {
    config.server.reflection = may;
    start();
    const auto [status, body] =
        raw("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", list_services);
    EXPECT_EQ(status.error_code(), may ? grpc::StatusCode::OK : grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_EQ(body.find("pbxgw.v1.CallControl") != std::string::npos, may);
    EXPECT_EQ(stop(), 0);
  }
}

TEST_F(ServerTest, RefusesRequestsThatAreTooBig) {
  start();
  const auto status = raw("/pbxgw.v1.Tenants/GetTenant", std::string(128 << 10, 'x')).first;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(ServerTest, HandsConnectionsBackAndFinishesWhatIsUnderWay) {
  config.server.connection_age = 300ms;
  owners->with("acme", [](ScriptedOwners::Tenant& it) { it.silent = true; });
  start();
  see("acme");
  grpc::Status status;
  std::thread caller([&] { status = hold(channel); });
  EXPECT_TRUE(eventually([&] { return heard_something(); }));
  EXPECT_TRUE(eventually([&] { return channel->GetState(false) == GRPC_CHANNEL_IDLE; }))
      << "the next RPC makes another connection";
  owners->with("acme", [](ScriptedOwners::Tenant& it) { it.silent = false; });
  owners->answer_late("acme");
  caller.join();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_FALSE(tenant("acme").name().empty());
}

TEST_F(ServerTest, TakesSoManyRpcsOverOneConnectionAtATime) {
  config.server.streams_max = 1;
  start();
  see("acme");
  owners->with("acme", [](ScriptedOwners::Tenant& it) {
    it.silent = true;
    it.heard.clear();
  });
  grpc::Status first, second;
  std::thread one([&] { first = hold(channel); });
  EXPECT_TRUE(eventually([&] { return heard_something(); }));
  // It waits at the client, until its time is over.
  GetTenantRequest request;
  request.set_name("tenants/acme");
  GetTenantResponse response;
  second = call<Tenants>(&Tenants::Stub::GetTenant, request, response, 300ms);
  EXPECT_EQ(second.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  const auto mine = std::exchange(channel, connect());
  EXPECT_FALSE(tenant("acme").name().empty()) << "another connection has places of its own";
  channel = mine;
  owners->with("acme", [](ScriptedOwners::Tenant& it) { it.silent = false; });
  owners->answer_late("acme");
  one.join();
  EXPECT_TRUE(first.ok()) << first.error_message();
  EXPECT_FALSE(tenant("acme").name().empty()) << "the place is free again";
}

TEST_F(ServerTest, CountsWhatItAnswers) {
  start();
  see("acme");
  tenant("nobody");
  EXPECT_EQ(metric("pbxgw_commands_total{rpc=\"GetTenant\",code=\"NOT_FOUND\"}") +
                metric("pbxgw_commands_total{code=\"NOT_FOUND\",rpc=\"GetTenant\"}"),
            "1");
  EXPECT_THAT(admin("/metrics").second,
              HasSubstr("pbxgw_command_seconds_bucket{rpc=\"GetTenant\""));
}

TEST_F(ServerTest, CountsWhatThereIsNotAsOne) {
  start();
  see("acme");
  for (int i = 0; i < 100; ++i) {
    raw("/pbxgw.v1.Tenants/Made" + std::to_string(i), "");
    raw("/pbxgw.provisioning.v1.Provisioning/Made" + std::to_string(i), "");
  }
  tenant("nobody");
  const std::string metrics = admin("/metrics").second;
  EXPECT_THAT(metrics, testing::Not(HasSubstr("Made")));
  EXPECT_EQ(metric("pbxgw_commands_total{rpc=\"other\",code=\"UNIMPLEMENTED\"}") +
                metric("pbxgw_commands_total{code=\"UNIMPLEMENTED\",rpc=\"other\"}"),
            "200");
}

TEST_F(ServerTest, TellsWhyItCannotListen) {
  start();
  Config other = config;
  other.server.port = static_cast<std::uint16_t>(service->grpc_port());
  EXPECT_THROW(Control another(other), std::runtime_error);
}

TEST_F(ServerTest, FinishesWhatIsAtWorkBeforeItEnds) {
  owners->with("acme", [](ScriptedOwners::Tenant& it) { it.silent = true; });
  start();
  see("acme");
  grpc::Status first;
  std::thread caller([&] { first = hold(channel); });
  ASSERT_TRUE(eventually([&] { return heard_something(); }));
  service->stop();
  // Whoever comes now is sent to another instance.
  ASSERT_TRUE(eventually([&] { return tenant("acme").name().empty(); }));
  const grpc::Status late = hold(channel);
  EXPECT_EQ(reason_of(late), "SHUTTING_DOWN");
  EXPECT_EQ(late.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_FALSE(serving(""));
  EXPECT_EQ(admin("/readyz").first, 503);
  owners->with("acme", [](ScriptedOwners::Tenant& it) { it.silent = false; });
  owners->answer_late("acme");
  caller.join();
  EXPECT_TRUE(first.ok()) << first.error_message();
  EXPECT_EQ(join(), 0);
}

// As after a bug that has ended run(): what is under way gets its end, and nothing hangs.
TEST_F(ServerTest, EndsWhatIsUnderWayThoughNobodyRunsIt) {
  config.limits.commands_max = 1;
  service = std::make_unique<Control>(config);  // and run() is never called
  channel = connect();
  std::array<grpc::Status, 2> held;
  std::atomic<int> ended = 0;
  std::vector<std::thread> callers;
  for (auto& status : held) {
    callers.emplace_back([&] {
      status = hold(channel);
      ++ended;
    });
  }
  std::array<grpc::ClientContext, 3> contexts;
  for (auto& context : contexts) {
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  }
  WatchRequest watching;
  watching.set_parent("tenants/acme");
  const auto events = Events::NewStub(channel);
  const auto watch = events->Watch(&contexts[0], watching);
  const auto web_rtc = WebRtc::NewStub(channel);
  const auto signal = web_rtc->Signal(&contexts[1]);
  GetRecordingRequest wanted;
  wanted.set_name("tenants/acme/recordings/1");
  const auto history = CallHistory::NewStub(channel);
  const auto recording = history->GetRecording(&contexts[2], wanted);
  // One of the commands is refused, so the other one is in, and so are the streams.
  const bool all_in = eventually([&] {
    return ended == 1 && metric("pbxgw_watchers") == "1" && metric("pbxgw_signal_streams") == "1" &&
           metric("pbxgw_recordings") == "1";
  });
  service.reset();
  for (auto& caller : callers) caller.join();
  ASSERT_TRUE(all_in);
  EXPECT_THAT((std::vector{reason_of(held[0]), reason_of(held[1])}),
              testing::UnorderedElementsAre("PERFORMANCE_LIMIT_EXCEEDED", "OUTCOME_UNKNOWN"));
  EXPECT_EQ(reason_of(watch->Finish()), "SHUTTING_DOWN");
  EXPECT_EQ(reason_of(signal->Finish()), "SHUTTING_DOWN");
  EXPECT_EQ(reason_of(recording->Finish()), "SHUTTING_DOWN");
}

TEST_F(ServerTest, CutsShortWhatTakesTooLong) {
  config.drain_limit = 100ms;
  owners->with("acme", [](ScriptedOwners::Tenant& it) { it.silent = true; });
  start();
  see("acme");
  grpc::Status status_of_hold;
  std::thread caller([&] { status_of_hold = hold(channel); });
  ASSERT_TRUE(eventually([&] { return heard_something(); }));
  EXPECT_EQ(stop(), 0);
  caller.join();
  EXPECT_EQ(status_of_hold.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(reason_of(status_of_hold), "OUTCOME_UNKNOWN");
}

}  // namespace
}  // namespace control
