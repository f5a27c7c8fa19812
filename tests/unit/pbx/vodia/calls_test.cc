#include "pbx/vodia/calls.h"

#include "pbx/vodia/tenant.h"

namespace pbx::vodia {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// The stories of csta.md section 9, as lists, for each generation: a modern server pushes them as
// call-state, a legacy one has them in its domain-state.
struct VodiaCalls : Vodia, testing::WithParamInterface<bool> {
  void SetUp() override {
    if (GetParam()) {
      log_in_legacy();
    } else {
      log_in_modern();
    }
  }
  void show(const std::vector<Entry>& entries) {
    if (GetParam()) {
      domain_state(entries);
    } else {
      calls(entries);
    }
  }
  void gone(const std::vector<Entry>& entries = {}) {
    show(entries);
    show(entries);
  }
  std::vector<std::string> events() { return pbx().take_events(); }
};
INSTANTIATE_TEST_SUITE_P(Generations, VodiaCalls, testing::Bool(),
                         [](const auto& each) { return each.param ? "Legacy" : "Modern"; });

TEST_P(VodiaCalls, TellsAnInternalCallFromItsBeginningToItsEnd) {
  show({ringing()});
  EXPECT_THAT(events(), ElementsAre("originated 501", "delivered 502"));
  show({talking()});
  EXPECT_THAT(events(), ElementsAre("established 502"));
  show({talking()});
  EXPECT_THAT(events(), IsEmpty());
  gone();
  EXPECT_THAT(events(),
              ElementsAre("connectionCleared 501", "connectionCleared 502", "callCleared"));
}

TEST_P(VodiaCalls, TellsWhatALateListHasSkipped) {
  show({talking()});
  EXPECT_THAT(events(), ElementsAre("originated 501", "delivered 502", "established 502"));
}

TEST_P(VodiaCalls, TellsACallFromOutside) {
  Entry call{"a@pbx", "+34600111222", "+34911000500", "alerting", {"*501"}, {}};
  show({call});
  EXPECT_THAT(events(), ElementsAre("originated +34600111222", "delivered 501"));
  EXPECT_EQ(pbx().tracker.book().calls.begin()->second.direction, call::Direction::inbound);
  EXPECT_EQ(pbx().tracker.book().calls.begin()->second.dialled, "+34911000500");
  call.state = "connected";
  show({call});
  EXPECT_THAT(events(), ElementsAre("established 501"));
  gone();
  EXPECT_THAT(events(), SizeIs(3));
}

TEST_P(VodiaCalls, TellsACallToOutside) {
  Entry call{"a@pbx", "501", "0600111222", "alerting", {"501"}, {}};
  show({call});
  EXPECT_THAT(events(), ElementsAre("originated 501", "delivered 0600111222"));
  EXPECT_EQ(pbx().tracker.book().calls.begin()->second.direction, call::Direction::outbound);
  call.state = "connected";
  show({call});
  EXPECT_THAT(events(), ElementsAre("established 0600111222"));
}

TEST_P(VodiaCalls, TellsWhoHoldsIfOneExtensionIsInIt) {
  Entry call{"a@pbx", "501", "0600111222", "connected", {"501"}, {}};
  show({call});
  events();
  call.state = "holding";
  show({call});
  EXPECT_THAT(events(), ElementsAre("held 501"));
  call.state = "connected";
  show({call});
  EXPECT_THAT(events(), ElementsAre("retrieved 501"));
  call.state = "onhold";
  show({call});
  EXPECT_THAT(events(), ElementsAre("held 0600111222"));
}

TEST_P(VodiaCalls, SaysThatItIsUnknownWhoHoldsBetweenTwo) {
  talk();
  if (GetParam()) {
    show({talking()});
    events();
  }
  Entry held = talking();
  held.state = "holding";
  show({held});
  EXPECT_THAT(events(), ElementsAre("callInformation"));
  EXPECT_EQ(pbx().tracker.book().calls.begin()->second.data.at("hold"), "unknown");
  show({talking()});
  EXPECT_THAT(events(), ElementsAre("callInformation"));
  EXPECT_THAT(pbx().tracker.book().calls.begin()->second.data, IsEmpty());
}

TEST_P(VodiaCalls, TellsADiversionWhileItRings) {
  show({ringing()});
  events();
  Entry call = ringing();
  call.to = "503";
  call.extensions = {"501", "*503"};
  show({call});
  EXPECT_THAT(events(),
              ElementsAre("diverted 502", "connectionCleared 502 (redirected)", "delivered 503"));
}

TEST_P(VodiaCalls, TellsAPickup) {
  show({ringing()});
  events();
  Entry call = talking();
  call.extensions = {"501", "503"};
  show({call});
  EXPECT_THAT(events(),
              ElementsAre("diverted 502 (callPickup)", "connectionCleared 502 (callPickup)",
                          "delivered 503", "established 503"));
}

TEST_P(VodiaCalls, TellsARingGroup) {
  Entry call{"a@pbx", "0600111222", "610", "alerting", {"*501", "*502", "*503"}, {}};
  show({call});
  EXPECT_THAT(events(), ElementsAre("originated 0600111222", "delivered 501", "delivered 502",
                                    "delivered 503"));
  call.state = "connected";
  call.extensions = {"502"};
  show({call});
  EXPECT_THAT(events(),
              ElementsAre("connectionCleared 501", "connectionCleared 503", "established 502"));
}

TEST_P(VodiaCalls, TellsATransferWithinACall) {
  talk();
  show({talking()});
  events();
  Entry call = talking();
  call.extensions = {"502", "503"};
  show({call});
  EXPECT_THAT(events(), ElementsAre("transferred 501", "connectionCleared 501 (transfer)",
                                    "delivered 503", "established 503"));
  EXPECT_THAT(pbx().tracker.book().calls, SizeIs(1));
}

TEST_P(VodiaCalls, TellsAnAttendedTransferOfTwoCalls) {
  Entry first = talking("a@pbx");
  Entry second{"b@pbx", "501", "503", "connected", {"501", "503"}, {}};
  show({first});
  show({first, second});
  events();
  first.from = "502";
  first.to = "503";
  first.extensions = {"502", "503"};
  show({first});
  const auto told = events();
  EXPECT_THAT(told, Contains("connectionCleared 503 (transfer)"));  // in the second
  EXPECT_THAT(told, Contains("transferred 501"));
  EXPECT_THAT(told, Contains("connectionCleared 501 (transfer)"));
  EXPECT_THAT(told, Contains("connectionCleared 501"));
  EXPECT_THAT(told, Contains("callCleared"));
  ASSERT_THAT(pbx().tracker.book().calls, SizeIs(1));
  EXPECT_THAT(pbx().tracker.book().calls.begin()->second.connections, SizeIs(2));
}

TEST_P(VodiaCalls, TellsAConference) {
  talk();
  show({talking()});
  events();
  Entry call = talking();
  call.extensions = {"501", "502", "503"};
  show({call});
  EXPECT_THAT(events(), ElementsAre("delivered 503", "established 503 (conference)"));
}

TEST_P(VodiaCalls, TellsWhenTheSecondSideOfACallShowsUp) {
  Entry one{"a@pbx", "501", "502", "alerting", {"501"}, R"(,"start":"1760000000.000")"};
  Entry two{"b@pbx", "501", "502", "alerting", {"502"}, R"(,"start":"1760000000.400")"};
  show({two, one});
  EXPECT_THAT(events(), ElementsAre("originated 501", "delivered 502"));
  ASSERT_THAT(pbx().tracker.book().calls, SizeIs(1));
  EXPECT_EQ(pbx().tracker.book().calls.begin()->second.key, "a@pbx");  // the older
  one.state = two.state = "connected";
  show({two, one});
  EXPECT_THAT(events(), ElementsAre("established 502"));
  one.state = "holding";
  two.state = "onhold";
  show({two, one});
  EXPECT_THAT(events(), ElementsAre("held 501"));
  one.state = two.state = "connected";
  show({two, one});
  events();
  gone({two});
  EXPECT_THAT(events(), ElementsAre("connectionCleared 501"));
  gone();
  EXPECT_THAT(events(), ElementsAre("connectionCleared 502", "callCleared"));
}

TEST_P(VodiaCalls, KeepsCallsApartThatAreNotTwoSides) {
  Entry one{"a@pbx", "501", "502", "alerting", {"501"}, R"(,"start":"1760000000.000")"};
  Entry late{"b@pbx", "501", "502", "alerting", {"502"}, R"(,"start":"1760000003.000")"};
  Entry same{"c@pbx", "501", "502", "alerting", {"501"}, R"(,"start":"1760000000.000")"};
  show({one, late, same});
  EXPECT_THAT(pbx().tracker.book().calls, SizeIs(3));
}

TEST_P(VodiaCalls, BearsAListThatRepeatsAnId) {
  show({ringing(), ringing()});
  EXPECT_THAT(events(), ElementsAre("originated 501", "delivered 502"));
  show({ringing(), talking(), ringing()});
  EXPECT_THAT(events(), IsEmpty());  // the first counts
  show({talking(), ringing(), ringing("b@pbx")});
  EXPECT_THAT(events(), ElementsAre("established 502", "originated 501", "delivered 502"));
  EXPECT_THAT(pbx().notes, Contains(testing::Field(&Note::detail, HasSubstr("twice"))));
}

TEST_P(VodiaCalls, AsksAgainBeforeACallThatIsMissingOnceIsToldAsEnded) {
  show({talking()});
  events();
  pbx().pass(1s);
  pbx().take_sent(kPrimary);
  show({});
  EXPECT_THAT(events(), IsEmpty());
  EXPECT_THAT(pbx().take_sent(kPrimary), Contains(HasSubstr("domain-calls")));
  show({talking()});  // it was a slip
  pbx().pass(2s);
  EXPECT_THAT(events(), IsEmpty());
  show({});
  pbx().pass(999ms);
  EXPECT_THAT(events(), IsEmpty());
  pbx().pass(1ms);  // no answer is one, too
  EXPECT_THAT(events(), SizeIs(3));
}

TEST_P(VodiaCalls, BelievesAnEntryThatSaysItIsOver) {
  show({talking()});
  events();
  Entry over = talking();
  over.more = R"(,"end":"1760000009.000")";
  show({over});
  EXPECT_THAT(events(), SizeIs(3));
}

TEST_P(VodiaCalls, TellsRecordingAsTheListHasIt) {
  Entry call = talking();
  call.more = R"(,"rec":"")";
  show({call});
  events();
  call.more = R"(,"rec":"adhoc")";
  show({call});
  EXPECT_THAT(events(), ElementsAre("recordingStarted 501"));
  call.more = "";
  show({call});
  EXPECT_THAT(events(), ElementsAre("recordingStopped 501"));
}

TEST_P(VodiaCalls, NumbersLegsAgainWhenAnIdComesBack) {
  show({ringing()});
  gone();
  events();
  show({ringing()});
  EXPECT_THAT(events(), ElementsAre("originated 501", "delivered 502"));
}

struct VodiaLists : Vodia {
  // 501 and 502 talk, one of them holds, and the PBX says this of each side.
  void hold(std::string_view one, std::string_view two) {
    log_in_modern();
    talk();
    Entry held = talking();
    held.state = "holding";
    calls({held});
    ASSERT_THAT(pbx().requests, SizeIs(2));
    EXPECT_EQ(pbx().requests[0].where.target, "/rest/user/501%40t.example/calls");
    EXPECT_EQ(pbx().requests[1].where.target, "/rest/user/502%40t.example/calls");
    pbx().take_events();
    for (auto state : {one, two}) {
      answer(200, R"([{"id":"x@pbx","state":"holding"},{"id":"a@pbx","state":")" +
                      std::string(state) + R"(","now":1760000000}])");
    }
  }
};

