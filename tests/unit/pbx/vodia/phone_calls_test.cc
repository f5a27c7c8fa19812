#include "pbx/vodia/phone_calls.h"

#include "pbx/vodia/media_client.h"

namespace pbx::vodia {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// What the PBX says.
struct PhoneCallsTest : MediaClient {
  // A list of the extension's calls with one entry.
  void list(std::string_view id, std::string_view to, std::string_view state,
            std::string_view from = "502") {
    hear("{'action':'call-state','calls':[{'id':'" + std::string(id) + "','from':'\\\"B\\\" <sip:" +
         std::string(from) + "@t.example>','to':'<sip:" + std::string(to) +
         "@t.example>','state':'" + std::string(state) + "','extension':['502']}]}");
  }
};

// ---- Calls of the client's, up to 68: it offers, and the PBX answers.

TEST_F(PhoneCallsTest, LegacyServersAnswerTheOffer) {
  begin_legacy();
  start_call();
  EXPECT_THAT(
      said(),
      ElementsAre("{'action':'sdp-packet','callid':'mine','to':'503','sdp':'v=0 client's'}"));
  EXPECT_THAT(told(), IsEmpty());
  hear("{'sdp':'v=0\\r\\na=setup:actpass\\r\\n','code':183,'callid':'mine','cseq':3}");
  EXPECT_THAT(told(), ElementsAre("answer mine: v=0\r\na=setup:passive\r\n", "ringing mine"));
  hear("{'candidate':'candidate:1','callid':'mine'}");
  EXPECT_THAT(told(), ElementsAre("candidate mine: candidate:1"));
  EXPECT_THAT(said(), IsEmpty());
  hear("{'sdp':'v=0\\r\\na=setup:actpass\\r\\n','code':200,'callid':'mine','cseq':4}");
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-ack','callid':'mine'}"));
  EXPECT_THAT(told(), ElementsAre("connected mine"));
  hear("{'bye':'true','callid':'mine','cseq':5}");
  EXPECT_THAT(said(), ElementsAre("{'action':'bye-response','callid':'mine','cseq':5}"));
  EXPECT_THAT(told(), ElementsAre("ended mine normalClearing"));
}

TEST_F(PhoneCallsTest, LegacyServersMayShowThePickupOnlyInTheList) {
  begin_legacy();
  start_call();
  hear("{'sdp':'v=0','code':180,'callid':'mine','cseq':3}");
  list("a@pbx", "503", "ringback");
  EXPECT_THAT(told(), ElementsAre("answer mine: v=0", "ringing mine"));
  said();
  list("a@pbx", "503", "connected");
  list("a@pbx", "503", "connected");
  hear("{'sdp':'v=0','code':200,'callid':'mine','cseq':4}");
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-ack','callid':'mine'}"));
  EXPECT_THAT(told(), ElementsAre("connected mine"));
}

TEST_F(PhoneCallsTest, LegacyServersMayAnswerAtOnce) {
  begin_legacy();
  start_call();
  said();
  hear("{'sdp':{'type':'answer','sdp':'v=0'},'code':'200','callid':'mine'}");
  EXPECT_THAT(told(), ElementsAre("answer mine: v=0", "connected mine"));
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-ack','callid':'mine'}"));
}

TEST_F(PhoneCallsTest, LegacyServersMayGiveTheCallAnotherId) {
  begin_legacy();
  start_call();
  hear("{'sdp':'v=0','code':183,'callid':'theirs'}");
  EXPECT_THAT(told(), ElementsAre("answer mine: v=0", "ringing mine"));
  said();
  say(call::HangUp{"mine"});
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-bye','callid':'theirs','caller':'true'}"));
}

// ---- The same without ids.

TEST_F(PhoneCallsTest, ServersOf2016HaveOneCallWithoutAnId) {
  begin_2016();
  start_call();
  EXPECT_THAT(said(), ElementsAre("{'action':'sdp-packet','to':'503','sdp':'v=0 client's'}"));
  start_call("second");
  EXPECT_THAT(told(), ElementsAre("refused second too_many_requests"));
  hear("{'candidate':'candidate:1'}");
  hear("{'sdp':'v=0 pbx','code':183}");
  EXPECT_THAT(told(),
              ElementsAre("answer mine: v=0 pbx", "candidate mine: candidate:1", "ringing mine"));
  say(call::IceCandidate{"mine", "candidate:2", "0", 0});
  hear("{'sdp':'v=0 pbx','code':200}");
  EXPECT_THAT(said(),
              ElementsAre("{'action':'ice-candidate','candidate':{'candidate':'candidate:2',"
                          "'sdpMid':'0','sdpMLineIndex':0}}",
                          "{'action':'sip-ack'}"));
  hear("{'bye':'true'}");
  EXPECT_THAT(said(), ElementsAre("{'action':'bye-response'}"));
  EXPECT_THAT(told(), ElementsAre("connected mine", "ended mine normalClearing"));
  start_call("second");
  EXPECT_THAT(said(), SizeIs(1));
}

TEST_F(PhoneCallsTest, ServersOf2016RingWithoutAnId) {
  begin_2016(true);
  hear("{'invitesdp':'v=0 pbx','from':'\\\"Ann\\\" <sip:501@t.example>'}");
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-ringing'}"));
  EXPECT_THAT(told(), ElementsAre("incoming call-1 from 501 (Ann) to : v=0 pbx"));
  hear("{'candidate':'candidate:1'}");
  say(call::AnswerOffer{"call-1", "v=0 answer"});
  EXPECT_THAT(said(),
              ElementsAre("{'action':'sdp-200ok','sdp':{'type':'answer','sdp':'v=0 answer'}}"));
  hear("{'invitesdp':'v=0 other','from':'<sip:503@t.example>'}");  // cannot be told apart
  EXPECT_THAT(said(), IsEmpty());
  EXPECT_THAT(told(), ElementsAre("candidate call-1: candidate:1", "connected call-1"));
  say(call::HangUp{"call-1"});
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-bye','caller':'false'}"));
  hear("{'invitesdp':'v=0','from':'<sip:503@t.example>'}");
  said();
  hear("{'cancel':'true'}");
  EXPECT_THAT(said(), ElementsAre("{'action':'cancel-response'}"));
  EXPECT_THAT(told(),
              ElementsAre("ended call-1 normalClearing", "incoming call-2 from 503 () to : v=0",
                          "ended call-2 callCancelled"));
}

// ---- Calls of the client's, from 69 on: the PBX offers.

TEST_F(PhoneCallsTest, ModernServersOfferThemselves) {
  begin_modern();
  start_call();
  say(call::IceCandidate{"mine", "candidate:9", "0", 0});
  EXPECT_THAT(said(), ElementsAre(HasSubstr("'action':'sdp-packet','callid':'mine'"),
                                  HasSubstr("'action':'ice-candidate','callid':'mine'")));
  hear("{'sdp':'v=0\\r\\na=setup:actpass\\r\\n','code':183,'callid':'theirs','cseq':7}");
  EXPECT_THAT(told(), ElementsAre("offer mine: v=0\r\na=setup:actpass\r\n", "ringing mine"));
  hear("{'candidate':'candidate:1','callid':'theirs'}");
  hear("{'candidate':null,'callid':'mine'}");
  EXPECT_THAT(told(), ElementsAre("candidate mine: candidate:1", "candidate mine: "));
  say(call::AnswerOffer{"mine", "v=0 answer"});
  say(call::IceCandidate{"mine", "", "", 0});
  EXPECT_THAT(said(), ElementsAre("{'action':'sdp-200ok','callid':'theirs','cseq':7,"
                                  "'sdp':{'type':'answer','sdp':'v=0 answer'}}",
                                  "{'action':'ice-candidate','callid':'theirs','candidate':null}"));
  EXPECT_THAT(told(), IsEmpty());
  hear("{'sdp':'v=0 as picked up','code':200,'callid':'theirs','cseq':8}");
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-ack','callid':'theirs'}"));
  EXPECT_THAT(told(), ElementsAre("connected mine"));
  hear("{'bye':'true','callid':'mine','cseq':9}");  // by its first id
  EXPECT_THAT(said(), ElementsAre("{'action':'bye-response','callid':'mine','cseq':9}"));
  EXPECT_THAT(told(), ElementsAre("ended mine normalClearing"));
}

TEST_F(PhoneCallsTest, ModernServersMayShowThePickupOnlyInTheList) {
  begin_modern();
  list("desk@pbx", "503", "connected");  // at another phone of the extension
  be_offered();
  say(call::AnswerOffer{"mine", "v=0"});
  said();
  list("desk@pbx", "503", "connected");
  list("in@pbx", "502", "connected", "503");  // a call that came to it
  EXPECT_THAT(told(), IsEmpty());
  list("a@pbx", "503", "alerting");
  list("a@pbx", "503", "connected");
  EXPECT_THAT(told(), ElementsAre("connected mine"));
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-ack','callid':'theirs'}"));
  list("a@pbx", "503", "holding");
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(PhoneCallsTest, TakesTheOnlyNewCallForItsOwnIfTheDestinationLooksDifferent) {
  begin_modern();
  hear("{'action':'call-state','calls':[]}");
  be_offered();
  list("desk@pbx", "600", "connected");  // another phone's, as far as anybody knows
  EXPECT_THAT(told(), IsEmpty());
  list("a@pbx", "600", "alerting");  // forwarded
  EXPECT_THAT(told(), IsEmpty());
  list("a@pbx", "600", "connected");
  EXPECT_THAT(told(), ElementsAre("connected mine"));
}

TEST_F(PhoneCallsTest, TakesNoCallForItsOwnThatWasThereBefore) {
  begin_modern();
  be_offered();  // before the first list
  list("desk@pbx", "503", "connected");
  list("desk@pbx", "503", "connected");
  EXPECT_THAT(told(), IsEmpty());
  list("a@pbx", "503", "connected");
  EXPECT_THAT(told(), ElementsAre("connected mine"));
}

TEST_F(PhoneCallsTest, DoesNotGuessWhichOfTwoCallsWasPickedUp) {
  begin_modern();
  be_offered();
  start_call("two", "501");
  list("a@pbx", "600", "alerting");
  list("a@pbx", "600", "connected");
  EXPECT_THAT(told(), IsEmpty());
  list("a@pbx", "501", "connected");
  EXPECT_THAT(told(), ElementsAre("connected two"));
  hear("{'action':'call-state','calls':[{'id':'theirs','from':'1','to':'2','state':'connected'}]}");
  EXPECT_THAT(told(), ElementsAre("connected mine"));
}

TEST_F(PhoneCallsTest, SaysWhatItMeansThatTheOfferWasNotAnswered) {
  begin_modern();
  be_offered();
  hear("{'bye':'true','callid':'theirs','cseq':8,'code':415}");
  EXPECT_THAT(said(), ElementsAre("{'action':'bye-response','callid':'theirs','cseq':8}"));
  EXPECT_THAT(told(), ElementsAre(testing::AllOf(
                          HasSubstr("ended mine incompatibleDestination 415: the PBX's offer was"),
                          HasSubstr("AnswerOffer"))));
  start_call("again");
  hear("{'sdp':'v=0','code':183,'callid':'t2'}");
  say(call::AnswerOffer{"again", "v=0"});
  told();
  hear("{'bye':'true','callid':'t2','code':'415','reason':'Codec'}");
  EXPECT_THAT(told(), ElementsAre("ended again incompatibleDestination 415: Codec"));
}

TEST_F(PhoneCallsTest, PassesAnOfferOnOnce) {
  begin_modern();
  start_call();
  said();
  hear("{'sdp':'v=0 pbx','code':180,'callid':'theirs','cseq':7}");
  hear("{'sdp':'v=0 pbx','code':183,'callid':'theirs','cseq':'8'}");
  EXPECT_THAT(told(), ElementsAre("offer mine: v=0 pbx", "ringing mine"));
  say(call::AnswerOffer{"mine", "v=0"});
  EXPECT_THAT(said(), ElementsAre(HasSubstr("'callid':'theirs','cseq':'8',")));
  hear("{'sdp':'v=0 pbx','code':183,'callid':'theirs','cseq':9}");
  EXPECT_THAT(told(), IsEmpty());
  hear("{'sdp':'v=0 of another destination','code':183,'callid':'theirs','cseq':10}");
  EXPECT_THAT(told(), ElementsAre("offer mine: v=0 of another destination"));
  say(call::AnswerOffer{"mine", "v=0"});
  EXPECT_THAT(said(), ElementsAre(HasSubstr("'callid':'theirs','cseq':10,")));
}

TEST_F(PhoneCallsTest, MayBeOfferedOnlyAtThePickup) {
  begin_modern();
  start_call();
  said();
  hear("{'sdp':'v=0 pbx','code':200,'callid':'theirs','cseq':7}");
  EXPECT_THAT(told(), ElementsAre("offer mine: v=0 pbx", "connected mine"));
  say(call::AnswerOffer{"mine", "v=0"});
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-ack','callid':'theirs'}",
                                  HasSubstr("'action':'sdp-200ok','callid':'theirs','cseq':7")));
}

