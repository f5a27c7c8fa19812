#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "call/signalling.h"
#include "pbxgw/v1/signal.pb.h"

// call::FromClient and call::ToClient ↔ what WebRtc.Signal says and hears.
namespace wire {

pbxgw::v1::SignalRequest to_proto(const call::FromClient& message);
pbxgw::v1::SignalResponse to_proto(const call::ToClient& message);

// invalid_argument if there is no message in it, or `open`, or an enum value unknown here.
base::Result<call::FromClient> from_proto(const pbxgw::v1::SignalRequest& request);
// bad_frame if there is no message in it, an enum value unknown here, or a refusal without reason:
// then it was not made by us. What comes back is what was given to to_proto(), but for bytes that
// are not UTF-8, and an error that has no row in status.h, which is `internal` then.
base::Result<call::ToClient> from_proto(const pbxgw::v1::SignalResponse& response);

// `open`, for a device of `tenant`.
pbxgw::v1::OpenStream to_proto(const base::TenantId& tenant, const call::SignalOptions& options);
// invalid_argument if it is not for a device of `tenant`.
base::Result<call::SignalOptions> from_proto(const base::TenantId& tenant,
                                             const pbxgw::v1::OpenStream& open);

}  // namespace wire
