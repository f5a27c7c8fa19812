#pragma once

#include <grpcpp/support/status.h>

#include "google/rpc/status.pb.h"

namespace control {

// The same status for gRPC, which carries the details as bytes in a trailer.
inline grpc::Status to_grpc(const google::rpc::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), status.message(),
                      status.SerializeAsString());
}

}  // namespace control
