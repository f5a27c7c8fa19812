#pragma once

#include "base/result.h"
#include "call/command.h"
#include "pbxgw/v1/command.pb.h"

// call::Request ↔ pbxgw.v1.Command, and checkpoints.
namespace wire {

pbxgw::v1::Command to_proto(const call::Request& request);
// invalid_argument if a field is out of range (an enum value unknown here).
base::Result<call::Request> from_proto(const pbxgw::v1::Command& command);

pbxgw::v1::Service to_proto(call::Service service);
base::Result<call::Service> from_proto(pbxgw::v1::Service service);

}  // namespace wire
