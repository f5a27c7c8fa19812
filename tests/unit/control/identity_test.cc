#include <chrono>
#include <optional>
#include <set>

#include "control/command_gateway.h"
#include "control/event_filter.h"
#include "control/resume_marker.h"
#include "pbxgw/provisioning/v1/provisioning_service.grpc.pb.h"
#include "support/jwt_maker.h"
#include "unit/control/control_fixture.h"
#include "unit/control/policy_file.h"

// What callers get who may not do everything: the whole service, with a policy file.
namespace control {
namespace {

using namespace pbxgw::v1;
using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A context that sends a token.
struct Context : grpc::ClientContext {
  explicit Context(const std::string& bearer) {
    set_deadline(std::chrono::system_clock::now() + ControlFixture::kDeadline);
    if (!bearer.empty()) AddMetadata("authorization", "Bearer " + bearer);
  }
};

struct IdentityTest : ControlFixture {
  const support::JwtMaker issuer{"ES256"};
  PolicyFile file;

  // Nobody owns gone and lost right now, but there is a record of them.
  IdentityTest() {
    make_owners();
    for (const char* id : {"acme", "beta", "gamma"}) {
      owners->add(id);
      owners->with(id, [&](ScriptedOwners::Tenant& it) {
        it.calls["c1-1"] = a_call(id, "c1-1", {"201"});
        it.devices["201"] = a_device(id, "201");
        it.sequence = 100;
      });
    }
    owners->add("gone", false);
    owners->add("lost", false);
    file.issued_by("https://issuer.example", issuer.jwk_set());
    people();
    file.write();
    config.policy_file = file.path();
    start();
  }
  void people(const std::string& crm = "acme, beta, gone") {
    file.add("all", {{"*", "observe, control, provision, admin"}})
        .add("crm", {{crm, "observe, control, admin"}})
        .add("other", {{"gamma", "observe, control, provision, admin"}});
    file.add("app", {{"acme, beta", "observe"}},
             "    subjects: [{issuer: \"https://issuer.example\", subject: app}]\n");
  }
  void SetUp() override {
    for (const char* id : {"acme", "beta", "gamma"}) {
      ASSERT_TRUE(eventually([&] { return get(id, "all").second == "scripted"; })) << id;
    }
    for (const char* id : {"gone", "lost"}) {
      ASSERT_TRUE(eventually([&] { return get(id, "all").first == "OK"; })) << id;
    }
  }

  static std::string token(const std::string& name) { return PolicyFile::token_of(name); }
  std::string jwt(std::chrono::seconds life) const {
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
        std::chrono::system_clock::now().time_since_epoch());
    return issuer.token(R"({"iss":"https://issuer.example","aud":"pbxgw","sub":"app","exp":)" +
                        std::to_string((now + life).count()) + "}");
  }

  template <class Service, class Request, class Response>
  grpc::Status ask(const std::string& bearer,
                   grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                                         Response*),
                   const Request& request, Response& response) {
    Context context(bearer);
    auto stub = Service::NewStub(channel);
    return ((*stub).*method)(&context, request, &response);
  }
  // How it ended, and who owns it.
  std::pair<std::string, std::string> get(const std::string& id, const std::string& who) {
    GetTenantRequest request;
    request.set_name("tenants/" + id);
    GetTenantResponse response;
    const auto status = ask<Tenants>(token(who), &Tenants::Stub::GetTenant, request, response);
    return {status.ok() ? "OK" : reason_of(status), response.tenant().owner()};
  }
  std::size_t heard(const std::string& id) {
    return owners->with(id, [](ScriptedOwners::Tenant& it) { return it.heard.size(); });
  }
  // The policy without some of them, when it counts.
  void replace(const std::function<bool()>& counts) {
    file.write();
    ASSERT_TRUE(eventually(counts));
  }
};

// ---- At the door ----

