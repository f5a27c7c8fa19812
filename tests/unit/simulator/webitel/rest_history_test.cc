#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rest_scene.h"

namespace simulator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

class WebitelHistoryTest : public testing::Test {
 protected:
  static TenantSettings recording() {
    auto settings = RestScene::tenant();
    settings.engine.record_all = true;
    return settings;
  }
  static std::string text(const boost::json::value& from, std::string_view path) {
    return RestScene::text(from, path);
  }
  // Everything there is, the newest first.
  boost::json::value all(const std::string& more = {}) {
    return scene.get("/calls/history?created_at.from=0" + more);
  }
  std::string file() {
    return text(all("&has_file=true").at("items").as_array().at(0).at("files").as_array().at(0),
                "id");
  }

  RestScene scene{recording()};
};

TEST_F(WebitelHistoryTest, LegsAreFoundASecondAfterTheyEnd) {
  scene.talk("201", "202", 5s);
  scene.wait(999ms);
  EXPECT_THAT(RestScene::each(all(), "id"), IsEmpty());
  scene.wait(1ms);
  const auto found = all();
  EXPECT_THAT(RestScene::each(found, "direction"), UnorderedElementsAre("outbound", "inbound"));
  const auto caller = all("&direction=outbound").at("items").as_array().at(0);
  EXPECT_EQ(text(caller, "extension"), "201");
  EXPECT_EQ(text(caller, "user.id"), "10");
  EXPECT_EQ(text(caller, "agent.name"), "User 201");
  EXPECT_EQ(text(caller, "destination"), "202");
  EXPECT_EQ(text(caller, "cause"), "NORMAL_CLEARING");
  EXPECT_EQ(text(caller, "sip_code"), "200");
  EXPECT_EQ(text(caller, "bill_sec"), "5");
  EXPECT_TRUE(caller.at("created_at").is_string()) << "64 bits";
  EXPECT_EQ(std::stoll(text(caller, "hangup_at")) - std::stoll(text(caller, "answered_at")), 5'000);
  EXPECT_EQ(std::stoll(text(caller, "stored_at")) - std::stoll(text(caller, "hangup_at")), 1'000);
  const auto called = all("&direction=inbound").at("items").as_array().at(0);
  EXPECT_EQ(text(called, "parent_id"), text(caller, "id"));
}

TEST_F(WebitelHistoryTest, LegsAreNotFoundBeforeTheirSiblings) {
  ASSERT_TRUE(scene.engine().originate("201", "202", {}, scene.now));
  ASSERT_FALSE(scene.engine().answer("202", scene.now));
  scene.wait(1s);
  ASSERT_FALSE(scene.engine().transfer("202", "203", {}, scene.now));  // its leg has ended
  ASSERT_FALSE(scene.engine().answer("203", scene.now));
  scene.wait(10s);
  EXPECT_THAT(RestScene::each(all(), "id"), IsEmpty());
  ASSERT_FALSE(scene.engine().hang_up("203", scene.now));
  scene.wait(1s);
  EXPECT_THAT(RestScene::each(all(), "extension"), UnorderedElementsAre("201", "202", "203"));
  const auto transferred = all("&cause=BLIND_TRANSFER");
  EXPECT_THAT(RestScene::each(transferred, "extension"), ElementsAre("202"));
}

TEST_F(WebitelHistoryTest, WantsToKnowWhatToLookFor) {
  EXPECT_EQ(scene.verdict("GET", "/calls/history"), "400 grpc.call.search_history");
  EXPECT_EQ(scene.verdict("GET", "/calls/history?user_id=10&missed=true"),
            "400 grpc.call.search_history");
  EXPECT_EQ(scene.verdict("POST", "/calls/history", R"({"direction":"inbound"})"),
            "400 grpc.call.search_history");
  for (const char* enough :
       {"created_at.from=1", "stored_at.to=1", "number=2", "q=x", "id=x", "dependency_id=x"}) {
    EXPECT_EQ(scene.verdict("GET", std::string("/calls/history?") + enough), "200") << enough;
  }
  EXPECT_EQ(scene.verdict("POST", "/calls/history", R"({"created_at":{"from":"0"}})"), "200");
}

TEST_F(WebitelHistoryTest, FindsByWhatIsAskedFor) {
  scene.talk("201", "202", 3s);
  scene.talk("203", "+34911234567", 1s);
  ASSERT_TRUE(scene.engine().originate("202", "201", {}, scene.now));
  scene.wait(100ms);
  ASSERT_FALSE(scene.engine().hang_up("202", scene.now));
  scene.wait(1s);

  EXPECT_THAT(RestScene::each(all("&user_id=12"), "destination"), ElementsAre("+34911234567"));
  EXPECT_THAT(RestScene::each(all("&number=911234"), "extension"), ElementsAre("203"));
  EXPECT_THAT(RestScene::each(all("&missed=true"), "extension"), ElementsAre("201"));
  EXPECT_THAT(RestScene::each(all("&agent_id=101&direction=outbound"), "extension"),
              ElementsAre("201"));
  EXPECT_THAT(RestScene::each(all("&duration.from=3"), "extension"),
              UnorderedElementsAre("201", "202"));
  EXPECT_EQ(RestScene::each(all("&skip_parent=true"), "id").size(), 3u);
  const auto tree = text(all("&direction=outbound&user_id=10").at("items").as_array().at(0), "id");
  EXPECT_THAT(RestScene::each(scene.get("/calls/history?dependency_id=" + tree), "extension"),
              UnorderedElementsAre("201", "202"));
  EXPECT_THAT(RestScene::each(scene.get("/calls/history?id=" + tree), "extension"),
              ElementsAre("201"));
  EXPECT_THAT(RestScene::each(scene.get("/calls/history?created_at.from=0&created_at.to=1"), "id"),
              IsEmpty());
  const auto posted = scene.made(
      "POST", "/calls/history",
      R"({"created_at":{"from":0},"user_id":["10","11"],"cause":["NORMAL_CLEARING"],"size":1})");
  EXPECT_EQ(posted.at("items").as_array().size(), 1u);
  EXPECT_EQ(text(posted, "next"), "true");
}

TEST_F(WebitelHistoryTest, PagesAndFields) {
  for (int i = 0; i < 3; ++i) {
    scene.talk("203", "+34911234567", 1s);
    scene.wait(1s);
  }
  const auto first = all("&size=2&fields=id,created_at");
  EXPECT_EQ(first.at("items").as_array().size(), 2u);
  EXPECT_EQ(text(first, "next"), "true");
  EXPECT_EQ(first.at("items").as_array().at(0).as_object().size(), 2u);
  const auto second = all("&size=2&page=2&fields=id&fields=created_at");
  EXPECT_EQ(second.at("items").as_array().size(), 1u);
  EXPECT_FALSE(second.as_object().contains("next"));
  EXPECT_THAT(RestScene::each(all("&size=2&page=9223372036854775807"), "id"), IsEmpty());
  EXPECT_THAT(RestScene::each(all("&size=99999999&page=-3"), "id").size(), 3u);
  const auto order = RestScene::each(all("&sort=%2Bcreated_at"), "created_at");
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));

  const auto usual = all().at("items").as_array().at(0).as_object();
  for (const char* asked : {"transfer_to", "hold", "talk_sec", "has_children"}) {
    EXPECT_FALSE(usual.contains(asked)) << asked;
  }
  const auto more = all("&fields=talk_sec&fields=hold&fields=has_children");
  EXPECT_EQ(RestScene::each(more, "talk_sec").front(), "1");
}

