#include "pbx/webitel/user_sockets.h"

#include "pbx/webitel/tenant.h"

namespace pbx::webitel {
namespace {

using base::Errc;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct WebitelUserSockets : Webitel {
  void list_token(std::string_view extension = "2010") {
    settings.set("user_sockets", std::string("listed"));
    settings.set("user_tokens",
                 std::map<std::string, std::string>{{std::string(extension), "t0ken10"}});
  }
};

TEST_F(WebitelUserSockets, OpensNoneUnlessTold) {
  settings.set("user_tokens", std::map<std::string, std::string>{{"2010", "t0ken10"}});
  log_in();
  EXPECT_THAT(pbx().opened, SizeIs(1));
}

TEST_F(WebitelUserSockets, OpensOneForEachTokenThatIsListed) {
  list_token();
  log_in();
  ASSERT_THAT(pbx().opened, SizeIs(2));
  const auto [link, where] = pbx().opened[1];
  EXPECT_EQ(where.target, "/ws/websocket?application_name=pbx-gateway&ver=1");
  pbx().open(link);
  EXPECT_THAT(
      pbx().sent[link],
      ElementsAre(R"({"seq":1,"action":"authentication_challenge","data":{"token":"t0ken10"}})"));
  hello("10", link);
  grant("authentication_challenge", {}, link);
  EXPECT_THAT(pbx().sent[link],
              Contains(R"({"seq":4,"action":"cc_agent_subscribe_status","data":{"agent_id":5}})"));
  grant("subscribe_call",
        R"({"items":[{"id":"A","state":"ringing","direction":"outbound","destination":"2011"}]})",
        link);
  EXPECT_THAT(events(), ElementsAre("originated 2010"));
}

TEST_F(WebitelUserSockets, MakesTokensAfterDeletingThoseItHasLeft) {
  settings.set("user_sockets", std::string("minted"));
  settings.set("user_sockets_max", std::int64_t{2});
  log_in();
  EXPECT_THAT(pbx().opened, SizeIs(1));
  answer("GET /api/users/10/tokens", 200,
         items(R"({"id":"7","usage":"pbx-gateway"},{"id":"8","usage":"mine"})"));
  EXPECT_FALSE(is_asked("POST"));
  answer("DELETE /api/users/10/tokens/7", 200, "[]");
  EXPECT_FALSE(is_asked("DELETE"));
  const SendHttp mint = take_request("POST /api/users/10/tokens");
  EXPECT_EQ(mint.body, R"({"token":"","usage":"pbx-gateway"})");
  pbx().reply_http(mint.id,
                   HttpReply{200, {}, R"({"id":"9","token":"m1nted","usage":"pbx-gateway"})"});
  ASSERT_THAT(pbx().opened, SizeIs(2));
  const LinkId own_link = log_in_user("10");
  EXPECT_THAT(pbx().sent[own_link].at(0), HasSubstr("m1nted"));
  // 11 as well; 12 is one too many.
  EXPECT_TRUE(is_asked("GET /api/users/11/tokens"));
  EXPECT_FALSE(is_asked("GET /api/users/12/tokens"));
  ASSERT_THAT(pbx().notes, SizeIs(1));
  EXPECT_THAT(pbx().notes[0].detail, HasSubstr("user_sockets_max"));
}

TEST_F(WebitelUserSockets, TriesAgainLaterAndLater) {
  list_token();
  log_in();
  const std::size_t first = pbx().opened.size();
  pbx().lose(pbx().opened.back().first);
  EXPECT_THAT(pbx().notes, SizeIs(1));
  pbx().pass(1s);
  EXPECT_THAT(pbx().opened, SizeIs(first));
  pbx().pass(1s);
  ASSERT_THAT(pbx().opened, SizeIs(first + 1));
  EXPECT_NE(pbx().opened[first].first, pbx().opened[first - 1].first);
  pbx().lose(pbx().opened.back().first);
  pbx().pass(2s);
  EXPECT_THAT(pbx().opened, SizeIs(first + 1));
  pbx().pass(2s);
  ASSERT_THAT(pbx().opened, SizeIs(first + 2));
  EXPECT_THAT(pbx().given_up, IsEmpty());
  // Said once, until it is right again.
  EXPECT_THAT(pbx().notes, SizeIs(1));
  pbx().lose(log_in_user("10"));
  EXPECT_THAT(pbx().notes, SizeIs(2));
}

TEST_F(WebitelUserSockets, DoesNotHammerATokenThatIsRefused) {
  list_token();
  log_in();
  const LinkId link = pbx().opened.back().first;
  pbx().open(link);
  refuse("authentication_challenge", 401, "app.session.unauthenticated", link);
  EXPECT_THAT(pbx().closed, ElementsAre(link));
  ASSERT_THAT(pbx().notes, SizeIs(1));
  EXPECT_EQ(pbx().notes[0].what, Errc::login_rejected);
  EXPECT_THAT(pbx().notes[0].detail, HasSubstr("2010"));
  pbx().pass(20s);
  EXPECT_THAT(pbx().opened, SizeIs(2));
}

TEST_F(WebitelUserSockets, TakesNoTokenOfAnotherTenant) {
  list_token();
  log_in();
  const LinkId link = pbx().opened.back().first;
  pbx().open(link);
  hello("10", link, R"("domain_id":2,"domain_name":"other")");
  grant("authentication_challenge", {}, link);
  EXPECT_THAT(pbx().closed, ElementsAre(link));
  EXPECT_THAT(pbx().notes, SizeIs(1));
}

TEST_F(WebitelUserSockets, LetsTheListsTellOfAUserWhoseSocketIsLost) {
  log_in_with_users();
  own(10, "ringing", "A", outbound("2010", "2012"));
  events();
  pbx().pass(2s);
  answer("GET /api/calls/active", 200, items(""));  // which may not show it
  EXPECT_THAT(events(), IsEmpty());
  pbx().lose(links[0]);
  pbx().pass(2s);
  answer("GET /api/calls/active", 200, items(""));
  EXPECT_THAT(events(), Contains("callCleared"));
}

// A token of the control socket's own user: both sockets count their requests from 1.
TEST_F(WebitelUserSockets, TakesNoReplyOnAUsersSocketForACommands) {
  list_token();
  log_in({{"A", "10", "outbound", "bridge", "2011", "2010"}});
  const LinkId link = log_in_user("1");
  const auto id = pbx().ask(call::HoldCall{{"", "A", call::DeviceId("2010")}});
  pbx().hear(R"({"status":"FAIL","seq_reply":)" + std::to_string(request("call_hold")) +
                 R"(,"error":{"id":"x","detail":"d","code":400}})",
             link);
  EXPECT_EQ(pbx().reply(id), nullptr);
  refuse("call_hold", 404, "call.get_client_by_id.not_found");
  EXPECT_EQ(pbx().verdict(id), "call_not_found");
}

TEST_F(WebitelUserSockets, DeletesTheTokenOfAUserWhoIsNotWatchedAnyMore) {
  settings.set("user_sockets", std::string("minted"));
  settings.set("user_sockets_max", std::int64_t{1});
  log_in();
  answer("GET /api/users/10/tokens", 200, items(""));
  answer("POST /api/users/10/tokens", 200, R"({"id":"9","token":"m1nted"})");
  const LinkId link = log_in_user("10");
  pbx().pass(5s);
  answer("GET /api/call_center/users", 200, items(R"({"id":"10","name":"Ann"})"));
  EXPECT_THAT(pbx().closed, ElementsAre(link));
  answer("DELETE /api/users/10/tokens/9", 404, R"({"id":"x","code":404})");
  EXPECT_THAT(pbx().notes, SizeIs(1));  // of the login: user_sockets_max
}

TEST_F(WebitelUserSockets, KeepsAUserWatchedWhomAnotherSocketStillTellsOf) {
  list_token();
  log_in();
  const LinkId link = log_in_user("1");  // whose the control socket is, too
  leg("1", "ringing", "A", outbound("99", "2012"));
  EXPECT_EQ(pbx().tracker.book().calls.size(), 1u);
  pbx().lose(link);
  pbx().pass(2s);
  answer("GET /api/calls/active", 200, items(""));  // which may not show it
  pbx().pass(2s);
  answer("GET /api/calls/active", 200, items(""));
  EXPECT_EQ(pbx().tracker.book().calls.size(), 1u);
}

}  // namespace
}  // namespace pbx::webitel
