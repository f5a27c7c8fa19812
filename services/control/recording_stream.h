#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <grpcpp/grpcpp.h>

#include "control/response_stream.h"
#include "pbxgw/v1/call_history_service.pb.h"

namespace control {

// The caller's end of one GetRecording.
class RecordingStream final
    : public ResponseStream<grpc::ServerWriteReactor<pbxgw::v1::GetRecordingResponse>,
                            pbxgw::v1::GetRecordingResponse> {
 public:
  // Bytes that wait for the caller, beside what gRPC has taken.
  static constexpr std::size_t kBytesMax = 512 << 10;
  // Of one response.
  static constexpr std::size_t kChunkMax = 64 << 10;

  static std::shared_ptr<RecordingStream> make(grpc::CallbackServerContext& context);

  void push(pbxgw::v1::Recording recording);
  // In responses of kChunkMax.
  void push(const std::string& bytes);
  // With OK after all that was pushed, with an error after what is being written now.
  void finish(grpc::Status status);

 private:
  using ResponseStream::ResponseStream;
};

}  // namespace control
