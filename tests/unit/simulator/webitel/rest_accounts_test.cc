#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rest_scene.h"

namespace simulator {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class WebitelAccountsTest : public testing::Test {
 protected:
  static std::string text(const boost::json::value& from, std::string_view path) {
    return RestScene::text(from, path);
  }
  std::string add_device(const std::string& account) {
    return text(
        scene.made("POST", "/devices",
                   R"({"name":"Phone","account":")" + account + R"(","password":"s3cret"})"),
        "id");
  }
  std::string add_user(const std::string& extension, const std::string& more) {
    return text(
        scene.made("POST", "/users",
                   R"({"name":"Ann","username":"ann)" + extension +
                       R"(","password":"pass","extension":")" + extension + "\"" + more + "}"),
        "id");
  }
  std::string licence() { return RestScene::each(scene.get("/license"), "id").front(); }
  std::string with_device(const std::string& device) {
    return R"(,"device":{"id":")" + device + R"("},"license":[{"id":")" + licence() + "\"}]";
  }

  RestScene scene;
};

TEST_F(WebitelAccountsTest, SetsUpAPhoneThatIsShownFlat) {
  const auto device =
      scene.made("POST", "/devices", R"({"name":"Desk","account":"d1","password":"s3cret"})");
  EXPECT_EQ(text(device, "account"), "d1");
  EXPECT_EQ(text(device, "user"), "{}");
  EXPECT_EQ(text(device, "logged_in"), "false");
  EXPECT_EQ(text(device, "created_by.name"), "gateway");
  EXPECT_TRUE(device.at("id").is_string());          // 64-bit numbers travel as texts
  EXPECT_TRUE(device.at("created_at").is_string());  //
  EXPECT_FALSE(device.as_object().contains("brand"));

  const std::string path = "/devices/" + text(device, "id");
  EXPECT_EQ(text(scene.made("PATCH", path, R"({"brand":"Snom"})"), "brand"), "Snom");
  EXPECT_EQ(text(scene.get(path), "name"), "Desk");
  const auto put = scene.made("PUT", path, R"({"name":"Table","account":"d1"})");
  EXPECT_FALSE(put.as_object().contains("brand")) << "what PUT has not is nothing";

  const auto gone = scene.made("DELETE", path + "?permanent=true");
  EXPECT_EQ(text(gone.as_array().at(0), "account"), "d1");
  EXPECT_EQ(scene.verdict("GET", path), "404 directory.devices.not_found");
}

TEST_F(WebitelAccountsTest, ListsPhonesInPages) {
  const auto id = add_device("extra");
  EXPECT_THAT(RestScene::each(scene.get("/devices"), "account"),
              ElementsAre("201", "202", "203", "204", "extra"));
  const auto page = scene.get("/devices?size=2&page=2&sort=!account");
  EXPECT_THAT(RestScene::each(page, "account"), ElementsAre("203", "202"));
  EXPECT_EQ(text(page, "next"), "true");
  EXPECT_FALSE(scene.get("/devices?size=5").as_object().contains("next"));
  EXPECT_THAT(RestScene::each(scene.get("/devices?q=EXT"), "id"), ElementsAre(id));
  EXPECT_THAT(RestScene::each(scene.get("/devices?fields=account&fields=password&account=extra"),
                              "password"),
              ElementsAre("s3cret"));
  EXPECT_THAT(RestScene::each(scene.get("/devices?user.id=10"), "account"), ElementsAre("201"));
}

TEST_F(WebitelAccountsTest, RefusesPhonesThatCannotBe) {
  EXPECT_EQ(scene.verdict("POST", "/devices", R"({"account":"d1"})"),
            "400 directory.devices.valid.name");
  EXPECT_EQ(scene.verdict("POST", "/devices", R"({"name":"x"})"),
            "400 directory.devices.valid.account");
  EXPECT_EQ(scene.verdict("POST", "/devices", R"({"name":"x","account":"201"})"),
            "409 directory.devices.conflict");
  EXPECT_EQ(scene.verdict("POST", "/devices", R"({"name":"x","account":"d","user":{"id":"77"}})"),
            "400 directory.devices.valid.user");
}

