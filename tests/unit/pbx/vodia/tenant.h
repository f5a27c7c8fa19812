#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>

#include "pbx/dialogue.h"
#include "pbx/vodia/vendor.h"

namespace pbx::vodia {

using namespace std::chrono_literals;

inline constexpr std::string_view kServer70 = "PBX/70.1";
inline constexpr std::string_view kServer67 = "PBX/67.0.5 (Debian64)";
inline constexpr std::string_view kToken = R"("abcdefghij0123456789")";
inline constexpr std::string_view kDirectory =
    R"([{"name":"500","displayname":"Gateway","dnd":false,"registered":false},)"
    R"({"name":"501","displayname":"Ann","dnd":"false","chatstatus":"","registered":"true"},)"
    R"({"name":"502","displayname":"Bob","dnd":false,"registered":true},)"
    R"({"name":"503","displayname":"Cid","ani":["+34911000503"],"registered":true}])";
inline constexpr std::string_view kUsers =
    R"([{"name":"501","displayname":"Ann","usertype":"extensions"},)"
    R"({"name":"600","displayname":"Sales","usertype":"acds"},)"
    R"({"name":"800","displayname":"Park 1","usertype":"orbits"}])";
inline constexpr std::string_view kAccounts =
    R"({"account":"500","name":"Gateway","type":"extensions","registered":"false"},)"
    R"({"account":"501","name":"Ann","type":"extensions","registered":"true","dnd":"false"},)"
    R"({"account":"502","name":"Bob","type":"extensions","registered":"true","dnd":"false"},)"
    R"({"account":"503","name":"Cid","type":"extensions","registered":"true","dnd":"false"},)"
    R"({"account":"600","name":"Sales","type":"acds"},)"
    R"({"account":"610","name":"All","type":"hunts"},)"
    R"({"account":"700","name":"Room","type":"conferences"},)"
    R"({"account":"800","name":"Park 1","type":"orbits"})";

// One entry of a list.
struct Entry {
  std::string id, from, to, state = "alerting";
  std::vector<std::string> extensions;
  std::string more;  // further fields, with a comma before

  std::string text() const {
    std::string out = R"({"id":")" + id + R"(","from":"\"N\" <sip:)" + from +
                      R"(@t.example>","to":"<sip:)" + to + R"(@t.example>","state":")" + state +
                      R"(","extension":[)";
    for (const std::string& it : extensions) {
      if (out.back() != '[') out += ',';
      out += '"' + it + '"';
    }
    return out + R"(],"connect":")" + (state == "alerting" ? "" : "1760000004.500") + "\"" + more +
           "}";
  }
};

// A tenant t.example with the extensions 501 to 503, watched by 500, and the PBX's words.
struct Vodia : testing::Test {
  Vodia() {
    settings.set("host", std::string("pbx.test"));
    settings.set("domain", std::string("t.example"));
    settings.set("user", std::string("500"));
    settings.set("password", std::string("s3cret"));
    settings.set("admin_user", std::string("admin"));
    settings.set("admin_password", std::string("r00t"));
  }
  ~Vodia() override {
    if (!pbx_) return;
    EXPECT_THAT(pbx_->violations, testing::IsEmpty());
    EXPECT_FALSE(pbx_->stuck);
    for (const auto& [id, replies] : pbx_->replies) EXPECT_EQ(replies.size(), 1u) << id;
    for (const Note& note : pbx_->notes) expect_no_secret(note.detail);
    for (const GiveUp& it : pbx_->given_up) expect_no_secret(it.detail);
  }

  static void expect_no_secret(const std::string& text) {
    for (auto secret : {"s3cret", "r00t", "abcdefghij", "c00kie"}) {
      EXPECT_THAT(text, testing::Not(testing::HasSubstr(secret)));
    }
  }

  // Made at its first use: a test may change the settings before.
  test::Dialogue& pbx() {
    if (!pbx_) pbx_ = std::make_unique<test::Dialogue>(vendor(), settings);
    return *pbx_;
  }

