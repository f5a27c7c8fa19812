#include <memory>

#include "pbxctl/json.h"
#include "pbxctl/link.h"
#include "pbxctl/target.h"
#include "pbxctl/verbs/declarations.h"
#include "pbxgw/v1/tenants_service.grpc.pb.h"
#include "wire/names.h"

namespace pbxctl {
namespace {

using namespace pbxgw::v1;

constexpr int kPageSize = 1'000;

void print_one(const Session& session, const Tenant& tenant) {
  const auto& link = tenant.link();
  const auto since = [&](const google::protobuf::Timestamp& time) {
    return clock_text(time_of(time)) + ", " + length_text(session.now() - time_of(time)) + " ago";
  };
  print_fields({{"tenant", {id_of(tenant.name()), Color::bold}},
                {"name", {printable(tenant.display_name())}},
                {"vendor", {printable(tenant.vendor())}},
                {"link", link_cell(link)},
                {"since", {link.has_state_time() ? since(link.state_time()) : ""}},
                {"reason", {link.reason() == LINK_REASON_UNSPECIFIED ? "" : word(link.reason())}},
                {"detail", {printable(link.detail())}},
                {"next try", {link.has_retry_time() ? clock_text(time_of(link.retry_time())) : ""}},
                {"last up", {link.has_last_up_time() ? since(link.last_up_time()) : ""}},
                {"owner", {printable(tenant.owner())}},
                {"epoch", {tenant.epoch() == 0 ? "" : std::to_string(tenant.epoch())}}},
               session.style(), session.out());
}

Outcome<void> show_one(Session& session, const std::string& text) {
  GetTenantRequest request;
  request.set_name(text.starts_with("tenants/") ? text : wire::tenant_name(base::TenantId(text)));
  auto response = session.ask(&Tenants::Stub::GetTenant, request);
  if (!response) return response.error();
  if (session.json()) {
    session.out() << json_line(response->tenant()) << '\n';
  } else {
    print_one(session, response->tenant());
  }
  return {};
}

Outcome<void> show_all(Session& session) {
  Table table({"TENANT", "NAME", "VENDOR", "LINK", "SINCE", "REASON", "OWNER"});
  ListTenantsRequest request;
  request.set_page_size(kPageSize);
  bool any = false;
  do {
    auto page = session.ask(&Tenants::Stub::ListTenants, request);
    if (!page) return page.error();
    for (const auto& it : page->tenants()) {
      any = true;
      if (session.json()) {
        session.out() << json_line(it) << '\n';
        continue;
      }
      const auto& link = it.link();
      table.add(
          {{id_of(it.name()), Color::bold},
           {printable(it.display_name())},
           {printable(it.vendor())},
           link_cell(link),
           {link.has_state_time() ? length_text(session.now() - time_of(link.state_time())) : "-"},
           {link.reason() == LINK_REASON_UNSPECIFIED ? "-" : word(link.reason())},
           {it.owner().empty() ? "-" : printable(it.owner())}});
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  table.print(session.style(), session.out());
  if (!any && !session.json()) session.out() << "no tenants\n";
  return {};
}

}  // namespace

Action declare_tenants(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  app.add_option("NAME", *name, "Only this one, with all that is known of it")->type_name("");
  return [name](Session& session) {
    return name->empty() ? show_all(session) : show_one(session, *name);
  };
}

}  // namespace pbxctl
