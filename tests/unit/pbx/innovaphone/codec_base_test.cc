#include <string>
#include <string_view>

#include <gmock/gmock.h>

#include "pbx/innovaphone/codec.h"

namespace pbx::innovaphone {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What AppWebsocket itself says, each as the frame that it is.
template <class Body>
Body heard(std::string_view text) {
  const auto frame = parse(text);
  EXPECT_TRUE(frame.has_value()) << text;
  const auto* body = frame ? std::get_if<Body>(&frame->body) : nullptr;
  EXPECT_NE(body, nullptr) << text;
  return body ? *body : Body();
}

TEST(BaseCodec, ReadsAChallengeAsItWasWritten) {
  EXPECT_EQ(heard<Challenge>(R"({"mt":"AppChallengeResult","challenge":"609f44c1f7043ba1"})").text,
            "609f44c1f7043ba1");
  EXPECT_EQ(heard<Challenge>(R"({"challenge":00012,"mt":"AppChallengeResult"})").text, "00012");
  EXPECT_EQ(
      heard<Challenge>(R"({"mt":"AppChallengeResult","challenge":18446744073709551616})").text,
      "18446744073709551616");
  EXPECT_EQ(heard<Challenge>(R"({"mt":"AppChallengeResult","sysClient":true,"nonce":"x"})").text,
            "");
}

TEST(BaseCodec, ReadsTheVerdictOnALogin) {
  EXPECT_TRUE(heard<LoginResult>(R"({"mt":"AppLoginResult","ok":true,"app":"x"})").ok);
  EXPECT_FALSE(heard<LoginResult>(R"({"mt":"AppLoginResult"})").ok);
  EXPECT_FALSE(heard<LoginResult>(R"({"mt":"AppLoginResult","ok":false})").ok);
  const auto why = heard<LoginResult>(R"({"mt":"AppLoginResult","error":3,"errorText":"no"})");
  EXPECT_FALSE(why.ok);
  EXPECT_EQ(why.error, "3: no");
  EXPECT_EQ(heard<LoginResult>(R"({"mt":"AppLoginResult","errorText":"no"})").error, "no");
}

// As documented, section 2.4.
TEST(BaseCodec, ReadsWhatAPbxSaysOfItself) {
  const auto info = heard<PbxInfo>(
      R"({"mt":"PbxInfo","domain":"example.com","pbx":"master","pbxDns":"pbx.example.com",)"
      R"("apis":["PbxTableUsers","RCC",7,[],"PbxApi"],"version":"13r3","build":137766})");
  EXPECT_EQ(info.domain, "example.com");
  EXPECT_EQ(info.pbx, "master");
  EXPECT_EQ(info.dns, "pbx.example.com");
  EXPECT_THAT(info.apis, ElementsAre("PbxTableUsers", "RCC", "7", "PbxApi"));
  EXPECT_EQ(info.version, "13r3");
  EXPECT_EQ(info.build, "137766");
  EXPECT_THAT(heard<PbxInfo>(R"({"mt":"PbxInfo","pbx":"old"})").apis, IsEmpty());
}

TEST(BaseCodec, ReadsTheRest) {
  EXPECT_EQ(heard<AppInfo>(R"({"mt":"AppInfo","app":"inbound"})").app, "inbound");
  (void)heard<CheckBuild>(R"({"mt":"CheckBuild","url":"x"})");
  (void)heard<KeepAlive>(R"({"mt":"KeepAlive"})");
  (void)heard<KeepAlive>(R"({"mt":"KeepAlive","api":""})");
  (void)heard<Unknown>(R"({"mt":"Error","text":"?"})");
  // The same words of an API are that API's.
  (void)heard<Unknown>(R"({"mt":"KeepAlive","api":"Services"})");
}

TEST(BaseCodec, ReadsPresence) {
  const auto update = heard<PresenceUpdate>(
      R"({"mt":"PresenceUpdate","api":"PbxApi","src":"pre:1","presence":[)"
      R"({"contact":"tel:","activity":"busy","status":"closed"},{"contact":"im:","note":"n"}]})");
  ASSERT_EQ(update.items.size(), 2u);
  EXPECT_EQ(update.items[0].contact, "tel:");
  EXPECT_EQ(update.items[0].activity, "busy");
  EXPECT_EQ(update.items[0].status, "closed");
  EXPECT_EQ(update.items[1].note, "n");
  EXPECT_TRUE(heard<PresenceState>(R"({"mt":"PresenceState","api":"PbxApi","up":true})").up);
  EXPECT_FALSE(heard<PresenceState>(R"({"mt":"PresenceState","api":"PbxApi"})").up);
}

}  // namespace
}  // namespace pbx::innovaphone
