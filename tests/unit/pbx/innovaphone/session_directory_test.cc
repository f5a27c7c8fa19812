#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>

#include "pbx/dialogue.h"
#include "pbx/innovaphone/vendor.h"

namespace pbx::innovaphone {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;
using call::DeviceId;

// A PBX with the user alice, who has the number 201, as far as its calls are told; of what goes
// on beside them.
class BesideCalls : public testing::Test {
 protected:
  BesideCalls() { settings.set("host", std::string("pbx")); }

  // We have dialled: nobody tells what is granted.
  void start() {
    pbx.emplace(kVendor, settings);
    pbx->start();
    pbx->hear_all(
        {R"({"mt":"AppChallengeResult","challenge":"1"})", R"({"mt":"AppLoginResult","ok":true})"});
    list(kPrimary);
  }
  // The PBX has dialled.
  void arrive(std::string_view apis) {
    settings.set("direction", std::string("inbound"));
    settings.set("url_path", std::string("/acme"));
    pbx.emplace(kVendor, settings);
    pbx->begin();
    pbx->arrive(kFirstArrived, {"master", "app_object", R"({"mt":"AppLoginResult","ok":true})"});
    pbx->hear(R"({"mt":"PbxInfo","pbx":"master","apis":[)" + std::string(apis) + "]}",
              kFirstArrived);
    list(kFirstArrived);
  }
  void list(LinkId link) {
    pbx->hear_all(
        {R"({"mt":"UserInfo","api":"RCC","src":"i","guid":"g1","cn":"Alice","h323":"alice","e164":"201","regs":[{"hw":"p"}]})",
         R"({"mt":"InitializeResult","api":"RCC","src":"i"})"},
        link);
    before = pbx->take_sent(link);
    pbx->hear(R"({"mt":"UserInitializeResult","api":"RCC","src":"u/g1","user":1})", link);
    pbx->pass(6s);  // gather
    EXPECT_TRUE(pbx->ready);
  }
  std::vector<std::string> sent(LinkId link = kPrimary) { return pbx->take_sent(link); }
  // As consumers have it.
  call::Device alice() {
    for (auto it = pbx->seen.rbegin(); it != pbx->seen.rend(); ++it) {
      if (const auto* one = std::get_if<call::DeviceSeen>(&*it)) return one->device;
      if (const auto* all = std::get_if<call::DevicesSeen>(&*it)) return all->devices.at(0);
    }
    return {};
  }
  // The src of a command's request.
  static std::string src_of(const std::string& text) {
    const auto at = text.find(R"("src":")") + 7;
    return text.substr(at, text.find('"', at) - at);
  }