TEST_F(PhoneCallsTest, UnderstandsBothIdsOfACall) {
  begin_modern();
  be_offered();
  hear("{'action':'ringing','callid':'mine'}");
  hear("{'action':'callerid','callid':'mine','name':'Cid','number':'503'}");
  hear("{'action':'callerid','callid':'theirs','number':'504'}");
  EXPECT_THAT(told(), ElementsAre("identity mine 503 (Cid)", "identity mine 504 ()"));
  say(call::HangUp{"mine"});  // still by the PBX's
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-bye','callid':'theirs','caller':'true'}"));
  // What crosses it is of nobody's, and names no other call.
  start_call("next");
  said();
  told();
  hear("{'sdp':'v=0','code':200,'callid':'theirs'}");
  hear("{'candidate':'candidate:1','callid':'theirs'}");
  hear("{'action':'bye-response','callid':'theirs'}");
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_THAT(said(), IsEmpty());
  hear("{'bye':'true','callid':'theirs','cseq':9}");
  EXPECT_THAT(said(), ElementsAre("{'action':'bye-response','callid':'theirs','cseq':9}"));
  hear("{'sdp':'v=0','code':183,'callid':'t2'}");
  EXPECT_THAT(told(), ElementsAre("offer next: v=0", "ringing next"));
}

