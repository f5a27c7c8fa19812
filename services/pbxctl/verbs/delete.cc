// delete-phone, delete-user, delete-token, delete-agent.
#include <memory>

#include "pbxctl/verbs/declarations.h"
#include "pbxctl/verbs/set_up.h"
#include "wire/token.h"

namespace pbxctl {
namespace {

struct Arguments {
  std::string which, token, request_id;
};

template <class Request, class Response>
Outcome<void> remove(Session& session,
                     grpc::Status (Provisioning::Stub::*rpc)(grpc::ClientContext*, const Request&,
                                                             Response*),
                     const std::string& name, std::string& request_id) {
  Request request;
  request.set_name(name);
  auto gone = order(session, rpc, std::move(request), request_id);
  if (!gone) return gone.error();
  tell_made(session, *gone, name, "is gone", request_id);
  return {};
}

template <class Request, class Response>
Action declare(CLI::App& app, const char* what, const char* kind,
               grpc::Status (Provisioning::Stub::*rpc)(grpc::ClientContext*, const Request&,
                                                       Response*)) {
  auto it = std::make_shared<Arguments>();
  app.add_option(what, it->which, "An id, or a resource name")->type_name("")->required();
  add_request_id(app, it->request_id);
  return [=](Session& session) -> Outcome<void> {
    auto name = resource_name(session, kind, it->which);
    if (!name) return name.error();
    return remove(session, rpc, *name, it->request_id);
  };
}

}  // namespace

Action declare_delete_phone(CLI::App& app) {
  return declare(app, "PHONE", "phones", &Provisioning::Stub::DeleteDevice);
}

Action declare_delete_user(CLI::App& app) {
  return declare(app, "USER", "users", &Provisioning::Stub::DeleteUser);
}

Action declare_delete_agent(CLI::App& app) {
  return declare(app, "AGENT", "agents", &Provisioning::Stub::DeleteAgent);
}

Action declare_delete_token(CLI::App& app) {
  auto it = std::make_shared<Arguments>();
  app.add_option("USER", it->which, "Whose: an id, or a resource name")->type_name("")->required();
  app.add_option("TOKEN", it->token, "Its id, as `tokens` has it")->type_name("")->required();
  add_request_id(app, it->request_id);
  return [it](Session& session) -> Outcome<void> {
    auto user = resource_name(session, "users", it->which);
    if (!user) return user.error();
    return remove(session, &Provisioning::Stub::DeleteUserToken,
                  *user + "/tokens/" + wire::to_token(it->token), it->request_id);
  };
}

}  // namespace pbxctl
