#pragma once

#include <string>
#include <string_view>

#include <gmock/gmock.h>

#include "pbx/dialogue.h"
#include "pbx/innova360/vendor.h"

namespace pbx::innova360 {

using namespace std::chrono_literals;

inline constexpr std::string_view kWelcome =
    R"({"servername":"BOBIf","version":"1.0","type":"welcome","auth":"required","server":"s1"})";
inline constexpr std::string_view kGranted =
    R"({"type":"auth-resp","auth":"ok","extension":"","agent":"","server":"s1","token":"t0ken"})";
inline constexpr std::string_view kForbidden =
    R"({"type":"auth-resp","auth":"forbidden","server":"s1"})";
inline constexpr std::string_view kFourIdle =
    R"({"type":"init","server":"s1","data":[)"
    R"({"Extension":"201","Status":"0","Hint":"SIP/201","Calls":[]},)"
    R"({"Extension":"202","Status":"0","Hint":"SIP/202","Calls":[]},)"
    R"({"Extension":"203","Status":"0","Hint":"SIP/203","Calls":[]},)"
    R"({"Extension":"204","Status":"0","Hint":"SIP/204","Calls":[]}]})";

// A tenant with the extensions 201 to 204, of which all but 204 can act, and the PBX's words.
struct Innova360 : testing::Test {
  Innova360() {
    settings.set("user", std::string("boss"));
    settings.set("password", std::string("s3cret"));
    settings.set("agents", std::map<std::string, Account>{{"201", {"u201", "p201", false}},
                                                          {"202", {"u202", "p202", false}},
                                                          {"203", {"u203", "p203", false}}});
  }
  ~Innova360() override {
    if (!pbx_) return;
    EXPECT_THAT(pbx_->violations, testing::IsEmpty());
    EXPECT_FALSE(pbx_->stuck);
    for (const auto& [id, replies] : pbx_->replies) EXPECT_EQ(replies.size(), 1u) << id;
  }

  // Made at its first use: a test may change the settings before.
  test::Dialogue& pbx() {
    if (!pbx_) pbx_ = std::make_unique<test::Dialogue>(vendor(), settings);
    return *pbx_;
  }
  void log_in(std::string_view init = kFourIdle) {
    pbx().start();
    pbx().hear_all({kWelcome, kGranted, init});
    EXPECT_TRUE(pbx().ready);
    pbx().take_events();
    pbx().sent.clear();
  }

  void new_call(std::string_view extension, std::string_view callid, std::string_view direction,
                std::string_view a, std::string_view b, LinkId link = kPrimary) {
    update("new-call", extension,
           R"(,"callid":")" + std::string(callid) + R"(","direction":")" + std::string(direction) +
               R"(","phonea":")" + std::string(a) + R"(","phoneb":")" + std::string(b) +
               R"(","dida":"","didb":"")",
           link);
  }
  void state(std::string_view extension, std::string_view callid, std::string_view text) {
    update("call-state", extension,
           R"(,"callid":")" + std::string(callid) + R"(","state":"","statedesc":")" +
               std::string(text) + "\"");
  }
  void hangup(std::string_view extension, std::string_view callid, std::string_view cause = "16") {
    update("hangup", extension,
           R"(,"callid":")" + std::string(callid) + R"(","cause":")" + std::string(cause) + "\"");
  }
  void about(std::string_view action, std::string_view extension, std::string_view callid) {
    update(action, extension, R"(,"callid":")" + std::string(callid) + "\"");
  }
  void status(std::string_view extension, std::string_view status) {
    update("extension-status", extension, R"(,"status":")" + std::string(status) + "\"");
  }
  void update(std::string_view action, std::string_view extension, const std::string& more,
              LinkId link = kPrimary) {
    pbx().hear(R"({"type":"update","action":")" + std::string(action) +
                   R"(","server":"s1","extension":")" + std::string(extension) + "\"" + more + "}",
               link);
  }

  // 201 and 202 talk; their legs are 11 and 12.
  void talk() {
    new_call("201", "11", "out", "201", "202");
    new_call("202", "12", "in", "201", "202");
    state("202", "12", "Ringing");
    state("202", "12", "Up");
    state("201", "11", "Up");
    pbx().take_events();
  }

  // The agent connection that was opened last.
  LinkId last_link() { return pbx().opened.back().first; }
  // Its login, up to its snapshot.
  void agent_welcome() {
    pbx().open(last_link());
    pbx().hear(kWelcome, last_link());
  }
  void agent_granted(std::string_view extension) {
    pbx().hear(R"({"type":"auth-resp","auth":"ok","extension":")" + std::string(extension) +
                   R"(","agent":"a","token":"t0ken"})",
               last_link());
  }
  void agent_init(std::string_view extension, std::string_view calls = "[]") {
    pbx().hear(R"({"type":"init","data":[{"Extension":")" + std::string(extension) +
                   R"(","Status":"0","Calls":)" + std::string(calls) + "}]}",
               last_link());
    pbx().take_sent(0);
  }
  void agent_ready(std::string_view extension, std::string_view calls = "[]") {
    agent_welcome();
    agent_granted(extension);
    pbx().take_sent(last_link());
    agent_init(extension, calls);
  }

  call::Target target(std::string_view leg) {
    const auto [found, connection] = pbx().tracker.find_leg(std::string(leg));
    return {found ? found->key : "", std::string(leg),
            connection ? connection->party.device : call::DeviceId()};
  }

  Settings settings = test::default_settings(vendor());

 private:
  std::unique_ptr<test::Dialogue> pbx_;
};

}  // namespace pbx::innova360
