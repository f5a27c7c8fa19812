#pragma once

#include <google/protobuf/timestamp.pb.h>

#include "base/result.h"
#include "call/model.h"

namespace wire {

void to_proto(call::Time time, google::protobuf::Timestamp& out);
// bad_frame if it is no timestamp, or beyond what our clock can say (the years 1678 to 2261).
base::Result<call::Time> from_proto(const google::protobuf::Timestamp& time);

}  // namespace wire
