#include "support.h"

namespace simulator::webitel {
namespace {

class Rest : public testing::Test {
 protected:
  World it;
};

TEST_F(Rest, WantsAToken) {
  EXPECT_EQ(it.error("GET", "/calls/active", "", "nonsense"),
            "401 app.session.unauthenticated 401");
  EXPECT_EQ(it.error("GET", "/call_center/users", "", ""), "401 app.session.unauthenticated 401");
  EXPECT_EQ(it.request("GET", "/nothing").reply.status, 404u);
}

TEST_F(Rest, WantsALicenceAndPermissions) {
  auto settings = office();
  settings.webitel.unlicensed = {"203"};
  settings.webitel.user_permissions = {{"calls", "r"}};
  World other(std::move(settings));
  EXPECT_EQ(other.error("GET", "/calls/active", "", "token-203"),
            "500 api.context.permissions.license 412");
  EXPECT_EQ(other.error("POST", "/calls", "{}", "token-201"),
            "403 api.context.permissions.app_error 403");
  EXPECT_EQ(other.error("DELETE", "/calls/active/x", "", "token-201"),
            "403 api.context.permissions.app_error 403");
  EXPECT_EQ(other.items("/calls/active", "token-201").size(), 0u);
}

TEST_F(Rest, ListsTheWholeDomainsCalls) {
  it.talk("201", "202");
  it.talk("+34600111222", "203");
  it.wait(2s);
  const auto all = it.items("/calls/active");
  ASSERT_EQ(all.size(), 4u);
  const auto& caller = all[0].as_object();
  EXPECT_EQ(caller.at("id"), json::value(it.leg_at("201")));
  EXPECT_EQ(caller.at("state"), "bridge");
  EXPECT_EQ(caller.at("user"), (json::object{{"id", "10"}, {"name", "User 201"}}));
  EXPECT_EQ(caller.at("extension"), "201");
  EXPECT_EQ(caller.at("created_at"), "1760000000000");
  EXPECT_EQ(caller.at("duration"), 3);
  EXPECT_EQ(caller.at("bridged_id"), json::value(it.leg_at("202")));
  const auto& trunk = all[2].as_object();
  EXPECT_TRUE(trunk.at("user").is_null());
  EXPECT_EQ(trunk.at("direction"), "inbound");
  EXPECT_EQ(trunk.at("gateway").as_object().at("name"), "trunk");
  EXPECT_EQ(all[3].as_object().at("parent_id"), trunk.at("id"));
}

TEST_F(Rest, FiltersAndPagesThem) {
  it.talk("201", "202");
  it.talk("+34600111222", "203");
  EXPECT_EQ(it.items("/calls/active?user_id=11").size(), 1u);
  EXPECT_EQ(it.items("/calls/active?user_id=11&user_id=12").size(), 2u);
  EXPECT_EQ(it.items("/calls/active?direction=outbound").size(), 1u);
  EXPECT_EQ(it.items("/calls/active?state=hold").size(), 0u);
  EXPECT_EQ(it.items("/calls/active?number=%2B34600111222").size(), 2u);
  EXPECT_EQ(it.items("/calls/active?skip_parent=true").size(), 2u);
  EXPECT_EQ(it.items("/calls/active?parent_id=" + it.leg_at("201")).size(), 1u);
  EXPECT_EQ(it.items("/calls/active?agent_id=101").size(), 1u);
  EXPECT_EQ(it.items("/calls/active?queue_id=5").size(), 0u);
  const auto page = json::parse(it.request("GET", "/calls/active?size=3&page=1").reply.body);
  EXPECT_EQ(page.as_object().at("next"), true);
  EXPECT_EQ(it.items("/calls/active?size=3&page=2").size(), 1u);
  EXPECT_EQ(it.items("/calls/active?size=3&page=9").size(), 0u);
}

TEST_F(Rest, LeavesOutWhatIsNothingIfTheServerIsSo) {
  auto settings = office();
  settings.webitel.variants.defaults = Variants::Defaults::omitted;
  World other(std::move(settings));
  ASSERT_TRUE(other.tenant().originate("201", "202", {}, other.now));
  const auto all = other.items("/calls/active");
  EXPECT_FALSE(all[0].as_object().contains("answered_at"));
  EXPECT_FALSE(all[0].as_object().contains("parent_id"));
  EXPECT_TRUE(other.items("/calls/active?state=hold").empty());
}

TEST_F(Rest, ShowsWhatHasJustEndedIfTheServerIsSo) {
  auto settings = office();
  settings.webitel.variants.finished = Variants::Finished::shown;
  World other(std::move(settings));
  other.talk("201", "202");
  ASSERT_FALSE(other.tenant().hang_up("201", other.now));
  const auto all = other.items("/calls/active");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].as_object().at("state"), "hangup");
  other.wait(2s);
  EXPECT_TRUE(other.items("/calls/active").empty());
}

