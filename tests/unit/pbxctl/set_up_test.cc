// The verbs that set a PBX up.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <unistd.h>

#include "pbxctl/fake_control.h"

namespace pbxctl {
namespace {

using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr char kId[] = "5d0aa5a1-5ac5-4c4d-9a6e-0b2c8f1a7d11";

class SetUpOfPbxctl : public testing::Test {
 protected:
  FakeControl control;
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("pbxctl_set_up_" + std::to_string(::getpid()));

  SetUpOfPbxctl() { std::filesystem::create_directories(folder); }
  ~SetUpOfPbxctl() override { std::filesystem::remove_all(folder); }

  Ran at_acme(std::vector<std::string> arguments, const std::string& input = {}) {
    arguments.insert(arguments.end(), {"--server", control.address(), "--tenant", "acme"});
    return run_with(arguments, input);
  }
  std::string file_with(const std::string& content) {
    const auto path = folder / "password.txt";
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  void answers(const char* rpc, const google::protobuf::Message& response) {
    control.provisioned[rpc] = response.SerializeAsString();
  }
  static pv1::Device a_phone(const std::string& id = "7287") {
    pv1::Device device;
    device.set_name("tenants/acme/phones/" + id);
    device.set_display_name("Ann's");
    device.set_account("sip17");
    device.set_user("tenants/acme/users/12");
    return device;
  }
  static pv1::User a_user() {
    pv1::User user;
    user.set_name("tenants/acme/users/12");
    user.set_display_name("Ann");
    user.set_login("ann");
    user.set_extension("17");
    user.add_devices()->set_device("tenants/acme/phones/7287");
    user.add_licences()->set_id("9");
    user.mutable_licences(0)->set_display_name("CALL_CENTER");
    user.add_roles()->set_id("4");
    return user;
  }
  void makes_token(const std::string& token) {
    pv1::CreateUserTokenResponse response;
    response.mutable_user_token()->set_name("tenants/acme/users/12/tokens/5");
    response.mutable_user_token()->set_token(token);
    answers("CreateUserToken", response);
  }
};

TEST_F(SetUpOfPbxctl, MakesAPhoneWithAPasswordFromAFile) {
  pv1::CreateDeviceResponse response;
  *response.mutable_device() = a_phone();
  answers("CreateDevice", response);
  const Ran ran = at_acme({"create-phone", "Ann's", "sip17", "--password-file",
                           file_with("s3cret \n"), "--user", "12"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out, "done  7287  Ann's\n");
  EXPECT_THAT(control.asked,
              ElementsAre("CreateDevice parent: \"tenants/acme\" device { display_name: "
                          "\"Ann\\'s\" account: \"sip17\" password: \"s3cret \" user: "
                          "\"tenants/acme/users/12\" }"));
  EXPECT_THAT(control.request_ids, ElementsAre(SizeIs(36)));
}

TEST_F(SetUpOfPbxctl, TakesAPasswordFromTheInputToo) {
  at_acme({"create-phone", "Ann's", "sip17", "--password-file", "-"}, "s3cret\r\n");
  ASSERT_THAT(control.asked, SizeIs(1));
  EXPECT_THAT(control.asked[0], HasSubstr("password: \"s3cret\""));
  at_acme({"create-phone", "Ann's", "sip17"});
  ASSERT_THAT(control.asked, SizeIs(2));
  EXPECT_THAT(control.asked[1], Not(HasSubstr("password")));
}

TEST_F(SetUpOfPbxctl, TakesNoPasswordThatIsNone) {
  const auto fails = [&](const std::string& file, const std::string& input, const char* why) {
    const Ran ran = at_acme({"create-user", "Ann", "ann", "--password-file", file}, input);
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr(why));
  };
  fails((folder / "none.txt").string(), "", "cannot be read");
  fails("-", "\n", "is empty");
  fails("-", std::string(5'000, 'x'), "is too large");
  EXPECT_THAT(control.asked, IsEmpty());
  EXPECT_EQ(at_acme({"create-user", "Ann", "ann", "--password", "s3cret"}).status, 2);
}

TEST_F(SetUpOfPbxctl, MakesAUser) {
  pv1::CreateUserResponse response;
  *response.mutable_user() = a_user();
  answers("CreateUser", response);
  const Ran ran = at_acme({"create-user",
                           "Ann",
                           "ann",
                           "--e-mail",
                           "ann@acme.example",
                           "--extension",
                           "17",
                           "--phone",
                           "7287",
                           "--phone",
                           "tenants/acme/phones/7288",
                           "--role",
                           "4",
                           "--licence",
                           "9",
                           "--licence",
                           "10",
                           "--request-id",
                           kId,
                           "--json"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr(std::string("\"requestId\":\"") + kId));
  EXPECT_THAT(ran.out, HasSubstr("\"name\":\"tenants/acme/users/12\""));
  EXPECT_THAT(
      control.asked,
      ElementsAre("CreateUser parent: \"tenants/acme\" user { display_name: \"Ann\" login: \"ann\" "
                  "e_mail: \"ann@acme.example\" extension: \"17\" devices { device: "
                  "\"tenants/acme/phones/7287\" } devices { device: \"tenants/acme/phones/7288\" } "
                  "roles { id: \"4\" } licences { id: \"9\" } licences { id: \"10\" } }"));
  EXPECT_THAT(control.request_ids, ElementsAre(kId));
}

TEST_F(SetUpOfPbxctl, PrintsATokenAndNothingElse) {
  makes_token("t0k3n");
  const Ran ran = at_acme({"create-token", "12", "wall board"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out, "t0k3n\n");
  EXPECT_THAT(ran.err, HasSubstr("token 5 of user 12"));
  EXPECT_THAT(ran.err, Not(HasSubstr("t0k3n")));
  EXPECT_THAT(control.asked,
              ElementsAre("CreateUserToken parent: \"tenants/acme/users/12\" user_token { purpose: "
                          "\"wall board\" }"));
  EXPECT_THAT(at_acme({"create-token", "12", "wall board", "--json"}).out,
              HasSubstr("\"token\":\"t0k3n\""));
}

TEST_F(SetUpOfPbxctl, SaysThatATokenIsToldOnce) {
  makes_token("");
  const Ran ran = at_acme({"create-token", "12", "wall board", "--request-id", kId});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("token 5 was made before"));
}

TEST_F(SetUpOfPbxctl, MakesAnAgent) {
  pv1::CreateAgentResponse response;
  response.mutable_agent()->set_name("tenants/acme/agents/6");
  response.mutable_agent()->set_display_name("Ann");
  answers("CreateAgent", response);
  const Ran ran = at_acme({"create-agent", "12", "--team", "3", "--calls", "2"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out, "done  6  Ann\n");
  EXPECT_THAT(control.asked,
              ElementsAre("CreateAgent parent: \"tenants/acme\" agent { user: "
                          "\"tenants/acme/users/12\" team { id: \"3\" } max_chats: 1 max_tasks: 1 "
                          "max_calls: 2 }"));
  EXPECT_EQ(at_acme({"create-agent", "12", "--calls", "0"}).status, 2);
}

TEST_F(SetUpOfPbxctl, ListsWhatThereIs) {
  pv1::ListDevicesResponse phones;
  *phones.add_devices() = a_phone("a_2eb");
  answers("ListDevices", phones);
  EXPECT_EQ(at_acme({"phones"}).out,
            "PHONE  NAME   ACCOUNT  USER\n"
            "a.b    Ann's  sip17    12\n");
  pv1::ListUsersResponse users;
  *users.add_users() = a_user();
  answers("ListUsers", users);
  EXPECT_EQ(at_acme({"users", "--text", "an"}).out,
            "USER  NAME  LOGIN  EXTENSION  PHONES  ROLES  LICENCES\n"
            "12    Ann   ann    17         7287    4      CALL_CENTER\n");
  pv1::ListUserTokensResponse tokens;
  auto& token = *tokens.add_user_tokens();
  token.set_name("tenants/acme/users/12/tokens/5");
  token.set_purpose("wall board");
  token.mutable_create_time()->set_seconds(kNow);
  answers("ListUserTokens", tokens);
  EXPECT_EQ(at_acme({"tokens", "12"}).out,
            "TOKEN  MADE                  PURPOSE\n"
            "5      2026-01-02T12:00:00Z  wall board\n");
  pv1::ListAgentsResponse agents;
  auto& agent = *agents.add_agents();
  agent.set_name("tenants/acme/agents/6");
  agent.set_display_name("Ann");
  agent.mutable_team()->set_id("3");
  agent.set_state(pv1::AGENT_STATE_NOT_READY);
  agent.set_state_reason("lunch");
  answers("ListAgents", agents);
  EXPECT_EQ(at_acme({"agents"}).out,
            "AGENT  NAME  EXTENSION  TEAM  STATE      REASON\n"
            "6      Ann   -          3     not-ready  lunch\n");
  EXPECT_THAT(control.asked,
              ElementsAre("ListDevices parent: \"tenants/acme\" page_size: 100",
                          "ListUsers parent: \"tenants/acme\" page_size: 100 text: \"an\"",
                          "ListUserTokens parent: \"tenants/acme/users/12\" page_size: 100",
                          "ListAgents parent: \"tenants/acme\" page_size: 100"));
}

TEST_F(SetUpOfPbxctl, ListsNoMoreThanItIsToldTo) {
  pv1::ListUsersResponse users;
  *users.add_users() = a_user();
  users.set_next_page_token("next");
  answers("ListUsers", users);
  const Ran ran = at_acme({"users", "--count", "2", "--json"});
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 2);
  EXPECT_THAT(ran.err, HasSubstr("there may be more"));
  EXPECT_THAT(control.asked,
              ElementsAre("ListUsers parent: \"tenants/acme\" page_size: 2",
                          "ListUsers parent: \"tenants/acme\" page_size: 1 page_token: \"next\""));
  answers("ListUsers", pv1::ListUsersResponse());
  EXPECT_EQ(at_acme({"users"}).out, "none\n");
}

TEST_F(SetUpOfPbxctl, ShowsOne) {
  pv1::GetDeviceResponse phone;
  *phone.mutable_device() = a_phone();
  answers("GetDevice", phone);
  EXPECT_EQ(at_acme({"phones", "7287"}).out,
            "PHONE  NAME   ACCOUNT  USER\n"
            "7287   Ann's  sip17    12\n");
  at_acme({"users", "a.b"});
  at_acme({"agents", "tenants/acme/agents/6"});
  EXPECT_THAT(control.asked, ElementsAre("GetDevice name: \"tenants/acme/phones/7287\"",
                                         "GetUser name: \"tenants/acme/users/a_2eb\"",
                                         "GetAgent name: \"tenants/acme/agents/6\""));
}

TEST_F(SetUpOfPbxctl, Deletes) {
  EXPECT_EQ(at_acme({"delete-phone", "7287"}).out, "done  7287  is gone\n");
  EXPECT_EQ(at_acme({"delete-user", "12"}).status, 0);
  EXPECT_EQ(at_acme({"delete-token", "12", "5"}).status, 0);
  EXPECT_EQ(at_acme({"delete-agent", "6"}).status, 0);
  EXPECT_THAT(control.asked, ElementsAre("DeleteDevice name: \"tenants/acme/phones/7287\"",
                                         "DeleteUser name: \"tenants/acme/users/12\"",
                                         "DeleteUserToken name: \"tenants/acme/users/12/tokens/5\"",
                                         "DeleteAgent name: \"tenants/acme/agents/6\""));
  EXPECT_THAT(control.request_ids, SizeIs(4));
}

TEST_F(SetUpOfPbxctl, SaysWhyNotAndHowToRepeat) {
  control.verdict = error(Errc::already_exists, "There is one.");
  EXPECT_EQ(at_acme({"create-user", "Ann", "ann"}).status, 4);
  control.verdict = error(Errc::outcome_unknown, "Nobody knows.");
  const Ran ran = at_acme({"delete-user", "12", "--request-id", kId});
  EXPECT_EQ(ran.status, 7);
  EXPECT_THAT(ran.err, HasSubstr(std::string("--request-id ") + kId));
}

TEST_F(SetUpOfPbxctl, ShowsTheDeskOfAnAgent) {
  auto& agent = control.agent;
  agent.set_agent_id("6");
  agent.set_state(v1::AGENT_STATE_NOT_READY);
  agent.set_state_reason("lunch");
  agent.mutable_state_time()->set_seconds(kNow - 65);
  agent.set_team_id("3");
  agent.set_team_name("Sales");
  agent.add_pause_causes("lunch");
  agent.add_pause_causes("training");
  auto& channel = *agent.add_channels();
  channel.set_channel("call");
  channel.set_state("waiting");
  channel.mutable_state_time()->set_seconds(kNow - 5);
  const Ran ran = at_acme({"agent", "201"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out,
            "agent     6\n"
            "state     not-ready for 1m05s\n"
            "reason    lunch\n"
            "team      Sales\n"
            "causes    lunch, training\n"
            "channels  call waiting for 5s\n");
  EXPECT_THAT(control.asked, ElementsAre("GetAgentSession device: \"tenants/acme/devices/201\""));
  EXPECT_THAT(at_acme({"agent", "201", "--json"}).out, HasSubstr("\"pauseCauses\""));
}

}  // namespace
}  // namespace pbxctl