  const Vendor kVendor = vendor();
  Settings settings = pbx::test::default_settings(kVendor);
  std::optional<pbx::test::Dialogue> pbx;
  std::vector<std::string> before;
};

TEST_F(BesideCalls, AsksForDirectoryAndPresenceOnceTheCallsAreThere) {
  start();
  EXPECT_THAT(before, Not(Contains(HasSubstr("Replicate"))));
  EXPECT_THAT(before, Not(Contains(HasSubstr("Presence"))));
  EXPECT_THAT(sent(), ElementsAre(HasSubstr("ReplicateStart"),
                                  HasSubstr(R"("src":"pre:g1","sip":"alice")")));
}

TEST_F(BesideCalls, TellsNamesForwardingsAndPresence) {
  start();
  EXPECT_EQ(alice().name, "Alice");
  EXPECT_FALSE(alice().presence.has_value());
  pbx->hear(R"({"mt":"ReplicateStartResult","api":"PbxTableUsers","src":"dir"})");
  pbx->hear(
      R"({"mt":"ReplicateNextResult","api":"PbxTableUsers","src":"dir","columns":{"guid":"g1","dn":"Alice A.","cds":[{"type":"cfb","e164":"55"}]}})");
  EXPECT_EQ(alice().name, "Alice A.");
  EXPECT_THAT(alice().forwardings, ElementsAre(call::Forwarding{call::ForwardingType::busy, "55"}));
  pbx->hear(
      R"({"mt":"PresenceUpdate","api":"PbxApi","src":"pre:g1","presence":[{"contact":"tel:","activity":"dnd"}]})");
  EXPECT_EQ(alice().presence, "dnd");
  EXPECT_EQ(alice().do_not_disturb, true);
  EXPECT_EQ(alice().availability, call::Availability::in_service);
}

TEST_F(BesideCalls, GoesOnWithoutWhatIsNotGranted) {
  start();
  (void)sent();
  pbx->hear(R"({"mt":"KeepAlive"})");
  pbx->pass(20s);
  pbx->hear(R"({"mt":"KeepAlive"})");
  EXPECT_THAT(pbx->given_up, IsEmpty());
  EXPECT_THAT(pbx->notes, IsEmpty());
  EXPECT_FALSE(pbx->stuck);
  EXPECT_EQ(alice().name, "Alice");
  // Calls are RCC's.
  pbx->hear(
      R"({"mt":"CallInfo","api":"RCC","src":"u/g1","user":1,"call":7,"conf":"c","state":129,"peer":{"e164":"99"},"msg":"r-setup"})");
  pbx->hear(
      R"({"mt":"CallInfo","api":"RCC","src":"u/g1","user":1,"call":7,"conf":"c","state":132,"peer":{"e164":"99"},"msg":"x-alert"})");
  EXPECT_THAT(pbx->events, Contains(HasSubstr("delivered 201")));
}

TEST_F(BesideCalls, NotesThatTheTableIsMissingWhereItIsWanted) {
  settings.set("directory", std::string("table_users"));
  start();
  (void)sent();
  pbx->pass(10s);
  ASSERT_EQ(pbx->notes.size(), 1u);
  EXPECT_EQ(pbx->notes[0].what, base::Errc::permission_denied);
  EXPECT_THAT(pbx->notes[0].detail, HasSubstr("TableUsers"));
  EXPECT_THAT(pbx->given_up, IsEmpty());
}

TEST_F(BesideCalls, LeavesTheTableAloneIfToldTo) {
  settings.set("directory", std::string("rcc"));
  start();
  EXPECT_THAT(sent(), ElementsAre(HasSubstr("SubscribePresence")));
}

TEST_F(BesideCalls, AsksADiallingPbxOnlyForWhatItGrants) {
  arrive(R"("RCC")");
  EXPECT_THAT(sent(kFirstArrived), IsEmpty());
  arrive(R"("RCC","PbxApi")");
  EXPECT_THAT(sent(kFirstArrived), ElementsAre(HasSubstr("SubscribePresence")));
  arrive(R"("RCC","PbxTableUsers")");
  EXPECT_THAT(sent(kFirstArrived), ElementsAre(HasSubstr("ReplicateStart")));
}

TEST_F(BesideCalls, SetsForwardingsAndPresenceInThePbxsWords) {
  start();
  (void)sent();
  const auto forward = [&](std::string destination) {
    return pbx->ask(call::SetForwarding{DeviceId("201"),
                                        {call::ForwardingType::no_answer, std::move(destination)}});
  };
  const auto answer = [&](std::string_view mt, std::string_view more) {
    const auto texts = sent();
    ASSERT_EQ(texts.size(), 1u);
    pbx->hear(R"({"mt":")" + std::string(mt) + R"(","api":"PbxApi","src":")" + src_of(texts[0]) +
              '"' + std::string(more) + '}');
  };
  auto id = forward("55");
  answer("AddDiversionResult", R"(,"ok":true)");
  EXPECT_THAT(pbx->verdict(id), HasSubstr("ok"));
  id = forward("55");
  answer("AddDiversionResult", "");
  EXPECT_EQ(pbx->verdict(id), "pbx_refused");
  id = forward("");
  answer("DelDiversionResult", R"(,"ok":true)");
  EXPECT_THAT(pbx->verdict(id), HasSubstr("ok"));

  id = pbx->ask(call::SetPresence{DeviceId("201"), "available", "back"});
  answer("SetPresenceResult", "");
  EXPECT_THAT(pbx->verdict(id), HasSubstr("ok"));
  id = pbx->ask(call::SetDoNotDisturb{DeviceId("201"), true});
  answer("SetPresenceResult", R"(,"error":3)");
  EXPECT_EQ(pbx->verdict(id), "pbx_refused");
  id = pbx->ask(call::SetPresence{DeviceId("201"), "on-the-phone", ""});
  EXPECT_EQ(pbx->verdict(id), "invalid_argument");
  EXPECT_THAT(sent(), IsEmpty());
}

}  // namespace
}  // namespace pbx::innovaphone
