#include <memory>

#include "pbxctl/json.h"
#include "pbxctl/verbs/declarations.h"
#include "pbxgw/v1/app_login_service.grpc.pb.h"
#include "wire/names.h"

namespace pbxctl {

using pbxgw::v1::AppLogin;
using pbxgw::v1::SignChallengeRequest;

Action declare_sign_login(CLI::App& app) {
  auto request = std::make_shared<SignChallengeRequest>();
  app.add_option("TENANT", *request->mutable_tenant(), "At whose PBX")->required()->type_name("");
  app.add_option("CHALLENGE", *request->mutable_challenge(), "What the PBX said to the browser")
      ->required()
      ->type_name("");
  app.add_option("--app", *request->mutable_app(),
                 "Which of the tenant's applications; default: the only one")
      ->type_name("NAME");
  app.add_option("--user", *request->mutable_user(), "Whose login it is to be")->type_name("NAME");
  return [request](Session& session) -> Outcome<void> {
    const std::string& tenant = request->tenant();
    if (!tenant.starts_with("tenants/")) {
      request->set_tenant(wire::tenant_name(base::TenantId(tenant)));
    }
    auto login = session.ask(&AppLogin::Stub::SignChallenge, *request);
    if (!login) return login.error();
    session.out() << (session.json() ? json_line(*login) : login->login_json()) << '\n';
    return {};
  };
}

}  // namespace pbxctl
