#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "pbx/dialogue.h"
#include "pbx/innovaphone/vendor.h"

namespace pbx::innovaphone {

using namespace std::chrono_literals;

// A PBX with the users 201 to 205, and its words; what we asked is answered by the test.
struct Innovaphone : testing::Test {
  Innovaphone() {
    settings.set("host", std::string("pbx.test"));
    settings.set("app_object", std::string("gateway"));
    settings.set("password", std::string("s3cret"));
    settings.set("directory", std::string("rcc"));
  }
  ~Innovaphone() override {
    if (!pbx_) return;
    EXPECT_THAT(pbx_->violations, testing::IsEmpty());
    EXPECT_FALSE(pbx_->stuck);
    for (const auto& [id, replies] : pbx_->replies) EXPECT_EQ(replies.size(), 1u) << id;
    for (const Note& note : pbx_->notes) {
      EXPECT_THAT(note.detail, testing::Not(testing::HasSubstr("s3cret")));
    }
  }

  // Made at its first use: a test may change the settings before.
  test::Dialogue& pbx() {
    if (!pbx_) pbx_ = std::make_unique<test::Dialogue>(vendor(), settings);
    return *pbx_;
  }

  // ---- Users. Of "201": guid g201, Long Name "User 201", login name u201, handle 1.

  static std::string guid(std::string_view number) { return "g" + std::string(number); }
  static int handle(std::string_view number) { return number.back() - '0'; }
  static std::string user(std::string_view number,
                          std::string_view more = R"(,"regs":[{"hw":"a"}])") {
    const std::string it(number);
    return R"({"mt":"UserInfo","api":"RCC","src":"i","guid":"g)" + it + R"(","cn":"User )" + it +
           R"(","dn":"Name )" + it + R"(","h323":"u)" + it + R"(","e164":")" + it + '"' +
           std::string(more) + "}";
  }
  // The whole of the first list.
  void list(LinkId link = kPrimary) {
    for (const char* number : {"201", "202", "203", "204", "205"}) pbx().hear(user(number), link);
    pbx().hear(R"({"mt":"InitializeResult","api":"RCC","src":"i"})", link);
  }
  void initialize(std::string_view number, LinkId link = kPrimary) {
    pbx().hear(R"({"mt":"UserInitializeResult","api":"RCC","src":"u/g)" + std::string(number) +
                   R"(","user":)" + std::to_string(handle(number)) + "}",
               link);
  }
  void initialize_all(LinkId link = kPrimary) {
    for (const char* number : {"201", "202", "203", "204", "205"}) initialize(number, link);
  }
  void log_in() {
    pbx().start();
    pbx().hear(R"({"mt":"AppChallengeResult","challenge":"0123456789abcdef"})");
    pbx().hear(R"({"mt":"AppLoginResult","ok":true})");
  }
  // Up to Ready.
  void come_up() {
    log_in();
    list();
    initialize_all();
    ASSERT_TRUE(pbx().ready);
    pbx().take_sent(kPrimary);
    pbx().take_events();
  }

  // ---- Calls.

  static std::string party(std::string_view number) {
    const std::string it(number);
    if (it.size() == 3 && it[0] == '2') {
      return R"({"cn":"User )" + it + R"(","dn":"Name )" + it + R"(","h323":"u)" + it +
             R"(","e164":")" + it + "\"}";
    }
    return R"({"h323":"","e164":")" + it + "\"}";
  }
  static std::string no(std::string_view type, std::string_view number = {}) {
    std::string it = number.empty() ? "{}" : party(number);
    it.insert(1, R"("type":")" + std::string(type) + '"' + (number.empty() ? "" : ","));
    return R"("no":[)" + it + "]";
  }
  static std::string cause(int number) {
    return R"("info":[{"type":"cause","vali":)" + std::to_string(number) + R"(,"vals":"words"}])";
  }
  // "201": whose; the handle; `conf`, empty to leave it out; further fields without a comma.
  void call(std::string_view number, int call, std::string_view conf, int state,
            std::string_view peer, std::string_view msg, std::string_view more = {},
            LinkId link = kPrimary) {
    std::string text = R"({"mt":"CallInfo","api":"RCC","src":"u/g)" + std::string(number) +
                       R"(","user":)" + std::to_string(handle(number)) + R"(,"call":)" +
                       std::to_string(call) + R"(,"state":)" + std::to_string(state) +
                       R"(,"msg":")" + std::string(msg) + '"';
    if (!conf.empty()) text += R"(,"conf":")" + std::string(conf) + '"';
    if (!peer.empty()) text += R"(,"peer":)" + party(peer);
    if (!more.empty()) text += ',' + std::string(more);
    pbx().hear(text + "}", link);
  }
  void del(std::string_view number, int handle_of_call, std::string_view conf, int state,
           std::string_view more = {}) {
    call(number, handle_of_call, conf, state, "", "del",
         R"("del":true)" + (more.empty() ? std::string() : "," + std::string(more)));
  }
  // `from` rings at `to`. Handles are the callers' last digits and ten times the call.
  void ring(std::string_view from, std::string_view to, std::string_view conf, int call_number) {
    const bool inside = from[0] == '2', reaches = to[0] == '2';
    if (inside) call(from, call_number, conf, 1, to, "x-setup");
    if (reaches) call(to, call_number, conf, 129, from, "r-setup");
    if (reaches) call(to, call_number, conf, 132, from, "x-alert");
    if (inside) call(from, call_number, conf, 4, to, "r-alert");
  }
  void talk(std::string_view from, std::string_view to, std::string_view conf, int call_number) {
    ring(from, to, conf, call_number);
    if (to[0] == '2') call(to, call_number, conf, 133, from, "x-conn");
    if (from[0] == '2') call(from, call_number, conf, 5, to, "r-conn");
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

}  // namespace pbx::innovaphone
