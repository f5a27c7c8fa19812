#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <unistd.h>

#include "pbxctl/fake_control.h"

namespace pbxctl {
namespace {

using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace pbxgw::v1;

class HistoryOfPbxctl : public testing::Test {
 protected:
  FakeControl control;
  // Of this test's own.
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("pbxctl_" + std::to_string(::getpid()));

  HistoryOfPbxctl() { std::filesystem::create_directories(folder); }
  ~HistoryOfPbxctl() override { std::filesystem::remove_all(folder); }

  Ran at_acme(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--server", control.address(), "--tenant", "acme"});
    return run_with(arguments);
  }
  static PastCall past_call(const std::string& id, bool answered = true) {
    PastCall call;
    call.set_name("tenants/acme/pastCalls/" + id);
    call.mutable_calling()->set_device_id("201");
    call.mutable_calling()->set_display_name("Ana");
    call.mutable_called()->set_number("+34911");
    call.set_direction(DIRECTION_OUTBOUND);
    call.mutable_start_time()->set_seconds(kNow - 100);
    if (answered) call.mutable_answer_time()->set_seconds(kNow - 90);
    call.mutable_end_time()->set_seconds(kNow);
    if (answered) call.add_recordings("tenants/acme/recordings/a_2eb");
    return call;
  }
  static SearchCallsResponse page(const std::vector<PastCall>& calls, const std::string& next) {
    SearchCallsResponse response;
    for (const PastCall& call : calls) *response.add_calls() = call;
    response.set_next_page_token(next);
    return response;
  }
  void has_recording(const std::vector<std::string>& pieces) {
    control.recording.clear();
    auto& first = control.recording.emplace_back();
    first.mutable_recording()->set_name("tenants/acme/recordings/17");
    first.mutable_recording()->set_content_type("audio/wav");
    for (const std::string& piece : pieces) control.recording.emplace_back().set_data(piece);
  }
  static std::string content_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream content;
    content << file.rdbuf();
    return content.str();
  }
};

TEST_F(HistoryOfPbxctl, ListsPastCallsOfAllPages) {
  control.past_calls = {page({past_call("7")}, "more"), page({}, "yet more"),
                        page({past_call("6", false)}, "")};
  const Ran ran =
      at_acme({"history", "--device", "201", "--since", "2h", "--until", "2026-01-02T12:00:00Z"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out,
            "CALL  BEGAN                 DIRECTION  WHO               TALKED  RECORDINGS\n"
            "7     2026-01-02T11:58:20Z  outbound   201 Ana → +34911  1m30s   a.b\n"
            "6     2026-01-02T11:58:20Z  outbound   201 Ana → +34911  -       -\n");
  EXPECT_EQ(ran.err, "");
  ASSERT_EQ(control.asked.size(), 3u);
  EXPECT_EQ(control.asked[0],
            "SearchCalls parent: \"tenants/acme\" start_time { seconds: 1767348000 } "
            "end_time { seconds: 1767355200 } device_id: \"201\" page_size: 100");
  EXPECT_THAT(control.asked[2], HasSubstr("page_size: 99 page_token: \"yet more\""));
}

TEST_F(HistoryOfPbxctl, ShowsAsManyAsAskedFor) {
  control.past_calls = {page({past_call("7"), past_call("6")}, "more")};
  const Ran ran = at_acme({"history", "--count", "2", "--json"});
  EXPECT_THAT(ran.out, HasSubstr("{\"name\":\"tenants/acme/pastCalls/7\""));
  EXPECT_THAT(ran.err, HasSubstr("there may be more"));
  control.past_calls = {page({}, "")};
  EXPECT_EQ(at_acme({"history"}).out, "no calls\n");
  EXPECT_EQ(at_acme({"history", "--since", "yesterday"}).status, 2);
  EXPECT_EQ(at_acme({"history", "--count", "0"}).status, 2);
  control.verdict = error(Errc::feature_not_supported, "SearchCalls: no.");
  EXPECT_EQ(at_acme({"history"}).status, 4);
}

TEST_F(HistoryOfPbxctl, WritesARecordingToANewFile) {
  has_recording({"RIFF", std::string("\0\n", 2)});
  const auto path = (folder / "call.wav").string();
  const Ran ran = at_acme({"recording", "17", "--output", path});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out, "audio/wav in " + path + "\n");
  EXPECT_EQ(content_of(path), std::string("RIFF\0\n", 6));
  EXPECT_THAT(control.asked, ElementsAre("GetRecording name: \"tenants/acme/recordings/17\""));

  has_recording({"other"});
  const Ran again = at_acme({"recording", "17", "--output", path});
  EXPECT_EQ(again.status, 2);
  EXPECT_THAT(again.err, HasSubstr("it exists already"));
  EXPECT_EQ(content_of(path), std::string("RIFF\0\n", 6));
}

TEST_F(HistoryOfPbxctl, WritesARecordingToTheOutput) {
  has_recording({"RIFF", "rest"});
  EXPECT_EQ(at_acme({"recording", "tenants/acme/recordings/17", "--output", "-"}).out, "RIFFrest");
}

TEST_F(HistoryOfPbxctl, LeavesNoFileOfWhatBrokeOff) {
  has_recording({"RIFF"});
  control.verdict = error(Errc::pbx_disconnected, "gone");
  const auto path = folder / "call.wav";
  EXPECT_EQ(at_acme({"recording", "17", "--output", path.string()}).status, 6);
  EXPECT_FALSE(std::filesystem::exists(path));
  control.recording.clear();
  control.verdict = error(Errc::recording_not_found, "none");
  EXPECT_EQ(at_acme({"recording", "17", "--output", path.string()}).status, 3);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(at_acme({"recording", "17", "--output", "/nowhere/call.wav"}).status, 3);
}

}  // namespace
}  // namespace pbxctl
