#include "control/recording_stream.h"

#include <utility>

namespace control {

using pbxgw::v1::GetRecordingResponse;

std::shared_ptr<RecordingStream> RecordingStream::make(grpc::CallbackServerContext& context) {
  Limits limits;
  limits.bytes_max = kBytesMax;
  return kept(new RecordingStream(context, limits));
}

void RecordingStream::push(pbxgw::v1::Recording recording) {
  GetRecordingResponse response;
  response.mutable_recording()->Swap(&recording);
  ResponseStream::push(std::move(response));
}

void RecordingStream::push(const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += kChunkMax) {
    GetRecordingResponse response;
    response.set_data(bytes.substr(at, kChunkMax));
    ResponseStream::push(std::move(response));
  }
}

void RecordingStream::finish(grpc::Status status) {
  const Rest rest = status.ok() ? Rest::say : Rest::drop;
  ResponseStream::finish(std::move(status), rest);
}

}  // namespace control
