#include "pbx/webitel/tenant.h"

namespace pbx::webitel {
namespace {

using base::Errc;
using call::LinkState;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

struct WebitelSession : Webitel {};

TEST_F(WebitelSession, LogsInSubscribesAndReadsWhatThereIs) {
  pbx().start();
  ASSERT_THAT(pbx().opened, SizeIs(1));
  const Handshake& where = pbx().opened.at(0).second;
  EXPECT_EQ(where.host + ':' + where.port + where.target,
            "pbx.test:443/ws/websocket?application_name=pbx-gateway&ver=1");
  EXPECT_TRUE(where.tls);
  EXPECT_THAT(where.headers, IsEmpty());  // the token goes in-band
  EXPECT_THAT(
      pbx().take_sent(kPrimary),
      ElementsAre(R"({"seq":1,"action":"authentication_challenge","data":{"token":"s3cret"}})"));
  hello();
  EXPECT_THAT(pbx().requests, IsEmpty());
  pbx().hear(R"({"status":"OK","seq_reply":1})");
  EXPECT_THAT(pbx().sent[kPrimary], ElementsAre(R"({"seq":2,"action":"subscribe_call"})",
                                                R"({"seq":3,"action":"subscribe_users_status"})"));
  const SendHttp users = pbx().requests.at(0);
  EXPECT_EQ(users.where.target, "/api/call_center/users?page=1&size=500");
  EXPECT_THAT(users.where.headers,
              Contains(std::pair<std::string, std::string>("X-Webitel-Access", "s3cret")));
  answer("GET /api/call_center/users", 200, items(kUsers));
  answer("GET /api/calls/active", 200,
         items(rows_of({{"A", "10", "outbound", "ringing", "2011"}})));
  answer("GET /api/call_center/agents", 200, items(kAgents));
  EXPECT_FALSE(pbx().ready);  // the subscription is not confirmed
  grant("subscribe_call", R"({"items":[]})");
  EXPECT_TRUE(pbx().ready);
  EXPECT_THAT(pbx().stages, ElementsAre(LinkState::logging_in, LinkState::synchronizing));
  EXPECT_THAT(events(), ElementsAre("originated 2010"));
  EXPECT_THAT(pbx().notes, IsEmpty());

  const auto& devices = pbx().tracker.book().devices;
  ASSERT_THAT(devices, SizeIs(3));
  const call::Device& ann = devices.at(call::DeviceId("2010"));
  EXPECT_EQ(ann.name, "Ann");
  EXPECT_EQ(ann.availability, call::Availability::in_service);
  EXPECT_EQ(ann.do_not_disturb, false);
  EXPECT_EQ(ann.agent_state, call::AgentState::logged_off);
  EXPECT_EQ(ann.activity, call::Activity::busy);
  EXPECT_TRUE(ann.controllable);
  const call::Device& cid = devices.at(call::DeviceId("2012"));
  EXPECT_EQ(cid.availability, call::Availability::out_of_service);
  EXPECT_EQ(cid.agent_state, std::nullopt);
  EXPECT_EQ(cid.activity, call::Activity::idle);
}

TEST_F(WebitelSession, TakesRepliesInAnyOrderAndLegsBeforeTheirUsers) {
  authenticate();
  grant("subscribe_users_status");
  grant("subscribe_call",
        items(R"({"id":"A","user_id":"1","state":"ringing","direction":"outbound",)"
              R"("destination":"2011","from":{"number":"99"}},)"
              R"({"id":"B","user_id":"11","state":"ringing","direction":"inbound",)"
              R"("destination":"2011","to":{"number":"2011"},"parent_id":"A"})"));
  EXPECT_FALSE(pbx().ready);
  answer("GET /api/call_center/users", 200, items(kUsers));
  answer("GET /api/call_center/agents", 200, "{}");
  answer("GET /api/calls/active", 200, "{}");
  ASSERT_TRUE(pbx().ready);
  EXPECT_THAT(events(), Contains("delivered 2011"));
  const auto [call, connection] = pbx().tracker.find_leg("B");
  ASSERT_NE(connection, nullptr);
  EXPECT_EQ(connection->party.name, "Bob");
}

TEST_F(WebitelSession, TakesTheSlashesOffItsPaths) {
  settings.set("ws_path", std::string("ws/websocket//"));
  settings.set("api_path", std::string("/"));
  settings.set("tls", false);
  authenticate();
  EXPECT_EQ(pbx().opened.at(0).second.target, "/ws/websocket?application_name=pbx-gateway&ver=1");
  EXPECT_EQ(pbx().opened.at(0).second.port, "80");
  EXPECT_EQ(pbx().requests.at(0).where.target, "/call_center/users?page=1&size=500");
}

struct Refused {
  unsigned code;
  const char* id;
  Errc why;
  const char* says;
  bool slowly;
};

TEST_F(WebitelSession, TellsWhyALoginFailed) {
  const Refused kCases[] = {
      {401, "app.session.unauthenticated", Errc::login_rejected, "token", true},
      {412, "api.context.permissions.license", Errc::login_rejected, "licence", true},
      {500, "app.session.app_error", Errc::pbx_refused, "authentication service", false},
      {400, "something.else", Errc::pbx_refused, "400", false},
  };
  for (const Refused& it : kCases) {
    test::Dialogue other(vendor(), settings);
    other.start();
    other.hear(R"({"status":"FAIL","seq_reply":1,"error":{"id":")" + std::string(it.id) +
               R"(","status":"x","detail":"s3cret","code":)" + std::to_string(it.code) + "}}");
    ASSERT_THAT(other.given_up, SizeIs(1)) << it.id;
    EXPECT_EQ(other.given_up[0].why, it.why) << it.id;
    EXPECT_THAT(other.given_up[0].detail, HasSubstr(it.says));
    EXPECT_EQ(other.given_up[0].retry_after.has_value(), it.slowly) << it.id;
    if (it.slowly) {
      EXPECT_GE(*other.given_up[0].retry_after, 60s);
    }
    expect_no_secret(other.given_up[0].detail);
    EXPECT_EQ(other.deadline(), TimePoint::max());
  }
}

