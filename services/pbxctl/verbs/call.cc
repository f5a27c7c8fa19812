#include "pbxctl/verbs/declarations.h"
#include "pbxctl/verbs/on_connection.h"

namespace pbxctl {

Action declare_call(CLI::App& app) {
  struct Arguments {
    std::string device, number;
    Data data;
    ChangeOptions options;
  };
  auto it = std::make_shared<Arguments>();
  app.add_option("DEVICE", it->device, "Who calls: a number, or a resource name")
      ->type_name("")
      ->required();
  app.add_option("NUMBER", it->number, "Whom, as the device's user would dial it")
      ->type_name("")
      ->required();
  add_data(app, "--data", it->data, "Data to attach to the call, where the PBX can; repeatable")
      ->allow_extra_args(false);
  add_change_options(app, it->options);
  return [it](Session& session) -> Outcome<void> {
    auto device = device_name(session, it->device);
    if (!device) return device.error();
    pbxgw::v1::MakeCallRequest request;
    request.set_device(*device);
    request.set_destination(it->number);
    request.mutable_data()->insert(it->data.begin(), it->data.end());
    return carry_out(session, &CallControl::Stub::MakeCall, std::move(request), it->options,
                     id_or_new(it->options));
  };
}

}  // namespace pbxctl
