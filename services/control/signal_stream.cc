#include "control/signal_stream.h"

#include <utility>

namespace control {

using pbxgw::v1::SignalRequest;
using pbxgw::v1::SignalResponse;
using std::chrono::steady_clock;

std::shared_ptr<SignalStream> SignalStream::make(grpc::CallbackServerContext& context,
                                                 Limits limits) {
  std::shared_ptr<SignalStream> stream(new SignalStream(context, limits));
  stream->self_ = stream;
  return stream;
}

void SignalStream::handle(Handlers handlers) {
  std::unique_lock lock(mutex_);
  handlers_ = std::move(handlers);
  if (!gone_) return read();
  const auto on_gone = handlers_.on_gone;
  lock.unlock();
  on_gone();
}

// ---- From the client.

// Under the lock: once finish() has let gRPC have the RPC back, nothing may be started.
void SignalStream::read() {
  if (reading_ || closed_ || finished_ || requests_.size() >= limits_.requests_max) return;
  reading_ = true;
  StartRead(&incoming_);
}

void SignalStream::OnReadDone(bool ok) {
  std::function<void()> on_request;
  {
    std::lock_guard lock(mutex_);
    reading_ = false;
    if (ok) {
      requests_.push_back(std::move(incoming_));
      incoming_.Clear();
    } else {
      closed_ = true;
    }
    read();
    on_request = handlers_.on_request;
  }
  if (on_request) on_request();
}

std::optional<SignalRequest> SignalStream::take() {
  std::lock_guard lock(mutex_);
  if (requests_.empty()) return std::nullopt;
  SignalRequest next = std::move(requests_.front());
  requests_.pop_front();
  read();
  return next;
}

bool SignalStream::has_request() {
  std::lock_guard lock(mutex_);
  return !requests_.empty();
}

bool SignalStream::is_closed() {
  std::lock_guard lock(mutex_);
  return closed_ && requests_.empty();
}

// ---- To the client.

bool SignalStream::is_full() const {
  return responses_.size() >= limits_.responses_max || bytes_ >= limits_.bytes_max;
}

bool SignalStream::has_space() {
  std::lock_guard lock(mutex_);
  if (!is_full()) return true;
  starved_ = true;
  return false;
}

void SignalStream::push(SignalResponse response) {
  const SignalResponse* next = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (finished_ || gone_) return;
    if (responses_.empty()) progress_ = steady_clock::now();
    bytes_ += response.ByteSizeLong();
    responses_.push_back(std::move(response));
    if (writing_) return;
    writing_ = true;
    next = &responses_.front();
  }
  // Not under the lock: nobody else writes, and finish() waits for it.
  StartWrite(next);
}

void SignalStream::OnWriteDone(bool ok) {
  const SignalResponse* next = nullptr;
  std::function<void()> on_space;
  std::optional<grpc::Status> status;
  {
    std::lock_guard lock(mutex_);
    progress_ = steady_clock::now();
    bytes_ -= responses_.front().ByteSizeLong();
    responses_.pop_front();
    if (!ok) {  // OnCancel() follows
      responses_.clear();
      bytes_ = 0;
    }
    writing_ = !responses_.empty();
    if (writing_) {
      next = &responses_.front();
    } else {
      status.swap(status_);
    }
    if (starved_ && responses_.size() * 2 <= limits_.responses_max &&
        bytes_ * 2 <= limits_.bytes_max) {
      starved_ = false;
      on_space = handlers_.on_space;
    }
  }
  if (next) StartWrite(next);
  if (status) Finish(*status);
  if (on_space) on_space();
}

steady_clock::time_point SignalStream::progress() {
  std::lock_guard lock(mutex_);
  return progress_;
}

// ---- The end.

void SignalStream::finish(grpc::Status status) {
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

void SignalStream::break_off() {
  std::lock_guard lock(mutex_);
  if (context_) context_->TryCancel();
}

void SignalStream::OnCancel() {
  std::function<void()> on_gone;
  {
    std::lock_guard lock(mutex_);
    gone_ = true;
    closed_ = true;
    on_gone = handlers_.on_gone;
  }
  if (on_gone) on_gone();
  finish(grpc::Status::CANCELLED);  // nobody hears it, but gRPC waits for it
}

void SignalStream::OnDone() {
  std::shared_ptr<SignalStream> self;  // may be the last one
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
