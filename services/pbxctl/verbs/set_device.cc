// set-dnd, set-forwarding, set-presence, set-agent-state: features of a device.
#include "pbxctl/verbs/declarations.h"
#include "pbxctl/verbs/on_connection.h"
#include "pbxgw/v1/devices_service.grpc.pb.h"

namespace pbxctl {
namespace {

using namespace pbxgw::v1;

// What the four have in common.
struct Arguments {
  std::string device, value, rest;
  ChangeOptions options;
};

std::shared_ptr<Arguments> declare_device(CLI::App& app) {
  auto it = std::make_shared<Arguments>();
  app.add_option("DEVICE", it->device, "A number, or a resource name")->type_name("")->required();
  add_change_options(app, it->options);
  return it;
}

template <class Request, class Response, class Fill>
Action act_on_device(std::shared_ptr<Arguments> it,
                     grpc::Status (Devices::Stub::*rpc)(grpc::ClientContext*, const Request&,
                                                        Response*),
                     Fill fill) {
  return [=](Session& session) -> Outcome<void> {
    auto device = device_name(session, it->device);
    if (!device) return device.error();
    Request request;
    request.set_device(*device);
    fill(request);
    return carry_out(session, rpc, std::move(request), it->options, id_or_new(it->options));
  };
}

}  // namespace

Action declare_set_dnd(CLI::App& app) {
  auto it = declare_device(app);
  app.add_option("STATE", it->value, "Do not disturb on or off")
      ->type_name("")
      ->required()
      ->check(CLI::IsMember({"on", "off"}));
  return act_on_device(it, &Devices::Stub::SetDoNotDisturb, [it](SetDoNotDisturbRequest& request) {
    request.set_enabled(it->value == "on");
  });
}

Action declare_set_forwarding(CLI::App& app) {
  auto it = declare_device(app);
  app.add_option("WHEN", it->value, "When it applies")
      ->type_name("")
      ->required()
      ->check(CLI::IsMember(words<ForwardingType>()));
  app.add_option("NUMBER", it->rest, "Where to; left out: that forwarding goes off")->type_name("");
  return act_on_device(it, &Devices::Stub::SetForwarding, [it](SetForwardingRequest& request) {
    request.mutable_forwarding()->set_type(value_of<ForwardingType>(it->value));
    request.mutable_forwarding()->set_destination(it->rest);
  });
}

Action declare_set_presence(CLI::App& app) {
  auto it = declare_device(app);
  app.add_option("STATE", it->value, "The state, in the PBX's words")->type_name("")->required();
  app.add_option("--note", it->rest, "A note beside it, where the PBX can")->type_name("TEXT");
  return act_on_device(it, &Devices::Stub::SetPresence, [it](SetPresenceRequest& request) {
    request.set_presence(it->value);
    request.set_note(it->rest);
  });
}

Action declare_set_agent_state(CLI::App& app) {
  auto it = declare_device(app);
  auto states = words<AgentState>();
  std::erase(states, word(AGENT_STATE_BUSY));  // a state that only a call makes
  app.add_option("STATE", it->value, "The agent's state")
      ->type_name("")
      ->required()
      ->check(CLI::IsMember(states));
  app.add_option("--reason", it->rest, "Why not ready, where the PBX asks for it")
      ->type_name("TEXT");
  return act_on_device(it, &Devices::Stub::SetAgentState, [it](SetAgentStateRequest& request) {
    request.set_agent_state(value_of<AgentState>(it->value));
    request.set_reason(it->rest);
  });
}

}  // namespace pbxctl
