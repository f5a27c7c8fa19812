#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <grpcpp/grpcpp.h>

#include "pbxgw/v1/call_history_service.pb.h"

namespace control {

// The caller's end of one GetRecording: a bounded queue, of which gRPC writes one response at a
// time. Any thread may call it. gRPC keeps it alive until the RPC is over, the download as long as
// it likes: what it says afterwards is ignored.
class RecordingStream final : public grpc::ServerWriteReactor<pbxgw::v1::GetRecordingResponse> {
 public:
  // Bytes that wait for the caller, beside what gRPC has taken.
  static constexpr std::size_t kBytesMax = 512 << 10;
  // Of one response.
  static constexpr std::size_t kChunkMax = 64 << 10;

  // Called on gRPC's threads, and not by push() or finish().
  struct Handlers {
    std::function<void()> on_space;  // half the queue is free again, after it was full
    std::function<void()> on_gone;   // the caller is gone, or has been told the status
  };

  static std::shared_ptr<RecordingStream> make(grpc::CallbackServerContext& context);
  void handle(Handlers handlers);

  // False while the queue is full: then the download has to wait for on_space.
  bool has_space();
  void push(pbxgw::v1::Recording recording);
  // In responses of kChunkMax.
  void push(const std::string& bytes);
  // Ends the RPC: with OK after all that was pushed, with an error after what is being written now.
  // Only the first call counts.
  void finish(grpc::Status status);
  // For a caller who does not even read the status: breaks the stream off.
  void break_off();
  // When the caller last took something.
  std::chrono::steady_clock::time_point progress();

 private:
  explicit RecordingStream(grpc::CallbackServerContext& context) : context_(&context) {}
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;
  void enqueue(pbxgw::v1::GetRecordingResponse response);

  std::mutex mutex_;
  grpc::CallbackServerContext* context_;  // null once the RPC is over
  Handlers handlers_;
  std::deque<pbxgw::v1::GetRecordingResponse> queue_;  // the first is being written, if writing_
  std::size_t bytes_ = 0;
  bool writing_ = false;
  bool starved_ = false;  // somebody waits for on_space
  bool gone_ = false;
  bool finished_ = false;
  std::optional<grpc::Status> status_;  // to be sent once it is its turn
  std::chrono::steady_clock::time_point progress_ = std::chrono::steady_clock::now();
  std::shared_ptr<RecordingStream> self_;  // until gRPC is done with it
};

}  // namespace control