TEST_F(Rest, ShowsOneCall) {
  it.talk("201", "202");
  EXPECT_THAT(it.rest("GET", "/calls/active/" + it.leg_at("201")),
              testing::StartsWith("200 {\"id\":\""));
  EXPECT_EQ(it.error("GET", "/calls/active/nobody"),
            "500 store.sql_call.get_instance.app_error 404");
  auto settings = office();
  settings.webitel.variants.rest_status = Variants::RestStatus::code;
  World other(std::move(settings));
  EXPECT_EQ(other.error("GET", "/calls/active/nobody"),
            "404 store.sql_call.get_instance.app_error 404");
}

TEST_F(Rest, MakesCallsOfAnybody) {
  const auto answer =
      it.request("POST", "/calls", R"({"from":{"extension":"201"},"destination":"202"})");
  ASSERT_EQ(answer.kind, engine::HttpAnswer::Kind::later);
  it.wait(799ms);
  EXPECT_TRUE(it.wire.answers.empty());
  it.wait(1ms);
  ASSERT_TRUE(it.wire.answers.contains(answer.ticket));
  EXPECT_EQ(it.wire.answers[answer.ticket].body, "{\"id\":\"" + it.leg_at("201") + "\"}");
  const auto other =
      it.request("POST", "/calls", R"({"from":{"id":"12"},"destination":"+34600111"})");
  it.tenant().hang_up("203", it.now);
  EXPECT_EQ(it.wire.answers[other.ticket].status, 500u);
  EXPECT_THAT(it.wire.answers[other.ticket].body, HasSubstr("external.new_call.app_error"));
  EXPECT_EQ(it.error("POST", "/calls", R"({"from":{"extension":"999"},"destination":"202"})"),
            "400 app.call.create.valid.from 400");
  EXPECT_EQ(it.error("POST", "/calls", R"({"destination":"202"})"),  // the gateway has no phone
            "500 external.new_call.app_error 500");
}

TEST_F(Rest, ControlsCalls) {
  it.talk("201", "202");
  const auto id = it.leg_at("202");
  const auto path = "/calls/active/" + id;
  EXPECT_EQ(it.rest("PATCH", path + "/hold", "{}"), "200 {\"state\":\"hold\"}");
  EXPECT_EQ(it.items("/calls/active?state=hold").size(), 1u);
  EXPECT_EQ(it.rest("PATCH", path + "/unhold", "{}"), "200 {\"state\":\"active\"}");
  EXPECT_EQ(it.items("/calls/active?state=active").size(), 1u);
  EXPECT_EQ(it.error("PATCH", path + "/hold", R"({"app_id":"fs-99"})"),
            "500 call.get_client_by_id.not_found 404");
  EXPECT_EQ(it.rest("PATCH", path + "/variables", R"({"variables":{"a":"b"}})"), "200 {}");
  EXPECT_EQ(it.error("POST", path + "/eavesdrop", "{}"), "500 external.new_call.app_error 500");
  EXPECT_EQ(it.error("PATCH", path + "/transfer", "{}"), "400 app.call.transfer 400");
  EXPECT_EQ(it.rest("PATCH", path + "/transfer", R"({"destination":"203"})"), "200 {}");
  EXPECT_FALSE(it.leg_at("203").empty());
  EXPECT_EQ(it.rest("DELETE", "/calls/active/" + it.leg_at("201")), "200 {}");
  EXPECT_EQ(it.tenant().call_count(), 0u);
  EXPECT_EQ(it.error("DELETE", path), "500 store.sql_call.get_instance.app_error 404");
}

