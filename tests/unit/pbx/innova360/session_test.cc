#include "pbx/innova360/tenant.h"

namespace pbx::innova360 {
namespace {

using base::Errc;
using call::LinkState;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Innova360Session : Innova360 {};

TEST_F(Innova360Session, LogsInStepByStep) {
  pbx().start();
  ASSERT_THAT(pbx().opened, SizeIs(1));
  const Handshake& where = pbx().opened[0].second;
  EXPECT_EQ(where.host + ':' + where.port + where.target, "ws.innova360.es:9090/ws");
  EXPECT_TRUE(where.tls);
  EXPECT_THAT(pbx().sent, IsEmpty());  // the PBX speaks first

  pbx().hear(kWelcome);
  EXPECT_THAT(pbx().take_sent(kPrimary),
              ElementsAre(R"({"type":"auth-plain","user":"boss","passwd":"s3cret"})"));
  pbx().hear(kGranted);
  EXPECT_FALSE(pbx().ready);
  pbx().hear(kFourIdle);
  EXPECT_TRUE(pbx().ready);
  EXPECT_THAT(pbx().stages, ElementsAre(LinkState::logging_in, LinkState::synchronizing));
  ASSERT_THAT(pbx().seen, SizeIs(2));
  EXPECT_THAT(std::get<call::DevicesSeen>(pbx().seen[0]).devices, SizeIs(4));
  EXPECT_THAT(std::get<call::CallsSeen>(pbx().seen[1]).calls, IsEmpty());
  EXPECT_EQ(pbx().deadline(), TimePoint::max());
  EXPECT_THAT(pbx().notes, IsEmpty());
}

TEST_F(Innova360Session, GoesWithoutTlsToThePlainPortOrToAGivenOne) {
  settings.set("tls", false);
  pbx().start();
  EXPECT_EQ(pbx().opened[0].second.port, "9000");
  settings.set("port", std::int64_t{10'000});
  test::Dialogue other(vendor(), settings);
  other.start();
  EXPECT_EQ(other.opened[0].second.port, "10000");
}

TEST_F(Innova360Session, WaitsForTheSnapshotIfNoLoginIsAskedFor) {
  pbx().start();
  pbx().hear(R"({"type":"welcome","auth":"none"})");
  EXPECT_THAT(pbx().sent, IsEmpty());
  pbx().hear(kFourIdle);
  EXPECT_TRUE(pbx().ready);
}

TEST_F(Innova360Session, TakesTheOtherSpellingOfAGrantedLogin) {
  pbx().start();
  pbx().hear_all({kWelcome, R"({"type":"auth-ok"})", kFourIdle});
  EXPECT_TRUE(pbx().ready);
}

TEST_F(Innova360Session, GivesUpForAWhileWhenItsCredentialsAreRefused) {
  pbx().start();
  pbx().hear_all({kWelcome, kForbidden});
  ASSERT_THAT(pbx().given_up, SizeIs(1));
  EXPECT_EQ(pbx().given_up[0].why, Errc::login_rejected);
  EXPECT_GE(*pbx().given_up[0].retry_after, 60s);
  EXPECT_EQ(pbx().deadline(), TimePoint::max());
  pbx().hear(kFourIdle);  // still open, until the shell has closed it
  EXPECT_FALSE(pbx().ready);
}

TEST_F(Innova360Session, GivesUpOnAServerThatDoesNotBeginWithAWelcome) {
  for (auto text : {kGranted, kFourIdle, std::string_view("nonsense"),
                    std::string_view(R"({"type":"hello"})")}) {
    test::Dialogue other(vendor(), settings);
    other.start();
    other.hear(text);
    ASSERT_THAT(other.given_up, SizeIs(1)) << text;
    EXPECT_EQ(other.given_up[0].why, Errc::bad_frame);
    EXPECT_THAT(other.sent, IsEmpty());  // and keeps its password to itself
  }
}

// Each step of the login in turn is the one that never comes.
TEST_F(Innova360Session, GivesUpWhenAnyStepOfTheLoginFailsToCome) {
  const std::pair<std::string_view, std::string_view> kSteps[] = {
      {kWelcome, "welcome"}, {kGranted, "login"}, {kFourIdle, "snapshot"}};
  for (std::size_t broken = 0; broken < std::size(kSteps); ++broken) {
    test::Dialogue other(vendor(), settings);
    other.start();
    for (std::size_t i = 0; i < broken; ++i) other.hear(kSteps[i].first);
    other.pass(9'999ms);
    EXPECT_THAT(other.given_up, IsEmpty());
    other.pass(1ms);
    ASSERT_THAT(other.given_up, SizeIs(1)) << broken;
    EXPECT_EQ(other.given_up[0].why, Errc::timed_out);
    EXPECT_THAT(other.given_up[0].detail, HasSubstr(kSteps[broken].second));
  }
}

TEST_F(Innova360Session, GivesEachStepOfTheLoginItsOwnTime) {
  pbx().start();
  pbx().pass(9s);
  pbx().hear(kWelcome);
  pbx().pass(9s);
  pbx().hear(kGranted);
  pbx().pass(9s);
  pbx().hear(kFourIdle);
  EXPECT_TRUE(pbx().ready);
  pbx().pass(24h);
  EXPECT_THAT(pbx().given_up, IsEmpty());
}

TEST_F(Innova360Session, StaysUpThroughWhatItCannotRead) {
  log_in();
  for (auto text : {"", "[]", "{", R"({"type":7})", R"({"type":"update","action":"hangup"})",
                    R"({"type":"update","action":"start-fax","extension":"201","callid":"1"})",
                    R"({"type":"firmware"})", R"({"type":"init","data":17})",
                    R"({"type":"error","message":"s3cret"})"}) {
    pbx().notes.clear();
    pbx().hear(text);
    EXPECT_THAT(pbx().notes, SizeIs(1)) << text;
  }
  EXPECT_THAT(pbx().given_up, IsEmpty());
  EXPECT_THAT(pbx().take_events(), IsEmpty());
}

TEST_F(Innova360Session, KeepsSecretsOutOfItsNotes) {
  pbx().start();
  pbx().hear_all({kWelcome, R"({"type":"auth-resp","auth":"ok","token":"t0ken","error":"t0ken"})",
                  R"({"type":"renewal","token":"t0ken"})", R"({"token":"t0ken"})", kFourIdle});
  EXPECT_THAT(pbx().notes, SizeIs(2));
  for (const Note& note : pbx().notes) EXPECT_THAT(note.detail, Not(HasSubstr("t0ken")));
}

TEST_F(Innova360Session, TellsOfDevicesAsTheyChange) {
  log_in();
  const auto& book = pbx().tracker.book();
  const auto device = [&](const char* id) { return book.devices.at(call::DeviceId(id)); };
  EXPECT_EQ(device("201").activity, call::Activity::idle);
  EXPECT_TRUE(device("201").controllable);
  EXPECT_FALSE(device("204").controllable);

  status("201", "8");
  EXPECT_EQ(device("201").activity, call::Activity::ringing);
  status("201",
         "ca\xC3\xAD"
         "da");
  EXPECT_EQ(device("201").availability, call::Availability::out_of_service);
  EXPECT_EQ(device("201").vendor_status,
            "ca\xC3\xAD"
            "da");
  status("299", "1");
  EXPECT_EQ(device("299").activity, call::Activity::busy);
  pbx().seen.clear();
  status("299", "1");
  EXPECT_THAT(pbx().seen, IsEmpty());
  new_call("300", "1", "out", "300", "9");
  EXPECT_EQ(device("300").availability, call::Availability::unknown);
}

TEST_F(Innova360Session, EndsWhatASecondSnapshotDoesNotShow) {
  log_in();
  talk();
  new_call("203", "13", "out", "203", "600");
  pbx().take_events();
  pbx().hear(R"({"type":"init","data":{"201":{"Status":"0"},"203":{"Status":"1","Calls":)"
             R"({"13":{"CallDirection":"out","PhoneA":"203","PhoneB":"600","Status":"4"}}}}})");
  EXPECT_THAT(pbx().take_events(), ElementsAre("delivered 600", "connectionCleared 201",
                                               "connectionCleared 202", "callCleared"));
  EXPECT_THAT(pbx().tracker.book().devices, SizeIs(2));
}

// The protocol document's example (section 9), with its ids and its order.
TEST_F(Innova360Session, TellsTheDocumentsExampleAsItSays) {
  log_in();
  pbx().hear_all({
      R"({"type":"update","action":"new-call","server":"s1","extension":"201","callid":"1760000000.11","direction":"out","phonea":"201","phoneb":"202","dida":"","didb":""})",
      R"({"type":"update","action":"extension-status","server":"s1","extension":"201","status":"1"})",
      R"({"type":"update","action":"new-call","server":"s1","extension":"202","callid":"1760000000.12","direction":"in","phonea":"201","phoneb":"202","dida":"","didb":""})",
      R"({"type":"update","action":"call-state","extension":"201","callid":"1760000000.11","state":"4","statedesc":"Ring"})",
      R"({"type":"update","action":"call-state","extension":"202","callid":"1760000000.12","state":"5","statedesc":"Ringing"})",
      R"({"type":"update","action":"call-state","extension":"202","callid":"1760000000.12","state":"6","statedesc":"Up"})",
      R"({"type":"update","action":"call-state","extension":"201","callid":"1760000000.11","state":"6","statedesc":"Up"})",
      R"({"type":"update","action":"start-moh","server":"s1","extension":"202","callid":"1760000000.12"})",
      R"({"type":"update","action":"stop-moh","server":"s1","extension":"202","callid":"1760000000.12"})",
      R"({"type":"update","action":"hangup","server":"s1","extension":"202","callid":"1760000000.12","cause":"16"})",
      R"({"type":"update","action":"hangup","server":"s1","extension":"201","callid":"1760000000.11","cause":"16"})",
  });
  EXPECT_THAT(pbx().take_events(), ElementsAre("originated 201", "delivered 202", "established 202",
                                               "held 201", "retrieved 201", "connectionCleared 202",
                                               "connectionCleared 201", "callCleared"));
  EXPECT_THAT(pbx().notes, IsEmpty());
}

TEST_F(Innova360Session, TellsTheSameOfAnExampleThatIsSaidTwice) {
  log_in();
  for (int i = 0; i < 2; ++i) new_call("201", "11", "out", "201", "202");
  for (int i = 0; i < 2; ++i) new_call("202", "12", "in", "201", "202");
  for (auto text : {"Ringing", "Ringing", "Up", "Up"}) state("202", "12", text);
  for (int i = 0; i < 2; ++i) state("201", "11", "Up");
  for (int i = 0; i < 2; ++i) hangup("202", "12");
  for (int i = 0; i < 2; ++i) hangup("201", "11");
  EXPECT_THAT(pbx().take_events(),
              ElementsAre("originated 201", "delivered 202", "established 202",
                          "connectionCleared 202", "connectionCleared 201", "callCleared"));
}

}  // namespace
}  // namespace pbx::innova360
