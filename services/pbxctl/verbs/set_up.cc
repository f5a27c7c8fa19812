// phones, users, tokens, agents: what a PBX is set up with.
#include "pbxctl/verbs/set_up.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include <google/protobuf/util/time_util.h>

#include "pbxctl/verbs/declarations.h"
#include "wire/token.h"

namespace pbxctl {
namespace {

using google::protobuf::Timestamp;
using google::protobuf::util::TimeUtil;

constexpr int kPageMost = 1'000;

struct Arguments {
  std::string which, text;
  int count = 100;
};

std::string or_dash(const std::string& text) { return text.empty() ? "-" : printable(text); }
std::string id_or_dash(const std::string& name) { return name.empty() ? "-" : id_of(name); }

std::string made(bool is_known, const Timestamp& time) {
  if (!is_known) return "-";
  return TimeUtil::ToString(TimeUtil::SecondsToTimestamp(time.seconds()));
}

template <class References, class Show>
std::string list_of(const References& references, Show show) {
  std::string out;
  for (const auto& it : references) out.append(out.empty() ? "" : " ").append(show(it));
  return out.empty() ? "-" : out;
}

// The name if the PBX tells it, else the id.
std::string called(const pv1::Reference& it) {
  return or_dash(it.display_name().empty() ? it.id() : it.display_name());
}

std::vector<Cell> cells(const pv1::Device& it) {
  return {{id_of(it.name()), Color::bold},
          {or_dash(it.display_name())},
          {or_dash(it.account())},
          {id_or_dash(it.user())}};
}

std::vector<Cell> cells(const pv1::User& it) {
  const auto phone = [](const pv1::DeviceReference& device) { return id_of(device.device()); };
  return {{id_of(it.name()), Color::bold}, {or_dash(it.display_name())},
          {or_dash(it.login())},           {or_dash(it.extension())},
          {list_of(it.devices(), phone)},  {list_of(it.roles(), called)},
          {list_of(it.licences(), called)}};
}

std::vector<Cell> cells(const pv1::UserToken& it) {
  return {{id_of(it.name()), Color::bold},
          {made(it.has_create_time(), it.create_time())},
          {or_dash(it.purpose())}};
}

std::vector<Cell> cells(const pv1::Agent& it) {
  return {{id_of(it.name()), Color::bold},
          {or_dash(it.display_name())},
          {or_dash(it.extension())},
          {it.has_team() ? called(it.team()) : "-"},
          {it.state() == pv1::AGENT_STATE_UNSPECIFIED ? "-" : word(it.state())},
          {or_dash(it.state_reason())}};
}

// What a list's response is a list of.
const auto& items_of(const pv1::ListDevicesResponse& page) { return page.devices(); }
const auto& items_of(const pv1::ListUsersResponse& page) { return page.users(); }
const auto& items_of(const pv1::ListUserTokensResponse& page) { return page.user_tokens(); }
const auto& items_of(const pv1::ListAgentsResponse& page) { return page.agents(); }

template <class Item>
void show(const Session& session, const Item& item, Table& table) {
  if (session.json()) {
    session.out() << json_line(item) << '\n';
  } else {
    table.add(cells(item));
  }
}

template <class Request, class Response>
Outcome<void> show_all(Session& session,
                       grpc::Status (Provisioning::Stub::*rpc)(grpc::ClientContext*, const Request&,
                                                               Response*),
                       Request request, int count, Table table) {
  int told = 0;
  do {
    request.set_page_size(std::min(count - told, kPageMost));
    auto page = session.ask(rpc, request);
    if (!page) return page.error();
    for (const auto& item : items_of(*page)) {
      ++told;
      show(session, item, table);
    }
    request.set_page_token(page->next_page_token());
  } while (told < count && !request.page_token().empty());
  table.print(session.style(), session.out());
  if (told == 0 && !session.json()) session.out() << "none\n";
  if (!request.page_token().empty()) {
    session.err() << "pbxctl: there may be more; --count tells how many to show\n";
  }
  return {};
}

// The one that was asked for.
template <class Request, class Response, class Item>
Outcome<void> show_one(Session& session,
                       grpc::Status (Provisioning::Stub::*rpc)(grpc::ClientContext*, const Request&,
                                                               Response*),
                       const std::string& name, const Item& (Response::*item)() const,
                       Table table) {
  Request request;
  request.set_name(name);
  auto response = session.ask(rpc, request);
  if (!response) return response.error();
  show(session, ((*response).*item)(), table);
  table.print(session.style(), session.out());
  return {};
}

std::shared_ptr<Arguments> declare_list(CLI::App& app, const std::string& one) {
  auto it = std::make_shared<Arguments>();
  app.add_option(one, it->which, "Only this one: its id, or its resource name")->type_name("");
  app.add_option("--text", it->text, "Only what the PBX finds for this")->type_name("TEXT");
  return it;
}

void add_count(CLI::App& app, int& count) {
  app.add_option("--count", count, "At most so many; default 100")
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""));
}

