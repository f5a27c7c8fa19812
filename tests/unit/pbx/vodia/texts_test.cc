#include "pbx/vodia/texts.h"

#include <gmock/gmock.h>

namespace pbx::vodia {
namespace {

using testing::HasSubstr;

TEST(VodiaTexts, AreValidJsonWhateverIsInThem) {
  EXPECT_EQ(action("get-users"), R"({"action":"get-users"})");
  EXPECT_EQ(action("domain-calls", {{"subscribe", "true", true}}),
            R"({"action":"domain-calls","subscribe":true})");
  EXPECT_EQ(action("clear-call", {{"id", "a\"b\n"}, {"connected", "true"}}),
            R"({"action":"clear-call","id":"a\"b\n","connected":"true"})");
  const std::string numbers[] = {"500", "5\"02"};
  EXPECT_EQ(watch_lamps(numbers), R"({"action":"blf","add":["500","5\"02"]})");
}

TEST(VodiaTexts, EncodeWhatGoesIntoAPath) {
  EXPECT_EQ(socket_target("/websocket", "t&x.example", "5 01"),
            "/websocket?domain=t%26x.example&user=5%2001");
  EXPECT_EQ(socket_target("/", "t", "501"), "/");
  EXPECT_EQ(account_of("501", "t.example"), "501%40t.example");
  EXPECT_EQ(list_accounts(account_of("501", "t.example")).target,
            "/rest/user/501%40t.example/accounts?type=extensions");
  EXPECT_EQ(click_to_dial(account_of("501", "t.example"), "+34 *9#").target,
            "/remote_call.htm?user=501%40t.example&dest=%2B34%20%2A9%23&connect=true");
  EXPECT_EQ(read_settings("a/b", "5?").target, "/rest/domain/a%2Fb/user_settings/5%3F");
}

TEST(VodiaTexts, LogInWithTheHashOfThePassword) {
  const auto request = log_in("501@t.example", "secret");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method + request->target, "PUT/rest/system/session");
  EXPECT_EQ(request->body,
            R"({"name":"auth","value":"501@t.example 5ebe2294ecd0e0f08eab7690d2a6ee69"})");
  EXPECT_EQ(log_in("admin", "")->body, R"({"name":"auth","value":"admin "})");
}

TEST(VodiaTexts, MintAndActivateTokens) {
  EXPECT_EQ(mint_token("t.example", "501").body,
            R"({"name":"3rd","domain":"t.example","username":"501"})");
  EXPECT_EQ(activate_token("abc").body, R"({"name":"session","value":"abc"})");
  EXPECT_EQ(basic_authorization("admin", "p:w"), "Basic YWRtaW46cDp3");
}

TEST(VodiaTexts, ReadTokensInEveryForm) {
  const std::pair<std::string_view, std::string_view> kTokens[] = {
      {R"("abcdefghij0123456789")", "abcdefghij0123456789"},
      {"abcdefghij0123456789\r\n", "abcdefghij0123456789"},
      {R"({"token":"c","value":"b","session":"a"})", "a"},
      {R"({"value":"b"})", "b"},
      {R"({"token":"c"})", "c"},
  };
  for (const auto& [body, token] : kTokens) {
    ASSERT_TRUE(token_of(body)) << body;
    EXPECT_EQ(*token_of(body), token);
  }
  for (auto body : {"", " ", "\"\"", "false", "\"false\"", "False", "null", "true", "{}", "[]",
                    "{\"session\":\"\"}", "{\"session\":false}", "<html>", "a b", "\"a\\\"b\"",
                    "\"a;b\"", "\"open"}) {
    EXPECT_FALSE(token_of(body)) << body;
  }
}

TEST(VodiaTexts, KnowRefusals) {
  for (auto body : {"", "  ", "\"\"", "false", "\"false\"", " false\n", "null"}) {
    EXPECT_TRUE(is_refusal(body)) << body;
  }
  for (auto body : {"true", "{}", "[]", "\"ok\"", "0"}) EXPECT_FALSE(is_refusal(body)) << body;
}

TEST(VodiaTexts, KnowASecondFactor) {
  EXPECT_TRUE(asks_second_factor(R"({"method":"login-app"})"));
  EXPECT_TRUE(asks_second_factor(R"({"2nd":true})"));
  EXPECT_FALSE(asks_second_factor(R"({"session":"abc"})"));
  EXPECT_FALSE(asks_second_factor("false"));
}

TEST(VodiaTexts, ReadWhetherASessionLives) {
  const auto alive = session_of(R"({"lang":"en","type":"user","cuser":"501","cdomain":"t"})");
  EXPECT_TRUE(alive.alive);
  EXPECT_EQ(alive.user + "@" + alive.domain, "501@t");
  EXPECT_FALSE(session_of(R"({"recording":true,"hosted":false})").alive);
  EXPECT_FALSE(session_of("false").alive);
  EXPECT_FALSE(session_of(R"({"type":"user","cuser":)").alive);
}

TEST(VodiaTexts, ReadTheGeneration) {
  EXPECT_EQ(generation_of("PBX/70.1"), 70);
  EXPECT_EQ(generation_of("PBX/67.0.5 (Debian64)"), 67);
  EXPECT_EQ(generation_of("nginx PBX/69"), 69);
  for (auto server : {"", "nginx", "PBX/", "PBX/x"}) EXPECT_EQ(generation_of(server), std::nullopt);
}

TEST(VodiaTexts, ReadTheCookie) {
  const auto cookie = [](std::string header) {
    return session_cookie({200, {{"server", "x"}, {"set-cookie", std::move(header)}}, {}});
  };
  EXPECT_EQ(cookie("session=abc; Path=/; SameSite=Strict; Secure; HttpOnly"), "abc");
  EXPECT_EQ(cookie(" session=\"abc\""), "abc");
  EXPECT_EQ(cookie("sessionid=abc"), "");
  EXPECT_EQ(cookie("session="), "");
  EXPECT_EQ(session_cookie({200, {{"set-cookie", "lang=en"}, {"set-cookie", "session=d"}}, {}}),
            "d");
}

TEST(VodiaTexts, ReadForwarding) {
  const auto some = forwarding_of(R"({"cfa":"","cfb":"502","dnd":"true"})");
  ASSERT_TRUE(some);
  EXPECT_EQ(some->all, "");
  EXPECT_EQ(some->busy, "502");
  EXPECT_EQ(some->no_answer, std::nullopt);
  EXPECT_FALSE(forwarding_of("false"));
}

TEST(VodiaTexts, WriteWhatControls) {
  const auto account = account_of("501", "t");
  EXPECT_EQ(control(account, {{"transfer", "a@pbx"}, {"number", "503"}}).body,
            R"({"transfer":"a@pbx","number":"503"})");
  EXPECT_EQ(set_dnd(account, true).body, R"({"state":true})");
  EXPECT_THAT(set_dnd(account, false).body, HasSubstr("false"));
  EXPECT_EQ(write_settings("t", "501", true, {{"cfa", "502"}}).method, "PUT");
  EXPECT_EQ(write_settings("t", "501", false, {{"cfa", "502"}}).method, "POST");
}

}  // namespace
}  // namespace pbx::vodia
