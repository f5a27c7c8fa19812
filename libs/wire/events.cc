#include "wire/events.h"

#include <utility>

#include "base/overloaded.h"
#include "wire/enums.h"
#include "wire/link_reasons.h"
#include "wire/name_writer.h"
#include "wire/names.h"
#include "wire/text.h"
#include "wire/time.h"

// Messages are overwritten field by field, not cleared first: Clear() frees what submessages hold,
// only for it to be allocated again.
namespace wire {
namespace {

using base::Errc;
using base::TenantId;

// ---- To protobuf ----

void write(const call::Party& party, v1::Party& out) {
  assign_text(*out.mutable_device_id(), party.device.str());
  out.set_kind(to_proto_enum(party.kind));
  assign_text(*out.mutable_number(), party.number);
  assign_text(*out.mutable_display_name(), party.name);
}

void write(const call::VendorCause& cause, v1::VendorCause& out) {
  assign_text(*out.mutable_text(), cause.text);
  out.clear_q850_cause();
  out.clear_sip_status();
  if (cause.q850) out.set_q850_cause(*cause.q850);
  if (cause.sip_status) out.set_sip_status(*cause.sip_status);
}

void write(const TenantId& tenant, const call::CallId& call, const call::Connection& connection,
           v1::Connection& out) {
  out.mutable_name()->clear();
  append_connection_name(*out.mutable_name(), tenant, call, connection.number);
  write(connection.party, *out.mutable_party());
  out.set_role(to_proto_enum(connection.role));
  out.set_state(to_proto_enum(connection.state));
  out.set_offered(connection.offered);
  out.set_recording(connection.recording);
  out.set_cause(to_proto_enum(connection.cause));
  to_proto(connection.since, *out.mutable_state_time());
  out.clear_allowed_actions();
  for (std::size_t i = 0; i < call::kServiceCount; ++i) {
    const auto service = static_cast<call::Service>(i);
    if (connection.allowed.has(service)) out.add_allowed_actions(to_proto_enum(service));
  }
  assign_text(*out.mutable_vendor_leg_id(), connection.leg);
}

void write(const std::map<std::string, std::string>& data, v1::Call& out) {
  if (data.empty() && out.data().empty()) return;
  auto& map = *out.mutable_data();
  map.clear();
  std::string name;
  for (const auto& [key, value] : data) {
    assign_text(name, key);
    assign_text(map[name], value);
  }
}

void write(const call::LinkEvent& link, call::Time since, v1::LinkStatus& out) {
  out.set_state(to_proto_enum(link.state));
  out.set_reason(to_link_reason(link.reason));
  assign_text(*out.mutable_detail(), link.detail);
  to_proto(since, *out.mutable_state_time());
  out.clear_retry_time();
  out.clear_last_up_time();
  if (link.retry_at) to_proto(*link.retry_at, *out.mutable_retry_time());
}

void write(const TenantId& tenant, const call::CallEvent& event, v1::CallEvent& out) {
  out.set_type(to_proto_enum(event.type));
  to_proto(tenant, event.call, *out.mutable_call());
  out.mutable_connection()->clear();
  if (event.connection != 0) {
    append_connection_name(*out.mutable_connection(), tenant, event.call.id, event.connection);
  }
  if (event.other) {
    write(*event.other, *out.mutable_other_party());
  } else {
    out.clear_other_party();
  }
  out.set_cause(to_proto_enum(event.cause));
  if (event.vendor_cause != call::VendorCause{}) {
    write(event.vendor_cause, *out.mutable_vendor_cause());
  } else {
    out.clear_vendor_cause();
  }
  out.set_inferred(event.inferred);
}

void write(const TenantId& tenant, const call::DeviceEvent& event, v1::DeviceEvent& out) {
  out.set_type(to_proto_enum(event.type));
  to_proto(tenant, event.device, *out.mutable_device());
}

void write(const call::StreamGap& gap, v1::StreamGap& out) {
  out.set_first_sequence(gap.first_sequence);
  out.set_last_sequence(gap.last_sequence);
  to_proto(gap.since, *out.mutable_start_time());
  to_proto(gap.until, *out.mutable_end_time());
  assign_text(*out.mutable_reason(), gap.reason);
}

// ---- From protobuf: false if it was not made by us ----

template <class Ours>
bool read(typename Enumeration<Ours>::Proto in, Ours& out) {
  const auto value = from_proto_enum<Ours>(in);
  if (value) out = *value;
  return value.has_value();
}

bool read(const google::protobuf::Timestamp& in, call::Time& out) {
  const auto time = from_proto(in);
  if (time) out = *time;
  return time.has_value();
}

bool read(const v1::Party& in, call::Party& out) {
  out.device = call::DeviceId(in.device_id());
  out.number = in.number();
  out.name = in.display_name();
  return read(in.kind(), out.kind);
}

void read(const v1::VendorCause& in, call::VendorCause& out) {
  out.text = in.text();
  if (in.has_q850_cause()) out.q850 = in.q850_cause();
  if (in.has_sip_status()) out.sip_status = in.sip_status();
}

bool read_allowed(const v1::Connection& in, call::ServiceSet& out) {
  for (int i = 0; i < in.allowed_actions_size(); ++i) {
    call::Service service;
    if (!read(in.allowed_actions(i), service)) return false;
    out.add(service);
  }
  return true;
}

bool read(const v1::Connection& in, const call::CallId& call, call::Connection& out) {
  const auto name = parse_connection(in.name());
  if (!name || name->call != call || !in.has_party() || !in.has_state_time()) return false;
  out.number = name->number;
  out.leg = in.vendor_leg_id();
  out.offered = in.offered();
  out.recording = in.recording();
  return read(in.party(), out.party) && read(in.role(), out.role) && read(in.state(), out.state) &&
         read(in.cause(), out.cause) && read(in.state_time(), out.since) &&
         read_allowed(in, out.allowed);
}

bool read(const v1::Call& in, call::Call& out) {
  auto name = parse_call(in.name());
  if (!name || !in.has_create_time() || in.connections_made() < 0) return false;
  out.id = std::move(name->call);
  out.key = in.vendor_call_id();
  out.connections_made = static_cast<unsigned>(in.connections_made());
  out.dialled = in.dialled_number();
  out.connections.resize(static_cast<std::size_t>(in.connections_size()));
  for (std::size_t i = 0; i < out.connections.size(); ++i) {
    if (!read(in.connections(static_cast<int>(i)), out.id, out.connections[i])) return false;
  }
  for (const auto& [key, value] : in.data()) out.data.emplace(key, value);
  return read(in.direction(), out.direction) && read(in.create_time(), out.created);
}

bool read(const v1::Device& in, call::Device& out) {
  auto name = parse_device(in.name());
  if (!name) return false;
  out.id = std::move(name->device);
  out.name = in.display_name();
  if (in.has_do_not_disturb()) out.do_not_disturb = in.do_not_disturb();
  out.forwardings.resize(static_cast<std::size_t>(in.forwardings_size()));
  for (std::size_t i = 0; i < out.forwardings.size(); ++i) {
    const auto& forwarding = in.forwardings(static_cast<int>(i));
    if (!read(forwarding.type(), out.forwardings[i].type)) return false;
    out.forwardings[i].destination = forwarding.destination();
  }
  if (in.has_presence()) out.presence = in.presence();
  if (in.has_agent_state()) {
    if (!read(in.agent_state(), out.agent_state.emplace())) return false;
  }
  out.agent_reason = in.agent_reason();
  out.vendor_status = in.vendor_status();
  out.controllable = in.controllable();
  return read(in.kind(), out.kind) && read(in.availability(), out.availability) &&
         read(in.activity(), out.activity);
}

bool read(const v1::CallEvent& in, call::CallEvent& out) {
  if (!in.has_call() || !read(in.call(), out.call)) return false;
  if (!in.connection().empty()) {
    const auto name = parse_connection(in.connection());
    if (!name || name->call != out.call.id) return false;
    out.connection = name->number;
  }
  if (in.has_other_party() && !read(in.other_party(), out.other.emplace())) return false;
  read(in.vendor_cause(), out.vendor_cause);
  out.inferred = in.inferred();
  return read(in.type(), out.type) && read(in.cause(), out.cause) &&
         out.cause != call::Cause::unspecified;
}

bool read(const v1::DeviceEvent& in, call::DeviceEvent& out) {
  return in.has_device() && read(in.type(), out.type) && read(in.device(), out.device);
}

bool read(const v1::LinkEvent& in, call::LinkEvent& out) {
  const auto& status = in.status();
  out.reason = error_name_of(status.reason());
  out.detail = status.detail();
  if (status.has_retry_time() && !read(status.retry_time(), out.retry_at.emplace())) return false;
  return read(status.state(), out.state);
}

bool read(const v1::StreamGap& in, call::StreamGap& out) {
  out.first_sequence = in.first_sequence();
  out.last_sequence = in.last_sequence();
  out.reason = in.reason();
  return in.has_start_time() && in.has_end_time() && read(in.start_time(), out.since) &&
         read(in.end_time(), out.until);
}

bool read_body(const v1::Event& in, call::Event& out) {
  switch (in.body_case()) {
    case v1::Event::kCallEvent: return read(in.call_event(), out.body.emplace<call::CallEvent>());
    case v1::Event::kDeviceEvent:
      return read(in.device_event(), out.body.emplace<call::DeviceEvent>());
    case v1::Event::kLinkEvent: return read(in.link_event(), out.body.emplace<call::LinkEvent>());
    case v1::Event::kStreamGap: return read(in.stream_gap(), out.body.emplace<call::StreamGap>());
    case v1::Event::BODY_NOT_SET: return false;
  }
  return false;
}

bool read(const v1::Event& in, call::Event& out) {
  out.epoch = in.epoch();
  out.sequence = in.sequence();
  out.request_id = in.request_id();
  if (in.has_pbx_time() && !read(in.pbx_time(), out.pbx_time.emplace())) return false;
  return parse_tenant(in.tenant()).has_value() && in.has_receive_time() &&
         read(in.receive_time(), out.received) && read(in.origin(), out.origin) &&
         read_body(in, out);
}

template <class Ours, class Theirs>
base::Result<Ours> read_whole(const Theirs& in) {
  Ours out;
  if (!read(in, out)) return Errc::bad_frame;
  return out;
}

}  // namespace

void to_proto(const TenantId& tenant, const call::Call& call, v1::Call& out) {
  out.mutable_name()->clear();
  append_call_name(*out.mutable_name(), tenant, call.id);
  out.set_direction(to_proto_enum(call.direction));
  assign_text(*out.mutable_dialled_number(), call.dialled);
  const auto count = static_cast<int>(call.connections.size());
  auto& connections = *out.mutable_connections();
  while (connections.size() > count) connections.RemoveLast();
  while (connections.size() < count) connections.Add();
  for (int i = 0; i < count; ++i) {
    write(tenant, call.id, call.connections[static_cast<std::size_t>(i)], connections[i]);
  }
  write(call.data, out);
  to_proto(call.created, *out.mutable_create_time());
  assign_text(*out.mutable_vendor_call_id(), call.key);
  out.set_connections_made(static_cast<std::int32_t>(call.connections_made));
}

void to_proto(const TenantId& tenant, const call::Device& device, v1::Device& out) {
  out.mutable_name()->clear();
  append_device_name(*out.mutable_name(), tenant, device.id);
  assign_text(*out.mutable_device_id(), device.id.str());
  out.set_kind(to_proto_enum(device.kind));
  assign_text(*out.mutable_display_name(), device.name);
  out.set_availability(to_proto_enum(device.availability));
  out.set_activity(to_proto_enum(device.activity));
  out.clear_do_not_disturb();
  if (device.do_not_disturb) out.set_do_not_disturb(*device.do_not_disturb);
  out.clear_forwardings();
  for (const auto& forwarding : device.forwardings) {
    auto& added = *out.add_forwardings();
    added.set_type(to_proto_enum(forwarding.type));
    assign_text(*added.mutable_destination(), forwarding.destination);
  }
  out.clear_presence();
  if (device.presence) assign_text(*out.mutable_presence(), *device.presence);
  out.clear_agent_state();
  if (device.agent_state) out.set_agent_state(to_proto_enum(*device.agent_state));
  assign_text(*out.mutable_agent_reason(), device.agent_reason);
  assign_text(*out.mutable_vendor_status(), device.vendor_status);
  out.set_controllable(device.controllable);
}

void to_proto(const TenantId& tenant, const call::Event& event, v1::Event& out) {
  out.mutable_tenant()->clear();
  append_tenant_name(*out.mutable_tenant(), tenant);
  out.set_epoch(event.epoch);
  out.set_sequence(event.sequence);
  out.set_origin(to_proto_enum(event.origin));
  to_proto(event.received, *out.mutable_receive_time());
  if (event.pbx_time) {
    to_proto(*event.pbx_time, *out.mutable_pbx_time());
  } else {
    out.clear_pbx_time();
  }
  assign_text(*out.mutable_request_id(), event.request_id);
  std::visit(
      base::overloaded{
          [&](const call::CallEvent& body) { write(tenant, body, *out.mutable_call_event()); },
          [&](const call::DeviceEvent& body) { write(tenant, body, *out.mutable_device_event()); },
          [&](const call::LinkEvent& body) {
            write(body, event.received, *out.mutable_link_event()->mutable_status());
          },
          [&](const call::StreamGap& body) { write(body, *out.mutable_stream_gap()); }},
      event.body);
}

v1::Call to_proto(const TenantId& tenant, const call::Call& call) {
  v1::Call out;
  to_proto(tenant, call, out);
  return out;
}

v1::Device to_proto(const TenantId& tenant, const call::Device& device) {
  v1::Device out;
  to_proto(tenant, device, out);
  return out;
}

v1::LinkStatus to_proto(const call::LinkEvent& link, call::Time since) {
  v1::LinkStatus out;
  write(link, since, out);
  return out;
}

base::Result<call::Call> from_proto(const v1::Call& call) { return read_whole<call::Call>(call); }

base::Result<call::Device> from_proto(const v1::Device& device) {
  return read_whole<call::Device>(device);
}

base::Result<call::Event> from_proto(const v1::Event& event) {
  return read_whole<call::Event>(event);
}

}  // namespace wire
