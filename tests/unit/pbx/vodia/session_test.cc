#include "pbx/vodia/tenant.h"

namespace pbx::vodia {
namespace {

using base::Errc;
using call::LinkState;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

struct VodiaSession : Vodia {};

TEST_F(VodiaSession, LogsInWithATokenAndOpensItsSocketWithTheCookie) {
  pbx().begin();
  const SendHttp mint = pbx().requests.at(0);
  EXPECT_EQ(mint.method + mint.where.target, "POST/rest/system/session");
  EXPECT_EQ(mint.where.host + ':' + mint.where.port, "pbx.test:443");
  EXPECT_TRUE(mint.where.tls);
  EXPECT_EQ(header(mint.where, "Authorization"), "Basic YWRtaW46cjAwdA==");
  EXPECT_EQ(mint.body, R"({"name":"3rd","domain":"t.example","username":"500"})");
  answer(200, kToken);
  const SendHttp activate = pbx().requests.at(0);
  EXPECT_EQ(activate.body, R"({"name":"session","value":"abcdefghij0123456789"})");
  EXPECT_EQ(header(activate.where, "Authorization"), "");
  answer(200, "true", {{"set-cookie", "session=c00kie; Path=/; SameSite=Strict; Secure"}});

  ASSERT_THAT(pbx().opened, SizeIs(1));
  const Handshake& where = pbx().opened[0].second;
  EXPECT_EQ(where.target, "/websocket?domain=t.example&user=500");
  EXPECT_EQ(header(where, "Cookie"), "session=c00kie");
  pbx().open(kPrimary);
  EXPECT_THAT(pbx().take_sent(kPrimary),
              ElementsAre(R"({"action":"avoid-disconnect"})", R"({"action":"get-users"})",
                          R"({"action":"domain-calls","subscribe":true})",
                          R"({"action":"orbit-calls","subscribe":true})"));
  EXPECT_EQ(pbx().requests.at(0).where.target,
            "/rest/user/500%40t.example/accounts?type=extensions");
  calls({});
  EXPECT_FALSE(pbx().ready);
  answer_directory();
  EXPECT_TRUE(pbx().ready);
  EXPECT_THAT(pbx().stages, ElementsAre(LinkState::logging_in, LinkState::synchronizing));
  EXPECT_THAT(pbx().take_sent(kPrimary),
              ElementsAre(R"({"action":"blf","add":["500","501","502","503"]})"));
  EXPECT_THAT(pbx().notes, IsEmpty());
}

TEST_F(VodiaSession, LogsInWithAPasswordAndMakesTheCookieItself) {
  settings.set("admin_user", std::string());
  settings.set("tls", false);
  settings.set("path", std::string("/"));
  server = kServer67;
  pbx().begin();
  const SendHttp login = pbx().requests.at(0);
  EXPECT_EQ(login.method, "PUT");
  EXPECT_EQ(login.where.port, "80");
  EXPECT_EQ(login.body,
            R"({"name":"auth","value":"500@t.example 33e1b232a4e6fa0028a6670753749a17"})");
  answer(200, kToken);
  ASSERT_THAT(pbx().opened, SizeIs(1));
  EXPECT_EQ(pbx().opened[0].second.target, "/");
  EXPECT_EQ(header(pbx().opened[0].second, "Cookie"), "session=abcdefghij0123456789");
}

TEST_F(VodiaSession, TakesATokenInEveryForm) {
  for (auto body : {R"("abcdefghij0123456789")", "abcdefghij0123456789",
                    R"({"session":"abcdefghij0123456789"})", R"({"value":"abcdefghij0123456789"})",
                    R"({"token":"abcdefghij0123456789"})"}) {
    test::Dialogue other(vendor(), settings);
    other.begin();
    other.reply_http(other.requests.back().id, HttpReply{200, {}, body});
    ASSERT_THAT(other.requests, SizeIs(2)) << body;
    EXPECT_THAT(other.requests.back().body, HasSubstr("abcdefghij0123456789"));
  }
}

struct Refused {
  const char* name;
  bool token;
  std::vector<std::pair<unsigned, std::string>> answers;
  Errc why;
  const char* says;
  bool soon;  // may be tried again before a minute has passed
};

TEST_F(VodiaSession, TellsWhyALoginFailed) {
  const std::string token(kToken);
  const Refused kCases[] = {
      {"wrong password", false, {{200, "false"}}, Errc::login_rejected, "user and password", false},
      {"2016", false, {{200, "\"\""}}, Errc::login_rejected, "user and password", false},
      {"empty", false, {{200, ""}}, Errc::login_rejected, "user and password", false},
      {"401", false, {{401, ""}}, Errc::login_rejected, "401", false},
      {"403", false, {{403, ""}}, Errc::permission_denied, "403", false},
      {"404", false, {{404, ""}}, Errc::device_not_found, "500 in a domain t.example", false},
      {"second factor",
       false,
       {{200, R"({"method":"login-app"})"}},
       Errc::unsupported,
       "second factor",
       false},
      {"a page", false, {{200, "<html>"}}, Errc::bad_frame, "Vodia", false},
      {"redirect", false, {{301, ""}}, Errc::unsupported, "redirect", false},
      {"blocked", false, {{429, ""}}, Errc::too_many_requests, "429", false},
      {"broken", false, {{500, ""}}, Errc::pbx_refused, "500", true},
      {"wrong admin", true, {{200, "false"}}, Errc::login_rejected, "administrator", false},
      {"wrong admin, quoted",
       true,
       {{200, "\"false\""}},
       Errc::login_rejected,
       "administrator",
       false},
      {"admin, empty", true, {{200, ""}}, Errc::login_rejected, "administrator", false},
      {"admin 401", true, {{401, ""}}, Errc::login_rejected, "administrator", false},
      {"admin 403", true, {{403, ""}}, Errc::permission_denied, "administrator", false},
      {"unknown tenant", true, {{404, ""}}, Errc::device_not_found, "domain t.example", false},
      {"late",
       true,
       {{200, token}, {200, "false"}, {200, token}, {200, "false"}},
       Errc::timed_out,
       "ten seconds",
       false},
      {"activation 404", true, {{200, token}, {404, ""}}, Errc::device_not_found, "404", false},
  };
  for (const Refused& it : kCases) {
    Settings some = settings;
    if (!it.token) some.set("admin_user", std::string());
    test::Dialogue other(vendor(), some);
    other.begin();
    for (const auto& [status, body] : it.answers) {
      EXPECT_THAT(other.given_up, IsEmpty()) << it.name;
      const auto id = other.requests.back().id;
      other.reply_http(id, HttpReply{status, {{"server", "PBX/70.1"}}, body});
    }
    ASSERT_THAT(other.given_up, SizeIs(1)) << it.name;
    EXPECT_EQ(other.given_up[0].why, it.why) << it.name;
    EXPECT_THAT(other.given_up[0].detail, HasSubstr(it.says)) << it.name;
    ASSERT_TRUE(other.given_up[0].retry_after) << it.name;
    EXPECT_EQ(*other.given_up[0].retry_after < 60s, it.soon) << it.name;
    expect_no_secret(other.given_up[0].detail);
    EXPECT_EQ(other.deadline(), TimePoint::max());
    EXPECT_THAT(other.opened, IsEmpty());
  }
}

TEST_F(VodiaSession, MintsAnotherTokenWhenTheFirstWasTooOld) {
  pbx().begin();
  answer(200, kToken);
  answer(200, "false");
  EXPECT_THAT(pbx().requests.at(0).body, HasSubstr("3rd"));
  grant_token();
  EXPECT_THAT(pbx().opened, SizeIs(1));
}

TEST_F(VodiaSession, NeedsAnAdministratorForTokens) {
  settings.set("admin_user", std::string());
  settings.set("login", std::string("token"));
  pbx().begin();
  ASSERT_THAT(pbx().given_up, SizeIs(1));
  EXPECT_EQ(pbx().given_up[0].why, Errc::credentials_missing);
}

TEST_F(VodiaSession, PassesOnWhyTheServerCouldNotBeReached) {
  for (Errc failure : {Errc::connect_failed, Errc::certificate_expired, Errc::timed_out}) {
    for (int good = 0; good < 2; ++good) {
      test::Dialogue other(vendor(), settings);
      other.begin();
      if (good > 0) {
        other.reply_http(other.requests.back().id, HttpReply{200, {}, std::string(kToken)});
      }
      other.reply_http(other.requests.back().id, base::Error(failure));
      ASSERT_THAT(other.given_up, SizeIs(1));
      EXPECT_EQ(other.given_up[0].why, failure);
      EXPECT_EQ(other.given_up[0].retry_after, std::nullopt);  // the usual backoff
    }
  }
}

TEST_F(VodiaSession, ReadsTheGenerationFromAnyAnswerOrTheFrontPage) {
  pbx().begin();
  pbx().reply_http(take_request().id, HttpReply{200, {}, std::string(kToken)});
  pbx().reply_http(take_request().id, HttpReply{200, {{"set-cookie", "session=c00kie"}}, "true"});
  EXPECT_THAT(pbx().opened, IsEmpty());
  const SendHttp page = take_request();
  EXPECT_EQ(page.method + page.where.target, "GET/");
  pbx().reply_http(page.id, HttpReply{302, {{"server", std::string(kServer67)}}, ""});
  ASSERT_THAT(pbx().opened, SizeIs(1));
  pbx().open(kPrimary);
  EXPECT_THAT(pbx().requests, IsEmpty());  // a legacy server pushes its accounts
}

TEST_F(VodiaSession, TakesAnUnknownGenerationForAModernOne) {
  pbx().begin();
  pbx().reply_http(take_request().id, HttpReply{200, {}, std::string(kToken)});
  pbx().reply_http(take_request().id, HttpReply{200, {{"set-cookie", "session=c00kie"}}, "true"});
  answer(Errc::timed_out);
  pbx().open(kPrimary);
  EXPECT_THAT(take_request().where.target, HasSubstr("/accounts"));
}

TEST_F(VodiaSession, IsReadyOnALegacyServerWithItsDomainState) {
  log_in_legacy();
  const auto& book = pbx().tracker.book();
  EXPECT_EQ(book.devices.size(), 8u);
  EXPECT_EQ(book.devices.at(call::DeviceId("600")).kind, call::DeviceKind::queue);
  EXPECT_EQ(book.devices.at(call::DeviceId("800")).kind, call::DeviceKind::park);
  EXPECT_TRUE(book.devices.at(call::DeviceId("501")).controllable);
  EXPECT_FALSE(book.devices.at(call::DeviceId("600")).controllable);
  EXPECT_THAT(pbx().requests, IsEmpty());
}

TEST_F(VodiaSession, ReadsTheAccountsOfALegacyServerThatDoesNotPushThem) {
  server = kServer67;
  pbx().begin();
  grant_token();
  pbx().open(kPrimary);
  calls({});
  EXPECT_FALSE(pbx().ready);
  pbx().pass(2s);
  answer_directory();
  EXPECT_FALSE(pbx().ready);  // its list may be of our own extension only
  pbx().pass(10s);
  EXPECT_TRUE(pbx().ready);
  EXPECT_THAT(pbx().given_up, IsEmpty());
}

TEST_F(VodiaSession, GivesUpWhenAnyStepFailsToCome) {
  for (int step = 0; step < 4; ++step) {
    test::Dialogue other(vendor(), settings);
    other.begin();
    const auto reply = [&](std::string_view body) {
      const auto id = other.requests.back().id;
      other.reply_http(id, HttpReply{200, {{"server", "PBX/70.1"}}, std::string(body)});
    };
    if (step > 0) reply(kToken);
    if (step > 1) {
      reply("true");
      other.open(kPrimary);
    }
    if (step > 2) reply(kDirectory);
    other.pass(9'999ms);
    EXPECT_THAT(other.given_up, IsEmpty());
    other.pass(11s);
    ASSERT_THAT(other.given_up, SizeIs(1)) << step;
    EXPECT_EQ(other.given_up[0].why, Errc::timed_out);
    EXPECT_THAT(other.given_up[0].detail, HasSubstr(step < 2   ? "login"
                                                    : step < 3 ? "accounts"
                                                               : "calls"));
  }
}

TEST_F(VodiaSession, SaysSoWhenItMayNotReadTheAccounts) {
  pbx().begin();
  grant_token();
  pbx().open(kPrimary);
  answer(403, "");
  ASSERT_THAT(pbx().given_up, SizeIs(1));
  EXPECT_EQ(pbx().given_up[0].why, Errc::permission_denied);
}

TEST_F(VodiaSession, TellsTheCallsThatThereAreWhenItComes) {
  pbx().begin();
  grant_token();
  pbx().open(kPrimary);
  calls({talking()});  // before we know who is an extension
  answer_directory();
  ASSERT_TRUE(pbx().ready);
  ASSERT_THAT(pbx().seen, SizeIs(2));
  EXPECT_THAT(std::get<call::DevicesSeen>(pbx().seen[0]).devices, SizeIs(6));
  const auto& views = std::get<call::CallsSeen>(pbx().seen[1]).calls;
  ASSERT_THAT(views, SizeIs(1));
  EXPECT_EQ(views[0].legs[0].id, "a@pbx/501");
  EXPECT_EQ(views[0].legs[1].party.name, "Bob");
}

TEST_F(VodiaSession, KeepsItsSocketAliveAndAsksForTheListEachMinute) {
  log_in_modern();
  pbx().pass(29s);
  EXPECT_THAT(pbx().take_sent(kPrimary), IsEmpty());
  pbx().pass(1s);
  EXPECT_THAT(pbx().take_sent(kPrimary), ElementsAre(R"({"action":"avoid-disconnect"})"));
  pbx().pass(30s);
  EXPECT_THAT(pbx().take_sent(kPrimary),
              ElementsAre(R"({"action":"avoid-disconnect"})",
                          R"({"action":"domain-calls","subscribe":true})"));
}

TEST_F(VodiaSession, ReadsTheDirectoryOfAModernServerAgainAndAgain) {
  log_in_modern();
  for (int i = 0; i < 3; ++i) {
    pbx().pass(4'999ms);
    EXPECT_THAT(pbx().requests, IsEmpty());
    pbx().pass(5'001ms);
    ASSERT_THAT(pbx().requests, SizeIs(1));
    answer_directory();
  }
  pbx().pass(30s);
  ASSERT_THAT(pbx().requests, SizeIs(1));  // not twice while one is open
  answer(200, R"([{"name":"501","displayname":"Ann","dnd":true,"registered":true}])");
  const auto& devices = pbx().tracker.book().devices;
  ASSERT_EQ(devices.size(), 3u);  // and a queue and an orbit, which this list never had
  EXPECT_EQ(devices.begin()->second.do_not_disturb, true);
}

TEST_F(VodiaSession, BearsADirectoryThatCannotBeRead) {
  log_in_modern();
  for (auto body : {"false", "", "<html>", "[{"}) {
    pbx().pass(10s);
    answer(200, body);
  }
  pbx().pass(10s);
  answer(500, "");
  pbx().pass(10s);
  answer(Errc::timed_out);
  EXPECT_THAT(pbx().notes, SizeIs(6));
  EXPECT_THAT(pbx().given_up, IsEmpty());
  EXPECT_EQ(pbx().tracker.book().devices.size(), 6u);
}

TEST_F(VodiaSession, DoesWithoutQueuesAndOrbitsThatCannotBeRead) {
  for (const unsigned status : {401u, 403u, 404u, 500u}) {
    test::Dialogue other(vendor(), settings);
    other.begin();
    const auto reply = [&](unsigned code, std::string_view body,
                           std::vector<std::pair<std::string, std::string>> headers = {}) {
      const HttpId id = other.requests.back().id;
      headers.emplace_back("server", kServer70);
      other.reply_http(id, HttpReply{code, std::move(headers), std::string(body)});
    };
    reply(200, kToken);
    reply(200, "true", {{"set-cookie", "session=c00kie"}});
    other.open(kPrimary);
    other.hear(R"({"action":"call-state","calls":[]})");
    reply(200, kDirectory);
    EXPECT_FALSE(other.ready);
    EXPECT_EQ(other.requests.back().where.target, "/rest/domain/t.example/users");
    EXPECT_EQ(header(other.requests.back().where, "Authorization"), "Basic YWRtaW46cjAwdA==");
    reply(status, "");
    EXPECT_TRUE(other.ready) << status;
    EXPECT_THAT(other.notes, SizeIs(1));
    EXPECT_EQ(other.tracker.book().devices.size(), 4u);
  }
}

TEST_F(VodiaSession, DoesNotAskForThemWithoutAnAdministrator) {
  settings.set("admin_user", std::string());
  server = kServer70;
  pbx().begin();
  answer(200, kToken);  // to the password
  pbx().open(kPrimary);
  calls({});
  answer(200, kDirectory);
  EXPECT_TRUE(pbx().ready);
  EXPECT_EQ(pbx().tracker.book().devices.size(), 4u);
}

// A list may leave a new call out, by a slip of the server.
TEST_F(VodiaSession, AsksForTheListWhenALampIsLitWithoutACall) {
  log_in_modern();
  const std::string ask = R"({"action":"domain-calls","subscribe":true})";
  pbx().hear(R"({"action":"blf","account":"501","state":"alerting"})");
  pbx().pass(499ms);
  EXPECT_THAT(pbx().take_sent(kPrimary), IsEmpty());  // the list may still come
  pbx().pass(1ms);
  EXPECT_THAT(pbx().take_sent(kPrimary), ElementsAre(ask));
  pbx().hear(R"({"action":"blf","account":"502","state":"alerting"})");
  calls({ringing()});
  pbx().pass(2s);
  EXPECT_THAT(pbx().take_sent(kPrimary), IsEmpty());
}

// The lamp is lit at both ends of a call that alerts; the list of calls knows who rings.
TEST_F(VodiaSession, TellsWhatADeviceDoesFromItsCalls) {
  log_in_modern();
  const auto activity = [&](const char* number) {
    return pbx().tracker.book().devices.at(call::DeviceId(number)).activity;
  };
  pbx().hear(R"({"action":"blf","account":"503","state":"alerting"})");
  EXPECT_EQ(activity("503"), call::Activity::ringing);  // of a call that we are not shown
  Entry entry = talking();
  entry.state = "alerting";
  calls({entry});
  pbx().hear(R"({"action":"blf","account":"501","state":"alerting"})");
  EXPECT_EQ(activity("501"), call::Activity::busy);
  EXPECT_EQ(activity("502"), call::Activity::ringing);
  calls({talking()});
  EXPECT_EQ(activity("502"), call::Activity::busy);
  pbx().hear(R"({"action":"blf","account":"501","state":"idle"})");
  EXPECT_EQ(activity("501"), call::Activity::busy);  // the next list will say so, if it is over
  calls({});
  calls({});
  EXPECT_EQ(activity("501"), call::Activity::idle);
  EXPECT_EQ(activity("502"), call::Activity::idle);
}

TEST_F(VodiaSession, ChecksItsSessionAndRenewsItBesideTheLivingSocket) {
  settings.set("poll", std::chrono::milliseconds(1h));
  log_in_modern();
  talk();
  pbx().pass(5min);
  EXPECT_EQ(pbx().requests.at(0).where.target, "/rest/system/session");
  EXPECT_EQ(header(pbx().requests.at(0).where, "Cookie"), "session=c00kie");
  answer(200, R"({"type":"user","cuser":"500","cdomain":"t.example"})");
  EXPECT_THAT(pbx().requests, IsEmpty());

  pbx().pass(5min);
  answer(200, R"({"recording":true})");  // what everybody is told
  pbx().take_sent(kPrimary);
  grant_token();
  EXPECT_THAT(pbx().take_sent(kPrimary),
              ElementsAre(R"({"action":"domain-calls","subscribe":true})"));
  calls({talking()});
  pbx().pass(1min);
  EXPECT_THAT(pbx().given_up, IsEmpty());
  EXPECT_THAT(pbx().opened, SizeIs(1));
  EXPECT_THAT(pbx().take_events(), IsEmpty());
}

TEST_F(VodiaSession, EndsWhenItsSocketFellSilentWithTheSession) {
  settings.set("poll", std::chrono::milliseconds(1h));
  log_in_modern();
  pbx().pass(5min);
  answer(401, "");
  grant_token();
  pbx().pass(9'999ms);
  EXPECT_THAT(pbx().given_up, IsEmpty());
  pbx().pass(1ms);
  ASSERT_THAT(pbx().given_up, SizeIs(1));
  EXPECT_EQ(pbx().given_up[0].why, Errc::ping_timed_out);
}

TEST_F(VodiaSession, EndsWhenItsSessionIsNotRenewed) {
  log_in_modern();
  pbx().pass(10s);
  answer(401, "");  // to the reading of the directory
  answer(200, "false");
  ASSERT_THAT(pbx().given_up, SizeIs(1));
  EXPECT_EQ(pbx().given_up[0].why, Errc::login_rejected);
  EXPECT_GE(*pbx().given_up[0].retry_after, 60s);
}

TEST_F(VodiaSession, EndsWhenTheNewSessionIsNoGoodEither) {
  settings.set("poll", std::chrono::milliseconds(1h));
  log_in_modern();
  pbx().pass(5min);
  answer(401, "");
  grant_token();
  calls({});
  pbx().pass(5min);
  EXPECT_THAT(pbx().given_up, IsEmpty());
  answer(200, R"({"recording":true})");
  ASSERT_THAT(pbx().given_up, SizeIs(1));
  EXPECT_EQ(pbx().given_up[0].why, Errc::login_rejected);
}

TEST_F(VodiaSession, GoesOnWhenTheSessionCannotBeRenewedJustNow) {
  settings.set("poll", std::chrono::milliseconds(1h));
  log_in_modern();
  pbx().pass(5min);
  answer(401, "");
  answer(Errc::connect_failed);
  EXPECT_THAT(pbx().given_up, IsEmpty());
  pbx().pass(30s);
  EXPECT_EQ(pbx().requests.at(0).where.target, "/rest/system/session");
}

TEST_F(VodiaSession, StaysUpThroughWhatItCannotRead) {
  log_in_modern();
  talk();
  for (auto text : {"", "[]", "{", R"({"action":"call-state","calls":[{"id":"b@pbx")",
                    R"({"action":"call-state"})", R"({"action":"firmware"})", R"({"a":1})",
                    R"({"action":"user-state"})"}) {
    pbx().notes.clear();
    pbx().hear(text);
    EXPECT_THAT(pbx().notes, SizeIs(1)) << text;
  }
  EXPECT_THAT(pbx().given_up, IsEmpty());
  EXPECT_THAT(pbx().take_events(), IsEmpty());
}

TEST_F(VodiaSession, MergesUserStateIntoWhatItKnows) {
  log_in_legacy();
  const auto device = [&] { return pbx().tracker.book().devices.at(call::DeviceId("501")); };
  pbx().hear(R"({"action":"user-state","account":"501","type":"extensions","domain":"t.example",)"
             R"("dnd":"true","chatstatus":"online","code":"x"})");
  EXPECT_EQ(device().do_not_disturb, true);
  EXPECT_EQ(device().presence, "online");
  EXPECT_EQ(device().activity, call::Activity::busy);
  EXPECT_EQ(device().availability, call::Availability::in_service);
  pbx().hear(R"({"action":"user-state","account":"501","type":"extensions","domain":"t.example",)"
             R"("registered":false})");
  EXPECT_EQ(device().do_not_disturb, true);    // not said: as it was
  EXPECT_EQ(device().presence, std::nullopt);  // not said: cleared
  EXPECT_EQ(device().activity, call::Activity::idle);
  EXPECT_EQ(device().availability, call::Availability::out_of_service);
}

TEST_F(VodiaSession, AsksALegacyServerForCallsWhenSomebodyIsBusy) {
  log_in_legacy();
  pbx().pass(1s);
  pbx().hear(R"({"action":"user-state","account":"501","type":"extensions","code":"x"})");
  EXPECT_THAT(pbx().take_sent(kPrimary), Contains(R"({"action":"get-users"})"));
  domain_state({ringing()});
  EXPECT_THAT(pbx().take_events(), ElementsAre("originated 501", "delivered 502"));
  // What is of our own extension says nothing of the others.
  calls({});
  calls({});
  EXPECT_THAT(pbx().take_events(), IsEmpty());
  domain_state({});
  domain_state({});
  EXPECT_THAT(pbx().take_events(), SizeIs(3));
}

TEST_F(VodiaSession, KnowsWhoCanBeActedOnWithoutAnAdministrator) {
  settings.set("admin_user", std::string());
  pbx().begin();
  answer(200, kToken);
  pbx().open(kPrimary);
  calls({});
  answer_directory();
  ASSERT_TRUE(pbx().ready);
  EXPECT_TRUE(pbx().tracker.book().devices.at(call::DeviceId("500")).controllable);
  EXPECT_FALSE(pbx().tracker.book().devices.at(call::DeviceId("501")).controllable);
  const auto id = pbx().ask(call::MakeCall{call::DeviceId("501"), "502", {}});
  EXPECT_EQ(pbx().verdict(id), "credentials_missing");
}

}  // namespace
}  // namespace pbx::vodia
