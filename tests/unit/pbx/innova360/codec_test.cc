#include "pbx/innova360/codec.h"

#include <chrono>

#include <gmock/gmock.h>

namespace pbx::innova360 {
namespace {

using base::Errc;
using call::Activity;
using call::Availability;
using call::Cause;
using testing::ElementsAre;
using testing::SizeIs;

struct Innova360Codec : testing::Test {
  template <class T>
  T read(std::string_view text) {
    auto frame = parse(text);
    if (!frame || !std::holds_alternative<T>(*frame)) {
      ADD_FAILURE() << "not read as expected: " << text;
      return {};
    }
    return std::get<T>(std::move(*frame));
  }
  std::string update(std::string_view action, std::string_view more) {
    return R"({"type":"update","action":")" + std::string(action) +
           R"(","extension":"201","callid":"1.2")" + std::string(more) + "}";
  }
  ExtensionState status(std::string_view value) {
    return read<ExtensionStatus>(
               R"({"type":"update","action":"extension-status","extension":"201","status":)" +
               std::string(value) + "}")
        .state;
  }
  Step step(std::string_view fields) {
    return read<CallState>(update("call-state", "," + std::string(fields))).step;
  }
  Hangup hangup(std::string_view cause) {
    return read<Hangup>(update("hangup", R"(,"cause":)" + std::string(cause)));
  }
};

TEST_F(Innova360Codec, ReadsTheLoginsMessages) {
  EXPECT_TRUE(read<Welcome>(R"({"servername":"BOBIf","version":"1.0","type":"welcome",)"
                            R"("auth":"required","server":"s1"})")
                  .login_required);
  EXPECT_FALSE(read<Welcome>(R"({"type":"welcome","auth":"none"})").login_required);
  const auto granted = read<AuthResp>(R"({"type":"auth-resp","auth":"ok","extension":201,)"
                                      R"("agent":"a","server":"s1","token":"secret"})");
  EXPECT_TRUE(granted.ok);
  EXPECT_EQ(granted.extension, "201");
  EXPECT_FALSE(read<AuthResp>(R"({"type":"auth-resp","auth":"forbidden"})").ok);
  EXPECT_FALSE(read<AuthResp>(R"({"type":"auth-resp"})").ok);
  EXPECT_TRUE(read<AuthResp>(R"({"type":"auth-ok","extension":"201"})").ok);
}

TEST_F(Innova360Codec, ReadsTheDocumentedUpdates) {
  const auto call = read<NewCall>(
      update("new-call",
             R"(,"direction":"in","phonea":"201","phoneb":"202","dida":"","didb":"+34910000000")"));
  EXPECT_EQ(call.extension, "201");
  EXPECT_EQ(call.callid, "1.2");
  EXPECT_EQ(call.ends, (Ends{false, "201", "202", "", "+34910000000"}));
  EXPECT_EQ(step(R"("state":"4","statedesc":"Ring")"), Step::ring);
  EXPECT_TRUE(read<MusicOnHold>(update("start-moh", "")).on);
  EXPECT_FALSE(read<MusicOnHold>(update("stop-moh", "")).on);
  EXPECT_TRUE(read<Recording>(update("start-record", "")).on);
  EXPECT_FALSE(read<Recording>(update("end-record", "")).on);
  EXPECT_EQ(hangup(R"("16")").cause, Cause::normal_clearing);
}

TEST_F(Innova360Codec, ReadsIdsThatAreNumbersDigitByDigit) {
  const auto call = read<NewCall>(
      R"({"type":"update","action":"new-call","extension":201,"callid":1760000000.10,"phoneb":34600})");
  EXPECT_EQ(call.extension, "201");
  EXPECT_EQ(call.callid, "1760000000.10");
  EXPECT_EQ(call.ends.phone_b, "34600");
}

TEST_F(Innova360Codec, KnowsADirectionByItsBeginningOrByTheEnds) {
  const auto outgoing = [&](std::string_view word, std::string_view a, std::string_view b) {
    return read<NewCall>(update("new-call", R"(,"direction":")" + std::string(word) +
                                                R"(","phonea":")" + std::string(a) +
                                                R"(","phoneb":")" + std::string(b) + "\""))
        .ends.outgoing;
  };
  for (auto word : {"in", "IN", "Incoming", "inbound", "entrante", "Entrada", "recibida"}) {
    EXPECT_FALSE(outgoing(word, "201", "9")) << word;
  }
  for (auto word : {"out", "OUT", "outgoing", "Saliente", "salida", "originada"}) {
    EXPECT_TRUE(outgoing(word, "9", "201")) << word;
  }
  EXPECT_TRUE(outgoing("", "201", "9"));
  EXPECT_FALSE(outgoing("", "9", "201"));
  EXPECT_FALSE(outgoing("sideways", "8", "9"));
}

