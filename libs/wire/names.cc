#include "wire/names.h"

#include <charconv>
#include <optional>
#include <utility>

#include "wire/name_writer.h"
#include "wire/token.h"

namespace wire {
namespace {

using base::Errc;

// Takes `prefix` off the front.
bool skip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Takes the token before the next slash, or the end, off the front.
std::optional<std::string> take_token(std::string_view& text) {
  const auto token = text.substr(0, text.find('/'));
  text.remove_prefix(token.size());
  return from_token(token);
}

struct Parts {
  base::TenantId tenant;
  std::string last;
};

// tenants/{tenant}<middle>{last}
base::Result<Parts> parse(std::string_view name, std::string_view middle) {
  if (!skip(name, "tenants/")) return Errc::invalid_argument;
  auto tenant = take_token(name);
  if (!tenant || !skip(name, middle)) return Errc::invalid_argument;
  auto last = take_token(name);
  if (!last || !name.empty()) return Errc::invalid_argument;
  return Parts{base::TenantId(std::move(*tenant)), std::move(*last)};
}

base::Result<ResourceName> parse_resource(std::string_view name, std::string_view middle) {
  auto parts = parse(name, middle);
  if (!parts) return parts.error();
  return ResourceName{std::move(parts->tenant), "", std::move(parts->last)};
}

base::Result<base::TenantId> parse_ending(std::string_view name, std::string_view ending) {
  if (!skip(name, "tenants/")) return Errc::invalid_argument;
  auto tenant = take_token(name);
  if (!tenant || name != ending) return Errc::invalid_argument;
  return base::TenantId(std::move(*tenant));
}

}  // namespace

void append_tenant_name(std::string& out, const base::TenantId& tenant) {
  out += "tenants/";
  append_token(out, tenant.str());
}

void append_call_name(std::string& out, const base::TenantId& tenant, const base::CallId& call) {
  append_tenant_name(out, tenant);
  out += "/calls/";
  append_token(out, call.str());
}

void append_device_name(std::string& out, const base::TenantId& tenant,
                        const base::DeviceId& device) {
  append_tenant_name(out, tenant);
  out += "/devices/";
  append_token(out, device.str());
}

void append_connection_name(std::string& out, const base::TenantId& tenant,
                            const base::CallId& call, unsigned number) {
  append_tenant_name(out, tenant);
  out += "/connections/";
  // As a token, call::connection_id() is just this: what is added stands for itself.
  if (!call.empty()) append_token(out, call.str());
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out += '-';
  out.append(digits, end);
}

std::string tenant_name(const base::TenantId& tenant) {
  std::string out;
  append_tenant_name(out, tenant);
  return out;
}

std::string capabilities_name(const base::TenantId& tenant) {
  return tenant_name(tenant) + "/capabilities";
}

std::string call_name(const base::TenantId& tenant, const base::CallId& call) {
  std::string out;
  append_call_name(out, tenant, call);
  return out;
}

std::string device_name(const base::TenantId& tenant, const base::DeviceId& device) {
  std::string out;
  append_device_name(out, tenant, device);
  return out;
}

std::string connection_name(const base::TenantId& tenant, const base::CallId& call,
                            unsigned number) {
  std::string out;
  append_connection_name(out, tenant, call, number);
  return out;
}

std::string past_call_name(const base::TenantId& tenant, std::string_view id) {
  return tenant_name(tenant) + "/pastCalls/" + to_token(id);
}

std::string recording_name(const base::TenantId& tenant, std::string_view id) {
  return tenant_name(tenant) + "/recordings/" + to_token(id);
}

std::string phone_name(const base::TenantId& tenant, std::string_view id) {
  return tenant_name(tenant) + "/phones/" + to_token(id);
}

std::string user_name(const base::TenantId& tenant, std::string_view id) {
  return tenant_name(tenant) + "/users/" + to_token(id);
}

std::string user_token_name(const base::TenantId& tenant, std::string_view user,
                            std::string_view id) {
  return user_name(tenant, user) + "/tokens/" + to_token(id);
}

std::string agent_name(const base::TenantId& tenant, std::string_view id) {
  return tenant_name(tenant) + "/agents/" + to_token(id);
}

base::Result<base::TenantId> parse_tenant(std::string_view name) { return parse_ending(name, ""); }

base::Result<base::TenantId> parse_capabilities(std::string_view name) {
  return parse_ending(name, "/capabilities");
}

base::Result<CallName> parse_call(std::string_view name) {
  auto parts = parse(name, "/calls/");
  if (!parts) return parts.error();
  return CallName{std::move(parts->tenant), base::CallId(std::move(parts->last))};
}

base::Result<DeviceName> parse_device(std::string_view name) {
  auto parts = parse(name, "/devices/");
  if (!parts) return parts.error();
  return DeviceName{std::move(parts->tenant), base::DeviceId(std::move(parts->last))};
}

base::Result<ConnectionName> parse_connection(std::string_view name) {
  auto parts = parse(name, "/connections/");
  if (!parts) return parts.error();
  const std::string& id = parts->last;
  const auto dash = id.rfind('-');
  if (dash == std::string::npos) return Errc::invalid_argument;
  const char* first = id.data() + dash + 1;
  const char* end = id.data() + id.size();
  unsigned number = 0;
  const auto [stop, error] = std::from_chars(first, end, number);
  // No zero in front: one connection has one name. This also leaves out number 0.
  if (error != std::errc{} || stop != end || *first == '0') return Errc::invalid_argument;
  return ConnectionName{std::move(parts->tenant), base::CallId(id.substr(0, dash)), number};
}

base::Result<RecordName> parse_past_call(std::string_view name) {
  auto parts = parse(name, "/pastCalls/");
  if (!parts) return parts.error();
  return RecordName{std::move(parts->tenant), std::move(parts->last)};
}

base::Result<RecordName> parse_recording(std::string_view name) {
  auto parts = parse(name, "/recordings/");
  if (!parts) return parts.error();
  return RecordName{std::move(parts->tenant), std::move(parts->last)};
}

base::Result<ResourceName> parse_phone(std::string_view name) {
  return parse_resource(name, "/phones/");
}

base::Result<ResourceName> parse_user(std::string_view name) {
  return parse_resource(name, "/users/");
}

base::Result<ResourceName> parse_user_token(std::string_view name) {
  const auto middle = name.rfind("/tokens/");
  if (middle == std::string_view::npos) return Errc::invalid_argument;
  auto result = parse_user(name.substr(0, middle));
  if (!result) return result.error();
  name.remove_prefix(middle + std::string_view("/tokens/").size());
  auto id = take_token(name);
  if (!id || !name.empty()) return Errc::invalid_argument;
  result->user = std::exchange(result->id, std::move(*id));
  return result;
}

base::Result<ResourceName> parse_agent(std::string_view name) {
  return parse_resource(name, "/agents/");
}

}  // namespace wire
