#pragma once

#include <string>

#include <nats/nats.h>

#include "base/result.h"

namespace bus {

// cnats' verdict as one of ours. What cannot happen without a bug of ours is `internal`.
base::Error to_error(natsStatus status);

// What to tell an operator: cnats' own words, and the JetStream error code if there was one. Says
// what the last failed call on this thread said, so ask at once.
std::string detail_of(natsStatus status, jsErrCode code = jsErrCode(0));

}  // namespace bus