TEST_F(VodiaLists, AsksBothSidesWhoHolds) {
  hold("onhold", "holding");
  EXPECT_THAT(pbx().take_events(), ElementsAre("held 502"));
  calls({talking()});
  EXPECT_THAT(pbx().take_events(), ElementsAre("retrieved 502"));
}

TEST_F(VodiaLists, TakesTheOtherSideIfOneSaysThatItIsHeld) {
  hold("onhold", "connected");
  EXPECT_THAT(pbx().take_events(), ElementsAre("held 502"));
}

TEST_F(VodiaLists, AsksWhoHoldsACallThatWasThereBefore) {
  pbx().begin();
  grant_token();
  pbx().open(kPrimary);
  Entry held = talking();
  held.state = "holding";
  calls({held});
  answer_directory();
  EXPECT_FALSE(pbx().ready);  // or the call would be told as retrieved first
  answer(200, R"([{"id":"a@pbx","state":"holding"}])");
  answer(200, R"([{"id":"a@pbx","state":"onhold"}])");
  EXPECT_TRUE(pbx().ready);
  EXPECT_THAT(pbx().take_events(), Contains("held 501"));
}

TEST_F(VodiaLists, DoesNotWaitForEverToLearnWhoHolds) {
  pbx().begin();
  grant_token();
  pbx().open(kPrimary);
  Entry held = talking();
  held.state = "holding";
  calls({held});
  answer_directory();
  pbx().pass(10s);  // snapshot_limit
  EXPECT_TRUE(pbx().ready);
  EXPECT_THAT(pbx().given_up, IsEmpty());
}

