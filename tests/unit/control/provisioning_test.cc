#include "pbxgw/provisioning/v1/provisioning_service.grpc.pb.h"
#include "unit/control/control_fixture.h"

namespace control {
namespace {

namespace pv1 = pbxgw::provisioning::v1;
using base::Errc;
using pbxgw::v1::OwnerReply;
using pbxgw::v1::OwnerRequest;
using pv1::Provisioning;
using testing::HasSubstr;
using testing::Not;

constexpr char kId[] = "5d0aa5a1-5ac5-4c4d-9a6e-0b2c8f1a7d11";

struct ProvisioningTest : ControlFixture {
  ProvisioningTest() {
    make_owners();
    owners->add("acme");
    start();
    see("acme");
  }
  void script(std::function<OwnerReply(const OwnerRequest&)> answer) {
    owners->with("acme", [&](ScriptedOwners::Tenant& it) { it.on_command = std::move(answer); });
  }
  std::vector<OwnerRequest> heard() {
    return owners->with("acme", [](ScriptedOwners::Tenant& it) { return it.heard; });
  }

  static pv1::CreateDeviceRequest a_device() {
    pv1::CreateDeviceRequest request;
    request.set_parent("tenants/acme");
    request.mutable_device()->set_display_name("Ann's");
    request.mutable_device()->set_account("sip17");
    request.mutable_device()->set_password("s3cret");
    return request;
  }
  static pv1::CreateUserRequest a_user() {
    pv1::CreateUserRequest request;
    request.set_parent("tenants/acme");
    auto& user = *request.mutable_user();
    user.set_display_name("Ann");
    user.set_login("ann");
    user.set_password("s3cret");
    user.set_e_mail("ann@acme.example");
    user.set_extension("17");
    user.add_devices()->set_device("tenants/acme/phones/7287");
    user.add_roles()->set_id("4");
    user.add_licences()->set_id("9");
    return request;
  }
  static pv1::CreateUserTokenRequest a_token() {
    pv1::CreateUserTokenRequest request;
    request.set_parent("tenants/acme/users/12");
    request.mutable_user_token()->set_purpose("wall board");
    return request;
  }
  static pv1::CreateAgentRequest an_agent() {
    pv1::CreateAgentRequest request;
    request.set_parent("tenants/acme");
    request.mutable_agent()->set_user("tenants/acme/users/12");
    return request;
  }

  template <class Request, class Response>
  grpc::Status ask(grpc::Status (Provisioning::Stub::*method)(grpc::ClientContext*, const Request&,
                                                              Response*),
                   const Request& request, Response& response) {
    return call<Provisioning>(method, request, response);
  }
  // "INVALID_FIELD user.login"; empty if all is well.
  static std::string verdict(const grpc::Status& status) {
    std::string out = reason_of(status);
    google::rpc::BadRequest bad;
    const auto details = details_of(status);
    for (const auto& detail : details.details()) {
      if (detail.UnpackTo(&bad)) out += ' ' + bad.field_violations(0).field();
    }
    return out;
  }
  std::string verdict(const pv1::CreateDeviceRequest& request) {
    pv1::CreateDeviceResponse response;
    return verdict(ask(&Provisioning::Stub::CreateDevice, request, response));
  }
  std::string verdict(const pv1::CreateUserRequest& request) {
    pv1::CreateUserResponse response;
    return verdict(ask(&Provisioning::Stub::CreateUser, request, response));
  }
  std::string verdict(const pv1::CreateUserTokenRequest& request) {
    pv1::CreateUserTokenResponse response;
    return verdict(ask(&Provisioning::Stub::CreateUserToken, request, response));
  }
  std::string verdict(const pv1::CreateAgentRequest& request) {
    pv1::CreateAgentResponse response;
    return verdict(ask(&Provisioning::Stub::CreateAgent, request, response));
  }
  std::string verdict(const pv1::ListUsersRequest& request) {
    pv1::ListUsersResponse response;
    return verdict(ask(&Provisioning::Stub::ListUsers, request, response));
  }
};

TEST_F(ProvisioningTest, PassesAnOrderOnAsItCame) {
  script([](const OwnerRequest&) {
    OwnerReply reply;
    auto& user = *reply.mutable_order_result()->mutable_resource()->mutable_user();
    user.set_name("tenants/acme/users/12");
    user.set_login("ann");
    return reply;
  });
  auto request = a_user();
  request.set_request_id("5D0AA5A1-5AC5-4C4D-9A6E-0B2C8F1A7D11");
  pv1::CreateUserResponse response;
  const auto status = ask(&Provisioning::Stub::CreateUser, request, response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.user().name(), "tenants/acme/users/12");
  const auto all = heard();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].tenant(), "tenants/acme");
  EXPECT_EQ(all[0].request_id(), kId);
  EXPECT_EQ(all[0].order().create_user().SerializeAsString(), a_user().SerializeAsString());
}

