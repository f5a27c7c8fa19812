#include "pbx/webitel/rest.h"

#include <gmock/gmock.h>

#include "pbx/percent_encoded.h"
#include "pbx/webitel/capabilities.h"
#include "pbx/webitel/refusals.h"

namespace pbx::webitel {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using testing::HasSubstr;
using testing::Not;

RestError read(unsigned status, std::string body) {
  return error_of({status, {}, std::move(body)}).value_or(RestError{});
}

TEST(WebitelRest, DressesRequestsAndNumbersThem) {
  Rest rest({"pbx.test", "443", "/api", true, {}}, "t0ken", 10s);
  const SendHttp get = rest.make("GET", "/users?page=1");
  EXPECT_EQ(get.where.target, "/api/users?page=1");
  EXPECT_EQ(get.where.host, "pbx.test");
  EXPECT_EQ(get.limit, 10s);
  const std::vector<std::pair<std::string, std::string>> headers{{"Accept", "application/json"},
                                                                 {"X-Webitel-Access", "t0ken"}};
  EXPECT_EQ(get.where.headers, headers);
  const SendHttp post = rest.make("POST", "/calls", "{}", 90s);
  EXPECT_EQ(post.limit, 90s);
  EXPECT_EQ(post.id, get.id + 1);
  EXPECT_EQ(post.where.headers.back().first, "Content-Type");
  EXPECT_TRUE(rest.repeats_token("no such token: t0ken"));
  EXPECT_FALSE(rest.repeats_token("no such token"));
}

TEST(WebitelRest, TrustsTheBodysCodeBeforeTheStatus) {
  const RestError error =
      read(500, R"({"id":"store.sql_call.get_instance.app_error","status":"Not Found","code":404,)"
                R"("detail":"no rows"})");
  EXPECT_EQ(error.code, 404u);
  EXPECT_EQ(error.id, "store.sql_call.get_instance.app_error");
  EXPECT_EQ(error.detail, "no rows");
  EXPECT_EQ(read(403, R"({"code":"412"})").code, 412u);
  EXPECT_EQ(read(500, R"({"code":13,"message":"internal"})").code, 500u);  // gRPC's own
  EXPECT_EQ(read(502, "<html>Bad Gateway</html>").code, 502u);
  EXPECT_EQ(read(404, "").code, 404u);
  EXPECT_EQ(read(400, R"({"id":{"a":1},"detail":["x"]})").code, 400u);
  EXPECT_EQ(read(400, R"({"detail":")" + std::string(5'000, 'x') + "\"}").detail.size(), 1'000u);
  EXPECT_EQ(read(302, "").code, 302u);
  EXPECT_FALSE(error_of({200, {}, R"({"code":500})"}));
  EXPECT_FALSE(error_of({204, {}, ""}));
}

TEST(WebitelRest, EscapesWhatGoesIntoAQuery) {
  EXPECT_EQ(percent_encoded("Ann-1_2.3~"), "Ann-1_2.3~");
  EXPECT_EQ(percent_encoded("a b&c=d/é\n"), "a%20b%26c%3Dd%2F%C3%A9%0A");
}

TEST(WebitelRest, TakesNothingButNumbersForIds) {
  EXPECT_TRUE(is_number("7287"));
  for (const char* id : {"", "-1", "1/2", "1?x", "..", "a1", "12345678901234567890", "1 "}) {
    EXPECT_FALSE(is_number(id)) << id;
  }
}

TEST(WebitelRest, KnowsWhatWasCertainlyNotCarriedOut) {
  for (const Errc it : {Errc::connect_failed, Errc::resolve_failed, Errc::tls_failed,
                        Errc::too_many_requests, Errc::certificate_expired}) {
    EXPECT_TRUE(was_not_sent(it));
  }
  for (const Errc it : {Errc::timed_out, Errc::link_lost, Errc::message_too_big, Errc::bad_frame}) {
    EXPECT_FALSE(was_not_sent(it));
  }
}

TEST(WebitelRefusals, TellWhatAnErrorMeans) {
  const auto told = [](RestError error) {
    const call::Refusal refusal = refusal_of(error);
    return std::string(base::name_of(refusal.why)) + ": " + refusal.detail;
  };
  EXPECT_EQ(
      told({403, "api.context.permissions.app_error", "userId=10, permission=calls access=update"}),
      "permission_denied: the service user lacks the permission calls update");
  EXPECT_EQ(told({403, "call.recordings.access.forbidden", ""}),
            "permission_denied: the service user is not permitted this: "
            "call.recordings.access.forbidden");
  EXPECT_EQ(told({412, "api.context.permissions.license", "x"}),
            "permission_denied: the service user has no licence for this");
  EXPECT_EQ(told({500, "external.new_call.app_error", "originate 34911555 [USER_NOT_REGISTERED]"}),
            "pbx_refused: the PBX could not make the call: USER_NOT_REGISTERED");
  EXPECT_EQ(told({500, "external.new_call.app_error", "token=ABCDEFGH_1"}),
            "pbx_refused: the PBX could not make the call");
  EXPECT_EQ(told({404, "call.get_client_by_id.not_found", ""}),
            "call_not_found: the PBX does not have the call's media node any more");
  EXPECT_EQ(told({400, "app.call.transfer", ""}),
            "incorrect_state: a queue's call cannot be transferred before it is answered");
  EXPECT_EQ(told({500, "api.web_socket_router.not_authenticated.app_error", ""}),
            "credentials_refused: the PBX no longer takes the service user's token");
  EXPECT_EQ(told({500, "api.context.session_expired.app_error", "token s3cret"}),
            "credentials_refused: the PBX no longer takes the service user's token");
  EXPECT_EQ(told({400, "model.Agent.valid.chat_count", "secret"}),
            "pbx_refused: the PBX refused it: model.Agent.valid.chat_count");
  EXPECT_EQ(told({400, "<b>x</b>", ""}), "pbx_refused: the PBX answered with status 400");
  EXPECT_EQ(told({429, "", ""}), "too_many_requests: the PBX takes no more requests for now");
  EXPECT_EQ(told({401, "", ""}),
            "credentials_refused: the PBX does not take the service user's token");
  EXPECT_EQ(told({400, "grpc.call.search_history", ""}),
            "internal: the PBX did not take the search");
}

TEST(WebitelRefusals, TellWhyThereIsNoReply) {
  EXPECT_EQ(refusal_of(base::Error(Errc::timed_out), true).why, Errc::outcome_unknown);
  EXPECT_EQ(refusal_of(base::Error(Errc::timed_out), false).why, Errc::timed_out);
  EXPECT_EQ(refusal_of(base::Error(Errc::connect_failed), true).why, Errc::pbx_disconnected);
  EXPECT_EQ(refusal_of(base::Error(Errc::too_many_requests), true).why, Errc::too_many_requests);
  EXPECT_EQ(refusal_of(base::Error(Errc::link_lost), false).why, Errc::pbx_disconnected);
  EXPECT_EQ(refusal_of(base::Error(Errc::message_too_big), false).why, Errc::message_too_big);
  EXPECT_EQ(refusal_of(base::Error(Errc::bad_frame), false).why, Errc::pbx_refused);
  EXPECT_TRUE(may_have_happened({504, "", ""}));
  EXPECT_TRUE(may_have_happened({502, "", ""}));
  EXPECT_FALSE(may_have_happened({503, "", ""}));
  EXPECT_FALSE(may_have_happened({502, "an.error", ""}));
}

TEST(WebitelRefusals, RepeatNothingThatLooksLikeASecret) {
  EXPECT_TRUE(is_tellable("name is required"));
  EXPECT_TRUE(is_tellable("extension 101 is taken by user 17"));
  EXPECT_FALSE(is_tellable("token 8kfu3oq1hb8kfu3oq1hb is bad"));
  EXPECT_FALSE(is_tellable("mail to ann@customer.example"));
  EXPECT_FALSE(is_tellable("called +34911555123412345678"));
  EXPECT_FALSE(is_tellable(""));
  EXPECT_FALSE(is_tellable("two\nlines"));
  EXPECT_FALSE(is_tellable(std::string(201, 'a')));
  EXPECT_EQ(permission_of("userId=1, permission=calls access=read"), "calls read");
  EXPECT_EQ(permission_of("permission=cc_agent"), "cc_agent");
  EXPECT_EQ(permission_of("nothing"), "");
  EXPECT_EQ(switch_cause_of("-ERR NO_ANSWER (480)"), "NO_ANSWER");
  EXPECT_EQ(switch_cause_of("ERR"), "");
}

TEST(WebitelCapabilities, HaveARowForEachServiceInItsOrder) {
  ASSERT_EQ(capabilities().size(), call::kServiceCount);
  for (std::size_t i = 0; i < call::kServiceCount; ++i) {
    const call::Capability& it = capabilities()[i];
    EXPECT_EQ(it.service, static_cast<call::Service>(i));
    const std::string note = it.note;
    EXPECT_TRUE(it.confirmation != call::Confirmation::none || !note.empty());
    EXPECT_TRUE(note.empty() || note.back() == '.') << note;
  }
}

}  // namespace
}  // namespace pbx::webitel
