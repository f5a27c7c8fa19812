#pragma once

#include <grpcpp/support/status.h>

#include "google/rpc/status.pb.h"

namespace control {

// The same status for gRPC, which carries the details as bytes in a trailer.
inline grpc::Status to_grpc(const google::rpc::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), status.message(),
                      status.SerializeAsString());
}

inline google::rpc::Status from_grpc(const grpc::Status& status) {
  google::rpc::Status out;
  if (!out.ParseFromString(status.error_details())) out.Clear();
  out.set_code(status.error_code());
  out.set_message(status.error_message());
  return out;
}

}  // namespace control