TEST_F(IdentityTest, AsksForCredentialsBeforeItLooksAtAnything) {
  MakeCallRequest nonsense;
  MakeCallResponse response;
  Context context("");
  auto stub = CallControl::NewStub(channel);
  const auto status = stub->MakeCall(&context, nonsense, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(reason_of(status), "CREDENTIALS_REQUIRED");
  const auto& trailer = context.GetServerTrailingMetadata();
  const auto found = trailer.find("www-authenticate");
  ASSERT_NE(found, trailer.end());
  EXPECT_EQ(found->second, "Bearer");
  EXPECT_EQ(heard("acme"), 0u);
}

TEST_F(IdentityTest, TakesOneBearerWhateverItsSchemesCase) {
  GetTenantRequest request;
  request.set_name("tenants/acme");
  const auto with = [&](const std::vector<std::string>& values) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    for (const auto& value : values) context.AddMetadata("authorization", value);
    GetTenantResponse response;
    const auto status = Tenants::NewStub(channel)->GetTenant(&context, request, &response);
    return status.ok() ? "OK" : reason_of(status);
  };
  EXPECT_EQ(with({"Bearer " + token("crm")}), "OK");
  EXPECT_EQ(with({"bEARER " + token("crm")}), "OK");
  EXPECT_EQ(with({token("crm")}), "CREDENTIALS_INVALID");
  EXPECT_EQ(with({"Basic Y3JtOmNybQ=="}), "CREDENTIALS_INVALID");
  EXPECT_EQ(with({"Bearer "}), "CREDENTIALS_INVALID");
  EXPECT_EQ(with({"Bearer " + token("crm"), "Bearer " + token("crm")}), "CREDENTIALS_INVALID");
}