TEST_F(WebitelAccountsTest, NewUserCanAtOnceBeCalled) {
  const auto device = add_device("ann");
  const auto user = scene.made(
      "POST", "/users",
      R"({"name":"Ann","username":"ann","email":"a@b.example","password":"pass","extension":"2501",)"
      R"("roles":[{"id":1}],"profile":{"floor":"2"})" +
          with_device(device) + "}");
  EXPECT_THAT(text(user, "password"), AllOf(StartsWith("$2a$"), Not(HasSubstr("pass"))));
  EXPECT_EQ(text(user, "device.id"), device);
  EXPECT_EQ(text(user.at("devices").as_array().at(0), "id"), device);
  EXPECT_EQ(text(user.at("license").as_array().at(0), "id"), licence());
  EXPECT_NE(text(user.at("license").as_array().at(0), "expires_at"), "");
  EXPECT_EQ(text(user, "profile.floor"), "2");
  EXPECT_EQ(text(scene.get("/devices/" + device), "user.id"), text(user, "id"));
  EXPECT_EQ(text(user, "presence.status"), "sip") << "its phone is there";

  scene.talk("201", "2501", 1s);
  EXPECT_THAT(RestScene::each(scene.get("/users?extension=2501"), "id"),
              ElementsAre(text(user, "id")));
}

TEST_F(WebitelAccountsTest, UserWithoutAPhoneCannotBeCalled) {
  const auto id = add_user("2502", "");
  EXPECT_FALSE(scene.engine().extension(scene.engine().find_extension("2502")).registered);
  const auto device = add_device("later");
  scene.made("PATCH", "/users/" + id, R"({"device":{"id":)" + device + "}}");
  EXPECT_TRUE(scene.engine().extension(scene.engine().find_extension("2502")).registered);
  scene.made("DELETE", "/users/" + id);
  EXPECT_FALSE(scene.engine().extension(scene.engine().find_extension("2502")).registered);
  EXPECT_EQ(text(scene.get("/devices/" + device), "user"), "{}");
  EXPECT_EQ(scene.verdict("GET", "/users/" + id), "404 directory.users.not_found");
  add_user("2502", with_device(device));  // somebody else gets it
  EXPECT_TRUE(scene.engine().extension(scene.engine().find_extension("2502")).registered);
}

TEST_F(WebitelAccountsTest, RefusesUsersThatCannotBe) {
  EXPECT_EQ(scene.verdict("POST", "/users", R"({"name":"x"})"),
            "400 directory.users.valid.username");
  EXPECT_EQ(scene.verdict("POST", "/users", R"({"username":"x","extension":"20a"})"),
            "400 directory.users.valid.extension");
  EXPECT_EQ(scene.verdict("POST", "/users", R"({"username":"x","extension":"201"})"),
            "409 directory.users.conflict");
  EXPECT_EQ(scene.verdict("POST", "/users", R"({"username":"201"})"),
            "409 directory.users.conflict");
  EXPECT_EQ(scene.verdict("POST", "/users", R"({"username":"x","device":{"id":1}})"),
            "400 directory.users.valid.device");
  EXPECT_EQ(scene.verdict("POST", "/users", R"({"username":"x","license":[{"id":"99"}]})"),
            "400 directory.users.valid.license");
  EXPECT_EQ(scene.verdict("POST", "/users", R"({"username":"x","roles":[{"id":"99"}]})"),
            "400 directory.users.valid.roles");
  EXPECT_EQ(scene.verdict("POST", "/users", "[]"), "400 api.request.body");
}

