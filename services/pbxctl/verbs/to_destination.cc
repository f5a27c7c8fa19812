// consult, blind-transfer, deflect: a connection, and a number.
#include "pbxctl/verbs/declarations.h"
#include "pbxctl/verbs/on_connection.h"

namespace pbxctl {
namespace {

using namespace pbxgw::v1;

template <class Request, class Response>
Action declare(CLI::App& app, Service service,
               grpc::Status (CallControl::Stub::*rpc)(grpc::ClientContext*, const Request&,
                                                      Response*)) {
  auto connection = std::make_shared<std::string>();
  auto number = std::make_shared<std::string>();
  auto options = std::make_shared<ChangeOptions>();
  add_connection(app, *connection);
  app.add_option("NUMBER", *number, "Where to, as the device's user would dial it")
      ->type_name("")
      ->required();
  add_change_options(app, *options);
  return act_on_connection(connection, options, service, rpc,
                           [number](Session&, Request& request) -> Outcome<void> {
                             request.set_destination(*number);
                             return {};
                           });
}

}  // namespace

Action declare_consult(CLI::App& app) {
  return declare(app, SERVICE_CONSULTATION_CALL, &CallControl::Stub::ConsultationCall);
}
Action declare_blind_transfer(CLI::App& app) {
  return declare(app, SERVICE_SINGLE_STEP_TRANSFER_CALL,
                 &CallControl::Stub::SingleStepTransferCall);
}
Action declare_deflect(CLI::App& app) {
  return declare(app, SERVICE_DEFLECT_CALL, &CallControl::Stub::DeflectCall);
}

}  // namespace pbxctl
