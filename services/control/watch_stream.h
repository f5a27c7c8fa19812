#pragma once

#include <memory>
#include <string>

#include <grpcpp/grpcpp.h>

#include "control/response_stream.h"
#include "pbxgw/v1/events_service.pb.h"

namespace control {

// The caller's end of one Watch.
class WatchStream final : public ResponseStream<grpc::ServerWriteReactor<pbxgw::v1::WatchResponse>,
                                                pbxgw::v1::WatchResponse> {
 public:
  static std::shared_ptr<WatchStream> make(grpc::CallbackServerContext& context, Limits limits);

  // Of the last response handed to gRPC: what comes after it, the caller will not get.
  std::string last_marker();
  // After what is being written now: whoever is told to go on from a marker gets the rest then.
  void finish(grpc::Status status) { ResponseStream::finish(std::move(status), Rest::drop); }

 private:
  using ResponseStream::ResponseStream;
  void on_write(const pbxgw::v1::WatchResponse& response) override;

  std::string last_marker_;
};

}  // namespace control
