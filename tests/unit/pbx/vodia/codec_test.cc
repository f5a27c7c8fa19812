#include "pbx/vodia/codec.h"

#include <gmock/gmock.h>

namespace pbx::vodia {
namespace {

using base::Errc;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct VodiaCodec : testing::Test {
  template <class T>
  T read(std::string_view text) {
    auto frame = parse(text);
    if (!frame || !std::holds_alternative<T>(*frame)) {
      ADD_FAILURE() << "not read as expected: " << text;
      return {};
    }
    return std::get<T>(std::move(*frame));
  }
  CallEntry call(std::string_view fields) {
    auto entry = parse_call(R"({"id":"a@pbx",)" + std::string(fields) + "}");
    if (!entry) {
      ADD_FAILURE() << "not read: " << fields;
      return {};
    }
    return std::move(*entry);
  }
};

TEST_F(VodiaCodec, TellsFramesByTheirFlatKeysBeforeTheirAction) {
  const std::pair<std::string_view, std::string_view> kFrames[] = {
      {R"({"sdp":"v=0","code":183,"callid":"x","cseq":1})", "sdp"},
      {R"({"action":"sdp-200ok","sdp":{"type":"answer","sdp":"v=0"}})", "sdp"},
      {R"({"invitesdp":"v=0","from":"\"A\" <sip:1@t>","callid":"x"})", "invitesdp"},
      {R"({"candidate":"candidate:1 1 UDP","adr":[["10.0.0.1",4000]]})", "candidate"},
      {R"({"bye":"true","callid":"x","code":415})", "bye"},
      {R"({"cancel":"true"})", "cancel"},
      {R"({"cancelresponse":true})", "cancelresponse"},
      {R"({"ringtones":[]})", "ringtones"},
      {R"({"response":1})", "response"},
      {R"({"info":1})", "info"},
      {R"({"change":1})", "change"},
      {R"({"info":1,"bye":"true"})", "bye"},
      {R"({"action":"call-state","calls":[],"bye":"true"})", "bye"},
  };
  for (const auto& [text, key] : kFrames) EXPECT_EQ(read<Signalling>(text).key, key) << text;
}

TEST_F(VodiaCodec, KnowsWhatIsOfNoUseAndWhatIsNew) {
  for (auto text : {R"({"action":"user-change"})", R"({"action":"missed-calls","count":3})",
                    R"({"action":"callerid","callid":"x","name":"A"})",
                    R"({"action":"whatever","orbits":[{"orbit":"800"}]})"}) {
    read<Aside>(text);
  }
  EXPECT_EQ(read<Unknown>(R"({"action":"firmware"})").what, "firmware");
  EXPECT_EQ(read<Unknown>(R"({"hello":1})").what, "");
}

TEST_F(VodiaCodec, RefusesWhatIsNoMessage) {
  for (auto text : {"", "[]", "7", "{", R"({"action":"call-state","calls":[{"id":"a@pbx")",
                    R"({"action":"call-state","calls":[]}x)", R"({"action":"call-state"})",
                    R"({"action":"call-state","calls":7})", R"({"action":"user-state","dnd":true})",
                    R"({"action":"domain-state"})", R"({"action":"domain-state","accounts":7})",
                    R"({"action":"blf","state":"connected"})"}) {
    const auto frame = parse(text);
    ASSERT_FALSE(frame) << text;
    EXPECT_EQ(frame.error(), Errc::bad_frame);
  }
}

TEST_F(VodiaCodec, ReadsCallListsAsAnArrayOrTheOnlyOne) {
  EXPECT_THAT(read<CallState>(R"({"action":"call-state","calls":[]})").calls.entries, IsEmpty());
  EXPECT_THAT(read<CallState>(R"({"calls":{},"action":"call-state"})").calls.entries, IsEmpty());
  const auto two =
      read<CallState>(R"({"action":"call-state","calls":[{"id":"a@pbx"}, {"id":"b@pbx"}]})");
  ASSERT_THAT(two.calls.entries, SizeIs(2));
  EXPECT_EQ(parse_call(two.calls.entries[1])->id, "b@pbx");
  EXPECT_EQ(parse_call(two.calls.entries[0])->id, "a@pbx");  // the list is still what it was
  const auto one = read<CallState>(R"({"action":"call-state","calls":{"id":"c@pbx","rec":""}})");
  ASSERT_THAT(one.calls.entries, SizeIs(1));
  EXPECT_EQ(parse_call(one.calls.entries[0])->id, "c@pbx");
}

TEST_F(VodiaCodec, CutsAListThatIsTooLongAndSaysSo) {
  std::string text = R"({"action":"call-state","calls":[{"id":"0"})";
  for (std::size_t i = 1; i <= kCallsMax; ++i) text += R"(,{"id":")" + std::to_string(i) + "\"}";
  text += "]}";
  const auto list = read<CallState>(text).calls;
  EXPECT_THAT(list.entries, SizeIs(kCallsMax));
  EXPECT_FALSE(list.complete);
}

