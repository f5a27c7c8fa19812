#pragma once

#include <google/protobuf/message.h>

namespace wire {

// Clears every field of `message`, at any depth, that the protos mark as a secret
// (pbxgw.options.v1.sensitive): before it is kept anywhere, or compared by a hash that is.
void clear_sensitive(google::protobuf::Message& message);

}  // namespace wire
