#include "pbx/innovaphone/directory.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

namespace pbx::innovaphone {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

constexpr LinkId kLink = 3, kElsewhere = 4;

// Two users who live on our PBX, and one who does not.
class Surroundings : public testing::Test {
 protected:
  Surroundings() {
    put("a", "alice", kLink);
    put("b", "bob", kLink);
    put("x", "xaver", kElsewhere);
    users.name_all();
  }
  void put(const std::string& guid, const std::string& name, LinkId link) {
    UserInfo info;
    info.guid = guid;
    info.cn = info.h323 = name;
    users.put(info, link);
  }
  void begin(bool table = true, bool presence = true) {
    Directory::Output out;
    directory.begin(table, presence, now, out);
    take(std::move(out));
  }
  void hear(std::string_view text) {
    const auto frame = parse(text);
    ASSERT_TRUE(frame.has_value()) << text;
    Directory::Output out;
    EXPECT_TRUE(directory.on_frame(*frame, now, out)) << text;
    take(std::move(out));
  }
  void row(std::string_view mt, const std::string& columns) {
    hear(R"({"mt":")" + std::string(mt) + R"(","api":"PbxTableUsers","src":"dir","columns":{)" +
         columns + "}}");
  }
  void presence(const std::string& guid, const std::string& activity) {
    hear(R"({"mt":"PresenceUpdate","api":"PbxApi","src":"pre:)" + guid +
         R"(","presence":[{"contact":"tel:","activity":")" + activity + R"("}]})");
  }
  void take(Directory::Output out) {
    for (auto& it : out.texts) sent.push_back(std::move(it));
    for (auto& it : out.changed) changed.push_back(std::move(it));
    for (auto& it : out.notes) notes.push_back(std::move(it.detail));
  }
  std::vector<std::string> take_changed() { return std::exchange(changed, {}); }

  TimePoint now{1h};
  Users users{10};
  Directory::Options options{true, false, 10s, 10, 50};
  Directory directory{kLink, options, users};
  std::vector<std::string> sent, changed, notes;
};

TEST_F(Surroundings, AreAskedForAtBothApis) {
  begin();
  EXPECT_THAT(sent, ElementsAre(HasSubstr("ReplicateStart"), HasSubstr(R"("src":"pre:a")"),
                                HasSubstr(R"("src":"pre:b")")));
}

TEST_F(Surroundings, AreAskedForOnlyWhereTheyMayBe) {
  begin(false, false);
  EXPECT_THAT(sent, IsEmpty());
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_EQ(directory.deadline(), TimePoint::max());

  options.required = true;
  begin(false, false);
  EXPECT_THAT(notes, ElementsAre(HasSubstr("TableUsers")));

  options.table = false;
  notes.clear();
  begin(true, false);
  EXPECT_THAT(sent, IsEmpty());
  EXPECT_THAT(notes, IsEmpty());
}

TEST_F(Surroundings, GiveNamesAndForwardings) {
  begin();
  hear(R"({"mt":"ReplicateStartResult","api":"PbxTableUsers","src":"dir"})");
  row("ReplicateNextResult", R"("guid":"a","dn":"Alice A.","cds":[{"type":"cfu","e164":"55"}])");
  EXPECT_THAT(take_changed(), ElementsAre("a"));
  call::Device alice = users.device_of(*users.find("a"));
  EXPECT_EQ(alice.name, "Alice A.");
  EXPECT_THAT(alice.forwardings,
              ElementsAre(call::Forwarding{call::ForwardingType::immediate, "55"}));
  row("ReplicateUpdate", R"("guid":"a","dn":"Alice A.","cds":[{"type":"cfu","e164":"55"}])");
  EXPECT_THAT(take_changed(), IsEmpty());
  row("ReplicateUpdate", R"("guid":"a","dn":"Alice A.")");
  EXPECT_THAT(take_changed(), ElementsAre("a"));
  EXPECT_THAT(users.device_of(*users.find("a")).forwardings, IsEmpty());
  row("ReplicateDel", R"("guid":"a")");
  EXPECT_THAT(take_changed(), ElementsAre("a"));
  EXPECT_EQ(users.device_of(*users.find("a")).name, "alice");
}

TEST_F(Surroundings, LeaveAloneWhoLivesElsewhere) {
  begin();
  row("ReplicateUpdate", R"("guid":"x","dn":"Xaver")");
  presence("x", "away");
  EXPECT_THAT(take_changed(), IsEmpty());
  EXPECT_EQ(users.find("x")->display, "");
}

TEST_F(Surroundings, AreRememberedOfWhoIsShownLater) {
  begin();
  row("ReplicateUpdate", R"("guid":"c","dn":"Carla")");
  EXPECT_THAT(take_changed(), IsEmpty());
  put("c", "carla", kLink);
  sent.clear();
  Directory::Output out;
  directory.on_user("c", now, out);
  take(std::move(out));
  EXPECT_THAT(take_changed(), ElementsAre("c"));
  EXPECT_EQ(users.find("c")->display, "Carla");
  EXPECT_THAT(sent, ElementsAre(HasSubstr(R"("sip":"carla")")));

  // Gone and back again.
  Directory::Output gone;
  users.remove("c");
  directory.on_user_gone("c", now, gone);
  EXPECT_THAT(gone.texts, ElementsAre(HasSubstr("UnsubscribePresence")));
  put("c", "carla", kLink);
  Directory::Output back;
  directory.on_user("c", now, back);
  EXPECT_THAT(back.changed, ElementsAre("c"));
}

TEST_F(Surroundings, GivePresence) {
  begin();
  presence("a", "away");
  presence("a", "away");
  EXPECT_THAT(take_changed(), ElementsAre("a"));
  EXPECT_EQ(users.device_of(*users.find("a")).presence, "away");
  EXPECT_EQ(users.device_of(*users.find("a")).do_not_disturb, false);
  presence("a", "dnd");
  EXPECT_EQ(users.device_of(*users.find("a")).do_not_disturb, true);
  hear(R"({"mt":"PresenceState","api":"PbxApi","src":"pre:a"})");
  EXPECT_THAT(take_changed(), ElementsAre("a", "a"));
  EXPECT_FALSE(users.device_of(*users.find("a")).presence.has_value());
  EXPECT_FALSE(users.device_of(*users.find("a")).do_not_disturb.has_value());
}

TEST_F(Surroundings, AreNotThereIfNobodyAnswers) {
  begin();
  now += 10s;
  EXPECT_EQ(directory.deadline(), now);
  Directory::Output out;
  directory.on_tick(now, out);
  EXPECT_THAT(out.notes, IsEmpty());
  EXPECT_EQ(directory.deadline(), TimePoint::max());
  EXPECT_FALSE(directory.has_table());

  options.required = true;
  begin(true, false);
  now += 10s;
  directory.on_tick(now, out);
  EXPECT_EQ(out.notes.size(), 1u);
}

TEST_F(Surroundings, LeaveOthersFramesAlone) {
  Directory::Output out;
  EXPECT_FALSE(directory.on_frame(*parse(R"({"mt":"SetPresenceResult","api":"PbxApi","src":"7"})"),
                                  now, out));
  EXPECT_FALSE(directory.on_frame(*parse(R"({"mt":"UserInfo","api":"RCC","guid":"a"})"), now, out));
}

}  // namespace
}  // namespace pbx::innovaphone