TEST_F(VodiaCodec, ReadsAModernCall) {
  const auto it = call(
      R"("from":"\"Ann\" <sip:501@t.example>","to":"\"Bob\" <sip:502@t.example>",)"
      R"("from-number":"501","from-name":"Ann","to-number":"502","to-name":"Bob",)"
      R"("state":"alerting","extension":["501","*502"],"start":"1760000000.120","connect":"")");
  EXPECT_EQ(it.from, (Address{"501", "Ann"}));
  EXPECT_EQ(it.to, (Address{"502", "Bob"}));
  EXPECT_EQ(it.progress, Progress::setup);
  EXPECT_FALSE(it.answered);
  EXPECT_THAT(it.extensions, ElementsAre("501", "502"));
  EXPECT_EQ(it.start, 1'760'000'000'120'000);
  EXPECT_EQ(it.recording, std::nullopt);
}

TEST_F(VodiaCodec, ReadsACallOf2016) {
  const auto it = call(
      R"("from":"\"A \\\"B\\\" C\" <sip:+34600111222@t;user=phone>","to":"502","start":1760000000,)"
      R"("callstate":"holding","connect":1760000001.5,"cmc":"K7","rec":"adhoc")");
  EXPECT_EQ(it.from, (Address{"+34600111222", R"(A "B" C)"}));
  EXPECT_EQ(it.to, (Address{"502", ""}));
  EXPECT_EQ(it.progress, Progress::holding);
  EXPECT_TRUE(it.answered);
  EXPECT_THAT(it.extensions, IsEmpty());
  EXPECT_EQ(it.recording, true);
  EXPECT_EQ(it.matter, "K7");
}

TEST_F(VodiaCodec, ReadsHowFarACallIs) {
  const std::pair<std::string_view, Progress> kCases[] = {
      {R"("state":"alerting")", Progress::setup},
      {R"("state":"ringback","connect":"")", Progress::setup},
      {R"("callstate":"ringing","connect":0)", Progress::setup},
      {R"("state":"","callstate":"connected")", Progress::connected},
      {R"("state":"connected","callstate":"alerting")", Progress::connected},
      {R"("state":"alerting","connect":"1760000004.500")", Progress::connected},
      {R"("state":"newword","connect":1760000004)", Progress::connected},
      {R"("state":"newword")", Progress::setup},
      {R"("connect":null)", Progress::setup},
      {R"("state":"holding","connect":"1760000004.500")", Progress::holding},
      {R"("state":"onhold")", Progress::on_hold},
      {R"("state":"On Hold")", Progress::on_hold},
      {R"("state":"terminated")", Progress::gone},
      {R"("state":"disconnected")", Progress::gone},
      {R"("state":"connected","end":"1760000009.000")", Progress::gone},
      {R"("state":"connected","end":"")", Progress::connected},
  };
  for (const auto& [fields, progress] : kCases)
    EXPECT_EQ(call(fields).progress, progress) << fields;
}

TEST_F(VodiaCodec, ReadsMembersInEveryForm) {
  EXPECT_THAT(call(R"("extension":[501,"*502","502*","503@t.example","*",""])").extensions,
              ElementsAre("501", "502", "503"));
  EXPECT_THAT(call(R"("extension":"501")").extensions, ElementsAre("501"));
  EXPECT_THAT(call(R"("extension":null)").extensions, IsEmpty());
  EXPECT_THAT(call(R"("extension":[[1],{"a":2},"501"])").extensions, ElementsAre("501"));
  std::string many = R"("extension":["500")";
  for (int i = 0; i < 200; ++i) many += ",\"" + std::to_string(1000 + i) + "\"";
  EXPECT_THAT(call(many + "]").extensions, SizeIs(kExtensionsMax));
}

TEST_F(VodiaCodec, RefusesACallWithoutAnIdToKeep) {
  EXPECT_FALSE(parse_call(R"({"from":"501"})"));
  EXPECT_FALSE(parse_call(R"({"id":"","from":"501"})"));
  EXPECT_FALSE(parse_call(R"({"id":")" + std::string(kIdMax + 1, 'x') + "\"}"));
  EXPECT_FALSE(parse_call(R"({"id":"a)"));
  EXPECT_FALSE(parse_call("[]"));
}

TEST_F(VodiaCodec, TakesAddressesApart) {
  const std::pair<std::string_view, Address> kCases[] = {
      {R"("Ann" <sip:501@tenant.example.com>)", {"501", "Ann"}},
      {R"("Ann" <sip:501@t;user=phone>;tag=7)", {"501", "Ann"}},
      {"Ann B <sips:+34911@t>", {"+34911", "Ann B"}},
      {"<tel:*87501>", {"*87501", ""}},
      {"sip:501@t", {"501", ""}},
      {"501@t", {"501", ""}},
      {" 501 ", {"501", ""}},
      {"+34 911 22", {"+34 911 22", ""}},
      {R"("Anonymous" <sip:anonymous@anonymous.invalid>)", {"", "Anonymous"}},
      {R"("open)", {"", "open"}},
      {"", {"", ""}},
      {"<", {"", ""}},
  };
  for (const auto& [text, address] : kCases) EXPECT_EQ(address_of(text), address) << text;
  EXPECT_EQ(bare_number("+34 (911) 22-33.44"),
            "+3491122"
            "3344");
}

