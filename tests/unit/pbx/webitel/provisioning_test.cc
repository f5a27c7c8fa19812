#include "pbx/webitel/provisioning.h"

#include "pbx/webitel/parts.h"
#include "pbx/webitel/provisioning_codec.h"

namespace pbx::webitel {
namespace {

using base::Errc;
using call::ResourceKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kPhone =
    R"({"id":"7287","name":"Desk","account":"101","password":"$2a$hash","user":{},)"
    R"("created_at":"1795250000000","created_by":{"id":"1","name":"root"}})";
constexpr std::string_view kUser =
    R"({"id":"44","name":"Eve","username":"eve","email":"eve@x.example","password":"$2a$hash",)"
    R"("extension":"104","roles":[{"id":"4","name":"agent"}],"device":{"id":"7287","name":"Desk"},)"
    R"("devices":[{"id":"7287","name":"Desk"},{"id":"7288"}],)"
    R"("license":[{"id":"9","prod":"CALL_CENTER","issued_at":"1"}],"created_at":"1795250000000"})";

struct WebitelProvisioning : Parts {
  call::OrderId ask(const call::Order& order, std::chrono::milliseconds limit = 20s) {
    const call::OrderId id = ++last;
    Effects effects;
    provisioning.ask(id, order, now + limit, now, effects);
    keep(effects);
    return id;
  }
  void reply(const base::Result<HttpReply>& it) {
    Effects effects;
    EXPECT_TRUE(provisioning.on_http(take_request().id, it, now, effects));
    keep(effects);
  }
  void answer(unsigned status, std::string_view body = {}) {
    reply(HttpReply{status, {}, std::string(body)});
  }
  void answer(Errc failure) { reply(base::Error(failure)); }
  std::string verdict(call::OrderId id) { return words_of(fulfilled[id]); }
  template <class T>
  T reply_of(call::OrderId id) {
    const auto& all = fulfilled[id];
    const auto* it = all.size() == 1 ? std::get_if<T>(&all.front()) : nullptr;
    if (!it) ADD_FAILURE() << "no such reply: " << verdict(id);
    return it ? *it : T();
  }
  template <class T>
  T resource_of(call::OrderId id) {
    const call::Resource resource = reply_of<call::Resource>(id);
    const auto* it = std::get_if<T>(&resource);
    if (!it) ADD_FAILURE() << "another kind";
    return it ? *it : T();
  }
  // "POST /devices", and nothing if nothing was asked.
  std::string line() { return requests.empty() ? "" : line_of(requests.front()); }
  void pass(std::chrono::milliseconds span) {
    now += span;
    Effects effects;
    if (provisioning.deadline() <= now) provisioning.on_tick(now, effects);
    keep(effects);
  }
  static call::CreatePhone phone() { return {"Desk", "101", "pa55word", ""}; }

