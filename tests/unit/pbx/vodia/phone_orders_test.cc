#include "pbx/vodia/media.h"
#include "pbx/vodia/media_client.h"

namespace pbx::vodia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// What the client wants.
struct PhoneOrdersTest : MediaClient {};

TEST_F(PhoneOrdersTest, HoldsAndResumesAsCaller) {
  begin_modern();
  talk_as_caller();
  say(call::HoldMedia{"mine"});
  say(call::ResumeMedia{"mine", ""});
  EXPECT_THAT(said(), ElementsAre("{'action':'wrtc-hold','callid':'theirs','holdcmd':'sendonly',"
                                  "'calldir':'caller'}",
                                  "{'action':'wrtc-hold','callid':'theirs','holdcmd':'sendrecv',"
                                  "'calldir':'caller'}"));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(PhoneOrdersTest, ResumesWithAnOfferThatThePbxMayAnswer) {
  begin_modern(true);
  talk_as_called();
  say(call::HoldMedia{"in1"});
  said();
  say(call::ResumeMedia{"in1", "v=0 new"});
  EXPECT_THAT(said(), ElementsAre("{'action':'wrtc-hold','callid':'in1','holdcmd':'sendrecv',"
                                  "'calldir':'callee','sdp':'v=0 new'}"));
  hear("{'sdp':'v=0\\r\\na=setup:actpass','code':200,'callid':'in1'}");
  EXPECT_THAT(told(), ElementsAre("answer in1: v=0\r\na=setup:passive"));
  hear("{'sdp':'v=0','code':200,'callid':'in1'}");  // nobody waits for another one
  EXPECT_THAT(told(), IsEmpty());
  say(call::HoldMedia{"in1"});
  say(call::ResumeMedia{"in1", "v=0 newer"});
  hear("{'sdp':'','code':488,'callid':'in1'}");  // the call goes on
  EXPECT_THAT(told(), IsEmpty());
  say(call::HangUp{"in1"});
  EXPECT_THAT(told(), ElementsAre("ended in1 normalClearing"));
}

TEST_F(PhoneOrdersTest, Mutes) {
  begin_modern();
  talk_as_caller();
  say(call::MuteMedia{"mine", true});
  say(call::MuteMedia{"mine", false});
  EXPECT_THAT(said(), ElementsAre("{'action':'mute','callid':'theirs','muted':true}",
                                  "{'action':'mute','callid':'theirs','muted':false}"));
}

TEST_F(PhoneOrdersTest, Transfers) {
  begin_modern();
  talk_as_caller();
  say(call::TransferMedia{"mine", "501"});
  EXPECT_THAT(said(),
              ElementsAre("{'action':'blind-transfer2','id':'theirs','from':'502','to':'501'}"));
  EXPECT_THAT(told(), IsEmpty());
  hear("{'bye':'true','callid':'theirs','cseq':9}");
  EXPECT_THAT(told(), ElementsAre("ended mine normalClearing"));
}

TEST_F(PhoneOrdersTest, HangsUpInEveryState) {
  begin_modern(true);
  start_call();
  said();
  say(call::HangUp{"mine"});
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-bye','callid':'mine','caller':'true'}"));
  EXPECT_THAT(told(), ElementsAre("ended mine callCancelled"));
  be_offered();
  say(call::HangUp{"mine"});
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-bye','callid':'theirs','caller':'true'}"));
  EXPECT_THAT(told(), ElementsAre("ended mine callCancelled"));
  talk_as_called();
  say(call::HangUp{"in1"});
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-bye','callid':'in1','caller':'false'}"));
  EXPECT_THAT(told(), ElementsAre("ended in1 normalClearing"));
  be_called("in2");
  say(call::HangUp{"in2"});
  EXPECT_THAT(said(), ElementsAre("{'action':'sip-busy','callid':'in2','cseq':1,'code':603}"));
  EXPECT_THAT(told(), ElementsAre("ended in2 blocked"));
}

TEST_F(PhoneOrdersTest, RejectsWhatRings) {
  using Why = call::RejectCall::Why;
  constexpr struct {
    Why why;
    const char* code;
    const char* cause;
  } kWays[] = {{Why::declined, "603", "blocked"},
               {Why::busy, "486", "busy"},
               {Why::not_acceptable, "488", "incompatibleDestination"}};
  begin_modern(true);
  for (const auto& it : kWays) {
    be_called();
    say(call::RejectCall{"in1", it.why});
    EXPECT_THAT(said(), ElementsAre("{'action':'sip-busy','callid':'in1','cseq':1,'code':" +
                                    std::string(it.code) + "}"));
    EXPECT_THAT(told(), ElementsAre("ended in1 " + std::string(it.cause)));
  }
  hear("{'cancel':'true','callid':'in1'}");  // answered, and nothing more
  EXPECT_THAT(said(), ElementsAre("{'action':'cancel-response','callid':'in1'}"));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(PhoneOrdersTest, RefusesWhatItsStateDoesNotAllow) {
  begin_modern(true);
  start_call();
  said();
  for (const call::FromClient& it : std::initializer_list<call::FromClient>{
           call::AnswerOffer{"mine", "v=0"}, call::RejectCall{"mine", {}}, call::HoldMedia{"mine"},
           call::ResumeMedia{"mine", ""}, call::MuteMedia{"mine", true},
           call::TransferMedia{"mine", "501"}, call::StartCall{"mine", "501", "v=0"}}) {
    say(it);
    EXPECT_THAT(told(), ElementsAre("refused mine incorrect_state")) << it.index();
  }
  say(call::HangUp{"mine"});
  told();
  said();
  talk_as_caller();
  for (const call::FromClient& it : std::initializer_list<call::FromClient>{
           call::AnswerOffer{"mine", "v=0"}, call::RejectCall{"mine", {}},
           call::ResumeMedia{"mine", ""}}) {
    say(it);
    EXPECT_THAT(told(), ElementsAre("refused mine incorrect_state")) << it.index();
  }
  say(call::HoldMedia{"mine"});
  said();
  say(call::HoldMedia{"mine"});
  EXPECT_THAT(told(), ElementsAre("refused mine incorrect_state"));
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(PhoneOrdersTest, RefusesWhatIsOfNoCall) {
  begin_modern(true);
  for (const call::FromClient& it : std::initializer_list<call::FromClient>{
           call::AnswerOffer{"x", "v=0"}, call::IceCandidate{"x", "candidate:1", "", 0},
           call::RejectCall{"x", {}}, call::HoldMedia{"x"}, call::ResumeMedia{"x", ""},
           call::MuteMedia{"x", true}, call::TransferMedia{"x", "501"}, call::HangUp{"x"}}) {
    say(it);
    EXPECT_THAT(told(), ElementsAre("refused x call_not_found")) << it.index();
  }
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(PhoneOrdersTest, RefusesWhatCannotBeSent) {
  const std::string huge(kSdpMax + 1, 'x');
  begin_modern(true);
  const auto expect_invalid = [&](const call::FromClient& it, std::string_view field) {
    say(it);
    const auto& messages = pbx().signals[kStream];
    ASSERT_EQ(messages.size(), 1u) << field;
    const auto* refused = std::get_if<call::SignalRefused>(&messages[0]);
    ASSERT_NE(refused, nullptr) << field;
    EXPECT_EQ(refused->why, base::Errc::invalid_argument);
    EXPECT_THAT(refused->detail, testing::StartsWith(std::string(field) + ":"));
    EXPECT_THAT(said(), IsEmpty());
    told();
  };
  expect_invalid(call::StartCall{"", "503", "v=0"}, "call");
  expect_invalid(call::StartCall{std::string(161, 'x'), "503", "v=0"}, "call");
  expect_invalid(call::StartCall{"a", "", "v=0"}, "destination");
  expect_invalid(call::StartCall{"a", " -", "v=0"}, "destination");
  expect_invalid(call::StartCall{"a", std::string(129, '1'), "v=0"}, "destination");
  expect_invalid(call::StartCall{"a", "503", ""}, "sdp");
  expect_invalid(call::StartCall{"a", "503", huge}, "sdp");
  be_offered();
  expect_invalid(call::AnswerOffer{"mine", huge}, "sdp");
  expect_invalid(call::AnswerOffer{"mine", ""}, "sdp");
  expect_invalid(call::IceCandidate{"mine", std::string(1'025, 'x'), "", 0}, "candidate");
  say(call::AnswerOffer{"mine", "v=0"});  // the offer still stands
  hear("{'sdp':'','code':200,'callid':'theirs'}");
  told();
  said();
  expect_invalid(call::TransferMedia{"mine", ""}, "destination");
  say(call::HoldMedia{"mine"});
  said();
  expect_invalid(call::ResumeMedia{"mine", huge}, "sdp");
}

TEST_F(PhoneOrdersTest, WritesWhateverTheClientSaysAsItIs) {
  begin_modern();
  say(call::StartCall{"a\"b", "503", "v=0\r\ns=\"x\\y\"\r\n"});
  EXPECT_THAT(pbx().take_sent(kLink),
              ElementsAre(R"({"action":"sdp-packet","callid":"a\"b","to":"503",)"
                          R"("sdp":"v=0\r\ns=\"x\\y\"\r\n"})"));
  say(call::IceCandidate{"a\"b", "candidate:1 \"", "au\"dio", 3});
  EXPECT_THAT(pbx().take_sent(kLink),
              ElementsAre(HasSubstr(R"("sdpMid":"au\"dio","sdpMLineIndex":3)")));
}

}  // namespace
}  // namespace pbx::vodia
