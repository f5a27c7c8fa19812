#include "pbx/innovaphone/sign.h"

#include <map>
#include <string>

#include <gmock/gmock.h>

#include "pbx/innovaphone/check.h"
#include "pbx/innovaphone/digest.h"

namespace pbx::innovaphone {
namespace {

using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class Signing : public testing::Test {
 protected:
  Signing() {
    settings.set("direction", std::string("outbound"));
    settings.set("host", std::string("pbx.example.com"));
    settings.set("url_path", std::string());
    settings.set("url_app", std::string("inbound"));
    settings.set("app_object", std::string("gateway"));
    set_apps({{"rcc", {"test.com", "secret", true}}});
  }
  void set_apps(std::map<std::string, App> apps) { settings.set("apps", std::move(apps)); }

  // Empty if it was signed; otherwise the error.
  std::string refused(const LoginChallenge& asked) {
    why.clear();
    const auto signed_login = sign_login(settings, asked, why);
    EXPECT_THAT(why, Not(HasSubstr("secret")));
    if (!signed_login) return base::name_of(signed_login.error());
    login = *signed_login;
    return "";
  }

  Settings settings;
  std::string why;
  SignedLogin login;
};

// The example of the protocol document, section 2.5, and its vector 11.
TEST_F(Signing, SaysWhatTheBrowserLibraryExpects) {
  EXPECT_EQ(refused({"rcc", "0123456789abcdef", ""}), "");
  EXPECT_EQ(
      login.json,
      R"({"mt":"AppGetLoginResult","app":"rcc","domain":"test.com","sip":"","guid":"","dn":"",)"
      R"("challenge":"0123456789abcdef",)"
      R"("digest":"ad9dc5381862c43155a79933572e920aef4a46dc02b4b8c5dc794f0cb446b1bf"})");
  EXPECT_EQ(login.app, "rcc");
  EXPECT_EQ(login.domain, "test.com");
  EXPECT_EQ(login.sip, "");
  EXPECT_FALSE(login.info.has_value());
  EXPECT_EQ(login.digest, "ad9dc5381862c43155a79933572e920aef4a46dc02b4b8c5dc794f0cb446b1bf");
}

// Vector 5: the tutorial's.
TEST_F(Signing, SignsTheTutorialsExample) {
  set_apps({{"test", {"test.com", "secret", true}}});
  EXPECT_EQ(refused({"", "0", ""}), "");
  EXPECT_EQ(login.app, "test");
  EXPECT_EQ(login.digest, "66ee3f52256a8eed034603b98cbaf98890bab6f42adb4a34de928e1885d68293");
}

TEST_F(Signing, ConfinesALoginToItsUser) {
  set_apps({{"rcc", {"test.com", "secret", false}}});
  EXPECT_EQ(refused({"rcc", "0123456789abcdef", ""}), "permission_denied");
  EXPECT_THAT(why, StartsWith("user: "));
  EXPECT_EQ(refused({"rcc", "0123456789abcdef", "alice"}), "");
  EXPECT_EQ(login.sip, "alice");
  EXPECT_THAT(login.json, HasSubstr(R"("sip":"alice")"));
  LoginFields fields{"rcc", "test.com", "alice", "", "", {}};
  EXPECT_EQ(login.digest, login_digest(fields, "0123456789abcdef", "secret"));
}

// To the PBX that is a login of the App object, with all its rights.
TEST_F(Signing, TakesTheAppsOwnNameForNoUser) {
  set_apps({{"rcc", {"test.com", "secret", false}}, {"wall", {"test.com", "secret", true}}});
  for (const char* user : {"rcc", "RCC", "Rcc"}) {
    EXPECT_EQ(refused({"rcc", "1", user}), "permission_denied");
    EXPECT_THAT(why, StartsWith("user: "));
  }
  EXPECT_EQ(refused({"rcc", "1", "rcc1"}), "");
  EXPECT_EQ(refused({"wall", "1", "wall"}), "");
}

TEST_F(Signing, SaysTheVeryBytesThatItSigned) {
  set_apps({{"r\"cc", {"müller.example", "secret", false}}});
  EXPECT_EQ(refused({"", "ab\\cd", "jürgen & \"co\""}), "");
  EXPECT_EQ(login.sip, "jürgen & \"co\"");
  EXPECT_EQ(login.challenge, "ab\\cd");
  EXPECT_THAT(login.json, HasSubstr(R"("sip":"jürgen & \"co\"")"));
  EXPECT_THAT(login.json, HasSubstr(R"("challenge":"ab\\cd")"));
  EXPECT_THAT(login.json, HasSubstr(R"("app":"r\"cc","domain":"müller.example")"));
}

TEST_F(Signing, SignsForConfiguredAppsOnly) {
  EXPECT_EQ(refused({"users", "1", "alice"}), "permission_denied");
  EXPECT_THAT(why, StartsWith("app: "));
  set_apps({});
  EXPECT_EQ(refused({"", "1", "alice"}), "permission_denied");
  EXPECT_EQ(refused({"rcc", "1", "alice"}), "permission_denied");
  set_apps({{"a", {"", "secret", false}}, {"b", {"", "secret", false}}});
  EXPECT_EQ(refused({"", "1", "alice"}), "invalid_argument");
  EXPECT_THAT(why, StartsWith("app: "));
  EXPECT_EQ(refused({"b", "1", "alice"}), "");
  EXPECT_EQ(login.app, "b");
}

TEST_F(Signing, NeverSignsForTheGatewaysOwnAppObject) {
  set_apps({{"gateway", {"test.com", "secret", true}}});
  for (const char* app : {"", "gateway"}) {
    for (const char* user : {"", "alice", "gateway"}) {
      EXPECT_EQ(refused({app, "1", user}), "permission_denied");
      EXPECT_THAT(why, StartsWith("app: "));
    }
  }
}

TEST_F(Signing, RefusesAChallengeThatIsMoreThanOne) {
  for (const std::string& challenge :
       {std::string(), std::string("a:b"), std::string(":"), std::string("a\n"),
        std::string("a\0b", 3), std::string("\x7f"), std::string(65, 'a')}) {
    EXPECT_EQ(refused({"rcc", challenge, "alice"}), "invalid_argument") << challenge;
    EXPECT_THAT(why, StartsWith("challenge: "));
  }
  EXPECT_EQ(refused({"rcc", std::string(64, 'a'), "alice"}), "");
}

TEST_F(Signing, RefusesAUserThatIsMoreThanOne) {
  for (const std::string& user :
       {std::string("alice:"), std::string("a:0:dn"), std::string("a\t"), std::string(65, 'a')}) {
    EXPECT_EQ(refused({"rcc", "1", user}), "invalid_argument") << user;
    EXPECT_THAT(why, StartsWith("user: "));
  }
  EXPECT_EQ(refused({"rcc", "1", std::string(64, 'a')}), "");
}

// ---- What of the settings does not go together. ----

using Check = Signing;

std::vector<std::string> wrong(const Settings& settings) {
  std::vector<std::string> names;
  for (const Mistake& it : check(settings)) names.push_back(it.setting);
  return names;
}

TEST_F(Check, WantsAHostToDialAndAPathToBeDialledAt) {
  EXPECT_THAT(wrong(settings), IsEmpty());
  settings.set("host", std::string());
  EXPECT_THAT(wrong(settings), ElementsAre("host"));
  settings.set("direction", std::string("inbound"));
  EXPECT_THAT(wrong(settings), ElementsAre("url_path"));
  settings.set("url_path", std::string("/acme"));
  EXPECT_THAT(wrong(settings), IsEmpty());
  settings.set("url_app", std::string());
  EXPECT_THAT(wrong(settings), ElementsAre("url_app"));
}

TEST_F(Check, KeepsWhatIsSignedApart) {
  set_apps({{"gateway", {"", "secret", false}}});
  EXPECT_THAT(wrong(settings), ElementsAre("apps"));
  set_apps({{"a:b", {"", "secret", false}}, {"c", {"d:e", "secret", false}}});
  EXPECT_THAT(wrong(settings), ElementsAre("apps", "apps"));
  set_apps({});
  settings.set("app_object", std::string("gate:way"));
  EXPECT_THAT(wrong(settings), ElementsAre("app_object"));
}

}  // namespace
}  // namespace pbx::innovaphone
