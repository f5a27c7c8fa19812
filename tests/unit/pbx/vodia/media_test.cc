#include "pbx/vodia/media.h"

#include <algorithm>

#include <gmock/gmock.h>

namespace pbx::vodia {
namespace {

using call::Cause;
using testing::ElementsAre;
using testing::IsEmpty;

// Quotes are ' here.
base::Result<MediaFrame> read(std::string_view text) {
  std::string json(text);
  std::replace(json.begin(), json.end(), '\'', '"');
  return parse_media(json);
}
template <class T>
T only(std::string_view text) {
  const auto frame = read(text);
  const auto* it = frame ? std::get_if<T>(&*frame) : nullptr;
  if (!it) ADD_FAILURE() << "something else: " << text;
  return it ? *it : T();
}

TEST(Media, ReadsADescriptionInEitherForm) {
  const auto text = only<Description>(
      "{'sdp':'v=0','code':183,'callid':'a','cseq':4,'to-user':'502','to-display':'Bob'}");
  EXPECT_EQ(text.call, "a");
  EXPECT_EQ(text.cseq, "4");
  EXPECT_EQ(text.sdp.text, "v=0");
  EXPECT_EQ(text.code, 183u);
  EXPECT_EQ(text.to, "502");
  const auto inner =
      only<Description>("{'code':'486','reason':'Busy Here','sdp':{'type':'offer','sdp':'v=0'}}");
  EXPECT_EQ(inner.sdp.text, "v=0");
  EXPECT_EQ(inner.code, 486u);
  EXPECT_EQ(inner.reason, "Busy Here");
  EXPECT_EQ(inner.call, "");
}

TEST(Media, GivesTheSequenceBackAsItCame) {
  EXPECT_EQ(only<Goodbye>("{'bye':'true','cseq':12}").cseq, "12");
  EXPECT_EQ(only<Goodbye>("{'bye':'true','cseq':'12'}").cseq, "\"12\"");
  EXPECT_EQ(only<Goodbye>("{'bye':'true','cseq':'1 BYE'}").cseq, "\"1 BYE\"");
  EXPECT_EQ(only<Goodbye>("{'bye':'true','cseq':-1e3}").cseq, "\"-1e3\"");
  EXPECT_EQ(only<Goodbye>("{'bye':'true','cseq':null}").cseq, "");
  EXPECT_EQ(only<Goodbye>("{'bye':'true','cseq':'" + std::string(40, '1') + "'}").cseq, "");
}

TEST(Media, LooksAtKeysBeforeTheAction) {
  EXPECT_EQ(only<Description>("{'action':'sdp-packet','sdp':'v=0','callid':'a'}").sdp.text, "v=0");
  EXPECT_EQ(only<Goodbye>("{'action':'call-state','calls':[],'bye':true,'callid':'a'}").call, "a");
  // Of two keys the one that the protocol tests first counts.
  only<Candidates>("{'bye':'true','candidate':'candidate:1 1 udp 1 192.0.2.1 9 typ host'}");
}

TEST(Media, PrefersTheCallersUri) {
  const auto invitation = only<Invitation>(
      "{'invitesdp':'v=0','callid':'i','cseq':1,'from':'<sip:+34911222333@t.example>',"
      "'from-user':'911222333','from-display':'Ann','to':'sip:502@t.example'}");
  EXPECT_EQ(invitation.from, (Address{"+34911222333", "Ann"}));
  EXPECT_EQ(invitation.to, "502");
  EXPECT_EQ(only<Invitation>("{'invitesdp':'v=0','from-number':'501','from-user':'x'}").from.number,
            "501");
  EXPECT_EQ(only<Invitation>("{'invitesdp':'v=0','from-user':'501'}").from.number, "501");
}

TEST(Media, ReadsCandidates) {
  EXPECT_THAT(only<Candidates>("{'candidate':'candidate:1 1 udp 1 192.0.2.1 9 typ host'}").lines,
              ElementsAre("candidate:1 1 udp 1 192.0.2.1 9 typ host"));
  EXPECT_THAT(only<Candidates>("{'candidate':'a=candidate:1'}").lines, ElementsAre("candidate:1"));
  EXPECT_THAT(only<Candidates>("{'candidate':null,'callid':'a'}").lines, ElementsAre(""));
  const auto object = only<Candidates>(
      "{'candidate':{'candidate':'candidate:1','sdpMid':'audio','sdpMLineIndex':1},'callid':'a'}");
  EXPECT_THAT(object.lines, ElementsAre("candidate:1"));
  EXPECT_EQ(object.mid, "audio");
  EXPECT_EQ(object.m_line, 1u);
}

TEST(Media, MakesOneCandidateOfEachAddress) {
  const auto candidates = only<Candidates>(
      "{'candidate':'candidate:7 1 udp 2130706431 192.0.2.10 49152 typ host generation 0',"
      "'callid':'a','adr':[['192.0.2.10',49152],['2001:db8::5','49154']]}");
  EXPECT_THAT(candidates.lines,
              ElementsAre("candidate:7 1 udp 2130706431 192.0.2.10 49152 typ host generation 0",
                          "candidate:7 1 udp 2130706431 2001:db8::5 49154 typ host generation 0"));
}

TEST(Media, KeepsACandidateWhoseAddressesAreOfNoUse) {
  const std::string line = "candidate:1 1 udp 1 192.0.2.1 9 typ host";
  for (std::string_view adr : {"[]", "'x'", "[['192.0.2.1']]", "[['a b',1]]",
                               "[['192.0.2.1',70000]]", "[[['x'],1]]", "null"}) {
    EXPECT_THAT(
        only<Candidates>("{'candidate':'" + line + "','adr':" + std::string(adr) + "}").lines,
        ElementsAre(line))
        << adr;
  }
  EXPECT_THAT(expanded("candidate:1 1 udp", {{"192.0.2.1", "9"}}),
              ElementsAre("candidate:1 1 udp"));
}

TEST(Media, ReadsWhatIsToldAroundCalls) {
  EXPECT_EQ(only<Registration>("{'action':'sip-register','expires':'600'}").expires, 600u);
  EXPECT_EQ(only<Registration>("{'action':'sip-register','expires':-5}").expires, 0u);
  EXPECT_EQ(only<Identity>("{'action':'callerid','callid':'a','name':'Ann','number':'501'}").who,
            (Address{"501", "Ann"}));
  EXPECT_EQ(only<Rejection>("{'action':'sip-busy','callid':'a','code':486}").code, 486u);
  EXPECT_EQ(only<Ringing>("{'action':'ringing','callid':'a'}").call, "a");
  EXPECT_EQ(only<Cancellation>("{'cancel':'true','callid':'a'}").call, "a");
  EXPECT_EQ(only<Cancellation>("{'action':'cancel','callid':'a'}").call, "a");
  EXPECT_EQ(only<Cancellation>("{'action':'sip-cancel','callid':'a'}").call, "a");
  EXPECT_EQ(only<RecordingMark>("{'action':'rec-start','callid':'a','id':'b'}").id, "a");
  EXPECT_EQ(only<RecordingMark>("{'action':'rec-stop','id':'b'}").id, "b");
  only<Aside>("{'action':'bye-response','callid':'a'}");
  only<Aside>("{'cancelresponse':'true'}");
  only<Aside>("{'action':'domain-state','accounts':[]}");
  only<Aside>("{'something':'new'}");
}

TEST(Media, ReadsTheExtensionsCalls) {
  const auto own = only<OwnCalls>(
      "{'action':'call-state','calls':[{'id':'a','state':'connected'},{'no':'id'},{'id':'b'}]}");
  ASSERT_EQ(own.calls.size(), 2u);
  EXPECT_EQ(own.calls[0].id, "a");
  EXPECT_TRUE(own.calls[0].answered);
}

TEST(Media, RefusesWhatItCannotKeep) {
  const std::string long_id(kIdMax + 1, 'x');
  EXPECT_FALSE(read("{'bye':'true','callid':'" + long_id + "'}"));
  EXPECT_FALSE(read("{'candidate':'" + std::string(kCandidateMax + 1, 'x') + "'}"));
  EXPECT_FALSE(read("[]"));
  EXPECT_FALSE(read("{'bye':'true'"));
  const auto sdp =
      only<Description>("{'code':200,'sdp':'" + std::string(kSdpMax + 1, 'x') + "'}").sdp;
  EXPECT_TRUE(sdp.too_long);
  EXPECT_THAT(sdp.text, IsEmpty());
}

TEST(Media, LeavesAnAnswerNoChoice) {
  EXPECT_EQ(as_answer("v=0\r\na=setup:actpass\r\na=mid:0\r\na=setup:actpass\r\n"),
            "v=0\r\na=setup:passive\r\na=mid:0\r\na=setup:passive\r\n");
  EXPECT_EQ(as_answer("a=setup:active\r\n"), "a=setup:active\r\n");
}

TEST(Media, KnowsWhatSipStatusesMean) {
  constexpr struct {
    unsigned code;
    Cause cause;
  } kCauses[] = {
      {0, Cause::normal_clearing},
      {200, Cause::normal_clearing},
      {403, Cause::blocked},
      {404, Cause::dest_not_obtainable},
      {410, Cause::dest_not_obtainable},
      {484, Cause::dest_not_obtainable},
      {604, Cause::dest_not_obtainable},
      {408, Cause::dest_out_of_order},
      {480, Cause::dest_out_of_order},
      {486, Cause::busy},
      {600, Cause::busy},
      {603, Cause::blocked},
      {487, Cause::call_cancelled},
      {415, Cause::incompatible_destination},
      {488, Cause::incompatible_destination},
      {606, Cause::incompatible_destination},
      {503, Cause::network_not_obtainable},
      {499, Cause::normal},
      {302, Cause::normal},
  };
  for (const auto& it : kCauses) EXPECT_EQ(cause_of_sip(it.code, false), it.cause) << it.code;
  EXPECT_EQ(cause_of_sip(480, true), Cause::call_not_answered);
  EXPECT_EQ(cause_of_sip(408, true), Cause::call_not_answered);
}

}  // namespace
}  // namespace pbx::vodia