TEST_F(PhoneCallsTest, TellsTwoCallsThatAreNamedAtOnceApartByTheirDestination) {
  begin_modern();
  start_call("one", "501");
  start_call("two", "503");
  hear("{'sdp':'v=0 b','code':183,'callid':'b','to-user':'503'}");
  hear("{'sdp':'v=0 a','code':183,'callid':'a','to-user':'501'}");
  EXPECT_THAT(told(),
              ElementsAre("offer two: v=0 b", "ringing two", "offer one: v=0 a", "ringing one"));
}

TEST_F(PhoneCallsTest, SaysWhyACallIsRefused) {
  constexpr struct {
    std::string_view frame;
    const char* told;
  } kRefusals[] = {
      {"{'sdp':'','code':486,'callid':'theirs','reason':'Busy Here'}",
       "ended mine busy 486: Busy Here"},
      {"{'sdp':'v=0','code':603,'callid':'mine'}", "ended mine blocked 603"},
      {"{'action':'sip-busy','callid':'mine','code':480}", "ended mine destOutOfOrder 480"},
      {"{'action':'sip-busy','callid':'theirs'}", "ended mine busy"},
      {"{'bye':'true','callid':'theirs','code':404}", "ended mine destNotObtainable 404"},
      {"{'bye':'true','callid':'mine','code':503}", "ended mine networkNotObtainable 503"},
      {"{'sdp':'v=0','code':302,'callid':'mine'}", "ended mine normal 302"},
  };
  begin_modern();
  int calls = 0;
  for (const auto& it : kRefusals) {
    std::string frame(it.frame);
    const std::string theirs = "t" + std::to_string(++calls);
    if (const auto at = frame.find("theirs"); at != std::string::npos) frame.replace(at, 6, theirs);
    start_call();
    hear(frame);
    EXPECT_THAT(told(), ElementsAre(it.told)) << it.frame;
    hear("{'bye':'true','callid':'" + theirs + "','code':486}");  // once is enough
    EXPECT_THAT(told(), IsEmpty());
  }
  said();
  start_call("last");
  hear("{'sdp':'v=0','code':486,'callid':'last1'}");
  EXPECT_THAT(said(), Contains("{'action':'sip-ack','callid':'last1'}"));
}