  Provisioning provisioning{10s, rest, directory};
  call::OrderId last = 0;
};

TEST_F(WebitelProvisioning, MakesAPhone) {
  const auto id = ask(phone());
  EXPECT_EQ(line(), R"(POST /devices {"name":"Desk","account":"101","password":"pa55word"})");
  answer(200, kPhone);
  const auto made = resource_of<call::Phone>(id);
  EXPECT_EQ(made.id, "7287");
  EXPECT_EQ(made.account, "101");
  EXPECT_EQ(made.user, "");
  EXPECT_EQ(made.made, call::Time(std::chrono::milliseconds(1'795'250'000'000)));

  const auto wrapped = ask(call::CreatePhone{"D", "102", "", "11"});
  EXPECT_EQ(line(), R"(POST /devices {"name":"D","account":"102","user":{"id":"11"}})");
  answer(200, R"({"device":{"id":5,"name":"D","user":{"id":"11","name":"Bob"}}})");
  EXPECT_EQ(resource_of<call::Phone>(wrapped).id, "5");
  EXPECT_EQ(resource_of<call::Phone>(wrapped).user, "11");
}

TEST_F(WebitelProvisioning, MakesAUserWithHisPhone) {
  const auto id = ask(call::CreateUser{"Eve",
                                       "eve",
                                       "pa55word",
                                       "eve@x.example",
                                       call::DeviceId("104"),
                                       {"7287", "7288"},
                                       {"4"},
                                       {"9"}});
  EXPECT_EQ(line(), R"(POST /users {"name":"Eve","username":"eve","password":"pa55word",)"
                    R"("email":"eve@x.example","extension":"104","roles":[{"id":"4"}],)"
                    R"("device":{"id":"7287"},"devices":[{"id":"7287"},{"id":"7288"}],)"
                    R"("license":[{"id":"9"}]})");
  answer(200, kUser);
  const auto made = resource_of<call::User>(id);
  EXPECT_EQ(made.id, "44");
  EXPECT_EQ(made.login, "eve");
  EXPECT_EQ(made.e_mail, "eve@x.example");
  EXPECT_EQ(made.extension, call::DeviceId("104"));
  EXPECT_THAT(made.phones, ElementsAre(call::Named{"7287", "Desk"}, call::Named{"7288", ""}));
  EXPECT_THAT(made.roles, ElementsAre(call::Named{"4", "agent"}));
  EXPECT_THAT(made.licences, ElementsAre(call::Named{"9", "CALL_CENTER"}));
}

TEST_F(WebitelProvisioning, TellsATokenOnce) {
  const auto id = ask(call::CreateUserToken{"44", "gateway \"1\""});
  EXPECT_EQ(line(), R"(POST /users/44/tokens {"token":"","usage":"gateway \"1\""})");
  const std::string body =
      R"({"id":"3","token":"s3cr3t-of-the-user","usage":"gateway","user":{"id":"44"}})";
  answer(200, body);
  EXPECT_EQ(resource_of<call::UserToken>(id).secret, "s3cr3t-of-the-user");
  const auto get = ask(call::GetResource{ResourceKind::user_token, "44", "3"});
  EXPECT_EQ(line(), "GET /users/44/tokens/3");
  answer(200, body);
  EXPECT_EQ(resource_of<call::UserToken>(get).secret, "");
  EXPECT_EQ(resource_of<call::UserToken>(get).purpose, "gateway");
  const auto list = ask(call::ListResources{ResourceKind::user_token, "44", "", "", 10});
  EXPECT_EQ(line(), "GET /users/44/tokens?page=1&size=10");
  answer(200, R"({"items":[)" + body + "]}");
  const auto all = reply_of<call::Resources>(list);
  ASSERT_EQ(all.resources.size(), 1u);
  EXPECT_EQ(std::get<call::UserToken>(all.resources[0]).secret, "");
  EXPECT_EQ(std::get<call::UserToken>(all.resources[0]).user, "44");

