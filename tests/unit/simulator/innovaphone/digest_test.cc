#include "simulator/innovaphone/digest.h"

#include <gtest/gtest.h>

#include "simulator/innovaphone/login.h"

namespace simulator::innovaphone {
namespace {

LoginFields fields(std::string app, std::string domain = "", std::string sip = "",
                   std::string guid = "", std::string dn = "",
                   std::optional<std::string> info = std::nullopt) {
  LoginFields it;
  it.app = std::move(app);
  it.domain = std::move(domain);
  it.sip = std::move(sip);
  it.guid = std::move(guid);
  it.dn = std::move(dn);
  it.info = std::move(info);
  return it;
}

constexpr std::string_view kChallenge = "0123456789abcdef";

// The numbers are those of the protocol's description.
TEST(DigestTest, IsThatOfThePublishedVectors) {
  EXPECT_EQ(login_digest(fields("pbxadminapi"), kChallenge, "pwd"),
            "a205299ed2ef2786c311e0be1b14db343f2cadd906a6ae7b564eee34bda5e9a1");  // 1
  EXPECT_EQ(login_digest(fields("pbxadminapi", "", "", "", "", "{}"), kChallenge, "pwd"),
            "57b23fe824b9222a7ac879597cb509bcdc865a1bfeb057d9d12118cef0c3ba34");  // 2
  EXPECT_EQ(login_digest(fields("pbxadminapi", "", "", "", "", R"({"cn":"Test User"})"), kChallenge,
                         "pwd"),
            "96db3c3f657230c2b68194becc6d2a77f05de9f79f01fc81e9ca0fb196b10d9d");  // 3
  EXPECT_EQ(
      login_digest(
          fields(
              "innovaphone-users", "example.com", "administrator",
              "0123456789abcdef0123456789abcdef", "Administrator User",
              R"({"appobj":"users","apps":[{"name":"users"},{"name":"profile"}],"appurl":"https://1.2.3.4/example.com/usersapp/innovaphone-users","unlicensed":true})"),
          kChallenge, "pwd"),
      "ef1b811ffaa8f9255c39c653d8fb26b4687b2d8c4d9ac91b4821bff6bae3ff44");  // 4
  EXPECT_EQ(login_digest(fields("test", "test.com"), "0", "secret"),
            "66ee3f52256a8eed034603b98cbaf98890bab6f42adb4a34de928e1885d68293");  // 5
}

TEST(DigestTest, IsThatOfCapturedLogins) {
  constexpr std::pair<std::string_view, std::string_view> kCaptured[] = {
      {"16d7dbbcccb63612",  // 6
       R"({"mt":"AppLogin","sip":"go-search","guid":"3954ae7854c96301c9dd009033400109","dn":"go-search","digest":"130f168773ff760701b74e629eca2544c6e62d5354e92e6f821001a982eb8951","domain":"fritz.box","app":"searchapi","info":{"appobj":"go-search","appdn":"go-search","appurl":"http://192.168.178.29:5000/fritz.box/go/instance/searchapi","pbx":"pbx-main","cn":"go-search","unlicensed":true,"apps":[]}})"},
      {"aeaaebe781e80289",  // 7
       R"({"mt":"AppLogin","sip":"go","guid":"8e7ca6fabbc5630170e9009033400109","dn":"go","digest":"8f802873dcdee7cef6144017a6112289298ad69e77474a4c37cfdb68a83640c0","domain":"fritz.box","app":"admin","info":{"appobj":"go","appdn":"go","appurl":"http://192.168.178.29:5000/fritz.box/go/instance/admin","pbx":"pbx-main","cn":"go","unlicensed":true,"apps":[]}})"},
  };
  for (const auto& [challenge, text] : kCaptured) {
    const auto message = parse_message(text);
    ASSERT_TRUE(message);
    const auto digest = text_at(message->body, "digest");
    EXPECT_TRUE(is_proven(fields_of(*message), digest, challenge, "go"));
    EXPECT_FALSE(is_proven(fields_of(*message), digest, challenge, "goo"));
    EXPECT_FALSE(is_proven(fields_of(*message), digest, "16d7dbbcccb63613", "go"));
  }
}

TEST(DigestTest, IsThatOfTheVendorsLibraries) {
  const std::string zeros(32, '0');
  EXPECT_EQ(login_digest(fields("rcc"), kChallenge, "secret"),
            "1f2f900341f0b249a506667430f5c626cab59eff029449bc0de3f7bc6c781888");  // 10
  EXPECT_EQ(login_digest(fields("rcc", "test.com"), kChallenge, "secret"),
            "ad9dc5381862c43155a79933572e920aef4a46dc02b4b8c5dc794f0cb446b1bf");  // 11
  EXPECT_EQ(login_digest(fields("rcc", "", "rcc", zeros, "Admin"), kChallenge, "secret"),
            "542e30f2e452d83e85ad011fb49b9577d4f13974938c368198d04f7158a007a1");  // 12
  EXPECT_EQ(login_digest(fields("rcc", "müller.example", "rcc", zeros, "Admin"), "aeaaebe781e80289",
                         "pässwörd€"),
            "fea8ae8b850dc392007a3050976dbf7d9613c960c3a226c3ca0a118f3f5bb920");  // 13
  EXPECT_EQ(
      login_digest(fields("rcc", "example.com", "alice", "0123456789abcdef0123456789abcdef",
                          "Alice & Bob <x>",
                          R"({"apps":[],"appurl":"https://1.2.3.4/a?b=1&c=2","unlicensed":true})"),
                   kChallenge, "secret"),
      "2f9d0b594b3002687da7a997ae1ff5ba499b65a34ffc3bb16ac45a682269a7e4");  // 14
  EXPECT_EQ(login_digest(fields("myapplication", "", "", "", "", "{}"), kChallenge, "pwd"),
            "8056e5bdeb9eee25d47061036244b13e355b46dacd2f4d4e4827c50c8cb16fa6");  // 15
  EXPECT_EQ(
      login_digest(
          fields(
              "inbound", "example.com", "gateway", "8e7ca6fabbc5630170e9009033400109", "Gateway ä",
              R"({"appobj":"gateway","appdn":"Gateway ä","appurl":"https://gw.example.net/innovaphone/acme/inbound","pbx":"master","cn":"Gateway","apps":[]})"),
          "16d7dbbcccb63612", "s3cr3t"),
      "a5a4a472e19b634589acbb9fc73c781db41c37e881bfb108edf421bbc32c6e78");  // 16
  EXPECT_EQ(login_digest(fields("", "", "alice"), kChallenge, "userpw"),
            "013644ff636d1bb0d0349450ea5ebe9e537e42d4ea3fb7f1124ede4a13b7b5a4");  // 17
}

TEST(DigestTest, MakesSessionKeysAndWhatTheyAreFor) {
  const auto key = session_key(kChallenge, "secret");
  EXPECT_EQ(key, "eec7910e15efb4c56259d2e7f909d0060fe447a411a7958e537d487ca3fe4813");  // 18
  EXPECT_EQ(encrypted("seed", key, "hello"), "adaf401cd4");                            // 19
  EXPECT_EQ(keyed_hash("seed", key, "hello"),
            "26b64fec4c8f5a6c9583e14c3a943dde2e081d0317240d76ecd885b72cd5778c");  // 20
}

TEST(DigestTest, NormalisesWithoutReordering) {
  EXPECT_EQ(normalised(R"( { "b" : [ 1 , 2 ] , "a" : "x y" } )"), R"({"b":[1,2],"a":"x y"})");
  EXPECT_EQ(normalised(R"({"u":"http:\/\/x\/y"})"), R"({"u":"http://x/y"})");
  EXPECT_EQ(normalised(R"("\u00e4\u20AC\ud83d\ude00")"), "\"ä€😀\"");
  EXPECT_EQ(normalised(R"("\u0041\n\u0007\"\\\u0022")"), R"("A\n\u0007\"\\\u0022")");
  EXPECT_EQ(normalised(R"("\ud83dx\u12)"), R"("\ud83dx\u12)");
}

TEST(DigestTest, FindsMembersAsTheyStand) {
  constexpr std::string_view kText =
      R"({ "a" : "}," , "info" : { "x" : [ "]" , {} ] } ,"n":16, "z":null})";
  EXPECT_EQ(raw_member(kText, "info"), R"({ "x" : [ "]" , {} ] })");
  EXPECT_EQ(raw_member(kText, "a"), R"("},")");
  EXPECT_EQ(raw_member(kText, "n"), "16");
  EXPECT_EQ(raw_member(kText, "z"), std::nullopt);
  EXPECT_EQ(raw_member(kText, "x"), std::nullopt);
  EXPECT_EQ(raw_member("[]", "x"), std::nullopt);
}

}  // namespace
}  // namespace simulator::innovaphone