// ---- Candidates that come early.

TEST_F(PhoneCallsTest, KeepsCandidatesUntilTheirCallIsDescribed) {
  begin_modern(true);
  start_call();
  hear("{'candidate':'candidate:1','callid':'theirs'}");
  hear("{'candidate':'candidate:2','callid':'mine'}");
  hear("{'candidate':'candidate:x','callid':'in1'}");
  hear(
      "{'candidate':'candidate:3 1 udp 1 192.0.2.1 9 typ host','callid':'theirs',"
      "'adr':[['192.0.2.2',5],['192.0.2.3',6]]}");
  EXPECT_THAT(told(), IsEmpty());
  hear("{'sdp':'v=0','code':183,'callid':'theirs'}");
  EXPECT_THAT(
      told(),
      ElementsAre("offer mine: v=0", "candidate mine: candidate:1", "candidate mine: candidate:2",
                  "candidate mine: candidate:3 1 udp 1 192.0.2.2 5 typ host",
                  "candidate mine: candidate:3 1 udp 1 192.0.2.3 6 typ host", "ringing mine"));
  hear("{'invitesdp':'v=0','callid':'in1'}");
  EXPECT_THAT(told(), ElementsAre("incoming in1 from  () to : v=0", "candidate in1: candidate:x"));
}