TEST_F(ProvisioningTest, TellsTheTokenThatWasMade) {
  script([](const OwnerRequest&) {
    OwnerReply reply;
    auto& token = *reply.mutable_order_result()->mutable_resource()->mutable_user_token();
    token.set_name("tenants/acme/users/12/tokens/5");
    token.set_token("t0k3n");
    return reply;
  });
  pv1::CreateUserTokenResponse response;
  ASSERT_TRUE(ask(&Provisioning::Stub::CreateUserToken, a_token(), response).ok());
  EXPECT_EQ(response.user_token().token(), "t0k3n");
}

TEST_F(ProvisioningTest, ListsPageByPage) {
  script([](const OwnerRequest& request) {
    OwnerReply reply;
    auto& page = *reply.mutable_order_result()->mutable_page();
    const bool first = request.order().list_users().page_token().empty();
    page.add_resources()->mutable_user()->set_name(first ? "tenants/acme/users/1"
                                                         : "tenants/acme/users/2");
    if (first) page.set_next("place");
    return reply;
  });
  pv1::ListUsersRequest request;
  request.set_parent("tenants/acme");
  request.set_text("an");
  pv1::ListUsersResponse response;
  ASSERT_TRUE(ask(&Provisioning::Stub::ListUsers, request, response).ok());
  EXPECT_EQ(response.users(0).name(), "tenants/acme/users/1");
  ASSERT_NE(response.next_page_token(), "");

  request.set_page_token(response.next_page_token());
  request.set_page_size(7);
  response.Clear();
  ASSERT_TRUE(ask(&Provisioning::Stub::ListUsers, request, response).ok());
  EXPECT_EQ(response.users(0).name(), "tenants/acme/users/2");
  EXPECT_EQ(response.next_page_token(), "");
  const auto all = heard();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].order().list_users().page_size(), 100);
  EXPECT_EQ(all[0].order().list_users().text(), "an");
  EXPECT_EQ(all[1].order().list_users().page_size(), 7);
  EXPECT_EQ(all[1].order().list_users().page_token(), "place");

  request.set_text("other");
  EXPECT_THAT(verdict(request), HasSubstr("page_token"));
  request.set_page_token("made up");
  EXPECT_THAT(verdict(request), HasSubstr("page_token"));
}

