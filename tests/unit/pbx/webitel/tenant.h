#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>

#include "pbx/dialogue.h"
#include "pbx/webitel/vendor.h"

namespace pbx::webitel {

using namespace std::chrono_literals;

inline constexpr std::string_view kUsers =
    R"({"id":"1","name":"Gateway","presence":{"status":"{web}"}},)"
    R"({"id":"10","name":"Ann","extension":"2010","presence":{"status":"{sip,web}"}},)"
    R"({"id":"11","name":"Bob","extension":"2011","presence":{"status":"{sip}"}},)"
    R"({"id":"12","name":"Cid","extension":"2012"})";
inline constexpr std::string_view kAgents =
    R"({"id":"5","user":{"id":"10","name":"Ann"},"status":"offline","extension":"2010"})";

// An active call, as the list has it.
struct Row {
  std::string id, user, way = "outbound", state = "ringing", destination{}, from{}, to{}, parent{},
                        bridged{};
  std::string more{};  // further fields, with a comma before

  std::string text() const {
    const auto end = [](const std::string& number) {
      return R"({"type":"","number":")" + number + R"(","id":"","name":""})";
    };
    std::string out = R"({"id":")" + id + R"(","app_id":"fs-1","state":")" + state +
                      R"(","direction":")" + way + R"(","destination":")" + destination +
                      R"(","from":)" + end(from);
    if (!to.empty()) out += R"(,"to":)" + end(to);
    if (!user.empty()) out += R"(,"user":{"id":")" + user + R"(","name":"x"})";
    if (!parent.empty()) out += R"(,"parent_id":")" + parent + '"';
    if (!bridged.empty())
      out += R"(,"bridged_id":")" + bridged + R"(","bridged_at":"1795250277117")";
    return out + more + "}";
  }
};

// A tenant acme, number 1, with the users 10 to 12 at the extensions 2010 to 2012, watched by user
// 1, and the PBX's words.
struct Webitel : testing::Test {
  Webitel() {
    settings.set("host", std::string("pbx.test"));
    settings.set("token", std::string("s3cret"));
  }
  ~Webitel() override {
    if (!pbx_) return;
    EXPECT_THAT(pbx_->violations, testing::IsEmpty());
    EXPECT_FALSE(pbx_->stuck);
    for (const auto& [id, replies] : pbx_->replies) EXPECT_EQ(replies.size(), 1u) << id;
    for (const Note& note : pbx_->notes) expect_no_secret(note.detail);
    for (const GiveUp& it : pbx_->given_up) expect_no_secret(it.detail);
  }

  static void expect_no_secret(const std::string& text) {
    for (auto secret : {"s3cret", "t0ken", "m1nted"}) {
      EXPECT_THAT(text, testing::Not(testing::HasSubstr(secret)));
    }
  }

  // Made at its first use: a test may change the settings before.
  test::Dialogue& pbx() {
    if (!pbx_) pbx_ = std::make_unique<test::Dialogue>(vendor(), settings);
    return *pbx_;
  }

  // ---- Sockets.

