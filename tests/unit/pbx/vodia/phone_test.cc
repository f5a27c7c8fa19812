#include "pbx/vodia/media_client.h"
#include "pbx/vodia/texts.h"

namespace pbx::vodia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct PhoneTest : MediaClient {};

// ---- How a stream comes to be.

TEST_F(PhoneTest, LogsInAsItsExtensionAndOpensALinkOfItsOwn) {
  log_in_modern();
  pbx().open_signal(kStream, options());
  const SendHttp mint = take_request();
  EXPECT_EQ(mint.body, R"({"name":"3rd","domain":"t.example","username":"502"})");
  EXPECT_EQ(header(mint.where, "Authorization"), basic_authorization("admin", "r00t"));
  pbx().reply_http(mint.id, HttpReply{200, {}, std::string(kToken)});
  const SendHttp activate = take_request();
  EXPECT_EQ(header(activate.where, "Authorization"), "");
  EXPECT_EQ(header(activate.where, "Cookie"), "");
  pbx().reply_http(activate.id,
                   HttpReply{200, {{"set-cookie", "session=an0ther; Path=/"}}, "true"});
  ASSERT_THAT(pbx().opened, SizeIs(2));
  EXPECT_EQ(pbx().opened[1].first, 1u);
  EXPECT_EQ(pbx().opened[1].second.target, "/websocket?domain=t.example&user=502");
  EXPECT_EQ(header(pbx().opened[1].second, "Cookie"), "session=an0ther");
  EXPECT_THAT(told(), IsEmpty());
  pbx().open(kLink);
  EXPECT_THAT(said(), ElementsAre("{'action':'avoid-disconnect'}",
                                  "{'action':'own-calls','subscribe':true}"));
  EXPECT_THAT(told(), ElementsAre("ready"));
  EXPECT_THAT(said(kPrimary), IsEmpty());
}

TEST_F(PhoneTest, IsReadyWhenItIsRegistered) {
  log_in_modern();
  open_stream(true);
  EXPECT_THAT(said(), ElementsAre("{'action':'avoid-disconnect'}",
                                  "{'action':'own-calls','subscribe':true}",
                                  "{'action':'sip-register','useragent':'phone 1.0'}"));
  EXPECT_THAT(told(), IsEmpty());
  hear("{'action':'sip-register','add':'sip:502@t.example','expires':3600}");
  EXPECT_THAT(told(), ElementsAre("ready"));
}

