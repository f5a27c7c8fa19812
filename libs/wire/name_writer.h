#pragma once

#include <string>

#include "base/ids.h"

// The resource names of names.h, written to the end of a string that is used again and again.
namespace wire {

void append_tenant_name(std::string& out, const base::TenantId& tenant);
void append_call_name(std::string& out, const base::TenantId& tenant, const base::CallId& call);
void append_device_name(std::string& out, const base::TenantId& tenant,
                        const base::DeviceId& device);
void append_connection_name(std::string& out, const base::TenantId& tenant,
                            const base::CallId& call, unsigned number);

}  // namespace wire