TEST_F(WebitelHistoryTest, HidesWhatOneMayNotSee) {
  scene.talk("203", "+34911234567", 2s);
  scene.wait(1s);
  EXPECT_NE(text(all().at("items").as_array().at(0), "files"), "[]");
  scene.token = "token-201";  // calls, and neither recordings nor numbers
  const auto leg = all().at("items").as_array().at(0);
  EXPECT_EQ(text(leg, "files"), "[]");
  EXPECT_EQ(text(leg, "destination"), "**********67");
  EXPECT_EQ(text(leg, "to.number"), text(leg, "destination").empty() ? "" : text(leg, "to.number"));
  EXPECT_THAT(boost::json::serialize(leg), Not(HasSubstr("34911234567")));
}

TEST_F(WebitelHistoryTest, GivesTheFile) {
  scene.talk("201", "+34911234567", 2s);
  scene.wait(1s);
  const auto leg = all().at("items").as_array().at(0);
  const auto of_leg = leg.at("files").as_array().at(0);
  const auto got = scene.ask("GET", "/storage/recordings/" + file() + "/download");
  EXPECT_EQ(got.status, 200u);
  EXPECT_THAT(RestScene::header(got, "Content-Disposition"), HasSubstr("attachment"));
  EXPECT_EQ(RestScene::header(got, "Content-Type"), text(of_leg, "mime_type"));
  EXPECT_EQ(std::to_string(got.body.size()), text(of_leg, "size"));
  EXPECT_EQ(got.body.size(), 44u + 2 * 48'000 * 4);
  EXPECT_THAT(RestScene::each(scene.get("/calls/" + text(leg, "id") + "/files"), "id"),
              ElementsAre(file()));
  EXPECT_EQ(scene.verdict("GET", "/storage/recordings/77/download"),
            "404 store.sql_file.get.app_error");
  EXPECT_EQ(scene.verdict("GET", "/calls/nothing/files"),
            "404 store.sql_call.get_instance.app_error");
}

TEST_F(WebitelHistoryTest, StreamsParts) {
  scene.talk("201", "+34911234567", 1s);
  scene.wait(1s);
  const std::string path = "/storage/recordings/" + file() + "/stream";
  const auto whole = scene.ask("GET", path);
  EXPECT_EQ(whole.status, 200u);
  EXPECT_EQ(RestScene::header(whole, "Accept-Ranges"), "bytes");
  const std::string size = std::to_string(whole.body.size());
  const auto part = [&](const std::string& range) {
    const auto got = scene.ask("GET", path, {{"x-webitel-access", scene.token}, {"range", range}});
    return std::to_string(got.status) + ' ' + RestScene::header(got, "Content-Range") + ' ' +
           std::to_string(whole.body.find(got.body)) + '+' + std::to_string(got.body.size());
  };
  EXPECT_EQ(part("bytes=0-3"), "206 bytes 0-3/" + size + " 0+4");
  EXPECT_EQ(part("bytes=8-15"), "206 bytes 8-15/" + size + " 8+8");
  EXPECT_EQ(part("bytes=0-99999999"),
            "206 bytes 0-" + std::to_string(whole.body.size() - 1) + "/" + size + " 0+" + size);
  EXPECT_EQ(scene.ask("GET", path, {{"x-webitel-access", scene.token}, {"range", "bytes=-4"}}).body,
            whole.body.substr(whole.body.size() - 4));
  EXPECT_EQ(scene.ask("GET", path, {{"x-webitel-access", scene.token}, {"range", "bytes=4-"}}).body,
            whole.body.substr(4));
  for (const char* none : {"bytes=99999999-", "bytes=5-4", "bytes=-0", "bytes=x", "lines=0-1"}) {
    const auto got = scene.ask("GET", path, {{"x-webitel-access", scene.token}, {"range", none}});
    EXPECT_EQ(got.status, 416u) << none;
    EXPECT_EQ(RestScene::header(got, "Content-Range"), "bytes */" + size);
  }
}

TEST_F(WebitelHistoryTest, StorageHasItsOwnWayWithTokens) {
  scene.talk("201", "+34911234567", 1s);
  scene.wait(1s);
  const std::string path = "/storage/recordings/" + file() + "/download";
  EXPECT_EQ(scene.ask("GET", path, {{"authorization", "Bearer gateway-token"}}).status, 200u);
  EXPECT_EQ(scene.ask("GET", path + "?access_token=gateway-token", RestScene::Headers{}).status,
            200u);
  const auto expired = scene.ask("GET", path, {{"x-webitel-access", "stale"}});
  EXPECT_EQ(expired.status, 500u);
  EXPECT_EQ(RestScene::brief(expired), "500 api.context.session_expired.app_error");
  EXPECT_THAT(expired.body, HasSubstr("stale")) << "that is why nobody may log it";
  EXPECT_EQ(scene.ask("GET", path, RestScene::Headers{}).status, 500u);
  const auto forbidden = scene.ask("GET", path, {{"x-webitel-access", "token-202"}});
  EXPECT_EQ(forbidden.status, 403u);
  EXPECT_EQ(RestScene::brief(forbidden), "403 call.recordings.access.forbidden");
}

}  // namespace
}  // namespace simulator