TEST_F(WebitelSession, WantsAHelloBeforeTheReply) {
  pbx().start();
  grant("authentication_challenge");
  ASSERT_THAT(pbx().given_up, SizeIs(1));
  EXPECT_EQ(pbx().given_up[0].why, Errc::bad_frame);
}

TEST_F(WebitelSession, KnowsItsTenantByNameAndByNumber) {
  for (auto domain : {"acme", "1", "", "other"}) {
    settings.set("domain", std::string(domain));
    test::Dialogue other(vendor(), settings);
    other.start();
    other.hear(
        R"({"event":"hello","data":{"session":{"user_id":1,"domain_id":1,"domain_name":"acme"}},"seq":0})");
    other.hear(R"({"status":"OK","seq_reply":1})");
    if (domain != std::string_view("other")) {
      EXPECT_THAT(other.given_up, IsEmpty()) << domain;
      continue;
    }
    ASSERT_THAT(other.given_up, SizeIs(1));
    EXPECT_EQ(other.given_up[0].why, Errc::login_rejected);
    EXPECT_THAT(other.given_up[0].detail, HasSubstr("acme"));
    EXPECT_THAT(other.given_up[0].detail, HasSubstr("other"));
    EXPECT_GE(other.given_up[0].retry_after, 60s);
  }
}

TEST_F(WebitelSession, SaysWhichPermissionIsMissing) {
  struct Case {
    const char* what;
    const char* says;
  };
  for (const Case& it : {Case{"subscribe", "calls, read"}, Case{"users", "users, read"},
                         Case{"calls", "calls, read"}}) {
    test::Dialogue other(vendor(), settings);
    other.start();
    other.hear(
        R"({"event":"hello","data":{"session":{"user_id":1,"domain_id":1,"domain_name":"a"}},"seq":0})");
    other.hear(R"({"status":"OK","seq_reply":1})");
    const HttpReply forbidden{403, {}, R"({"id":"api.context.permissions.app_error","code":403})"};
    if (it.what == std::string_view("subscribe")) {
      other.hear(
          R"({"status":"FAIL","seq_reply":2,"error":{"id":"api.context.permissions.app_error","code":403}})");
    } else if (it.what == std::string_view("users")) {
      other.reply_http(1, forbidden);
    } else {
      other.reply_http(1, HttpReply{200, {}, "{}"});
      for (const SendHttp& request : std::vector(other.requests)) {
        if (request.where.target.find("active") != std::string::npos) {
          other.reply_http(request.id, forbidden);
        }
      }
    }
    ASSERT_THAT(other.given_up, SizeIs(1)) << it.what;
    EXPECT_EQ(other.given_up[0].why, Errc::permission_denied) << it.what;
    EXPECT_THAT(other.given_up[0].detail, HasSubstr(it.says));
    EXPECT_GE(other.given_up[0].retry_after, 60s);
  }
}

