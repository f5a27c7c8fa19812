#include <fstream>

#include "pbxgw/v1/app_login_service.grpc.pb.h"
#include "support/certificate_maker.h"
#include "unit/control/audit_fixture.h"

namespace control {
namespace {

using namespace pbxgw::v1;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

// What is told of those whom the gate lets in: who it was, what streams do, what there is no room
// for; and how streams end with the right to them.
struct AuditStreamsTest : AuditFixture {
  // Of media clients, an owner that takes everything and says "ready".
  void serve_media_clients() {
    owners->with("acme", [](ScriptedOwners::Tenant& it) {
      auto polls = std::make_shared<std::vector<bus::Request>>();
      it.on_signal = [polls](const SignalCommand& asked, bus::Request request) {
        OwnerReply reply;
        auto& result = *reply.mutable_signal_result();
        if (asked.has_poll() && asked.poll().after() > 0) {
          return polls->push_back(std::move(request));
        }
        if (asked.has_poll()) {
          result.set_first_number(1);
          result.add_messages()->mutable_ready();
        }
        request.respond(reply.SerializeAsString());
      };
    });
  }
  // Of recordings, an owner that has one without an end, or of one part.
  void serve_recordings(bool is_endless) {
    owners->with("acme", [=](ScriptedOwners::Tenant& it) {
      it.on_command = [=](const OwnerRequest& request) {
        OwnerReply reply;
        auto& result = *reply.mutable_history_result();
        if (request.history().has_open()) {
          result.mutable_opened()->set_transfer_id("1");
        } else if (request.history().has_read()) {
          result.mutable_part()->set_data(std::string(200'000, 'x'));
          result.mutable_part()->set_last(!is_endless);
        } else {
          result.mutable_closed();
        }
        return reply;
      };
    });
  }

  // A stream that a client has open; cancelled with it.
  template <class Stream>
  struct Open {
    std::unique_ptr<grpc::ClientContext> context = std::make_unique<grpc::ClientContext>();
    std::unique_ptr<Stream> stream;

    explicit Open(const std::string& token) {
      context->set_deadline(std::chrono::system_clock::now() + kDeadline);
      if (!token.empty()) context->AddMetadata("authorization", "Bearer " + token);
    }
    Open(Open&&) = default;
    ~Open() {
      if (!stream) return;
      context->TryCancel();
      end();
    }
    // What it ends with, whatever comes before.
    std::string end() {
      typename Stream::Response response;
      while (stream->Read(&response)) {
      }
      const auto status = stream->Finish();
      stream.reset();
      return status.ok() ? "OK" : reason_of(status);
    }
  };
  template <class Of>
  struct Reader {
    using Response = Of;
    std::unique_ptr<grpc::ClientReader<Of>> reader;
    bool Read(Of* response) { return reader->Read(response); }
    grpc::Status Finish() { return reader->Finish(); }
  };
  struct Media {
    using Response = SignalResponse;
    std::unique_ptr<grpc::ClientReaderWriter<SignalRequest, SignalResponse>> both;
    bool Read(SignalResponse* response) { return both->Read(response); }
    grpc::Status Finish() { return both->Finish(); }
  };

  Open<Media> media(const std::string& token) {
    Open<Media> open(token);
    open.stream = std::make_unique<Media>();
    open.stream->both = WebRtc::NewStub(channel)->Signal(open.context.get());
    SignalRequest first;
    first.mutable_open()->set_device("tenants/acme/devices/201");
    open.stream->both->Write(first);
    return open;
  }
  Open<Reader<WatchResponse>> watch(const std::string& token) {
    Open<Reader<WatchResponse>> open(token);
    WatchRequest request;
    request.set_parent("tenants/acme");
    open.stream = std::make_unique<Reader<WatchResponse>>();
    open.stream->reader = Events::NewStub(channel)->Watch(open.context.get(), request);
    return open;
  }
  Open<Reader<GetRecordingResponse>> recording(const std::string& token) {
    Open<Reader<GetRecordingResponse>> open(token);
    GetRecordingRequest request;
    request.set_name("tenants/acme/recordings/3");
    open.stream = std::make_unique<Reader<GetRecordingResponse>>();
    open.stream->reader = CallHistory::NewStub(channel)->GetRecording(open.context.get(), request);
    return open;
  }
  template <class OpenStream>
  static bool begins(OpenStream& open) {
    typename std::decay_t<decltype(*open.stream)>::Response response;
    return open.stream->Read(&response);
  }
  static std::string token(const std::string& name) { return PolicyFile::token_of(name); }
};

// ---- Who it was ----

TEST_F(AuditStreamsTest, SaysWhichOfAnIssuersUsersItWas) {
  start();
  for (const char* name : {"anna", "bob"}) {
    EXPECT_TRUE(call_with(jwt(name)).ok());
    const auto made =
        record("acme", "MakeCall", [&](const auto& it) { return it.subject() == name; });
    EXPECT_EQ(made.principal(), "staff");
    EXPECT_EQ(made.credential(), "jwt");
  }
  EXPECT_EQ(reason_of(call_with(jwt("bob"), "elsewhere")), "ACCESS_DENIED");
  EXPECT_EQ(record("_", "MakeCall").subject(), "bob") << "of a refusal, too";
  EXPECT_TRUE(call("crm").ok());
  EXPECT_EQ(
      record("acme", "MakeCall", [](const auto& it) { return it.principal() == "crm"; }).subject(),
      "");
}

TEST_F(AuditStreamsTest, SaysWhoseLoginWasSigned) {
  start();
  as(token("crm"), [&](grpc::ClientContext& context) {
    SignChallengeRequest request;
    request.set_tenant("tenants/acme");
    request.set_app("phone");
    request.set_user("alice");
    request.set_challenge("0123456789abcdef");
    SignChallengeResponse response;
    return AppLogin::NewStub(channel)->SignChallenge(&context, request, &response);
  });
  const auto signed_for = record("acme", "SignChallenge");
  EXPECT_EQ(signed_for.app(), "phone");
  EXPECT_EQ(signed_for.user(), "alice");
  EXPECT_THAT(signed_for.ShortDebugString(), Not(HasSubstr("0123456789abcdef")));
}

// ---- What streams do ----

TEST_F(AuditStreamsTest, TellsOfAMediaClientsBeginningItsCallsAndItsEnd) {
  serve_media_clients();
  start();
  auto client = media(jwt("anna"));
  ASSERT_TRUE(begins(client));
  const auto begun = record("acme", "Signal");
  EXPECT_TRUE(begun.begun());
  EXPECT_TRUE(begun.admitted());
  EXPECT_EQ(begun.subject(), "anna");
  EXPECT_EQ(begun.resource(), "tenants/acme/devices/201");

  SignalRequest said;
  said.mutable_start_call()->set_call("a");
  said.mutable_start_call()->set_destination("+492285551234");
  said.mutable_start_call()->set_sdp("v=0");
  client.stream->both->Write(said);
  const auto called =
      record("acme", "Signal", [](const auto& it) { return it.action() == "start_call"; });
  EXPECT_EQ(called.destination(), "**********234");
  EXPECT_EQ(called.code(), "OK");
  EXPECT_FALSE(called.begun());
  EXPECT_EQ(called.subject(), "anna");
  EXPECT_EQ(called.resource(), "tenants/acme/devices/201");

  said.mutable_transfer_media()->set_call("a");
  said.mutable_transfer_media()->set_destination("00492285551999");
  client.stream->both->Write(said);
  EXPECT_EQ(record("acme", "Signal", [](const auto& it) { return it.action() == "transfer_media"; })
                .destination(),
            "***********999");

  client.stream->both->WritesDone();
  EXPECT_EQ(client.end(), "OK");
  const auto ended = record("acme", "Signal", [](const auto& it) { return it.action().empty(); });
  EXPECT_FALSE(ended.begun());
  EXPECT_EQ(ended.code(), "OK");
  EXPECT_EQ(count(), 4u);
  EXPECT_EQ(metric("pbxgw_audit_records_total{outcome=\"begun\"}"), "1");
}

TEST_F(AuditStreamsTest, TellsOfACallThatTheOwnerMayHaveHeardOf) {
  serve_media_clients();
  config.lease_ttl = 1min;  // nobody renews it
  config.signal_times.ask_wait = 100ms;
  config.signal_times.owner_patience = 200ms;
  start();
  auto client = media(token("crm"));
  ASSERT_TRUE(begins(client));
  record("acme", "Signal", [](const auto& it) { return it.begun(); });
  owners->with("acme", [](ScriptedOwners::Tenant& it) { it.silent = true; });
  SignalRequest said;
  said.mutable_start_call()->set_call("a");
  said.mutable_start_call()->set_destination("+492285551234");
  said.mutable_start_call()->set_sdp("v=0");
  client.stream->both->Write(said);
  EXPECT_EQ(client.end(), "OWNER_MOVING");
  stop();  // both are written by then, in whichever order
  EXPECT_EQ(count(), 3u) << "begun, the call, and the end";
}

TEST_F(AuditStreamsTest, TellsThatARecordingIsHeardBeforeItIs) {
  serve_recordings(/*is_endless=*/true);
  start();
  {
    auto one = recording(token("crm"));
    ASSERT_TRUE(begins(one));
    const auto begun = record("acme", "GetRecording");
    EXPECT_TRUE(begun.begun());
    EXPECT_TRUE(begun.admitted());
    EXPECT_EQ(begun.principal(), "crm");
    EXPECT_EQ(begun.resource(), "tenants/acme/recordings/3");
  }
  const auto broken_off =
      record("acme", "GetRecording", [](const auto& it) { return !it.begun(); });
  EXPECT_EQ(broken_off.code(), "CANCELLED");
  serve_recordings(/*is_endless=*/false);
  EXPECT_EQ(recording(token("crm")).end(), "OK");
  record("acme", "GetRecording", [](const auto& it) { return !it.begun() && it.code() == "OK"; });
  EXPECT_EQ(count(), 4u);
}

// ---- What there is no room for ----

TEST_F(AuditStreamsTest, TellsOfRpcsThatThereIsNoRoomFor) {
  config.limits.commands_max = 1;
  config.limits.watches_max = 1;
  start();
  auto first = watch(token("crm"));
  ASSERT_TRUE(begins(first));
  EXPECT_EQ(watch(token("wall")).end(), "PERFORMANCE_LIMIT_EXCEEDED");
  const auto refused = record("acme", "Watch");
  EXPECT_EQ(refused.principal(), "wall");
  EXPECT_EQ(refused.reason(), "PERFORMANCE_LIMIT_EXCEEDED");
  EXPECT_FALSE(refused.admitted());

  owners->with("acme", [](ScriptedOwners::Tenant& it) {
    it.silent = true;
    it.heard.clear();
  });
  std::thread caller([&] { call("crm"); });
  EXPECT_TRUE(eventually([&] {
    return owners->with("acme", [](ScriptedOwners::Tenant& it) { return !it.heard.empty(); });
  }));
  EXPECT_EQ(reason_of(get("wall")), "PERFORMANCE_LIMIT_EXCEEDED");
  EXPECT_FALSE(record("acme", "GetTenant").admitted());
  EXPECT_EQ(reason_of(call("crm")), "PERFORMANCE_LIMIT_EXCEEDED");
  EXPECT_FALSE(record("acme", "MakeCall").admitted());
  EXPECT_EQ(count(), 3u) << "one each";
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(get("wall").ok());
  owners->answer_late("acme");
  caller.join();
  record("acme", "MakeCall", [](const auto& it) { return it.admitted(); });
  EXPECT_EQ(count(), 3u + 9 + 1) << "ten of a kind, and the call";
}

TEST_F(AuditStreamsTest, LimitsTheStreamsOfOneCaller) {
  config.callers.signals_max = 1;
  config.callers.recordings_max = 1;
  serve_media_clients();
  serve_recordings(/*is_endless=*/true);
  start();
  {
    auto client = media(token("crm"));
    auto download = recording(token("crm"));
    ASSERT_TRUE(begins(client));
    ASSERT_TRUE(begins(download));
    EXPECT_EQ(media(token("crm")).end(), "PERFORMANCE_LIMIT_EXCEEDED");
    EXPECT_EQ(recording(token("crm")).end(), "PERFORMANCE_LIMIT_EXCEEDED");
    auto other = media(jwt("anna"));
    EXPECT_TRUE(begins(other)) << "another caller";
    EXPECT_EQ(metric("pbxgw_rate_limited_total{limit=\"signals\"}"), "1");
    EXPECT_EQ(metric("pbxgw_rate_limited_total{limit=\"recordings\"}"), "1");
  }
  EXPECT_TRUE(eventually([&] {
    auto client = media(token("crm"));
    return begins(client);
  })) << "the place is free again";
}

// ---- The end of the right ----

TEST_F(AuditStreamsTest, EndsAMediaStreamAndADownloadWithTheirToken) {
  serve_media_clients();
  serve_recordings(/*is_endless=*/true);
  start();
  auto client = media(jwt("anna", 4s));
  auto download = recording(jwt("anna"));
  EXPECT_TRUE(begins(client));
  EXPECT_TRUE(begins(download));
  EXPECT_EQ(client.end(), "CREDENTIALS_EXPIRED");
  EXPECT_EQ(download.end(), "CREDENTIALS_EXPIRED");
}

struct CertificateEndTest : AuditStreamsTest {
  const support::CertificateMaker authority;
  std::filesystem::path folder = std::filesystem::path(policy.path()).parent_path();

  CertificateEndTest() {
    const auto pair = authority.issue("localhost", 1h);
    write("tls.crt", pair.certificate);
    write("tls.key", pair.key);
    write("ca.crt", authority.certificate());
    config.server.tls = {folder / "tls.crt", folder / "tls.key", folder / "ca.crt"};
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name) << text;
  }
  std::shared_ptr<grpc::Channel> connect_as(const std::string& name, std::chrono::seconds life) {
    const auto pair = authority.issue(name, life);
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetSslTargetNameOverride("localhost");
    return grpc::CreateCustomChannel(
        "127.0.0.1:" + std::to_string(service->grpc_port()),
        grpc::SslCredentials({authority.certificate(), pair.key, pair.certificate}), arguments);
  }
};

TEST_F(CertificateEndTest, EndsEveryStreamWithTheCertificateThatItWasOpenedWith) {
  serve_media_clients();
  ControlFixture::start();
  channel = connect_as("crm", 1h);
  ASSERT_TRUE(eventually([&] { return get_with("").ok(); }));
  const auto long_lived = channel;
  auto goes_on = watch("");
  ASSERT_TRUE(begins(goes_on));

  channel = connect_as("crm", 5s);
  auto watcher = watch("");
  auto client = media("");
  ASSERT_TRUE(begins(watcher));
  ASSERT_TRUE(begins(client));
  EXPECT_EQ(record("acme", "Signal").subject(), "cn:crm");
  EXPECT_EQ(watcher.end(), "CREDENTIALS_EXPIRED");
  EXPECT_EQ(client.end(), "CREDENTIALS_EXPIRED");
  EXPECT_EQ(reason_of(get_with("")), "CREDENTIALS_EXPIRED") << "nor anew over that connection";

  channel = long_lived;
  EXPECT_TRUE(get_with("").ok());
  owners->publish("acme", device_event("201"));
  EXPECT_TRUE(begins(goes_on)) << "another certificate";
}

}  // namespace
}  // namespace control