  const auto silent = ask(call::CreateUserToken{"44", ""});
  answer(200, R"({"id":"4"})");
  EXPECT_THAT(verdict(silent), StartsWith("outcome_unknown"));
}

TEST_F(WebitelProvisioning, MakesAnAgent) {
  const auto id = ask(call::CreateAgent{"44", "2", 3, 2, 1});
  EXPECT_EQ(line(), R"(POST /call_center/agents {"user":{"id":"44"},"chat_count":3,)"
                    R"("task_count":2,"progressive_count":1,"team":{"id":"2"}})");
  answer(200, R"({"id":"6","user":{"id":"44","name":"Eve"},"team":{"id":"2","name":"Sales"},)"
              R"("extension":"104","status":"pause","status_payload":"lunch"})");
  const auto made = resource_of<call::Agent>(id);
  EXPECT_EQ(made.id, "6");
  EXPECT_EQ(made.user, (call::Named{"44", "Eve"}));
  EXPECT_EQ(made.team, (call::Named{"2", "Sales"}));
  EXPECT_EQ(made.state, call::AgentState::not_ready);
  EXPECT_EQ(made.reason, "lunch");
}

TEST_F(WebitelProvisioning, TellsPageByPage) {
  const auto first = ask(call::ListResources{ResourceKind::phone, "", "a&b", "", 2});
  EXPECT_EQ(line(), "GET /devices?page=1&size=2&q=a%26b");
  answer(200, R"({"items":[{"id":"1"},{"id":"2"}],"next":true,"page":1})");
  EXPECT_EQ(reply_of<call::Resources>(first).resources.size(), 2u);
  const std::string after = reply_of<call::Resources>(first).next;
  EXPECT_EQ(after, "2.2.0");
  // The caller wants less than the page has.
  const auto second = ask(call::ListResources{ResourceKind::phone, "", "a&b", after, 1});
  EXPECT_EQ(line(), "GET /devices?page=2&size=2&q=a%26b");
  answer(200, R"({"items":[{"id":"3"},{"id":"4"}]})");
  EXPECT_EQ(reply_of<call::Resources>(second).next, "2.2.1");
  const auto third = ask(call::ListResources{ResourceKind::phone, "", "a&b", "2.2.1", 1});
  answer(200, R"({"items":[{"id":"3"},{"id":"4"}]})");
  const auto page = reply_of<call::Resources>(third);
  ASSERT_EQ(page.resources.size(), 1u);
  EXPECT_EQ(std::get<call::Phone>(page.resources[0]).id, "4");
  EXPECT_EQ(page.next, "");
  // A server that does not know `size`.
  const auto all = ask(call::ListResources{ResourceKind::user, "", "", "", 2});
  answer(200, R"({"items":[{"id":"1"},{"id":"2"},{"id":"3"}]})");
  EXPECT_EQ(reply_of<call::Resources>(all).resources.size(), 2u);
  EXPECT_EQ(reply_of<call::Resources>(all).next, "1.2.2");
  for (const char* wrong : {"x", "1", "1.2", "0.2.0", "1.0.0", "1.501.0", "1.2.3x", "-1.2.0"}) {
    EXPECT_EQ(verdict(ask(call::ListResources{ResourceKind::user, "", "", wrong, 2})),
              "page_token_invalid")
        << wrong;
  }
  const auto none = ask(call::ListResources{ResourceKind::agent, "", "", "", 10'000});
  EXPECT_EQ(line(), "GET /call_center/agents?page=1&size=500");
  answer(200, "{}");
  EXPECT_THAT(reply_of<call::Resources>(none).resources, IsEmpty());
}

TEST_F(WebitelProvisioning, GetsAndDeletes) {
  const auto get = ask(call::GetResource{ResourceKind::user, "", "44"});
  EXPECT_EQ(line(), "GET /users/44");
  answer(200, kUser);
  EXPECT_EQ(resource_of<call::User>(get).name, "Eve");
  const std::pair<call::DeleteResource, const char*> kCases[] = {
      {{ResourceKind::phone, "", "7"}, "DELETE /devices/7?permanent=true"},
      {{ResourceKind::user, "", "44"}, "DELETE /users/44?permanent=true"},
      {{ResourceKind::user_token, "44", "3"}, "DELETE /users/44/tokens/3"},
      {{ResourceKind::agent, "", "6"}, "DELETE /call_center/agents/6"},
  };
  for (const auto& [order, asked] : kCases) {
    const auto id = ask(order);
    EXPECT_EQ(line(), asked);
    answer(200, R"([{"id":"7"}])");
    reply_of<call::Deleted>(id);
    const auto missing = ask(order);
    answer(500, R"({"id":"app.not_found","code":404,"detail":"no rows"})");
    EXPECT_THAT(verdict(missing), StartsWith("resource_not_found: the PBX has no such "));
  }
}

TEST_F(WebitelProvisioning, LetsNothingIntoPathsButNumbers) {
  for (const char* wrong : {"", "..", "1/2", "1?x=1", "a", "1 "}) {
    EXPECT_THAT(verdict(ask(call::GetResource{ResourceKind::phone, "", wrong})),
                StartsWith("invalid_argument: name: "));
    EXPECT_THAT(verdict(ask(call::DeleteResource{ResourceKind::user, "", wrong})),
                StartsWith("invalid_argument: name: "));
    EXPECT_THAT(verdict(ask(call::GetResource{ResourceKind::user_token, wrong, "1"})),
                StartsWith("invalid_argument: name: "));
    EXPECT_THAT(verdict(ask(call::ListResources{ResourceKind::user_token, wrong, "", "", 1})),
                StartsWith("invalid_argument: parent: "));
    EXPECT_THAT(verdict(ask(call::CreateUserToken{wrong, ""})),
                StartsWith("invalid_argument: parent: "));
  }
  EXPECT_THAT(requests, IsEmpty());
}

TEST_F(WebitelProvisioning, NamesTheFieldThatIsWrong) {
  const auto begins = [&](const call::Order& order) {
    const std::string words = verdict(ask(order));
    const std::string_view kError = "invalid_argument: ";
    return words.starts_with(kError)
               ? words.substr(kError.size(), words.find(':', kError.size()) - kError.size())
               : words;
  };
  EXPECT_EQ(begins(call::CreatePhone{"", "1", "", ""}), "device.display_name");
  EXPECT_EQ(begins(call::CreatePhone{"a", "", "", ""}), "device.account");
  EXPECT_EQ(begins(call::CreatePhone{"a", "1", std::string(1'025, 'x'), ""}), "device.password");
  EXPECT_EQ(begins(call::CreatePhone{"a", "1", "", "x"}), "device.user");
  EXPECT_EQ(begins(call::CreateUser{"a", "", "", "", {}, {}, {}, {}}), "user.login");
  EXPECT_EQ(begins(call::CreateUser{"a", "b\n", "", "", {}, {}, {}, {}}), "user.login");
  EXPECT_EQ(begins(call::CreateUser{"a", "b", "", "", {}, {"x"}, {}, {}}), "user.devices");
  EXPECT_EQ(begins(call::CreateUser{"a", "b", "", "", {}, {}, {""}, {}}), "user.roles");
  EXPECT_EQ(
      begins(call::CreateUser{"a", "b", "", "", {}, {}, {}, std::vector<std::string>(65, "1")}),
      "user.licences");
  EXPECT_EQ(begins(call::CreateAgent{"", "", 1, 1, 1}), "agent.user");
  EXPECT_EQ(begins(call::CreateAgent{"1", "x", 1, 1, 1}), "agent.team");
  EXPECT_EQ(begins(call::CreateAgent{"1", "", 0, 1, 1}), "agent.max_chats");
  EXPECT_EQ(begins(call::CreateAgent{"1", "", 1, 1, 1'001}), "agent.max_calls");
  EXPECT_THAT(requests, IsEmpty());
}

TEST_F(WebitelProvisioning, TellsWhyThePbxRefused) {
  const auto verdict_of = [&](unsigned status, std::string_view body) {
    const auto id = ask(phone());
    answer(status, body);
    return verdict(id);
  };
  EXPECT_EQ(verdict_of(409, ""), "already_exists: the PBX has such a device already");
  EXPECT_EQ(verdict_of(500, R"({"code":400,"id":"x","detail":"ERROR: duplicate key value"})"),
            "already_exists: the PBX has such a device already");
  EXPECT_EQ(verdict_of(400, R"({"id":"x.y","detail":"Account 101 already exists"})"),
            "already_exists: the PBX has such a device already");
  EXPECT_EQ(verdict_of(400, R"({"id":"model.valid.account","detail":"account is too short"})"),
            "invalid_argument: device: the PBX says: account is too short");
  EXPECT_EQ(verdict_of(400, R"({"id":"model.valid","detail":"password pa55word is too short"})"),
            "invalid_argument: device: the PBX refused it: model.valid");
  EXPECT_EQ(verdict_of(400, R"({"id":"model.valid","detail":"t s3rv1cet0kens3rv1cet0ken00"})"),
            "invalid_argument: device: the PBX refused it: model.valid");
  EXPECT_EQ(verdict_of(404, R"({"detail":"user not found"})"),
            "resource_not_found: the PBX does not have what the device is for");
  EXPECT_THAT(verdict_of(401, ""), StartsWith("credentials_refused"));
  EXPECT_EQ(verdict_of(403, R"({"detail":"userId=1, permission=devices access=create"})"),
            "permission_denied: the service user lacks the permission devices create");
  EXPECT_EQ(verdict_of(412, R"({"id":"api.context.permissions.license"})"),
            "permission_denied: the service user has no licence for this");
  EXPECT_THAT(verdict_of(429, ""), StartsWith("too_many_requests"));
  EXPECT_EQ(verdict_of(500, R"({"id":"store.device.create","detail":"pa55word"})"),
            "pbx_refused: the PBX refused it: store.device.create");
}

TEST_F(WebitelProvisioning, KnowsNotWhatBecameOfAnOrderWithoutAReply) {
  const auto verdict_of = [&](const call::Order& order, auto... what) {
    const auto id = ask(order);
    answer(what...);
    return verdict(id);
  };
  const call::Order orders[] = {phone(), call::CreateUserToken{"44", ""},
                                call::DeleteResource{ResourceKind::user, "", "44"}};
  for (const call::Order& order : orders) {
    EXPECT_THAT(verdict_of(order, Errc::timed_out), StartsWith("outcome_unknown"));
    EXPECT_THAT(verdict_of(order, Errc::link_lost), StartsWith("outcome_unknown"));
    EXPECT_THAT(verdict_of(order, Errc::message_too_big), StartsWith("outcome_unknown"));
    EXPECT_THAT(verdict_of(order, 504u, "<html>"), StartsWith("outcome_unknown"));
    EXPECT_THAT(verdict_of(order, Errc::connect_failed), StartsWith("pbx_disconnected"));
    EXPECT_THAT(verdict_of(order, Errc::too_many_requests), StartsWith("too_many_requests"));
    const auto silent = ask(order);
    pass(10s);
    EXPECT_THAT(verdict(silent), StartsWith("outcome_unknown"));
    answer(200, kPhone);  // nobody waits any more
  }
  for (const char* body : {"", "[]", "{}", R"({"name":"Desk"})", R"({"id":)", "nonsense"}) {
    EXPECT_THAT(verdict_of(phone(), 200u, body), StartsWith("outcome_unknown")) << body;
  }
  const call::Order get = call::GetResource{ResourceKind::phone, "", "1"};
  EXPECT_THAT(verdict_of(get, Errc::timed_out), StartsWith("timed_out"));
  EXPECT_THAT(verdict_of(get, Errc::link_lost), StartsWith("pbx_disconnected"));
  EXPECT_THAT(verdict_of(get, 504u, ""), StartsWith("pbx_refused"));
  EXPECT_THAT(verdict_of(get, 200u, "{}"), StartsWith("pbx_refused"));
  const call::Order list = call::ListResources();
  EXPECT_THAT(verdict_of(list, 200u, "[]"), StartsWith("pbx_refused"));
  EXPECT_THAT(verdict_of(list, 200u, R"({"items":{}})"), StartsWith("pbx_refused"));
  const auto silent = ask(get, 1s);
  pass(1s);
  EXPECT_THAT(verdict(silent), StartsWith("timed_out"));
  EXPECT_THAT(verdict(ask(get, 0ms)), StartsWith("timed_out"));
}

TEST_F(WebitelProvisioning, CountsWhatItCannotReadOfAList) {
  const auto id = ask(call::ListResources());
  answer(200, R"({"items":[{"name":"x"},7,{"id":"1"}]})");
  EXPECT_EQ(reply_of<call::Resources>(id).resources.size(), 1u);
  EXPECT_THAT(told.back(), HasSubstr("devices: 2 of them"));
}

TEST_F(WebitelProvisioning, ShowsAnAgentsDesk) {
  const auto id = ask(call::GetAgentSession{call::DeviceId("101")});
  EXPECT_EQ(line(), "GET /call_center/agents?page=1&size=100&user_id=10");
  answer(200, R"({"items":[{"id":"8","user":{"id":"99"},"status":"online"},)"
              R"({"id":"5","user":{"id":"10","name":"Ann"},"status":"online","is_supervisor":true,)"
              R"("status_payload":"","last_status_change":"1795250000000",)"
              R"("team":{"id":"1","name":"Sales"},"channel":[{"channel":"chat","state":"waiting"},)"
              R"({"channel":"call","state":"wrap_time","joined_at":"1795250001000"}]}]})");
  EXPECT_EQ(line(), "GET /call_center/agents/5/pause_causes");
  answer(200, R"({"items":[{"id":"1","name":"lunch"},{"id":"2","name":"break"}]})");
  const auto desk = reply_of<call::AgentSession>(id);
  EXPECT_EQ(desk.agent, "5");
  EXPECT_EQ(desk.state, call::AgentState::working_after_call);
  EXPECT_EQ(desk.since, call::Time(std::chrono::milliseconds(1'795'250'000'000)));
  EXPECT_EQ(desk.team, (call::Named{"1", "Sales"}));
  EXPECT_THAT(desk.pause_causes, ElementsAre("lunch", "break"));
  EXPECT_TRUE(desk.supervisor);
  ASSERT_EQ(desk.channels.size(), 2u);
  EXPECT_EQ(desk.channels[1].state, "wrap_time");
  EXPECT_EQ(desk.channels[1].since, call::Time(std::chrono::milliseconds(1'795'250'001'000)));
}

TEST_F(WebitelProvisioning, FailsAtEachStepOfADesk) {
  constexpr std::string_view kAgents =
      R"({"items":[{"id":"5","user":{"id":"10"},"status":"offline","channel":{"channel":"call"}}]})";
  const auto desk = [&] { return ask(call::GetAgentSession{call::DeviceId("101")}); };
  const auto none = desk();
  answer(200, R"({"items":[]})");
  EXPECT_THAT(verdict(none), StartsWith("resource_not_found"));
  const auto odd = desk();
  answer(200, R"({"items":[{"id":"../1","user":{"id":"10"}}]})");
  EXPECT_THAT(verdict(odd), StartsWith("resource_not_found"));
  const auto denied = desk();
  answer(403, R"({"detail":"permission=cc_agent access=read"})");
  EXPECT_EQ(verdict(denied),
            "permission_denied: the service user lacks the permission cc_agent read");
  const auto malformed = desk();
  answer(200, "nonsense");
  EXPECT_THAT(verdict(malformed), StartsWith("pbx_refused"));
  const auto lost = desk();
  answer(Errc::link_lost);
  EXPECT_THAT(verdict(lost), StartsWith("pbx_disconnected"));

  const auto no_causes = desk();
  answer(200, kAgents);
  answer(404, "");
  EXPECT_EQ(reply_of<call::AgentSession>(no_causes).state, call::AgentState::logged_off);
  EXPECT_THAT(reply_of<call::AgentSession>(no_causes).pause_causes, IsEmpty());
  const auto second = desk();
  answer(200, kAgents);
  answer(500, "");
  EXPECT_THAT(verdict(second), StartsWith("pbx_refused"));
  const auto unreadable = desk();
  answer(200, kAgents);
  answer(200, "[]");
  EXPECT_THAT(verdict(unreadable), StartsWith("pbx_refused"));
  const auto silent = desk();
  pass(9s);
  answer(200, kAgents);
  pass(9s);
  EXPECT_EQ(verdict(silent), "open");  // each request has its time
  pass(2s);
  EXPECT_THAT(verdict(silent), StartsWith("timed_out"));
  EXPECT_THAT(verdict(ask(call::GetAgentSession{call::DeviceId("9")})),
              StartsWith("device_not_found"));
}

TEST_F(WebitelProvisioning, IsLimitedInOrders) {
  for (std::size_t i = 0; i < Provisioning::kOrdersMax; ++i) ask(phone());
  EXPECT_THAT(verdict(ask(phone())), StartsWith("too_many_requests"));
  pass(10s);
  EXPECT_THAT(verdict(1), StartsWith("outcome_unknown"));
  EXPECT_EQ(provisioning.deadline(), TimePoint::max());
  Effects effects;
  EXPECT_FALSE(provisioning.on_http(999, HttpReply{200, {}, {}}, now, effects));
}

TEST(WebitelAgents, AreWhatTheirStatusAndTheirChannelSay) {
  using call::AgentState;
  EXPECT_EQ(agent_state_of("online", ""), AgentState::ready);
  EXPECT_EQ(agent_state_of("online", "waiting"), AgentState::ready);
  EXPECT_EQ(agent_state_of("online", "bridged"), AgentState::busy);
  EXPECT_EQ(agent_state_of("online", "processing"), AgentState::working_after_call);
  EXPECT_EQ(agent_state_of("pause", "bridged"), AgentState::not_ready);
  EXPECT_EQ(agent_state_of("break_out", ""), AgentState::not_ready);
  EXPECT_EQ(agent_state_of("offline", "bridged"), AgentState::logged_off);
  EXPECT_EQ(agent_state_of("new word", ""), AgentState::unknown);
}

TEST_F(WebitelProvisioning, MakesNoTokenThatTheGatewayWouldTakeForItsOwn) {
  const auto id = ask(call::CreateUserToken{"10", "pbx-gateway"});
  EXPECT_EQ(line(), "");
  EXPECT_THAT(verdict(id), HasSubstr("user_token.purpose"));
}

}  // namespace
}  // namespace pbx::webitel