TEST_F(WebitelSession, GivesUpWhenAStepIsNotAnswered) {
  const char* kSays[] = {"login", "users", "agents", "calls", "subscription"};
  for (unsigned silent = 0; silent < 5; ++silent) {
    test::Dialogue other(vendor(), settings);
    other.start();
    const auto answer = [&](std::string_view what) {
      for (const SendHttp& request : std::vector(other.requests)) {
        if (request.where.target.find(what) != std::string::npos) {
          other.reply_http(request.id, HttpReply{200, {}, "{}"});
        }
      }
    };
    if (silent > 0) {
      other.hear(
          R"({"event":"hello","data":{"session":{"user_id":1,"domain_id":1,"domain_name":"a"}},"seq":0})");
      other.hear(R"({"status":"OK","seq_reply":1})");
      if (silent != 4) other.hear(R"({"status":"OK","seq_reply":2,"data":{"items":[]}})");
      if (silent > 1) answer("users");
      if (silent > 2) answer("agents");
      if (silent == 4 || silent == 2) answer("active");
    }
    EXPECT_FALSE(other.ready) << silent;
    for (int i = 0; i < 31 && other.given_up.empty(); ++i) {
      other.pass(1s);
      if (silent == 0 || silent == 4) continue;
      for (const std::string& text : other.take_sent(kPrimary)) {
        if (text.find("\"ping\"") == std::string::npos) continue;
        other.hear(R"({"status":"OK","seq_reply":)" + std::to_string(std::atoi(text.c_str() + 7)) +
                   R"(,"data":{"pong":1}})");
      }
    }
    ASSERT_THAT(other.given_up, SizeIs(1)) << silent;
    EXPECT_EQ(other.given_up[0].why, Errc::timed_out) << silent;
    EXPECT_THAT(other.given_up[0].detail, HasSubstr(kSays[silent]));
  }
}

TEST_F(WebitelSession, GoesOnWithoutACallCentre) {
  authenticate();
  grant("subscribe_call", R"({"items":[]})");
  answer("GET /api/call_center/users", 200, items(kUsers));
  answer("GET /api/calls/active", 200, "{}");
  answer("GET /api/call_center/agents", 403, R"({"id":"x","code":403})");
  EXPECT_TRUE(pbx().ready);
  ASSERT_THAT(pbx().notes, SizeIs(1));
  EXPECT_THAT(pbx().notes[0].detail, HasSubstr("cc_agent"));
}

TEST_F(WebitelSession, IgnoresTheFillerAndBearsNonsense) {
  log_in();
  pbx().hear(std::string_view("\0\0\0\0", 4));
  EXPECT_THAT(pbx().notes, IsEmpty());
  pbx().hear("+34600111222 s<nonsense");
  ASSERT_THAT(pbx().notes, SizeIs(1));
  EXPECT_EQ(pbx().notes[0].what, Errc::bad_frame);
  EXPECT_THAT(pbx().notes[0].detail, Not(HasSubstr("600111222")));
  // As the broker has it, which is not how sockets have it.
  push("call", R"({"call":{"id":"A","event":"ringing","data":"{}"}})");
  EXPECT_THAT(pbx().notes, SizeIs(2));
  // It was counted all the same, so that what it told is read.
  push("chat", R"({"action":"x"})");
  push("notification", R"({"notification":{"action":"refresh_missed"}})");
  EXPECT_THAT(pbx().notes, SizeIs(3));
  EXPECT_THAT(pbx().given_up, IsEmpty());
}

TEST_F(WebitelSession, PingsAndGivesUpWithoutAPong) {
  log_in();
  pbx().pass(30s);
  EXPECT_EQ(asked("ping"), 1u);
  grant("ping", R"({"pong":1})");
  pbx().pass(30s);
  EXPECT_EQ(asked("ping"), 2u);
  EXPECT_THAT(pbx().given_up, IsEmpty());
  pbx().pass(10s);
  ASSERT_THAT(pbx().given_up, SizeIs(1));
  EXPECT_EQ(pbx().given_up[0].why, Errc::ping_timed_out);
}

TEST_F(WebitelSession, PingsAsOftenAsThePbxWants) {
  pbx().start();
  push("hello",
       R"({"ping_interval":5000,"session":{"user_id":1,"domain_id":1,"domain_name":"acme"}})");
  grant("authentication_challenge");
  pbx().pass(5s);
  EXPECT_EQ(asked("ping"), 1u);
}

TEST_F(WebitelSession, ReadsEverythingAgainWhenEventsAreMissing) {
  log_in();
  pbx().pass(2s);
  answer("GET /api/calls/active", 200, items(""));
  const auto before = asked("subscribe_call");
  ++seq[kPrimary];  // one that never comes
  push("user_state", R"({"state":{"id":"1","status":"web"}})");
  ASSERT_THAT(pbx().notes, SizeIs(1));
  EXPECT_EQ(asked("subscribe_call"), before + 1);
  pbx().pass(250ms);
  EXPECT_TRUE(is_asked("GET /api/calls/active"));
  push("user_state", R"({"state":{"id":"1","status":"web"}})");
  EXPECT_THAT(pbx().notes, SizeIs(1));
}

