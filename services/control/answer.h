#pragma once

#include <boost/system/result.hpp>

#include "google/rpc/status.pb.h"
#include "wire/status.h"

namespace control {

// What an RPC ends with: its response, or the error as the caller gets it. A Status rather than an
// Error, since one that comes from a tenant's owner is passed on with all its details.
template <class T>
using Answer = boost::system::result<T, google::rpc::Status>;

inline google::rpc::Status refuse(base::Error why, std::string detail = {},
                                  std::map<std::string, std::string> metadata = {}) {
  wire::Failure failure;
  failure.why = why;
  failure.detail = std::move(detail);
  failure.metadata = std::move(metadata);
  return wire::to_status(failure);
}

}  // namespace control
