// digits, park, attach-data: a connection, and something of the verb's own.
#include "pbxctl/verbs/declarations.h"
#include "pbxctl/verbs/on_connection.h"

namespace pbxctl {

using namespace pbxgw::v1;

Action declare_digits(CLI::App& app) {
  auto connection = std::make_shared<std::string>();
  auto digits = std::make_shared<std::string>();
  auto options = std::make_shared<ChangeOptions>();
  add_connection(app, *connection);
  app.add_option("DIGITS", *digits, "One or more of 0-9 * # A-D, at most 64")
      ->type_name("")
      ->required();
  add_change_options(app, *options);
  return act_on_connection(connection, options, SERVICE_GENERATE_DIGITS,
                           &CallControl::Stub::GenerateDigits,
                           [digits](Session&, GenerateDigitsRequest& request) -> Outcome<void> {
                             request.set_digits(*digits);
                             return {};
                           });
}

Action declare_park(CLI::App& app) {
  auto connection = std::make_shared<std::string>();
  auto slot = std::make_shared<std::string>();
  auto options = std::make_shared<ChangeOptions>();
  add_connection(app, *connection);
  app.add_option("SLOT", *slot, "The park slot; left out: one that the PBX chooses")->type_name("");
  add_change_options(app, *options);
  return act_on_connection(connection, options, SERVICE_PARK_CALL, &CallControl::Stub::ParkCall,
                           [slot](Session&, ParkCallRequest& request) -> Outcome<void> {
                             request.set_slot(*slot);
                             return {};
                           });
}

Action declare_attach_data(CLI::App& app) {
  auto connection = std::make_shared<std::string>();
  auto data = std::make_shared<Data>();
  auto options = std::make_shared<ChangeOptions>();
  add_connection(app, *connection);
  add_data(app, "DATA", *data, "What to attach: KEY=VALUE, one or more")->required();
  add_change_options(app, *options);
  return act_on_connection(connection, options, SERVICE_ASSOCIATE_DATA,
                           &CallControl::Stub::AssociateData,
                           [data](Session&, AssociateDataRequest& request) -> Outcome<void> {
                             request.mutable_data()->insert(data->begin(), data->end());
                             return {};
                           });
}

}  // namespace pbxctl
