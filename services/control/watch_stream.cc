#include "control/watch_stream.h"

#include <utility>

namespace control {

using pbxgw::v1::WatchResponse;
using std::chrono::steady_clock;

std::shared_ptr<WatchStream> WatchStream::make(grpc::CallbackServerContext& context,
                                               Limits limits) {
  std::shared_ptr<WatchStream> stream(new WatchStream(context, limits));
  stream->self_ = stream;
  return stream;
}

void WatchStream::handle(Handlers handlers) {
  std::unique_lock lock(mutex_);
  handlers_ = std::move(handlers);
  if (!gone_) return;
  const auto on_gone = handlers_.on_gone;
  lock.unlock();
  on_gone();
}

bool WatchStream::is_full() const {
  return queue_.size() >= limits_.responses_max || bytes_ >= limits_.bytes_max;
}

bool WatchStream::has_space() {
  std::lock_guard lock(mutex_);
  if (!is_full()) return true;
  starved_ = true;
  return false;
}

void WatchStream::push(WatchResponse response) {
  const WatchResponse* next = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (finished_ || gone_) return;
    if (queue_.empty()) progress_ = steady_clock::now();
    bytes_ += response.ByteSizeLong();
    queue_.push_back(std::move(response));
    if (writing_) return;
    writing_ = true;
    if (!queue_.front().resume_marker().empty()) last_marker_ = queue_.front().resume_marker();
    next = &queue_.front();
  }
  // Not under the lock, though nobody else writes: what gRPC does in here is its own affair.
  write(next, false);
}

void WatchStream::greet() {
  std::lock_guard lock(mutex_);
  if (!finished_ && !gone_) StartSendInitialMetadata();
}

void WatchStream::write(const WatchResponse* next, bool more) {
  // With more to come, gRPC may fill its buffers before it goes to the socket.
  grpc::WriteOptions options;
  if (more) options.set_buffer_hint();
  StartWrite(next, options);
}

void WatchStream::OnWriteDone(bool ok) {
  const WatchResponse* next = nullptr;
  bool more = false;
  std::function<void()> on_space;
  std::optional<grpc::Status> status;
  {
    std::lock_guard lock(mutex_);
    progress_ = steady_clock::now();
    bytes_ -= queue_.front().ByteSizeLong();
    queue_.pop_front();
    if (!ok) queue_.clear();  // OnCancel() follows
    if (!ok) bytes_ = 0;
    writing_ = !queue_.empty() && !status_;
    if (writing_) {
      if (!queue_.front().resume_marker().empty()) last_marker_ = queue_.front().resume_marker();
      next = &queue_.front();
      more = queue_.size() > 1;
    }
    status.swap(status_);
    if (starved_ && queue_.size() * 2 <= limits_.responses_max && bytes_ * 2 <= limits_.bytes_max) {
      starved_ = false;
      on_space = handlers_.on_space;
    }
  }
  if (next) write(next, more);
  if (status) Finish(*status);
  if (on_space) on_space();
}

void WatchStream::finish(grpc::Status status) {
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

void WatchStream::break_off() {
  std::lock_guard lock(mutex_);
  if (context_) context_->TryCancel();
}

steady_clock::time_point WatchStream::progress() {
  std::lock_guard lock(mutex_);
  return progress_;
}

bool WatchStream::is_idle() {
  std::lock_guard lock(mutex_);
  return queue_.empty();
}

std::string WatchStream::last_marker() {
  std::lock_guard lock(mutex_);
  return last_marker_;
}

void WatchStream::OnCancel() {
  std::function<void()> on_gone;
  {
    std::lock_guard lock(mutex_);
    gone_ = true;
    on_gone = handlers_.on_gone;
  }
  if (on_gone) on_gone();
  finish(grpc::Status::CANCELLED);  // nobody hears it, but gRPC waits for it
}

void WatchStream::OnDone() {
  std::shared_ptr<WatchStream> self;  // may be the last one
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