  // The number of the request with this action that was sent last on the link.
  unsigned request(std::string_view action, LinkId link = kPrimary) {
    const auto& sent = pbx().sent[link];
    for (auto it = sent.rbegin(); it != sent.rend(); ++it) {
      if (it->find('"' + std::string(action) + '"') == std::string::npos) continue;
      return static_cast<unsigned>(std::atoi(it->c_str() + std::string_view(R"({"seq":)").size()));
    }
    ADD_FAILURE() << action << " was not asked for";
    return 0;
  }
  std::size_t asked(std::string_view action, LinkId link = kPrimary) {
    const auto& sent = pbx().sent[link];
    return static_cast<std::size_t>(
        std::count_if(sent.begin(), sent.end(), [&](const std::string& it) {
          return it.find('"' + std::string(action) + '"') != std::string::npos;
        }));
  }
  void grant(std::string_view action, std::string_view data = {}, LinkId link = kPrimary) {
    std::string text = R"({"status":"OK","seq_reply":)" + std::to_string(request(action, link));
    if (!data.empty()) (text += R"(,"data":)") += data;
    pbx().hear(text + '}', link);
  }
  void refuse(std::string_view action, unsigned code, std::string_view id, LinkId link = kPrimary) {
    pbx().hear(R"({"status":"FAIL","seq_reply":)" + std::to_string(request(action, link)) +
                   R"(,"error":{"id":")" + std::string(id) +
                   R"(","status":"x","detail":"d","code":)" + std::to_string(code) + "}}",
               link);
  }
  void push(std::string_view event, std::string_view data, LinkId link = kPrimary,
            std::string_view more = {}) {
    pbx().hear(R"({"event":")" + std::string(event) + R"(","data":)" + std::string(data) +
                   R"(,"seq":)" + std::to_string(seq[link]++) + std::string(more) + "}\n",
               link);
  }
  void hello(std::string_view user = "1", LinkId link = kPrimary,
             std::string_view domain = R"("domain_id":1,"domain_name":"acme")") {
    push("hello",
         R"({"sock_id":"abc","server_version":"26.04","session":{"id":"x","token":"x","user_id":)" +
             std::string(user) + ',' + std::string(domain) + "}}",
         link);
  }
  // An event of a leg; `data` with a comma before each further field.
  void leg(std::string_view user, std::string_view name, std::string_view id,
           std::string_view data = {}, LinkId link = kPrimary) {
    clock += 10;
    push("call",
         R"({"call":{"id":")" + std::string(id) + R"(","event":")" + std::string(name) +
             R"(","timestamp":")" + std::to_string(clock) + R"(","domain_id":"1","user_id":")" +
             std::string(user) + R"(","app_id":"fs-1","data":{"user_id":)" + std::string(user) +
             std::string(data) + "}}}",
         link);
  }
  static std::string outbound(std::string_view from, std::string_view to,
                              std::string_view more = {}) {
    return R"(,"direction":"outbound","destination":")" + std::string(to) +
           R"(","from":{"type":"user","number":")" + std::string(from) +
           R"(","name":"A","id":""})" + std::string(more);
  }
  static std::string inbound(std::string_view from, std::string_view to, std::string_view parent) {
    return R"(,"direction":"inbound","destination":")" + std::string(to) +
           R"(","from":{"type":"","number":")" + std::string(from) +
           R"(","name":"A","id":""},"to":{"type":"user","number":")" + std::string(to) +
           R"(","name":"B","id":""},"parent_id":")" + std::string(parent) + '"';
  }
  static std::string bridged(std::string_view leg, std::string_view number) {
    return R"(,"bridged_id":")" + std::string(leg) + R"(","to":{"type":"","number":")" +
           std::string(number) + R"(","name":"","id":""})";
  }

  // ---- REST.

  // The oldest request whose method and path begin so.
  SendHttp take_request(std::string_view what) {
    auto& requests = pbx().requests;
    for (auto it = requests.begin(); it != requests.end(); ++it) {
      if (!(it->method + ' ' + it->where.target).starts_with(what)) continue;
      SendHttp found = *it;
      requests.erase(it);
      return found;
    }
    ADD_FAILURE() << what << " was not asked for";
    return {};
  }
  bool is_asked(std::string_view what) {
    return std::any_of(pbx().requests.begin(), pbx().requests.end(), [&](const SendHttp& it) {
      return (it.method + ' ' + it.where.target).starts_with(what);
    });
  }
  void answer(std::string_view what, unsigned status, std::string_view body) {
    pbx().reply_http(take_request(what).id, HttpReply{status, {}, std::string(body)});
  }
  static std::string items(std::string_view rows, std::string_view more = {}) {
    return R"({"items":[)" + std::string(rows) + "]" + std::string(more) + "}";
  }
  static std::string rows_of(const std::vector<Row>& rows) {
    std::string text;
    for (const Row& row : rows) {
      if (!text.empty()) text += ',';
      text += row.text();
    }
    return text;
  }
  // The list of calls, as it is asked for at the next turn.
  void snapshot(const std::vector<Row>& rows) {
    if (!is_asked("GET /api/calls/active")) pbx().pass(2s);
    answer("GET /api/calls/active", 200, items(rows_of(rows)));
  }

  // ---- The way to Ready.

  void authenticate() {
    pbx().start();
    hello();
    grant("authentication_challenge");
  }
  void log_in(const std::vector<Row>& calls = {}) {
    authenticate();
    grant("subscribe_call", R"({"items":[]})");
    grant("subscribe_users_status");
    answer("GET /api/call_center/users", 200, items(kUsers));
    answer("GET /api/call_center/agents", 200, items(kAgents));
    answer("GET /api/calls/active", 200, items(rows_of(calls)));
    ASSERT_TRUE(pbx().ready);
    pbx().take_events();
  }
  // A socket of this user's, which is live then.
  LinkId log_in_user(std::string_view user, std::string_view legs = {}) {
    const LinkId link = pbx().opened.back().first;
    pbx().open(link);
    hello(user, link);
    grant("authentication_challenge", {}, link);
    grant("subscribe_call", items(legs), link);
    return link;
  }
  // With sockets for the users 10 to 12, in this order.
  void log_in_with_users() {
    settings.set("user_sockets", std::string("listed"));
    settings.set("user_tokens", std::map<std::string, std::string>{
                                    {"2010", "t0ken10"}, {"2011", "t0ken11"}, {"2012", "t0ken12"}});
    log_in();
    ASSERT_EQ(pbx().opened.size(), 4u);
    for (unsigned i = 0; i < 3; ++i) {
      const LinkId link = pbx().opened[i + 1].first;
      links[i] = link;
      pbx().open(link);
      hello(std::to_string(10 + i), link);
      grant("authentication_challenge", {}, link);
      grant("subscribe_call", R"({"items":[]})", link);
    }
  }
  // On his own socket.
  void own(unsigned user, std::string_view name, std::string_view id, std::string_view data = {}) {
    leg(std::to_string(user), name, id, data, links[user - 10]);
  }
  // 2010 and 2011 talk; their legs are A and B.
  void talk() {
    own(10, "ringing", "A", outbound("2010", "2011"));
    own(11, "ringing", "B", inbound("2010", "2011", "A"));
    own(11, "active", "B");
    own(11, "bridge", "B", bridged("A", "2010"));
    own(10, "active", "A");
    own(10, "bridge", "A", bridged("B", "2011"));
  }

  // Another session, from its beginning.
  void reset() {
    pbx_.reset();
    seq.clear();
  }
  std::vector<std::string> events() { return pbx().take_events(); }

  Settings settings = test::default_settings(vendor());
  std::map<LinkId, unsigned> seq;
  LinkId links[3] = {};
  long long clock = 1'795'250'000'000;

 private:
  std::unique_ptr<test::Dialogue> pbx_;
};

}  // namespace pbx::webitel
