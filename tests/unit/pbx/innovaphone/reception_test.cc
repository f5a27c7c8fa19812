#include "pbx/innovaphone/reception.h"

#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>

#include "base/overloaded.h"
#include "pbx/json.h"
#include "unit/pbx/innovaphone/vectors.h"

namespace pbx::innovaphone {
namespace {

using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::uint64_t kBits = 0x16d7dbbcccb63612;
constexpr std::string_view kRefused = R"({"mt":"AppLoginResult","ok":false})";

// The App object's login as a PBX writes it; what a test changes of it is signed again.
struct AppLogin {
  LoginFields fields{"inbound",
                     "example.com",
                     "gateway",
                     "8e7ca6fabbc5630170e9009033400109",
                     "Gateway ä",
                     R"({"appobj":"gateway","appdn":"Gateway ä","appurl":)"
                     R"("https://gw.example.net/acme/inbound","pbx":"master","apps":[]})"};
  std::string password = "s3cr3t", challenge = "16d7dbbcccb63612";
  std::string more;  // after everything else

  std::string text() const {
    std::string out = R"({"mt":"AppLogin","sip":)";
    append_json(out, fields.sip);
    for (const auto& [name, value] :
         {std::pair("guid", &fields.guid), std::pair("dn", &fields.dn),
          std::pair("domain", &fields.domain), std::pair("app", &fields.app)}) {
      out += std::string(",\"") + name + "\":";
      append_json(out, *value);
    }
    out += R"(,"digest":")" + login_digest(fields, challenge, password) + '"';
    if (fields.info) out += R"(,"info":)" + *fields.info;
    return out + more + '}';
  }
};

// What an innovaphone PBX and others say to us, and how far they come.
class Door : public testing::Test {
 protected:
  // "undecided", "arrived", or why it was turned away.
  std::string hear(std::string_view text) {
    auto step = reception.on_text(text);
    said = std::move(step.texts);
    return std::visit(base::overloaded{
                          [](pbx::Reception::Undecided&) -> std::string { return "undecided"; },
                          [&](Arrival& it) -> std::string {
                            arrival = std::move(it);
                            return "arrived";
                          },
                          [&](pbx::Reception::TurnedAway& it) -> std::string {
                            detail = std::move(it.detail);
                            EXPECT_THAT(detail, Not(HasSubstr(options.password)));
                            return base::name_of(it.why);
                          },
                      },
                      step.verdict);
  }
  // The same from a new connection, after the challenge.
  std::string log_in(std::string_view text) {
    reception = Reception(options, kBits);
    EXPECT_EQ(hear(R"({"mt":"AppChallenge"})"), "undecided");
    return hear(text);
  }

