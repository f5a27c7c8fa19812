#include "control/dispatcher.h"
#include "pbxgw/v1/app_login_service.grpc.pb.h"
#include "unit/control/control_fixture.h"

namespace control {
namespace {

using base::Errc;
using namespace pbxgw::v1;

struct AppLoginTest : ControlFixture {
  AppLoginTest() {
    make_owners();
    owners->add("acme");
    start();
  }
  void script(std::function<OwnerReply(const OwnerRequest&)> answer) {
    owners->with("acme", [&](ScriptedOwners::Tenant& it) { it.on_command = std::move(answer); });
  }
  std::vector<OwnerRequest> heard() {
    return owners->with("acme", [](ScriptedOwners::Tenant& it) { return it.heard; });
  }
  static SignChallengeRequest asking() {
    SignChallengeRequest request;
    request.set_tenant("tenants/acme");
    request.set_app("phone");
    request.set_challenge("16d7dbbcccb63612");
    request.set_user("alice");
    return request;
  }
  grpc::Status sign(const SignChallengeRequest& request, SignChallengeResponse& response) {
    return call<AppLogin>(&AppLogin::Stub::SignChallenge, request, response);
  }
  // "INVALID_FIELD challenge".
  std::string verdict(const SignChallengeRequest& request) {
    SignChallengeResponse response;
    const auto status = sign(request, response);
    std::string out = reason_of(status);
    google::rpc::BadRequest bad;
    const auto details = details_of(status);
    for (const auto& detail : details.details()) {
      if (detail.UnpackTo(&bad)) out += ' ' + bad.field_violations(0).field();
    }
    return out;
  }
};

TEST_F(AppLoginTest, AsksTheOwnerAndPassesOnEveryField) {
  see("acme");
  script([](const OwnerRequest&) {
    OwnerReply reply;
    auto& login = *reply.mutable_sign_result();
    login.set_app("phone");
    login.set_domain("acme.example");
    login.set_sip("alice");
    login.set_guid("g");
    login.set_dn("Alice & Bob");
    login.set_info(R"({"a":"&"})");
    login.set_challenge("16d7dbbcccb63612");
    login.set_digest("d");
    login.set_json(R"({"digest":"d"})");
    return reply;
  });
  SignChallengeResponse response;
  const auto status = sign(asking(), response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.app(), "phone");
  EXPECT_EQ(response.domain(), "acme.example");
  EXPECT_EQ(response.sip(), "alice");
  EXPECT_EQ(response.guid(), "g");
  EXPECT_EQ(response.dn(), "Alice & Bob");
  EXPECT_EQ(response.info(), R"({"a":"&"})");
  EXPECT_EQ(response.challenge(), "16d7dbbcccb63612");
  EXPECT_EQ(response.digest(), "d");
  EXPECT_EQ(response.login_json(), R"({"digest":"d"})");
  const auto all = heard();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].tenant(), "tenants/acme");
  EXPECT_EQ(all[0].sign().app(), "phone");
  EXPECT_EQ(all[0].sign().challenge(), "16d7dbbcccb63612");
  EXPECT_EQ(all[0].sign().user(), "alice");
  EXPECT_EQ(all[0].sign().caller(), "127.0.0.1");
}

TEST_F(AppLoginTest, TellsNoInfoFromAnEmptyOne) {
  see("acme");
  script([](const OwnerRequest&) {
    OwnerReply reply;
    reply.mutable_sign_result();
    return reply;
  });
  SignChallengeResponse response;
  ASSERT_TRUE(sign(asking(), response).ok());
  EXPECT_FALSE(response.has_info());
}

TEST_F(AppLoginTest, ChecksTheFields) {
  see("acme");
  auto request = asking();
  request.set_tenant("acme");
  EXPECT_EQ(verdict(request), "INVALID_FIELD tenant");
  request.clear_tenant();
  EXPECT_EQ(verdict(request), "INVALID_FIELD tenant");
  request = asking();
  request.clear_challenge();
  EXPECT_EQ(verdict(request), "INVALID_FIELD challenge");
  request.set_challenge(std::string(65, 'a'));
  EXPECT_EQ(verdict(request), "INVALID_FIELD challenge");
  request.set_challenge("a\nb");
  EXPECT_EQ(verdict(request), "INVALID_FIELD challenge");
  request = asking();
  request.set_app(std::string(65, 'a'));
  EXPECT_EQ(verdict(request), "INVALID_FIELD app");
  request = asking();
  request.set_user("al\x7fice");
  EXPECT_EQ(verdict(request), "INVALID_FIELD user");
  request.set_user(std::string(65, 'a'));
  EXPECT_EQ(verdict(request), "INVALID_FIELD user");
  EXPECT_TRUE(heard().empty());
}

TEST_F(AppLoginTest, PassesOnTheOwnersRefusal) {
  see("acme");
  script([](const OwnerRequest&) {
    OwnerReply reply;
    *reply.mutable_error() = refuse(Errc::challenge_used);
    return reply;
  });
  SignChallengeResponse response;
  const auto status = sign(asking(), response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(reason_of(status), "CHALLENGE_USED");
}

TEST_F(AppLoginTest, SaysThatTheAnswerIsNone) {
  see("acme");
  script([](const OwnerRequest&) {
    OwnerReply reply;
    reply.mutable_query_result();
    return reply;
  });
  EXPECT_EQ(verdict(asking()), "INTERNAL_ERROR");
}

TEST_F(AppLoginTest, KnowsWhichTenantsThereAre) {
  see("acme");
  auto request = asking();
  request.set_tenant("tenants/nobody");
  EXPECT_EQ(verdict(request), "TENANT_NOT_FOUND");
}

TEST_F(AppLoginTest, CanBeAskedAgainIfTheOwnerIsSilent) {
  see("acme");
  owners->with("acme", [](ScriptedOwners::Tenant& it) { it.silent = true; });
  SignChallengeResponse response;
  const auto status =
      call<AppLogin>(&AppLogin::Stub::SignChallenge, asking(), response, std::chrono::seconds(2));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST(AddressOfAPeer, HasNoPort) {
  EXPECT_EQ(address_of("ipv4:192.0.2.7:50123"), "192.0.2.7");
  EXPECT_EQ(address_of("ipv6:[2001:db8::7]:50123"), "2001:db8::7");
  EXPECT_EQ(address_of("ipv6:%5B2001:db8::7%5D:50123"), "2001:db8::7");
  EXPECT_EQ(address_of("unix:/run/control.sock"), "unix");
  EXPECT_EQ(address_of("unix:"), "unix");
  EXPECT_EQ(address_of(""), "");
}

}  // namespace
}  // namespace control
