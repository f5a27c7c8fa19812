#include <memory>

#include "pbxctl/json.h"
#include "pbxctl/target.h"
#include "pbxctl/verbs/declarations.h"
#include "pbxgw/v1/tenants_service.grpc.pb.h"
#include "wire/names.h"

namespace pbxctl {
namespace {

using namespace pbxgw::v1;

Cell offer_cell(Confirmation confirmation) {
  switch (confirmation) {
    case CONFIRMATION_NOT_OFFERED: return {"no", Color::dim};
    case CONFIRMATION_ACKNOWLEDGED:
    case CONFIRMATION_OBSERVED: return {word(confirmation), Color::green};
    default: return {word(confirmation)};
  }
}

Outcome<std::string> tenant_for(Session& session, const std::string& text) {
  if (text.empty()) return the_tenant(session);
  return text.starts_with("tenants/") ? text : wire::tenant_name(base::TenantId(text));
}

}  // namespace

Action declare_capabilities(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  app.add_option("TENANT", *name, "Whose PBX; left out: that of --tenant")->type_name("");
  return [name](Session& session) -> Outcome<void> {
    auto tenant = tenant_for(session, *name);
    if (!tenant) return tenant.error();
    GetCapabilitiesRequest request;
    request.set_name(*tenant + "/capabilities");
    auto response = session.ask(&Tenants::Stub::GetCapabilities, request);
    if (!response) return response.error();
    if (session.json()) {
      session.out() << json_line(response->capabilities()) << '\n';
      return {};
    }
    Table table({"VERB", "OFFERED", "NOTE"});
    for (const auto& it : response->capabilities().capabilities()) {
      table.add({{verb_for(it.service()), Color::bold},
                 offer_cell(it.confirmation()),
                 {printable(it.note())}});
    }
    table.print(session.style(), session.out());
    return {};
  };
}

}  // namespace pbxctl