// The server's mistake: a single digit is lost.
TEST_F(Rest, SendsDigitsAsBadlyAsTheServer) {
  it.subscribe(202);
  it.talk("201", "202");
  it.told(202);
  const auto path = "/calls/active/" + it.leg_at("202") + "/dtmf";
  EXPECT_EQ(it.rest("PATCH", path, R"({"digit":"5 "})"), "200 {}");
  EXPECT_THAT(it.told(202), ElementsAre("202 dtmf 5"));
  EXPECT_EQ(it.rest("PATCH", path, R"({"digit":"5"})"), "200 {}");
  EXPECT_THAT(it.told(202), ElementsAre(std::string("202 dtmf \0", 10)));
}

TEST_F(Rest, TellsHowEverybodyIs) {
  it.log_in(202);
  it.talk("201", "203");
  ASSERT_FALSE(it.tenant().set_do_not_disturb("203", true, it.now));
  ASSERT_FALSE(it.tenant().set_registered("202", false, it.now));
  std::map<std::string, std::string> all;
  for (const auto& each : it.items("/call_center/users")) {
    const auto& user = each.as_object();
    all[World::text(user, "extension")] = World::text(user.at("presence").as_object(), "status");
  }
  EXPECT_EQ(all["201"], "{sip,dlg}");
  EXPECT_EQ(all["202"], "{web}");
  EXPECT_EQ(all["203"], "{sip,dlg,dnd}");
  EXPECT_EQ(all[""], "{}");
  EXPECT_FALSE(all.contains("204"));  // nobody's
}

TEST_F(Rest, SetsPresence) {
  it.log_in(202);
  it.say(202, "subscribe_users_status");
  it.told(202);
  EXPECT_EQ(it.request("PATCH", "/users/11/presence", R"({"status":"dnd"})").reply.status, 200u);
  EXPECT_THAT(it.told(202), ElementsAre("presence 11 sip,web,dnd"));
  EXPECT_EQ(
      it.request("PATCH", "/presence", R"({"publish":{"status":""}})", "token-202").reply.status,
      200u);
  EXPECT_THAT(it.told(202), ElementsAre("presence 11 sip,web"));
  EXPECT_EQ(it.error("PATCH", "/users/99/presence", R"({"status":"dnd"})"),
            "404 store.user.get.app_error 404");
  EXPECT_EQ(it.error("PATCH", "/users/10/presence", R"({"status":"dnd"})", "token-202"),
            "403 api.context.permissions.app_error 403");
  EXPECT_EQ(it.error("PATCH", "/presence", R"({})", "token-202"), "400 api.presence.status 400");
  EXPECT_THAT(it.rest("GET", "/user", "", "token-202"), HasSubstr("\"status\":\"sip,web\""));
}

TEST_F(Rest, TellsPresenceToItsOwnUserOnly) {
  it.log_in(201);
  it.log_in(202);
  it.say(201, "subscribe_users_status");
  it.say(202, "subscribe_users_status");
  it.told(201);
  it.told(202);
  it.talk("201", "203");
  EXPECT_THAT(it.told(201), ElementsAre("presence 10 sip,web,dlg"));
  ASSERT_FALSE(it.tenant().set_registered("202", false, it.now));
  EXPECT_THAT(it.told(202), ElementsAre("presence 11 web"));
}

TEST_F(Rest, ListsAUsersSockets) {
  it.open(201, "/ws/websocket?application_name=gateway&ver=1.2");
  it.challenge(201, "token-201");
  const auto all = it.items("/user/10/websockets");
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].as_object().at("application_name"), "gateway");
  EXPECT_EQ(all[0].as_object().at("ver"), "1.2");
}

}  // namespace
}  // namespace simulator::webitel