TEST_F(WebitelAccountsTest, TokensSecretIsShownOnceAndLogsIn) {
  const auto user = add_user("2503", with_device(add_device("x")));
  const auto token =
      scene.made("POST", "/users/" + user + "/tokens", R"({"token":"","usage":"us"})");
  const std::string secret = text(token, "token");
  EXPECT_GE(secret.size(), 20u);
  EXPECT_EQ(text(token, "usage"), "us");
  EXPECT_EQ(text(token, "user.id"), user);
  const auto other = text(scene.made("POST", "/users/" + user + "/tokens", "{}"), "token");
  EXPECT_NE(secret, other);

  EXPECT_EQ(scene.log_in(secret), "hello");
  const std::string path = "/users/" + user + "/tokens/" + text(token, "id");
  EXPECT_THAT(boost::json::serialize(scene.get("/users/" + user + "/tokens")),
              Not(HasSubstr(secret)));
  EXPECT_THAT(boost::json::serialize(scene.get(path)), Not(HasSubstr(secret)));
  EXPECT_EQ(text(scene.made("PATCH", path, R"({"usage":"new"})"), "usage"), "new");
  EXPECT_EQ(scene.verdict("GET", "/users/10/tokens/" + text(token, "id")),
            "404 directory.tokens.not_found");
}

TEST_F(WebitelAccountsTest, RevokedTokenIsGoodForAWhile) {
  const auto user = add_user("2504", with_device(add_device("x")));
  const auto token = scene.made("POST", "/users/" + user + "/tokens", "{}");
  const std::string secret = text(token, "token");
  scene.made("DELETE", "/users/" + user + "/tokens/" + text(token, "id"));
  scene.token = secret;
  EXPECT_EQ(scene.verdict("GET", "/userinfo"), "200");
  scene.wait(30s);
  EXPECT_EQ(scene.verdict("GET", "/userinfo"), "401 app.session.unauthenticated");
  EXPECT_EQ(scene.log_in(secret), "app.session.unauthenticated");
}

TEST_F(WebitelAccountsTest, HowLongIsASetting) {
  auto settings = RestScene::tenant();
  settings.webitel.token_cache = 0ms;
  RestScene strict(settings);
  const auto token = strict.made("POST", "/users/10/tokens", "{}");
  strict.made("DELETE", "/users/10/tokens/" + text(token, "id"));
  strict.token = text(token, "token");
  EXPECT_EQ(strict.verdict("GET", "/userinfo"), "401 app.session.unauthenticated");
}

TEST_F(WebitelAccountsTest, LogsInByPasswordUntilLoggedOut) {
  const auto login = scene.made(
      "POST", "/login", R"({"domain":"acme.example","username":"201","password":"agent-201"})");
  EXPECT_EQ(text(login, "token_type"), "Bearer");
  const std::string secret = text(login, "access_token");
  EXPECT_EQ(scene.log_in(secret), "hello");
  const auto same =
      scene.made("POST", "/login", R"({"username":"201@acme.example","password":"agent-201"})");
  EXPECT_NE(text(same, "access_token"), secret);
  EXPECT_EQ(scene.verdict("POST", "/login", R"({"username":"201@acme.example","password":"no"})"),
            "401 app.session.unauthenticated");
  EXPECT_EQ(scene.verdict("POST", "/login", R"({"username":"201@other","password":"agent-201"})"),
            "401 app.session.unauthenticated");
  EXPECT_EQ(
      scene.verdict("POST", "/login", R"({"username":"204@acme.example","password":"agent-204"})"),
      "412 api.context.permissions.license");

  scene.made("POST", "/users/10/logout");
  scene.wait(30s);
  EXPECT_EQ(scene.log_in(secret), "app.session.unauthenticated");
  EXPECT_EQ(scene.log_in("token-201"), "hello") << "tokens that were made for it stay";
}