  // The oldest request that is not answered.
  SendHttp take_request() {
    if (pbx().requests.empty()) {
      ADD_FAILURE() << "nothing was asked over HTTP";
      return {};
    }
    SendHttp request = pbx().requests.front();
    pbx().requests.erase(pbx().requests.begin());
    return request;
  }
  void answer(unsigned status, std::string_view body,
              std::vector<std::pair<std::string, std::string>> headers = {}) {
    headers.emplace_back("server", server);
    pbx().reply_http(take_request().id, HttpReply{status, std::move(headers), std::string(body)});
  }
  void answer(base::Errc failure) { pbx().reply_http(take_request().id, base::Error(failure)); }
  static std::string header(const Handshake& where, std::string_view name) {
    for (const auto& [its_name, value] : where.headers) {
      if (its_name == name) return value;
    }
    return {};
  }

  // The extensions, and the other accounts if they are asked for.
  void answer_directory() {
    answer(200, kDirectory);
    if (!pbx().requests.empty()) answer(200, kUsers);
  }
  // Up to the cookie.
  void grant_token() {
    answer(200, kToken);
    answer(200, "true", {{"set-cookie", "session=c00kie; Path=/; HttpOnly"}});
  }
  // The socket that a command for the extension asks for; what waited for it is sent.
  LinkId open_portal(std::string_view extension) {
    EXPECT_THAT(pbx().requests.at(0).body, testing::HasSubstr(extension));
    grant_token();
    const auto [link, where] = pbx().opened.back();
    EXPECT_THAT(where.target, testing::EndsWith(extension));
    pbx().open(link);
    auto& sent = pbx().sent[link];
    EXPECT_EQ(sent.at(0), R"({"action":"avoid-disconnect"})");
    sent.erase(sent.begin());
    return link;
  }
  void log_in_modern() {
    server = kServer70;
    pbx().begin();
    grant_token();
    pbx().open(kPrimary);
    calls({});
    answer_directory();
    ASSERT_TRUE(pbx().ready);
    pbx().take_sent(kPrimary);
    pbx().take_events();
  }
  void log_in_legacy() {
    server = kServer67;
    pbx().begin();
    grant_token();
    pbx().open(kPrimary);
    domain_state({});
    ASSERT_TRUE(pbx().ready);
    pbx().take_sent(kPrimary);
    pbx().take_events();
  }

  static std::string list(const std::vector<Entry>& entries) {
    std::string text = "[";
    for (const Entry& entry : entries) {
      if (text.size() > 1) text += ',';
      text += entry.text();
    }
    return text + "]";
  }
  void calls(const std::vector<Entry>& entries) {
    pbx().hear(R"({"action":"call-state","calls":)" + list(entries) + "}");
  }
  // Twice, as it comes when something was missing the first time.
  void calls_for_sure(const std::vector<Entry>& entries) {
    calls(entries);
    calls(entries);
  }
  void domain_state(const std::vector<Entry>& entries, std::string_view accounts = kAccounts) {
    pbx().hear(R"({"action":"domain-state","accounts":[)" + std::string(accounts) +
               R"(],"calls":)" + list(entries) + R"(,"messages":0})");
  }

  static Entry ringing(std::string id = "a@pbx") {
    return {std::move(id), "501", "502", "alerting", {"501", "*502"}, {}};
  }
  static Entry talking(std::string id = "a@pbx") {
    return {std::move(id), "501", "502", "connected", {"501", "502"}, {}};
  }
  // 501 and 502 talk; their legs are a@pbx/501 and a@pbx/502.
  void talk() {
    calls({ringing()});
    calls({talking()});
    pbx().take_events();
  }

  call::Target target(std::string_view leg) {
    const auto [found, connection] = pbx().tracker.find_leg(std::string(leg));
    return {found ? found->key : "", std::string(leg),
            connection ? connection->party.device : call::DeviceId()};
  }

  Settings settings = test::default_settings(vendor());
  std::string server{kServer70};

 private:
  std::unique_ptr<test::Dialogue> pbx_;
};

}  // namespace pbx::vodia
