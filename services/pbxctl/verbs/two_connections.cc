// alternate, reconnect, transfer, conference: the active and the held connection of one device.
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
  auto other = std::make_shared<std::string>();
  auto options = std::make_shared<ChangeOptions>();
  add_connection(app, *connection);
  app.add_option("OTHER", *other,
                 "The device's other connection, c12-8-1; left out: the only one that fits")
      ->type_name("");
  add_change_options(app, *options);
  return act_on_connection(connection, options, service, rpc,
                           [other, service](Session& session, Request& request) -> Outcome<void> {
                             if (other->empty()) return {};
                             auto name = connection_name(session, *other, service);
                             if (!name) return name.error();
                             request.set_other_connection(*name);
                             return {};
                           });
}

}  // namespace

Action declare_alternate(CLI::App& app) {
  return declare(app, SERVICE_ALTERNATE_CALL, &CallControl::Stub::AlternateCall);
}
Action declare_reconnect(CLI::App& app) {
  return declare(app, SERVICE_RECONNECT_CALL, &CallControl::Stub::ReconnectCall);
}
Action declare_transfer(CLI::App& app) {
  return declare(app, SERVICE_TRANSFER_CALL, &CallControl::Stub::TransferCall);
}
Action declare_conference(CLI::App& app) {
  return declare(app, SERVICE_CONFERENCE_CALL, &CallControl::Stub::ConferenceCall);
}

}  // namespace pbxctl