TEST_F(WebitelSession, RenewsItsSubscriptionsEachMinute) {
  log_in();
  EXPECT_EQ(asked("subscribe_call"), 1u);
  pbx().pass(1s);
  EXPECT_EQ(asked("call_by_user"), 1u);  // what was missed before the binding
  grant("call_by_user", R"({"items":[]})");
  for (int i = 0; i < 60; ++i) {
    pbx().pass(1s);
    if (is_asked("GET /api/calls/active")) answer("GET /api/calls/active", 200, "{}");
    if (asked("ping") > 0) {
      grant("ping", R"({"pong":1})");
      std::erase_if(pbx().sent[kPrimary],
                    [](const std::string& it) { return it.find("\"ping\"") != it.npos; });
    }
  }
  EXPECT_EQ(asked("subscribe_call"), 2u);
  EXPECT_EQ(asked("subscribe_users_status"), 2u);
  EXPECT_EQ(asked("call_by_user"), 1u);
}

TEST_F(WebitelSession, NeverAuthenticatesAgainOnTheSameSocket) {
  log_in();
  push(
      "error",
      R"({"sock_id":"abc","error":{"id":"app.session.unauthenticated","status":"Unauthorized","detail":"s3cret","code":401}})");
  ASSERT_THAT(pbx().given_up, SizeIs(1));
  EXPECT_EQ(pbx().given_up[0].why, Errc::login_rejected);
  EXPECT_FALSE(pbx().given_up[0].retry_after);  // the next login decides
  EXPECT_EQ(asked("authentication_challenge"), 1u);
}

TEST_F(WebitelSession, TakesAReplyThatSaysSoForTheEndOfItsSession) {
  log_in();
  pbx().pass(1s);
  refuse("call_by_user", 500, "api.web_socket_router.not_authenticated.app_error");
  ASSERT_THAT(pbx().given_up, SizeIs(1));
  EXPECT_EQ(pbx().given_up[0].why, Errc::login_rejected);
}

TEST_F(WebitelSession, GivesUpWhenTheListsKeepFailing) {
  log_in();
  for (int i = 0; i < 40 && pbx().given_up.empty(); ++i) {
    pbx().pass(1s);
    if (asked("ping") > 0) {
      grant("ping", R"({"pong":1})");
      std::erase_if(pbx().sent[kPrimary],
                    [](const std::string& it) { return it.find("\"ping\"") != it.npos; });
    }
    if (is_asked("GET /api/calls/active")) answer("GET /api/calls/active", 502, "<html>");
  }
  ASSERT_THAT(pbx().given_up, SizeIs(1));
  EXPECT_EQ(pbx().given_up[0].why, Errc::timed_out);
  EXPECT_THAT(pbx().notes, SizeIs(1));
}

TEST_F(WebitelSession, GivesUpWhenOneListKeepsFailingAndTheOthersDoNot) {
  for (const char* broken : {"GET /api/calls/active", "GET /api/call_center/users"}) {
    reset();
    log_in();
    for (int i = 0; i < 40 && pbx().given_up.empty(); ++i) {
      pbx().pass(1s);
      if (asked("ping") > 0) {
        grant("ping", R"({"pong":1})");
        std::erase_if(pbx().sent[kPrimary],
                      [](const std::string& it) { return it.find("\"ping\"") != it.npos; });
      }
      if (is_asked(broken)) answer(broken, 502, "<html>");
      if (is_asked("GET /api/calls/active")) answer("GET /api/calls/active", 200, "{}");
      if (is_asked("GET /api/call_center/users")) {
        answer("GET /api/call_center/users", 200, items(kUsers));
      }
    }
    ASSERT_THAT(pbx().given_up, SizeIs(1)) << broken;
    EXPECT_EQ(pbx().given_up[0].why, Errc::timed_out);
    EXPECT_THAT(pbx().notes, SizeIs(1)) << broken;
  }
}

TEST_F(WebitelSession, SaysWhenItsTokenIsRevoked) {
  log_in();
  pbx().pass(2s);
  answer("GET /api/calls/active", 401, R"({"id":"x","code":401})");
  ASSERT_THAT(pbx().given_up, SizeIs(1));
  EXPECT_EQ(pbx().given_up[0].why, Errc::login_rejected);
  EXPECT_GE(pbx().given_up[0].retry_after, 60s);
}

