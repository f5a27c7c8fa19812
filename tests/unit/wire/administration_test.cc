#include "wire/administration.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>

#include "wire/names.h"
#include "wire/sensitive.h"

namespace wire {
namespace {

namespace v1 = pbxgw::v1;
namespace pv1 = pbxgw::provisioning::v1;
using base::Errc;
using base::TenantId;
using testing::ElementsAre;

const TenantId kAcme("acme");

call::Time at(std::int64_t seconds) { return call::Time(std::chrono::seconds(seconds)); }

template <class Wanted>
Wanted read(const v1::Order& order) {
  const auto read = from_proto(kAcme, order);
  EXPECT_TRUE(read);
  return read ? std::get<Wanted>(*read) : Wanted();
}

TEST(Administration, OrdersToCreateSayAllThatWasAskedFor) {
  v1::Order order;
  auto& device = *order.mutable_create_device();
  device.set_parent("tenants/acme");
  device.mutable_device()->set_display_name("Ann's");
  device.mutable_device()->set_account("sip17");
  device.mutable_device()->set_password("p4ss");
  device.mutable_device()->set_user("tenants/acme/users/a_2fb");
  const auto phone = read<call::CreatePhone>(order);
  EXPECT_EQ(phone.name, "Ann's");
  EXPECT_EQ(phone.account, "sip17");
  EXPECT_EQ(phone.password, "p4ss");
  EXPECT_EQ(phone.user, "a/b");

  auto& user = *order.mutable_create_user();
  user.set_parent("tenants/acme");
  user.mutable_user()->set_display_name("Ann");
  user.mutable_user()->set_login("ann");
  user.mutable_user()->set_password("s3cret");
  user.mutable_user()->set_e_mail("ann@acme.example");
  user.mutable_user()->set_extension("17");
  user.mutable_user()->add_devices()->set_device("tenants/acme/phones/7287");
  user.mutable_user()->add_devices()->set_device("tenants/acme/phones/7288");
  user.mutable_user()->add_roles()->set_id("4");
  user.mutable_user()->add_licences()->set_id("9");
  const auto ann = read<call::CreateUser>(order);
  EXPECT_EQ(ann.name, "Ann");
  EXPECT_EQ(ann.login, "ann");
  EXPECT_EQ(ann.password, "s3cret");
  EXPECT_EQ(ann.e_mail, "ann@acme.example");
  EXPECT_EQ(ann.extension.str(), "17");
  EXPECT_THAT(ann.phones, ElementsAre("7287", "7288"));
  EXPECT_THAT(ann.roles, ElementsAre("4"));
  EXPECT_THAT(ann.licences, ElementsAre("9"));

  order.mutable_create_user_token()->set_parent("tenants/acme/users/12");
  order.mutable_create_user_token()->mutable_user_token()->set_purpose("wall board");
  const auto token = read<call::CreateUserToken>(order);
  EXPECT_EQ(token.user, "12");
  EXPECT_EQ(token.purpose, "wall board");

  auto& agent = *order.mutable_create_agent();
  agent.set_parent("tenants/acme");
  agent.mutable_agent()->set_user("tenants/acme/users/12");
  agent.mutable_agent()->mutable_team()->set_id("3");
  agent.mutable_agent()->set_max_chats(2);
  agent.mutable_agent()->set_max_calls(4);
  const auto ordered = read<call::CreateAgent>(order);
  EXPECT_EQ(ordered.user, "12");
  EXPECT_EQ(ordered.team, "3");
  EXPECT_EQ(ordered.chats, 2U);
  EXPECT_EQ(ordered.tasks, 1U);
  EXPECT_EQ(ordered.calls, 4U);
}

TEST(Administration, OrdersToListGetAndDeleteNameTheirKind) {
  v1::Order order;
  order.mutable_list_users()->set_parent("tenants/acme");
  order.mutable_list_users()->set_page_size(37);
  order.mutable_list_users()->set_page_token("2");
  order.mutable_list_users()->set_text("an");
  auto list = read<call::ListResources>(order);
  EXPECT_EQ(list.kind, call::ResourceKind::user);
  EXPECT_EQ(list.user, "");
  EXPECT_EQ(list.text, "an");
  EXPECT_EQ(list.after, "2");
  EXPECT_EQ(list.limit, 37U);

  order.mutable_list_user_tokens()->set_parent("tenants/acme/users/12");
  order.mutable_list_user_tokens()->set_page_size(1);
  list = read<call::ListResources>(order);
  EXPECT_EQ(list.kind, call::ResourceKind::user_token);
  EXPECT_EQ(list.user, "12");

  order.mutable_list_devices()->set_parent("tenants/acme");
  order.mutable_list_devices()->set_page_size(1);
  EXPECT_EQ(read<call::ListResources>(order).kind, call::ResourceKind::phone);
  order.mutable_list_agents()->set_parent("tenants/acme");
  order.mutable_list_agents()->set_page_size(1);
  EXPECT_EQ(read<call::ListResources>(order).kind, call::ResourceKind::agent);

  const auto check = [&](auto wanted, call::ResourceKind kind, const char* user, const char* id) {
    const auto it = read<decltype(wanted)>(order);
    EXPECT_EQ(it.kind, kind);
    EXPECT_EQ(it.user, user);
    EXPECT_EQ(it.id, id);
  };
  using call::DeleteResource;
  using call::GetResource;
  order.mutable_get_device()->set_name("tenants/acme/phones/7");
  check(GetResource(), call::ResourceKind::phone, "", "7");
  order.mutable_get_user()->set_name("tenants/acme/users/7");
  check(GetResource(), call::ResourceKind::user, "", "7");
  order.mutable_get_user_token()->set_name("tenants/acme/users/12/tokens/7");
  check(GetResource(), call::ResourceKind::user_token, "12", "7");
  order.mutable_get_agent()->set_name("tenants/acme/agents/7");
  check(GetResource(), call::ResourceKind::agent, "", "7");
  order.mutable_delete_device()->set_name("tenants/acme/phones/7");
  check(DeleteResource(), call::ResourceKind::phone, "", "7");
  order.mutable_delete_user()->set_name("tenants/acme/users/7");
  check(DeleteResource(), call::ResourceKind::user, "", "7");
  order.mutable_delete_user_token()->set_name("tenants/acme/users/12/tokens/7");
  check(DeleteResource(), call::ResourceKind::user_token, "12", "7");
  order.mutable_delete_agent()->set_name("tenants/acme/agents/7");
  check(DeleteResource(), call::ResourceKind::agent, "", "7");

  order.mutable_get_agent_session()->set_device_id("17");
  EXPECT_EQ(read<call::GetAgentSession>(order).device.str(), "17");
}

TEST(Administration, WhatDidNotComeThroughControlIsRefused) {
  const auto refused = [](auto fill) {
    v1::Order order;
    fill(order);
    return from_proto(kAcme, order).has_error();
  };
  EXPECT_TRUE(refused([](v1::Order&) {}));
  EXPECT_TRUE(refused([](auto& it) { it.mutable_create_device()->set_parent("tenants/other"); }));
  EXPECT_TRUE(refused([](auto& it) { it.mutable_create_user(); }));
  EXPECT_TRUE(refused([](auto& it) {
    it.mutable_create_user()->set_parent("tenants/acme");
    it.mutable_create_user()->mutable_user()->add_devices()->set_device("tenants/other/phones/7");
  }));
  EXPECT_TRUE(refused([](auto& it) { it.mutable_create_user_token(); }));
  EXPECT_TRUE(refused([](auto& it) { it.mutable_create_agent()->set_parent("tenants/acme"); }));
  EXPECT_TRUE(refused([](auto& it) {
    it.mutable_create_agent()->set_parent("tenants/acme");
    it.mutable_create_agent()->mutable_agent()->set_user("tenants/acme/users/1");
    it.mutable_create_agent()->mutable_agent()->set_max_calls(-1);
  }));
  EXPECT_TRUE(refused([](auto& it) { it.mutable_list_users()->set_parent("tenants/acme"); }));
  EXPECT_TRUE(refused([](auto& it) { it.mutable_list_user_tokens()->set_page_size(1); }));
  EXPECT_TRUE(refused([](auto& it) { it.mutable_get_user()->set_name("tenants/acme/phones/7"); }));
  EXPECT_TRUE(refused([](auto& it) { it.mutable_get_user()->set_name("tenants/other/users/7"); }));
}

TEST(Administration, ResultsSayAllThatThePbxSaid) {
  call::Phone phone{"7287", "Ann's", "sip17", "12", at(1'760'000'000)};
  const auto device = to_proto(kAcme, phone).device();
  EXPECT_EQ(device.name(), "tenants/acme/phones/7287");
  EXPECT_EQ(device.display_name(), "Ann's");
  EXPECT_EQ(device.account(), "sip17");
  EXPECT_EQ(device.password(), "");
  EXPECT_EQ(device.user(), "tenants/acme/users/12");
  EXPECT_EQ(device.create_time().seconds(), 1'760'000'000);
  EXPECT_FALSE(to_proto(kAcme, call::Phone{"1", "", "", "", {}}).device().has_create_time());
  EXPECT_EQ(to_proto(kAcme, call::Phone{"1", "", "", "", {}}).device().user(), "");

  call::User ann;
  ann.id = "12";
  ann.name = "Ann";
  ann.login = "ann";
  ann.e_mail = "ann@acme.example";
  ann.extension = call::DeviceId("17");
  ann.phones = {{"7287", "Ann's"}};
  ann.roles = {{"4", "user"}};
  ann.licences = {{"9", "CALL_CENTER"}};
  ann.made = at(1'760'000'001);
  const auto user = to_proto(kAcme, ann).user();
  EXPECT_EQ(user.name(), "tenants/acme/users/12");
  EXPECT_EQ(user.display_name(), "Ann");
  EXPECT_EQ(user.login(), "ann");
  EXPECT_EQ(user.e_mail(), "ann@acme.example");
  EXPECT_EQ(user.extension(), "17");
  EXPECT_EQ(user.devices(0).device(), "tenants/acme/phones/7287");
  EXPECT_EQ(user.devices(0).display_name(), "Ann's");
  EXPECT_EQ(user.roles(0).id(), "4");
  EXPECT_EQ(user.roles(0).display_name(), "user");
  EXPECT_EQ(user.licences(0).id(), "9");
  EXPECT_EQ(user.licences(0).display_name(), "CALL_CENTER");
  EXPECT_EQ(user.create_time().seconds(), 1'760'000'001);

  const auto token =
      to_proto(kAcme, call::UserToken{"5", "12", "wall board", "t0k3n", at(3)}).user_token();
  EXPECT_EQ(token.name(), "tenants/acme/users/12/tokens/5");
  EXPECT_EQ(token.purpose(), "wall board");
  EXPECT_EQ(token.token(), "t0k3n");
  EXPECT_EQ(token.create_time().seconds(), 3);

  call::Agent its_agent;
  its_agent.id = "6";
  its_agent.user = {"12", "Ann"};
  its_agent.team = {"3", "Sales"};
  its_agent.extension = call::DeviceId("17");
  its_agent.state = call::AgentState::not_ready;
  its_agent.reason = "lunch";
  const auto agent = to_proto(kAcme, its_agent).agent();
  EXPECT_EQ(agent.name(), "tenants/acme/agents/6");
  EXPECT_EQ(agent.user(), "tenants/acme/users/12");
  EXPECT_EQ(agent.display_name(), "Ann");
  EXPECT_EQ(agent.team().id(), "3");
  EXPECT_EQ(agent.team().display_name(), "Sales");
  EXPECT_EQ(agent.extension(), "17");
  EXPECT_EQ(agent.state(), pv1::AGENT_STATE_NOT_READY);
  EXPECT_EQ(agent.state_reason(), "lunch");
  EXPECT_FALSE(to_proto(kAcme, call::Agent()).agent().has_team());
}

TEST(Administration, RepliesBecomeResults) {
  EXPECT_EQ(result_of(kAcme, call::OrderReply(call::Resource(call::Phone{"7", "", "", "", {}})))
                .resource()
                .device()
                .name(),
            "tenants/acme/phones/7");
  call::Resources page;
  page.resources = {call::User(), call::User()};
  page.next = "3";
  const auto told = result_of(kAcme, call::OrderReply(page)).page();
  EXPECT_EQ(told.resources_size(), 2);
  EXPECT_TRUE(told.resources(1).has_user());
  EXPECT_EQ(told.next(), "3");
  EXPECT_TRUE(result_of(kAcme, call::OrderReply(call::Deleted())).has_deleted());
  EXPECT_EQ(result_of(kAcme, call::OrderReply(call::Refusal{Errc::pbx_refused, ""})).body_case(),
            v1::OrderResult::BODY_NOT_SET);

  call::AgentSession session;
  session.agent = "6";
  session.state = call::AgentState::ready;
  session.reason = "back";
  session.since = at(5);
  session.team = {"3", "Sales"};
  session.pause_causes = {"lunch", "training"};
  session.channels = {{"call", "waiting", at(6)}, {"chat", "offline", {}}};
  session.supervisor = true;
  const auto desk = result_of(kAcme, call::OrderReply(session)).agent_session();
  EXPECT_EQ(desk.agent_id(), "6");
  EXPECT_EQ(desk.state(), v1::AGENT_STATE_READY);
  EXPECT_EQ(desk.state_reason(), "back");
  EXPECT_EQ(desk.state_time().seconds(), 5);
  EXPECT_EQ(desk.team_id(), "3");
  EXPECT_EQ(desk.team_name(), "Sales");
  EXPECT_THAT(desk.pause_causes(), ElementsAre("lunch", "training"));
  EXPECT_EQ(desk.channels(0).channel(), "call");
  EXPECT_EQ(desk.channels(0).state(), "waiting");
  EXPECT_EQ(desk.channels(0).state_time().seconds(), 6);
  EXPECT_FALSE(desk.channels(1).has_state_time());
  EXPECT_TRUE(desk.supervisor());
}

TEST(Administration, WhatAPbxCallsTextIsUtf8ByThen) {
  call::User user;
  user.id = "\xff/1";
  user.name = "Jos\xe9";
  user.roles = {{"\xfe", "\xfd"}};
  pbxgw::v1::OrderResult::Resource heard;
  EXPECT_TRUE(heard.ParseFromString(to_proto(kAcme, user).SerializeAsString()));
  EXPECT_EQ(heard.user().display_name(), "Jos\xef\xbf\xbd");
  EXPECT_EQ(heard.user().name(), "tenants/acme/users/_ff_2f1");
}

TEST(Administration, KnowsWhatAnOrderIsCalledAndWhatItIsAbout) {
  v1::Order order;
  EXPECT_EQ(rpc_of(order), "");
  EXPECT_EQ(resource_of(order), "");
  EXPECT_FALSE(changes_something(order));
  order.mutable_list_user_tokens()->set_parent("tenants/acme/users/12");
  EXPECT_EQ(rpc_of(order), "ListUserTokens");
  EXPECT_EQ(resource_of(order), "tenants/acme/users/12");
  EXPECT_FALSE(changes_something(order));
  order.mutable_delete_agent()->set_name("tenants/acme/agents/6");
  EXPECT_EQ(rpc_of(order), "DeleteAgent");
  EXPECT_EQ(resource_of(order), "tenants/acme/agents/6");
  EXPECT_TRUE(changes_something(order));
  order.mutable_create_device()->set_parent("tenants/acme");
  EXPECT_EQ(rpc_of(order), "CreateDevice");
  EXPECT_TRUE(changes_something(order));
  order.mutable_get_agent_session()->set_device_id("17");
  EXPECT_EQ(rpc_of(order), "GetAgentSession");
  EXPECT_EQ(resource_of(order), "");
  EXPECT_FALSE(changes_something(order));
}

// The call:: side says the same of every order that there is.
TEST(Administration, AgreesWithTheModelOnWhatChangesSomething) {
  const auto* orders = v1::Order::descriptor();
  int seen = 0;
  for (int i = 0; i < orders->field_count(); ++i) {
    v1::Order order;
    auto& request = *order.GetReflection()->MutableMessage(&order, orders->field(i));
    const auto set = [&](const char* field, const std::string& text) {
      if (const auto* it = request.GetDescriptor()->FindFieldByName(field)) {
        request.GetReflection()->SetString(&request, it, text);
      }
    };
    const std::string rpc = rpc_of(order);
    const bool token = rpc.find("UserToken") != std::string::npos;
    set("parent", token ? "tenants/acme/users/1" : "tenants/acme");
    for (const char* name : {"tenants/acme/phones/1", "tenants/acme/users/1",
                             "tenants/acme/users/1/tokens/1", "tenants/acme/agents/1"}) {
      set("name", name);
      if (from_proto(kAcme, order)) break;
    }
    if (const auto* size = request.GetDescriptor()->FindFieldByName("page_size")) {
      request.GetReflection()->SetInt32(&request, size, 1);
    }
    if (order.has_create_agent()) {
      order.mutable_create_agent()->mutable_agent()->set_user("tenants/acme/users/1");
    }
    const auto read = from_proto(kAcme, order);
    ASSERT_TRUE(read) << rpc;
    EXPECT_EQ(changes_something(order), call::changes_something(*read)) << rpc;
    ++seen;
  }
  EXPECT_EQ(seen, 17);
}

TEST(Sensitive, IsClearedAtAnyDepth) {
  v1::OwnerRequest request;
  auto& user = *request.mutable_order()->mutable_create_user()->mutable_user();
  user.set_login("ann");
  v1::OwnerRequest bare = request;
  user.set_password("s3cret");
  clear_sensitive(request);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(request, bare));

  v1::OwnerReply reply;
  auto& page = *reply.mutable_order_result()->mutable_page();
  for (const char* secret : {"one", "two"}) {
    page.add_resources()->mutable_user_token()->set_token(secret);
  }
  page.mutable_resources(0)->mutable_user_token()->set_purpose("wall board");
  clear_sensitive(reply);
  EXPECT_EQ(page.resources(0).user_token().token(), "");
  EXPECT_EQ(page.resources(1).user_token().token(), "");
  EXPECT_EQ(page.resources(0).user_token().purpose(), "wall board");
}

}  // namespace
}  // namespace wire
