#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "control/answer.h"
#include "control/core.h"

namespace control::rpc {

// The record of the tenant that a request's `name` was parsed to, or what to tell the caller.
Answer<pbxgw::v1::TenantRecord> known_tenant(const Core& core,
                                             const base::Result<base::TenantId>& tenant,
                                             const std::string& name, std::string_view form);

}  // namespace control::rpc