TEST_F(PhoneTest, IsReadyAtOnceAtALegacyServerThatMayNotAnswer) {
  log_in_legacy();
  open_stream(true);
  EXPECT_THAT(said(), ElementsAre("{'action':'avoid-disconnect'}", "{'action':'get-calls'}",
                                  "{'action':'sip-register','useragent':'phone 1.0'}"));
  EXPECT_THAT(told(), ElementsAre("ready"));
  hear("{'action':'sip-register','expires':3600}");
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(PhoneTest, SaysNothingOfItselfToAServerOf2016) {
  settings.set("path", std::string("/"));
  log_in_legacy();
  open_stream(true);
  EXPECT_EQ(pbx().opened[1].second.target, "/");
  EXPECT_THAT(said(), ElementsAre("{'action':'avoid-disconnect'}", "{'action':'get-calls'}",
                                  "{'action':'sip-register'}"));
}

TEST_F(PhoneTest, IsReadyWhenItIsRungBeforeTheRegistrationIsAnswered) {
  log_in_modern();
  open_stream(true);
  hear("{'sdp':'v=0','code':183,'callid':'x'}");  // of nobody's call
  EXPECT_THAT(told(), IsEmpty());
  hear("{'invitesdp':'v=0','callid':'in1'}");
  EXPECT_THAT(told(), ElementsAre("ready", "incoming in1 from  () to : v=0"));
}

TEST_F(PhoneTest, NeedsNoLoginAsTheMonitoringExtension) {
  settings.set("admin_user", std::string());
  server = kServer70;
  pbx().begin();
  answer(200, kToken, {{"set-cookie", "session=c00kie; Path=/"}});  // by password
  pbx().open(kPrimary);
  calls({});
  answer(200, kDirectory);
  pbx().open_signal(kStream, options("500"));
  EXPECT_THAT(pbx().requests, IsEmpty());
  ASSERT_THAT(pbx().opened, SizeIs(2));
  EXPECT_EQ(header(pbx().opened[1].second, "Cookie"), "session=c00kie");
  EXPECT_EQ(pbx().opened[1].second.target, "/websocket?domain=t.example&user=500");
  pbx().open_signal(2, options("502"));
  EXPECT_EQ(ended(), "credentials_missing");
  EXPECT_THAT(pbx().requests, IsEmpty());
}

TEST_F(PhoneTest, KnowsAnExtensionByItsOtherNumber) {
  log_in_modern();
  pbx().open_signal(kStream, options("+34911000503"));
  EXPECT_THAT(take_request().body, HasSubstr(R"("username":"503")"));
}

TEST_F(PhoneTest, IsNoQueueAndNobodyUnknown) {
  log_in_legacy();
  for (auto device : {"600", "999", ""}) {
    pbx().open_signal(kStream, options(device));
    EXPECT_EQ(ended(), "device_not_found") << device;
  }
  EXPECT_THAT(pbx().requests, IsEmpty());
}

TEST_F(PhoneTest, OpensNothingBeforeTheSessionIsReady) {
  pbx().begin();
  pbx().open_signal(kStream, options());
  EXPECT_EQ(ended(), "pbx_disconnected");
  EXPECT_THAT(pbx().requests, SizeIs(1));  // the session's own
}

TEST_F(PhoneTest, OpensNoMoreThanItMay) {
  settings.set("signals_max", std::int64_t{2});
  log_in_modern();
  for (call::SignalId id : {1, 2, 3}) pbx().open_signal(id, options());
  EXPECT_EQ(ended(), "too_many_requests");
  EXPECT_THAT(pbx().requests, SizeIs(2));
  pbx().close_signal(1);
  pbx().open_signal(4, options());
  EXPECT_EQ(ended(), "");
}

TEST_F(PhoneTest, HasALinkThatWasNeverAnothers) {
  begin_modern();
  pbx().close_signal(kStream);
  pbx().open_signal(2, options("503"));
  grant_token();
  EXPECT_EQ(pbx().opened.back().first, 2u);
  hear("{'invitesdp':'v=0','callid':'late'}");  // on the link that was closed
  EXPECT_THAT(said(), IsEmpty());
}

// ---- Every step of it fails.

TEST_F(PhoneTest, SaysWhyTheLoginFailed) {
  constexpr struct {
    unsigned status;
    const char* body;
    const char* why;
  } kReplies[] = {
      {200, "false", "login_rejected"}, {404, "", "device_not_found"},
      {403, "", "permission_denied"},   {401, "", "login_rejected"},
      {429, "", "too_many_requests"},   {500, "", "pbx_refused"},
      {302, "", "unsupported"},         {200, "<html>", "bad_frame"},
  };
  log_in_modern();
  for (const auto& it : kReplies) {
    pbx().open_signal(kStream, options());
    answer(it.status, it.body);
    EXPECT_EQ(ended(), it.why) << it.status << it.body;
    EXPECT_THAT(pbx().closed, IsEmpty());
  }
  pbx().open_signal(kStream, options());
  answer(base::Errc::connect_failed);
  EXPECT_EQ(ended(), "connect_failed");
  EXPECT_THAT(pbx().given_up, IsEmpty());
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(PhoneTest, MintsATokenAgainOnce) {
  log_in_modern();
  pbx().open_signal(kStream, options());
  answer(200, kToken);
  answer(200, "false");
  EXPECT_EQ(ended(), "");
  answer(200, kToken);
  answer(200, "false");
  EXPECT_EQ(ended(), "timed_out");
}

TEST_F(PhoneTest, EndsWhenTheLoginTakesTooLong) {
  log_in_modern();
  pbx().open_signal(kStream, options());
  const SendHttp mint = take_request();
  pbx().pass(21s);
  EXPECT_EQ(ended(), "timed_out");
  pbx().reply_http(mint.id, HttpReply{200, {}, std::string(kToken)});
  EXPECT_THAT(pbx().opened, SizeIs(1));
}

TEST_F(PhoneTest, EndsWhenItsLinkCannotBeOpened) {
  log_in_modern();
  pbx().open_signal(kStream, options());
  grant_token();
  pbx().lose(kLink, base::Errc::upgrade_refused);
  EXPECT_EQ(ended(), "upgrade_refused");
  EXPECT_THAT(pbx().closed, IsEmpty());
  EXPECT_THAT(pbx().given_up, IsEmpty());
}

TEST_F(PhoneTest, EndsWhenItsLinkIsLostAndOnlyThen) {
  begin_modern();
  be_offered();
  pbx().lose(kLink, base::Errc::link_lost);
  EXPECT_EQ(ended(), "link_lost");
  EXPECT_THAT(pbx().closed, IsEmpty());
  EXPECT_THAT(pbx().given_up, IsEmpty());
  say(call::HangUp{"mine"});  // crossed it
  EXPECT_THAT(said(), IsEmpty());
  EXPECT_THAT(told(), IsEmpty());
  calls({ringing()});  // the session goes on
  EXPECT_THAT(pbx().take_events(), testing::Not(IsEmpty()));
}

TEST_F(PhoneTest, EndsWhenTheRegistrationIsNotConfirmed) {
  log_in_modern();
  open_stream(true);
  pbx().pass(9s);
  EXPECT_EQ(ended(), "");
  pbx().pass(2s);
  EXPECT_EQ(ended(), "timed_out");
  EXPECT_THAT(pbx().closed, ElementsAre(kLink));
}

TEST_F(PhoneTest, MayBeClosedAtEveryStep) {
  log_in_modern();
  pbx().open_signal(1, options());
  pbx().close_signal(1);
  answer(200, kToken);
  EXPECT_THAT(pbx().requests, IsEmpty());

  pbx().open_signal(2, options());
  answer(200, kToken);
  pbx().close_signal(2);
  answer(200, "true");
  EXPECT_THAT(pbx().opened, SizeIs(1));
  EXPECT_THAT(pbx().closed, IsEmpty());

  pbx().open_signal(3, options());
  grant_token();
  pbx().close_signal(3);
  EXPECT_THAT(pbx().closed, ElementsAre(3u));

  pbx().open_signal(4, options("502", true));
  grant_token();
  pbx().open(4);
  pbx().close_signal(4);
  EXPECT_THAT(pbx().closed, ElementsAre(3u, 4u));
  pbx().close_signal(4);
  EXPECT_THAT(pbx().closed, SizeIs(2));
  EXPECT_EQ(ended(), "");
}

TEST_F(PhoneTest, HangsUpWhenTheClientIsGone) {
  begin_modern(true);
  talk_as_caller();
  be_called();
  pbx().close_signal(kStream);
  // What only rings may go on ringing at other phones.
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-bye','callid':'theirs','caller':'true'}"));
  EXPECT_THAT(pbx().closed, ElementsAre(kLink));
  EXPECT_EQ(ended(), "");
  EXPECT_THAT(told(), IsEmpty());
}

// ---- Time.

TEST_F(PhoneTest, KeepsItsLinkAlive) {
  begin_modern();
  pbx().pass(95s);
  EXPECT_THAT(said(), ElementsAre("{'action':'avoid-disconnect'}", "{'action':'avoid-disconnect'}",
                                  "{'action':'avoid-disconnect'}"));
}

TEST_F(PhoneTest, RenewsItsRegistrationAtHalfOfItsTime) {
  begin_modern(true);
  pbx().pass(1'799s);
  EXPECT_THAT(said(), testing::Not(testing::Contains(HasSubstr("sip-register"))));
  pbx().pass(2s);
  EXPECT_THAT(said(),
              testing::Contains("{'action':'sip-register','useragent':'phone 1.0'}").Times(1));
  hear("{'action':'sip-register','expires':3600}");
  pbx().pass(1'790s);
  EXPECT_THAT(said(), testing::Not(testing::Contains(HasSubstr("sip-register"))));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(PhoneTest, RenewsAShortRegistrationInTime) {
  constexpr struct {
    int expires, first;  // seconds
  } kTimes[] = {{120, 60}, {50, 30}, {40, 25}, {10, 5}};
  begin_modern(true);
  for (const auto& it : kTimes) {
    hear("{'action':'sip-register','expires':" + std::to_string(it.expires) + "}");
    said();
    pbx().pass(std::chrono::milliseconds(it.first * 1'000 - 1));
    EXPECT_THAT(said(), testing::Not(testing::Contains(HasSubstr("sip-register")))) << it.expires;
    pbx().pass(1ms);
    EXPECT_THAT(said(), testing::Contains(HasSubstr("sip-register"))) << it.expires;
  }
  EXPECT_EQ(ended(), "");
}

TEST_F(PhoneTest, EndsWhenTheRegistrationIsNotRenewed) {
  begin_modern(true);
  pbx().pass(3'595s);
  EXPECT_THAT(said(), testing::Contains(HasSubstr("sip-register")).Times(testing::Gt(5)));
  EXPECT_EQ(ended(), "");
  pbx().pass(10s);
  EXPECT_EQ(ended(), "timed_out");
  EXPECT_THAT(pbx().closed, ElementsAre(kLink));
}

TEST_F(PhoneTest, RenewsTooWhereNoAnswerComes) {
  begin_legacy(true);
  pbx().pass(2h);
  EXPECT_THAT(said(),
              testing::Contains("{'action':'sip-register','useragent':'phone 1.0'}").Times(4));
  EXPECT_EQ(ended(), "");
}

// ---- Whose messages they are.

TEST_F(PhoneTest, LeavesTheTenantsEventsAlone) {
  begin_modern(true);
  hear(
      "{'action':'call-state','calls':[{'id':'own@pbx','from':'501','to':'502','state':'connected',"
      "'extension':['501','502']}]}");
  hear("{'action':'domain-state','accounts':[{'account':'501','dnd':true}],'calls':[]}");
  hear("{'action':'user-state','account':'501','type':'extensions','dnd':true}");
  EXPECT_THAT(pbx().take_events(), IsEmpty());
  const auto seen = pbx().seen.size();
  hear("{'action':'blf','account':'501','state':'connected'}");
  EXPECT_EQ(pbx().seen.size(), seen);
  // And the other way round.
  pbx().hear(json("{'invitesdp':'v=0','callid':'x'}"));
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_THAT(said(kPrimary), IsEmpty());
}

TEST_F(PhoneTest, NotesWhatItCannotRead) {
  begin_modern();
  hear("{'bye':");
  ASSERT_THAT(pbx().notes, SizeIs(1));
  EXPECT_EQ(pbx().notes[0].what, base::Errc::bad_frame);
  EXPECT_EQ(ended(), "");
}

TEST_F(PhoneTest, KeepsStreamsApart) {
  begin_modern();
  pbx().open_signal(2, options("503"));
  grant_token();
  pbx().open(2);
  EXPECT_THAT(told(2), ElementsAre("ready"));
  said(2);
  start_call("same");
  say(call::StartCall{"same", "501", kOffer}, 2);
  hear("{'sdp':'v=0 pbx','code':183,'callid':'theirs','cseq':1}", 2);
  EXPECT_THAT(told(2), ElementsAre("offer same: v=0 pbx", "ringing same"));
  EXPECT_THAT(told(1), IsEmpty());
  pbx().lose(2, base::Errc::link_closed);
  EXPECT_EQ(ended(), "link_closed");
  say(call::HangUp{"same"});
  EXPECT_THAT(told(1), ElementsAre("ended same callCancelled"));
}

}  // namespace
}  // namespace pbx::vodia
