#pragma once

#include <memory>

#include <nats/nats.h>

#include "base/handle.h"

namespace bus {

// cnats' objects.
using MessageHandle = std::unique_ptr<natsMsg, base::FreedBy<natsMsg_Destroy>>;
using OptionsHandle = std::unique_ptr<natsOptions, base::FreedBy<natsOptions_Destroy>>;
using StreamInfoHandle = std::unique_ptr<jsStreamInfo, base::FreedBy<jsStreamInfo_Destroy>>;

}  // namespace bus