TEST_F(WebitelAccountsTest, SaysWhoOneIs) {
  scene.token = "token-201";
  const auto info = scene.get("/userinfo");
  EXPECT_EQ(text(info, "user_id"), "10");
  EXPECT_EQ(text(info, "dc"), "1");
  EXPECT_EQ(text(info, "domain"), "acme.example");
  EXPECT_EQ(text(info, "extension"), "201");
  EXPECT_NE(text(info, "license"), "[]");
  scene.token = "nobodys";
  EXPECT_EQ(scene.verdict("GET", "/userinfo"), "401 app.session.unauthenticated");
}

TEST_F(WebitelAccountsTest, AsksForPermissionsAndALicence) {
  scene.token = "token-201";
  EXPECT_EQ(scene.verdict("POST", "/users", R"({"username":"x"})"),
            "403 api.context.permissions.app_error");
  EXPECT_EQ(scene.verdict("POST", "/devices", R"({"name":"x","account":"x"})"),
            "403 api.context.permissions.app_error");
  EXPECT_EQ(scene.verdict("POST", "/users/10/tokens", "{}"),
            "403 api.context.permissions.app_error");
  EXPECT_EQ(scene.verdict("GET", "/license"), "403 api.context.permissions.app_error");
  scene.token = "token-204";
  EXPECT_EQ(scene.verdict("GET", "/userinfo"), "412 api.context.permissions.license");
}

TEST_F(WebitelAccountsTest, RoleGivesWhatItsOwnerMay) {
  scene.token = "gateway-token";
  const auto user = add_user("2505", R"(,"roles":[{"id":"1"}])" + with_device(add_device("x")));
  scene.token = text(scene.made("POST", "/users/" + user + "/tokens", "{}"), "token");
  EXPECT_EQ(scene.verdict("POST", "/devices", R"({"name":"y","account":"y"})"), "200");
}

TEST_F(WebitelAccountsTest, SetsUpAgents) {
  const auto agent =
      scene.made("POST", "/call_center/agents",
                 R"({"user":{"id":"11"},"chat_count":1,"task_count":1,"progressive_count":1})");
  EXPECT_EQ(text(agent, "user.id"), "11");
  EXPECT_EQ(text(agent, "status"), "offline");
  const std::string path = "/call_center/agents/" + text(agent, "id");
  EXPECT_EQ(text(scene.made("PATCH", path, R"({"description":"d"})"), "description"), "d");
  EXPECT_EQ(text(scene.get(path), "description"), "d");
  EXPECT_EQ(
      scene.verdict("POST", "/call_center/agents",
                    R"({"user":{"id":"11"},"chat_count":1,"task_count":1,"progressive_count":1})"),
      "409 store.sql_agent.save.app_error");
  EXPECT_EQ(scene.verdict("PUT", path, R"({"user":{"id":"11"}})"),
            "400 model.Agent.valid.chat_count");
  scene.made("DELETE", path);
  EXPECT_EQ(scene.verdict("GET", path), "404 store.sql_agent.get.app_error");
}

TEST_F(WebitelAccountsTest, AgentsNeedTheirCounts) {
  const auto verdict = [&](const std::string& body) {
    return scene.verdict("POST", "/call_center/agents", body);
  };
  EXPECT_EQ(verdict(R"({"chat_count":1,"task_count":1,"progressive_count":1})"),
            "400 model.Agent.valid.user");
  EXPECT_EQ(verdict(R"({"user":{"id":"11"},"task_count":1,"progressive_count":1})"),
            "400 model.Agent.valid.chat_count");
  EXPECT_EQ(verdict(R"({"user":{"id":"11"},"chat_count":1,"progressive_count":1})"),
            "400 model.Agent.valid.task_count");
  EXPECT_EQ(verdict(R"({"user":{"id":"11"},"chat_count":1,"task_count":1,"progressive_count":0})"),
            "400 model.Agent.valid.progressive_count");
}

}  // namespace
}  // namespace simulator
