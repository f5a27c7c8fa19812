#pragma once

#include <map>
#include <string>

#include "config/section.h"
#include "connector/config.h"

// What the configuration says of PBXs that dial us; only for config.cc.
namespace connector {

// The section `inbound`.
InboundConfig read_inbound(const config::Section& inbound);

// What only the listener and all tenants together tell of a tenant's path. `paths`: whose they are,
// of the tenants before; gets this one's.
void check_path(const config::Section& tenant, const TenantConfig& config,
                const InboundConfig& inbound, std::map<std::string, std::string>& paths);

}  // namespace connector