// Each kind with a way of its own through the templates.
TEST_F(ProvisioningTest, ReadsAndDeletesEachKind) {
  script([](const OwnerRequest& request) {
    OwnerReply reply;
    auto& result = *reply.mutable_order_result();
    const auto& order = request.order();
    if (order.has_get_device()) {
      result.mutable_resource()->mutable_device()->set_name(order.get_device().name());
    } else if (order.has_get_user()) {
      result.mutable_resource()->mutable_user()->set_name(order.get_user().name());
    } else if (order.has_get_user_token()) {
      result.mutable_resource()->mutable_user_token()->set_name(order.get_user_token().name());
    } else if (order.has_get_agent()) {
      result.mutable_resource()->mutable_agent()->set_name(order.get_agent().name());
    } else if (order.has_list_devices()) {
      result.mutable_page()->add_resources()->mutable_device();
    } else if (order.has_list_user_tokens()) {
      result.mutable_page()->add_resources()->mutable_user_token();
    } else if (order.has_list_agents()) {
      result.mutable_page()->add_resources()->mutable_agent();
    } else {
      result.mutable_deleted();
    }
    return reply;
  });
  const auto get = [&](auto method, auto request, auto response, const char* name) {
    request.set_name(name);
    const auto status = ask(method, request, response);
    EXPECT_TRUE(status.ok()) << name << status.error_message();
    return response;
  };
  using Stub = Provisioning::Stub;
  const char* const phone = "tenants/acme/phones/7";
  const char* const user = "tenants/acme/users/7";
  const char* const token = "tenants/acme/users/7/tokens/8";
  const char* const agent = "tenants/acme/agents/7";
  EXPECT_EQ(get(&Stub::GetDevice, pv1::GetDeviceRequest(), pv1::GetDeviceResponse(), phone)
                .device()
                .name(),
            phone);
  EXPECT_EQ(get(&Stub::GetUser, pv1::GetUserRequest(), pv1::GetUserResponse(), user).user().name(),
            user);
  EXPECT_EQ(get(&Stub::GetUserToken, pv1::GetUserTokenRequest(), pv1::GetUserTokenResponse(), token)
                .user_token()
                .name(),
            token);
  EXPECT_EQ(
      get(&Stub::GetAgent, pv1::GetAgentRequest(), pv1::GetAgentResponse(), agent).agent().name(),
      agent);
  get(&Stub::DeleteDevice, pv1::DeleteDeviceRequest(), pv1::DeleteDeviceResponse(), phone);
  get(&Stub::DeleteUser, pv1::DeleteUserRequest(), pv1::DeleteUserResponse(), user);
  get(&Stub::DeleteUserToken, pv1::DeleteUserTokenRequest(), pv1::DeleteUserTokenResponse(), token);
  get(&Stub::DeleteAgent, pv1::DeleteAgentRequest(), pv1::DeleteAgentResponse(), agent);
  const auto list = [&](auto method, auto request, auto response, const char* parent) {
    request.set_parent(parent);
    EXPECT_TRUE(ask(method, request, response).ok());
    return response;
  };
  EXPECT_EQ(list(&Stub::ListDevices, pv1::ListDevicesRequest(), pv1::ListDevicesResponse(),
                 "tenants/acme")
                .devices_size(),
            1);
  EXPECT_EQ(
      list(&Stub::ListUserTokens, pv1::ListUserTokensRequest(), pv1::ListUserTokensResponse(), user)
          .user_tokens_size(),
      1);
  EXPECT_EQ(
      list(&Stub::ListAgents, pv1::ListAgentsRequest(), pv1::ListAgentsResponse(), "tenants/acme")
          .agents_size(),
      1);

  const auto refused = [&](auto method, auto request, auto response, const char* name) {
    request.set_name(name);
    return verdict(ask(method, request, response));
  };
  const std::size_t asked = heard().size();
  for (const char* name : {"", "tenants/acme", "tenants/acme/users/7", "tenants/acme/phones/_",
                           "tenants/_/phones/7", "tenants/acme/phones/7/8"}) {
    EXPECT_EQ(refused(&Stub::GetDevice, pv1::GetDeviceRequest(), pv1::GetDeviceResponse(), name),
              "INVALID_FIELD name")
        << name;
  }
  for (const char* name : {user, "tenants/acme/users/_/tokens/8", "tenants/acme/users/7/tokens/_",
                           "tenants/acme/users/7/tokens/8/9"}) {
    EXPECT_EQ(refused(&Stub::DeleteUserToken, pv1::DeleteUserTokenRequest(),
                      pv1::DeleteUserTokenResponse(), name),
              "INVALID_FIELD name")
        << name;
  }
  EXPECT_EQ(
      refused(&Stub::DeleteAgent, pv1::DeleteAgentRequest(), pv1::DeleteAgentResponse(), user),
      "INVALID_FIELD name");
  EXPECT_EQ(heard().size(), asked);
}

TEST_F(ProvisioningTest, PassesNothingOnThatItDoesNotKnow) {
  auto request = a_user();
  const std::string known = request.SerializeAsString();
  for (google::protobuf::Message* part :
       std::initializer_list<google::protobuf::Message*>{&request, request.mutable_user()}) {
    part->GetReflection()->MutableUnknownFields(part)->AddLengthDelimited(999, "tenants/beta");
  }
  verdict(request);
  const auto all = heard();
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all.back().order().create_user().SerializeAsString(), known);
}

