#include "control/recording_stream.h"

#include <algorithm>
#include <utility>

namespace control {

using pbxgw::v1::GetRecordingResponse;
using std::chrono::steady_clock;

std::shared_ptr<RecordingStream> RecordingStream::make(grpc::CallbackServerContext& context) {
  std::shared_ptr<RecordingStream> stream(new RecordingStream(context));
  stream->self_ = stream;
  return stream;
}

void RecordingStream::handle(Handlers handlers) {
  std::unique_lock lock(mutex_);
  handlers_ = std::move(handlers);
  if (!gone_) return;
  const auto on_gone = handlers_.on_gone;
  lock.unlock();
  on_gone();
}

bool RecordingStream::has_space() {
  std::lock_guard lock(mutex_);
  if (bytes_ < kBytesMax) return true;
  starved_ = true;
  return false;
}

void RecordingStream::push(pbxgw::v1::Recording recording) {
  GetRecordingResponse response;
  response.mutable_recording()->Swap(&recording);
  enqueue(std::move(response));
}

void RecordingStream::push(const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += kChunkMax) {
    GetRecordingResponse response;
    response.set_data(bytes.substr(at, kChunkMax));
    enqueue(std::move(response));
  }
}

void RecordingStream::enqueue(GetRecordingResponse response) {
  const GetRecordingResponse* next = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (finished_ || gone_) return;
    if (queue_.empty()) progress_ = steady_clock::now();
    bytes_ += response.data().size();
    queue_.push_back(std::move(response));
    if (writing_) return;
    writing_ = true;
    next = &queue_.front();
  }
  // Not under the lock, though nobody else writes: what gRPC does in here is its own affair.
  StartWrite(next);
}

void RecordingStream::OnWriteDone(bool ok) {
  const GetRecordingResponse* next = nullptr;
  std::function<void()> on_space;
  std::optional<grpc::Status> status;
  {
    std::lock_guard lock(mutex_);
    progress_ = steady_clock::now();
    bytes_ -= queue_.front().data().size();
    queue_.pop_front();
    if (!ok || (status_ && !status_->ok())) {  // if not ok, OnCancel() follows
      queue_.clear();
      bytes_ = 0;
    }
    writing_ = !queue_.empty();
    if (writing_) {
      next = &queue_.front();
    } else {
      status.swap(status_);
    }
    if (starved_ && bytes_ * 2 <= kBytesMax) {
      starved_ = false;
      on_space = handlers_.on_space;
    }
  }
  if (next) StartWrite(next);
  if (status) Finish(*status);
  if (on_space) on_space();
}

void RecordingStream::finish(grpc::Status status) {
  {
    std::lock_guard lock(mutex_);
    if (finished_) return;
    finished_ = true;
    if (writing_) {
      status_ = std::move(status);
      return;
    }
  }
  Finish(std::move(status));
}

void RecordingStream::break_off() {
  std::lock_guard lock(mutex_);
  if (context_) context_->TryCancel();
}

steady_clock::time_point RecordingStream::progress() {
  std::lock_guard lock(mutex_);
  return progress_;
}

void RecordingStream::OnCancel() {
  std::function<void()> on_gone;
  {
    std::lock_guard lock(mutex_);
    gone_ = true;
    on_gone = handlers_.on_gone;
  }
  if (on_gone) on_gone();
  finish(grpc::Status::CANCELLED);  // nobody hears it, but gRPC waits for it
}

void RecordingStream::OnDone() {
  std::shared_ptr<RecordingStream> self;  // may be the last one
  std::function<void()> on_gone;
  {
    std::lock_guard lock(mutex_);
    context_ = nullptr;
    gone_ = true;
    on_gone = std::move(handlers_.on_gone);
    handlers_ = {};
    self.swap(self_);
  }
  if (on_gone) on_gone();
}

}  // namespace control