TEST_F(VodiaCodec, ReadsDomainState) {
  const auto state = read<DomainState>(
      R"({"action":"domain-state","messages":0,"accounts":[)"
      R"({"account":"501","name":"Ann","type":"extensions","registered":"true","dnd":"false",)"
      R"("chatstatus":"online","code":"200 OK"},)"
      R"({"account":502,"name":"Bob","type":"extensions","registered":false,"dnd":true,)"
      R"("code":null},{"name":"nobody"},7],"calls":[{"id":"a@pbx"}]})");
  ASSERT_THAT(state.accounts, SizeIs(2));
  const Account& ann = state.accounts[0];
  EXPECT_EQ(ann.number + ann.name + ann.type, "501Annextensions");
  EXPECT_EQ(ann.registered, true);
  EXPECT_EQ(ann.do_not_disturb, false);
  EXPECT_EQ(ann.presence, "online");
  EXPECT_EQ(ann.busy, true);
  const Account& bob = state.accounts[1];
  EXPECT_EQ(bob.number, "502");
  EXPECT_EQ(bob.registered, false);
  EXPECT_EQ(bob.do_not_disturb, true);
  EXPECT_EQ(bob.presence, "");
  EXPECT_EQ(bob.busy, false);
  ASSERT_TRUE(state.calls);
  EXPECT_THAT(state.calls->entries, SizeIs(1));
}

TEST_F(VodiaCodec, ReadsUserStateWithWhatItClearsAndWhatItLeaves) {
  const auto some = read<UserState>(R"({"action":"user-state","account":"501","type":"extensions",)"
                                    R"("domain":"t.example","registered":null,"dnd":"true"})")
                        .account;
  EXPECT_EQ(some.registered, std::nullopt);
  EXPECT_EQ(some.do_not_disturb, true);
  EXPECT_EQ(some.busy, false);  // absent: cleared
  EXPECT_EQ(some.presence, "");
  EXPECT_EQ(read<UserState>(R"({"account":501,"code":7,"action":"user-state"})").account.busy,
            true);
}

TEST_F(VodiaCodec, ReadsTheDirectory) {
  const auto list = parse_accounts(
      R"([{"name":"501","alias":["5010"],"ani":["+34911000501"],"displayname":"Ann","icon":"",)"
      R"("dnd":"true","chatstatus":"offline","connected":"true","login":false,"department":"",)"
      R"("position":"","registered":true}])");
  ASSERT_TRUE(list);
  ASSERT_THAT(*list, SizeIs(1));
  const Account& ann = list->front();
  EXPECT_EQ(ann.number, "501");
  EXPECT_EQ(ann.name, "Ann");
  EXPECT_EQ(ann.do_not_disturb, true);
  EXPECT_EQ(ann.busy, true);
  EXPECT_EQ(ann.agent_logged_on, false);
  EXPECT_EQ(ann.registered, true);
  EXPECT_THAT(ann.aliases, ElementsAre("5010", "+34911000501"));
  EXPECT_THAT(*parse_accounts("[]"), IsEmpty());
  for (auto body : {"", "false", "{}", "[{]", R"("text")", "[]]", "<html>"}) {
    EXPECT_FALSE(parse_accounts(body)) << body;
  }
}

TEST_F(VodiaCodec, ReadsCallsOfRest) {
  EXPECT_THAT(*parse_calls(R"([{"id":"a@pbx","state":"holding","now":1760000000}])"), SizeIs(1));
  EXPECT_THAT(*parse_calls(R"({"calls":[{"id":"a@pbx"},{"no":"id"}]})"), SizeIs(1));
  EXPECT_THAT(*parse_calls("[]"), IsEmpty());
  EXPECT_FALSE(parse_calls("false"));
  EXPECT_FALSE(parse_calls(""));
}

TEST_F(VodiaCodec, ReadsLampsByTheFirstNameThatIsThere) {
  const auto one = read<Lamp>(R"({"action":"blf","name":"Ann","account":"501","status":"x",)"
                              R"("state":"connected"})");
  EXPECT_EQ(one.number + " " + one.state, "501 connected");
  const auto two = read<Lamp>(R"({"action":"blf","ext":"502","callstate":"alerting"})");
  EXPECT_EQ(two.number + " " + two.state, "502 alerting");
}

TEST_F(VodiaCodec, ReadsRecordingMarks) {
  EXPECT_EQ(read<RecordingMark>(R"({"action":"rec-start","callid":"a@pbx"})").id, "a@pbx");
  EXPECT_FALSE(read<RecordingMark>(R"({"action":"rec-stop","id":"a@pbx"})").on);
}

}  // namespace
}  // namespace pbx::vodia