TEST_F(IdentityTest, DoesNotTellWhichTenantsThereAre) {
  for (const char* id : {"gamma", "lost", "never-was"}) {
    GetTenantRequest request;
    request.set_name(std::string("tenants/") + id);
    GetTenantResponse response;
    const auto status = ask<Tenants>(token("crm"), &Tenants::Stub::GetTenant, request, response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_EQ(status.error_message(),
              std::string("crm lacks the group observe for tenants/") + id + '.');
  }
  EXPECT_EQ(get("acme", "crm").first, "OK");
  EXPECT_EQ(get("never-was", "all").first, "TENANT_NOT_FOUND");
}

TEST_F(IdentityTest, SendsNothingToTheOwnerOfAnotherTenant) {
  HoldCallRequest request;
  request.set_connection("tenants/gamma/connections/c1-1-1");
  HoldCallResponse response;
  auto status = ask<CallControl>(token("crm"), &CallControl::Stub::HoldCall, request, response);
  EXPECT_EQ(reason_of(status), "ACCESS_DENIED");
  EXPECT_EQ(heard("gamma"), 0u);
  request.set_connection("tenants/acme/connections/c1-1-1");
  ask<CallControl>(token("crm"), &CallControl::Stub::HoldCall, request, response);
  EXPECT_EQ(heard("acme"), 1u);
}

TEST_F(IdentityTest, CountsTheRpcsOfProvisioningAsOurs) {
  namespace provisioning = pbxgw::provisioning::v1;
  provisioning::ListDevicesRequest request;
  request.set_parent("tenants/acme");
  provisioning::ListDevicesResponse response;
  const auto status = ask<provisioning::Provisioning>(
      "", &provisioning::Provisioning::Stub::ListDevices, request, response);
  EXPECT_EQ(reason_of(status), "CREDENTIALS_REQUIRED");
  const auto text = admin("/metrics").second;
  EXPECT_THAT(text, HasSubstr("rpc=\"Provisioning/ListDevices\""));
  EXPECT_THAT(text, testing::Not(HasSubstr("rpc=\"ListDevices\"")));
}

// ---- The second line: what is asked of a PBX needs a right ----

struct CommandGatewayRightTest : testing::Test {
  Directory directory{10s};
  CommandGateway gateway{nullptr, directory};

  std::string reason(const Right& right, const std::string& tenant, const std::string& in_request) {
    OwnerRequest request;
    request.set_tenant(in_request);
    boost::asio::io_context io;
    auto asking = gateway.ask(right, base::TenantId(tenant), std::move(request), TimePoint::max());
    auto done = boost::asio::co_spawn(io, std::move(asking), boost::asio::use_future);
    io.run();
    return reason_of(done.get().error());
  }
};

TEST_F(CommandGatewayRightTest, AsksNobodyForACallerWhoWasNotLetIn) {
  directory.complete();
  const rights::Principal::Grant grant{{"acme"}, rights::Groups().set(1)};
  const auto principal = std::make_shared<const rights::Principal>(
      "crm", std::vector<rights::Principal::Grant>{grant});
  const auto with = [&](rights::Group group) {
    return std::make_shared<const Admitted>(
        Admitted{{principal, rights::Means::token, std::nullopt}, group, {}, "pbxgw.v1.X/Y"});
  };
  const auto right = with(rights::Group::control);
  EXPECT_EQ(reason(right, "acme", "tenants/acme"), "TENANT_NOT_FOUND");  // let in
  EXPECT_EQ(reason(right, "beta", "tenants/beta"), "ACCESS_DENIED");
  EXPECT_EQ(reason(right, "acme", "tenants/beta"), "ACCESS_DENIED");
  EXPECT_EQ(reason(with(rights::Group::admin), "acme", "tenants/acme"), "ACCESS_DENIED");
  EXPECT_EQ(reason(std::make_shared<const Admitted>(), "acme", "tenants/acme"), "ACCESS_DENIED");
  EXPECT_EQ(reason(nullptr, "acme", "tenants/acme"), "ACCESS_DENIED");
}

// ---- Lists ----

TEST_F(IdentityTest, ListsTheTenantsThatMayBeSeen) {
  const auto list = [&](const std::string& who) {
    std::vector<std::string> names;
    ListTenantsRequest request;
    request.set_page_size(1);
    do {
      ListTenantsResponse response;
      const auto status = ask<Tenants>(token(who), &Tenants::Stub::ListTenants, request, response);
      if (!status.ok()) return std::vector<std::string>{reason_of(status)};
      for (const auto& tenant : response.tenants()) names.push_back(tenant.name());
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return names;
  };
  EXPECT_THAT(list("crm"), ElementsAre("tenants/acme", "tenants/beta", "tenants/gone"));
  EXPECT_THAT(list("other"), ElementsAre("tenants/gamma"));
  EXPECT_EQ(list("all").size(), 5u);
  EXPECT_THAT(list("stranger"), ElementsAre("CREDENTIALS_INVALID"));
}

TEST_F(IdentityTest, ListsCallsOfTheTenantsThatMayBeSeen) {
  std::set<std::string> names, unreachable;
  ListCallsRequest request;
  request.set_parent("tenants/-");
  request.set_page_size(1);
  do {
    ListCallsResponse response;
    const auto status = ask<Calls>(token("crm"), &Calls::Stub::ListCalls, request, response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    for (const auto& call : response.calls()) names.insert(call.name());
    unreachable.insert(response.unreachable().begin(), response.unreachable().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(names, ElementsAre("tenants/acme/calls/c1-1", "tenants/beta/calls/c1-1"));
  EXPECT_THAT(unreachable, ElementsAre("tenants/gone"));
  EXPECT_EQ(heard("gamma"), 0u);
}

// ---- Watches ----

class Watcher {
 public:
  Watcher(const std::shared_ptr<grpc::Channel>& channel, const std::string& bearer,
          const WatchRequest& request)
      : stub_(Events::NewStub(channel)), context_(bearer) {
    reader_ = stub_->Watch(&context_, request);
  }
  ~Watcher() {
    context_.TryCancel();
    if (!finished_) finish();
  }
  std::optional<WatchResponse> next() {
    WatchResponse response;
    if (!reader_->Read(&response)) return std::nullopt;
    if (!response.resume_marker().empty()) marker = response.resume_marker();
    return response;
  }
  // The names of all that comes up to the end of the initial state.
  std::set<std::string> state() {
    std::set<std::string> names;
    while (auto response = next()) {
      if (response->has_snapshot_complete()) return names;
      names.insert(response->snapshot().tenant().name());
      for (const auto& call : response->snapshot().calls()) names.insert(call.name());
    }
    ADD_FAILURE() << "no end: " << finish().error_message();
    return names;
  }
  // "acme 101", for each of so many events.
  std::vector<std::string> events(std::size_t count) {
    std::vector<std::string> found;
    while (found.size() < count) {
      const auto response = next();
      if (!response) break;
      if (!response->has_event()) continue;
      const auto& event = response->event();
      found.push_back(event.tenant().substr(8) + ' ' + std::to_string(event.sequence()));
    }
    return found;
  }
  // What it ends with, whatever comes before.
  std::string end() {
    while (next()) {
    }
    const auto status = finish();
    return std::to_string(status.error_code()) + ' ' + reason_of(status);
  }
  grpc::Status finish() {
    finished_ = true;
    return reader_->Finish();
  }

  std::string marker;  // the last one received

 private:
  std::unique_ptr<Events::Stub> stub_;
  Context context_;
  std::unique_ptr<grpc::ClientReader<WatchResponse>> reader_;
  bool finished_ = false;
};

struct IdentityWatchTest : IdentityTest {
  static WatchRequest watching(const std::string& parent, const std::string& marker = {}) {
    WatchRequest request;
    request.set_parent(parent);
    request.add_classes(EVENT_CLASS_CALL);
    request.set_resume_marker(marker);
    return request;
  }
  std::unique_ptr<Watcher> watch(const std::string& bearer, const WatchRequest& request) {
    return std::make_unique<Watcher>(channel, bearer, request);
  }
  void happens(const std::string& id) {
    owners->publish(id, call_event("c1-1", "201", call::CallEventType::held));
  }
};

TEST_F(IdentityWatchTest, ShowsOfAllTenantsThoseThatMayBeSeen) {
  auto crm = watch(token("crm"), watching("tenants/-"));
  auto other = watch(token("other"), watching("tenants/-"));
  EXPECT_THAT(crm->state(), ElementsAre("tenants/acme", "tenants/acme/calls/c1-1", "tenants/beta",
                                        "tenants/beta/calls/c1-1", "tenants/gone"));
  EXPECT_THAT(other->state(), ElementsAre("tenants/gamma", "tenants/gamma/calls/c1-1"));
  for (const char* id : {"gamma", "acme", "gamma", "beta", "gamma"}) happens(id);
  EXPECT_THAT(crm->events(2), ElementsAre("acme 101", "beta 101"));
  EXPECT_THAT(other->events(3), ElementsAre("gamma 101", "gamma 102", "gamma 103"));
}

TEST_F(IdentityWatchTest, OwesNothingOfOthersToWhoeverMakesUpAMarker) {
  for (const char* parent : {"tenants/-", "tenants/acme"}) {
    const auto request = watching(parent);
    auto first = watch(token("crm"), request);
    first->state();
    const std::string filter = EventFilter(request).canonical();
    auto place = place_of(first->marker, filter);
    ASSERT_TRUE(place);
    place->owed = {"gamma"};
    happens("acme");
    const auto before = heard("gamma");
    auto forger = watch(token("crm"), watching(parent, marker_of(*place, filter)));
    const auto response = forger->next();
    ASSERT_TRUE(response);
    EXPECT_TRUE(response->has_event()) << response->DebugString();
    EXPECT_EQ(response->event().tenant(), "tenants/acme");
    EXPECT_EQ(heard("gamma"), before);
    const auto left = place_of(forger->marker, filter);
    ASSERT_TRUE(left);
    EXPECT_THAT(left->owed, IsEmpty());
  }
}

TEST_F(IdentityWatchTest, EndsWhenThePrincipalIsGoneAndGoesOnFromItsMarker) {
  auto watcher = watch(token("crm"), watching("tenants/-"));
  watcher->state();
  happens("acme");
  EXPECT_THAT(watcher->events(1), ElementsAre("acme 101"));
  file.add("all", {{"*", "observe, control"}});
  file.write();
  EXPECT_EQ(watcher->end(), "16 CREDENTIALS_INVALID");
  happens("beta");
  happens("acme");
  auto again = watch(token("all"), watching("tenants/-", watcher->marker));
  EXPECT_THAT(again->events(2), ElementsAre("beta 101", "acme 102"));
  EXPECT_THAT(admin("/metrics").second,
              HasSubstr("pbxgw_streams_revoked_total{reason=\"CREDENTIALS_INVALID\"} 1"));
}

TEST_F(IdentityWatchTest, EndsWhenTheTenantIsTakenAway) {
  auto all = watch(token("crm"), watching("tenants/-"));
  auto beta = watch(token("crm"), watching("tenants/beta"));
  auto acme = watch(token("crm"), watching("tenants/acme"));
  for (auto* one : {&all, &beta, &acme}) (*one)->state();
  people("acme, gone");
  file.write();
  EXPECT_EQ(all->end(), "7 ACCESS_DENIED");
  EXPECT_EQ(beta->end(), "7 ACCESS_DENIED");
  happens("acme");
  EXPECT_THAT(acme->events(1), ElementsAre("acme 101"));
}

TEST_F(IdentityWatchTest, IsNotTouchedByAReloadThatTakesNothingAway) {
  auto watcher = watch(token("crm"), watching("tenants/-"));
  watcher->state();
  people("acme, beta, gone, gamma");
  replace([&] { return get("gamma", "crm").first == "OK"; });
  happens("acme");
  EXPECT_THAT(watcher->events(1), ElementsAre("acme 101"));
}

TEST_F(IdentityWatchTest, EndsWithItsTokenAndGoesOnWithAnother) {
  auto watcher = watch(jwt(3s), watching("tenants/-"));
  watcher->state();
  happens("acme");
  EXPECT_THAT(watcher->events(1), ElementsAre("acme 101"));
  EXPECT_EQ(watcher->end(), "16 CREDENTIALS_EXPIRED");
  happens("acme");
  auto again = watch(jwt(1h), watching("tenants/-", watcher->marker));
  EXPECT_THAT(again->events(1), ElementsAre("acme 102"));
}

// ---- The other streams ----

TEST_F(IdentityTest, OpensNoMediaStreamForAnotherTenant) {
  Context context(token("crm"));
  auto stub = WebRtc::NewStub(channel);
  auto stream = stub->Signal(&context);
  SignalRequest open;
  open.mutable_open()->set_device("tenants/gamma/devices/201");
  stream->Write(open);
  SignalResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(reason_of(stream->Finish()), "ACCESS_DENIED");
  EXPECT_EQ(heard("gamma"), 0u);
}

TEST_F(IdentityTest, EndsAMediaStreamWithTheRightToIt) {
  owners->with("acme", [](ScriptedOwners::Tenant& it) {
    auto polls = std::make_shared<std::vector<bus::Request>>();
    it.on_signal = [polls](const SignalCommand& asked, bus::Request request) {
      OwnerReply reply;
      auto& result = *reply.mutable_signal_result();
      if (asked.has_poll() && asked.poll().after() > 0) return polls->push_back(std::move(request));
      if (asked.has_poll()) {
        result.set_first_number(1);
        result.add_messages()->mutable_ready();
      }
      request.respond(reply.SerializeAsString());
    };
  });
  Context context(token("crm"));
  auto stub = WebRtc::NewStub(channel);
  auto stream = stub->Signal(&context);
  SignalRequest open;
  open.mutable_open()->set_device("tenants/acme/devices/201");
  stream->Write(open);
  SignalResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_TRUE(response.has_ready());
  people("beta, gone");
  file.write();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(reason_of(stream->Finish()), "ACCESS_DENIED");
}

TEST_F(IdentityTest, EndsADownloadWithTheRightToIt) {
  owners->with("acme", [](ScriptedOwners::Tenant& it) {
    it.on_command = [](const OwnerRequest& request) {
      OwnerReply reply;
      auto& result = *reply.mutable_history_result();
      if (request.history().has_open()) {
        result.mutable_opened()->set_transfer_id("1");
      } else if (request.history().has_read()) {
        result.mutable_part()->set_data(std::string(200'000, 'x'));  // without an end
      } else {
        result.mutable_closed();
      }
      return reply;
    };
  });
  Context context(token("crm"));
  GetRecordingRequest request;
  request.set_name("tenants/acme/recordings/3");
  auto stub = CallHistory::NewStub(channel);
  auto reader = stub->GetRecording(&context, request);
  GetRecordingResponse response;
  ASSERT_TRUE(reader->Read(&response));
  people("beta, gone");
  file.write();
  while (reader->Read(&response)) {
  }
  EXPECT_EQ(reason_of(reader->Finish()), "ACCESS_DENIED");
}

}  // namespace
}  // namespace control
