#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_future.hpp>
#include <google/protobuf/util/json_util.h>

#include "control/audit_trail.h"
#include "support/jwt_maker.h"
#include "unit/control/control_fixture.h"
#include "unit/control/policy_file.h"

namespace control {

// What is told of RPCs, and limited, by the whole service: records are read from the stream.
struct AuditFixture : ControlFixture {
  const support::JwtMaker issuer{"ES256"};
  PolicyFile policy;
  boost::asio::io_context io;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  std::shared_ptr<bus::Connection> reader;
  std::optional<bus::JetStream> jetstream;
  std::thread reading;

  AuditFixture() {
    make_owners();
    owners->add("acme");
    owners->with("acme", [](ScriptedOwners::Tenant& it) {
      it.calls["c1-1"] = a_call("acme", "c1-1", {"201"});
    });
    policy.issued_by("https://issuer.example", issuer.jwk_set());
    people();
    config.policy_file = policy.path();
    bus::Options options;
    options.urls = {server.url()};
    options.reconnect_wait = bus::Duration(20);
    std::string why;
    reader = *bus::Connection::open(io.get_executor(), options, why);
    jetstream.emplace(reader);
    reading = std::thread([this] { io.run(); });
  }
  ~AuditFixture() override {
    stop();
    io.stop();
    reading.join();
  }
  // Whom the policy knows; "staff" is everybody whom the issuer does.
  void people(const std::string& groups = "observe, control, admin") {
    policy.add("crm", {{"acme", groups}}, "    certificates: [\"cn:crm\"]\n")
        .add("staff", {{"acme", groups}},
             "    subjects: [{issuer: \"https://issuer.example\", subject: \"*\"}]\n")
        .add("wall", {{"*", "observe"}})
        .write();
  }
  std::string jwt(const std::string& subject, std::chrono::seconds life = std::chrono::hours(1)) {
    // The same token each time, as a client shows it.
    auto& known = tokens[subject];
    if (!known.empty()) return known;
    const auto end = std::chrono::duration_cast<std::chrono::seconds>(
        (std::chrono::system_clock::now() + life).time_since_epoch());
    return known = issuer.token(R"({"iss":"https://issuer.example","aud":"pbxgw","sub":")" +
                                subject + R"(","exp":)" + std::to_string(end.count()) + "}");
  }
  std::map<std::string, std::string> tokens;  // by subject

  void start() {
    ControlFixture::start();
    ASSERT_TRUE(eventually([&] { return get("crm").ok(); }));
  }

  template <class T>
  T await(boost::asio::awaitable<T> task) {
    return boost::asio::co_spawn(io, std::move(task), boost::asio::use_future).get();
  }
  std::uint64_t count() {
    const auto state = await(jetstream->stream_state(wire::kAuditStream));
    return state ? state->messages : 0;
  }
  // The last record with that subject, once it is one of the RPC, and such a one.
  pbxgw::v1::AuditRecord record(
      const std::string& token, const std::string& rpc,
      const std::function<bool(const pbxgw::v1::AuditRecord&)>& is =
          [](const pbxgw::v1::AuditRecord&) { return true; }) {
    pbxgw::v1::JsonAuditEvent event;
    EXPECT_TRUE(eventually([&] {
      const auto stored =
          await(jetstream->last_message(wire::kAuditStream, "pbx.v1.audit." + token));
      return stored && google::protobuf::util::JsonStringToMessage(stored->payload, &event).ok() &&
             event.data().rpc().ends_with('/' + rpc) && is(event.data());
    })) << rpc
        << ", after " << event.data().ShortDebugString();
    return event.data();
  }

  template <class Call>
  grpc::Status as(const std::string& token, Call call) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    return call(context);
  }
  grpc::Status get(const std::string& principal, const std::string& tenant = "acme") {
    return get_with(PolicyFile::token_of(principal), tenant);
  }
  grpc::Status get_with(const std::string& token, const std::string& tenant = "acme") {
    return as(token, [&](grpc::ClientContext& context) {
      pbxgw::v1::GetTenantRequest request;
      request.set_name("tenants/" + tenant);
      pbxgw::v1::GetTenantResponse response;
      return pbxgw::v1::Tenants::NewStub(channel)->GetTenant(&context, request, &response);
    });
  }
  grpc::Status call(const std::string& principal, const std::string& tenant = "acme") {
    return call_with(PolicyFile::token_of(principal), tenant);
  }
  grpc::Status call_with(const std::string& token, const std::string& tenant = "acme") {
    return as(token, [&](grpc::ClientContext& context) {
      pbxgw::v1::MakeCallRequest request;
      request.set_device("tenants/" + tenant + "/devices/201");
      request.set_destination("+492285551234");
      request.set_request_id("1b4e28ba-2fa1-41d2-883f-0016d3cca427");
      pbxgw::v1::MakeCallResponse response;
      return pbxgw::v1::CallControl::NewStub(channel)->MakeCall(&context, request, &response);
    });
  }
};

}  // namespace control