TEST_F(PhoneCallsTest, KeepsSoManyEarlyCandidatesAndNoMore) {
  begin_modern(true);
  start_call();
  for (std::size_t i = 0; i < PhoneCalls::kEarlyMax; ++i)
    hear("{'candidate':'stray','callid':'stray'}");
  EXPECT_THAT(pbx().notes, IsEmpty());
  // Of calls that never came to be, the oldest make room.
  for (std::size_t i = 0; i < PhoneCalls::kEarlyMax; ++i) {
    hear("{'candidate':'" + std::to_string(i) + "','callid':'mine'}");
  }
  EXPECT_THAT(pbx().notes, IsEmpty());
  hear("{'candidate':'one too many','callid':'mine'}");
  ASSERT_THAT(pbx().notes, SizeIs(1));
  EXPECT_EQ(pbx().notes[0].what, base::Errc::overloaded);
  hear("{'sdp':'v=0','code':183,'callid':'mine'}");
  const auto words = told();
  EXPECT_THAT(words, SizeIs(1 + PhoneCalls::kEarlyMax + 1));
  EXPECT_THAT(words, Not(Contains(HasSubstr("one too many"))));
}

// ---- Beside the calls.

TEST_F(PhoneCallsTest, TellsOfRecordings) {
  begin_modern();
  hear("{'action':'call-state','calls':[]}");
  be_offered();
  hear("{'action':'rec-start','callid':'theirs'}");  // nobody talks yet
  EXPECT_THAT(told(), IsEmpty());
  hear("{'sdp':'v=0 pbx','code':200,'callid':'theirs'}");
  told();
  hear("{'action':'rec-start','callid':'theirs'}");
  hear("{'action':'rec-stop','id':'a@pbx'}");  // the only one
  EXPECT_THAT(told(), ElementsAre("recording mine on", "recording mine off"));
  start_call("two", "501");
  list("b@pbx", "501", "connected");
  told();
  hear("{'action':'rec-start','id':'b@pbx'}");
  hear("{'action':'rec-start','id':'c@pbx'}");  // of which?
  EXPECT_THAT(told(), ElementsAre("recording two on"));
}

TEST_F(PhoneCallsTest, IgnoresWhatIsOfNoCall) {
  begin_modern(true);
  for (auto frame :
       {"{'sdp':'v=0','code':200,'callid':'x'}", "{'action':'sip-busy','callid':'x'}",
        "{'action':'ringing','callid':'x'}", "{'action':'callerid','callid':'x','number':'1'}",
        "{'action':'rec-start','callid':'x'}", "{'info':'x'}", "{'change':'x'}", "{'response':'x'}",
        "{'ringtones':[]}", "{'action':'call-state','calls':[]}", "{'action':'never-heard-of'}"}) {
    hear(frame);
  }
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_THAT(said(), IsEmpty());
  EXPECT_THAT(pbx().notes, IsEmpty());
}

// ---- A call ends in each of its states.

TEST_F(PhoneCallsTest, EndsInEveryState) {
  const std::string bye = "{'bye':'true','callid':'theirs','cseq':9}";
  begin_modern(true);
  start_call();
  hear(bye);
  EXPECT_THAT(told(), ElementsAre("ended mine normalClearing"));
  start_call("m2");
  hear("{'action':'ringing','callid':'t2'}");
  hear("{'bye':'true','callid':'t2','code':480}");
  EXPECT_THAT(told(), ElementsAre("ringing m2", "ended m2 callNotAnswered 480"));
  start_call("m3");
  hear("{'sdp':'v=0','code':183,'callid':'t3'}");
  hear("{'bye':'true','callid':'t3'}");
  EXPECT_THAT(told(), ElementsAre("offer m3: v=0", "ringing m3", "ended m3 normalClearing"));
  talk_as_called();
  say(call::HoldMedia{"in1"});
  hear("{'bye':'true','callid':'in1'}");
  EXPECT_THAT(told(), ElementsAre("ended in1 normalClearing"));
  for (auto id : {"mine", "m2", "m3", "in1"}) {
    say(call::HangUp{id});
    EXPECT_THAT(told(), ElementsAre("refused " + std::string(id) + " call_not_found"));
  }
}

}  // namespace
}  // namespace pbx::vodia