TEST_F(VodiaLists, DoesNotGuessWhoHoldsIfBothSidesSayTheSame) {
  hold("holding", "holding");
  EXPECT_THAT(pbx().take_events(), IsEmpty());
  pbx().requests.clear();
  Entry held = talking();
  held.state = "holding";
  held.more = R"(,"cmc":"K7")";
  calls({held});
  EXPECT_THAT(pbx().requests, IsEmpty());  // asked once
}

TEST_F(VodiaLists, ForgetsWhoHeldIfTheAnswerComesTooLate) {
  log_in_modern();
  talk();
  Entry held = talking();
  held.state = "holding";
  calls({held});
  answer(200, R"([{"id":"a@pbx","state":"holding"}])");
  calls({talking()});
  pbx().take_events();
  answer(200, "[]");
  EXPECT_THAT(pbx().take_events(), IsEmpty());
}

TEST_F(VodiaLists, TellsAQueueThatDistributesACall) {
  log_in_legacy();
  Entry call{"a@pbx", "0600111222", "600", "alerting", {}, {}};
  domain_state({call});
  EXPECT_THAT(pbx().take_events(), ElementsAre("originated 0600111222", "queued 600"));
  call.extensions = {"*501"};
  domain_state({call});
  EXPECT_THAT(pbx().take_events(),
              ElementsAre("diverted 600 (distributed)", "connectionCleared 600 (distributed)",
                          "delivered 501"));
}