  Reception::Options options{"gateway", "s3cr3t", "inbound", "", {}};
  Reception reception{options, kBits};
  std::vector<std::string> said;
  Arrival arrival;
  std::string detail;
};

TEST_F(Door, LetsThePbxIn) {
  EXPECT_EQ(hear(R"({"mt":"AppChallenge"})"), "undecided");
  EXPECT_THAT(said, ElementsAre(R"({"mt":"AppChallengeResult","challenge":"16d7dbbcccb63612"})"));
  EXPECT_EQ(hear(AppLogin().text()), "arrived");
  EXPECT_THAT(said, IsEmpty());  // the good word is the session's to say
  EXPECT_EQ(arrival.pbx, "master");
  EXPECT_EQ(arrival.via, "gateway");
  EXPECT_EQ(arrival.welcome,
            R"({"mt":"AppLoginResult","ok":true,"app":"inbound","domain":"example.com"})");
}

// 6 and 7 word for word as a PBX of 13r3 sent them.
TEST_F(Door, LetsInWhatRealPbxsSent) {
  struct Case {
    std::uint64_t challenge;
    const char *app_object, *url_app, *text;
  };
  const Case kCases[] = {
      {0x16d7dbbcccb63612, "go-search", "searchapi",
       R"({"mt":"AppLogin","sip":"go-search","guid":"3954ae7854c96301c9dd009033400109","dn":"go-search","digest":"130f168773ff760701b74e629eca2544c6e62d5354e92e6f821001a982eb8951","domain":"fritz.box","app":"searchapi","info":{"appobj":"go-search","appdn":"go-search","appurl":"http://192.168.178.29:5000/fritz.box/go/instance/searchapi","pbx":"pbx-main","cn":"go-search","unlicensed":true,"apps":[]}})"},
      {0xaeaaebe781e80289, "go", "admin",
       R"({"mt":"AppLogin","sip":"go","guid":"8e7ca6fabbc5630170e9009033400109","dn":"go","digest":"8f802873dcdee7cef6144017a6112289298ad69e77474a4c37cfdb68a83640c0","domain":"fritz.box","app":"admin","info":{"appobj":"go","appdn":"go","appurl":"http://192.168.178.29:5000/fritz.box/go/instance/admin","pbx":"pbx-main","cn":"go","unlicensed":true,"apps":[]}})"},
  };
  for (const Case& it : kCases) {
    options = {it.app_object, "go", it.url_app, "fritz.box", {"pbx-main"}};
    reception = Reception(options, it.challenge);
    EXPECT_EQ(hear(R"({"mt":"AppChallenge"})"), "undecided");
    EXPECT_EQ(hear(it.text), "arrived") << detail;
    EXPECT_EQ(arrival.pbx, "pbx-main");
    EXPECT_EQ(arrival.via, it.app_object);
  }
}

// Every login of the document, as received: one that is no App object's own is turned away with
// another reason than one that is not genuine.
TEST_F(Door, VerifiesEveryVectorOfTheDocument) {
  unsigned arrived = 0;
  for (const auto& it : test::vectors()) {
    if (it.challenge.size() != 16) continue;  // the tutorial's "0" is none of ours
    options = {it.login.sip, it.password, it.login.app, "", {}};
    for (const bool genuine : {true, false}) {
      reception = Reception(options, std::stoull(it.challenge, nullptr, 16));
      EXPECT_EQ(hear(R"({"mt":"AppChallenge"})"), "undecided");
      AppLogin login{it.login, it.password, it.challenge, ""};
      std::string text = login.text();
      EXPECT_THAT(text, HasSubstr(it.digest));
      if (!genuine) text.replace(text.find(it.digest), 2, it.digest[0] == '0' ? "1" : "0");
      const bool object = it.number == 6 || it.number == 7 || it.number == 16;
      EXPECT_EQ(hear(text), !genuine ? "login_rejected"
                            : object ? "arrived"
                                     : "permission_denied")
          << it.number;
      if (genuine && object) ++arrived;
    }
  }
  EXPECT_EQ(arrived, 3u);
}

TEST_F(Door, RefusesAWrongPassword) {
  AppLogin login;
  login.password = "other";
  EXPECT_EQ(log_in(login.text()), "login_rejected");
  EXPECT_THAT(said, ElementsAre(kRefused));
}

TEST_F(Door, RefusesALoginForAnotherChallenge) {
  AppLogin login;
  login.challenge = "0000000000000001";
  EXPECT_EQ(log_in(login.text()), "login_rejected");
}

TEST_F(Door, RefusesALoginWithoutADigest) {
  EXPECT_EQ(log_in(R"({"mt":"AppLogin"})"), "login_rejected");
  EXPECT_EQ(log_in(R"({"mt":"AppLogin","digest":null,"info":null,"sip":[1]})"), "login_rejected");
}

TEST_F(Door, TakesOneLoginForAChallenge) {
  AppLogin wrong;
  wrong.password = "other";
  EXPECT_EQ(log_in(wrong.text()), "login_rejected");
  EXPECT_EQ(hear(AppLogin().text()), "bad_frame");
  EXPECT_THAT(said, IsEmpty());
  EXPECT_EQ(hear(R"({"mt":"AppChallenge"})"), "bad_frame");
}

TEST_F(Door, WantsToBeAskedForAChallengeFirst) {
  EXPECT_EQ(hear(AppLogin().text()), "bad_frame");
  EXPECT_THAT(said, IsEmpty());
}

TEST_F(Door, SaysTheSameChallengeToWhoAsksTwice) {
  EXPECT_EQ(hear(R"({"mt":"AppChallenge"})"), "undecided");
  const auto first = said;
  EXPECT_EQ(hear(R"({"mt":"AppChallenge","user":"x","appObj":"y"})"), "undecided");
  EXPECT_EQ(said, first);
}

// Somebody has opened the App in myApps, which comes to the same URL.
TEST_F(Door, HasNothingForPeople) {
  AppLogin person;
  person.fields.sip = "jdoe";
  person.fields.dn = "Doe, Jane";
  EXPECT_EQ(log_in(person.text()), "permission_denied");
  EXPECT_THAT(said, ElementsAre(kRefused));
  EXPECT_THAT(detail, Not(HasSubstr("jdoe")));

  AppLogin named;  // the PBX itself never sends a pbxObj here
  named.more = R"(,"pbxObj":"gateway")";
  EXPECT_EQ(log_in(named.text()), "permission_denied");
  named.more = R"(,"pbxObj":null)";
  EXPECT_EQ(log_in(named.text()), "arrived");
}

// What we sign ourselves for browsers, and when we dial, is made with a password, too.
TEST_F(Door, HasNothingForBrowsers) {
  AppLogin browser;
  browser.fields = {"inbound", "example.com", "", "", "", std::nullopt};
  EXPECT_EQ(log_in(browser.text()), "permission_denied");
  browser.fields.sip = "gateway";
  EXPECT_EQ(log_in(browser.text()), "permission_denied");
}

// A digest that was made of app, empty fields and a "challenge" with colons, told with the colons
// elsewhere.
TEST_F(Door, DoesNotLetColonsShiftWhatWasSigned) {
  for (auto field :
       {&LoginFields::app, &LoginFields::domain, &LoginFields::sip, &LoginFields::guid}) {
    AppLogin login;
    login.fields.*field += ":x";
    EXPECT_EQ(log_in(login.text()), "permission_denied");
    EXPECT_THAT(detail, HasSubstr("colon"));
  }
}

TEST_F(Door, WantsTheAppThatTheUrlNames) {
  AppLogin login;
  login.fields.app = "inbound.htm";
  EXPECT_EQ(log_in(login.text()), "arrived");
  EXPECT_THAT(arrival.welcome, HasSubstr(R"("app":"inbound.htm")"));
  login.fields.app = "admin";
  EXPECT_EQ(log_in(login.text()), "permission_denied");
  EXPECT_THAT(detail, HasSubstr("admin"));
  EXPECT_THAT(said, ElementsAre(kRefused));
}

TEST_F(Door, WantsTheConfiguredAppObject) {
  AppLogin login;
  login.fields.sip = "other";
  login.fields.info = R"({"appobj":"other","pbx":"master"})";
  EXPECT_EQ(log_in(login.text()), "permission_denied");
  EXPECT_THAT(detail, HasSubstr("app_object"));
}

TEST_F(Door, WantsTheConfiguredSystem) {
  options.domain = "example.com";
  EXPECT_EQ(log_in(AppLogin().text()), "arrived");
  options.domain = "example.net";
  EXPECT_EQ(log_in(AppLogin().text()), "permission_denied");
  EXPECT_THAT(detail, HasSubstr("domain"));
}

TEST_F(Door, WantsOneOfTheConfiguredPbxs) {
  options.pbxs = {"slave", "master"};
  EXPECT_EQ(log_in(AppLogin().text()), "arrived");
  options.pbxs = {"slave", "maste"};
  EXPECT_EQ(log_in(AppLogin().text()), "permission_denied");
  EXPECT_THAT(detail, HasSubstr("slave, maste"));
  AppLogin old;  // before 13r2 a PBX did not say its name
  old.fields.info = R"({"appobj":"gateway"})";
  EXPECT_EQ(log_in(old.text()), "permission_denied");
  options.pbxs.clear();
  EXPECT_EQ(log_in(old.text()), "arrived");
  EXPECT_EQ(arrival.pbx, "");
}

TEST_F(Door, HashesInfoAsItStandsInTheMessage) {
  AppLogin login;
  for (const char* info : {
           R"({"pbx":"master","appobj":"gateway"})",
           R"({"appobj":"gateway","pbx":"master","x":"a & b <c> \" } \\"})",
           R"({"appobj":"gateway","pbx":"master","lics":{"a":[{"b":1.50}]}})",
           R"({"appobj":"gateway", "pbx":"master"})",
       }) {
    login.fields.info = info;
    EXPECT_EQ(log_in(login.text()), "arrived") << info;
  }
}

// What was signed was compact; something on the way has made it pretty.
TEST_F(Door, PassesOverBlanksAndEscapesThatWereNotSigned) {
  AppLogin login;
  const std::string text = login.text();
  const auto at = text.find(R"("info":)");
  const std::string pretty = text.substr(0, at) + R"("info" : { "appobj" : "gateway",)" +
                             R"( "appdn":"Gateway \u00e4","appurl":)" +
                             R"("https:\/\/gw.example.net\/acme\/inbound","pbx":"master",)" +
                             "\n\"apps\":[ ] }\n }";
  EXPECT_EQ(log_in(pretty), "arrived");
  EXPECT_EQ(arrival.pbx, "master");
}

TEST_F(Door, EchoesSrc) {
  EXPECT_EQ(hear(R"({"mt":"AppChallenge","src":"s\"1"})"), "undecided");
  EXPECT_THAT(said, ElementsAre(HasSubstr(R"(,"src":"s\"1"})")));
  AppLogin login;
  login.more = R"(,"src":"2")";
  EXPECT_EQ(hear(login.text()), "arrived");
  EXPECT_THAT(arrival.welcome, testing::EndsWith(R"(,"src":"2"})"));
}

TEST_F(Door, TalksOfLittleBeforeTheLogin) {
  EXPECT_EQ(hear(R"({"mt":"CheckBuild","url":"x"})"), "undecided");
  EXPECT_THAT(said, ElementsAre(R"({"mt":"CheckBuildResult"})"));
  EXPECT_EQ(hear(R"({"mt":"KeepAlive"})"), "undecided");
  EXPECT_THAT(said, ElementsAre(R"({"mt":"KeepAlive"})"));
  // It would tell anybody whether a password is right.
  EXPECT_EQ(hear(R"({"mt":"AppCheckLogin","app":"inbound","challenge":"1","digest":"2"})"),
            "undecided");
  EXPECT_THAT(said, IsEmpty());
  EXPECT_EQ(hear(R"({"mt":"Error","text":"?"})"), "undecided");
  EXPECT_THAT(said, IsEmpty());
  EXPECT_EQ(hear(R"({"mt":"AppChallenge","api":""})"), "undecided");
  EXPECT_EQ(hear(AppLogin().text()), "arrived");
}

TEST_F(Door, EndsAtAMessageOfAnApi) {
  EXPECT_EQ(hear(R"({"mt":"Initialize","api":"RCC"})"), "bad_frame");
  EXPECT_THAT(said, IsEmpty());
  EXPECT_EQ(hear(R"({"mt":"AppChallenge"})"), "bad_frame");
}

TEST_F(Door, EndsAtWhatIsNoMessage) {
  for (const char* text : {"", "{", "[]", "{}", R"({"mt":1,)", R"({"mt":"AppChallenge"} x)",
                           R"({"mt":[]})", "GET / HTTP/1.1", "\xff"}) {
    reception = Reception(options, kBits);
    EXPECT_EQ(hear(text), "bad_frame") << text;
    EXPECT_THAT(said, IsEmpty());
  }
}

TEST_F(Door, EndsAtTooManyMessages) {
  for (unsigned i = 0; i < kReceptionMessagesMax; ++i) {
    EXPECT_EQ(hear(R"({"mt":"Hello"})"), "undecided");
  }
  EXPECT_EQ(hear(R"({"mt":"AppChallenge"})"), "bad_frame");
  EXPECT_THAT(detail, HasSubstr("too many"));
}

TEST_F(Door, EndsAtAMessageThatIsTooBig) {
  const std::string head = R"({"mt":"Hello","x":")";
  std::string text = head + std::string(kReceptionMessageMax - head.size() - 2, 'x') + "\"}";
  EXPECT_EQ(hear(text), "undecided");
  text.insert(head.size(), "x");
  EXPECT_EQ(hear(text), "message_too_big");
}

TEST_F(Door, HasAChallengeOfSixteenDigits) {
  for (const auto& [bits, digits] : {std::pair<std::uint64_t, const char*>{0, "0000000000000000"},
                                     {~std::uint64_t{0}, "ffffffffffffffff"},
                                     {0x0123456789abcdef, "0123456789abcdef"}}) {
    reception = Reception(options, bits);
    EXPECT_EQ(hear(R"({"mt":"AppChallenge"})"), "undecided");
    EXPECT_THAT(said, ElementsAre(HasSubstr(digits)));
  }
}

TEST(InboundSettings, MakeAPathAndAReception) {
  Settings settings;
  const auto path = [&](std::string direction, std::string url_path) {
    settings.set("direction", std::move(direction));
    settings.set("url_path", std::move(url_path));
    return inbound_path(settings);
  };
  EXPECT_EQ(path("outbound", "/acme"), "");
  EXPECT_EQ(path("inbound", "/acme"), "/acme");
  EXPECT_EQ(path("inbound", "acme/"), "/acme");
  EXPECT_EQ(path("inbound", "/innovaphone/acme//"), "/innovaphone/acme");
  EXPECT_EQ(path("inbound", "/"), "/");

  settings.set("app_object", std::string("gateway"));
  settings.set("password", std::string("s3cr3t"));
  settings.set("url_app", std::string("inbound"));
  settings.set("domain", std::string("example.com"));
  for (const auto& [pbxs, verdict] : {std::pair("", true), std::pair("master", true),
                                      std::pair(" slave  master ", true), std::pair("x", false)}) {
    settings.set("pbxs", std::string(pbxs));
    const auto reception = receive(settings, kBits);
    (void)reception->on_text(R"({"mt":"AppChallenge"})");
    const auto step = reception->on_text(AppLogin().text());
    EXPECT_EQ(std::holds_alternative<Arrival>(step.verdict), verdict) << pbxs;
  }
}

}  // namespace
}  // namespace pbx::innovaphone
