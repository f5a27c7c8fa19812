#include "wire/commands.h"

#include "wire/enums.h"
#include "wire/names.h"
#include "wire/text.h"

namespace wire {
namespace {

using base::Errc;

template <class Ours>
base::Result<Ours> value_of(typename Enumeration<Ours>::Proto value) {
  const auto ours = from_proto_enum<Ours>(value);
  if (!ours) return Errc::invalid_argument;
  return *ours;
}

}  // namespace

v1::Service to_proto(call::Service service) { return to_proto_enum(service); }

base::Result<call::Service> from_proto(v1::Service service) {
  return value_of<call::Service>(service);
}

v1::AgentState to_proto(call::AgentState state) { return to_proto_enum(state); }

base::Result<call::AgentState> from_proto(v1::AgentState state) {
  return value_of<call::AgentState>(state);
}

v1::Forwarding to_proto(const call::Forwarding& forwarding) {
  v1::Forwarding out;
  out.set_type(to_proto_enum(forwarding.type));
  assign_text(*out.mutable_destination(), forwarding.destination);
  return out;
}

base::Result<call::Forwarding> from_proto(const v1::Forwarding& forwarding) {
  const auto type = value_of<call::ForwardingType>(forwarding.type());
  if (!type) return type.error();
  return call::Forwarding{*type, forwarding.destination()};
}

v1::Command to_proto(const call::Request& request) {
  v1::Command out;
  out.set_service(to_proto_enum(request.service));
  assign_text(*out.mutable_call_id(), request.call.str());
  out.set_connection_number(request.connection);
  assign_text(*out.mutable_other_call_id(), request.other_call.str());
  out.set_other_connection_number(request.other_connection);
  assign_text(*out.mutable_device_id(), request.device.str());
  assign_text(*out.mutable_destination(), request.destination);
  assign_text(*out.mutable_digits(), request.digits);
  for (const auto& [key, value] : request.data) {
    std::string name;
    assign_text(name, key);
    assign_text((*out.mutable_data())[name], value);
  }
  out.set_on(request.on);
  if (request.service == call::Service::set_forwarding ||
      request.forwarding != call::Forwarding{}) {
    *out.mutable_forwarding() = to_proto(request.forwarding);
  }
  assign_text(*out.mutable_presence(), request.presence);
  out.set_agent_state(to_proto_enum(request.agent_state));
  assign_text(*out.mutable_note(), request.note);
  return out;
}

base::Result<call::Request> from_proto(const v1::Command& command) {
  call::Request out;
  const auto service = from_proto(command.service());
  const auto agent_state = from_proto(command.agent_state());
  if (!service || !call::is_command(*service) || !agent_state) return Errc::invalid_argument;
  out.service = *service;
  out.agent_state = *agent_state;
  if (command.has_forwarding()) {
    auto forwarding = from_proto(command.forwarding());
    if (!forwarding) return forwarding.error();
    out.forwarding = std::move(*forwarding);
  } else if (out.service == call::Service::set_forwarding) {
    return Errc::invalid_argument;  // the default would switch one off
  }
  out.call = call::CallId(command.call_id());
  out.connection = command.connection_number();
  out.other_call = call::CallId(command.other_call_id());
  out.other_connection = command.other_connection_number();
  out.device = call::DeviceId(command.device_id());
  out.destination = command.destination();
  out.digits = command.digits();
  for (const auto& [key, value] : command.data()) out.data.emplace(key, value);
  out.on = command.on();
  out.presence = command.presence();
  out.note = command.note();
  return out;
}

v1::Capabilities to_proto(const base::TenantId& tenant, std::string_view vendor,
                          std::span<const call::Capability> capabilities) {
  v1::Capabilities out;
  out.set_name(capabilities_name(tenant));
  assign_text(*out.mutable_vendor(), vendor);
  for (const auto& capability : capabilities) {
    auto& row = *out.add_capabilities();
    row.set_service(to_proto_enum(capability.service));
    row.set_confirmation(to_proto_enum(capability.confirmation));
    assign_text(*row.mutable_note(), capability.note ? capability.note : "");
  }
  return out;
}

}  // namespace wire
