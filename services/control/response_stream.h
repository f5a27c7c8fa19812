#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <grpcpp/grpcpp.h>

namespace control {

// The caller's end of one RPC that answers with a stream: a bounded queue, of which gRPC writes one
// response at a time. Any thread may call it. gRPC keeps it alive until the RPC is over, others as
// long as they like: what they say afterwards is ignored.
//
// `Reactor` is gRPC's, for a stream of `Response`.
template <class Reactor, class Response>
class ResponseStream : public Reactor {
 public:
  struct Limits {
    std::size_t responses_max = 1'000;
    std::size_t bytes_max = 4u << 20;  // together; a single one may be larger
  };
  // Called on gRPC's threads, and not by push() or finish().
  struct Handlers {
    std::function<void()> on_space;  // half the queue is free again, after it was full
    std::function<void()> on_gone;   // the caller is gone, or has been told the status
  };

  void handle(Handlers handlers) {
    std::unique_lock lock(mutex_);
    handlers_ = std::move(handlers);
    if (!gone_) return;
    const auto on_gone = handlers_.on_gone;
    lock.unlock();
    on_gone();
  }

  // False while the queue is full: then on_space follows.
  bool has_space() {
    const std::lock_guard lock(mutex_);
    if (responses_.size() < limits_.responses_max && bytes_ < limits_.bytes_max) return true;
    starved_ = true;
    return false;
  }
  // Takes the response even if there is no space.
  void push(Response response) {
    const Response* next = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (finished_ || gone_) return;
      if (responses_.empty()) progress_ = Clock::now();
      bytes_ += response.ByteSizeLong();
      responses_.push_back(std::move(response));
      if (writing_) return;
      writing_ = true;
      next = &responses_.front();
      on_write(*next);
    }
    // Not under the lock, though nobody else writes: what gRPC does in here is its own affair.
    this->StartWrite(next);
  }
  // Tells the caller that all is well so far, before there is anything to read.
  void greet() {
    const std::lock_guard lock(mutex_);
    if (!finished_ && !gone_) this->StartSendInitialMetadata();
  }

  enum class Rest { say, drop };
  // Ends the RPC with `status`: after all that was pushed, or after just what is being written now.
  // Only the first call counts.
  void finish(grpc::Status status, Rest rest) {
    {
      const std::lock_guard lock(mutex_);
      if (finished_) return;
      finished_ = true;
      verdict_ = status;
      if (writing_) {
        if (rest == Rest::drop) drop_behind_first();
        status_ = std::move(status);
        return;
      }
    }
    this->Finish(std::move(status));
  }
  // What it was finished with; CANCELLED if the caller went before.
  grpc::Status verdict() {
    const std::lock_guard lock(mutex_);
    return verdict_;
  }
  // For a caller who does not even read the status: breaks the stream off.
  void break_off() {
    const std::lock_guard lock(mutex_);
    if (context_) context_->TryCancel();
  }

  // When the caller last took something, or had taken everything.
  std::chrono::steady_clock::time_point progress() {
    const std::lock_guard lock(mutex_);
    return progress_;
  }
  bool is_idle() {  // everything was taken
    const std::lock_guard lock(mutex_);
    return responses_.empty();
  }

 protected:
  ResponseStream(grpc::CallbackServerContext& context, Limits limits)
      : limits_(limits), context_(&context) {}

  // Until gRPC is done with it.
  template <class Stream>
  static std::shared_ptr<Stream> kept(Stream* made) {
    std::shared_ptr<Stream> stream(made);
    stream->self_ = stream;
    return stream;
  }

  // Under the lock, both: `response` is about to be written; the caller is gone.
  virtual void on_write(const Response& /*response*/) {}
  virtual void on_cancelled() {}
  // Under the lock: nothing may be begun any more.
  bool is_over() const { return finished_ || gone_; }

  std::mutex mutex_;
  const Limits limits_;

 private:
  using Clock = std::chrono::steady_clock;

  void OnSendInitialMetadataDone(bool) override {}
  void OnWriteDone(bool ok) override {
    const Response* next = nullptr;
    grpc::WriteOptions options;
    std::function<void()> on_space;
    std::optional<grpc::Status> status;
    {
      const std::lock_guard lock(mutex_);
      progress_ = Clock::now();
      if (!ok) drop_behind_first();  // OnCancel() follows
      bytes_ -= responses_.front().ByteSizeLong();
      responses_.pop_front();
      writing_ = !responses_.empty();
      if (writing_) {
        next = &responses_.front();
        on_write(*next);
        // With more to come, gRPC may fill its buffers before it goes to the socket.
        if (responses_.size() > 1) options.set_buffer_hint();
      } else {
        status.swap(status_);
      }
      if (starved_ && responses_.size() * 2 <= limits_.responses_max &&
          bytes_ * 2 <= limits_.bytes_max) {
        starved_ = false;
        on_space = handlers_.on_space;
      }
    }
    if (next) this->StartWrite(next, options);
    if (status) this->Finish(*status);
    if (on_space) on_space();
  }
  void OnCancel() override {
    std::function<void()> on_gone;
    {
      const std::lock_guard lock(mutex_);
      gone_ = true;
      on_cancelled();
      on_gone = handlers_.on_gone;
    }
    if (on_gone) on_gone();
    finish(grpc::Status::CANCELLED, Rest::drop);  // nobody hears it, but gRPC waits for it
  }
  void OnDone() override {
    std::shared_ptr<ResponseStream> self;  // may be the last one
    std::function<void()> on_gone;
    {
      const std::lock_guard lock(mutex_);
      context_ = nullptr;
      gone_ = true;
      on_gone = std::move(handlers_.on_gone);
      handlers_ = {};
      self.swap(self_);
    }
    if (on_gone) on_gone();
  }

  void drop_behind_first() {
    responses_.resize(1);
    bytes_ = responses_.front().ByteSizeLong();
  }

  grpc::CallbackServerContext* context_;  // null once the RPC is over
  Handlers handlers_;
  std::deque<Response> responses_;  // the first one is being written, if writing_
  std::size_t bytes_ = 0;
  bool writing_ = false;
  bool starved_ = false;  // somebody waits for on_space
  bool gone_ = false;
  bool finished_ = false;
  std::optional<grpc::Status> status_;  // to be sent after the responses
  grpc::Status verdict_;
  Clock::time_point progress_ = Clock::now();
  std::shared_ptr<ResponseStream> self_;  // until gRPC is done with it
};

}  // namespace control
