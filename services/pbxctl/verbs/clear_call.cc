#include "pbxctl/verbs/declarations.h"
#include "pbxctl/verbs/on_connection.h"

namespace pbxctl {

Action declare_clear_call(CLI::App& app) {
  auto call = std::make_shared<std::string>();
  auto options = std::make_shared<ChangeOptions>();
  app.add_option("CALL", *call, "c12-7, or a resource name")->type_name("")->required();
  add_change_options(app, *options);
  return [=](Session& session) -> Outcome<void> {
    auto name = call_name(session, *call);
    if (!name) return name.error();
    pbxgw::v1::ClearCallRequest request;
    request.set_call(*name);
    return carry_out(session, &CallControl::Stub::ClearCall, std::move(request), *options,
                     id_or_new(*options));
  };
}

}  // namespace pbxctl