TEST_F(ProvisioningTest, NamesTheFieldOfADeviceThatIsWrong) {
  const auto with = [&](auto change) {
    auto request = a_device();
    change(request);
    return verdict(request);
  };
  using Request = pv1::CreateDeviceRequest;
  EXPECT_EQ(with([](Request& it) { it.clear_parent(); }), "INVALID_FIELD parent");
  EXPECT_EQ(with([](Request& it) { it.set_parent("tenants/-"); }), "INVALID_FIELD parent");
  EXPECT_EQ(with([](Request& it) { it.clear_device(); }), "INVALID_FIELD device");
  EXPECT_EQ(with([](Request& it) { it.mutable_device()->clear_display_name(); }),
            "INVALID_FIELD device.display_name");
  EXPECT_EQ(with([](Request& it) { it.mutable_device()->set_account(std::string(65, 'x')); }),
            "INVALID_FIELD device.account");
  EXPECT_EQ(with([](Request& it) { it.mutable_device()->set_password("a\nb"); }),
            "INVALID_FIELD device.password");
  EXPECT_EQ(with([](Request& it) { it.mutable_device()->set_user("tenants/acme/phones/1"); }),
            "INVALID_FIELD device.user");
  EXPECT_EQ(with([](Request& it) { it.mutable_device()->set_user("tenants/other/users/1"); }),
            "INVALID_FIELD device.user");
  EXPECT_EQ(with([](Request& it) { it.set_request_id("1"); }), "INVALID_FIELD request_id");
  EXPECT_TRUE(heard().empty());
}

TEST_F(ProvisioningTest, NamesTheFieldOfAUserThatIsWrong) {
  const auto with = [&](auto change) {
    auto request = a_user();
    change(*request.mutable_user());
    return verdict(request);
  };
  using User = pv1::User;
  EXPECT_EQ(with([](User& it) { it.set_display_name(std::string(129, 'x')); }),
            "INVALID_FIELD user.display_name");
  EXPECT_EQ(with([](User& it) { it.clear_login(); }), "INVALID_FIELD user.login");
  EXPECT_EQ(with([](User& it) { it.set_password(std::string(257, 'x')); }),
            "INVALID_FIELD user.password");
  for (const char* no_address : {"ann", "@acme", "ann@", "a\x01@b"}) {
    EXPECT_EQ(with([&](User& it) { it.set_e_mail(no_address); }), "INVALID_FIELD user.e_mail");
  }
  EXPECT_EQ(with([](User& it) { it.set_extension(std::string(65, '1')); }),
            "INVALID_FIELD user.extension");
  EXPECT_EQ(with([](User& it) { it.add_devices()->set_device("7288"); }),
            "INVALID_FIELD user.devices[1].device");
  EXPECT_EQ(with([](User& it) {
              for (int i = 0; i < 16; ++i) it.add_devices()->set_device("tenants/acme/phones/1");
            }),
            "INVALID_FIELD user.devices");
  EXPECT_EQ(with([](User& it) { it.add_roles(); }), "INVALID_FIELD user.roles[1].id");
  EXPECT_EQ(with([](User& it) { it.mutable_licences(0)->set_id(std::string(65, '1')); }),
            "INVALID_FIELD user.licences[0].id");
  EXPECT_EQ(with([](User& it) {
              for (int i = 0; i < 32; ++i) it.add_licences()->set_id("1");
            }),
            "INVALID_FIELD user.licences");
  auto nobody = a_user();
  nobody.clear_user();
  EXPECT_EQ(verdict(nobody), "INVALID_FIELD user");
  EXPECT_TRUE(heard().empty());
}

TEST_F(ProvisioningTest, NamesTheFieldOfATokenAnAgentAndAListThatIsWrong) {
  auto token = a_token();
  token.set_parent("tenants/acme");
  EXPECT_EQ(verdict(token), "INVALID_FIELD parent");
  token = a_token();
  token.mutable_user_token()->clear_purpose();
  EXPECT_EQ(verdict(token), "INVALID_FIELD user_token.purpose");
  token.clear_user_token();
  EXPECT_EQ(verdict(token), "INVALID_FIELD user_token");

  auto agent = an_agent();
  agent.mutable_agent()->mutable_team();
  EXPECT_EQ(verdict(agent), "INVALID_FIELD agent.team.id");
  agent = an_agent();
  agent.mutable_agent()->set_max_chats(-1);
  EXPECT_EQ(verdict(agent), "INVALID_FIELD agent.max_chats");
  agent = an_agent();
  agent.mutable_agent()->set_max_tasks(101);
  EXPECT_EQ(verdict(agent), "INVALID_FIELD agent.max_tasks");
  agent = an_agent();
  agent.mutable_agent()->set_max_calls(101);
  EXPECT_EQ(verdict(agent), "INVALID_FIELD agent.max_calls");
  agent.mutable_agent()->clear_user();
  EXPECT_EQ(verdict(agent), "INVALID_FIELD agent.user");
  agent.clear_agent();
  EXPECT_EQ(verdict(agent), "INVALID_FIELD agent");

  pv1::ListUsersRequest list;
  list.set_parent("tenants/acme");
  list.set_page_size(-1);
  EXPECT_EQ(verdict(list), "INVALID_FIELD page_size");
  list.set_page_size(0);
  list.set_text(std::string(129, 'x'));
  EXPECT_EQ(verdict(list), "INVALID_FIELD text");
  EXPECT_TRUE(heard().empty());
}