TEST_F(VodiaLists, TellsAParkedCall) {
  log_in_legacy();
  domain_state({talking()});
  pbx().take_events();
  Entry call{"a@pbx", "502", "800", "connected", {"502"}, {}};
  domain_state({call});
  EXPECT_THAT(pbx().take_events(),
              UnorderedElementsAre("connectionCleared 501 (park)", "queued 800"));
}

TEST_F(VodiaLists, TellsOfRecordingMarks) {
  log_in_modern();
  talk();
  pbx().hear(R"({"action":"rec-start","callid":"a@pbx"})");
  pbx().hear(R"({"action":"rec-start","callid":"nobody@pbx"})");
  pbx().hear(R"({"action":"rec-stop","callid":"a@pbx"})");
  EXPECT_THAT(pbx().take_events(), ElementsAre("recordingStarted 501", "recordingStopped 501"));
}

TEST_F(VodiaLists, ReadsTheOnlyCallAsAnObject) {
  log_in_modern();
  pbx().hear(R"({"action":"call-state","calls":)" + ringing().text() + "}");
  EXPECT_THAT(pbx().take_events(), ElementsAre("originated 501", "delivered 502"));
}

TEST_F(VodiaLists, EndsACallAtOnceIfNotToldToConfirm) {
  settings.set("confirm_ends", false);
  log_in_modern();
  talk();
  calls({});
  EXPECT_THAT(pbx().take_events(), SizeIs(3));
}

TEST_F(VodiaLists, KnowsAnExtensionByItsOutsideNumber) {
  log_in_modern();
  calls({{"a@pbx", "+34911000503", "0600111222", "alerting", {"503"}, {}}});
  EXPECT_THAT(pbx().take_events(), ElementsAre("originated 503", "delivered 0600111222"));
}

TEST_F(VodiaLists, ShowsACallerWhoWithholdsTheNumber) {
  log_in_modern();
  calls({{"a@pbx", "anonymous", "+34911000500", "alerting", {"501"}, {}}});
  EXPECT_THAT(pbx().take_events(), ElementsAre("originated ?", "delivered 501"));
}

// What a list costs grows with what it changes: the others are not even parsed.
TEST_F(VodiaLists, ParsesOnlyTheEntriesThatAreNotAsTheyWere) {
  Directory directory([](const std::string&) { return true; });
  std::vector<Account> accounts;
  for (int i = 0; i < 4'000; ++i) {
    Account account;
    account.number = std::to_string(10'000 + i);
    accounts.push_back(account);
  }
  directory.on_extensions(accounts);
  Calls calls({true, 1s}, directory);
  std::vector<Entry> entries;
  for (int i = 0; i < 2'000; ++i) {
    const std::string a = std::to_string(10'000 + 2 * i), b = std::to_string(10'001 + 2 * i);
    entries.push_back({std::to_string(i) + "@pbx", a, b, "alerting", {a, b}, {}});
  }
  const auto hear = [&] {
    const std::string text = R"({"action":"call-state","calls":)" + list(entries) + "}";
    const auto frame = parse(text);
    return calls.on_list(Calls::Source::call_state, std::get<CallState>(*frame).calls, TimePoint{});
  };
  auto out = hear();
  EXPECT_EQ(out.parsed, 2'000u);
  EXPECT_THAT(out.seen, SizeIs(2'000));
  out = hear();
  EXPECT_EQ(out.parsed, 0u);
  EXPECT_THAT(out.seen, IsEmpty());
  entries[700].state = "connected";
  out = hear();
  EXPECT_EQ(out.parsed, 1u);
  EXPECT_THAT(out.seen, SizeIs(1));
  entries.erase(entries.begin() + 3);
  entries.erase(entries.begin() + 1'500);
  out = hear();
  EXPECT_EQ(out.parsed, 0u);
  EXPECT_THAT(out.seen, IsEmpty());
  EXPECT_TRUE(out.ask);
  out = hear();
  EXPECT_EQ(out.parsed, 0u);
  EXPECT_THAT(out.seen, SizeIs(2));
  EXPECT_EQ(calls.size(), 1'998u);
}

}  // namespace
}  // namespace pbx::vodia