TEST_F(Innova360Codec, KnowsACallStateByNumberFirstThenByText) {
  const std::pair<const char*, Step> kNumbers[] = {
      {"0", Step::down},    {"1", Step::reserved}, {"2", Step::off_hook}, {"3", Step::dialing},
      {"4", Step::ring},    {"5", Step::ringing},  {"6", Step::up},       {"7", Step::busy},
      {"8", Step::dialing}, {"9", Step::pre_ring}};
  for (const auto& [number, meaning] : kNumbers) {
    EXPECT_EQ(step(R"("state":)" + std::string(number)), meaning) << number;
    EXPECT_EQ(step(R"("state":")" + std::string(number) + R"(","statedesc":"Up")"), meaning);
  }
  EXPECT_EQ(step(R"("state":"Ringing")"), Step::ringing);
  EXPECT_EQ(step(R"("state":"","statedesc":"UP")"), Step::up);
  EXPECT_EQ(step(R"("state":"77","statedesc":"Dialing Offhook")"), Step::dialing);
  EXPECT_EQ(step(R"("statedesc":"Pre-ring")"), Step::pre_ring);
  EXPECT_EQ(step(R"("state":"contestada")"), Step::up);
  EXPECT_EQ(step(R"("state":{"a":1},"statedesc":"parked")"), Step::unknown);
}

TEST_F(Innova360Codec, KnowsAnExtensionStatusInEachSpelling) {
  const auto expect = [&](std::initializer_list<const char*> spellings, Availability availability,
                          Activity activity) {
    for (auto spelling : spellings) {
      const auto state = status(spelling);
      EXPECT_EQ(state.availability, availability) << spelling;
      EXPECT_EQ(state.activity, activity) << spelling;
      EXPECT_FALSE(state.raw.empty()) << spelling;
    }
  };
  expect({"0", R"("0")", R"("Idle")", R"("NOT_INUSE")", R"("libre")", R"("Disponible")"},
         Availability::in_service, Activity::idle);
  expect({"1", "2", R"("InUse")", R"("Busy")", R"("en uso")", R"("OCUPADO")"},
         Availability::in_service, Activity::busy);
  expect({"8", R"("Ringing")", R"("sonando")"}, Availability::in_service, Activity::ringing);
  expect({"9", R"("InUse&Ringing")", R"("RINGINUSE")"}, Availability::in_service,
         Activity::busy_and_ringing);
  expect({"16", "17", R"("Hold")", R"("ONHOLD")", R"("InUse&Hold")", R"("En espera")"},
         Availability::in_service, Activity::holding);
  expect({"4", "-1", "-2", R"("Unavailable")",
          "\"ca\xC3\xAD"
          "da\"",
          R"("caida")", R"("no disponible")"},
         Availability::out_of_service, Activity::unknown);
  expect({"3", "99", R"("dancing")"}, Availability::unknown, Activity::unknown);
}

TEST_F(Innova360Codec, KnowsACauseByNumberOrText) {
  const auto expect = [&](std::initializer_list<const char*> spellings, Cause cause, int q850) {
    for (auto spelling : spellings) {
      const auto it = hangup(spelling);
      EXPECT_EQ(it.cause, cause) << spelling;
      EXPECT_EQ(it.vendor_cause.q850, q850) << spelling;
    }
  };
  expect({"16", R"("16")", R"("Normal Clearing")", R"("NORMAL_CLEARING")"}, Cause::normal_clearing,
         16);
  expect({"17", R"("User busy")", R"("ocupado")"}, Cause::busy, 17);
  expect({"18"}, Cause::call_not_answered, 18);
  expect({"19", R"("No answer")", R"("no contesta")"}, Cause::call_not_answered, 19);
  expect({"20"}, Cause::dest_out_of_order, 20);
  expect({"1", R"("Unallocated (unassigned) number")"}, Cause::dest_not_obtainable, 1);
  expect({"34"}, Cause::network_congestion, 34);
  expect({"42"}, Cause::network_congestion, 42);
  EXPECT_EQ(hangup(R"("Answered elsewhere")").vendor_cause.q850, 26);
  EXPECT_EQ(hangup("21").vendor_cause.q850, 21);

  EXPECT_EQ(hangup("0").cause, Cause::unspecified);
  EXPECT_EQ(hangup(R"("")").cause, Cause::unspecified);
  EXPECT_EQ(hangup("-7").cause, Cause::unspecified);
  EXPECT_EQ(hangup(R"("BECAUSE")").cause, Cause::unspecified);
  EXPECT_EQ(hangup(R"("BECAUSE")").vendor_cause.text, "BECAUSE");
}

