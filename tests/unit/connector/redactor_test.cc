#include "connector/redactor.h"

#include <gmock/gmock.h>

namespace connector {
namespace {

using testing::HasSubstr;
using testing::Not;

// A tenant of every kind of secret, and what is left of a sentence about it.
struct RedactorOf : testing::Test {
  std::shared_ptr<const TenantConfig> innova360 = [] {
    auto tenant = std::make_shared<TenantConfig>();
    tenant->vendor = pbx::find_vendor("innova360");
    tenant->settings.set("password", std::string("pa\"ss/wörd+1"));
    tenant->settings.set(
        "agents", std::map<std::string, pbx::Account>{{"201", {"agent", "secret-of-201", false}}});
    return tenant;
  }();
  Redactor redactor{innova360};

  std::string text(std::string sentence) { return redactor.text(std::move(sentence)); }
  std::string line(std::string sentence) { return redactor.line(std::move(sentence)); }
};

TEST_F(RedactorOf, FindsASecretHoweverItIsWritten) {
  EXPECT_EQ(text("no pa\"ss/wörd+1 here"), "no *** here");
  EXPECT_EQ(text(R"({"p":"pa\"ss/wörd+1"})"), R"({"p":"***"})");
  EXPECT_EQ(text(R"({"p":"pa\"ss\/w\u00f6rd+1"})"), R"({"p":"***"})");
  EXPECT_EQ(text(R"("{\"p\":\"pa\\\"ss/wörd+1\"}")"), R"("{\"p\":\"***\"}")");
  EXPECT_EQ(text("/x?p=pa%22ss%2Fw%C3%B6rd%2B1&y"), "/x?p=***&y");
  EXPECT_EQ(text("/x?p=pa%22ss%2fw%c3%b6rd%2b1&y"), "/x?p=***&y");
}

TEST_F(RedactorOf, FindsASecretInBase64WhateverIsBesideIt) {
  // secret-of-201, and the same behind "u:" and "ab:".
  EXPECT_THAT(text("Basic c2VjcmV0LW9mLTIwMQ== no"), testing::MatchesRegex("Basic \\*\\*\\*.* no"));
  EXPECT_THAT(text("Basic dTpzZWNyZXQtb2YtMjAx no"), Not(HasSubstr("zZWNyZXQtb2Yt")));
  EXPECT_THAT(text("Basic YWI6c2VjcmV0LW9mLTIwMQ no"), Not(HasSubstr("c2VjcmV0LW9mLTIw")));
  EXPECT_THAT(text("at /path/YWI6c2VjcmV0LW9mLTIwMQ/x"), Not(HasSubstr("c2VjcmV0LW9mLTIw")));
}

TEST_F(RedactorOf, FindsASecretThatWasCutOff) {
  EXPECT_EQ(text("it was secret-of"), "it was ***");
  EXPECT_EQ(text("it was secr…"), "it was ***…");
  EXPECT_EQ(text("\"secret-of-2: and more\""), "\"***: and more\"");
  EXPECT_EQ(text("no secret here"), "no secret here");
}

TEST_F(RedactorOf, LeavesOthersAlone) {
  EXPECT_EQ(text(""), "");
  EXPECT_EQ(text("the PBX answered 401"), "the PBX answered 401");
  EXPECT_EQ(text("user agent, device 201"), "user agent, device 201");
  EXPECT_EQ(text("100% of a\\b"), "100% of a\\b");
}

TEST_F(RedactorOf, LearnsWhatCameUpSince) {
  redactor.learn({{"Authorization", "Bearer minted-token-1"},
                  {"Cookie", "session=cookie-value-2"},
                  {"set-cookie", "session=cookie-value-3; Path=/; HttpOnly"},
                  {"X-Webitel-Access", "minted-token-4"},
                  {"Accept", "application/json"}});
  redactor.learn_from(R"({"action":"authentication_challenge","data":{"token":"minted-token-5"}})");
  call::CreatePhone phone;
  phone.password = "phone-password";
  redactor.learn(call::Order(phone));
  call::UserToken token;
  token.secret = "told-once-only";
  redactor.learn(call::OrderReply(call::Resource(token)));
  EXPECT_EQ(text("minted-token-1 cookie-value-2 cookie-value-3 minted-token-4 minted-token-5 "
                 "phone-password told-once-only application/json"),
            "*** *** *** *** *** *** *** application/json");
}

// Users' tokens, say: 65 of them are no reason to show the first.
TEST_F(RedactorOf, HidesTheOldestOfTooManyWithAllThatFollows) {
  redactor.learn("pin-7");  // short
  for (std::size_t i = 0; i <= 10 * Redactor::kLearnedMax; ++i) {
    redactor.learn(std::to_string(1000 + i) + "-minted-token");
  }
  EXPECT_EQ(text("no 1640-minted-token here"), "no *** here") << "the last are known to the letter";
  EXPECT_EQ(text("no 1000-minted-token here"), "no ***");
  EXPECT_EQ(text("no 1001-minted-tok"), "no ***");
  EXPECT_EQ(text("no 1001-m…"), "no ***");
  EXPECT_EQ(text("no pin-7, no pin-8"), "no ***");
  EXPECT_EQ(text("/x?p=%31001%2dminted-token&y"), "/x?p=***");
  EXPECT_EQ(text("{\"p\":\"10\\u00302-minted-token\"}"), "{\"p\":\"***");
  EXPECT_THAT(text("Basic dToxMDAzLW1pbnRlZC10b2tlbg== no"),  // u:1003-minted-token
              Not(HasSubstr("W1pbnRlZC10b2tlb")));
  for (std::size_t i = 0; i <= 9 * Redactor::kLearnedMax; ++i) {
    const std::string token = std::to_string(1000 + i) + "-minted-token";
    EXPECT_THAT(text("the token " + token + " has expired"), Not(HasSubstr(token)));
  }
  EXPECT_EQ(text("the PBX answered 401"), "the PBX answered 401");
  redactor.learn("abc");  // as good as nothing
  EXPECT_EQ(text("abc"), "abc");
}

TEST_F(RedactorOf, KnowsWhatTheOneOfTheLinkBeforeKnew) {
  for (std::size_t i = 0; i <= Redactor::kLearnedMax; ++i) {
    redactor.learn(std::to_string(1000 + i) + "-minted-token");
  }
  const auto rotated = std::make_shared<TenantConfig>(*innova360);
  rotated->settings.set("password", std::string("another-password"));
  const Redactor next(rotated, redactor);
  EXPECT_EQ(next.text("1064-minted-token another-password secret-of-201 1000-minted-token"),
            "*** *** *** ***");
  EXPECT_EQ(next.text("no pa\"ss/wörd+1 here"), "no *** here");
  EXPECT_EQ(next.text("401 unauthorized"), "401 unauthorized");
}

TEST_F(RedactorOf, CutsWhatIsTooLong) {
  const auto cut = text(std::string(Redactor::kTextMax + 100, 'x'));
  EXPECT_EQ(cut.size(), Redactor::kTextMax + std::string("…").size());
}

TEST_F(RedactorOf, MasksNumbersThatSomebodyCanBeCalledBy) {
  EXPECT_EQ(line("to +34911234567, 0034911234567 and 2012"),
            "to +********567, **********567 and 2012");
  EXPECT_EQ(line("\"to\":\"49 30\" or +49 30 1234-567"), "\"to\":\"49 30\" or +** ** ****-567");
  EXPECT_EQ(line("tel:4930123456."), "tel:*******456.");
  for (const std::string same :
       {"expired on 2026-11-22", "connect to 203.0.113.7:44321", "call 1760000000.12",
        "550e8400-e29b-41d4-a716-446655440000", "no answer within 10000 ms", "v13r3-137766"}) {
    EXPECT_EQ(line(same), same);
  }
}

}  // namespace
}  // namespace connector