TEST_F(WebitelSession, AnswersWhatIsAskedBeforeReady) {
  authenticate();
  EXPECT_EQ(pbx().verdict(pbx().ask(call::MakeCall{call::DeviceId("2010"), "2011", {}})),
            "pbx_disconnected");
  pbx().inquire(call::SearchCalls{});
  EXPECT_THAT(pbx().informed, SizeIs(1));
}

TEST_F(WebitelSession, FollowsPresenceAndAgents) {
  log_in_with_users();
  push("user_state", R"({"state":{"id":"10","status":"sip,web,dnd"}})", links[0],
       R"(,"user_id":10)");
  const auto device = [&](const char* id) {
    return pbx().tracker.book().devices.at(call::DeviceId(id));
  };
  EXPECT_EQ(device("2010").do_not_disturb, true);
  push("user_state", R"({"state":{"id":"10"}})", links[0], R"(,"user_id":10)");
  EXPECT_EQ(device("2010").availability, call::Availability::out_of_service);
  EXPECT_EQ(device("2010").do_not_disturb, false);
  push("agent_status", R"({"agent_id":5,"user_id":10,"status":"online","channels":[]})", links[0],
       R"(,"user_id":10)");
  EXPECT_EQ(device("2010").agent_state, call::AgentState::ready);
  push("channel", R"({"channel":"call","status":"offering","offering":{}})", links[0],
       R"(,"user_id":10)");
  EXPECT_EQ(device("2010").agent_state, call::AgentState::busy);
  push("channel", R"({"channel":"call","status":"wrap_time","wrap_time":{}})", links[0],
       R"(,"user_id":10)");
  EXPECT_EQ(device("2010").agent_state, call::AgentState::working_after_call);
  push("channel", R"({"channel":"call","status":"waiting"})", links[0], R"(,"user_id":10)");
  EXPECT_EQ(device("2010").agent_state, call::AgentState::ready);
  push("agent_status", R"({"agent_id":5,"user_id":10,"status":"pause","status_payload":"lunch"})",
       links[0], R"(,"user_id":10)");
  EXPECT_EQ(device("2010").agent_state, call::AgentState::not_ready);
  EXPECT_EQ(device("2010").agent_reason, "lunch");

  // A list that was asked for before does not undo it; a later one does.
  pbx().pass(5s);
  answer("GET /api/call_center/agents", 200, items(kAgents));
  EXPECT_EQ(device("2010").agent_state, call::AgentState::logged_off);
}

TEST_F(WebitelSession, FollowsTheListOfUsers) {
  log_in();
  pbx().pass(5s);
  answer("GET /api/call_center/users", 200,
         items(R"({"id":"10","name":"Ann","extension":"2010","presence":{"status":"{sip,dnd}"}},)"
               R"({"id":"13","name":"Dan","extension":"2013"})"));
  const auto& devices = pbx().tracker.book().devices;
  ASSERT_THAT(devices, SizeIs(2));
  EXPECT_EQ(devices.at(call::DeviceId("2010")).do_not_disturb, true);
  EXPECT_TRUE(devices.contains(call::DeviceId("2013")));
}

TEST_F(WebitelSession, FollowsACallWhoseUserGetsAnotherExtensionAndIsDeleted) {
  log_in({{"A", "10", "outbound", "bridge", "2011", "2010", "2011", "", "B"},
          {"B", "11", "inbound", "bridge", "2011", "2010", "2011", "A", "A"}});
  const auto users = [&](const std::string& ann) {
    pbx().pass(5s);
    answer("GET /api/call_center/users", 200,
           items(ann + R"({"id":"11","name":"Bob","extension":"2011"})"));
  };
  users(R"({"id":"10","name":"Ann","extension":"2099"},)");
  const auto& devices = pbx().tracker.book().devices;
  EXPECT_FALSE(devices.contains(call::DeviceId("2010")));
  EXPECT_EQ(devices.at(call::DeviceId("2099")).activity, call::Activity::busy);
  EXPECT_EQ(pbx().tracker.find_leg("A").second->party.device, call::DeviceId("2099"));
  users("");
  EXPECT_FALSE(devices.contains(call::DeviceId("2099")));
  EXPECT_EQ(pbx().tracker.book().calls.size(), 1u);
  answer("GET /api/calls/active", 200, items(""));
  pbx().pass(2s);
  answer("GET /api/calls/active", 200, items(""));
  EXPECT_EQ(pbx().tracker.book().calls.size(), 0u);
  EXPECT_EQ(devices.at(call::DeviceId("2011")).activity, call::Activity::idle);
}

}  // namespace
}  // namespace pbx::webitel
