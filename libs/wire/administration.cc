#include "wire/administration.h"

#include <string_view>
#include <utility>

#include <google/protobuf/descriptor.h>

#include "base/overloaded.h"
#include "wire/enums.h"
#include "wire/names.h"
#include "wire/text.h"
#include "wire/time.h"

namespace wire {
namespace {

namespace pv1 = pbxgw::provisioning::v1;
using base::Errc;
using base::Result;
using base::TenantId;
using call::Order;
using call::ResourceKind;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

static_assert(static_cast<int>(pv1::AGENT_STATE_WORKING_AFTER_CALL) ==
                  static_cast<int>(v1::AGENT_STATE_WORKING_AFTER_CALL) &&
              static_cast<int>(pv1::AgentState_MAX) == static_cast<int>(v1::AgentState_MAX));

// ---- Orders.

using Parser = Result<ResourceName> (*)(std::string_view name);

// The parser of the names of a kind.
Parser parser_of(ResourceKind kind) {
  switch (kind) {
    case ResourceKind::phone: return &parse_phone;
    case ResourceKind::user: return &parse_user;
    case ResourceKind::user_token: return &parse_user_token;
    case ResourceKind::agent: return &parse_agent;
  }
  return &parse_phone;
}

// A name of this tenant's.
Result<ResourceName> read(const TenantId& tenant, ResourceKind kind, const std::string& name) {
  auto parsed = parser_of(kind)(name);
  if (parsed && parsed->tenant != tenant) return Errc::invalid_argument;
  return parsed;
}

// Whose it is: an id, or nobody's.
bool read_user(const TenantId& tenant, const std::string& name, std::string& out) {
  if (name.empty()) return true;
  auto user = read(tenant, ResourceKind::user, name);
  if (user) out = std::move(user->id);
  return user.has_value();
}

bool is_parent(const TenantId& tenant, const std::string& name) {
  return name == tenant_name(tenant);
}

Result<Order> read(const TenantId& tenant, const pv1::CreateDeviceRequest& in) {
  const pv1::Device& device = in.device();
  call::CreatePhone out{device.display_name(), device.account(), device.password(), {}};
  if (!is_parent(tenant, in.parent()) || !read_user(tenant, device.user(), out.user)) {
    return Errc::invalid_argument;
  }
  return Order(std::move(out));
}

Result<Order> read(const TenantId& tenant, const pv1::CreateUserRequest& in) {
  if (!is_parent(tenant, in.parent())) return Errc::invalid_argument;
  const pv1::User& user = in.user();
  call::CreateUser out;
  out.name = user.display_name();
  out.login = user.login();
  out.password = user.password();
  out.e_mail = user.e_mail();
  out.extension = call::DeviceId(user.extension());
  for (const auto& device : user.devices()) {
    auto name = read(tenant, ResourceKind::phone, device.device());
    if (!name) return name.error();
    out.phones.push_back(std::move(name->id));
  }
  for (const auto& role : user.roles()) out.roles.push_back(role.id());
  for (const auto& licence : user.licences()) out.licences.push_back(licence.id());
  return Order(std::move(out));
}

Result<Order> read(const TenantId& tenant, const pv1::CreateUserTokenRequest& in) {
  auto user = read(tenant, ResourceKind::user, in.parent());
  if (!user) return user.error();
  return Order(call::CreateUserToken{std::move(user->id), in.user_token().purpose()});
}

// How many at a time; 0 stands for 1.
bool read_count(int in, unsigned& out) {
  if (in > 0) out = static_cast<unsigned>(in);
  return in >= 0;
}

Result<Order> read(const TenantId& tenant, const pv1::CreateAgentRequest& in) {
  const pv1::Agent& agent = in.agent();
  call::CreateAgent out;
  out.team = agent.team().id();
  if (!is_parent(tenant, in.parent()) || agent.user().empty() ||
      !read_user(tenant, agent.user(), out.user) || !read_count(agent.max_chats(), out.chats) ||
      !read_count(agent.max_tasks(), out.tasks) || !read_count(agent.max_calls(), out.calls)) {
    return Errc::invalid_argument;
  }
  return Order(std::move(out));
}

template <class Request>
Result<Order> read_list(const TenantId& tenant, ResourceKind kind, const Request& in) {
  call::ListResources out;
  out.kind = kind;
  if (kind == ResourceKind::user_token) {
    if (in.parent().empty() || !read_user(tenant, in.parent(), out.user)) {
      return Errc::invalid_argument;
    }
  } else if (!is_parent(tenant, in.parent())) {
    return Errc::invalid_argument;
  }
  if (in.page_size() <= 0) return Errc::invalid_argument;
  if constexpr (requires { in.text(); }) out.text = in.text();
  out.after = in.page_token();
  out.limit = static_cast<unsigned>(in.page_size());
  return Order(std::move(out));
}

// Wanted: GetResource or DeleteResource.
template <class Wanted, class Request>
Result<Order> read_one(const TenantId& tenant, ResourceKind kind, const Request& in) {
  auto name = read(tenant, kind, in.name());
  if (!name) return name.error();
  return Order(Wanted{kind, std::move(name->user), std::move(name->id)});
}

// ---- Results.

void write(const std::optional<call::Time>& time, auto&& place) {
  if (time) to_proto(*time, *place());
}

void write(const call::Named& in, pv1::Reference& out) {
  assign_text(*out.mutable_id(), in.id);
  assign_text(*out.mutable_display_name(), in.name);
}

void write(const TenantId& tenant, const call::Phone& in, pv1::Device& out) {
  out.set_name(phone_name(tenant, in.id));
  assign_text(*out.mutable_display_name(), in.name);
  assign_text(*out.mutable_account(), in.account);
  if (!in.user.empty()) out.set_user(user_name(tenant, in.user));
  write(in.made, [&] { return out.mutable_create_time(); });
}

void write(const TenantId& tenant, const call::User& in, pv1::User& out) {
  out.set_name(user_name(tenant, in.id));
  assign_text(*out.mutable_display_name(), in.name);
  assign_text(*out.mutable_login(), in.login);
  assign_text(*out.mutable_e_mail(), in.e_mail);
  assign_text(*out.mutable_extension(), in.extension.str());
  for (const call::Named& phone : in.phones) {
    auto& device = *out.add_devices();
    device.set_device(phone_name(tenant, phone.id));
    assign_text(*device.mutable_display_name(), phone.name);
  }
  for (const call::Named& role : in.roles) write(role, *out.add_roles());
  for (const call::Named& licence : in.licences) write(licence, *out.add_licences());
  write(in.made, [&] { return out.mutable_create_time(); });
}

void write(const TenantId& tenant, const call::UserToken& in, pv1::UserToken& out) {
  out.set_name(user_token_name(tenant, in.user, in.id));
  assign_text(*out.mutable_purpose(), in.purpose);
  assign_text(*out.mutable_token(), in.secret);
  write(in.made, [&] { return out.mutable_create_time(); });
}

void write(const TenantId& tenant, const call::Agent& in, pv1::Agent& out) {
  out.set_name(agent_name(tenant, in.id));
  if (!in.user.id.empty()) out.set_user(user_name(tenant, in.user.id));
  assign_text(*out.mutable_display_name(), in.user.name);
  if (in.team != call::Named()) write(in.team, *out.mutable_team());
  assign_text(*out.mutable_extension(), in.extension.str());
  out.set_state(static_cast<pv1::AgentState>(to_proto_enum(in.state)));
  assign_text(*out.mutable_state_reason(), in.reason);
}

// The request that the order is; nothing if it asks for nothing.
const FieldDescriptor* asked_by(const v1::Order& order) {
  if (order.body_case() == v1::Order::BODY_NOT_SET) return nullptr;
  return v1::Order::descriptor()->FindFieldByNumber(order.body_case());
}

}  // namespace

Result<Order> from_proto(const TenantId& tenant, const v1::Order& order) {
  using call::DeleteResource;
  using call::GetResource;
  constexpr auto kPhone = ResourceKind::phone;
  constexpr auto kUser = ResourceKind::user;
  constexpr auto kToken = ResourceKind::user_token;
  constexpr auto kAgent = ResourceKind::agent;
  switch (order.body_case()) {
    case v1::Order::kCreateDevice: return read(tenant, order.create_device());
    case v1::Order::kListDevices: return read_list(tenant, kPhone, order.list_devices());
    case v1::Order::kGetDevice: return read_one<GetResource>(tenant, kPhone, order.get_device());
    case v1::Order::kDeleteDevice:
      return read_one<DeleteResource>(tenant, kPhone, order.delete_device());
    case v1::Order::kCreateUser: return read(tenant, order.create_user());
    case v1::Order::kListUsers: return read_list(tenant, kUser, order.list_users());
    case v1::Order::kGetUser: return read_one<GetResource>(tenant, kUser, order.get_user());
    case v1::Order::kDeleteUser:
      return read_one<DeleteResource>(tenant, kUser, order.delete_user());
    case v1::Order::kCreateUserToken: return read(tenant, order.create_user_token());
    case v1::Order::kListUserTokens: return read_list(tenant, kToken, order.list_user_tokens());
    case v1::Order::kGetUserToken:
      return read_one<GetResource>(tenant, kToken, order.get_user_token());
    case v1::Order::kDeleteUserToken:
      return read_one<DeleteResource>(tenant, kToken, order.delete_user_token());
    case v1::Order::kCreateAgent: return read(tenant, order.create_agent());
    case v1::Order::kListAgents: return read_list(tenant, kAgent, order.list_agents());
    case v1::Order::kGetAgent: return read_one<GetResource>(tenant, kAgent, order.get_agent());
    case v1::Order::kDeleteAgent:
      return read_one<DeleteResource>(tenant, kAgent, order.delete_agent());
    case v1::Order::kGetAgentSession:
      return Order(call::GetAgentSession{call::DeviceId(order.get_agent_session().device_id())});
    case v1::Order::BODY_NOT_SET: break;
  }
  return Errc::invalid_argument;
}

v1::OrderResult::Resource to_proto(const TenantId& tenant, const call::Resource& resource) {
  v1::OrderResult::Resource out;
  std::visit(base::overloaded{
                 [&](const call::Phone& it) { write(tenant, it, *out.mutable_device()); },
                 [&](const call::User& it) { write(tenant, it, *out.mutable_user()); },
                 [&](const call::UserToken& it) { write(tenant, it, *out.mutable_user_token()); },
                 [&](const call::Agent& it) { write(tenant, it, *out.mutable_agent()); },
             },
             resource);
  return out;
}

v1::AgentSession to_proto(const call::AgentSession& session) {
  v1::AgentSession out;
  assign_text(*out.mutable_agent_id(), session.agent);
  out.set_state(to_proto_enum(session.state));
  assign_text(*out.mutable_state_reason(), session.reason);
  write(session.since, [&] { return out.mutable_state_time(); });
  assign_text(*out.mutable_team_id(), session.team.id);
  assign_text(*out.mutable_team_name(), session.team.name);
  for (const std::string& cause : session.pause_causes) assign_text(*out.add_pause_causes(), cause);
  for (const call::AgentChannel& channel : session.channels) {
    auto& told = *out.add_channels();
    assign_text(*told.mutable_channel(), channel.name);
    assign_text(*told.mutable_state(), channel.state);
    write(channel.since, [&] { return told.mutable_state_time(); });
  }
  out.set_supervisor(session.supervisor);
  return out;
}

v1::OrderResult result_of(const TenantId& tenant, const call::OrderReply& reply) {
  v1::OrderResult out;
  std::visit(base::overloaded{
                 [&](const call::Resource& it) { *out.mutable_resource() = to_proto(tenant, it); },
                 [&](const call::Resources& page) {
                   auto& told = *out.mutable_page();
                   for (const auto& it : page.resources)
                     *told.add_resources() = to_proto(tenant, it);
                   assign_text(*told.mutable_next(), page.next);
                 },
                 [&](const call::Deleted&) { out.mutable_deleted(); },
                 [&](const call::AgentSession& it) { *out.mutable_agent_session() = to_proto(it); },
                 [](const call::Refusal&) {},
             },
             reply);
  return out;
}

std::string rpc_of(const v1::Order& order) {
  const FieldDescriptor* asked = asked_by(order);
  if (!asked) return {};
  std::string_view name = asked->message_type()->name();
  constexpr std::string_view kEnd = "Request";
  if (name.ends_with(kEnd)) name.remove_suffix(kEnd.size());
  return std::string(name);
}

std::string resource_of(const v1::Order& order) {
  const FieldDescriptor* asked = asked_by(order);
  if (!asked) return {};
  const Message& request = order.GetReflection()->GetMessage(order, asked);
  for (const char* field : {"name", "parent"}) {
    if (const auto* found = request.GetDescriptor()->FindFieldByName(field)) {
      return request.GetReflection()->GetString(request, found);
    }
  }
  return {};
}

bool changes_something(const v1::Order& order) {
  const std::string rpc = rpc_of(order);
  return rpc.starts_with("Create") || rpc.starts_with("Delete");
}

}  // namespace wire