// What a snapshot may look like, all of it meaning the same.
TEST_F(Innova360Codec, ReadsASnapshotInEachContainer) {
  const std::string leg =
      R"("CallDirection":"out","PhoneA":"201","PhoneB":"202","DIDA":"","DIDB":"","Status":"6",)"
      R"("StatusDesc":"Up","Bridge":"1.3","Hold":false)";
  const std::string leg_with_id = R"({"Monitored":true,"CallID":"1.2",)" + leg + "}";
  const std::string calls[] = {"[" + leg_with_id + "]",
                               R"({"1.2":{"Monitored":"yes",)" + leg + "}}", leg_with_id,
                               R"({"x":)" + leg_with_id + "}"};
  for (const std::string& in_calls : calls) {
    const std::string fields = R"("Status":1,"Hint":"SIP/201","Calls":)" + in_calls;
    const std::string with_number = R"({"Extension":201,)" + fields + "}";
    const std::string data[] = {"[" + with_number + "]", R"({"201":{)" + fields + "}}", with_number,
                                R"({"a":)" + with_number + "}",
                                "{" + fields + R"(,"Extension":"201"})"};
    for (const std::string& in_data : data) {
      const auto init = read<Init>(R"({"type":"init","data":)" + in_data + R"(,"server":"s1"})");
      ASSERT_THAT(init.extensions, SizeIs(1)) << in_data;
      const Extension& extension = init.extensions[0];
      EXPECT_EQ(extension.number, "201");
      EXPECT_EQ(extension.state.activity, Activity::busy);
      ASSERT_THAT(extension.legs, SizeIs(1)) << in_data;
      EXPECT_EQ(extension.legs[0].callid, "1.2");
      EXPECT_EQ(extension.legs[0].ends, (Ends{true, "201", "202", "", ""}));
      EXPECT_EQ(extension.legs[0].step, Step::up);
      EXPECT_EQ(extension.legs[0].bridge, "1.3");
      EXPECT_FALSE(extension.legs[0].hold);
    }
  }
}

TEST_F(Innova360Codec, ReadsASnapshotOfNothing) {
  for (auto data : {R"(,"data":[])", R"(,"data":{})", R"(,"data":null)", R"(,"data":"")", ""}) {
    EXPECT_THAT(read<Init>(R"({"type":"init")" + std::string(data) + "}").extensions, SizeIs(0));
  }
  for (auto calls :
       {R"(,"Calls":[])", R"(,"Calls":{})", R"(,"Calls":null)", R"(,"Calls":"")", ""}) {
    const auto init =
        read<Init>(R"({"type":"init","data":[{"Extension":"201")" + std::string(calls) + "}]}");
    ASSERT_THAT(init.extensions, SizeIs(1)) << calls;
    EXPECT_THAT(init.extensions[0].legs, SizeIs(0)) << calls;
  }
}

TEST_F(Innova360Codec, SaysThatASnapshotItCannotReadIsNone) {
  for (auto data : {"7", "true", R"("everything")"}) {
    EXPECT_FALSE(parse(R"({"type":"init","data":)" + std::string(data) + "}")) << data;
  }
}

TEST_F(Innova360Codec, LeavesOutLegsThatAreNotMonitoredAndBridgesThatAreFlags) {
  const auto init =
      read<Init>(R"({"type":"init","data":{"201":{"Calls":[{"CallID":"1","Monitored":"no"},)"
                 R"({"CallID":"2","Bridge":true,"Hold":"1"},{"CallID":"3","Bridge":""},{}]}}})");
  ASSERT_THAT(init.extensions[0].legs, SizeIs(2));
  EXPECT_EQ(init.extensions[0].legs[0].bridge, "");
  EXPECT_TRUE(init.extensions[0].legs[0].hold);
}

