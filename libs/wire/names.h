#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/ids.h"
#include "base/result.h"

// Resource names (AIP-122). Their last parts are tokens (token.h).
namespace wire {

std::string tenant_name(const base::TenantId& tenant);        // tenants/acme
std::string capabilities_name(const base::TenantId& tenant);  // tenants/acme/capabilities
std::string call_name(const base::TenantId& tenant, const base::CallId& call);
std::string device_name(const base::TenantId& tenant, const base::DeviceId& device);
std::string connection_name(const base::TenantId& tenant, const base::CallId& call,
                            unsigned number);
std::string past_call_name(const base::TenantId& tenant, std::string_view id);
std::string recording_name(const base::TenantId& tenant, std::string_view id);
std::string phone_name(const base::TenantId& tenant, std::string_view id);
std::string user_name(const base::TenantId& tenant, std::string_view id);
std::string user_token_name(const base::TenantId& tenant, std::string_view user,
                            std::string_view id);
std::string agent_name(const base::TenantId& tenant, std::string_view id);

struct CallName {
  base::TenantId tenant;
  base::CallId call;
};
struct DeviceName {
  base::TenantId tenant;
  base::DeviceId device;
};
struct ConnectionName {
  base::TenantId tenant;
  base::CallId call;
  unsigned number = 0;
};
// Of a record of the PBX's: `id` is its word.
struct RecordName {
  base::TenantId tenant;
  std::string id;
};
// Of something that is set up at the PBX: ids are its words.
struct ResourceName {
  base::TenantId tenant;
  std::string user;  // of a user's token: whose; else empty
  std::string id;
};

// invalid_argument if `name` is not of the form; `kForm` is what to tell the user. "tenants/-" is
// the tenant "-": where AIP-159's wildcard may stand, the caller looks for it.
base::Result<base::TenantId> parse_tenant(std::string_view name);
base::Result<base::TenantId> parse_capabilities(std::string_view name);
base::Result<CallName> parse_call(std::string_view name);
base::Result<DeviceName> parse_device(std::string_view name);
base::Result<ConnectionName> parse_connection(std::string_view name);
base::Result<RecordName> parse_past_call(std::string_view name);
base::Result<RecordName> parse_recording(std::string_view name);
base::Result<ResourceName> parse_phone(std::string_view name);
base::Result<ResourceName> parse_user(std::string_view name);
base::Result<ResourceName> parse_user_token(std::string_view name);
base::Result<ResourceName> parse_agent(std::string_view name);
inline constexpr char kTenantForm[] = "tenants/{tenant}";
inline constexpr char kCapabilitiesForm[] = "tenants/{tenant}/capabilities";
inline constexpr char kCallForm[] = "tenants/{tenant}/calls/{call}";
inline constexpr char kDeviceForm[] = "tenants/{tenant}/devices/{device}";
inline constexpr char kConnectionForm[] = "tenants/{tenant}/connections/{connection}";
inline constexpr char kPastCallForm[] = "tenants/{tenant}/pastCalls/{past_call}";
inline constexpr char kRecordingForm[] = "tenants/{tenant}/recordings/{recording}";
inline constexpr char kPhoneForm[] = "tenants/{tenant}/phones/{phone}";
inline constexpr char kUserForm[] = "tenants/{tenant}/users/{user}";
inline constexpr char kUserTokenForm[] = "tenants/{tenant}/users/{user}/tokens/{token}";
inline constexpr char kAgentForm[] = "tenants/{tenant}/agents/{agent}";

}  // namespace wire
