#include "pbx/vodia/media_client.h"
#include "pbx/vodia/phone_calls.h"

namespace pbx::vodia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Calls that come in, and what is too much of them.
struct PhoneRingsTest : MediaClient {};

TEST_F(PhoneRingsTest, Rings) {
  begin_modern(true);
  hear(
      "{'invitesdp':'v=0 pbx','callid':'in1','cseq':5,'from':'\\\"Ann\\\" <sip:501@t.example>',"
      "'to':'<sip:502@t.example>','from-user':'501'}");
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-ringing','callid':'in1','cseq':5}"));
  EXPECT_THAT(told(), ElementsAre("incoming in1 from 501 (Ann) to 502: v=0 pbx"));
  hear("{'candidate':'candidate:1','callid':'in1'}");
  hear("{'invitesdp':'v=0 pbx','callid':'in1','cseq':6}");  // once more
  EXPECT_THAT(told(), ElementsAre("candidate in1: candidate:1"));
  EXPECT_THAT(said(), IsEmpty());
  say(call::AnswerOffer{"in1", "v=0 answer"});
  EXPECT_THAT(said(), ElementsAre("{'action':'sdp-200ok','callid':'in1','cseq':6,"
                                  "'sdp':{'type':'answer','sdp':'v=0 answer'}}"));
  EXPECT_THAT(told(), ElementsAre("connected in1"));
  hear("{'bye':'true','callid':'in1','cseq':7,'code':200}");
  EXPECT_THAT(said(), ElementsAre("{'action':'bye-response','callid':'in1','cseq':7}"));
  EXPECT_THAT(told(), ElementsAre("ended in1 normalClearing 200"));
}

TEST_F(PhoneRingsTest, DoesNotRingAStreamThatDoesNotReceive) {
  begin_modern();
  hear("{'invitesdp':'v=0 pbx','callid':'in1','cseq':5}");
  EXPECT_THAT(said(), IsEmpty());
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(PhoneRingsTest, StopsRingingWhenTheCallerGivesUp) {
  begin_modern(true);
  for (const std::string frame :
       {"{'cancel':'true','callid':'in1','cseq':2}", "{'action':'cancel','callid':'in1','cseq':2}",
        "{'action':'sip-cancel','callid':'in1','cseq':2}"}) {
    be_called();
    hear(frame);
    EXPECT_THAT(said(), ElementsAre("{'action':'cancel-response','callid':'in1','cseq':2}"));
    EXPECT_THAT(told(), ElementsAre("ended in1 callCancelled")) << frame;
    say(call::AnswerOffer{"in1", "v=0"});  // too late
    EXPECT_THAT(told(), ElementsAre("refused in1 call_not_found"));
  }
  be_called();
  hear("{'bye':'true','callid':'in1'}");
  EXPECT_THAT(told(), ElementsAre("ended in1 callCancelled"));
  be_called();
  hear("{'cancelresponse':'true','callid':'in1'}");
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(PhoneRingsTest, PassesAnOfferWithinACallOn) {
  begin_modern(true);
  talk_as_called();
  hear("{'invitesdp':'v=0 again','callid':'in1','cseq':9}");
  EXPECT_THAT(told(), ElementsAre("offer in1: v=0 again"));
  say(call::AnswerOffer{"in1", "v=0 a"});
  EXPECT_THAT(said(), ElementsAre(HasSubstr("'action':'sdp-200ok','callid':'in1','cseq':9")));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(PhoneRingsTest, RefusesAnIdThatIsTaken) {
  begin_modern(true);
  start_call("in1");
  hear("{'sdp':'v=0','code':183,'callid':'theirs'}");
  told();
  said();
  hear("{'invitesdp':'v=0 pbx','callid':'theirs2','cseq':1}");
  EXPECT_THAT(told(), ElementsAre("incoming theirs2 from  () to : v=0 pbx"));
  start_call("theirs2");
  EXPECT_THAT(told(), ElementsAre("refused theirs2 incorrect_state"));
  start_call("theirs");
  EXPECT_THAT(told(), ElementsAre("refused theirs incorrect_state"));
}

// ---- Limits.

TEST_F(PhoneRingsTest, RefusesCallsBeyondItsLimit) {
  begin_modern(true);
  for (std::size_t i = 0; i < PhoneCalls::kCallsMax; ++i) be_called("in" + std::to_string(i));
  hear("{'invitesdp':'v=0','callid':'more','cseq':1}");
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-busy','callid':'more','cseq':1,'code':486}"));
  EXPECT_THAT(told(), IsEmpty());
  ASSERT_THAT(pbx().notes, SizeIs(1));
  EXPECT_EQ(pbx().notes[0].what, base::Errc::too_many_requests);
  start_call();
  EXPECT_THAT(told(), ElementsAre("refused mine too_many_requests"));
  EXPECT_THAT(said(), IsEmpty());
  hear("{'cancel':'true','callid':'in0'}");
  told();
  said();
  start_call();
  EXPECT_THAT(said(), SizeIs(1));
}

TEST_F(PhoneRingsTest, TakesNoDescriptionBeyondItsLimit) {
  const std::string huge(kSdpMax + 1, 'x');
  begin_modern(true);
  start_call();
  said();
  hear("{'sdp':'" + huge + "','code':183,'callid':'theirs'}");
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-bye','callid':'theirs','caller':'true'}"));
  EXPECT_THAT(told(), ElementsAre(HasSubstr("ended mine incompatibleDestination: the PBX's")));
  for (const std::string& sdp : {huge, std::string()}) {
    hear("{'invitesdp':'" + sdp + "','callid':'in1','cseq':1}");
    EXPECT_THAT(said(), ElementsAre("{'action':'sip-busy','callid':'in1','cseq':1,'code':488}"));
  }
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_THAT(pbx().notes, SizeIs(2));
  hear("{'invitesdp':'" + std::string(kSdpMax, 'x') + "','callid':'in2','cseq':1}");
  EXPECT_THAT(told(), SizeIs(1));
}

}  // namespace
}  // namespace pbx::vodia