TEST_F(Innova360Codec, RefusesIdsTooLongToBeStoredAndCutsWhatIsOnlyRead) {
  const std::string id(kCallIdMax, '7'), longer = id + "7";
  const auto with = [&](const std::string& callid) {
    return R"({"type":"update","action":"hangup","extension":"201","callid":")" + callid +
           R"(","cause":")" + std::string(500, 'x') + "\"}";
  };
  EXPECT_EQ(read<Hangup>(with(id)).vendor_cause.text, std::string(kWordsMax, 'x'));
  EXPECT_EQ(parse(with(longer)).error(), Errc::bad_frame);
  EXPECT_EQ(parse(update("hangup", R"(,"extension":")" + std::string(65, '2') + "\"")).error(),
            Errc::bad_frame);
  EXPECT_EQ(read<NewCall>(update("new-call", R"(,"phonea":")" + std::string(500, '1') + "\""))
                .ends.phone_a.size(),
            kNumberMax);
}

TEST_F(Innova360Codec, RefusesCallMessagesWithoutTheirIds) {
  for (auto text : {R"({"type":"update","action":"hangup","extension":"201"})",
                    R"({"type":"update","action":"hangup","callid":"1"})",
                    R"({"type":"update","action":"extension-status","status":"1"})",
                    R"({"type":"update","action":"new-call","extension":[],"callid":"1"})",
                    R"({"nothing":"at all"})", R"({"type":""})"}) {
    EXPECT_EQ(parse(text).error(), Errc::bad_frame) << text;
  }
}

TEST_F(Innova360Codec, KeepsTheNameOfWhatItDoesNotKnow) {
  EXPECT_EQ(read<Unknown>(R"({"type":"update","action":"start-fax"})").type, "update/start-fax");
  EXPECT_EQ(read<Unknown>(R"({"type":"goodbye","token":"secret"})").type, "goodbye");
}

TEST_F(Innova360Codec, TakesAnErrorInAnyFormForTheActions) {
  EXPECT_EQ(read<ActionError>(R"({"type":"error","message":"no such call"})").words,
            "no such call");
  EXPECT_EQ(read<ActionError>(R"({"error":"denied","reason":"busy"})").words, "denied: busy");
  EXPECT_EQ(read<ActionError>(R"({"type":"x","error":{"code":4,"message":"denied"}})").words,
            "denied");
  EXPECT_EQ(read<ActionError>(R"({"type":"action-resp","result":"failed"})").words, "failed");
  EXPECT_EQ(read<ActionError>(R"({"type":"action-resp"})").words, "");
  read<Unknown>(R"({"type":"action-resp","result":"ok"})");
  read<Unknown>(R"({"type":"action-resp","success":true,"error":null})");
  read<Unknown>(R"({"type":"note","error":false})");
}

TEST_F(Innova360Codec, WritesTheDocumentedMessages) {
  EXPECT_EQ(auth_plain("us\"er", "p\\w"),
            R"({"type":"auth-plain","user":"us\"er","passwd":"p\\w"})");
  EXPECT_EQ(text_of(Call{"600", "", ""}), R"({"type":"action","action":"call","phone":"600"})");
  EXPECT_EQ(
      text_of(Call{"600", "a", "b"}),
      R"({"type":"action","action":"call","phone":"600","customfield1":"a","customfield2":"b"})");
  EXPECT_EQ(text_of(BlindTransfer{"1.2", "203"}),
            R"({"type":"action","action":"blindtransfer","call":"1.2","phone":"203"})");
  EXPECT_EQ(text_of(HangupCalls{{"1.2"}}), R"({"type":"action","action":"hangup","call":["1.2"]})");
  EXPECT_EQ(text_of(HangupCalls{{"1.2", "1.3"}}),
            R"({"type":"action","action":"hangup","call":["1.2","1.3"]})");
}

TEST_F(Innova360Codec, ReadsALargeTenantsSnapshotWhole) {
  std::string text = R"({"type":"init","data":[)";
  for (int i = 0; i < 5'000; ++i) {
    if (i > 0) text += ',';
    text += R"({"Extension":")" + std::to_string(10'000 + i) + R"(","Status":"0","Hint":"PJSIP/)" +
            std::to_string(10'000 + i) + R"(","Calls":[]})";
  }
  text += "]}";
  EXPECT_THAT(read<Init>(text).extensions, SizeIs(5'000));
}

}  // namespace
}  // namespace pbx::innova360
