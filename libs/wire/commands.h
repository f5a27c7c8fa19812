#pragma once

#include <span>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "call/command.h"
#include "call/service.h"
#include "pbxgw/v1/command.pb.h"

// call::Request ↔ pbxgw.v1.Command, and the few values that requests and answers are made of.
namespace wire {

pbxgw::v1::Command to_proto(const call::Request& request);
// invalid_argument if a field is out of range (an enum value unknown here), or SetForwarding has no
// forwarding.
base::Result<call::Request> from_proto(const pbxgw::v1::Command& command);

pbxgw::v1::Service to_proto(call::Service service);
base::Result<call::Service> from_proto(pbxgw::v1::Service service);

pbxgw::v1::Forwarding to_proto(const call::Forwarding& forwarding);
base::Result<call::Forwarding> from_proto(const pbxgw::v1::Forwarding& forwarding);

pbxgw::v1::AgentState to_proto(call::AgentState state);
base::Result<call::AgentState> from_proto(pbxgw::v1::AgentState state);

// What GetCapabilities answers: a row for each of the vendor's.
pbxgw::v1::Capabilities to_proto(const base::TenantId& tenant, std::string_view vendor,
                                 std::span<const call::Capability> capabilities);

}  // namespace wire