TEST_F(ProvisioningTest, NeverSaysAPassword) {
  auto request = a_device();
  request.mutable_device()->set_password("s3cret\n" + std::string(300, 'x'));
  pv1::CreateDeviceResponse response;
  const auto status = ask(&Provisioning::Stub::CreateDevice, request, response);
  EXPECT_EQ(verdict(status), "INVALID_FIELD device.password");
  EXPECT_THAT(status.error_message() + status.error_details(), Not(HasSubstr("s3cret")));
}

TEST_F(ProvisioningTest, PassesTheOwnersErrorsOn) {
  script([](const OwnerRequest&) {
    OwnerReply reply;
    *reply.mutable_error() = refuse(Errc::already_exists);
    return reply;
  });
  pv1::CreateUserResponse response;
  const auto status = ask(&Provisioning::Stub::CreateUser, a_user(), response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(reason_of(status), "RESOURCE_EXISTS");
  auto elsewhere = a_user();
  elsewhere.set_parent("tenants/nobody");
  elsewhere.mutable_user()->clear_devices();
  EXPECT_EQ(verdict(elsewhere), "TENANT_NOT_FOUND");
}

TEST_F(ProvisioningTest, SaysThatTheAnswerIsNone) {
  script([](const OwnerRequest&) {
    OwnerReply reply;
    reply.mutable_order_result()->mutable_resource()->mutable_device();
    return reply;
  });
  EXPECT_EQ(verdict(a_user()), "INTERNAL_ERROR");
  pv1::ListUsersRequest list;
  list.set_parent("tenants/acme");
  EXPECT_EQ(verdict(list), "INTERNAL_ERROR");
  script([](const OwnerRequest&) {
    OwnerReply reply;
    reply.mutable_query_result();
    return reply;
  });
  EXPECT_EQ(verdict(a_user()), "INTERNAL_ERROR");
}

TEST_F(ProvisioningTest, SaysThatAnOrderWhoseAnswerIsLostMayHaveBeenDone) {
  owners->with("acme", [](ScriptedOwners::Tenant& it) { it.silent = true; });
  // The service's own limit: at the caller's he would not hear what is said.
  config.deadlines.most = std::chrono::milliseconds(200);
  stop();
  start();
  see("acme");
  EXPECT_EQ(verdict(a_user()), "OUTCOME_UNKNOWN");
  pv1::ListUsersRequest list;
  list.set_parent("tenants/acme");
  EXPECT_EQ(verdict(list), "TIMED_OUT");
}

TEST_F(ProvisioningTest, TellsTheSessionOfAnAgent) {
  script([](const OwnerRequest& request) {
    OwnerReply reply;
    auto& session = *reply.mutable_order_result()->mutable_agent_session();
    session.set_agent_id(request.order().get_agent_session().device_id());
    session.add_pause_causes("lunch");
    return reply;
  });
  using pbxgw::v1::Devices;
  pbxgw::v1::GetAgentSessionRequest request;
  pbxgw::v1::GetAgentSessionResponse response;
  const auto get = [&] {
    return call<Devices>(&Devices::Stub::GetAgentSession, request, response);
  };
  request.set_device("tenants/acme/devices/_2a97");
  ASSERT_TRUE(get().ok());
  EXPECT_EQ(response.agent_session().agent_id(), "*97");
  EXPECT_EQ(response.agent_session().pause_causes(0), "lunch");
  for (const char* name : {"", "201", "tenants/acme/phones/7", "tenants/acme/devices/_"}) {
    request.set_device(name);
    EXPECT_EQ(verdict(get()), "INVALID_FIELD device") << name;
  }
  script([](const OwnerRequest&) {
    OwnerReply reply;
    reply.mutable_order_result()->mutable_deleted();
    return reply;
  });
  request.set_device("tenants/acme/devices/17");
  EXPECT_EQ(verdict(get()), "INTERNAL_ERROR");
}

}  // namespace
}  // namespace control
