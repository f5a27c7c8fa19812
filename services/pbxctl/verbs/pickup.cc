#include "pbxctl/verbs/declarations.h"
#include "pbxctl/verbs/on_connection.h"

namespace pbxctl {

Action declare_pickup(CLI::App& app) {
  auto device = std::make_shared<std::string>();
  auto connection = std::make_shared<std::string>();
  auto options = std::make_shared<ChangeOptions>();
  app.add_option("DEVICE", *device, "Who takes the call: a number, or a resource name")
      ->type_name("")
      ->required();
  add_connection(app, *connection)
      ->description("What rings elsewhere: c12-7-1, a resource name, or that device's number");
  add_change_options(app, *options);
  return act_on_connection(
      connection, options, pbxgw::v1::SERVICE_DIRECTED_PICKUP_CALL,
      &CallControl::Stub::DirectedPickupCall,
      [device](Session& session, pbxgw::v1::DirectedPickupCallRequest& request) -> Outcome<void> {
        auto name = device_name(session, *device);
        if (!name) return name.error();
        request.set_device(*name);
        return {};
      });
}

}  // namespace pbxctl
