#include "pbx/vodia/portals.h"

#include "pbx/vodia/tenant.h"

namespace pbx::vodia {
namespace {

using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct VodiaPortals : Vodia {
  call::CommandId hang_up(std::string_view extension) {
    return pbx().ask(call::ClearConnection{target("a@pbx/" + std::string(extension))});
  }
  void talk_on_a_legacy_server() {
    log_in_legacy();
    domain_state({talking()});
  }
  const std::string& detail_of(call::CommandId id) {
    return std::get<call::Refusal>(*pbx().reply(id)).detail;
  }
};

TEST_F(VodiaPortals, LogInWithTheExtensionsOwnPasswordIfThereIsOne) {
  settings.set("extensions", std::map<std::string, pbx::Account>{{"501", {"501", "w0rd", false}}});
  talk_on_a_legacy_server();
  hang_up("501");
  const SendHttp login = take_request();
  EXPECT_EQ(login.method, "PUT");
  EXPECT_THAT(login.body, HasSubstr("501@t.example "));
  EXPECT_EQ(header(login.where, "Authorization"), "");
  hang_up("502");
  EXPECT_THAT(take_request().body, HasSubstr(R"("username":"502")"));
}

TEST_F(VodiaPortals, AreKeptAndClosedWhenTheyAreNotUsed) {
  talk_on_a_legacy_server();
  hang_up("501");
  const LinkId link = open_portal("501");
  pbx().take_sent(link);
  pbx().pass(30s);
  EXPECT_THAT(pbx().take_sent(link), ElementsAre(R"({"action":"avoid-disconnect"})"));
  hang_up("501");
  EXPECT_THAT(pbx().take_sent(link), SizeIs(1));
  pbx().pass(299s);
  EXPECT_THAT(pbx().closed, IsEmpty());
  pbx().pass(1s);
  EXPECT_THAT(pbx().closed, ElementsAre(link));
}

TEST_F(VodiaPortals, GiveWayToAnotherOneWhenThereAreTooMany) {
  settings.set("portals_max", std::int64_t{1});
  talk_on_a_legacy_server();
  hang_up("501");
  const auto refused = hang_up("502");  // the only one is waited for
  EXPECT_EQ(pbx().verdict(refused), "too_many_requests");
  const LinkId link = open_portal("501");
  hang_up("502");
  EXPECT_THAT(pbx().closed, ElementsAre(link));
  open_portal("502");
}

TEST_F(VodiaPortals, RefuseTheirCommandsIfTheyCannotBeOpened) {
  talk_on_a_legacy_server();
  auto id = hang_up("501");
  answer(404, "");
  EXPECT_EQ(pbx().verdict(id), "pbx_disconnected");
  EXPECT_THAT(detail_of(id), HasSubstr("extension 501"));

  id = hang_up("501");
  answer(200, "false");
  EXPECT_EQ(pbx().verdict(id), "credentials_refused");

  id = hang_up("501");
  grant_token();
  pbx().lose(pbx().opened.back().first, Errc::upgrade_refused);
  EXPECT_EQ(pbx().verdict(id), "pbx_disconnected");
  EXPECT_TRUE(pbx().given_up.empty());  // the link lives on
}

// The effect may still come: it is not known that the message got lost.
TEST_F(VodiaPortals, LeaveWhatWasSaidToItsEffect) {
  talk_on_a_legacy_server();
  const auto id = hang_up("501");
  pbx().lose(open_portal("501"));
  EXPECT_EQ(pbx().verdict(id), "open");
  domain_state({});
  domain_state({});
  EXPECT_EQ(pbx().verdict(id), "ok a@pbx/501");
}

TEST_F(VodiaPortals, AnswerCommandsWhoseLoginTakesTooLong) {
  talk_on_a_legacy_server();
  const auto id = hang_up("501");
  pbx().pass(5s);  // action_limit
  EXPECT_EQ(pbx().verdict(id), "effect_not_seen");
  pbx().pass(15s);  // twice login_limit
  hang_up("501");   // from the beginning
  EXPECT_THAT(pbx().requests, SizeIs(2));
}

TEST_F(VodiaPortals, AreNotThereWithoutAWayToLogIn) {
  settings.set("admin_user", std::string());
  settings.set("extensions", std::map<std::string, pbx::Account>{{"501", {"501", "w0rd", false}}});
  server = kServer67;
  pbx().begin();
  answer(200, kToken);
  pbx().open(kPrimary);
  domain_state({talking()});
  ASSERT_TRUE(pbx().ready);
  const auto& devices = pbx().tracker.book().devices;
  EXPECT_TRUE(devices.at(call::DeviceId("501")).controllable);
  EXPECT_FALSE(devices.at(call::DeviceId("502")).controllable);
  EXPECT_EQ(pbx().verdict(hang_up("502")), "credentials_missing");
  hang_up("501");
  EXPECT_THAT(pbx().requests, SizeIs(1));
}

}  // namespace
}  // namespace pbx::vodia