// A list of the tenant's: all of them, or one.
template <class ListRequest, class ListResponse, class GetRequest, class GetResponse, class Item>
Action look(std::shared_ptr<Arguments> it, const char* kind, std::vector<std::string> headers,
            grpc::Status (Provisioning::Stub::*list)(grpc::ClientContext*, const ListRequest&,
                                                     ListResponse*),
            grpc::Status (Provisioning::Stub::*get)(grpc::ClientContext*, const GetRequest&,
                                                    GetResponse*),
            const Item& (GetResponse::*item)() const) {
  return [=](Session& session) -> Outcome<void> {
    if (!it->which.empty()) {
      auto name = resource_name(session, kind, it->which);
      if (!name) return name.error();
      return show_one(session, get, *name, item, Table(headers));
    }
    auto tenant = the_tenant(session);
    if (!tenant) return tenant.error();
    ListRequest request;
    request.set_parent(*tenant);
    request.set_text(it->text);
    return show_all(session, list, std::move(request), it->count, Table(headers));
  };
}

}  // namespace

Outcome<std::string> resource_name(Session& session, std::string_view kind,
                                   const std::string& text) {
  if (text.starts_with("tenants/")) return text;
  auto tenant = the_tenant(session);
  if (!tenant) return tenant.error();
  return *tenant + '/' + std::string(kind) + '/' + wire::to_token(text);
}

void tell_made(const Session& session, const google::protobuf::Message& response,
               const std::string& name, const std::string& display_name,
               const std::string& request_id) {
  if (session.json()) {
    session.out() << with_member("requestId", json_text(request_id), json_line(response)) << '\n';
    return;
  }
  session.out() << row({{"done", Color::green},
                        {id_of(name), Color::bold},
                        {printable(display_name)}},
                       {4, 0, 0}, session.style())
                << '\n';
}

Action declare_phones(CLI::App& app) {
  auto it = declare_list(app, "PHONE");
  add_count(app, it->count);
  return look(it, "phones", {"PHONE", "NAME", "ACCOUNT", "USER"}, &Provisioning::Stub::ListDevices,
              &Provisioning::Stub::GetDevice, &pv1::GetDeviceResponse::device);
}

Action declare_users(CLI::App& app) {
  auto it = declare_list(app, "USER");
  add_count(app, it->count);
  return look(it, "users", {"USER", "NAME", "LOGIN", "EXTENSION", "PHONES", "ROLES", "LICENCES"},
              &Provisioning::Stub::ListUsers, &Provisioning::Stub::GetUser,
              &pv1::GetUserResponse::user);
}

Action declare_agents(CLI::App& app) {
  auto it = declare_list(app, "AGENT");
  add_count(app, it->count);
  return look(it, "agents", {"AGENT", "NAME", "EXTENSION", "TEAM", "STATE", "REASON"},
              &Provisioning::Stub::ListAgents, &Provisioning::Stub::GetAgent,
              &pv1::GetAgentResponse::agent);
}

Action declare_tokens(CLI::App& app) {
  auto it = std::make_shared<Arguments>();
  app.add_option("USER", it->which, "Whose: an id, or a resource name")->type_name("")->required();
  add_count(app, it->count);
  return [it](Session& session) -> Outcome<void> {
    auto user = resource_name(session, "users", it->which);
    if (!user) return user.error();
    pv1::ListUserTokensRequest request;
    request.set_parent(*user);
    return show_all(session, &Provisioning::Stub::ListUserTokens, std::move(request), it->count,
                    Table({"TOKEN", "MADE", "PURPOSE"}));
  };
}

}  // namespace pbxctl
